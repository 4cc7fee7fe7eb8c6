/* check_bench_reply.c - the end of a reply is found, in whatever pieces it comes. */
#include "bench.h"

#include <string.h>

#include "hs_test.h"

static const char *const replies[] = {
    "+OK\r\n",
    ":12\r\n",
    "$5\r\nhello\r\n",
    "$-1\r\n",
    "$0\r\n\r\n",
    "*0\r\n",
    "*-1\r\n",
    "*2\r\n*2\r\n:1\r\n$2\r\n\r\n\r\n*1\r\n+x\r\n",
    "%1\r\n$1\r\na\r\n*1\r\n:1\r\n",
    "=8\r\ntxt:full\r\n",
};

START_TEST(a_reply_ends_where_it_ends_in_pieces_of_any_size)
{
    const char *text = replies[_i];
    size_t len = strlen(text);

    for (size_t piece = 1; piece <= len; piece++) {
        struct reply_scan s = {0};
        bool done = false;
        for (size_t at = 0; at < len;) {
            size_t n = piece < len - at ? piece : len - at;
            ck_assert(!done);
            ck_assert_uint_eq(reply_feed(&s, text + at, n, &done), n);
            at += n;
        }
        ck_assert(done);
        ck_assert(!s.error);
        ck_assert_uint_eq(s.len, len);
    }
}
END_TEST

START_TEST(what_follows_a_reply_is_left_alone)
{
    struct reply_scan s = {0};
    bool done;

    ck_assert_uint_eq(reply_feed(&s, "$1\r\nx\r\n+OK\r\n", 12, &done), 7);
    ck_assert(done);
}
END_TEST

START_TEST(an_error_is_told)
{
    struct reply_scan s = {0};
    bool done;

    reply_feed(&s, "*2\r\n:1\r\n-ERR no\r\n", 17, &done);
    ck_assert(done);
    ck_assert(s.error);
    ck_assert_str_eq(s.line, "-ERR no");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("bench reply");
    TCase *t = tcase_create("reply");

    tcase_add_loop_test(t, a_reply_ends_where_it_ends_in_pieces_of_any_size, 0,
                        sizeof(replies) / sizeof(replies[0]));
    tcase_add_test(t, what_follows_a_reply_is_left_alone);
    tcase_add_test(t, an_error_is_told);
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
