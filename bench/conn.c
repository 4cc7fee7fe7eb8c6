/* conn.c - a link between a peer and the target: sockets, frames in, messages
 * out.
 *
 * A message is never put together: it is three or four pieces of memory that
 * exist already (what differs by message, the peer's header, a window of the
 * shuffled board, the suspects) and one sendmsg() takes all that is queued.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"

enum {
    RECV_MAX = 256 << 10, /* one recv(); with a frame's start before it */
    FRAME_MAX = 4 << 20,  /* above a message that names every node */
    RECVS_MAX = 4,        /* for one event, so that no link starves the others */
    ACCEPTS_MAX = 512,
    PIECES = 4,
    IOV_BATCH = 64 * PIECES,
};

static bool watch(struct worker *w, struct conn *c, int op, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.ptr = c};

    return epoll_ctl(w->epoll_fd, op, c->fd, &ev) == 0;
}

static struct conn *conn_new(int fd, uint32_t peer, bool inbound)
{
    struct conn *c = calloc(1, sizeof(*c));
    int one = 1;

    if (c == NULL) {
        return NULL;
    }
    c->handle.kind = HANDLE_CONN;
    c->fd = fd;
    c->peer = peer;
    c->inbound = inbound;
    c->opened_at_ns = mono_ns();
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return c;
}

struct conn *conn_dial(struct worker *w, uint32_t peer)
{
    const struct options *o = w->b->o;
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(peer_address(peer))};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons(o->bus_port)};
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct conn *c = NULL;

    if (fd < 0) {
        return NULL;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
        (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 || errno == EINPROGRESS)) {
        c = conn_new(fd, peer, false);
    }
    if (c == NULL || !watch(w, c, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT)) {
        free(c);
        close(fd);
        return NULL;
    }
    c->connecting = true;
    c->blocked = true;
    w->out[peer] = c;
    return c;
}

static void take(struct worker *w, int fd)
{
    struct bench *b = w->b;
    struct sockaddr_in self = {0};
    socklen_t len = sizeof(self);
    struct linger reset = {.l_onoff = 1};
    uint32_t peer = HS_NIL;
    struct conn *c = NULL;

    if (getsockname(fd, (struct sockaddr *)&self, &len) == 0) {
        peer = peer_of_address(&b->world, ntohl(self.sin_addr.s_addr));
    }
    if (peer != HS_NIL && atomic_load(&b->suspected[peer]) == ALIVE) {
        c = conn_new(fd, peer, true);
    }
    if (c == NULL) { /* as a host whose process has died */
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
        return;
    }
    count_add(w, N_ACCEPTED, 1);
    w = &b->workers[peer % b->o->threads]; /* c is its own from here on */
    atomic_store(&w->in[peer], c);
    if (!watch(w, c, EPOLL_CTL_ADD, EPOLLIN)) {
        atomic_store(&w->in[peer], NULL);
        close(fd);
        free(c);
    }
}

