/* What the view tells about peers for those who explain: who accuses since
 * when, how long answers take, what was heard on which link, who claims what
 * another has, and who is no member. */
#include "core_solo.h"
#include "hs_test.h"

#include <stdio.h>

static struct solo s;

static void setup(void)
{
    solo_init(&s);
}

static void teardown(void)
{
    solo_fini(&s);
}

static struct hs_topo *view(void)
{
    uint32_t nodes, open, strings;

    hs_core_topo_need(s.core, &nodes, &open, &strings);
    struct hs_topo *t = hs_topo_create(nodes, open, strings);
    ck_assert_ptr_nonnull(t);
    hs_core_topology(s.core, s.now, t);
    return t;
}

/* Nodes 1, 2 and 3 are voters; 4 is a master without slots. */
static struct hs_topo *voters(void)
{
    struct hs_topo *boot = solo_topo(5);

    for (uint16_t i = 0; i < 4; i++) {
        boot->owner[i] = i;
    }
    return boot;
}

static void pass(int64_t ms)
{
    s.now.mono.ms += ms;
    s.now.wall.ms += ms;
}

static uint32_t accusers(uint16_t of, struct hs_accuser *out, uint32_t max)
{
    struct hs_node_id id = solo_id(of);

    return hs_core_accusers(s.core, &id, s.now, out, max);
}

START_TEST(an_accuser_is_told_with_when_it_began_and_when_it_said_so_last)
{
    struct hs_accuser a[2];
    int64_t from = s.now.wall.ms;

    solo_start(&s, voters());
    core_report_add(s.core, 4, 1);
    pass(1500); /* still valid: two timeouts are 2000 */
    s.core->now = s.now;
    core_report_add(s.core, 4, 1);
    pass(1500);
    ck_assert_uint_eq(accusers(4, a, 2), 1);
    ck_assert(memcmp(a[0].id.hex, solo_id(1).hex, HS_ID_LEN) == 0);
    ck_assert_int_eq(a[0].since_ms, from);
    ck_assert_int_ge(a[0].last_ms, from + 1500 - 32);
    ck_assert_int_le(a[0].last_ms, from + 1500 + 32);
    pass(1500);
    ck_assert_uint_eq(accusers(4, a, 2), 0); /* nobody repeated it */
}
END_TEST

START_TEST(who_accuses_again_after_a_pause_begins_anew)
{
    struct hs_accuser a[1];

    solo_start(&s, voters());
    core_report_add(s.core, 4, 1);
    pass(10000);
    s.core->now = s.now;
    core_report_add(s.core, 4, 1);
    ck_assert_uint_eq(accusers(4, a, 1), 1);
    ck_assert_int_eq(a[0].since_ms, s.now.wall.ms);
}
END_TEST

START_TEST(more_accusers_than_asked_for_are_still_counted)
{
    struct hs_accuser a[1];

    solo_start(&s, voters());
    for (uint16_t by = 1; by < 4; by++) {
        core_report_add(s.core, 4, by);
    }
    ck_assert_uint_eq(accusers(4, a, 1), 3);
    ck_assert_uint_eq(accusers(3, a, 1), 0);
    ck_assert_uint_eq(accusers(9, a, 1), 0); /* no such node */
}
END_TEST

/* Accused for a day, the seconds have come round: it is "long ago", not "now". */
START_TEST(an_accusation_of_a_day_is_long_ago)
{
    struct hs_accuser a[1];

    solo_start(&s, voters());
    for (int64_t passed = 0; passed < 24 * 3600000; passed += 1500) {
        core_report_add(s.core, 4, 1);
        pass(1500);
        s.core->now = s.now;
    }
    ck_assert_uint_eq(accusers(4, a, 1), 1);
    ck_assert_int_eq(a[0].since_ms, 0);
}
END_TEST

START_TEST(an_answers_time_is_measured_and_smoothed)
{
    struct hs_hdr h = solo_hdr(1);

    solo_start(&s, voters());
    struct hs_link l = solo_connect(&s, 1);
    pass(40);
    solo_plain(&s, l, HS_MSG_PONG, &h);
    struct hs_topo *t = view();
    ck_assert(t->nodes[1].has_rtt);
    ck_assert_uint_eq(t->nodes[1].rtt_ms, 40);
    ck_assert_uint_eq(t->nodes[1].rtt_smooth_8, 40 * 8);
    ck_assert(!t->nodes[2].has_rtt);
    hs_topo_destroy(t);
    for (int i = 0; i < 20 && s.core->hot[1].ping_sent == 0; i++) {
        solo_tick(&s, TICK_MS);
    }
    s.now.mono.ms = s.core->hot[1].ping_sent + 8;
    solo_plain(&s, l, HS_MSG_PONG, &h);
    t = view();
    ck_assert_uint_eq(t->nodes[1].rtt_ms, 8);
    ck_assert_uint_eq(t->nodes[1].rtt_min_ms, 8);
    ck_assert_uint_eq(t->nodes[1].rtt_smooth_8, 40 * 8 - 40 + 8);
    solo_plain(&s, l, HS_MSG_PONG, &h); /* an answer to nothing */
    hs_topo_destroy(t);
    t = view();
    ck_assert_uint_eq(t->nodes[1].rtt_ms, 8);
    hs_topo_destroy(t);
}
END_TEST

