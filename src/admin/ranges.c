/* ranges.c - runs of slots with one owner, all of them in one pass.
 *
 * A reply that lists every node's slots would otherwise walk all slots once per
 * node. */
#include "admin_int.h"

#include <stdlib.h>

bool admin_ranges_init(struct ranges *r, const struct hs_topo *t)
{
    uint32_t n = 0;
    for (uint32_t s = 0; s < HS_SLOTS; s++)
        n += t->owner[s] != HS_TOPO_NONE && (s == 0 || t->owner[s] != t->owner[s - 1]);
    *r = (struct ranges){.v = hs_alloc((n + 1) * sizeof(*r->v)),
                         .head = hs_alloc(t->nodes_n * 2 * sizeof(int32_t))};
    if (r->v == NULL || r->head == NULL) {
        admin_ranges_fini(r);
        return false;
    }
    int32_t *tail = r->head + t->nodes_n;
    for (uint32_t i = 0; i < t->nodes_n; i++)
        r->head[i] = tail[i] = -1;
    for (uint32_t s = 0; s < HS_SLOTS; s++) {
        uint16_t node = t->owner[s];
        if (node == HS_TOPO_NONE)
            continue;
        if (s > 0 && t->owner[s - 1] == node) {
            r->v[r->n - 1].last = (uint16_t)s;
            continue;
        }
        int32_t ix = (int32_t)r->n++;
        r->v[ix].first = r->v[ix].last = (uint16_t)s;
        r->v[ix].node = node;
        r->v[ix].next = -1;
        if (tail[node] >= 0)
            r->v[tail[node]].next = ix;
        else
            r->head[node] = ix;
        tail[node] = ix;
    }
    return true;
}

void admin_ranges_fini(struct ranges *r)
{
    hs_free(r->v);
    hs_free(r->head);
    *r = (struct ranges){0};
}
