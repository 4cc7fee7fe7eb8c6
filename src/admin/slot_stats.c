/* slot_stats.c - CLUSTER SLOT-STATS, as Valkey 8 has it with cluster-slot-stats-enabled
 * no: key-count is the one metric. It is 0 everywhere, and what the others measure,
 * commands on keys, is never carried out here. */
#include "admin_int.h"

/* A replica answers for the slots of its master. */
static bool is_of_our_shard(const struct hs_topo *t, uint32_t slot)
{
    uint16_t owner = t->owner[slot];
    return owner != HS_TOPO_NONE && (owner == 0 || owner == t->nodes[0].master);
}

/* Slots of our shard in [first, last], at most `limit`. As all counts are equal,
 * every order by them is the order of the slots. */
static void put_stats(struct call *c, uint32_t first, uint32_t last, uint32_t limit)
{
    const struct hs_topo *t = c->view->topo;
    uint32_t ours = 0;
    for (uint32_t slot = first; slot <= last; slot++)
        ours += is_of_our_shard(t, slot);
    uint32_t left = ours < limit ? ours : limit;
    hs_resp_array(c->out, left);
    for (uint32_t slot = first; slot <= last && left > 0; slot++) {
        if (!is_of_our_shard(t, slot))
            continue;
        left--;
        hs_resp_array(c->out, 2);
        hs_resp_int(c->out, slot);
        hs_resp_map(c->out, 1);
        hs_resp_bulk_str(c->out, "key-count");
        hs_resp_int(c->out, 0);
    }
}

static void by_range(struct call *c)
{
    uint16_t first;
    uint16_t last;
    if (!admin_arg_slot(&c->argv[3], &first) || !admin_arg_slot(&c->argv[4], &last))
        admin_error(c->s, "ERR Invalid or out of range slot");
    else if (first > last)
        admin_error(c->s, "ERR Start slot number %u is greater than end slot number %u", first,
                    last);
    else
        put_stats(c, first, last, HS_SLOTS);
}

/* [LIMIT n] [ASC|DESC]; false after an error reply. */
static bool read_filters(struct call *c, int64_t *limit)
{
    uint32_t limits_n = 0;
    uint32_t orders_n = 0;
    for (size_t i = 4; i < c->argc; i++) {
        if (admin_arg_is(&c->argv[i], "limit") && i + 1 < c->argc) {
            limits_n++;
            if (!admin_arg_int(&c->argv[++i], limit) || *limit < 1 || *limit > HS_SLOTS) {
                admin_error(c->s, "ERR Limit has to lie in between 1 and 16384 (maximum number of "
                                  "slots).");
                return false;
            }
        } else if (admin_arg_is(&c->argv[i], "asc") || admin_arg_is(&c->argv[i], "desc")) {
            orders_n++;
        } else {
            admin_syntax(c);
            return false;
        }
        if (limits_n > 1 || orders_n > 1) {
            admin_error(c->s, "ERR Multiple filters of the same type are disallowed.");
            return false;
        }
    }
    return true;
}

static void by_order(struct call *c)
{
    int64_t limit = HS_SLOTS;
    if (!admin_arg_is(&c->argv[3], "key-count"))
        admin_error(c->s, "ERR Unrecognized sort metric for ORDERBY.");
    else if (read_filters(c, &limit))
        put_stats(c, 0, HS_SLOTS - 1, (uint32_t)limit);
}

void admin_cluster_slot_stats(struct call *c)
{
    if (c->argc == 5 && admin_arg_is(&c->argv[2], "slotsrange"))
        by_range(c);
    else if (c->argc >= 4 && admin_arg_is(&c->argv[2], "orderby"))
        by_order(c);
    else
        admin_sub_syntax(c);
}