START_TEST(what_was_heard_is_told_per_direction)
{
    struct hs_hdr h = solo_hdr(1);

    solo_start(&s, voters());
    struct hs_link in = solo_accept(&s);
    solo_plain(&s, in, HS_MSG_PING, &h);
    int64_t heard = s.now.wall.ms;
    struct hs_topo *t = view();
    ck_assert_int_eq(t->nodes[1].heard_from_ms, heard);
    ck_assert_int_eq(t->nodes[1].heard_to_ms, 0);
    hs_topo_destroy(t);
    struct hs_link out = solo_connect(&s, 1);
    pass(30);
    solo_plain(&s, out, HS_MSG_PONG, &h);
    t = view();
    ck_assert_int_eq(t->nodes[1].heard_from_ms, heard);
    ck_assert_int_eq(t->nodes[1].heard_to_ms, s.now.wall.ms);
    hs_topo_destroy(t);
}
END_TEST

/* The clocks are read one after the other, in whole milliseconds. */
START_TEST(a_moment_does_not_move_unless_the_clock_jumps)
{
    solo_start(&s, voters());
    solo_connect(&s, 1);
    struct hs_topo *t = view();
    int64_t shown_ms = t->nodes[1].link_to_ms;
    ck_assert_int_gt(shown_ms, 0);
    hs_topo_destroy(t);
    for (int64_t reading_ms = -20; reading_ms <= 20; reading_ms++) {
        s.now.wall.ms += reading_ms;
        solo_tick(&s, 1);
        t = view();
        ck_assert_int_eq(t->nodes[1].link_to_ms, shown_ms);
        hs_topo_destroy(t);
        s.now.wall.ms -= reading_ms;
    }
    s.now.wall.ms += 3600000;
    solo_tick(&s, 1);
    t = view();
    ck_assert_int_eq(t->nodes[1].link_to_ms, shown_ms + 3600000);
    hs_topo_destroy(t);
}
END_TEST

/* Node 1 owns slot 1 with epoch 5; node 2 claims it with epoch 5, then not. */
START_TEST(a_claim_of_what_another_has_with_the_same_epoch_is_marked_until_it_ends)
{
    uint8_t both[HS_SLOTS_BYTES] = {0x06}, own[HS_SLOTS_BYTES] = {0x04};
    struct hs_topo *boot = voters();
    struct hs_hdr h = solo_hdr(2);

    boot->nodes[1].config_epoch = boot->nodes[2].config_epoch = 5;
    boot->current_epoch = 5;
    solo_start(&s, boot);
    struct hs_link l = solo_accept(&s);
    h.config_epoch = h.current_epoch = 5;
    h.slots = both;
    solo_plain(&s, l, HS_MSG_PING, &h);
    struct hs_topo *t = view();
    ck_assert_uint_eq(t->nodes[2].split_with, 1 + 1);
    ck_assert_uint_eq(t->nodes[2].split_slot, 1);
    ck_assert_uint_eq(t->nodes[1].split_with, 0);
    hs_topo_destroy(t);
    h.slots = own;
    solo_plain(&s, l, HS_MSG_PING, &h);
    t = view();
    ck_assert_uint_eq(t->nodes[2].split_with, 0);
    hs_topo_destroy(t);
}
END_TEST

/* Whatever ends it, even if the claimer says nothing any more. */
START_TEST(a_split_is_told_while_it_is_one)
{
    uint8_t both[HS_SLOTS_BYTES] = {0x06}, one[HS_SLOTS_BYTES] = {0x02};
    struct hs_topo *boot = voters();
    struct hs_hdr claimer = solo_hdr(2), owner = solo_hdr(1);

    boot->nodes[1].config_epoch = boot->nodes[2].config_epoch = 5;
    boot->current_epoch = 5;
    solo_start(&s, boot);
    claimer.config_epoch = claimer.current_epoch = 5;
    claimer.slots = both;
    solo_plain(&s, solo_accept(&s), HS_MSG_PING, &claimer);
    ck_assert_uint_eq(s.core->cold[2].split_with, 1 + 1);
    switch (_i) {
    case 1:
        core_node_flags(s.core, 2, HS_NODE_FAIL, 0);
        break;
    case 2:
        core_node_become_replica(s.core, 2);
        break;
    case 3: /* the epochs differ now */
        owner.config_epoch = owner.current_epoch = 6;
        owner.slots = one;
        solo_plain(&s, solo_accept(&s), HS_MSG_PING, &owner);
        break;
    case 4: /* the slot has a third owner, at whose epoch nobody else is */
        owner = solo_hdr(3);
        owner.config_epoch = owner.current_epoch = 6;
        owner.slots = one;
        solo_plain(&s, solo_accept(&s), HS_MSG_PING, &owner);
        break;
    default:
        break;
    }
    struct hs_topo *t = view();
    ck_assert_uint_eq(t->nodes[2].split_with, _i == 0 ? 1 + 1 : 0);
    hs_topo_destroy(t);
}
END_TEST

