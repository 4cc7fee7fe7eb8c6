/* What peers of one version do and those of another do not: extensions that go
 * away, open slots whose other end fails over, claims about masters unknown here.
 */
#include "core_solo.h"
#include "hs_test.h"

enum { SOURCE = 1, HEIR = 2, OTHER = 3, SLOT = 5 };

static struct solo s;
static struct hs_link l[4];

/* We own slot 1; node 1 owns SLOT and has the replica 2 in its shard; node 3
 * owns slot 3. All of them have told their shards, and we are connected. */
static void setup(void)
{
    struct hs_topo *boot = solo_topo(4);

    boot->owner[1] = 0;
    boot->owner[SLOT] = SOURCE;
    boot->owner[3] = OTHER;
    boot->nodes[SOURCE].config_epoch = 4;
    boot->nodes[OTHER].config_epoch = 2;
    boot->nodes[HEIR].flags = HS_NODE_SLAVE;
    boot->nodes[HEIR].master = SOURCE;
    memcpy(boot->nodes[HEIR].shard_id, boot->nodes[SOURCE].shard_id, HS_ID_LEN);
    solo_init(&s);
    s.conf.require_full_coverage = false;
    solo_start(&s, boot);
    for (uint32_t i = 1; i < 4; i++) {
        l[i] = solo_accept(&s);
    }
}

static void teardown(void)
{
    solo_fini(&s);
}

/* A PING in which node i claims that slot, or none, under that epoch. */
static void claims(uint32_t i, int slot, uint64_t epoch)
{
    struct hs_hdr h = solo_hdr(i);
    uint8_t slots[HS_SLOTS_BYTES] = {0};

    if (slot >= 0) {
        hs_slot_set(slots, (uint32_t)slot);
    }
    h.slots = slots;
    h.myip = "127.0.0.1";
    h.config_epoch = h.current_epoch = epoch;
    h.flags |= HS_NODE_LIGHT;
    solo_ping(&s, l[i], HS_MSG_PING, &h, NULL);
}

static void open_slot(enum hs_cmd_type type, uint16_t slot, uint32_t id)
{
    struct hs_cmd cmd = {.type = type, .slot = slot, .id = solo_id(id)};

    ck_assert_int_eq(solo_command(&s, cmd), HS_CMD_OK);
}

static void forget_shard(uint16_t ix)
{
    s.core->cold[ix].name_bits = (uint8_t)(s.core->cold[ix].name_bits & ~NAME_SHARD);
}

/* ---- open slots ---- */

START_TEST(an_import_goes_on_from_the_successor_of_its_source)
{
    open_slot(HS_CMD_SETSLOT_IMPORTING, SLOT, SOURCE);
    claims(HEIR, SLOT, 9);
    ck_assert_uint_eq(s.core->owner[SLOT], HEIR);
    ck_assert_uint_eq(s.core->importing[SLOT], HEIR + 1);
}
END_TEST

START_TEST(an_import_is_over_when_another_shard_takes_the_slot)
{
    open_slot(HS_CMD_SETSLOT_IMPORTING, SLOT, SOURCE);
    claims(OTHER, SLOT, 9);
    ck_assert_uint_eq(s.core->owner[SLOT], OTHER);
    ck_assert_uint_eq(s.core->importing_n, 0);
}
END_TEST

START_TEST(an_imported_slot_of_unknown_shards_stays_where_setslot_left_it)
{
    for (uint16_t unknown = SOURCE; unknown <= HEIR; unknown++) {
        teardown();
        setup();
        open_slot(HS_CMD_SETSLOT_IMPORTING, SLOT, SOURCE);
        forget_shard(unknown);
        claims(HEIR, SLOT, 9);
        ck_assert_uint_eq(s.core->owner[SLOT], SOURCE);
        ck_assert_uint_eq(s.core->importing[SLOT], SOURCE + 1);
    }
}
END_TEST

START_TEST(a_slot_migrates_on_to_the_successor_of_its_target)
{
    open_slot(HS_CMD_SETSLOT_MIGRATING, 1, SOURCE);
    claims(OTHER, 3, 9); /* of another shard: no */
    ck_assert_uint_eq(s.core->migrating[1], SOURCE + 1);
    claims(HEIR, SLOT, 9);
    ck_assert_uint_eq(s.core->migrating[1], HEIR + 1);
    claims(SOURCE, SLOT, 4); /* the old one comes back with its old claim */
    ck_assert_uint_eq(s.core->migrating[1], HEIR + 1);
    ck_assert_uint_eq(s.core->owner[1], SELF);
}
END_TEST

START_TEST(a_target_without_slots_has_a_successor_too)
{
    open_slot(HS_CMD_SETSLOT_MIGRATING, 1, SOURCE);
    claims(SOURCE, -1, 4);
    claims(HEIR, -1, 9);
    ck_assert_uint_eq(s.core->migrating[1], HEIR + 1);
}
END_TEST

