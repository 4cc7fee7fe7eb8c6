/* reports.c - who says whom to be unreachable, and how recently.
 *
 * When a third of 2,000 nodes dies at once, every message of 1,300 voters
 * accuses 660 nodes, so a report may cost nothing but a byte: each suspect has
 * a row with one stamp per accuser. A stamp is the number of a span of time (a
 * 32nd of the node timeout) counted modulo 255, and the row counts its stamps
 * per span. Adding, dropping and counting are then independent of how many
 * there are; expiry subtracts whole spans.
 *
 * A report is valid for two node timeouts, as in the reference implementation,
 * rounded up to the end of its span. Stamps of expired spans are swept before
 * their number could come round again.
 *
 * When an accuser began is kept beside its stamp, in seconds, and is written
 * only when it begins; repetitions leave it alone.
 *
 * Rows exist only for nodes somebody accuses. They outlive the verdict, as in
 * stock servers: COUNT-FAILURE-REPORTS tells who still agrees with it.
 */
#include "core_int.h"

enum {
    SPANS_PER_TIMEOUT = 32,
    SPANS_VALID = 2 * SPANS_PER_TIMEOUT, /* after the span of the report itself */
    STAMP_CYCLE = 255,
    SWEEP_SPANS = 128, /* so no stamp is older than 128 + 66 spans when swept */
    SINCE_CYCLE = 65535,
    SINCE_S_MAX = 60000, /* for longer than this, a sweep makes it "long ago" */
};
_Static_assert(SPANS_VALID + 2 <= STAMPS, "every valid span has a count of its own");
_Static_assert(SPANS_VALID + 2 + SWEEP_SPANS < STAMP_CYCLE, "stamps do not come round unswept");

/* More than half the nodes cannot be judged failed: there is no quorum then. */
size_t core_rows_max(const struct hs_core_opts *opts)
{
    return opts->nodes_max / 2 + 1;
}

static uint32_t span_now(const struct hs_core *c)
{
    uint32_t span_ms = c->conf.node_timeout_ms / SPANS_PER_TIMEOUT;

    return (uint32_t)(c->now.mono.ms / (span_ms == 0 ? 1 : span_ms));
}

static uint8_t stamp_of(uint32_t span)
{
    return (uint8_t)(span % STAMP_CYCLE + 1);
}

static uint8_t *stamps_of(struct hs_core *c, const struct row *row)
{
    return c->stamps + (size_t)(row - c->rows) * c->opts.nodes_max;
}

static uint16_t *since_of(const struct hs_core *c, const struct row *row)
{
    return c->since + (size_t)(row - c->rows) * c->opts.nodes_max;
}

/* 0 stands for "longer ago than can be told". */
static uint16_t since_now(const struct hs_core *c)
{
    return (uint16_t)(c->now.mono.ms / 1000 % SINCE_CYCLE + 1);
}

static uint32_t seconds_since(uint16_t since, int64_t mono_ms)
{
    return (uint32_t)((mono_ms / 1000 % SINCE_CYCLE + SINCE_CYCLE + 1 - since) % SINCE_CYCLE);
}

/* How many spans ago a stamp was made, seen from `span`. */
static uint32_t age_of(uint8_t stamp, uint32_t span)
{
    return (span % STAMP_CYCLE + STAMP_CYCLE + 1 - stamp) % STAMP_CYCLE;
}

static void free_row(struct hs_core *c, struct row *row)
{
    c->hot[row->suspect].row = NIL16;
    row->suspect = c->row_free;
    c->row_free = (uint16_t)(row - c->rows);
}

static void sweep(struct hs_core *c, struct row *row, uint32_t span)
{
    uint8_t *stamps = stamps_of(c, row);
    uint16_t *since = since_of(c, row);

    for (uint32_t i = 0; i < c->nodes_hi; i++) {
        if (stamps[i] == 0) {
            continue;
        }
        if (age_of(stamps[i], span) > SPANS_VALID + 1) {
            stamps[i] = 0;
        } else if (since[i] != 0 && seconds_since(since[i], c->now.mono.ms) > SINCE_S_MAX) {
            since[i] = 0;
        }
    }
    row->swept = span;
}

/* Brings a row up to the present: spans that have just become too old. */
static void expire(struct hs_core *c, struct row *row)
{
    uint32_t span = span_now(c);

    if (span - row->bucket >= STAMPS || span - row->swept >= STAMP_CYCLE - SPANS_VALID - 2) {
        memset(row->stamped_n, 0, sizeof(row->stamped_n)); /* nothing for very long */
        memset(stamps_of(c, row), 0, c->opts.nodes_max);
        row->fresh_n = 0;
        row->swept = span;
    }
    while (row->bucket != span && row->fresh_n > 0) {
        row->bucket++;
        uint16_t *old = &row->stamped_n[(row->bucket - SPANS_VALID - 2) % STAMPS];
        row->fresh_n = (uint16_t)(row->fresh_n - *old);
        *old = 0;
    }
    row->bucket = span;
    if (span - row->swept >= SWEEP_SPANS) {
        sweep(c, row, span);
    }
}

static struct row *take_row(struct hs_core *c, uint16_t suspect)
{
    uint16_t ix = c->row_free;
    struct row *row;

