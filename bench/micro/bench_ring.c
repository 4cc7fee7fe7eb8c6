/* bench_ring.c - handing an entry over: on one thread, where nothing moves
 * between cores, and between two threads that never sleep.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "hearsay/ring.h"
#include "micro.h"

enum { SLOTS = 4096, BATCH = 64, PATIENCE = 1000 };

struct entry {
    uint64_t words[8]; /* what a frame on its way to the owner takes */
};

HS_RING(bench_ring, entry)

struct pair {
    struct bench_ring ring;
    struct entry slots[SLOTS];
    uint64_t n;
};

static void *setup(uint64_t size)
{
    struct pair *p = hs_alloc(sizeof(*p));

    (void)size;
    if (p == NULL) {
        abort();
    }
    bench_ring_init(&p->ring, p->slots, SLOTS);
    HS_ASSERT(bench_ring_size(&p->ring) == 0);
    return p;
}

static void one_thread(void *ctx, uint64_t n)
{
    struct pair *p = ctx;
    struct entry e = {{0}};

    for (uint64_t i = 0; i < n; i += BATCH) {
        for (uint32_t j = 0; j < BATCH; j++) {
            e.words[0] = i + j;
            (void)bench_ring_push(&p->ring, &e);
        }
        for (uint32_t j = 0; j < BATCH; j++) {
            (void)bench_ring_pop(&p->ring, &e);
            micro_keep(&e);
        }
    }
}

/* Both sides yield after a while, so that it also ends on a single core. */
static void *consume(void *arg)
{
    struct pair *p = arg;
    uint32_t misses = 0;

    for (uint64_t i = 0; i < p->n;) {
        struct entry e;
        if (bench_ring_pop(&p->ring, &e)) {
            micro_keep(&e);
            i++;
            misses = 0;
        } else if (++misses > PATIENCE) {
            sched_yield();
        }
    }
    return NULL;
}

static void two_threads(void *ctx, uint64_t n)
{
    struct pair *p = ctx;
    struct entry e = {{0}};
    uint32_t misses = 0;
    pthread_t consumer;

    p->n = n;
    if (pthread_create(&consumer, NULL, consume, p) != 0) {
        abort();
    }
    for (uint64_t i = 0; i < n;) {
        e.words[0] = i;
        if (bench_ring_push(&p->ring, &e)) {
            i++;
            misses = 0;
        } else if (++misses > PATIENCE) {
            sched_yield();
        }
    }
    pthread_join(consumer, NULL);
}

int main(int argc, char **argv)
{
    static const struct micro_case cases[] = {
        {"push_pop_one_thread", one_thread, setup, 0},
        {"push_pop_two_threads", two_threads, setup, 0},
    };

    return micro_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