START_TEST(open_slots_follow_a_failover_that_the_old_master_tells_of)
{
    struct hs_hdr h = solo_hdr(SOURCE);
    struct hs_node_id heir = solo_id(HEIR);

    open_slot(HS_CMD_SETSLOT_IMPORTING, SLOT, SOURCE);
    open_slot(HS_CMD_SETSLOT_MIGRATING, 1, SOURCE);
    h.slaveof = &heir;
    h.config_epoch = h.current_epoch = 9;
    solo_ping(&s, l[SOURCE], HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(s.core->owner[SLOT], HEIR);
    ck_assert_uint_eq(s.core->importing[SLOT], HEIR + 1);
    ck_assert_uint_eq(s.core->migrating[1], HEIR + 1);
}
END_TEST

START_TEST(what_a_valkey_source_gives_up_is_taken_by_the_one_that_imports_it)
{
    claims(SOURCE, SLOT, 4);
    open_slot(HS_CMD_SETSLOT_IMPORTING, SLOT, SOURCE);
    claims(SOURCE, -1, 4);
    ck_assert_uint_eq(s.core->owner[SLOT], SELF);
    ck_assert_uint_eq(s.core->importing_n, 0);
    ck_assert_uint_gt(s.core->cold[SELF].config_epoch, 4);
    solo_saved(&s);
    ck_assert_uint_eq(s.core->announce_seq, 0);
}
END_TEST

START_TEST(what_another_source_gives_up_waits_for_setslot)
{
    struct hs_hdr h = solo_hdr(SOURCE);

    open_slot(HS_CMD_SETSLOT_IMPORTING, SLOT, SOURCE);
    h.config_epoch = h.current_epoch = 4;
    solo_ping(&s, l[SOURCE], HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(s.core->owner[SLOT], SOURCE);
    ck_assert_uint_eq(s.core->importing[SLOT], SOURCE + 1);
}
END_TEST

/* ---- masters without slots ---- */

/* We become a replica of node 1, or stay the master of the shard. */
START_TEST(an_empty_shard_follows_its_new_master)
{
    struct hs_slot_range one = {1, 1};

    solo_command(&s, (struct hs_cmd){.type = HS_CMD_DELSLOTS, .ranges = &one, .ranges_n = 1});
    core_set_shard(s.core, HEIR, s.core->shards[SELF].hex);
    claims(HEIR, -1, 9);
    ck_assert_uint_eq(s.core->cold[SELF].master, HEIR);
}
END_TEST

START_TEST(a_shard_with_slots_or_newer_epoch_or_another_one_does_not_follow)
{
    for (int what = 0; what < 3; what++) {
        struct hs_slot_range one = {1, 1};
        teardown();
        setup();
        if (what != 0) {
            solo_command(&s,
                         (struct hs_cmd){.type = HS_CMD_DELSLOTS, .ranges = &one, .ranges_n = 1});
        }
        if (what != 1) {
            core_set_shard(s.core, HEIR, s.core->shards[SELF].hex);
        }
        if (what == 2) {
            s.core->current_epoch = 9;
            s.core->cold[SELF].config_epoch = 9;
        }
        claims(HEIR, -1, what == 2 ? 8 : 9);
        ck_assert_uint_eq(s.core->cold[SELF].master, NIL16);
    }
}
END_TEST

/* ---- claims ---- */

START_TEST(a_replica_of_an_unknown_master_is_told_of_no_owner)
{
    struct hs_hdr h = solo_hdr(HEIR);
    struct hs_node_id nobody = solo_id(9);
    uint8_t slots[HS_SLOTS_BYTES] = {1U << SLOT};

    solo_connect(&s, HEIR);
    h.slots = slots;
    h.slaveof = &nobody;
    h.myip = "127.0.0.1";
    solo_ping(&s, l[HEIR], HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_PONG), 1);
    /* Its master is not 1 any more as far as we are told; 1 is still not its affair. */
    core_node_set_master(s.core, HEIR, NIL16);
    solo_ping(&s, l[HEIR], HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_UPDATE), 0);
}
END_TEST

/* ---- extensions ---- */

static void shows(struct hs_link on, uint32_t i, uint16_t type, bool extensions)
{
    struct hs_hdr h = solo_hdr(i);

    h.myip = "127.0.0.1";
    h.mflags = extensions ? HS_MFLAG_EXT_DATA : 0;
    solo_ping(&s, on, type, &h, NULL);
}

