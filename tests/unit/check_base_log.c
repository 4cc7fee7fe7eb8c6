/* A line is a line: the stock server's form, whole, and in the file that is open. */
#include "hs_test.h"

#include "hearsay/base.h"

#include <errno.h>
#include <pthread.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char dir[] = "/tmp/check_base_log.XXXXXX";
static char path[64], rotated[64];

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/log", dir);
    snprintf(rotated, sizeof(rotated), "%s/log.1", dir);
    ck_assert_int_eq(hs_log_open(path), 0);
}

static void teardown(void)
{
    unlink(path);
    unlink(rotated);
    rmdir(dir);
}

/* Lines of a file, the last one in last. */
static int read_lines(const char *file, char *last, size_t n)
{
    int lines_n = 0;
    FILE *f = fopen(file, "r");

    ck_assert_ptr_nonnull(f);
    while (fgets(last, (int)n, f) != NULL)
        lines_n++;
    fclose(f);
    return lines_n;
}

START_TEST(a_line_has_the_stock_form)
{
    static const char SIGNS[] = ".-*#";
    char last[2048], pattern[256];
    regex_t re;

    hs_log_set_level(HS_LOG_DEBUG);
    hs_log_set_role('S');
    for (int level = HS_LOG_DEBUG; level <= HS_LOG_WARNING; level++) {
        hs_log((enum hs_log_level)level, "node %d is %s", 7, "fail");
        ck_assert_int_eq(read_lines(path, last, sizeof(last)), level + 1);
        snprintf(pattern, sizeof(pattern),
                 "^%d:S [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3} [%c]"
                 " node 7 is fail\n$",
                 (int)getpid(), SIGNS[level]);
        ck_assert_int_eq(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
        ck_assert_int_eq(regexec(&re, last, 0, NULL, 0), 0);
        regfree(&re);
    }
}
END_TEST

START_TEST(the_time_is_local_time)
{
    char last[2048], expected[64];
    struct hs_now now;

    setenv("TZ", "KTM-05:45", 1); /* 5 h 45 min east */
    do {
        now = hs_clock();
        hs_log(HS_LOG_WARNING, "x");
    } while (hs_clock().wall.ms / 60000 != now.wall.ms / 60000);
    read_lines(path, last, sizeof(last));
    int64_t minutes = now.wall.ms / 60000 + 5 * 60 + 45;
    snprintf(expected, sizeof(expected), " %02d:%02d:", (int)(minutes / 60 % 24),
             (int)(minutes % 60));
    ck_assert_ptr_nonnull(strstr(last, expected));
}
END_TEST

START_TEST(lines_below_the_level_are_not_written)
{
    char last[2048];

    hs_log(HS_LOG_VERBOSE, "not this");
    hs_log(HS_LOG_NOTICE, "this");
    ck_assert_int_eq(read_lines(path, last, sizeof(last)), 1);
    hs_log_set_level(HS_LOG_NOTHING);
    hs_log(HS_LOG_WARNING, "nor this");
    ck_assert_int_eq(read_lines(path, last, sizeof(last)), 1);
}
END_TEST

START_TEST(a_long_line_is_cut_at_one_kibibyte)
{
    char text[3000], last[4096];

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    hs_log(HS_LOG_WARNING, "%s", text);
    ck_assert_int_eq(read_lines(path, last, sizeof(last)), 1);
    ck_assert_uint_eq(strlen(last), 1024);
    ck_assert_int_eq(last[1023], '\n');
}
END_TEST

START_TEST(a_quoted_line_break_cannot_forge_a_line)
{
    char last[2048];

    hs_log(HS_LOG_WARNING, "peer says %s", "hello\n1:M all is well\x1b[31m");
    ck_assert_int_eq(read_lines(path, last, sizeof(last)), 1);
    ck_assert_ptr_nonnull(strstr(last, "hello?1:M all is well?[31m\n"));
}
END_TEST

START_TEST(after_a_rotation_reopen_goes_on_in_a_new_file)
{
    char last[2048];

    hs_log(HS_LOG_WARNING, "one");
    ck_assert_int_eq(rename(path, rotated), 0);
    hs_log(HS_LOG_WARNING, "two");
    ck_assert_int_eq(hs_log_reopen(), 0);
    hs_log(HS_LOG_WARNING, "three");
    ck_assert_int_eq(read_lines(rotated, last, sizeof(last)), 2);
    ck_assert_int_eq(read_lines(path, last, sizeof(last)), 1);
    ck_assert_ptr_nonnull(strstr(last, "three"));
}
END_TEST

START_TEST(a_path_that_cannot_be_opened_leaves_the_old_log)
{
    char last[2048];

    ck_assert_int_eq(hs_log_open("/nonexistent/dir/log"), -ENOENT);
    hs_log(HS_LOG_WARNING, "still here");
    ck_assert_int_eq(read_lines(path, last, sizeof(last)), 1);
}
END_TEST

enum { WRITERS_N = 4, LINES_N = 2000 };

static void *write_lines(void *arg)
{
    for (int i = 0; i < LINES_N; i++)
        hs_log(HS_LOG_WARNING, "writer %d line %d end", *(int *)arg, i);
    return NULL;
}

START_TEST(threads_and_rotations_lose_and_mix_no_line)
{
    pthread_t writers[WRITERS_N];
    int numbers[WRITERS_N] = {0, 1, 2, 3};
    char line[2048];
    int lines_n = 0;

    for (int i = 0; i < WRITERS_N; i++)
        pthread_create(&writers[i], NULL, write_lines, &numbers[i]);
    usleep(2000);
    ck_assert_int_eq(rename(path, rotated), 0);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(hs_log_reopen(), 0);
    for (int i = 0; i < WRITERS_N; i++)
        pthread_join(writers[i], NULL);
    for (int i = 0; i < 2; i++) {
        FILE *f = fopen(i == 0 ? path : rotated, "r");
        ck_assert_ptr_nonnull(f);
        while (fgets(line, sizeof(line), f) != NULL) {
            const char *text = strstr(line, "writer");
            ck_assert_ptr_nonnull(text);
            ck_assert_ptr_nonnull(strstr(text, " end\n"));
            lines_n++;
        }
        fclose(f);
    }
    ck_assert_int_eq(lines_n, WRITERS_N * LINES_N);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("base log");
    TCase *tc = tcase_create("log");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, a_line_has_the_stock_form);
    tcase_add_test(tc, the_time_is_local_time);
    tcase_add_test(tc, lines_below_the_level_are_not_written);
    tcase_add_test(tc, a_long_line_is_cut_at_one_kibibyte);
    tcase_add_test(tc, a_quoted_line_break_cannot_forge_a_line);
    tcase_add_test(tc, after_a_rotation_reopen_goes_on_in_a_new_file);
    tcase_add_test(tc, a_path_that_cannot_be_opened_leaves_the_old_log);
    tcase_add_test(tc, threads_and_rotations_lose_and_mix_no_line);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
