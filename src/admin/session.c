/* session.c - one client: its bytes in, its replies out, in order.
 *
 * Commands are taken from the parser one after the other. One that needs the
 * owner stops the session until the answer is there; what the client sent
 * meanwhile waits in the parser, so replies never overtake each other. The
 * published view is taken once per call from net and given back before it
 * returns. */
#include "admin_int.h"

#include <stdarg.h>
#include <stdlib.h>

static const char *const error_codes[HS_ADMIN_ERROR_CODES] = {
    "ERR",    "MOVED",     "ASK",     "CLUSTERDOWN", "CROSSSLOT", "TRYAGAIN",
    "NOAUTH", "WRONGPASS", "NOPROTO", "EXECABORT",   "LOADING",   "OTHER",
};

const char *hs_admin_error_code(uint32_t code)
{
    return error_codes[code];
}

static void count_error(struct reactor *r, const char *text)
{
    size_t n = strcspn(text, " ");
    uint32_t i = 0;
    while (i < HS_ADMIN_ERROR_CODES - 1 &&
           (strlen(error_codes[i]) != n || memcmp(error_codes[i], text, n) != 0))
        i++;
    atomic_fetch_add_explicit(&r->errors[i], 1, memory_order_relaxed);
}

void admin_error(struct session *s, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    count_error(s->reactor, line);
    s->erred = true;
    if (s->multi)
        s->multi_failed = true;
    hs_resp_error(&s->sink, "%s", line);
}

void admin_ok(struct call *c)
{
    hs_resp_simple(c->out, "OK");
}

int64_t admin_now_ms(void)
{
    return hs_clock().wall.ms;
}

static void session_put(void *ctx, const void *p, size_t n)
{
    struct session *s = ctx;
    HS_ASSERT(s->out != NULL);
    if (s->reply == REPLY_ON)
        hs_outbuf_put(s->out, p, n);
}

static void list_add(struct hs_admin *a, struct session *s)
{
    hs_lock_take(a->clients_lock);
    s->next = a->clients;
    if (s->next != NULL)
        s->next->prev = s;
    a->clients = s;
    a->clients_n++;
    hs_lock_release(a->clients_lock);
}

static void list_remove(struct hs_admin *a, struct session *s)
{
    hs_lock_take(a->clients_lock);
    if (s->prev != NULL)
        s->prev->next = s->next;
    else
        a->clients = s->next;
    if (s->next != NULL)
        s->next->prev = s->prev;
    a->clients_n--;
    hs_lock_release(a->clients_lock);
}

static void refuse(struct hs_outbuf *out, const char *text)
{
    hs_outbuf_put(out, text, strlen(text));
}

/* The stock server's words, which people search for. */
static const char protected_mode[] =
    "-DENIED Redis is running in protected mode because protected mode is enabled and no password "
    "is set for the default user. In this mode connections are only accepted from the loopback "
    "interface. If you want to connect from external computers to Redis you may adopt one of the "
    "following solutions: 1) Just disable protected mode sending the command 'CONFIG SET "
    "protected-mode no' from the loopback interface by connecting to Redis from the same host the "
    "server is running, however MAKE SURE Redis is not publicly accessible from internet if you do "
    "so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable "
    "the protected mode by editing the Redis configuration file, and setting the protected mode "
    "option to 'no', and then restarting the server. 3) If you started the server manually just "
    "for testing, restart it with the '--protected-mode no' option. 4) Set up an authentication "
    "password for the default user. NOTE: You only need to do one of the above things in order "
    "for the server to start accepting connections from the outside.\r\n";

/* What a connection is told before it may say anything; NULL if it is welcome. */
static const char *refusal(const struct hs_published *view, const struct hs_client_info *info)
{
    if (view == NULL)
        return "-LOADING hearsay is starting, try again in a moment\r\n";
    if (view->conf.protected_mode && view->conf.requirepass[0] == '\0' && !info->loopback &&
        !info->unix_socket)
        return protected_mode;
    return NULL;
}

