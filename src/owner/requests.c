/* requests.c - what client sessions ask of the owner.
 *
 * A request is borrowed from its session until it goes back in an HS_OUT_REPLY.
 * It goes back only after what it changed was published, so a client that reads
 * after a reply sees its own write.
 */
#include "owner_int.h"

#include <string.h>
#include <time.h>

enum { STALL_MIN_MS = 5000 }; /* a send may pause that long even with short timeouts */

void owner_answer(struct hs_owner *o, struct hs_request *req)
{
    req->next = NULL;
    *o->answers_end = req;
    o->answers_end = &req->next;
}

void owner_answers_flush(struct hs_owner *o)
{
    struct hs_request *req = o->answers;
    o->answers = NULL;
    o->answers_end = &o->answers;
    while (req != NULL) {
        struct hs_request *next = req->next;
        uint32_t r = hs_net_reactor_of(o->net, req->conn);
        HS_ASSERT(r < o->ports_n);
        owner_port_reply(&o->ports[r], req);
        req = next;
    }
}

static void command(struct hs_owner *o, struct hs_request *req)
{
    req->cmd.token = (uint64_t)(uintptr_t)req;
    struct hs_event ev = {.type = HS_EV_COMMAND, .cmd = &req->cmd};
    owner_step(o, &ev);
}

static struct hs_net_limit limit_of(const struct hs_conf_limit *l)
{
    return (struct hs_net_limit){.hard = l->hard, .soft = l->soft, .soft_s = l->soft_s};
}

/* What is asked for holds for this host's own connections too; the default does
 * not: many nodes, or a load test, may run beside each other. */
static struct hs_net_share share_of(uint32_t asked, uint32_t otherwise)
{
    return (struct hs_net_share){.max = asked != 0 ? asked : otherwise, .loopback = asked != 0};
}

void hs_owner_net_tune(const struct hs_conf *conf, struct hs_net_tune *out)
{
    uint32_t timeout_ms = conf->node_timeout_ms;
    *out = (struct hs_net_tune){
        .sendbuf_limit = conf->link_sendbuf_limit,
        .clients_max = conf->maxclients,
        .dial_timeout_ms = timeout_ms,
        .stall_timeout_ms = timeout_ms > STALL_MIN_MS ? timeout_ms : STALL_MIN_MS,
        .client_timeout_s = conf->timeout_s,
        .tcp_keepalive_s = conf->tcp_keepalive_s,
        .verify_senders = conf->verify_node_id,
        .links_per_ip = share_of(conf->links_per_address, conf->nodes_max),
        .clients_per_ip = share_of(conf->clients_per_address, (conf->maxclients + 1) / 2),
        .reply = limit_of(&conf->outbuf[HS_LIMIT_NORMAL]),
        .push = limit_of(&conf->outbuf[HS_LIMIT_PUBSUB]),
    };
}

static void adopt_conf(struct hs_owner *o, struct hs_request *req)
{
    if (req->conf_n != o->conf_n) { /* adopting it would undo what came between */
        req->err = HS_CMD_ERR_CONF_CHANGED;
        owner_answer(o, req);
        return;
    }
    struct hs_core_conf core_conf;
    hs_owner_core_conf(req->conf, &core_conf);
    struct hs_cmd cmd = {.type = HS_CMD_CONF, .conf = &core_conf};
    struct hs_event ev = {.type = HS_EV_COMMAND, .cmd = &cmd};
    owner_step(o, &ev);
    struct hs_net_tune tune;
    hs_owner_net_tune(req->conf, &tune);
    hs_net_tune(o->net, &tune);
    if (req->keys != NULL)
        hs_tls_adopt(o->tls, req->keys);
    req->keys = NULL;
    o->conf = *req->conf;
    o->conf_n++;
    o->published_stale = true;
    hs_log_set_level(o->conf.loglevel);
    hs_log_set_format(o->conf.log_format);
    req->err = HS_CMD_OK;
    owner_answer(o, req);
}

/* In slices, so that a stop does not wait for the rest of it. */
static void stand_still(struct hs_owner *o, int64_t ms)
{
    while (ms > 0 && !atomic_load(&o->stop)) {
        int64_t slice = ms < 100 ? ms : 100;
        struct timespec ts = {.tv_nsec = slice * 1000000};
        nanosleep(&ts, NULL);
        ms -= slice;
    }
}

void owner_request(struct hs_owner *o, struct hs_request *req)
{
    switch (req->kind) {
    case HS_REQ_COMMAND:
        command(o, req);
        break;
    case HS_REQ_CONF:
        adopt_conf(o, req);
        break;
    case HS_REQ_SHUTDOWN:
        req->next = o->shutdowns;
        o->shutdowns = req;
        o->shutdown(o->shutdown_ctx);
        break;
    case HS_REQ_SLEEP:
        stand_still(o, req->number);
        owner_answer(o, req);
        break;
    case HS_REQ_ACCUSERS:
        req->number =
            hs_core_accusers(o->core, &req->cmd.id, o->now, req->accusers, req->accusers_max);
        owner_answer(o, req);
        break;
    case HS_REQ_PUBLISH:
        owner_publish(o, req);
        break;
    case HS_REQ_REWRITE:
        owner_rewrite(o, req);
        break;
    }
}

void hs_owner_core_conf(const struct hs_conf *conf, struct hs_core_conf *out)
{
    *out = (struct hs_core_conf){
        .node_timeout_ms = conf->node_timeout_ms,
        .ping_interval_ms = conf->ping_interval_ms,
        .blacklist_ttl_s = conf->blacklist_ttl_s,
        .migration_barrier = conf->migration_barrier,
        .replica_validity_factor = conf->replica_validity_factor,
        .require_full_coverage = conf->require_full_coverage,
        .replica_no_failover = conf->replica_no_failover,
        .allow_replica_migration = conf->allow_replica_migration,
        .tls_cluster = conf->tls_cluster,
        .port = conf->announce_port != 0 ? conf->announce_port : conf->port,
        .tls_port = conf->announce_tls_port != 0 ? conf->announce_tls_port : conf->tls_port,
        .cport = conf->announce_bus_port != 0 ? conf->announce_bus_port : hs_conf_bus_port(conf),
    };
    memcpy(out->announce_ip, conf->announce_ip, sizeof(out->announce_ip));
    memcpy(out->client_ipv4, conf->announce_client_ipv4, sizeof(out->client_ipv4));
    memcpy(out->client_ipv6, conf->announce_client_ipv6, sizeof(out->client_ipv6));
    memcpy(out->hostname, conf->announce_hostname, sizeof(out->hostname));
    memcpy(out->nodename, conf->announce_nodename, sizeof(out->nodename));
}