START_TEST(a_split_ends_when_the_other_owner_is_forgotten)
{
    uint8_t both[HS_SLOTS_BYTES] = {0x06};
    struct hs_topo *boot = voters();
    struct hs_hdr h = solo_hdr(2);

    boot->nodes[1].config_epoch = boot->nodes[2].config_epoch = 5;
    boot->current_epoch = 5;
    solo_start(&s, boot);
    h.config_epoch = h.current_epoch = 5;
    h.slots = both;
    solo_plain(&s, solo_accept(&s), HS_MSG_PING, &h);
    ck_assert_uint_eq(s.core->cold[2].split_with, 1 + 1);
    ck_assert_int_eq(solo_command(&s, (struct hs_cmd){.type = HS_CMD_FORGET, .id = solo_id(1)}),
                     HS_CMD_OK);
    ck_assert_uint_eq(s.core->cold[2].split_with, 0);
}
END_TEST

START_TEST(a_stranger_that_talks_is_remembered_and_one_that_asks_to_join_is_not)
{
    struct hs_hdr stranger = solo_hdr(9), joiner = solo_hdr(10), member = solo_hdr(1);

    solo_start(&s, voters());
    struct hs_link l = solo_accept(&s);
    solo_plain(&s, l, HS_MSG_PING, &stranger);
    int64_t first = s.now.wall.ms;
    pass(700);
    solo_plain(&s, l, HS_MSG_PING, &stranger);
    solo_plain(&s, solo_accept(&s), HS_MSG_MEET, &joiner);
    solo_plain(&s, solo_accept(&s), HS_MSG_PING, &member);
    struct hs_topo *t = view();
    ck_assert_uint_eq(t->foreign_n, 1);
    ck_assert(memcmp(t->foreign[0].id.hex, stranger.sender.hex, HS_ID_LEN) == 0);
    ck_assert_str_eq(t->foreign[0].ip, "127.0.0.9");
    ck_assert_int_eq(t->foreign[0].first_ms, first);
    ck_assert_int_eq(t->foreign[0].last_ms, first + 700);
    ck_assert_uint_eq(t->foreign[0].frames, 2);
    hs_topo_destroy(t);
}
END_TEST

START_TEST(somebody_with_our_own_id_is_a_stranger)
{
    struct hs_hdr h = solo_hdr(0);

    solo_start(&s, voters());
    solo_plain(&s, solo_accept(&s), HS_MSG_PING, &h);
    struct hs_topo *t = view();
    ck_assert_uint_eq(t->foreign_n, 1);
    ck_assert(memcmp(t->foreign[0].id.hex, t->nodes[0].id.hex, HS_ID_LEN) == 0);
    hs_topo_destroy(t);
}
END_TEST

START_TEST(one_stranger_too_many_takes_the_place_of_the_one_silent_longest)
{
    struct hs_hdr h = solo_hdr(9);

    solo_start(&s, voters());
    struct hs_link l = solo_accept(&s);
    for (int i = 0; i <= HS_TOPO_FOREIGN_MAX; i++) {
        snprintf(h.sender.hex, 6, "%05x", (unsigned)i);
        h.sender.hex[5] = '0';
        solo_plain(&s, l, HS_MSG_PING, &h);
        pass(1);
    }
    ck_assert_uint_eq(s.core->strangers_n, HS_TOPO_FOREIGN_MAX);
    ck_assert_uint_eq(s.core->counters[COUNT_strangers_replaced], 1);
    for (uint32_t i = 0; i < s.core->strangers_n; i++) {
        ck_assert(memcmp(s.core->strangers[i].id.hex, "00000", 5) != 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core_told");
    TCase *tc = tcase_create("told");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, an_accuser_is_told_with_when_it_began_and_when_it_said_so_last);
    tcase_add_test(tc, who_accuses_again_after_a_pause_begins_anew);
    tcase_add_test(tc, more_accusers_than_asked_for_are_still_counted);
    tcase_add_test(tc, an_accusation_of_a_day_is_long_ago);
    tcase_add_test(tc, an_answers_time_is_measured_and_smoothed);
    tcase_add_test(tc, what_was_heard_is_told_per_direction);
    tcase_add_test(tc, a_moment_does_not_move_unless_the_clock_jumps);
    tcase_add_test(tc, a_claim_of_what_another_has_with_the_same_epoch_is_marked_until_it_ends);
    tcase_add_loop_test(tc, a_split_is_told_while_it_is_one, 0, 5);
    tcase_add_test(tc, a_split_ends_when_the_other_owner_is_forgotten);
    tcase_add_test(tc, a_stranger_that_talks_is_remembered_and_one_that_asks_to_join_is_not);
    tcase_add_test(tc, somebody_with_our_own_id_is_a_stranger);
    tcase_add_test(tc, one_stranger_too_many_takes_the_place_of_the_one_silent_longest);
    suite_add_tcase(suite, tc);
    return hs_test_main(suite);
}
