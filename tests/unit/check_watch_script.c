/* The notification script: called with an event as it is, retried by its exit
 * code, killed at its limit with all it started, and never left behind. */
#include "hs_test.h"
#include "script_int.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_MS = 10000 };

static struct hs_watch *w;
static struct hs_script *script;
static pthread_t thread;
static char dir[64], path[128], out[128];

static void *run(void *p)
{
    hs_script_run(p);
    return NULL;
}

static void told(void *ctx)
{
    (void)ctx;
}

static void setup(void)
{
    static const struct hs_watch_conf conf = {.nodes_max = 2, .told = told};
    strcpy(dir, "/tmp/hearsay-script-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/script", dir);
    snprintf(out, sizeof(out), "%s/out", dir);
    w = hs_watch_create(&conf);
    ck_assert_ptr_nonnull(w);
}

/* body sees the directory as $D */
static void begin(const char *body, struct hs_script_conf conf)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "#!/bin/sh\nD=%s\n%s\n", dir, body);
    fclose(f);
    ck_assert_int_eq(chmod(path, 0700), 0);
    conf.path = path;
    script = hs_script_create(w, &conf);
    ck_assert_ptr_nonnull(script);
    ck_assert_int_eq(pthread_create(&thread, NULL, run, script), 0);
}

static void stop(void)
{
    hs_script_stop(script);
    pthread_join(thread, NULL);
    hs_script_destroy(script);
}

static void teardown(void)
{
    char command[160];
    hs_watch_destroy(w);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no child, dead or alive */
}

static void tell(enum hs_told_kind kind, const char *text)
{
    hs_watch_tell(w, kind, text);
    hs_wake_post(hs_script_wake(script));
}

static void wait_count(enum watch_counter counter, uint64_t n)
{
    for (int ms = 0; hs_watch_counter(w, (uint32_t)counter) < n; ms++) {
        ck_assert_msg(ms < WAIT_MS, "%s is %u", hs_watch_counter_name((uint32_t)counter),
                      (unsigned)hs_watch_counter(w, (uint32_t)counter));
        usleep(1000);
    }
    ck_assert_uint_eq(hs_watch_counter(w, (uint32_t)counter), n);
}

static const char *output(void)
{
    static char text[4096];
    FILE *f = fopen(out, "r");
    size_t n = f != NULL ? fread(text, 1, sizeof(text) - 1, f) : 0;
    if (f != NULL)
        fclose(f);
    text[n] = '\0';
    return text;
}

static const struct hs_script_conf quick = {
    .limit_ms = 5000, .retry_ms = 10, .tries_max = 3, .running_max = 2, .queue_max = 4};

START_TEST(it_gets_name_and_line_as_two_arguments_and_nothing_of_ours)
{
    setenv("HEARSAY_TEST_SECRET", "x", 1);
    begin("{ echo \"$#\"; echo \"$1\"; echo \"$2\"; env | grep -c SECRET; ls /proc/self/fd | wc -l;"
          "} >$D/out",
          quick);
    tell(HS_TOLD_FAIL, "node=$(touch /tmp/no);`id` name='x\" ; y");
    wait_count(WATCH_script_ok, 1);
    stop();
    /* 0, 1, 2 and the directory that ls reads */
    ck_assert_str_eq(output(), "2\n+fail\nnode=$(touch /tmp/no);`id` name='x\" ; y\n0\n4\n");
}
END_TEST

START_TEST(it_is_called_for_urgent_events_only)
{
    begin("echo $1 >>$D/out", quick);
    tell(HS_TOLD_EPOCH, "old=1 new=2");
    tell(HS_TOLD_STATE, "old=ok new=fail");
    wait_count(WATCH_script_ok, 1);
    stop();
    ck_assert_str_eq(output(), "+state\n");
}
END_TEST

START_TEST(code_1_is_tried_again_until_it_works)
{
    begin("echo x >>$D/out; test $(wc -l <$D/out) -ge 3", quick);
    tell(HS_TOLD_FAIL, "node=x");
    wait_count(WATCH_script_ok, 1);
    stop();
    ck_assert_str_eq(output(), "x\nx\nx\n");
    ck_assert_uint_eq(hs_watch_counter(w, WATCH_script_retries), 2);
}
END_TEST

START_TEST(after_so_many_tries_it_is_given_up)
{
    begin("echo x >>$D/out; exit 1", quick);
    tell(HS_TOLD_FAIL, "node=x");
    wait_count(WATCH_script_failures, 1);
    stop();
    ck_assert_str_eq(output(), "x\nx\nx\n");
}
END_TEST

START_TEST(any_other_code_is_not_tried_again)
{
    begin("echo x >>$D/out; exit 2", quick);
    tell(HS_TOLD_FAIL, "node=x");
    wait_count(WATCH_script_failures, 1);
    stop();
    ck_assert_str_eq(output(), "x\n");
    ck_assert_uint_eq(hs_watch_counter(w, WATCH_script_retries), 0);
}
END_TEST