    if (ix != NIL16) {
        c->row_free = c->rows[ix].suspect;
    } else if (c->rows_used < c->rows_max) {
        ix = (uint16_t)c->rows_used++;
    } else {
        COUNT(c, reports_refused); /* a delay for a verdict, never a wrong one */
        return NULL;
    }
    row = &c->rows[ix];
    *row = (struct row){.suspect = suspect, .bucket = span_now(c), .swept = span_now(c)};
    memset(stamps_of(c, row), 0, c->opts.nodes_max);
    c->hot[suspect].row = ix;
    return row;
}

/* The row of a suspect, up to date; NULL if nobody accuses it. */
static struct row *row_of(struct hs_core *c, uint16_t suspect)
{
    struct row *row;

    if (c->hot[suspect].row == NIL16) {
        return NULL;
    }
    row = &c->rows[c->hot[suspect].row];
    expire(c, row);
    if (row->fresh_n == 0) {
        free_row(c, row);
        return NULL;
    }
    return row;
}

/* Takes a stamp away. True if it was valid. */
static bool unstamp(struct hs_core *c, struct row *row, uint16_t by)
{
    uint8_t *stamp = &stamps_of(c, row)[by];
    uint32_t age = *stamp == 0 ? UINT32_MAX : age_of(*stamp, row->bucket);
    bool valid = age <= SPANS_VALID + 1;

    if (valid) {
        HS_ASSERT(row->stamped_n[(row->bucket - age) % STAMPS] > 0);
        row->stamped_n[(row->bucket - age) % STAMPS]--;
        row->fresh_n--;
    }
    *stamp = 0;
    return valid;
}

/* Only voters' opinions count. Whether this one is news. */
bool core_report_add(struct hs_core *c, uint16_t suspect, uint16_t by)
{
    struct row *row;

    HS_ASSERT(suspect != by && suspect != SELF);
    if (!is_voter(c, by)) {
        return false;
    }
    row = row_of(c, suspect);
    if (row == NULL && (row = take_row(c, suspect)) == NULL) {
        return false;
    }
    bool is_known = unstamp(c, row, by);
    if (!is_known) {
        since_of(c, row)[by] = since_now(c);
    }
    stamps_of(c, row)[by] = stamp_of(row->bucket);
    row->stamped_n[row->bucket % STAMPS]++;
    row->fresh_n++;
    COUNT(c, reports_added);
    return !is_known;
}

/* Whether there was a valid one. */
bool core_report_drop(struct hs_core *c, uint16_t suspect, uint16_t by)
{
    struct row *row = row_of(c, suspect);

    if (row == NULL) {
        return false;
    }
    bool was_valid = unstamp(c, row, by);
    if (row->fresh_n == 0) {
        free_row(c, row);
    }
    return was_valid;
}

uint32_t core_report_count(struct hs_core *c, uint16_t suspect)
{
    struct row *row = row_of(c, suspect);

    return row == NULL ? 0 : row->fresh_n;
}

/* For readers: as of the last change, expiry not applied. */
uint32_t core_report_peek(const struct hs_core *c, uint16_t suspect)
{
    return c->hot[suspect].row == NIL16 ? 0 : c->rows[c->hot[suspect].row].fresh_n;
}

uint32_t hs_core_accusers(const struct hs_core *c, const struct hs_node_id *suspect,
                          struct hs_now now, struct hs_accuser *out, uint32_t max)
{
    uint16_t ix = core_index_find(c, suspect->hex);
    uint32_t span_ms = c->conf.node_timeout_ms / SPANS_PER_TIMEOUT;
    uint32_t n = 0;

    if (ix == NIL16 || c->hot[ix].row == NIL16) {
        return 0;
    }
    const struct row *row = &c->rows[c->hot[ix].row];
    const uint8_t *stamps = c->stamps + (size_t)(row - c->rows) * c->opts.nodes_max;
    span_ms = span_ms == 0 ? 1 : span_ms;
    uint32_t span = (uint32_t)(now.mono.ms / span_ms);
    if (span - row->bucket >= STAMPS || span - row->swept >= STAMP_CYCLE - SPANS_VALID - 2) {
        return 0; /* all too old: the next report clears the row */
    }
    for (uint32_t i = 0; i < c->nodes_hi; i++) {
        uint32_t age = stamps[i] == 0 ? UINT32_MAX : age_of(stamps[i], span);
        if (age > SPANS_VALID + 1) {
            continue;
        }
        if (n < max) {
            uint16_t since = since_of(c, row)[i];
            int64_t since_ms = (int64_t)seconds_since(since, now.mono.ms) * 1000;
            out[n] = (struct hs_accuser){
                .id = c->hot[i].id,
                .since_ms = since == 0 ? 0 : now.wall.ms - since_ms,
                .last_ms = now.wall.ms - (int64_t)age * span_ms,
            };
        }
        n++;
    }
    return n;
}

void core_reports_about(struct hs_core *c, uint16_t suspect)
{
    if (c->hot[suspect].row != NIL16) {
        free_row(c, &c->rows[c->hot[suspect].row]);
    }
}

/* A node that goes away takes its accusations with it. */
void core_reports_by(struct hs_core *c, uint16_t by)
{
    for (uint16_t i = 0; i < c->nodes_hi; i++) {
        if (is_used(c, i) && c->hot[i].row != NIL16) {
            core_report_drop(c, i, by);
        }
    }
}

/* Stamps mean nothing under another node timeout. Accusers will repeat
 * themselves within a few messages. */
void core_reports_reset(struct hs_core *c)
{
    for (uint16_t i = 0; i < c->nodes_hi; i++) {
        if (is_used(c, i)) {
            core_reports_about(c, i);
        }
    }
}
