/* bufs.c - posting buffers to the kernel, and counting who still reads them.
 *
 * liburing 2.3 has no call to set up a buffer ring; it is done by hand here.
 */
#include "bufs.h"

#include <errno.h>
#include <sys/mman.h>

static size_t stride(const struct buf_group *g)
{
    return g->size + sizeof(struct hs_frame);
}

struct hs_frame *bufs_frame(const struct buf_group *g, uint16_t buf)
{
    return (struct hs_frame *)(void *)(g->mem + buf * stride(g));
}

void bufs_unref(struct buf_group *g, uint16_t buf)
{
    HS_ASSERT(g->refs[buf] > 0);
    if (--g->refs[buf] == 0)
        bufs_post(g, buf);
}

void bufs_post(struct buf_group *g, uint16_t buf)
{
    io_uring_buf_ring_add(g->ring, bufs_frame(g, buf)->bytes, g->size, buf,
                          io_uring_buf_ring_mask(g->n), 0);
    io_uring_buf_ring_advance(g->ring, 1);
    g->posted++;
}

/* The kernel wants whole pages, which is why these are mapped and not hs_alloc(). */
static void *map_pages(size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

int bufs_open(struct io_uring *ring, struct buf_group *g, uint16_t id, uint32_t n, uint32_t size)
{
    *g = (struct buf_group){.id = id, .n = n, .size = size};
    g->ring = map_pages(n * sizeof(struct io_uring_buf));
    g->mem = map_pages(n * stride(g));
    g->next = hs_alloc(n * sizeof(g->next[0]));
    g->refs = hs_alloc(n * sizeof(g->refs[0]));
    g->len = hs_alloc(n * sizeof(g->len[0]));
    if (g->ring == NULL || g->mem == NULL || g->next == NULL || g->refs == NULL || g->len == NULL)
        return -ENOMEM;
    struct io_uring_buf_reg reg = {
        .ring_addr = (uint64_t)(uintptr_t)g->ring, .ring_entries = n, .bgid = id};
    int rc = io_uring_register_buf_ring(ring, &reg, 0);
    if (rc < 0)
        return rc;
    io_uring_buf_ring_init(g->ring);
    for (uint32_t i = 0; i < n; i++) {
        struct hs_frame *f = bufs_frame(g, (uint16_t)i);
        f->level = SLAB_NONE;
        f->buf = (uint16_t)i;
        bufs_post(g, (uint16_t)i);
    }
    return 0;
}

void bufs_close(struct buf_group *g)
{
    if (g->ring != NULL)
        munmap(g->ring, g->n * sizeof(struct io_uring_buf));
    if (g->mem != NULL)
        munmap(g->mem, g->n * stride(g));
    hs_free(g->next);
    hs_free(g->refs);
    hs_free(g->len);
    *g = (struct buf_group){0};
}
