/* CLUSTER's views of the topology, byte for byte, in both protocols. */
#include "admin_fake.h"

#define ID(c) c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define A ID("a")
#define B ID("b")
#define C ID("c")
#define D ID("d")
#define E ID("e")
#define BULK_ID(id) "$40\r\n" id "\r\n"
#define IP "$9\r\n127.0.0.1\r\n"

static const char nodes[] =
    A " 127.0.0.1:7000@17000 myself,master - 0 0 5 connected 1 300\n" B
      " 127.0.0.1:7001@17001 master - 0 5001 6 connected 100-199\n" C
      " 127.0.0.1:7002@17002 master - 0 5002 7 connected\n" D " 127.0.0.1:7003@17003 slave " B
      " 0 5003 6 connected\n" E " 127.0.0.1:7004@17004 handshake - 0 0 9 disconnected\n";

START_TEST(nodes_lists_every_node)
{
    char expected[1024];
    snprintf(expected, sizeof(expected), "$%zu\r\n%s\r\n", strlen(nodes), nodes);
    ck_reply("cluster nodes", expected);
}
END_TEST

START_TEST(nodes_is_verbatim_text_in_resp3)
{
    char expected[1024];
    snprintf(expected, sizeof(expected), "=%zu\r\ntxt:%s\r\n", strlen(nodes) + 4, nodes);
    fake_run("hello 3");
    ck_reply("cluster nodes", expected);
}
END_TEST

START_TEST(nodes_shows_flags_hostname_and_open_slots)
{
    fake.topo->nodes[0].hostname = "h.example";
    fake.topo->nodes[1].flags = HS_NODE_MASTER | HS_NODE_PFAIL;
    fake.topo->nodes[2].flags = HS_NODE_MASTER | HS_NODE_FAIL | HS_NODE_NOADDR;
    fake.topo->nodes[4].flags = 0;
    fake.topo->migrating[0] = (struct hs_topo_open){.slot = 300, .node = 1};
    fake.topo->importing[0] = (struct hs_topo_open){.slot = 150, .node = 1};
    fake.topo->migrating_n = fake.topo->importing_n = 1;
    const char *reply = fake_run("cluster nodes");
    ck_assert_ptr_nonnull(strstr(reply, "@17000,h.example myself,master - 0 0 5 connected 1 300 "
                                        "[150-<-" B "] [300->-" B "]\n"));
    ck_assert_ptr_nonnull(strstr(reply, " master,fail? - "));
    ck_assert_ptr_nonnull(strstr(reply, " master,fail,noaddr - "));
    ck_assert_ptr_nonnull(strstr(reply, " noflags - "));
}
END_TEST

START_TEST(replicas_are_lines_of_nodes)
{
    ck_reply("cluster replicas " B,
             "*1\r\n$127\r\n" D " 127.0.0.1:7003@17003 slave " B " 0 5003 6 connected\r\n");
    ck_reply("cluster slaves " A, "*0\r\n");
}
END_TEST

#define SLOTS_NODE(port, id, meta) "*4\r\n" IP ":" port "\r\n" BULK_ID(id) meta
#define SLOTS(meta) \
    "*3\r\n" \
    "*3\r\n:1\r\n:1\r\n" SLOTS_NODE("7000", A, meta) "*4\r\n:100\r\n:199\r\n" SLOTS_NODE("7001", \
                                                                                         B, meta) \
        SLOTS_NODE("7003", D, meta) "*3\r\n:300\r\n:300\r\n" SLOTS_NODE("7000", A, meta)

START_TEST(slots_lists_ranges_with_master_and_replicas)
{
    ck_reply("cluster slots", SLOTS("*0\r\n"));
    fake_run("hello 3");
    ck_reply("cluster slots", SLOTS("%0\r\n"));
}
END_TEST

START_TEST(slots_hides_replicas_that_failed_or_have_no_data)
{
    fake.topo->nodes[3].repl_offset = 0;
    ck_assert_ptr_null(strstr(fake_run("cluster slots"), D));
    fake.view.version++;
    fake.topo->nodes[3].repl_offset = 1;
    fake.topo->nodes[3].flags |= HS_NODE_FAIL;
    ck_assert_ptr_null(strstr(fake_run("cluster slots"), D));
}
END_TEST

