/* election.c - a replica of a failed master asks for its place.
 *
 * Plan a start (a delay, longer for those with older data), raise the epoch,
 * ask everybody, count the voters' answers, and with a majority take over the
 * slots under that epoch. What has to be on disk first is awaited like every
 * such change: the request leaves when the epoch is durable, the announcement
 * when the takeover is.
 */
#include "core_int.h"

enum {
    DELAY_MS = 500,        /* lets FAIL reach the voters, */
    DELAY_SPREAD_MS = 500, /* and keeps replicas from asking at once */
    RANK_MS = 1000,
    AUTH_MS_MIN = 2000,
    CROWD_PART = 30,      /* of a node timeout, spreads requests; see send_request() */
    REPL_PING_MS = 10000, /* stock servers' default repl-ping-replica-period */
};

static int64_t auth_timeout_ms(const struct hs_core *c)
{
    int64_t t = 2 * (int64_t)c->conf.node_timeout_ms;

    return t < AUTH_MS_MIN ? AUTH_MS_MIN : t;
}

/* Since the fronted store last reported its position. Without one there is no
 * data that could be old. */
static bool data_is_fresh(const struct hs_core *c)
{
    int64_t t = c->conf.node_timeout_ms;
    int64_t age_ms = c->now.mono.ms - c->offset_at;

    if (c->offset_at == 0 || c->conf.replica_validity_factor == 0) {
        return true;
    }
    age_ms -= age_ms > t ? t : 0;
    return age_ms <= REPL_PING_MS + t * c->conf.replica_validity_factor;
}

/* How many other replicas of our master are better placed: newer data, or the
 * same and a smaller id. */
static uint32_t rank_of_us(const struct hs_core *c)
{
    uint16_t master = c->cold[SELF].master;
    uint32_t rank = 0;

    for (uint16_t i = 1; i < c->nodes_hi; i++) {
        if (!is_used(c, i) || c->cold[i].master != master || has_flag(c, i, HS_NODE_NOFAILOVER)) {
            continue;
        }
        int64_t theirs = c->cold[i].repl_offset, ours = c->cold[SELF].repl_offset;
        rank += theirs > ours ||
                (theirs == ours && memcmp(c->hot[i].id.hex, c->hot[SELF].id.hex, HS_ID_LEN) < 0);
    }
    return rank;
}

static bool may_run(const struct hs_core *c)
{
    uint16_t master = c->cold[SELF].master;
    bool manual = c->mf_end != 0 && c->mf_can_start;

    if (i_am_master(c) || master == NIL16 || c->cold[master].slots_n == 0) {
        return false;
    }
    return manual ||
           (has_flag(c, master, HS_NODE_FAIL) && !c->conf.replica_no_failover && data_is_fresh(c));
}

/* Our position, to those who compare theirs with it. */
static void tell_fellow_replicas(struct hs_core *c)
{
    for (uint16_t i = 1; i < c->nodes_hi; i++) {
        if (is_used(c, i) && c->cold[i].to_state == TO_UP && core_can_ping(c) &&
            c->cold[i].master == c->cold[SELF].master) {
            core_ping(c, i, HS_MSG_PONG);
        }
    }
}

static void plan(struct hs_core *c)
{
    bool manual = c->mf_end != 0;

    c->auth_rank = manual ? 0 : rank_of_us(c);
    c->auth_at = c->now.mono.ms;
    if (!manual) {
        c->auth_at +=
            DELAY_MS + hs_prng_below(&c->prng, DELAY_SPREAD_MS) + (int64_t)c->auth_rank * RANK_MS;
    }
    c->auth_votes = 0;
    c->auth_over = false;
    c->auth_asked = false;
    c->auth_crowded = false;
    c->request_at = 0;
    struct hs_action *note =
        core_note(c, HS_NOTE_ELECTION_PLANNED, SELF, HS_NIL, c->auth_at - c->now.mono.ms);
    if (note != NULL) {
        note->rank = c->auth_rank;
        note->offset = c->cold[SELF].repl_offset;
    }
    tell_fellow_replicas(c);
}

/* News of a better placed replica moves our start, in either direction. */
static void replan(struct hs_core *c)
{
    uint32_t rank = rank_of_us(c);

    if (!c->auth_asked && c->mf_end == 0 && rank != c->auth_rank) {
        c->auth_at += ((int64_t)rank - (int64_t)c->auth_rank) * RANK_MS;
        c->auth_rank = rank;
    }
}

