/* Who owns what: commands, claims, epochs, UPDATE, votes.
 *
 * Length: slots, epochs and votes share one cluster.
 */
#include "core_world.h"
#include "hs_test.h"

enum { TIMEOUT_MS = 1000, N = 4 };

static struct world w;

/* Nodes 0, 1, 2 own a third each, 3 owns nothing. */
static void setup(void)
{
    world_init(&w, TIMEOUT_MS);
    for (int i = 0; i < N; i++) {
        world_add(&w);
    }
    world_slots(&w, 0, 0, 5460);
    world_slots(&w, 1, 5461, 10922);
    world_slots(&w, 2, 10923, 16383);
    for (int i = 1; i < N; i++) {
        world_meet(&w, 0, i);
    }
    world_run(&w, 10000);
    ck_assert(world_agrees(&w));
}

static void teardown(void)
{
    world_fini(&w);
}

static struct hs_core *core(int i)
{
    return w.node[i].core;
}

/* Whose a slot is in i's view, as the number of the world's node. */
static int owner_in(int i, uint32_t slot)
{
    uint16_t ix = core(i)->owner[slot];

    for (int j = 0; j < N && ix != NIL16; j++) {
        if (w.node[j].running && world_find(&w, i, j) == ix) {
            return j;
        }
    }
    return -1;
}

static enum hs_cmd_err setslot(int i, enum hs_cmd_type type, uint16_t slot, int node)
{
    struct hs_cmd cmd = {.type = type, .slot = slot, .id = core(node)->hot[SELF].id};

    world_command(&w, i, cmd);
    return w.node[i].err;
}

static enum hs_cmd_err slots(int i, enum hs_cmd_type type, const struct hs_slot_range *r,
                             uint32_t n, bool bad)
{
    world_command(&w, i,
                  (struct hs_cmd){.type = type, .ranges = r, .ranges_n = n, .ranges_bad = bad});
    return w.node[i].err;
}

START_TEST(slots_are_checked_in_order_before_anything_changes)
{
    struct hs_slot_range free_one = {5, 5}, taken[] = {{1, 1}, {6000, 6000}};
    ck_assert_int_eq(slots(0, HS_CMD_DELSLOTS, &free_one, 1, false), HS_CMD_OK);
    ck_assert_int_eq(slots(0, HS_CMD_DELSLOTS, &free_one, 1, false), HS_CMD_ERR_SLOT_UNASSIGNED);
    ck_assert_int_eq(w.node[0].number, 5);
    struct hs_slot_range twice[] = {{5, 5}, {5, 5}};
    ck_assert_int_eq(slots(0, HS_CMD_ADDSLOTS, twice, 2, false), HS_CMD_ERR_SLOT_TWICE);
    ck_assert_int_eq(slots(0, HS_CMD_ADDSLOTS, taken, 2, true), HS_CMD_ERR_SLOT_BUSY);
    ck_assert_int_eq(w.node[0].number, 1);
    ck_assert_int_eq(slots(0, HS_CMD_ADDSLOTS, &free_one, 1, true), HS_CMD_ERR_BAD_SLOT);
    ck_assert_uint_eq(core(0)->owner[5], NIL16);
    ck_assert_int_eq(slots(0, HS_CMD_ADDSLOTS, &free_one, 1, false), HS_CMD_OK);
    ck_assert_uint_eq(core(0)->owner[5], SELF);
}
END_TEST

START_TEST(a_slot_given_away_and_taken_moves_everywhere_with_a_new_epoch)
{
    uint64_t epoch = core(3)->current_epoch;
    ck_assert_int_eq(setslot(3, HS_CMD_SETSLOT_IMPORTING, 7, 0), HS_CMD_OK);
    ck_assert_int_eq(setslot(0, HS_CMD_SETSLOT_MIGRATING, 7, 3), HS_CMD_OK);
    ck_assert_int_eq(setslot(3, HS_CMD_SETSLOT_NODE, 7, 3), HS_CMD_OK);
    ck_assert_int_eq(setslot(0, HS_CMD_SETSLOT_NODE, 7, 3), HS_CMD_OK);
    ck_assert_uint_gt(core(3)->cold[SELF].config_epoch, epoch);
    world_run(&w, 3000);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(owner_in(i, 7), 3);
    }
    ck_assert_uint_eq(core(0)->migrating_n, 0);
    ck_assert_uint_eq(core(3)->importing_n, 0);
    ck_assert(world_agrees(&w));
}
END_TEST

