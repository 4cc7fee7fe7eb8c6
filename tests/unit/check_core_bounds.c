/* Bounds of what one core does at once, and what is odd at the edge of a table. */
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

static uint64_t counter(const char *name)
{
    const uint64_t *values;
    uint32_t n = hs_core_counters(s.core, &values);

    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(hs_core_counter_name(i), name) == 0) {
            return values[i];
        }
    }
    ck_abort_msg("no counter %s", name);
}

static enum hs_cmd_err command(enum hs_cmd_type type, uint32_t id)
{
    return solo_command(&s, (struct hs_cmd){.type = type, .id = solo_id(id)});
}

/* ---- time ---- */

enum { CROWD_N = 32 };

/* All were answered in the same moment, so all are due again in the same one. */
static void crowd(void)
{
    struct hs_link l[CROWD_N];

    solo_start(&s, solo_topo(CROWD_N));
    for (uint16_t i = 1; i < CROWD_N; i++) {
        l[i] = solo_connect(&s, i);
    }
    for (uint16_t i = 1; i < CROWD_N; i++) {
        struct hs_hdr h = solo_hdr(i);
        solo_plain(&s, l[i], HS_MSG_PING, &h);
        solo_ping(&s, l[i], HS_MSG_PONG, &h, NULL);
    }
    s.core->random_ping_at = s.now.mono.ms + 100000;
    s.core->ok = true; /* or every tick would be asked for */
}

START_TEST(pings_that_are_due_together_leave_in_several_ticks)
{
    enum { N = CROWD_N };
    uint32_t sent = 0, ticks = 0;

    crowd();
    while (sent < N - 1 && ticks < 20) {
        solo_tick(&s, TICK_MS);
        uint32_t now = solo_sent(&s, HS_MSG_PING);
        ck_assert_uint_le(now, 16);
        sent += now;
        ticks += now > 0;
    }
    ck_assert_uint_eq(sent, N - 1);
    ck_assert_uint_ge(ticks, 2);
}
END_TEST

/* Eight at a time, ten milliseconds apart; and sixteen in a tick. */
START_TEST(pings_of_one_tick_leave_in_slices)
{
    static const struct {
        int64_t at_ms;
        uint32_t n;
    } SLICES[] = {{0, 8}, {10, 8}, {100, 8}, {110, 7}};
    uint32_t slices = 0;

    crowd();
    for (int64_t first_ms = 0; slices < 4;) {
        int64_t at_ms = hs_core_next_tick(s.core).ms;
        if (at_ms - s.now.mono.ms > 1) { /* too early: nothing leaves */
            solo_tick(&s, 1);
            ck_assert_uint_eq(solo_sent(&s, HS_MSG_PING), 0);
        }
        solo_tick(&s, at_ms - s.now.mono.ms);
        uint32_t n = solo_sent(&s, HS_MSG_PING);
        if (n == 0) {
            ck_assert_int_lt(at_ms, s.core->random_ping_at);
            continue;
        }
        first_ms = slices == 0 ? at_ms : first_ms;
        ck_assert_uint_eq(n, SLICES[slices].n);
        ck_assert_int_eq(at_ms - first_ms, SLICES[slices].at_ms);
        slices++;
    }
}
END_TEST

/* Whichever 100 ms one looks at. */
START_TEST(connections_of_any_tick_long_stretch_are_bounded)
{
    enum { N = 32 };
    int64_t at_ms[N];
    uint32_t n = 0;

    solo_start(&s, solo_topo(N));
    for (int steps = 0; n < N - 1 && steps < 1000; steps++) {
        int64_t ms = hs_core_next_tick(s.core).ms - s.now.mono.ms;
        solo_tick(&s, ms + 6 - steps % 7); /* never quite in time */
        for (uint32_t k = solo_count(&s, HS_ACT_CONNECT); k > 0; k--) {
            at_ms[n++] = s.now.mono.ms;
        }
    }
    ck_assert_uint_eq(n, N - 1);
    for (uint32_t i = s.opts.connects_max; i < n; i++) {
        ck_assert_int_ge(at_ms[i] - at_ms[i - s.opts.connects_max], TICK_MS);
    }
}
END_TEST

