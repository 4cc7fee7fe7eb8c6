/* environ.c - the process: its directory, log, terminal, limits and pid file. */
#include "daemon_int.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    FDS_OWN = 64,        /* log, lock, listeners, temporary files */
    FDS_METRICS = 72,    /* 64 connections, the listener, what its library opens */
    FDS_PER_REACTOR = 4, /* ring, doorbell, and what a library may open */
    CLIENTS_MIN = 16,    /* fewer are of no use: redis-cli --cluster needs several */
    NODES_MIN = 16,
};

int daemon_enter_dir(struct daemon *d)
{
    char *dir = d->conf.dir;
    if (chdir(dir) != 0 || access(".", W_OK | X_OK) != 0)
        return daemon_fail(d, DAEMON_REFUSED,
                           "The directory '%s' cannot be used: %s. nodes.conf has to be written "
                           "there: create it, give this user the right to write, or change 'dir'.",
                           dir, strerror(errno));
    /* From here on relative to itself it would be somewhere else. */
    char absolute[HS_PATH_MAX];
    if (getcwd(absolute, sizeof(absolute)) != NULL)
        memcpy(dir, absolute, sizeof(absolute));
    return DAEMON_OK;
}

int daemon_open_log(struct daemon *d)
{
    hs_log_set_level(d->conf.loglevel);
    hs_log_set_format(d->conf.log_format);
    int err = hs_log_open(d->conf.logfile);
    if (err != 0)
        return daemon_fail(d, DAEMON_REFUSED,
                           "Cannot open the log file '%s': %s. Change 'logfile'.", d->conf.logfile,
                           strerror(-err));
    d->has_logfile = d->conf.logfile[0] != 0;
    if (d->conf.syslog_enabled) {
        err = hs_log_syslog(d->conf.syslog_ident, d->conf.syslog_facility);
        if (err != 0)
            hs_log(HS_LOG_WARNING, "syslog-enabled is yes, but nobody listens at /dev/log: %s.",
                   strerror(-err));
    }
    return DAEMON_OK;
}

/* The parent stays until the child says how its start went, so that a script
 * which starts a daemon learns of a failure, and the text reaches its terminal. */
static int wait_for_child(int fd)
{
    unsigned char code;
    ssize_t n;
    do {
        n = read(fd, &code, 1);
    } while (n < 0 && errno == EINTR);
    if (n == 1)
        return code;
    fprintf(stderr, "hearsayd: The background process ended before it was ready.\n");
    return DAEMON_REFUSED;
}

int daemon_detach(struct daemon *d)
{
    if (!d->conf.daemonize)
        return DAEMON_OK;
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return daemon_fail(d, DAEMON_REFUSED, "Cannot daemonize: pipe: %s.", strerror(errno));
    pid_t pid = fork();
    if (pid < 0)
        return daemon_fail(d, DAEMON_REFUSED, "Cannot daemonize: fork: %s.", strerror(errno));
    close(fds[pid == 0 ? 0 : 1]);
    if (pid > 0)
        _exit(wait_for_child(fds[0]));
    d->parent_fd = fds[1];
    setsid();
    return DAEMON_OK;
}

void daemon_report(struct daemon *d, int code)
{
    if (d->parent_fd < 0)
        return;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        for (int fd = 0; fd <= 2; fd++)
            dup2(null, fd);
        close(null);
    }
    unsigned char byte = (unsigned char)code;
    if (write(d->parent_fd, &byte, 1) != 1)
        hs_log(HS_LOG_DEBUG, "Nobody waits for the start of this process any more.");
    close(d->parent_fd);
    d->parent_fd = -1;
}

static uint64_t fds_for(const struct daemon *d, uint32_t nodes, uint32_t clients)
{
    /* Two links per peer: ours to it, and its to us. */
    return 2 * (uint64_t)(nodes - 1) + clients + FDS_OWN + FDS_PER_REACTOR * d->reactors_n +
           (d->conf.metrics_port != 0 ? FDS_METRICS : 0);
}

