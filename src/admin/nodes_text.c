/* admin_nodes_text.c - the text of CLUSTER NODES and CLUSTER INFO from a topology. Pure. */
#include "admin_int.h"

#include <inttypes.h>

static void put_flags(struct text *out, uint16_t flags)
{
    static const struct {
        uint16_t bit;
        const char *name;
    } names[] = {
        {HS_NODE_MYSELF, "myself"}, {HS_NODE_MASTER, "master"},
        {HS_NODE_SLAVE, "slave"},   {HS_NODE_PFAIL, "fail?"},
        {HS_NODE_FAIL, "fail"},     {HS_NODE_HANDSHAKE, "handshake"},
        {HS_NODE_NOADDR, "noaddr"}, {HS_NODE_NOFAILOVER, "nofailover"},
    };
    size_t before = out->n;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if ((flags & names[i].bit) != 0)
            admin_text_printf(out, "%s%s", out->n > before ? "," : "", names[i].name);
    if (out->n == before)
        admin_text_printf(out, "noflags");
}

/* Slots on the move at the local node, both kinds merged by slot. */
static void put_open(struct text *out, const struct hs_topo *t)
{
    uint32_t m = 0;
    uint32_t i = 0;
    while (m < t->migrating_n || i < t->importing_n) {
        bool out_first = i == t->importing_n ||
                         (m < t->migrating_n && t->migrating[m].slot <= t->importing[i].slot);
        const struct hs_topo_open *o = out_first ? &t->migrating[m++] : &t->importing[i++];
        if (o->node != HS_TOPO_NONE)
            admin_text_printf(out, " [%u-%c-%.*s]", o->slot, out_first ? '>' : '<', HS_ID_LEN,
                              t->nodes[o->node].id.hex);
    }
}

void admin_nodes_line(struct text *out, const struct hs_topo *t, uint32_t node,
                      const struct ranges *r, struct reader to)
{
    const struct hs_topo_node *n = &t->nodes[node];
    bool myself = (n->flags & HS_NODE_MYSELF) != 0;
    admin_text_printf(out, "%.*s %s:%u@%u", HS_ID_LEN, n->id.hex, admin_topo_ip(n, to),
                      admin_topo_port(n, to.tls), n->cport);
    if (n->hostname[0] != '\0')
        admin_text_printf(out, ",%s", n->hostname);
    admin_text_put(out, " ", 1);
    put_flags(out, n->flags);
    if (n->master != HS_TOPO_NONE)
        admin_text_printf(out, " %.*s", HS_ID_LEN, t->nodes[n->master].id.hex);
    else
        admin_text_put(out, " -", 2);
    admin_text_printf(out, " %" PRId64 " %" PRId64 " %" PRIu64 " %s", n->ping_sent_ms,
                      n->pong_received_ms, hs_topo_epoch(t, node),
                      myself || n->link_to_ms != 0 ? "connected" : "disconnected");
    for (int32_t i = r->head[node]; i >= 0; i = r->v[i].next) {
        if (r->v[i].first == r->v[i].last)
            admin_text_printf(out, " %u", r->v[i].first);
        else
            admin_text_printf(out, " %u-%u", r->v[i].first, r->v[i].last);
    }
    if (myself)
        put_open(out, t);
}

bool admin_nodes_text(struct text *out, const struct hs_topo *t, struct reader to)
{
    struct ranges r;
    if (!admin_ranges_init(&r, t))
        return false;
    for (uint32_t i = 0; i < t->nodes_n; i++) {
        admin_nodes_line(out, t, i, &r, to);
        admin_text_put(out, "\n", 1);
    }
    admin_ranges_fini(&r);
    return !out->failed;
}

/* One line per type that was seen, then the sum. */
static void put_messages(struct text *out, const uint64_t *counts, const char *way)
{
    uint64_t sum = 0;
    for (uint16_t type = 0; type < HS_MSG_TYPES; type++) {
        sum += counts[type];
        if (counts[type] > 0)
            admin_text_printf(out, "cluster_stats_messages_%s_%s:%" PRIu64 "\r\n",
                              hs_wire_type_name(type), way, counts[type]);
    }
    admin_text_printf(out, "cluster_stats_messages_%s:%" PRIu64 "\r\n", way, sum);
}

void admin_cluster_info_text(struct text *out, const struct call *c)
{
    const struct hs_topo *t = c->view->topo;
    admin_text_printf(out,
                      "cluster_state:%s\r\ncluster_slots_assigned:%u\r\ncluster_slots_ok:%u\r\n"
                      "cluster_slots_pfail:%u\r\ncluster_slots_fail:%u\r\n",
                      t->ok ? "ok" : "fail", t->slots_assigned, t->slots_ok, t->slots_pfail,
                      t->slots_fail);
    admin_text_printf(out,
                      "cluster_known_nodes:%u\r\ncluster_size:%u\r\n"
                      "cluster_current_epoch:%" PRIu64 "\r\ncluster_my_epoch:%" PRIu64 "\r\n",
                      t->nodes_n, t->size, t->current_epoch, hs_topo_epoch(t, 0));
    put_messages(out, t->sent, "sent");
    put_messages(out, t->received, "received");
    admin_text_printf(out, "total_cluster_links_buffer_limit_exceeded:%" PRIu64 "\r\n",
                      admin_net_counter(c, "links_over_limit"));
}
