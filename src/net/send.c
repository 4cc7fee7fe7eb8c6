/* send.c - entries of the owner, many of them in one sendmsg.
 *
 * One send per connection is in flight, so bytes cannot overtake each other;
 * what comes meanwhile queues and rides on the next one. Control entries go
 * before the others as long as those are not in flight. An entry is whole frames
 * or says that the next one goes on with its last, and then nothing comes between.
 *
 * Bounds: control entries waiting on one link (past them the link is closed: it is
 * slower than the cluster), bytes waiting on it (the same; asked ten times a second
 * as by stock servers, so that what a socket takes at once never counts), entries
 * waiting on all links of the reactor (the same), and time without progress (closed
 * as stalled). Pub/sub is best effort: past its own bound it is dropped and the
 * link lives, and it never takes the last quarter of what all links share.
 * Whatever happens to a link, each entry's chunk goes back exactly once.
 */
#include "net_int.h"

#include <errno.h>
#include <linux/tcp.h>
#include <string.h>

/* ---- queues of nodes ---- */

static void append(struct hs_reactor *r, struct send_queue *q, hs_ix ix)
{
    r->nodes[ix].next = HS_NIL;
    *(q->head == HS_NIL ? &q->head : &r->nodes[q->tail].next) = ix;
    q->tail = ix;
}

static hs_ix take(struct hs_reactor *r, struct send_queue *q)
{
    hs_ix ix = q->head;

    if (ix != HS_NIL)
        q->head = r->nodes[ix].next;
    return ix;
}

/* Generation and bytes in one word, so that nobody is told of another connection's. */
enum { SHOWN_BITS = 40 };

static void add_queued(struct hs_reactor *r, struct conn *c, int64_t bytes)
{
    uint64_t all = atomic_load_explicit(&r->counts[COUNT_unsent_now], memory_order_relaxed);

    c->queued_bytes += (uint64_t)bytes;
    count_set(r->counts, COUNT_unsent_now, all + (uint64_t)bytes);
    atomic_store_explicit(&r->queued[c->ix], (uint64_t)c->gen << SHOWN_BITS | c->queued_bytes,
                          memory_order_relaxed);
}

uint64_t hs_net_unsent(const struct hs_net *n, struct hs_conn_id id)
{
    uint32_t max = n->conf.conns_max;
    if (id.ix / max >= n->conf.reactors)
        return 0;
    uint64_t shown =
        atomic_load_explicit(&n->reactors[id.ix / max].queued[id.ix % max], memory_order_relaxed);
    return shown >> SHOWN_BITS == id.gen ? shown & (((uint64_t)1 << SHOWN_BITS) - 1) : 0;
}

static void finish(struct hs_reactor *r, struct conn *c, hs_ix ix)
{
    struct send_node *n = &r->nodes[ix];

    push_chunk(r, n->chunk);
    *(n->control ? &c->queued_n : &c->pubsub_n) -= 1;
    add_queued(r, c, -(int64_t)n->len);
    n->next = r->nodes_free;
    r->nodes_free = ix;
    r->nodes_free_n++;
}

static void drop(struct hs_reactor *r, struct conn *c, struct send_queue *q)
{
    for (hs_ix ix; (ix = take(r, q)) != HS_NIL;)
        finish(r, c, ix);
}

void send_drop_all(struct hs_reactor *r, struct conn *c)
{
    drop(r, c, &c->control);
    drop(r, c, &c->normal);
    if (!c->sending) /* or else the kernel still reads from them */
        drop(r, c, &c->flight);
}

/* ---- in ---- */

static bool is_over_limit(const struct hs_reactor *r, const struct conn *c)
{
    uint64_t limit = NET_TUNE(r, sendbuf_limit);

    return limit > 0 && c->queued_bytes > limit;
}

static bool is_full(const struct hs_reactor *r, const struct conn *c)
{
    return c->queued_n >= r->net->conf.send_pending_max || r->nodes_free == HS_NIL;
}

static bool is_dropped(const struct hs_reactor *r, const struct conn *c)
{
    return c->pubsub_n >= r->net->conf.pubsub_pending_max || r->nodes_free_n <= r->nodes_n / 4;
}

void send_queue_entry(struct hs_reactor *r, const struct hs_out *out)
{
    struct conn *c = conn_find(r, out->conn);

    if (c == NULL || c->closing || c->kind != CONN_BUS) {
        count_add(r->counts, COUNT_sends_stale, 1);
        push_chunk(r, out->chunk);
        return;
    }
    if (!out->control && is_dropped(r, c)) {
        count_add(r->counts, COUNT_pubsub_dropped, 1);
        push_chunk(r, out->chunk);
        return;
    }
    if (is_full(r, c)) {
        count_add(r->counts, COUNT_links_over_limit, 1);
        push_chunk(r, out->chunk);
        conn_close(r, c, ENOBUFS);
        return;
    }
    hs_ix ix = r->nodes_free;
    r->nodes_free = r->nodes[ix].next;
    r->nodes_free_n--;
    r->nodes[ix] = (struct send_node){.chunk = out->chunk,
                                      .off = out->off,
                                      .len = out->len,
                                      .control = out->control,
                                      .goes_on = out->dial != 0};
    append(r, out->control ? &c->control : &c->normal, ix);
    *(out->control ? &c->queued_n : &c->pubsub_n) += 1;
    add_queued(r, c, out->len);
    conn_want_flush(r, c);
}

/* ---- out ---- */

