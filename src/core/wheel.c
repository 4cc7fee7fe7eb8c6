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
    struct cold *n = &c->cold[ix];
    uint16_t slot = n->wheel_slot;

    if (n->wheel_prev == NIL16) {
        c->wheel[slot] = n->wheel_next;
    } else {
        c->cold[n->wheel_prev].wheel_next = n->wheel_next;
    }
    if (n->wheel_next != NIL16) {
        c->cold[n->wheel_next].wheel_prev = n->wheel_prev;
    }
    if (c->wheel[slot] == NIL16) {
        c->wheel_bits[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
    }
    n->wheel_slot = NIL16;
}

void core_wheel_remove(struct hs_core *c, uint16_t ix)
{
    if (c->cold[ix].wheel_slot != NIL16) {
        unlink_node(c, ix);
    }
}

/* The first tick at or after `due`, never one that is over, never so far that
 * the wheel would wrap: such a node is looked at early and set again. */
void core_wheel_set(struct hs_core *c, uint16_t ix, int64_t due)
{
    struct cold *n = &c->cold[ix];
    int64_t tick = (due + TICK_MS - 1) / TICK_MS;
    int64_t next = c->ticked_at / TICK_MS + 1;

    tick = tick < next ? next : tick;
    tick = tick > next + WHEEL_SLOTS - 2 ? next + WHEEL_SLOTS - 2 : tick;
    uint16_t slot = (uint16_t)((uint64_t)tick % WHEEL_SLOTS);
    if (n->wheel_slot == slot) {
        return;
    }
    core_wheel_remove(c, ix);
    n->wheel_slot = slot;
    n->wheel_prev = NIL16;
    n->wheel_next = c->wheel[slot];
    if (n->wheel_next != NIL16) {
        c->cold[n->wheel_next].wheel_prev = ix;
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
