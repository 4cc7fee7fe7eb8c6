/* signals.c - signals are read by the main thread, one at a time.
 *
 * They are blocked before any thread exists, so every thread inherits that, and
 * nothing but the handler of SIGABRT ever runs in signal context.
 *
 * The first process of a container becomes the parent of every orphan in it: of
 * what the notification script left behind, of what was run beside us. Each is a
 * zombie until somebody takes its status.
 */
#include "daemon_int.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static sigset_t waited_for(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (getpid() == 1)
        sigaddset(&set, SIGCHLD);
    return set;
}

/* A broken invariant has printed its line already; what is left is to end with
 * the code that says so. */
static void on_abort(int signal)
{
    (void)signal;
    _exit(DAEMON_BROKEN);
}

void daemon_signals_init(void)
{
    sigset_t set = waited_for();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    struct sigaction broken = {.sa_handler = on_abort};
    sigaction(SIGABRT, &broken, NULL);
    /* Whoever started us may have ignored it: then nobody's exit status is kept. */
    struct sigaction child = {.sa_handler = SIG_DFL};
    sigaction(SIGCHLD, &child, NULL);
}

/* The next signal, or -1 at due_ms, if there is a watchdog to feed. */
static int next_signal(const sigset_t *set, uint32_t beat_ms, int64_t due_ms)
{
    if (beat_ms == 0)
        return sigwaitinfo(set, NULL);
    int64_t left_ms = due_ms - hs_clock().mono.ms;
    if (left_ms < 0)
        left_ms = 0;
    struct timespec wait = {.tv_sec = left_ms / 1000, .tv_nsec = left_ms % 1000 * 1000000L};
    return sigtimedwait(set, NULL, &wait);
}

/* The script's thread has children of its own, and knows which they are. */
static void reap(struct daemon *d)
{
    if (d->script != NULL) {
        hs_script_reap(d->script);
        return;
    }
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

void daemon_signals_wait(struct daemon *d)
{
    sigset_t set = waited_for();
    uint32_t beat_ms = daemon_watchdog_ms(&d->conf);
    int64_t due_ms = hs_clock().mono.ms + beat_ms;
    for (;;) {
        int signal = next_signal(&set, beat_ms, due_ms);
        /* Signals do not put it off, however many come. */
        if (beat_ms != 0 && hs_clock().mono.ms >= due_ms) {
            daemon_watchdog_beat(d);
            due_ms = hs_clock().mono.ms + beat_ms;
        }
        if (signal == SIGHUP) {
            int err = hs_log_reopen();
            if (err != 0)
                hs_log(HS_LOG_WARNING,
                       "The log file could not be opened again: %s. Logging goes "
                       "on in the old one.",
                       strerror(-err));
            daemon_reload_keys(d);
            continue;
        }
        if (signal == SIGCHLD)
            reap(d);
        if (signal == SIGTERM || signal == SIGINT) {
            hs_log(HS_LOG_WARNING, "Received a request to stop (%s).",
                   signal == SIGINT ? "SIGINT" : "SIGTERM or SHUTDOWN");
            return;
        }
    }
}

void daemon_signals_stop(void *unused)
{
    (void)unused;
    kill(getpid(), SIGTERM);
}

void daemon_signals_last(void)
{
    struct sigaction end = {.sa_handler = SIG_DFL};
    sigaction(SIGINT, &end, NULL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
