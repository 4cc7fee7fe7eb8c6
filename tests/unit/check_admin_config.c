/* CONFIG SET: what it accepts, what that changes, and whom it blames. */
#include "admin_fake.h"

#define FAILED(name, why) \
    "-ERR CONFIG SET failed (possibly related to argument '" name "') - " why "\r\n"

START_TEST(a_data_store_directive_is_accepted_and_changes_nothing)
{
    ck_reply("config set appendonly yes", "+OK\r\n");
    ck_reply("config set save \"\" maxmemory 100mb repl-timeout 5", "+OK\r\n");
    ck_reply("config get appendonly", "*0\r\n");
    ck_reply("config set AppendOnly yes loglevel verbose", "+OK\r\n");
    ck_reply("config set appendonlyx yes",
             "-ERR Unknown option or number of arguments for CONFIG SET - 'appendonlyx'\r\n");
    ck_reply("config set appendonly yes APPENDONLY no",
             FAILED("APPENDONLY", "duplicate parameter"));
    ck_reply("config set appendonly yes port 1", FAILED("port", "can't set immutable config"));
}
END_TEST

START_TEST(the_pair_that_breaks_the_whole_is_named)
{
    fake.view.conf.ping_interval_ms = 1000;
    fake.requests_n = 0;
    ck_reply("config set loglevel verbose cluster-node-timeout 1000 appendonly yes",
             FAILED("cluster-node-timeout",
                    "cluster-ping-interval 1000 must be below cluster-node-timeout 1000"));
    ck_reply("config set loglevel verbose maxclients 10001 cluster-node-timeout 3000",
             FAILED("maxclients", "maxclients can be at most 10000 until a restart: tables have "
                                  "that size"));
    ck_assert_uint_eq(fake.requests_n, 0);
    /* What is wrong only on the way is not wrong. */
    ck_reply("config set cluster-node-timeout 500 cluster-ping-interval 100", "+OK\r\n");
}
END_TEST

START_TEST(rewrite_is_asked_of_the_owner)
{
    fake.admin->conf.config_file = "/no/such/file";
    ck_reply("config rewrite", "+OK\r\n");
    ck_assert_int_eq(fake.kind, HS_REQ_REWRITE);
    fake.hold = true;
    fake_run("config rewrite");
    ck_assert_str_eq(fake.held->base.path, "/no/such/file");
    ck_assert_ptr_nonnull(fake.held->base.conf);
    strcpy(fake.held->base.why, "no room");
    fake.held->base.number = -1;
    ck_assert(fake.ops.reply(fake.session, fake.held, &fake.out));
    ck_assert_str_eq(fake.out.p, "-ERR Rewriting config file: no room\r\n");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_data_store_directive_is_accepted_and_changes_nothing,
        the_pair_that_breaks_the_whole_is_named,
        rewrite_is_asked_of_the_owner,
    };
    return hs_test_main(fake_suite("admin_config", tests, sizeof(tests) / sizeof(tests[0])));
}
