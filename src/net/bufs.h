/* bufs.h - memory that the kernel receives into.
 *
 * A group of equal buffers. The kernel takes one when bytes have come, so that
 * an idle connection needs none. Whoever reads what is in it counts, and the
 * last one's end posts it again. Belongs to the reactor's thread.
 */
#ifndef NET_BUFS_H
#define NET_BUFS_H

#include "slab.h"

#include <liburing.h>

enum { BUF_NIL = 0xffff };

/* Provided buffers, each behind a struct hs_frame that stands for all frames in it. */
struct buf_group {
    struct io_uring_buf_ring *ring;
    uint8_t *mem;
    uint32_t n;      /* a power of two */
    uint32_t size;   /* of one */
    uint32_t posted; /* with the kernel */
    uint16_t id;
    uint16_t *next; /* of a held buffer */
    uint16_t *refs; /* its connection's, and one for each frame in it that is lent */
    uint32_t *len;
};

/* n buffers of size bytes; n is a power of two. 0 or a negative errno, and then
 * bufs_close() frees what there is. */
int bufs_open(struct io_uring *ring, struct buf_group *g, uint16_t id, uint32_t n, uint32_t size);
/* After the ring, which knows them. */
void bufs_close(struct buf_group *g);
struct hs_frame *bufs_frame(const struct buf_group *g, uint16_t buf);
void bufs_post(struct buf_group *g, uint16_t buf);
/* One of those who need it does so no longer. */
void bufs_unref(struct buf_group *g, uint16_t buf);

#endif
