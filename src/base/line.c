/* line.c - what a log line looks like: as a stock server's, as key=value, as JSON.
 *
 * Texts quote peers: node names, addresses, channels. Whatever is in them, a line
 * stays one line, and in the two formats for machines a value stays inside its
 * quotes. A line that is too long loses the end of its text, never its form.
 */
#include "base_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FIELD_MAX = 64 }; /* bytes of a field's value; the text has the rest */

struct out {
    char *p;
    size_t n, max;
};

static void put(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct out *o, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(o->p + o->n, o->max - o->n, fmt, args);
    va_end(args);
    if (n > 0)
        o->n += (size_t)n < o->max - o->n ? (size_t)n : o->max - o->n - 1;
}

/* Control characters, what is no UTF-8, and what some viewers take for the end
 * of a line: the C1 controls and U+2028 and U+2029. */
static bool is_shown(const char *s, size_t len)
{
    const uint8_t *p = (const uint8_t *)s;
    if (len == 1)
        return p[0] >= ' ' && p[0] != 0x7f;
    return len > 1 && !(len == 2 && p[0] == 0xc2 && p[1] < 0xa0) &&
           !(len == 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9));
}

/* Whole characters only, so that no cut makes an escape or a character a half. */
static void put_text(struct out *o, const char *s, size_t n, bool quoted)
{
    for (size_t i = 0; i < n;) {
        size_t len = hs_utf8_len(s + i, n - i);
        bool shown = is_shown(s + i, len), escaped = quoted && (s[i] == '"' || s[i] == '\\');
        size_t take = len == 0 ? 1 : len, need = (shown ? take : 1) + escaped;
        if (o->n + need >= o->max)
            return;
        if (escaped)
            o->p[o->n++] = '\\';
        if (shown)
            memcpy(o->p + o->n, s + i, take);
        else
            o->p[o->n] = '?';
        o->n += shown ? take : 1;
        i += take;
    }
}

static void put_pair(struct out *o, bool json, const char *key, const char *value, size_t n)
{
    put(o, json ? ",\"%s\":\"" : " %s=\"", key);
    put_text(o, value, n, true);
    put(o, "\"");
}

const char BASE_MONTHS[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static void put_prefix(struct out *o, const struct base_line *l)
{
    put(o, "%d:%c %02d %s %d %02d:%02d:%02d.%03d %c ", (int)getpid(), l->role, l->local.tm_mday,
        BASE_MONTHS[l->local.tm_mon], l->local.tm_year + 1900, l->local.tm_hour, l->local.tm_min,
        l->local.tm_sec, l->ms, ".-*#"[l->level]);
}

static void put_machine(struct out *o, const struct base_line *l, bool json)
{
    static const char *const levels[] = {"debug", "verbose", "notice", "warning"};
    size_t max = o->max;
    int east_min = (int)(l->east_s / 60), distance = east_min < 0 ? -east_min : east_min;
    put(o,
        json ? "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03d%c%02d:%02d\""
             : "time=%04d-%02d-%02dT%02d:%02d:%02d.%03d%c%02d:%02d",
        l->local.tm_year + 1900, l->local.tm_mon + 1, l->local.tm_mday, l->local.tm_hour,
        l->local.tm_min, l->local.tm_sec, l->ms, east_min < 0 ? '-' : '+', distance / 60,
        distance % 60);
    put(o, json ? ",\"level\":\"%s\",\"pid\":%d,\"role\":\"%s\"" : " level=%s pid=%d role=%s",
        levels[l->level], (int)getpid(), l->role == 'S' ? "replica" : "master");
    for (uint32_t i = 0; i < l->fields_n; i++) {
        size_t n = strlen(l->fields[i].value);
        put_pair(o, json, l->fields[i].key, l->fields[i].value, n < FIELD_MAX ? n : FIELD_MAX);
    }
    put(o, json ? ",\"msg\":\"" : " msg=\"");
    o->max = max - 2; /* room for what closes it */
    put_text(o, l->text, l->text_n, true);
    o->max = max;
    put(o, json ? "\"}" : "\"");
}

size_t base_line(const struct base_line *l, enum hs_log_format format, char *buf, size_t n,
                 size_t *text_at)
{
    struct out o = {.p = buf, .max = n};
    *text_at = 0;
    if (format == HS_LOG_PLAIN) {
        put_prefix(&o, l);
        *text_at = o.n;
        put_text(&o, l->text, l->text_n, false);
    } else {
        put_machine(&o, l, format == HS_LOG_JSON);
    }
    return o.n;
}
