/* Same seed, same sequence, everywhere; and fair enough to choose peers by. */
#include "hs_test.h"

#include "hearsay/base.h"

START_TEST(the_generator_is_the_published_one)
{
    /* xoshiro256** from the state {1, 2, 3, 4}. */
    static const uint64_t EXPECTED[] = {11520, 0, 1509978240, 1215971899390074240};
    struct hs_prng r = {{1, 2, 3, 4}};

    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(hs_prng_next(&r), EXPECTED[i]);
}
END_TEST

START_TEST(the_seed_is_spread_by_splitmix64)
{
    struct hs_prng r;

    hs_prng_seed(&r, 0);
    ck_assert_uint_eq(r.s[0], 0xE220A8397B1DCDAFu);
    ck_assert_uint_eq(r.s[1], 0x6E789E6AA1B965F4u);
}
END_TEST

START_TEST(equal_seeds_agree_and_neighbours_do_not)
{
    struct hs_prng a, b, c;

    hs_prng_seed(&a, 7);
    hs_prng_seed(&b, 7);
    hs_prng_seed(&c, 8);
    for (int i = 0; i < 100; i++) {
        uint64_t x = hs_prng_next(&a);
        ck_assert_uint_eq(x, hs_prng_next(&b));
        ck_assert_uint_ne(x, hs_prng_next(&c));
    }
}
END_TEST

START_TEST(below_stays_below_and_reaches_everything)
{
    static const uint32_t BOUNDS[] = {1, 2, 3, 10, 64, 1000};
    struct hs_prng r;

    hs_prng_seed(&r, 1);
    for (size_t b = 0; b < sizeof(BOUNDS) / sizeof(BOUNDS[0]); b++) {
        uint32_t seen[1000] = {0};
        for (uint32_t i = 0; i < BOUNDS[b] * 100; i++) {
            uint32_t x = hs_prng_below(&r, BOUNDS[b]);
            ck_assert_uint_lt(x, BOUNDS[b]);
            seen[x]++;
        }
        for (uint32_t x = 0; x < BOUNDS[b]; x++) {
            ck_assert_uint_gt(seen[x], 40);
            ck_assert_uint_lt(seen[x], 160 + 100 * (BOUNDS[b] == 1));
        }
    }
    for (int i = 0; i < 1000; i++)
        ck_assert_uint_lt(hs_prng_below(&r, UINT32_MAX), UINT32_MAX);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("base prng");
    TCase *tc = tcase_create("prng");

    tcase_add_test(tc, the_generator_is_the_published_one);
    tcase_add_test(tc, the_seed_is_spread_by_splitmix64);
    tcase_add_test(tc, equal_seeds_agree_and_neighbours_do_not);
    tcase_add_test(tc, below_stays_below_and_reaches_everything);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
