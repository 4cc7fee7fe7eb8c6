/* Edges that changing the code by one showed to be untested. */
#include "core_solo.h"
#include "hs_test.h"

static struct solo s;

static void setup(void)
{
    solo_init(&s);
}

static void teardown(void)
{
    solo_fini(&s);
}

/* Us a replica of node 1, which owns slot 1; node 2 owns slot 2. */
static struct hs_topo *replica(void)
{
    struct hs_topo *boot = solo_topo(3);

    boot->nodes[0].flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    boot->nodes[0].master = 1;
    boot->owner[1] = 1;
    boot->owner[2] = 2;
    return boot;
}

START_TEST(one_slot_is_enough_to_stand_for)
{
    struct hs_topo *boot = replica();

    boot->nodes[1].flags |= HS_NODE_FAIL;
    solo_start(&s, boot);
    for (int i = 0; i < 40 && !s.core->auth_asked; i++) {
        solo_tick(&s, TICK_MS);
    }
    ck_assert(s.core->auth_asked);
}
END_TEST

START_TEST(a_replicas_header_has_the_slots_its_master_owns_now)
{
    struct hs_hdr h = solo_hdr(1);
    uint8_t slots[HS_SLOTS_BYTES] = {0x12}; /* slots 1 and 4 */

    solo_start(&s, replica());
    struct hs_link l = solo_accept(&s);
    h.slots = slots;
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    solo_saved(&s);
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(solo_msg(&s, HS_MSG_PONG, 0).frame[HS_OFF_SLOTS], 0x12);
}
END_TEST

START_TEST(an_unreachable_node_that_lost_its_last_slot_is_not_gossiped)
{
    struct hs_slot_range r = {2, 2};

    solo_start(&s, replica());
    ck_assert_uint_eq(s.core->fresh_n, 2);
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_DELSLOTS, .ranges = &r, .ranges_n = 1});
    ck_assert_uint_eq(s.core->fresh_n, 1);
}
END_TEST

START_TEST(a_stranger_without_a_bus_port_is_answered_and_not_dialed)
{
    struct hs_hdr h = solo_hdr(9);

    solo_start(&s, solo_topo(1));
    h.cport = 0;
    solo_ping(&s, solo_accept(&s), HS_MSG_MEET, &h, NULL);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_PONG), 1);
    ck_assert_uint_eq(s.core->nodes_n, 1);
    h.cport = 1;
    solo_ping(&s, solo_accept(&s), HS_MSG_MEET, &h, NULL);
    ck_assert_uint_eq(s.core->nodes_n, 2);
}
END_TEST

START_TEST(an_address_where_somebody_else_answers_is_forgotten)
{
    struct hs_hdr h = solo_hdr(9);

    solo_start(&s, solo_topo(2));
    solo_ping(&s, solo_connect(&s, 1), HS_MSG_PONG, &h, NULL);
    ck_assert(core_node_address_is(s.core, 1, "", 0, 0, 0));
}
END_TEST

START_TEST(an_answer_ends_a_replicas_pfail_or_fail_and_changes_no_role)
{
    struct hs_topo *boot = solo_topo(3);
    struct hs_hdr h = solo_hdr(1);
    struct hs_node_id master = solo_id(2);

    boot->nodes[1].flags = HS_NODE_SLAVE | (_i == 0 ? HS_NODE_PFAIL : HS_NODE_FAIL);
    boot->nodes[1].master = 2;
    solo_start(&s, boot);
    h.slaveof = &master;
    solo_ping(&s, solo_connect(&s, 1), HS_MSG_PONG, &h, NULL);
    ck_assert_uint_eq(s.core->hot[1].flags, HS_NODE_SLAVE);
}
END_TEST

START_TEST(a_takeover_is_announced_once)
{
    solo_start(&s, replica());
    solo_connect(&s, 2);
    solo_saved(&s);
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_FAILOVER, .failover = HS_FAILOVER_TAKEOVER});
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_PONG), 0); /* not before it is on disk */
    solo_saved(&s);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_PONG), 1);
}
END_TEST

