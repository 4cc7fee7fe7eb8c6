/* stop.c - the end: the state goes to the disk, the reactors are told.
 *
 * Answers that clients wait for leave before the stop, since entries of one
 * reactor keep their order. Waiting for what the reactors still hold is bounded
 * by OWNER_STOP_MS, so that a reactor that hangs cannot keep the process alive.
 */
#include "owner_int.h"

#include <unistd.h>

/* What arrives after the stop is given back unread. */
static void discard(struct owner_port *p)
{
    struct hs_in in;
    while (hs_in_ring_pop(p->ends.in, &in)) {
        if (in.kind == HS_IN_FRAME)
            owner_give_back_frame(p, in.frame);
        else if (in.kind == HS_IN_UP || in.kind == HS_IN_ACCEPTED)
            hs_free(in.up);
        else if (in.kind == HS_IN_REQUEST)
            owner_port_reply(p, in.ptr);
        if (in.kind == HS_IN_ACCEPTED)
            close(in.number);
        p->dirty = true;
    }
}

static void tell_stop(struct hs_owner *o)
{
    while (o->shutdowns != NULL) {
        struct hs_request *req = o->shutdowns;
        o->shutdowns = req->next;
        owner_answer(o, req);
    }
    owner_publishes_abandon(o);
    owner_rewrites_abandon(o);
    owner_answers_flush(o);
    for (uint32_t r = 0; r < o->ports_n; r++) {
        struct hs_out out = {.kind = HS_OUT_STOP};
        bool pushed = owner_port_push(&o->ports[r], &out);
        HS_ASSERT(pushed);
    }
}

static bool is_settled(struct hs_owner *o)
{
    bool settled =
        owner_chunks_out(&o->chunks) + owner_boards_out(&o->boards) == 0 && o->rewrites == NULL;
    for (uint32_t r = 0; r < o->ports_n; r++)
        settled = settled && !owner_port_is_blocked(&o->ports[r]);
    return settled;
}

void owner_wind_down(struct hs_owner *o)
{
    owner_save_last(o);
    tell_stop(o);
    int64_t until = hs_clock_ns() + OWNER_STOP_MS * OWNER_NS_PER_MS;
    for (;;) {
        owner_take_back_chunks(o);
        owner_rewrites_take(o);
        owner_answers_flush(o); /* of publishes whose last delivery came back */
        for (uint32_t r = 0; r < o->ports_n; r++)
            discard(&o->ports[r]);
        owner_post_wakes(o);
        if (is_settled(o) || hs_clock_ns() >= until)
            return;
        hs_doze_begin(&o->wake->doze);
        hs_wake_wait(o->wake, OWNER_STARVED_MS);
        hs_doze_end(&o->wake->doze);
    }
}

void hs_owner_stop(struct hs_owner *o)
{
    atomic_store(&o->stop, true);
    hs_wake_force(o->wake);
}
