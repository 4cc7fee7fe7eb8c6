/* watch.c - the thread: a look at each published view, at its own pace.
 */
#include "watch_int.h"

#include "hearsay/owner.h"
#include "hearsay/tls.h"

#include <string.h>

static const char *const counter_names[WATCH_COUNTERS_N] = {
#define X(name) [WATCH_##name] = #name,
    WATCH_COUNTERS(X)
#undef X
};

static const char *const condition_names[2 * WATCH_CONDITION_KINDS] = {
    "split",
    "split_now",
    "equal_epochs",
    "equal_epochs_now",
    "sub_replica",
    "sub_replica_now",
    "foreign",
    "foreign_now",
    "twin",
    "twin_now",
    "one_way",
    "one_way_now",
    "tls_refused",
    "tls_refused_now",
    "disk",
    "disk_now",
    "certificate_ends",
    "certificate_ends_now",
    "certificate_expired",
    "certificate_expired_now",
};

uint32_t hs_watch_counters_n(void)
{
    return WATCH_COUNTERS_N + 2 * WATCH_CONDITION_KINDS;
}

const char *hs_watch_counter_name(uint32_t i)
{
    HS_ASSERT(i < hs_watch_counters_n());
    return i < WATCH_COUNTERS_N ? counter_names[i] : condition_names[i - WATCH_COUNTERS_N];
}

uint64_t hs_watch_counter(const struct hs_watch *w, uint32_t i)
{
    HS_ASSERT(i < hs_watch_counters_n());
    if (i < WATCH_COUNTERS_N)
        return atomic_load_explicit(&w->counters[i], memory_order_relaxed);
    i -= WATCH_COUNTERS_N;
    return atomic_load_explicit(i % 2 == 0 ? &w->begun[i / 2] : &w->now[i / 2],
                                memory_order_relaxed);
}

/* ---- life ---- */

struct hs_watch *hs_watch_create(const struct hs_watch_conf *conf)
{
    struct hs_watch *w = hs_alloc(sizeof(*w));
    if (w == NULL)
        return NULL;
    w->conf = *conf;
    w->wake.fd = -1;
    for (w->buckets_n = 16; w->buckets_n < 2 * conf->nodes_max;)
        w->buckets_n *= 2;
    w->was = hs_alloc(conf->nodes_max * sizeof(w->was[0]));
    w->is = hs_alloc(conf->nodes_max * sizeof(w->is[0]));
    w->buckets = hs_alloc(w->buckets_n * sizeof(w->buckets[0]));
    /* Microseconds of the clock: more than a run before could have told. */
    uint64_t before_first = (uint64_t)hs_clock().wall.ms * 1000;
    bool ok = journal_init(&w->journal, before_first) && w->was != NULL && w->is != NULL &&
              w->buckets != NULL && hs_wake_init(&w->wake) == 0;
    if (!ok) {
        hs_watch_destroy(w);
        return NULL;
    }
    return w;
}

void hs_watch_destroy(struct hs_watch *w)
{
    if (w == NULL)
        return;
    if (w->wake.fd >= 0)
        hs_wake_fini(&w->wake);
    journal_fini(&w->journal);
    hs_topo_destroy(w->seen);
    hs_free(w->was);
    hs_free(w->is);
    hs_free(w->buckets);
    hs_free(w);
}

struct hs_wake *hs_watch_wake(struct hs_watch *w)
{
    return &w->wake;
}

void hs_watch_stop(struct hs_watch *w)
{
    atomic_store(&w->stop, true);
    hs_wake_force(&w->wake);
}

/* ---- a look ---- */

void hs_watch_tell(struct hs_watch *w, enum hs_told_kind kind, const char *text)
{
    WATCH_COUNT(w, events);
    journal_add(&w->journal, kind, text, hs_clock().wall.ms);
}

void watch_tell(struct hs_watch *w, const struct line *l)
{
    hs_watch_tell(w, l->kind, l->text);
}

void watch_look(struct hs_watch *w, const struct look *k)
{
    HS_ASSERT(k->new->nodes_n <= w->conf.nodes_max);
    WATCH_COUNT(w, looks);
    if (k->old != NULL) {
        watch_match(w, k);
        watch_diff(w, k);
    }
    watch_check(w, k);
}

struct sight { /* what is kept of a view after the reader's section */
    struct hs_topo *topo;
    int64_t timeout_ms;
    uint64_t save_failures;
    char save_error[128];
};

static int64_t clock_ms(void)
{
    return hs_clock().mono.ms;
}

/* False: nothing new, or no memory. */
static bool copy(struct hs_watch *w, struct sight *s)
{
    const struct hs_published *p = hs_snapshot_begin(w->conf.snapshot, w->conf.reader);
    bool is_new = p != NULL && p->version != w->seen_version;
    if (is_new) {
        s->topo = hs_topo_copy(p->topo);
        s->timeout_ms = p->conf.node_timeout_ms;
        s->save_failures = p->save_failures;
        memcpy(s->save_error, p->save_error, sizeof(s->save_error));
        if (s->topo != NULL) {
            w->seen_version = p->version;
        } else {
            WATCH_COUNT(w, no_memory);
            w->next_ms = clock_ms() + WATCH_NO_MEMORY_MS;
        }
    }
    hs_snapshot_end(w->conf.snapshot, w->conf.reader);
    return s->topo != NULL;
}

static void take_a_look(struct hs_watch *w)
{
    struct sight s = {.topo = NULL};
    int64_t from = clock_ms();
    if (!copy(w, &s))
        return;
    struct look k = {
        .old = w->seen,
        .new = s.topo,
        .now = hs_clock(),
        .timeout_ms = s.timeout_ms,
        .certificate_end_s = w->conf.tls != NULL ? hs_tls_end_s(w->conf.tls) : 0,
        .save_error = s.save_error,
        .save_failures = s.save_failures,
    };
    if (w->conf.tls != NULL)
        k.refusals_n = hs_tls_refusals(w->conf.tls, k.refusals);
    uint64_t before = hs_watch_newest(w);
    watch_look(w, &k);
    hs_topo_destroy(w->seen);
    w->seen = s.topo;
    if (hs_watch_newest(w) != before)
        w->conf.told(w->conf.told_ctx);
    int64_t to = clock_ms();
    w->next_ms = to + WATCH_PACE * (to - from);
    if ((uint64_t)(to - from) > atomic_load(&w->counters[WATCH_look_ms_max]))
        atomic_store(&w->counters[WATCH_look_ms_max], (uint64_t)(to - from));
}

static bool has_work(struct hs_watch *w)
{
    const struct hs_published *p = hs_snapshot_begin(w->conf.snapshot, w->conf.reader);
    bool is_new = p != NULL && p->version != w->seen_version;
    hs_snapshot_end(w->conf.snapshot, w->conf.reader);
    return is_new || atomic_load(&w->stop);
}

void hs_watch_run(struct hs_watch *w)
{
    while (!atomic_load(&w->stop)) {
        int64_t wait_ms = w->next_ms - clock_ms();
        if (wait_ms <= 0)
            take_a_look(w);
        hs_doze_begin(&w->wake.doze);
        if (wait_ms > 0)
            hs_wake_wait(&w->wake, (int)wait_ms);
        else if (!has_work(w))
            hs_wake_wait(&w->wake, WATCH_REST_MS);
        hs_doze_end(&w->wake.doze);
    }
}
