/* metrics_int.h - shared inside the room: the table, where its values come from, and text. */
#ifndef METRICS_INT_H
#define METRICS_INT_H

#include "hearsay/metrics.h"

#include "hearsay/owner.h"

enum {
    VALUES_MAX = 128, /* of one source; asserted */
    TEXT_MAX = 256 * 1024,
    OWNER_SILENT_MS = 5000, /* it publishes once a second */
    DISK_HANGS_MS = 30000,
};

/* ---- values.c: where values come from ---- */

enum metrics_source {
    FROM_CLUSTER, /* the published topology, under the names of CLUSTER INFO */
    FROM_CLIENTS, /* the client port, under the names of INFO */
    FROM_PROCESS,
    FROM_NET, /* the counters of these four rooms */
    FROM_OWNER,
    FROM_CORE,
    FROM_WATCH,
    METRICS_SOURCES
};

/* Everything there is to tell at one moment. */
struct metrics_now {
    const struct hs_published *view;
    struct hs_now now;
    uint64_t values[METRICS_SOURCES][VALUES_MAX];
    uint64_t errors[HS_ADMIN_ERROR_CODES];
};

/* Names of a source's values; how many there are. */
uint32_t metrics_names(const struct hs_metrics_conf *conf, enum metrics_source from,
                       const char **names);
void metrics_gather(const struct hs_metrics_conf *conf, struct metrics_now *now);

/* ---- table.c: every metric ---- */

enum metrics_type { GAUGE, COUNTER, HISTOGRAM };

struct metrics_text;

struct metrics_row {
    const char *name; /* the one before again: another series of the same metric */
    enum metrics_type type;
    const char *unit;  /* for people; "" for plain numbers */
    const char *label; /* type="ping"; "" for none */
    enum metrics_source from;
    const char *key;   /* which of its values; NULL for the next two */
    double scale;      /* 0: an integer as it is */
    const char *where; /* what the page says of the source, if it is not a value */
    /* Writes the series of a metric whose labels are not known beforehand. */
    void (*put)(struct metrics_text *out, const struct metrics_row *row,
                const struct metrics_now *now);
    const struct hs_histogram *(*histogram)(const struct hs_published *view);
    uint32_t bucket_first, bucket_last; /* a histogram's bounds are 2^first .. 2^last */
    const char *help;
};

extern const struct metrics_row metrics_table[];
extern const uint32_t metrics_table_n;
/* Whether the row begins a metric: HELP and TYPE are told once. */
bool metrics_row_is_first(uint32_t i);

/* ---- text.c: the exposition format ---- */

struct metrics_text {
    char *p;
    size_t n, max;
    bool cut; /* it did not fit */
};

void metrics_printf(struct metrics_text *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A label's value: escaped, and what is no UTF-8 replaced, since a scraper
 * refuses the whole page for one such byte. */
void metrics_put_escaped(struct metrics_text *t, const char *s);
void metrics_put_histogram(struct metrics_text *t, const struct metrics_row *row,
                           const struct hs_histogram *h);
/* ix: for each row, which value of its source it shows. */
void metrics_put_all(struct metrics_text *t, const uint16_t *ix, const struct metrics_now *now);
/* Fills ix, one per row of the table. A row whose value does not exist is a bug. */
void metrics_resolve(const struct hs_metrics_conf *conf, uint16_t *ix);

/* families.c: the put functions of the table */
void metrics_put_messages_sent(struct metrics_text *t, const struct metrics_row *row,
                               const struct metrics_now *now);
void metrics_put_messages_received(struct metrics_text *t, const struct metrics_row *row,
                                   const struct metrics_now *now);
void metrics_put_errors(struct metrics_text *t, const struct metrics_row *row,
                        const struct metrics_now *now);
void metrics_put_build(struct metrics_text *t, const struct metrics_row *row,
                       const struct metrics_now *now);
void metrics_put_instance(struct metrics_text *t, const struct metrics_row *row,
                          const struct metrics_now *now);
void metrics_put_node(struct metrics_text *t, const struct metrics_row *row,
                      const struct metrics_now *now);
void metrics_put_nodes(struct metrics_text *t, const struct metrics_row *row,
                       const struct metrics_now *now);

/* ---- health.c ---- */

/* True, or false with the reason, one line. */
bool metrics_is_healthy(const struct hs_published *view, int64_t mono_ms, char *why, size_t n);
bool metrics_is_ready(const struct hs_published *view, int64_t mono_ms, char *why, size_t n);

#endif
