/* manual.c - a failover somebody asked for, while the master still works.
 *
 * The replica asks its master to pause (MFSTART), learns from its paused
 * messages the position to reach, reaches it, and is elected with votes that
 * the flag FORCEACK makes possible. Both sides give up after the same time.
 * We hold no writes to pause; a fronted store does that on its own.
 */
#include "core_int.h"

#define MANUAL_MS 5000 /* reference behaviour, on both sides */

static void start(struct hs_core *c, hs_ix by)
{
    c->mf_end = c->now.mono.ms + MANUAL_MS;
    c->mf_offset = -1;
    c->mf_can_start = false;
    c->mf_replica = NIL16;
    core_note(c, HS_NOTE_MF_STARTED, SELF, by, MANUAL_MS);
}

static void abandon(struct hs_core *c)
{
    c->mf_end = 0;
    c->mf_replica = NIL16;
    core_note(c, HS_NOTE_MF_ABORTED, SELF, HS_NIL, 0);
}

enum hs_cmd_err core_failover(struct hs_core *c, enum hs_failover how)
{
    uint16_t master = c->cold[SELF].master;

    if (i_am_master(c)) {
        return HS_CMD_ERR_FAILOVER_ON_MASTER;
    }
    if (master == NIL16) {
        return HS_CMD_ERR_MASTER_UNKNOWN;
    }
    if (how == HS_FAILOVER_DEFAULT &&
        (has_flag(c, master, HS_NODE_FAIL) || c->cold[master].to_state != TO_UP)) {
        return HS_CMD_ERR_MASTER_DOWN;
    }
    start(c, HS_NIL);
    if (how == HS_FAILOVER_TAKEOVER) { /* no votes: an operator's own word */
        core_epoch_bump(c);
        core_promote(c);
    } else if (how == HS_FAILOVER_FORCE) {
        c->mf_can_start = true;
        core_election(c);
    } else {
        core_send_mfstart(c, master);
    }
    return HS_CMD_OK;
}

/* Master: one of our replicas wants our place. */
void core_recv_mfstart(struct hs_core *c, struct hs_link l, uint16_t sender)
{
    if (!i_am_master(c) || c->cold[sender].master != SELF) {
        return;
    }
    start(c, sender);
    c->mf_replica = sender;
    core_ping_on(c, l, sender); /* it waits for our paused position */
}

/* Replica: the position our paused master stopped at. */
void core_manual_offset(struct hs_core *c, uint16_t sender, const struct hs_view *v)
{
    bool paused = (v->frame[HS_OFF_MFLAGS] & HS_MFLAG_PAUSED) != 0;

    if (c->mf_end == 0 || i_am_master(c) || sender != c->cold[SELF].master || !paused ||
        c->mf_offset >= 0) {
        return;
    }
    c->mf_offset = (int64_t)hs_get64(v->frame + HS_OFF_OFFSET);
    core_manual(c);
}

/* Every tick: ready, still wanted, over? */
void core_manual(struct hs_core *c)
{
    if (c->mf_end == 0) {
        return;
    }
    if (c->now.mono.ms > c->mf_end) {
        abandon(c);
        return;
    }
    if (i_am_master(c)) {
        if (c->mf_replica != NIL16 && c->cold[c->mf_replica].to_state == TO_UP &&
            core_can_ping(c)) {
            core_ping(c, c->mf_replica, HS_MSG_PING);
        }
        return;
    }
    /* Without a store that reports, there is nothing to catch up with. */
    if (!c->mf_can_start && c->mf_offset >= 0 &&
        (c->offset_at == 0 || c->cold[SELF].repl_offset == c->mf_offset)) {
        c->mf_can_start = true;
    }
    core_election(c);
}

/* The fronted store's position. */
void core_offset(struct hs_core *c, int64_t offset)
{
    c->cold[SELF].repl_offset = offset;
    c->offset_at = c->now.mono.ms;
    core_changed(c);
    core_manual(c);
}
