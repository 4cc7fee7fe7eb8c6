/* The page a scraper reads: escaping, histograms, and a table that holds together. */
#include "hs_test.h"

#include "metrics_int.h"

#include <ctype.h>
#include <string.h>

static char buf[TEXT_MAX];

static struct metrics_text empty(size_t max)
{
    buf[0] = 0;
    return (struct metrics_text){.p = buf, .max = max};
}

static const struct {
    const char *raw, *escaped;
} labels[] = {
    {"east-1", "east-1"},
    {"a\"b\\c\nd", "a\\\"b\\\\c\\nd"},
    {"\"} 1\nredis_up 0", "\\\"} 1\\nredis_up 0"},
    {"gr\xc3\xbc\xc3\x9f"
     "e",
     "gr\xc3\xbc\xc3\x9f"
     "e"},
    {"\xe2\x82\xac\xf0\x9f\x98\x80", "\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"\xff"
     "a",
     "\xef\xbf\xbd"
     "a"},                                                    /* no first byte */
    {"\xc3", "\xef\xbf\xbd"},                                 /* cut short by the end */
    {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* overlong */
    {"\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* overlong */
    {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
    {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* beyond */
};

START_TEST(a_label_is_escaped_and_always_utf8)
{
    struct metrics_text t = empty(sizeof(buf));
    metrics_put_escaped(&t, labels[_i].raw);
    ck_assert_str_eq(buf, labels[_i].escaped);
    ck_assert(!t.cut);
}
END_TEST

START_TEST(a_histogram_is_cumulative_and_its_last_bucket_is_its_count)
{
    struct metrics_row row = {.name = "x", .bucket_first = 1, .bucket_last = 2, .scale = 0.5};
    struct hs_histogram h = {0};
    static const uint64_t values[] = {1, 2, 2, 4, 5, 1000000};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        hs_histogram_add(&h, values[i]);
    struct metrics_text t = empty(sizeof(buf));
    metrics_put_histogram(&t, &row, &h);
    ck_assert_str_eq(buf, "x_bucket{le=\"1\"} 3\nx_bucket{le=\"2\"} 4\nx_bucket{le=\"+Inf\"} 6\n"
                          "x_sum 500007\nx_count 6\n");
}
END_TEST

START_TEST(what_does_not_fit_is_left_out_whole_and_told)
{
    struct metrics_text t = empty(8);
    metrics_printf(&t, "1234567");
    ck_assert(!t.cut);
    metrics_printf(&t, "8");
    ck_assert(t.cut);
    ck_assert_uint_eq(t.n, 7);
}
END_TEST

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), k = strlen(end);
    return n >= k && strcmp(s + n - k, end) == 0;
}

START_TEST(every_row_follows_the_conventions_of_its_type)
{
    for (uint32_t i = 0; i < metrics_table_n; i++) {
        const struct metrics_row *row = &metrics_table[i];
        for (const char *p = row->name; *p != 0; p++)
            ck_assert_msg(islower((unsigned char)*p) || *p == '_', "%s", row->name);
        ck_assert_int_eq(ends_with(row->name, "_total"), row->type == COUNTER);
        ck_assert_int_eq(row->type == HISTOGRAM, row->histogram != NULL);
        ck_assert_int_eq(row->help[strlen(row->help) - 1], '.');
        ck_assert_ptr_null(strpbrk(row->help, "\n\\|"));
        ck_assert_int_eq((row->key != NULL) + (row->put != NULL) + (row->histogram != NULL), 1);
        ck_assert_int_lt(row->bucket_last, HS_HISTOGRAM_BUCKETS - 1);
        for (uint32_t k = 0; k < i; k++) {
            bool same = strcmp(metrics_table[k].name, row->name) == 0;
            ck_assert_msg(!same || strcmp(metrics_table[k].label, row->label) != 0, "%s twice",
                          row->name);
            ck_assert_msg(!same || !metrics_row_is_first(i), "%s in two places", row->name);
        }
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("metrics_text");
    TCase *t = tcase_create("text");
    tcase_add_loop_test(t, a_label_is_escaped_and_always_utf8, 0,
                        (int)(sizeof(labels) / sizeof(labels[0])));
    tcase_add_test(t, a_histogram_is_cumulative_and_its_last_bucket_is_its_count);
    tcase_add_test(t, what_does_not_fit_is_left_out_whole_and_told);
    tcase_add_test(t, every_row_follows_the_conventions_of_its_type);
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
