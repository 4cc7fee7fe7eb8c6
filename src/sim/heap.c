/* heap.c - what is going to happen, in order, and the memory it takes.
 *
 * Events are kept in a pool and named by index; the heap holds (time, number)
 * and the name. The number settles who is first at one moment, so order never
 * depends on where something lies in memory. Frames come from lists of sizes.
 */
#include "sim_int.h"

enum { FAN = 4 }; /* children of a place: a flatter heap misses the cache less */

#define FRAME_MIN 2560 /* a header and the shard id */

bool heap_init(struct heap *h, uint32_t max)
{
    h->max = h->events_max = max;
    h->v = hs_alloc((size_t)max * sizeof(*h->v));
    h->events = hs_alloc((size_t)max * sizeof(*h->events));
    h->free_event = HS_NIL;
    return h->v != NULL && h->events != NULL;
}

void heap_fini(struct heap *h)
{
    hs_free(h->v);
    hs_free(h->events);
}

uint32_t event_take(struct hs_sim *s, enum event_type type, uint32_t node)
{
    struct heap *h = &s->heap;
    uint32_t ev = h->free_event;

    if (ev != HS_NIL) {
        h->free_event = h->events[ev].next;
    } else {
        HS_ASSERT(h->events_hi < h->events_max);
        ev = h->events_hi++;
    }
    h->events[ev] = (struct event){.type = (uint8_t)type,
                                   .node = node,
                                   .life = node == HS_NIL ? 0 : s->nodes[node].life,
                                   .next = HS_NIL};
    return ev;
}

void event_drop(struct hs_sim *s, uint32_t ev)
{
    struct event *e = event_at(s, ev);

    if (e->frame != NULL) {
        frame_drop(s, e->frame);
    }
    e->frame = NULL;
    e->next = s->heap.free_event;
    s->heap.free_event = ev;
}

static bool before(const struct heap_entry *a, const struct heap_entry *b)
{
    return a->at < b->at || (a->at == b->at && a->seq < b->seq);
}

static void insert(struct heap *h, struct heap_entry e)
{
    uint32_t i = h->n++;

    HS_ASSERT(h->n <= h->max);
    while (i > 0 && before(&e, &h->v[(i - 1) / FAN])) {
        h->v[i] = h->v[(i - 1) / FAN];
        i = (i - 1) / FAN;
    }
    h->v[i] = e;
}

void event_push(struct hs_sim *s, uint32_t ev, int64_t at)
{
    HS_ASSERT(at >= s->now);
    insert(&s->heap, (struct heap_entry){.at = at, .seq = s->heap.seq++, .ev = ev});
}

/* Later, but still before what was posted after it. */
void event_push_again(struct hs_sim *s, struct heap_entry e, int64_t at)
{
    e.at = at;
    insert(&s->heap, e);
}

bool event_pop(struct hs_sim *s, struct heap_entry *out)
{
    struct heap *h = &s->heap;
    struct heap_entry last;
    uint32_t i = 0;

    if (h->n == 0) {
        return false;
    }
    *out = h->v[0];
    last = h->v[--h->n];
    for (;;) {
        uint32_t first = i * FAN + 1, best = first;
        if (first >= h->n) {
            break;
        }
        for (uint32_t k = first + 1; k < first + FAN && k < h->n; k++) {
            best = before(&h->v[k], &h->v[best]) ? k : best;
        }
        if (!before(&h->v[best], &last)) {
            break;
        }
        h->v[i] = h->v[best];
        i = best;
    }
    h->v[i] = last;
    return true;
}

/* ---- frames ---- */

static size_t class_size(uint32_t class_ix)
{
    return (size_t)FRAME_MIN << class_ix;
}

struct frame *frame_take(struct hs_sim *s, uint32_t len)
{
    uint32_t class_ix = 0;
    struct frame *f;

    while (class_size(class_ix) < len) {
        class_ix++;
    }
    HS_ASSERT(class_ix < sizeof(s->free_frames) / sizeof(s->free_frames[0]));
    f = s->free_frames[class_ix];
    if (f != NULL) {
        s->free_frames[class_ix] = f->next;
    } else {
        f = hs_alloc(sizeof(*f) + class_size(class_ix));
        HS_ASSERT(f != NULL);
    }
    *f = (struct frame){.refs = 1, .len = len, .class_ix = class_ix};
    s->in_flight += len;
    if (s->in_flight > s->r.bytes_max_in_flight) {
        s->r.bytes_max_in_flight = s->in_flight;
    }
    return f;
}

void frame_drop(struct hs_sim *s, struct frame *f)
{
    if (--f->refs > 0) {
        return;
    }
    s->in_flight -= f->len;
    f->next = s->free_frames[f->class_ix];
    s->free_frames[f->class_ix] = f;
}

void frames_fini(struct hs_sim *s)
{
    for (uint32_t k = 0; k < sizeof(s->free_frames) / sizeof(s->free_frames[0]); k++) {
        while (s->free_frames[k] != NULL) {
            struct frame *f = s->free_frames[k];
            s->free_frames[k] = f->next;
            hs_free(f);
        }
    }
}
