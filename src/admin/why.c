/* why.c - HEARSAY WHY, LINKS and TOPOLOGY: the view, explained.
 *
 * All but the accusers of a node stands in the published view. Those are asked
 * of the owner, which walks one row of the core's table. */
#include "admin_int.h"

#include <inttypes.h>

static void put_str(struct hs_resp_sink *out, const char *key, const char *value)
{
    hs_resp_bulk_str(out, key);
    hs_resp_bulk_str(out, value);
}

static void put_int(struct hs_resp_sink *out, const char *key, int64_t value)
{
    hs_resp_bulk_str(out, key);
    hs_resp_int(out, value);
}

static void put_id(struct hs_resp_sink *out, const char *key, const struct hs_node_id *id)
{
    hs_resp_bulk_str(out, key);
    hs_resp_bulk(out, id->hex, HS_ID_LEN);
}

/* Milliseconds ago; null for never. */
static void put_ago(struct hs_resp_sink *out, const char *key, int64_t at_ms, int64_t now_ms)
{
    hs_resp_bulk_str(out, key);
    if (at_ms == 0)
        hs_resp_null(out);
    else
        hs_resp_int(out, at_ms < now_ms ? now_ms - at_ms : 0);
}

static void put_node(struct hs_resp_sink *out, const struct hs_topo_node *n) /* 3 pairs */
{
    char address[HS_IP_LEN + 16];
    put_id(out, "node", &n->id);
    put_str(out, "name", n->nodename);
    snprintf(address, sizeof(address), "%s:%u@%u", n->ip, n->port != 0 ? n->port : n->tls_port,
             n->cport);
    put_str(out, "address", address);
}

static void put_rtt(struct hs_resp_sink *out, const char *key, const struct hs_topo_node *n,
                    double ms)
{
    hs_resp_bulk_str(out, key);
    if (n->has_rtt)
        hs_resp_double(out, ms);
    else
        hs_resp_null(out);
}

enum { LINK_PAIRS = 9 };

static void put_link(struct hs_resp_sink *out, const struct hs_topo_node *n, int64_t now_ms,
                     int64_t timeout_ms)
{
    static const char *const one_way[] = {
        [HS_ONE_WAY_NO] = "no", [HS_ONE_WAY_TO] = "to", [HS_ONE_WAY_FROM] = "from"};
    put_ago(out, "to-up-ms", n->link_to_ms, now_ms);
    put_ago(out, "from-up-ms", n->link_from_ms, now_ms);
    put_ago(out, "heard-to-ms", n->heard_to_ms, now_ms);
    put_ago(out, "heard-from-ms", n->heard_from_ms, now_ms);
    put_ago(out, "unanswered-ms", n->ping_sent_ms, now_ms);
    put_rtt(out, "rtt-ms", n, n->rtt_ms);
    put_rtt(out, "rtt-min-ms", n, n->rtt_min_ms);
    put_rtt(out, "rtt-smoothed-ms", n, (double)n->rtt_smooth_8 / 8);
    put_str(out, "one-way", one_way[hs_topo_one_way(n, now_ms, timeout_ms)]);
}

void admin_hearsay_links(struct call *c)
{
    const struct hs_topo *t = c->view->topo;
    size_t n = 0;
    for (uint32_t i = 1; i < t->nodes_n; i++)
        n += (t->nodes[i].flags & HS_NODE_HANDSHAKE) == 0;
    hs_resp_array(c->out, n);
    for (uint32_t i = 1; i < t->nodes_n; i++) {
        if ((t->nodes[i].flags & HS_NODE_HANDSHAKE) != 0)
            continue;
        hs_resp_map(c->out, 3 + LINK_PAIRS);
        put_node(c->out, &t->nodes[i]);
        put_link(c->out, &t->nodes[i], t->taken_ms, c->view->conf.node_timeout_ms);
    }
}

/* ---- WHY ---- */

struct question {
    const struct hs_topo *topo;
    const struct hs_topo_node *node;
    int64_t now_ms, timeout_ms;
    uint32_t others_n, ours, needed; /* who accuses it: other voters, we as one */
};

static bool is_voter(const struct hs_topo_node *n)
{
    return (n->flags & HS_NODE_MASTER) != 0 && n->slots_n > 0;
}

static uint32_t missing(const struct question *q)
{
    uint32_t have = q->others_n + q->ours;
    return have < q->needed ? q->needed - have : 0;
}

