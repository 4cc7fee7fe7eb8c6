/* daemon_int.h - what the files of the program share.
 *
 * Start-up either ends with everything in struct daemon built, or with an exit
 * code and one sentence that says what happened and what to do.
 */
#ifndef HEARSAY_DAEMON_INT_H
#define HEARSAY_DAEMON_INT_H

#include "hearsay/admin.h"
#include "hearsay/conf.h"
#include "hearsay/metrics.h"
#include "hearsay/net.h"
#include "hearsay/owner.h"
#include "hearsay/store.h"
#include "hearsay/tls.h"
#include "hearsay/watch.h"

#include <pthread.h>
#include <sched.h>

enum { /* exit codes */
       DAEMON_OK = 0,
       DAEMON_BAD_CONF = 1,
       DAEMON_REFUSED = 2, /* by the environment */
       DAEMON_BROKEN = 3,  /* an invariant */
};

struct daemon {
    struct hs_conf conf;
    struct hs_conf_result loaded;
    uint32_t reactors_n, conns_max; /* conns_max: of one reactor */
    int parent_fd;                  /* daemonized: who waits for our start, or -1 */
    char executable[HS_PATH_MAX];
    char net_offers[512]; /* what the probe found */

    struct hs_topo *boot;
    bool is_fresh; /* there was no nodes.conf */
    struct hs_store *store;
    struct hs_snapshot *snapshot;
    struct hs_watch *watch;
    struct hs_script *script; /* NULL: none is configured */
    struct hs_admin *admin;
    struct hs_wake owner_wake;
    bool has_owner_wake;
    struct hs_tls *tls; /* NULL without TLS */
    struct hs_net *net;
    struct hs_owner *owner;
    struct hs_metrics *metrics; /* NULL: metrics-port is 0 */
    bool has_logfile, has_pidfile, has_unixsocket;

    pthread_t owner_thread, store_thread, watch_thread, script_thread,
        reactor_threads[HS_REACTORS_MAX];
    uint32_t reactors_started;
    bool owner_started, store_started, watch_started, script_started;
    int64_t watchdog_seen_ms; /* the owner's tick at the last beat */
    bool watchdog_alive;
};

/* errors.c: one sentence to standard error and to the log file, if there is
 * one. Returns code. */
int daemon_fail(const struct daemon *d, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* options.c: true if there is nothing to run: something else was asked for, or
 * the configuration is wrong. Then *code is how to exit. */
bool daemon_options(struct daemon *d, int argc, char **argv, int *code);

/* environ.c: in this order. Each returns an exit code. */
int daemon_enter_dir(struct daemon *d);
int daemon_open_log(struct daemon *d);
int daemon_detach(struct daemon *d);
int daemon_raise_fd_limit(struct daemon *d);
void daemon_write_pidfile(struct daemon *d);
/* Tells whoever waits for our start how it went. */
void daemon_report(struct daemon *d, int code);

/* rooms.c */
int daemon_build(struct daemon *d);
void daemon_demolish(struct daemon *d);
/* The pid file and the socket. */
void daemon_remove_files(struct daemon *d);

/* keys.c */
/* Loads what TLS needs, if it is asked for. */
int daemon_load_keys(struct daemon *d);
/* From the same files again; the old keys go on serving if the new ones are no good. */
void daemon_reload_keys(struct daemon *d);

/* listen.c */
int daemon_listen(struct daemon *d);

/* privileges.c: before there are threads, which would keep theirs. */
void daemon_drop_privileges(const struct daemon *d);

/* sandbox.c: before there are threads, and after privileges were dropped. */
void daemon_enter_sandbox(const struct daemon *d);

/* threads.c */
uint32_t daemon_cpus(cpu_set_t *set);
int daemon_start_threads(struct daemon *d);
/* The owner first, since it tells the reactors to stop; the store last, since
 * it writes what the owner left. */
void daemon_stop_threads(struct daemon *d);

/* signals.c */
void daemon_signals_init(void);
/* Until a signal or a client asks for a stop. Answers SIGHUP itself, and feeds
 * the watchdog. */
void daemon_signals_wait(struct daemon *d);
/* From any thread: ends daemon_signals_wait(). */
void daemon_signals_stop(void *unused);
/* From here a second SIGINT ends the process at once. */
void daemon_signals_last(void);

/* supervise.c */
void daemon_supervise_ready(const struct hs_conf *c);
void daemon_supervise_stopping(const struct hs_conf *c);
/* A watchdog that would kill a healthy node is refused. */
int daemon_check_watchdog(const struct daemon *d);
/* How often systemd's watchdog is to be fed; 0: there is none. */
uint32_t daemon_watchdog_ms(const struct hs_conf *c);
/* Feeds it if the owner has ticked since the last time. */
void daemon_watchdog_beat(struct daemon *d);

#endif
