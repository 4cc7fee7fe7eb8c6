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
 * Rows exist only for nodes somebody accuses. They outlive the verdict, as in
 * stock servers: COUNT-FAILURE-REPORTS tells who still agrees with it.
 */
#include "core_int.h"

enum {
    SPANS_PER_TIMEOUT = 32,
    SPANS_VALID = 2 * SPANS_PER_TIMEOUT, /* after the span of the report itself */
    STAMP_CYCLE = 255,
    SWEEP_SPANS = 128, /* so no stamp is older than 128 + 66 spans when swept */
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

    for (uint32_t i = 0; i < c->nodes_hi; i++) {
        if (stamps[i] != 0 && age_of(stamps[i], span) > SPANS_VALID + 1) {
            stamps[i] = 0;
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

/* Takes a valid stamp away. */
static void unstamp(struct hs_core *c, struct row *row, uint16_t by)
{
    uint8_t *stamp = &stamps_of(c, row)[by];
    uint32_t age = *stamp == 0 ? UINT32_MAX : age_of(*stamp, row->bucket);

    if (age <= SPANS_VALID + 1) {
        HS_ASSERT(row->stamped_n[(row->bucket - age) % STAMPS] > 0);
        row->stamped_n[(row->bucket - age) % STAMPS]--;
        row->fresh_n--;
    }
    *stamp = 0;
}

/* Only voters' opinions count. */
void core_report_add(struct hs_core *c, uint16_t suspect, uint16_t by)
{
    struct row *row;

    HS_ASSERT(suspect != by && suspect != SELF);
    if (!is_voter(c, by)) {
        return;
    }
    row = row_of(c, suspect);
    if (row == NULL && (row = take_row(c, suspect)) == NULL) {
        return;
    }
    unstamp(c, row, by);
    stamps_of(c, row)[by] = stamp_of(row->bucket);
    row->stamped_n[row->bucket % STAMPS]++;
    row->fresh_n++;
    COUNT(c, reports_added);
}

void core_report_drop(struct hs_core *c, uint16_t suspect, uint16_t by)
{
    struct row *row = row_of(c, suspect);

    if (row != NULL) {
        unstamp(c, row, by);
        if (row->fresh_n == 0) {
            free_row(c, row);
        }
    }
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
