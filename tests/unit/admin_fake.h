/* admin_fake.h - a client of the client port, without net or owner: bytes go in
 * through the ops, replies come back as text, and the test plays the owner. */
#ifndef ADMIN_FAKE_H
#define ADMIN_FAKE_H

#include "admin_int.h"
#include "hs_test.h"

#include <stdarg.h>

enum { FAKE_OUT_MAX = 4 * 1024 * 1024 };

struct hs_outbuf {
    char *p;
    size_t n;
};

void hs_outbuf_put(struct hs_outbuf *b, const void *p, size_t n)
{
    ck_assert(b->n + n < FAKE_OUT_MAX);
    memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
}

enum { FAKE_PUSHES_MAX = 64, FAKE_KILLS_MAX = 8, FAKE_SHARED_MAX = 128 };

struct fake {
    struct hs_published view; /* what the session sees; version counts changes */
    struct hs_topo *topo;
    struct hs_snapshot *snapshot;
    struct hs_watch *watch;
    struct hs_admin *admin;
    struct hs_client_ops ops;
    struct hs_outbuf out;
    void *session;
    enum hs_client_verdict verdict;
    /* the owner's part */
    enum hs_cmd_err err;
    int64_t number;
    bool hold; /* leave requests unanswered */
    struct admin_request *held;
    struct hs_cmd cmd; /* the last one asked for */
    enum hs_request_kind kind;
    struct hs_slot_range ranges[64];
    uint32_t requests_n;
    /* net's part */
    struct hs_net *net; /* never looked into */
    bool has_subscribers;
    uint32_t pushed_to[FAKE_PUSHES_MAX], pushes_n; /* connections, by ix */
    uint32_t killed[FAKE_KILLS_MAX], killed_n, wakes_n;
    bool slow; /* clients do not read what is shared with them */
    struct hs_shared *shared[FAKE_SHARED_MAX];
    uint32_t shared_n, cut_n; /* not read; and whose readers were closed */
};

static struct fake fake;

void hs_outbuf_share(struct hs_outbuf *b, struct hs_shared *s)
{
    hs_outbuf_put(b, s->bytes, s->len);
    if (!fake.slow)
        return;
    ck_assert_uint_lt(fake.shared_n, FAKE_SHARED_MAX);
    s->refs++;
    fake.shared[fake.shared_n++] = s;
}

void hs_shared_release(struct hs_shared *s)
{
    ck_assert_uint_gt(s->refs, 0);
    if (--s->refs == 0)
        s->last(s);
}

/* The one reader of the oldest; it goes at once. */
uint32_t hs_client_cut(struct hs_net *n, uint32_t reactor, const struct hs_shared *s)
{
    (void)n;
    ck_assert_uint_eq(reactor, 0);
    ck_assert_ptr_eq(s, fake.shared[fake.cut_n]);
    fake.cut_n++;
    return 1;
}

bool hs_client_push(struct hs_net *n, struct hs_conn_id conn, const void *p, size_t len)
{
    (void)n;
    ck_assert_uint_lt(fake.pushes_n, FAKE_PUSHES_MAX);
    fake.pushed_to[fake.pushes_n++] = conn.ix;
    hs_outbuf_put(&fake.out, p, len);
    return true;
}

void hs_net_set_subscribers(struct hs_net *n, uint32_t reactor, bool any)
{
    (void)n;
    ck_assert_uint_eq(reactor, 0);
    fake.has_subscribers = any;
}

bool hs_client_kill(struct hs_net *n, struct hs_conn_id conn)
{
    (void)n;
    ck_assert_uint_lt(fake.killed_n, FAKE_KILLS_MAX);
    fake.killed[fake.killed_n++] = conn.ix;
    return true;
}

uint64_t hs_net_unsent(const struct hs_net *n, struct hs_conn_id conn)
{
    (void)n;
    return conn.ix == 7 && conn.gen == 3 ? 4321 : 0;
}

void hs_net_wake(struct hs_net *n, uint32_t reactor)
{
    (void)n;
    ck_assert_uint_eq(reactor, 0);
    fake.wakes_n++;
}

uint32_t hs_net_counters(const struct hs_net *n, const char *const **names, uint64_t *values,
                         uint32_t max)
{
    static const char *const name = "wire_signature";
    (void)n;
    ck_assert_uint_gt(max, 0);
    *names = &name;
    values[0] = 23;
    return 1;
}

static void fake_publish_free(void *p)
{
    (void)p;
}

static void fake_id(struct hs_node_id *id, char digit)
{
    memset(id->hex, digit, HS_ID_LEN);
}

/* Three masters, one replica of the second, one handshake:
 * a (me) 1 300, b 100-199, c no slots, d replica of b, e in handshake. */
