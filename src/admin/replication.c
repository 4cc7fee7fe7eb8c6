/* replication.c - ROLE and INFO replication, told from the cluster's view.
 *
 * No data flows between a hearsay master and its replicas. What these replies
 * stand for is the bus: a replica is connected while our link to it is up, its
 * offset is the one in its last header, and its lag the time since its last PONG. */
#include "admin_int.h"

#include <inttypes.h>

static bool is_attached(const struct hs_topo_node *n)
{
    return n->master == 0 && (n->flags & HS_NODE_FAIL) == 0 && n->link_to_ms != 0;
}

static uint32_t attached_n(const struct hs_topo *t)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i < t->nodes_n; i++)
        n += is_attached(&t->nodes[i]);
    return n;
}

/* Our master, or NULL while it is unknown. */
static const struct hs_topo_node *our_master(const struct hs_topo *t)
{
    return t->nodes[0].master != HS_TOPO_NONE ? &t->nodes[t->nodes[0].master] : NULL;
}

static bool is_up(const struct hs_topo_node *master)
{
    return master != NULL && master->link_to_ms != 0;
}

/* Seconds since a node answered, -1 if it never did. */
static int64_t silent_s(const struct hs_topo_node *n)
{
    if (n == NULL || n->pong_received_ms == 0)
        return -1;
    int64_t ms = admin_now_ms() - n->pong_received_ms;
    return ms > 0 ? ms / 1000 : 0;
}

static void put_master(struct hs_resp_sink *out, const struct hs_topo *t, bool tls)
{
    char number[24];
    hs_resp_array(out, 3);
    hs_resp_bulk_str(out, "master");
    hs_resp_int(out, t->nodes[0].repl_offset);
    hs_resp_array(out, attached_n(t));
    for (uint32_t i = 1; i < t->nodes_n; i++) {
        const struct hs_topo_node *n = &t->nodes[i];
        if (!is_attached(n))
            continue;
        hs_resp_array(out, 3);
        hs_resp_bulk_str(out, n->ip);
        snprintf(number, sizeof(number), "%u", admin_topo_port(n, tls));
        hs_resp_bulk_str(out, number);
        snprintf(number, sizeof(number), "%" PRId64, n->repl_offset);
        hs_resp_bulk_str(out, number);
    }
}

void admin_cmd_role(struct call *c)
{
    const struct hs_topo *t = c->view->topo;
    if ((t->nodes[0].flags & HS_NODE_SLAVE) == 0) {
        put_master(c->out, t, c->s->info.tls);
        return;
    }
    const struct hs_topo_node *master = our_master(t);
    hs_resp_array(c->out, 5);
    hs_resp_bulk_str(c->out, "slave");
    hs_resp_bulk_str(c->out, master != NULL ? master->ip : "");
    hs_resp_int(c->out, master != NULL ? admin_topo_port(master, c->s->info.tls) : 0);
    hs_resp_bulk_str(c->out, is_up(master) ? "connected" : "connect");
    hs_resp_int(c->out, t->nodes[0].repl_offset);
}

static void put_slave_lines(struct text *out, const struct hs_topo *t, bool tls)
{
    const struct hs_topo_node *master = our_master(t);
    int64_t offset = t->nodes[0].repl_offset;
    admin_text_printf(
        out,
        "master_host:%s\r\nmaster_port:%u\r\nmaster_link_status:%s\r\n"
        "master_last_io_seconds_ago:%" PRId64 "\r\nmaster_sync_in_progress:0\r\n"
        "slave_read_repl_offset:%" PRId64 "\r\nslave_repl_offset:%" PRId64 "\r\n",
        master != NULL ? master->ip : "", master != NULL ? admin_topo_port(master, tls) : 0,
        is_up(master) ? "up" : "down", is_up(master) ? silent_s(master) : -1, offset, offset);
    if (!is_up(master))
        admin_text_printf(out, "master_link_down_since_seconds:%" PRId64 "\r\n", silent_s(master));
    admin_text_printf(out, "slave_priority:100\r\nslave_read_only:1\r\nreplica_announced:1\r\n");
}

void admin_info_replication(struct text *out, struct call *c)
{
    const struct hs_topo *t = c->view->topo;
    bool slave = (t->nodes[0].flags & HS_NODE_SLAVE) != 0;
    uint32_t shown = 0;
    admin_text_printf(out, "role:%s\r\n", slave ? "slave" : "master");
    if (slave)
        put_slave_lines(out, t, c->s->info.tls);
    admin_text_printf(out, "connected_slaves:%u\r\n", attached_n(t));
    for (uint32_t i = 1; i < t->nodes_n; i++)
        if (is_attached(&t->nodes[i]))
            admin_text_printf(
                out, "slave%u:ip=%s,port=%u,state=online,offset=%" PRId64 ",lag=%" PRId64 "\r\n",
                shown++, t->nodes[i].ip, admin_topo_port(&t->nodes[i], c->s->info.tls),
                t->nodes[i].repl_offset, silent_s(&t->nodes[i]));
    admin_text_printf(out,
                      "master_failover_state:no-failover\r\nmaster_replid:%s\r\n"
                      "master_replid2:0000000000000000000000000000000000000000\r\n"
                      "master_repl_offset:%" PRId64 "\r\nsecond_repl_offset:-1\r\n"
                      "repl_backlog_active:0\r\n",
                      c->a->run_id, t->nodes[0].repl_offset);
}
