/* What commands refuse, and what they do to one core. */
#include "core_solo.h"
#include "hs_test.h"

static struct solo s;

/* We and node 1 are masters with a slot, node 2 one without, 3 replicates 1. */
static void setup(void)
{
    struct hs_topo *boot = solo_topo(4);

    solo_init(&s);
    s.opts.nodes_max = 6;
    for (uint16_t i = 0; i < 2; i++) {
        boot->owner[i] = i;
    }
    boot->nodes[3].flags = HS_NODE_SLAVE;
    boot->nodes[3].master = 1;
    solo_start(&s, boot);
}

static void teardown(void)
{
    solo_fini(&s);
}

static enum hs_cmd_err with_id(enum hs_cmd_type type, uint32_t id)
{
    return solo_command(&s, (struct hs_cmd){.type = type, .id = solo_id(id), .slot = 0});
}

static enum hs_cmd_err setslot(enum hs_cmd_type type, uint16_t slot, uint32_t id)
{
    return solo_command(&s, (struct hs_cmd){.type = type, .id = solo_id(id), .slot = slot});
}

static enum hs_cmd_err meet(const char *ip, uint16_t port, uint16_t cport)
{
    struct hs_cmd cmd = {.type = HS_CMD_MEET, .port = port, .cport = cport};

    memcpy(cmd.ip, ip, strlen(ip) + 1);
    return solo_command(&s, cmd);
}

START_TEST(meet_needs_an_address_and_room)
{
    ck_assert_int_eq(meet("127.0.0.1", 0, 17000), HS_CMD_ERR_BAD_ADDRESS);
    ck_assert_int_eq(meet("127.0.0.1", 7000, 0), HS_CMD_ERR_BAD_ADDRESS);
    ck_assert_int_eq(meet("localhost", 7000, 17000), HS_CMD_ERR_BAD_ADDRESS);
    ck_assert_int_eq(meet("127.0.0.1", 7000, 17050), HS_CMD_OK);
    ck_assert_int_eq(meet("127.0.0.1", 7000, 17050), HS_CMD_OK); /* under way */
    ck_assert_uint_eq(s.core->handshakes_n, 1);
    ck_assert_int_eq(meet("fe80::A", 7000, 17050), HS_CMD_OK);
    ck_assert_uint_eq(s.core->handshakes_n, 2);
    ck_assert_int_eq(meet("::1", 7000, 17051), HS_CMD_ERR_TABLE_FULL);
}
END_TEST

START_TEST(strangers_may_fill_half_of_the_table_and_an_operator_all_of_it)
{
    for (uint32_t i = 1; i < 4; i++) {
        ck_assert_int_eq(with_id(HS_CMD_FORGET, i), HS_CMD_OK);
    }
    for (uint32_t i = 10; i < 15; i++) {
        struct hs_hdr h = solo_hdr(i);
        solo_ping(&s, solo_accept(&s), HS_MSG_MEET, &h, NULL);
    }
    ck_assert_uint_eq(s.core->handshakes_n, 3);
    ck_assert_uint_eq(s.core->counters[COUNT_handshakes_refused], 2);
    for (uint16_t i = 0; i < 2; i++) {
        ck_assert_int_eq(meet("127.0.0.1", 7000, (uint16_t)(17050 + i)), HS_CMD_OK);
    }
    ck_assert_uint_eq(s.core->handshakes_n, 5);
    ck_assert_int_eq(meet("127.0.0.1", 7000, 17060), HS_CMD_ERR_TABLE_FULL);
}
END_TEST

