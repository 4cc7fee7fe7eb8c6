/* snapshot.c - one writer replaces, readers read without a lock.
 *
 * Readers announce that they are inside a section; what the writer took out of
 * sight is destroyed once every section that could have seen it has ended.
 * ck_epoch keeps that account. Its traps are closed here: one record per
 * thread and none is ever freed before the whole is, no section arguments, and
 * only the writer defers and polls, so destroy always runs there.
 *
 * Thread-sanitizer builds use snapshot_c11.c, see hearsay/ring.h.
 */
#include "hearsay/ring.h"

#ifndef HS_RING_USE_C11

#include <ck_epoch.h>

/* What readers are led to. It outlives its place as the current one. */
struct holder {
    ck_epoch_entry_t retired;
    void *value;
    void (*destroy)(void *);
};

struct hs_snapshot {
    ck_epoch_t epoch;
    ck_epoch_record_t writer;
    alignas(HS_CACHE_LINE) struct holder *current;
    void (*destroy)(void *);
    uint32_t readers_n;
    ck_epoch_record_t readers[]; /* CK pads each to cache lines of its own */
};

struct hs_snapshot *hs_snapshot_create(uint32_t readers, void (*destroy)(void *))
{
    HS_ASSERT(destroy != NULL);
    struct hs_snapshot *s = hs_alloc(sizeof(*s) + readers * sizeof(s->readers[0]));

    if (s == NULL)
        return NULL;
    s->destroy = destroy;
    s->readers_n = readers;
    ck_epoch_init(&s->epoch);
    ck_epoch_register(&s->epoch, &s->writer, NULL);
    for (uint32_t i = 0; i < readers; i++)
        ck_epoch_register(&s->epoch, &s->readers[i], NULL);
    return s;
}

static void bury(struct holder *h)
{
    h->destroy(h->value);
    hs_free(h);
}

static void on_unseen(ck_epoch_entry_t *entry)
{
    bury((struct holder *)((char *)entry - offsetof(struct holder, retired)));
}

void hs_snapshot_destroy(struct hs_snapshot *s)
{
    if (s == NULL)
        return;
    ck_epoch_reclaim(&s->writer);
    if (s->current != NULL)
        bury(s->current);
    hs_free(s);
}

bool hs_snapshot_publish(struct hs_snapshot *s, void *p)
{
    HS_ASSERT(p != NULL);
    struct holder *old = s->current;
    struct holder *h = hs_alloc(sizeof(*h));

    if (h == NULL) {
        s->destroy(p);
        return false;
    }
    *h = (struct holder){.value = p, .destroy = s->destroy};
    ck_pr_fence_store();
    ck_pr_store_ptr(&s->current, h);
    if (old != NULL)
        ck_epoch_call(&s->writer, &old->retired, on_unseen);
    return true;
}

void hs_snapshot_reclaim(struct hs_snapshot *s)
{
    ck_epoch_poll(&s->writer);
}

const void *hs_snapshot_begin(struct hs_snapshot *s, uint32_t reader)
{
    HS_ASSERT(reader < s->readers_n);
    HS_ASSERT(s->readers[reader].active == 0);

    ck_epoch_begin(&s->readers[reader], NULL);
    struct holder *h = ck_pr_load_ptr(&s->current);
    return h == NULL ? NULL : h->value;
}

void hs_snapshot_end(struct hs_snapshot *s, uint32_t reader)
{
    HS_ASSERT(reader < s->readers_n);
    HS_ASSERT(s->readers[reader].active == 1);

    ck_epoch_end(&s->readers[reader], NULL);
}

#endif
