/* migrate.c - a replica of a master that has several goes where one is missing.
 *
 * Of all replicas of the best supplied masters only the one with the smallest
 * id moves, whether it works or not: all of them must come to the same choice,
 * and they may differ in whom they have seen fail. It moves only after the
 * target has been without a replica for a while, so that a failover under way
 * is not disturbed.
 */
#include "core_int.h"

enum {
    ORPHANED_MS = 5000, /* reference behaviour */
    /* Stock servers look ten times a second. We do when somebody failed, changed
     * role or got its first slots, and while there is an orphan this often. */
    SURVEY_MS = 1000,
};

/* Working replicas of the best supplied master; masters with slots that had
 * replicas and have no working one. */
struct supply {
    uint32_t most, orphans_n;
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

static bool is_orphan(const struct hs_core *c, uint16_t ix)
{
    return has_flag(c, ix, HS_NODE_MIGRATE_TO) && !has_flag(c, ix, HS_NODE_SLAVE | HS_NODE_FAIL) &&
           c->cold[ix].working_n == 0;
}

static struct supply survey(struct hs_core *c)
{
    struct supply s = {0};

    count_working(c);
    for (uint16_t i = 1; i < c->nodes_hi; i++) {
        if (is_used(c, i) && has_flag(c, i, HS_NODE_MASTER) && !has_flag(c, i, HS_NODE_FAIL)) {
            s.most = c->cold[i].working_n > s.most ? c->cold[i].working_n : s.most;
            s.orphans_n += is_orphan(c, i) && c->cold[i].slots_n > 0;
        }
    }
    return s;
}

/* Notes since when each orphan is one. The first that has slots, or NIL16. */
static uint16_t find_target(struct hs_core *c)
{
    uint16_t target = NIL16;

    for (uint16_t i = 1; i < c->nodes_hi; i++) {
        struct cold *n = &c->cold[i];
        if (!is_used(c, i) || !is_orphan(c, i)) {
            n->orphaned_at = 0;
            continue;
        }
        n->orphaned_at = n->orphaned_at == 0 ? c->now.mono.ms : n->orphaned_at;
        target = target == NIL16 && n->slots_n > 0 ? i : target;
    }
    return target;
}

/* Is there a replica with a smaller id under an equally well supplied master? */
static bool another_moves(const struct hs_core *c, uint32_t most)
{
    for (uint16_t i = 1; i < c->nodes_hi; i++) {
        if (is_replica_of_any(c, i) && c->cold[c->cold[i].master].working_n == most &&
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

static bool may_move(const struct hs_core *c)
{
    return c->cold[SELF].master != NIL16 && c->conf.allow_replica_migration;
}

/* When core_migrate() has to look again; never, while nothing changes and nobody
 * is without a replica. */
int64_t core_migrate_at(const struct hs_core *c)
{
    return may_move(c) ? c->survey_at : INT64_MAX;
}

/* Every tick; what it does when it is time is linear in the nodes. */
void core_migrate(struct hs_core *c)
{
    uint16_t master = c->cold[SELF].master, target;
    struct supply s;

    if (!may_move(c) || c->now.mono.ms < c->survey_at) {
        return;
    }
    s = survey(c);
    c->survey_at = s.orphans_n == 0 ? INT64_MAX : c->now.mono.ms + SURVEY_MS;
    if (s.orphans_n == 0 || s.most < 2 || c->cold[master].working_n != s.most || !c->ok ||
        unsuspected_fellows(c) <= c->conf.migration_barrier) {
        return;
    }
    target = find_target(c);
    if (target == NIL16 || another_moves(c, s.most)) {
        return;
    }
    int64_t due = c->cold[target].orphaned_at + ORPHANED_MS + 1;
    if (c->now.mono.ms >= due) {
        core_follow(c, target);
    } else {
        c->survey_at = due < c->survey_at ? due : c->survey_at;
    }
}
