/* text.c - the Prometheus text format, version 0.0.4. */
#include "metrics_int.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

void metrics_printf(struct metrics_text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(t->p + t->n, t->max - t->n, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= t->max - t->n)
        t->cut = true; /* and t->n stays: what is there ends with a whole piece */
    else
        t->n += (size_t)n;
}

void metrics_put_escaped(struct metrics_text *t, const char *s)
{
    for (size_t left = strlen(s); left > 0;) {
        size_t n = hs_utf8_len(s, left);
        if (n == 0)
            metrics_printf(t, "\xef\xbf\xbd"); /* U+FFFD */
        else if (*s == '\n')
            metrics_printf(t, "\\n");
        else if (*s == '\\' || *s == '"')
            metrics_printf(t, "\\%c", *s);
        else
            metrics_printf(t, "%.*s", (int)n, s);
        s += n == 0 ? 1 : n;
        left -= n == 0 ? 1 : n;
    }
}

static const char *const type_names[] = {
    [GAUGE] = "gauge", [COUNTER] = "counter", [HISTOGRAM] = "histogram"};

static void put_head(struct metrics_text *t, const struct metrics_row *row)
{
    metrics_printf(t, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
                   type_names[row->type]);
}

static void put_value(struct metrics_text *t, const struct metrics_row *row, uint64_t v)
{
    const char *open = row->label[0] != 0 ? "{" : "", *close = row->label[0] != 0 ? "}" : "";
    if (row->scale == 0)
        metrics_printf(t, "%s%s%s%s %" PRIu64 "\n", row->name, open, row->label, close, v);
    else
        metrics_printf(t, "%s%s%s%s %.9g\n", row->name, open, row->label, close,
                       (double)v * row->scale);
}

void metrics_put_histogram(struct metrics_text *t, const struct metrics_row *row,
                           const struct hs_histogram *h)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < HS_HISTOGRAM_BUCKETS; i++) {
        n += h->buckets[i];
        if (i >= row->bucket_first && i <= row->bucket_last)
            metrics_printf(t, "%s_bucket{le=\"%.9g\"} %" PRIu64 "\n", row->name,
                           (double)((uint64_t)1 << i) * row->scale, n);
    }
    metrics_printf(t, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.9g\n%s_count %" PRIu64 "\n",
                   row->name, n, row->name, (double)h->sum * row->scale, row->name, n);
}

void metrics_put_all(struct metrics_text *t, const uint16_t *ix, const struct metrics_now *now)
{
    for (uint32_t i = 0; i < metrics_table_n; i++) {
        const struct metrics_row *row = &metrics_table[i];
        if (metrics_row_is_first(i))
            put_head(t, row);
        if (row->put != NULL)
            row->put(t, row, now);
        else if (row->histogram != NULL)
            metrics_put_histogram(t, row, row->histogram(now->view));
        else
            put_value(t, row, now->values[row->from][ix[i]]);
    }
}

void metrics_resolve(const struct hs_metrics_conf *conf, uint16_t *ix)
{
    const char *names[METRICS_SOURCES][VALUES_MAX];
    uint32_t names_n[METRICS_SOURCES];
    for (int from = 0; from < METRICS_SOURCES; from++)
        names_n[from] = metrics_names(conf, (enum metrics_source)from, names[from]);
    for (uint32_t i = 0; i < metrics_table_n; i++) {
        const struct metrics_row *row = &metrics_table[i];
        if (row->key == NULL)
            continue;
        uint32_t k = 0;
        while (k < names_n[row->from] && strcmp(names[row->from][k], row->key) != 0)
            k++;
        HS_ASSERT(k < names_n[row->from]);
        ix[i] = (uint16_t)k;
    }
}
