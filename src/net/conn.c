/* conn.c - the life of a connection: a place, a descriptor, an end.
 *
 * Closing takes a while: shutdown(2) makes the kernel finish what it has in
 * hand, and only when every completion is back are the descriptor closed, the
 * owner told, and the place free for another use under a new generation. So a
 * completion always finds the connection it belongs to.
 */
#include "net_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

struct hs_conn_id conn_id(const struct hs_reactor *r, const struct conn *c)
{
    return (struct hs_conn_id){r->ix * r->net->conf.conns_max + c->ix, c->gen};
}

struct conn *conn_find(struct hs_reactor *r, struct hs_conn_id id)
{
    uint32_t max = r->net->conf.conns_max;

    if (id.ix / max != r->ix)
        return NULL;
    struct conn *c = &r->conns[id.ix % max];
    return c->kind != CONN_FREE && c->gen == id.gen ? c : NULL;
}

static net_count *gauge(struct hs_reactor *r, const struct conn *c)
{
    return &r->counts[c->kind == CONN_CLIENT ? COUNT_clients_now : COUNT_buses_now];
}

static void gauge_add(struct hs_reactor *r, const struct conn *c, int n)
{
    net_count *g = gauge(r, c);

    atomic_store_explicit(g, atomic_load_explicit(g, memory_order_relaxed) + (uint64_t)(int64_t)n,
                          memory_order_relaxed);
}

struct conn *conn_open(struct hs_reactor *r, int fd, enum conn_kind kind)
{
    if (r->free_n == 0)
        return NULL;
    struct conn *c = &r->conns[r->free_places[--r->free_n]];
    HS_ASSERT(c->kind == CONN_FREE);
    uint32_t gen = c->gen == GEN_MAX ? 1 : c->gen + 1;

    *c = (struct conn){
        .fd = fd,
        .ix = (hs_ix)(c - r->conns),
        .gen = gen,
        .kind = (uint8_t)kind,
        .held_head = BUF_NIL,
        .held_tail = BUF_NIL,
        .control = {HS_NIL, HS_NIL},
        .normal = {HS_NIL, HS_NIL},
        .flight = {HS_NIL, HS_NIL},
        .share = HS_NIL,
    };
    r->conns_n++;
    r->inbound_n += kind != CONN_DIALING;
    gauge_add(r, c, 1);
    return c;
}

/* A quarter of the places is for dialing: a crowd at the door must not
 * keep us from reaching our peers. */
bool conn_inbound_room(struct hs_reactor *r)
{
    uint32_t max = r->net->conf.conns_max;

    return r->free_n > 0 && r->inbound_n < max - max / 4;
}

void conn_tune(const struct hs_reactor *r, int fd)
{
    int on = 1;
    int idle_s = (int)NET_TUNE(r, tcp_keepalive_s);

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (idle_s == 0)
        return;
    int interval_s = idle_s / 3 > 0 ? idle_s / 3 : 1;
    int probes_n = 3;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes_n, sizeof(probes_n));
}

void conn_address(int fd, bool peer, char *ip, size_t n, uint16_t *port)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t len = sizeof(a);

    ip[0] = '\0';
    *port = 0;
    int rc = peer ? getpeername(fd, &a.any, &len) : getsockname(fd, &a.any, &len);
    if (rc != 0)
        return; /* gone already; its end will be noticed by a receive */
    if (a.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &a.v4.sin_addr, ip, (socklen_t)n);
        *port = ntohs(a.v4.sin_port);
    } else if (a.any.sa_family == AF_INET6) {
        /* A dual-stack listener shows IPv4 peers mapped; their name is the plain one. */
        if (IN6_IS_ADDR_V4MAPPED(&a.v6.sin6_addr))
            inet_ntop(AF_INET, &a.v6.sin6_addr.s6_addr[12], ip, (socklen_t)n);
        else
            inet_ntop(AF_INET6, &a.v6.sin6_addr, ip, (socklen_t)n);
        *port = ntohs(a.v6.sin6_port);
    }
}

