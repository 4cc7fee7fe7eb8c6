/* script.c - the notification script, called as Sentinel calls it: with an
 * event's name and its line, for urgent events, one process each.
 *
 * A job is an event on its way to the script. It waits its turn, runs, and is
 * done with code 0; with code 1, or after a signal, it is tried again later; any
 * other code gives it up. What outlives its time is killed with its group.
 *
 * Bounds: queue_max jobs, of which running_max run. One more takes the place of
 * the oldest that is not running, counted; if all run, it is dropped itself.
 */
#include "script_int.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum { RUNNING_MAX = 64, LOOK_MS = 1000, LOOK_WITHOUT_FD_MS = 50, RETRY_DOUBLINGS_MAX = 20 };

struct job {
    struct job *next; /* oldest first */
    struct hs_told told;
    struct run run;
    bool running, killed;
    uint32_t tries;
    int64_t due_ms; /* waiting: not before; running: its limit */
};

struct hs_script {
    struct hs_watch *watch;
    struct hs_script_conf conf;
    const char *path;
    struct hs_wake wake;
    struct job *jobs;
    uint32_t jobs_n, running_n;
    uint64_t seq; /* of the last event taken from the journal */
    atomic_bool stop, reap;
};

static int64_t clock_ms(void)
{
    return hs_clock().mono.ms;
}

struct hs_script *hs_script_create(struct hs_watch *w, const struct hs_script_conf *conf)
{
    HS_ASSERT(conf->path != NULL && conf->path[0] != '\0');
    HS_ASSERT(conf->running_max > 0 && conf->running_max <= RUNNING_MAX);
    HS_ASSERT(conf->queue_max >= conf->running_max);
    struct hs_script *s = hs_alloc(sizeof(*s));
    if (s == NULL)
        return NULL;
    *s = (struct hs_script){.watch = w, .conf = *conf, .wake = {.fd = -1}};
    s->path = conf->path;
    s->seq = hs_watch_newest(w);
    if (hs_wake_init(&s->wake) != 0) {
        hs_script_destroy(s);
        return NULL;
    }
    return s;
}

void hs_script_destroy(struct hs_script *s)
{
    if (s == NULL)
        return;
    HS_ASSERT(s->running_n == 0);
    while (s->jobs != NULL) {
        struct job *next = s->jobs->next;
        hs_free(s->jobs);
        s->jobs = next;
    }
    if (s->wake.fd >= 0)
        hs_wake_fini(&s->wake);
    hs_free(s);
}

struct hs_wake *hs_script_wake(struct hs_script *s)
{
    return &s->wake;
}

void hs_script_stop(struct hs_script *s)
{
    atomic_store(&s->stop, true);
    hs_wake_force(&s->wake);
}

void hs_script_reap(struct hs_script *s)
{
    atomic_store(&s->reap, true);
    hs_wake_force(&s->wake);
}

/* ---- the queue ---- */

static void remove_job(struct hs_script *s, struct job **at)
{
    struct job *j = *at;
    *at = j->next;
    hs_free(j);
    s->jobs_n--;
}

static void drop_oldest_waiting(struct hs_script *s)
{
    struct job **at = &s->jobs;
    while (*at != NULL && (*at)->running)
        at = &(*at)->next;
    WATCH_COUNT(s->watch, script_dropped);
    if (*at != NULL)
        remove_job(s, at);
}

static void enqueue(struct hs_script *s, const struct hs_told *told)
{
    if (s->jobs_n == s->conf.queue_max)
        drop_oldest_waiting(s);
    struct job *j = s->jobs_n < s->conf.queue_max ? hs_alloc(sizeof(*j)) : NULL;
    if (j == NULL)
        return;
    j->told = *told;
    struct job **end = &s->jobs;
    while (*end != NULL)
        end = &(*end)->next;
    *end = j;
    s->jobs_n++;
}

static void take_events(struct hs_script *s)
{
    struct hs_told told;
    uint64_t lost = 0;
    while (hs_watch_next(s->watch, &s->seq, &told, &lost))
        if (hs_told_row(told.kind)->urgent)
            enqueue(s, &told);
    for (; lost > 0; lost--)
        WATCH_COUNT(s->watch, script_dropped);
}

/* ---- jobs ---- */

static void give_up(struct hs_script *s, const struct job *j, const char *why, int code)
{
    WATCH_COUNT(s->watch, script_failures);
    hs_log(HS_LOG_WARNING, "notification-script %s for %s: %s (%d), tried %" PRIu32 " times.",
           s->path, hs_told_row(j->told.kind)->name, why, code, j->tries);
}

/* True if the job stays, for another try. */
static bool try_again(struct hs_script *s, struct job *j, int code, int64_t now_ms)
{
    if (j->tries >= s->conf.tries_max) {
        give_up(s, j, "given up, it failed every time; last exit code", code);
        return false;
    }
    uint32_t doublings = j->tries - 1 < RETRY_DOUBLINGS_MAX ? j->tries - 1 : RETRY_DOUBLINGS_MAX;
    WATCH_COUNT(s->watch, script_retries);
    j->due_ms = now_ms + ((int64_t)s->conf.retry_ms << doublings);
    return true;
}

