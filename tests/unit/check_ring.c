/* The door between threads: nothing lost, nothing reordered, no missed wake. */
#include "hs_test.h"

#include "hearsay/ring.h"

#include <pthread.h>
#include <sched.h>

struct item {
    uint64_t seq;
    uint64_t *boxed; /* plain memory that changes hands with the item */
};
HS_RING(item_ring, item)

enum { SLOTS_N = 16, ITEMS_N = 100000 };

static struct item slots[SLOTS_N];
static struct item_ring ring;
static struct hs_wake wake;

START_TEST(holds_one_less_than_its_slots)
{
    struct item it = {0};

    item_ring_init(&ring, slots, SLOTS_N);
    for (uint32_t i = 0; i < SLOTS_N - 1; i++) {
        ck_assert_uint_eq(item_ring_size(&ring), i);
        ck_assert(item_ring_push(&ring, &it));
    }
    ck_assert(!item_ring_push(&ring, &it));
    ck_assert_uint_eq(item_ring_size(&ring), SLOTS_N - 1);
    ck_assert(item_ring_pop(&ring, &it));
    ck_assert(item_ring_push(&ring, &it));
}
END_TEST

START_TEST(an_empty_ring_gives_nothing)
{
    struct item it = {.seq = 42};

    item_ring_init(&ring, slots, SLOTS_N);
    ck_assert(!item_ring_pop(&ring, &it));
    ck_assert(item_ring_push(&ring, &it));
    ck_assert(item_ring_pop(&ring, &it));
    ck_assert_uint_eq(it.seq, 42);
    ck_assert(!item_ring_pop(&ring, &it));
}
END_TEST

static void *produce(void *arg)
{
    (void)arg;
    for (uint64_t i = 0; i < ITEMS_N; i++) {
        struct item it = {.seq = i, .boxed = hs_alloc(sizeof(uint64_t))};
        *it.boxed = i;
        while (!item_ring_push(&ring, &it))
            sched_yield();
        hs_wake_post(&wake);
        if (i % 64 == 0)
            sched_yield(); /* so that the consumer gets to sleep now and then */
    }
    return NULL;
}

/* Sleeps for ever unless it is woken: a missed wake is a test that times out. */
static bool pop_or_sleep(struct item *it)
{
    if (item_ring_pop(&ring, it))
        return true;
    hs_doze_begin(&wake.doze);
    bool found = item_ring_pop(&ring, it);
    if (!found)
        hs_wake_wait(&wake, -1);
    hs_doze_end(&wake.doze);
    return found;
}

START_TEST(a_sleeping_consumer_sees_every_item_in_order)
{
    pthread_t producer;
    struct item it;

    item_ring_init(&ring, slots, SLOTS_N);
    ck_assert_int_eq(hs_wake_init(&wake), 0);
    pthread_create(&producer, NULL, produce, NULL);
    for (uint64_t next = 0; next < ITEMS_N;) {
        if (!pop_or_sleep(&it))
            continue;
        ck_assert_uint_eq(it.seq, next);
        ck_assert_uint_eq(*it.boxed, next);
        hs_free(it.boxed);
        next++;
    }
    pthread_join(producer, NULL);
    hs_wake_fini(&wake);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ring");
    TCase *tc = tcase_create("spsc");

    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, holds_one_less_than_its_slots);
    tcase_add_test(tc, an_empty_ring_gives_nothing);
    tcase_add_test(tc, a_sleeping_consumer_sees_every_item_in_order);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