static void ask(struct hs_core *c)
{
    c->auth_asked = true;
    c->auth_epoch = ++c->current_epoch;
    c->auth_forced = c->mf_end != 0;
    core_want_sync(c);
    c->request_seq = c->save_seq + 1;
    core_note(c, HS_NOTE_ELECTION_STARTED, SELF, HS_NIL, (int64_t)c->auth_epoch);
}

/* Everybody may hear of our epoch, unless somebody asks in it or a later one
 * meanwhile. Nobody has two votes in an epoch, so that election would be lost,
 * and ours put off for long; we take another epoch instead.
 *
 * Who gave way to another candidate is not alone: that one's request has all who
 * heard it write the next epoch to their disks at the same moment, and they are
 * ready within the time a frame takes. So the next request waits for a moment of
 * its own, and gives way again to what is heard until then. */
static void send_request(struct hs_core *c)
{
    if (c->request_at == 0 || c->now.mono.ms < c->request_at) {
        return;
    }
    c->request_at = 0;
    if (c->rival_epoch >= c->auth_epoch || c->current_epoch > c->auth_epoch) {
        c->auth_crowded = c->auth_crowded || c->rival_epoch >= c->auth_epoch;
        ask(c);
    } else {
        core_send_auth_request(c, c->auth_epoch, c->auth_forced);
    }
}

/* The epoch is durable. */
void core_election_request(struct hs_core *c)
{
    c->request_seq = 0;
    if (!i_am_master(c) && !c->auth_over) {
        c->request_at = c->now.mono.ms;
        if (c->auth_crowded) {
            c->request_at += hs_prng_below(&c->prng, c->conf.node_timeout_ms / CROWD_PART + 1);
        }
        send_request(c);
    }
}

/* We take the place of our master, under an epoch that is ours. */
void core_promote(struct hs_core *c)
{
    uint16_t old = c->cold[SELF].master;

    core_lead(c);
    core_slots_move(c, old, SELF);
    c->offset_at = 0;
    c->mf_end = 0;
    core_want_sync(c);
    c->announce_seq = c->save_seq + 1;
}

static void count(struct hs_core *c)
{
    if (c->auth_votes < c->size / 2 + 1) {
        return;
    }
    if (c->cold[SELF].config_epoch < c->auth_epoch) {
        core_node_epoch(c, SELF, c->auth_epoch);
    }
    core_note(c, HS_NOTE_ELECTION_WON, SELF, HS_NIL, (int64_t)c->auth_epoch);
    core_promote(c);
}

/* Every tick, and at once when a vote arrives or a manual failover is ready. */
void core_election(struct hs_core *c)
{
    int64_t age_ms = c->now.mono.ms - c->auth_at;

    if (!may_run(c)) {
        return;
    }
    if (c->auth_at == 0 || age_ms > 2 * auth_timeout_ms(c)) {
        plan(c);
        age_ms = c->now.mono.ms - c->auth_at;
    }
    replan(c);
    if (age_ms > auth_timeout_ms(c) && !c->auth_over) {
        c->auth_over = true;
        core_note(c, HS_NOTE_ELECTION_EXPIRED, SELF, HS_NIL, (int64_t)c->auth_epoch);
    }
    if (age_ms < 0 || c->auth_over) {
        return; /* not yet, or until the next attempt */
    }
    if (!c->auth_asked) {
        ask(c);
    }
    send_request(c);
    count(c);
}

/* A vote for us: of a voter, for this election or a later epoch, once. */
void core_recv_auth_ack(struct hs_core *c, uint16_t sender, const struct hs_view *v)
{
    if (i_am_master(c) || !c->auth_asked || c->request_seq != 0 || c->request_at != 0 ||
        !is_voter(c, sender) || hs_get64(v->frame + HS_OFF_CURRENT_EPOCH) < c->auth_epoch ||
        c->cold[sender].ack_epoch == c->auth_epoch) {
        return;
    }
    c->cold[sender].ack_epoch = c->auth_epoch;
    c->auth_votes++;
    core_election(c);
}

/* Another master, another election: the last one's times do not bind it. */
void core_election_reset(struct hs_core *c)
{
    c->auth_at = 0;
    c->auth_asked = false;
    c->request_seq = 0;
    c->request_at = 0;
}
