/* Whatever a text quotes, a line is one line, and a value stays in its quotes. */
#include "hs_test.h"

#include "base_int.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char buf[1024];
static size_t text_at;

static size_t write_line(enum hs_log_format format, const char *text, const char *name)
{
    struct hs_log_field fields[] = {{"node", "aaaa"}, {"node_name", name}};
    struct base_line l = {
        .level = HS_LOG_NOTICE,
        .role = 'S',
        .local =
            {.tm_year = 126, .tm_mon = 10, .tm_mday = 2, .tm_hour = 3, .tm_min = 4, .tm_sec = 5},
        .ms = 6,
        .east_s = -(5 * 3600 + 45 * 60),
        .fields = fields,
        .fields_n = name != NULL ? 2 : 0,
        .text = text,
        .text_n = strlen(text),
    };
    size_t n = base_line(&l, format, buf, sizeof(buf), &text_at);
    ck_assert_uint_lt(n, sizeof(buf));
    buf[n] = 0;
    return n;
}

static const struct {
    const char *raw, *plain, *quoted;
} texts[] = {
    {"node \"a\\b\"", "node \"a\\b\"", "node \\\"a\\\\b\\\""},
    {"x\n1:M forged\r\t\x1b[31m\x7f", "x?1:M forged???[31m?", "x?1:M forged???[31m?"},
    {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac",
     "gr\xc3\xbc\xc3\x9f \xe2\x82\xac"},
    {"\xff\xc3", "??", "??"}, /* no UTF-8 */
    {"a\xc2\x9b"
     "31m",
     "a?31m", "a?31m"}, /* a terminal's CSI as UTF-8 */
    {"a\xe2\x80\xa8"
     "b\xe2\x80\xa9",
     "a?b?", "a?b?"}, /* line and paragraph separators */
    {"\" level=warning msg=\"", "\" level=warning msg=\"", "\\\" level=warning msg=\\\""},
    {"\",\"level\":\"warning", "\",\"level\":\"warning", "\\\",\\\"level\\\":\\\"warning"},
};

START_TEST(a_text_cannot_leave_its_place)
{
    char expected[512];
    write_line(HS_LOG_PLAIN, texts[_i].raw, NULL);
    ck_assert_str_eq(buf + text_at, texts[_i].plain);
    write_line(HS_LOG_LOGFMT, texts[_i].raw, texts[_i].raw);
    snprintf(expected, sizeof(expected), " node=\"aaaa\" node_name=\"%s\" msg=\"%s\"",
             texts[_i].quoted, texts[_i].quoted);
    ck_assert_str_eq(strstr(buf, " node="), expected);
    write_line(HS_LOG_JSON, texts[_i].raw, texts[_i].raw);
    snprintf(expected, sizeof(expected), ",\"node\":\"aaaa\",\"node_name\":\"%s\",\"msg\":\"%s\"}",
             texts[_i].quoted, texts[_i].quoted);
    ck_assert_str_eq(strstr(buf, ",\"node\":"), expected);
}
END_TEST

START_TEST(time_level_process_and_role_come_first)
{
    char expected[256];
    write_line(HS_LOG_PLAIN, "hi", NULL);
    snprintf(expected, sizeof(expected), "%d:S 02 Nov 2026 03:04:05.006 * hi", (int)getpid());
    ck_assert_str_eq(buf, expected);
    write_line(HS_LOG_LOGFMT, "hi", NULL);
    snprintf(expected, sizeof(expected),
             "time=2026-11-02T03:04:05.006-05:45 level=notice pid=%d role=replica msg=\"hi\"",
             (int)getpid());
    ck_assert_str_eq(buf, expected);
    write_line(HS_LOG_JSON, "hi", NULL);
    snprintf(expected, sizeof(expected),
             "{\"time\":\"2026-11-02T03:04:05.006-05:45\",\"level\":\"notice\",\"pid\":%d,"
             "\"role\":\"replica\",\"msg\":\"hi\"}",
             (int)getpid());
    ck_assert_str_eq(buf, expected);
}
END_TEST

START_TEST(a_long_line_loses_its_end_and_keeps_its_form)
{
    static char text[3000], name[300];
    memset(text, '"', sizeof(text) - 1);
    memset(name, '\\', sizeof(name) - 1);
    for (int cut = 0; cut < 2; cut++) { /* an odd and an even number of bytes left */
        text[0] = cut == 0 ? '"' : 'a';
        ck_assert_uint_ge(write_line(HS_LOG_JSON, text, name), sizeof(buf) - 3);
        size_t n = strlen(buf), slashes = 0;
        ck_assert_str_eq(buf + n - 2, "\"}");
        while (buf[n - 3 - slashes] == '\\')
            slashes++;
        ck_assert_uint_eq(slashes, 0); /* the last character is an escaped quote, whole */
        ck_assert_int_eq(buf[n - 3], '"');
        ck_assert_int_eq(buf[n - 4], '\\');
    }
    write_line(HS_LOG_LOGFMT, text, name);
    ck_assert_int_eq(buf[strlen(buf) - 1], '"');
}
END_TEST

int main(void)
{
    Suite *s = suite_create("base_line");
    TCase *t = tcase_create("line");
    tcase_add_loop_test(t, a_text_cannot_leave_its_place, 0,
                        (int)(sizeof(texts) / sizeof(texts[0])));
    tcase_add_test(t, time_level_process_and_role_come_first);
    tcase_add_test(t, a_long_line_loses_its_end_and_keeps_its_form);
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
