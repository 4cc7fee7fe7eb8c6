/* pack.c - what a disk holds: of a view the part that a restart reads.
 *
 * Every node of a simulation has up to four of these, with every other node in
 * each, so they decide how much memory a large cluster takes. A view has nearly
 * 300 bytes for a node; here are 120.
 */
#include "sim_int.h"

enum { IPV4_LEN = 16 }; /* simulated nodes have no other addresses */

struct packed_node {
    struct hs_node_id id;
    char shard_id[HS_ID_LEN];
    char ip[IPV4_LEN];
    uint64_t config_epoch;
    uint16_t port, tls_port, cport, flags, master;
    bool pinged, ponged; /* the moments mean nothing in another life */
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

/* Drop it with hs_free(). */
struct packed *disk_pack(const struct hs_topo *t)
{
    struct packed *p = allocate(t);

    p->current_epoch = t->current_epoch;
    p->last_vote_epoch = t->last_vote_epoch;
    p->nodes_n = t->nodes_n;
    for (uint32_t i = 0; i < t->nodes_n; i++) {
        const struct hs_topo_node *n = &t->nodes[i];
        struct packed_node *to = &p->nodes[i];
        HS_ASSERT(strlen(n->ip) < IPV4_LEN && n->hostname[0] == '\0' && n->nodename[0] == '\0');
        *to = (struct packed_node){.id = n->id,
                                   .config_epoch = n->config_epoch,
                                   .port = n->port,
                                   .tls_port = n->tls_port,
                                   .cport = n->cport,
                                   .flags = n->flags,
                                   .master = n->master,
                                   .pinged = n->ping_sent_ms != 0,
                                   .ponged = n->pong_received_ms != 0};
        memcpy(to->shard_id, n->shard_id, sizeof(to->shard_id));
        memcpy(to->ip, n->ip, sizeof(to->ip));
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

static void unpack_node(const struct packed_node *n, struct hs_topo_node *to)
{
    *to = (struct hs_topo_node){.id = n->id,
                                .config_epoch = n->config_epoch,
                                .port = n->port,
                                .tls_port = n->tls_port,
                                .cport = n->cport,
                                .flags = n->flags,
                                .master = n->master,
                                .ping_sent_ms = n->pinged ? 1 : 0,
                                .pong_received_ms = n->ponged ? 1 : 0,
                                .hostname = "",
                                .nodename = "",
                                .client_ipv4 = "",
                                .client_ipv6 = ""};
    memcpy(to->shard_id, n->shard_id, sizeof(to->shard_id));
    memcpy(to->ip, n->ip, sizeof(n->ip));
}

/* Drop it with hs_topo_destroy(). */
struct hs_topo *disk_unpack(const struct packed *p)
{
    struct hs_topo *t = hs_topo_create(p->nodes_n, p->migrating_n + p->importing_n, 1);

    HS_ASSERT(t != NULL);
    t->nodes_n = p->nodes_n;
    t->current_epoch = p->current_epoch;
    t->last_vote_epoch = p->last_vote_epoch;
    for (uint32_t i = 0; i < p->nodes_n; i++) {
        unpack_node(&p->nodes[i], &t->nodes[i]);
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
