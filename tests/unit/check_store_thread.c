/* The store thread against a disk that fails on demand: it never gives up,
 * newest wins, and what is reported saved is on disk.
 */
#include "hs_test.h"
#include "store_int.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char dir[] = "/tmp/check_store_XXXXXX";
static char path[PATH_MAX];
static struct hs_store *store;
static struct hs_wake owner;
static pthread_t thread;
static bool running;

static atomic_int disk_error; /* errno of every rename, 0: it works */
static atomic_int renames;
static struct hs_topo *while_saving; /* submitted, as 9, from within the next rename */

static int t_rename(const char *from, const char *to)
{
    atomic_fetch_add(&renames, 1);
    if (while_saving != NULL)
        hs_store_submit(store, while_saving, 9, false);
    while_saving = NULL;
    if (atomic_load(&disk_error) == 0)
        return rename(from, to);
    errno = atomic_load(&disk_error);
    return -1;
}

static struct store_io io;

static struct hs_topo *topology(uint64_t epoch)
{
    struct hs_topo *t = hs_topo_create(1, 0, 0);
    ck_assert_ptr_nonnull(t);
    struct hs_topo_node *me = &t->nodes[0];
    memset(me->id.hex, 'a', HS_ID_LEN);
    snprintf(me->ip, sizeof(me->ip), "127.0.0.1");
    me->flags = HS_NODE_MYSELF | HS_NODE_MASTER;
    me->master = HS_TOPO_NONE;
    me->hostname = me->nodename = me->client_ipv4 = me->client_ipv6 = "";
    t->nodes_n = 1;
    t->current_epoch = epoch;
    return t;
}

/* The epoch the file holds, 0 for an empty file. */
static uint64_t on_disk(void)
{
    struct hs_conf_error err;
    char text[4096];
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    size_t n = fread(text, 1, sizeof(text), f);
    fclose(f);
    if (n == 0)
        return 0;
    struct hs_topo *t = hs_nodesconf_parse(text, n, 1, &err);
    ck_assert_msg(t != NULL, "%u: %s", err.line, err.text);
    uint64_t epoch = t->current_epoch;
    hs_topo_destroy(t);
    return epoch;
}

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void wait_saved(uint64_t seq)
{
    int64_t end = now_ms() + 5000;
    while (hs_store_saved(store) < seq) {
        ck_assert_msg(now_ms() < end, "seq %lu was not saved in 5 s", (unsigned long)seq);
        hs_doze_begin(&owner.doze);
        if (hs_store_saved(store) < seq)
            hs_wake_wait(&owner, 5000);
        hs_doze_end(&owner.doze);
    }
}

