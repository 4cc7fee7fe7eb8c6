/* diff.c - two views of one node, compared: who came, who went, and what about
 * each of the others is another than before.
 */
#include "watch_int.h"

#include <string.h>

/* ---- which node of one view is which of the other ---- */

uint64_t watch_hash(const void *p, size_t n, uint64_t seed)
{
    uint64_t h = seed ^ 0xcbf29ce484222325U;
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const uint8_t *)p)[i]) * 0x100000001b3U;
    return h ^ h >> 29;
}

static uint16_t *bucket_of(struct hs_watch *w, const struct hs_topo *t, const struct hs_node_id *id)
{
    uint32_t mask = w->buckets_n - 1;
    uint32_t at = (uint32_t)watch_hash(id->hex, HS_ID_LEN, 0) & mask;
    while (w->buckets[at] != 0 &&
           memcmp(t->nodes[w->buckets[at] - 1].id.hex, id->hex, HS_ID_LEN) != 0)
        at = (at + 1) & mask;
    return &w->buckets[at];
}

void watch_match(struct hs_watch *w, const struct look *k)
{
    memset(w->buckets, 0, w->buckets_n * sizeof(w->buckets[0]));
    for (uint32_t i = 0; i < k->old->nodes_n; i++) {
        w->is[i] = HS_TOPO_NONE;
        if (is_member(&k->old->nodes[i]))
            *bucket_of(w, k->old, &k->old->nodes[i].id) = (uint16_t)(i + 1);
    }
    for (uint32_t i = 0; i < k->new->nodes_n; i++) {
        w->was[i] = HS_TOPO_NONE;
        if (!is_member(&k->new->nodes[i]))
            continue;
        uint16_t found = *bucket_of(w, k->old, &k->new->nodes[i].id);
        if (found == 0)
            continue;
        w->was[i] = (uint16_t)(found - 1);
        w->is[found - 1] = (uint16_t)i;
    }
}

/* ---- one node ---- */

static const struct hs_node_id *master_id(const struct hs_topo *t, const struct hs_topo_node *n)
{
    return n->master == HS_TOPO_NONE ? NULL : &t->nodes[n->master].id;
}

static void begin(struct line *l, enum hs_told_kind kind, const struct hs_topo_node *n)
{
    line_begin(l, kind);
    line_node(l, n);
}

static void came(struct hs_watch *w, const struct hs_topo *t, const struct hs_topo_node *n)
{
    struct line l;
    begin(&l, HS_TOLD_NODE, n);
    line_id(&l, "master", master_id(t, n));
    watch_tell(w, &l);
}

static void went(struct hs_watch *w, const struct hs_topo *t, const struct hs_topo_node *n)
{
    struct line l;
    begin(&l, HS_TOLD_NODE_GONE, n);
    line_id(&l, "master", master_id(t, n));
    line_int(&l, "slots", n->slots_n);
    watch_tell(w, &l);
}

/* ids differ, or only one is there */
static bool is_other(const struct hs_node_id *a, const struct hs_node_id *b)
{
    if (a == NULL || b == NULL)
        return a != b;
    return memcmp(a->hex, b->hex, HS_ID_LEN) != 0;
}

static void role(struct hs_watch *w, const struct look *k, const struct hs_topo_node *o,
                 const struct hs_topo_node *n)
{
    const struct hs_node_id *before = master_id(k->old, o), *after = master_id(k->new, n);
    if (((o->flags ^ n->flags) & HS_NODE_SLAVE) == 0 && !is_other(before, after))
        return;
    struct line l;
    begin(&l, HS_TOLD_ROLE, n);
    line_text(&l, "old", (o->flags & HS_NODE_SLAVE) != 0 ? "replica" : "master");
    line_text(&l, "new", (n->flags & HS_NODE_SLAVE) != 0 ? "replica" : "master");
    line_id(&l, "old_master", before);
    line_id(&l, "new_master", after);
    watch_tell(w, &l);
}

static void address(struct hs_watch *w, const struct look *k, const struct hs_topo_node *o,
                    const struct hs_topo_node *n)
{
    if (strcmp(o->ip, n->ip) == 0 && o->port == n->port && o->tls_port == n->tls_port &&
        o->cport == n->cport)
        return;
    struct line l;
    begin(&l, HS_TOLD_ADDRESS, n);
    line_address(&l, "old", o);
    line_address(&l, "new", n);
    watch_tell(w, &l);
    watch_flipped(w, k, o, n);
}

static void name(struct hs_watch *w, const struct hs_topo_node *o, const struct hs_topo_node *n)
{
    if (strcmp(o->nodename, n->nodename) == 0 && strcmp(o->hostname, n->hostname) == 0)
        return;
    struct line l;
    begin(&l, HS_TOLD_NAME, n);
    line_text(&l, "old", o->nodename);
    line_text(&l, "new", n->nodename);
    line_text(&l, "old_hostname", o->hostname);
    line_text(&l, "new_hostname", n->hostname);
    watch_tell(w, &l);
}