START_TEST(an_announcement_waits_until_the_header_says_it)
{
    static const uint8_t none[HS_ID_LEN];
    uint64_t won;

    solo_start(&s, replica());
    solo_connect(&s, 2);
    solo_saved(&s);
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_FAILOVER, .failover = HS_FAILOVER_TAKEOVER});
    won = s.core->save_seq;
    core_want_sync(s.core); /* as for a vote: until it is on disk, the header stays as it is */
    solo_tick(&s, TICK_MS);
    solo_step(&s, &(struct hs_event){.type = HS_EV_SAVED, .saved_seq = won});
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_PONG), 0);
    solo_saved(&s);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_PONG), 1);
    ck_assert_mem_eq(solo_msg(&s, HS_MSG_PONG, 0).frame + HS_OFF_SLAVEOF, none, HS_ID_LEN);
}
END_TEST

START_TEST(whom_we_follow_is_announced_once)
{
    solo_start(&s, solo_topo(3));
    solo_connect(&s, 1);
    solo_connect(&s, 2);
    ck_assert_int_eq(solo_command(&s, (struct hs_cmd){.type = HS_CMD_REPLICATE, .id = solo_id(1)}),
                     HS_CMD_OK);
    solo_saved(&s);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_PONG), 2);
    ck_assert_mem_eq(solo_msg(&s, HS_MSG_PONG, 1).frame + HS_OFF_SLAVEOF, solo_id(1).hex,
                     HS_ID_LEN);
    core_want_save(s.core);
    solo_tick(&s, TICK_MS);
    solo_saved(&s);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_PONG), 0);
}
END_TEST

START_TEST(nothing_is_announced_again_with_the_next_save)
{
    struct hs_cmd save = {.type = HS_CMD_SAVECONFIG, .token = 1};

    solo_start(&s, replica());
    solo_connect(&s, 2);
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_FAILOVER, .failover = HS_FAILOVER_TAKEOVER});
    solo_saved(&s);
    solo_step(&s, &(struct hs_event){.type = HS_EV_COMMAND, .cmd = &save});
    solo_saved(&s);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_PONG), 0);
}
END_TEST

START_TEST(a_pending_ping_is_gossiped_with_its_time)
{
    solo_start(&s, solo_topo(2));
    solo_connect(&s, 1);
    ck_assert_uint_eq(hs_get32(board_of(s.core, 1) + HS_G_PING_SENT),
                      (uint32_t)(s.now.wall.ms / 1000));
}
END_TEST

START_TEST(the_next_tick_is_when_the_next_node_is_due)
{
    solo_start(&s, solo_topo(2));
    for (uint16_t slot = 0; slot < 200; slot++) { /* over all words of the wheel's bits */
        s.core->random_ping_at = s.now.mono.ms + 100000;
        s.core->ok = true;
        core_wheel_set(s.core, 1, s.now.mono.ms + 5 * TICK_MS);
        ck_assert_int_eq(hs_core_next_tick(s.core).ms, s.now.mono.ms + 5 * TICK_MS);
        s.now.mono.ms += TICK_MS;
        s.core->now = s.now;
        s.core->ticked_at += TICK_MS;
    }
}
END_TEST

/* Nobody answers; who is still to be dialed has not been asked yet. */
START_TEST(whom_we_had_no_time_to_connect_to_is_not_suspected)
{
    enum { N = 32 };
    uint32_t waiting = N - 1, suspects = 0;

    s.opts.connects_max = 2;
    s.conf.node_timeout_ms = 1000;
    solo_start(&s, solo_topo(N));
    while (waiting > 0) {
        solo_tick(&s, TICK_MS / 10);
        ck_assert_int_lt(s.now.mono.ms - s.core->started_at, 5000);
        waiting = suspects = 0;
        for (uint16_t ix = 1; ix < N; ix++) {
            bool is_suspect = has_flag(s.core, ix, HS_NODE_PFAIL);
            ck_assert(s.core->cold[ix].to_state != TO_NONE || !is_suspect);
            waiting += s.core->cold[ix].to_state == TO_NONE;
            suspects += is_suspect;
        }
    }
    ck_assert_uint_gt(suspects, 0); /* the first were dialed a node timeout ago */
    ck_assert_uint_lt(suspects, N - 1);
}
END_TEST

