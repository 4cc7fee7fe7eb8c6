/* pack.c - what a disk holds: of a view the part that a restart reads.
 *
 * Every node of a simulation has up to four of these, with every other node in
 * each, so they decide how much memory a large cluster takes. What views say of
 * a node is nearly always the same, so the texts are kept once for all of them,
 * and as long as the run lasts: a view has 8 bytes for a node and not 300.
 */
#include "sim_int.h"

enum {
    IPV4_LEN = 16, /* simulated nodes have no other addresses */
    IDENTITIES_MIN = 64,
    IDENTITIES_MAX = 1 << 30,
};

struct identity { /* compared as bytes */
    struct hs_node_id id;
    char shard_id[HS_ID_LEN];
    char ip[IPV4_LEN];
    uint64_t config_epoch;
    uint16_t port, tls_port, cport, unused;
};
_Static_assert(sizeof(struct identity) == 2 * HS_ID_LEN + IPV4_LEN + 16, "no gaps");

struct packed_node {
    uint32_t who : 30;
    uint32_t pinged : 1, ponged : 1; /* the moments mean nothing in another life */
    uint16_t flags, master;
};

struct run { /* of slots with one owner, up to the next run */
    uint16_t first, owner;
};

struct packed {
    struct packed_node *nodes;
    struct run *runs;
    struct hs_topo_open *open; /* migrating, then importing */
    uint32_t nodes_n, runs_n, migrating_n, importing_n;
    uint64_t current_epoch, last_vote_epoch;
};

static struct packed *allocate(const struct hs_topo *t)
{
    uint32_t runs_n = 0, open_n = t->migrating_n + t->importing_n;
    struct packed *p;

    for (uint32_t slot = 0; slot < HS_SLOTS; slot = view_run_end(t, slot)) {
        runs_n++;
    }
    p = hs_alloc(sizeof(*p) + t->nodes_n * sizeof(*p->nodes) + runs_n * sizeof(*p->runs) +
                 open_n * sizeof(*p->open));
    HS_ASSERT(p != NULL);
    p->nodes = (struct packed_node *)(void *)(p + 1);
    p->runs = (struct run *)(void *)(p->nodes + t->nodes_n);
    p->open = (struct hs_topo_open *)(void *)(p->runs + runs_n);
    return p;
}

/* ---- identities ---- */

static uint64_t hash_bytes(const struct identity *x)
{
    const uint8_t *p = (const uint8_t *)x;
    uint64_t h = 0;

    for (size_t k = 0; k < sizeof(*x); k += 8) {
        h = (h ^ hs_get64(p + k)) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
    }
    return h;
}

/* Its place in the index, or the one where it belongs. */
static uint32_t *place_of(const struct identities *k, const struct identity *x)
{
    uint32_t at = (uint32_t)hash_bytes(x) & k->index_mask;

    while (k->index[at] != 0 && memcmp(&k->v[k->index[at] - 1], x, sizeof(*x)) != 0) {
        at = (at + 1) & k->index_mask;
    }
    return &k->index[at];
}

static void grow(struct identities *k)
{
    uint32_t max = k->max == 0 ? IDENTITIES_MIN : 2 * k->max;
    struct identity *v = hs_alloc(max * sizeof(*v));

    HS_ASSERT(v != NULL && max <= IDENTITIES_MAX);
    if (k->n > 0) {
        memcpy(v, k->v, k->n * sizeof(*v));
    }
    identities_fini(k);
    k->v = v;
    k->max = max;
    k->index_mask = 2 * max - 1; /* at most half full */
    k->index = hs_alloc((size_t)2 * max * sizeof(*k->index));
    HS_ASSERT(k->index != NULL);
    for (uint32_t i = 0; i < k->n; i++) {
        *place_of(k, &k->v[i]) = i + 1;
    }
}

void identities_fini(struct identities *k)
{
    hs_free(k->v);
    hs_free(k->index);
}

