/* framer.h - from a stream of bytes to whole frames, for one connection.
 *
 * Bytes only: no socket, no clock, no ring. Nothing is held between frames;
 * the few bytes before a length is known live in the connection itself.
 */
#ifndef NET_FRAMER_H
#define NET_FRAMER_H

#include "slab.h"

#include "hearsay/wire.h"

struct framer {
    struct hs_frame *frame; /* what is being assembled, or NULL */
    uint32_t have, want;    /* bytes in hand; length of the frame, 0 unknown */
    uint8_t peek[HS_FRAME_PEEK];
};

enum framer_result {
    FRAMER_MORE,      /* all bytes consumed, no whole frame yet */
    FRAMER_WHOLE,     /* framer_take() it, then go on */
    FRAMER_NO_MEMORY, /* the slab is full: again later, with the bytes not used */
    FRAMER_BAD,       /* the stream is lost: *err says why */
};

/* Consumes at most n bytes, *used of them, and stops at the end of a frame. A
 * whole frame that was not taken yet is reported again, with nothing used. */
enum framer_result framer_feed(struct framer *f, struct slab *slab, uint32_t frame_max,
                               const uint8_t *p, size_t n, size_t *used, enum hs_wire_err *err);
/* The whole frame; the caller gives it back to the slab. */
struct hs_frame *framer_take(struct framer *f);
/* Forgets an unfinished frame. */
void framer_reset(struct framer *f, struct slab *slab);

static inline bool framer_is_partial(const struct framer *f)
{
    return f->have > 0;
}

#endif
