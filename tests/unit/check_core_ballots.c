/* Which votes, positions and requests count in elections and manual failovers. */
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

/* Us a replica of node 1, which failed. Voters are 1, 2, 4; 3 has no slot, 5
 * and 6 are replicas of 1 as well. */
static struct hs_topo *candidate(void)
{
    struct hs_topo *boot = solo_topo(7);

    boot->nodes[0].flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    boot->nodes[1].flags |= HS_NODE_FAIL;
    boot->nodes[5].flags = boot->nodes[6].flags = HS_NODE_SLAVE;
    boot->nodes[0].master = boot->nodes[5].master = boot->nodes[6].master = 1;
    boot->owner[1] = 1;
    boot->owner[2] = 2;
    boot->owner[4] = 4;
    return boot;
}

/* A vote of node i, with that epoch, on a connection of its own. */
static void vote(uint32_t i, uint64_t epoch)
{
    struct hs_hdr h = solo_hdr(i);
    uint8_t slots[HS_SLOTS_BYTES] = {(uint8_t)(i == 3 ? 0 : 1U << i)};

    h.slots = slots;
    h.current_epoch = epoch;
    solo_plain(&s, solo_accept(&s), HS_MSG_AUTH_ACK, &h);
}

/* A request for votes of node i, a replica of 1. */
static void ask_as(uint32_t i, uint64_t epoch)
{
    struct hs_hdr h = solo_hdr(i);
    struct hs_node_id master = solo_id(1);

    h.flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    h.slaveof = &master;
    h.current_epoch = epoch;
    solo_plain(&s, solo_accept(&s), HS_MSG_AUTH_REQUEST, &h);
}

static void until_asked(void)
{
    for (int i = 0; i < 80 && !s.core->auth_asked; i++) {
        solo_tick(&s, TICK_MS);
    }
    ck_assert(s.core->auth_asked);
}

START_TEST(a_vote_counts_if_a_voter_gives_it_for_this_election_once)
{
    solo_start(&s, candidate());
    until_asked();
    uint64_t epoch = s.core->auth_epoch;
    vote(2, epoch);
    ck_assert_uint_eq(s.core->auth_votes, 0); /* nobody was asked yet: our epoch is not on disk */
    solo_saved(&s);
    vote(3, epoch);
    vote(5, epoch);
    vote(2, epoch - 1);
    ck_assert_uint_eq(s.core->auth_votes, 0);
    vote(2, epoch);
    vote(2, epoch);
    ck_assert_uint_eq(s.core->auth_votes, 1);
    ck_assert(has_flag(s.core, SELF, HS_NODE_SLAVE));
    vote(4, epoch);
    ck_assert(has_flag(s.core, SELF, HS_NODE_MASTER));
    vote(1, epoch); /* too late to matter */
    ck_assert_uint_eq(s.core->owner[1], SELF);
}
END_TEST

START_TEST(a_planned_election_tells_its_rank_and_offset)
{
    uint32_t n = 0;

    solo_start(&s, candidate());
    s.core->cold[SELF].repl_offset = 42;
    s.core->cold[5].repl_offset = s.core->cold[6].repl_offset = 100;
    core_election_reset(s.core); /* the start planned one */
    solo_tick(&s, TICK_MS);
    for (uint32_t i = 0; i < s.acts.n; i++) {
        const struct hs_action *a = &s.acts.v[i];
        if (a->type == HS_ACT_NOTE && a->note == HS_NOTE_ELECTION_PLANNED) {
            ck_assert_uint_eq(a->rank, 2);
            ck_assert_int_eq(a->offset, 42);
            n++;
        }
    }
    ck_assert_uint_eq(n, 1);
}
END_TEST

