/* framer.c - while memory is short, it is taken for bytes that came, not for
 * bytes announced.
 *
 * A peer may announce a large frame and send it a byte a minute. As long as
 * most of the slab is free that harms nobody, and a frame gets the block for
 * all of it at once. Past that a block starts small and is exchanged for the
 * next larger size when it is full; those copies cost at most as much again as
 * the frame itself. The same is done when there is no block for all of it.
 */
#include "framer.h"

#include <string.h>

static uint32_t min_u32(size_t a, size_t b)
{
    return (uint32_t)(a < b ? a : b);
}

/* Collects the bytes that tell the length. False: not enough yet, or bad. */
static bool learn_length(struct framer *f, uint32_t frame_max, const uint8_t *p, size_t n,
                         size_t *used, enum hs_wire_err *err)
{
    *err = HS_WIRE_MORE;
    while (*err == HS_WIRE_MORE && *used < n && f->have < HS_FRAME_PEEK) {
        f->peek[f->have++] = p[(*used)++];
        *err = hs_wire_frame_len(f->peek, f->have, frame_max, &f->want);
    }
    if (*err != HS_WIRE_OK)
        f->want = 0;
    /* With all it may look at, the wire has no reason to ask for more. */
    HS_ASSERT(*err != HS_WIRE_MORE || f->have < HS_FRAME_PEEK);
    return *err == HS_WIRE_OK;
}

/* Makes room for the bytes at hand, or for the whole frame. */
static bool make_room(struct framer *f, struct slab *slab, size_t n)
{
    uint32_t least = min_u32((size_t)f->have + n, f->want);
    uint32_t best = slab_is_ample(slab) ? f->want : least;
    uint32_t size = f->frame != NULL ? f->frame->size : 0;

    if (size >= best)
        return true;
    struct hs_frame *larger = slab_get(slab, best);
    if (larger == NULL && size >= least)
        return true;
    if (larger == NULL) /* much may be free, and all of it in small blocks */
        larger = slab_get(slab, least);
    if (larger == NULL)
        return false;
    if (f->frame != NULL) {
        memcpy(larger->bytes, f->frame->bytes, f->have);
        slab_put(slab, f->frame);
    } else {
        memcpy(larger->bytes, f->peek, f->have);
    }
    f->frame = larger;
    return true;
}

enum framer_result framer_feed(struct framer *f, struct slab *slab, uint32_t frame_max,
                               const uint8_t *p, size_t n, size_t *used, enum hs_wire_err *err)
{
    *used = 0;
    *err = HS_WIRE_OK;
    if (f->want == 0 && !learn_length(f, frame_max, p, n, used, err))
        return *err == HS_WIRE_MORE ? FRAMER_MORE : FRAMER_BAD;
    HS_ASSERT(f->have <= f->want && f->want <= frame_max);
    if (!make_room(f, slab, n - *used))
        return FRAMER_NO_MEMORY;
    HS_ASSERT(f->frame != NULL);

    uint32_t take = min_u32(n - *used, f->want - f->have);
    if (take > 0)
        memcpy(f->frame->bytes + f->have, p + *used, take);
    f->have += take;
    *used += take;
    if (f->have < f->want)
        return FRAMER_MORE;
    f->frame->len = f->want;
    return FRAMER_WHOLE;
}

struct hs_frame *framer_take(struct framer *f)
{
    struct hs_frame *frame = f->frame;

    HS_ASSERT(frame != NULL && f->have == f->want);
    *f = (struct framer){0};
    return frame;
}

void framer_reset(struct framer *f, struct slab *slab)
{
    if (f->frame != NULL)
        slab_put(slab, f->frame);
    *f = (struct framer){0};
}
