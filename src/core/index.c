/* index.c - from a node id to its place in the table.
 *
 * Open addressing with linear probing over 4-byte slots: 16 bits of the hash
 * beside 16 bits of node index, so that 10,000 nodes take 128 KiB and a look-up
 * reads one slot and, on a match, the one cache line that the caller needs
 * anyway. Ids come from the network, so the hash is seeded.
 */
#include "core_int.h"

enum { AHEAD = 8 }; /* entries: some hundred ns, as long as memory takes */

static uint64_t load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* Ids are 40 random hex digits; 16 of them carry 64 bits. */
static uint64_t hash(const struct hs_core *c, const uint8_t *id)
{
    uint64_t h = (load64(id) ^ c->hash_seed) * UINT64_C(0x9e3779b97f4a7c15);

    h ^= h >> 29;
    h = (h + load64(id + 8)) * UINT64_C(0xd6e8feb86659fd93);
    return h ^ h >> 32;
}

static uint32_t fingerprint(uint64_t h)
{
    return (uint32_t)(h >> 48) << 16;
}

/* Entries of gossip are about nodes all over the table: with two passes over a
 * handful of them, their cache lines come at once and not one after the other. */
static uint16_t probe(const struct hs_core *c, const void *id, uint64_t h)
{
    uint32_t fp = fingerprint(h);

    for (uint32_t i = (uint32_t)h & c->index_mask;; i = (i + 1) & c->index_mask) {
        uint32_t slot = c->index[i];
        if (slot == 0) {
            return NIL16;
        }
        if ((slot & 0xffff0000U) == fp) {
            uint16_t ix = (uint16_t)((slot & 0xffff) - 1);
            if (memcmp(c->hot[ix].id.hex, id, HS_ID_LEN) == 0) {
                return ix;
            }
        }
    }
}

uint16_t core_index_find(const struct hs_core *c, const void *id)
{
    return probe(c, id, hash(c, id));
}

static void prefetch_node(const struct hs_core *c, uint64_t h)
{
    uint32_t slot = c->index[(uint32_t)h & c->index_mask];

    __builtin_prefetch(&c->hot[slot == 0 ? 0 : (uint16_t)((slot & 0xffff) - 1)]);
}

/* The nodes of n gossip entries. False if somebody is not known: NIL16. What an
 * entry needs is asked for ahead: its slot of the index, then its node. */
bool core_index_find_all(const struct hs_core *c, const uint8_t *entries, uint32_t n,
                         uint16_t *found)
{
    uint64_t h[2 * AHEAD]; /* of the entries on their way, in a circle */
    bool all = true;

    for (uint32_t i = 0; i < n + 2 * AHEAD; i++) {
        uint64_t *at = &h[i % (2 * AHEAD)];
        if (i >= 2 * AHEAD) {
            uint32_t done = i - 2 * AHEAD;
            found[done] = probe(c, entries + (size_t)done * HS_GOSSIP_LEN + HS_G_ID, *at);
            all = all && found[done] != NIL16;
        }
        if (i < n) {
            *at = hash(c, entries + (size_t)i * HS_GOSSIP_LEN + HS_G_ID);
            __builtin_prefetch(&c->index[(uint32_t)*at & c->index_mask]);
        }
        if (i >= AHEAD && i - AHEAD < n) {
            prefetch_node(c, h[(i - AHEAD) % (2 * AHEAD)]);
        }
    }
    return all;
}

void core_index_add(struct hs_core *c, uint16_t ix)
{
    uint64_t h = hash(c, (const uint8_t *)c->hot[ix].id.hex);
    uint32_t i = (uint32_t)h & c->index_mask;

    while (c->index[i] != 0) {
        i = (i + 1) & c->index_mask;
    }
    c->index[i] = fingerprint(h) | (uint32_t)(ix + 1);
}

/* Linear probing without tombstones: whatever could have been pushed past the
 * hole moves back into it. */
void core_index_remove(struct hs_core *c, uint16_t ix)
{
    uint32_t hole = (uint32_t)hash(c, (const uint8_t *)c->hot[ix].id.hex) & c->index_mask;

    while ((c->index[hole] & 0xffff) != (uint32_t)ix + 1) {
        HS_ASSERT(c->index[hole] != 0);
        hole = (hole + 1) & c->index_mask;
    }
    for (uint32_t i = (hole + 1) & c->index_mask; c->index[i] != 0; i = (i + 1) & c->index_mask) {
        uint16_t other = (uint16_t)((c->index[i] & 0xffff) - 1);
        uint32_t home = (uint32_t)hash(c, (const uint8_t *)c->hot[other].id.hex) & c->index_mask;
        if (((i - home) & c->index_mask) >= ((i - hole) & c->index_mask)) {
            c->index[hole] = c->index[i];
            hole = i;
        }
    }
    c->index[hole] = 0;
}