START_TEST(a_handshake_has_a_second_however_short_the_node_timeout_is)
{
    struct hs_cmd meet = {.type = HS_CMD_MEET, .ip = "127.0.0.1", .port = 7001, .cport = 17001};

    s.conf.node_timeout_ms = 200;
    solo_start(&s, solo_topo(1));
    ck_assert_int_eq(solo_command(&s, meet), HS_CMD_OK);
    for (int i = 0; i < 10; i++) {
        ck_assert_uint_eq(s.core->nodes_n, 2);
        solo_tick(&s, TICK_MS);
    }
    solo_tick(&s, TICK_MS);
    ck_assert_uint_eq(s.core->nodes_n, 1);
}
END_TEST

/* A master waits before it serves again: the node timeout, within bounds. */
START_TEST(the_wait_before_serving_again_is_bounded_on_both_sides)
{
    static const struct {
        uint32_t timeout_ms;
        int64_t wait_ms;
    } waits[] = {{100, 500}, {2000, 2000}, {60000, 5000}};

    for (size_t k = 0; k < sizeof(waits) / sizeof(waits[0]); k++) {
        struct hs_topo *boot = solo_topo(3);
        for (uint32_t i = 0; i < HS_SLOTS; i++) {
            boot->owner[i] = (uint16_t)(i % 3);
        }
        solo_init(&s);
        s.conf.node_timeout_ms = waits[k].timeout_ms;
        solo_start(&s, boot);
        s.core->out = &s.acts;
        core_node_flags(s.core, 1, HS_NODE_PFAIL, 0); /* we are the minority */
        core_node_flags(s.core, 2, HS_NODE_PFAIL, 0);
        for (int64_t t = 0; t < 6000; t += TICK_MS) {
            solo_tick(&s, TICK_MS);
        }
        ck_assert(!s.core->ok);
        struct hs_hdr h = solo_hdr(1);
        uint8_t slots[HS_SLOTS_BYTES];
        core_slots_bitmap(s.core, 1, true, slots);
        h.slots = slots;
        solo_ping(&s, solo_connect(&s, 1), HS_MSG_PONG, &h, NULL);
        int64_t began = s.now.mono.ms;
        while (!s.core->ok && s.now.mono.ms < began + 10000) {
            struct hs_link again = {s.links_n - 1, 1};
            solo_ping(&s, again, HS_MSG_PONG, &h, NULL);
            solo_tick(&s, TICK_MS);
        }
        ck_assert_int_ge(s.now.mono.ms - began, waits[k].wait_ms);
        ck_assert_int_le(s.now.mono.ms - began, waits[k].wait_ms + 2 * TICK_MS);
        if (k + 1 < sizeof(waits) / sizeof(waits[0])) {
            solo_fini(&s);
        }
    }
}
END_TEST

/* ---- places ---- */

START_TEST(a_hole_in_the_table_is_stepped_over)
{
    struct hs_topo *boot = solo_topo(5);
    struct hs_core_conf conf;
    struct hs_publish p = {.channel = (const uint8_t *)"c",
                           .channel_len = 1,
                           .message = (const uint8_t *)"t",
                           .message_len = 1};

    boot->nodes[3].config_epoch = boot->current_epoch = 7;
    memcpy(s.conf.announce_ip, "10.0.0.1", 9);
    solo_start(&s, boot);
    solo_connect(&s, 4);
    ck_assert_int_eq(command(HS_CMD_FORGET, 2), HS_CMD_OK);
    ck_assert_uint_eq(s.core->nodes_n, 4);
    conf = s.conf;
    conf.node_timeout_ms = 5000;
    ck_assert_int_eq(solo_command(&s, (struct hs_cmd){.type = HS_CMD_CONF, .conf = &conf}),
                     HS_CMD_OK);
    ck_assert(core_node_address_is(s.core, SELF, "10.0.0.1", 7000, 0, 17000));
    ck_assert_int_eq(command(HS_CMD_BUMPEPOCH, 0), HS_CMD_OK);
    ck_assert_uint_eq(s.core->cold[SELF].config_epoch, 8);
    for (int sharded = 0; sharded < 2; sharded++) {
        solo_command(
            &s, (struct hs_cmd){.type = HS_CMD_PUBLISH, .publish = &p, .sharded = sharded != 0});
        ck_assert_uint_eq(solo_sent(&s, HS_MSG_PUBLISH) + solo_sent(&s, HS_MSG_PUBLISHSHARD),
                          !sharded);
    }
    ck_assert_int_eq(command(HS_CMD_RESET, 0), HS_CMD_OK);
    ck_assert_uint_eq(s.core->nodes_n, 1);
}
END_TEST

