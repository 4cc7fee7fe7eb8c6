/* wheel.c - which nodes to look at in which tick.
 *
 * A node stands in one slot of a wheel of WHEEL_SLOTS ticks, at the earliest
 * moment something could be due for it. Nothing is moved when that moment
 * turns out later (a PONG came, gossip told of a newer one): the node is
 * looked at, found fine and set again. So a healthy node costs one look per
 * half node timeout, and a message costs none.
 */
#include "core_int.h"

static void unlink_node(struct hs_core *c, uint16_t ix)
{
    struct spoke *n = &c->spokes[ix];
    uint16_t slot = n->slot;

    if (n->prev == NIL16) {
        c->wheel[slot] = n->next;
    } else {
        c->spokes[n->prev].next = n->next;
    }
    if (n->next != NIL16) {
        c->spokes[n->next].prev = n->prev;
    }
    if (c->wheel[slot] == NIL16) {
        c->wheel_bits[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
    }
    n->slot = NIL16;
}

void core_wheel_remove(struct hs_core *c, uint16_t ix)
{
    if (c->spokes[ix].slot != NIL16) {
        unlink_node(c, ix);
    }
}

/* Takes the first node out of a slot; NIL16 if there is none. The second one is
 * asked for meanwhile: looking at it needs a line of each of these. */
uint16_t core_wheel_take(struct hs_core *c, uint32_t slot)
{
    uint16_t ix = c->wheel[slot], after;

    if (ix == NIL16) {
        return NIL16;
    }
    after = c->spokes[ix].next;
    if (after != NIL16) {
        __builtin_prefetch(&c->hot[after]);
        __builtin_prefetch(&c->cold[after].to_state);
    }
    unlink_node(c, ix);
    return ix;
}

/* The first tick at or after `due`, never one that is over, never so far that
 * the wheel would wrap: such a node is looked at early and set again. */
void core_wheel_set(struct hs_core *c, uint16_t ix, int64_t due)
{
    struct spoke *n = &c->spokes[ix];
    int64_t tick = (due + TICK_MS - 1) / TICK_MS;
    int64_t next = c->ticked_at / TICK_MS + 1;

    tick = tick < next ? next : tick;
    tick = tick > next + WHEEL_SLOTS - 2 ? next + WHEEL_SLOTS - 2 : tick;
    uint16_t slot = (uint16_t)((uint64_t)tick % WHEEL_SLOTS);
    if (n->slot == slot) {
        return;
    }
    core_wheel_remove(c, ix);
    *n = (struct spoke){.next = c->wheel[slot], .prev = NIL16, .slot = slot};
    if (n->next != NIL16) {
        c->spokes[n->next].prev = ix;
    }
    c->wheel[slot] = ix;
    c->wheel_bits[slot / 64] |= UINT64_C(1) << (slot % 64);
}

/* The moment of the next tick with somebody in it, at most `limit`. */
int64_t core_wheel_next(const struct hs_core *c, int64_t limit)
{
    for (int64_t t = c->ticked_at + TICK_MS; t < limit; t += TICK_MS) {
        uint32_t slot = (uint32_t)((uint64_t)(t / TICK_MS) % WHEEL_SLOTS);
        if ((c->wheel_bits[slot / 64] & UINT64_C(1) << (slot % 64)) != 0) {
            return t;
        }
    }
    return limit;
}
