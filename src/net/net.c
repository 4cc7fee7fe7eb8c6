/* net.c - setting reactors up and taking them down, while none of them runs.
 *
 * All tables are sized here for the worst case and backed by the kernel only
 * as they are used, so a generous conns_max costs address space, not memory.
 */
#include "net_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static uint32_t power_of_two(uint64_t at_least)
{
    uint32_t n = 2;

    while (n < at_least)
        n *= 2;
    return n;
}

/* ---- a reactor's tables ---- */

static bool alloc_rings(struct hs_reactor *r)
{
    uint32_t conns_max = r->net->conf.conns_max;

    r->in_slots = IN_SLOTS;
    r->out_slots = power_of_two(conns_max > OUT_SLOTS_MIN ? conns_max : OUT_SLOTS_MIN);
    /* A slot for everything that can be out at once, so that a return never fails. */
    r->frame_slots = power_of_two((uint64_t)r->slab.pages_n + LENT_MAX + 1);
    r->chunk_slots = power_of_two((uint64_t)r->out_slots * (NODES_PER_SLOT + 1) + 1);
    r->pending_max = 4 * conns_max + 4 * r->out_slots;

    size_t in_n = r->in_slots * sizeof(struct hs_in);
    size_t out_n = r->out_slots * sizeof(struct hs_out);
    size_t frames_n = r->frame_slots * sizeof(struct hs_frame_ref);
    size_t chunks_n = r->chunk_slots * sizeof(struct hs_chunk_ref);
    char *mem = hs_alloc(in_n + out_n + frames_n + chunks_n);
    r->ring_mem = mem;
    r->pending = hs_alloc((size_t)r->pending_max * sizeof(r->pending[0]));
    if (mem == NULL || r->pending == NULL)
        return false;
    hs_in_ring_init(&r->in, (struct hs_in *)(void *)mem, r->in_slots);
    hs_out_ring_init(&r->out, (struct hs_out *)(void *)(mem + in_n), r->out_slots);
    hs_frame_ring_init(&r->frames, (struct hs_frame_ref *)(void *)(mem + in_n + out_n),
                       r->frame_slots);
    hs_chunk_ring_init(&r->chunks, (struct hs_chunk_ref *)(void *)(mem + in_n + out_n + frames_n),
                       r->chunk_slots);
    return true;
}

static bool alloc_conns(struct hs_reactor *r)
{
    uint32_t conns_max = r->net->conf.conns_max;
    uint32_t nodes_n = r->out_slots * NODES_PER_SLOT;

    r->conns = hs_alloc((size_t)conns_max * sizeof(r->conns[0]));
    r->free_places = hs_alloc((size_t)conns_max * sizeof(r->free_places[0]));
    r->queued = hs_alloc((size_t)conns_max * sizeof(r->queued[0]));
    r->nodes = hs_alloc((size_t)nodes_n * sizeof(r->nodes[0]));
    if (r->conns == NULL || r->free_places == NULL || r->queued == NULL || r->nodes == NULL)
        return false;
    for (uint32_t i = 0; i < conns_max; i++)
        r->free_places[i] = conns_max - 1 - i; /* low places first */
    r->free_n = conns_max;
    for (uint32_t i = 0; i < nodes_n; i++)
        r->nodes[i].next = i + 1 < nodes_n ? i + 1 : HS_NIL;
    r->nodes_free = 0;
    r->nodes_n = r->nodes_free_n = nodes_n;
    return true;
}

static void init_lists(struct hs_reactor *r)
{
    list_init(&r->rearm[0], LINK_RUN);
    list_init(&r->rearm[1], LINK_RUN);
    list_init(&r->ready, LINK_RUN);
    list_init(&r->parked, LINK_RUN);
    list_init(&r->dialing, LINK_CLOCK);
    list_init(&r->shaking, LINK_CLOCK);
    list_init(&r->partial, LINK_CLOCK);
    list_init(&r->idle, LINK_CLOCK);
    list_init(&r->sends, LINK_SEND);
    list_init(&r->silent, LINK_SILENT);
    list_init(&r->flush, LINK_FLUSH);
}

