/* What differs between two views is told once, with old and new. */
#include "watch_views.h"

START_TEST(equal_views_tell_nothing)
{
    look();
    pass(60000);
    look();
    ck_no_more();
}
END_TEST

START_TEST(suspicion_and_verdict_are_told_with_their_slots_and_quorum)
{
    new->nodes[1].flags |= HS_NODE_PFAIL;
    new->nodes[1].ping_sent_ms = new->taken_ms - 2100;
    look();
    ck_told(HS_TOLD_PFAIL, ABOUT_B " slots=4096 silent_ms=2100");
    old->nodes[1].flags |= HS_NODE_PFAIL;
    new->nodes[1].flags = HS_NODE_MASTER | HS_NODE_FAIL;
    new->nodes[1].reports_n = 2;
    look();
    ck_told(HS_TOLD_FAIL, ABOUT_B " slots=4096 reports=2 quorum=3");
    old->nodes[1].flags = HS_NODE_MASTER | HS_NODE_FAIL;
    old->nodes[1].fail_ms = new->taken_ms - 5000;
    new->nodes[1].flags = HS_NODE_MASTER;
    look();
    ck_told(HS_TOLD_FAIL_OVER, ABOUT_B " slots=4096 after_ms=5000");
    old->nodes[1].flags = HS_NODE_MASTER | HS_NODE_PFAIL;
    old->nodes[1].pfail_ms = 0;
    look();
    ck_told(HS_TOLD_PFAIL_OVER, ABOUT_B " slots=4096 after_ms=0");
    ck_no_more();
}
END_TEST

START_TEST(a_failover_is_told_as_role_slots_and_switch)
{
    old->nodes[5].flags = HS_NODE_SLAVE;
    old->nodes[5].master = 1;
    new->nodes[5].config_epoch = 9;
    for (uint32_t s = 4096; s < 8192; s++)
        new->owner[s] = 5;
    look();
    ck_told(HS_TOLD_ROLE, ABOUT_F "master old=replica new=master old_master=" B " new_master=-");
    ck_told(HS_TOLD_EPOCH, ABOUT_F "master old=6 new=9");
    ck_told(HS_TOLD_SLOTS, "old=" B " old_name=- new=" F " new_name=- slots=4096-8191 n=4096");
    ck_told(HS_TOLD_SWITCH_MASTER, ABOUT_F "master old=" B " old_address=10.0.0.1:7001@17001 new=" F
                                           " new_address=10.0.0.5:7005@17005 slots=4096 epoch=9");
    ck_no_more();
}
END_TEST

START_TEST(slots_that_move_between_masters_are_no_switch)
{
    new->owner[0] = new->owner[2] = new->owner[3] = 1;
    new->owner[7] = HS_TOPO_NONE;
    look();
    ck_told(HS_TOLD_SLOTS, "old=" A " old_name=- new=" B " new_name=- slots=0,2-3 n=3");
    ck_told(HS_TOLD_SLOTS, "old=" A " old_name=- new=- new_name=- slots=7 n=1");
    ck_no_more();
}
END_TEST

/* Every second slot: 2048 ranges, of which 16 are told. */
START_TEST(many_ranges_are_cut_and_still_counted)
{
    for (uint32_t s = 0; s < 4096; s += 2)
        new->owner[s] = 1;
    look();
    struct hs_told t;
    uint64_t lost = 0;
    uint64_t seq = w->journal.first - 1;
    ck_assert(hs_watch_next(w, &seq, &t, &lost));
    ck_assert_ptr_nonnull(
        strstr(t.text, "slots=0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,+ n=2048"));
}
END_TEST

START_TEST(places_of_nodes_do_not_matter)
{
    struct hs_topo_node n = new->nodes[1];
    new->nodes[1] = new->nodes[2];
    new->nodes[2] = n;
    for (uint32_t s = 0; s < HS_SLOTS; s++)
        if (new->owner[s] == 1 || new->owner[s] == 2)
            new->owner[s] = (uint16_t)(3 - new->owner[s]);
    look();
    ck_no_more();
}
END_TEST

