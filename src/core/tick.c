/* tick.c - what happens because time passed: connections, pings, suspicion.
 *
 * Ten ticks a second, as the stock servers' cron; but only the nodes the wheel
 * names are looked at. Three bounds spread the work: so many pings and so many
 * connection attempts a tick, the rest in the next one; so many of both a slice
 * of a tick, the rest in the next one; and so many bytes a step, the rest in a
 * step at once. hs_core_next_tick() says when to go on. Slices are there for
 * the others' latency: each ping is a message of its own and makes another one,
 * and a hundred of both at once keep a PING waiting for milliseconds.
 */
#include "core_int.h"

enum {
    RANDOM_PING_MS = 1000, /* one a second, to the stalest of so many picks */
    RANDOM_PICKS = 5,
    HANDSHAKE_MS_MIN = 1000,
    TICK_PINGS_MIN = 16,
    TICK_SLICES = 10,
    SLICE_PINGS_MIN = 8,
};

static int64_t timeout_ms(const struct hs_core *c)
{
    return c->conf.node_timeout_ms;
}

static int64_t ping_after_ms(const struct hs_core *c)
{
    return c->conf.ping_interval_ms != 0 ? c->conf.ping_interval_ms : timeout_ms(c) / 2;
}

static int64_t handshake_ms(const struct hs_core *c)
{
    return timeout_ms(c) < HANDSHAKE_MS_MIN ? HANDSHAKE_MS_MIN : timeout_ms(c);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When the silence of a pinged node would be too long. */
static int64_t pfail_at(const struct hs_core *c, uint16_t ix)
{
    return later(later(c->hot[ix].ping_sent, heard_at(c, ix)) + timeout_ms(c) + 1, c->accuse_after);
}

/* When a connection that brings nothing is given up for a new one. */
static int64_t reset_at(const struct hs_core *c, uint16_t ix)
{
    const struct cold *n = &c->cold[ix];
    int64_t silent = later(c->hot[ix].ping_sent, heard_at(c, ix)) + timeout_ms(c) / 2;

    return later(silent, n->to_at + timeout_ms(c)) + 1;
}

/* Puts the node where it will be looked at next. */
void core_retime(struct hs_core *c, uint16_t ix)
{
    const struct cold *n = &c->cold[ix];
    const struct hot *h = &c->hot[ix];
    int64_t due = INT64_MAX / 2;

    bool no_address = has_flag(c, ix, HS_NODE_NOADDR);
    bool down = has_flag(c, ix, HS_NODE_PFAIL | HS_NODE_FAIL);

    if (ix == SELF || (no_address && (down || h->ping_sent == 0))) {
        core_wheel_remove(c, ix); /* nothing to do until it is heard from */
        return;
    }
    if (n->to_state == TO_NONE && !no_address) {
        due = n->redial_at;
    }
    if (has_flag(c, ix, HS_NODE_HANDSHAKE)) {
        due = sooner(due, n->created_at + handshake_ms(c) + 1);
    } else if (h->ping_sent == 0) {
        due = sooner(due, h->pong_received + ping_after_ms(c) + 1);
    } else {
        /* Should it answer at once, its next ping is due so soon; an answer moves nothing. */
        due = sooner(due, c->now.mono.ms + ping_after_ms(c) + 1);
        if (!down) {
            due = sooner(due, pfail_at(c, ix));
        }
        if (n->to_state == TO_UP) {
            due = sooner(due, reset_at(c, ix));
        }
    }
    core_wheel_set(c, ix, due);
}

/* Twice what an even spread would need, so that a wave passes in half the
 * ping interval. */
static uint32_t tick_pings_max(const struct hs_core *c)
{
    int64_t ticks = later(ping_after_ms(c) / TICK_MS, 1);
    uint32_t even = (uint32_t)(2 * (int64_t)c->nodes_n / ticks);

    return even < TICK_PINGS_MIN ? TICK_PINGS_MIN : even;
}

/* A slice is never shorter than its time, so that 100 ms have parts of eleven
 * slices at most: no more than connects_max dials, wherever they begin. */
static bool slice_is_full(const struct hs_core *c)
{
    uint32_t pings = tick_pings_max(c) / TICK_SLICES;
    uint32_t dials = c->opts.connects_max / (TICK_SLICES + 1);

    return c->slice_pings_n >= (pings < SLICE_PINGS_MIN ? SLICE_PINGS_MIN : pings) ||
           c->slice_dials_n >= (dials == 0 ? 1 : dials);
}

/* True if the node was handled; false if a bound puts it off. */
static bool connect_due(struct hs_core *c, uint16_t ix)
{
    if (c->cold[ix].to_state != TO_NONE || c->now.mono.ms < c->cold[ix].redial_at ||
        has_flag(c, ix, HS_NODE_NOADDR)) {
        return true;
    }
    if (c->tick_dials_n == c->opts.connects_max) {
        return false;
    }
    c->tick_dials_n++;
    c->slice_dials_n++;
    core_dial(c, ix);
    return true;
}

static bool ping_due(struct hs_core *c, uint16_t ix)
{
    struct hot *n = &c->hot[ix];

    if (n->ping_sent != 0 || c->now.mono.ms - n->pong_received <= ping_after_ms(c)) {
        return true;
    }
    if (c->cold[ix].to_state != TO_UP) {
        /* It will be pinged as soon as it is connected, and is waited for
         * from now on, or a host that swallows connections would never fail. */
        n->ping_sent = c->now.mono.ms;
        core_board_sync(c, ix);
        return true;
    }
    if (c->tick_pings_n == tick_pings_max(c) || !core_can_ping(c)) {
        COUNT(c, pings_delayed);
        return false;
    }
    c->tick_pings_n++;
    c->slice_pings_n++;
    core_ping(c, ix, HS_MSG_PING);
    return true;
}

static void silence_due(struct hs_core *c, uint16_t ix)
{
    if (c->hot[ix].ping_sent == 0) {
        return;
    }
    if (c->cold[ix].to_state == TO_UP && c->now.mono.ms >= reset_at(c, ix)) {
        COUNT(c, links_reset);
        core_close_to(c, ix, c->now.mono.ms);
    }
    if (!has_flag(c, ix, HS_NODE_PFAIL | HS_NODE_FAIL) && c->now.mono.ms >= pfail_at(c, ix)) {
        core_suspect(c, ix);
    }
}

/* Everything that could be due for one node. */
static void look_at(struct hs_core *c, uint16_t ix)
{
    bool done;

    if (has_flag(c, ix, HS_NODE_HANDSHAKE)) {
        if (c->now.mono.ms - c->cold[ix].created_at > handshake_ms(c)) {
            COUNT(c, handshake_timeouts);
            core_note(c, HS_NOTE_HANDSHAKE_TIMEOUT, ix, HS_NIL, 0);
            core_node_remove(c, ix);
            return;
        }
        done = connect_due(c, ix);
    } else {
        silence_due(c, ix);
        done = connect_due(c, ix) && ping_due(c, ix); /* not dialed: not waited for yet */
    }
    if (done) {
        core_retime(c, ix);
    } else {
        core_wheel_set(c, ix, c->now.mono.ms); /* the next tick */
    }
}

/* The nodes of one slot of the wheel. False if the step's bound or the slice's
 * was reached; the rest stays where it is. */
static bool run_slot(struct hs_core *c, uint32_t slot)
{
    while (c->wheel[slot] != NIL16) {
        if (slice_is_full(c) || !core_can_ping(c) || c->out->max - c->out->n < c->nodes_n + 64) {
            return false; /* a verdict may have to tell every node */
        }
        look_at(c, core_wheel_take(c, slot));
    }
    return true;
}

/* Keeps news flowing where no ping is due: gossip makes most of them needless. */
static void random_ping(struct hs_core *c)
{
    uint16_t best = NIL16;

    for (int i = 0; i < RANDOM_PICKS; i++) {
        uint16_t ix = c->board_ix[hs_prng_below(&c->prng, c->nodes_n)];
        if (ix == SELF || c->cold[ix].to_state != TO_UP || c->hot[ix].ping_sent != 0 ||
            has_flag(c, ix, HS_NODE_HANDSHAKE)) {
            continue;
        }
        if (best == NIL16 || c->hot[ix].pong_received < c->hot[best].pong_received) {
            best = ix;
        }
    }
    if (best != NIL16 && core_can_ping(c)) {
        core_ping(c, best, HS_MSG_PING);
        core_retime(c, best);
    }
}

/* One tick of the wheel after the other, up to now. After a long absence the
 * wheel goes round once: every node is looked at. */
static bool run_wheel(struct hs_core *c)
{
    int64_t now = c->now.mono.ms / TICK_MS * TICK_MS;

    if (now - c->ticked_at > (int64_t)WHEEL_SLOTS * TICK_MS) {
        c->ticked_at = now - (int64_t)WHEEL_SLOTS * TICK_MS;
    }
    while (c->ticked_at < now) {
        int64_t t = c->ticked_at + TICK_MS;
        uint32_t slot = (uint32_t)((uint64_t)(t / TICK_MS) % WHEEL_SLOTS);
        /* While a slot runs, "the next tick" is the one after it. */
        c->ticked_at = t;
        if (!run_slot(c, slot)) {
            c->ticked_at = t - TICK_MS;
            return false;
        }
    }
    return true;
}

void core_tick(struct hs_core *c)
{
    if (!c->behind) {
        c->tick_pings_n = 0;
        c->tick_dials_n = 0;
    }
    if (c->now.mono.ms >= c->slice_end) {
        c->slice_pings_n = 0;
        c->slice_dials_n = 0;
        c->slice_tells_n = 0;
        c->slice_end = c->now.mono.ms + TICK_MS / TICK_SLICES;
    }
    core_announce(c);
    c->behind = !run_wheel(c);
    if (!c->behind && c->now.mono.ms >= c->random_ping_at) {
        random_ping(c);
        c->random_ping_at = later(c->random_ping_at + RANDOM_PING_MS, c->now.mono.ms);
    }
    core_manual(c);
    core_election(c);
    core_migrate(c);
    if (!c->ok) {
        c->state_due = true; /* delays end without an event of their own */
    }
}

/* Is anything under way that is looked at in every tick? */
static bool is_busy(const struct hs_core *c)
{
    uint16_t master = c->cold[SELF].master;

    return !c->ok || c->mf_end != 0 || (master != NIL16 && has_flag(c, master, HS_NODE_FAIL));
}

hs_mono hs_core_next_tick(const struct hs_core *c)
{
    int64_t at = sooner(c->random_ping_at, core_migrate_at(c));

    at = is_busy(c) ? sooner(at, c->ticked_at + TICK_MS) : at;

    if ((c->announce_n > 0 && core_may_announce(c)) || (c->behind && !slice_is_full(c))) {
        return (hs_mono){c->now.mono.ms};
    }
    if (c->announce_n > 0 || c->behind) {
        return (hs_mono){later(c->slice_end, c->now.mono.ms)};
    }
    return (hs_mono){core_wheel_next(c, later(at, c->ticked_at + TICK_MS))};
}
