/* beat.c - what peers do without being asked: meet, gossip, connect, and send
 * PINGs on schedule or as many as a window allows.
 *
 * The cluster forms as a real one does: SEEDS_MAX peers MEET the target, and it
 * learns the others from their gossip and connects to each.
 */
#include "bench.h"

enum {
    DIALS_PER_TICK = 64,
    MEET_AGAIN_MS = 3000, /* should the first try be lost */
    GOSSIP_EVERY_MS = 20,
    SEED_FLIGHT = 2, /* unanswered PINGs of a seed: a slow target is not flooded while it joins */
};

/* A second MEET on one connection aborts some stock servers: a new one each time. */
static void meet(struct worker *w, uint32_t peer)
{
    struct conn *c = w->out[peer];

    if (c != NULL && !w->formed[peer] && w->now_ns - c->opened_at_ns > MEET_AGAIN_MS * 1000000ll) {
        conn_close(w, c, true);
        c = NULL;
    }
    if (c == NULL) {
        c = conn_dial(w, peer);
    }
    if (c == NULL || c->connecting || c->greeted) {
        return;
    }
    c->greeted = true;
    c->flight[(c->flight_head + c->flight_n++) % WINDOW_MAX] = w->now_ns;
    conn_send(w, c, w->formed[peer] ? HS_MSG_PING : HS_MSG_MEET, HS_NIL);
}

/* One window after the other, so that everybody is named in few messages. */
static void spread(struct worker *w, struct conn *c)
{
    if (c->flight_n >= SEED_FLIGHT) {
        return;
    }
    c->flight[(c->flight_head + c->flight_n++) % WINDOW_MAX] = w->now_ns;
    conn_send(w, c, HS_MSG_PING, w->seed_window);
    w->seed_window = (w->seed_window + w->board->window_n) % w->board->n;
}

static void form(struct worker *w)
{
    bool gossip = w->now_ns >= w->gossip_at_ns;

    if (gossip) {
        w->gossip_at_ns = w->now_ns + GOSSIP_EVERY_MS * 1000000;
    }
    for (uint32_t peer = 0; peer < SEEDS_MAX && peer < w->b->world.peers_n; peer++) {
        if (!owns(w, peer)) {
            continue;
        }
        meet(w, peer);
        if (gossip && w->formed[peer] && w->out[peer] != NULL && w->out[peer]->greeted) {
            spread(w, w->out[peer]);
        }
    }
}

/* Opens the links there should be, also again when the target closed one. */
static void link_up(struct worker *w)
{
    uint32_t links = w->b->o->links;

    for (uint32_t peer = links; peer < SEEDS_MAX && peer < w->b->world.peers_n; peer++) {
        if (owns(w, peer) && w->out[peer] != NULL) {
            conn_close(w, w->out[peer], false);
        }
    }
    for (uint32_t i = 0, dialed = 0; i < links && dialed < DIALS_PER_TICK; i++) {
        uint32_t peer = w->connect_from;
        struct conn *c = w->out[peer];
        w->connect_from = (w->connect_from + 1) % links;
        if (!owns(w, peer) || atomic_load(&w->b->suspected[peer]) != ALIVE) {
            continue;
        }
        if (c == NULL) {
            c = conn_dial(w, peer);
            dialed++;
        }
        if (c != NULL && !c->connecting && (!c->greeted || !w->linked[peer]) && c->flight_n == 0) {
            c->greeted = true;
            (void)conn_ping(w, c);
        }
    }
}

static void heartbeats(struct worker *w)
{
    const struct options *o = w->b->o;
    uint32_t owned = (o->links + o->threads - 1 - w->ix) / o->threads;
    int64_t interval_ns = (int64_t)o->node_timeout_ms * 500000;
    uint64_t due;

    if (w->beat_from_ns == 0) {
        w->beat_from_ns = w->now_ns;
    }
    due = (uint64_t)((double)(w->now_ns - w->beat_from_ns) / (double)interval_ns * owned);
    for (; owned > 0 && w->beats < due; w->beats++) {
        uint32_t peer = (uint32_t)(w->beats % owned) * o->threads + w->ix;
        if (w->out[peer] != NULL && !w->out[peer]->connecting) {
            (void)conn_ping(w, w->out[peer]);
        }
    }
}

static void fill_windows(struct worker *w)
{
    for (uint32_t peer = 0; peer < w->b->o->links; peer++) {
        struct conn *c = w->out[peer];
        while (owns(w, peer) && c != NULL && !c->connecting && !c->closed &&
               c->flight_n < w->b->o->window) {
            (void)conn_ping(w, c);
        }
    }
}

void beat_tick(struct worker *w)
{
    enum phase phase = (enum phase)atomic_load(&w->b->phase);

    if (w->now_ns >= w->second_at_ns) {
        w->second_at_ns = w->now_ns + 1000000000;
        board_refresh(w);
    }
    if (phase == PHASE_FORM) {
        form(w);
    } else if (phase < PHASE_STOP) {
        link_up(w);
    }
    if (phase == PHASE_WARM || phase == PHASE_MEASURE) {
        if (w->b->o->mode == MODE_FLOOD) {
            fill_windows(w);
        } else {
            heartbeats(w);
        }
    }
}