START_TEST(forget_refuses_ourselves_our_master_and_the_unknown)
{
    ck_assert_int_eq(with_id(HS_CMD_FORGET, 0), HS_CMD_ERR_FORGET_MYSELF);
    ck_assert_int_eq(with_id(HS_CMD_FORGET, 9), HS_CMD_ERR_UNKNOWN_NODE);
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_FLUSHSLOTS});
    ck_assert_int_eq(with_id(HS_CMD_REPLICATE, 1), HS_CMD_OK);
    ck_assert_int_eq(with_id(HS_CMD_FORGET, 1), HS_CMD_ERR_FORGET_MASTER);
    ck_assert_int_eq(with_id(HS_CMD_FORGET, 2), HS_CMD_OK);
    ck_assert_int_eq(with_id(HS_CMD_FORGET, 2), HS_CMD_OK); /* forgotten already */
    solo_tick(&s, 60001);
    ck_assert_int_eq(with_id(HS_CMD_FORGET, 2), HS_CMD_ERR_UNKNOWN_NODE);
}
END_TEST

START_TEST(a_forgotten_node_leaves_nothing_that_names_it)
{
    ck_assert_int_eq(setslot(HS_CMD_SETSLOT_MIGRATING, 0, 1), HS_CMD_OK);
    ck_assert_int_eq(setslot(HS_CMD_SETSLOT_IMPORTING, 1, 1), HS_CMD_OK);
    ck_assert_int_eq(setslot(HS_CMD_SETSLOT_IMPORTING, 5, 2), HS_CMD_OK);
    ck_assert_int_eq(with_id(HS_CMD_FORGET, 1), HS_CMD_OK);
    ck_assert_uint_eq(s.core->migrating_n, 0);
    ck_assert_uint_eq(s.core->importing_n, 1);
    ck_assert_uint_eq(s.core->importing[5], 2 + 1);
    ck_assert_uint_eq(s.core->owner[1], NIL16);
    ck_assert_uint_eq(s.core->cold[3].master, NIL16);
}
END_TEST

START_TEST(replicate_refuses_what_is_no_master_and_a_master_with_slots)
{
    ck_assert_int_eq(with_id(HS_CMD_REPLICATE, 9), HS_CMD_ERR_UNKNOWN_NODE);
    ck_assert_int_eq(with_id(HS_CMD_REPLICATE, 0), HS_CMD_ERR_REPLICATE_MYSELF);
    ck_assert_int_eq(with_id(HS_CMD_REPLICATE, 3), HS_CMD_ERR_REPLICATE_REPLICA);
    ck_assert_int_eq(with_id(HS_CMD_REPLICATE, 1), HS_CMD_ERR_NOT_EMPTY);
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_FLUSHSLOTS});
    ck_assert_int_eq(with_id(HS_CMD_REPLICATE, 1), HS_CMD_OK);
    uint64_t saves = s.core->save_seq;
    ck_assert_int_eq(with_id(HS_CMD_REPLICATE, 1), HS_CMD_OK); /* as it is */
    ck_assert_uint_eq(s.core->save_seq, saves);
}
END_TEST

START_TEST(a_replica_sets_no_slots_and_its_reset_makes_it_a_master)
{
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_FLUSHSLOTS});
    with_id(HS_CMD_REPLICATE, 1);
    ck_assert_int_eq(setslot(HS_CMD_SETSLOT_NODE, 0, 1), HS_CMD_ERR_NOT_MASTER);
    with_id(HS_CMD_RESET, 0);
    ck_assert(i_am_master(s.core));
    ck_assert_uint_eq(s.core->cold[SELF].master, NIL16);
}
END_TEST

START_TEST(setslot_checks_slot_and_target)
{
    ck_assert_int_eq(setslot(HS_CMD_SETSLOT_STABLE, HS_SLOTS, 0), HS_CMD_ERR_BAD_SLOT);
    ck_assert_int_eq(setslot(HS_CMD_SETSLOT_MIGRATING, 0, 3), HS_CMD_ERR_TARGET_NOT_MASTER);
    ck_assert_int_eq(setslot(HS_CMD_SETSLOT_NODE, 0, 3), HS_CMD_ERR_TARGET_NOT_MASTER);
    ck_assert_int_eq(setslot(HS_CMD_SETSLOT_MIGRATING, 0, 1), HS_CMD_OK);
    ck_assert_int_eq(setslot(HS_CMD_SETSLOT_IMPORTING, 1, 1), HS_CMD_OK);
    ck_assert_int_eq(setslot(HS_CMD_SETSLOT_STABLE, 0, 0), HS_CMD_OK);
    ck_assert_int_eq(setslot(HS_CMD_SETSLOT_STABLE, 1, 0), HS_CMD_OK);
    ck_assert_uint_eq(s.core->migrating_n + s.core->importing_n, 0);
}
END_TEST

