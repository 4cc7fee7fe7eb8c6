/* check.c - every invariant of a core, walked. For tests and the simulator,
 * after every step; never in production.
 */
#include "core_int.h"

struct tally {
    uint32_t nodes, voters, voters_down, slots_failed, handshakes, with_replicas, assigned;
};

static void check_node(const struct hs_core *c, uint16_t ix, struct tally *t)
{
    const struct hot *h = &c->hot[ix];
    const struct cold *n = &c->cold[ix];

    HS_ASSERT(core_index_find(c, h->id.hex) == ix);
    HS_ASSERT(c->board_ix[h->board_pos] == ix);
    HS_ASSERT(memcmp(board_of(c, ix), h->id.hex, HS_ID_LEN) == 0);
    HS_ASSERT((h->flags & (HS_NODE_PFAIL | HS_NODE_FAIL)) != (HS_NODE_PFAIL | HS_NODE_FAIL));
    HS_ASSERT((h->flags & (HS_NODE_MASTER | HS_NODE_SLAVE)) != (HS_NODE_MASTER | HS_NODE_SLAVE));
    HS_ASSERT(((h->flags & HS_NODE_MYSELF) != 0) == (ix == SELF));
    HS_ASSERT(h->row == NIL16 || c->rows[h->row].suspect == ix);
    HS_ASSERT(n->master == NIL16 || is_used(c, n->master));
    HS_ASSERT(n->master != ix);
    HS_ASSERT(n->config_epoch <= c->current_epoch);
    if (n->to_state == TO_UP) {
        HS_ASSERT(c->links[n->to.ix].up && c->links[n->to.ix].gen == n->to.gen);
        HS_ASSERT(c->links[n->to.ix].node == ix && c->links[n->to.ix].outbound);
    }
    if (n->has_from) {
        HS_ASSERT(c->links[n->from.ix].up && c->links[n->from.ix].gen == n->from.gen);
        HS_ASSERT(c->links[n->from.ix].node == ix && !c->links[n->from.ix].outbound);
    }
    /* Somebody must look at it again, or it would be silent for ever. */
    HS_ASSERT(ix == SELF || (h->flags & HS_NODE_NOADDR) != 0 || c->spokes[ix].slot != NIL16);
    t->nodes++;
    t->voters += is_voter(c, ix);
    t->voters_down += is_voter(c, ix) && has_flag(c, ix, HS_NODE_PFAIL | HS_NODE_FAIL);
    t->slots_failed += has_flag(c, ix, HS_NODE_FAIL) ? n->slots_n : 0U;
    t->handshakes += has_flag(c, ix, HS_NODE_HANDSHAKE);
    t->with_replicas += n->replicas_n > 0;
    t->assigned += n->slots_n;
}

static void check_board(const struct hs_core *c)
{
    HS_ASSERT(c->fresh_n + c->pfail_n <= c->nodes_n);
    for (uint32_t pos = 0; pos < c->nodes_n; pos++) {
        uint16_t ix = c->board_ix[pos];
        HS_ASSERT(is_used(c, ix));
        HS_ASSERT(c->hot[ix].board_pos == pos);
        HS_ASSERT((pos >= c->fresh_n && pos < c->fresh_n + c->pfail_n) ==
                  (has_flag(c, ix, HS_NODE_PFAIL) &&
                   !has_flag(c, ix, HS_NODE_MYSELF | HS_NODE_HANDSHAKE)));
    }
}

static uint64_t load4(const uint16_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* Four slots at a time: most have the owner of those before and are not open. */
static void check_slots(const struct hs_core *c)
{
    uint32_t owned_n = 0, migrating_n = 0, importing_n = 0, of_four = 0;

    for (uint32_t s = 0; s < HS_SLOTS; s += 4) {
        if (s > 0 && load4(&c->owner[s]) == load4(&c->owner[s - 4]) &&
            (load4(&c->migrating[s]) | load4(&c->importing[s])) == 0) {
            owned_n += of_four;
            continue;
        }
        of_four = 0;
        for (uint32_t k = s; k < s + 4; k++) {
            HS_ASSERT(c->owner[k] == NIL16 || is_used(c, c->owner[k]));
            of_four += c->owner[k] != NIL16;
            migrating_n += c->migrating[k] != 0;
            importing_n += c->importing[k] != 0;
        }
        owned_n += of_four;
    }
    HS_ASSERT(owned_n == c->assigned_n);
    HS_ASSERT(migrating_n == c->migrating_n);
    HS_ASSERT(importing_n == c->importing_n);
}

static void check_replicas(const struct hs_core *c)
{
    uint32_t attached = 0, counted = 0;

    for (uint16_t i = 0; i < c->nodes_hi; i++) {
        if (is_used(c, i)) {
            attached += c->cold[i].master != NIL16;
            counted += c->cold[i].replicas_n;
        }
    }
    HS_ASSERT(attached == counted);
}

void hs_core_check(const struct hs_core *c)
{
    struct tally t = {0};

    for (uint16_t i = 0; i < c->nodes_hi; i++) {
        if (is_used(c, i)) {
            check_node(c, i, &t);
        }
    }
    HS_ASSERT(t.nodes == c->nodes_n);
    HS_ASSERT(t.voters == c->voters_n);
    HS_ASSERT(t.voters_down == c->voters_down_n);
    HS_ASSERT(t.slots_failed == c->slots_failed_n);
    HS_ASSERT(t.handshakes == c->handshakes_n);
    HS_ASSERT(t.with_replicas == c->replicas_n);
    HS_ASSERT(t.assigned == c->assigned_n);
    HS_ASSERT(c->last_vote_epoch <= c->current_epoch);
    HS_ASSERT(c->saved_seq <= c->save_seq && c->sync_seq <= c->save_seq);
    check_board(c);
    check_slots(c);
    check_replicas(c);
}
