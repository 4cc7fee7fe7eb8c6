/* Readers see whole snapshots, never freed ones, and everything is freed in the end.
 *
 * A destroyed snapshot is poisoned before its memory goes, so that a reader
 * that still holds it notices even where no sanitizer watches.
 */
#include "hs_test.h"

#include "hearsay/ring.h"

#include <pthread.h>
#include <sched.h>

enum { WORDS_N = 64, READERS_N = 3, PUBLISHED_N = 20000 };

static const uint64_t POISON = 0xDEADDEADDEADDEADu;

struct picture {
    uint64_t words[WORDS_N]; /* all the same */
};

static int destroyed_n;
static pthread_t writer_thread;
static atomic_bool over;
static struct hs_snapshot *snapshot;

static struct picture *make(uint64_t v)
{
    struct picture *p = hs_alloc(sizeof(*p));

    for (int i = 0; i < WORDS_N; i++)
        p->words[i] = v;
    return p;
}

static void destroy(void *arg)
{
    struct picture *p = arg;

    ck_assert(pthread_equal(pthread_self(), writer_thread));
    for (int i = 0; i < WORDS_N; i++)
        p->words[i] = POISON;
    hs_free(p);
    destroyed_n++;
}

static uint64_t value_of(const void *p)
{
    return p == NULL ? 0 : ((const struct picture *)p)->words[0];
}

static void setup(void)
{
    writer_thread = pthread_self();
    destroyed_n = 0;
    snapshot = hs_snapshot_create(READERS_N, destroy);
    ck_assert_ptr_nonnull(snapshot);
}

START_TEST(before_the_first_publish_there_is_nothing_to_see)
{
    ck_assert_ptr_null(hs_snapshot_begin(snapshot, 0));
    hs_snapshot_end(snapshot, 0);
    hs_snapshot_destroy(snapshot);
    hs_snapshot_destroy(NULL);
}
END_TEST

START_TEST(a_reader_keeps_what_it_began_with_until_it_ends)
{
    ck_assert(hs_snapshot_publish(snapshot, make(1)));
    const void *seen = hs_snapshot_begin(snapshot, 0);
    ck_assert_uint_eq(value_of(seen), 1);
    ck_assert(hs_snapshot_publish(snapshot, make(2)));
    for (int i = 0; i < 10; i++)
        hs_snapshot_reclaim(snapshot);
    ck_assert_int_eq(destroyed_n, 0);
    ck_assert_uint_eq(value_of(seen), 1);
    ck_assert_uint_eq(value_of(hs_snapshot_begin(snapshot, 1)), 2);
    hs_snapshot_end(snapshot, 1);
    hs_snapshot_end(snapshot, 0);
    for (int i = 0; i < 10 && destroyed_n == 0; i++)
        hs_snapshot_reclaim(snapshot);
    ck_assert_int_eq(destroyed_n, 1);
    hs_snapshot_destroy(snapshot);
    ck_assert_int_eq(destroyed_n, 2);
}
END_TEST

START_TEST(destroying_frees_the_retired_ones_too)
{
    for (uint64_t i = 1; i <= 5; i++)
        ck_assert(hs_snapshot_publish(snapshot, make(i)));
    hs_snapshot_destroy(snapshot);
    ck_assert_int_eq(destroyed_n, 5);
}
END_TEST

static void *read_until_over(void *arg)
{
    uint32_t reader = *(uint32_t *)arg;
    uint64_t last = 0;
    uintptr_t bad_n = 0;

    while (!atomic_load(&over)) {
        const struct picture *p = hs_snapshot_begin(snapshot, reader);
        uint64_t first = value_of(p);
        for (int i = 0; p != NULL && i < WORDS_N; i++)
            bad_n += p->words[i] != first;
        bad_n += first == POISON || first < last; /* freed, or back in time */
        last = first;
        hs_snapshot_end(snapshot, reader);
        if (first % 16 == 0)
            sched_yield();
    }
    return (void *)bad_n;
}

START_TEST(readers_under_a_busy_writer_never_see_freed_memory)
{
    pthread_t readers[READERS_N];
    uint32_t numbers[READERS_N] = {0, 1, 2};
    void *bad_n;

    atomic_store(&over, false);
    for (int i = 0; i < READERS_N; i++)
        pthread_create(&readers[i], NULL, read_until_over, &numbers[i]);
    for (uint64_t v = 1; v <= PUBLISHED_N; v++) {
        ck_assert(hs_snapshot_publish(snapshot, make(v)));
        hs_snapshot_reclaim(snapshot);
        if (v % 64 == 0)
            sched_yield();
    }
    /* Reclaiming has kept up while they read, not only after. */
    ck_assert_int_gt(destroyed_n, PUBLISHED_N / 10);
    atomic_store(&over, true);
    for (int i = 0; i < READERS_N; i++) {
        pthread_join(readers[i], &bad_n);
        ck_assert_ptr_null(bad_n);
    }
    hs_snapshot_destroy(snapshot);
    ck_assert_int_eq(destroyed_n, PUBLISHED_N);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ring snapshot");
    TCase *tc = tcase_create("snapshot");

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, before_the_first_publish_there_is_nothing_to_see);
    tcase_add_test(tc, a_reader_keeps_what_it_began_with_until_it_ends);
    tcase_add_test(tc, destroying_frees_the_retired_ones_too);
    tcase_add_test(tc, readers_under_a_busy_writer_never_see_freed_memory);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