void *admin_open(void *ctx, const struct hs_client_info *info, struct hs_outbuf *out)
{
    struct hs_admin *a = ctx;
    HS_ASSERT(info->reactor < a->conf.reactors);
    const struct hs_published *view = hs_snapshot_begin(a->conf.snapshot, info->reactor);
    const char *why = refusal(view, info);
    bool password = view != NULL && view->conf.requirepass[0] != '\0';
    hs_snapshot_end(a->conf.snapshot, info->reactor);
    struct session *s = why == NULL ? hs_alloc(sizeof(*s)) : NULL;
    if (s == NULL) {
        refuse(out, why != NULL ? why : "-ERR out of memory\r\n");
        return NULL;
    }
    s->admin = a;
    s->reactor = &a->reactors[info->reactor];
    s->info = *info;
    s->sink = (struct hs_resp_sink){.put = session_put, .ctx = s, .proto = 2};
    s->id = atomic_fetch_add_explicit(&a->next_client_id, 1, memory_order_relaxed);
    s->created_ms = admin_now_ms();
    s->used_ms = s->created_ms;
    s->flags_proto = 2;
    s->authenticated = !password;
    s->queue_end = &s->queue;
    hs_resp_init(&s->parser);
    s->parser.limited = password;
    atomic_fetch_add_explicit(&s->reactor->connections, 1, memory_order_relaxed);
    list_add(a, s);
    return s;
}

void admin_close(void *session)
{
    struct session *s = session;
    list_remove(s->admin, s);
    admin_unsubscribe_all(s);
    hs_resp_fini(&s->parser);
    admin_multi_free(s);
    hs_free(s);
}

/* Says what is wrong with the bytes and ends the session. */
static void protocol_error(struct session *s, enum hs_resp_err e)
{
    char text[128];
    hs_resp_err_text(&s->parser, e, text, sizeof(text));
    admin_error(s, "ERR %s", text);
    s->closing = true;
}

static void run_commands(struct session *s, const struct hs_published *view)
{
    while (!s->closing && s->request == NULL) {
        if (s->executing != NULL) {
            admin_multi_step(s, view);
            continue;
        }
        enum hs_resp_err e = hs_resp_next(&s->parser);
        if (e == HS_RESP_MORE)
            return;
        if (e != HS_RESP_OK) {
            protocol_error(s, e);
            return;
        }
        admin_dispatch(s, view, s->parser.args, s->parser.args_n);
        if (atomic_load_explicit(&s->killed, memory_order_relaxed))
            s->closing = true;
    }
}

enum hs_client_verdict admin_feed(void *session, const uint8_t *p, size_t n, struct hs_outbuf *out,
                                  void **request)
{
    struct session *s = session;
    struct hs_snapshot *snapshot = s->admin->conf.snapshot;
    if (atomic_load_explicit(&s->killed, memory_order_relaxed))
        return HS_CLIENT_CLOSE;
    s->out = out;
    if (hs_resp_feed(&s->parser, p, n)) {
        const struct hs_published *view = hs_snapshot_begin(snapshot, s->info.reactor);
        HS_ASSERT(view != NULL); /* open() saw one, and they are only replaced */
        run_commands(s, view);
        hs_snapshot_end(snapshot, s->info.reactor);
    } else {
        protocol_error(s, HS_RESP_ERR_MEMORY);
    }
    s->out = NULL;
    atomic_store_explicit(&s->used_ms, admin_now_ms(), memory_order_relaxed);
    atomic_fetch_add_explicit(&s->reactor->bytes_in, n, memory_order_relaxed);
    if (s->request != NULL) {
        *request = s->request;
        s->request = NULL;
        return HS_CLIENT_WAIT;
    }
    return s->closing ? HS_CLIENT_CLOSE : HS_CLIENT_OK;
}

bool admin_reply(void *session, void *request, struct hs_outbuf *out)
{
    struct session *s = session;
    struct admin_request *r = request;
    s->out = out;
    s->erred = false;
    r->answer(&s->sink, s, r);
    if (s->erred)
        admin_cmdstats_failed_late(s);
    s->out = NULL;
    if (s->reply == REPLY_SKIP)
        s->reply = REPLY_ON;
    admin_request_free(r);
    return s->executing == NULL;
}

void admin_turn(void *ctx, uint32_t reactor)
{
    struct hs_admin *a = ctx;
    admin_events_deliver(a, reactor);
    if (atomic_exchange(&a->reactors[reactor].kills, false))
        admin_client_close_killed(a, reactor);
}

void admin_drop(void *ctx, void *request)
{
    (void)ctx;
    admin_request_free(request);
}
