/* vote.c - our vote in somebody else's election, and what waits for the disk.
 *
 * A vote that was forgotten in a crash could be given twice, so it leaves only
 * when a save that contains it is durable.
 */
#include "core_int.h"

/* For every slot it wants, the candidate must have heard of the owner's latest
 * claim; otherwise it would take slots on the strength of old news. */
static bool knows_latest_owners(const struct hs_core *c, const struct hs_view *v)
{
    const uint8_t *wanted = v->frame + HS_OFF_SLOTS;
    uint64_t epoch = hs_get64(v->frame + HS_OFF_CONFIG_EPOCH);

    for (uint32_t s = 0; s < HS_SLOTS; s++) {
        uint16_t owner = c->owner[s];
        if (hs_slot_test(wanted, s) && owner != NIL16 && !hs_slot_test(c->abandoned, s) &&
            c->cold[owner].config_epoch > epoch) {
            return false;
        }
    }
    return true;
}

/* In the order of the reference; see docs/protocol.md. */
static enum hs_refusal judge_request(const struct hs_core *c, uint16_t ix, const struct hs_view *v)
{
    bool forced = (v->frame[HS_OFF_MFLAGS] & HS_MFLAG_FORCEACK) != 0;
    uint16_t master = c->cold[ix].master;
    int64_t pause_ms = 2 * (int64_t)c->conf.node_timeout_ms;

    if (!is_voter(c, SELF)) {
        return HS_REFUSAL_NOT_A_VOTER;
    }
    if (hs_get64(v->frame + HS_OFF_CURRENT_EPOCH) < c->current_epoch) {
        return HS_REFUSAL_OLD_EPOCH;
    }
    if (c->last_vote_epoch == c->current_epoch) {
        return HS_REFUSAL_VOTED_IN_EPOCH;
    }
    if (has_flag(c, ix, HS_NODE_MASTER) || master == NIL16) {
        return HS_REFUSAL_NOT_A_REPLICA;
    }
    if (!has_flag(c, master, HS_NODE_FAIL) && !forced) {
        return HS_REFUSAL_MASTER_NOT_FAILED;
    }
    if (c->cold[master].voted_at != 0 && c->now.mono.ms - c->cold[master].voted_at < pause_ms) {
        return HS_REFUSAL_VOTED_FOR_SHARD;
    }
    if (!knows_latest_owners(c, v)) {
        return HS_REFUSAL_SLOT_EPOCH;
    }
    return c->votes_n == VOTES_PENDING_MAX ? HS_REFUSAL_BUSY : HS_REFUSAL_NONE;
}

void core_recv_auth_request(struct hs_core *c, uint16_t sender, const struct hs_view *v)
{
    enum hs_refusal why = judge_request(c, sender, v);
    uint64_t epoch = hs_get64(v->frame + HS_OFF_CURRENT_EPOCH);

    if (epoch <= EPOCH_MAX && epoch > c->rival_epoch) {
        c->rival_epoch = epoch;
    }
    if (why != HS_REFUSAL_NONE) {
        COUNT(c, votes_refused);
        core_note(c, HS_NOTE_VOTE_REFUSED, sender, HS_NIL, (int64_t)why);
        return;
    }
    c->last_vote_epoch = c->current_epoch;
    c->cold[c->cold[sender].master].voted_at = c->now.mono.ms;
    core_want_sync(c);
    c->votes[c->votes_n++] = (struct vote_pending){.seq = c->save_seq + 1,
                                                   .epoch = c->current_epoch,
                                                   .node = sender,
                                                   .gen = c->hot[sender].gen};
    core_note(c, HS_NOTE_VOTE_GRANTED, sender, HS_NIL, (int64_t)c->current_epoch);
}

static void send_votes(struct hs_core *c)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < c->votes_n; i++) {
        struct vote_pending p = c->votes[i];
        if (p.seq > c->saved_seq) {
            c->votes[kept++] = p;
        } else if (c->hot[p.node].gen == p.gen) {
            COUNT(c, votes_granted);
            core_send_vote(c, p.node, p.epoch);
        }
    }
    c->votes_n = kept;
}

static void answer_saveconfigs(struct hs_core *c)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < c->saveconfigs_n; i++) {
        if (c->saveconfigs[i].seq > c->saved_seq) {
            c->saveconfigs[kept++] = c->saveconfigs[i];
        } else {
            core_reply(c, c->saveconfigs[i].token, HS_CMD_OK, 0);
        }
    }
    c->saveconfigs_n = kept;
}

/* Save `seq` and all before it are durable: what waited for them goes out. */
void core_saved(struct hs_core *c, uint64_t seq)
{
    HS_ASSERT(seq <= c->save_seq);
    if (seq <= c->saved_seq) {
        return;
    }
    c->saved_seq = seq;
    core_hdr_refresh(c);
    send_votes(c);
    if (c->request_seq != 0 && c->request_seq <= seq) {
        core_election_request(c);
    }
    /* A later save may hold the header back (a vote for somebody else, when many
     * masters fail at once): told before it, the news would be the old ones. */
    if (c->announce_seq != 0 && c->announce_seq <= seq && !c->hdr_due) {
        c->announce_seq = 0;
        core_pong_all(c);
    }
    answer_saveconfigs(c);
}
