/* board.c - what we would tell others about each node, ready to copy.
 *
 * One gossip entry per node in wire form, kept up to date as the node changes,
 * in shuffled order and in three regions:
 *
 *     [0, fresh_n)            may be picked for a gossip section
 *     [fresh_n, + pfail_n)    suspected: goes into every section, after the picks
 *     the rest                ourselves, handshakes, nodes without an address,
 *                             and unreachable nodes that own nothing
 *
 * A section is a window of the first region at a random place, so that every
 * node has the same chance, and all of the second. Two random exchanges per
 * section keep windows from being the same neighbours for ever.
 */
#include "core_int.h"

enum { EXCHANGES_PER_COPY = 2 };

static uint8_t *at(const struct hs_core *c, uint32_t pos)
{
    return c->board + (size_t)pos * HS_GOSSIP_LEN;
}

static void swap(struct hs_core *c, uint32_t a, uint32_t b)
{
    uint8_t entry[HS_GOSSIP_LEN];
    uint16_t ix = c->board_ix[a];

    if (a == b) {
        return;
    }
    memcpy(entry, at(c, a), sizeof(entry));
    memcpy(at(c, a), at(c, b), sizeof(entry));
    memcpy(at(c, b), entry, sizeof(entry));
    c->board_ix[a] = c->board_ix[b];
    c->board_ix[b] = ix;
    c->hot[c->board_ix[a]].board_pos = (uint16_t)a;
    c->hot[c->board_ix[b]].board_pos = (uint16_t)b;
}

enum region { FRESH, SUSPECTED, REST };

static enum region wanted(const struct hs_core *c, uint16_t ix)
{
    uint16_t flags = c->hot[ix].flags;

    if ((flags & (HS_NODE_MYSELF | HS_NODE_HANDSHAKE)) != 0) {
        return REST;
    }
    if ((flags & HS_NODE_PFAIL) != 0) {
        return SUSPECTED; /* without an address too: see wrong_id() */
    }
    if ((flags & HS_NODE_NOADDR) != 0) {
        return REST;
    }
    if (c->cold[ix].to_state != TO_UP && c->cold[ix].slots_n == 0) {
        return REST;
    }
    return FRESH;
}

static enum region current(const struct hs_core *c, uint32_t pos)
{
    return pos < c->fresh_n ? FRESH : pos < c->fresh_n + c->pfail_n ? SUSPECTED : REST;
}

/* Each step moves the entry over one border. */
void core_board_place(struct hs_core *c, uint16_t ix)
{
    enum region to = wanted(c, ix);

    for (;;) {
        uint32_t pos = c->hot[ix].board_pos;
        enum region from = current(c, pos);
        if (from == to) {
            return;
        }
        if (from == FRESH) { /* becomes the first suspected */
            swap(c, pos, --c->fresh_n);
            c->pfail_n++;
        } else if (from == SUSPECTED && to == FRESH) {
            swap(c, pos, c->fresh_n++);
            c->pfail_n--;
        } else if (from == SUSPECTED) {
            swap(c, pos, c->fresh_n + --c->pfail_n);
        } else { /* becomes the last suspected */
            swap(c, pos, c->fresh_n + c->pfail_n++);
        }
    }
}

/* The entry as it has to be on the wire; only what others may know of flags. */
void core_board_sync(struct hs_core *c, uint16_t ix)
{
    const uint16_t told = HS_NODE_MASTER | HS_NODE_SLAVE | HS_NODE_PFAIL | HS_NODE_FAIL |
                          HS_NODE_NOADDR | HS_NODE_NOFAILOVER;
    const struct hot *n = &c->hot[ix];
    uint8_t *entry = board_of(c, ix);
    int64_t wall_less_mono = c->now.wall.ms - c->now.mono.ms;
    int64_t sent_ms = n->ping_sent + wall_less_mono, pong_ms = n->pong_received + wall_less_mono;

    memcpy(entry + HS_G_ID, n->id.hex, HS_ID_LEN);
    hs_put32(entry + HS_G_PING_SENT, n->ping_sent == 0 ? 0 : (uint32_t)(sent_ms / 1000));
    hs_put32(entry + HS_G_PONG_RECEIVED, n->pong_received == 0 ? 0 : (uint32_t)(pong_ms / 1000));
    hs_put16(entry + HS_G_FLAGS, n->flags & told);
}