START_TEST(giving_the_last_slot_away_makes_us_a_replica_of_its_owner)
{
    ck_assert_int_eq(setslot(HS_CMD_SETSLOT_NODE, 0, 1), HS_CMD_OK);
    ck_assert_uint_eq(s.core->cold[SELF].master, 1);
}
END_TEST

START_TEST(giving_the_last_slot_away_changes_no_role_without_migration)
{
    s.core->conf.allow_replica_migration = false;
    ck_assert_int_eq(setslot(HS_CMD_SETSLOT_NODE, 0, 1), HS_CMD_OK);
    ck_assert(i_am_master(s.core));
}
END_TEST

START_TEST(taking_a_slot_without_importing_it_raises_no_epoch)
{
    ck_assert_int_eq(setslot(HS_CMD_SETSLOT_NODE, 7, 0), HS_CMD_OK);
    ck_assert_uint_eq(s.core->cold[SELF].config_epoch, 0);
}
END_TEST

START_TEST(adding_an_imported_slot_ends_the_import)
{
    struct hs_slot_range r = {7, 7};

    setslot(HS_CMD_SETSLOT_IMPORTING, 7, 1);
    ck_assert_int_eq(
        solo_command(&s, (struct hs_cmd){.type = HS_CMD_ADDSLOTS, .ranges = &r, .ranges_n = 1}),
        HS_CMD_OK);
    ck_assert_uint_eq(s.core->importing_n, 0);
    ck_assert_uint_eq(s.core->owner[7], SELF);
}
END_TEST

START_TEST(reports_are_counted_for_known_nodes)
{
    struct hs_hdr h = solo_hdr(1);
    struct hs_gossip g = {.id = solo_id(2),
                          .ip = "127.0.0.1",
                          .port = 7000,
                          .cport = 17002,
                          .flags = HS_NODE_MASTER | HS_NODE_PFAIL};

    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, &g);
    ck_assert_int_eq(with_id(HS_CMD_COUNT_REPORTS, 9), HS_CMD_ERR_UNKNOWN_NODE);
    ck_assert_int_eq(with_id(HS_CMD_COUNT_REPORTS, 2), HS_CMD_OK);
    ck_assert_uint_eq(core_report_count(s.core, 2), 1);
    /* Stamps mean nothing under another node timeout. */
    struct hs_core_conf conf = s.core->conf;
    conf.node_timeout_ms = 5000;
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_CONF, .conf = &conf});
    ck_assert_uint_eq(core_report_count(s.core, 2), 0);
}
END_TEST

START_TEST(a_saveconfig_is_answered_when_it_is_on_disk)
{
    struct hs_cmd cmd = {.type = HS_CMD_SAVECONFIG, .token = 5};

    solo_step(&s, &(struct hs_event){.type = HS_EV_COMMAND, .cmd = &cmd});
    ck_assert_uint_eq(solo_count(&s, HS_ACT_REPLY), 0);
    solo_step(&s, &(struct hs_event){.type = HS_EV_SAVED, .saved_seq = s.core->save_seq - 1});
    ck_assert_uint_eq(solo_count(&s, HS_ACT_REPLY), 0);
    solo_saved(&s);
    ck_assert_uint_eq(solo_count(&s, HS_ACT_REPLY), 1);
    ck_assert_uint_eq(s.acts.v[0].token, 5);
}
END_TEST

