/* Client bytes into commands: the same however they are cut, within the limits,
 * with the stock server's words for what is wrong. */
#include "hearsay/resp.h"
#include "hs_test.h"

#include <stdio.h>
#include <string.h>

static struct hs_resp_parser parser;
static char seen[4096];

static void setup(void)
{
    hs_resp_init(&parser);
    seen[0] = '\0';
}

static void teardown(void)
{
    hs_resp_fini(&parser);
}

/* Takes all whole commands and writes them down as [a][b];  */
static enum hs_resp_err take(void)
{
    enum hs_resp_err e;
    while ((e = hs_resp_next(&parser)) == HS_RESP_OK) {
        for (size_t i = 0; i < parser.args_n; i++) {
            size_t n = strlen(seen);
            snprintf(seen + n, sizeof(seen) - n, "[%.*s]", (int)parser.args[i].n, parser.args[i].p);
        }
        strcat(seen, ";");
    }
    return e;
}

static enum hs_resp_err feed(const char *p, size_t n)
{
    ck_assert(hs_resp_feed(&parser, p, n));
    return take();
}

static enum hs_resp_err feed_text(const char *text)
{
    return feed(text, strlen(text));
}

static const char pipeline[] =
    "*2\r\n$4\r\nECHO\r\n$3\r\na\r\n\r\nping  \"x y\" 'z'\r\n\r\n*0\r\n*-1\r\n"
    "*3\r\n$0\r\n\r\n$1\r\n*\r\n$12\r\n0123456789ab\r\nquit\n";
static const char commands[] = "[ECHO][a\r\n];[ping][x y][z];[][*][0123456789ab];[quit];";

START_TEST(every_cut_in_three_gives_the_same_commands)
{
    size_t n = sizeof(pipeline) - 1;
    for (size_t a = 0; a <= n; a++) {
        for (size_t b = a; b <= n; b++) {
            seen[0] = '\0';
            feed(pipeline, a);
            feed(pipeline + a, b - a);
            ck_assert_int_eq(feed(pipeline + b, n - b), HS_RESP_MORE);
            ck_assert_str_eq(seen, commands);
        }
    }
}
END_TEST

START_TEST(single_bytes_give_the_same_commands)
{
    for (size_t i = 0; i < sizeof(pipeline) - 1; i++)
        ck_assert_int_eq(feed(pipeline + i, 1), HS_RESP_MORE);
    ck_assert_str_eq(seen, commands);
}
END_TEST

/* The buffer fills up while a line is incomplete, so what is left of it moves to
 * the start, and how far it was searched must move with it. */
START_TEST(moving_an_incomplete_line_loses_nothing)
{
    ck_assert(hs_resp_feed(&parser, "p", 1));
    for (int i = 0; i < 2000; i++) {
        ck_assert_int_eq(hs_resp_next(&parser), HS_RESP_MORE);
        ck_assert(hs_resp_feed(&parser, "ing\np", 5));
        ck_assert_int_eq(hs_resp_next(&parser), HS_RESP_OK);
        ck_assert_uint_eq(parser.args_n, 1);
        ck_assert_str_eq(parser.args[0].p, "ping");
    }
    ck_assert_uint_le(parser.cap, 512);
}
END_TEST

START_TEST(an_idle_parser_holds_no_memory)
{
    feed_text("*1\r\n$4\r\nping\r\n");
    ck_assert_ptr_null(parser.buf);
    ck_assert_ptr_null(parser.args);
    feed_text("*1\r\n$4\r\npi");
    ck_assert_ptr_nonnull(parser.buf);
}
END_TEST

START_TEST(what_is_announced_takes_no_memory)
{
    ck_assert_int_eq(feed_text("*1048576\r\n$536870912\r\nx"), HS_RESP_MORE);
    ck_assert_uint_lt(parser.cap, 4096);
    ck_assert_uint_lt(parser.args_cap, 64);
}
END_TEST

static const struct {
    const char *bytes, *text;
    bool limited;
} bad[] = {
    {"*a\r\n", "Protocol error: invalid multibulk length", false},
    {"*1048577\r\n", "Protocol error: invalid multibulk length", false},
    {"*01\r\n", "Protocol error: invalid multibulk length", false},
    {"*\r\n", "Protocol error: invalid multibulk length", false},
    {"*1/\r\n", "Protocol error: invalid multibulk length", false},
    {"*1\r\nxyz\r\n", "Protocol error: expected '$', got 'x'", false},
    {"*1\r\n$-1\r\n", "Protocol error: invalid bulk length", false},
    {"*1\r\n$536870913\r\n", "Protocol error: invalid bulk length", false},
    {"*1\r\n$99999999999999999999\r\n", "Protocol error: invalid bulk length", false},
    {"*11\r\n", "Protocol error: unauthenticated multibulk length", true},
    {"*1\r\n$16385\r\n", "Protocol error: unauthenticated bulk length", true},
    {"ping \"a\r\n", "Protocol error: unbalanced quotes in request", false},
    {"ping \"a\"b\r\n", "Protocol error: unbalanced quotes in request", false},
};

