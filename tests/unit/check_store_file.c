/* The file on disk is always one whole version, whatever fails and whenever the
 * process dies. A store_io that counts its calls fails, or dies, at call k.
 */
#include "hs_test.h"
#include "store_int.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char old_text[] = "the old version, whole\n";
static const char new_text[] = "the new version, which is longer, and just as whole\n";

static char dir[] = "/tmp/check_store_XXXXXX";
static char path[PATH_MAX];
static struct store_file file;

enum { NEVER = -1, SHORT_WRITE = 7 };

static int calls, fail_at, die_at;

/* True if this call is to fail, with errno set. */
static bool trouble(void)
{
    int call = calls++;
    if (call == die_at)
        _exit(42);
    errno = ENOSPC;
    return call == fail_at;
}

static int t_open(const char *p, int flags, mode_t mode)
{
    return trouble() ? -1 : open(p, flags, mode);
}

static bool swap_before_lock, swap_always, interrupt_writes;

static int t_lock(int fd)
{
    if (swap_before_lock) { /* another server just replaced the file */
        char other[PATH_MAX + 8];
        swap_before_lock = swap_always;
        snprintf(other, sizeof(other), "%s.other", path);
        fclose(fopen(other, "w"));
        ck_assert_int_eq(rename(other, path), 0);
    }
    return trouble() ? -1 : store_io_real.lock(fd);
}

static ssize_t t_write(int fd, const void *p, size_t n)
{
    static bool interrupted;

    interrupted = interrupt_writes && !interrupted;
    if (interrupted) {
        errno = EINTR;
        return -1;
    }
    return trouble() ? -1 : write(fd, p, n < SHORT_WRITE ? n : SHORT_WRITE);
}

static int t_fsync(int fd)
{
    return trouble() ? -1 : fsync(fd);
}

static int t_rename(const char *from, const char *to)
{
    return trouble() ? -1 : rename(from, to);
}

static const struct store_io io_under_test = {t_open, t_lock, t_write, t_fsync, t_rename};

static void write_old(void)
{
    FILE *f = fopen(path, "w");
    fputs(old_text, f);
    fclose(f);
}

static const char *on_disk(void)
{
    static char text[4096];
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    fclose(f);
    return text;
}

static bool whole(const char *text)
{
    return strcmp(text, old_text) == 0 || strcmp(text, new_text) == 0;
}

static int replace(void)
{
    const char *step = NULL;
    int rc = store_file_replace(&file, new_text, strlen(new_text), &step);
    ck_assert_ptr_nonnull(step);
    return rc;
}

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/nodes.conf", dir);
    write_old();
    fail_at = die_at = NEVER;
    ck_assert_int_eq(store_file_open(&file, &io_under_test, path), 0);
    calls = 0;
}

static void teardown(void)
{
    char command[PATH_MAX + 16];
    store_file_close(&file);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static bool exists(const char *p)
{
    return access(p, F_OK) == 0;
}

START_TEST(what_was_written_is_read_back_through_short_writes)
{
    char *text;
    size_t n;
    ck_assert_int_eq(replace(), 0);
    ck_assert_str_eq(on_disk(), new_text);
    ck_assert_int_eq(store_file_read(&file, &text, &n), 0);
    ck_assert_uint_eq(n, strlen(new_text));
    ck_assert_str_eq(text, new_text);
    ck_assert(!exists(file.tmp));
    hs_free(text);
}
END_TEST

START_TEST(an_interrupted_write_goes_on)
{
    interrupt_writes = true;
    ck_assert_int_eq(replace(), 0);
    interrupt_writes = false;
    ck_assert_str_eq(on_disk(), new_text);
}
END_TEST

START_TEST(a_path_may_be_a_bare_name)
{
    store_file_close(&file);
    ck_assert_int_eq(chdir(dir), 0);
    ck_assert_int_eq(store_file_open(&file, &io_under_test, "nodes.conf"), 0);
    ck_assert_int_eq(replace(), 0);
    ck_assert_str_eq(on_disk(), new_text);
    ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(what_is_no_file_or_too_large_is_not_read)
{
    char *text, other[PATH_MAX + 8];
    size_t n;

    ck_assert_int_eq(truncate(path, NODESCONF_MAX + 1), 0);
    ck_assert_int_eq(store_file_read(&file, &text, &n), -EFBIG);
    store_file_close(&file);
    snprintf(other, sizeof(other), "%s.pipe", path);
    ck_assert_int_eq(mkfifo(other, 0600), 0);
    ck_assert_int_eq(store_file_open(&file, &io_under_test, other), 0);
    ck_assert_int_eq(store_file_read(&file, &text, &n), -EINVAL);
}
END_TEST

START_TEST(a_failure_at_any_step_leaves_a_whole_file_and_no_litter)
{
    ck_assert_int_eq(replace(), 0);
    int steps = calls;
    ck_assert_int_gt(steps, 6);
    for (int k = 0; k < steps; k++) {
        write_old();
        calls = 0;
        fail_at = k;
        ck_assert_int_eq(replace(), -ENOSPC);
        /* Only the flush of the directory comes after the rename. */
        ck_assert_str_eq(on_disk(), k >= steps - 2 ? new_text : old_text);
        ck_assert(!exists(file.tmp));
        fail_at = NEVER;
        ck_assert_int_eq(replace(), 0); /* and the next try succeeds */
        ck_assert_str_eq(on_disk(), new_text);
    }
}
END_TEST

START_TEST(a_death_at_any_step_leaves_a_whole_file_and_the_next_start_sweeps)
{
    ck_assert_int_eq(replace(), 0);
    int steps = calls;
    for (int k = 0; k < steps; k++) {
        store_file_close(&file);
        write_old();
        pid_t pid = fork();
        if (pid == 0) {
            if (store_file_open(&file, &io_under_test, path) != 0)
                _exit(1);
            calls = 0;
            die_at = k;
            replace();
            _exit(2);
        }
        int status;
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(WEXITSTATUS(status), 42);
        ck_assert(whole(on_disk()));

        char left[PATH_MAX + 32];
        snprintf(left, sizeof(left), "%s.tmp-%d", path, (int)pid);
        ck_assert_int_eq(exists(left), k > 0 && k < steps - 2);
        ck_assert_int_eq(store_file_open(&file, &io_under_test, path), 0);
        ck_assert(!exists(left));
    }
}
END_TEST

START_TEST(only_leftovers_of_the_dead_are_swept)
{
    static const char *const names[] = {"nodes.conf.tmp-x",          "nodes.conf.tmp-1",
                                        "nodes.conf.tmp-",           "other.conf.tmp-999999999",
                                        "nodes.conf.tmp-12-1795334", "nodes.conf.tmp-0"};
    char p[PATH_MAX + 64];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(p, sizeof(p), "%s/%s", dir, names[i]);
        fclose(fopen(p, "w"));
    }
    store_file_close(&file);
    ck_assert_int_eq(store_file_open(&file, &io_under_test, path), 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(p, sizeof(p), "%s/%s", dir, names[i]);
        ck_assert_msg(exists(p), "%s", p);
    }
}
END_TEST

START_TEST(the_lock_is_on_the_file_before_and_after_a_replacement)
{
    struct store_file other;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(store_file_open(&other, &store_io_real, path), -EWOULDBLOCK);
        int fd = open(path, O_WRONLY); /* as a stock server does */
        ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), -1);
        close(fd);
        ck_assert_int_eq(replace(), 0);
    }
    store_file_close(&file);
    ck_assert_int_eq(store_file_open(&other, &store_io_real, path), 0);
    store_file_close(&other);
}
END_TEST

