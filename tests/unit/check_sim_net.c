/* The virtual world's own rules: order, time, blocked ways, crashes. */
#include "hs_test.h"
#include "sim_int.h"

static struct hs_sim *s;

static void begin(const char *story)
{
    struct hs_sim_opts o = {.nodes = 6};
    char err[HS_SIM_ERROR_MAX];

    ck_assert(hs_sim_story_opts(story, &o, err));
    s = hs_sim_create(&o);
    ck_assert_ptr_nonnull(s);
    ck_assert_msg(hs_sim_story(s, story), "%s", hs_sim_error(s));
}

static void teardown(void)
{
    hs_sim_destroy(s);
    s = NULL;
}

START_TEST(events_come_in_order_of_time_and_then_of_posting)
{
    static const int64_t at[] = {50, 10, 50, 30, 10, 20};
    static const uint32_t order[] = {1, 4, 5, 3, 0, 2};
    struct heap_entry e;

    begin("nodes 1; alone");
    while (event_pop(s, &e)) {
    }
    for (uint64_t k = 0; k < 6; k++) {
        uint32_t ev = event_take(s, EV_STORY, HS_NIL);
        event_at(s, ev)->number = k;
        event_push(s, ev, at[k]);
    }
    for (int k = 0; k < 6; k++) {
        ck_assert(event_pop(s, &e));
        ck_assert_uint_eq(event_at(s, e.ev)->number, order[k]);
    }
    ck_assert(!event_pop(s, &e));
}
END_TEST

static uint64_t hash_of(const char *story)
{
    uint64_t hash;

    begin(story);
    ck_assert_msg(hs_sim_run(s), "%s", hs_sim_error(s));
    hash = hs_sim_result(s)->hash;
    teardown();
    return hash;
}

START_TEST(one_seed_is_one_run_and_another_seed_is_another)
{
    const char *story = "nodes 6; masters 3; timeout 1s; at 9s kill 0; at 15s heal; at 30s heal";

    ck_assert_uint_eq(hash_of(story), hash_of(story));
    ck_assert_uint_ne(hash_of(story),
                      hash_of("nodes 6; masters 3; timeout 1s; seed 2; at 9s kill 0;"
                              "at 15s heal; at 30s heal"));
}
END_TEST

START_TEST(a_clock_that_runs_fast_shows_more_time_and_never_goes_back)
{
    int64_t before;

    begin("nodes 1; alone; for 10s; at 5s clock 0 runs 100000 ppm");
    before = world_now(s, 0).mono.ms;
    hs_sim_run_until(s, 5000);
    ck_assert_int_eq(world_now(s, 0).mono.ms - before, 5000);
    hs_sim_run(s);
    ck_assert_int_eq(world_now(s, 0).mono.ms - before, 10500);
}
END_TEST

START_TEST(a_blocked_direction_is_blocked_until_it_is_healed)
{
    begin("nodes 4; alone; for 10s; at 1s cut 0-1 -> 2; at 5s heal network");
    hs_sim_run_until(s, 2000);
    ck_assert(net_blocked(s, 0, 2) && net_blocked(s, 1, 2));
    ck_assert(!net_blocked(s, 2, 0) && !net_blocked(s, 0, 3));
    hs_sim_run(s);
    ck_assert(!net_blocked(s, 0, 2));
}
END_TEST

START_TEST(what_a_crash_leaves_is_what_was_durable)
{
    begin("nodes 3; masters 3; timeout 1s; at 9s stick disk 1; at 10s command 1 bumpepoch; "
          "at 12s kill 1; at 13s restart 1; at 14s heal");
    hs_sim_run_until(s, 11000);
    ck_assert_uint_eq(view_of(s, 1)->nodes[0].config_epoch, 4);
    hs_sim_run_until(s, 13500);
    ck_assert_uint_eq(view_of(s, 1)->nodes[0].config_epoch, 2);
    ck_assert_msg(hs_sim_run(s), "%s", hs_sim_error(s));
}
END_TEST

START_TEST(stories_that_mean_nothing_are_refused)
{
    static const char *const bad[] = {
        "at 1s kill 9",        "at 1s dance",          "at 1s pause 1",   "at 1s partition 0 |",
        "at 1s slow 0 by 3%",  "at 1s expect wonders", "at 1s kill 0-2,", "at 1s command 0 sing",
        "at 1s clock 0 jumps", "at 1s flaky 1 by 200%"};

    for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
        begin(bad[k]);
        ck_assert_msg(!hs_sim_run(s), "%s", bad[k]);
        teardown();
    }
}
END_TEST

START_TEST(sets_of_nodes_are_what_they_say)
{
    static const struct {
        const char *words[3];
        uint32_t n;
        const char *set;
    } cases[] = {
        {{"0-2,5"}, 1, "111001"},     {{"all"}, 1, "111111"},
        {{"host", "1"}, 2, "000111"}, {{"zone", "2"}, 2, "001001"},
        {{"100%"}, 1, "111111"},      {{"0%"}, 1, "000000"},
        {{"3"}, 1, "000100"},         {{"master", "of", "4"}, 3, "000010"},
    };
    uint8_t set[6];

    begin("alone");
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        ck_assert(faults_set(s, cases[k].words, cases[k].n, set));
        for (int i = 0; i < 6; i++) {
            ck_assert_int_eq(set[i], cases[k].set[i] - '0');
        }
    }
}
END_TEST

START_TEST(an_expectation_that_is_not_met_ends_the_run)
{
    begin("nodes 3; alone; at 1s expect agree within 2s");
    ck_assert(!hs_sim_run(s));
    ck_assert_ptr_nonnull(strstr(hs_sim_error(s), "at 3.000 s, expected: agree"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sim_net");
    TCase *tc = tcase_create("net");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, NULL, teardown);
    tcase_add_test(tc, events_come_in_order_of_time_and_then_of_posting);
    tcase_add_test(tc, one_seed_is_one_run_and_another_seed_is_another);
    tcase_add_test(tc, a_clock_that_runs_fast_shows_more_time_and_never_goes_back);
    tcase_add_test(tc, a_blocked_direction_is_blocked_until_it_is_healed);
    tcase_add_test(tc, what_a_crash_leaves_is_what_was_durable);
    tcase_add_test(tc, stories_that_mean_nothing_are_refused);
    tcase_add_test(tc, sets_of_nodes_are_what_they_say);
    tcase_add_test(tc, an_expectation_that_is_not_met_ends_the_run);
    suite_add_tcase(suite, tc);
    return hs_test_main(suite);
}
