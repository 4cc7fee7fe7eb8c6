/* journal.c - the last HS_JOURNAL_MAX events, for readers that come when they
 * can. The lock is held for the copy of one event; nobody on a frame's way
 * takes it.
 */
#include "watch_int.h"

#include <stdio.h>
#include <string.h>

bool journal_init(struct journal *j, uint64_t before_first)
{
    j->first = before_first + 1;
    atomic_init(&j->newest, before_first);
    j->lock = hs_lock_create();
    j->v = hs_alloc(HS_JOURNAL_MAX * sizeof(j->v[0]));
    return j->lock != NULL && j->v != NULL;
}

void journal_fini(struct journal *j)
{
    if (j->lock != NULL)
        hs_lock_destroy(j->lock);
    hs_free(j->v);
}

static uint64_t newest(const struct journal *j)
{
    return atomic_load_explicit(&j->newest, memory_order_acquire);
}

void journal_add(struct journal *j, enum hs_told_kind kind, const char *text, int64_t at_ms)
{
    hs_lock_take(j->lock);
    uint64_t seq = newest(j) + 1;
    struct hs_told *t = &j->v[seq % HS_JOURNAL_MAX];
    t->seq = seq;
    t->at_ms = at_ms;
    t->kind = kind;
    snprintf(t->text, sizeof(t->text), "%s", text);
    atomic_store_explicit(&j->newest, seq, memory_order_release);
    hs_lock_release(j->lock);
}

/* Under the lock. */
static uint64_t oldest(const struct journal *j)
{
    uint64_t last = newest(j), n = last + 1 - j->first;
    return n <= HS_JOURNAL_MAX ? j->first - 1 : last - HS_JOURNAL_MAX;
}

uint64_t hs_watch_newest(const struct hs_watch *w)
{
    return newest(&w->journal);
}

uint64_t hs_watch_oldest(struct hs_watch *w)
{
    hs_lock_take(w->journal.lock);
    uint64_t seq = oldest(&w->journal);
    hs_lock_release(w->journal.lock);
    return seq;
}

bool hs_watch_next(struct hs_watch *w, uint64_t *seq, struct hs_told *out, uint64_t *lost)
{
    struct journal *j = &w->journal;
    if (*seq >= newest(j))
        return false;
    hs_lock_take(j->lock);
    uint64_t from = oldest(j);
    if (*seq < from) {
        *lost += from - *seq;
        *seq = from;
    }
    ++*seq;
    *out = j->v[*seq % HS_JOURNAL_MAX];
    hs_lock_release(j->lock);
    HS_ASSERT(out->seq == *seq);
    return true;
}
