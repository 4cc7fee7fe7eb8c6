/* text.c - text that grows: rendered replies, INFO, lists.
 *
 * Running out of memory sets a flag and keeps what is there, so that the many
 * places that add a line need no check; the one that uses the text looks. */
#include "admin_int.h"

#include <stdarg.h>
#include <stdlib.h>

enum { TEXT_MIN = 1024, PRINTF_MAX = 1024 }; /* longer printf lines are cut */

void admin_text_put(struct text *t, const void *p, size_t n)
{
    if (t->n + n > t->cap) {
        size_t cap = t->cap < TEXT_MIN ? TEXT_MIN : t->cap;
        while (cap < t->n + n)
            cap *= 2;
        char *grown = hs_alloc(cap);
        if (grown == NULL) {
            t->failed = true;
            return;
        }
        if (t->n > 0)
            memcpy(grown, t->p, t->n);
        hs_free(t->p);
        t->p = grown;
        t->cap = cap;
    }
    if (n > 0)
        memcpy(t->p + t->n, p, n);
    t->n += n;
}

void admin_text_printf(struct text *t, const char *fmt, ...)
{
    char line[PRINTF_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    admin_text_put(t, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

void admin_text_free(struct text *t)
{
    hs_free(t->p);
    *t = (struct text){0};
}

static void sink_put(void *ctx, const void *p, size_t n)
{
    admin_text_put(ctx, p, n);
}

struct hs_resp_sink admin_text_sink(struct text *t, int proto)
{
    return (struct hs_resp_sink){.put = sink_put, .ctx = t, .proto = proto};
}
