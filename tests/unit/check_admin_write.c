/* CLUSTER commands that change something: the requests they become, and the
 * words for every verdict, as a real Redis 7.2 put them. */
#include "admin_fake.h"

#define FFFF "ffffffffffffffffffffffffffffffffffffffff"
#define BBBB "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* What the golden file has for that name, or fails. */
static void golden(const char *name, char *buf, size_t n)
{
    FILE *f = fopen(HS_SOURCE_DIR "/tests/golden/redis-7.2-replies.txt", "r");
    ck_assert_ptr_nonnull(f);
    bool found = false;
    while (!found && fgets(buf, (int)n, f) != NULL) {
        char *tab = strchr(buf, '\t');
        ck_assert_ptr_nonnull(tab);
        *tab = '\0';
        found = strcmp(buf, name) == 0;
        if (found)
            memmove(buf, tab + 1, strlen(tab + 1) + 1);
    }
    fclose(f);
    ck_assert_msg(found, "%s is not in the golden file", name);
    buf[strcspn(buf, "\n")] = '\0';
}

static const struct {
    const char *name, *line;
    enum hs_cmd_err err;
    int64_t number;
} cases[] = {
    {"CLUSTER BADSUB", "cluster badsub", 0, 0},
    {"CLUSTER MEET (arity)", "cluster meet 1", 0, 0},
    {"CLUSTER INFO x", "cluster info x", 0, 0},
    {"MEET bad port", "cluster meet 127.0.0.1 abc", 0, 0},
    {"MEET bad bus port", "cluster meet 127.0.0.1 7000 abc", 0, 0},
    {"MEET host name", "cluster meet localhost 7000", 0, 0},
    {"MEET port 0", "cluster meet 127.0.0.1 0", 0, 0},
    {"MEET port 60000", "cluster meet 127.0.0.1 60000", 0, 0},
    {"MEET ok dup", "cluster meet 127.0.0.1 7000", 0, 0},
    {"FORGET unknown", "cluster forget " FFFF, HS_CMD_ERR_UNKNOWN_NODE, 0},
    {"FORGET short", "cluster forget abc", HS_CMD_ERR_UNKNOWN_NODE, 0},
    {"FORGET self", "cluster forget " FFFF, HS_CMD_ERR_FORGET_MYSELF, 0},
    {"FORGET my master", "cluster forget " FFFF, HS_CMD_ERR_FORGET_MASTER, 0},
    {"REPLICATE unknown", "cluster replicate " FFFF, HS_CMD_ERR_UNKNOWN_NODE, 0},
    {"REPLICATE self", "cluster replicate " FFFF, HS_CMD_ERR_REPLICATE_MYSELF, 0},
    {"REPLICATE replica", "cluster replicate " FFFF, HS_CMD_ERR_REPLICATE_REPLICA, 0},
    {"REPLICATE with slots", "cluster replicate " FFFF, HS_CMD_ERR_NOT_EMPTY, 0},
    {"REPLICATE ok", "cluster replicate " FFFF, HS_CMD_OK, 0},
    {"FAILOVER master", "cluster failover", HS_CMD_ERR_FAILOVER_ON_MASTER, 0},
    {"FAILOVER bad", "cluster failover maybe", 0, 0},
    {"FAILOVER replica", "cluster failover", 0, 0},
    {"RESET bad", "cluster reset maybe", 0, 0},
    {"RESET soft", "cluster reset soft", 0, 0},
    {"ADDSLOTS bad", "cluster addslots 16384", HS_CMD_ERR_BAD_SLOT, 0},
    {"ADDSLOTS neg", "cluster addslots -1", HS_CMD_ERR_BAD_SLOT, 0},
    {"ADDSLOTS text", "cluster addslots x", HS_CMD_ERR_BAD_SLOT, 0},
    {"ADDSLOTS twice", "cluster addslots 1 1", HS_CMD_ERR_SLOT_TWICE, 1},
    {"ADDSLOTS ok", "cluster addslots 1", 0, 0},
    {"ADDSLOTS busy", "cluster addslots 1", HS_CMD_ERR_SLOT_BUSY, 1},
    {"DELSLOTS unassigned", "cluster delslots 2", HS_CMD_ERR_SLOT_UNASSIGNED, 2},
    {"ADDSLOTSRANGE odd", "cluster addslotsrange 1 2 3", 0, 0},
    {"ADDSLOTSRANGE rev", "cluster addslotsrange 5 2", HS_CMD_ERR_BAD_SLOT, 0},
    {"ADDSLOTSRANGE overlap", "cluster addslotsrange 10 12 12 13", HS_CMD_ERR_SLOT_TWICE, 12},
    {"ADDSLOTSRANGE ok", "cluster addslotsrange 10 12", 0, 0},
    {"SETSLOT bad slot", "cluster setslot 16384 stable", 0, 0},
    {"SETSLOT bad action", "cluster setslot 1 sideways", 0, 0},
    {"SETSLOT stable extra", "cluster setslot 1 stable x", 0, 0},
    {"SETSLOT timeout missing", "cluster setslot 1 node " FFFF " timeout", 0, 0},
    {"SETSLOT migrating not owner", "cluster setslot 5 migrating " FFFF, HS_CMD_ERR_NOT_OWNER, 5},
    {"SETSLOT migrating unknown", "cluster setslot 5 migrating " FFFF, HS_CMD_ERR_DONT_KNOW_NODE,
     0},
    {"SETSLOT importing owned", "cluster setslot 1 importing " FFFF, HS_CMD_ERR_ALREADY_OWNER, 1},
    {"SETSLOT node unknown", "cluster setslot 1 node " FFFF, HS_CMD_ERR_UNKNOWN_NODE, 0},
    {"SETSLOT node replica", "cluster setslot 1 node " FFFF, HS_CMD_ERR_TARGET_NOT_MASTER, 0},
    {"SETSLOT stable", "cluster setslot 1 stable", 0, 0},
    {"SET-CONFIG-EPOCH neg", "cluster set-config-epoch -1", 0, 0},
    {"SET-CONFIG-EPOCH bad", "cluster set-config-epoch x", 0, 0},
    {"SET-CONFIG-EPOCH ok", "cluster set-config-epoch 5", 0, 0},
    {"SET-CONFIG-EPOCH again", "cluster set-config-epoch 5", HS_CMD_ERR_EPOCH_SET, 0},
    {"SET-CONFIG-EPOCH known", "cluster set-config-epoch 5", HS_CMD_ERR_EPOCH_KNOWN_NODES, 0},
    {"BUMPEPOCH still", "cluster bumpepoch", HS_CMD_ERR_STILL, 5},
    {"BUMPEPOCH bumped", "cluster bumpepoch", 0, 8},
    {"SAVECONFIG", "cluster saveconfig", 0, 0},
    {"COUNTKEYSINSLOT bad", "cluster countkeysinslot 16384", 0, 0},
    {"COUNTKEYSINSLOT text", "cluster countkeysinslot x", 0, 0},
    {"GETKEYSINSLOT bad", "cluster getkeysinslot 16384 1", 0, 0},
    {"GETKEYSINSLOT text", "cluster getkeysinslot 1 x", 0, 0},
    {"REPLICAS unknown", "cluster replicas " FFFF, 0, 0},
    {"REPLICAS of replica", "cluster replicas dddddddddddddddddddddddddddddddddddddddd", 0, 0},
    {"COUNT-FAILURE-REPORTS unknown", "cluster count-failure-reports " FFFF,
     HS_CMD_ERR_UNKNOWN_NODE, 0},
    {"SLAVEOF", "slaveof a 1", 0, 0},
    {"REPLICAOF", "replicaof a 1", 0, 0},
    {"SELECT 1", "select 1", 0, 0},
    {"FAILOVER cmd", "failover", 0, 0},
    {"SWAPDB", "swapdb 0 1", 0, 0},
    {"READONLY", "readonly", 0, 0},
    {"ASKING", "asking", 0, 0},
    {"DEBUG help", "debug help", 0, 0},
};

