/* cluster_read.c - CLUSTER subcommands that only look, and that differ by their
 * arguments or are short; rendered.c has the others. */
#include "admin_int.h"

static void out_of_memory(struct call *c)
{
    admin_error(c->s, "ERR out of memory");
}

void admin_cluster_info(struct call *c)
{
    struct text out = {0};
    admin_cluster_info_text(&out, c);
    if (out.failed)
        out_of_memory(c);
    else
        hs_resp_verbatim(c->out, out.p, out.n);
    admin_text_free(&out);
}

static void put_link(struct call *c, const struct hs_topo_node *n, bool to)
{
    struct hs_conn_id id = {.ix = n->link_from.ix, .gen = n->link_from.gen};
    if (to)
        id = (struct hs_conn_id){.ix = n->link_to.ix, .gen = n->link_to.gen};
    int64_t unsent = (int64_t)hs_net_unsent(*c->a->conf.net, id);
    struct hs_resp_sink *out = c->out;
    hs_resp_map(out, 6);
    hs_resp_bulk_str(out, "direction");
    hs_resp_bulk_str(out, to ? "to" : "from");
    hs_resp_bulk_str(out, "node");
    hs_resp_bulk(out, n->id.hex, HS_ID_LEN);
    hs_resp_bulk_str(out, "create-time");
    hs_resp_int(out, to ? n->link_to_ms : n->link_from_ms);
    hs_resp_bulk_str(out, "events");
    hs_resp_bulk_str(out, unsent > 0 ? "rw" : "r");
    hs_resp_bulk_str(out, "send-buffer-allocated");
    hs_resp_int(out, unsent);
    hs_resp_bulk_str(out, "send-buffer-used");
    hs_resp_int(out, unsent);
}

void admin_cluster_links(struct call *c)
{
    const struct hs_topo *t = c->view->topo;
    size_t n = 0;
    for (uint32_t i = 0; i < t->nodes_n; i++)
        n += (t->nodes[i].link_to_ms != 0) + (size_t)(t->nodes[i].link_from_ms != 0);
    hs_resp_array(c->out, n);
    for (uint32_t i = 0; i < t->nodes_n; i++) {
        if (t->nodes[i].link_to_ms != 0)
            put_link(c, &t->nodes[i], true);
        if (t->nodes[i].link_from_ms != 0)
            put_link(c, &t->nodes[i], false);
    }
}

static void put_replicas(struct call *c, uint16_t master, const struct ranges *r)
{
    const struct hs_topo *t = c->view->topo;
    struct text line = {0};
    size_t n = 0;
    for (uint32_t i = 0; i < t->nodes_n; i++)
        n += t->nodes[i].master == master;
    hs_resp_array(c->out, n);
    for (uint32_t i = 0; i < t->nodes_n; i++) {
        if (t->nodes[i].master != master)
            continue;
        line.n = 0;
        admin_nodes_line(&line, t, i, r, admin_reader(c->s, c->view));
        hs_resp_bulk(c->out, line.p, line.n);
    }
    admin_text_free(&line);
}

void admin_cluster_replicas(struct call *c)
{
    const struct hs_topo *t = c->view->topo;
    uint16_t master = admin_arg_node(t, &c->argv[2]);
    char id[64];
    struct ranges r;
    if (master == HS_TOPO_NONE) {
        admin_error(c->s, "ERR Unknown node %s", admin_arg_text(&c->argv[2], id, sizeof(id)));
        return;
    }
    if ((t->nodes[master].flags & HS_NODE_SLAVE) != 0) {
        admin_error(c->s, "ERR The specified node is not a master");
        return;
    }
    if (!admin_ranges_init(&r, t)) {
        out_of_memory(c);
        return;
    }
    put_replicas(c, master, &r);
    admin_ranges_fini(&r);
}

void admin_cluster_myid(struct call *c)
{
    hs_resp_bulk(c->out, c->view->topo->nodes[0].id.hex, HS_ID_LEN);
}

void admin_cluster_myshardid(struct call *c)
{
    hs_resp_bulk(c->out, c->view->topo->nodes[0].shard_id, HS_ID_LEN);
}

void admin_cluster_keyslot(struct call *c)
{
    hs_resp_int(c->out, admin_key_slot(c->argv[2].p, c->argv[2].n));
}

void admin_cluster_countkeysinslot(struct call *c)
{
    int64_t slot;
    if (!admin_call_int(c, &c->argv[2], &slot))
        return;
    if (slot < 0 || slot >= HS_SLOTS)
        admin_error(c->s, "ERR Invalid slot");
    else
        hs_resp_int(c->out, 0);
}

void admin_cluster_getkeysinslot(struct call *c)
{
    int64_t slot;
    int64_t keys;
    if (!admin_call_int(c, &c->argv[2], &slot) || !admin_call_int(c, &c->argv[3], &keys))
        return;
    if (slot < 0 || slot >= HS_SLOTS || keys < 0)
        admin_error(c->s, "ERR Invalid slot or number of keys");
    else
        hs_resp_array(c->out, 0);
}

void admin_cluster_help(struct call *c)
{
    admin_help(c, "CLUSTER", admin_cluster_subs);
}
