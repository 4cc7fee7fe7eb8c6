/* decode_stream.c - cuts a sequence of bytes into frames and prints each.
 *
 * After bytes that cannot be a frame the next signature is searched, so one
 * bad frame or a hole in a capture does not hide what follows. A captured
 * connection starts out searching: the capture may have begun in its middle,
 * or it may not be the bus at all, and then nothing is said about it.
 */
#include "hearsay-decode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 128 * 1024 }; /* every second slot as a range of its own fits */

static void put_place(const struct decode_stream *s)
{
    if (s->where[0] != '\0') {
        printf("%s %s ", s->when, s->where);
    } else {
        printf("@%" PRIu64 " ", s->off + s->at);
    }
}

static void put_details(const struct hs_view *v, char *text)
{
    uint32_t off = v->ext_off;
    struct hs_ext ext;

    for (uint32_t i = 0; i < v->gossip_n; i++) {
        hs_wire_gossip_text(v, i, text, TEXT_MAX);
        printf("    %s\n", text);
    }
    while (hs_wire_ext_next(v, &off, &ext)) {
        hs_wire_ext_text(&ext, text, TEXT_MAX);
        printf("    %s\n", text);
    }
}

static void put_malformed(const struct decode_stream *s, enum hs_wire_err e, uint32_t len)
{
    put_place(s);
    printf("malformed verdict=%s offset=%" PRIu64, hs_wire_err_str(e), s->off + s->at);
    if (len > 0)
        printf(" len=%u", len);
    putchar('\n');
    s->run->malformed = true;
}

static void put_frame(const struct decode_stream *s, const uint8_t *p, uint32_t len)
{
    static char text[TEXT_MAX];
    struct hs_view v;
    enum hs_wire_err e = hs_wire_check(p, len, &v);

    if (e != HS_WIRE_OK) {
        put_malformed(s, e, len);
        return;
    }
    hs_wire_text(&v, text, sizeof(text));
    put_place(s);
    printf("%s\n", text);
    if (s->run->gossip)
        put_details(&v, text);
    if (!hs_wire_gossip_valid(&v))
        s->run->malformed = true;
}

/* To the next byte a signature could start with. */
static void skip(struct decode_stream *s)
{
    const uint8_t *from = s->buf + s->at + 1;
    const uint8_t *next = memchr(from, 'R', s->n - s->at - 1);
    size_t n = next ? (size_t)(next - from) + 1 : s->n - s->at;

    s->at += n;
    s->skipped += n;
}

static void put_skipped(struct decode_stream *s)
{
    if (s->skipped > 0) {
        put_place(s);
        printf("skipped %" PRIu64 " bytes before this frame\n", s->skipped);
    }
    s->skipped = 0;
}

/* False when more bytes are needed. */
static bool take(struct decode_stream *s)
{
    const uint8_t *p = s->buf + s->at;
    uint32_t len = 0;

    if (s->at == s->n)
        return false;
    enum hs_wire_err e = hs_wire_frame_len(p, s->n - s->at, hs_wire_frame_max(UINT32_MAX), &len);

    if (e == HS_WIRE_MORE || (e == HS_WIRE_OK && len > s->n - s->at))
        return false;
    if (e != HS_WIRE_OK) {
        if (!s->searching)
            put_malformed(s, e, 0);
        s->searching = true;
        skip(s);
        return true;
    }
    put_skipped(s);
    s->searching = false;
    s->found = true;
    put_frame(s, p, len);
    s->at += len;
    return true;
}

void decode_stream_feed(struct decode_stream *s, const uint8_t *p, size_t n)
{
    if (n == 0)
        return;
    if (s->cap - s->n < n) {
        s->cap = (s->n + n) * 2;
        s->buf = decode_realloc(s->buf, s->cap);
    }
    memcpy(s->buf + s->n, p, n);
    s->n += n;
    while (take(s)) {
    }
    if (s->at > 0) {
        memmove(s->buf, s->buf + s->at, s->n - s->at);
        s->off += s->at;
        s->n -= s->at;
        s->at = 0;
    }
}

void decode_stream_gap(struct decode_stream *s, uint64_t n)
{
    if (s->found) {
        put_place(s);
        printf("gap of %" PRIu64 " bytes offset=%" PRIu64 "\n", n, s->off + s->n);
        s->run->malformed = true;
    }
    s->skipped = s->searching ? s->skipped + s->n : s->n;
    s->off += s->n + n;
    s->n = 0;
    s->searching = true;
}

void decode_stream_end(struct decode_stream *s)
{
    bool capture = s->where[0] != '\0';

    if (s->n > 0 && (s->found || !capture)) {
        put_place(s);
        printf("truncated offset=%" PRIu64 " len=%zu\n", s->off, s->n);
        if (!capture) /* a capture may end anywhere */
            s->run->malformed = true;
    }
    free(s->buf);
    s->buf = NULL;
}
