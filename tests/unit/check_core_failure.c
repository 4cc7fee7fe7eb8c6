/* From silence to PFAIL, from opinions to FAIL, and back. */
#include "core_world.h"
#include "hs_test.h"

enum { TIMEOUT_MS = 2000, N = 5 };

static struct world w;

/* Five masters that share the slots; all agree when a test begins. */
static void setup(void)
{
    world_init(&w, TIMEOUT_MS);
    for (int i = 0; i < N; i++) {
        world_add(&w);
        world_slots(&w, i, (uint16_t)(i * 3277), (uint16_t)(i == N - 1 ? 16383 : i * 3277 + 3276));
    }
    for (int i = 1; i < N; i++) {
        world_meet(&w, 0, i);
    }
    world_run(&w, 12000);
    ck_assert(world_agrees(&w));
    ck_assert(w.node[0].core->ok);
}

static void teardown(void)
{
    world_fini(&w);
}

static struct hs_core *core(int i)
{
    return w.node[i].core;
}

static uint16_t flags_in(int i, int j_ix)
{
    return core(i)->hot[j_ix].flags & (HS_NODE_PFAIL | HS_NODE_FAIL);
}

static void ids_of(int j, uint16_t ix[N])
{
    for (int i = 0; i < N; i++) {
        ix[i] = i == j ? NIL16 : world_find(&w, i, j);
    }
}

START_TEST(a_dead_node_is_fail_everywhere_within_two_timeouts_and_two_seconds)
{
    uint16_t ix[N];
    ids_of(4, ix);
    world_kill(&w, 4);
    world_run(&w, 2 * TIMEOUT_MS + 2000);
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_eq(flags_in(i, ix[i]), HS_NODE_FAIL);
        ck_assert(!core(i)->ok); /* its slots have no owner that works */
        ck_assert_uint_gt(core_report_count(core(i), ix[i]), 0); /* and others still say so */
    }
}
END_TEST

static uint64_t measured(int i, enum hs_core_histogram which)
{
    const struct hs_histogram *h = hs_core_histogram(core(i), which);
    uint64_t n = 0;
    for (int k = 0; k < HS_HISTOGRAM_BUCKETS; k++)
        n += h->buckets[k];
    return n;
}

START_TEST(the_time_to_a_verdict_and_of_a_pong_are_measured)
{
    uint64_t pongs = measured(0, HS_CORE_PONG_MS);
    ck_assert_uint_gt(pongs, 4);
    ck_assert_uint_eq(measured(0, HS_CORE_AGREE_MS), 0);
    world_kill(&w, 4);
    world_run(&w, 2 * TIMEOUT_MS + 2000);
    ck_assert_uint_gt(measured(0, HS_CORE_PONG_MS), pongs);
    uint64_t agreed = 0; /* who hears the verdict before it suspects has nothing to measure */
    for (int i = 0; i < 4; i++) {
        agreed += measured(i, HS_CORE_AGREE_MS);
        ck_assert_uint_le(measured(i, HS_CORE_AGREE_MS), 1);
        ck_assert_uint_le(hs_core_histogram(core(i), HS_CORE_AGREE_MS)->sum, TIMEOUT_MS + 2000);
    }
    ck_assert_uint_ge(agreed, 1);
}
END_TEST

START_TEST(nobody_is_accused_before_a_timeout_of_silence)
{
    uint16_t ix[N];
    ids_of(4, ix);
    world_kill(&w, 4);
    world_run(&w, TIMEOUT_MS - 100);
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_eq(flags_in(i, ix[i]), 0);
    }
}
END_TEST

START_TEST(a_minority_suspects_but_does_not_judge)
{
    for (int i = 1; i < 4; i++) {
        w.node[i].deaf = true; /* 0 and 4 cannot reach three of five */
    }
    world_run(&w, 4 * TIMEOUT_MS);
    ck_assert_uint_eq(w.node[0].notes[HS_NOTE_PFAIL], 3);
    ck_assert_uint_eq(w.node[0].notes[HS_NOTE_FAIL], 0);
    ck_assert(!core(0)->ok);
    ck_assert(!core(4)->ok);
}
END_TEST

