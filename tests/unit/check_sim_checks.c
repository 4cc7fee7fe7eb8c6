/* Each checker fires on what it is there for, and on nothing less. */
#include "hs_test.h"
#include "sim_int.h"

static struct hs_sim *s;
static uint8_t frame[HS_HDR_LEN];

static void setup(void)
{
    struct hs_sim_opts o = {.nodes = 5, .seed = 1, .alone = true, .node_timeout_ms = 1000};

    s = hs_sim_create(&o);
    ck_assert_ptr_nonnull(s);
    s->opts.forget_disks = true; /* what is durable has tests of its own */
}

static void teardown(void)
{
    hs_sim_destroy(s);
}

/* Node `from` sends a frame of that type to node 4. */
static void say(uint32_t from, uint16_t type, uint64_t current, uint64_t config, bool master,
                int slot)
{
    uint8_t slots[HS_SLOTS_BYTES] = {0};
    struct hs_hdr h = {.current_epoch = current,
                       .config_epoch = config,
                       .sender = s->nodes[from].id,
                       .slots = slots,
                       .myip = "",
                       .flags = master ? HS_NODE_MASTER : HS_NODE_SLAVE};
    struct hs_view v;

    if (slot >= 0) {
        hs_slot_set(slots, (uint32_t)slot);
    }
    hs_wire_build_hdr(frame, &h);
    hs_wire_build_plain(frame, type);
    checks_sent(s, from, frame, 4);
    ck_assert_int_eq(hs_wire_check(frame, HS_HDR_LEN, &v), HS_WIRE_OK);
    checks_claim(s, from, &v);
}

static void vote(uint32_t from, uint64_t epoch)
{
    say(from, HS_MSG_AUTH_ACK, epoch, 0, true, -1);
}

START_TEST(votes_in_different_epochs_and_of_different_voters_are_fine)
{
    vote(0, 5);
    vote(1, 5);
    vote(0, 6);
    ck_assert_str_eq(hs_sim_error(s), "");
}
END_TEST

START_TEST(a_second_vote_in_an_epoch_is_seen)
{
    vote(0, 5);
    vote(0, 5);
    ck_assert_ptr_nonnull(strstr(hs_sim_error(s), "node 0: votes for node 4 in epoch 5"));
}
END_TEST

START_TEST(a_second_vote_after_a_crash_is_seen)
{
    vote(0, 5);
    world_stop(s, 0, false);
    world_restart(s, 0);
    vote(0, 5);
    ck_assert_ptr_nonnull(strstr(hs_sim_error(s), "votes"));
}
END_TEST

START_TEST(a_config_epoch_that_goes_back_is_seen)
{
    say(0, HS_MSG_PING, 9, 7, true, -1);
    say(0, HS_MSG_PING, 9, 7, true, -1);
    ck_assert_str_eq(hs_sim_error(s), "");
    say(0, HS_MSG_PING, 9, 6, true, -1);
    ck_assert_ptr_nonnull(strstr(hs_sim_error(s), "claims its slots with epoch 6 after 7"));
}
END_TEST

START_TEST(a_replicas_header_has_its_masters_epoch_which_may_be_any)
{
    say(0, HS_MSG_PING, 9, 7, true, -1);
    say(0, HS_MSG_PING, 9, 2, false, -1);
    ck_assert_str_eq(hs_sim_error(s), "");
}
END_TEST

START_TEST(a_current_epoch_that_goes_back_is_seen)
{
    say(0, HS_MSG_PING, 9, 0, true, -1);
    say(0, HS_MSG_PING, 8, 0, true, -1);
    ck_assert_ptr_nonnull(strstr(hs_sim_error(s), "current epoch 8 after 9"));
}
END_TEST

START_TEST(two_owners_of_a_slot_in_one_epoch_are_seen)
{
    say(0, HS_MSG_PING, 9, 7, true, 100);
    say(1, HS_MSG_PING, 9, 8, true, 100);
    say(2, HS_MSG_PING, 9, 7, true, 101);
    ck_assert_str_eq(hs_sim_error(s), "");
    say(3, HS_MSG_PING, 9, 8, true, 100);
    ck_assert_ptr_nonnull(strstr(hs_sim_error(s), "claims slot 100 in epoch 8, and so did node 1"));
}
END_TEST

START_TEST(what_is_not_on_disk_must_not_be_said)
{
    s->opts.forget_disks = false;
    say(0, HS_MSG_PING, 9, 3, true, -1);
    ck_assert_ptr_nonnull(strstr(hs_sim_error(s), "a claim with epoch 3 left before"));
}
END_TEST

/* Node 0 notes a verdict of its own about node 4, among three voters. */
static void verdict(int64_t heard_1, int64_t heard_2)
{
    struct observer *o = &s->checks.observers[0];
    struct hs_action a = {.note = HS_NOTE_FAIL, .other = HS_NIL, .id = s->nodes[4].id};

    s->now = 100 * SECOND;
    o->attentive = true; /* the view below is the one that counts */
    o->voters = o->voters_before = 3;
    o->marks[0] = o->before[0] = KNOWS | VOTER;
    o->heard[4 * 5 + 1] = heard_1;
    o->heard[4 * 5 + 2] = heard_2;
    checks_note(s, 0, &a);
}

START_TEST(a_verdict_needs_a_quorum)
{
    verdict(0, 0);
    ck_assert_ptr_nonnull(strstr(hs_sim_error(s), "held node 4 for failed with 1 of 3 voters"));
}
END_TEST

START_TEST(a_report_older_than_two_timeouts_is_no_help)
{
    verdict(97 * SECOND, 0);
    ck_assert_ptr_nonnull(strstr(hs_sim_error(s), "with 1 of 3 voters"));
}
END_TEST

START_TEST(a_fresh_report_and_its_own_opinion_are_a_quorum)
{
    verdict(0, 99 * SECOND);
    ck_assert_str_eq(hs_sim_error(s), "");
    ck_assert_uint_eq(s->r.false_fails, 1); /* nothing was wrong with node 4 */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sim_checks");
    TCase *tc = tcase_create("checks");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, votes_in_different_epochs_and_of_different_voters_are_fine);
    tcase_add_test(tc, a_second_vote_in_an_epoch_is_seen);
    tcase_add_test(tc, a_second_vote_after_a_crash_is_seen);
    tcase_add_test(tc, a_config_epoch_that_goes_back_is_seen);
    tcase_add_test(tc, a_replicas_header_has_its_masters_epoch_which_may_be_any);
    tcase_add_test(tc, a_current_epoch_that_goes_back_is_seen);
    tcase_add_test(tc, two_owners_of_a_slot_in_one_epoch_are_seen);
    tcase_add_test(tc, what_is_not_on_disk_must_not_be_said);
    tcase_add_test(tc, a_verdict_needs_a_quorum);
    tcase_add_test(tc, a_report_older_than_two_timeouts_is_no_help);
    tcase_add_test(tc, a_fresh_report_and_its_own_opinion_are_a_quorum);
    suite_add_tcase(suite, tc);
    return hs_test_main(suite);
}