START_TEST(replies_are_worded_as_redis_7_2_words_them)
{
    char expected[512];
    golden(cases[_i].name, expected, sizeof(expected));
    fake.err = cases[_i].err;
    fake.number = cases[_i].number;
    ck_line(cases[_i].line, expected);
}
END_TEST

START_TEST(setslot_on_a_replica_is_refused)
{
    fake.topo->nodes[0].flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    ck_line("cluster setslot x y", "-ERR Please use SETSLOT only with masters.");
    ck_assert_uint_eq(fake.requests_n, 0);
}
END_TEST

START_TEST(meet_defaults_the_bus_port)
{
    ck_line("CLUSTER MEET ::1 7000", "+OK");
    ck_assert_int_eq(fake.cmd.type, HS_CMD_MEET);
    ck_assert_str_eq(fake.cmd.ip, "::1");
    ck_assert_uint_eq(fake.cmd.port, 7000);
    ck_assert_uint_eq(fake.cmd.cport, 17000);
    ck_line("cluster meet 127.0.0.1 60000 1", "+OK");
    ck_assert_uint_eq(fake.cmd.cport, 1);
    ck_line("cluster meet 127.0.0.1 1 2 3",
            "-ERR unknown subcommand or wrong number of arguments for 'meet'. Try CLUSTER HELP.");
}
END_TEST

START_TEST(ranges_before_a_bad_one_are_kept)
{
    ck_line("cluster addslots 7 3 x 9", "+OK");
    ck_assert_uint_eq(fake.cmd.ranges_n, 2);
    ck_assert_uint_eq(fake.ranges[0].first, 7);
    ck_assert_uint_eq(fake.ranges[1].last, 3);
    ck_assert(fake.cmd.ranges_bad);
    ck_line("cluster delslotsrange 0 16383", "+OK");
    ck_assert_int_eq(fake.cmd.type, HS_CMD_DELSLOTS);
    ck_assert(!fake.cmd.ranges_bad);
    ck_assert_uint_eq(fake.ranges[0].last, 16383);
}
END_TEST