START_TEST(who_begins_and_ceases_to_accuse_whom_is_told_once)
{
    for (int i = 1; i < 4; i++) {
        w.node[i].deaf = true;
    }
    world_run(&w, 4 * TIMEOUT_MS);
    ck_assert_uint_eq(w.node[0].notes[HS_NOTE_REPORTED], 3); /* by 4 */
    ck_assert_uint_eq(w.node[0].notes[HS_NOTE_REPORT_DROPPED], 0);
    for (int i = 1; i < 4; i++) {
        w.node[i].deaf = false;
    }
    world_run(&w, 4 * TIMEOUT_MS);
    /* Those that were deaf accuse others for a moment. */
    ck_assert_uint_ge(w.node[0].notes[HS_NOTE_REPORT_DROPPED], 3);
    ck_assert_uint_eq(w.node[0].notes[HS_NOTE_REPORT_DROPPED], w.node[0].notes[HS_NOTE_REPORTED]);
}
END_TEST

/* Of two voters neither can be judged by the other alone. */
START_TEST(a_suspicion_is_withdrawn_when_the_node_answers)
{
    world_fini(&w);
    world_init(&w, TIMEOUT_MS);
    for (int i = 0; i < 2; i++) {
        world_add(&w);
        world_slots(&w, i, (uint16_t)(i * 8192), (uint16_t)(i * 8192 + 8191));
    }
    world_meet(&w, 0, 1);
    world_run(&w, 8000);
    w.node[1].deaf = true;
    world_run(&w, 2 * TIMEOUT_MS);
    ck_assert_uint_eq(w.node[0].notes[HS_NOTE_PFAIL], 1);
    ck_assert(!core(0)->ok);
    w.node[1].deaf = false;
    world_run(&w, 4 * TIMEOUT_MS);
    ck_assert_uint_eq(w.node[0].notes[HS_NOTE_PFAIL_CLEARED], 1);
    ck_assert_uint_eq(w.node[0].notes[HS_NOTE_FAIL], 0);
    ck_assert(core(0)->ok);
}
END_TEST

START_TEST(a_majority_that_was_cut_apart_comes_together_again)
{
    w.node[1].deaf = w.node[2].deaf = w.node[3].deaf = true;
    world_run(&w, 3 * TIMEOUT_MS);
    w.node[1].deaf = w.node[2].deaf = w.node[3].deaf = false;
    world_run(&w, 10 * TIMEOUT_MS);
    for (int i = 0; i < N; i++) {
        ck_assert(core(i)->ok);
    }
    ck_assert(world_agrees(&w));
}
END_TEST

START_TEST(a_failed_master_that_returns_is_cleared_after_two_timeouts)
{
    uint16_t ix[N];
    ids_of(4, ix);
    w.node[4].deaf = true;
    world_run(&w, 3 * TIMEOUT_MS);
    ck_assert_uint_eq(flags_in(0, ix[0]), HS_NODE_FAIL);
    int64_t failed_at = core(0)->cold[ix[0]].fail_at;
    w.node[4].deaf = false;
    while (flags_in(0, ix[0]) == HS_NODE_FAIL && w.now < failed_at + 10 * TIMEOUT_MS) {
        world_run(&w, 10);
    }
    ck_assert_int_gt(w.now - failed_at, 2 * TIMEOUT_MS);
    ck_assert_int_lt(w.now - failed_at, 4 * TIMEOUT_MS);
    world_run(&w, 4 * TIMEOUT_MS);
    ck_assert(world_agrees(&w));
    ck_assert(core(4)->ok);
}
END_TEST

START_TEST(a_restarted_node_comes_back)
{
    world_kill(&w, 2);
    world_run(&w, 3 * TIMEOUT_MS);
    world_restart(&w, 2);
    world_run(&w, 8 * TIMEOUT_MS);
    for (int i = 0; i < N; i++) {
        ck_assert(core(i)->ok);
    }
    ck_assert(world_agrees(&w));
}
END_TEST

