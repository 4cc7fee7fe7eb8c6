/* slab.c - buddies: a block's other half is found by one bit of its place. */
#include "slab.h"

#include <errno.h>
#include <string.h>

_Static_assert(sizeof(struct hs_frame) == 64, "frame bytes start on a cache line");

static uint32_t level_for(uint32_t size)
{
    uint64_t need = (uint64_t)size + sizeof(struct hs_frame);
    uint32_t level = 0;

    while (((uint64_t)SLAB_PAGE << level) < need)
        level++;
    return level;
}

static void list_push(struct slab *s, hs_ix page, uint32_t level)
{
    hs_ix head = s->free[level];

    s->pages[page] =
        (struct slab_page){.prev = HS_NIL, .next = head, .level = (uint8_t)level, .free = true};
    if (head != HS_NIL)
        s->pages[head].prev = page;
    s->free[level] = page;
}

static void list_remove(struct slab *s, hs_ix page)
{
    struct slab_page *p = &s->pages[page];

    HS_ASSERT(p->free);
    if (p->prev != HS_NIL)
        s->pages[p->prev].next = p->next;
    else
        s->free[p->level] = p->next;
    if (p->next != HS_NIL)
        s->pages[p->next].prev = p->prev;
    p->free = false;
}

int slab_init(struct slab *s, uint32_t bytes_max, uint32_t frame_max)
{
    uint32_t top = level_for(frame_max);
    uint32_t top_pages = 1u << top;

    *s = (struct slab){.levels_n = top + 1};
    if (top >= SLAB_LEVELS_MAX)
        return -EINVAL;
    uint32_t tops_n = bytes_max / SLAB_PAGE / top_pages;
    if (tops_n < 2)
        tops_n = 2;
    s->pages_n = tops_n * top_pages;
    s->mem = hs_alloc((size_t)s->pages_n * SLAB_PAGE);
    s->pages = hs_alloc(s->pages_n * sizeof(s->pages[0]));
    if (s->mem == NULL || s->pages == NULL) {
        slab_fini(s);
        return -ENOMEM;
    }
    for (uint32_t level = 0; level < SLAB_LEVELS_MAX; level++)
        s->free[level] = HS_NIL;
    for (uint32_t i = tops_n; i > 0; i--) /* so that low addresses are used first */
        list_push(s, (i - 1) * top_pages, top);
    return 0;
}

void slab_fini(struct slab *s)
{
    hs_free(s->mem);
    hs_free(s->pages);
    *s = (struct slab){0};
}

struct hs_frame *slab_get(struct slab *s, uint32_t size)
{
    uint32_t want = level_for(size);
    uint32_t level = want;

    HS_ASSERT(want < s->levels_n);
    while (level < s->levels_n && s->free[level] == HS_NIL)
        level++;
    if (level == s->levels_n)
        return NULL;
    hs_ix page = s->free[level];
    list_remove(s, page);
    while (level > want) {
        level--;
        list_push(s, page + (1u << level), level);
    }
    s->pages[page].level = (uint8_t)want;
    s->used += (uint64_t)SLAB_PAGE << want;

    struct hs_frame *f = (struct hs_frame *)(void *)(s->mem + (size_t)page * SLAB_PAGE);
    f->level = (uint8_t)want;
    f->len = 0;
    f->size = (uint32_t)(((uint64_t)SLAB_PAGE << want) - sizeof(*f));
    return f;
}

void slab_put(struct slab *s, struct hs_frame *f)
{
    size_t off = (size_t)((uint8_t *)f - s->mem);
    hs_ix page = (hs_ix)(off / SLAB_PAGE);
    uint32_t level = f->level;

    HS_ASSERT(off % SLAB_PAGE == 0 && page < s->pages_n);
    HS_ASSERT(!s->pages[page].free && s->pages[page].level == level);
    s->used -= (uint64_t)SLAB_PAGE << level;
    while (level + 1 < s->levels_n) {
        hs_ix buddy = page ^ 1u << level;
        if (!s->pages[buddy].free || s->pages[buddy].level != level)
            break;
        list_remove(s, buddy);
        page &= ~(1u << level);
        level++;
    }
    list_push(s, page, level);
}
