/* listen.c - the ports: the bus and the clients on the same addresses. */
#include "daemon_int.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LINGER_MS = 1000, LINGER_STEP_MS = 20 };

/* The address family or the address does not exist here: what a leading '-'
 * forgives. */
static bool is_absent(int err)
{
    return err == -EADDRNOTAVAIL || err == -EAFNOSUPPORT || err == -EPFNOSUPPORT ||
           err == -EPROTONOSUPPORT || err == -ESOCKTNOSUPPORT || err == -ENOPROTOOPT;
}

struct endpoint {
    int (*listen)(struct hs_net *n, const char *ip, uint16_t port);
    uint16_t port;
    const char *what, *directive;
};

static int refuse(const struct daemon *d, const struct endpoint *e, const char *ip, int err)
{
    if (err == -EADDRINUSE)
        return daemon_fail(d, DAEMON_REFUSED,
                           "The %s %u is in use on %s. Stop the process that has it, or change "
                           "'%s'.",
                           e->what, (unsigned)e->port, ip, e->directive);
    return daemon_fail(d, DAEMON_REFUSED, "Cannot listen on %s, %s %u: %s. Check 'bind' and '%s'.",
                       ip, e->what, (unsigned)e->port, strerror(-err), e->directive);
}

/* A killed process is gone a moment before the kernel has taken its io_uring
 * apart, and the ports with it; whoever restarts it at once would be refused. */
static int listen_when_free(struct daemon *d, const struct endpoint *e, const char *ip)
{
    int err;

    for (int waited_ms = 0;; waited_ms += LINGER_STEP_MS) {
        err = e->listen(d->net, ip, e->port);
        if (err != -EADDRINUSE || waited_ms >= LINGER_MS)
            return err;
        nanosleep(&(struct timespec){.tv_nsec = LINGER_STEP_MS * 1000000L}, NULL);
    }
}

/* The address of an entry of 'bind'. Of a name it is the first IPv4 address, which
 * is what stock servers listen on. 0, or a code of getaddrinfo(). */
static int resolve(const char *name, char ip[HS_IP_LEN])
{
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    if (strcmp(name, "*") == 0)
        name = "0.0.0.0";
    else if (strcmp(name, "::*") == 0)
        name = "::";
    snprintf(ip, HS_IP_LEN, "%.*s", HS_IP_LEN - 1, name);
    if (hs_wire_ip_valid(name))
        return 0;
    int err = getaddrinfo(name, NULL, &hints, &found);
    if (err != 0)
        return err;
    err = getnameinfo(found->ai_addr, found->ai_addrlen, ip, HS_IP_LEN, NULL, 0, NI_NUMERICHOST);
    freeaddrinfo(found);
    return err;
}

static int listen_on_all(struct daemon *d, const struct endpoint *e)
{
    uint32_t bound = 0;
    for (uint32_t i = 0; i < d->conf.bind_n; i++) {
        char ip[HS_IP_LEN];
        const char *name = d->conf.bind[i];
        bool optional = name[0] == '-';
        int unknown = resolve(name + optional, ip);
        if (unknown != 0 && optional)
            continue;
        if (unknown != 0)
            return daemon_fail(d, DAEMON_REFUSED,
                               "The name '%s' of 'bind' has no IPv4 address (%s). Correct it, or "
                               "use an address of this host.",
                               name, gai_strerror(unknown));
        int err = listen_when_free(d, e, ip);
        if (err == 0)
            bound++;
        else if (!optional || !is_absent(err))
            return refuse(d, e, ip, err);
    }
    if (bound > 0)
        return DAEMON_OK;
    return daemon_fail(d, DAEMON_REFUSED,
                       "None of the addresses of 'bind' exists on this host, so the %s %u could "
                       "not be opened.",
                       e->what, (unsigned)e->port);
}

static int listen_unix(struct daemon *d)
{
    const struct hs_conf *c = &d->conf;
    if (c->unixsocket[0] == 0)
        return DAEMON_OK;
    int err = hs_net_listen_unix(d->net, c->unixsocket, c->unixsocketperm);
    if (err != 0)
        return daemon_fail(d, DAEMON_REFUSED,
                           "Cannot listen on the socket '%s': %s. Check 'unixsocket'.",
                           c->unixsocket, strerror(-err));
    d->has_unixsocket = true;
    return DAEMON_OK;
}

static int listen_metrics(struct daemon *d)
{
    const struct hs_conf *c = &d->conf;
    if (c->metrics_port == 0)
        return DAEMON_OK;
    struct hs_metrics_conf conf = {.snapshot = d->snapshot,
                                   .reader = d->reactors_n + 1,
                                   .net = d->net,
                                   .admin = d->admin,
                                   .tls = d->tls,
                                   .watch = d->watch};
    struct endpoint e = {NULL, c->metrics_port, "metrics port", "metrics-port"};
    int err = 0;
    d->metrics = hs_metrics_create(&conf, c->metrics_bind, c->metrics_port, &err);
    if (d->metrics != NULL)
        return DAEMON_OK;
    if (err == -EADDRINUSE)
        return refuse(d, &e, c->metrics_bind, err);
    return daemon_fail(d, DAEMON_REFUSED,
                       "Cannot listen on %s, metrics port %u: %s. Check 'metrics-bind' and "
                       "'metrics-port'.",
                       c->metrics_bind, (unsigned)c->metrics_port, strerror(-err));
}

int daemon_listen(struct daemon *d)
{
    const struct hs_conf *c = &d->conf;
    struct endpoint client = {hs_net_listen_client, c->port, "client port", "port"};
    struct endpoint client_tls = {hs_net_listen_client_tls, c->tls_port, "TLS client port",
                                  "tls-port"};
    struct endpoint bus = {hs_net_listen_bus, hs_conf_bus_port(c), "cluster bus port",
                           c->cluster_port != 0 ? "cluster-port"
                           : c->tls_cluster     ? "tls-port' or 'cluster-port"
                                                : "port' or 'cluster-port"};
    int code = DAEMON_OK;
    if (client.port != 0)
        code = listen_on_all(d, &client);
    if (code == DAEMON_OK && client_tls.port != 0)
        code = listen_on_all(d, &client_tls);
    if (code == DAEMON_OK)
        code = listen_on_all(d, &bus);
    if (code == DAEMON_OK)
        code = listen_unix(d);
    if (code == DAEMON_OK)
        code = listen_metrics(d);
    return code;
}