START_TEST(one_node_that_stood_still_accuses_nobody)
{
    int64_t away_ms = 3 * TIMEOUT_MS;
    /* The others go on; node 0 is not run, and what was sent to it waits. */
    w.node[0].running = false;
    world_run(&w, 10); /* drop nothing but what arrives in these */
    w.node[0].running = true;
    w.now += away_ms; /* everybody was away: a suspended machine */
    world_run(&w, 3 * TIMEOUT_MS);
    for (int i = 0; i < N; i++) {
        ck_assert_uint_eq(w.node[i].notes[HS_NOTE_RESUMED], 1);
        ck_assert_uint_eq(w.node[i].notes[HS_NOTE_PFAIL], 0);
    }
}
END_TEST

START_TEST(a_verdict_reaches_those_who_did_not_reach_it_themselves)
{
    uint16_t ix[N];
    ids_of(4, ix);
    world_kill(&w, 4);
    world_run(&w, 3 * TIMEOUT_MS);
    uint64_t declared = 0, heard = 0;
    for (int i = 0; i < 4; i++) {
        declared += core(i)->sent[HS_MSG_FAIL] > 0;
        heard += core(i)->received[HS_MSG_FAIL] > 0;
        ck_assert_uint_eq(flags_in(i, ix[i]), HS_NODE_FAIL);
    }
    ck_assert_uint_ge(declared, 1);
    ck_assert_uint_ge(heard, 2);
}
END_TEST

START_TEST(a_dead_node_whose_address_another_took_is_found_dead)
{
    uint16_t ix[N];
    ids_of(4, ix);
    world_kill(&w, 4);
    struct hs_topo *stranger = hs_topo_create(1, 0, 1);
    stranger->nodes_n = 1;
    memset(stranger->nodes[0].id.hex, 'z', HS_ID_LEN);
    stranger->nodes[0].flags = HS_NODE_MYSELF | HS_NODE_MASTER;
    stranger->nodes[0].master = HS_TOPO_NONE;
    hs_topo_destroy(w.node[4].disk);
    w.node[4].disk = stranger;
    world_restart(&w, 4); /* at the address of the dead one */
    world_run(&w, 2 * TIMEOUT_MS + 2000);
    for (int i = 0; i < 4; i++) {
        ck_assert(has_flag(core(i), ix[i], HS_NODE_NOADDR));
        ck_assert_uint_eq(flags_in(i, ix[i]), HS_NODE_FAIL);
    }
}
END_TEST

/* ---- reports, one core at a time ---- */

static void accuse(int by, int about)
{
    core_report_add(core(0), world_find(&w, 0, about), world_find(&w, 0, by));
}

static uint32_t accusers(int about)
{
    return core_report_count(core(0), world_find(&w, 0, about));
}

START_TEST(the_same_accuser_twice_counts_once)
{
    accuse(1, 4);
    accuse(1, 4);
    accuse(2, 4);
    ck_assert_uint_eq(accusers(4), 2);
}
END_TEST

/* Two timeouts, and at most the rest of the span the report was made in. */
static const struct {
    int64_t age_ms;
    uint32_t counted;
} ages[] = {{0, 1},
            {TIMEOUT_MS, 1},
            {2 * TIMEOUT_MS, 1},
            {2 * TIMEOUT_MS + 2 * (TIMEOUT_MS / 32), 0},
            {5 * TIMEOUT_MS, 0},
            {16 * TIMEOUT_MS, 0}};

START_TEST(a_report_counts_for_two_timeouts)
{
    accuse(1, 4);
    core(0)->now.mono.ms += ages[_i].age_ms;
    ck_assert_uint_eq(accusers(4), ages[_i].counted);
}
END_TEST