START_TEST(a_file_replaced_between_open_and_lock_is_opened_again)
{
    store_file_close(&file);
    swap_before_lock = true;
    ck_assert_int_eq(store_file_open(&file, &io_under_test, path), 0);
    ck_assert(!swap_before_lock);
    int fd = open(path, O_WRONLY);
    ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), -1);
    close(fd);
}
END_TEST

START_TEST(a_file_that_is_replaced_each_time_is_somebody_elses)
{
    store_file_close(&file);
    swap_before_lock = swap_always = true;
    ck_assert_int_eq(store_file_open(&file, &io_under_test, path), -EWOULDBLOCK);
    swap_before_lock = swap_always = false;
    ck_assert_int_eq(store_file_open(&file, &io_under_test, path), 0);
}
END_TEST

START_TEST(a_missing_file_is_created_empty)
{
    char *text;
    size_t n;
    store_file_close(&file);
    unlink(path);
    ck_assert_int_eq(store_file_open(&file, &io_under_test, path), 0);
    ck_assert_int_eq(store_file_read(&file, &text, &n), 0);
    ck_assert_ptr_null(text);
}
END_TEST

START_TEST(a_path_that_cannot_be_is_refused)
{
    struct store_file f;
    static char longest[STORE_PATH_MAX + 1];
    memset(longest, 'a', STORE_PATH_MAX);
    ck_assert_int_eq(store_file_open(&f, &store_io_real, longest), -ENAMETOOLONG);
    ck_assert_int_eq(store_file_open(&f, &store_io_real, "/nonexistent/x"), -ENOENT);
    ck_assert_int_eq(store_file_open(&f, &store_io_real, dir), -EISDIR);
}
END_TEST

START_TEST(a_bad_file_is_told_by_name_and_line_and_left_as_it_is)
{
    struct hs_topo *boot;
    char why[512];
    int code;
    store_file_close(&file);
    ck_assert_ptr_null(hs_store_open(path, 1, &boot, why, sizeof(why), &code));
    ck_assert_int_eq(code, 1);
    ck_assert_ptr_null(boot);
    ck_assert_msg(strstr(why, "nodes.conf:1: 4 fields") != NULL, "%s", why);
    ck_assert_str_eq(on_disk(), old_text);
    /* The refusal let go of the lock. */
    ck_assert_int_eq(store_file_open(&file, &store_io_real, path), 0);
    ck_assert_ptr_null(hs_store_open(path, 1, &boot, why, sizeof(why), &code));
    ck_assert_int_eq(code, 2);
    ck_assert_ptr_nonnull(strstr(why, "already used by a different node"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("store_file");
    TCase *tc = tcase_create("file");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_was_written_is_read_back_through_short_writes);
    tcase_add_test(tc, an_interrupted_write_goes_on);
    tcase_add_test(tc, a_path_may_be_a_bare_name);
    tcase_add_test(tc, what_is_no_file_or_too_large_is_not_read);
    tcase_add_test(tc, a_failure_at_any_step_leaves_a_whole_file_and_no_litter);
    tcase_add_test(tc, a_death_at_any_step_leaves_a_whole_file_and_the_next_start_sweeps);
    tcase_add_test(tc, only_leftovers_of_the_dead_are_swept);
    tcase_add_test(tc, the_lock_is_on_the_file_before_and_after_a_replacement);
    tcase_add_test(tc, a_file_replaced_between_open_and_lock_is_opened_again);
    tcase_add_test(tc, a_file_that_is_replaced_each_time_is_somebody_elses);
    tcase_add_test(tc, a_missing_file_is_created_empty);
    tcase_add_test(tc, a_path_that_cannot_be_is_refused);
    tcase_add_test(tc, a_bad_file_is_told_by_name_and_line_and_left_as_it_is);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
