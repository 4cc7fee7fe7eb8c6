/* parse.c - client bytes into whole commands.
 *
 * One buffer holds what has come and is not done with; three offsets say how
 * far it has been understood (cmd, off, scan), so that no byte is looked at
 * twice however finely the input is cut. Arguments point into the buffer and
 * are moved with it. Memory grows with bytes that came, never with a length
 * that a client merely announced. */
#include "hearsay/resp.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_MIN = 512, ARGS_MIN = 8 };

void hs_resp_init(struct hs_resp_parser *p)
{
    *p = (struct hs_resp_parser){.bulk_len = -1};
}

void hs_resp_fini(struct hs_resp_parser *p)
{
    free(p->buf);
    free(p->args);
    hs_resp_init(p);
}

/* Gives the memory back and keeps what is not progress. */
static void rest(struct hs_resp_parser *p)
{
    bool limited = p->limited;
    hs_resp_fini(p);
    p->limited = limited;
}

/* Copies what is kept, from cmd on, to the start of dst, with all that points
 * into it. Arguments of a command already handed out are given up. */
static void move_to(struct hs_resp_parser *p, char *dst)
{
    size_t kept = p->len - p->cmd;
    if (p->multibulk_left == 0)
        p->args_n = 0;
    for (size_t i = 0; i < p->args_n; i++)
        p->args[i].p = dst + (p->args[i].p - (p->buf + p->cmd));
    if (kept > 0)
        memmove(dst, p->buf + p->cmd, kept);
    p->off -= p->cmd;
    p->scan -= p->cmd;
    p->len = kept;
    p->cmd = 0;
}

static bool make_room(struct hs_resp_parser *p, size_t n)
{
    size_t kept = p->len - p->cmd;
    if (n > HS_RESP_QUERY_MAX - kept)
        return false;
    if (p->len + n <= p->cap)
        return true;
    if (kept + n <= p->cap) {
        move_to(p, p->buf);
        return true;
    }
    size_t cap = p->cap < BUF_MIN ? BUF_MIN : p->cap;
    while (cap < kept + n)
        cap *= 2;
    char *buf = malloc(cap);
    if (buf == NULL)
        return false;
    move_to(p, buf);
    free(p->buf);
    p->buf = buf;
    p->cap = cap;
    return true;
}

bool hs_resp_feed(struct hs_resp_parser *p, const void *bytes, size_t n)
{
    if (n == 0)
        return true;
    if (!make_room(p, n))
        return false;
    memcpy(p->buf + p->len, bytes, n);
    p->len += n;
    return true;
}

static bool want_args(struct hs_resp_parser *p, size_t n)
{
    if (n <= p->args_cap)
        return true;
    size_t cap = p->args_cap < ARGS_MIN ? ARGS_MIN : p->args_cap * 2;
    if (cap < n)
        cap = n;
    struct hs_arg *args = realloc(p->args, cap * sizeof(*args));
    if (args == NULL)
        return false;
    p->args = args;
    p->args_cap = cap;
    return true;
}

/* The one way of writing an integer: no sign but '-', no leading zero. */
static bool parse_int(const char *s, size_t n, int64_t *v)
{
    bool negative = n > 0 && s[0] == '-';
    size_t i = negative ? 1 : 0;
    if (i == n || n - i > 18 || (s[i] == '0' && n > 1))
        return false;
    int64_t value = 0;
    for (; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        value = value * 10 + (s[i] - '0');
    }
    *v = negative ? -value : value;
    return true;
}

/* Finds the end of the line at off: OK, MORE, or `big` once it is too long. */
static enum hs_resp_err find_end(struct hs_resp_parser *p, char end, enum hs_resp_err big,
                                 size_t *line_n)
{
    const char *at = memchr(p->buf + p->scan, end, p->len - p->scan);
    size_t n = (at != NULL ? (size_t)(at - p->buf) : p->len) - p->off;
    if (n > HS_RESP_INLINE_MAX)
        return big;
    p->scan = p->off + n;
    *line_n = n;
    return at != NULL ? HS_RESP_OK : HS_RESP_MORE;
}

/* A line "<char><integer>\r\n"; its LF is not looked at, as in the stock server. */
static enum hs_resp_err read_header(struct hs_resp_parser *p, enum hs_resp_err big,
                                    const char **line, size_t *line_n)
{
    enum hs_resp_err e = find_end(p, '\r', big, line_n);
    if (e != HS_RESP_OK)
        return e;
    if (p->len - p->off < *line_n + 2)
        return HS_RESP_MORE;
    *line = p->buf + p->off;
    return HS_RESP_OK;
}

static void consume(struct hs_resp_parser *p, size_t n)
{
    p->off += n;
    p->scan = p->off;
}

static enum hs_resp_err read_inline(struct hs_resp_parser *p)
{
    size_t n;
    enum hs_resp_err e = find_end(p, '\n', HS_RESP_ERR_TOO_BIG_INLINE, &n);
    if (e != HS_RESP_OK)
        return e;
    if (!want_args(p, n / 2 + 1))
        return HS_RESP_ERR_MEMORY;
    char *line = p->buf + p->off;
    line[n] = '\0';
    if (n > 0 && line[n - 1] == '\r')
        line[n - 1] = '\0';
    consume(p, n + 1);
    int args_n = hs_resp_split(line, p->args, (int)(n / 2 + 1));
    if (args_n < 0)
        return HS_RESP_ERR_UNBALANCED_QUOTES;
    p->args_n = (size_t)args_n;
    return HS_RESP_OK;
}