/* The connection is new, so neither its end nor a suspicion is near. */
START_TEST(a_first_answer_does_not_put_the_next_ping_off)
{
    struct hs_hdr h = solo_hdr(1);
    int64_t waited_ms = 0;

    solo_start(&s, solo_topo(2));
    solo_ping(&s, solo_connect(&s, 1), HS_MSG_PONG, &h, NULL);
    ck_assert_int_eq(s.core->hot[1].ping_sent, 0);
    s.core->random_ping_at = s.now.mono.ms + 100000;
    do {
        solo_tick(&s, TICK_MS);
        waited_ms += TICK_MS;
    } while (solo_sent(&s, HS_MSG_PING) == 0 && waited_ms < 2 * s.conf.node_timeout_ms);
    ck_assert_int_le(waited_ms, s.conf.node_timeout_ms / 2 + 2 * TICK_MS);
}
END_TEST

START_TEST(our_header_has_the_slots_we_were_given)
{
    struct hs_slot_range r = {3, 3};
    struct hs_hdr h = solo_hdr(1);

    solo_start(&s, solo_topo(2));
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_ADDSLOTS, .ranges = &r, .ranges_n = 1});
    solo_saved(&s);
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(solo_msg(&s, HS_MSG_PONG, 0).frame[HS_OFF_SLOTS], 8);
}
END_TEST

START_TEST(an_update_names_the_slots_their_owner_still_claims)
{
    struct hs_topo *boot = solo_topo(3);
    struct hs_hdr h = solo_hdr(2);
    uint8_t slots[HS_SLOTS_BYTES] = {2};

    boot->owner[1] = boot->owner[5] = 1;
    boot->nodes[1].config_epoch = 9;
    solo_start(&s, boot);
    solo_connect(&s, 2);
    h.myip = "127.0.0.1";
    h.slots = slots;
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL);
    struct hs_view v = solo_msg(&s, HS_MSG_UPDATE, 0);
    ck_assert_uint_eq(v.frame[HS_OFF_UPDATE_SLOTS], 0x22);
    ck_assert_uint_eq(hs_get64(v.frame + HS_OFF_UPDATE_EPOCH), 9);
}
END_TEST

/* What waited is read before the next tick, which was due long ago. */
START_TEST(a_pause_is_noticed_once)
{
    struct hs_hdr h = solo_hdr(2);

    solo_start(&s, solo_topo(3));
    struct hs_link l = solo_accept(&s);
    s.now.mono.ms += 5000;
    for (int i = 0; i < 3; i++) {
        solo_ping(&s, l, HS_MSG_PING, &h, NULL);
        s.now.mono.ms += 1;
    }
    solo_tick(&s, 0);
    ck_assert_uint_eq(s.core->counters[COUNT_resumed], 1);
    s.now.mono.ms += 5000;
    solo_tick(&s, 0);
    ck_assert_uint_eq(s.core->counters[COUNT_resumed], 2);
}
END_TEST

/* What was suspected before the pause, and said of it in what waited to be read. */
START_TEST(after_a_pause_no_verdict_follows_from_what_was_thought_before)
{
    struct hs_topo *boot = solo_topo(4);
    struct hs_gossip g = {
        .id = solo_id(3), .ip = "127.0.0.1", .port = 7003, .cport = 17003, .flags = HS_NODE_PFAIL};
    int64_t timeout_ms = s.conf.node_timeout_ms;

    for (uint16_t i = 0; i < 4; i++) {
        boot->owner[i] = i;
    }
    solo_start(&s, boot);
    struct hs_link from[3] = {{0}, solo_accept(&s), solo_accept(&s)};
    s.core->out = &s.acts;
    core_suspect(s.core, 3);
    s.now.mono.ms += 5 * timeout_ms;
    for (uint32_t i = 1; i < 3; i++) {
        struct hs_hdr h = solo_hdr(i);
        solo_ping(&s, from[i], HS_MSG_PING, &h, &g);
    }
    ck_assert_uint_eq(core_report_count(s.core, 3), 2);
    ck_assert_int_eq(has_flag(s.core, 3, HS_NODE_FAIL), false);
    s.now.mono.ms += timeout_ms / 2;
    struct hs_hdr h = solo_hdr(1);
    solo_ping(&s, from[1], HS_MSG_PING, &h, &g);
    ck_assert_int_eq(has_flag(s.core, 3, HS_NODE_FAIL), true);
}
END_TEST

