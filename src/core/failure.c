/* failure.c - from one node's suspicion to the cluster's verdict.
 *
 * A node that does not answer is PFAIL, which is our opinion alone. It becomes
 * FAIL once a majority of the voters hold that opinion at about the same time,
 * and FAIL is broadcast, because gossip would spread it too slowly for a
 * failover to start on time.
 */
#include "core_int.h"

/* A failed master keeps FAIL for this many node timeouts after it answers
 * again, so that its replicas can finish taking over; reference behaviour. */
#define FAIL_UNDO_TIMEOUTS 2

/* Nobody answered for a node timeout: our own opinion. */
void core_suspect(struct hs_core *c, uint16_t ix)
{
    HS_ASSERT(!has_flag(c, ix, HS_NODE_PFAIL | HS_NODE_FAIL | HS_NODE_MYSELF));
    core_node_flags(c, ix, HS_NODE_PFAIL, 0);
    c->cold[ix].pfail_at = c->now.mono.ms;
    COUNT(c, pfail);
    core_note(c, HS_NOTE_PFAIL, ix, HS_NIL, c->now.mono.ms - c->hot[ix].ping_sent);
    c->state_due = true;
    core_want_save(c);
    if (c->size == 1 && is_voter(c, SELF)) {
        core_judge(c, ix); /* nobody else's report can come */
    }
}

/* The verdict, ours or another's. */
void core_fail(struct hs_core *c, uint16_t ix, uint16_t by, uint32_t reports)
{
    HS_ASSERT(ix != SELF && !has_flag(c, ix, HS_NODE_FAIL));
    if (has_flag(c, ix, HS_NODE_PFAIL)) {
        hs_histogram_add(&c->histograms[HS_CORE_AGREE_MS],
                         (uint64_t)(c->now.mono.ms - c->cold[ix].pfail_at));
    }
    core_node_flags(c, ix, HS_NODE_FAIL, HS_NODE_PFAIL);
    c->cold[ix].fail_at = c->now.mono.ms;
    COUNT(c, fail);
    core_note(c, HS_NOTE_FAIL, ix, by == NIL16 ? HS_NIL : by, reports);
    c->state_due = true;
    core_want_save(c);
}

/* Turns PFAIL into FAIL if a majority of the voters agrees, and tells all. */
void core_judge(struct hs_core *c, uint16_t ix)
{
    uint32_t needed = c->size / 2 + 1;
    uint32_t votes;

    if (!has_flag(c, ix, HS_NODE_PFAIL) || has_flag(c, ix, HS_NODE_FAIL)) {
        return; /* we can reach it, so others' opinions do not matter */
    }
    if (c->now.mono.ms < c->accuse_after) {
        return; /* what we and others thought before we stood still is old */
    }
    votes = core_report_count(c, ix) + (is_voter(c, SELF) ? 1 : 0);
    if (votes < needed) {
        return;
    }
    core_fail(c, ix, NIL16, votes);
    if (!c->cold[ix].announced) {
        c->cold[ix].announced = true;
        c->announce[(c->announce_head + c->announce_n++) % c->opts.nodes_max] = ix;
    }
}

/* May a verdict go out to everybody in this slice of a tick? One may always. */
bool core_may_announce(const struct hs_core *c)
{
    return c->slice_tells_n == 0 || c->slice_tells_n + c->nodes_n <= SLICE_TELLS_MAX;
}

/* Tells everybody of the verdicts reached, so many in a slice of a tick: one
 * gossip section can complete hundreds, each for thousands of nodes, and who
 * lives wants answers meanwhile. Only ticks do, which are asked for in every
 * slice while any wait, so that whoever drives the core may put them off when
 * its ways out are full. */
void core_announce(struct hs_core *c)
{
    while (c->announce_n > 0 && core_may_announce(c) &&
           c->out->max - c->out->n >= c->nodes_n + 64 && core_can_ping(c)) {
        c->slice_tells_n += c->nodes_n;
        uint16_t ix = c->announce[c->announce_head];
        c->announce_head = (c->announce_head + 1) % c->opts.nodes_max;
        c->announce_n--;
        c->cold[ix].announced = false;
        if (has_flag(c, ix, HS_NODE_FAIL)) {
            core_send_fail_all(c, ix);
        }
    }
}

/* It answered on our own connection: the proof that ends suspicion. */
void core_reached(struct hs_core *c, uint16_t ix)
{
    int64_t undo_ms = (int64_t)c->conf.node_timeout_ms * FAIL_UNDO_TIMEOUTS;

    if (has_flag(c, ix, HS_NODE_PFAIL)) {
        core_node_flags(c, ix, 0, HS_NODE_PFAIL);
        COUNT(c, pfail_cleared);
        core_note(c, HS_NOTE_PFAIL_CLEARED, ix, HS_NIL, 0);
    } else if (has_flag(c, ix, HS_NODE_FAIL)) {
        /* A master that still owns slots was not replaced; others may be
         * about to vote, so it waits. */
        if (is_voter(c, ix) && c->now.mono.ms - c->cold[ix].fail_at <= undo_ms) {
            return;
        }
        core_node_flags(c, ix, 0, HS_NODE_FAIL);
        COUNT(c, fail_cleared);
        core_note(c, HS_NOTE_FAIL_CLEARED, ix, HS_NIL, is_voter(c, ix));
    } else {
        return;
    }
    c->state_due = true;
    core_want_save(c);
}