/* How long since a moment of the view; 0 if there was none. */
static int64_t since(const struct look *k, int64_t at_ms)
{
    return at_ms == 0 || at_ms > k->new->taken_ms ? 0 : k->new->taken_ms - at_ms;
}

static void over(struct hs_watch *w, const struct look *k, enum hs_told_kind kind,
                 const struct hs_topo_node *n, int64_t from_ms)
{
    struct line l;
    begin(&l, kind, n);
    line_int(&l, "slots", n->slots_n);
    line_int(&l, "after_ms", since(k, from_ms));
    watch_tell(w, &l);
}

static void health(struct hs_watch *w, const struct look *k, const struct hs_topo_node *o,
                   const struct hs_topo_node *n)
{
    struct line l;
    uint16_t on = n->flags & (uint16_t)~o->flags, off = o->flags & (uint16_t)~n->flags;
    if ((off & HS_NODE_FAIL) != 0)
        over(w, k, HS_TOLD_FAIL_OVER, n, o->fail_ms);
    /* What became FAIL is suspected no less. */
    if ((off & HS_NODE_PFAIL) != 0 && (n->flags & HS_NODE_FAIL) == 0)
        over(w, k, HS_TOLD_PFAIL_OVER, n, o->pfail_ms);
    if ((on & HS_NODE_PFAIL) != 0) {
        begin(&l, HS_TOLD_PFAIL, n);
        line_int(&l, "slots", n->slots_n);
        line_int(&l, "silent_ms", since(k, n->ping_sent_ms));
        watch_tell(w, &l);
    }
    if ((on & HS_NODE_FAIL) != 0) {
        begin(&l, HS_TOLD_FAIL, n);
        line_int(&l, "slots", n->slots_n);
        line_int(&l, "reports", n->reports_n);
        line_int(&l, "quorum", k->new->size / 2 + 1);
        watch_tell(w, &l);
    }
}

static void epoch(struct hs_watch *w, const struct hs_topo_node *o, const struct hs_topo_node *n)
{
    if (o->config_epoch == n->config_epoch)
        return;
    struct line l;
    begin(&l, HS_TOLD_EPOCH, n);
    line_int(&l, "old", (int64_t)o->config_epoch);
    line_int(&l, "new", (int64_t)n->config_epoch);
    watch_tell(w, &l);
}

static void link_end(struct hs_watch *w, const struct look *k, const struct hs_topo_node *n,
                     int64_t before_ms, int64_t now_ms, const char *direction)
{
    struct line l;
    if ((before_ms == 0) == (now_ms == 0))
        return;
    begin(&l, now_ms != 0 ? HS_TOLD_LINK : HS_TOLD_LINK_OVER, n);
    line_text(&l, "direction", direction);
    if (now_ms == 0)
        line_int(&l, "after_ms", since(k, before_ms));
    watch_tell(w, &l);
}

static void links(struct hs_watch *w, const struct look *k, const struct hs_topo_node *o,
                  const struct hs_topo_node *n)
{
    link_end(w, k, n, o->link_to_ms, n->link_to_ms, "to");
    link_end(w, k, n, o->link_from_ms, n->link_from_ms, "from");
}

static void compare(struct hs_watch *w, const struct look *k, const struct hs_topo_node *o,
                    const struct hs_topo_node *n)
{
    address(w, k, o, n);
    name(w, o, n);
    links(w, k, o, n);
    health(w, k, o, n);
    role(w, k, o, n);
    epoch(w, o, n);
}

/* ---- the cluster ---- */

static void state(struct hs_watch *w, const struct hs_topo *o, const struct hs_topo *n)
{
    struct line l;
    if (o->last_vote_epoch != n->last_vote_epoch) {
        line_begin(&l, HS_TOLD_VOTE);
        line_int(&l, "old", (int64_t)o->last_vote_epoch);
        line_int(&l, "new", (int64_t)n->last_vote_epoch);
        watch_tell(w, &l);
    }
    if (o->ok == n->ok)
        return;
    line_begin(&l, HS_TOLD_STATE);
    line_text(&l, "old", o->ok ? "ok" : "fail");
    line_text(&l, "new", n->ok ? "ok" : "fail");
    line_int(&l, "slots_ok", n->slots_ok);
    line_int(&l, "slots_pfail", n->slots_pfail);
    line_int(&l, "slots_fail", n->slots_fail);
    line_int(&l, "size", n->size);
    watch_tell(w, &l);
}

void watch_diff(struct hs_watch *w, const struct look *k)
{
    for (uint32_t i = 0; i < k->new->nodes_n; i++) {
        const struct hs_topo_node *n = &k->new->nodes[i];
        if (!is_member(n))
            continue;
        if (w->was[i] == HS_TOPO_NONE)
            came(w, k->new, n);
        else
            compare(w, k, &k->old->nodes[w->was[i]], n);
    }
    watch_moves(w, k);
    for (uint32_t i = 0; i < k->old->nodes_n; i++)
        if (w->is[i] == HS_TOPO_NONE && is_member(&k->old->nodes[i]))
            went(w, k->old, &k->old->nodes[i]);
    state(w, k->old, k->new);
}