void conn_up(struct hs_reactor *r, struct conn *c)
{
    struct hs_conn_up *up = hs_alloc(sizeof(*up));
    uint16_t port;

    if (up == NULL) {
        conn_close(r, c, ENOMEM);
        return;
    }
    c->told = true;
    up->outbound = c->outbound;
    up->dial = c->dial;
    conn_address(c->fd, true, up->peer_ip, sizeof(up->peer_ip), &port);
    conn_address(c->fd, false, up->local_ip, sizeof(up->local_ip), &port);
    struct hs_in in = {.kind = HS_IN_UP, .conn = conn_id(r, c), .up = up};
    push_in(r, &in);
    if (!c->outbound)
        list_append(r, &r->silent, c);
    if (!c->armed) /* it is, if there was a handshake before */
        conn_set_run(r, c, RUN_REARM);
}

static struct list *run_list(struct hs_reactor *r, const struct conn *c, enum run_state run)
{
    switch (run) {
    case RUN_REARM:
        return &r->rearm[c->kind == CONN_CLIENT];
    case RUN_READY:
        return &r->ready;
    case RUN_PARKED:
        return &r->parked;
    case RUN_NONE:
        break;
    }
    return NULL;
}

void conn_set_run(struct hs_reactor *r, struct conn *c, enum run_state run)
{
    if (c->run != RUN_NONE)
        list_remove(r, run_list(r, c, (enum run_state)c->run), c);
    c->run = (uint8_t)run;
    if (run != RUN_NONE)
        list_append(r, run_list(r, c, run), c);
}

void conn_want_flush(struct hs_reactor *r, struct conn *c)
{
    if (!list_has(c, LINK_FLUSH))
        list_append(r, &r->flush, c);
}

static void leave_clock(struct hs_reactor *r, struct conn *c)
{
    if (!list_has(c, LINK_CLOCK))
        return;
    list_remove(r,
                c->shaking                ? &r->shaking
                : c->kind == CONN_DIALING ? &r->dialing
                : c->kind == CONN_CLIENT  ? &r->idle
                                          : &r->partial,
                c);
}

static void leave_lists(struct hs_reactor *r, struct conn *c)
{
    conn_set_run(r, c, RUN_NONE);
    leave_clock(r, c);
    if (list_has(c, LINK_SEND))
        list_remove(r, &r->sends, c);
    if (list_has(c, LINK_SILENT))
        list_remove(r, &r->silent, c);
    if (list_has(c, LINK_FLUSH))
        list_remove(r, &r->flush, c);
}

void conn_close(struct hs_reactor *r, struct conn *c, int err)
{
    HS_ASSERT(c->kind != CONN_FREE);
    if (c->closing)
        return;
    c->closing = true;
    c->err = err;
    leave_lists(r, c);
    shutdown(c->fd, SHUT_RDWR);
    if (c->connecting)
        uring_cancel(r, OP_CONNECT, c);
    recv_drop_held(r, c);
    if (c->kind == CONN_BUS)
        framer_reset(&c->framer, &r->slab);
    send_drop_all(r, c);
    count_add(r->counts, COUNT_closed, 1);
    conn_settle(r, c);
}

static void tell_end(struct hs_reactor *r, struct conn *c)
{
    struct hs_in in = {.kind = HS_IN_DOWN, .conn = conn_id(r, c), .number = c->err};

    if (c->kind == CONN_CLIENT)
        client_closed(r, c);
    else if (c->told)
        push_in(r, &in);
    else if (c->outbound)
        push_dial_failed(r, c->dial, c->err);
}

void conn_settle(struct hs_reactor *r, struct conn *c)
{
    if (!c->closing || c->armed || c->sending || c->connecting)
        return;
    HS_ASSERT(c->flight.head == HS_NIL && c->listed == 0 && c->held_n == 0);
    close(c->fd);
    secure_free(c);
    share_give(r->net, c->share);
    tell_end(r, c);
    gauge_add(r, c, -1);
    c->kind = CONN_FREE;
    c->fd = -1;
    r->conns_n--;
    r->inbound_n -= !c->outbound;
    r->free_places[r->free_n++] = c->ix;
}