START_TEST(a_repeated_report_stays_young)
{
    accuse(1, 4);
    for (int i = 0; i < 40; i++) {
        core(0)->now.mono.ms += TIMEOUT_MS;
        accuse(1, 4);
        ck_assert_uint_eq(accusers(4), 1);
    }
}
END_TEST

START_TEST(expired_stamps_never_come_round_again)
{
    accuse(1, 4);
    for (int i = 0; i < 400; i++) { /* node 2 keeps the row; 1 never repeats itself */
        core(0)->now.mono.ms += TIMEOUT_MS / 8;
        accuse(2, 4);
        if (i > 20) {
            ck_assert_uint_eq(accusers(4), 1);
        }
    }
}
END_TEST

START_TEST(a_withdrawn_report_does_not_count)
{
    accuse(1, 4);
    accuse(2, 4);
    core_report_drop(core(0), world_find(&w, 0, 4), world_find(&w, 0, 1));
    core_report_drop(core(0), world_find(&w, 0, 4), world_find(&w, 0, 3)); /* made none */
    ck_assert_uint_eq(accusers(4), 1);
}
END_TEST

START_TEST(only_voters_reports_count)
{
    core_slots_clear(core(0), world_find(&w, 0, 1));
    accuse(1, 4);
    ck_assert_uint_eq(accusers(4), 0);
}
END_TEST

START_TEST(a_removed_accusers_report_goes_with_it)
{
    accuse(1, 4);
    accuse(2, 4);
    core(0)->out = &w.acts;
    core_node_remove(core(0), world_find(&w, 0, 1));
    ck_assert_uint_eq(accusers(4), 1);
}
END_TEST

START_TEST(rows_are_given_back)
{
    for (int round = 0; round < 1000; round++) {
        accuse(1, 2 + round % 3);
        core_report_drop(core(0), world_find(&w, 0, 2 + round % 3), world_find(&w, 0, 1));
    }
    ck_assert_uint_le(core(0)->rows_used, 1);
    ck_assert_uint_eq(core(0)->counters[COUNT_reports_refused], 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("core/failure");
    TCase *tc = tcase_create("detection");
    TCase *reports = tcase_create("reports");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, the_time_to_a_verdict_and_of_a_pong_are_measured);
    tcase_add_test(tc, a_dead_node_is_fail_everywhere_within_two_timeouts_and_two_seconds);
    tcase_add_test(tc, nobody_is_accused_before_a_timeout_of_silence);
    tcase_add_test(tc, a_minority_suspects_but_does_not_judge);
    tcase_add_test(tc, who_begins_and_ceases_to_accuse_whom_is_told_once);
    tcase_add_test(tc, a_suspicion_is_withdrawn_when_the_node_answers);
    tcase_add_test(tc, a_majority_that_was_cut_apart_comes_together_again);
    tcase_add_test(tc, a_failed_master_that_returns_is_cleared_after_two_timeouts);
    tcase_add_test(tc, a_restarted_node_comes_back);
    tcase_add_test(tc, one_node_that_stood_still_accuses_nobody);
    tcase_add_test(tc, a_verdict_reaches_those_who_did_not_reach_it_themselves);
    tcase_add_test(tc, a_dead_node_whose_address_another_took_is_found_dead);
    tcase_add_checked_fixture(reports, setup, teardown);
    tcase_set_timeout(reports, 60);
    tcase_add_test(reports, the_same_accuser_twice_counts_once);
    tcase_add_loop_test(reports, a_report_counts_for_two_timeouts, 0,
                        (int)(sizeof(ages) / sizeof(ages[0])));
    tcase_add_test(reports, a_repeated_report_stays_young);
    tcase_add_test(reports, expired_stamps_never_come_round_again);
    tcase_add_test(reports, a_withdrawn_report_does_not_count);
    tcase_add_test(reports, only_voters_reports_count);
    tcase_add_test(reports, a_removed_accusers_report_goes_with_it);
    tcase_add_test(reports, rows_are_given_back);
    suite_add_tcase(s, tc);
    suite_add_tcase(s, reports);
    return hs_test_main(s);
}
