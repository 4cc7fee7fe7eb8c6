/* channels.c - hash tables of topics and subscriptions.
 *
 * Tables double when full and never shrink; they are freed with the reactor's
 * set. A topic lives as long as somebody listens to it. */
#include "channels.h"

#include <string.h>

enum { BUCKETS_FIRST = 16 };

/* ---- tables ---- */

static bool grow(struct table *t)
{
    uint32_t n = t->buckets_n == 0 ? BUCKETS_FIRST : t->buckets_n * 2;
    struct entry **buckets = hs_alloc(n * sizeof(struct entry *));
    if (buckets == NULL)
        return false;
    for (uint32_t i = 0; i < t->buckets_n; i++) {
        while (t->buckets[i] != NULL) {
            struct entry *e = t->buckets[i];
            t->buckets[i] = e->next;
            e->next = buckets[e->hash & (n - 1)];
            buckets[e->hash & (n - 1)] = e;
        }
    }
    hs_free(t->buckets);
    t->buckets = buckets;
    t->buckets_n = n;
    return true;
}

/* A table that cannot grow any more only gets slower. */
static bool table_add(struct table *t, struct entry *e)
{
    if (t->n == t->buckets_n && !grow(t) && t->buckets_n == 0)
        return false;
    struct entry **bucket = &t->buckets[e->hash & (t->buckets_n - 1)];
    e->next = *bucket;
    *bucket = e;
    t->n++;
    return true;
}

static void table_remove(struct table *t, const struct entry *e)
{
    struct entry **at = &t->buckets[e->hash & (t->buckets_n - 1)];
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    t->n--;
}

static struct entry *table_first(const struct table *t, uint64_t hash)
{
    return t->buckets_n == 0 ? NULL : t->buckets[hash & (t->buckets_n - 1)];
}

static uint64_t mix(uint64_t h)
{
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93U;
    return h ^ h >> 32;
}

static uint64_t hash_name(const struct channels *c, const char *name, size_t n)
{
    uint64_t h = c->seed ^ n;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)name[i]) * 0x9e3779b97f4a7c15U;
    return mix(h);
}

static uint64_t hash_pair(const struct topic *t, const struct session *s)
{
    return mix(t->entry.hash ^ (uint64_t)(uintptr_t)s);
}

/* ---- topics ---- */

void channels_init(struct channels *c, uint64_t seed)
{
    *c = (struct channels){.seed = seed};
}

void channels_fini(struct channels *c)
{
    HS_ASSERT(c->n == 0);
    for (int k = 0; k < TOPIC_KINDS; k++)
        hs_free(c->kinds[k].by_name.buckets);
    hs_free(c->subscriptions.buckets);
    channels_init(c, c->seed);
}

struct topic *channels_find(const struct channels *c, enum topic_kind kind, const char *name,
                            size_t n)
{
    uint64_t hash = hash_name(c, name, n);
    struct entry *e = table_first(&c->kinds[kind].by_name, hash);
    for (; e != NULL; e = e->next) {
        struct topic *t = (struct topic *)(void *)e;
        if (e->hash == hash && t->n == n && memcmp(t->name, name, n) == 0)
            return t;
    }
    return NULL;
}

static struct topic *topic_add(struct channels *c, enum topic_kind kind, const char *name, size_t n)
{
    struct topics *all = &c->kinds[kind];
    struct topic *t = n <= UINT32_MAX ? hs_alloc(sizeof(*t) + n) : NULL;
    if (t == NULL)
        return NULL;
    t->entry.hash = hash_name(c, name, n);
    if (!table_add(&all->by_name, &t->entry)) {
        hs_free(t);
        return NULL;
    }
    t->kind = kind;
    t->n = (uint32_t)n;
    memcpy(t->name, name, n);
    t->prev = all->last;
    *(all->last != NULL ? &all->last->next : &all->first) = t;
    all->last = t;
    return t;
}