START_TEST(a_peer_that_returns_as_an_older_version_gets_no_extensions)
{
    struct hs_link ours = solo_connect(&s, OTHER);

    shows(l[OTHER], OTHER, HS_MSG_PING, true);
    ck_assert_uint_eq(solo_msg(&s, HS_MSG_PONG, 0).ext_n, 1);
    /* An answer on our own connection may be older than its last start. */
    s.core->hot[OTHER].ping_sent = 0;
    shows(ours, OTHER, HS_MSG_PONG, false);
    ck_assert_int_eq(s.core->cold[OTHER].ext_level, EXT_FULL);
    solo_tick(&s, 600);
    for (int i = 0; i < 20 && solo_sent(&s, HS_MSG_PING) == 0; i++) {
        solo_tick(&s, TICK_MS / 10); /* others are connected to first */
    }
    ck_assert_uint_eq(solo_msg(&s, HS_MSG_PING, 0).ext_n, 1);

    struct hs_link again = solo_accept(&s);
    int64_t since = s.core->hot[OTHER].ping_sent;
    ck_assert_int_ne(since, 0);
    s.now.mono.ms += 100;
    shows(again, OTHER, HS_MSG_PING, false);
    ck_assert_uint_eq(solo_msg(&s, HS_MSG_PONG, 0).ext_n, 0);
    ck_assert_uint_eq(solo_msg(&s, HS_MSG_PING, 0).ext_n, 0); /* instead of the lost one */
    ck_assert_int_eq(s.core->hot[OTHER].ping_sent, since);
    shows(again, OTHER, HS_MSG_PING, true);
    ck_assert_uint_eq(solo_msg(&s, HS_MSG_PONG, 0).ext_n, 1);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_PING), 0);
}
END_TEST

/* ---- replica migration ---- */

/* We and nodes 1 (with the id 'b', working or not) and 5 replicate node 2; node
 * 3 has lost its only replica, node 4. */
static void spare(uint32_t our_id, uint16_t fellow_flags)
{
    struct hs_topo *boot = solo_topo(6);

    boot->nodes[0].id = solo_id(our_id);
    boot->nodes[0].flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    boot->nodes[1].flags = (uint16_t)(HS_NODE_SLAVE | fellow_flags);
    boot->nodes[5].flags = HS_NODE_SLAVE;
    boot->nodes[5].id = solo_id(9);
    boot->nodes[0].master = boot->nodes[1].master = boot->nodes[5].master = 2;
    boot->nodes[4].flags = HS_NODE_SLAVE | HS_NODE_FAIL;
    boot->nodes[4].master = 3;
    for (uint32_t i = 0; i < HS_SLOTS; i++) {
        boot->owner[i] = (uint16_t)(2 + i % 2);
    }
    teardown();
    solo_init(&s);
    s.conf.node_timeout_ms = 60000; /* nobody else is suspected meanwhile */
    solo_start(&s, boot);
}

/* Ticks as they are asked for; how long until we follow node 3, or -1. */
static int64_t moved_after(int64_t most_ms)
{
    int64_t start = s.now.mono.ms;

    while (s.now.mono.ms - start <= most_ms) {
        int64_t wait_ms = hs_core_next_tick(s.core).ms - s.now.mono.ms;
        solo_tick(&s, wait_ms < 1 ? 1 : wait_ms);
        if (s.core->cold[SELF].master == 3) {
            return s.now.mono.ms - start;
        }
    }
    return -1;
}

START_TEST(an_orphan_waits_five_seconds_and_no_longer)
{
    spare(0, 0);
    int64_t ms = moved_after(8000);
    ck_assert_int_gt(ms, 5000);
    ck_assert_int_le(ms, 5300);
}
END_TEST

START_TEST(a_failed_replica_with_a_smaller_id_keeps_its_turn)
{
    spare(7, HS_NODE_FAIL);
    ck_assert_int_eq(moved_after(8000), -1);
}
END_TEST

/* Looking for orphans walks all nodes, so it must not go on while all is well. */
START_TEST(a_master_becomes_an_orphan_with_its_first_slot)
{
    spare(0, 0);
    core_slots_move(s.core, 3, 2);
    ck_assert_int_eq(moved_after(8000), -1);
    ck_assert_int_eq(core_migrate_at(s.core), INT64_MAX);
    core_slot_set(s.core, 0, 3);
    ck_assert_int_gt(moved_after(8000), 5000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/versions");
    TCase *tc = tcase_create("versions");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, an_import_goes_on_from_the_successor_of_its_source);
    tcase_add_test(tc, an_import_is_over_when_another_shard_takes_the_slot);
    tcase_add_test(tc, an_imported_slot_of_unknown_shards_stays_where_setslot_left_it);
    tcase_add_test(tc, a_slot_migrates_on_to_the_successor_of_its_target);
    tcase_add_test(tc, a_target_without_slots_has_a_successor_too);
    tcase_add_test(tc, open_slots_follow_a_failover_that_the_old_master_tells_of);
    tcase_add_test(tc, what_a_valkey_source_gives_up_is_taken_by_the_one_that_imports_it);
    tcase_add_test(tc, what_another_source_gives_up_waits_for_setslot);
    tcase_add_test(tc, an_empty_shard_follows_its_new_master);
    tcase_add_test(tc, a_shard_with_slots_or_newer_epoch_or_another_one_does_not_follow);
    tcase_add_test(tc, a_replica_of_an_unknown_master_is_told_of_no_owner);
    tcase_add_test(tc, a_peer_that_returns_as_an_older_version_gets_no_extensions);
    tcase_add_test(tc, an_orphan_waits_five_seconds_and_no_longer);
    tcase_add_test(tc, a_failed_replica_with_a_smaller_id_keeps_its_turn);
    tcase_add_test(tc, a_master_becomes_an_orphan_with_its_first_slot);
    suite_add_tcase(suite, tc);
    return hs_test_main(suite);
}
