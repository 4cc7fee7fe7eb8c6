/* slab.h - the memory of one reactor's frames, bounded once and for all.
 *
 * One region of address space, cut in halves and halves of halves (a buddy
 * allocator), so that any mix of small and large frames fits the same bound
 * and memory returned as one size serves every other. The bookkeeping is kept
 * beside the region: pages of it that were never needed are never touched.
 *
 * Belongs to the reactor's thread. A frame in the owner's hands is still taken
 * here; it comes back through the frames ring.
 */
#ifndef NET_SLAB_H
#define NET_SLAB_H

#include "hearsay/base.h"

enum {
    SLAB_PAGE = 4096, /* the smallest block */
    SLAB_NONE = 0xff,
    SLAB_LEVELS_MAX = 16 /* the largest is SLAB_PAGE << 15 */
};

/* The start of every block; the frame's bytes follow it. Also the start of a
 * receive buffer, which is no block: its level is SLAB_NONE. */
struct hs_frame {
    uint32_t len;  /* of the frame, once it is complete */
    uint32_t size; /* bytes that fit */
    uint8_t level;
    uint16_t buf; /* which receive buffer */
    uint8_t pad[52];
    uint8_t bytes[];
};

struct slab_page {
    hs_ix prev, next; /* neighbours in a free list */
    uint8_t level;    /* of the block that starts here */
    bool free;        /* a free block starts here */
};

struct slab {
    uint8_t *mem;
    struct slab_page *pages;
    uint32_t pages_n;
    uint32_t levels_n;
    hs_ix free[SLAB_LEVELS_MAX];
    uint64_t used; /* bytes in blocks that are out */
};

/* Of all its bytes, what may be out before memory counts as short. */
enum { SLAB_AMPLE_PART = 4 };

/* Room for frames of up to frame_max bytes, bytes_max in all (rounded down to
 * whole largest blocks, at least two). 0 or a negative errno. */
int slab_init(struct slab *s, uint32_t bytes_max, uint32_t frame_max);
void slab_fini(struct slab *s);
/* A block for at least size bytes, or NULL when there is none. */
struct hs_frame *slab_get(struct slab *s, uint32_t size);
void slab_put(struct slab *s, struct hs_frame *f);

static inline bool slab_is_ample(const struct slab *s)
{
    return s->used < (uint64_t)s->pages_n * SLAB_PAGE / SLAB_AMPLE_PART;
}

#endif