START_TEST(a_fellow_that_must_not_stand_delays_nobody_and_a_better_one_does)
{
    struct hs_topo *boot = candidate();
    boot->nodes[5].flags |= HS_NODE_NOFAILOVER;
    solo_start(&s, boot);
    ck_assert_int_eq(solo_command(&s, (struct hs_cmd){.type = HS_CMD_FORGET, .id = solo_id(3)}),
                     HS_CMD_OK); /* a hole in the table */
    s.core->cold[5].repl_offset = s.core->cold[6].repl_offset = 100;
    solo_tick(&s, TICK_MS);
    ck_assert_uint_eq(s.core->auth_rank, 1);
    int64_t planned = s.core->auth_at;
    s.core->cold[6].repl_offset = 0;
    solo_tick(&s, TICK_MS);
    ck_assert_uint_eq(s.core->auth_rank, 0);
    ck_assert_int_eq(s.core->auth_at, planned - 1000);
}
END_TEST

/* With 500 ms it still takes 2 s before an attempt counts as failed. */
START_TEST(a_short_node_timeout_does_not_hurry_elections)
{
    s.conf.node_timeout_ms = 500;
    solo_start(&s, candidate());
    until_asked();
    solo_saved(&s);
    int64_t began = s.core->auth_at;
    while (s.now.mono.ms < began + 2000) {
        ck_assert(!s.core->auth_over);
        solo_tick(&s, TICK_MS);
    }
    solo_tick(&s, TICK_MS);
    ck_assert(s.core->auth_over);
}
END_TEST

START_TEST(without_a_validity_factor_data_is_never_too_old)
{
    s.conf.replica_validity_factor = 0;
    solo_start(&s, candidate());
    ck_assert_int_eq(solo_command(&s, (struct hs_cmd){.type = HS_CMD_OFFSET, .epoch = 7}),
                     HS_CMD_OK);
    s.core->auth_at = 0;
    s.core->offset_at -= 900 * 1000;
    solo_tick(&s, TICK_MS);
    ck_assert_int_ne(s.core->auth_at, 0);
}
END_TEST

START_TEST(who_became_a_master_meanwhile_asks_for_no_votes)
{
    solo_start(&s, candidate());
    solo_connect(&s, 2);
    until_asked();
    ck_assert_int_eq(solo_command(&s, (struct hs_cmd){.type = HS_CMD_FAILOVER,
                                                      .failover = HS_FAILOVER_TAKEOVER}),
                     HS_CMD_OK);
    solo_saved(&s);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_AUTH_REQUEST), 0);
}
END_TEST

START_TEST(who_hears_another_ask_in_its_epoch_asks_in_the_next)
{
    s.conf.node_timeout_ms = 15000; /* the connection outlives it */
    solo_start(&s, candidate());
    solo_connect(&s, 2);
    until_asked();
    uint64_t epoch = s.core->auth_epoch;
    ask_as(6, epoch); /* while ours is being saved */
    solo_saved(&s);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_AUTH_REQUEST), 0);
    ask_as(6, epoch); /* older than ours by now */
    solo_saved(&s);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_AUTH_REQUEST), 0); /* it waits for its moment, */
    ask_as(6, epoch + 1);                                     /* and gives way again */
    for (int i = 0; i < 30 && solo_sent(&s, HS_MSG_AUTH_REQUEST) == 0; i++)
        i % 3 == 0 ? solo_saved(&s) : solo_tick(&s, TICK_MS);
    const uint8_t *request = solo_msg(&s, HS_MSG_AUTH_REQUEST, 0).frame;
    ck_assert_uint_eq(hs_get64(request + HS_OFF_CURRENT_EPOCH), epoch + 2);
}
END_TEST

START_TEST(who_is_too_late_with_its_epoch_asks_nobody)
{
    solo_start(&s, candidate());
    solo_connect(&s, 2);
    until_asked();
    s.core->auth_at -= 2 * (int64_t)s.conf.node_timeout_ms;
    solo_tick(&s, TICK_MS);
    ck_assert(s.core->auth_over);
    solo_saved(&s);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_AUTH_REQUEST), 0);
}
END_TEST

/* ---- as a voter ---- */

/* We own slot 0; 1 failed, 5 is its replica. */
static struct hs_topo *voter(void)
{
    struct hs_topo *boot = candidate();

