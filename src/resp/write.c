/* write.c - replies in RESP2 and RESP3.
 *
 * Each function knows both shapes, so that a command is written once and the
 * sink's protocol decides. */
#include "hearsay/resp.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ERROR_MAX = 1024 }; /* longer texts are cut */

static void put(struct hs_resp_sink *s, const char *p, size_t n)
{
    s->put(s->ctx, p, n);
}

/* "<type><v>\r\n" */
static void put_head(struct hs_resp_sink *s, char type, int64_t v)
{
    char buf[32];
    int n = snprintf(buf, sizeof(buf), "%c%lld\r\n", type, (long long)v);
    put(s, buf, (size_t)n);
}

void hs_resp_simple(struct hs_resp_sink *s, const char *text)
{
    put(s, "+", 1);
    put(s, text, strlen(text));
    put(s, "\r\n", 2);
}

void hs_resp_error(struct hs_resp_sink *s, const char *fmt, ...)
{
    char buf[ERROR_MAX];
    va_list ap;
    va_start(ap, fmt);
    int wanted = vsnprintf(buf, sizeof(buf), fmt, ap);
    va_end(ap);
    size_t n = wanted < 0 ? 0 : (size_t)wanted;
    if (n > sizeof(buf) - 1)
        n = sizeof(buf) - 1;
    for (size_t i = 0; i < n; i++)
        if (buf[i] == '\r' || buf[i] == '\n')
            buf[i] = ' ';
    put(s, "-", 1);
    put(s, buf, n);
    put(s, "\r\n", 2);
}

void hs_resp_int(struct hs_resp_sink *s, int64_t v)
{
    put_head(s, ':', v);
}

void hs_resp_bulk(struct hs_resp_sink *s, const void *p, size_t n)
{
    put_head(s, '$', (int64_t)n);
    if (n > 0)
        put(s, p, n);
    put(s, "\r\n", 2);
}

void hs_resp_bulk_str(struct hs_resp_sink *s, const char *text)
{
    hs_resp_bulk(s, text, strlen(text));
}

void hs_resp_verbatim(struct hs_resp_sink *s, const void *p, size_t n)
{
    if (s->proto < 3) {
        hs_resp_bulk(s, p, n);
        return;
    }
    put_head(s, '=', (int64_t)n + 4);
    put(s, "txt:", 4);
    if (n > 0)
        put(s, p, n);
    put(s, "\r\n", 2);
}

void hs_resp_null(struct hs_resp_sink *s)
{
    if (s->proto < 3)
        put(s, "$-1\r\n", 5);
    else
        put(s, "_\r\n", 3);
}

void hs_resp_bool(struct hs_resp_sink *s, bool v)
{
    if (s->proto < 3)
        put_head(s, ':', v ? 1 : 0);
    else
        put(s, v ? "#t\r\n" : "#f\r\n", 4);
}

void hs_resp_double(struct hs_resp_sink *s, double v)
{
    char buf[40];
    if (isnan(v))
        snprintf(buf, sizeof(buf), "nan");
    else if (isinf(v))
        snprintf(buf, sizeof(buf), v > 0 ? "inf" : "-inf");
    else
        snprintf(buf, sizeof(buf), "%.17g", v);
    if (s->proto < 3) {
        hs_resp_bulk_str(s, buf);
        return;
    }
    put(s, ",", 1);
    put(s, buf, strlen(buf));
    put(s, "\r\n", 2);
}

void hs_resp_array(struct hs_resp_sink *s, size_t n)
{
    put_head(s, '*', (int64_t)n);
}

void hs_resp_map(struct hs_resp_sink *s, size_t pairs)
{
    if (s->proto < 3)
        put_head(s, '*', (int64_t)pairs * 2);
    else
        put_head(s, '%', (int64_t)pairs);
}

void hs_resp_set(struct hs_resp_sink *s, size_t n)
{
    put_head(s, s->proto < 3 ? '*' : '~', (int64_t)n);
}

void hs_resp_push(struct hs_resp_sink *s, size_t n)
{
    put_head(s, s->proto < 3 ? '*' : '>', (int64_t)n);
}