bool send_submit(struct hs_reactor *r, struct conn *c, struct scratch *s, uint32_t n)
{
    struct io_uring_sqe *sqe = uring_sqe(r, OP_SEND, c);

    if (sqe == NULL)
        return false;
    s->msg = (struct msghdr){.msg_iov = s->iov, .msg_iovlen = n};
    io_uring_prep_sendmsg(sqe, c->fd, &s->msg, MSG_NOSIGNAL | MSG_WAITALL);
    c->sending = true;
    c->moved_ms = r->now_ms;
    list_append(r, &r->sends, c);
    return true;
}

/* What a short send left comes first, then control, then the rest. */
static void fill_flight(struct hs_reactor *r, struct conn *c)
{
    uint32_t n = 0;
    uint64_t bytes = 0;
    hs_ix ix;

    for (ix = c->flight.head; ix != HS_NIL; ix = r->nodes[ix].next) {
        n++;
        bytes += r->nodes[ix].len;
    }
    while (n < IOV_MAX_N && bytes < FLIGHT_MAX) {
        bool wait = c->midway && c->control.head == HS_NIL; /* the rest is on its way to us */
        ix = wait ? HS_NIL : take(r, c->control.head != HS_NIL ? &c->control : &c->normal);
        if (ix == HS_NIL)
            return;
        c->midway = r->nodes[ix].goes_on;
        append(r, &c->flight, ix);
        n++;
        bytes += r->nodes[ix].len;
    }
}

size_t send_gather(struct hs_reactor *r, struct conn *c, uint8_t *to, size_t max)
{
    size_t n = 0;

    fill_flight(r, c);
    for (hs_ix ix = c->flight.head; ix != HS_NIL && n < max; ix = r->nodes[ix].next) {
        const struct send_node *node = &r->nodes[ix];
        size_t len = node->len < max - n ? node->len : max - n;
        memcpy(to + n, node->chunk->bytes + node->off, len);
        n += len;
    }
    return n;
}

static void flush_bus(struct hs_reactor *r, struct conn *c)
{
    uint32_t n = 0;

    fill_flight(r, c);
    if (c->flight.head == HS_NIL) {
        if (c->ending)
            conn_close(r, c, 0);
        return;
    }
    struct scratch *s = send_scratch(r);
    if (s == NULL) {
        conn_want_flush(r, c); /* next turn */
        return;
    }
    for (hs_ix ix = c->flight.head; ix != HS_NIL; ix = r->nodes[ix].next) {
        const struct send_node *node = &r->nodes[ix];
        s->iov[n++] =
            (struct iovec){.iov_base = node->chunk->bytes + node->off, .iov_len = node->len};
    }
    if (!send_submit(r, c, s, n))
        conn_want_flush(r, c);
}

void send_flush(struct hs_reactor *r, struct conn *c)
{
    if (c->doomed)
        conn_close(r, c, ECONNABORTED);
    else if (c->sending || c->kind == CONN_DIALING)
        return;
    else if (c->secure != NULL)
        secure_flush(r, c);
    else if (c->kind == CONN_CLIENT)
        client_flush(r, c);
    else
        flush_bus(r, c);
}

/* ---- completions ---- */

void send_advance(struct hs_reactor *r, struct conn *c, uint32_t sent)
{
    while (sent > 0) {
        HS_ASSERT(c->flight.head != HS_NIL);
        struct send_node *node = &r->nodes[c->flight.head];
        if (sent < node->len) {
            node->off += sent;
            node->len -= sent;
            add_queued(r, c, -(int64_t)sent);
            return;
        }
        sent -= node->len;
        finish(r, c, take(r, &c->flight));
    }
}

void send_done(struct hs_reactor *r, struct conn *c, int res)
{
    c->sending = false;
    if (list_has(c, LINK_SEND))
        list_remove(r, &r->sends, c);
    if (res > 0)
        count_add(r->counts, COUNT_bytes_out, (uint64_t)res);
    if (c->closing) {
        send_drop_all(r, c);
        conn_settle(r, c);
    } else if (res < 0) {
        conn_close(r, c, -res);
    } else {
        if (c->secure != NULL)
            secure_sent(r, c, (uint32_t)res);
        else if (c->kind == CONN_CLIENT)
            client_sent(r, c, res);
        else
            send_advance(r, c, (uint32_t)res);
        c->over = c->over && is_over_limit(r, c);
        conn_want_flush(r, c);
    }
}

/* The kernel reports a send when all of it is gone, so whether a slow one moves
 * is asked of TCP. 0 where there is no TCP. */
static uint64_t acknowledged(const struct conn *c)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    return getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 ? info.tcpi_bytes_acked : 0;
}

/* Closed after one to two timeouts without an acknowledged byte: at the first
 * look there may be nothing to compare with. */
void send_expire(struct hs_reactor *r)
{
    struct conn *c;

    while ((c = list_first(r, &r->sends)) != NULL &&
           r->now_ms - c->moved_ms >= NET_TUNE(r, stall_timeout_ms)) {
        uint64_t acked = acknowledged(c);
        if (acked == c->acked) {
            count_add(r->counts, COUNT_links_stalled, 1);
            conn_close(r, c, ETIMEDOUT);
            continue;
        }
        list_remove(r, &r->sends, c);
        c->acked = acked;
        c->moved_ms = r->now_ms;
        list_append(r, &r->sends, c);
    }
}

/* Of what lies here while a send is under way; between two looks it may have gone. */
void send_look(struct hs_reactor *r)
{
    struct conn *next;

    if (r->now_ms < r->look_ms)
        return;
    r->look_ms = r->now_ms + SEND_LOOK_MS;
    for (struct conn *c = list_first(r, &r->sends); c != NULL; c = next) {
        next = list_next(r, &r->sends, c);
        if (!is_over_limit(r, c)) {
            c->over = false;
        } else if (!c->over) {
            c->over = true;
        } else {
            count_add(r->counts, COUNT_links_over_limit, 1);
            conn_close(r, c, ENOBUFS);
        }
    }
}