static void wait_failures(uint64_t n)
{
    int64_t end = now_ms() + 5000;
    while (hs_store_failures(store) < n) {
        ck_assert(now_ms() < end);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

static void *run(void *arg)
{
    hs_store_run(arg);
    return NULL;
}

static void start(void)
{
    ck_assert_int_eq(pthread_create(&thread, NULL, run, store), 0);
    running = true;
}

static void stop(void)
{
    hs_store_stop(store);
    if (running)
        pthread_join(thread, NULL);
    running = false;
}

static void setup(void)
{
    struct hs_topo *boot;
    char why[512];
    int code;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/nodes.conf", dir);
    store = hs_store_open(path, 1, &boot, why, sizeof(why), &code);
    ck_assert_msg(store != NULL, "%s", why);
    ck_assert_ptr_null(boot);
    ck_assert_int_eq(hs_wake_init(&owner), 0);
    hs_store_notify(store, &owner);
    io = store_io_real;
    io.rename = t_rename;
    store->file.io = &io;
    hs_log_set_level(HS_LOG_NOTHING);
}

static void teardown(void)
{
    stop();
    hs_store_close(store);
    hs_wake_fini(&owner);
    unlink(path);
    ck_assert_int_eq(rmdir(dir), 0);
}

START_TEST(a_synchronous_save_is_on_disk_when_it_is_reported)
{
    start();
    for (uint64_t seq = 1; seq <= 20; seq++) {
        hs_store_submit(store, topology(seq), seq, true);
        wait_saved(seq);
        ck_assert_uint_eq(on_disk(), seq);
    }
    ck_assert_uint_eq(hs_store_failures(store), 0);
}
END_TEST

static atomic_uint asked_runs;

static void count_run(void *ctx)
{
    ck_assert_ptr_eq(ctx, &asked_runs);
    ck_assert(pthread_equal(pthread_self(), thread));
    atomic_fetch_add(&asked_runs, 1);
}

static void wait_asked(uint64_t n)
{
    int64_t end = now_ms() + 5000;
    while (hs_store_asked(store) < n) {
        ck_assert(now_ms() < end);
        hs_doze_begin(&owner.doze);
        if (hs_store_asked(store) < n)
            hs_wake_wait(&owner, 5000);
        hs_doze_end(&owner.doze);
    }
}

START_TEST(what_is_asked_for_runs_on_the_thread_between_saves)
{
    start();
    for (uint64_t n = 1; n <= 20; n++) {
        hs_store_ask(store, count_run, &asked_runs);
        hs_store_submit(store, topology(n), n, true);
        wait_asked(n);
        ck_assert_uint_eq(atomic_load(&asked_runs), n);
        wait_saved(n);
    }
    hs_store_ask(store, count_run, &asked_runs);
    stop(); /* also what was asked for last */
    ck_assert_uint_eq(atomic_load(&asked_runs), 21);
}
END_TEST

START_TEST(of_several_submissions_the_newest_is_saved_and_sync_carries_over)
{
    hs_store_submit(store, topology(1), 1, true);
    hs_store_submit(store, topology(2), 2, false);
    ck_assert(store->slot.sync);
    start();
    wait_saved(2);
    ck_assert_uint_eq(on_disk(), 2);
    ck_assert_int_eq(atomic_load(&renames), 1);
}
END_TEST

START_TEST(saves_nothing_waits_for_are_coalesced)
{
    start();
    int64_t begun = now_ms();
    for (uint64_t seq = 1; seq <= 100; seq++) {
        hs_store_submit(store, topology(seq), seq, false);
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    wait_saved(100);
    int64_t periods = (now_ms() - begun) / 100;
    ck_assert_int_le(atomic_load(&renames), (int)periods + 2);
}
END_TEST

START_TEST(a_synchronous_save_does_not_wait_its_turn)
{
    start();
    hs_store_submit(store, topology(1), 1, false);
    wait_saved(1);
    hs_store_submit(store, topology(2), 2, false);
    int64_t begun = now_ms();
    hs_store_submit(store, topology(3), 3, true);
    wait_saved(3);
    ck_assert_int_lt(now_ms() - begun, 90);
}
END_TEST

START_TEST(a_full_disk_is_retried_until_it_is_not)
{
    char why[256];
    atomic_store(&disk_error, ENOSPC);
    start();
    hs_store_submit(store, topology(1), 1, true);
    wait_failures(1);
    ck_assert_uint_eq(hs_store_saved(store), 0);
    ck_assert_uint_eq(on_disk(), 0);
    hs_store_error(store, why, sizeof(why));
    ck_assert_str_eq(why, "rename: No space left on device");
    for (uint64_t seq = 2; seq <= 50; seq++) /* does not make it try harder */
        hs_store_submit(store, topology(seq), seq, false);
    ck_assert_uint_le(hs_store_failures(store), 2);
    wait_failures(2);
    atomic_store(&disk_error, 0);
    wait_saved(50);
    ck_assert_uint_eq(on_disk(), 50);
    hs_store_error(store, why, sizeof(why));
    ck_assert_str_eq(why, "");
}
END_TEST

START_TEST(a_flush_saves_before_the_thread_runs_and_says_if_it_could_not)
{
    hs_store_submit(store, topology(1), 1, true);
    atomic_store(&disk_error, ENOSPC);
    ck_assert(!hs_store_flush(store));
    ck_assert_uint_eq(on_disk(), 0);
    atomic_store(&disk_error, 0);
    ck_assert(hs_store_flush(store));
    ck_assert_uint_eq(on_disk(), 1);
    ck_assert_uint_eq(hs_store_saved(store), 1);
}
END_TEST

START_TEST(a_failed_save_gives_way_to_what_came_meanwhile_and_is_no_less_urgent)
{
    hs_store_submit(store, topology(1), 1, true);
    while_saving = topology(9);
    atomic_store(&disk_error, ENOSPC);
    ck_assert(!hs_store_flush(store));
    ck_assert_uint_eq(store->slot.seq, 9);
    ck_assert(store->slot.sync);
    atomic_store(&disk_error, 0);
    ck_assert(hs_store_flush(store));
    ck_assert_uint_eq(on_disk(), 9);
    ck_assert(hs_store_flush(store)); /* nothing is left to do */
}
END_TEST

START_TEST(stopping_writes_what_is_left)
{
    start();
    hs_store_submit(store, topology(1), 1, true);
    wait_saved(1);
    hs_store_submit(store, topology(2), 2, false);
    stop();
    ck_assert_uint_eq(hs_store_saved(store), 2);
    ck_assert_uint_eq(on_disk(), 2);
}
END_TEST

START_TEST(stopping_does_not_wait_for_a_broken_disk)
{
    atomic_store(&disk_error, EROFS);
    start();
    hs_store_submit(store, topology(1), 1, true);
    wait_failures(1);
    int64_t begun = now_ms();
    stop();
    ck_assert_int_lt(now_ms() - begun, 500);
    ck_assert_uint_eq(hs_store_saved(store), 0);
}
END_TEST

START_TEST(what_was_saved_is_what_the_next_start_reads)
{
    struct hs_topo *boot;
    char why[512];
    int code;
    start();
    hs_store_submit(store, topology(77), 1, true);
    wait_saved(1);
    stop();
    hs_store_close(store);
    store = hs_store_open(path, 1, &boot, why, sizeof(why), &code);
    ck_assert_msg(store != NULL, "%s", why);
    ck_assert_uint_eq(boot->current_epoch, 77);
    hs_topo_destroy(boot);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("store_thread");
    TCase *tc = tcase_create("thread");
    tcase_set_timeout(tc, 20);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_synchronous_save_is_on_disk_when_it_is_reported);
    tcase_add_test(tc, what_is_asked_for_runs_on_the_thread_between_saves);
    tcase_add_test(tc, of_several_submissions_the_newest_is_saved_and_sync_carries_over);
    tcase_add_test(tc, saves_nothing_waits_for_are_coalesced);
    tcase_add_test(tc, a_synchronous_save_does_not_wait_its_turn);
    tcase_add_test(tc, a_full_disk_is_retried_until_it_is_not);
    tcase_add_test(tc, a_flush_saves_before_the_thread_runs_and_says_if_it_could_not);
    tcase_add_test(tc, a_failed_save_gives_way_to_what_came_meanwhile_and_is_no_less_urgent);
    tcase_add_test(tc, stopping_writes_what_is_left);
    tcase_add_test(tc, stopping_does_not_wait_for_a_broken_disk);
    tcase_add_test(tc, what_was_saved_is_what_the_next_start_reads);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