static uint32_t identity_of(struct identities *k, const struct hs_topo_node *n)
{
    struct identity x = {.id = n->id,
                         .config_epoch = n->config_epoch,
                         .port = n->port,
                         .tls_port = n->tls_port,
                         .cport = n->cport};
    uint32_t *place;

    HS_ASSERT(strlen(n->ip) < IPV4_LEN && n->hostname[0] == '\0' && n->nodename[0] == '\0');
    memcpy(x.shard_id, n->shard_id, sizeof(x.shard_id));
    memcpy(x.ip, n->ip, strlen(n->ip));
    if (k->n == k->max) {
        grow(k);
    }
    place = place_of(k, &x);
    if (*place == 0) {
        k->v[k->n++] = x;
        *place = k->n;
    }
    return *place - 1;
}

/* ---- views ---- */

/* Drop it with hs_free(). */
struct packed *disk_pack(struct identities *known, const struct hs_topo *t)
{
    struct packed *p = allocate(t);

    p->current_epoch = t->current_epoch;
    p->last_vote_epoch = t->last_vote_epoch;
    p->nodes_n = t->nodes_n;
    for (uint32_t i = 0; i < t->nodes_n; i++) {
        const struct hs_topo_node *n = &t->nodes[i];
        p->nodes[i] = (struct packed_node){.who = identity_of(known, n) & (IDENTITIES_MAX - 1),
                                           .pinged = n->ping_sent_ms != 0,
                                           .ponged = n->pong_received_ms != 0,
                                           .flags = n->flags,
                                           .master = n->master};
    }
    for (uint32_t slot = 0; slot < HS_SLOTS; slot = view_run_end(t, slot)) {
        p->runs[p->runs_n++] = (struct run){(uint16_t)slot, t->owner[slot]};
    }
    p->migrating_n = t->migrating_n;
    p->importing_n = t->importing_n;
    memcpy(p->open, t->migrating, t->migrating_n * sizeof(*p->open));
    memcpy(p->open + p->migrating_n, t->importing, t->importing_n * sizeof(*p->open));
    return p;
}

static void unpack_node(const struct identities *known, const struct packed_node *n,
                        struct hs_topo_node *to)
{
    const struct identity *x = &known->v[n->who];

    *to = (struct hs_topo_node){.id = x->id,
                                .config_epoch = x->config_epoch,
                                .port = x->port,
                                .tls_port = x->tls_port,
                                .cport = x->cport,
                                .flags = n->flags,
                                .master = n->master,
                                .ping_sent_ms = n->pinged,
                                .pong_received_ms = n->ponged,
                                .hostname = "",
                                .nodename = "",
                                .client_ipv4 = "",
                                .client_ipv6 = ""};
    memcpy(to->shard_id, x->shard_id, sizeof(to->shard_id));
    memcpy(to->ip, x->ip, sizeof(x->ip));
}

/* Drop it with hs_topo_destroy(). */
struct hs_topo *disk_unpack(const struct identities *known, const struct packed *p)
{
    struct hs_topo *t = hs_topo_create(p->nodes_n, p->migrating_n + p->importing_n, 1);

    HS_ASSERT(t != NULL);
    t->nodes_n = p->nodes_n;
    t->current_epoch = p->current_epoch;
    t->last_vote_epoch = p->last_vote_epoch;
    for (uint32_t i = 0; i < p->nodes_n; i++) {
        unpack_node(known, &p->nodes[i], &t->nodes[i]);
    }
    for (uint32_t k = 0; k < p->runs_n; k++) {
        uint32_t end = k + 1 < p->runs_n ? p->runs[k + 1].first : HS_SLOTS;
        for (uint32_t slot = p->runs[k].first; slot < end; slot++) {
            t->owner[slot] = p->runs[k].owner;
        }
    }
    t->migrating_n = p->migrating_n;
    t->importing_n = p->importing_n;
    memcpy(t->migrating, p->open, p->migrating_n * sizeof(*p->open));
    memcpy(t->importing, p->open + p->migrating_n, p->importing_n * sizeof(*p->open));
    return t;
}