static struct hs_topo *fake_topo(void)
{
    static const uint16_t flags[] = {HS_NODE_MYSELF | HS_NODE_MASTER, HS_NODE_MASTER,
                                     HS_NODE_MASTER, HS_NODE_SLAVE, HS_NODE_HANDSHAKE};
    struct hs_topo *t = hs_topo_create(8, 4, 1024);
    ck_assert_ptr_nonnull(t);
    for (uint32_t i = 0; i < 5; i++) {
        struct hs_topo_node *n = &t->nodes[i];
        fake_id(&n->id, (char)('a' + i));
        memset(n->shard_id, i == 3 ? '1' : (char)('0' + i), HS_ID_LEN);
        strcpy(n->ip, "127.0.0.1");
        n->port = (uint16_t)(7000 + i);
        n->cport = (uint16_t)(17000 + i);
        n->flags = flags[i];
        n->master = i == 3 ? 1 : HS_TOPO_NONE;
        n->config_epoch = 5 + i;
        n->hostname = n->nodename = n->client_ipv4 = n->client_ipv6 = "";
        n->link_to_ms = i == 0 || i == 4 ? 0 : 1000 + i;
        n->link_from_ms = i == 1 ? 2000 : 0;
        n->pong_received_ms = i == 0 || i == 4 ? 0 : 5000 + i;
        n->repl_offset = i == 3 ? 55 : 0;
    }
    t->nodes_n = 5;
    t->owner[1] = t->owner[300] = 0;
    for (uint32_t s = 100; s < 200; s++)
        t->owner[s] = 1;
    t->nodes[0].slots_n = 2;
    t->nodes[1].slots_n = 100;
    t->current_epoch = 9;
    t->size = 2;
    t->ok = true;
    t->slots_assigned = t->slots_ok = 102;
    t->sent[HS_MSG_PING] = 3;
    t->sent[HS_MSG_PONG] = 5;
    t->received[HS_MSG_MEET] = 2;
    return t;
}

static void fake_open(void)
{
    static const struct hs_client_info info = {
        .peer = "127.0.0.1:5000", .local = "127.0.0.1:7000", .loopback = true};
    fake.session = fake.ops.open(fake.ops.ctx, &info, &fake.out);
}

static void fake_setup(void)
{
    memset(&fake, 0, sizeof(fake));
    fake.out.p = calloc(1, FAKE_OUT_MAX);
    fake.topo = fake_topo();
    fake.view.topo = fake.topo;
    fake.view.version = 1;
    hs_conf_defaults(&fake.view.conf);
    fake.snapshot = hs_snapshot_create(1, fake_publish_free);
    hs_snapshot_publish(fake.snapshot, &fake.view);
    fake.watch = hs_watch_create(
        &(struct hs_watch_conf){.snapshot = fake.snapshot, .reader = 0, .nodes_max = 8});
    fake.admin = hs_admin_create(&(struct hs_admin_conf){.snapshot = fake.snapshot,
                                                         .reactors = 1,
                                                         .clients_max = 10000,
                                                         .config_file = "",
                                                         .executable = "hearsayd",
                                                         .net = &fake.net,
                                                         .watch = fake.watch});
    fake.ops = hs_admin_ops(fake.admin);
    fake_open();
    ck_assert_ptr_nonnull(fake.session);
}

static void fake_teardown(void)
{
    if (fake.session != NULL)
        fake.ops.close(fake.session);
    hs_admin_destroy(fake.admin);
    hs_watch_destroy(fake.watch);
    hs_snapshot_destroy(fake.snapshot);
    hs_topo_destroy(fake.topo);
    free(fake.out.p);
}

static void fake_take(struct admin_request *r)
{
    fake.requests_n++;
    fake.cmd = r->base.cmd;
    fake.kind = r->base.kind;
    for (uint32_t i = 0; i < r->base.cmd.ranges_n && i < 64; i++)
        fake.ranges[i] = r->base.cmd.ranges[i];
    r->base.err = fake.err;
    r->base.number = fake.number;
}

/* Feeds bytes, answering requests as they come. */
static void fake_feed(const char *p, size_t n)
{
    void *request = NULL;
    fake.verdict = fake.ops.feed(fake.session, (const uint8_t *)p, n, &fake.out, &request);
    while (fake.verdict == HS_CLIENT_WAIT) {
        ck_assert_ptr_nonnull(request);
        fake_take(request);
        if (fake.hold) {
            fake.held = request;
            return;
        }
        fake.ops.reply(fake.session, request, &fake.out);
        request = NULL;
        fake.verdict = fake.ops.feed(fake.session, NULL, 0, &fake.out, &request);
    }
}

/* The reply to an inline command. */
static const char *fake_run(const char *line)
{
    fake.out.n = 0;
    fake.out.p[0] = '\0';
    fake_feed(line, strlen(line));
    fake_feed("\n", 1);
    return fake.out.p;
}

#define ck_reply(line, expected) ck_assert_str_eq(fake_run(line), expected)

/* That the reply is this error or simple string. */
static inline void ck_line(const char *line, const char *expected)
{
    const char *reply = fake_run(line);
    size_t n = strlen(expected);
    ck_assert_msg(strncmp(reply, expected, n) == 0 && strcmp(reply + n, "\r\n") == 0,
                  "%s: got %s instead of %s", line, reply, expected);
}

static inline Suite *fake_suite(const char *name, const TTest *const *tests, size_t n)
{
    Suite *s = suite_create(name);
    TCase *t = tcase_create(name);
    tcase_add_checked_fixture(t, fake_setup, fake_teardown);
    for (size_t i = 0; i < n; i++)
        tcase_add_test(t, tests[i]);
    suite_add_tcase(s, t);
    return s;
}

#endif
