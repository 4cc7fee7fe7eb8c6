/* moves.c - slots that changed hands, as one event for each pair of owners, and
 * what that was if a replica took them from its master.
 */
#include "watch_int.h"

#include <stdio.h>
#include <string.h>

enum { RANGES_TOLD = 16 }; /* of one move; "+" follows if there are more */

struct move {
    const struct hs_topo_node *from, *to; /* as of the old view and the new; NULL: nobody */
    uint32_t n, ranges_n;
    uint16_t first, last; /* of the range being read */
    char text[RANGES_TOLD * 12 + 2];
    size_t text_n;
};

struct moves {
    struct move v[WATCH_MOVES_MAX];
    uint32_t n, beyond_n; /* beyond: slots of moves that found no room */
};

static void flush(struct move *m)
{
    if (m->n == 0 || m->ranges_n > RANGES_TOLD)
        return;
    const char *comma = m->ranges_n > 0 ? "," : "";
    char *at = m->text + m->text_n;
    size_t room = sizeof(m->text) - m->text_n;
    int n = 0;
    if (m->ranges_n == RANGES_TOLD)
        n = snprintf(at, room, ",+");
    else if (m->first == m->last)
        n = snprintf(at, room, "%s%u", comma, m->first);
    else
        n = snprintf(at, room, "%s%u-%u", comma, m->first, m->last);
    HS_ASSERT(n > 0 && (size_t)n < room);
    m->text_n += (size_t)n;
    m->ranges_n++;
}

static struct move *find(struct moves *all, const struct hs_topo_node *from,
                         const struct hs_topo_node *to)
{
    for (uint32_t i = all->n; i > 0; i--)
        if (all->v[i - 1].from == from && all->v[i - 1].to == to)
            return &all->v[i - 1];
    if (all->n == WATCH_MOVES_MAX)
        return NULL;
    struct move *m = &all->v[all->n++];
    *m = (struct move){.from = from, .to = to};
    return m;
}

static void add(struct moves *all, const struct hs_topo_node *from, const struct hs_topo_node *to,
                uint16_t slot)
{
    struct move *m = find(all, from, to);
    if (m == NULL) {
        all->beyond_n++;
        return;
    }
    if (m->n == 0 || slot != m->last + 1) {
        flush(m);
        m->first = slot;
    }
    m->last = slot;
    m->n++;
}

static void tell_move(struct hs_watch *w, struct move *m)
{
    struct line l;
    flush(m);
    line_begin(&l, HS_TOLD_SLOTS);
    line_id(&l, "old", m->from != NULL ? &m->from->id : NULL);
    line_text(&l, "old_name", m->from != NULL ? m->from->nodename : "");
    line_id(&l, "new", m->to != NULL ? &m->to->id : NULL);
    line_text(&l, "new_name", m->to != NULL ? m->to->nodename : "");
    line_text(&l, "slots", m->text);
    line_int(&l, "n", m->n);
    watch_tell(w, &l);
}

/* A failover: who took them was the replica of who had them, or who had them
 * is the replica now of who took them. */
static bool is_switch(const struct hs_watch *w, const struct look *k, const struct move *m)
{
    if (m->from == NULL || m->to == NULL)
        return false;
    uint16_t from = (uint16_t)(m->from - k->old->nodes), to = (uint16_t)(m->to - k->new->nodes);
    uint16_t to_before = w->was[to], from_after = w->is[from];
    bool followed = to_before != HS_TOPO_NONE && k->old->nodes[to_before].master == from;
    bool follows = from_after != HS_TOPO_NONE && k->new->nodes[from_after].master == to;
    return (followed || follows) && (m->to->flags & HS_NODE_SLAVE) == 0;
}

static void tell_switch(struct hs_watch *w, const struct move *m)
{
    struct line l;
    line_begin(&l, HS_TOLD_SWITCH_MASTER);
    line_node(&l, m->to);
    line_id(&l, "old", &m->from->id);
    line_address(&l, "old_address", m->from);
    line_id(&l, "new", &m->to->id);
    line_address(&l, "new_address", m->to);
    line_int(&l, "slots", m->n);
    line_int(&l, "epoch", (int64_t)m->to->config_epoch);
    watch_tell(w, &l);
}

void watch_moves(struct hs_watch *w, const struct look *k)
{
    struct moves all = {.n = 0};
    for (uint32_t s = 0; s < HS_SLOTS; s++) {
        uint16_t old = k->old->owner[s], new = k->new->owner[s];
        uint16_t kept = old == HS_TOPO_NONE ? HS_TOPO_NONE : w->is[old];
        bool same = old == HS_TOPO_NONE ? new == HS_TOPO_NONE : kept != HS_TOPO_NONE &&kept == new;
        if (!same)
            add(&all, old == HS_TOPO_NONE ? NULL : &k->old->nodes[old],
                new == HS_TOPO_NONE ? NULL : &k->new->nodes[new], (uint16_t)s);
    }
    for (uint32_t i = 0; i < all.n; i++) {
        tell_move(w, &all.v[i]);
        if (is_switch(w, k, &all.v[i]))
            tell_switch(w, &all.v[i]);
    }
    if (all.beyond_n > 0) {
        struct line l;
        line_begin(&l, HS_TOLD_SLOTS);
        line_int(&l, "n", all.beyond_n);
        watch_tell(w, &l);
    }
}
