/* chunks.c - a bounded pool of memory for outgoing bytes.
 *
 * The core encodes straight into the current chunk, and entries for reactors
 * borrow from it. A chunk counts what was borrowed and what came back, both on
 * the owner's side, so no counter is shared between threads. When all is back,
 * the chunk is used again.
 *
 * The first one is there from the start, so that without more memory the owner
 * is slow and not stuck.
 *
 * Bound: OWNER_CHUNKS_BYTES in `max` chunks. At it the owner takes no new events, which parks
 * connections and lets TCP slow the peers. It ends because reactors cut links
 * that make no progress, and give back what was queued on them.
 *
 * Pub/sub may use half of them: what clients publish waits in their requests
 * while more is in use, so no flood of messages holds up the cluster's own. A
 * message too large for a chunk gets one to itself, of OWNER_LARGE_MAX.
 */
#include "owner_int.h"

#include <string.h>

void owner_chunks_fini(struct owner_chunks *p)
{
    for (uint32_t i = 0; i < p->n; i++) {
        hs_free(p->all[i]->bytes);
        hs_free(p->all[i]);
    }
    for (uint32_t i = 0; i < p->large_n; i++) {
        hs_free(p->large[i]->bytes);
        hs_free(p->large[i]);
    }
    *p = (struct owner_chunks){0};
}

static struct hs_chunk *create_of(uint32_t size)
{
    struct hs_chunk *c = hs_alloc(sizeof(*c));
    uint8_t *bytes = hs_alloc(size);
    if (c == NULL || bytes == NULL) {
        hs_free(c);
        hs_free(bytes);
        return NULL;
    }
    *c = (struct hs_chunk){.bytes = bytes, .size = size};
    return c;
}

static struct hs_chunk *create(struct owner_chunks *p)
{
    struct hs_chunk *c = p->n < p->max ? create_of(p->size) : NULL;
    if (c != NULL)
        p->all[p->n++] = c;
    return c;
}

bool owner_chunks_init(struct owner_chunks *p, uint32_t step_max)
{
    HS_ASSERT(step_max > 0 && step_max <= UINT32_MAX / 2);

    /* Twice a step: a chunk is given up only when it is at least half used. */
    uint32_t size = step_max * 2 > OWNER_CHUNK_MIN ? step_max * 2 : OWNER_CHUNK_MIN;
    uint32_t max = OWNER_CHUNKS_BYTES / (size < OWNER_CHUNK_FILL ? size : OWNER_CHUNK_FILL);
    *p = (struct owner_chunks){
        .size = size,
        .max = max > OWNER_CHUNKS_MIN ? max : OWNER_CHUNKS_MIN,
    };
    HS_ASSERT(p->max <= OWNER_CHUNKS_MAX);
    p->current = create(p);
    return p->current != NULL;
}

static void empty(struct hs_chunk *c)
{
    c->used = 0;
    c->refs = 0;
    c->done = 0;
}

/* In use: on their way, or being filled. */
static uint64_t bytes_in_use(const struct owner_chunks *p)
{
    return p->held + p->current->used;
}

/* An empty one, if the bound allows. */
static struct hs_chunk *another(struct owner_chunks *p)
{
    struct hs_chunk *next = p->free;

    if (p->n >= OWNER_CHUNKS_MIN && bytes_in_use(p) + p->size > OWNER_CHUNKS_BYTES)
        return NULL;
    if (next == NULL)
        return create(p);
    p->free = next->next;
    p->free_n--;
    next->next = NULL;
    return next;
}

struct hs_chunk *owner_chunks_take(struct owner_chunks *p, uint32_t need)
{
    HS_ASSERT(need <= p->size);
    struct hs_chunk *c = p->current;
    if (c->refs == c->done)
        empty(c);
    bool room = c->size - c->used >= need;
    if (room && c->used < OWNER_CHUNK_FILL)
        return c;
    struct hs_chunk *next = another(p);
    /* A full chunk stays the current one until there is another: it may empty. */
    if (next == NULL)
        return room ? c : NULL;
    p->held += c->used;
    p->current = next;
    return next;
}

void owner_chunks_filled(struct hs_chunk *c, uint32_t n)
{
    HS_ASSERT(n <= c->size - c->used);
    uint32_t aligned = (n + 15) & ~15u;
    uint32_t room = c->size - c->used;
    c->used += aligned < room ? aligned : room;
}

struct hs_chunk *owner_chunks_take_for_publish(struct owner_chunks *p, uint32_t need)
{
    if (need <= p->size)
        return bytes_in_use(p) <= OWNER_CHUNKS_BYTES / 2 ? owner_chunks_take(p, need) : NULL;
    struct hs_chunk *c = p->large_n < OWNER_LARGE_MAX ? create_of(need) : NULL;
    if (c != NULL)
        p->large[p->large_n++] = c;
    return c;
}

static void free_large(struct owner_chunks *p, struct hs_chunk *c)
{
    uint32_t i = 0;
    while (p->large[i] != c)
        i++;
    p->large[i] = p->large[--p->large_n];
    hs_free(c->bytes);
    hs_free(c);
}

void owner_chunks_unused(struct owner_chunks *p, struct hs_chunk *c)
{
    if (c->size > p->size && c->refs == 0)
        free_large(p, c);
}

void owner_chunks_done(struct owner_chunks *p, struct hs_chunk *c)
{
    HS_ASSERT(c->done < c->refs);
    c->done++;
    if (c->board || c->done < c->refs || c == p->current)
        return;
    if (c->size > p->size) {
        free_large(p, c);
        return;
    }
    p->held -= c->used;
    empty(c);
    c->next = p->free;
    p->free = c;
    p->free_n++;
}

uint64_t owner_chunks_out(const struct owner_chunks *p)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < p->n; i++)
        n += p->all[i]->refs - p->all[i]->done;
    for (uint32_t i = 0; i < p->large_n; i++)
        n += p->large[i]->refs - p->large[i]->done;
    return n;
}
