/* families.c - metrics whose series depend on what there is: types, codes, names. */
#include "metrics_int.h"

#include <inttypes.h>

static void put_types(struct metrics_text *t, const struct metrics_row *row, const uint64_t *counts)
{
    for (uint16_t type = 0; type < HS_MSG_TYPES; type++)
        metrics_printf(t, "%s{type=\"%s\"} %" PRIu64 "\n", row->name, hs_wire_type_name(type),
                       counts[type]);
}

void metrics_put_messages_sent(struct metrics_text *t, const struct metrics_row *row,
                               const struct metrics_now *now)
{
    put_types(t, row, now->view->topo->sent);
}

void metrics_put_messages_received(struct metrics_text *t, const struct metrics_row *row,
                                   const struct metrics_now *now)
{
    put_types(t, row, now->view->topo->received);
}

void metrics_put_errors(struct metrics_text *t, const struct metrics_row *row,
                        const struct metrics_now *now)
{
    for (uint32_t code = 0; code < HS_ADMIN_ERROR_CODES; code++)
        metrics_printf(t, "%s{code=\"%s\"} %" PRIu64 "\n", row->name, hs_admin_error_code(code),
                       now->errors[code]);
}

void metrics_put_build(struct metrics_text *t, const struct metrics_row *row,
                       const struct metrics_now *now)
{
    (void)now;
    metrics_printf(t, "%s{version=\"%s\"} 1\n", row->name, HS_VERSION);
}

static bool is_replica(const struct hs_topo *t)
{
    return (t->nodes[0].flags & HS_NODE_SLAVE) != 0;
}

void metrics_put_instance(struct metrics_text *t, const struct metrics_row *row,
                          const struct metrics_now *now)
{
    metrics_printf(
        t, "%s{redis_mode=\"cluster\",redis_version=\"%s\",role=\"%s\",tcp_port=\"%u\"} 1\n",
        row->name, HS_ADMIN_REDIS_VERSION, is_replica(now->view->topo) ? "slave" : "master",
        now->view->conf.port);
}

void metrics_put_node(struct metrics_text *t, const struct metrics_row *row,
                      const struct metrics_now *now)
{
    const struct hs_topo *topo = now->view->topo;
    const struct hs_topo_node *me = &topo->nodes[0];
    metrics_printf(t, "%s{id=\"%.*s\",shard_id=\"%.*s\",role=\"%s\",nodename=\"", row->name,
                   HS_ID_LEN, me->id.hex, HS_ID_LEN, me->shard_id,
                   is_replica(topo) ? "replica" : "master");
    metrics_put_escaped(t, me->nodename);
    metrics_printf(t, "\",hostname=\"");
    metrics_put_escaped(t, me->hostname);
    metrics_printf(t, "\"} 1\n");
}

/* Each node in one state, the worst it is in. */
void metrics_put_nodes(struct metrics_text *t, const struct metrics_row *row,
                       const struct metrics_now *now)
{
    static const struct {
        const char *name;
        uint16_t flags;
    } states[] = {
        {"handshake", HS_NODE_HANDSHAKE}, {"fail", HS_NODE_FAIL}, {"pfail", HS_NODE_PFAIL},
        {"noaddr", HS_NODE_NOADDR},       {"ok", UINT16_MAX},
    };
    enum { STATES = sizeof(states) / sizeof(states[0]) };
    uint32_t n[STATES] = {0};
    const struct hs_topo *topo = now->view->topo;
    for (uint32_t i = 0; i < topo->nodes_n; i++) {
        int s = 0;
        while (s < STATES - 1 && (topo->nodes[i].flags & states[s].flags) == 0)
            s++;
        n[s]++;
    }
    for (int s = 0; s < STATES; s++)
        metrics_printf(t, "%s{state=\"%s\"} %u\n", row->name, states[s].name, n[s]);
}
