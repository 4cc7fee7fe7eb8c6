/* What the owner measures: turns, bursts of changes, a disk that hangs. */
#include "owner_world.h"

static uint64_t count(enum hs_owner_histogram which)
{
    uint64_t n = 0;
    for (int i = 0; i < HS_HISTOGRAM_BUCKETS; i++)
        n += owner->histograms[which].buckets[i];
    return n;
}

static int64_t now_ms(void)
{
    return hs_clock_ns() / OWNER_NS_PER_MS;
}

static void send_one(const struct hs_event *ev, struct hs_actions *out)
{
    if (ev->type == HS_EV_RECV)
        add_send(out, 1, 100);
}

START_TEST(a_frame_is_measured_as_a_step_of_a_turn_and_as_depth_of_the_ring)
{
    begin(send_one);
    struct hs_in in = frame_in();
    give(&in);
    wait_for(&steps[HS_EV_RECV], 1);
    struct hs_out out = get();
    give_back(&out);
    end();
    ck_assert_uint_ge(count(HS_OWNER_STEP_NS), 1);
    ck_assert_uint_eq(count(HS_OWNER_STEP_NS), owner->counters[HS_OWNER_STEPS]);
    ck_assert_uint_eq(count(HS_OWNER_TURN_NS), owner->counters[HS_OWNER_BATCHES]);
    ck_assert_uint_ge(owner->histograms[HS_OWNER_IN_DEPTH].sum, 1);
    ck_assert_uint_ge(owner->histograms[HS_OWNER_TURN_NS].sum,
                      owner->histograms[HS_OWNER_STEP_NS].sum);
}
END_TEST

START_TEST(a_burst_is_measured_from_its_first_change_to_its_last_once_it_is_quiet)
{
    atomic_fetch_add(&version, 1);
    owner_measure(owner);
    ck_assert_int_ne(owner->burst.first_ms, 0);
    owner->burst.first_ms -= 3000; /* as if it had begun earlier */
    owner_measure(owner);
    ck_assert_uint_eq(count(HS_OWNER_SETTLE_MS), 0); /* the last change is too young */
    int64_t lasted = owner->burst.last_ms - owner->burst.first_ms;
    owner->burst.first_ms -= OWNER_QUIET_MS;
    owner->burst.last_ms -= OWNER_QUIET_MS;
    owner_measure(owner);
    owner_measure(owner);
    ck_assert_uint_eq(count(HS_OWNER_SETTLE_MS), 1);
    ck_assert_uint_eq(owner->histograms[HS_OWNER_SETTLE_MS].sum, (uint64_t)lasted);
}
END_TEST

START_TEST(a_burst_that_never_ends_is_measured_all_the_same)
{
    atomic_fetch_add(&version, 1);
    owner->burst.first_ms = now_ms() - OWNER_BURST_MAX_MS;
    owner_measure(owner);
    ck_assert_uint_eq(count(HS_OWNER_SETTLE_MS), 1);
    ck_assert_int_eq(owner->burst.first_ms, 0);
}
END_TEST

START_TEST(a_save_that_does_not_end_is_told_with_the_moment_it_began)
{
    atomic_store(&saved, 0);
    owner->save_seq = 1;
    owner->save_pending = owner->save_sync = true;
    int64_t before = now_ms();
    owner_save_if_due(owner);
    owner_measure(owner);
    int64_t since = owner->save_waits_ms;
    ck_assert_int_ge(since, before);
    usleep(2000);
    owner_measure(owner);
    ck_assert_int_eq(owner->save_waits_ms, since);
    owner->published_ns = 0; /* due */
    owner_publish_if_due(owner);
    const struct hs_published *p = hs_snapshot_begin(snapshot, 0);
    ck_assert_int_eq(p->save_waits_ms, since);
    ck_assert_int_ge(p->published_ms, since);
    hs_snapshot_end(snapshot, 0);
    atomic_store(&saved, 1);
    owner_measure(owner);
    ck_assert_int_eq(owner->save_waits_ms, 0);
}
END_TEST

START_TEST(a_save_that_failed_and_is_tried_again_does_not_hang)
{
    atomic_store(&saved, 0);
    owner->save_seq = 1;
    owner->save_pending = owner->save_sync = true;
    owner_save_if_due(owner);
    owner_measure(owner);
    owner->save_waits_ms -= 5000;
    atomic_store(&failures, 1);
    int64_t before = now_ms();
    owner_measure(owner);
    ck_assert_int_ge(owner->save_waits_ms, before);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("owner_measure");
    TCase *t = tcase_create("measure");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_frame_is_measured_as_a_step_of_a_turn_and_as_depth_of_the_ring);
    tcase_add_test(t, a_burst_is_measured_from_its_first_change_to_its_last_once_it_is_quiet);
    tcase_add_test(t, a_burst_that_never_ends_is_measured_all_the_same);
    tcase_add_test(t, a_save_that_does_not_end_is_told_with_the_moment_it_began);
    tcase_add_test(t, a_save_that_failed_and_is_tried_again_does_not_hang);
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
