/* ring.h - how two threads hand things over: one pushes, the other pops.
 *
 * HS_RING(name, type) declares struct name and name_init(), name_push(),
 * name_pop() for a bounded queue of `type` by value. Exactly one thread may
 * push and exactly one may pop. Neither ever blocks; push says false when the
 * queue is full and the caller decides what that means.
 *
 * Normal builds use Concurrency Kit. Thread-sanitizer builds use the same
 * algorithm on C11 atomics, because the sanitizer cannot see through CK's
 * inline assembly and reports a race on every slot.
 */
#ifndef HEARSAY_RING_H
#define HEARSAY_RING_H

#include "hearsay/base.h"

#include <stdalign.h>
#include <stdatomic.h>

#define HS_CACHE_LINE 64

#if defined(__SANITIZE_THREAD__)
#define HS_RING_USE_C11 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HS_RING_USE_C11 1
#endif
#endif

#ifdef HS_RING_USE_C11

#define HS_RING(name, type) \
    struct name { \
        alignas(HS_CACHE_LINE) _Atomic uint32_t head; \
        alignas(HS_CACHE_LINE) _Atomic uint32_t tail; \
        alignas(HS_CACHE_LINE) struct type *slots; \
        uint32_t mask; \
    }; \
    static inline void name##_init(struct name *r, struct type *slots, uint32_t slots_n) \
    { \
        HS_ASSERT(slots_n >= 2); \
        HS_ASSERT((slots_n & (slots_n - 1)) == 0); \
        *r = (struct name){.slots = slots, .mask = slots_n - 1}; \
    } \
    static inline bool name##_push(struct name *r, const struct type *v) \
    { \
        uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed); \
        uint32_t head = atomic_load_explicit(&r->head, memory_order_acquire); \
        if (tail - head == r->mask) \
            return false; \
        r->slots[tail & r->mask] = *v; \
        atomic_store_explicit(&r->tail, tail + 1, memory_order_release); \
        return true; \
    } \
    static inline bool name##_pop(struct name *r, struct type *v) \
    { \
        uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed); \
        uint32_t tail = atomic_load_explicit(&r->tail, memory_order_acquire); \
        if (head == tail) \
            return false; \
        *v = r->slots[head & r->mask]; \
        atomic_store_explicit(&r->head, head + 1, memory_order_release); \
        return true; \
    } \
    static inline uint32_t name##_size(struct name *r) \
    { \
        return atomic_load_explicit(&r->tail, memory_order_relaxed) - \
               atomic_load_explicit(&r->head, memory_order_relaxed); \
    }

#else

#include <ck_ring.h>

#define HS_RING(name, type) \
    CK_RING_PROTOTYPE(name, type) \
    struct name { \
        alignas(HS_CACHE_LINE) struct ck_ring ck; \
        alignas(HS_CACHE_LINE) struct type *slots; \
    }; \
    static inline void name##_init(struct name *r, struct type *slots, uint32_t slots_n) \
    { \
        HS_ASSERT(slots_n >= 2); \
        HS_ASSERT((slots_n & (slots_n - 1)) == 0); \
        ck_ring_init(&r->ck, slots_n); \
        r->slots = slots; \
    } \
    static inline bool name##_push(struct name *r, const struct type *v) \
    { \
        struct type copy = *v; /* CK's prototype is not const */ \
        return ck_ring_enqueue_spsc_##name(&r->ck, r->slots, &copy); \
    } \
    static inline bool name##_pop(struct name *r, struct type *v) \
    { \
        return ck_ring_dequeue_spsc_##name(&r->ck, r->slots, v); \
    } \
    static inline uint32_t name##_size(struct name *r) /* a hint from any third thread */ \
    { \
        return ck_ring_size(&r->ck); \
    }

#endif

/* A sleeper's flag. The consumer raises it before it waits, the producers look
 * at it after they push, and the fences on both sides make sure that at least
 * one of the two sees the other: either the consumer finds the item on its
 * last look, or the producer finds the flag and wakes it. */
struct hs_doze {
    alignas(HS_CACHE_LINE) atomic_bool asleep;
};

/* Consumer: call, look at every ring once more, wait only if all were empty,
 * then call hs_doze_end() whether it waited or not. */
static inline void hs_doze_begin(struct hs_doze *d)
{
    atomic_store_explicit(&d->asleep, true, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
}

static inline void hs_doze_end(struct hs_doze *d)
{
    atomic_store_explicit(&d->asleep, false, memory_order_relaxed);
}

/* Producer, once after a batch of pushes: true if this caller must wake it.
 * At most one producer is told so per sleep. */
static inline bool hs_doze_must_wake(struct hs_doze *d)
{
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load_explicit(&d->asleep, memory_order_relaxed) &&
           atomic_exchange_explicit(&d->asleep, false, memory_order_relaxed);
}

/* A doze with a doorbell (an eventfd). A producer pushes, then posts; a reactor
 * polls the fd in its io_uring, the owner and the store wait on it directly. */
struct hs_wake {
    struct hs_doze doze;
    int fd;
};

/* 0 or a negative errno. */
int hs_wake_init(struct hs_wake *w);
void hs_wake_fini(struct hs_wake *w);
/* Any thread. Costs a fence when the consumer is awake, a write(2) when not. */
void hs_wake_post(struct hs_wake *w);
/* Wakes unconditionally; safe in a signal handler. */
void hs_wake_force(struct hs_wake *w);
/* Consumer, between hs_doze_begin() and hs_doze_end(): sleeps until a post or
 * for timeout_ms (negative: for ever), and empties the doorbell. */
void hs_wake_wait(struct hs_wake *w, int timeout_ms);
/* Consumer that polls the fd itself: empties the doorbell. */
void hs_wake_clear(struct hs_wake *w);

/* ---- a lock, for what is rare ---- */

/* For lists that threads share and change seldom (who is connected). Nothing on
 * the path of a frame or of an ordinary command takes one, nor does the owner. */
struct hs_lock;
struct hs_lock *hs_lock_create(void); /* NULL: no memory */
void hs_lock_destroy(struct hs_lock *l);
void hs_lock_take(struct hs_lock *l);
void hs_lock_release(struct hs_lock *l);

/* ---- snapshots: one writer publishes, readers read without locks ---- */

/* Reclamation is ck_epoch's: an old snapshot is destroyed by the writer once
 * no reader that could see it is inside a section. */
struct hs_snapshot;

/* readers: how many threads will join. destroy runs on the writer. NULL: no memory. */
struct hs_snapshot *hs_snapshot_create(uint32_t readers, void (*destroy)(void *));
void hs_snapshot_destroy(struct hs_snapshot *s); /* nobody reads any more */
/* Writer only: makes p what readers see, retires what was there. p is the
 * snapshot's from here on. False: no memory, p was destroyed and readers go on
 * with what they had. */
bool hs_snapshot_publish(struct hs_snapshot *s, void *p);
/* Writer only, now and then: frees what nobody can see any more. */
void hs_snapshot_reclaim(struct hs_snapshot *s);
/* Reader r (0..readers-1, one thread each): the current snapshot, valid until
 * hs_snapshot_end(). Never hold it across a wait. NULL before the first publish. */
const void *hs_snapshot_begin(struct hs_snapshot *s, uint32_t reader);
void hs_snapshot_end(struct hs_snapshot *s, uint32_t reader);

#endif
