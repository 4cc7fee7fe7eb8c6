/* bench_core.c - one step of the core: a PING read and answered, a PONG read,
 * and a tick in which nothing is due, in clusters of several sizes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "hearsay/core.h"
#include "micro.h"

enum { PINGS = 64, LINKS = 4096, TIMEOUT_MS = 15000 };

struct bench {
    struct hs_core *core;
    struct hs_actions acts;
    struct hs_now now;
    uint32_t entries_n;
    uint8_t *pings; /* PINGS frames from as many senders */
    struct hs_view views[PINGS];
};

static void *need(void *p)
{
    if (p == NULL) {
        abort();
    }
    return p;
}

static void node(struct hs_topo *t, uint32_t i, int64_t now_ms)
{
    struct hs_topo_node *n = &t->nodes[i];

    *n = (struct hs_topo_node){.master = HS_TOPO_NONE,
                               .port = 6379,
                               .cport = 16379,
                               .hostname = "",
                               .nodename = "",
                               .client_ipv4 = "",
                               .client_ipv6 = "",
                               .config_epoch = i + 1,
                               .pong_received_ms = now_ms};
    frames_id(&n->id, i);
    memset(n->shard_id, '0' + (int)(i % 10), HS_ID_LEN);
    snprintf(n->ip, sizeof(n->ip), "10.0.%u.%u", i / 250 % 250, i % 250 + 1);
    n->flags = i == 0 ? HS_NODE_MASTER | HS_NODE_MYSELF : HS_NODE_MASTER;
}

static struct hs_topo *topology(uint32_t nodes_n, int64_t now_ms)
{
    struct hs_topo *t = need(hs_topo_create(nodes_n, 0, 1));

    for (uint32_t i = 0; i < nodes_n; i++) {
        node(t, i, now_ms);
    }
    for (uint32_t s = 0; s < HS_SLOTS; s++) {
        t->owner[s] = HS_TOPO_NONE;
    }
    for (uint32_t i = 1; i < nodes_n; i++) {
        for (uint32_t s = i * HS_SLOTS / nodes_n; s < (i + 1) * HS_SLOTS / nodes_n; s++) {
            t->owner[s] = (uint16_t)i;
            t->nodes[i].slots_n++;
        }
    }
    t->nodes_n = nodes_n;
    t->current_epoch = nodes_n;
    return t;
}

static void step(struct bench *b, const struct hs_event *ev)
{
    hs_core_step(b->core, ev, b->now, &b->acts);
}

static void ping(struct bench *b, uint32_t nodes_n, uint32_t i)
{
    struct hs_link_up up = {.local_ip = "10.0.0.1"};
    uint8_t *frame = b->pings + (size_t)i * (HS_HDR_LEN + (size_t)b->entries_n * HS_GOSSIP_LEN);
    uint32_t len = frames_ping(frame, nodes_n, i + 1, i * 101 + 1, b->entries_n);

    snprintf(up.peer_ip, sizeof(up.peer_ip), "10.0.%u.%u", (i + 1) / 250, (i + 1) % 250 + 1);
    if (hs_wire_check(frame, len, &b->views[i]) != HS_WIRE_OK) {
        abort();
    }
    step(b, &(struct hs_event){.type = HS_EV_LINK_UP, .link = {i, 1}, .up = &up});
}

static void recv_ping(void *ctx, uint64_t n)
{
    struct bench *b = ctx;

    for (uint64_t i = 0; i < n; i++) {
        uint32_t which = (uint32_t)(i % PINGS);
        step(b,
             &(struct hs_event){.type = HS_EV_RECV, .link = {which, 1}, .msg = &b->views[which]});
        micro_keep(b->acts.bytes);
    }
}

static void *setup(uint64_t size)
{
    uint32_t nodes_n = (uint32_t)size;
    struct hs_core_opts o = {
        .nodes_max = nodes_n, .links_max = LINKS, .connects_max = 256, .seed = 1};
    struct hs_core_conf conf = {
        .node_timeout_ms = TIMEOUT_MS, .port = 6379, .cport = 16379, .require_full_coverage = true};
    struct bench *b = need(calloc(1, sizeof(*b)));
    size_t bytes = (hs_core_size(&o) + 63) & ~(size_t)63;
    struct hs_topo *boot;

    b->now = (struct hs_now){.mono = {1000000}, .wall = {1700000000000}};
    b->entries_n = nodes_n / 10;
    boot = topology(nodes_n, b->now.wall.ms);
    b->acts.max = hs_core_actions_max(&o);
    b->acts.v = need(calloc(b->acts.max, sizeof(*b->acts.v)));
    b->acts.bytes_max = hs_core_bytes_max(&o);
    b->acts.bytes = need(calloc(1, b->acts.bytes_max));
    void *mem = need(aligned_alloc(64, bytes));
    memset(mem, 0, bytes);
    b->core = hs_core_init(mem, &o, &conf, boot, b->now);
    b->pings = need(calloc(PINGS, HS_HDR_LEN + (size_t)b->entries_n * HS_GOSSIP_LEN));
    for (uint32_t i = 0; i < PINGS; i++) {
        ping(b, nodes_n, i);
    }
    hs_topo_destroy(boot);
    recv_ping(b, PINGS); /* a first claim is walked slot by slot, later ones are recognised */
    return b;
}

/* The tick every 100 ms; the clock stands still, so nothing ever becomes due. */
static void tick(void *ctx, uint64_t n)
{
    struct bench *b = ctx;

    for (uint64_t i = 0; i < n; i++) {
        step(b, &(struct hs_event){.type = HS_EV_TICK});
        micro_keep(b->acts.v);
    }
}

int main(int argc, char **argv)
{
    static const struct micro_case cases[] = {
        {"ping_100_nodes", recv_ping, setup, 100},     {"ping_1000_nodes", recv_ping, setup, 1000},
        {"ping_3000_nodes", recv_ping, setup, 3000},   {"ping_5000_nodes", recv_ping, setup, 5000},
        {"ping_10000_nodes", recv_ping, setup, 10000}, {"tick_1000_nodes", tick, setup, 1000},
        {"tick_10000_nodes", tick, setup, 10000},
    };

    return micro_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
