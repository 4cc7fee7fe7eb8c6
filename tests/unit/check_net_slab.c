/* Any mix of sizes shares one bound, and what comes back serves every size again. */
#include "hs_test.h"

#include "slab.h"

#include <string.h>

enum { FRAME_MAX = 200000, BYTES_MAX = 2 << 20, TAKEN_MAX = 1024 };

static struct slab slab;
static struct hs_frame *taken[TAKEN_MAX];

static void setup(void)
{
    ck_assert_int_eq(slab_init(&slab, BYTES_MAX, FRAME_MAX), 0);
}

static void teardown(void)
{
    slab_fini(&slab);
}

static uint32_t take_all(uint32_t size)
{
    uint32_t n = 0;

    while ((taken[n] = slab_get(&slab, size)) != NULL) {
        ck_assert_uint_ge(taken[n]->size, size);
        n++;
        ck_assert_uint_lt(n, TAKEN_MAX);
    }
    return n;
}

static void put_all(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        slab_put(&slab, taken[i]);
    ck_assert_uint_eq(slab.used, 0);
}

START_TEST(each_size_can_have_all_the_memory_after_each_other_size)
{
    static const uint32_t SIZES[] = {FRAME_MAX, 1, 4032, 4033, 30000, FRAME_MAX, 1};
    static const uint32_t FIT[] = {8, 512, 512, 256, 64, 8, 512};

    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        uint32_t n = take_all(SIZES[i]);
        ck_assert_uint_eq(n, FIT[i]);
        ck_assert_uint_eq(slab.used, BYTES_MAX);
        put_all(n);
    }
}
END_TEST

START_TEST(blocks_never_overlap_and_come_together_again)
{
    struct hs_prng prng;
    uint32_t n = 0;

    hs_prng_seed(&prng, 42);
    for (int round = 0; round < 50000; round++) {
        uint32_t k = hs_prng_below(&prng, TAKEN_MAX);
        if (k < n) {
            uint32_t size = taken[k]->size;
            uint8_t mark = taken[k]->bytes[0];
            ck_assert_uint_eq(taken[k]->bytes[size - 1], mark);
            slab_put(&slab, taken[k]);
            taken[k] = taken[--n];
        } else {
            struct hs_frame *f = slab_get(&slab, 1u << hs_prng_below(&prng, 18));
            if (f == NULL)
                continue;
            f->bytes[0] = f->bytes[f->size - 1] = (uint8_t)round;
            taken[n++] = f;
        }
    }
    put_all(n);
    ck_assert_uint_eq(take_all(FRAME_MAX), 8);
    put_all(8);
}
END_TEST

START_TEST(there_is_always_room_for_two_of_the_largest)
{
    struct slab small;

    ck_assert_int_eq(slab_init(&small, 1, FRAME_MAX), 0);
    ck_assert_ptr_nonnull(slab_get(&small, FRAME_MAX));
    ck_assert_ptr_nonnull(slab_get(&small, FRAME_MAX));
    ck_assert_ptr_null(slab_get(&small, 1));
    slab_fini(&small);
}
END_TEST

START_TEST(returning_a_block_twice_is_a_broken_invariant)
{
    struct hs_frame *f = slab_get(&slab, 100);

    slab_put(&slab, f);
    slab_put(&slab, f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("net slab");
    TCase *tc = tcase_create("slab");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, each_size_can_have_all_the_memory_after_each_other_size);
    tcase_add_test(tc, blocks_never_overlap_and_come_together_again);
    tcase_add_test(tc, there_is_always_room_for_two_of_the_largest);
    tcase_add_test_raise_signal(tc, returning_a_block_twice_is_a_broken_invariant, 6);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