static enum hs_resp_err read_multibulk_length(struct hs_resp_parser *p)
{
    const char *line;
    size_t n;
    enum hs_resp_err e = read_header(p, HS_RESP_ERR_TOO_BIG_COUNT_STRING, &line, &n);
    if (e != HS_RESP_OK)
        return e;
    int64_t count;
    if (!parse_int(line + 1, n - 1, &count) || count > HS_RESP_ARGS_MAX)
        return HS_RESP_ERR_MULTIBULK_LENGTH;
    if (count > HS_RESP_UNAUTH_ARGS_MAX && p->limited)
        return HS_RESP_ERR_UNAUTH_MULTIBULK_LENGTH;
    consume(p, n + 2);
    p->multibulk_left = count > 0 ? count : 0;
    p->bulk_len = -1;
    return HS_RESP_OK;
}

static enum hs_resp_err read_bulk_length(struct hs_resp_parser *p)
{
    const char *line;
    size_t n;
    enum hs_resp_err e = read_header(p, HS_RESP_ERR_TOO_BIG_BULK_STRING, &line, &n);
    if (e != HS_RESP_OK)
        return e;
    if (line[0] != '$') {
        p->got = line[0];
        return HS_RESP_ERR_EXPECTED_DOLLAR;
    }
    int64_t len;
    if (!parse_int(line + 1, n - 1, &len) || len < 0 || len > HS_RESP_BULK_MAX)
        return HS_RESP_ERR_BULK_LENGTH;
    if (len > HS_RESP_UNAUTH_BULK_MAX && p->limited)
        return HS_RESP_ERR_UNAUTH_BULK_LENGTH;
    consume(p, n + 2);
    p->bulk_len = len;
    return HS_RESP_OK;
}

static enum hs_resp_err read_bulk(struct hs_resp_parser *p)
{
    if (p->bulk_len < 0) {
        enum hs_resp_err e = read_bulk_length(p);
        if (e != HS_RESP_OK)
            return e;
    }
    size_t n = (size_t)p->bulk_len;
    if (p->len - p->off < n + 2)
        return HS_RESP_MORE;
    if (!want_args(p, p->args_n + 1))
        return HS_RESP_ERR_MEMORY;
    p->args[p->args_n++] = (struct hs_arg){.p = p->buf + p->off, .n = n};
    consume(p, n + 2);
    p->bulk_len = -1;
    p->multibulk_left--;
    return HS_RESP_OK;
}

/* One line, or one array; args_n 0 if it held no command. */
static enum hs_resp_err read_command(struct hs_resp_parser *p)
{
    enum hs_resp_err e = HS_RESP_OK;
    if (p->multibulk_left == 0) {
        p->args_n = 0;
        p->cmd = p->off;
        if (p->off == p->len)
            return HS_RESP_MORE;
        if (p->buf[p->off] != '*')
            return read_inline(p);
        e = read_multibulk_length(p);
    }
    while (e == HS_RESP_OK && p->multibulk_left > 0)
        e = read_bulk(p);
    return e;
}

enum hs_resp_err hs_resp_next(struct hs_resp_parser *p)
{
    enum hs_resp_err e;
    do
        e = read_command(p);
    while (e == HS_RESP_OK && p->args_n == 0);

    if (e == HS_RESP_OK)
        p->cmd = p->off;
    if (e == HS_RESP_MORE && p->off == p->len && p->multibulk_left == 0)
        rest(p);
    return e;
}

size_t hs_resp_err_text(const struct hs_resp_parser *p, enum hs_resp_err e, char *buf, size_t n)
{
    static const char *const texts[] = {
        [HS_RESP_ERR_TOO_BIG_INLINE] = "too big inline request",
        [HS_RESP_ERR_TOO_BIG_COUNT_STRING] = "too big mbulk count string",
        [HS_RESP_ERR_TOO_BIG_BULK_STRING] = "too big bulk count string",
        [HS_RESP_ERR_MULTIBULK_LENGTH] = "invalid multibulk length",
        [HS_RESP_ERR_UNAUTH_MULTIBULK_LENGTH] = "unauthenticated multibulk length",
        [HS_RESP_ERR_BULK_LENGTH] = "invalid bulk length",
        [HS_RESP_ERR_UNAUTH_BULK_LENGTH] = "unauthenticated bulk length",
        [HS_RESP_ERR_UNBALANCED_QUOTES] = "unbalanced quotes in request",
        [HS_RESP_ERR_MEMORY] = "out of memory",
    };
    int len = 0;
    if (e == HS_RESP_ERR_EXPECTED_DOLLAR)
        len = snprintf(buf, n, "Protocol error: expected '$', got '%c'", p->got);
    else if (e < sizeof(texts) / sizeof(texts[0]) && texts[e] != NULL)
        len = snprintf(buf, n, "Protocol error: %s", texts[e]);
    else if (n > 0)
        buf[0] = '\0';
    return len < 0 ? 0 : (size_t)len;
}
