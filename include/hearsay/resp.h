/* resp.h - RESP2 and RESP3 bytes. A leaf: includes nothing of ours.
 *
 * The parser takes client bytes as they come and gives whole commands; the
 * writer formats replies. Limits are the stock server's.
 *
 * Threads: no state outside the structs. Errors: verdicts. Memory: a parser
 *          holds one incomplete command, in memory it grows and frees itself.
 */
#ifndef HEARSAY_RESP_H
#define HEARSAY_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HS_RESP_INLINE_MAX = 64 * 1024,       /* stock: PROTO_INLINE_MAX_SIZE */
    HS_RESP_ARGS_MAX = 1024 * 1024,       /* stock: multibulk length */
    HS_RESP_BULK_MAX = 512 * 1024 * 1024, /* stock: proto-max-bulk-len */
    HS_RESP_UNAUTH_ARGS_MAX = 10,         /* stock: before AUTH */
    HS_RESP_UNAUTH_BULK_MAX = 16384,
    HS_RESP_QUERY_MAX = 1024 * 1024 * 1024, /* stock: client-query-buffer-limit */
};

struct hs_arg {
    const char *p;
    size_t n;
};

enum hs_resp_err {
    HS_RESP_OK,   /* a whole command is in the parser */
    HS_RESP_MORE, /* not yet */
    HS_RESP_ERR_TOO_BIG_INLINE,
    HS_RESP_ERR_TOO_BIG_COUNT_STRING,
    HS_RESP_ERR_TOO_BIG_BULK_STRING,
    HS_RESP_ERR_MULTIBULK_LENGTH,
    HS_RESP_ERR_UNAUTH_MULTIBULK_LENGTH,
    HS_RESP_ERR_EXPECTED_DOLLAR, /* parser->got: the byte that came instead */
    HS_RESP_ERR_BULK_LENGTH,
    HS_RESP_ERR_UNAUTH_BULK_LENGTH,
    HS_RESP_ERR_UNBALANCED_QUOTES,
    HS_RESP_ERR_MEMORY,
};

struct hs_resp_parser {
    char *buf; /* bytes of incomplete and not yet asked for commands */
    size_t len, cap;
    struct hs_arg *args; /* of the command hs_resp_next() found */
    size_t args_n, args_cap;
    /* progress: offsets into buf, cmd <= off <= scan <= len */
    size_t cmd;             /* where the command being read begins */
    size_t off;             /* next byte to be read */
    size_t scan;            /* no line ends between off and here */
    int64_t multibulk_left; /* arguments to come, 0 between commands */
    int64_t bulk_len;       /* of the argument being read, -1 before its length */
    char got;
    bool limited; /* not authenticated: the small limits hold */
};

void hs_resp_init(struct hs_resp_parser *p);
void hs_resp_fini(struct hs_resp_parser *p);
/* Appends bytes. False when out of memory or past HS_RESP_QUERY_MAX; nothing
 * was taken then. Arguments handed out before are no longer valid. */
bool hs_resp_feed(struct hs_resp_parser *p, const void *bytes, size_t n);
/* The next whole command: args and args_n, borrowed until the next call. An
 * empty line or an empty array is skipped, as the stock server does. When
 * nothing is left over, HS_RESP_MORE also frees the buffer: an idle parser
 * holds no memory. An error is final, the connection is to be closed. */
enum hs_resp_err hs_resp_next(struct hs_resp_parser *p);
/* "Protocol error: ..." as the stock server words it. */
size_t hs_resp_err_text(const struct hs_resp_parser *p, enum hs_resp_err e, char *buf, size_t n);

/* Splits a line the way the stock server splits inline commands, redis.conf
 * and nodes.conf: spaces, "..." with escapes, '...'. The line ends at its NUL.
 * In place, each argument gets a NUL; returns the number of arguments, or -1
 * for unbalanced quotes or more than max. */
int hs_resp_split(char *line, struct hs_arg *args, int max);

/* ---- writing ---- */

/* Where a writer's bytes go. */
struct hs_resp_sink {
    void (*put)(void *ctx, const void *p, size_t n);
    void *ctx;
    int proto; /* 2 or 3 */
};

void hs_resp_simple(struct hs_resp_sink *s, const char *text);
/* text with its code ("ERR ...", "MOVED ..."); CR and LF become spaces. */
void hs_resp_error(struct hs_resp_sink *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void hs_resp_int(struct hs_resp_sink *s, int64_t v);
void hs_resp_bulk(struct hs_resp_sink *s, const void *p, size_t n);
void hs_resp_bulk_str(struct hs_resp_sink *s, const char *text);
void hs_resp_verbatim(struct hs_resp_sink *s, const void *p, size_t n); /* "txt"; RESP2: bulk */
void hs_resp_null(struct hs_resp_sink *s);
void hs_resp_bool(struct hs_resp_sink *s, bool v);
void hs_resp_double(struct hs_resp_sink *s, double v);
void hs_resp_array(struct hs_resp_sink *s, size_t n);
void hs_resp_map(struct hs_resp_sink *s, size_t pairs); /* RESP2: array of 2n */
void hs_resp_set(struct hs_resp_sink *s, size_t n);
void hs_resp_push(struct hs_resp_sink *s, size_t n); /* RESP2: array */

#endif
