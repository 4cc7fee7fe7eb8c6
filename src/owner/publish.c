/* publish.c - frozen copies of the core: for readers and for the disk.
 *
 * A copy is linear in the table, so it must not follow every change. Readers
 * get one when a client's reply waits for it, otherwise after a pause of twenty
 * times what the last copy cost, so that copying stays below 5 % of the owner's
 * time, and once a second so that the times of pings move. Saves that nothing
 * waits for are paced in the same way. The cost is processor time: on a loaded
 * machine a copy may be interrupted for a second, and readers would then see
 * nothing new for twenty.
 */
#include "owner_int.h"

#include <string.h>
#include <time.h>

enum {
    PACE = 20,
    REFRESH_MS = 1000,
    RETRY_MS = 100, /* after an allocation failed */
};

static int64_t cpu_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static struct hs_topo *freeze(struct hs_owner *o)
{
    uint32_t nodes, open, strings;
    hs_core_topo_need(o->core, &nodes, &open, &strings);
    struct hs_topo *t = hs_topo_create(nodes, open, strings);
    if (t == NULL) {
        o->counters[HS_OWNER_NO_MEMORY]++;
        return NULL;
    }
    hs_core_topology(o->core, o->now, t);
    return t;
}

static int64_t save_due_ns(const struct hs_owner *o)
{
    if (!o->save_pending)
        return INT64_MAX;
    return o->save_sync ? o->save_ns : o->save_ns + PACE * o->save_cost_ns;
}

static bool submit(struct hs_owner *o, bool sync)
{
    int64_t cpu_from = cpu_ns();
    struct hs_topo *t = freeze(o);
    if (t == NULL) {
        o->save_ns = hs_clock_ns() + RETRY_MS * OWNER_NS_PER_MS;
        return false;
    }
    hs_store_submit(o->store, t, o->save_seq, sync);
    o->save_given_seq = o->save_seq;
    o->save_pending = false;
    o->save_sync = false;
    o->save_ns = hs_clock_ns();
    o->save_cost_ns = cpu_ns() - cpu_from;
    return true;
}

void owner_save_if_due(struct hs_owner *o)
{
    if (o->save_pending && save_due_ns(o) <= hs_clock_ns())
        submit(o, o->save_sync);
}

bool owner_save_first(struct hs_owner *o)
{
    return submit(o, true);
}

void owner_save_last(struct hs_owner *o)
{
    if (!submit(o, true))
        hs_log(HS_LOG_WARNING, "The last state could not be saved: out of memory. The cluster "
                               "configuration file is as of the last save.");
}

void hs_published_destroy(void *ptr)
{
    struct hs_published *p = ptr;
    if (p == NULL)
        return;
    hs_topo_destroy(p->topo);
    hs_free(p);
}

static struct hs_published *build(struct hs_owner *o, int64_t from)
{
    struct hs_published *p = hs_alloc(sizeof(*p));
    struct hs_topo *t = p != NULL ? freeze(o) : NULL;
    if (t == NULL) {
        hs_free(p);
        return NULL;
    }
    p->topo = t;
    p->conf = o->conf;
    p->conf_n = o->conf_n;
    p->started_ms = o->started_ms;
    p->version = o->counters[HS_OWNER_PUBLICATIONS] + 1;
    p->published_ms = from / OWNER_NS_PER_MS;
    p->save_waits_ms = o->save_waits_ms;
    p->save_failures = hs_store_failures(o->store);
    hs_store_error(o->store, p->save_error, sizeof(p->save_error));

    const uint64_t *values;
    uint32_t n = hs_core_counters(o->core, &values);
    uint32_t max = sizeof(p->core_counters) / sizeof(p->core_counters[0]);
    HS_ASSERT(n <= max);
    memcpy(p->core_counters, values, n * sizeof(values[0]));
    p->core_counters_n = n;
    memcpy(p->owner_counters, o->counters, sizeof(p->owner_counters));
    for (int i = 0; i < HS_CORE_HISTOGRAMS; i++)
        p->core_histograms[i] = *hs_core_histogram(o->core, (enum hs_core_histogram)i);
    memcpy(p->owner_histograms, o->histograms, sizeof(p->owner_histograms));
    return p;
}

static bool is_stale(const struct hs_owner *o)
{
    return o->published_stale || o->published_version != hs_core_version(o->core);
}

static int64_t publish_due_ns(const struct hs_owner *o)
{
    if (o->seen == NULL || (o->answers != NULL && is_stale(o)))
        return o->published_ns;
    int64_t pace = PACE * o->publish_cost_ns;
    int64_t refresh = REFRESH_MS * OWNER_NS_PER_MS;
    return o->published_ns + (is_stale(o) || pace > refresh ? pace : refresh);
}

void owner_publish_if_due(struct hs_owner *o)
{
    int64_t from = hs_clock_ns();
    if (publish_due_ns(o) > from)
        return;
    int64_t cpu_from = cpu_ns();
    struct hs_published *p = build(o, from);
    if (p == NULL) {
        o->published_ns = from + RETRY_MS * OWNER_NS_PER_MS;
        return;
    }
    const struct hs_topo *topo = p->topo;
    if (!hs_snapshot_publish(o->snapshot, p)) {
        o->counters[HS_OWNER_NO_MEMORY]++;
        o->published_ns = from + RETRY_MS * OWNER_NS_PER_MS;
        return;
    }
    hs_snapshot_reclaim(o->snapshot);
    o->seen = topo;
    o->published_version = hs_core_version(o->core);
    o->published_stale = false;
    owner_tell_changed(o);
    owner_notes_flush(o);
    if (o->published != NULL)
        hs_wake_post(o->published);
    hs_log_set_role((topo->nodes[0].flags & HS_NODE_SLAVE) != 0 ? 'S' : 'M');

    o->published_ns = hs_clock_ns();
    o->publish_cost_ns = cpu_ns() - cpu_from;
    o->counters[HS_OWNER_PUBLICATIONS]++;
    if ((uint64_t)o->publish_cost_ns > o->counters[HS_OWNER_PUBLISH_NS_MAX])
        o->counters[HS_OWNER_PUBLISH_NS_MAX] = (uint64_t)o->publish_cost_ns;
}

int64_t owner_publish_next_ns(const struct hs_owner *o)
{
    int64_t publish = publish_due_ns(o), save = save_due_ns(o);
    return publish < save ? publish : save;
}
