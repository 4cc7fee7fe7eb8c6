/* A client session fed with anything: no input crashes it, and every request to
 * the owner is answered with whatever verdict the input chooses. */
#include "hearsay/admin.h"

#include "hearsay/topo.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { NODES = 3 };

struct hs_outbuf {
    uint64_t bytes;
};

void hs_outbuf_put(struct hs_outbuf *b, const void *p, size_t n)
{
    /* Read every byte, so that the sanitizer sees what is sent. */
    const unsigned char *byte = p;
    for (size_t i = 0; i < n; i++)
        b->bytes += byte[i] < 128;
}

void hs_outbuf_share(struct hs_outbuf *b, struct hs_shared *s)
{
    hs_outbuf_put(b, s->bytes, s->len);
}

void hs_shared_release(struct hs_shared *s)
{
    if (--s->refs == 0)
        s->last(s);
}

uint32_t hs_client_cut(struct hs_net *n, uint32_t reactor, const struct hs_shared *s)
{
    (void)n;
    (void)reactor;
    (void)s;
    return 0;
}

bool hs_client_push(struct hs_net *n, struct hs_conn_id conn, const void *p, size_t len)
{
    (void)n;
    (void)conn;
    (void)p;
    (void)len;
    return true;
}

void hs_net_set_subscribers(struct hs_net *n, uint32_t reactor, bool any)
{
    (void)n;
    (void)reactor;
    (void)any;
}

bool hs_client_kill(struct hs_net *n, struct hs_conn_id conn)
{
    (void)n;
    (void)conn;
    return false;
}

uint64_t hs_net_unsent(const struct hs_net *n, struct hs_conn_id conn)
{
    (void)n;
    return conn.ix;
}

void hs_net_wake(struct hs_net *n, uint32_t reactor)
{
    (void)n;
    (void)reactor;
}

uint32_t hs_net_counters(const struct hs_net *n, const char *const **names, uint64_t *values,
                         uint32_t max)
{
    (void)n;
    (void)values;
    (void)max;
    *names = NULL;
    return 0;
}

static void keep(void *p)
{
    (void)p;
}

static struct hs_topo *make_topo(void)
{
    struct hs_topo *t = hs_topo_create(NODES, 1, 64);
    if (t == NULL)
        abort();
    for (uint32_t i = 0; i < NODES; i++) {
        struct hs_topo_node *x = &t->nodes[i];
        memset(x->id.hex, (int)('a' + i), HS_ID_LEN);
        memset(x->shard_id, '0', HS_ID_LEN);
        strcpy(x->ip, "127.0.0.1");
        x->port = 7000;
        x->flags = i == 0 ? HS_NODE_MYSELF | HS_NODE_MASTER : HS_NODE_MASTER;
        x->master = HS_TOPO_NONE;
        x->hostname = x->nodename = x->client_ipv4 = x->client_ipv6 = "";
    }
    t->nodes_n = NODES;
    t->ok = true;
    for (uint32_t s = 0; s < HS_SLOTS; s++)
        t->owner[s] = s < 8000 ? 0 : s < 16000 ? 1 : HS_TOPO_NONE;
    t->migrating[0] = (struct hs_topo_open){.slot = 5, .node = 2};
    t->migrating_n = 1;
    return t;
}

static void feed(const struct hs_client_ops *ops, void *session, const uint8_t *p, size_t n,
                 unsigned verdict)
{
    struct hs_outbuf out = {0};
    void *request = NULL;
    enum hs_client_verdict v = ops->feed(session, p, n, &out, &request);
    while (v == HS_CLIENT_WAIT) {
        struct hs_request *r = request;
        r->err = (enum hs_cmd_err)(verdict % (HS_CMD_ERR_TABLE_FULL + 1));
        r->number = verdict;
        ops->reply(session, r, &out);
        request = NULL;
        v = ops->feed(session, NULL, 0, &out, &request);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct hs_published view;
    static struct hs_snapshot *snapshot;
    static struct hs_admin *admin;
    static struct hs_net *no_net;
    if (n < 2)
        return 0;
    if (admin == NULL) {
        view.topo = make_topo();
        hs_conf_defaults(&view.conf);
        snapshot = hs_snapshot_create(1, keep);
        hs_snapshot_publish(snapshot, &view);
        struct hs_watch *watch =
            hs_watch_create(&(struct hs_watch_conf){.snapshot = snapshot, .nodes_max = 16});
        admin = hs_admin_create(&(struct hs_admin_conf){.snapshot = snapshot,
                                                        .reactors = 1,
                                                        .config_file = "",
                                                        .executable = "",
                                                        .net = &no_net,
                                                        .watch = watch});
    }
    view.conf.enable_debug_command = (data[0] & 1) != 0;
    strcpy(view.conf.requirepass, (data[0] & 2) != 0 ? "a" : "");
    view.topo->nodes[0].flags =
        (data[0] & 4) != 0 ? HS_NODE_MYSELF | HS_NODE_SLAVE : HS_NODE_MYSELF | HS_NODE_MASTER;
    view.topo->nodes[0].master = (data[0] & 4) != 0 ? 1 : HS_TOPO_NONE;
    view.version++;
    struct hs_client_ops ops = hs_admin_ops(admin);
    struct hs_outbuf out = {0};
    void *session = ops.open(ops.ctx, &(struct hs_client_info){.loopback = true}, &out);
    size_t half = 2 + (n - 2) / 2;
    feed(&ops, session, data + 2, half - 2, data[1]);
    feed(&ops, session, data + half, n - half, data[1]);
    ops.close(session);
    return 0;
}
