/* When a node is to be restarted, when it may have clients, and what it says if not. */
#include "hs_test.h"

#include "metrics_int.h"

#include <string.h>

enum { NOW_MS = 1000000 };

static struct hs_published view;
static char why[256];

static void setup(void)
{
    memset(&view, 0, sizeof(view));
    view.topo = hs_topo_create(3, 0, 0);
    ck_assert_ptr_nonnull(view.topo);
    view.topo->nodes_n = 3;
    view.topo->ok = true;
    view.topo->slots_assigned = HS_SLOTS;
    view.topo->size = 3;
    view.published_ms = NOW_MS;
    snprintf(view.conf.cluster_config_file, sizeof(view.conf.cluster_config_file), "nodes.conf");
}

static void teardown(void)
{
    hs_topo_destroy(view.topo);
}

START_TEST(a_view_is_fresh_for_five_seconds)
{
    ck_assert(metrics_is_healthy(&view, NOW_MS + OWNER_SILENT_MS, why, sizeof(why)));
    ck_assert_str_eq(why, "ok");
    ck_assert(!metrics_is_healthy(&view, NOW_MS + OWNER_SILENT_MS + 1, why, sizeof(why)));
    ck_assert_str_eq(why, "the owner thread has published nothing for 5001 ms");
    ck_assert(!metrics_is_ready(&view, NOW_MS + OWNER_SILENT_MS + 1, why, sizeof(why)));
    ck_assert_ptr_nonnull(strstr(why, "owner"));
}
END_TEST

START_TEST(a_disk_that_hangs_is_unhealthy_and_one_that_refuses_is_not)
{
    view.save_waits_ms = NOW_MS - DISK_HANGS_MS;
    ck_assert(metrics_is_healthy(&view, NOW_MS, why, sizeof(why)));
    ck_assert(!metrics_is_healthy(&view, NOW_MS + 1, why, sizeof(why)));
    ck_assert_str_eq(why, "the disk has been at the same save of nodes.conf for 30001 ms");
    view.save_waits_ms = 0;
    snprintf(view.save_error, sizeof(view.save_error), "write: No space left on device");
    ck_assert(metrics_is_healthy(&view, NOW_MS, why, sizeof(why)));
    ck_assert_str_eq(why, "ok, but the last save failed: write: No space left on device");
}
END_TEST

START_TEST(a_cluster_that_serves_is_ready)
{
    ck_assert(metrics_is_ready(&view, NOW_MS, why, sizeof(why)));
    ck_assert_str_eq(why, "ok, 3 nodes known");
}
END_TEST

START_TEST(one_that_does_not_says_what_is_missing)
{
    view.topo->ok = false;
    ck_assert(!metrics_is_ready(&view, NOW_MS, why, sizeof(why)));
    ck_assert_ptr_nonnull(strstr(why, "a majority of the 3 masters"));
    view.topo->slots_fail = 5461;
    ck_assert(!metrics_is_ready(&view, NOW_MS, why, sizeof(why)));
    ck_assert_str_eq(why, "cluster state is fail: the owners of 5461 slots are down");
    view.topo->slots_assigned = HS_SLOTS - 2;
    ck_assert(!metrics_is_ready(&view, NOW_MS, why, sizeof(why)));
    ck_assert_str_eq(why, "cluster state is fail: 2 of 16384 slots have no owner");
    view.topo->nodes_n = 1;
    ck_assert(!metrics_is_ready(&view, NOW_MS, why, sizeof(why)));
    ck_assert_ptr_nonnull(strstr(why, "this node knows no other"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("metrics_health");
    TCase *t = tcase_create("health");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_view_is_fresh_for_five_seconds);
    tcase_add_test(t, a_disk_that_hangs_is_unhealthy_and_one_that_refuses_is_not);
    tcase_add_test(t, a_cluster_that_serves_is_ready);
    tcase_add_test(t, one_that_does_not_says_what_is_missing);
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
