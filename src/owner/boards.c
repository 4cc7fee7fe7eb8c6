/* boards.c - frozen copies of the core's board, for gossip that is not copied.
 *
 * Reactors hand windows of the current one to the kernel while the core goes on
 * changing its own. A copy is written again only when nothing borrows from it.
 *
 * Bound: OWNER_BOARDS. While all are borrowed from there is no new one, and the
 * core, which stops naming an old one, copies: nothing is lost, nobody waits, and it is
 * counted.
 */
#include "owner_int.h"

void owner_boards_init(struct owner_boards *p, uint32_t size)
{
    *p = (struct owner_boards){.size = size};
    for (uint32_t i = 0; i < OWNER_BOARDS; i++)
        p->v[i].board = true;
}

void owner_boards_fini(struct owner_boards *p)
{
    for (uint32_t i = 0; i < OWNER_BOARDS; i++)
        hs_free(p->v[i].bytes);
    *p = (struct owner_boards){0};
}

/* Memory comes with the first use: small clusters have none. */
static struct hs_chunk *unused(struct owner_boards *p)
{
    for (uint32_t i = 0; i < OWNER_BOARDS; i++) {
        struct hs_chunk *b = &p->v[i];
        if (b->refs != b->done)
            continue;
        if (b->bytes == NULL)
            b->bytes = hs_alloc(p->size);
        if (b->bytes == NULL)
            return NULL;
        b->size = p->size;
        b->refs = b->done = 0;
        return b;
    }
    return NULL;
}

void owner_board_renew(struct hs_owner *o)
{
    struct owner_boards *p = &o->boards;
    if (!hs_core_board_due(o->core))
        return;
    struct hs_chunk *b = unused(p);
    if (b == NULL) {
        o->counters[HS_OWNER_BOARDS_BUSY]++;
        return;
    }
    b->used = hs_core_board_freeze(o->core, b->bytes);
    HS_ASSERT(b->used <= b->size);
    p->current = b;
}

uint64_t owner_boards_out(const struct owner_boards *p)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < OWNER_BOARDS; i++)
        n += p->v[i].refs - p->v[i].done;
    return n;
}