static void explain_fail(const struct question *q, char *buf, size_t n)
{
    const struct hs_topo_node *node = q->node;
    int64_t left_ms = node->fail_ms + 2 * q->timeout_ms - q->now_ms;
    bool answers = node->ping_sent_ms == 0 && node->heard_to_ms > node->fail_ms;
    if (answers && is_voter(node) && left_ms > 0)
        snprintf(buf, n,
                 "FAIL stays for %" PRId64 " ms more although it answers: it is a master with "
                 "slots, and a failover may be under way",
                 left_ms);
    else if (answers)
        snprintf(buf, n, "FAIL is lifted with its next answer");
    else if (node->link_to_ms == 0)
        snprintf(buf, n,
                 "FAIL stays: no connection to it can be made. It is lifted when it answers a "
                 "ping of this node");
    else
        snprintf(buf, n,
                 "FAIL stays: it is connected but does not answer. It is lifted when it answers a "
                 "ping of this node");
}

static void explain(const struct question *q, char *buf, size_t n)
{
    if ((q->node->flags & HS_NODE_MYSELF) != 0)
        snprintf(buf, n, "this is the node you ask");
    else if ((q->node->flags & HS_NODE_FAIL) != 0)
        explain_fail(q, buf, n);
    else if ((q->node->flags & HS_NODE_PFAIL) != 0 && missing(q) > 0)
        snprintf(buf, n,
                 "suspected here, not FAIL: %u more of the %u masters with slots have to say so "
                 "within two node timeouts",
                 missing(q), q->topo->size);
    else if ((q->node->flags & HS_NODE_PFAIL) != 0)
        snprintf(buf, n, "suspected here; enough say so, FAIL follows with the next report");
    else if (q->others_n > 0)
        snprintf(buf, n, "not suspected here: it answers this node, so others' reports wait");
    else
        snprintf(buf, n, "nobody doubts it");
}

static void put_accuser(struct hs_resp_sink *out, const struct question *q,
                        const struct hs_accuser *a)
{
    uint16_t ix = hs_topo_find(q->topo, &a->id);
    hs_resp_map(out, 4);
    put_id(out, "node", &a->id);
    put_str(out, "name", ix != HS_TOPO_NONE ? q->topo->nodes[ix].nodename : "");
    put_ago(out, "since-ms", a->since_ms, q->now_ms);
    put_ago(out, "last-ms", a->last_ms, q->now_ms);
}

static const char *state_of(const struct hs_topo_node *n)
{
    if ((n->flags & HS_NODE_FAIL) != 0)
        return "fail";
    return (n->flags & HS_NODE_PFAIL) != 0 ? "pfail" : "ok";
}

static void put_why(struct hs_resp_sink *out, const struct question *q, const struct hs_accuser *v,
                    uint32_t v_n)
{
    const uint16_t down = HS_NODE_PFAIL | HS_NODE_FAIL;
    const struct hs_topo_node *n = q->node;
    char text[256];
    explain(q, text, sizeof(text));
    hs_resp_map(out, 3 + 9 + 2);
    put_node(out, n);
    put_str(out, "role", (n->flags & HS_NODE_SLAVE) != 0 ? "replica" : "master");
    put_str(out, "state", state_of(n));
    put_str(out, "why", text);
    put_ago(out, "pfail-since-ms", (n->flags & down) != 0 ? n->pfail_ms : 0, q->now_ms);
    put_ago(out, "fail-since-ms", (n->flags & HS_NODE_FAIL) != 0 ? n->fail_ms : 0, q->now_ms);
    put_int(out, "voters", q->topo->size);
    put_int(out, "quorum", q->needed);
    put_int(out, "accusations", q->others_n + q->ours);
    put_int(out, "missing", (n->flags & HS_NODE_FAIL) != 0 ? 0 : missing(q));
    hs_resp_bulk_str(out, "accusers");
    hs_resp_array(out, v_n);
    for (uint32_t i = 0; i < v_n; i++)
        put_accuser(out, q, &v[i]);
    hs_resp_bulk_str(out, "link");
    hs_resp_map(out, LINK_PAIRS);
    put_link(out, n, q->now_ms, q->timeout_ms);
}

