/* slots.c - CLUSTER SLOTS: who serves which slots, masters first. */
#include "admin_int.h"

#include <stdlib.h>

struct reader admin_reader(const struct session *s, const struct hs_published *view)
{
    return (struct reader){.type = view->conf.endpoint_type,
                           .tls = s->info.tls,
                           .ipv6 = s->info.ipv6 && view->topo->client_ips};
}

const char *admin_topo_ip(const struct hs_topo_node *n, struct reader to)
{
    const char *announced = to.ipv6 ? n->client_ipv6 : n->client_ipv4;
    return announced[0] != '\0' ? announced : n->ip;
}

const char *admin_topo_endpoint(const struct hs_topo_node *n, struct reader to)
{
    switch (to.type) {
    case HS_ENDPOINT_HOSTNAME:
        return n->hostname[0] != '\0' ? n->hostname : "?";
    case HS_ENDPOINT_UNKNOWN:
        return NULL;
    case HS_ENDPOINT_IP:
        break;
    }
    return admin_topo_ip(n, to);
}

uint16_t admin_topo_port(const struct hs_topo_node *n, bool tls)
{
    return tls ? n->tls_port : n->port;
}

static void put_node(struct hs_resp_sink *out, const struct hs_topo_node *n, struct reader to)
{
    const char *endpoint = admin_topo_endpoint(n, to);
    bool with_ip = to.type != HS_ENDPOINT_IP;
    bool with_hostname = to.type != HS_ENDPOINT_HOSTNAME && n->hostname[0] != '\0';
    hs_resp_array(out, 4);
    if (endpoint != NULL)
        hs_resp_bulk_str(out, endpoint);
    else
        hs_resp_null(out);
    hs_resp_int(out, admin_topo_port(n, to.tls));
    hs_resp_bulk(out, n->id.hex, HS_ID_LEN);
    hs_resp_map(out, (with_ip ? 1U : 0U) + (with_hostname ? 1U : 0U));
    if (with_ip) {
        hs_resp_bulk_str(out, "ip");
        hs_resp_bulk_str(out, admin_topo_ip(n, to));
    }
    if (with_hostname) {
        hs_resp_bulk_str(out, "hostname");
        hs_resp_bulk_str(out, n->hostname);
    }
}

/* Replicas that are not failed and have taken up replication. */
static bool is_shown(const struct hs_topo_node *n)
{
    return (n->flags & HS_NODE_SLAVE) != 0 && (n->flags & HS_NODE_FAIL) == 0 &&
           n->master != HS_TOPO_NONE && n->repl_offset != 0;
}

/* Per node the first shown replica, and per replica the next of its master. */
struct replicas {
    uint16_t *first, *next, *n;
};

static bool replicas_init(struct replicas *r, const struct hs_topo *t)
{
    uint16_t *mem = hs_alloc(3 * sizeof(uint16_t) * t->nodes_n);
    if (mem == NULL)
        return false;
    *r = (struct replicas){.first = mem, .next = mem + t->nodes_n, .n = mem + 2 * t->nodes_n};
    for (uint32_t i = 0; i < t->nodes_n; i++) {
        r->first[i] = r->next[i] = HS_TOPO_NONE;
        r->n[i] = 0;
    }
    for (uint32_t i = t->nodes_n; i-- > 0;) {
        uint16_t master = t->nodes[i].master;
        if (!is_shown(&t->nodes[i]))
            continue;
        r->next[i] = r->first[master];
        r->first[master] = (uint16_t)i;
        r->n[master]++;
    }
    return true;
}

bool admin_slots_reply(struct hs_resp_sink *out, const struct hs_topo *t, struct reader to)
{
    struct ranges ranges;
    struct replicas replicas;
    if (!admin_ranges_init(&ranges, t))
        return false;
    if (!replicas_init(&replicas, t)) {
        admin_ranges_fini(&ranges);
        return false;
    }
    hs_resp_array(out, ranges.n);
    for (uint32_t i = 0; i < ranges.n; i++) {
        uint16_t node = ranges.v[i].node;
        hs_resp_array(out, 3U + replicas.n[node]);
        hs_resp_int(out, ranges.v[i].first);
        hs_resp_int(out, ranges.v[i].last);
        put_node(out, &t->nodes[node], to);
        for (uint16_t r = replicas.first[node]; r != HS_TOPO_NONE; r = replicas.next[r])
            put_node(out, &t->nodes[r], to);
    }
    hs_free(replicas.first);
    admin_ranges_fini(&ranges);
    return true;
}
