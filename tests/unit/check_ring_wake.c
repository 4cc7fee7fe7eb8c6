/* A wake is not lost, does not flood, and costs nothing while the other is awake. */
#include "hs_test.h"

#include "hearsay/ring.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

static struct hs_wake wake;

static void setup(void)
{
    ck_assert_int_eq(hs_wake_init(&wake), 0);
}

static void teardown(void)
{
    hs_wake_fini(&wake);
}

static bool rings(void)
{
    struct pollfd p = {.fd = wake.fd, .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

START_TEST(a_post_to_one_who_is_awake_rings_nothing)
{
    hs_wake_post(&wake);
    ck_assert(!rings());
}
END_TEST

START_TEST(a_sleep_is_rung_once_however_many_post)
{
    hs_doze_begin(&wake.doze);
    ck_assert(hs_doze_must_wake(&wake.doze));
    ck_assert(!hs_doze_must_wake(&wake.doze));
    hs_doze_end(&wake.doze);
}
END_TEST

START_TEST(a_post_before_the_wait_ends_it_at_once_and_the_bell_is_emptied)
{
    hs_doze_begin(&wake.doze);
    hs_wake_post(&wake);
    hs_wake_wait(&wake, -1);
    hs_doze_end(&wake.doze);
    ck_assert(!rings());
}
END_TEST

START_TEST(a_wait_ends_at_its_timeout)
{
    int64_t before = hs_clock().mono.ms;

    hs_doze_begin(&wake.doze);
    hs_wake_wait(&wake, 30);
    hs_doze_end(&wake.doze);
    ck_assert_int_ge(hs_clock().mono.ms - before, 29);
}
END_TEST

START_TEST(a_forced_wake_rings_even_one_who_is_awake)
{
    hs_wake_force(&wake);
    ck_assert(rings());
    hs_wake_clear(&wake);
    ck_assert(!rings());
    hs_wake_clear(&wake); /* empty already: does not block */
}
END_TEST

/* The two sides of a doze, reduced to what they depend on: the producer writes
 * the item and looks at the flag, the consumer raises the flag and looks for
 * the item. If both look in vain, a wake is lost. Stores waiting in a store
 * buffer make that happen unless both sides have their fence. */
enum { ROUNDS_N = 300000, SPINS_MAX = 1 << 14 };

static struct {
    alignas(64) atomic_int item;
    alignas(64) atomic_int round;
    alignas(64) atomic_int answered;
    bool told;
} litmus;

static void wait_for(atomic_int *p, int value)
{
    for (int spins = 0; atomic_load(p) != value; spins++) {
        if (spins == SPINS_MAX) { /* one core, or the other one is not running */
            usleep(0);
            spins = 0;
        }
    }
}

static void *litmus_producer(void *arg)
{
    (void)arg;
    for (int i = 1; i <= ROUNDS_N; i++) {
        wait_for(&litmus.round, i);
        atomic_store_explicit(&litmus.item, i, memory_order_relaxed);
        litmus.told = hs_doze_must_wake(&wake.doze);
        atomic_store(&litmus.answered, i);
    }
    return NULL;
}

START_TEST(either_the_consumer_finds_the_item_or_the_producer_finds_the_flag)
{
    pthread_t producer;
    int lost_n = 0;

    pthread_create(&producer, NULL, litmus_producer, NULL);
    for (int i = 1; i <= ROUNDS_N; i++) {
        atomic_store(&litmus.round, i);
        for (int k = 0; k < (i & 31); k++)
            atomic_signal_fence(memory_order_seq_cst);
        hs_doze_begin(&wake.doze);
        bool found = atomic_load_explicit(&litmus.item, memory_order_relaxed) == i;
        wait_for(&litmus.answered, i);
        hs_doze_end(&wake.doze);
        if (!found && !litmus.told)
            lost_n++;
    }
    pthread_join(producer, NULL);
    ck_assert_int_eq(lost_n, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ring wake");
    TCase *tc = tcase_create("wake");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_post_to_one_who_is_awake_rings_nothing);
    tcase_add_test(tc, a_sleep_is_rung_once_however_many_post);
    tcase_add_test(tc, a_post_before_the_wait_ends_it_at_once_and_the_bell_is_emptied);
    tcase_add_test(tc, a_wait_ends_at_its_timeout);
    tcase_add_test(tc, a_forced_wake_rings_even_one_who_is_awake);
    tcase_add_test(tc, either_the_consumer_finds_the_item_or_the_producer_finds_the_flag);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