static void answer_why(struct hs_resp_sink *out, struct session *s, struct admin_request *r)
{
    const uint16_t down = HS_NODE_PFAIL | HS_NODE_FAIL;
    struct hs_snapshot *snapshot = s->admin->conf.snapshot;
    const struct hs_published *view = hs_snapshot_begin(snapshot, s->info.reactor);
    const struct hs_topo *t = view->topo;
    uint16_t ix = hs_topo_find(t, &r->base.cmd.id);
    if (ix == HS_TOPO_NONE) {
        admin_error(s, "ERR Unknown node %s", r->text);
    } else {
        const struct hs_topo_node *n = &t->nodes[ix];
        struct question q = {
            .topo = t,
            .node = n,
            .now_ms = t->taken_ms,
            .timeout_ms = view->conf.node_timeout_ms,
            .others_n = (uint32_t)r->base.number,
            .ours = (n->flags & down) != 0 && is_voter(&t->nodes[0]),
            .needed = t->size / 2 + 1,
        };
        uint32_t told = q.others_n < r->base.accusers_max ? q.others_n : r->base.accusers_max;
        put_why(out, &q, r->base.accusers, told);
    }
    hs_snapshot_end(snapshot, s->info.reactor);
}

void admin_hearsay_why(struct call *c)
{
    const struct hs_topo *t = c->view->topo;
    uint16_t ix = admin_arg_node(t, &c->argv[2]);
    char id[64];
    if (ix == HS_TOPO_NONE) {
        admin_error(c->s, "ERR Unknown node %s", admin_arg_text(&c->argv[2], id, sizeof(id)));
        return;
    }
    struct hs_accuser *accusers = hs_alloc(t->nodes_n * sizeof(*accusers));
    struct admin_request *r = accusers != NULL ? admin_request_new(c, HS_REQ_ACCUSERS) : NULL;
    if (r == NULL) {
        if (accusers == NULL)
            admin_error(c->s, "ERR out of memory");
        hs_free(accusers);
        return;
    }
    r->base.accusers = accusers;
    r->base.accusers_max = t->nodes_n;
    r->base.cmd.id = t->nodes[ix].id;
    admin_arg_text(&c->argv[2], r->text, sizeof(r->text));
    r->answer = answer_why;
}

/* ---- TOPOLOGY ---- */

static void put_hash(struct hs_resp_sink *out, const struct hs_topo *t)
{
    char hex[17];
    snprintf(hex, sizeof(hex), "%016" PRIx64, hs_topo_hash(t));
    hs_resp_bulk_str(out, hex);
}

/* The changes are the journal's: they may be told again by a later SINCE, but
 * none is left out. */
static void put_changes(struct call *c, uint64_t since, uint64_t newest)
{
    struct hs_told told;
    struct text list = {0};
    struct hs_resp_sink out = admin_text_sink(&list, c->out->proto);
    uint64_t lost = 0;
    size_t n = 0;
    while (since < newest && hs_watch_next(c->a->conf.watch, &since, &told, &lost)) {
        hs_resp_array(&out, 4);
        hs_resp_int(&out, (int64_t)told.seq);
        hs_resp_int(&out, told.at_ms);
        hs_resp_bulk_str(&out, hs_told_row(told.kind)->name);
        hs_resp_bulk_str(&out, told.text);
        n++;
    }
    bool whole = lost == 0 && !list.failed;
    hs_resp_bulk_str(c->out, "full");
    hs_resp_bool(c->out, !whole);
    hs_resp_bulk_str(c->out, "changes");
    hs_resp_array(c->out, whole ? n : 0);
    if (whole && n > 0)
        c->out->put(c->out->ctx, list.p, list.n);
    admin_text_free(&list);
}

static void topology_since(struct call *c)
{
    int64_t since;
    if (!admin_call_int(c, &c->argv[3], &since))
        return;
    uint64_t newest = hs_watch_newest(c->a->conf.watch);
    bool known = since >= 0 && (uint64_t)since >= hs_watch_oldest(c->a->conf.watch) &&
                 (uint64_t)since <= newest;
    hs_resp_map(c->out, 4);
    put_int(c->out, "version", (int64_t)newest);
    hs_resp_bulk_str(c->out, "hash");
    put_hash(c->out, c->view->topo);
    if (known) {
        put_changes(c, (uint64_t)since, newest);
        return;
    }
    hs_resp_bulk_str(c->out, "full");
    hs_resp_bool(c->out, true);
    hs_resp_bulk_str(c->out, "changes");
    hs_resp_array(c->out, 0);
}

void admin_hearsay_topology(struct call *c)
{
    if (c->argc == 3 && admin_arg_is(&c->argv[2], "hash"))
        put_hash(c->out, c->view->topo);
    else if (c->argc == 4 && admin_arg_is(&c->argv[2], "since"))
        topology_since(c);
    else
        admin_sub_syntax(c);
}