void core_board_add(struct hs_core *c, uint16_t ix)
{
    uint32_t pos = c->nodes_n - 1; /* counted already; the last region grows */

    c->board_ix[pos] = ix;
    c->hot[ix].board_pos = (uint16_t)pos;
    memset(at(c, pos), 0, HS_GOSSIP_LEN);
    core_board_sync(c, ix);
    core_board_place(c, ix);
}

/* Needs a node whose flags put it in the last region. */
void core_board_remove(struct hs_core *c, uint16_t ix)
{
    core_board_place(c, ix);
    HS_ASSERT(current(c, c->hot[ix].board_pos) == REST);
    swap(c, c->hot[ix].board_pos, c->nodes_n - 1);
}

struct window {
    uint32_t base, of; /* the region it moves in */
    uint32_t from, n;  /* entries wanted, wrapping inside the region */
    uint32_t skip;     /* a position to leave out */
};

/* Returns how many were copied: n. */
static uint32_t copy_window(const struct hs_core *c, uint8_t *dst, struct window w)
{
    uint32_t end = w.base + w.of;

    for (uint32_t done = 0, run; done < w.n; done += run) {
        bool meets_skip;
        run = end - w.from > w.n - done ? w.n - done : end - w.from;
        meets_skip = w.skip >= w.from && w.skip < w.from + run;
        run = meets_skip ? w.skip - w.from : run;
        memcpy(dst + (size_t)done * HS_GOSSIP_LEN, at(c, w.from), (size_t)run * HS_GOSSIP_LEN);
        w.from += run + (meets_skip ? 1 : 0);
        w.from = w.from >= end ? w.base : w.from;
    }
    return w.n;
}

static void exchange(struct hs_core *c)
{
    for (int i = 0; i < EXCHANGES_PER_COPY && c->fresh_n > 1; i++) {
        swap(c, hs_prng_below(&c->prng, c->fresh_n), hs_prng_below(&c->prng, c->fresh_n));
    }
}

/* Writes a gossip section for `except`: as many picks as the protocol wants (a
 * tenth of the nodes, at least 3), then all suspected nodes, entries_max in
 * all. Returns the number of entries. */
uint32_t core_board_copy(struct hs_core *c, uint8_t *dst, uint32_t entries_max, uint16_t except)
{
    uint32_t skip = except == NIL16 ? UINT32_MAX : c->hot[except].board_pos;
    uint32_t picks = c->nodes_n / 10 < 3 ? 3 : c->nodes_n / 10;
    uint32_t fresh = c->fresh_n - (skip < c->fresh_n ? 1 : 0);
    uint32_t suspects = c->pfail_n;
    uint32_t n = 0;

    if (skip >= c->fresh_n && skip < c->fresh_n + c->pfail_n) {
        suspects--;
    }
    picks = picks > fresh ? fresh : picks;
    picks = picks > entries_max ? entries_max : picks;
    exchange(c);
    skip = except == NIL16 ? UINT32_MAX : c->hot[except].board_pos; /* may have moved */
    if (picks > 0) {
        n = copy_window(c, dst,
                        (struct window){.of = c->fresh_n,
                                        .from = hs_prng_below(&c->prng, c->fresh_n),
                                        .n = picks,
                                        .skip = skip});
    }
    suspects = suspects > entries_max - n ? entries_max - n : suspects;
    if (suspects > 0) {
        n += copy_window(c, dst + (size_t)n * HS_GOSSIP_LEN,
                         (struct window){.base = c->fresh_n,
                                         .of = c->pfail_n,
                                         .from = c->fresh_n + hs_prng_below(&c->prng, c->pfail_n),
                                         .n = suspects,
                                         .skip = skip});
    }
    return n;
}
