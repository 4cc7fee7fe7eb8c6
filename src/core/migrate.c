/* migrate.c - a replica of a master that has several goes where one is missing.
 *
 * Of all replicas of the best supplied masters only the one with the smallest
 * id moves, and only after the target has been without one for a while, so
 * that a failover under way is not disturbed.
 */
#include "core_int.h"

#define ORPHANED_MS 5000 /* reference behaviour */

struct supply {
    uint32_t most; /* working replicas of the best supplied master */
    uint32_t orphans_n;
    uint16_t target; /* the first orphan */
};

static bool is_replica_of_any(const struct hs_core *c, uint16_t ix)
{
    return is_used(c, ix) && c->cold[ix].master != NIL16;
}

/* Leaves in cold.working_n how many replicas of each master work. */
static void count_working(struct hs_core *c)
{
    for (uint16_t i = 0; i < c->nodes_hi; i++) {
        c->cold[i].working_n = 0;
    }
    for (uint16_t i = 0; i < c->nodes_hi; i++) {
        if (is_replica_of_any(c, i) && !has_flag(c, i, HS_NODE_FAIL)) {
            c->cold[c->cold[i].master].working_n++;
        }
    }
}

static struct supply survey(struct hs_core *c)
{
    struct supply s = {.target = NIL16};

    count_working(c);
    for (uint16_t i = 1; i < c->nodes_hi; i++) {
        struct cold *n = &c->cold[i];
        if (!is_used(c, i) || !has_flag(c, i, HS_NODE_MASTER) || has_flag(c, i, HS_NODE_FAIL)) {
            continue;
        }
        s.most = n->working_n > s.most ? n->working_n : s.most;
        if (n->working_n > 0 || n->slots_n == 0 || !has_flag(c, i, HS_NODE_MIGRATE_TO)) {
            n->orphaned_at = 0;
            continue;
        }
        n->orphaned_at = n->orphaned_at == 0 ? c->now.mono.ms : n->orphaned_at;
        s.orphans_n++;
        s.target = s.target == NIL16 ? i : s.target;
    }
    return s;
}

/* Is there a replica with a smaller id under an equally well supplied master? */
static bool another_moves(const struct hs_core *c, uint32_t most)
{
    for (uint16_t i = 1; i < c->nodes_hi; i++) {
        if (is_replica_of_any(c, i) && !has_flag(c, i, HS_NODE_FAIL) &&
            c->cold[c->cold[i].master].working_n == most &&
            memcmp(c->hot[i].id.hex, c->hot[SELF].id.hex, HS_ID_LEN) < 0) {
            return true;
        }
    }
    return false;
}

/* Replicas of our master that nobody here suspects, ourselves among them. */
static uint32_t unsuspected_fellows(const struct hs_core *c)
{
    uint32_t n = 0;

    for (uint16_t i = 0; i < c->nodes_hi; i++) {
        n += is_used(c, i) && c->cold[i].master == c->cold[SELF].master &&
             !has_flag(c, i, HS_NODE_FAIL | HS_NODE_PFAIL);
    }
    return n;
}

/* Once a second, linear in the nodes. */
void core_migrate(struct hs_core *c)
{
    uint16_t master = c->cold[SELF].master;
    struct supply s;

    if (i_am_master(c) || master == NIL16 || !c->conf.allow_replica_migration || !c->ok) {
        return;
    }
    s = survey(c);
    if (s.orphans_n > 0 && s.most >= 2 && c->cold[master].working_n == s.most &&
        unsuspected_fellows(c) > c->conf.migration_barrier &&
        c->now.mono.ms - c->cold[s.target].orphaned_at > ORPHANED_MS && !another_moves(c, s.most)) {
        core_follow(c, s.target);
    }
}
