/* One topology with room for 4 nodes, 2 open slots and 16 bytes of strings. */
#include "hearsay/topo.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct hs_topo *t;

static void setup(void)
{
    t = hs_topo_create(4, 2, 16);
    ck_assert_ptr_nonnull(t);
    for (uint32_t i = 0; i < 4; i++) {
        memset(t->nodes[i].id.hex, 'a' + (int)i, HS_ID_LEN);
        t->nodes[i].master = HS_TOPO_NONE;
        t->nodes[i].config_epoch = 10 + i;
    }
    t->nodes_n = 3; /* the fourth is filled in but not there */
}

static void teardown(void)
{
    hs_topo_destroy(t);
}

static void give(uint16_t node, uint32_t first, uint32_t last)
{
    for (uint32_t slot = first; slot <= last; slot++) {
        t->owner[slot] = node;
        t->nodes[node].slots_n++;
    }
}

START_TEST(a_new_topology_owns_no_slot_and_is_otherwise_zero)
{
    for (uint32_t i = 0; i < HS_SLOTS; i++)
        ck_assert_uint_eq(t->owner[i], HS_TOPO_NONE);
    ck_assert_uint_eq(t->version, 0);
    ck_assert_uint_eq(t->migrating_n, 0);
    ck_assert_uint_eq(t->strings_n, 0);
    ck_assert(!t->ok);
}
END_TEST

START_TEST(the_arrays_do_not_overlap)
{
    memset(t->nodes, 1, 4 * sizeof(*t->nodes));
    memset(t->migrating, 2, 2 * sizeof(*t->migrating));
    memset(t->importing, 3, 2 * sizeof(*t->importing));
    memset(t->strings, 4, 16);
    ck_assert_uint_eq(t->nodes[3].reports_n, 0x01010101);
    ck_assert_uint_eq(t->migrating[1].node, 0x0202);
    ck_assert_uint_eq(t->importing[1].node, 0x0303);
    ck_assert_uint_eq(t->owner[HS_SLOTS - 1], HS_TOPO_NONE);
}
END_TEST

START_TEST(a_string_is_copied_until_the_area_is_full)
{
    char text[] = "host-one"; /* 9 bytes of 16 */
    const char *copy = hs_topo_string(t, text);
    text[0] = 'X';
    ck_assert_str_eq(copy, "host-one");
    ck_assert_ptr_null(hs_topo_string(t, "1234567")); /* 8 more: one too many */
    ck_assert_str_eq(hs_topo_string(t, "123456"), "123456");
    ck_assert_ptr_null(hs_topo_string(t, "x"));
    ck_assert_str_eq(copy, "host-one");
}
END_TEST

START_TEST(an_empty_string_costs_nothing)
{
    struct hs_topo *bare = hs_topo_create(1, 0, 0);
    ck_assert_str_eq(hs_topo_string(bare, ""), "");
    ck_assert_ptr_null(hs_topo_string(bare, "x"));
    hs_topo_destroy(bare);
}
END_TEST

START_TEST(find_sees_exactly_the_nodes_that_are_there)
{
    for (uint16_t i = 0; i < 3; i++) {
        struct hs_node_id id = t->nodes[i].id;
        ck_assert_uint_eq(hs_topo_find(t, &id), i);
        id.hex[HS_ID_LEN - 1] = '0';
        ck_assert_uint_eq(hs_topo_find(t, &id), HS_TOPO_NONE);
    }
    ck_assert_uint_eq(hs_topo_find(t, &t->nodes[3].id), HS_TOPO_NONE);
}
END_TEST

START_TEST(a_replica_shows_its_masters_epoch)
{
    t->nodes[2].master = 1;
    ck_assert_uint_eq(hs_topo_epoch(t, 0), 10);
    ck_assert_uint_eq(hs_topo_epoch(t, 1), 11);
    ck_assert_uint_eq(hs_topo_epoch(t, 2), 11);
}
END_TEST

START_TEST(a_copy_has_everything_and_strings_of_its_own)
{
    give(1, 6, 9);
    t->nodes[1].nodename = hs_topo_string(t, "rack-1");
    t->nodes[1].hostname = t->nodes[1].client_ipv4 = t->nodes[1].client_ipv6 = "";
    for (uint32_t i = 0; i < t->nodes_n; i++)
        if (i != 1)
            t->nodes[i].nodename = t->nodes[i].hostname = t->nodes[i].client_ipv4 =
                t->nodes[i].client_ipv6 = "";
    t->migrating[0] = (struct hs_topo_open){7, 1};
    t->migrating_n = 1;
    t->current_epoch = 99;
    struct hs_topo *copy = hs_topo_copy(t);
    ck_assert_ptr_nonnull(copy);
    ck_assert_str_eq(copy->nodes[1].nodename, "rack-1");
    ck_assert_ptr_ne(copy->nodes[1].nodename, t->nodes[1].nodename);
    ck_assert_uint_eq(copy->nodes_n, t->nodes_n);
    ck_assert_uint_eq(copy->migrating[0].slot, 7);
    ck_assert_uint_eq(copy->current_epoch, 99);
    ck_assert_mem_eq(copy->owner, t->owner, sizeof(t->owner));
    ck_assert_uint_eq(hs_topo_hash(copy), hs_topo_hash(t));
    hs_topo_destroy(copy);
}
END_TEST

