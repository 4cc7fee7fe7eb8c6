/* shards.c - CLUSTER SHARDS: nodes grouped by the shard id of their master, since
 * a replica of a 7.0 master cannot have learned one from it.
 *
 * Sorting the nodes by shard id and then by place finds the groups in one go;
 * groups come in the order of their first node. */
#include "admin_int.h"

#include <stdlib.h>

struct member {
    const struct hs_topo_node *node;
    const char *shard;
    uint32_t ix;
    uint32_t leader; /* the first node of its shard */
};

static int by_shard(const void *a, const void *b)
{
    const struct member *x = a;
    const struct member *y = b;
    int order = memcmp(x->shard, y->shard, HS_ID_LEN);
    if (order != 0)
        return order;
    return x->ix < y->ix ? -1 : x->ix > y->ix;
}

static int by_leader(const void *a, const void *b)
{
    const struct member *x = a;
    const struct member *y = b;
    if (x->leader != y->leader)
        return x->leader < y->leader ? -1 : 1;
    return x->ix < y->ix ? -1 : x->ix > y->ix;
}

/* Stock servers call a replica with offset 0 loading: it has nothing of its master's
 * data yet. But where the master's offset is 0 too there is nothing to have, and
 * that is how a replica of ours stays under a master of ours. */
static const char *health(const struct hs_topo *t, const struct hs_topo_node *n)
{
    if ((n->flags & HS_NODE_FAIL) != 0)
        return "fail";
    bool is_empty = (n->flags & HS_NODE_SLAVE) != 0 && n->repl_offset == 0;
    bool is_master_empty = n->master != HS_TOPO_NONE && t->nodes[n->master].repl_offset == 0;
    return is_empty && !is_master_empty ? "loading" : "online";
}

static void put_text(struct hs_resp_sink *out, const char *key, const char *value)
{
    hs_resp_bulk_str(out, key);
    hs_resp_bulk_str(out, value);
}

static void put_int(struct hs_resp_sink *out, const char *key, int64_t value)
{
    hs_resp_bulk_str(out, key);
    hs_resp_int(out, value);
}

static void put_node(struct hs_resp_sink *out, const struct hs_topo *t,
                     const struct hs_topo_node *n, struct reader to)
{
    const char *endpoint = admin_topo_endpoint(n, to);
    size_t pairs = 6;
    pairs += n->port != 0;
    pairs += n->tls_port != 0;
    pairs += n->hostname[0] != '\0';
    hs_resp_map(out, pairs);
    hs_resp_bulk_str(out, "id");
    hs_resp_bulk(out, n->id.hex, HS_ID_LEN);
    if (n->port != 0)
        put_int(out, "port", n->port);
    if (n->tls_port != 0)
        put_int(out, "tls-port", n->tls_port);
    put_text(out, "ip", admin_topo_ip(n, to));
    put_text(out, "endpoint", endpoint != NULL ? endpoint : "");
    if (n->hostname[0] != '\0')
        put_text(out, "hostname", n->hostname);
    put_text(out, "role", (n->flags & HS_NODE_SLAVE) != 0 ? "replica" : "master");
    put_int(out, "replication-offset", n->repl_offset);
    put_text(out, "health", health(t, n));
}

/* The master a node stands under, or itself. */
static uint32_t root(const struct hs_topo *t, uint32_t node)
{
    for (uint32_t depth = 0; depth < t->nodes_n && t->nodes[node].master != HS_TOPO_NONE; depth++)
        node = t->nodes[node].master;
    return node;
}

/* The slots of whoever of the shard has some: a failed master may stand before the
 * one that took its place. */
static void put_slots(struct hs_resp_sink *out, const struct member *m, uint32_t members_n,
                      const struct ranges *r)
{
    size_t n = 0;
    for (uint32_t k = 0; k < members_n; k++)
        for (int32_t i = r->head[m[k].ix]; i >= 0; i = r->v[i].next)
            n += 2;
    hs_resp_bulk_str(out, "slots");
    hs_resp_array(out, n);
    for (uint32_t k = 0; k < members_n; k++)
        for (int32_t i = r->head[m[k].ix]; i >= 0; i = r->v[i].next) {
            hs_resp_int(out, r->v[i].first);
            hs_resp_int(out, r->v[i].last);
        }
}

/* Members in the order of the reply; nodes in handshake have no shard yet. */
static uint32_t collect(struct member *m, const struct hs_topo *t, uint32_t *shards)
{
    uint32_t n = 0;
    *shards = 0;
    for (uint32_t i = 0; i < t->nodes_n; i++)
        if ((t->nodes[i].flags & HS_NODE_HANDSHAKE) == 0)
            m[n++] = (struct member){
                .node = &t->nodes[i], .shard = t->nodes[root(t, i)].shard_id, .ix = i};
    if (n == 0)
        return 0;
    qsort(m, n, sizeof(*m), by_shard);
    for (uint32_t i = 0; i < n; i++) {
        bool same = i > 0 && memcmp(m[i].shard, m[i - 1].shard, HS_ID_LEN) == 0;
        m[i].leader = same ? m[i - 1].leader : m[i].ix;
        *shards += !same;
    }
    qsort(m, n, sizeof(*m), by_leader);
    return n;
}

bool admin_shards_reply(struct hs_resp_sink *out, const struct hs_topo *t, struct reader to)
{
    struct ranges ranges;
    struct member *m = hs_alloc((t->nodes_n + 1) * sizeof(*m));
    if (m == NULL || !admin_ranges_init(&ranges, t)) {
        hs_free(m);
        return false;
    }
    uint32_t shards;
    uint32_t n = collect(m, t, &shards);
    hs_resp_array(out, shards);
    for (uint32_t i = 0; i < n;) {
        uint32_t end = i;
        while (end < n && m[end].leader == m[i].leader)
            end++;
        hs_resp_map(out, 2);
        put_slots(out, m + i, end - i, &ranges);
        hs_resp_bulk_str(out, "nodes");
        hs_resp_array(out, end - i);
        for (; i < end; i++)
            put_node(out, t, m[i].node, to);
    }
    admin_ranges_fini(&ranges);
    hs_free(m);
    return true;
}
