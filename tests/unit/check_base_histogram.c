/* A value is counted once, in the bucket whose bound is the first not below it. */
#include "hs_test.h"

#include "hearsay/base.h"

START_TEST(a_bound_belongs_to_its_own_bucket)
{
    for (uint32_t i = 1; i < HS_HISTOGRAM_BUCKETS - 1; i++) {
        struct hs_histogram h = {0};
        uint64_t bound = (uint64_t)1 << i;
        hs_histogram_add(&h, bound);
        ck_assert_uint_eq(h.buckets[i], 1);
        hs_histogram_add(&h, bound + 1);
        ck_assert_uint_eq(h.buckets[i + 1], 1);
        hs_histogram_add(&h, bound - 1);
        ck_assert_uint_eq(h.buckets[i] + h.buckets[i - 1], 2);
        ck_assert_uint_eq(h.sum, 3 * bound);
    }
}
END_TEST

START_TEST(zero_and_the_largest_value_have_a_bucket)
{
    struct hs_histogram h = {0};
    hs_histogram_add(&h, 0);
    hs_histogram_add(&h, 1);
    hs_histogram_add(&h, UINT64_MAX);
    hs_histogram_add(&h, ((uint64_t)1 << (HS_HISTOGRAM_BUCKETS - 1)) + 1);
    ck_assert_uint_eq(h.buckets[0], 2);
    ck_assert_uint_eq(h.buckets[HS_HISTOGRAM_BUCKETS - 1], 2);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("base_histogram");
    TCase *t = tcase_create("histogram");
    tcase_add_test(t, a_bound_belongs_to_its_own_bucket);
    tcase_add_test(t, zero_and_the_largest_value_have_a_bucket);
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
