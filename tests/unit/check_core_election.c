/* Replicas that take over: by vote, on request, by force; and replicas that move. */
#include "core_world.h"
#include "hs_test.h"

enum { TIMEOUT_MS = 1000, MASTERS = 3 };

static struct world w;

static struct hs_core *core(int i)
{
    return w.node[i].core;
}

static void replicate(int i, int master)
{
    world_command(&w, i,
                  (struct hs_cmd){.type = HS_CMD_REPLICATE, .id = core(master)->hot[SELF].id});
    ck_assert_int_eq(w.node[i].err, HS_CMD_OK);
}

/* Masters 0, 1, 2 own a third each; 3 and 4 replicate 0, 5 replicates 1. */
static void setup(void)
{
    world_init(&w, TIMEOUT_MS);
    for (int i = 0; i < 6; i++) {
        world_add(&w);
    }
    world_slots(&w, 0, 0, 5460);
    world_slots(&w, 1, 5461, 10922);
    world_slots(&w, 2, 10923, 16383);
    for (int i = 1; i < 6; i++) {
        world_meet(&w, 0, i);
    }
    world_run(&w, 8000);
    replicate(3, 0);
    replicate(4, 0);
    replicate(5, 1);
    world_run(&w, 4000);
    ck_assert(world_agrees(&w));
    ck_assert(core(5)->ok);
}

static void teardown(void)
{
    world_fini(&w);
}

static int64_t run_until_master(int i, int64_t limit_ms)
{
    int64_t start = w.now;

    while (!i_am_master(core(i)) && w.now - start < limit_ms) {
        world_run(&w, 10);
    }
    return w.now - start;
}

START_TEST(the_only_replica_of_a_dead_master_takes_its_place)
{
    uint64_t epoch = core(5)->current_epoch;
    world_kill(&w, 1);
    int64_t took_ms = run_until_master(5, 10000);
    ck_assert(i_am_master(core(5)));
    ck_assert_int_lt(took_ms, 2 * TIMEOUT_MS + 2000);
    ck_assert_uint_eq(core(5)->cold[SELF].slots_n, 5462);
    ck_assert_uint_gt(core(5)->cold[SELF].config_epoch, epoch);
    world_run(&w, 4000);
    ck_assert(world_agrees(&w));
    ck_assert(core(0)->ok);
}
END_TEST

START_TEST(of_two_replicas_one_takes_over_and_the_other_follows_it)
{
    world_kill(&w, 0);
    world_run(&w, 12000);
    ck_assert_int_eq(i_am_master(core(3)) + i_am_master(core(4)), 1);
    ck_assert(i_am_master(core(3))); /* same data, smaller id */
    ck_assert_uint_eq(core(4)->cold[SELF].master, world_find(&w, 4, 3));
    ck_assert(world_agrees(&w));
}
END_TEST

START_TEST(the_replica_with_newer_data_goes_first)
{
    world_command(&w, 3, (struct hs_cmd){.type = HS_CMD_OFFSET, .epoch = 100});
    world_command(&w, 4, (struct hs_cmd){.type = HS_CMD_OFFSET, .epoch = 200});
    world_run(&w, 2000);
    world_kill(&w, 0);
    world_run(&w, 12000);
    ck_assert(i_am_master(core(4)));
    ck_assert(!i_am_master(core(3)));
}
END_TEST

START_TEST(a_returning_master_becomes_a_replica_of_its_successor)
{
    world_kill(&w, 1);
    world_run(&w, 10000);
    ck_assert(i_am_master(core(5)));
    w.conf.allow_replica_migration = false; /* or it would go on to where one is missing */
    world_restart(&w, 1);
    world_run(&w, 8000);
    ck_assert(!i_am_master(core(1)));
    ck_assert_uint_eq(core(1)->cold[SELF].master, world_find(&w, 1, 5));
    ck_assert(world_agrees(&w));
}
END_TEST

START_TEST(without_a_majority_of_voters_nobody_is_promoted_and_asking_goes_on)
{
    world_kill(&w, 1);
    w.node[0].deaf = w.node[2].deaf = true;
    world_run(&w, 5000);
    ck_assert(!i_am_master(core(5)));
    w.node[0].deaf = w.node[2].deaf = false;
    world_run(&w, 20000);
    ck_assert(i_am_master(core(5)));
    ck_assert(world_agrees(&w));
}
END_TEST

START_TEST(a_replica_told_not_to_does_not_stand)
{
    struct hs_core_conf conf = core(5)->conf;
    conf.replica_no_failover = true;
    world_command(&w, 5, (struct hs_cmd){.type = HS_CMD_CONF, .conf = &conf});
    world_kill(&w, 1);
    world_run(&w, 12000);
    ck_assert(!i_am_master(core(5)));
    uint16_t ix = world_find(&w, 0, 5);
    ck_assert(has_flag(core(0), ix, HS_NODE_NOFAILOVER));
}
END_TEST