START_TEST(no_more_saves_wait_for_the_disk_than_there_is_room_for)
{
    uint32_t answered = 0;

    solo_start(&s, solo_topo(1));
    for (uint64_t i = 1; i <= SAVECONFIGS_MAX; i++) {
        struct hs_cmd save = {.type = HS_CMD_SAVECONFIG, .token = i};
        solo_step(&s, &(struct hs_event){.type = HS_EV_COMMAND, .cmd = &save});
        ck_assert_uint_eq(solo_count(&s, HS_ACT_REPLY), 0);
    }
    ck_assert_int_eq(command(HS_CMD_SAVECONFIG, 0), HS_CMD_ERR_SAVES_WAITING);
    for (uint64_t seq = s.core->saved_seq + 1; seq <= s.core->save_seq; seq++) {
        solo_step(&s, &(struct hs_event){.type = HS_EV_SAVED, .saved_seq = seq});
        answered += solo_count(&s, HS_ACT_REPLY);
    }
    ck_assert_uint_eq(answered, SAVECONFIGS_MAX);
}
END_TEST

START_TEST(of_more_local_addresses_than_a_host_has_no_more_are_learned)
{
    s.opts.links_max = 128;
    solo_start(&s, solo_topo(1));
    for (uint32_t i = 0; i < 2 * LOCAL_IPS_MAX; i++) {
        struct hs_link_up up = {.peer_ip = "127.0.0.9"};
        snprintf(up.local_ip, sizeof(up.local_ip), "10.0.0.%u", i);
        struct hs_link l = {s.links_n++, 1};
        solo_step(&s, &(struct hs_event){.type = HS_EV_LINK_UP, .link = l, .up = &up});
    }
    ck_assert_uint_eq(s.core->local_ips_n, LOCAL_IPS_MAX);
}
END_TEST

START_TEST(of_endless_notes_a_step_keeps_so_many_and_counts_the_rest)
{
    solo_start(&s, solo_topo(2));
    s.core->out = &s.acts;
    s.acts.n = 0;
    s.core->notes_n = 0;
    for (int i = 0; i < NOTES_MAX + 5; i++) {
        struct hs_node_id id = solo_id(1);
        if (s.acts.n == s.acts.max) {
            s.acts.n = 0;
        }
        core_note(s.core, HS_NOTE_PFAIL, 1, HS_NIL, 0);
        core_note_id(s.core, HS_NOTE_FORGOTTEN, id.hex, HS_NIL, 0);
    }
    ck_assert_uint_eq(counter("notes_dropped"), NOTES_MAX + 10);
}
END_TEST

/* ---- tests' own commands ---- */

START_TEST(a_filter_drops_all_and_may_close_the_links)
{
    struct hs_hdr h = solo_hdr(1);

    solo_start(&s, solo_topo(2));
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_DROP_FILTER, .epoch = -2});
    struct hs_link l = solo_accept(&s);
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_PONG), 0);
    ck_assert_uint_eq(solo_count(&s, HS_ACT_CLOSE), 0);
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_DROP_CLOSES, .hard = true});
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(solo_count(&s, HS_ACT_CLOSE), 1);
}
END_TEST