START_TEST(slots_follows_the_preferred_endpoint)
{
    fake.topo->nodes[1].hostname = "h.example";
    fake.view.conf.endpoint_type = HS_ENDPOINT_HOSTNAME;
    const char *reply = fake_run("cluster slots");
    ck_assert_ptr_nonnull(
        strstr(reply, "*4\r\n$1\r\n?\r\n:7000\r\n" BULK_ID(A) "*2\r\n$2\r\nip\r\n" IP));
    ck_assert_ptr_nonnull(strstr(reply, "*4\r\n$9\r\nh.example\r\n:7001\r\n"));
    fake.view.version++;
    fake.view.conf.endpoint_type = HS_ENDPOINT_UNKNOWN;
    reply = fake_run("cluster slots");
    ck_assert_ptr_nonnull(
        strstr(reply, "*4\r\n$-1\r\n:7001\r\n" BULK_ID(B) "*4\r\n$2\r\nip\r\n" IP
                                                          "$8\r\nhostname\r\n$9\r\nh.example\r\n"));
}
END_TEST

#define PAIR(n, key, value) "$" n "\r\n" key "\r\n" value
#define SHARD_NODE(port, id, role, offset) \
    "*14\r\n" PAIR("2", "id", BULK_ID(id)) PAIR("4", "port", ":" port "\r\n") PAIR("2", "ip", IP) \
        PAIR("8", "endpoint", IP) PAIR("4", "role", role) \
            PAIR("18", "replication-offset", ":" offset "\r\n") \
                PAIR("6", "health", "$6\r\nonline\r\n")
#define MASTER "$6\r\nmaster\r\n"
#define REPLICA "$7\r\nreplica\r\n"

START_TEST(shards_groups_by_shard_id)
{
    ck_reply("cluster shards",
             "*3\r\n"
             "*4\r\n$5\r\nslots\r\n*4\r\n:1\r\n:1\r\n:300\r\n:300\r\n"
             "$5\r\nnodes\r\n*1\r\n" SHARD_NODE(
                 "7000", A, MASTER, "0") "*4\r\n$5\r\nslots\r\n*2\r\n:100\r\n:199\r\n"
                                         "$5\r\nnodes\r\n*2\r\n" SHARD_NODE("7001", B, MASTER, "0")
                                             SHARD_NODE("7003", D, REPLICA,
                                                        "55") "*4\r\n$5\r\nslots\r\n*0\r\n"
                                                              "$5\r\nnodes\r\n*1\r\n" SHARD_NODE(
                                                                  "7002", C, MASTER, "0"));
}
END_TEST

START_TEST(a_replica_that_could_not_learn_its_shard_is_still_shown_in_it)
{
    char *before = strdup(fake_run("cluster shards"));
    memset(fake.topo->nodes[3].shard_id, 'z', HS_ID_LEN);
    fake.view.version++;
    ck_reply("cluster shards", before);
    free(before);
}
END_TEST

START_TEST(slots_are_shown_though_a_failed_master_stands_before_their_new_owner)
{
    fake.topo->nodes[2].flags = HS_NODE_MASTER; /* c took over from b, in b's shard */
    memcpy(fake.topo->nodes[2].shard_id, fake.topo->nodes[1].shard_id, HS_ID_LEN);
    fake.topo->nodes[1].flags |= HS_NODE_FAIL;
    for (uint32_t s = 100; s < 200; s++)
        fake.topo->owner[s] = 2;
    fake.topo->nodes[2].slots_n = 100;
    fake.topo->nodes[1].slots_n = 0;
    const char *shard = strstr(fake_run("cluster shards"), "slots\r\n*2\r\n:100\r\n:199\r\n");
    ck_assert_ptr_nonnull(shard);
    ck_assert_ptr_nonnull(strstr(shard, BULK_ID(B)));
}
END_TEST

START_TEST(shards_tells_health)
{
    fake.topo->nodes[1].flags |= HS_NODE_FAIL;
    fake.topo->nodes[1].repl_offset = 9;
    fake.topo->nodes[3].repl_offset = 0;
    const char *reply = fake_run("cluster shards");
    ck_assert_ptr_nonnull(strstr(reply, "$4\r\nfail\r\n"));
    ck_assert_ptr_nonnull(strstr(reply, "$7\r\nloading\r\n"));
    fake_run("hello 3");
    ck_assert_ptr_nonnull(strstr(fake_run("cluster shards"), "%2\r\n$5\r\nslots\r\n"));
}
END_TEST

START_TEST(info_has_the_stock_lines_in_order)
{
    static const char text[] =
        "cluster_state:ok\r\ncluster_slots_assigned:102\r\ncluster_slots_ok:102\r\n"
        "cluster_slots_pfail:0\r\ncluster_slots_fail:0\r\ncluster_known_nodes:5\r\n"
        "cluster_size:2\r\ncluster_current_epoch:9\r\ncluster_my_epoch:5\r\n"
        "cluster_stats_messages_ping_sent:3\r\ncluster_stats_messages_pong_sent:5\r\n"
        "cluster_stats_messages_sent:8\r\ncluster_stats_messages_meet_received:2\r\n"
        "cluster_stats_messages_received:2\r\ntotal_cluster_links_buffer_limit_exceeded:0\r\n";
    char expected[1024];
    snprintf(expected, sizeof(expected), "$%zu\r\n%s\r\n", strlen(text), text);
    ck_reply("cluster info", expected);
}
END_TEST

