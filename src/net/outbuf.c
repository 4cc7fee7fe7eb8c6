/* outbuf.c - what a client has still to be sent: pieces of two kinds, in order.
 *
 * Small things are copied into the buffer's own bytes. What many clients are sent
 * alike stays where it is; the buffer has a reference to it and the kernel reads
 * it from there.
 *
 * Bounds: `max` for the bytes of both kinds together, so a client that does not
 * read holds no more of other people's memory than it would of copies, but for the
 * one block whose end it has not read yet. All that is unsent counts.
 */
#include "outbuf.h"

#include <string.h>

enum {
    BYTES_FIRST = 4096, /* a buffer's first size */
    PIECES_FIRST = 8,
    SHARED_MIN = 2048, /* below, a copy costs less than a piece of its own in a send */
};

void hs_shared_hold(struct hs_shared *s)
{
    HS_ASSERT(s->refs > 0);
    s->refs++;
}

void hs_shared_release(struct hs_shared *s)
{
    HS_ASSERT(s->refs > 0);
    if (--s->refs == 0)
        s->last(s);
}

/* A larger block with the n bytes of the old one, or NULL. */
static void *grown(void *old, size_t n, size_t cap)
{
    void *larger = hs_alloc(cap);

    if (larger == NULL)
        return NULL;
    if (n > 0)
        memcpy(larger, old, n);
    hs_free(old);
    return larger;
}

static bool room_for_bytes(struct hs_outbuf *b, size_t n)
{
    size_t cap = b->cap == 0 ? BYTES_FIRST : b->cap;

    if (b->used + n <= b->cap)
        return true;
    while (cap < b->used + n)
        cap *= 2;
    uint8_t *bytes = grown(b->bytes, b->used, cap);
    if (bytes == NULL)
        return false;
    b->bytes = bytes;
    b->cap = (uint32_t)cap;
    return true;
}

static bool room_for_piece(struct hs_outbuf *b)
{
    uint32_t cap = b->pieces_cap == 0 ? PIECES_FIRST : b->pieces_cap * 2;

    if (b->pieces_n < b->pieces_cap)
        return true;
    struct piece *pieces =
        grown(b->pieces, b->pieces_n * sizeof(b->pieces[0]), cap * sizeof(b->pieces[0]));
    if (pieces == NULL)
        return false;
    b->pieces = pieces;
    b->pieces_cap = cap;
    return true;
}

/* Half a reply would be worse than none, so nothing follows what did not fit. */
static bool has_room(struct hs_outbuf *b, size_t n)
{
    b->over = b->over || n > b->max - b->len;
    return !b->over && n > 0;
}

void hs_outbuf_put(struct hs_outbuf *b, const void *p, size_t n)
{
    if (!has_room(b, n))
        return;
    bool follows = b->pieces_n > 0 && b->pieces[b->pieces_n - 1].shared == NULL;
    if (!room_for_bytes(b, n) || (!follows && !room_for_piece(b))) {
        b->over = true;
        return;
    }
    if (!follows)
        b->pieces[b->pieces_n++] = (struct piece){.off = b->used};
    memcpy(b->bytes + b->used, p, n);
    b->pieces[b->pieces_n - 1].len += (uint32_t)n;
    b->used += (uint32_t)n;
    b->len += (uint32_t)n;
}

void hs_outbuf_share(struct hs_outbuf *b, struct hs_shared *s)
{
    if (s->len < SHARED_MIN) {
        hs_outbuf_put(b, s->bytes, s->len);
        return;
    }
    if (!has_room(b, s->len))
        return;
    if (!room_for_piece(b)) {
        b->over = true;
        return;
    }
    hs_shared_hold(s);
    b->pieces[b->pieces_n++] = (struct piece){.shared = s, .len = s->len};
    b->len += s->len;
}

static const uint8_t *start_of(const struct hs_outbuf *b, const struct piece *p)
{
    return (p->shared != NULL ? (const uint8_t *)p->shared->bytes : b->bytes) + p->off;
}

uint32_t outbuf_iov(const struct hs_outbuf *b, struct iovec *iov, uint32_t max, size_t bytes_max)
{
    uint32_t n = 0;
    size_t bytes = 0;

    for (uint32_t i = b->first; i < b->pieces_n && n < max && bytes < bytes_max; i++) {
        const struct piece *p = &b->pieces[i];
        size_t len = p->len < bytes_max - bytes ? p->len : bytes_max - bytes;
        iov[n++] = (struct iovec){(void *)(uintptr_t)start_of(b, p), len};
        bytes += len;
    }
    return n;
}

void outbuf_advance(struct hs_outbuf *b, uint32_t sent)
{
    HS_ASSERT(sent <= b->len);
    b->len -= sent;
    while (sent > 0) {
        struct piece *p = &b->pieces[b->first];
        uint32_t n = sent < p->len ? sent : p->len;
        p->off += n;
        p->len -= n;
        sent -= n;
        if (p->len > 0)
            return;
        b->first++;
        if (p->shared != NULL)
            hs_shared_release(p->shared);
    }
    if (b->len == 0)
        b->first = b->pieces_n = b->used = 0;
}

bool outbuf_holds(const struct hs_outbuf *b, const struct hs_shared *s)
{
    for (uint32_t i = b->first; i < b->pieces_n; i++)
        if (b->pieces[i].shared == s)
            return true;
    return false;
}

void outbuf_release(struct hs_outbuf *b)
{
    for (uint32_t i = b->first; i < b->pieces_n; i++)
        if (b->pieces[i].shared != NULL)
            hs_shared_release(b->pieces[i].shared);
    hs_free(b->pieces);
    hs_free(b->bytes);
    *b = (struct hs_outbuf){.max = b->max, .over = b->over};
}