/* So that answers go out between them. */
START_TEST(a_verdict_waits_for_the_next_slice_if_this_one_is_full)
{
    static const struct {
        uint32_t told_n; /* messages about verdicts in this slice before */
        bool now;
    } CASES[] = {{0, true},
                 {SLICE_TELLS_MAX - 3, true},
                 {SLICE_TELLS_MAX - 2, false},
                 {UINT32_MAX / 2, false}};

    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct hs_topo *boot = solo_topo(3);
        boot->owner[0] = 0;
        solo_init(&s);
        solo_start(&s, boot);
        solo_connect(&s, 1);
        solo_tick(&s, TICK_MS);
        s.core->out = &s.acts;
        core_suspect(s.core, 2);
        s.core->slice_tells_n = CASES[i].told_n;
        int64_t wait_ms = hs_core_next_tick(s.core).ms - s.now.mono.ms;
        ck_assert_int_eq(wait_ms, CASES[i].now ? 0 : 10);
        solo_tick(&s, 0);
        ck_assert_uint_eq(solo_sent(&s, HS_MSG_FAIL), CASES[i].now);
        solo_tick(&s, 10);
        ck_assert_uint_eq(solo_sent(&s, HS_MSG_FAIL), !CASES[i].now);
        if (i + 1 < sizeof(CASES) / sizeof(CASES[0])) {
            solo_fini(&s);
        }
    }
}
END_TEST

/* We are the only voter, or the only voter is somebody else. */
START_TEST(only_a_lone_voter_judges_alone)
{
    for (uint16_t owner = 0; owner < 2; owner++) {
        struct hs_topo *boot = solo_topo(3);
        boot->owner[0] = owner;
        solo_init(&s);
        solo_start(&s, boot);
        s.core->out = &s.acts;
        core_suspect(s.core, 2);
        ck_assert_int_eq(has_flag(s.core, 2, HS_NODE_FAIL), owner == SELF);
        if (owner == 0) {
            solo_fini(&s);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/edges");
    TCase *tc = tcase_create("edges");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, one_slot_is_enough_to_stand_for);
    tcase_add_test(tc, a_replicas_header_has_the_slots_its_master_owns_now);
    tcase_add_test(tc, an_unreachable_node_that_lost_its_last_slot_is_not_gossiped);
    tcase_add_test(tc, a_stranger_without_a_bus_port_is_answered_and_not_dialed);
    tcase_add_test(tc, an_address_where_somebody_else_answers_is_forgotten);
    tcase_add_loop_test(tc, an_answer_ends_a_replicas_pfail_or_fail_and_changes_no_role, 0, 2);
    tcase_add_test(tc, a_takeover_is_announced_once);
    tcase_add_test(tc, an_announcement_waits_until_the_header_says_it);
    tcase_add_test(tc, whom_we_follow_is_announced_once);
    tcase_add_test(tc, nothing_is_announced_again_with_the_next_save);
    tcase_add_test(tc, a_pending_ping_is_gossiped_with_its_time);
    tcase_add_test(tc, the_next_tick_is_when_the_next_node_is_due);
    tcase_add_test(tc, whom_we_had_no_time_to_connect_to_is_not_suspected);
    tcase_add_test(tc, a_first_answer_does_not_put_the_next_ping_off);
    tcase_add_test(tc, our_header_has_the_slots_we_were_given);
    tcase_add_test(tc, an_update_names_the_slots_their_owner_still_claims);
    tcase_add_test(tc, a_pause_is_noticed_once);
    tcase_add_test(tc, after_a_pause_no_verdict_follows_from_what_was_thought_before);
    tcase_add_test(tc, a_verdict_waits_for_the_next_slice_if_this_one_is_full);
    tcase_add_test(tc, only_a_lone_voter_judges_alone);
    suite_add_tcase(suite, tc);
    return hs_test_main(suite);
}