START_TEST(links_lists_both_directions)
{
    const char *reply = fake_run("cluster links");
    ck_assert_msg(strncmp(reply, "*4\r\n*12\r\n$9\r\ndirection\r\n$2\r\nto\r\n", 32) == 0, "%s",
                  reply);
    ck_assert_ptr_nonnull(
        strstr(reply, "$4\r\nfrom\r\n$4\r\nnode\r\n" BULK_ID(B) "$11\r\ncreate-time\r\n:2000\r\n"));
}
END_TEST

START_TEST(links_tell_what_waits_to_be_sent)
{
    fake.topo->nodes[1].link_from.ix = 7;
    fake.topo->nodes[1].link_from.gen = 3;
    const char *from = strstr(fake_run("cluster links"), "$4\r\nfrom\r\n");
    ck_assert_ptr_nonnull(from);
    ck_assert_ptr_nonnull(
        strstr(from, "$6\r\nevents\r\n$2\r\nrw\r\n$21\r\nsend-buffer-allocated\r\n:4321\r\n"
                     "$16\r\nsend-buffer-used\r\n:4321\r\n"));
    ck_assert_ptr_nonnull(strstr(fake.out.p, "$1\r\nr\r\n$21\r\nsend-buffer-allocated\r\n:0\r\n"));
}
END_TEST

START_TEST(own_ids)
{
    ck_reply("cluster myid", BULK_ID(A));
    ck_reply("cluster myshardid", BULK_ID(ID("0")));
}
END_TEST

START_TEST(slot_stats_of_own_slots)
{
    ck_reply("cluster slot-stats slotsrange 0 299",
             "*1\r\n*2\r\n:1\r\n*2\r\n$9\r\nkey-count\r\n:0\r\n");
    ck_assert_int_eq(strncmp(fake_run("cluster slot-stats orderby key-count"), "*2\r\n", 4), 0);
    ck_reply("cluster slot-stats orderby key-count limit 1 desc",
             "*1\r\n*2\r\n:1\r\n*2\r\n$9\r\nkey-count\r\n:0\r\n");
    ck_reply("cluster slot-stats slotsrange 2 299", "*0\r\n");
}
END_TEST

START_TEST(slot_stats_of_a_replica_are_of_its_masters_slots)
{
    fake.topo->nodes[0].flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    fake.topo->nodes[0].master = 1;
    fake.topo->owner[1] = fake.topo->owner[300] = HS_TOPO_NONE;
    ck_assert_int_eq(strncmp(fake_run("cluster slot-stats slotsrange 0 149"), "*50\r\n", 5), 0);
}
END_TEST

START_TEST(slot_stats_refuse_what_stock_refuses)
{
    static const char *const cases[][2] = {
        {"slotsrange 5 4", "Start slot number 5 is greater than end slot number 4"},
        {"slotsrange 0 16384", "Invalid or out of range slot"},
        {"slotsrange x 1", "Invalid or out of range slot"},
        {"orderby cpu-usec", "Unrecognized sort metric for ORDERBY."},
        {"orderby key-count asc desc", "Multiple filters of the same type are disallowed."},
        {"orderby key-count limit 1 limit 2", "Multiple filters of the same type are disallowed."},
        {"orderby key-count limit", "syntax error"},
        {"orderby key-count up", "syntax error"},
        {"orderby key-count limit 0",
         "Limit has to lie in between 1 and 16384 (maximum number of slots)."},
        {"orderby key-count limit 16385",
         "Limit has to lie in between 1 and 16384 (maximum number of slots)."},
        {"slotsrange 1",
         "unknown subcommand or wrong number of arguments for 'slot-stats'. Try CLUSTER HELP."},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[128];
        char expected[128];
        snprintf(line, sizeof(line), "cluster slot-stats %s", cases[i][0]);
        snprintf(expected, sizeof(expected), "-ERR %s", cases[i][1]);
        ck_line(line, expected);
    }
}
END_TEST

START_TEST(a_view_is_formatted_once_per_version)
{
    fake_run("cluster nodes");
    fake.topo->nodes[1].port = 9999;
    ck_assert_ptr_null(strstr(fake_run("cluster nodes"), "9999"));
    fake.view.version++;
    ck_assert_ptr_nonnull(strstr(fake_run("cluster nodes"), "9999"));
}
END_TEST

/* As Valkey does: whoever comes over IPv4 or IPv6 is shown the address announced for
 * clients of that family, or else the address of the bus. */
static void announce_for_clients(void)
{
    fake.topo->nodes[0].client_ipv4 = "10.0.0.1";
    fake.topo->nodes[1].client_ipv4 = "10.0.0.2";
    fake.topo->nodes[1].client_ipv6 = "cafe::2";
    fake.topo->client_ips = true;
    fake.view.version++;
}

