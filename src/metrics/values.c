/* values.c - every value a metric can show, by source and name. */
#include "metrics_int.h"

#include <string.h>

enum cluster_value {
    STATE,
    SLOTS_ASSIGNED,
    SLOTS_OK,
    SLOTS_PFAIL,
    SLOTS_FAIL,
    KNOWN_NODES,
    SIZE,
    CURRENT_EPOCH,
    MY_EPOCH,
    LAST_VOTE_EPOCH,
    MESSAGES_SENT,
    MESSAGES_RECEIVED,
    CONNECTIONS,
    SLOTS_MIGRATING,
    SLOTS_IMPORTING,
    VIEW_VERSION,
    CLUSTER_VALUES
};

static const char *const cluster_names[CLUSTER_VALUES] = {
    [STATE] = "cluster_state",
    [SLOTS_ASSIGNED] = "cluster_slots_assigned",
    [SLOTS_OK] = "cluster_slots_ok",
    [SLOTS_PFAIL] = "cluster_slots_pfail",
    [SLOTS_FAIL] = "cluster_slots_fail",
    [KNOWN_NODES] = "cluster_known_nodes",
    [SIZE] = "cluster_size",
    [CURRENT_EPOCH] = "cluster_current_epoch",
    [MY_EPOCH] = "cluster_my_epoch",
    [LAST_VOTE_EPOCH] = "lastVoteEpoch of nodes.conf",
    [MESSAGES_SENT] = "cluster_stats_messages_sent",
    [MESSAGES_RECEIVED] = "cluster_stats_messages_received",
    [CONNECTIONS] = "cluster_connections",
    [SLOTS_MIGRATING] = "[slot->-node] of CLUSTER NODES",
    [SLOTS_IMPORTING] = "[slot-<-node] of CLUSTER NODES",
    [VIEW_VERSION] = "version of the view",
};

enum process_value {
    UP,
    UPTIME_S,
    START_MS,
    MAXCLIENTS,
    SAVE_FAILURES,
    SAVE_FAILING,
    SAVE_WAITS_MS,
    VIEW_AGE_MS,
    TLS_END_S,
    PROCESS_VALUES
};

static const char *const process_names[PROCESS_VALUES] = {
    [UP] = "this process answers",
    [UPTIME_S] = "uptime_in_seconds",
    [START_MS] = "time of the start",
    [MAXCLIENTS] = "maxclients",
    [SAVE_FAILURES] = "hearsay_save_failures",
    [SAVE_FAILING] = "hearsay_save_error",
    [SAVE_WAITS_MS] = "time at the same save",
    [VIEW_AGE_MS] = "age of the published view",
    [TLS_END_S] = "end of the TLS certificate",
};

uint32_t metrics_names(const struct hs_metrics_conf *conf, enum metrics_source from,
                       const char **names)
{
    const char *const *net_names;
    uint64_t values[VALUES_MAX];
    uint32_t n = 0;
    switch (from) {
    case FROM_CLUSTER:
        memcpy(names, cluster_names, sizeof(cluster_names));
        return CLUSTER_VALUES;
    case FROM_PROCESS:
        memcpy(names, process_names, sizeof(process_names));
        return PROCESS_VALUES;
    case FROM_CLIENTS:
        for (; n < HS_ADMIN_COUNTERS; n++)
            names[n] = hs_admin_counter_name((enum hs_admin_counter)n);
        return n;
    case FROM_NET:
        n = hs_net_counters(conf->net, &net_names, values, VALUES_MAX);
        HS_ASSERT(n < VALUES_MAX);
        memcpy(names, net_names, n * sizeof(names[0]));
        return n;
    case FROM_OWNER:
        for (; n < HS_OWNER_COUNTERS; n++)
            names[n] = hs_owner_counter_name(n);
        return n;
    case FROM_CORE:
        for (; n < hs_core_counters_n(); n++)
            names[n] = hs_core_counter_name(n);
        return n;
    case FROM_WATCH:
        for (; n < hs_watch_counters_n(); n++)
            names[n] = hs_watch_counter_name(n);
        return n;
    case METRICS_SOURCES:
        break;
    }
    return 0;
}

static uint64_t sum(const uint64_t *counts)
{
    uint64_t n = 0;
    for (int type = 0; type < HS_MSG_TYPES; type++)
        n += counts[type];
    return n;
}

static void gather_cluster(const struct hs_topo *t, uint64_t *v)
{
    v[STATE] = t->ok;
    v[SLOTS_ASSIGNED] = t->slots_assigned;
    v[SLOTS_OK] = t->slots_ok;
    v[SLOTS_PFAIL] = t->slots_pfail;
    v[SLOTS_FAIL] = t->slots_fail;
    v[KNOWN_NODES] = t->nodes_n;
    v[SIZE] = t->size;
    v[CURRENT_EPOCH] = t->current_epoch;
    v[MY_EPOCH] = hs_topo_epoch(t, 0);
    v[LAST_VOTE_EPOCH] = t->last_vote_epoch;
    v[MESSAGES_SENT] = sum(t->sent);
    v[MESSAGES_RECEIVED] = sum(t->received);
    v[CONNECTIONS] = hs_topo_links(t);
    v[SLOTS_MIGRATING] = t->migrating_n;
    v[SLOTS_IMPORTING] = t->importing_n;
    v[VIEW_VERSION] = t->version;
}

/* The wall clock may have been set back since. */
static uint64_t span(int64_t ms)
{
    return ms > 0 ? (uint64_t)ms : 0;
}

static void gather_process(const struct metrics_now *now, uint64_t *v)
{
    const struct hs_published *view = now->view;
    int64_t mono_ms = now->now.mono.ms;
    v[UP] = 1;
    v[UPTIME_S] = span(now->now.wall.ms - view->started_ms) / 1000;
    v[START_MS] = (uint64_t)view->started_ms;
    v[MAXCLIENTS] = view->conf.maxclients;
    v[SAVE_FAILURES] = view->save_failures;
    v[SAVE_FAILING] = view->save_error[0] != 0;
    v[SAVE_WAITS_MS] = view->save_waits_ms == 0 ? 0 : span(mono_ms - view->save_waits_ms);
    v[VIEW_AGE_MS] = span(mono_ms - view->published_ms);
}

void metrics_gather(const struct hs_metrics_conf *conf, struct metrics_now *now)
{
    const char *const *names;
    const struct hs_published *view = now->view;
    memset(now->values, 0, sizeof(now->values));
    gather_cluster(view->topo, now->values[FROM_CLUSTER]);
    gather_process(now, now->values[FROM_PROCESS]);
    now->values[FROM_PROCESS][TLS_END_S] =
        conf->tls == NULL ? 0 : (uint64_t)hs_tls_end_s(conf->tls);
    hs_admin_counters(conf->admin, now->values[FROM_CLIENTS]);
    for (uint32_t code = 0; code < HS_ADMIN_ERROR_CODES; code++)
        now->errors[code] = hs_admin_errors(conf->admin, code);
    hs_net_counters(conf->net, &names, now->values[FROM_NET], VALUES_MAX);
    memcpy(now->values[FROM_OWNER], view->owner_counters, sizeof(view->owner_counters));
    for (uint32_t i = 0; i < hs_watch_counters_n(); i++)
        now->values[FROM_WATCH][i] = hs_watch_counter(conf->watch, i);
    memcpy(now->values[FROM_CORE], view->core_counters,
           view->core_counters_n * sizeof(view->core_counters[0]));
}