START_TEST(setslot_refuses_what_makes_no_sense)
{
    ck_assert_int_eq(setslot(0, HS_CMD_SETSLOT_MIGRATING, 6000, 1), HS_CMD_ERR_NOT_OWNER);
    ck_assert_int_eq(setslot(0, HS_CMD_SETSLOT_IMPORTING, 6, 1), HS_CMD_ERR_ALREADY_OWNER);
    struct hs_cmd cmd = {.type = HS_CMD_SETSLOT_MIGRATING, .slot = 6};
    memset(cmd.id.hex, 'z', HS_ID_LEN);
    world_command(&w, 0, cmd);
    ck_assert_int_eq(w.node[0].err, HS_CMD_ERR_DONT_KNOW_NODE);
    cmd.type = HS_CMD_SETSLOT_NODE;
    world_command(&w, 0, cmd);
    ck_assert_int_eq(w.node[0].err, HS_CMD_ERR_UNKNOWN_NODE);
}
END_TEST

static void replicate(int i, int master)
{
    struct hs_cmd cmd = {.type = HS_CMD_REPLICATE, .id = core(master)->hot[SELF].id};

    world_command(&w, i, cmd);
}

START_TEST(a_replica_is_known_as_such_everywhere)
{
    replicate(3, 1);
    ck_assert_int_eq(w.node[3].err, HS_CMD_OK);
    world_run(&w, 3000);
    for (int i = 0; i < N; i++) {
        uint16_t ix = world_find(&w, i, 3);
        ck_assert(has_flag(core(i), ix, HS_NODE_SLAVE));
        ck_assert_uint_eq(core(i)->cold[ix].master, world_find(&w, i, 1));
        ck_assert_mem_eq(core(i)->shards[ix].hex, core(i)->shards[world_find(&w, i, 1)].hex,
                         HS_ID_LEN);
    }
    replicate(0, 1);
    ck_assert_int_eq(w.node[0].err, HS_CMD_ERR_NOT_EMPTY);
    replicate(3, 3);
    ck_assert_int_eq(w.node[3].err, HS_CMD_ERR_REPLICATE_MYSELF);
    ck_assert(world_agrees(&w));
}
END_TEST

START_TEST(unchanged_claims_cost_one_comparison)
{
    uint64_t walked = core(0)->counters[COUNT_claims_walked];
    world_run(&w, 20000);
    ck_assert_uint_eq(core(0)->counters[COUNT_claims_walked], walked);
    ck_assert_uint_gt(core(0)->counters[COUNT_claims_unchanged], 20);
}
END_TEST

START_TEST(a_master_that_missed_the_change_is_told_who_owns_its_slots_now)
{
    w.node[1].deaf = true;
    world_run(&w, 100);
    struct hs_core *c = core(3);
    for (uint32_t s = 5461; s <= 10922; s++) { /* as a takeover would: same slots, newer epoch */
        c->out = &w.acts;
        core_slot_set(c, s, SELF);
    }
    struct hs_cmd bump = {.type = HS_CMD_BUMPEPOCH};
    world_command(&w, 3, bump);
    world_run(&w, 3000);
    ck_assert_int_eq(owner_in(0, 6000), 3);
    w.node[1].deaf = false;
    world_run(&w, 10000);
    ck_assert_int_eq(owner_in(1, 6000), 3);
    ck_assert(has_flag(core(1), SELF, HS_NODE_SLAVE)); /* it follows its slots */
    uint64_t updates = 0;
    for (int i = 0; i < N; i++) {
        updates += core(i)->counters[COUNT_updates_sent];
    }
    ck_assert_uint_gt(updates, 0);
    ck_assert(world_agrees(&w));
}
END_TEST