static bool reactor_init(struct hs_net *n, uint32_t ix)
{
    struct hs_reactor *r = &n->reactors[ix];

    r->net = n;
    r->ix = ix;
    r->recv_limited = true;
    r->wake.fd = -1;
    init_lists(r);
    return hs_wake_init(&r->wake) == 0 &&
           slab_init(&r->slab, n->conf.frame_bytes_max, n->conf.frame_max) == 0 && alloc_rings(r) &&
           alloc_conns(r);
}

/* What nobody will come for any more. */
static void drain(struct hs_reactor *r)
{
    struct hs_in in;
    struct hs_out out;

    push_pending(r);
    while (r->in.slots != NULL && hs_in_ring_pop(&r->in, &in)) {
        push_pending(r);
        if (in.kind == HS_IN_UP || in.kind == HS_IN_ACCEPTED)
            hs_free(in.up);
        else if (in.kind == HS_IN_REQUEST)
            r->net->ops.drop(r->net->ops.ctx, in.ptr);
        if (in.kind == HS_IN_ACCEPTED)
            close(in.number);
    }
    while (r->out.slots != NULL && hs_out_ring_pop(&r->out, &out)) {
        if (out.kind == HS_OUT_ADOPT)
            close((int)out.len);
        else if (out.kind == HS_OUT_REPLY)
            r->net->ops.drop(r->net->ops.ctx, out.ptr);
    }
}

static void reactor_fini(struct hs_reactor *r)
{
    drain(r);
    hs_wake_fini(&r->wake);
    slab_fini(&r->slab);
    hs_free(r->ring_mem);
    hs_free(r->pending);
    hs_free(r->conns);
    hs_free(r->free_places);
    hs_free(r->queued);
    hs_free(r->nodes);
}

/* ---- the door ---- */

static void tune_limit(struct net_limit *to, const struct hs_net_limit *from)
{
    atomic_store_explicit(&to->hard, from->hard, memory_order_relaxed);
    atomic_store_explicit(&to->soft, from->soft, memory_order_relaxed);
    atomic_store_explicit(&to->soft_s, from->soft_s, memory_order_relaxed);
}

void hs_net_tune(struct hs_net *n, const struct hs_net_tune *tune)
{
    HS_ASSERT(tune->dial_timeout_ms > 0 && tune->stall_timeout_ms > 0);
    struct net_tune *t = &n->tune;

    atomic_store_explicit(&t->sendbuf_limit, tune->sendbuf_limit, memory_order_relaxed);
    atomic_store_explicit(&t->clients_max, tune->clients_max, memory_order_relaxed);
    atomic_store_explicit(&t->dial_timeout_ms, tune->dial_timeout_ms, memory_order_relaxed);
    atomic_store_explicit(&t->stall_timeout_ms, tune->stall_timeout_ms, memory_order_relaxed);
    atomic_store_explicit(&t->client_timeout_s, tune->client_timeout_s, memory_order_relaxed);
    atomic_store_explicit(&t->verify_senders, tune->verify_senders, memory_order_relaxed);
    atomic_store_explicit(&t->tcp_keepalive_s, tune->tcp_keepalive_s, memory_order_relaxed);
    atomic_store_explicit(&t->links_per_ip, tune->links_per_ip, memory_order_relaxed);
    atomic_store_explicit(&t->clients_per_ip, tune->clients_per_ip, memory_order_relaxed);
    tune_limit(&t->reply, &tune->reply);
    tune_limit(&t->push, &tune->push);
}

static bool alloc_shares(struct hs_net *n)
{
    n->shares = hs_alloc((size_t)SHARE_TABLES * SHARE_SLOTS * sizeof(n->shares[0]));
    return n->shares != NULL &&
           getrandom(&n->share_key, sizeof(n->share_key), 0) == (ssize_t)sizeof(n->share_key);
}

struct hs_net *hs_net_create(const struct hs_net_conf *conf, const struct hs_client_ops *ops,
                             struct hs_wake *owner_wake)
{
    HS_ASSERT(conf->reactors > 0 && conf->reactors <= HS_REACTORS_MAX);
    HS_ASSERT(!conf->bus_tls || conf->tls != NULL);
    HS_ASSERT(conf->conns_max > 0 && conf->frame_max >= HS_HDR_LEN);
    struct hs_net *n = hs_alloc(sizeof(*n));