static void reopen_over_ipv6(void)
{
    static const struct hs_client_info info = {
        .peer = "[::1]:5000", .local = "[::1]:7000", .loopback = true, .ipv6 = true};
    fake.ops.close(fake.session);
    fake.session = fake.ops.open(fake.ops.ctx, &info, &fake.out);
}

static void check_shown(const char *ip_a, const char *ip_b)
{
    char wanted[128];
    snprintf(wanted, sizeof(wanted), A " %s:7000@17000 ", ip_a);
    ck_assert_ptr_nonnull(strstr(fake_run("cluster nodes"), wanted));
    snprintf(wanted, sizeof(wanted), B " %s:7001@17001 ", ip_b);
    ck_assert_ptr_nonnull(strstr(fake_run("cluster nodes"), wanted));
    snprintf(wanted, sizeof(wanted), "$%zu\r\n%s\r\n:7001\r\n", strlen(ip_b), ip_b);
    ck_assert_ptr_nonnull(strstr(fake_run("cluster slots"), wanted));
    snprintf(wanted, sizeof(wanted), "$2\r\nip\r\n$%zu\r\n%s\r\n$8\r\nendpoint\r\n$%zu\r\n%s\r\n",
             strlen(ip_b), ip_b, strlen(ip_b), ip_b);
    ck_assert_ptr_nonnull(strstr(fake_run("cluster shards"), wanted));
    snprintf(wanted, sizeof(wanted), "-MOVED 191 %s:7001\r\n", ip_b);
    ck_reply("get afn", wanted);
    ck_assert_ptr_nonnull(strstr(fake_run("cluster replicas " B), D " 127.0.0.1:7003@17003 "));
}

START_TEST(addresses_for_clients_are_of_the_readers_family)
{
    announce_for_clients();
    check_shown("10.0.0.1", "10.0.0.2");
    reopen_over_ipv6();
    check_shown("127.0.0.1", "cafe::2");
}
END_TEST

START_TEST(a_name_is_preferred_to_an_address_for_clients)
{
    announce_for_clients();
    fake.topo->nodes[1].hostname = "h.example";
    fake.view.conf.endpoint_type = HS_ENDPOINT_HOSTNAME;
    ck_assert_ptr_nonnull(strstr(
        fake_run("cluster slots"),
        "*4\r\n$9\r\nh.example\r\n:7001\r\n" BULK_ID(B) "*2\r\n$2\r\nip\r\n$8\r\n10.0.0.2\r\n"));
    ck_reply("get afn", "-MOVED 191 h.example:7001\r\n");
}
END_TEST

START_TEST(both_families_share_a_reply_where_nobody_announces_addresses_for_clients)
{
    fake_run("cluster nodes");
    fake.topo->nodes[1].port = 9999;
    reopen_over_ipv6();
    ck_assert_ptr_null(strstr(fake_run("cluster nodes"), "9999"));
}
END_TEST

START_TEST(help_names_every_subcommand)
{
    const char *reply = fake_run("cluster help");
    ck_assert_ptr_nonnull(strstr(reply, "+CLUSTER <subcommand> [<arg> ...]. Subcommands are:\r\n"));
    ck_assert_ptr_nonnull(strstr(reply, "+SET-CONFIG-EPOCH <epoch>: "));
    ck_assert_ptr_nonnull(strstr(reply, "+MYID: "));
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        nodes_lists_every_node,
        nodes_is_verbatim_text_in_resp3,
        nodes_shows_flags_hostname_and_open_slots,
        replicas_are_lines_of_nodes,
        slots_lists_ranges_with_master_and_replicas,
        slots_hides_replicas_that_failed_or_have_no_data,
        slots_follows_the_preferred_endpoint,
        shards_groups_by_shard_id,
        a_replica_that_could_not_learn_its_shard_is_still_shown_in_it,
        slots_are_shown_though_a_failed_master_stands_before_their_new_owner,
        shards_tells_health,
        info_has_the_stock_lines_in_order,
        links_lists_both_directions,
        links_tell_what_waits_to_be_sent,
        own_ids,
        slot_stats_of_own_slots,
        slot_stats_of_a_replica_are_of_its_masters_slots,
        slot_stats_refuse_what_stock_refuses,
        a_view_is_formatted_once_per_version,
        addresses_for_clients_are_of_the_readers_family,
        a_name_is_preferred_to_an_address_for_clients,
        both_families_share_a_reply_where_nobody_announces_addresses_for_clients,
        help_names_every_subcommand,
    };
    return hs_test_main(fake_suite("admin_topology", tests, sizeof(tests) / sizeof(tests[0])));
}
