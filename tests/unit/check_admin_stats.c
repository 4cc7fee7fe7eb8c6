/* INFO commandstats, and what counts as refused, failed and run. */
#include "admin_fake.h"

static void ck_stat(const char *cmd, unsigned calls, unsigned rejected, unsigned failed)
{
    char head[128];
    char tail[128];
    snprintf(head, sizeof(head), "\r\ncmdstat_%s:calls=%u,usec=", cmd, calls);
    snprintf(tail, sizeof(tail), ",rejected_calls=%u,failed_calls=%u\r\n", rejected, failed);
    const char *at = strstr(fake_run("info commandstats"), head);
    ck_assert_msg(at != NULL, "%s is not in %s", head, fake.out.p);
    at = strstr(at, ",rejected_calls=");
    ck_assert_msg(at != NULL && strncmp(at, tail, strlen(tail)) == 0, "%s: %.60s", tail, at);
}

START_TEST(commands_that_run_are_counted_with_their_time)
{
    ck_assert_ptr_null(strstr(fake_run("info commandstats"), "cmdstat_"));
    fake_run("ping");
    fake_run("ping");
    fake_run("cluster myid");
    ck_stat("ping", 2, 0, 0);
    ck_stat("cluster|myid", 1, 0, 0);
    ck_assert_ptr_null(strstr(fake_run("info commandstats"), "cmdstat_cluster:"));
    ck_assert_ptr_null(strstr(fake_run("info"), "# Commandstats"));
    ck_assert_ptr_nonnull(strstr(fake_run("info all"), "# Commandstats"));
}
END_TEST

START_TEST(what_is_refused_before_it_runs_is_rejected)
{
    fake_run("echo");
    fake_run("cluster myid x");
    fake_run("cluster");
    fake_run("get k");       /* its slot is nobody's */
    fake_run("set {m95} 1"); /* moved */
    ck_stat("echo", 0, 1, 0);
    ck_stat("cluster|myid", 0, 1, 0);
    ck_stat("cluster", 0, 1, 0);
    ck_stat("get", 0, 1, 0);
    ck_stat("set", 0, 1, 0);
    fake_run("nosuch");
    fake_run("cluster nosuch");
    ck_stat("cluster", 0, 1, 0);
}
END_TEST

START_TEST(what_runs_into_an_error_has_failed)
{
    fake_run("select 1");
    ck_stat("select", 1, 0, 1);
    fake.err = HS_CMD_ERR_EPOCH_SET; /* the owner's answer counts too */
    fake_run("cluster set-config-epoch 5");
    fake.err = HS_CMD_OK;
    fake_run("cluster saveconfig");
    ck_stat("cluster|set-config-epoch", 1, 0, 1);
    ck_stat("cluster|saveconfig", 1, 0, 0);
    memset(fake.topo->owner, 0, sizeof(fake.topo->owner));
    fake_run("get k");
    ck_stat("get", 1, 0, 1);
}
END_TEST

START_TEST(a_queued_command_counts_when_exec_runs_it)
{
    fake_run("multi");
    fake_run("echo a");
    fake_run("echo");
    fake_run("discard");
    ck_stat("echo", 0, 1, 0);
    fake_run("multi");
    fake_run("echo a");
    fake_run("exec");
    ck_stat("echo", 1, 1, 0);
    ck_stat("exec", 1, 0, 0);
}
END_TEST

START_TEST(resetstat_forgets_them)
{
    fake_run("ping");
    fake_run("config resetstat");
    ck_assert_ptr_null(strstr(fake_run("info commandstats"), "cmdstat_ping"));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        commands_that_run_are_counted_with_their_time,
        what_is_refused_before_it_runs_is_rejected,
        what_runs_into_an_error_has_failed,
        a_queued_command_counts_when_exec_runs_it,
        resetstat_forgets_them,
    };
    return hs_test_main(fake_suite("admin_stats", tests, sizeof(tests) / sizeof(tests[0])));
}