    if (n == NULL)
        return NULL;
    n->conf = *conf;
    hs_net_tune(n, &conf->tune);
    n->ops = *ops;
    n->owner_wake = owner_wake;
    sem_init(&n->opened, 0, 0);
    n->reactors = hs_alloc(conf->reactors * sizeof(n->reactors[0]));
    bool ok = n->reactors != NULL && alloc_shares(n);
    for (uint32_t i = 0; ok && i < conf->reactors; i++)
        ok = reactor_init(n, i);
    if (ok)
        return n;
    hs_net_destroy(n);
    return NULL;
}

void hs_net_destroy(struct hs_net *n)
{
    if (n == NULL)
        return;
    for (uint32_t i = 0; n->reactors != NULL && i < n->conf.reactors; i++) {
        if (n->reactors[i].net != NULL)
            reactor_fini(&n->reactors[i]);
    }
    for (uint32_t i = 0; i < n->listeners_n; i++)
        close(n->listeners[i].fd);
    hs_free(n->reactors);
    hs_free(n->shares);
    sem_destroy(&n->opened);
    hs_free(n);
}

static int listen_on(struct hs_net *n, int fd, const struct sockaddr *a, socklen_t len,
                     enum hs_listen kind)
{
    if (bind(fd, a, len) != 0 || listen(fd, n->conf.backlog) != 0) {
        int rc = -errno;
        close(fd);
        return rc;
    }
    n->listeners[n->listeners_n++] = (struct listener){.fd = fd, .kind = kind};
    return 0;
}

static int listen_ip(struct hs_net *n, const char *ip, uint16_t port, enum hs_listen kind)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    bool is_v4 = inet_pton(AF_INET, ip, &v4.sin_addr) == 1;
    int on = 1;

    if (!is_v4 && inet_pton(AF_INET6, ip, &v6.sin6_addr) != 1)
        return -EINVAL;
    if (n->listeners_n == LISTENERS_MAX)
        return -ENOSPC;
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (is_v4)
        return listen_on(n, fd, (struct sockaddr *)&v4, sizeof(v4), kind);
    /* Each family has its own listener, so "::" must not take IPv4 as well. */
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    return listen_on(n, fd, (struct sockaddr *)&v6, sizeof(v6), kind);
}

int hs_net_listen_bus(struct hs_net *n, const char *ip, uint16_t port)
{
    return listen_ip(n, ip, port, HS_LISTEN_BUS);
}

int hs_net_listen_client(struct hs_net *n, const char *ip, uint16_t port)
{
    return listen_ip(n, ip, port, HS_LISTEN_CLIENT);
}

int hs_net_listen_client_tls(struct hs_net *n, const char *ip, uint16_t port)
{
    HS_ASSERT(n->conf.tls != NULL);
    return listen_ip(n, ip, port, HS_LISTEN_CLIENT_TLS);
}

int hs_net_listen_unix(struct hs_net *n, const char *path, unsigned mode)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t len = strlen(path);

    if (len >= sizeof(a.sun_path))
        return -ENAMETOOLONG;
    if (n->listeners_n == LISTENERS_MAX)
        return -ENOSPC;
    memcpy(a.sun_path, path, len);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    struct stat st; /* left behind by a process that did not end well? */
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(path);
    int rc = listen_on(n, fd, (struct sockaddr *)&a, sizeof(a), HS_LISTEN_UNIX);
    if (rc == 0 && mode != 0 && chmod(path, mode) != 0)
        rc = -errno;
    return rc;
}

struct hs_port hs_net_port(struct hs_net *n, uint32_t reactor)
{
    HS_ASSERT(reactor < n->conf.reactors);
    struct hs_reactor *r = &n->reactors[reactor];

    return (struct hs_port){&r->in, &r->out, &r->frames, &r->chunks, &r->wake};
}

uint32_t hs_net_reactor_of(const struct hs_net *n, struct hs_conn_id conn)
{
    uint32_t reactor = conn.ix / n->conf.conns_max;

    HS_ASSERT(reactor < n->conf.reactors);
    return reactor;
}

uint32_t hs_net_reactor_for(const struct hs_net *n, const char *ip)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *ip != '\0'; ip++)
        hash = (hash ^ (uint8_t)*ip) * 16777619u;
    return hash % n->conf.reactors;
}

bool hs_net_has_subscribers(const struct hs_net *n, uint32_t reactor)
{
    return atomic_load_explicit(&n->reactors[reactor].has_subscribers, memory_order_relaxed);
}