/* What two observers of one cluster differ in does not show in the hash. */
START_TEST(the_hash_is_blind_to_what_is_one_observers)
{
    give(1, 6, 9);
    uint64_t hash = hs_topo_hash(t);
    t->nodes[1].flags |= HS_NODE_PFAIL | HS_NODE_MYSELF | HS_NODE_NOADDR;
    strcpy(t->nodes[1].ip, "10.9.9.9");
    t->nodes[1].pong_received_ms = t->nodes[1].link_to_ms = t->nodes[1].repl_offset = 5;
    t->nodes[1].reports_n = 3;
    t->current_epoch = 77;
    ck_assert_uint_eq(hs_topo_hash(t), hash);
    struct hs_topo_node n = t->nodes[1];
    t->nodes[1] = t->nodes[2];
    t->nodes[2] = n;
    for (uint32_t s = 6; s <= 9; s++)
        t->owner[s] = 2;
    ck_assert_uint_eq(hs_topo_hash(t), hash); /* nor is the order of nodes */
    t->nodes[3].flags = HS_NODE_HANDSHAKE;
    t->nodes_n = 4;
    ck_assert_uint_eq(hs_topo_hash(t), hash); /* nor who is no member yet */
}
END_TEST

START_TEST(the_hash_sees_what_nodes_must_agree_on)
{
    uint64_t seen[9] = {hs_topo_hash(t)};
    give(1, 6, 9);
    seen[1] = hs_topo_hash(t);
    t->owner[6] = 2;
    seen[2] = hs_topo_hash(t);
    t->nodes[1].flags |= HS_NODE_FAIL;
    seen[3] = hs_topo_hash(t);
    t->nodes[1].config_epoch++;
    seen[4] = hs_topo_hash(t);
    t->nodes[1].master = 2;
    seen[5] = hs_topo_hash(t);
    t->nodes[1].cport++;
    seen[6] = hs_topo_hash(t);
    t->nodes_n--;
    seen[7] = hs_topo_hash(t);
    t->nodes[0].config_epoch++;
    seen[8] = hs_topo_hash(t);
    for (int i = 0; i < 9; i++)
        for (int j = 0; j < i; j++)
            ck_assert_uint_ne(seen[i], seen[j]);
}
END_TEST

static const struct {
    int64_t heard_to, heard_from, ping_sent; /* ms ago; -1 never, or none */
    enum hs_one_way way;
} ways[] = {
    {10, 10, -1, HS_ONE_WAY_NO},       {2999, 10, 1600, HS_ONE_WAY_NO},
    {3000, 10, 1600, HS_ONE_WAY_TO},   {-1, 10, 1600, HS_ONE_WAY_TO},
    {3000, 10, 1500, HS_ONE_WAY_NO},   /* not for long enough */
    {3000, 3000, 9000, HS_ONE_WAY_NO}, /* it is down */
    {10, 5999, -1, HS_ONE_WAY_NO},     {10, 6000, -1, HS_ONE_WAY_FROM},
    {10, -1, -1, HS_ONE_WAY_FROM},
};

START_TEST(one_way_is_heard_in_one_direction_for_long_enough)
{
    int64_t now = 1000000;
    struct hs_topo_node n = {.flags = HS_NODE_MASTER};
    n.heard_to_ms = ways[_i].heard_to < 0 ? 0 : now - ways[_i].heard_to;
    n.heard_from_ms = ways[_i].heard_from < 0 ? 0 : now - ways[_i].heard_from;
    n.link_to_ms = now - 6000;
    n.ping_sent_ms = ways[_i].ping_sent < 0 ? 0 : now - ways[_i].ping_sent;
    ck_assert_int_eq(hs_topo_one_way(&n, now, 3000), ways[_i].way);
    if (ways[_i].way == HS_ONE_WAY_FROM) { /* it may not have had the time to connect */
        n.link_to_ms = now - 5999;
        ck_assert_int_eq(hs_topo_one_way(&n, now, 3000), HS_ONE_WAY_NO);
        n.link_to_ms = now - 6000;
        n.link_from_ms = 1; /* connected, and has nothing to say */
        ck_assert_int_eq(hs_topo_one_way(&n, now, 3000), HS_ONE_WAY_NO);
    }
    n.flags |= HS_NODE_NOADDR;
    ck_assert_int_eq(hs_topo_one_way(&n, now, 3000), HS_ONE_WAY_NO);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("topo");
    TCase *tc = tcase_create("topo");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_new_topology_owns_no_slot_and_is_otherwise_zero);
    tcase_add_test(tc, the_arrays_do_not_overlap);
    tcase_add_test(tc, a_string_is_copied_until_the_area_is_full);
    tcase_add_test(tc, an_empty_string_costs_nothing);
    tcase_add_test(tc, find_sees_exactly_the_nodes_that_are_there);
    tcase_add_test(tc, a_replica_shows_its_masters_epoch);
    tcase_add_test(tc, a_copy_has_everything_and_strings_of_its_own);
    tcase_add_test(tc, the_hash_is_blind_to_what_is_one_observers);
    tcase_add_test(tc, the_hash_sees_what_nodes_must_agree_on);
    tcase_add_loop_test(tc, one_way_is_heard_in_one_direction_for_long_enough, 0,
                        (int)(sizeof(ways) / sizeof(ways[0])));
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