START_TEST(an_equal_epoch_takes_nothing)
{
    uint8_t bitmap[HS_SLOTS_BYTES] = {0};
    uint16_t three = world_find(&w, 0, 3);
    hs_slot_set(bitmap, 6000);
    core(0)->out = &w.acts;
    uint64_t epoch = core(0)->cold[world_find(&w, 0, 1)].config_epoch;
    core_claim(core(0), three, epoch, bitmap);
    ck_assert_int_eq(owner_in(0, 6000), 1);
    core_claim(core(0), three, epoch + 1, bitmap);
    ck_assert_int_eq(owner_in(0, 6000), 3);
}
END_TEST

START_TEST(a_slot_its_owner_no_longer_claims_is_anybodys)
{
    uint8_t bitmap[HS_SLOTS_BYTES] = {0};
    uint16_t one = world_find(&w, 0, 1), three = world_find(&w, 0, 3);
    uint64_t epoch = core(0)->cold[one].config_epoch;
    core(0)->out = &w.acts;
    core_claim(core(0), one, epoch, bitmap); /* claims nothing any more */
    ck_assert_int_eq(owner_in(0, 6000), 1);  /* kept, */
    hs_slot_set(bitmap, 6000);
    core_claim(core(0), three, 0, bitmap); /* until somebody asks, whatever the epoch */
    ck_assert_int_eq(owner_in(0, 6000), 3);
}
END_TEST

START_TEST(bumping_the_newest_epoch_changes_nothing)
{
    struct hs_cmd bump = {.type = HS_CMD_BUMPEPOCH};
    world_command(&w, 0, bump);
    int64_t first = w.node[0].number;
    world_command(&w, 0, bump);
    ck_assert_int_eq(w.node[0].err, HS_CMD_ERR_STILL);
    ck_assert_int_eq(w.node[0].number, first);
}
END_TEST

START_TEST(a_config_epoch_is_set_only_on_a_lone_new_node)
{
    struct hs_cmd set = {.type = HS_CMD_SET_CONFIG_EPOCH, .epoch = 9};
    world_command(&w, 0, set);
    ck_assert_int_eq(w.node[0].err, HS_CMD_ERR_EPOCH_KNOWN_NODES);
    int i = world_add(&w);
    world_command(&w, i, set);
    ck_assert_int_eq(w.node[i].err, HS_CMD_OK);
    ck_assert_uint_eq(core(i)->current_epoch, 9);
    world_command(&w, i, set);
    ck_assert_int_eq(w.node[i].err, HS_CMD_ERR_EPOCH_SET);
}
END_TEST

/* ---- durability ---- */

static uint64_t largest_epoch_seen;

static void watch_epochs(struct world *world, int from, int to, const struct hs_view *v)
{
    (void)world;
    (void)to;
    uint64_t epoch = hs_get64(v->frame + HS_OFF_CONFIG_EPOCH);
    if (from == 0 && epoch > largest_epoch_seen) {
        largest_epoch_seen = epoch;
    }
}

START_TEST(a_new_epoch_leaves_only_when_it_is_on_disk)
{
    largest_epoch_seen = 0;
    w.tap = watch_epochs;
    w.node[0].disk_stuck = true;
    uint64_t before = core(0)->cold[SELF].config_epoch;
    world_command(&w, 0, (struct hs_cmd){.type = HS_CMD_BUMPEPOCH});
    ck_assert_int_eq(w.node[0].err, HS_CMD_OK);
    world_run(&w, 5000);
    ck_assert_uint_eq(largest_epoch_seen, before);
    ck_assert_uint_eq(w.node[1].notes[HS_NOTE_PFAIL], 0); /* it did not fall silent */
    w.node[0].disk_stuck = false;
    world_command(&w, 0, (struct hs_cmd){.type = HS_CMD_SAVECONFIG});
    world_run(&w, 3000);
    ck_assert_uint_gt(largest_epoch_seen, before);
    ck_assert(world_agrees(&w));
}
END_TEST