START_TEST(an_announced_address_is_ours_until_it_is_taken_back)
{
    struct hs_core_conf conf = s.core->conf;
    struct hs_hdr h = solo_hdr(1);

    memcpy(conf.announce_ip, "10.9.9.9", 9);
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_CONF, .conf = &conf});
    solo_ping(&s, solo_accept(&s), HS_MSG_MEET, &h, NULL);
    ck_assert_str_eq((char *)board_of(s.core, SELF) + HS_G_IP, "10.9.9.9");
    conf.announce_ip[0] = '\0';
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_CONF, .conf = &conf});
    ck_assert_str_eq((char *)board_of(s.core, SELF) + HS_G_IP, "");
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL);
    ck_assert_str_eq((char *)board_of(s.core, SELF) + HS_G_IP, "127.0.0.1");
}
END_TEST

START_TEST(a_shorter_ping_interval_takes_effect_at_once)
{
    struct hs_core_conf conf = s.core->conf;
    struct hs_hdr h = solo_hdr(1);

    conf.node_timeout_ms = 60000;
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_CONF, .conf = &conf});
    struct hs_link l = solo_connect(&s, 1);
    h.myip = "127.0.0.1";
    solo_ping(&s, l, HS_MSG_PONG, &h, NULL);
    s.core->random_ping_at = INT64_MAX / 2;
    solo_tick(&s, 5000);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_PING), 0);
    conf.ping_interval_ms = 1000;
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_CONF, .conf = &conf});
    solo_tick(&s, TICK_MS);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_PING), 1);
}
END_TEST

START_TEST(statistics_begin_again)
{
    struct hs_hdr h = solo_hdr(1);

    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(s.core->received[HS_MSG_PING], 1);
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_RESETSTAT});
    ck_assert_uint_eq(s.core->received[HS_MSG_PING] + s.core->sent[HS_MSG_PONG], 0);
}
END_TEST

START_TEST(failover_needs_a_master_that_can_be_reached)
{
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_FLUSHSLOTS});
    with_id(HS_CMD_REPLICATE, 1);
    ck_assert_int_eq(with_id(HS_CMD_FAILOVER, 0), HS_CMD_ERR_MASTER_DOWN);
    core_node_remove(s.core, 1); /* as if its place had been lost */
    ck_assert_int_eq(with_id(HS_CMD_FAILOVER, 0), HS_CMD_ERR_MASTER_UNKNOWN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/commands");
    TCase *tc = tcase_create("commands");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, meet_needs_an_address_and_room);
    tcase_add_test(tc, strangers_may_fill_half_of_the_table_and_an_operator_all_of_it);
    tcase_add_test(tc, forget_refuses_ourselves_our_master_and_the_unknown);
    tcase_add_test(tc, a_forgotten_node_leaves_nothing_that_names_it);
    tcase_add_test(tc, replicate_refuses_what_is_no_master_and_a_master_with_slots);
    tcase_add_test(tc, a_replica_sets_no_slots_and_its_reset_makes_it_a_master);
    tcase_add_test(tc, setslot_checks_slot_and_target);
    tcase_add_test(tc, giving_the_last_slot_away_makes_us_a_replica_of_its_owner);
    tcase_add_test(tc, giving_the_last_slot_away_changes_no_role_without_migration);
    tcase_add_test(tc, taking_a_slot_without_importing_it_raises_no_epoch);
    tcase_add_test(tc, adding_an_imported_slot_ends_the_import);
    tcase_add_test(tc, reports_are_counted_for_known_nodes);
    tcase_add_test(tc, a_saveconfig_is_answered_when_it_is_on_disk);
    tcase_add_test(tc, an_announced_address_is_ours_until_it_is_taken_back);
    tcase_add_test(tc, a_shorter_ping_interval_takes_effect_at_once);
    tcase_add_test(tc, statistics_begin_again);
    tcase_add_test(tc, failover_needs_a_master_that_can_be_reached);
    suite_add_tcase(suite, tc);
    return hs_test_main(suite);
}