    boot->nodes[0].flags = HS_NODE_MYSELF | HS_NODE_MASTER;
    boot->nodes[0].master = HS_TOPO_NONE;
    boot->owner[0] = 0;
    return boot;
}

START_TEST(a_vote_for_one_who_left_before_it_was_on_disk_goes_to_nobody)
{
    solo_start(&s, voter());
    solo_connect(&s, 5);
    ask_as(5, 9);
    ck_assert_uint_eq(s.core->votes_n, 1);
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_FORGET, .id = solo_id(5)});
    solo_saved(&s);
    ck_assert_uint_eq(s.core->votes_n, 0);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_AUTH_ACK), 0);
}
END_TEST

START_TEST(a_vote_without_a_connection_is_spent)
{
    solo_start(&s, voter());
    ask_as(5, 9);
    solo_saved(&s);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_AUTH_ACK), 0);
    ck_assert_uint_eq(s.core->last_vote_epoch, 9);
}
END_TEST

/* Each of as many shards gets its vote in an epoch of its own; one more waits. */
START_TEST(no_more_votes_wait_for_the_disk_than_there_is_room_for)
{
    struct hs_topo *boot = solo_topo(2 * VOTES_PENDING_MAX + 3);

    boot->owner[0] = 0;
    for (uint16_t i = 1; i <= VOTES_PENDING_MAX + 1; i++) {
        boot->nodes[2 * i - 1].flags |= HS_NODE_FAIL;
        boot->owner[i] = (uint16_t)(2 * i - 1);
        boot->nodes[2 * i].flags = HS_NODE_SLAVE;
        boot->nodes[2 * i].master = (uint16_t)(2 * i - 1);
    }
    solo_start(&s, boot);
    for (uint32_t i = 1; i <= VOTES_PENDING_MAX + 1; i++) {
        ask_as(2 * i, 10 + i);
    }
    ck_assert_uint_eq(s.core->votes_n, VOTES_PENDING_MAX);
    ck_assert_uint_eq(s.core->last_vote_epoch, 10 + VOTES_PENDING_MAX);
}
END_TEST

START_TEST(an_older_claim_to_slots_that_nobody_holds_costs_no_vote)
{
    struct hs_hdr h = solo_hdr(5);
    struct hs_node_id master = solo_id(1);
    struct hs_topo *boot = voter();
    uint8_t slots[HS_SLOTS_BYTES] = {0xff}; /* slots 5 to 7 are nobody's */

    boot->nodes[2].config_epoch = boot->current_epoch = 50; /* owns slot 2, but let it go: */
    solo_start(&s, boot);
    hs_slot_set(s.core->abandoned, 2);
    h.flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    h.slaveof = &master;
    h.slots = slots;
    h.config_epoch = 9;
    h.current_epoch = 60;
    solo_plain(&s, solo_accept(&s), HS_MSG_AUTH_REQUEST, &h);
    ck_assert_uint_eq(s.core->votes_n, 1);
}
END_TEST

START_TEST(a_replica_of_nobody_known_gets_no_vote)
{
    struct hs_topo *boot = voter();

    boot->nodes[5].master = HS_TOPO_NONE;
    solo_start(&s, boot);
    ask_as(5, 9);
    ck_assert_uint_eq(s.core->votes_n, 0);
}
END_TEST

/* ---- manual failover ---- */

START_TEST(only_a_replica_of_ours_may_ask_us_to_pause)
{
    struct hs_hdr h = solo_hdr(5);

    solo_start(&s, voter());
    solo_plain(&s, solo_accept(&s), HS_MSG_MFSTART, &h); /* it follows 1 */
    ck_assert_int_eq(s.core->mf_end, 0);
}
END_TEST

START_TEST(a_replica_pauses_for_nobody)
{
    struct hs_hdr h = solo_hdr(5);

    solo_start(&s, candidate());
    solo_plain(&s, solo_accept(&s), HS_MSG_MFSTART, &h);
    ck_assert_int_eq(s.core->mf_end, 0);
}
END_TEST