/* True if the job stays. */
static bool after(struct hs_script *s, struct job *j, int code, int64_t now_ms)
{
    j->running = false;
    s->running_n--;
    if (j->killed) {
        WATCH_COUNT(s->watch, script_killed);
        hs_log(HS_LOG_WARNING,
               "notification-script %s for %s ran for longer than %" PRIu32 " ms and was killed.",
               s->path, hs_told_row(j->told.kind)->name, s->conf.limit_ms);
        j->killed = false;
        code = -1;
    }
    if (code == 0) {
        WATCH_COUNT(s->watch, script_ok);
        return false;
    }
    if (code == 1 || code == -1)
        return try_again(s, j, code, now_ms);
    give_up(s, j, "not tried again, exit code", code);
    return false;
}

/* True if the job stays. */
static bool start(struct hs_script *s, struct job *j, int64_t now_ms)
{
    j->tries++;
    WATCH_COUNT(s->watch, script_runs);
    int err = run_start(&j->run, s->path, hs_told_row(j->told.kind)->name, j->told.text);
    if (err != 0) {
        hs_log(HS_LOG_WARNING, "notification-script %s cannot be started: %s", s->path,
               strerror(-err));
        return try_again(s, j, err, now_ms);
    }
    j->running = true;
    j->due_ms = now_ms + s->conf.limit_ms;
    s->running_n++;
    return true;
}

static bool advance(struct hs_script *s, struct job *j, int64_t now_ms)
{
    int code;
    if (j->running) {
        if (run_ended(&j->run, &code))
            return after(s, j, code, now_ms);
        if (now_ms >= j->due_ms && !j->killed) {
            j->killed = true;
            run_kill(&j->run);
        }
        return true;
    }
    return now_ms < j->due_ms || s->running_n == s->conf.running_max || start(s, j, now_ms);
}

static void advance_all(struct hs_script *s)
{
    int64_t now_ms = clock_ms();
    for (struct job **at = &s->jobs; *at != NULL;) {
        if (advance(s, *at, now_ms))
            at = &(*at)->next;
        else
            remove_job(s, at);
    }
    atomic_store_explicit(&s->watch->counters[WATCH_script_running_now], s->running_n,
                          memory_order_relaxed);
}

static bool is_run(const struct hs_script *s, pid_t pid)
{
    for (const struct job *j = s->jobs; j != NULL; j = j->next)
        if (j->running && j->run.pid == pid)
            return true;
    return false;
}

/* A run that has ended meanwhile is not taken: its own look comes next, and the
 * pidfd in rest() says so at once. What is behind it waits for that. */
static void reap(struct hs_script *s)
{
    siginfo_t ended = {.si_pid = 0};
    if (!atomic_exchange(&s->reap, false))
        return;
    while (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0) {
        if (is_run(s, ended.si_pid)) {
            atomic_store(&s->reap, true);
            return;
        }
        waitpid(ended.si_pid, NULL, WNOHANG);
        ended.si_pid = 0;
    }
}

/* Until an event, the end of a run, or a moment somebody waits for. */
static void rest(struct hs_script *s)
{
    struct pollfd fds[RUNNING_MAX + 1] = {{.fd = s->wake.fd, .events = POLLIN}};
    nfds_t n = 1;
    int64_t now_ms = clock_ms(), wait_ms = s->jobs != NULL ? LOOK_MS : -1;
    for (const struct job *j = s->jobs; j != NULL; j = j->next) {
        bool may_run = j->running || s->running_n < s->conf.running_max;
        int64_t left_ms = j->due_ms > now_ms ? j->due_ms - now_ms : 0;
        if (j->running && j->run.fd < 0)
            left_ms = LOOK_WITHOUT_FD_MS;
        if (may_run && !j->killed && left_ms < wait_ms)
            wait_ms = left_ms;
        if (j->running && j->run.fd >= 0)
            fds[n++] = (struct pollfd){.fd = j->run.fd, .events = POLLIN};
    }
    hs_doze_begin(&s->wake.doze);
    if (!atomic_load(&s->stop) && s->seq == hs_watch_newest(s->watch))
        poll(fds, n, (int)wait_ms);
    hs_doze_end(&s->wake.doze);
    hs_wake_clear(&s->wake);
}

static void kill_all(struct hs_script *s)
{
    int code;
    for (struct job *j = s->jobs; j != NULL; j = j->next) {
        if (!j->running)
            continue;
        run_kill(&j->run);
        while (!run_ended(&j->run, &code))
            poll(NULL, 0, 1);
        j->running = false;
        s->running_n--;
    }
}

void hs_script_run(struct hs_script *s)
{
    while (!atomic_load(&s->stop)) {
        take_events(s);
        advance_all(s);
        reap(s);
        rest(s);
    }
    kill_all(s);
}
