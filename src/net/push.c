/* push.c - what a reactor hands to the owner, and what it does when `in` is full.
 *
 * Frames wait on their connection, which is then parked. Entries about the
 * life of a connection have nowhere to wait, so they are kept here, in order,
 * and no frame overtakes them. What bounds them: strangers are refused while
 * PENDING_GATE of them wait; a place causes three at most (up, request, down);
 * the owner takes nothing from `in` while it has entries that do not fit into
 * `out`, and each of those causes two at most. `out` itself is emptied whatever
 * `in` looks like, or the two threads would wait for each other.
 */
#include "net_int.h"

static bool push(struct hs_reactor *r, const struct hs_in *in)
{
    if (!hs_in_ring_push(&r->in, in))
        return false;
    r->pushed = true;
    return true;
}

void push_in(struct hs_reactor *r, const struct hs_in *in)
{
    if (r->pending_n == 0 && push(r, in))
        return;
    HS_ASSERT(r->pending_n < r->pending_max);
    r->pending[(r->pending_head + r->pending_n) % r->pending_max] = *in;
    r->pending_n++;
}

void push_pending(struct hs_reactor *r)
{
    while (r->pending_n > 0 && push(r, &r->pending[r->pending_head])) {
        r->pending_head = (r->pending_head + 1) % r->pending_max;
        r->pending_n--;
    }
}

/* Only this thread fills the ring, so room that is seen stays. */
bool push_room(struct hs_reactor *r)
{
    return r->pending_n == 0 && hs_in_ring_size(&r->in) < r->in_slots - 1;
}

static void give_back(struct hs_reactor *r, const struct hs_chunk_ref *ref)
{
    bool pushed = hs_chunk_ring_push(&r->chunks, ref);

    HS_ASSERT(pushed); /* it has a slot for every entry that can be out */
    r->pushed = true;
}

void push_chunk(struct hs_reactor *r, struct hs_chunk *chunk)
{
    give_back(r, &(struct hs_chunk_ref){.chunk = chunk});
}

void push_delivered(struct hs_reactor *r, const struct hs_out *out, uint32_t clients_n)
{
    give_back(r, &(struct hs_chunk_ref){.chunk = out->chunk, .tag = out->tag, .number = clients_n});
}

void push_dial_failed(struct hs_reactor *r, uint32_t dial, int err)
{
    struct hs_in in = {.kind = HS_IN_DIAL_FAILED, .dial = dial, .number = err};

    count_add(r->counts, COUNT_dial_failed, 1);
    push_in(r, &in);
}
