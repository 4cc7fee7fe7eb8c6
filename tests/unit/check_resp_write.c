/* Replies in both protocols, and the words of a line. */
#include "hearsay/resp.h"
#include "hs_test.h"

#include <math.h>
#include <string.h>

static char out[2048];

static void put(void *ctx, const void *p, size_t n)
{
    (void)ctx;
    strncat(out, p, n);
}

static void all(int proto)
{
    struct hs_resp_sink s = {.put = put, .proto = proto};
    out[0] = '\0';
    hs_resp_simple(&s, "OK");
    hs_resp_error(&s, "ERR %s", "a\r\nb");
    hs_resp_int(&s, -7);
    hs_resp_bulk(&s, "", 0);
    hs_resp_verbatim(&s, "x", 1);
    hs_resp_null(&s);
    hs_resp_bool(&s, true);
    hs_resp_double(&s, 1.5);
    hs_resp_array(&s, 2);
    hs_resp_map(&s, 2);
    hs_resp_set(&s, 2);
    hs_resp_push(&s, 2);
}

START_TEST(resp2_shapes)
{
    all(2);
    ck_assert_str_eq(out, "+OK\r\n-ERR a  b\r\n:-7\r\n$0\r\n\r\n$1\r\nx\r\n$-1\r\n:1\r\n"
                          "$3\r\n1.5\r\n*2\r\n*4\r\n*2\r\n*2\r\n");
}
END_TEST

START_TEST(resp3_shapes)
{
    all(3);
    ck_assert_str_eq(out, "+OK\r\n-ERR a  b\r\n:-7\r\n$0\r\n\r\n=5\r\ntxt:x\r\n_\r\n#t\r\n"
                          ",1.5\r\n*2\r\n%2\r\n~2\r\n>2\r\n");
}
END_TEST

START_TEST(numbers_that_are_none_and_false_have_shapes_too)
{
    for (int proto = 2; proto <= 3; proto++) {
        struct hs_resp_sink s = {.put = put, .proto = proto};
        out[0] = '\0';
        hs_resp_bool(&s, false);
        hs_resp_double(&s, INFINITY);
        hs_resp_double(&s, -INFINITY);
        hs_resp_double(&s, NAN);
        ck_assert_str_eq(out, proto == 2 ? ":0\r\n$3\r\ninf\r\n$4\r\n-inf\r\n$3\r\nnan\r\n"
                                         : "#f\r\n,inf\r\n,-inf\r\n,nan\r\n");
    }
}
END_TEST

START_TEST(an_endless_error_is_cut_and_stays_one_line)
{
    struct hs_resp_sink s = {.put = put, .proto = 2};
    char text[1500];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    out[0] = '\0';
    hs_resp_error(&s, "ERR %s", text);
    ck_assert_uint_lt(strlen(out), strlen(text));
    ck_assert_str_eq(out + strlen(out) - 3, "x\r\n");
}
END_TEST

static const struct {
    const char *line;
    int n;
    const char *words; /* joined by | */
} lines[] = {
    {"", 0, ""},
    {"  \t ", 0, ""},
    {"a b", 2, "a|b"},
    {" a  b ", 2, "a|b"},
    {"\"\" ''", 2, "|"},
    {"\"a b\" 'c d'", 2, "a b|c d"},
    {"\"\\x41\\n\\\"\\q\"", 1, "A\n\"q"},
    {"\"\\r\\t\\b\\a\"", 1, "\r\t\b\a"},
    {"\"\\x6a\\x4B\\x7F\"", 1, "jK\x7f"},
    {"\"\\xg1\\x1g\\x/1\\x:1\\x@1\\x`1\"", 1, "xg1x1gx/1x:1x@1x`1"},
    {"'a'b", -1, ""},
    {"'it\\'s \\x41'", 1, "it's \\x41"},
    {"pre\"fix\"", 1, "prefix"},
    {"\"a\"b", -1, ""},
    {"\"a", -1, ""},
    {"'a", -1, ""},
    {"\"a\\", -1, ""},
    {"a b c d e", -1, ""},
};

START_TEST(lines_split_into_words)
{
    char line[64];
    char words[64] = "";
    struct hs_arg args[4];
    strcpy(line, lines[_i].line);
    int n = hs_resp_split(line, args, 4);
    ck_assert_int_eq(n, lines[_i].n);
    for (int i = 0; i < n; i++) {
        ck_assert_uint_eq(strlen(args[i].p), args[i].n);
        strcat(words, i > 0 ? "|" : "");
        strcat(words, args[i].p);
    }
    ck_assert_str_eq(words, lines[_i].words);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("resp_write");
    TCase *t = tcase_create("write");
    tcase_add_test(t, resp2_shapes);
    tcase_add_test(t, resp3_shapes);
    tcase_add_test(t, numbers_that_are_none_and_false_have_shapes_too);
    tcase_add_test(t, an_endless_error_is_cut_and_stays_one_line);
    tcase_add_loop_test(t, lines_split_into_words, 0, (int)(sizeof(lines) / sizeof(lines[0])));
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