START_TEST(data_older_than_the_validity_factor_allows_does_not_stand)
{
    struct hs_core_conf conf = core(5)->conf;
    conf.replica_validity_factor = 1;
    world_command(&w, 5, (struct hs_cmd){.type = HS_CMD_CONF, .conf = &conf});
    world_command(&w, 5, (struct hs_cmd){.type = HS_CMD_OFFSET, .epoch = 7});
    world_run(&w, 15000);
    world_kill(&w, 1);
    world_run(&w, 8000);
    ck_assert(!i_am_master(core(5)));
    world_command(&w, 5, (struct hs_cmd){.type = HS_CMD_OFFSET, .epoch = 8});
    world_run(&w, 3000);
    ck_assert(i_am_master(core(5)));
}
END_TEST

static uint32_t requests, asked_early;

static void watch_requests(struct world *world, int from, int to, const struct hs_view *v)
{
    (void)to;
    if (from == 5 && v->type == HS_MSG_AUTH_REQUEST) {
        requests++;
        asked_early += world->node[5].disk_stuck;
        ck_assert_uint_eq(hs_get64(v->frame + HS_OFF_CURRENT_EPOCH),
                          world->node[5].core->auth_epoch);
    }
}

START_TEST(the_request_waits_for_the_epoch_to_be_on_disk)
{
    requests = asked_early = 0;
    w.tap = watch_requests;
    w.node[5].disk_stuck = true;
    world_kill(&w, 1);
    world_run(&w, 5000);
    ck_assert_uint_eq(requests, 0);
    w.node[5].disk_stuck = false;
    world_run(&w, 15000);
    ck_assert_uint_gt(requests, 0);
    ck_assert_uint_eq(asked_early, 0);
    ck_assert(i_am_master(core(5)));
}
END_TEST

static uint64_t asked_in, acked_in;

static void watch_election_epochs(struct world *world, int from, int to, const struct hs_view *v)
{
    (void)world;
    (void)to;
    uint64_t epoch = hs_get64(v->frame + HS_OFF_CURRENT_EPOCH);
    asked_in = from == 5 && v->type == HS_MSG_AUTH_REQUEST ? epoch : asked_in;
    acked_in = from == 2 && v->type == HS_MSG_AUTH_ACK ? epoch : acked_in;
}

/* Node 2 hears of a later epoch while its vote is being saved, and node 5
 * while its request is: the one speaks of the epoch that was decided, the
 * other of a new one, as soon as that is saved. */
START_TEST(an_election_speaks_of_its_own_epoch_whatever_was_heard_meanwhile)
{
    asked_in = acked_in = 0;
    w.tap = watch_election_epochs;
    w.node[5].disk_stuck = true;
    world_kill(&w, 1);
    while (!core(5)->auth_asked && w.now < 2000000) {
        world_run(&w, 10);
    }
    uint64_t epoch = core(5)->auth_epoch;
    core(5)->current_epoch += 7;
    core(5)->want_save = core(5)->want_sync = true; /* and has something else to save */
    w.node[5].disk_stuck = false;
    world_command(&w, 5, (struct hs_cmd){.type = HS_CMD_SAVECONFIG});
    world_run(&w, SAVE_MS + DELAY_MS);
    ck_assert_uint_eq(asked_in, 0);
    world_run(&w, SAVE_MS + DELAY_MS);
    ck_assert_uint_eq(asked_in, epoch + 8);
    core(2)->current_epoch += 7;
    world_run(&w, SAVE_MS + DELAY_MS);
    ck_assert_uint_eq(acked_in, epoch + 8);
}
END_TEST

/* ---- manual ---- */

static enum hs_cmd_err failover(int i, enum hs_failover how)
{
    world_command(&w, i, (struct hs_cmd){.type = HS_CMD_FAILOVER, .failover = how});
    return w.node[i].err;
}

START_TEST(a_manual_failover_swaps_master_and_replica)
{
    ck_assert_int_eq(failover(5, HS_FAILOVER_DEFAULT), HS_CMD_OK);
    int64_t took_ms = run_until_master(5, 6000);
    ck_assert_int_lt(took_ms, 1000);
    world_run(&w, 4000);
    ck_assert(i_am_master(core(5)));
    ck_assert_uint_eq(core(1)->cold[SELF].master, world_find(&w, 1, 5));
    ck_assert_uint_gt(core(5)->sent[HS_MSG_MFSTART], 0);
    ck_assert(world_agrees(&w));
}
END_TEST

START_TEST(a_manual_failover_waits_for_the_fronted_stores_position)
{
    world_command(&w, 1, (struct hs_cmd){.type = HS_CMD_OFFSET, .epoch = 500});
    world_command(&w, 5, (struct hs_cmd){.type = HS_CMD_OFFSET, .epoch = 400});
    world_run(&w, 1500);
    ck_assert_int_eq(failover(5, HS_FAILOVER_DEFAULT), HS_CMD_OK);
    world_run(&w, 2000);
    ck_assert(!i_am_master(core(5)));
    world_command(&w, 5, (struct hs_cmd){.type = HS_CMD_OFFSET, .epoch = 500});
    world_run(&w, 500);
    ck_assert(i_am_master(core(5)));
}
END_TEST

