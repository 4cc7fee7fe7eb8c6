/* The store thread: takes the newest topology from the slot, and saves it until
 * that worked.
 *
 * Every save is flushed, also those nobody waits for: renaming an unflushed
 * file over a good one can leave an empty one after a power cut. What such
 * saves are spared is frequency: they wait until the last one is 100 ms old,
 * and newer topologies replace them meanwhile.
 */
#include "store_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    COALESCE_MS = 100, /* between saves that nothing waits for */
    RETRY_MS = 1000,   /* after a failed one */
};

static int64_t clock_ms(void)
{
    return hs_clock().mono.ms;
}

/* ---- opening ---- */

static int refuse_open(const struct hs_store *s, int err, char *why, size_t why_n)
{
    if (err == -EWOULDBLOCK) {
        snprintf(why, why_n,
                 "%s is already used by a different node (another process holds its lock); give "
                 "each node its own dir or cluster-config-file",
                 s->file.path);
    } else {
        snprintf(why, why_n,
                 "%s: %s; the node must be able to read and write it and to create "
                 "files beside it",
                 s->file.path, strerror(-err));
    }
    return 2;
}

static int read_boot(struct hs_store *s, int64_t now_ms, struct hs_topo **boot, char *why,
                     size_t why_n)
{
    char *text;
    size_t n;
    struct hs_conf_error err;
    int rc = store_file_read(&s->file, &text, &n);
    if (rc != 0)
        return refuse_open(s, rc, why, why_n);
    if (text == NULL)
        return 0;
    *boot = hs_nodesconf_parse(text, n, now_ms, &err);
    hs_free(text);
    if (*boot != NULL)
        return 0;
    if (err.line != 0) {
        snprintf(why, why_n, "%s:%u: %s", s->file.path, err.line, err.text);
    } else {
        snprintf(why, why_n, "%s: %s", s->file.path, err.text);
    }
    return 1;
}

struct hs_store *hs_store_open(const char *path, int64_t now_ms, struct hs_topo **boot, char *why,
                               size_t why_n, int *exit_code)
{
    *boot = NULL;
    *exit_code = 2;
    struct hs_store *s = hs_alloc(sizeof(*s));
    if (s == NULL) {
        snprintf(why, why_n, "out of memory");
        return NULL;
    }
    int rc = store_file_open(&s->file, &store_io_real, path);
    *exit_code = rc != 0 ? refuse_open(s, rc, why, why_n) : read_boot(s, now_ms, boot, why, why_n);
    if (*exit_code == 0 && (rc = hs_wake_init(&s->wake)) != 0) {
        snprintf(why, why_n, "eventfd: %s", strerror(-rc));
        *exit_code = 2;
    }
    if (*exit_code != 0) {
        hs_topo_destroy(*boot);
        *boot = NULL;
        store_file_close(&s->file);
        hs_free(s);
        return NULL;
    }
    pthread_mutex_init(&s->lock, NULL);
    s->last_save_ms = clock_ms() - COALESCE_MS;
    return s;
}

void hs_store_close(struct hs_store *s)
{
    hs_topo_destroy(s->slot.t);
    hs_wake_fini(&s->wake);
    pthread_mutex_destroy(&s->lock);
    store_file_close(&s->file);
    hs_free(s);
}

/* ---- the owner's side ---- */

void hs_store_submit(struct hs_store *s, struct hs_topo *t, uint64_t seq, bool sync)
{
    HS_ASSERT(t != NULL);
    pthread_mutex_lock(&s->lock);
    struct hs_topo *replaced = s->slot.t;
    s->slot = (struct store_job){t, seq, sync || (replaced != NULL && s->slot.sync)};
    pthread_mutex_unlock(&s->lock);
    hs_topo_destroy(replaced);
    hs_wake_post(&s->wake);
}

void hs_store_ask(struct hs_store *s, void (*run)(void *ctx), void *ctx)
{
    pthread_mutex_lock(&s->lock);
    HS_ASSERT(s->ask == NULL);
    s->ask = run;
    s->ask_ctx = ctx;
    pthread_mutex_unlock(&s->lock);
    hs_wake_post(&s->wake);
}

uint64_t hs_store_asked(const struct hs_store *s)
{
    return atomic_load_explicit(&s->asked, memory_order_acquire);
}

uint64_t hs_store_saved(const struct hs_store *s)
{
    return atomic_load_explicit(&s->saved, memory_order_acquire);
}

uint64_t hs_store_failures(const struct hs_store *s)
{
    return atomic_load_explicit(&s->failures, memory_order_acquire);
}

void hs_store_error(struct hs_store *s, char *text, size_t n)
{
    pthread_mutex_lock(&s->lock);
    snprintf(text, n, "%s", s->reason);
    pthread_mutex_unlock(&s->lock);
}

void hs_store_notify(struct hs_store *s, struct hs_wake *owner)
{
    s->owner = owner;
}

void hs_store_stop(struct hs_store *s)
{
    atomic_store_explicit(&s->stop, true, memory_order_release);
    hs_wake_force(&s->wake);
}

/* ---- the thread's side ---- */

static struct store_job take(struct hs_store *s)
{
    pthread_mutex_lock(&s->lock);
    struct store_job job = s->slot;
    s->slot.t = NULL;
    pthread_mutex_unlock(&s->lock);
    return job;
}

