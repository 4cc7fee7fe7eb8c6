/* Meeting, learning of each other, and settling who is who. */
#include "core_world.h"
#include "hs_test.h"

enum { TIMEOUT_MS = 2000 };

static struct world w;

static void setup(void)
{
    world_init(&w, TIMEOUT_MS);
}

static void teardown(void)
{
    world_fini(&w);
}

static struct hs_core *core(int i)
{
    return w.node[i].core;
}

static void add(int n)
{
    for (int i = 0; i < n; i++) {
        world_add(&w);
    }
}

START_TEST(one_meet_joins_two_nodes)
{
    add(2);
    world_meet(&w, 0, 1);
    world_run(&w, 500);
    ck_assert_uint_eq(core(0)->nodes_n, 2);
    ck_assert_uint_eq(core(1)->nodes_n, 2);
    ck_assert_uint_ne(world_find(&w, 0, 1), NIL16);
    ck_assert_uint_ne(world_find(&w, 1, 0), NIL16);
    ck_assert_uint_eq(core(0)->handshakes_n, 0);
    ck_assert_uint_eq(core(1)->handshakes_n, 0);
}
END_TEST

START_TEST(gossip_completes_a_chain_of_meets)
{
    add(6);
    for (int i = 0; i < 5; i++) {
        world_meet(&w, i, i + 1);
    }
    world_run(&w, 5000);
    for (int i = 0; i < 6; i++) {
        ck_assert_uint_eq(core(i)->nodes_n, 6);
        for (int j = 0; j < 6; j++) {
            uint16_t ix = world_find(&w, i, j);
            ck_assert_uint_ne(ix, NIL16);
            ck_assert(i == j || core(i)->cold[ix].to_state == TO_UP);
        }
    }
    ck_assert(world_agrees(&w));
}
END_TEST

START_TEST(masters_that_all_start_at_zero_get_epochs_of_their_own)
{
    add(5);
    for (int i = 1; i < 5; i++) {
        world_meet(&w, 0, i);
    }
    world_run(&w, 15000);
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j < i; j++) {
            ck_assert_uint_ne(core(i)->cold[SELF].config_epoch, core(j)->cold[SELF].config_epoch);
        }
    }
    ck_assert(world_agrees(&w));
}
END_TEST

START_TEST(a_cluster_with_all_slots_becomes_ok_everywhere)
{
    add(3);
    world_slots(&w, 0, 0, 5460);
    world_slots(&w, 1, 5461, 10922);
    world_slots(&w, 2, 10923, 16383);
    world_meet(&w, 0, 1);
    world_meet(&w, 0, 2);
    world_run(&w, 8000);
    for (int i = 0; i < 3; i++) {
        ck_assert(core(i)->ok);
        ck_assert_uint_eq(core(i)->size, 3);
    }
    ck_assert(world_agrees(&w));
}
END_TEST

START_TEST(meeting_oneself_leaves_nothing_behind)
{
    add(1);
    world_meet(&w, 0, 0);
    world_run(&w, 1000);
    ck_assert_uint_eq(core(0)->nodes_n, 1);
}
END_TEST

START_TEST(meeting_twice_adds_nobody_twice)
{
    add(2);
    world_meet(&w, 0, 1);
    world_meet(&w, 1, 0);
    world_run(&w, 100);
    world_meet(&w, 0, 1);
    world_run(&w, 3000);
    ck_assert_uint_eq(core(0)->nodes_n, 2);
    ck_assert_uint_eq(core(1)->nodes_n, 2);
}
END_TEST

START_TEST(a_handshake_with_nobody_is_given_up)
{
    add(1);
    struct hs_cmd cmd = {.type = HS_CMD_MEET, .port = 9, .cport = 10009};
    memcpy(cmd.ip, "127.0.0.1", 10);
    world_command(&w, 0, cmd);
    world_run(&w, TIMEOUT_MS - 200);
    ck_assert_uint_eq(core(0)->nodes_n, 2);
    world_run(&w, 500);
    ck_assert_uint_eq(core(0)->nodes_n, 1);
}
END_TEST

START_TEST(a_light_frame_on_the_link_of_a_handshake_costs_the_link_only)
{
    struct hs_publish p = {(const uint8_t *)"c", (const uint8_t *)"m", 1, 1};
    uint8_t frame[64];

    add(2);
    world_meet(&w, 0, 1);
    w.node[1].deaf = true; /* it accepts, and never answers */
    world_run(&w, 150);
    ck_assert_int_eq(core(0)->cold[1].to_state, TO_UP);
    uint32_t len = hs_wire_build_publish(frame, HS_MSG_PUBLISH, &p, true);
    world_frame(&w, 0, core(0)->cold[1].to, frame, len);
    world_run(&w, 5);
    ck_assert_uint_eq(core(0)->counters[COUNT_light_unbound], 1);
    w.node[1].deaf = false;
    world_run(&w, 1000);
    ck_assert_uint_ne(world_find(&w, 0, 1), NIL16);
}
END_TEST

START_TEST(a_settled_cluster_is_quiet)
{
    add(6);
    for (int i = 1; i < 6; i++) {
        world_meet(&w, 0, i);
    }
    world_run(&w, 20000);
    uint64_t sent = w.sent_n;
    uint64_t saves = w.node[0].saves;
    world_run(&w, 10000);
    /* A ping a second each and its answer, and each pair once per half timeout. */
    ck_assert_uint_lt(w.sent_n - sent, 6 * 10 * 2 + 6 * 5 * 10 * 2);
    ck_assert_uint_gt(w.sent_n - sent, 6 * 10);
    ck_assert_uint_eq(w.node[0].saves, saves);
    for (int i = 0; i < 6; i++) {
        ck_assert_uint_eq(w.node[i].notes[HS_NOTE_PFAIL], 0);
        ck_assert_uint_eq(core(i)->counters[COUNT_links_reset], 0);
    }
}
END_TEST

