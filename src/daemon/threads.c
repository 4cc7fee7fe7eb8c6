/* threads.c - one thread per reactor, one for the owner, one for the disk, and
 * libmicrohttpd's own if metrics are wanted.
 *
 * With cpu-pinning the owner has the first CPU this process may use, and the
 * reactors the following ones, in turn if there are fewer.
 */
#include "daemon_int.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { REACTOR_STOP_S = 5 };

struct reactor_arg {
    struct daemon *d;
    uint32_t reactor;
};

uint32_t daemon_cpus(cpu_set_t *set)
{
    CPU_ZERO(set);
    if (sched_getaffinity(0, sizeof(*set), set) != 0 || CPU_COUNT(set) == 0)
        CPU_SET(0, set);
    return (uint32_t)CPU_COUNT(set);
}

/* The n-th CPU we may use, counted round. */
static void pin(pthread_t thread, uint32_t n)
{
    cpu_set_t all, one;
    n %= daemon_cpus(&all);
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &all))
            continue;
        if (n-- == 0) {
            CPU_SET(cpu, &one);
            break;
        }
    }
    int err = pthread_setaffinity_np(thread, sizeof(one), &one);
    if (err != 0)
        hs_log(HS_LOG_WARNING, "cpu-pinning: a thread could not be pinned: %s", strerror(err));
}

static void *run_reactor(void *p)
{
    struct reactor_arg arg = *(struct reactor_arg *)p;
    hs_free(p);
    hs_reactor_run(arg.d->net, arg.reactor);
    return NULL;
}

static void *run_owner(void *p)
{
    hs_owner_run(p);
    return NULL;
}

static void *run_store(void *p)
{
    hs_store_run(p);
    return NULL;
}

static void *run_watch(void *p)
{
    hs_watch_run(p);
    return NULL;
}

static void *run_script(void *p)
{
    hs_script_run(p);
    return NULL;
}

static int start(struct daemon *d, pthread_t *thread, const char *name, void *(*run)(void *),
                 void *arg)
{
    /* It inherits the name. Another thread's is a file under /proc, which a
     * process that has shut itself in cannot write. */
    char own[16];
    pthread_getname_np(pthread_self(), own, sizeof(own));
    pthread_setname_np(pthread_self(), name);
    int err = pthread_create(thread, NULL, run, arg);
    pthread_setname_np(pthread_self(), own);
    if (err != 0)
        return daemon_fail(d, DAEMON_REFUSED, "Cannot start the thread '%s': %s.", name,
                           strerror(err));
    return DAEMON_OK;
}

static int start_reactor(struct daemon *d, uint32_t r)
{
    char name[16];
    snprintf(name, sizeof(name), "reactor-%u", (unsigned)(r & 0xff));
    struct reactor_arg *arg = hs_alloc(sizeof(*arg));
    if (arg == NULL)
        return daemon_fail(d, DAEMON_REFUSED, "Cannot start the thread '%s': no memory.", name);
    *arg = (struct reactor_arg){.d = d, .reactor = r};
    int code = start(d, &d->reactor_threads[r], name, run_reactor, arg);
    if (code != DAEMON_OK) {
        hs_free(arg);
        return code;
    }
    d->reactors_started++;
    if (d->conf.cpu_pinning)
        pin(d->reactor_threads[r], r + 1);
    return DAEMON_OK;
}

static int start_reactors(struct daemon *d)
{
    int code = DAEMON_OK;
    for (uint32_t r = 0; r < d->reactors_n && code == DAEMON_OK; r++)
        code = start_reactor(d, r);
    int err = code == DAEMON_OK ? hs_net_await_open(d->net) : 0;
    if (err != 0)
        return daemon_fail(d, DAEMON_REFUSED,
                           "A reactor could not start its io_uring: %s. Allow the process more "
                           "memory, or use fewer 'reactors'.",
                           strerror(-err));
    return code;
}

int daemon_start_threads(struct daemon *d)
{
    int code = start(d, &d->store_thread, "store", run_store, d->store);
    d->store_started = code == DAEMON_OK;
    if (code == DAEMON_OK)
        code = start_reactors(d);
    if (code == DAEMON_OK) {
        code = start(d, &d->watch_thread, "watch", run_watch, d->watch);
        d->watch_started = code == DAEMON_OK;
    }
    if (code == DAEMON_OK && d->script != NULL) {
        code = start(d, &d->script_thread, "script", run_script, d->script);
        d->script_started = code == DAEMON_OK;
    }
    if (code != DAEMON_OK)
        return code;
    code = start(d, &d->owner_thread, "owner", run_owner, d->owner);
    d->owner_started = code == DAEMON_OK;
    if (d->owner_started && d->conf.cpu_pinning)
        pin(d->owner_thread, 0);
    int err = code == DAEMON_OK && d->metrics != NULL ? hs_metrics_start(d->metrics) : 0;
    if (err != 0)
        return daemon_fail(d, DAEMON_REFUSED, "Cannot serve metrics: %s. Set 'metrics-port 0'.",
                           strerror(-err));
    return code;
}

/* A reactor that hangs must not keep the state off the disk, nor the process
 * alive; what it holds cannot be freed then. */
static bool join_reactors(struct daemon *d)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += REACTOR_STOP_S;
    bool all = true;
    for (uint32_t r = 0; r < d->reactors_started; r++)
        all = pthread_timedjoin_np(d->reactor_threads[r], NULL, &until) == 0 && all;
    return all;
}

static void stop_watch(struct daemon *d)
{
    if (d->watch_started) {
        hs_watch_stop(d->watch);
        pthread_join(d->watch_thread, NULL);
    }
    if (d->script_started) {
        hs_script_stop(d->script);
        pthread_join(d->script_thread, NULL);
    }
}

void daemon_stop_threads(struct daemon *d)
{
    bool stopped = true;
    if (d->metrics != NULL)
        hs_metrics_stop(d->metrics);
    if (d->owner != NULL && d->reactors_started > 0 && !d->owner_started) {
        /* The owner alone can tell reactors to stop: it runs here, just for that. */
        hs_owner_stop(d->owner);
        hs_owner_run(d->owner);
    } else if (d->owner_started) {
        hs_owner_stop(d->owner);
        pthread_join(d->owner_thread, NULL);
    }
    stop_watch(d);
    stopped = join_reactors(d);
    if (d->store_started) {
        hs_store_stop(d->store);
        pthread_join(d->store_thread, NULL);
    }
    if (!stopped) {
        hs_log(HS_LOG_WARNING, "A reactor did not stop within %d s. The state was saved.",
               REACTOR_STOP_S);
        daemon_remove_files(d);
        _exit(DAEMON_BROKEN);
    }
}
