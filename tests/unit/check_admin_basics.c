/* Connection and server commands: replies, errors, passwords, both protocols.
 *
 * Length: one fixture, and short claims that are read one by one. */
#include "admin_fake.h"

static void reopen(void)
{
    fake.ops.close(fake.session);
    fake_open();
}

static void with_password(const char *password)
{
    strcpy(fake.view.conf.requirepass, password);
    reopen();
}

START_TEST(tables_are_in_the_order_of_names)
{
    for (size_t i = 0; i < admin_commands_n(); i++) {
        const struct admin_cmd *cmd = admin_command(i);
        const struct hs_arg name = {.p = cmd->name, .n = strlen(cmd->name)};
        ck_assert_msg(admin_find(&name) == cmd, "%s is not found", cmd->name);
        ck_assert(cmd->run != NULL || cmd->subs != NULL);
        ck_assert_ptr_nonnull(cmd->summary);
    }
}
END_TEST

static const struct {
    const char *line, *reply;
} plain[] = {
    {"ping", "+PONG\r\n"},
    {"PING a", "$1\r\na\r\n"},
    {"ping a b", "-ERR wrong number of arguments for 'ping' command\r\n"},
    {"echo \"\"", "$0\r\n\r\n"},
    {"echo", "-ERR wrong number of arguments for 'echo' command\r\n"},
    {"foo", "-ERR unknown command 'foo', with args beginning with: \r\n"},
    {"foo a b", "-ERR unknown command 'foo', with args beginning with: 'a' 'b' \r\n"},
    {"monitor a", "-ERR unknown command 'monitor', with args beginning with: 'a' \r\n"},
    {"client foo", "-ERR unknown subcommand 'foo'. Try CLIENT HELP.\r\n"},
    {"cluster", "-ERR wrong number of arguments for 'cluster' command\r\n"},
    {"client id x", "-ERR wrong number of arguments for 'client|id' command\r\n"},
    {"select 0", "+OK\r\n"},
    {"select x", "-ERR value is not an integer or out of range\r\n"},
    {"select 99999999999", "-ERR value is out of range, value must between -2147483648 and "
                           "2147483647\r\n"},
    {"role", "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"},
    {"client id", ":1\r\n"},
    {"client getname", "$-1\r\n"},
    {"client setname \"a b\"",
     "-ERR Client names cannot contain spaces, newlines or special characters.\r\n"},
    {"client setinfo lib-name x", "+OK\r\n"},
    {"client setinfo foo x", "-ERR Unrecognized option 'foo'\r\n"},
    {"client setinfo lib-ver \"a b\"",
     "-ERR lib-ver cannot contain spaces, newlines or special characters.\r\n"},
    {"client no-evict on", "+OK\r\n"},
    {"client no-touch maybe", "-ERR syntax error\r\n"},
    {"client list type foo", "-ERR Unknown client type 'foo'\r\n"},
    {"client list type pubsub", "$0\r\n\r\n"},
    {"client list id x", "-ERR Invalid client ID\r\n"},
    {"client list id 0 -1", "$0\r\n\r\n"},
    {"client kill type foo", "-ERR Unknown client type 'foo'\r\n"},
    {"client kill type pubsub", ":0\r\n"},
    {"client kill id 99", ":0\r\n"},
    {"client kill id 0", "-ERR client-id should be greater than 0\r\n"},
    {"client kill user nobody", "-ERR No such user 'nobody'\r\n"},
    {"client kill 1.2.3.4:5", "-ERR No such client\r\n"},
    {"client kill foo bar", "-ERR syntax error\r\n"},
    {"auth x", "-ERR AUTH <password> called without any password configured for the default "
               "user. Are you sure your configuration is correct?\r\n"},
    {"auth default x", "+OK\r\n"},
    {"auth other x", "-WRONGPASS invalid username-password pair or user is disabled.\r\n"},
    {"auth a b c", "-ERR syntax error\r\n"},
    {"hello 4", "-NOPROTO unsupported protocol version\r\n"},
    {"hello x", "-ERR Protocol version is not an integer or out of range\r\n"},
    {"hello 3 foo", "-ERR Syntax error in HELLO option 'foo'\r\n"},
    {"reset", "+RESET\r\n"},
    {"shutdown foo", "-ERR syntax error\r\n"},
    {"shutdown save nosave", "-ERR syntax error\r\n"},
    {"shutdown abort", "-ERR No shutdown in progress.\r\n"},
    {"config set timeout 0 port", "-ERR syntax error\r\n"},
    {"command info nosuch", "*1\r\n$-1\r\n"},
    {"config set nosuch 1",
     "-ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'\r\n"},
    {"config set port 1", "-ERR CONFIG SET failed (possibly related to argument 'port') - can't "
                          "set immutable config\r\n"},
    {"config set timeout", "-ERR wrong number of arguments for 'config|set' command\r\n"},
    {"config get cluster-node-timeout", "*2\r\n$20\r\ncluster-node-timeout\r\n$5\r\n15000\r\n"},
    {"config get nosuch", "*0\r\n"},
    {"config rewrite", "-ERR The server is running without a config file\r\n"},
    {"config resetstat", "+OK\r\n"},
    {"exec", "-ERR EXEC without MULTI\r\n"},
    {"discard", "-ERR DISCARD without MULTI\r\n"},
    {"command list filterby pattern pin*", "*1\r\n$4\r\nping\r\n"},
    {"command info get", "*1\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n"
                         ":1\r\n*1\r\n+@string\r\n*0\r\n*0\r\n*0\r\n"},
    {"command docs nosuch", "*0\r\n"},
    {"hello 2", "*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.4\r\n"
                "$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$7\r\ncluster\r\n"
                "$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n"},
};

