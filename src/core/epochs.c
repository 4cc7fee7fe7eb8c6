/* epochs.c - every master's claims carry a number of their own, and these two
 * are the ways to get a new one without a vote.
 */
#include "core_int.h"

static void new_epoch(struct hs_core *c)
{
    c->cold[SELF].config_epoch = ++c->current_epoch;
    core_want_sync(c);
}

/* Two masters with one epoch could never settle who owns a slot. The one with
 * the smaller id takes a new epoch; the other does nothing. A fresh cluster,
 * where all start at 0, numbers itself this way. */
void core_epoch_collision(struct hs_core *c, uint16_t sender, uint64_t epoch)
{
    if (epoch != c->cold[SELF].config_epoch ||
        memcmp(c->hot[SELF].id.hex, c->hot[sender].id.hex, HS_ID_LEN) > 0) {
        return;
    }
    new_epoch(c);
    COUNT(c, collisions);
    core_note(c, HS_NOTE_EPOCH_COLLISION, HS_NIL, sender, (int64_t)c->current_epoch);
}

static uint64_t largest_epoch(const struct hs_core *c)
{
    uint64_t max = c->current_epoch;

    for (uint16_t i = 0; i < c->nodes_hi; i++) {
        if (is_used(c, i) && c->cold[i].config_epoch > max) {
            max = c->cold[i].config_epoch;
        }
    }
    return max;
}

/* A new epoch unless ours is the newest already. True if it changed. */
bool core_epoch_bump(struct hs_core *c)
{
    if (c->cold[SELF].config_epoch != 0 && c->cold[SELF].config_epoch == largest_epoch(c)) {
        return false;
    }
    new_epoch(c);
    core_note(c, HS_NOTE_EPOCH_BUMPED, HS_NIL, HS_NIL, (int64_t)c->current_epoch);
    return true;
}
