/* recv.c - what a peer does with a frame, once it is checked. */
#include <string.h>

#include "bench.h"

static void pong(struct worker *w, struct conn *c)
{
    enum phase phase = (enum phase)atomic_load_explicit(&w->b->phase, memory_order_relaxed);

    if (c->inbound || c->flight_n == 0) {
        return; /* news for everybody, not an answer */
    }
    if (phase == PHASE_MEASURE) {
        histogram_record(&w->latency, (uint64_t)(w->now_ns - c->flight[c->flight_head]));
    }
    c->flight_head = (c->flight_head + 1) % WINDOW_MAX;
    c->flight_n--;
    count_add(w, N_ANSWERED, 1);
    if (!w->linked[c->peer] && phase >= PHASE_LINK) {
        w->linked[c->peer] = true;
        count_add(w, N_LINKED, 1);
    }
    if (w->b->o->mode == MODE_FLOOD && phase >= PHASE_WARM && phase < PHASE_STOP &&
        c->flight_n < w->b->o->window) {
        (void)conn_ping(w, c);
    }
}

static void ping(struct worker *w, struct conn *c)
{
    count_add(w, N_PINGED, 1);
    if (c->inbound && !w->formed[c->peer]) {
        w->formed[c->peer] = true;
        count_add(w, N_FORMED, 1);
    }
    conn_send(w, c, HS_MSG_PONG, HS_NIL);
}

static void publish(struct worker *w, const struct hs_view *v)
{
    struct hs_publish p;

    hs_wire_publish(v, &p);
    if (p.channel_len != 5 || memcmp(p.channel, "bench", 5) != 0 ||
        p.message_len != w->b->o->payload_len) {
        fault(w, BAD_PUBLISH, "a PUBLISH with %u bytes of channel and %u of message", p.channel_len,
              p.message_len);
    }
    count_add(w, N_PUBLISHED, 1);
}

void recv_frame(struct worker *w, struct conn *c, const struct hs_view *v)
{
    check_frame(w, c, v);
    if (c->closed) {
        return;
    }
    switch (v->type) {
    case HS_MSG_PING:
    case HS_MSG_MEET:
        ping(w, c);
        break;
    case HS_MSG_PONG:
        pong(w, c);
        break;
    case HS_MSG_FAIL:
        storm_heard_fail(w, v);
        break;
    case HS_MSG_PUBLISH:
        publish(w, v);
        break;
    case HS_MSG_UPDATE:
        count_add(w, N_UPDATES, 1);
        break;
    default:
        break;
    }
}
