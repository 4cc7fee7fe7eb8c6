/* claims.c - what a peer says it owns, against what we believe.
 *
 * Every header carries 16,384 bits of claim, and nearly always the same ones.
 * Once a claim was found equal to our view of the claimer, its hash and the
 * version of that view are kept; while both stay, the next claim costs one
 * comparison. Anything else is walked in words of 64 slots, and only where the
 * claim and our view differ bit by bit.
 */
#include "core_int.h"

struct claim {
    uint16_t by;
    uint16_t mine;      /* we ourselves, or our master if we are a replica */
    uint16_t new_owner; /* who took slots of `mine` in this claim; NIL16 none */
    uint32_t taken_n;   /* slots bound to the claimer */
    uint32_t from_mine_n;
    uint32_t claimed_n; /* bits set */
};

/* A slot changes hands to whoever claims it with a newer epoch, or if its
 * owner is unknown or has stopped claiming it. Equal epochs change nothing:
 * the collision rule makes them differ first. */
static bool may_take(const struct hs_core *c, uint32_t slot, uint64_t epoch)
{
    uint16_t owner = c->owner[slot];

    return owner == NIL16 || hs_slot_test(c->abandoned, slot) ||
           c->cold[owner].config_epoch < epoch;
}

/* May another than its source take a slot that we import? In the source's own
 * shard that is a failover, and we go on importing from its new master; from
 * another shard it is an operator's word, and the import is over. (Valkey 8;
 * Redis keeps such a slot at a dead source until SETSLOT decides, and so do we
 * where shards are not known.) */
static bool import_allows(struct hs_core *c, uint16_t by, uint32_t slot)
{
    uint16_t source = (uint16_t)(c->importing[slot] - 1);

    if (c->importing[slot] == 0) {
        return true;
    }
    if (!core_has_shard(c, by) || !core_has_shard(c, source)) {
        return false;
    }
    if (source != by) {
        core_set_importing(c, slot, core_same_shard(c, source, by) ? by : NIL16);
    }
    return true;
}

static void claim_slot(struct hs_core *c, struct claim *k, uint32_t slot, uint64_t epoch)
{
    uint16_t owner = c->owner[slot];

    k->claimed_n++;
    if (owner == k->by) {
        c->abandoned[slot >> 3] = (uint8_t)(c->abandoned[slot >> 3] & ~(1U << (slot & 7)));
        return;
    }
    if (!may_take(c, slot, epoch) || !import_allows(c, k->by, slot)) {
        return;
    }
    if (owner != NIL16 && owner == k->mine) {
        k->new_owner = k->by;
        k->from_mine_n++;
    }
    if (c->migrating[slot] != 0) {
        core_set_migrating(c, slot, NIL16); /* it is not ours to give any more */
    }
    core_slot_set(c, slot, k->by);
    k->taken_n++;
}

/* The claimer does not claim this slot. */
static void unclaimed_slot(struct hs_core *c, struct claim *k, uint32_t slot, uint64_t epoch)
{
    uint16_t target = (uint16_t)(c->migrating[slot] - 1);

    if (c->owner[slot] == k->by && !hs_slot_test(c->abandoned, slot)) {
        hs_slot_set(c->abandoned, slot); /* kept until somebody claims it */
        c->cold[k->by].slots_ver++;
    }
    if (c->migrating[slot] != 0 && target != k->by && core_same_shard(c, target, k->by) &&
        (c->cold[target].config_epoch < epoch || !has_flag(c, target, HS_NODE_MASTER))) {
        core_set_migrating(c, slot, k->by); /* the target was failed over */
    }
    /* The source has finished the migration and we have not: the operator's
     * tool gave it the last word first. A Valkey 8 expects this of the target;
     * others leave the slot to the tool's next command. */
    if (c->importing[slot] == k->by + 1 && c->owner[slot] == k->by && i_am_master(c) &&
        has_flag(c, k->by, HS_NODE_LIGHT)) {
        core_finish_import(c, slot);
    }
}

/* A Valkey 8 replica takes the place of a master without slots too; there is
 * no slot then to tell the others of the shard. */
