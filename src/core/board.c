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
 *
 * While our caller holds a frozen copy of the first region, a window need not be
 * copied: its place is named. Such a copy lives until an entry or its place
 * changes; of times it may be LENT_MS behind, which speak in seconds. Entries do
 * not move meanwhile, all exchanges are made when the next copy is.
 */
#include "core_int.h"

enum {
    EXCHANGES_PER_SECTION = 2,
    EXCHANGED_PART = 4, /* of the region, at most, between two copies */
    LENT_MS = 100,
    LENT_MIN = 32, /* entries; fewer are copied sooner than sent from elsewhere */
};

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
    c->lent.valid = false;
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
        c->lent.valid = false;
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

    if (hs_get16(entry + HS_G_FLAGS) != (n->flags & told) ||
        memcmp(entry + HS_G_ID, n->id.hex, HS_ID_LEN) != 0) {
        c->lent.valid = false;
    }
    memcpy(entry + HS_G_ID, n->id.hex, HS_ID_LEN);
    hs_put32(entry + HS_G_PING_SENT, n->ping_sent == 0 ? 0 : (uint32_t)(sent_ms / 1000));
    hs_put32(entry + HS_G_PONG_RECEIVED, n->pong_received == 0 ? 0 : (uint32_t)(pong_ms / 1000));
    hs_put16(entry + HS_G_FLAGS, n->flags & told);
}

void core_board_add(struct hs_core *c, uint16_t ix)
{
    uint32_t pos = c->nodes_n - 1; /* counted already; the last region grows */

    c->lent.valid = false; /* a section has one more, perhaps */
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

static void exchange(struct hs_core *c, uint32_t times)
{
    for (uint32_t i = 0; i < times && c->fresh_n > 1; i++) {
        swap(c, hs_prng_below(&c->prng, c->fresh_n), hs_prng_below(&c->prng, c->fresh_n));
    }
}

/* Picks per section: a tenth of the nodes, at least 3. */
static uint32_t picks_wanted(const struct hs_core *c)
{
    return c->nodes_n / 10 < 3 ? 3 : c->nodes_n / 10;
}

static bool can_lend(const struct hs_core *c)
{
    return c->lent.valid && c->now.mono.ms - c->lent.at < LENT_MS;
}

/* The picks as a window of the frozen copy. False if whom it is for is among
 * them: any other choice would favour some of his neighbours. */
static bool lend(struct hs_core *c, struct window w, struct section *s)
{
    uint32_t skip_at = w.skip < w.from ? w.skip + w.of : w.skip; /* the window may wrap */

    if (w.skip < w.of && skip_at < w.from + w.n) {
        return false;
    }
    s->lent_off = w.from * HS_GOSSIP_LEN;
    s->lent_n = w.n;
    c->lent.used_n++;
    return true;
}

/* Writes a gossip section for `except`: as many picks as the protocol wants, then
 * all suspected nodes, entries_max in all. The picks are not written if they may
 * be lent and can be. */
struct section core_board_section(struct hs_core *c, uint8_t *dst, uint32_t entries_max,
                                  uint16_t except, bool may_lend)
{
    uint32_t skip = except == NIL16 ? UINT32_MAX : c->hot[except].board_pos;
    uint32_t picks = picks_wanted(c);
    uint32_t fresh = c->fresh_n - (skip < c->fresh_n ? 1 : 0);
    uint32_t suspects = c->pfail_n;
    struct section s = {0};

    if (skip >= c->fresh_n && skip < c->fresh_n + c->pfail_n) {
        suspects--;
    }
    picks = picks > fresh ? fresh : picks;
    picks = picks > entries_max ? entries_max : picks;
    if (!can_lend(c)) {
        exchange(c, EXCHANGES_PER_SECTION);
        skip = except == NIL16 ? UINT32_MAX : c->hot[except].board_pos; /* may have moved */
    }
    if (picks > 0) {
        struct window w = {.of = c->fresh_n,
                           .from = hs_prng_below(&c->prng, c->fresh_n),
                           .n = picks,
                           .skip = skip};
        if (!may_lend || !can_lend(c) || !lend(c, w, &s)) {
            s.copied_n = copy_window(c, dst, w);
            c->lent.copied_n += picks;
        }
    }
    suspects = suspects > entries_max - picks ? entries_max - picks : suspects;
    if (suspects > 0) {
        s.copied_n +=
            copy_window(c, dst + (size_t)s.copied_n * HS_GOSSIP_LEN,
                        (struct window){.base = c->fresh_n,
                                        .of = c->pfail_n,
                                        .from = c->fresh_n + hs_prng_below(&c->prng, c->pfail_n),
                                        .n = suspects,
                                        .skip = skip});
    }
    return s;
}

/* ---- the frozen copy ---- */

/* The picks that a window at the end goes on with follow the region again. */
uint32_t hs_core_board_max(const struct hs_core_opts *opts)
{
    return (opts->nodes_max + opts->nodes_max / 10 + 3) * HS_GOSSIP_LEN;
}

/* As much was copied since the last one as a new one costs. */
bool hs_core_board_due(const struct hs_core *c)
{
    return picks_wanted(c) >= LENT_MIN && c->lent.copied_n >= c->fresh_n && !can_lend(c);
}

uint32_t hs_core_board_freeze(struct hs_core *c, uint8_t *to)
{
    uint32_t moves = c->lent.used_n * EXCHANGES_PER_SECTION;
    uint32_t again = picks_wanted(c) < c->fresh_n ? picks_wanted(c) : c->fresh_n;

    exchange(c, moves < c->fresh_n / EXCHANGED_PART ? moves : c->fresh_n / EXCHANGED_PART);
    memcpy(to, c->board, (size_t)c->fresh_n * HS_GOSSIP_LEN);
    memcpy(to + (size_t)c->fresh_n * HS_GOSSIP_LEN, c->board, (size_t)again * HS_GOSSIP_LEN);
    c->lent = (struct lent){.valid = true, .at = c->now.mono.ms};
    return (c->fresh_n + again) * HS_GOSSIP_LEN;
}
