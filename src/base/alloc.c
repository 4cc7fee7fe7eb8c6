/* alloc.c - zeroed, aligned memory; the only file that knows the allocator.
 *
 * Small blocks come from mimalloc. Large ones are tables and slabs sized for
 * the worst case and mostly never used, so they are mapped: the kernel gives
 * zero pages and backs only what is touched. A line before each block says
 * where it came from.
 */
#include "hearsay/base.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifndef HS_SANITIZE
#include <mimalloc.h>
#endif

enum { LINE = 64 };

/* From here on a mapping of its own: its page and system calls are noise. */
static const size_t MAP_FROM = (size_t)1 << 20;

static const uint64_t BLOCK_MARK = 0x68656172736179u;

struct block {
    alignas(LINE) uint64_t mark; /* that it is ours, and not freed yet */
    size_t mapped;               /* bytes to unmap, 0 for a heap block */
    void *start;                 /* what the heap or the kernel gave */
};

_Static_assert(sizeof(struct block) == LINE, "the block after it stays aligned");

#ifdef HS_SANITIZE

/* The sanitizers bring their own heap, watch its bounds and look for leaks
 * through it, so even large blocks come from there. calloc() is lazy when
 * large, but aligned to 16 only. */
static void *take(size_t n, struct block *b)
{
    if (n < MAP_FROM)
        return posix_memalign(&b->start, LINE, n) == 0 ? memset(b->start, 0, n) : NULL;
    b->start = calloc(1, n + LINE);
    if (b->start == NULL)
        return NULL;
    return (char *)b->start + (LINE - (uintptr_t)b->start % LINE) % LINE;
}

static void give_back(const struct block *b)
{
    free(b->start);
}

#else

static void *take(size_t n, struct block *b)
{
    if (n < MAP_FROM)
        return b->start = mi_zalloc_aligned(n, LINE);
    void *p =
        mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    /* With huge pages a touched byte would make 2 MiB resident. */
    madvise(p, n, MADV_NOHUGEPAGE);
    b->mapped = n;
    return b->start = p;
}

static void give_back(const struct block *b)
{
    if (b->mapped != 0)
        munmap(b->start, b->mapped);
    else
        mi_free(b->start);
}

#endif

void *hs_alloc(size_t n)
{
    struct block b = {.mark = BLOCK_MARK};

    if (n > PTRDIFF_MAX - 2 * (size_t)LINE)
        return NULL;
    struct block *head = take(n + LINE, &b);
    if (head == NULL)
        return NULL;
    *head = b;
    return head + 1;
}

void hs_free(void *p)
{
    if (p == NULL)
        return;
    struct block *head = (struct block *)p - 1;
    HS_ASSERT(head->mark == BLOCK_MARK);
    struct block b = *head;

    head->mark = 0;
    give_back(&b);
}
