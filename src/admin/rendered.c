/* rendered.c - CLUSTER NODES, SLOTS and SHARDS, formatted once per reactor, form
 * (protocol, TLS and family of the reader) and published version, and sent from there to whoever
 * asks.
 *
 * A reply is not copied: the connection refers to the rendering until the kernel
 * has taken its last byte. So a newer version does not overwrite the older one but
 * supersedes it, and what slow readers cost is the versions they have not read.
 *
 * Bounds: a client holds no more than its output buffer may have; all together
 * PINNED_MAX bytes of superseded renderings per reactor. At that the oldest go: the
 * clients that have still not read them are closed, and counted. */
#include "admin_int.h"

enum { PINNED_MAX = 64 << 20 }; /* the most one client may leave unread */

static struct rendering *of_shared(struct hs_shared *s)
{
    return (struct rendering *)(void *)s;
}

static void set_pinned(struct reactor *r, uint64_t bytes)
{
    atomic_store_explicit(&r->pinned_bytes, bytes, memory_order_relaxed);
}

static void destroy(struct rendering *x)
{
    admin_text_free(&x->text);
    hs_free(x);
}

static void take_out(struct reactor *r, struct rendering *x)
{
    struct rendering **at = &r->oldest;
    while (*at != x)
        at = &(*at)->newer;
    *at = x->newer;
    x->is_superseded = false;
    set_pinned(r, r->pinned_bytes - x->text.cap);
}

/* Nobody has a reference any more. */
static void gone(struct hs_shared *s)
{
    struct rendering *x = of_shared(s);
    if (x->is_superseded)
        take_out(x->reactor, x);
    destroy(x);
}

static struct rendering *create(struct reactor *r)
{
    struct rendering *x = hs_alloc(sizeof(*x));
    if (x == NULL)
        return NULL;
    x->shared = (struct hs_shared){.refs = 1, .last = gone};
    x->reactor = r;
    return x;
}

static void supersede(struct rendering *x)
{
    struct reactor *r = x->reactor;
    struct rendering **end = &r->oldest;
    while (*end != NULL)
        end = &(*end)->newer;
    *end = x;
    x->is_superseded = true;
    set_pinned(r, r->pinned_bytes + x->text.cap);
    hs_shared_release(&x->shared);
}

static void cut_oldest(struct hs_admin *a, struct reactor *r)
{
    while (r->oldest != NULL && r->pinned_bytes > PINNED_MAX) {
        struct rendering *x = r->oldest;
        uint32_t n = hs_client_cut(*a->conf.net, (uint32_t)(r - a->reactors), &x->shared);
        atomic_fetch_add_explicit(&r->readers_cut, n, memory_order_relaxed);
        take_out(r, x); /* it goes with the last of them */
    }
}

/* One to format anew, which nobody is being sent; NULL if there is no memory. */
static struct rendering *renew(struct hs_admin *a, struct reactor *r, struct rendering **place)
{
    if (*place != NULL && (*place)->shared.refs > 1) {
        supersede(*place);
        *place = NULL;
        cut_oldest(a, r);
    }
    if (*place == NULL)
        *place = create(r);
    if (*place != NULL)
        (*place)->text.n = 0;
    return *place;
}

static bool format(struct hs_resp_sink *out, const struct hs_published *view, enum render what,
                   struct reader to)
{
    struct text plain = {0};
    bool ok = false;
    switch (what) {
    case RENDER_NODES:
        ok = admin_nodes_text(&plain, view->topo, to);
        if (ok)
            hs_resp_verbatim(out, plain.p, plain.n);
        break;
    case RENDER_SLOTS:
        ok = admin_slots_reply(out, view->topo, to);
        break;
    case RENDER_SHARDS:
        ok = admin_shards_reply(out, view->topo, to);
        break;
    case RENDERS:
        break;
    }
    admin_text_free(&plain);
    return ok;
}

/* NULL if there is no memory. */
static struct rendering *current(struct call *c, enum render what)
{
    struct reactor *r = c->s->reactor;
    struct reader to = admin_reader(c->s, c->view);
    int form = (c->out->proto < 3 ? 0 : 1) + (to.tls ? 2 : 0) + (to.ipv6 ? 4 : 0);
    struct rendering **place = &r->rendered[what][form], *x = *place;
    if (x != NULL && x->text.n > 0 && x->version == c->view->version)
        return x;
    x = renew(c->a, r, place);
    if (x == NULL)
        return NULL;
    x->text.failed = false;
    struct hs_resp_sink sink = admin_text_sink(&x->text, c->out->proto);
    if (!format(&sink, c->view, what, to) || x->text.failed) {
        x->text.n = 0;
        return NULL;
    }
    x->shared.bytes = x->text.p;
    x->shared.len = (uint32_t)x->text.n;
    x->version = c->view->version;
    atomic_fetch_add_explicit(&r->renders, 1, memory_order_relaxed);
    return x;
}

static void reply(struct call *c, enum render what)
{
    struct rendering *x = current(c, what);
    if (x == NULL)
        admin_error(c->s, "ERR out of memory");
    else if (c->s->reply == REPLY_ON)
        hs_outbuf_share(c->s->out, &x->shared);
}

void admin_cluster_nodes(struct call *c)
{
    reply(c, RENDER_NODES);
}

void admin_cluster_slots(struct call *c)
{
    reply(c, RENDER_SLOTS);
}

void admin_cluster_shards(struct call *c)
{
    reply(c, RENDER_SHARDS);
}

void admin_rendered_fini(struct reactor *r)
{
    for (int what = 0; what < RENDERS; what++)
        for (int form = 0; form < RENDER_FORMS; form++)
            if (r->rendered[what][form] != NULL)
                hs_shared_release(&r->rendered[what][form]->shared);
    HS_ASSERT(r->oldest == NULL); /* no client is left that holds one */
}