/* It ignores what can be ignored, and has a child of its own. */
START_TEST(at_its_limit_it_is_killed_with_all_it_started)
{
    struct hs_script_conf conf = quick;
    conf.limit_ms = 300;
    conf.tries_max = 1;
    begin("trap '' TERM INT HUP; sleep 987 & echo $! >$D/child; mv $D/child $D/out; wait", conf);
    tell(HS_TOLD_FAIL, "node=x");
    wait_count(WATCH_script_killed, 1);
    wait_count(WATCH_script_failures, 1);
    stop();
    char proc[64];
    int child = atoi(output());
    ck_assert_int_gt(child, 1);
    snprintf(proc, sizeof(proc), "/proc/%d/cmdline", child);
    for (int ms = 0; access(proc, R_OK) == 0; ms++) {
        char line[32] = "";
        FILE *f = fopen(proc, "r");
        size_t n = f != NULL ? fread(line, 1, sizeof(line) - 1, f) : 0;
        if (f != NULL)
            fclose(f);
        if (n == 0 || strcmp(line, "sleep") != 0)
            break; /* gone, or waits for its new parent */
        ck_assert_int_lt(ms, WAIT_MS);
        usleep(1000);
    }
}
END_TEST

START_TEST(no_more_run_at_once_than_may_and_the_oldest_waiting_gives_way)
{
    begin("echo $2 >>$D/out; while ! test -e $D/go; do sleep 0.02; done", quick);
    tell(HS_TOLD_FAIL, "n=1");
    tell(HS_TOLD_FAIL, "n=2");
    wait_count(WATCH_script_runs, 2);
    tell(HS_TOLD_FAIL, "n=3");
    tell(HS_TOLD_FAIL, "n=4");
    tell(HS_TOLD_FAIL, "n=5");
    tell(HS_TOLD_FAIL, "n=6");
    wait_count(WATCH_script_dropped, 2);
    ck_assert_uint_eq(hs_watch_counter(w, WATCH_script_runs), 2);
    char go[160];
    snprintf(go, sizeof(go), "%s/go", dir);
    fclose(fopen(go, "w"));
    wait_count(WATCH_script_ok, 4);
    stop();
    ck_assert_ptr_nonnull(strstr(output(), "n=5\n"));
    ck_assert_ptr_nonnull(strstr(output(), "n=6\n"));
    ck_assert_ptr_null(strstr(output(), "n=3\n"));
    ck_assert_ptr_null(strstr(output(), "n=4\n"));
}
END_TEST

START_TEST(a_stop_kills_what_runs_at_once)
{
    begin("sleep 987", quick);
    tell(HS_TOLD_FAIL, "node=x");
    wait_count(WATCH_script_runs, 1);
    int64_t from = hs_clock().mono.ms;
    stop();
    ck_assert_int_lt(hs_clock().mono.ms - from, 5000);
}
END_TEST

START_TEST(one_that_cannot_be_started_is_tried_again_and_given_up)
{
    begin("true", quick);
    ck_assert_int_eq(unlink(path), 0);
    tell(HS_TOLD_FAIL, "node=x");
    wait_count(WATCH_script_failures, 1);
    ck_assert_uint_eq(hs_watch_counter(w, WATCH_script_runs), 3);
    stop();
}
END_TEST

START_TEST(orphans_are_reaped_and_the_status_of_a_run_is_not_taken)
{
    enum { RUNS = 64 };
    struct hs_script_conf conf = quick;
    siginfo_t ended;
    conf.running_max = 16;
    conf.queue_max = RUNS;
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    begin("sleep 0.1 & exit 2", conf);
    for (int i = 0; i < RUNS; i++)
        tell(HS_TOLD_FAIL, "node=x");
    /* Until there is no child at all. Without a pause, so that a run may end at any
     * point of the thread's round. */
    int64_t until_ms = hs_clock().mono.ms + WAIT_MS;
    while (hs_watch_counter(w, WATCH_script_runs) < RUNS ||
           waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0) {
        ck_assert_int_lt(hs_clock().mono.ms, until_ms);
        hs_script_reap(script);
    }
    wait_count(WATCH_script_failures, RUNS);
    ck_assert_uint_eq(hs_watch_counter(w, WATCH_script_retries), 0);
    stop();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("watch_script");
    TCase *tc = tcase_create("script");
    hs_log_set_level(HS_LOG_NOTHING);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, it_gets_name_and_line_as_two_arguments_and_nothing_of_ours);
    tcase_add_test(tc, it_is_called_for_urgent_events_only);
    tcase_add_test(tc, code_1_is_tried_again_until_it_works);
    tcase_add_test(tc, after_so_many_tries_it_is_given_up);
    tcase_add_test(tc, any_other_code_is_not_tried_again);
    tcase_add_test(tc, at_its_limit_it_is_killed_with_all_it_started);
    tcase_add_test(tc, no_more_run_at_once_than_may_and_the_oldest_waiting_gives_way);
    tcase_add_test(tc, a_stop_kills_what_runs_at_once);
    tcase_add_test(tc, one_that_cannot_be_started_is_tried_again_and_given_up);
    tcase_add_test(tc, orphans_are_reaped_and_the_status_of_a_run_is_not_taken);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
