/* Commands on keys: which keys, which slot, and where the client is sent. */
#include "admin_fake.h"

/* Keys whose slots the fake topology gives meaning to. */
static char own[16], theirs[16], unbound[16], theirs2[16];

static void find_key(char *key, uint16_t first, uint16_t last, int from)
{
    for (int i = from;; i++) {
        snprintf(key, 16, "k%d", i);
        uint16_t slot = admin_key_slot(key, strlen(key));
        if (slot >= first && slot <= last)
            return;
    }
}

static const char *run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static const char *run(const char *fmt, ...)
{
    static char line[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    return fake_run(line);
}

static void keys(void)
{
    find_key(own, 1, 1, 0);
    find_key(theirs, 100, 199, 0);
    find_key(theirs2, 100, 199, atoi(theirs + 1) + 1);
    find_key(unbound, 400, 16000, 0);
}

START_TEST(key_slots_are_the_published_ones)
{
    ck_assert_uint_eq(admin_key_slot("123456789", 9), 0x31c3);
    ck_assert_uint_eq(admin_key_slot("", 0), 0);
    ck_assert_uint_eq(admin_key_slot("{user}.a", 8), admin_key_slot("user", 4));
    ck_assert_uint_eq(admin_key_slot("a{}{user}", 9), 0x3fff & admin_key_slot("a{}{user}", 9));
    ck_assert_uint_ne(admin_key_slot("a{}{user}", 9), admin_key_slot("user", 4));
    ck_assert_uint_eq(admin_key_slot("{{x}y", 5), admin_key_slot("{x", 2));
    ck_reply("cluster keyslot foo", ":12182\r\n");
}
END_TEST

START_TEST(own_slots_hold_no_data)
{
    keys();
    ck_assert_str_eq(run("get %s", own), "-ERR hearsay keeps no data\r\n");
}
END_TEST

START_TEST(others_slots_are_redirected)
{
    char expected[64];
    keys();
    snprintf(expected, sizeof(expected), "-MOVED %u 127.0.0.1:7001\r\n",
             admin_key_slot(theirs, strlen(theirs)));
    ck_assert_str_eq(run("get %s", theirs), expected);
    ck_assert_str_eq(run("SET %s v", theirs), expected);
    fake.view.conf.endpoint_type = HS_ENDPOINT_HOSTNAME;
    ck_assert_ptr_nonnull(strstr(run("get %s", theirs), " ?:7001\r\n"));
    fake.view.conf.endpoint_type = HS_ENDPOINT_UNKNOWN;
    ck_assert_ptr_nonnull(strstr(run("get %s", theirs), " :7001\r\n"));
}
END_TEST

START_TEST(refusals_come_in_the_stock_order)
{
    keys();
    fake.topo->ok = false;
    ck_assert_str_eq(run("mget %s %s", own, unbound),
                     "-CROSSSLOT Keys in request don't hash to the same slot\r\n");
    ck_assert_str_eq(run("mget %s %s", unbound, own), "-CLUSTERDOWN Hash slot not served\r\n");
    ck_assert_str_eq(run("get %s", unbound), "-CLUSTERDOWN Hash slot not served\r\n");
    ck_assert_str_eq(run("get %s", theirs), "-CLUSTERDOWN The cluster is down\r\n");
    fake.view.conf.allow_reads_when_down = true;
    ck_assert_int_eq(strncmp(run("get %s", theirs), "-MOVED", 6), 0);
    ck_assert_str_eq(run("set %s v", theirs),
                     "-CLUSTERDOWN The cluster is down and only accepts read commands\r\n");
}
END_TEST

START_TEST(a_migrating_slot_asks)
{
    keys();
    fake.topo->migrating[0] = (struct hs_topo_open){.slot = 1, .node = 1};
    fake.topo->migrating_n = 1;
    ck_assert_str_eq(run("get %s", own), "-ASK 1 127.0.0.1:7001\r\n");
}
END_TEST

START_TEST(asking_opens_an_importing_slot_for_one_command)
{
    keys();
    uint16_t slot = admin_key_slot(theirs, strlen(theirs));
    fake.topo->importing[0] = (struct hs_topo_open){.slot = slot, .node = 1};
    fake.topo->importing_n = 1;
    ck_assert_int_eq(strncmp(run("get %s", theirs), "-MOVED", 6), 0);
    fake_run("asking");
    ck_assert_str_eq(run("get %s", theirs), "-ERR hearsay keeps no data\r\n");
    ck_assert_int_eq(strncmp(run("get %s", theirs), "-MOVED", 6), 0);
    fake_run("asking");
    ck_assert_str_eq(run("mget {%s}1 {%s}2", theirs, theirs),
                     "-TRYAGAIN Multiple keys request during rehashing of slot\r\n");
}
END_TEST

START_TEST(a_replica_serves_reads_only_after_readonly)
{
    keys();
    fake.topo->nodes[0].flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    fake.topo->nodes[0].master = 1;
    ck_assert_int_eq(strncmp(run("get %s", theirs), "-MOVED", 6), 0);
    fake_run("readonly");
    ck_assert_str_eq(run("get %s", theirs), "-ERR hearsay keeps no data\r\n");
    ck_assert_int_eq(strncmp(run("set %s v", theirs), "-MOVED", 6), 0);
    fake_run("readwrite");
    ck_assert_int_eq(strncmp(run("get %s", theirs), "-MOVED", 6), 0);
}
END_TEST

static const struct {
    const char *line, *reply;
} getkeys[] = {
    {"get a", "*1\r\n$1\r\na\r\n"},
    {"mset a 1 b 2", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"},
    {"bitop and d a b", "*3\r\n$1\r\nd\r\n$1\r\na\r\n$1\r\nb\r\n"},
    {"blpop a b 0", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"},
    {"eval s 2 a b c", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"},
    {"eval s 0", "*0\r\n"},
    {"eval s 9 a", "-ERR Invalid arguments specified for command\r\n"},
    {"eval s x a", "-ERR Invalid arguments specified for command\r\n"},
    {"zunionstore d 2 a b weights 1 2", "*3\r\n$1\r\nd\r\n$1\r\na\r\n$1\r\nb\r\n"},
    {"zunion 1 a", "*1\r\n$1\r\na\r\n"},
    {"blmpop 0 2 a b left", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"},
    {"xread count 2 streams a b 0 0", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"},
    {"xread count 2 streams a b 0", "-ERR Invalid arguments specified for command\r\n"},
    {"xreadgroup group g c streams a 0", "*1\r\n$1\r\na\r\n"},
    {"sort a by x store d", "*2\r\n$1\r\na\r\n$1\r\nd\r\n"},
    {"georadius a 1 1 1 m storedist d", "*2\r\n$1\r\na\r\n$1\r\nd\r\n"},
    {"object encoding a", "*1\r\n$1\r\na\r\n"},
    {"xgroup create a g 0", "*1\r\n$1\r\na\r\n"},
    {"ping a", "-ERR The command has no key arguments\r\n"},
    {"get", "-ERR Invalid number of arguments specified for command\r\n"},
    {"nosuch a", "-ERR Invalid command specified\r\n"},
};

START_TEST(keys_are_found_among_arguments)
{
    ck_assert_str_eq(run("command getkeys %s", getkeys[_i].line), getkeys[_i].reply);
}
END_TEST

START_TEST(bad_key_counts_are_syntax_errors)
{
    ck_reply("eval s 3 a b", "-ERR syntax error\r\n");
    ck_reply("eval s 99999999999 a", "-ERR syntax error\r\n");
    ck_reply("xread streams a", "-ERR wrong number of arguments for 'xread' command\r\n");
}
END_TEST

START_TEST(commands_without_data_have_fixed_answers)
{
    ck_reply("migrate h 1 k 0 100", "+NOKEY\r\n");
    ck_reply("wait 1 0", ":0\r\n");
    ck_reply("keys *", "*0\r\n");
    ck_reply("scan 0", "*2\r\n$1\r\n0\r\n*0\r\n");
    ck_reply("flushall", "+OK\r\n");
    ck_reply("flushdb async", "+OK\r\n");
    ck_reply("dbsize", ":0\r\n");
    ck_reply("function list", "*0\r\n");
    ck_reply("function restore x replace", "+OK\r\n");
    ck_reply("function flush", "+OK\r\n");
    ck_reply("function delete l", "+OK\r\n");
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        key_slots_are_the_published_ones,
        own_slots_hold_no_data,
        others_slots_are_redirected,
        refusals_come_in_the_stock_order,
        a_migrating_slot_asks,
        asking_opens_an_importing_slot_for_one_command,
        a_replica_serves_reads_only_after_readonly,
        bad_key_counts_are_syntax_errors,
        commands_without_data_have_fixed_answers,
    };
    Suite *s = fake_suite("admin_keys", tests, sizeof(tests) / sizeof(tests[0]));
    TCase *t = tcase_create("getkeys");
    tcase_add_checked_fixture(t, fake_setup, fake_teardown);
    tcase_add_loop_test(t, keys_are_found_among_arguments, 0,
                        (int)(sizeof(getkeys) / sizeof(getkeys[0])));
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
