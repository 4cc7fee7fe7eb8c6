/* rooms.c - builds one of each room, wires them together, and takes them down.
 *
 * Every size in the process is derived here, from cluster-nodes-max, maxclients
 * and the number of reactors.
 */
#include "daemon_int.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum {
    CONNS_SPARE = 64,         /* per reactor: handshakes, strangers */
    FRAME_BYTES = 8 << 20,    /* per reactor: received, not yet read by the owner */
    FRAMES_MIN = 4,           /* but at least so many of the longest */
    SEND_PENDING = 1024,      /* entries of one link: minutes of heartbeats */
    PUBSUB_PENDING = 8192,    /* and messages of pub/sub: a burst, in a third of the chunks */
    CLIENT_OUTBUF = 64 << 20, /* a CLUSTER SLOTS of 16384 ranges is below 4 MiB */
    CONNECTS = 256,
};

static bool draw(void *p, size_t n)
{
    return getrandom(p, n, 0) == (ssize_t)n;
}

static bool draw_id(char hex[HS_ID_LEN])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[HS_ID_LEN];
    if (!draw(bytes, sizeof(bytes)))
        return false;
    for (int i = 0; i < HS_ID_LEN; i++)
        hex[i] = digits[bytes[i] & 15];
    return true;
}

/* What a node knows that was never started before: a name for itself. */
static struct hs_topo *fresh_topo(void)
{
    struct hs_topo *t = hs_topo_create(1, 0, 0);
    if (t == NULL)
        return NULL;
    struct hs_topo_node *self = &t->nodes[0];
    t->nodes_n = 1;
    self->flags = HS_NODE_MYSELF | HS_NODE_MASTER;
    self->master = HS_TOPO_NONE;
    self->hostname = "";
    self->nodename = "";
    self->client_ipv4 = "";
    self->client_ipv6 = "";
    if (draw_id(self->id.hex) && draw_id(self->shard_id))
        return t;
    hs_topo_destroy(t);
    return NULL;
}

static int no_memory(const struct daemon *d, const char *what)
{
    return daemon_fail(d, DAEMON_REFUSED,
                       "Not enough memory for %s of a cluster of %" PRIu32
                       " nodes. Lower cluster-nodes-max or maxclients.",
                       what, d->conf.nodes_max);
}

static int open_store(struct daemon *d)
{
    char why[1024];
    int code = DAEMON_REFUSED;
    d->store = hs_store_open(d->conf.cluster_config_file, hs_clock().wall.ms, &d->boot, why,
                             sizeof(why), &code);
    if (d->store == NULL)
        return daemon_fail(d, code, "%s", why);
    d->is_fresh = d->boot == NULL;
    if (d->is_fresh)
        d->boot = fresh_topo();
    if (d->boot == NULL)
        return daemon_fail(d, DAEMON_REFUSED, "No memory or no randomness for a node id.");
    if (d->boot->nodes_n > d->conf.nodes_max)
        return daemon_fail(d, DAEMON_BAD_CONF,
                           "'%s' knows %" PRIu32 " nodes, more than cluster-nodes-max %" PRIu32
                           ". Raise cluster-nodes-max.",
                           d->conf.cluster_config_file, d->boot->nodes_n, d->conf.nodes_max);
    return DAEMON_OK;
}

/* On the watch's thread: events are there for who wants them. */
static void told(void *ctx)
{
    struct daemon *d = ctx;
    for (uint32_t r = 0; r < d->reactors_n; r++)
        if (hs_net_has_subscribers(d->net, r))
            hs_net_wake(d->net, r);
    if (d->script != NULL)
        hs_wake_post(hs_script_wake(d->script));
}

static int build_watch(struct daemon *d)
{
    struct hs_watch_conf conf = {
        .snapshot = d->snapshot,
        .tls = d->tls,
        .reader = d->reactors_n,
        .nodes_max = d->conf.nodes_max,
        .told = told,
        .told_ctx = d,
    };
    d->watch = hs_watch_create(&conf);
    if (d->watch == NULL)
        return no_memory(d, "the watch");
    if (d->conf.notification_script[0] == '\0')
        return DAEMON_OK;
    d->script = hs_script_create(d->watch, &HS_SCRIPT_CONF(d->conf.notification_script));
    return d->script != NULL ? DAEMON_OK : no_memory(d, "the notification script");
}