static bool is_empty_shards_new_master(const struct hs_core *c, const struct claim *k,
                                       uint64_t epoch)
{
    return k->claimed_n == 0 && k->mine != NIL16 && k->mine != k->by &&
           c->cold[k->mine].slots_n == 0 && core_shown_epoch(c, SELF) < epoch &&
           has_flag(c, k->by, HS_NODE_LIGHT) && core_same_shard(c, k->by, SELF);
}

/* We, or our master, lost the last slot to the claimer: stay with the data. A
 * move inside our own shard (all it claims is what it just took) is followed
 * even where replica migration is off. */
static void follow_slots(struct hs_core *c, const struct claim *k, uint64_t epoch)
{
    bool ours_moved = k->claimed_n == k->from_mine_n;

    if (is_empty_shards_new_master(c, k, epoch)) {
        core_follow(c, k->by);
        return;
    }
    if (k->new_owner != NIL16 && c->cold[k->mine].slots_n == 0 &&
        (c->conf.allow_replica_migration || ours_moved)) {
        core_follow(c, k->new_owner);
        return;
    }
    core_unchain(c);
}

struct overlap {
    uint32_t claimed_n, owned_n; /* slots of a claim; those of them that are a node's */
};

/* Only reads the owners of what is claimed, a small part of the table. */
static struct overlap overlap_with(const struct hs_core *c, uint16_t ix, const uint8_t *bitmap)
{
    struct overlap o = {0};

    for (uint32_t s = 0; s < HS_SLOTS; s += 64) {
        uint64_t claimed = core_slots_word(bitmap, s);
        if (claimed != 0) {
            o.claimed_n += (uint32_t)__builtin_popcountll(claimed);
            o.owned_n += (uint32_t)__builtin_popcountll(claimed & core_slots_owned(c, ix, s));
        }
    }
    return o;
}

/* Applies the claim of master `ix` with that epoch (a header's, or an UPDATE's). */
void core_claim(struct hs_core *c, uint16_t ix, uint64_t epoch, const uint8_t *bitmap)
{
    struct claim k = {
        .by = ix, .mine = i_am_master(c) ? SELF : c->cold[SELF].master, .new_owner = NIL16};

    if (ix == SELF) {
        return;
    }
    COUNT(c, claims_walked);
    bool owns_more =
        c->cold[ix].slots_n > 0 && overlap_with(c, ix, bitmap).owned_n < c->cold[ix].slots_n;
    for (uint32_t s = 0; s < HS_SLOTS; s += 64) {
        uint64_t claimed = core_slots_word(bitmap, s);
        uint64_t owned =
            owns_more || (claimed != 0 && c->cold[ix].slots_n > 0) ? core_slots_owned(c, ix, s) : 0;
        if ((claimed | owned) == 0 && c->migrating_n == 0) {
            continue; /* as most words: it has nothing to do with these slots */
        }
        uint64_t same = claimed & owned & ~core_slots_word(c->abandoned, s);
        uint64_t of_interest = c->migrating_n == 0 ? owned : UINT64_MAX;
        k.claimed_n += (uint32_t)__builtin_popcountll(same);
        for (uint64_t rest = claimed & ~same; rest != 0; rest &= rest - 1) {
            claim_slot(c, &k, s + (uint32_t)__builtin_ctzll(rest), epoch);
        }
        for (uint64_t rest = of_interest & ~claimed; rest != 0; rest &= rest - 1) {
            unclaimed_slot(c, &k, s + (uint32_t)__builtin_ctzll(rest), epoch);
        }
    }
    if (k.taken_n > 0) {
        c->counters[COUNT_slots_won] += k.taken_n;
        core_note(c, HS_NOTE_SLOTS_MOVED, ix, HS_NIL, k.taken_n);
    }
    follow_slots(c, &k, epoch);
}

/* Two owners of a slot with one epoch: nothing settles that until their epochs
 * differ. Kept for the view. */