START_TEST(commands_reply_as_the_stock_server)
{
    ck_reply(plain[_i].line, plain[_i].reply);
}
END_TEST

START_TEST(hello_3_is_a_map)
{
    const char *reply = fake_run("hello 3 setname me");
    ck_assert_msg(strncmp(reply, "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n", 27) == 0, "%s", reply);
    ck_reply("client getname", "$2\r\nme\r\n");
    ck_reply("randomkey", "_\r\n");
    fake_run("reset");
    ck_reply("client getname", "$-1\r\n");
}
END_TEST

START_TEST(a_password_is_asked_for)
{
    static const char big[] = "*11\r\n$4\r\nping\r\n";
    with_password("secret");
    ck_reply("ping", "-NOAUTH Authentication required.\r\n");
    ck_reply("foo", "-ERR unknown command 'foo', with args beginning with: \r\n");
    ck_reply("auth wrong", "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
    ck_reply("auth secretsecret",
             "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
    ck_assert_int_eq(strncmp(fake_run("hello 3"), "-NOAUTH HELLO must be called", 28), 0);
    ck_reply("auth secret", "+OK\r\n");
    ck_reply("ping", "+PONG\r\n");
    ck_reply("reset", "+RESET\r\n");
    ck_reply("ping", "-NOAUTH Authentication required.\r\n");
    ck_assert_int_eq(strncmp(fake_run("hello 2 auth default secret"), "*14", 3), 0);
    reopen();
    fake.out.n = 0;
    fake_feed(big, sizeof(big) - 1);
    ck_assert_str_eq(fake.out.p, "-ERR Protocol error: unauthenticated multibulk length\r\n");
    ck_assert_int_eq(fake.verdict, HS_CLIENT_CLOSE);
}
END_TEST

START_TEST(protected_mode_turns_strangers_away)
{
    static const struct hs_client_info info = {.peer = "10.0.0.1:5000", .local = "10.0.0.2:7000"};
    fake.out.n = 0;
    fake.view.conf.protected_mode = true;
    ck_assert_ptr_null(fake.ops.open(fake.ops.ctx, &info, &fake.out));
    ck_assert_int_eq(strncmp(fake.out.p, "-DENIED Redis is running in protected mode", 42), 0);
    strcpy(fake.view.conf.requirepass, "secret");
    void *session = fake.ops.open(fake.ops.ctx, &info, &fake.out);
    ck_assert_ptr_nonnull(session);
    fake.ops.close(session);
}
END_TEST

START_TEST(client_list_shows_the_session)
{
    fake_run("client setname me");
    const char *reply = fake_run("client list");
    ck_assert_ptr_nonnull(strstr(reply, "id=1 addr=127.0.0.1:5000 laddr=127.0.0.1:7000 fd="));
    ck_assert_ptr_nonnull(strstr(reply, " name=me age=0 idle=0 flags=N db=0 "));
    ck_assert_ptr_nonnull(strstr(reply, " cmd=client|list user=default redir=-1 resp=2 "));
    ck_assert_ptr_nonnull(strstr(fake_run("client info"), "id=1 "));
}
END_TEST

START_TEST(a_killed_client_is_closed)
{
    static const struct hs_client_info info = {.peer = "127.0.0.1:6000", .loopback = true};
    void *other = fake.ops.open(fake.ops.ctx, &info, &fake.out);
    void *request = NULL;
    ck_reply("client kill addr 127.0.0.1:6000", ":1\r\n");
    ck_assert_int_eq(fake.ops.feed(other, (const uint8_t *)"ping\n", 5, &fake.out, &request),
                     HS_CLIENT_CLOSE);
    fake.ops.close(other);
    ck_reply("client kill type normal", ":0\r\n");
    fake_feed("client kill id 1 skipme no\nping\n", 32);
    ck_assert_int_eq(fake.verdict, HS_CLIENT_CLOSE);
}
END_TEST

START_TEST(an_idle_killed_client_is_closed_by_its_reactors_next_turn)
{
    static const struct hs_client_info info = {
        .conn = {.ix = 7, .gen = 1}, .peer = "127.0.0.1:6000", .loopback = true};
    void *other = fake.ops.open(fake.ops.ctx, &info, &fake.out);
    fake.ops.turn(fake.ops.ctx, 0);
    ck_assert_uint_eq(fake.killed_n, 0);
    ck_reply("client kill addr 127.0.0.1:6000", ":1\r\n");
    ck_assert_uint_eq(fake.wakes_n, 1);
    fake.ops.turn(fake.ops.ctx, 0);
    ck_assert_uint_eq(fake.killed_n, 1);
    ck_assert_uint_eq(fake.killed[0], 7);
    fake.ops.close(other);
    fake.ops.turn(fake.ops.ctx, 0);
    ck_assert_uint_eq(fake.killed_n, 1);
}
END_TEST

START_TEST(who_kills_itself_reads_the_reply)
{
    ck_reply("client kill id 1 skipme no", ":1\r\n");
    ck_assert_int_eq(fake.verdict, HS_CLIENT_CLOSE);
    fake.ops.turn(fake.ops.ctx, 0);
    ck_assert_uint_eq(fake.killed_n, 0);
}
END_TEST

START_TEST(replies_can_be_switched_off)
{
    ck_reply("client reply off", "");
    ck_reply("ping", "");
    ck_reply("client reply on", "+OK\r\n");
    ck_reply("client reply skip", "");
    ck_reply("cluster saveconfig", "");
    ck_reply("ping", "+PONG\r\n");
}
END_TEST

START_TEST(quit_closes_and_ignores_the_rest)
{
    fake_feed("quit\nping\n", 10);
    ck_assert_str_eq(fake.out.p, "+OK\r\n");
    ck_assert_int_eq(fake.verdict, HS_CLIENT_CLOSE);
}
END_TEST

START_TEST(config_get_echoes_a_name_and_completes_a_pattern)
{
    ck_reply("config get PORT", "*2\r\n$4\r\nPORT\r\n$4\r\n6379\r\n");
    ck_reply("config get P?RT", "*2\r\n$4\r\nport\r\n$4\r\n6379\r\n");
    ck_reply("config get port p[o]rt nosuch", "*2\r\n$4\r\nport\r\n$4\r\n6379\r\n");
    ck_reply("config get cluster-slave-no-failover",
             "*2\r\n$25\r\ncluster-slave-no-failover\r\n$2\r\nno\r\n");
    ck_reply("config get \"\"", "*0\r\n");
}
END_TEST

START_TEST(config_set_takes_all_or_none)
{
    ck_reply("config set cluster-node-timeout 5000 loglevel verbose", "+OK\r\n");
    ck_assert_int_eq(fake.kind, HS_REQ_CONF);
    fake.requests_n = 0;
    ck_assert_int_eq(
        strncmp(fake_run("config set loglevel verbose cluster-node-timeout x"),
                "-ERR CONFIG SET failed (possibly related to argument 'cluster-node-timeout') - ",
                79),
        0);
    ck_reply("config set loglevel debug loglevel verbose",
             "-ERR CONFIG SET failed (possibly related to argument 'loglevel') - duplicate "
             "parameter\r\n");
    ck_reply("config set maxclients 10001",
             "-ERR CONFIG SET failed (possibly related to argument 'maxclients') - maxclients can "
             "be at most 10000 until a restart: tables have that size\r\n");
    ck_assert_uint_eq(fake.requests_n, 0);
}
END_TEST

START_TEST(info_has_its_sections)
{
    const char *reply = fake_run("info");
    static const char *const lines[] = {
        "# Server\r\nredis_version:7.2.4\r\n",
        "\r\nredis_mode:cluster\r\n",
        "\r\nserver_name:hearsay\r\n",
        "\r\nhearsay_version:" HS_VERSION "\r\n",
        "\r\ntcp_port:",
        "\r\n\r\n# Replication\r\nrole:master\r\n",
        "\r\nconnected_slaves:0\r\n",
        "\r\n# Cluster\r\ncluster_enabled:1\r\n",
        "\r\ntotal_commands_processed:1\r\n",
        "\r\n# Keyspace\r\n",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        ck_assert_msg(strstr(reply, lines[i]) != NULL, "%s", lines[i]);
    ck_reply("info cluster", "$30\r\n# Cluster\r\ncluster_enabled:1\r\n\r\n");
    ck_reply("info nosuch", "$0\r\n\r\n");
    fake_run("foo");
    ck_assert_ptr_nonnull(strstr(fake_run("info errorstats"), "errorstat_ERR:count=1\r\n"));
    ck_assert_ptr_nonnull(strstr(fake_run("info server cpu"), "# CPU"));
}
END_TEST

START_TEST(info_tells_of_saves_that_fail)
{
    ck_assert_ptr_nonnull(strstr(fake_run("info persistence"),
                                 "\r\nhearsay_save_failures:0\r\nhearsay_save_error:\r\n"));
    fake.view.save_failures = 3;
    strcpy(fake.view.save_error, "write: No space left on device");
    const char *reply = fake_run("info persistence");
    ck_assert_ptr_nonnull(strstr(reply, "\r\nhearsay_save_failures:3\r\n"));
    ck_assert_ptr_nonnull(strstr(reply, "\r\nhearsay_save_error:write: No space left on device"));
    ck_assert_ptr_nonnull(strstr(reply, "\r\nrdb_last_bgsave_status:ok\r\n"));
}
END_TEST

START_TEST(info_has_the_counters_of_all_rooms_when_asked)
{
    fake.view.core_counters_n = 1;
    fake.view.core_counters[0] = 17;
    fake.view.owner_counters[HS_OWNER_BATCHES] = 4711;
    ck_assert_ptr_null(strstr(fake_run("info"), "# Hearsay"));
    ck_assert_ptr_null(strstr(fake_run("info default"), "# Hearsay"));
    static const char *const asked[] = {"info hearsay", "info everything", "info ALL",
                                        "info default hearsay"};
    char core_line[128];
    snprintf(core_line, sizeof(core_line), "\r\ncore_%s:17\r\n", hs_core_counter_name(0));
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        const char *reply = fake_run(asked[i]);
        ck_assert_msg(strstr(reply, "# Hearsay\r\n") != NULL, "%s", asked[i]);
        ck_assert_ptr_nonnull(strstr(reply, "owner_batches:4711\r\n"));
        ck_assert_ptr_nonnull(strstr(reply, core_line));
        ck_assert_ptr_nonnull(strstr(reply, "net_wire_signature:23\r\n"));
    }
}
END_TEST

START_TEST(a_replica_says_so)
{
    fake.topo->nodes[0].flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    fake.topo->nodes[0].master = 1;
    fake.topo->nodes[0].repl_offset = 7;
    ck_reply("role", "*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:7001\r\n$9\r\nconnected\r\n:7\r\n");
    ck_assert_ptr_nonnull(strstr(fake_run("info replication"),
                                 "role:slave\r\nmaster_host:127.0.0.1\r\nmaster_port:7001\r\n"));
    ck_assert_ptr_nonnull(strstr(fake_run("hello"), "$7\r\nreplica\r\n"));
}
END_TEST

START_TEST(transactions_queue_and_run)
{
    ck_reply("multi", "+OK\r\n");
    ck_reply("multi", "-ERR MULTI calls can not be nested\r\n");
    ck_reply("ping", "+QUEUED\r\n");
    ck_reply("echo a", "+QUEUED\r\n");
    ck_reply("exec", "*2\r\n+PONG\r\n$1\r\na\r\n");
    fake_run("multi");
    ck_reply("get k", "-CLUSTERDOWN Hash slot not served\r\n");
    ck_reply("exec", "-EXECABORT Transaction discarded because of previous errors.\r\n");
    fake_run("multi");
    ck_reply("hello 3 foo", "+QUEUED\r\n");
    ck_reply("auth a b c", "+QUEUED\r\n");
    ck_reply("exec", "*2\r\n-ERR Syntax error in HELLO option 'foo'\r\n-ERR syntax error\r\n");
    fake_run("multi");
    ck_reply("shutdown", "-ERR Command not allowed inside a transaction\r\n");
    ck_reply("discard", "+OK\r\n");
    ck_reply("ping", "+PONG\r\n");
}
END_TEST

START_TEST(a_browser_gives_no_commands)
{
    static const char *const requests[] = {
        "POST / HTTP/1.1\r\nHost: x\r\n\r\nping\r\n",
        "host: x\r\nping\r\n",
        "*1\r\n$4\r\nPost\r\nping\r\n",
    };
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        fake_feed(requests[i], strlen(requests[i]));
        ck_assert_str_eq(fake.out.p, "");
        ck_assert_int_eq(fake.verdict, HS_CLIENT_CLOSE);
        reopen();
    }
    static const char get[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\nping\r\n";
    fake_feed(get, sizeof(get) - 1);
    ck_assert_str_eq(fake.out.p, "-ERR wrong number of arguments for 'get' command\r\n");
    ck_assert_int_eq(fake.verdict, HS_CLIENT_CLOSE);
}
END_TEST

START_TEST(shutdown_and_sleep_go_to_the_owner)
{
    fake.hold = true;
    fake_feed("shutdown nosave\n", 16);
    ck_assert_int_eq(fake.kind, HS_REQ_SHUTDOWN);
    fake.ops.drop(fake.ops.ctx, fake.held);
    fake.hold = false;
    fake.view.conf.enable_debug_local = true;
    ck_reply("debug sleep 0.25", "+OK\r\n");
    ck_assert_int_eq(fake.kind, HS_REQ_SLEEP);
}
END_TEST

START_TEST(command_covers_the_table)
{
    char expected[32];
    snprintf(expected, sizeof(expected), ":%zu\r\n", admin_commands_n());
    ck_reply("command count", expected);
    snprintf(expected, sizeof(expected), "*%zu\r\n", admin_commands_n());
    ck_assert_int_eq(strncmp(fake_run("command"), expected, strlen(expected)), 0);
    ck_assert_ptr_nonnull(strstr(fake_run("command info cluster"), "$12\r\ncluster|meet\r\n"));
    ck_assert_int_eq(strncmp(fake_run("command docs cluster|meet get"), "*4\r\n", 4), 0);
    fake_run("hello 3");
    snprintf(expected, sizeof(expected), "%%%zu\r\n", admin_commands_n());
    ck_assert_int_eq(strncmp(fake_run("command docs"), expected, strlen(expected)), 0);
}
END_TEST

START_TEST(bad_bytes_end_the_session)
{
    fake_feed("*1\r\nx\r\n", 7);
    ck_assert_str_eq(fake.out.p, "-ERR Protocol error: expected '$', got 'x'\r\n");
    ck_assert_int_eq(fake.verdict, HS_CLIENT_CLOSE);
}
END_TEST

START_TEST(patterns_match_as_shells_do)
{
    static const struct {
        const char *pattern, *text;
        bool match;
    } globs[] = {
        {"*", "", true},
        {"a*c", "abbc", true},
        {"a*c", "abb", false},
        {"a?c", "aBc", true},
        {"A[a-c]d", "abd", true},
        {"[^a]b", "ab", false},
        {"[^a]b", "cb", true},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"[ab", "b", true},
        {"", "", true},
        {"", "a", false},
        {"*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaa", false},
    };
    for (size_t i = 0; i < sizeof(globs) / sizeof(globs[0]); i++) {
        struct hs_arg p = {.p = globs[i].pattern, .n = strlen(globs[i].pattern)};
        ck_assert_msg(admin_arg_glob(&p, globs[i].text) == globs[i].match, "%s %s",
                      globs[i].pattern, globs[i].text);
    }
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        tables_are_in_the_order_of_names,
        hello_3_is_a_map,
        a_password_is_asked_for,
        protected_mode_turns_strangers_away,
        client_list_shows_the_session,
        a_killed_client_is_closed,
        an_idle_killed_client_is_closed_by_its_reactors_next_turn,
        who_kills_itself_reads_the_reply,
        replies_can_be_switched_off,
        quit_closes_and_ignores_the_rest,
        config_get_echoes_a_name_and_completes_a_pattern,
        config_set_takes_all_or_none,
        info_has_its_sections,
        info_tells_of_saves_that_fail,
        info_has_the_counters_of_all_rooms_when_asked,
        a_replica_says_so,
        transactions_queue_and_run,
        a_browser_gives_no_commands,
        shutdown_and_sleep_go_to_the_owner,
        command_covers_the_table,
        bad_bytes_end_the_session,
        patterns_match_as_shells_do,
    };
    Suite *s = fake_suite("admin_basics", tests, sizeof(tests) / sizeof(tests[0]));
    TCase *t = tcase_create("plain");
    tcase_add_checked_fixture(t, fake_setup, fake_teardown);
    tcase_add_loop_test(t, commands_reply_as_the_stock_server, 0,
                        (int)(sizeof(plain) / sizeof(plain[0])));
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
