/* conditions.c - what should not be, and for how long: found in one look after
 * the other, told once when it has lasted, and told once more when it is over.
 *
 * One that comes and goes is one that lasts: it is over only when it was not
 * found for as long as it had to last.
 */
#include "watch_int.h"

#include <stdio.h>
#include <string.h>

enum { HOLD_MS_MIN = 1000 };

static uint32_t counter_of(enum hs_told_kind kind)
{
    return (uint32_t)(kind - HS_TOLD_SPLIT) / 2;
}

/* Those whose line the room that found them has logged already. */
static bool is_logged_elsewhere(enum hs_told_kind kind)
{
    return kind == HS_TOLD_DISK;
}

/* No message is behind those at the end of the table that may come late: what is
 * over is over. */
static bool is_certain(enum hs_told_kind kind)
{
    return kind >= HS_TOLD_DISK;
}

static void count_now(struct hs_watch *w, enum hs_told_kind kind, bool begins)
{
    uint32_t i = counter_of(kind);
    if (begins) {
        atomic_fetch_add_explicit(&w->begun[i], 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&w->now[i], 1, memory_order_relaxed);
    } else {
        atomic_fetch_sub_explicit(&w->now[i], 1, memory_order_relaxed);
    }
}

/* The limit as time: each line takes its part of a second, and what is saved up
 * is no more than a burst. */
static bool may_log(struct hs_watch *w, enum hs_told_kind kind, int64_t now_ms)
{
    const int64_t line_ms = 1000 / WATCH_LINES_PER_S;
    if (is_logged_elsewhere(kind))
        return false;
    if (w->lines_ms < now_ms - WATCH_LINES_BURST * line_ms)
        w->lines_ms = now_ms - WATCH_LINES_BURST * line_ms;
    if (w->lines_ms + line_ms > now_ms) {
        WATCH_COUNT(w, lines_dropped);
        return false;
    }
    w->lines_ms += line_ms;
    return true;
}

/* The value of a key, "" if the line has none or it is '-'. */
static void value_of(const struct line *l, const char *key, char *to, size_t n)
{
    size_t key_n = strlen(key);
    to[0] = '\0';
    for (const char *p = l->text; *p != '\0';) {
        size_t len = strcspn(p, " ");
        if (len > key_n && memcmp(p, key, key_n) == 0 && p[key_n] == '=')
            snprintf(to, n, "%.*s", (int)(len - key_n - 1), p + key_n + 1);
        p += len + (p[len] == ' ');
    }
    if (strcmp(to, "-") == 0)
        to[0] = '\0';
}

static void log_line(enum hs_log_level level, const struct line *l)
{
    static const char *const keys[][2] = {/* in an event, and in the log */
                                          {"node", "node"},
                                          {"name", "node_name"},
                                          {"other", "other"},
                                          {"other_name", "other_name"},
                                          {"ip", "peer"}};
    enum { KEYS = sizeof(keys) / sizeof(keys[0]) };
    char values[KEYS][HS_ID_LEN + 24];
    struct hs_log_field fields[KEYS];
    uint32_t n = 0;
    for (size_t i = 0; i < KEYS; i++) {
        value_of(l, keys[i][0], values[i], sizeof(values[i]));
        if (values[i][0] != '\0')
            fields[n++] = (struct hs_log_field){keys[i][1], values[i]};
    }
    hs_log_with(level, fields, n, "%s %s: %s", hs_told_row(l->kind)->name, l->text,
                hs_told_row(l->kind)->help);
}

static void begin(struct hs_watch *w, struct condition *c, int64_t now_ms)
{
    c->raised = true;
    count_now(w, c->kind, true);
    watch_tell(w, &c->line);
    if (may_log(w, c->kind, now_ms))
        log_line(HS_LOG_WARNING, &c->line);
}

static void end(struct hs_watch *w, struct condition *c, int64_t now_ms)
{
    struct line l = c->line;
    l.kind = (enum hs_told_kind)(c->kind + 1);
    line_int(&l, "lasted_ms", now_ms - c->from_ms);
    count_now(w, c->kind, false);
    watch_tell(w, &l);
    if (may_log(w, c->kind, now_ms))
        log_line(HS_LOG_NOTICE, &l);
}

static bool is_same(const struct condition *c, const struct line *l, const struct hs_node_id *a,
                    const struct hs_node_id *b)
{
    return c->kind == l->kind && memcmp(c->a.hex, a->hex, HS_ID_LEN) == 0 &&
           memcmp(c->b.hex, b->hex, HS_ID_LEN) == 0;
}

static struct condition *get(struct hs_watch *w, const struct look *k, const struct line *l,
                             const struct hs_node_id *a, const struct hs_node_id *b)
{
    for (uint32_t i = 0; i < w->conditions_n; i++)
        if (is_same(&w->conditions[i], l, a, b))
            return &w->conditions[i];
    if (w->conditions_n == WATCH_CONDITIONS_MAX) {
        WATCH_COUNT(w, conditions_refused);
        return NULL;
    }
    struct condition *c = &w->conditions[w->conditions_n++];
    *c = (struct condition){.kind = l->kind, .a = *a, .b = *b, .from_ms = k->now.mono.ms};
    return c;
}

void watch_found(struct hs_watch *w, const struct look *k, const struct line *l,
                 const struct hs_node_id *a, const struct hs_node_id *b, int64_t lasting_ms)
{
    static const struct hs_node_id none;
    struct condition *c = get(w, k, l, a != NULL ? a : &none, b != NULL ? b : &none);
    if (c == NULL)
        return;
    c->found = true;
    c->seen_ms = k->now.mono.ms;
    c->line = *l;
    if (!c->raised && k->now.mono.ms - c->from_ms >= lasting_ms)
        begin(w, c, k->now.mono.ms);
}

void watch_settle(struct hs_watch *w, const struct look *k)
{
    int64_t hold_ms = k->timeout_ms > HOLD_MS_MIN ? k->timeout_ms : HOLD_MS_MIN;
    for (uint32_t i = 0; i < w->conditions_n;) {
        struct condition *c = &w->conditions[i];
        bool found = c->found;
        bool held = c->raised && !is_certain(c->kind) && k->now.mono.ms - c->seen_ms < hold_ms;
        c->found = false;
        if (found || held) {
            i++;
            continue;
        }
        if (c->raised)
            end(w, c, k->now.mono.ms);
        *c = w->conditions[--w->conditions_n];
    }
}