/* The soft limit after asking for need. Only a privileged process may raise the
 * hard one too; any other gets what the hard one allows. */
static uint64_t raise_limit(uint64_t need)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    if (limit.rlim_cur >= need)
        return limit.rlim_cur;
    struct rlimit wish = {
        .rlim_cur = need,
        .rlim_max = need > limit.rlim_max ? need : limit.rlim_max,
    };
    if (setrlimit(RLIMIT_NOFILE, &wish) == 0)
        return need;
    wish = (struct rlimit){.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    if (need > limit.rlim_max && setrlimit(RLIMIT_NOFILE, &wish) == 0)
        return limit.rlim_max;
    return limit.rlim_cur;
}

static uint32_t nodes_max_default(void)
{
    static struct hs_conf defaults;
    hs_conf_defaults(&defaults);
    return defaults.nodes_max;
}

/* Nobody asked for a cluster of the default size: it shares the shortage with
 * the clients, a quarter for them. */
static void share_limit(struct daemon *d, uint64_t limit)
{
    struct hs_conf *c = &d->conf;
    uint64_t quarter = limit / 4 > CLIENTS_MIN ? limit / 4 : CLIENTS_MIN;
    uint32_t clients = quarter < c->maxclients ? (uint32_t)quarter : c->maxclients;
    uint32_t nodes = (uint32_t)((limit - fds_for(d, 1, clients)) / 2) + 1;
    hs_log(HS_LOG_NOTICE,
           "cluster-nodes-max lowered from %" PRIu32 " to %" PRIu32 " and maxclients from %" PRIu32
           " to %" PRIu32 ": the limit of open files is %" PRIu64 ", and %" PRIu64
           " are needed. Raise 'ulimit -n'.",
           c->nodes_max, nodes, c->maxclients, clients, limit,
           fds_for(d, c->nodes_max, c->maxclients));
    c->nodes_max = nodes;
    c->maxclients = clients;
}

int daemon_raise_fd_limit(struct daemon *d)
{
    struct hs_conf *c = &d->conf;
    uint64_t need = fds_for(d, c->nodes_max, c->maxclients);
    uint64_t limit = raise_limit(need);
    if (limit >= need)
        return DAEMON_OK;
    if (c->nodes_max == nodes_max_default() && limit >= 2 * fds_for(d, NODES_MIN, CLIENTS_MIN)) {
        share_limit(d, limit);
        return DAEMON_OK;
    }
    if (limit < fds_for(d, c->nodes_max, CLIENTS_MIN))
        return daemon_fail(d, DAEMON_REFUSED,
                           "cluster-nodes-max %" PRIu32 " needs at least %" PRIu64
                           " open files, and the limit is %" PRIu64
                           ". Raise 'ulimit -n' (systemd: LimitNOFILE), or lower "
                           "cluster-nodes-max.",
                           c->nodes_max, fds_for(d, c->nodes_max, CLIENTS_MIN), limit);
    /* The size of the cluster was asked for, so clients give way, as in the
     * stock server: they can come again. */
    uint32_t clients = (uint32_t)(limit - fds_for(d, c->nodes_max, 0));
    hs_log(HS_LOG_WARNING,
           "maxclients lowered from %" PRIu32 " to %" PRIu32 ": the limit of open files is %" PRIu64
           ", and %" PRIu64 " are needed. Raise 'ulimit -n'.",
           c->maxclients, clients, limit, need);
    c->maxclients = clients;
    return DAEMON_OK;
}

void daemon_write_pidfile(struct daemon *d)
{
    if (d->conf.pidfile[0] == 0)
        return;
    FILE *f = fopen(d->conf.pidfile, "we");
    bool ok = f != NULL && fprintf(f, "%ld\n", (long)getpid()) > 0;
    if (f != NULL && fclose(f) != 0)
        ok = false;
    d->has_pidfile = ok;
    /* As in the stock server a node without a pid file is still a good node. */
    if (!ok)
        hs_log(HS_LOG_WARNING, "Cannot write the pid file '%s': %s.", d->conf.pidfile,
               strerror(errno));
}