static int build_net(struct daemon *d)
{
    const struct hs_conf *c = &d->conf;
    uint32_t frame_max = hs_wire_frame_max(c->nodes_max);
    uint32_t frames_least = frame_max * FRAMES_MIN;
    struct hs_net_conf conf = {
        .reactors = d->reactors_n,
        .conns_max = d->conns_max,
        .frame_max = frame_max,
        .frame_bytes_max = frames_least > FRAME_BYTES ? frames_least : FRAME_BYTES,
        .send_pending_max = SEND_PENDING,
        .pubsub_pending_max = PUBSUB_PENDING,
        .client_outbuf_max = CLIENT_OUTBUF,
        .backlog = (int)c->tcp_backlog,
        .tls = d->tls,
        .bus_tls = c->tls_cluster,
    };
    hs_owner_net_tune(c, &conf.tune);
    memcpy(conf.source_ip, c->bind_source_addr, sizeof(conf.source_ip));

    struct hs_admin_conf admin = {
        .snapshot = d->snapshot,
        .reactors = d->reactors_n,
        .clients_max = c->maxclients,
        .config_file = d->loaded.file,
        .executable = d->executable,
        .net = &d->net,
        .tls = d->tls,
        .watch = d->watch,
    };
    d->admin = hs_admin_create(&admin);
    if (d->admin == NULL)
        return no_memory(d, "the client port");
    struct hs_client_ops ops = hs_admin_ops(d->admin);
    d->net = hs_net_create(&conf, &ops, &d->owner_wake);
    return d->net != NULL ? DAEMON_OK : no_memory(d, "the connections");
}

static int build_owner(struct daemon *d)
{
    struct hs_owner_conf conf = {
        .conf = d->conf,
        .core =
            {
                .nodes_max = d->conf.nodes_max,
                .links_max = d->reactors_n * d->conns_max,
                .connects_max = CONNECTS,
            },
        .boot = d->boot,
        .net = d->net,
        .tls = d->tls,
        .reactors = d->reactors_n,
        .store = d->store,
        .snapshot = d->snapshot,
        .wake = &d->owner_wake,
        .published = hs_watch_wake(d->watch),
        .shutdown = daemon_signals_stop,
    };
    if (!draw(&conf.core.seed, sizeof(conf.core.seed)))
        return daemon_fail(d, DAEMON_REFUSED, "The kernel gave no randomness: %s.",
                           strerror(errno));
    d->owner = hs_owner_create(&conf);
    return d->owner != NULL ? DAEMON_OK : no_memory(d, "the table");
}

/* A node that others knew by an id it has forgotten would be worse than none. One
 * that has a file can start on a full disk: it knows who it is. */
static int save_first(struct daemon *d)
{
    char why[256];
    if (hs_store_flush(d->store) || !d->is_fresh)
        return DAEMON_OK;
    hs_store_error(d->store, why, sizeof(why));
    return daemon_fail(d, DAEMON_REFUSED,
                       "Cannot save the new node's id in '%s/%s' (%s). Make room or give this "
                       "user the right to write there, or change 'dir'.",
                       d->conf.dir, d->conf.cluster_config_file, why);
}

int daemon_build(struct daemon *d)
{
    const struct hs_conf *c = &d->conf;
    int err = hs_net_probe(d->net_offers, sizeof(d->net_offers));
    if (err != 0)
        return daemon_fail(d, DAEMON_REFUSED, "%s", d->net_offers);
    /* All peers may be on one reactor (they are on loopback); clients are dealt out. */
    uint32_t clients = 2 * (c->maxclients / d->reactors_n) + 1;
    d->conns_max =
        2 * c->nodes_max + (clients < c->maxclients ? clients : c->maxclients) + CONNS_SPARE;
    int code = daemon_load_keys(d);
    if (code == DAEMON_OK)
        code = open_store(d);
    if (code != DAEMON_OK)
        return code;
    err = hs_wake_init(&d->owner_wake);
    if (err != 0)
        return daemon_fail(d, DAEMON_REFUSED, "No eventfd for the owner: %s.", strerror(-err));
    d->has_owner_wake = true;
    /* The reactors, the watch, and whoever scrapes. */
    d->snapshot = hs_snapshot_create(d->reactors_n + 2, hs_published_destroy);
    if (d->snapshot == NULL)
        return no_memory(d, "the published view");
    code = build_watch(d);
    if (code == DAEMON_OK)
        code = build_net(d);
    if (code == DAEMON_OK)
        code = daemon_listen(d);
    if (code == DAEMON_OK)
        code = build_owner(d);
    if (code == DAEMON_OK)
        code = save_first(d);
    return code;
}

void daemon_remove_files(struct daemon *d)
{
    if (d->has_unixsocket)
        unlink(d->conf.unixsocket);
    if (d->has_pidfile)
        unlink(d->conf.pidfile);
}

void daemon_demolish(struct daemon *d)
{
    hs_metrics_destroy(d->metrics);
    hs_owner_destroy(d->owner);
    if (d->net != NULL)
        hs_net_destroy(d->net);
    hs_tls_destroy(d->tls);
    hs_admin_destroy(d->admin);
    hs_script_destroy(d->script);
    hs_watch_destroy(d->watch);
    if (d->snapshot != NULL)
        hs_snapshot_destroy(d->snapshot);
    if (d->has_owner_wake)
        hs_wake_fini(&d->owner_wake);
    if (d->store != NULL)
        hs_store_close(d->store);
    hs_topo_destroy(d->boot);
    daemon_remove_files(d);
}