static void topic_remove_if_unused(struct channels *c, struct topic *t)
{
    struct topics *all = &c->kinds[t->kind];
    if (t->listeners_n > 0)
        return;
    table_remove(&all->by_name, &t->entry);
    *(t->prev != NULL ? &t->prev->next : &all->first) = t->next;
    *(t->next != NULL ? &t->next->prev : &all->last) = t->prev;
    hs_free(t);
}

static struct topic *topic_get(struct channels *c, enum topic_kind kind, const char *name, size_t n)
{
    struct topic *t = channels_find(c, kind, name, n);
    return t != NULL ? t : topic_add(c, kind, name, n);
}

bool channels_count_up(struct channels *c, enum topic_kind kind, const char *name, size_t n)
{
    struct topic *t = topic_get(c, kind, name, n);
    if (t == NULL)
        return false;
    t->listeners_n++;
    c->n++;
    return true;
}

void channels_count_down(struct channels *c, enum topic_kind kind, const char *name, size_t n)
{
    struct topic *t = channels_find(c, kind, name, n);
    HS_ASSERT(t != NULL && t->listeners_n > 0);
    t->listeners_n--;
    c->n--;
    topic_remove_if_unused(c, t);
}

/* ---- subscriptions ---- */

struct subscription *channels_subscription(const struct channels *c, enum topic_kind kind,
                                           const struct session *s, const char *name, size_t n)
{
    const struct topic *t = channels_find(c, kind, name, n);
    if (t == NULL)
        return NULL;
    struct entry *e = table_first(&c->subscriptions, hash_pair(t, s));
    for (; e != NULL; e = e->next) {
        struct subscription *sub = (struct subscription *)(void *)e;
        if (sub->topic == t && sub->session == s)
            return sub;
    }
    return NULL;
}

static void join(struct subscription *sub, struct listening *mine)
{
    struct topic *t = sub->topic;
    sub->prev = t->last;
    *(t->last != NULL ? &t->last->next : &t->first) = sub;
    t->last = sub;
    t->listeners_n++;
    struct subscription *last = mine->kinds[t->kind].last;
    sub->mine_prev = last;
    *(last != NULL ? &last->mine_next : &mine->kinds[t->kind].first) = sub;
    mine->kinds[t->kind].last = sub;
    mine->kinds[t->kind].n++;
}

static void leave(struct subscription *sub, struct listening *mine)
{
    struct topic *t = sub->topic;
    *(sub->prev != NULL ? &sub->prev->next : &t->first) = sub->next;
    *(sub->next != NULL ? &sub->next->prev : &t->last) = sub->prev;
    t->listeners_n--;
    *(sub->mine_prev != NULL ? &sub->mine_prev->mine_next : &mine->kinds[t->kind].first) =
        sub->mine_next;
    *(sub->mine_next != NULL ? &sub->mine_next->mine_prev : &mine->kinds[t->kind].last) =
        sub->mine_prev;
    mine->kinds[t->kind].n--;
}

struct subscription *channels_subscribe(struct channels *c, enum topic_kind kind, struct session *s,
                                        struct listening *mine, const char *name, size_t n)
{
    struct topic *t = topic_get(c, kind, name, n);
    struct subscription *sub = t != NULL ? hs_alloc(sizeof(*sub)) : NULL;
    if (sub != NULL) {
        *sub = (struct subscription){.topic = t, .session = s, .entry.hash = hash_pair(t, s)};
        if (table_add(&c->subscriptions, &sub->entry)) {
            join(sub, mine);
            c->n++;
            return sub;
        }
    }
    hs_free(sub);
    if (t != NULL)
        topic_remove_if_unused(c, t);
    return NULL;
}

void channels_unsubscribe(struct channels *c, struct listening *mine, struct subscription *sub)
{
    struct topic *t = sub->topic;
    table_remove(&c->subscriptions, &sub->entry);
    leave(sub, mine);
    c->n--;
    hs_free(sub);
    topic_remove_if_unused(c, t);
}
