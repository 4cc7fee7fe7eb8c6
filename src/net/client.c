/* client.c - client connections: bytes in, bytes out, the meaning is elsewhere.
 *
 * A reply is collected in one buffer (outbuf.c) while the other is in the kernel's
 * hands; both are given back when there is nothing to say, so that an idle client
 * costs its place and its session only.
 */
#include "net_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

bool client_has_output(const struct conn *c)
{
    return c->sending || c->client->out.len > 0 || c->client->fly.len > 0 ||
           (c->secure != NULL && hs_tls_pending(c->secure->tls) > 0);
}

/* ---- a client's life ---- */

/* An address of a connection as ip:port; IPv6, for which it returns true, in brackets. */
static bool describe(int fd, bool peer, char *text, size_t n, bool *loopback)
{
    char ip[HS_IP_LEN];
    uint16_t port;

    conn_address(fd, peer, ip, sizeof(ip), &port);
    bool ipv6 = strchr(ip, ':') != NULL;
    *loopback = strncmp(ip, "127.", 4) == 0 || strcmp(ip, "::1") == 0;
    snprintf(text, n, ipv6 ? "[%s]:%u" : "%s:%u", ip, (unsigned)port);
    return ipv6;
}

static void describe_unix(int fd, struct hs_client_info *info)
{
    struct sockaddr_un a = {0};
    socklen_t len = sizeof(a) - 1;

    getsockname(fd, (struct sockaddr *)&a, &len);
    snprintf(info->peer, sizeof(info->peer), "%.*s:0", (int)sizeof(info->peer) - 3, a.sun_path);
    snprintf(info->local, sizeof(info->local), "%.*s:0", (int)sizeof(info->local) - 3, a.sun_path);
    info->unix_socket = info->loopback = true;
}

bool client_open(struct hs_reactor *r, struct conn *c, enum hs_listen kind)
{
    struct hs_client_info info = {
        .conn = conn_id(r, c), .reactor = r->ix, .tls = kind == HS_LISTEN_CLIENT_TLS};
    bool local_is_loopback;

    c->client = hs_alloc(sizeof(*c->client));
    if (c->client == NULL) {
        conn_close(r, c, ENOMEM);
        return false;
    }
    c->client->out.max = c->client->fly.max = r->net->conf.client_outbuf_max;
    c->client->held.max = r->net->conf.client_outbuf_max;
    c->clock_ms = r->now_ms;
    list_append(r, &r->idle, c);
    if (kind == HS_LISTEN_UNIX) {
        describe_unix(c->fd, &info);
    } else {
        info.ipv6 = describe(c->fd, true, info.peer, sizeof(info.peer), &info.loopback);
        describe(c->fd, false, info.local, sizeof(info.local), &local_is_loopback);
    }
    c->client->session = r->net->ops.open(r->net->ops.ctx, &info, &c->client->out);
    if (c->client->session == NULL)
        c->ending = true;
    else if (!c->armed) /* it is, if there was a handshake before */
        conn_set_run(r, c, RUN_REARM);
    conn_want_flush(r, c);
    return true;
}

void client_closed(struct hs_reactor *r, struct conn *c)
{
    atomic_fetch_sub(&r->net->clients_n, 1);
    if (c->client == NULL)
        return;
    if (c->client->session != NULL)
        r->net->ops.close(c->client->session);
    outbuf_release(&c->client->out);
    outbuf_release(&c->client->fly);
    outbuf_release(&c->client->held);
    hs_free(c->client);
    c->client = NULL;
}

void client_touch(struct hs_reactor *r, struct conn *c)
{
    list_remove(r, &r->idle, c);
    c->clock_ms = r->now_ms;
    list_append(r, &r->idle, c);
}

void client_feed(struct hs_reactor *r, struct conn *c, const uint8_t *p, size_t n)
{
    struct client *cl = c->client;
    void *request = NULL;

    client_touch(r, c);
    enum hs_client_verdict verdict = r->net->ops.feed(cl->session, p, n, &cl->out, &request);
    if (verdict == HS_CLIENT_WAIT) {
        HS_ASSERT(request != NULL);
        struct hs_in in = {.kind = HS_IN_REQUEST, .conn = conn_id(r, c), .ptr = request};
        cl->waiting = true;
        push_in(r, &in);
    } else if (verdict == HS_CLIENT_CLOSE) {
        c->ending = true;
    }
    if (client_is_slow(r, cl, &r->net->tune.reply, &cl->reply_soft_ms, 0)) {
        count_add(r->counts, COUNT_clients_slow, 1);
        c->doomed = true;
    }
    conn_want_flush(r, c);
}

/* Inside a reply of several parts, as EXEC's, a push would be taken for one of them. */
static void let_pushes_go(struct client *cl)
{
    hs_outbuf_put(&cl->out, cl->held.bytes, cl->held.len);
    cl->out.over = cl->out.over || cl->held.over;
    outbuf_release(&cl->held);
}

void client_reply(struct hs_reactor *r, const struct hs_out *out)
{
    struct conn *c = conn_find(r, out->conn);

    if (c == NULL || c->closing || c->kind != CONN_CLIENT) {
        r->net->ops.drop(r->net->ops.ctx, out->ptr);
        return;
    }
    struct client *cl = c->client;
    HS_ASSERT(cl->waiting);
    cl->waiting = false;
    if (r->net->ops.reply(cl->session, out->ptr, &cl->out))
        let_pushes_go(cl);
    client_feed(r, c, NULL, 0);
    if (!cl->waiting)
        let_pushes_go(cl);
    recv_work(r, c);
}

void client_expire(struct hs_reactor *r)
{
    int64_t limit_ms = (int64_t)NET_TUNE(r, client_timeout_s) * 1000;
    struct conn *c;

    if (limit_ms == 0)
        return;
    while ((c = list_first(r, &r->idle)) != NULL && r->now_ms - c->clock_ms >= limit_ms) {
        if (c->client->waiting) { /* for us */
            client_touch(r, c);
            continue;
        }
        count_add(r->counts, COUNT_clients_idle, 1);
        conn_close(r, c, ETIMEDOUT);
    }
}

/* ---- replies ---- */

bool client_unsent(struct hs_reactor *r, struct conn *c)
{
    struct client *cl = c->client;

    if (cl->out.over && !c->ending) {
        count_add(r->counts, COUNT_clients_over, 1);
        c->ending = true;
    }
    if (cl->fly.len == 0 && cl->out.len > 0) {
        struct hs_outbuf empty = cl->fly;
        empty.over = cl->out.over;
        cl->fly = cl->out;
        cl->out = empty;
    }
    if (cl->fly.len > 0)
        return true;
    outbuf_release(&cl->out);
    outbuf_release(&cl->fly);
    return false;
}

void client_flush(struct hs_reactor *r, struct conn *c)
{
    if (!client_unsent(r, c)) {
        if (c->ending)
            conn_close(r, c, 0);
        return;
    }
    struct scratch *s = send_scratch(r);
    uint32_t n = s == NULL ? 0 : outbuf_iov(&c->client->fly, s->iov, IOV_MAX_N, FLIGHT_MAX);
    if (s == NULL || !send_submit(r, c, s, n))
        conn_want_flush(r, c);
}

void client_sent(struct hs_reactor *r, struct conn *c, int res)
{
    client_touch(r, c);
    outbuf_advance(&c->client->fly, (uint32_t)res);
}