START_TEST(bad_bytes_are_named)
{
    char text[128];
    parser.limited = bad[_i].limited;
    enum hs_resp_err e = feed_text(bad[_i].bytes);
    size_t n = hs_resp_err_text(&parser, e, text, sizeof(text));
    ck_assert_str_eq(text, bad[_i].text);
    ck_assert_uint_eq(n, strlen(text));
}
END_TEST

START_TEST(limits_hold_to_the_byte)
{
    ck_assert_int_eq(feed_text("*1048576\r\n$536870912\r\n"), HS_RESP_MORE);
    hs_resp_fini(&parser);
    parser.limited = true;
    ck_assert_int_eq(feed_text("*10\r\n$16384\r\n"), HS_RESP_MORE);
}
END_TEST

static enum hs_resp_err feed_run(const char *before, size_t n)
{
    char *run = malloc(n);
    memset(run, '1', n);
    feed_text(before);
    enum hs_resp_err e = feed(run, n);
    free(run);
    return e;
}

START_TEST(endless_lines_are_refused)
{
    ck_assert_int_eq(feed_run("", HS_RESP_INLINE_MAX), HS_RESP_MORE);
    ck_assert_int_eq(feed_text("1"), HS_RESP_ERR_TOO_BIG_INLINE);
    hs_resp_fini(&parser);
    ck_assert_int_eq(feed_run("*", HS_RESP_INLINE_MAX), HS_RESP_ERR_TOO_BIG_COUNT_STRING);
    hs_resp_fini(&parser);
    ck_assert_int_eq(feed_run("*1\r\n$", HS_RESP_INLINE_MAX), HS_RESP_ERR_TOO_BIG_BULK_STRING);
}
END_TEST

START_TEST(a_big_argument_in_small_pieces_arrives_whole)
{
    enum { N = 300000 };
    char piece[100];
    memset(piece, 'v', sizeof(piece));
    feed_text("*2\r\n$3\r\nkey\r\n$300000\r\n");
    for (size_t i = 0; i < N / sizeof(piece); i++) {
        ck_assert(hs_resp_feed(&parser, piece, sizeof(piece)));
        ck_assert_int_eq(hs_resp_next(&parser), HS_RESP_MORE);
    }
    ck_assert(hs_resp_feed(&parser, "\r\n", 2));
    ck_assert_int_eq(hs_resp_next(&parser), HS_RESP_OK);
    ck_assert_uint_eq(parser.args_n, 2);
    ck_assert_mem_eq(parser.args[0].p, "key", 3);
    ck_assert_uint_eq(parser.args[1].n, N);
    ck_assert_int_eq(parser.args[1].p[N - 1], 'v');
}
END_TEST

START_TEST(what_is_no_error_has_no_text)
{
    const enum hs_resp_err none[] = {HS_RESP_OK, HS_RESP_MORE, (enum hs_resp_err)99};
    char text[8] = "old";

    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        ck_assert_uint_eq(hs_resp_err_text(&parser, none[i], text, sizeof(text)), 0);
        ck_assert_str_eq(text, "");
    }
    ck_assert_uint_eq(hs_resp_err_text(&parser, HS_RESP_OK, NULL, 0), 0);
}
END_TEST

START_TEST(a_line_may_end_without_a_carriage_return_and_may_be_nothing_else)
{
    ck_assert_int_eq(feed_text("\n\r\nping\n"), HS_RESP_MORE);
    ck_assert_str_eq(seen, "[ping];");
}
END_TEST

START_TEST(more_than_a_query_may_hold_is_not_taken)
{
    ck_assert(hs_resp_feed(&parser, "x", 1));
    ck_assert(!hs_resp_feed(&parser, "y", HS_RESP_QUERY_MAX));
    ck_assert(hs_resp_feed(&parser, "", 0));
}
END_TEST

START_TEST(limited_survives_being_idle)
{
    parser.limited = true;
    feed_text("ping\r\n");
    ck_assert(parser.limited);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("resp_parse");
    TCase *t = tcase_create("parse");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, every_cut_in_three_gives_the_same_commands);
    tcase_add_test(t, single_bytes_give_the_same_commands);
    tcase_add_test(t, moving_an_incomplete_line_loses_nothing);
    tcase_add_test(t, an_idle_parser_holds_no_memory);
    tcase_add_test(t, what_is_announced_takes_no_memory);
    tcase_add_loop_test(t, bad_bytes_are_named, 0, (int)(sizeof(bad) / sizeof(bad[0])));
    tcase_add_test(t, limits_hold_to_the_byte);
    tcase_add_test(t, endless_lines_are_refused);
    tcase_add_test(t, a_big_argument_in_small_pieces_arrives_whole);
    tcase_add_test(t, what_is_no_error_has_no_text);
    tcase_add_test(t, a_line_may_end_without_a_carriage_return_and_may_be_nothing_else);
    tcase_add_test(t, more_than_a_query_may_hold_is_not_taken);
    tcase_add_test(t, limited_survives_being_idle);
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
