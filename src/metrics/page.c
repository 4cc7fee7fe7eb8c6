/* page.c - docs/metrics.md, from the table. */
#include "metrics_int.h"

#include <string.h>

static const char *const intro =
    "# Metrics\n\n"
    "Made by `tools/dev docs` from the table in `src/metrics/table.c`; a test compares the two.\n\n"
    "`metrics-port` turns them on, `metrics-bind` says where (127.0.0.1 unless told otherwise). "
    "There is no\n"
    "password and no TLS on that port: bind it to a network that only the scraper reaches.\n\n"
    "| path | answer |\n|---|---|\n"
    "| `/metrics` | Prometheus text format 0.0.4 |\n"
    "| `/healthz` | 200 while the process is alive; 503 and one line when only a restart helps: "
    "the owner "
    "thread has published nothing for 5 s, or the disk has been at one save for 30 s |\n"
    "| `/readyz` | 200 while the cluster state is ok as seen from here; else 503 and one line that "
    "says what is "
    "missing |\n\n"
    "GET and HEAD only. At most 64 connections at once, 16 of one address, 8 KiB per request; a "
    "connection without\n"
    "progress for 10 s is closed. All who ask within 100 ms share one rendering.\n\n"
    "Names of redis_exporter are kept where it has one, so boards and alerts made for it go on. "
    "Counters of\n"
    "`CLUSTER INFO` and `INFO` start again with CONFIG RESETSTAT, as the replies do. `INFO "
    "hearsay` shows the\n"
    "counters of the rooms under the names in the last column. The time of the owner thread is "
    "measured in\n"
    "nanoseconds, that of PONGs and failures in milliseconds, as the failure detector sees it.\n\n"
    "`deploy/prometheus-rules.yml` has alerts with what to do about each, "
    "`deploy/grafana-dashboard.json` a board.\n\n"
    "| metric | type | unit | what it says | from |\n|---|---|---|---|---|\n";

static const char *const type_names[] = {
    [GAUGE] = "gauge", [COUNTER] = "counter", [HISTOGRAM] = "histogram"};

/* What INFO or CLUSTER INFO call it, as far as they have it. */
static void print_source(FILE *out, const struct metrics_row *row)
{
    static const char *const prefixes[METRICS_SOURCES] = {
        [FROM_CLUSTER] = "",     [FROM_CLIENTS] = "",     [FROM_PROCESS] = "",
        [FROM_NET] = "net_",     [FROM_OWNER] = "owner_", [FROM_CORE] = "core_",
        [FROM_WATCH] = "watch_",
    };
    if (row->histogram != NULL)
        fprintf(out, "histogram of %s", row->where);
    else if (row->put != NULL)
        fprintf(out, "labels: %s", row->where);
    else
        fprintf(out, strchr(row->key, ' ') != NULL ? "%s%s" : "`%s%s`", prefixes[row->from],
                row->key);
}

void hs_metrics_print_page(FILE *out)
{
    fputs(intro, out);
    for (uint32_t i = 0; i < metrics_table_n; i++) {
        const struct metrics_row *row = &metrics_table[i];
        const char *open = row->label[0] != 0 ? "{" : "", *close = row->label[0] != 0 ? "}" : "";
        fprintf(out, "| `%s%s%s%s` | %s | %s | %s | ", row->name, open, row->label, close,
                type_names[row->type], row->unit, row->help);
        print_source(out, row);
        fputs(" |\n", out);
    }
}
