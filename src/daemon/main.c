/* main.c - hearsayd: start, wait for a reason to stop, stop.
 *
 * The order of start-up matters: what can refuse comes before what is hard to
 * undo, and the fork comes before any ring or thread, because an io_uring
 * belongs to the process that made it.
 */
#include "daemon_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* More cores than HS_REACTORS_MAX are left alone, as is a larger io-threads. */
static void count_reactors(struct daemon *d)
{
    cpu_set_t cpus;
    uint32_t n = daemon_cpus(&cpus);
    /* One CPU is the owner's. io-threads of an old redis.conf is a wish, too. */
    d->reactors_n = n > 1 ? n - 1 : 1;
    if (d->conf.reactors != 0)
        d->reactors_n = d->conf.reactors;
    else if (d->conf.io_threads > 1)
        d->reactors_n = d->conf.io_threads;
    if (d->reactors_n > HS_REACTORS_MAX)
        d->reactors_n = HS_REACTORS_MAX;
}

static int prepare(struct daemon *d)
{
    count_reactors(d);
    int code = daemon_open_log(d);
    if (code == DAEMON_OK)
        code = daemon_detach(d);
    if (code == DAEMON_OK)
        code = daemon_check_watchdog(d);
    if (code == DAEMON_OK)
        code = daemon_raise_fd_limit(d);
    return code;
}

static void announce(const struct daemon *d)
{
    const struct hs_conf *c = &d->conf;
    HS_ASSERT(d->boot != NULL);
    hs_log(HS_LOG_NOTICE, "hearsayd %s started, pid %ld%s%s", HS_VERSION, (long)getpid(),
           d->loaded.file[0] != 0 ? ", configuration " : ", no configuration file", d->loaded.file);
    if (d->loaded.ignored[0] != 0)
        hs_log(HS_LOG_NOTICE, "Accepted and ignored, since hearsay keeps no data: %s",
               d->loaded.ignored);
    char id[HS_ID_LEN + 1];
    snprintf(id, sizeof(id), "%.*s", HS_ID_LEN, d->boot->nodes[0].id.hex);
    const struct hs_log_field self[] = {{"node", id}, {"node_name", c->announce_nodename}};
    hs_log_with(HS_LOG_NOTICE, self, c->announce_nodename[0] != '\0' ? 2 : 1,
                "Node %s (%s), %s, %" PRIu32 " nodes known", id, c->announce_nodename,
                d->is_fresh ? "new" : c->cluster_config_file, d->boot->nodes_n);
    hs_log(HS_LOG_NOTICE,
           "Reactors %" PRIu32 ", prepared for %" PRIu32 " nodes and %" PRIu32 " clients%s%s",
           d->reactors_n, c->nodes_max, c->maxclients, d->net_offers[0] != 0 ? "; " : "",
           d->net_offers);
    if (c->metrics_port != 0)
        hs_log(HS_LOG_NOTICE, "Metrics: http://%s%s%s:%u/metrics",
               strchr(c->metrics_bind, ':') != NULL ? "[" : "", c->metrics_bind,
               strchr(c->metrics_bind, ':') != NULL ? "]" : "", (unsigned)c->metrics_port);
    /* Tools that start a stock server wait for its words. */
    char tls[48] = "";
    if (c->tls_port != 0)
        snprintf(tls, sizeof(tls), ", TLS client port %u", (unsigned)c->tls_port);
    hs_log(HS_LOG_NOTICE, "Ready to accept connections: client port %u%s, cluster bus port %u%s",
           (unsigned)c->port, tls, (unsigned)hs_conf_bus_port(c),
           c->tls_cluster ? " with TLS" : "");
}

static int serve(struct daemon *d)
{
    daemon_drop_privileges(d);
    daemon_enter_sandbox(d);
    int code = daemon_start_threads(d);
    if (code == DAEMON_OK) {
        daemon_write_pidfile(d);
        announce(d);
        daemon_report(d, DAEMON_OK);
        daemon_supervise_ready(&d->conf);
        daemon_signals_wait(d);
        daemon_supervise_stopping(&d->conf);
    }
    daemon_signals_last();
    daemon_stop_threads(d);
    return code;
}

int main(int argc, char **argv)
{
    static struct daemon d = {.parent_fd = -1};
    int code = DAEMON_OK;
    if (daemon_options(&d, argc, argv, &code))
        return code;
    daemon_signals_init();
    code = prepare(&d);
    if (code == DAEMON_OK)
        code = daemon_build(&d);
    if (code == DAEMON_OK)
        code = serve(&d);
    daemon_demolish(&d);
    daemon_report(&d, code);
    if (code == DAEMON_OK)
        hs_log(HS_LOG_WARNING, "hearsayd is now ready to exit, bye bye...");
    return code;
}