/* A failed save goes back, unless a newer one came meanwhile. */
static void put_back(struct hs_store *s, struct store_job job)
{
    pthread_mutex_lock(&s->lock);
    bool newer = s->slot.t != NULL;
    if (newer) {
        s->slot.sync = s->slot.sync || job.sync;
    } else {
        s->slot = job;
    }
    pthread_mutex_unlock(&s->lock);
    if (newer)
        hs_topo_destroy(job.t);
}

/* What the owner asked for, if it did. */
static void do_asked(struct hs_store *s)
{
    pthread_mutex_lock(&s->lock);
    void (*run)(void *ctx) = s->ask;
    void *ctx = s->ask_ctx;
    s->ask = NULL;
    pthread_mutex_unlock(&s->lock);
    if (run == NULL)
        return;
    run(ctx);
    atomic_fetch_add_explicit(&s->asked, 1, memory_order_release);
    if (s->owner != NULL)
        hs_wake_post(s->owner);
}

/* How long the slot's topology has yet to wait: 0 not at all, -1 there is none. */
static int due_in_ms(struct hs_store *s)
{
    pthread_mutex_lock(&s->lock);
    bool empty = s->slot.t == NULL, sync = s->slot.sync;
    pthread_mutex_unlock(&s->lock);
    if (empty)
        return -1;
    int64_t wait_ms = s->last_save_ms + COALESCE_MS - clock_ms();
    return sync || wait_ms < 0 ? 0 : (int)wait_ms;
}

/* Replaces the reason. True if it is another than before. */
static bool set_reason(struct hs_store *s, const char *reason)
{
    pthread_mutex_lock(&s->lock);
    bool is_new = strcmp(reason, s->reason) != 0;
    snprintf(s->reason, sizeof(s->reason), "%s", reason);
    pthread_mutex_unlock(&s->lock);
    return is_new;
}

/* One log line per new reason: a full disk is retried every second for days. */
static void failed(struct hs_store *s, int err, const char *step)
{
    char reason[STORE_REASON_MAX];
    snprintf(reason, sizeof(reason), "%s: %s", step, strerror(-err));
    bool is_new = set_reason(s, reason);
    atomic_fetch_add_explicit(&s->failures, 1, memory_order_release); /* with its reason */
    if (is_new) {
        hs_log(HS_LOG_WARNING,
               "Cannot save %s (%s). The old file is intact; trying again every "
               "second, and holding back what must be on disk first.",
               s->file.path, reason);
    }
}

static void succeeded(struct hs_store *s, uint64_t seq)
{
    if (set_reason(s, ""))
        hs_log(HS_LOG_NOTICE, "Saved %s again.", s->file.path);
    atomic_store_explicit(&s->saved, seq, memory_order_release);
}

static bool save(struct hs_store *s)
{
    struct store_job job = take(s);
    if (job.t == NULL)
        return true;
    const char *step = "text";
    int err = -ENOMEM;
    size_t n;
    char *text = hs_nodesconf_text(job.t, &n);
    if (text != NULL)
        err = store_file_replace(&s->file, text, n, &step);
    hs_free(text);
    s->last_save_ms = clock_ms();
    if (err != 0) {
        failed(s, err, step);
        put_back(s, job);
    } else {
        hs_topo_destroy(job.t);
        succeeded(s, job.seq);
    }
    if (s->owner != NULL)
        hs_wake_post(s->owner);
    return err == 0;
}

bool hs_store_flush(struct hs_store *s)
{
    return save(s);
}

static bool stopping(const struct hs_store *s)
{
    return atomic_load_explicit(&s->stop, memory_order_acquire);
}

static bool is_asked(struct hs_store *s)
{
    pthread_mutex_lock(&s->lock);
    bool is = s->ask != NULL;
    pthread_mutex_unlock(&s->lock);
    return is;
}

/* Until a submission or hs_store_stop() rings, or until the one in the slot has
 * waited long enough. */
static void sleep_until_due(struct hs_store *s)
{
    hs_doze_begin(&s->wake.doze);
    int wait_ms = due_in_ms(s);
    if (wait_ms != 0 && !is_asked(s) && !stopping(s))
        hs_wake_wait(&s->wake, wait_ms);
    hs_doze_end(&s->wake.doze);
}

/* Submissions do not end this: a broken disk is not asked more often because
 * the cluster is busy. Only hs_store_stop() does. */
static void sleep_before_retry(struct hs_store *s)
{
    int64_t end_ms = clock_ms() + RETRY_MS;
    for (int64_t left_ms = RETRY_MS; left_ms > 0 && !stopping(s); left_ms = end_ms - clock_ms()) {
        hs_doze_begin(&s->wake.doze);
        if (!stopping(s))
            hs_wake_wait(&s->wake, (int)left_ms);
        hs_doze_end(&s->wake.doze);
    }
}

void hs_store_run(struct hs_store *s)
{
    while (!stopping(s)) {
        do_asked(s);
        if (due_in_ms(s) != 0) {
            sleep_until_due(s);
        } else if (!save(s)) {
            sleep_before_retry(s);
        }
    }
    do_asked(s);
    save(s); /* what is left; if the disk refuses, it was logged */
}
