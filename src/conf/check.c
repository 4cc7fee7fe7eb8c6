/* Rules that no single directive can check. Each message says what collides and
 * which directive to change. */
#include "conf_int.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BUS_PORT_OFFSET = 10000,
    /* The protocol's clock ticks every 100 ms: below that a node is suspected
     * before the next ping can leave. */
    NODE_TIMEOUT_MIN_MS = 100,
};

struct complaint {
    char *why;
    size_t n;
};

static int complain(const struct complaint *to, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int complain(const struct complaint *to, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(to->why, to->n, fmt, ap);
    va_end(ap);
    return -1;
}

static int check_supported(const struct hs_conf *c, const struct complaint *to)
{
    if (!c->cluster_enabled) {
        return complain(to, "cluster-enabled no: hearsay is a cluster bus and nothing else; use "
                            "'cluster-enabled yes' or leave it out");
    }
    return 0;
}

/* Each of the listening ports is somebody else's or its own. */
static int check_bus_port(const struct hs_conf *c, const struct complaint *to)
{
    const char *base_name = c->tls_cluster ? "tls-port" : "port";
    unsigned base = c->tls_cluster ? c->tls_port : c->port;
    if (c->cluster_port == 0 && base == 0) {
        return complain(to, "%s 0: the bus port cannot be derived from it; set cluster-port%s",
                        base_name, c->tls_port != 0 ? ", or tls-cluster yes" : "");
    }
    if (c->cluster_port == 0 && base > UINT16_MAX - BUS_PORT_OFFSET) {
        return complain(to,
                        "%s %u: the bus port would be %u, above 65535; set cluster-port or "
                        "use a port up to %d",
                        base_name, base, base + (unsigned)BUS_PORT_OFFSET,
                        UINT16_MAX - BUS_PORT_OFFSET);
    }
    unsigned bus = hs_conf_bus_port(c);
    const char *what = c->cluster_port != 0 ? "cluster-port" : "the bus port";
    if (bus == c->port)
        return complain(to, "%s %u is the client port too; they must differ", what, bus);
    if (bus == c->tls_port)
        return complain(to, "%s %u is the tls-port too; they must differ", what, bus);
    return 0;
}

static int check_ports(const struct hs_conf *c, const struct complaint *to)
{
    if (c->port == 0 && c->tls_port == 0 && c->unixsocket[0] == '\0')
        return complain(to, "port 0: no client could connect; set port, tls-port or unixsocket");
    if (c->bind_n == 0) {
        return complain(to, "bind is empty: no other node could connect; use 'bind * -::*' or an "
                            "address of this host");
    }
    if (c->port != 0 && c->port == c->tls_port)
        return complain(to, "tls-port %u is the port too; they must differ", c->tls_port);
    if (check_bus_port(c, to) != 0)
        return -1;
    if (c->metrics_port != 0 && (c->metrics_port == c->port || c->metrics_port == c->tls_port ||
                                 c->metrics_port == hs_conf_bus_port(c))) {
        return complain(to, "metrics-port %u is the %s port too; they must differ", c->metrics_port,
                        c->metrics_port == hs_conf_bus_port(c) ? "bus" : "client");
    }
    if (c->announce_bus_port != 0 && c->announce_bus_port == c->announce_port) {
        return complain(to,
                        "cluster-announce-bus-port %u is cluster-announce-port too; they must "
                        "differ",
                        c->announce_bus_port);
    }
    return 0;
}

static int check_times(const struct hs_conf *c, const struct complaint *to)
{
    if (c->node_timeout_ms < NODE_TIMEOUT_MIN_MS) {
        return complain(to,
                        "cluster-node-timeout %u: below %d ms every node would be suspected "
                        "between two pings",
                        c->node_timeout_ms, NODE_TIMEOUT_MIN_MS);
    }
    if (c->ping_interval_ms >= c->node_timeout_ms) {
        return complain(to, "cluster-ping-interval %u must be below cluster-node-timeout %u",
                        c->ping_interval_ms, c->node_timeout_ms);
    }
    return 0;
}

static int check_dir(const struct hs_conf *c, const struct complaint *to)
{
    struct stat st;
    if (stat(c->dir, &st) != 0)
        return complain(to, "dir '%s': %s", c->dir, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return complain(to, "dir '%s' is not a directory", c->dir);
    if (access(c->dir, W_OK | X_OK) != 0) {
        return complain(to, "dir '%s': %s; %s must be written there", c->dir, strerror(errno),
                        c->cluster_config_file);
    }
    return 0;
}

/* It is started from threads that nobody watches: what can be wrong is found now. */
static int check_script(const struct hs_conf *c, const struct complaint *to)
{
    const char *path = c->notification_script;
    struct stat st;
    if (path[0] == '\0')
        return 0;
    if (path[0] != '/')
        return complain(to, "notification-script '%s': give the whole path, from '/'", path);
    if (stat(path, &st) != 0)
        return complain(to, "notification-script '%s': %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode) || access(path, X_OK) != 0) {
        return complain(to,
                        "notification-script '%s' is not a program this user may run; chmod "
                        "+x it",
                        path);
    }
    return 0;
}

int hs_conf_check_values(const struct hs_conf *c, char *why, size_t why_n)
{
    struct complaint to = {why, why_n};
    if (check_supported(c, &to) != 0 || check_ports(c, &to) != 0)
        return -1;
    return check_times(c, &to);
}

int hs_conf_check(const struct hs_conf *c, char *why, size_t why_n)
{
    struct complaint to = {why, why_n};
    if (hs_conf_check_values(c, why, why_n) != 0 || check_script(c, &to) != 0)
        return -1;
    return check_dir(c, &to);
}
