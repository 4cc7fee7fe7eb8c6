/* Replies that are sent from where they were formatted: how long they live, and what
 * their memory is bounded by. */
#include "admin_fake.h"

static uint64_t counter(enum hs_admin_counter which)
{
    uint64_t values[HS_ADMIN_COUNTERS];
    hs_admin_counters(fake.admin, values);
    return values[which];
}

/* Memory of a version is given back by its last reader, not changed under him. */
START_TEST(a_reply_on_its_way_outlives_its_version)
{
    char before[1024];
    fake.slow = true;
    strcpy(before, fake_run("cluster nodes"));
    fake.topo->nodes[1].port = 9999;
    fake.view.version++;
    ck_assert_ptr_nonnull(strstr(fake_run("cluster nodes"), "9999"));
    ck_assert_uint_eq(fake.shared_n, 2);
    ck_assert_uint_eq(fake.shared[0]->len, strlen(before));
    ck_assert_mem_eq(fake.shared[0]->bytes, before, strlen(before));
    ck_assert_uint_ge(counter(HS_ADMIN_PINNED_BYTES), strlen(before));
    hs_shared_release(fake.shared[0]);
    ck_assert_uint_eq(counter(HS_ADMIN_PINNED_BYTES), 0);
    hs_shared_release(fake.shared[1]);
}
END_TEST

START_TEST(a_version_that_nobody_is_sent_any_more_costs_no_memory)
{
    fake.slow = true;
    fake_run("cluster nodes");
    const void *bytes = fake.shared[0]->bytes;
    hs_shared_release(fake.shared[0]);
    fake.view.version++;
    fake_run("cluster nodes");
    ck_assert_ptr_eq(fake.shared[1]->bytes, bytes);
    ck_assert_uint_eq(counter(HS_ADMIN_PINNED_BYTES), 0);
    hs_shared_release(fake.shared[1]);
}
END_TEST

/* Its replies are above a megabyte. */
static struct hs_topo *wide_topo(void)
{
    enum { NODES = 4000 };
    static char hostname[250];
    struct hs_topo *t = hs_topo_create(NODES, 0, 0);
    memset(hostname, 'h', sizeof(hostname) - 1);
    for (uint32_t i = 0; i < NODES; i++) {
        fake_id(&t->nodes[i].id, 'a');
        t->nodes[i].flags = HS_NODE_MASTER;
        t->nodes[i].master = HS_TOPO_NONE;
        t->nodes[i].hostname = hostname;
        t->nodes[i].nodename = t->nodes[i].client_ipv4 = t->nodes[i].client_ipv6 = "";
    }
    t->nodes_n = NODES;
    return t;
}

START_TEST(readers_of_the_oldest_versions_are_cut_at_the_bound)
{
    enum { BOUND = 64 << 20 };
    struct hs_topo *wide = wide_topo();
    uint64_t most = 0;
    fake.view.topo = wide;
    fake.slow = true;
    while (fake.cut_n < 3) {
        fake_run("cluster nodes");
        fake.view.version++;
        uint64_t pinned = counter(HS_ADMIN_PINNED_BYTES);
        ck_assert_uint_le(pinned, BOUND);
        most = pinned > most ? pinned : most;
    }
    ck_assert_uint_gt(most, BOUND - 2 * fake.shared[0]->len * 2);
    ck_assert_uint_eq(counter(HS_ADMIN_READERS_CUT), 3);
    for (uint32_t i = 0; i < fake.shared_n; i++)
        hs_shared_release(fake.shared[i]);
    ck_assert_uint_eq(counter(HS_ADMIN_PINNED_BYTES), 0);
    fake.view.topo = fake.topo;
    hs_topo_destroy(wide);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        a_reply_on_its_way_outlives_its_version,
        a_version_that_nobody_is_sent_any_more_costs_no_memory,
        readers_of_the_oldest_versions_are_cut_at_the_bound,
    };
    return hs_test_main(fake_suite("admin_rendered", tests, sizeof(tests) / sizeof(tests[0])));
}