START_TEST(a_restarted_node_is_itself_again)
{
    add(3);
    world_slots(&w, 1, 100, 200);
    world_meet(&w, 0, 1);
    world_meet(&w, 0, 2);
    world_run(&w, 10000);
    uint64_t epoch = core(1)->cold[SELF].config_epoch;
    world_restart(&w, 1);
    ck_assert_uint_eq(core(1)->cold[SELF].config_epoch, epoch);
    ck_assert_uint_eq(core(1)->cold[SELF].slots_n, 101);
    ck_assert_uint_eq(core(1)->nodes_n, 3);
    world_run(&w, 3000);
    ck_assert(world_agrees(&w));
}
END_TEST

START_TEST(a_forgotten_node_stays_away_while_it_is_blacklisted)
{
    add(3);
    world_meet(&w, 0, 1);
    world_meet(&w, 0, 2);
    world_run(&w, 5000);
    struct hs_cmd cmd = {.type = HS_CMD_FORGET, .id = core(2)->hot[SELF].id};
    world_command(&w, 0, cmd);
    ck_assert_int_eq(w.node[0].err, HS_CMD_OK);
    world_run(&w, 10000);
    ck_assert_uint_eq(world_find(&w, 0, 2), NIL16);
    ck_assert_uint_eq(world_find(&w, 1, 2), NIL16); /* the word was spread */
    world_command(&w, 0, cmd);
    ck_assert_int_eq(w.node[0].err, HS_CMD_OK); /* already forgotten: fine */
}
END_TEST

START_TEST(a_soft_reset_keeps_the_id_and_forgets_the_rest)
{
    add(2);
    world_slots(&w, 0, 0, 10);
    world_meet(&w, 0, 1);
    world_run(&w, 3000);
    struct hs_node_id id = core(0)->hot[SELF].id;
    world_command(&w, 0, (struct hs_cmd){.type = HS_CMD_RESET});
    ck_assert_uint_eq(core(0)->nodes_n, 1);
    ck_assert_uint_eq(core(0)->assigned_n, 0);
    ck_assert_mem_eq(&core(0)->hot[SELF].id, &id, sizeof(id));
}
END_TEST

START_TEST(a_hard_reset_makes_a_node_nobody_knows)
{
    add(2);
    world_meet(&w, 0, 1);
    world_run(&w, 3000);
    struct hs_cmd cmd = {.type = HS_CMD_RESET, .hard = true};
    memset(cmd.id.hex, 'f', HS_ID_LEN);
    memset(cmd.shard_id, 'e', HS_ID_LEN);
    world_command(&w, 0, cmd);
    ck_assert_uint_eq(core(0)->current_epoch, 0);
    ck_assert_int_eq(core(0)->hot[SELF].id.hex[0], 'f');
    world_run(&w, 3000);
    ck_assert_uint_eq(core(0)->nodes_n, 1);
}
END_TEST

/* A reset that is not on disk yet may be undone by a crash, and nobody would be
 * the worse for it; but what the node was may not be told as what it is. */
START_TEST(a_reset_node_is_met_as_what_it_is_now_however_slow_its_disk_is)
{
    add(3);
    world_slots(&w, 0, 0, 10);
    world_slots(&w, 1, 20, 30);
    world_run(&w, 100);
    w.node[0].disk_stuck = true;
    w.node[1].disk_stuck = true;
    struct hs_cmd cmd = {.type = HS_CMD_RESET, .hard = true};
    memset(cmd.id.hex, 'f', HS_ID_LEN);
    memset(cmd.shard_id, 'e', HS_ID_LEN);
    world_command(&w, 0, cmd);
    world_command(&w, 1, (struct hs_cmd){.type = HS_CMD_RESET});
    world_meet(&w, 0, 2);
    world_meet(&w, 2, 1);
    world_run(&w, 3000);
    ck_assert_uint_eq(core(2)->nodes_n, 3);
    ck_assert_uint_eq(core(2)->assigned_n, 0);
    uint16_t met = core_index_find(core(2), cmd.id.hex);
    ck_assert_uint_ne(met, NIL16);
    ck_assert(!has_flag(core(2), met, HS_NODE_NOADDR));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("core/join");
    TCase *tc = tcase_create("join");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, one_meet_joins_two_nodes);
    tcase_add_test(tc, gossip_completes_a_chain_of_meets);
    tcase_add_test(tc, masters_that_all_start_at_zero_get_epochs_of_their_own);
    tcase_add_test(tc, a_cluster_with_all_slots_becomes_ok_everywhere);
    tcase_add_test(tc, meeting_oneself_leaves_nothing_behind);
    tcase_add_test(tc, meeting_twice_adds_nobody_twice);
    tcase_add_test(tc, a_handshake_with_nobody_is_given_up);
    tcase_add_test(tc, a_light_frame_on_the_link_of_a_handshake_costs_the_link_only);
    tcase_add_test(tc, a_settled_cluster_is_quiet);
    tcase_add_test(tc, a_restarted_node_is_itself_again);
    tcase_add_test(tc, a_forgotten_node_stays_away_while_it_is_blacklisted);
    tcase_add_test(tc, a_soft_reset_keeps_the_id_and_forgets_the_rest);
    tcase_add_test(tc, a_hard_reset_makes_a_node_nobody_knows);
    tcase_add_test(tc, a_reset_node_is_met_as_what_it_is_now_however_slow_its_disk_is);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
