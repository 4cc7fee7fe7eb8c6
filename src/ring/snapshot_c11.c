/* snapshot_c11.c - the promises of snapshot.c on C11 atomics.
 *
 * Only for thread-sanitizer builds, which cannot see through CK's assembly and
 * would neither find a race in the users of a snapshot nor believe that there
 * is none. Every publish advances a stamp; a reader shows the stamp it started
 * under; what was retired at a stamp is unseen once nobody shows an older one.
 * All of it is sequentially consistent: a reader whose mark the writer's scan
 * missed set it after the scan, and so loads what was published before it.
 */
#include "hearsay/ring.h"

#ifdef HS_RING_USE_C11

enum { IDLE = 0 };

struct holder {
    void *value;
    uint64_t retired_at;
    struct holder *next;
};

struct mark {
    alignas(HS_CACHE_LINE) _Atomic uint64_t began; /* the stamp, or IDLE */
};

struct hs_snapshot {
    alignas(HS_CACHE_LINE) _Atomic(struct holder *) current;
    _Atomic uint64_t stamp;
    struct holder *retired;
    void (*destroy)(void *);
    uint32_t readers_n;
    struct mark readers[];
};

struct hs_snapshot *hs_snapshot_create(uint32_t readers, void (*destroy)(void *))
{
    HS_ASSERT(destroy != NULL);
    struct hs_snapshot *s = hs_alloc(sizeof(*s) + readers * sizeof(s->readers[0]));

    if (s == NULL)
        return NULL;
    s->destroy = destroy;
    s->readers_n = readers;
    atomic_store(&s->stamp, IDLE + 1);
    return s;
}

static uint64_t oldest_reader(struct hs_snapshot *s)
{
    uint64_t oldest = UINT64_MAX;

    for (uint32_t i = 0; i < s->readers_n; i++) {
        uint64_t began = atomic_load(&s->readers[i].began);
        if (began != IDLE && began < oldest)
            oldest = began;
    }
    return oldest;
}

static void bury_until(struct hs_snapshot *s, uint64_t stamp)
{
    struct holder **link = &s->retired;

    while (*link != NULL) {
        struct holder *h = *link;
        if (h->retired_at > stamp) {
            link = &h->next;
            continue;
        }
        *link = h->next;
        s->destroy(h->value);
        hs_free(h);
    }
}

static void retire(struct hs_snapshot *s, struct holder *h)
{
    h->retired_at = atomic_fetch_add(&s->stamp, 1) + 1;
    h->next = s->retired;
    s->retired = h;
}

void hs_snapshot_destroy(struct hs_snapshot *s)
{
    if (s == NULL)
        return;
    struct holder *h = atomic_load(&s->current);
    if (h != NULL)
        retire(s, h);
    bury_until(s, UINT64_MAX);
    hs_free(s);
}

bool hs_snapshot_publish(struct hs_snapshot *s, void *p)
{
    HS_ASSERT(p != NULL);
    struct holder *h = hs_alloc(sizeof(*h));

    if (h == NULL) {
        s->destroy(p);
        return false;
    }
    h->value = p;
    struct holder *old = atomic_exchange(&s->current, h);
    if (old != NULL)
        retire(s, old);
    return true;
}

void hs_snapshot_reclaim(struct hs_snapshot *s)
{
    bury_until(s, oldest_reader(s));
}

const void *hs_snapshot_begin(struct hs_snapshot *s, uint32_t reader)
{
    HS_ASSERT(reader < s->readers_n);
    HS_ASSERT(atomic_load(&s->readers[reader].began) == IDLE);

    atomic_store(&s->readers[reader].began, atomic_load(&s->stamp));
    struct holder *h = atomic_load(&s->current);
    return h == NULL ? NULL : h->value;
}

void hs_snapshot_end(struct hs_snapshot *s, uint32_t reader)
{
    HS_ASSERT(reader < s->readers_n);
    HS_ASSERT(atomic_load(&s->readers[reader].began) != IDLE);

    atomic_store(&s->readers[reader].began, IDLE);
}

#endif
