/* slots.c - who owns which slot.
 *
 * One table, slot -> node, and a count per node; no bitmap per node, because
 * N virtual nodes of a simulation hold N * N node entries. A node's bitmap is
 * made when it is needed, which is rare: unchanged claims are recognised by a
 * hash (claims.c), and our own is in the header.
 */
#include "core_int.h"

static void mine_changed(struct hs_core *c, uint16_t ix)
{
    if (ix == SELF || ix == c->cold[SELF].master) {
        c->hdr_due = true;
    }
}

/* The only way to change an owner; NIL16 for nobody. */
void core_slot_set(struct hs_core *c, uint32_t slot, uint16_t ix)
{
    uint16_t old = c->owner[slot];

    HS_ASSERT(slot < HS_SLOTS);
    c->abandoned[slot >> 3] = (uint8_t)(c->abandoned[slot >> 3] & ~(1U << (slot & 7)));
    if (old == ix) {
        return;
    }
    if (old != NIL16) {
        core_node_account(c, old, -1);
        c->cold[old].slots_n--;
        c->cold[old].slots_ver++;
        core_node_account(c, old, 1);
        c->assigned_n--;
        if (c->cold[old].slots_n == 0) {
            core_board_place(c, old);
        }
        mine_changed(c, old);
    }
    c->owner[slot] = ix;
    if (ix != NIL16) {
        core_node_account(c, ix, -1);
        c->cold[ix].slots_n++;
        c->cold[ix].slots_ver++;
        core_node_account(c, ix, 1);
        c->assigned_n++;
        if (c->cold[ix].slots_n == 1) {
            core_board_place(c, ix);
            c->survey_at = 0; /* without a working replica it is an orphan now */
            if (c->replicas_n > 0 && has_flag(c, ix, HS_NODE_MASTER)) {
                core_node_flags(c, ix, HS_NODE_MIGRATE_TO, 0);
            }
        }
        mine_changed(c, ix);
    }
    c->state_due = true;
    core_want_save(c);
}

/* Leaves everything a node owned without an owner. */
void core_slots_clear(struct hs_core *c, uint16_t ix)
{
    core_slots_move(c, ix, NIL16);
}

void core_slots_move(struct hs_core *c, uint16_t from, uint16_t to)
{
    for (uint32_t s = 0; s < HS_SLOTS && c->cold[from].slots_n > 0; s++) {
        if (c->owner[s] == from) {
            core_slot_set(c, s, to);
        }
    }
}

typedef uint16_t owners8 __attribute__((vector_size(16)));

/* Is one of the 64 slots from `s` on this node's? */
static bool owns_any(const struct hs_core *c, uint16_t ix, uint32_t s)
{
    owners8 found = {0}, eight;
    uint64_t halves[2];

    for (uint32_t k = 0; k < 64; k += 8) {
        memcpy(&eight, &c->owner[s + k], sizeof(eight));
        found |= (owners8)(eight == ix);
    }
    memcpy(halves, &found, sizeof(halves));
    return (halves[0] | halves[1]) != 0;
}

/* Which of the 64 slots from `s` on are this node's, as bits: nearly always none.
 * Otherwise four owners are compared at a time. */
uint64_t core_slots_owned(const struct hs_core *c, uint16_t ix, uint32_t s)
{
    const uint64_t ones = UINT64_C(0x0001000100010001), highs = UINT64_C(0x8000800080008000);
    uint64_t word = 0;

    if (!owns_any(c, ix, s)) {
        return 0;
    }
    for (uint32_t k = 0; k < 64; k += 4) {
        uint64_t four;
        memcpy(&four, &c->owner[s + k], sizeof(four));
        four ^= ones * ix;
        if (((four - ones) & ~four & highs) == 0) {
            continue; /* no 16 bits of it are 0 */
        }
        for (uint32_t j = k; j < k + 4; j++) {
            word |= (uint64_t)(c->owner[s + j] == ix) << j;
        }
    }
    return word;
}

/* The same 64 slots of a bitmap. Written out, this is one load. */
uint64_t core_slots_word(const uint8_t *bitmap, uint32_t s)
{
    const uint8_t *p = bitmap + s / 8;

    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

/* What a node owns here; claimed_only leaves out what it has stopped claiming. */
void core_slots_bitmap(const struct hs_core *c, uint16_t ix, bool claimed_only, uint8_t *bitmap)
{
    memset(bitmap, 0, HS_SLOTS_BYTES);
    if (c->cold[ix].slots_n == 0) {
        return;
    }
    for (uint32_t s = 0, left = c->cold[ix].slots_n; left > 0; s += 64) {
        uint64_t word = core_slots_owned(c, ix, s);
        if (word == 0) {
            continue;
        }
        left -= (uint32_t)__builtin_popcountll(word);
        if (claimed_only) {
            word &= ~core_slots_word(c->abandoned, s);
        }
        for (uint32_t k = 0; k < 8; k++) {
            bitmap[s / 8 + k] = (uint8_t)(word >> 8 * k);
        }
    }
}

static void set_open(uint16_t *marks, uint32_t *marks_n, uint32_t slot, uint16_t ix)
{
    *marks_n += (ix != NIL16 ? 1U : 0U) - (marks[slot] != 0 ? 1U : 0U);
    marks[slot] = ix == NIL16 ? 0 : (uint16_t)(ix + 1);
}

void core_set_migrating(struct hs_core *c, uint32_t slot, uint16_t ix)
{
    set_open(c->migrating, &c->migrating_n, slot, ix);
    core_want_save(c);
}

void core_set_importing(struct hs_core *c, uint32_t slot, uint16_t ix)
{
    set_open(c->importing, &c->importing_n, slot, ix);
    core_want_save(c);
}

/* A failover inside a shard: what is open towards its old master is so towards
 * the new one, unless that is us. NIL16: it is gone, and its marks with it. */
void core_marks_follow(struct hs_core *c, uint16_t from, uint16_t to)
{
    uint16_t new = to == SELF ? NIL16 : to;

    for (uint32_t s = 0; s < HS_SLOTS && c->migrating_n + c->importing_n > 0; s++) {
        if (c->migrating[s] == from + 1) {
            core_set_migrating(c, s, new);
        }
        if (c->importing[s] == from + 1) {
            core_set_importing(c, s, new);
        }
    }
}

/* An imported slot becomes ours, by an epoch of its own, or the old owner's
 * claim would win. */
void core_finish_import(struct hs_core *c, uint32_t slot)
{
    core_slot_set(c, slot, SELF);
    core_epoch_bump(c);
    core_set_importing(c, slot, NIL16);
    c->announce_seq = c->save_seq + 1;
    core_want_sync(c);
}

void core_close_slots(struct hs_core *c)
{
    if (c->migrating_n + c->importing_n == 0) {
        return;
    }
    memset(c->migrating, 0, sizeof(c->migrating));
    memset(c->importing, 0, sizeof(c->importing));
    c->migrating_n = 0;
    c->importing_n = 0;
    core_want_save(c);
}