static uint64_t told[WORLD_MAX];

static void watch_current_epochs(struct world *world, int from, int to, const struct hs_view *v)
{
    (void)world;
    (void)to;
    uint64_t epoch = hs_get64(v->frame + HS_OFF_CURRENT_EPOCH);
    ck_assert_uint_ge(epoch, told[from]);
    told[from] = epoch;
}

START_TEST(a_current_epoch_once_told_is_not_taken_back)
{
    memset(told, 0, sizeof(told));
    w.tap = watch_current_epochs;
    for (int i = 0; i < 5; i++) { /* all start at 0: collisions, bumps and saves at once */
        world_meet(&w, world_add(&w), 0);
        world_run(&w, 40);
    }
    world_run(&w, 10000);
    ck_assert(world_agrees(&w));
}
END_TEST

/* ---- votes ---- */

/* Node 3, replica of 1, asks node 0 for its vote. Returns the refusal. */
static enum hs_refusal ask(uint64_t current_epoch, uint8_t mflags)
{
    struct hs_core *c = core(3);
    struct hs_link l = c->cold[world_find(&w, 3, 0)].to;
    uint8_t frame[HS_HDR_LEN];
    struct hs_view v;

    memcpy(frame, c->hdr, HS_HDR_LEN);
    hs_put64(frame + HS_OFF_CURRENT_EPOCH, current_epoch);
    frame[HS_OFF_MFLAGS] = mflags;
    hs_wire_build_plain(frame, HS_MSG_AUTH_REQUEST);
    ck_assert_int_eq(hs_wire_check(frame, HS_HDR_LEN, &v), HS_WIRE_OK);
    uint32_t granted = w.node[0].notes[HS_NOTE_VOTE_GRANTED];
    uint64_t refused = core(0)->counters[COUNT_votes_refused];
    world_frame(&w, 0, w.node[3].links[l.ix].peer_link, frame, HS_HDR_LEN);
    world_run(&w, 2);
    ck_assert_uint_eq(granted + refused + 1, w.node[0].notes[HS_NOTE_VOTE_GRANTED] +
                                                 core(0)->counters[COUNT_votes_refused]);
    return w.node[0].notes[HS_NOTE_VOTE_GRANTED] > granted ? HS_REFUSAL_NONE
                                                           : (enum hs_refusal)w.last_number;
}

/* Its replica asks only when a test makes it. */
static void make_failed_master(void)
{
    struct hs_core_conf conf = core(3)->conf;

    conf.replica_no_failover = true;
    world_command(&w, 3, (struct hs_cmd){.type = HS_CMD_CONF, .conf = &conf});
    replicate(3, 1);
    world_run(&w, 3000);
    world_kill(&w, 1);
    world_run(&w, 3 * TIMEOUT_MS);
    ck_assert(has_flag(core(0), core(0)->cold[world_find(&w, 0, 3)].master, HS_NODE_FAIL));
}

START_TEST(a_vote_is_given_once_per_epoch_and_master)
{
    make_failed_master();
    uint64_t epoch = core(0)->current_epoch + 1;
    ck_assert_int_eq(ask(epoch - 1, 0), HS_REFUSAL_NONE);
    ck_assert_int_eq(ask(epoch - 1, 0), HS_REFUSAL_VOTED_IN_EPOCH);
    ck_assert_int_eq(ask(epoch, 0), HS_REFUSAL_VOTED_FOR_SHARD);
    world_run(&w, 2 * TIMEOUT_MS);
    ck_assert_int_eq(ask(epoch - 1, 0), HS_REFUSAL_OLD_EPOCH);
    ck_assert_int_eq(ask(epoch, 0), HS_REFUSAL_NONE);
}
END_TEST

START_TEST(no_vote_against_a_master_that_works_unless_it_is_forced)
{
    replicate(3, 1);
    world_run(&w, 3000);
    uint64_t epoch = core(0)->current_epoch + 1;
    ck_assert_int_eq(ask(epoch, 0), HS_REFUSAL_MASTER_NOT_FAILED);
    ck_assert_int_eq(ask(epoch, HS_MFLAG_FORCEACK), HS_REFUSAL_NONE);
}
END_TEST