void conn_accept_all(struct worker *w)
{
    for (uint32_t i = 0; i < ACCEPTS_MAX; i++) {
        int fd = accept4(w->b->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        take(w, fd);
    }
}

static void mark_dirty(struct worker *w, struct conn *c)
{
    if (!c->is_dirty) {
        c->is_dirty = true;
        c->next_dirty = w->dirty;
        w->dirty = c;
    }
}

/* It is freed when the dirty ones are next walked: events may still name it. */
void conn_close(struct worker *w, struct conn *c, bool reset)
{
    struct linger now = {.l_onoff = 1};
    struct conn *self = c;

    if (c->closed) {
        return;
    }
    if (reset) {
        (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    close(c->fd);
    c->closed = true;
    if (c->inbound) {
        (void)atomic_compare_exchange_strong(&w->in[c->peer], &self, NULL);
    } else {
        w->out[c->peer] = NULL;
    }
    mark_dirty(w, c);
}

/* ---- out ---- */

/* A window that does not name the sender. */
static uint32_t random_window(struct worker *w, uint32_t peer)
{
    const struct board *b = w->board;
    uint32_t from = hs_prng_below(&w->prng, b->n);
    uint32_t own = b->place[peer];

    if (own != HS_NIL && (own + b->n - from) % b->n < b->window_n) {
        from = (own + 1) % b->n;
    }
    return from;
}

void conn_send(struct worker *w, struct conn *c, uint16_t type, uint32_t window)
{
    const struct board *b = w->board;
    uint32_t entries_n = b->window_n + b->suspects_n;
    struct out_msg *m;

    if (c->closed) {
        return;
    }
    if (c->out_n == OUT_MAX) {
        conn_close(w, c, true);
        return;
    }
    m = &c->out[(c->out_head + c->out_n++) % OUT_MAX];
    m->board = b;
    m->window = window == HS_NIL ? random_window(w, c->peer) : window;
    m->len = HS_HDR_LEN + entries_n * HS_GOSSIP_LEN;
    memcpy(m->prefix, "RCmb", 4);
    hs_put32(m->prefix + HS_OFF_TOTLEN, m->len);
    hs_put16(m->prefix + HS_OFF_VER, 1);
    hs_put16(m->prefix + HS_OFF_PORT, PEER_CLIENT_PORT);
    hs_put16(m->prefix + HS_OFF_TYPE, type);
    hs_put16(m->prefix + HS_OFF_COUNT, (uint16_t)entries_n);
    count_add(w, N_TX, 1);
    count_add(w, N_TX_BYTES, m->len);
    count_add(w, N_TX_ENTRIES, entries_n);
    mark_dirty(w, c);
}

bool conn_ping(struct worker *w, struct conn *c)
{
    if (c->closed || c->flight_n == WINDOW_MAX) {
        return false;
    }
    c->flight[(c->flight_head + c->flight_n++) % WINDOW_MAX] = w->now_ns;
    conn_send(w, c, HS_MSG_PING, HS_NIL);
    return true;
}

static void add_piece(struct iovec *iov, int *n, const uint8_t *p, size_t len, size_t *skip)
{
    if (*skip >= len) {
        *skip -= len;
        return;
    }
    iov[(*n)++] = (struct iovec){(void *)(uintptr_t)(p + *skip), len - *skip};
    *skip = 0;
}

static int gather(const struct worker *w, const struct conn *c, struct iovec *iov)
{
    const uint8_t *hdr = w->b->world.headers + (size_t)c->peer * HS_HDR_LEN;
    size_t skip = c->out_sent;
    int n = 0;

    for (uint32_t i = 0; i < c->out_n && n + PIECES <= IOV_BATCH; i++) {
        const struct out_msg *m = &c->out[(c->out_head + i) % OUT_MAX];
        add_piece(iov, &n, m->prefix, 16, &skip);
        add_piece(iov, &n, hdr + 16, HS_HDR_LEN - 16, &skip);
        add_piece(iov, &n, m->board->entries + (size_t)m->window * HS_GOSSIP_LEN,
                  (size_t)m->board->window_n * HS_GOSSIP_LEN, &skip);
        add_piece(iov, &n, m->board->suspects, (size_t)m->board->suspects_n * HS_GOSSIP_LEN, &skip);
    }
    return n;
}

static void sent(struct conn *c, size_t n)
{
    while (c->out_n > 0) {
        uint32_t left = c->out[c->out_head].len - c->out_sent;
        if (n < left) {
            c->out_sent += (uint32_t)n;
            return;
        }
        n -= left;
        c->out_sent = 0;
        c->out_head = (c->out_head + 1) % OUT_MAX;
        c->out_n--;
    }
}

static void flush(struct worker *w, struct conn *c)
{
    while (!c->closed && !c->blocked && c->out_n > 0) {
        struct iovec iov[IOV_BATCH];
        struct msghdr msg = {.msg_iov = iov, .msg_iovlen = (size_t)gather(w, c, iov)};
        ssize_t n = sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            sent(c, (size_t)n);
        } else if (n < 0 && errno == EAGAIN) {
            c->blocked = true;
            (void)watch(w, c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
        } else if (n < 0 && errno != EINTR) {
            count_add(w, N_CLOSED, 1);
            conn_close(w, c, false);
        }
    }
}

void conn_flush_all(struct worker *w)
{
    struct conn *c = w->dirty;

    w->dirty = NULL;
    while (c != NULL) {
        struct conn *next = c->next_dirty;
        flush(w, c);
        c->is_dirty = false;
        if (c->closed) {
            free(c->part);
            free(c);
        }
        c = next;
    }
}

/* ---- in ---- */

/* The frames in p; returns how many bytes they were. */
static size_t frames(struct worker *w, struct conn *c, const uint8_t *p, size_t n)
{
    size_t off = 0;

    while (!c->closed && off < n) {
        struct hs_view v;
        uint32_t len;
        enum hs_wire_err err = hs_wire_frame_len(p + off, n - off, FRAME_MAX, &len);
        if (err == HS_WIRE_MORE || (err == HS_WIRE_OK && len > n - off)) {
            break;
        }
        if (err == HS_WIRE_OK) {
            err = hs_wire_check(p + off, len, &v);
        }
        if (err != HS_WIRE_OK) {
            fault(w, BAD_FRAME, "a frame the target sent is malformed: %s", hs_wire_err_str(err));
            conn_close(w, c, true);
            break;
        }
        count_add(w, N_RX, 1);
        count_add(w, N_RX_BYTES, len);
        count_add(w, N_RX_ENTRIES, v.gossip_n);
        recv_frame(w, c, &v);
        off += len;
    }
    return off;
}

static void keep(struct worker *w, struct conn *c, const uint8_t *p, size_t n)
{
    if (n > c->part_max) {
        uint8_t *more = realloc(c->part, n);
        if (more == NULL) {
            conn_close(w, c, true);
            return;
        }
        c->part = more;
        c->part_max = (uint32_t)n;
    }
    if (n > 0) {
        memcpy(c->part, p, n);
    }
    c->part_n = (uint32_t)n;
}

static bool read_once(struct worker *w, struct conn *c)
{
    size_t used, all;
    ssize_t n = recv(c->fd, w->buf + FRAME_MAX, RECV_MAX, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return false;
    }
    if (n <= 0) {
        count_add(w, N_CLOSED, 1);
        conn_close(w, c, false);
        return false;
    }
    /* The start of the first frame goes right before what has just come. */
    uint8_t *p = w->buf + FRAME_MAX - c->part_n;
    if (c->part_n > 0) {
        memcpy(p, c->part, c->part_n);
    }
    all = c->part_n + (size_t)n;
    used = frames(w, c, p, all);
    if (!c->closed) {
        keep(w, c, p + used, all - used);
    }
    return !c->closed && n == RECV_MAX;
}

void conn_ready(struct worker *w, struct conn *c, uint32_t events)
{
    if (c->inbound && atomic_load(&w->b->suspected[c->peer]) != ALIVE) {
        conn_close(w, c, true); /* accepted while its peer died */
    }
    if (c->closed) {
        return;
    }
    if ((events & EPOLLOUT) != 0 && c->blocked) {
        c->blocked = false;
        c->connecting = false;
        (void)watch(w, c, EPOLL_CTL_MOD, EPOLLIN);
        mark_dirty(w, c);
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        for (uint32_t i = 0; i < RECVS_MAX && read_once(w, c); i++) {
        }
    }
}
