/* --explain --nodes N: what a configuration costs, before it is deployed.
 *
 * Rates lie between two bounds. The floor is the one random ping per second
 * that every node sends whatever happens. The ceiling is a ping to every node
 * each time its last pong is half a timeout old; gossip, which brings younger
 * pong times from third parties, saves a part of these that depends on luck,
 * so only the ceiling is something to plan with.
 */
#include "conf_int.h"

#include <stdio.h>

enum {
    TICK_MS = 100,        /* timers are looked at so often */
    CLOCK_SLACK_MS = 500, /* a gossiped pong time may be so far in the future */
    SHARD_EXT_LEN = 48,   /* every ping carries the sender's shard id */
    PROCESS_BYTES =
        18 << 20,            /* 10 MiB idle, the rest for what is on its way in a burst: measured */
    REACTOR_BYTES = 8 << 20, /* receive buffers: 512 of 16 KiB */
    NODE_BYTES = 640,        /* its table entry and its part of three topologies */
    LINK_BYTES = 4096,       /* our state and the kernel's for an idle connection */
};

struct estimate {
    double entries, ping_bytes;
    double pings_floor, pings_ceiling; /* sent by one node, per second */
    double pfail_ms, fail_ms;
    double memory_bytes;
};

static double at_most(double v, double max)
{
    return v < max ? v : max;
}

static double at_least(double v, double min)
{
    return v > min ? v : min;
}

static struct estimate estimate(const struct hs_conf *c, uint32_t nodes)
{
    struct estimate e;
    double n = nodes, timeout_ms = c->node_timeout_ms;
    double interval_ms = c->ping_interval_ms != 0 ? c->ping_interval_ms : timeout_ms / 2;

    /* A tenth of the cluster, at least three, and never sender and receiver. */
    uint32_t tenth = nodes / 10;
    e.entries = at_most(at_least(tenth, 3), n - 2);
    e.ping_bytes = HS_HDR_LEN + e.entries * HS_GOSSIP_LEN + SHARD_EXT_LEN;
    e.pings_floor = 1;
    e.pings_ceiling = 1 + (n - 1) * 1000 / interval_ms;

    /* The node dies just after a pong. A third party may still gossip that pong
     * as half a second younger; then our ping leaves within the interval and a
     * tick, and is overdue a timeout and a tick later. */
    e.pfail_ms = CLOCK_SLACK_MS + interval_ms + TICK_MS + timeout_ms + TICK_MS;
    /* Every message carries all suspects, and every pair exchanges one within
     * an interval and a tick: by then a majority's reports have met. */
    e.fail_ms = e.pfail_ms + interval_ms + TICK_MS;

    uint32_t reactors = c->reactors != 0 ? c->reactors : 1;
    e.memory_bytes = PROCESS_BYTES + (double)reactors * REACTOR_BYTES + n * NODE_BYTES +
                     2 * (n - 1) * LINK_BYTES;
    return e;
}

void hs_conf_print_explain(const struct hs_conf *c, uint32_t nodes)
{
    struct estimate e = estimate(c, nodes);
    const double mib = 1 << 20;

    printf("A cluster of %u nodes, cluster-node-timeout %u ms, as one node sees it:\n\n", nodes,
           c->node_timeout_ms);
    printf("  gossip entries per message   %.0f\n", e.entries);
    printf("  bytes per ping or pong       %.0f\n", e.ping_bytes);
    /* A ping brings a pong, and others ping us as often as we ping them. */
    printf("  messages sent per second     %.1f to %.1f, and as many received\n", 2 * e.pings_floor,
           2 * e.pings_ceiling);
    printf("  bytes sent per second        %.0f to %.0f, and as many received\n",
           2 * e.pings_floor * e.ping_bytes, 2 * e.pings_ceiling * e.ping_bytes);
    printf("  connections                  %u (one each way per node)\n", 2 * (nodes - 1));
    printf("  memory                       about %.1f MiB%s\n", e.memory_bytes / mib,
           c->reactors == 0 ? ", and 8 MiB for each reactor after the first" : "");
    printf("  suspected (PFAIL) after      at most %.1f s\n", e.pfail_ms / 1000);
    printf("  failed (FAIL) after          at most %.1f s, with a majority of masters up\n",
           e.fail_ms / 1000);
    printf("\nThe upper rates are without what gossip saves; suspects add %d bytes each.\n",
           HS_GOSSIP_LEN);
    if (nodes > c->nodes_max)
        printf("\nThis node would refuse that many: cluster-nodes-max is %u.\n", c->nodes_max);
}