START_TEST(a_manual_failover_is_given_up_after_five_seconds)
{
    world_command(&w, 1, (struct hs_cmd){.type = HS_CMD_OFFSET, .epoch = 500});
    world_command(&w, 5, (struct hs_cmd){.type = HS_CMD_OFFSET, .epoch = 400});
    world_run(&w, 1500);
    failover(5, HS_FAILOVER_DEFAULT);
    world_run(&w, 5500);
    ck_assert_uint_eq(w.node[5].notes[HS_NOTE_MF_ABORTED], 1);
    ck_assert_uint_eq(w.node[1].notes[HS_NOTE_MF_ABORTED], 1);
    ck_assert_int_eq(core(1)->mf_end, 0);
    ck_assert(i_am_master(core(1)));
}
END_TEST

START_TEST(force_needs_votes_and_no_master)
{
    w.node[1].deaf = true;
    ck_assert_int_eq(failover(5, HS_FAILOVER_FORCE), HS_CMD_OK);
    ck_assert_int_lt(run_until_master(5, 3000), 500);
    w.node[1].deaf = false;
    world_run(&w, 6000);
    ck_assert(world_agrees(&w));
}
END_TEST

START_TEST(takeover_needs_nobody)
{
    w.node[0].deaf = w.node[1].deaf = w.node[2].deaf = true;
    ck_assert_int_eq(failover(5, HS_FAILOVER_TAKEOVER), HS_CMD_OK);
    ck_assert(i_am_master(core(5)));
    w.node[0].deaf = w.node[1].deaf = w.node[2].deaf = false;
    world_run(&w, 8000);
    ck_assert(world_agrees(&w));
}
END_TEST

START_TEST(failover_refuses_what_makes_no_sense)
{
    ck_assert_int_eq(failover(0, HS_FAILOVER_FORCE), HS_CMD_ERR_FAILOVER_ON_MASTER);
    struct hs_core_conf conf = core(5)->conf;
    conf.replica_no_failover = true;
    world_command(&w, 5, (struct hs_cmd){.type = HS_CMD_CONF, .conf = &conf});
    world_kill(&w, 1);
    world_run(&w, 4000);
    ck_assert_int_eq(failover(5, HS_FAILOVER_DEFAULT), HS_CMD_ERR_MASTER_DOWN);
}
END_TEST

/* ---- migration ---- */

START_TEST(a_spare_replica_goes_to_an_orphaned_master)
{
    world_kill(&w, 5); /* 1 is left with none, 0 has two */
    world_run(&w, 12000);
    ck_assert_uint_eq(core(3)->cold[SELF].master, world_find(&w, 3, 1)); /* the smaller id */
    ck_assert_uint_eq(core(4)->cold[SELF].master, world_find(&w, 4, 0));
    for (int i = 0; i < 5; i++) {
        ck_assert_uint_eq(core(i)->cold[world_find(&w, i, 3)].master, world_find(&w, i, 1));
    }
}
END_TEST

START_TEST(no_replica_moves_where_migration_is_off)
{
    for (int i = 3; i < 5; i++) {
        struct hs_core_conf conf = core(i)->conf;
        conf.allow_replica_migration = false;
        world_command(&w, i, (struct hs_cmd){.type = HS_CMD_CONF, .conf = &conf});
    }
    world_kill(&w, 5);
    world_run(&w, 12000);
    ck_assert_uint_eq(core(3)->cold[SELF].master, world_find(&w, 3, 0));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("core/election");
    TCase *tc = tcase_create("election"), *manual = tcase_create("manual");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, the_only_replica_of_a_dead_master_takes_its_place);
    tcase_add_test(tc, of_two_replicas_one_takes_over_and_the_other_follows_it);
    tcase_add_test(tc, the_replica_with_newer_data_goes_first);
    tcase_add_test(tc, a_returning_master_becomes_a_replica_of_its_successor);
    tcase_add_test(tc, without_a_majority_of_voters_nobody_is_promoted_and_asking_goes_on);
    tcase_add_test(tc, a_replica_told_not_to_does_not_stand);
    tcase_add_test(tc, data_older_than_the_validity_factor_allows_does_not_stand);
    tcase_add_test(tc, the_request_waits_for_the_epoch_to_be_on_disk);
    tcase_add_test(tc, an_election_speaks_of_its_own_epoch_whatever_was_heard_meanwhile);
    tcase_add_test(tc, a_spare_replica_goes_to_an_orphaned_master);
    tcase_add_test(tc, no_replica_moves_where_migration_is_off);
    tcase_add_checked_fixture(manual, setup, teardown);
    tcase_set_timeout(manual, 60);
    tcase_add_test(manual, a_manual_failover_swaps_master_and_replica);
    tcase_add_test(manual, a_manual_failover_waits_for_the_fronted_stores_position);
    tcase_add_test(manual, a_manual_failover_is_given_up_after_five_seconds);
    tcase_add_test(manual, force_needs_votes_and_no_master);
    tcase_add_test(manual, takeover_needs_nobody);
    tcase_add_test(manual, failover_refuses_what_makes_no_sense);
    suite_add_tcase(s, tc);
    suite_add_tcase(s, manual);
    return hs_test_main(s);
}
