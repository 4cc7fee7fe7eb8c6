/* Without memory a file is neither read nor written by half: each allocation in
 * turn fails, and what was taken before it is given back. This test brings the
 * allocator, instead of the base room's.
 */
#include "hs_test.h"
#include "store_int.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NEVER = -1 };

static int calls, fail_at, held;

void *hs_alloc(size_t n)
{
    if (calls++ == fail_at)
        return NULL;
    held++;
    void *p = aligned_alloc(64, (n + 63) & ~(size_t)63);
    ck_assert_ptr_nonnull(p);
    return memset(p, 0, n);
}

void hs_free(void *p)
{
    held -= p != NULL;
    free(p);
}

static const char file_text[] =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 127.0.0.1:7000@17000 myself,master - 0 0 1 connected "
    "0-99\nvars currentEpoch 1 lastVoteEpoch 0\n";

static void start(int k)
{
    calls = 0;
    fail_at = k;
    held = 0;
}

START_TEST(reading_says_what_is_missing_and_keeps_nothing)
{
    struct hs_topo *t = NULL;
    int k = 0;

    for (; t == NULL; k++) {
        struct hs_conf_error err;
        start(k);
        t = hs_nodesconf_parse(file_text, sizeof(file_text) - 1, 1, &err);
        if (t == NULL) {
            ck_assert_str_eq(err.text, "out of memory");
            ck_assert_int_eq(held, 0);
        }
    }
    ck_assert_int_gt(k, 5);
    hs_topo_destroy(t);
    ck_assert_int_eq(held, 0);
}
END_TEST

START_TEST(writing_makes_no_text_rather_than_half_of_one)
{
    struct hs_conf_error err;
    char *text = NULL;
    size_t n;

    start(NEVER);
    struct hs_topo *t = hs_nodesconf_parse(file_text, sizeof(file_text) - 1, 1, &err);
    for (int k = 0; text == NULL; k++) {
        start(k);
        text = hs_nodesconf_text(t, &n);
        ck_assert_int_eq(held, text != NULL);
    }
    ck_assert_str_eq(text, file_text);
    hs_free(text);
    hs_topo_destroy(t);
}
END_TEST

START_TEST(a_start_without_memory_is_refused_and_lets_go_of_the_file)
{
    char path[] = "/tmp/check_store_XXXXXX";
    struct hs_store *store = NULL;
    int fd = mkstemp(path);

    ck_assert_int_eq((int)write(fd, file_text, sizeof(file_text) - 1), sizeof(file_text) - 1);
    close(fd);
    for (int k = 0; store == NULL; k++) {
        struct hs_topo *boot;
        char why[512] = "";
        int code;
        start(k);
        store = hs_store_open(path, 1, &boot, why, sizeof(why), &code);
        if (store == NULL) {
            ck_assert_int_ne(code, 0);
            ck_assert_msg(strstr(why, "memory") != NULL, "%s", why);
            ck_assert_int_eq(held, 0);
        } else {
            hs_topo_destroy(boot);
        }
    }
    hs_store_close(store);
    ck_assert_int_eq(held, 0);
    unlink(path);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("store_memory");
    TCase *tc = tcase_create("memory");
    tcase_add_test(tc, reading_says_what_is_missing_and_keeps_nothing);
    tcase_add_test(tc, writing_makes_no_text_rather_than_half_of_one);
    tcase_add_test(tc, a_start_without_memory_is_refused_and_lets_go_of_the_file);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