static void mark_split(struct hs_core *c, uint16_t ix, uint16_t with, uint32_t slot)
{
    struct cold *n = &c->cold[ix];

    if (with == NIL16 ? n->split_with != 0 : n->split_with != with + 1) {
        n->split_with = with == NIL16 ? 0 : (uint16_t)(with + 1);
        n->split_slot = (uint16_t)slot;
        core_changed(c);
    }
}

/* The first slot of a bitmap from `s` on; HS_SLOTS if there is none. */
static uint32_t next_slot(const uint8_t *bitmap, uint32_t s)
{
    while (s < HS_SLOTS) {
        uint64_t word = core_slots_word(bitmap, s & ~63U) >> (s & 63);
        if (word != 0) {
            return s + (uint32_t)__builtin_ctzll(word);
        }
        s = (s & ~63U) + 64;
    }
    return HS_SLOTS;
}

/* What is left between a master's claim, or a replica's of its master's slots,
 * and our view. If the claimer is behind, it is told of the first newer owner. */
static void compare_owners(struct hs_core *c, uint16_t ix, const struct hs_view *v)
{
    const uint8_t *bitmap = v->frame + HS_OFF_SLOTS;
    uint64_t epoch = hs_get64(v->frame + HS_OFF_CONFIG_EPOCH);
    bool master = has_flag(c, ix, HS_NODE_MASTER);
    uint16_t split_with = NIL16;
    uint32_t split_slot = 0;

    for (uint32_t s = next_slot(bitmap, 0); s < HS_SLOTS; s = next_slot(bitmap, s + 1)) {
        uint16_t owner = c->owner[s];
        if (owner == ix || owner == NIL16 || hs_slot_test(c->abandoned, s)) {
            continue;
        }
        if (c->cold[owner].config_epoch > epoch) {
            core_send_update(c, ix, owner);
            break;
        }
        if (master && split_with == NIL16 && c->cold[owner].config_epoch == epoch) {
            split_with = owner;
            split_slot = s;
        }
    }
    mark_split(c, ix, split_with, split_slot);
}

/* Whose slots a header's bitmap is about: a replica sends its master's. NIL16
 * for one whose master we do not know: there is nothing to compare it with. */
static uint16_t claimed_for(const struct hs_core *c, uint16_t ix)
{
    return has_flag(c, ix, HS_NODE_MASTER) ? ix : c->cold[ix].master;
}

/* True if the bitmap is what we believe of `owner`; remembers it if so. */
static bool is_known_claim(struct hs_core *c, uint16_t ix, uint16_t owner, const struct hs_view *v)
{
    struct cold *n = &c->cold[ix];
    uint32_t ver = c->cold[owner].slots_ver ^ (uint32_t)owner << 16;
    struct overlap o;

    if (n->claim_hash == v->slots_hash && n->claim_ver == ver) {
        COUNT(c, claims_unchanged);
        return true;
    }
    o = overlap_with(c, owner, v->frame + HS_OFF_SLOTS);
    if (o.claimed_n != c->cold[owner].slots_n || o.owned_n != c->cold[owner].slots_n) {
        return false;
    }
    if (owner == ix && c->cold[ix].slots_n > 0) {
        core_claim(c, ix, hs_get64(v->frame + HS_OFF_CONFIG_EPOCH), v->frame + HS_OFF_SLOTS);
        ver = c->cold[owner].slots_ver ^ (uint32_t)owner << 16; /* marks of abandonment cleared */
    }
    n->claim_hash = v->slots_hash;
    n->claim_ver = ver;
    return true;
}

/* The slots of a PING, PONG or MEET from a node whose role is up to date;
 * promoted if this message made it a master. */
void core_claim_check(struct hs_core *c, uint16_t ix, bool promoted, const struct hs_view *v)
{
    uint16_t owner = claimed_for(c, ix);

    if (owner == NIL16) {
        return;
    }
    if (is_known_claim(c, ix, owner, v)) {
        mark_split(c, ix, NIL16, 0);
        if (!promoted) {
            return;
        }
    }
    if (has_flag(c, ix, HS_NODE_MASTER)) {
        core_claim(c, ix, hs_get64(v->frame + HS_OFF_CONFIG_EPOCH), v->frame + HS_OFF_SLOTS);
    }
    compare_owners(c, ix, v);
}
