/* check_bench_histogram.c - quantiles are right to a 32nd, for any value. */
#include "histogram.h"

#include <string.h>

#include "hs_test.h"

static struct histogram h;
static struct histogram_copy copy;

static double quantile(double q)
{
    memset(&copy, 0, sizeof(copy));
    histogram_add(&copy, &h);
    return histogram_quantile(&copy, q);
}

START_TEST(one_value_comes_back_within_a_32nd)
{
    for (uint64_t v = 1; v < 1ull << 39; v = v * 3 / 2 + 1) {
        memset((void *)&h, 0, sizeof(h));
        histogram_record(&h, v);
        ck_assert_double_ge(quantile(0.5), (double)v * 31 / 32 - 1);
        ck_assert_double_le(quantile(0.5), (double)v * 33 / 32 + 1);
    }
}
END_TEST

START_TEST(quantiles_of_a_known_distribution_are_right)
{
    for (uint64_t v = 1; v <= 10000; v++) {
        histogram_record(&h, v * 1000);
    }
    ck_assert_double_eq_tol(quantile(0.5), 5e6, 5e6 / 30);
    ck_assert_double_eq_tol(quantile(0.99), 9.9e6, 9.9e6 / 30);
    ck_assert_double_eq_tol(quantile(1), 1e7, 1e7 / 30);
}
END_TEST

START_TEST(what_is_longer_than_all_buckets_counts_as_the_longest)
{
    histogram_record(&h, UINT64_MAX);
    ck_assert_double_gt(quantile(1), 1e12);
}
END_TEST

START_TEST(an_empty_histogram_has_no_quantiles)
{
    ck_assert_double_eq(quantile(0.99), 0);
}
END_TEST

START_TEST(a_difference_is_what_came_between)
{
    struct histogram_copy before = {0};

    histogram_record(&h, 10);
    histogram_add(&before, &h);
    histogram_record(&h, 1000000);
    quantile(0.5);
    histogram_subtract(&copy, &before);
    ck_assert_uint_eq(copy.total, 1);
    ck_assert_double_gt(histogram_quantile(&copy, 0.5), 900000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("bench histogram");
    TCase *t = tcase_create("histogram");

    tcase_add_test(t, one_value_comes_back_within_a_32nd);
    tcase_add_test(t, quantiles_of_a_known_distribution_are_right);
    tcase_add_test(t, what_is_longer_than_all_buckets_counts_as_the_longest);
    tcase_add_test(t, an_empty_histogram_has_no_quantiles);
    tcase_add_test(t, a_difference_is_what_came_between);
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
