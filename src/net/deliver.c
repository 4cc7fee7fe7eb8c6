/* deliver.c - what clients get without having asked: messages of pub/sub, and
 * what sessions have for other connections.
 *
 * A client that does not read what is pushed to it is closed before it costs
 * much memory; until then it costs the others nothing.
 */
#include "net_int.h"

/* ---- deliveries ---- */

void client_deliver(struct hs_reactor *r, const struct hs_out *out)
{
    const uint8_t *p = out->chunk->bytes + out->off;
    struct hs_publish msg = {.channel_len = hs_get32(p), .message_len = hs_get32(p + 4)};
    uint32_t n = 0;

    msg.channel = p + 8;
    msg.message = msg.channel + msg.channel_len;
    if (r->net->ops.deliver != NULL)
        n = r->net->ops.deliver(r->net->ops.ctx, r->ix, &msg, out->dial != 0);
    push_delivered(r, out, n);
}

void hs_net_set_subscribers(struct hs_net *n, uint32_t reactor, bool any)
{
    atomic_store_explicit(&n->reactors[reactor].has_subscribers, any, memory_order_relaxed);
}

bool client_is_slow(const struct hs_reactor *r, const struct client *cl,
                    const struct net_limit *limit, int64_t *since_ms, size_t more)
{
    uint64_t hard = atomic_load_explicit(&limit->hard, memory_order_relaxed);
    uint64_t soft = atomic_load_explicit(&limit->soft, memory_order_relaxed);
    uint64_t unread = (uint64_t)cl->out.len + cl->held.len + cl->fly.len + more;

    if (hard > 0 && unread > hard)
        return true;
    if (soft == 0 || unread <= soft) {
        *since_ms = 0;
        return false;
    }
    if (*since_ms == 0)
        *since_ms = r->now_ms;
    int64_t most_ms = (int64_t)atomic_load_explicit(&limit->soft_s, memory_order_relaxed) * 1000;
    return r->now_ms - *since_ms >= most_ms;
}

/* ---- for sessions: other connections of their reactor, and other reactors ---- */

static struct conn *find_client(struct hs_net *n, struct hs_conn_id id)
{
    struct hs_reactor *r = &n->reactors[hs_net_reactor_of(n, id)];
    struct conn *c = conn_find(r, id);

    return c == NULL || c->closing || c->kind != CONN_CLIENT ? NULL : c;
}

bool hs_client_push(struct hs_net *n, struct hs_conn_id id, const void *p, size_t len)
{
    struct hs_reactor *r = &n->reactors[hs_net_reactor_of(n, id)];
    struct conn *c = find_client(n, id);

    if (c == NULL || c->doomed || c->ending)
        return false;
    if (client_is_slow(r, c->client, &n->tune.push, &c->client->push_soft_ms, len)) {
        /* At once: it would never read what is queued before. */
        count_add(r->counts, COUNT_clients_slow, 1);
        c->doomed = true;
    } else {
        hs_outbuf_put(c->client->waiting ? &c->client->held : &c->client->out, p, len);
    }
    conn_want_flush(r, c);
    return true;
}

/* Not at once: the caller may be in the middle of that client's own feed(). */
bool hs_client_kill(struct hs_net *n, struct hs_conn_id id)
{
    struct conn *c = find_client(n, id);

    if (c == NULL)
        return false;
    c->doomed = true;
    conn_want_flush(&n->reactors[hs_net_reactor_of(n, id)], c);
    return true;
}

/* In its TLS handshake a connection is not a client yet. */
static bool is_sent(const struct conn *c, const struct hs_shared *s)
{
    const struct client *cl = c->kind == CONN_CLIENT ? c->client : NULL;

    return cl != NULL && (outbuf_holds(&cl->fly, s) || outbuf_holds(&cl->out, s));
}

static uint32_t cut_listed(struct hs_reactor *r, const struct list *l, const struct hs_shared *s)
{
    uint32_t n = 0;

    for (hs_ix ix = l->head; ix != HS_NIL; ix = r->conns[ix].link[l->kind].next) {
        struct conn *c = &r->conns[ix];
        if (c->doomed || !is_sent(c, s))
            continue;
        count_add(r->counts, COUNT_clients_slow, 1);
        c->doomed = true;
        conn_want_flush(r, c);
        n++;
    }
    return n;
}

uint32_t hs_client_cut(struct hs_net *n, uint32_t reactor, const struct hs_shared *s)
{
    struct hs_reactor *r = &n->reactors[reactor];

    HS_ASSERT(reactor < n->conf.reactors);
    /* Who has something to be sent is on one of these. */
    return cut_listed(r, &r->flush, s) + cut_listed(r, &r->sends, s);
}

void hs_net_wake(struct hs_net *n, uint32_t reactor)
{
    HS_ASSERT(reactor < n->conf.reactors);
    hs_wake_force(&n->reactors[reactor].wake);
}