START_TEST(setslot_carries_slot_and_node)
{
    ck_line("cluster setslot 5 NODE " BBBB, "+OK");
    ck_assert_int_eq(fake.cmd.type, HS_CMD_SETSLOT_NODE);
    ck_assert_uint_eq(fake.cmd.slot, 5);
    ck_assert_mem_eq(fake.cmd.id.hex, BBBB, HS_ID_LEN);
}
END_TEST

START_TEST(reset_brings_new_ids)
{
    ck_line("cluster reset hard", "+OK");
    ck_assert(fake.cmd.hard);
    for (int i = 0; i < HS_ID_LEN; i++)
        ck_assert_ptr_nonnull(memchr("0123456789abcdef", fake.cmd.id.hex[i], 16));
    ck_assert_mem_ne(fake.cmd.id.hex, fake.cmd.shard_id, HS_ID_LEN);
}
END_TEST

START_TEST(failover_words)
{
    ck_line("cluster failover TAKEOVER", "+OK");
    ck_assert_int_eq(fake.cmd.failover, HS_FAILOVER_TAKEOVER);
    ck_line("cluster failover force", "+OK");
    ck_assert_int_eq(fake.cmd.failover, HS_FAILOVER_FORCE);
}
END_TEST

START_TEST(replies_wait_their_turn_behind_the_owner)
{
    static const char bytes[] = "ping a\ncluster saveconfig\nping b\n";
    fake.hold = true;
    fake_feed(bytes, sizeof(bytes) - 1);
    ck_assert_int_eq(fake.verdict, HS_CLIENT_WAIT);
    ck_assert_str_eq(fake.out.p, "$1\r\na\r\n");
    fake.ops.reply(fake.session, fake.held, &fake.out);
    fake.hold = false;
    fake_feed(NULL, 0);
    ck_assert_str_eq(fake.out.p, "$1\r\na\r\n+OK\r\n$1\r\nb\r\n");
}
END_TEST

START_TEST(exec_waits_for_the_owner_between_commands)
{
    static const char bytes[] =
        "multi\ncluster addslots 1\nping a\ncluster reset hard\nexec\nping b\n";
    fake.hold = true;
    fake_feed(bytes, sizeof(bytes) - 1);
    ck_assert_int_eq(fake.verdict, HS_CLIENT_WAIT);
    ck_assert_int_eq(fake.cmd.type, HS_CMD_ADDSLOTS);
    ck_assert_str_eq(fake.out.p, "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n");
    fake.out.n = 0;
    ck_assert(!fake.ops.reply(fake.session, fake.held, &fake.out)); /* pushes wait */
    fake_feed(NULL, 0);
    ck_assert_int_eq(fake.cmd.type, HS_CMD_RESET);
    ck_assert_str_eq(fake.out.p, "+OK\r\n$1\r\na\r\n");
    fake.out.n = 0;
    ck_assert(fake.ops.reply(fake.session, fake.held, &fake.out));
    fake_feed(NULL, 0);
    ck_assert_str_eq(fake.out.p, "+OK\r\n$1\r\nb\r\n");
    fake_feed(bytes, sizeof(bytes) - 1); /* and a client that leaves in the middle */
    ck_assert_int_eq(fake.verdict, HS_CLIENT_WAIT);
    fake.ops.close(fake.session);
    fake.session = NULL;
    fake.ops.drop(fake.ops.ctx, fake.held);
}
END_TEST

START_TEST(a_request_outlives_its_session)
{
    fake.hold = true;
    fake_feed("cluster addslots 1\n", 19);
    fake.ops.close(fake.session);
    fake.session = NULL;
    fake.ops.drop(fake.ops.ctx, fake.held);
}
END_TEST

int main(void)
{
    static const TTest *tests[9];
    tests[0] = setslot_on_a_replica_is_refused;
    tests[1] = meet_defaults_the_bus_port;
    tests[2] = ranges_before_a_bad_one_are_kept;
    tests[3] = setslot_carries_slot_and_node;
    tests[4] = reset_brings_new_ids;
    tests[5] = failover_words;
    tests[6] = replies_wait_their_turn_behind_the_owner;
    tests[7] = a_request_outlives_its_session;
    tests[8] = exec_waits_for_the_owner_between_commands;
    Suite *s = fake_suite("admin_write", tests, 9);
    TCase *t = tcase_create("golden");
    tcase_add_checked_fixture(t, fake_setup, fake_teardown);
    tcase_add_loop_test(t, replies_are_worded_as_redis_7_2_words_them, 0,
                        (int)(sizeof(cases) / sizeof(cases[0])));
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