START_TEST(no_vote_for_a_master_or_by_one_without_slots)
{
    uint64_t epoch = core(0)->current_epoch + 1;
    ck_assert_int_eq(ask(epoch, HS_MFLAG_FORCEACK), HS_REFUSAL_NOT_A_REPLICA);
    world_command(&w, 0, (struct hs_cmd){.type = HS_CMD_FLUSHSLOTS});
    ck_assert_int_eq(ask(epoch, HS_MFLAG_FORCEACK), HS_REFUSAL_NOT_A_VOTER);
}
END_TEST

START_TEST(no_vote_for_a_candidate_that_knows_old_owners)
{
    make_failed_master();
    struct hs_core *c = core(0);
    c->out = &w.acts;
    core_node_epoch(c, c->cold[world_find(&w, 0, 3)].master, c->current_epoch + 5);
    ck_assert_int_eq(ask(c->current_epoch, 0), HS_REFUSAL_SLOT_EPOCH);
}
END_TEST

static uint32_t acks;

static void watch_acks(struct world *world, int from, int to, const struct hs_view *v)
{
    (void)world;
    (void)to;
    acks += from == 0 && v->type == HS_MSG_AUTH_ACK;
}

START_TEST(a_vote_leaves_only_when_it_is_on_disk)
{
    make_failed_master();
    acks = 0;
    w.tap = watch_acks;
    w.node[0].disk_stuck = true;
    ck_assert_int_eq(ask(core(0)->current_epoch, 0), HS_REFUSAL_NONE);
    world_run(&w, 2000);
    ck_assert_uint_eq(acks, 0);
    uint64_t voted = core(0)->last_vote_epoch;
    w.node[0].disk_stuck = false;
    world_command(&w, 0, (struct hs_cmd){.type = HS_CMD_SAVECONFIG});
    world_run(&w, 100);
    ck_assert_uint_eq(acks, 1);
    world_restart(&w, 0);
    ck_assert_uint_eq(core(0)->last_vote_epoch, voted);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("core/slots");
    TCase *tc = tcase_create("slots"), *votes = tcase_create("votes");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, slots_are_checked_in_order_before_anything_changes);
    tcase_add_test(tc, a_slot_given_away_and_taken_moves_everywhere_with_a_new_epoch);
    tcase_add_test(tc, setslot_refuses_what_makes_no_sense);
    tcase_add_test(tc, a_replica_is_known_as_such_everywhere);
    tcase_add_test(tc, unchanged_claims_cost_one_comparison);
    tcase_add_test(tc, a_master_that_missed_the_change_is_told_who_owns_its_slots_now);
    tcase_add_test(tc, an_equal_epoch_takes_nothing);
    tcase_add_test(tc, a_slot_its_owner_no_longer_claims_is_anybodys);
    tcase_add_test(tc, bumping_the_newest_epoch_changes_nothing);
    tcase_add_test(tc, a_config_epoch_is_set_only_on_a_lone_new_node);
    tcase_add_test(tc, a_new_epoch_leaves_only_when_it_is_on_disk);
    tcase_add_test(tc, a_current_epoch_once_told_is_not_taken_back);
    tcase_add_checked_fixture(votes, setup, teardown);
    tcase_set_timeout(votes, 60);
    tcase_add_test(votes, a_vote_is_given_once_per_epoch_and_master);
    tcase_add_test(votes, no_vote_against_a_master_that_works_unless_it_is_forced);
    tcase_add_test(votes, no_vote_for_a_master_or_by_one_without_slots);
    tcase_add_test(votes, no_vote_for_a_candidate_that_knows_old_owners);
    tcase_add_test(votes, a_vote_leaves_only_when_it_is_on_disk);
    suite_add_tcase(s, tc);
    suite_add_tcase(s, votes);
    return hs_test_main(s);
}