START_TEST(who_comes_and_who_goes_is_told_and_handshakes_are_not)
{
    new->nodes[5].id = id_of(7);
    new->nodes[4].flags |= HS_NODE_HANDSHAKE;
    old->nodes[4].flags |= HS_NODE_HANDSHAKE;
    look();
    ck_told(HS_TOLD_NODE, NULL);
    ck_told(HS_TOLD_NODE_GONE, ABOUT_F "master master=- slots=0");
    ck_no_more();
}
END_TEST

START_TEST(addresses_names_links_votes_and_state_are_told_with_old_and_new)
{
    strcpy(new->nodes[1].ip, "10.1.1.1");
    old->nodes[1].nodename = "x";
    new->nodes[1].nodename = "rack 7=\"a\"\n%";
    new->nodes[1].link_to_ms = 0;
    new->last_vote_epoch = 8;
    new->ok = false;
    look();
#define NAMED "node=" B " name=rack%207%3D%22a%22%0A%25 address=10.1.1.1:7001@17001 role=master"
    ck_told(HS_TOLD_ADDRESS, NAMED " old=10.0.0.1:7001@17001 new=10.1.1.1:7001@17001");
    ck_told(HS_TOLD_NAME,
            NAMED " old=x new=rack%207%3D%22a%22%0A%25 old_hostname=- new_hostname=-");
    ck_told(HS_TOLD_LINK_OVER, NULL);
    ck_told(HS_TOLD_VOTE, "old=0 new=8");
    ck_told(HS_TOLD_STATE, "old=ok new=fail slots_ok=0 slots_pfail=0 slots_fail=0 size=4");
    ck_no_more();
}
END_TEST

/* ---- the journal ---- */

START_TEST(a_late_reader_is_told_how_much_it_missed)
{
    uint64_t seq = hs_watch_newest(w), first = seq, lost = 0;
    struct hs_told t;
    char text[16];
    for (int i = 0; i < HS_JOURNAL_MAX + 3; i++) {
        snprintf(text, sizeof(text), "new=%d", i);
        hs_watch_tell(w, HS_TOLD_VOTE, text);
    }
    ck_assert_uint_eq(hs_watch_oldest(w), first + 3);
    ck_assert(hs_watch_next(w, &seq, &t, &lost));
    ck_assert_uint_eq(lost, 3);
    ck_assert_str_eq(t.text, "new=3");
    ck_assert_uint_eq(t.seq, first + 4);
    for (int i = 0; i < HS_JOURNAL_MAX - 1; i++)
        ck_assert(hs_watch_next(w, &seq, &t, &lost));
    ck_assert_uint_eq(lost, 3);
    ck_assert(!hs_watch_next(w, &seq, &t, &lost));
}
END_TEST

START_TEST(a_line_never_outgrows_its_event)
{
    char huge[600];
    memset(huge, '"', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = '\0';
    struct line l;
    line_begin(&l, HS_TOLD_NAME);
    line_text(&l, "old", huge);
    line_text(&l, "new", huge);
    line_text(&l, "role", "master");
    ck_assert_uint_lt(l.n, HS_TOLD_TEXT_MAX);
    ck_assert_uint_eq(strlen(l.text), l.n);
    ck_assert_ptr_nonnull(strstr(l.text, "role=master"));
}
END_TEST

int main(void)
{
    hs_log_set_level(HS_LOG_NOTHING);
    Suite *s = suite_create("watch_look");
    TCase *tc = tcase_create("look");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, equal_views_tell_nothing);
    tcase_add_test(tc, suspicion_and_verdict_are_told_with_their_slots_and_quorum);
    tcase_add_test(tc, a_failover_is_told_as_role_slots_and_switch);
    tcase_add_test(tc, slots_that_move_between_masters_are_no_switch);
    tcase_add_test(tc, many_ranges_are_cut_and_still_counted);
    tcase_add_test(tc, places_of_nodes_do_not_matter);
    tcase_add_test(tc, who_comes_and_who_goes_is_told_and_handshakes_are_not);
    tcase_add_test(tc, addresses_names_links_votes_and_state_are_told_with_old_and_new);
    tcase_add_test(tc, a_late_reader_is_told_how_much_it_missed);
    tcase_add_test(tc, a_line_never_outgrows_its_event);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
