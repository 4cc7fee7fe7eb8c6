/* claims.c - no slot has two owners in one epoch.
 *
 * Every master says in every header which slots are its own, and since which
 * epoch. All such claims of a run are kept; a new one is held against those
 * of others in the same epoch, however long ago they were made.
 */
#include "sim_int.h"

static uint32_t common_slot(const uint8_t *a, const uint8_t *b)
{
    for (uint32_t k = 0; k < HS_SLOTS_BYTES; k++) {
        if ((a[k] & b[k]) != 0) {
            uint32_t bit = 0;
            while (((a[k] & b[k]) >> bit & 1) == 0) {
                bit++;
            }
            return k * 8 + bit;
        }
    }
    return HS_NIL;
}

/* False if that very claim was made before. */
static bool compare(struct hs_sim *s, uint32_t from, const struct hs_view *v, uint64_t epoch)
{
    struct checks *k = &s->checks;
    uint32_t n = k->claims_n < CLAIMS_MAX ? k->claims_n : CLAIMS_MAX;

    for (uint32_t i = 0; i < n; i++) {
        const struct claim *c = &k->claims[i];
        uint32_t slot;
        if (c->epoch != epoch) {
            continue;
        }
        if (c->node == from && c->hash == v->slots_hash) {
            return false;
        }
        if (c->node != from && (slot = common_slot(c->slots, v->frame + HS_OFF_SLOTS)) != HS_NIL) {
            violation(s, from, "claims slot %u in epoch %llu, and so did node %u", slot,
                      (unsigned long long)epoch, c->node);
            return false;
        }
    }
    return true;
}

/* The oldest claims give way when there are more than the table holds. */
void checks_claim(struct hs_sim *s, uint32_t from, const struct hs_view *v)
{
    static const uint8_t none[HS_SLOTS_BYTES];
    struct checks *k = &s->checks;
    struct promise *p = &k->promises[from];
    uint64_t epoch;

    if ((v->marks & HS_VIEW_LIGHT) != 0 || k->claims_off ||
        (hs_get16(v->frame + HS_OFF_FLAGS) & HS_NODE_MASTER) == 0) {
        return;
    }
    epoch = hs_get64(v->frame + HS_OFF_CONFIG_EPOCH);
    if (p->slots_hash == v->slots_hash && p->slots_epoch == epoch) {
        return;
    }
    p->slots_hash = v->slots_hash;
    p->slots_epoch = epoch;
    if (memcmp(v->frame + HS_OFF_SLOTS, none, sizeof(none)) != 0 && compare(s, from, v, epoch)) {
        struct claim *c = &k->claims[k->claims_n++ % CLAIMS_MAX];
        *c = (struct claim){.epoch = epoch, .hash = v->slots_hash, .node = from};
        memcpy(c->slots, v->frame + HS_OFF_SLOTS, HS_SLOTS_BYTES);
    }
}