/* Us a replica of 1, which works. */
static void start_manual(void)
{
    struct hs_topo *boot = candidate();

    boot->nodes[1].flags = HS_NODE_MASTER;
    solo_start(&s, boot);
    solo_connect(&s, 1);
    ck_assert_int_eq(solo_command(&s, (struct hs_cmd){.type = HS_CMD_OFFSET, .epoch = 50}),
                     HS_CMD_OK);
    ck_assert_int_eq(solo_command(&s, (struct hs_cmd){.type = HS_CMD_FAILOVER}), HS_CMD_OK);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_MFSTART), 1);
}

START_TEST(only_the_position_of_a_paused_master_counts_and_the_first_one)
{
    struct hs_hdr h = solo_hdr(1);
    uint8_t slots[HS_SLOTS_BYTES] = {2};

    start_manual();
    struct hs_link l = solo_accept(&s);
    h.slots = slots;
    h.offset = 60;
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    ck_assert_int_eq(s.core->mf_offset, -1);
    h.mflags = HS_MFLAG_PAUSED;
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    ck_assert_int_eq(s.core->mf_offset, 60);
    h.offset = 61;
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    ck_assert_int_eq(s.core->mf_offset, 60);
    ck_assert(!s.core->mf_can_start);
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_OFFSET, .epoch = 60});
    ck_assert(s.core->mf_can_start);
    solo_tick(&s, TICK_MS); /* and stays so, whatever comes */
    ck_assert(s.core->mf_can_start);
}
END_TEST

START_TEST(a_master_without_a_way_to_its_replica_waits_for_one)
{
    struct hs_topo *boot = voter();
    struct hs_hdr h = solo_hdr(5);
    struct hs_node_id us = solo_id(0);

    boot->nodes[5].master = 0;
    solo_start(&s, boot);
    h.flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    h.slaveof = &us;
    solo_plain(&s, solo_accept(&s), HS_MSG_MFSTART, &h);
    ck_assert_int_ne(s.core->mf_end, 0);
    solo_tick(&s, 1);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_PING), 0);
    solo_connect(&s, 5);
    solo_tick(&s, TICK_MS);
    ck_assert_uint_ge(solo_sent(&s, HS_MSG_PING), 1);
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_FORGET, .id = solo_id(5)});
    solo_tick(&s, TICK_MS);
    ck_assert_int_eq(s.core->mf_replica, NIL16);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/ballots");
    TCase *tc = tcase_create("ballots");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_vote_counts_if_a_voter_gives_it_for_this_election_once);
    tcase_add_test(tc, a_planned_election_tells_its_rank_and_offset);
    tcase_add_test(tc, a_fellow_that_must_not_stand_delays_nobody_and_a_better_one_does);
    tcase_add_test(tc, a_short_node_timeout_does_not_hurry_elections);
    tcase_add_test(tc, without_a_validity_factor_data_is_never_too_old);
    tcase_add_test(tc, who_became_a_master_meanwhile_asks_for_no_votes);
    tcase_add_test(tc, who_hears_another_ask_in_its_epoch_asks_in_the_next);
    tcase_add_test(tc, who_is_too_late_with_its_epoch_asks_nobody);
    tcase_add_test(tc, a_vote_for_one_who_left_before_it_was_on_disk_goes_to_nobody);
    tcase_add_test(tc, a_vote_without_a_connection_is_spent);
    tcase_add_test(tc, no_more_votes_wait_for_the_disk_than_there_is_room_for);
    tcase_add_test(tc, an_older_claim_to_slots_that_nobody_holds_costs_no_vote);
    tcase_add_test(tc, a_replica_of_nobody_known_gets_no_vote);
    tcase_add_test(tc, only_a_replica_of_ours_may_ask_us_to_pause);
    tcase_add_test(tc, a_replica_pauses_for_nobody);
    tcase_add_test(tc, only_the_position_of_a_paused_master_counts_and_the_first_one);
    tcase_add_test(tc, a_master_without_a_way_to_its_replica_waits_for_one);
    suite_add_tcase(suite, tc);
    return hs_test_main(suite);
}
