/* ROLE, INFO replication and the health in CLUSTER SHARDS: what the view of the
 * cluster says of masters and replicas. */
#include "admin_fake.h"

/* Two replicas of ours: d with a link, e without one. */
static void with_replicas(void)
{
    struct hs_topo_node *d = &fake.topo->nodes[3];
    struct hs_topo_node *e = &fake.topo->nodes[4];
    d->master = e->master = 0;
    e->flags = HS_NODE_SLAVE;
    d->repl_offset = 0;
    d->pong_received_ms = admin_now_ms() - 2500;
}

static void as_replica(void)
{
    fake.topo->nodes[0].flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    fake.topo->nodes[0].master = 1;
}

static void ck_has(const char *text)
{
    const char *reply = fake_run("info replication");
    ck_assert_msg(strstr(reply, text) != NULL, "%s is not in %s", text, reply);
}

START_TEST(a_master_lists_the_replicas_it_has_a_link_to)
{
    with_replicas();
    ck_reply("role", "*3\r\n$6\r\nmaster\r\n:0\r\n*1\r\n*3\r\n$9\r\n127.0.0.1\r\n$4\r\n7003\r\n"
                     "$1\r\n0\r\n");
    ck_has("role:master\r\nconnected_slaves:1\r\n"
           "slave0:ip=127.0.0.1,port=7003,state=online,offset=0,lag=2\r\nmaster_failover_state:");
    fake.topo->nodes[4].link_to_ms = 77;
    ck_has("\r\nslave1:ip=127.0.0.1,port=7004,state=online,offset=0,lag=-1\r\n");
}
END_TEST

START_TEST(a_failed_replica_and_one_without_a_link_are_not_listed)
{
    with_replicas();
    fake.topo->nodes[3].flags |= HS_NODE_FAIL;
    ck_has("connected_slaves:0\r\nmaster_failover_state:");
    ck_reply("role", "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n");
}
END_TEST

START_TEST(a_replica_tells_of_its_link_to_the_master)
{
    as_replica();
    fake.topo->nodes[1].pong_received_ms = admin_now_ms() - 3500;
    ck_has("role:slave\r\nmaster_host:127.0.0.1\r\nmaster_port:7001\r\nmaster_link_status:up\r\n"
           "master_last_io_seconds_ago:3\r\n");
    fake.topo->nodes[1].link_to_ms = 0;
    ck_has("\r\nmaster_link_status:down\r\nmaster_last_io_seconds_ago:-1\r\n");
    ck_has("\r\nmaster_link_down_since_seconds:3\r\n");
    ck_reply("role", "*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:7001\r\n$7\r\nconnect\r\n:0\r\n");
    fake.topo->nodes[0].master = HS_TOPO_NONE;
    ck_has("role:slave\r\nmaster_host:\r\nmaster_port:0\r\nmaster_link_status:down\r\n");
}
END_TEST

START_TEST(a_replica_without_data_is_loading_unless_its_master_has_none_either)
{
    static const struct {
        int64_t master, replica;
        const char *health;
    } cases[] = {{0, 0, "online"}, {9, 0, "loading"}, {9, 1, "online"}, {0, 1, "online"}};
    char expected[64];
    static const char id[] = "dddddddddddddddddddddddddddddddddddddddd";
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fake.topo->nodes[1].repl_offset = cases[i].master;
        fake.topo->nodes[3].repl_offset = cases[i].replica;
        fake.view.version++;
        const char *at = strstr(fake_run("cluster shards"), id);
        ck_assert_ptr_nonnull(at);
        at = strstr(at, "health\r\n");
        ck_assert_ptr_nonnull(at);
        snprintf(expected, sizeof(expected), "health\r\n$%zu\r\n%s\r\n", strlen(cases[i].health),
                 cases[i].health);
        ck_assert_msg(strncmp(at, expected, strlen(expected)) == 0, "%zu: %.30s", i, at);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_master_lists_the_replicas_it_has_a_link_to,
        a_failed_replica_and_one_without_a_link_are_not_listed,
        a_replica_tells_of_its_link_to_the_master,
        a_replica_without_data_is_loading_unless_its_master_has_none_either,
    };
    return hs_test_main(fake_suite("admin_replication", tests, sizeof(tests) / sizeof(tests[0])));
}