START_TEST(either_link_of_a_node_can_be_killed_and_ours_to_ourselves_is_none)
{
    struct hs_hdr h = solo_hdr(1);
    struct hs_cmd kill = {.type = HS_CMD_KILL_LINK, .id = solo_id(1), .kill_from = true};

    solo_start(&s, solo_topo(2));
    h.myip = "127.0.0.1";
    solo_connect(&s, 1);
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL);
    ck_assert(s.core->cold[1].has_from);
    ck_assert_int_eq(solo_command(&s, kill), HS_CMD_OK);
    ck_assert(!s.core->cold[1].has_from);
    ck_assert_int_eq(s.core->cold[1].to_state, TO_UP);
    kill = (struct hs_cmd){.type = HS_CMD_KILL_LINK, .id = solo_id(1), .kill_to = true};
    ck_assert_int_eq(solo_command(&s, kill), HS_CMD_OK);
    ck_assert_int_ne(s.core->cold[1].to_state, TO_UP);
    kill = (struct hs_cmd){
        .type = HS_CMD_KILL_LINK, .id = solo_id(0), .kill_to = true, .kill_from = true};
    ck_assert_int_eq(solo_command(&s, kill), HS_CMD_OK);
    ck_assert_uint_eq(solo_count(&s, HS_ACT_CLOSE), 0);
}
END_TEST

/* ---- the blacklist ---- */

START_TEST(what_is_no_longer_forgotten_is_told_nobody)
{
    struct hs_hdr h = solo_hdr(1);

    solo_start(&s, solo_topo(3));
    h.mflags = HS_MFLAG_EXT_DATA;
    struct hs_link l = solo_accept(&s);
    command(HS_CMD_FORGET, 2);
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    uint32_t with = solo_msg(&s, HS_MSG_PONG, 0).ext_n;
    s.now.mono.ms += 61 * 1000;
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(solo_msg(&s, HS_MSG_PONG, 0).ext_n, with - 1);
}
END_TEST

START_TEST(forgetting_again_only_moves_the_end)
{
    solo_start(&s, solo_topo(3));
    command(HS_CMD_FORGET, 2);
    s.core->out = &s.acts;
    core_blacklist_add(s.core, solo_id(2).hex, 1000 * 1000);
    ck_assert_uint_eq(s.core->blacklist_n, 1);
    s.core->now.mono.ms += 500 * 1000;
    ck_assert(core_blacklisted(s.core, solo_id(2).hex));
}
END_TEST

START_TEST(a_full_blacklist_replaces_what_is_over_without_counting_it)
{
    char hex[HS_ID_LEN + 1];

    solo_start(&s, solo_topo(1));
    s.core->out = &s.acts;
    for (int i = 0; i < BLACKLIST_MAX; i++) {
        snprintf(hex, sizeof(hex), "%040d", i);
        core_blacklist_add(s.core, hex, 1000 - i);
    }
    s.core->now.mono.ms += 2000;
    core_blacklist_add(s.core, solo_id(2).hex, 1000);
    ck_assert_uint_eq(s.core->blacklist_n, BLACKLIST_MAX);
    ck_assert_uint_eq(counter("blacklist_full"), 0);
    ck_assert(core_blacklisted(s.core, solo_id(2).hex));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/bounds");
    TCase *tc = tcase_create("bounds");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, pings_that_are_due_together_leave_in_several_ticks);
    tcase_add_test(tc, pings_of_one_tick_leave_in_slices);
    tcase_add_test(tc, connections_of_any_tick_long_stretch_are_bounded);
    tcase_add_test(tc, a_handshake_has_a_second_however_short_the_node_timeout_is);
    tcase_add_test(tc, the_wait_before_serving_again_is_bounded_on_both_sides);
    tcase_add_test(tc, a_hole_in_the_table_is_stepped_over);
    tcase_add_test(tc, no_more_saves_wait_for_the_disk_than_there_is_room_for);
    tcase_add_test(tc, of_more_local_addresses_than_a_host_has_no_more_are_learned);
    tcase_add_test(tc, of_endless_notes_a_step_keeps_so_many_and_counts_the_rest);
    tcase_add_test(tc, a_filter_drops_all_and_may_close_the_links);
    tcase_add_test(tc, either_link_of_a_node_can_be_killed_and_ours_to_ourselves_is_none);
    tcase_add_test(tc, what_is_no_longer_forgotten_is_told_nobody);
    tcase_add_test(tc, forgetting_again_only_moves_the_end);
    tcase_add_test(tc, a_full_blacklist_replaces_what_is_over_without_counting_it);
    suite_add_tcase(suite, tc);
    return hs_test_main(suite);
}
