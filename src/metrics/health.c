/* health.c - is this process to be restarted, and may clients be sent to it.
 *
 * /healthz fails when only a restart can help: the owner stands still, or the
 * disk neither takes a save nor refuses it. A full disk is no reason, since it
 * is as full after a restart; it has a metric and a log line. /readyz fails as
 * long as the cluster, as seen from here, is not serving.
 */
#include "metrics_int.h"

#include <inttypes.h>

bool metrics_is_healthy(const struct hs_published *view, int64_t mono_ms, char *why, size_t n)
{
    int64_t silent_ms = mono_ms - view->published_ms;
    if (silent_ms > OWNER_SILENT_MS) {
        snprintf(why, n, "the owner thread has published nothing for %" PRId64 " ms", silent_ms);
        return false;
    }
    int64_t waits_ms = view->save_waits_ms == 0 ? 0 : mono_ms - view->save_waits_ms;
    if (waits_ms > DISK_HANGS_MS) {
        snprintf(why, n, "the disk has been at the same save of %s for %" PRId64 " ms",
                 view->conf.cluster_config_file, waits_ms);
        return false;
    }
    snprintf(why, n, "ok%s%s", view->save_error[0] != 0 ? ", but the last save failed: " : "",
             view->save_error);
    return true;
}

bool metrics_is_ready(const struct hs_published *view, int64_t mono_ms, char *why, size_t n)
{
    const struct hs_topo *t = view->topo;
    if (!metrics_is_healthy(view, mono_ms, why, n))
        return false;
    if (t->ok) {
        snprintf(why, n, "ok, %u nodes known", t->nodes_n);
        return true;
    }
    if (t->nodes_n == 1 && t->slots_assigned < HS_SLOTS)
        snprintf(why, n,
                 "cluster state is fail: this node knows no other (CLUSTER MEET), and %u "
                 "of %d slots have no owner",
                 HS_SLOTS - t->slots_assigned, HS_SLOTS);
    else if (t->slots_assigned < HS_SLOTS)
        snprintf(why, n, "cluster state is fail: %u of %d slots have no owner",
                 HS_SLOTS - t->slots_assigned, HS_SLOTS);
    else if (t->slots_fail > 0)
        snprintf(why, n, "cluster state is fail: the owners of %u slots are down", t->slots_fail);
    else
        snprintf(why, n,
                 "cluster state is fail: a majority of the %u masters is not reached, or "
                 "was not until a moment ago",
                 t->size);
    return false;
}
