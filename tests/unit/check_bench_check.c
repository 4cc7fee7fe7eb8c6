/* check_bench_check.c - a wrong answer of the target is seen as one: each test
 * spoils one field of a right message.
 */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#include "hs_test.h"

enum { PEERS = 100, BUS_PORT = 17000, PORT = 7000 };

static struct options options;
static struct bench bench;
static struct worker worker;
static struct conn conn;
static uint8_t frame[HS_HDR_LEN + 64 * HS_GOSSIP_LEN];
static uint32_t entries_n;

static void set_up(void)
{
    options = (struct options){.peers = PEERS,
                               .threads = 1,
                               .seed = 1,
                               .port = PORT,
                               .bus_port = BUS_PORT,
                               .node_timeout_ms = 1000};
    bench = (struct bench){.o = &options, .workers = &worker, .phase = PHASE_MEASURE};
    memset(&worker, 0, sizeof(worker));
    worker.b = &bench;
    worker.seen = calloc(PEERS, sizeof(*worker.seen));
    conn = (struct conn){.epoch = 3};
    bench.suspected = calloc(PEERS, sizeof(*bench.suspected));
    ck_assert(world_create(&bench.world, &options, 4000));
    memset(bench.target_id.hex, 'e', HS_ID_LEN);

    entries_n = bench.world.wanted;
    hs_wire_build_hdr(frame, &(struct hs_hdr){.current_epoch = 5,
                                              .sender = bench.target_id,
                                              .myip = "",
                                              .port = PORT,
                                              .cport = BUS_PORT,
                                              .flags = HS_NODE_MASTER | HS_NODE_MYSELF});
    for (uint32_t i = 0; i < entries_n; i++) {
        memcpy(frame + HS_HDR_LEN + (size_t)i * HS_GOSSIP_LEN,
               bench.world.entries + (size_t)(i * 7) * HS_GOSSIP_LEN, HS_GOSSIP_LEN);
    }
}

static void tear_down(void)
{
    world_destroy(&bench.world);
    free(worker.seen);
    free((void *)bench.suspected);
}

static uint8_t *entry(uint32_t i)
{
    return frame + HS_HDR_LEN + (size_t)i * HS_GOSSIP_LEN;
}

/* Checks the frame; it must show this fault, or none for FAULTS. */
static void expect(enum fault f)
{
    uint32_t len = HS_HDR_LEN + entries_n * HS_GOSSIP_LEN;
    struct hs_view v;

    hs_wire_finish(frame, HS_MSG_PONG, (uint16_t)entries_n, 0, len);
    ck_assert_int_eq(hs_wire_check(frame, len, &v), HS_WIRE_OK);
    check_frame(&worker, &conn, &v);
    for (uint32_t i = 0; i < FAULTS; i++) {
        ck_assert_msg((atomic_load(&worker.faults[i]) > 0) == (i == f), "%s",
                      fault_name((enum fault)i));
    }
}

START_TEST(a_right_message_has_no_fault)
{
    expect(FAULTS);
}
END_TEST

START_TEST(another_sender_is_seen)
{
    frame[HS_OFF_SENDER] = 'a';
    expect(BAD_SENDER);
}
END_TEST

START_TEST(a_claimed_slot_is_seen)
{
    hs_slot_set(frame + HS_OFF_SLOTS, 77);
    expect(BAD_SLOTS);
}
END_TEST

START_TEST(an_epoch_that_goes_back_is_seen)
{
    hs_put64(frame + HS_OFF_CURRENT_EPOCH, 2);
    expect(BAD_EPOCH);
}
END_TEST

START_TEST(wrong_ports_are_seen)
{
    hs_put16(frame + HS_OFF_CPORT, BUS_PORT + 1);
    expect(BAD_PORTS);
}
END_TEST

START_TEST(a_role_it_does_not_have_is_seen)
{
    hs_put16(frame + HS_OFF_FLAGS, HS_NODE_SLAVE | HS_NODE_MYSELF);
    expect(BAD_FLAGS);
}
END_TEST

START_TEST(too_few_entries_are_seen)
{
    entries_n--;
    expect(BAD_COUNT);
}
END_TEST

START_TEST(too_many_entries_are_seen)
{
    memcpy(entry(entries_n), bench.world.entries + (size_t)99 * HS_GOSSIP_LEN, HS_GOSSIP_LEN);
    entries_n++;
    expect(BAD_COUNT);
}
END_TEST

START_TEST(few_entries_are_right_while_the_cluster_forms)
{
    atomic_store(&bench.phase, PHASE_FORM);
    entries_n = 1;
    expect(FAULTS);
}
END_TEST

START_TEST(an_unknown_id_is_seen)
{
    entry(2)[HS_G_ID + 20] = 'z';
    expect(BAD_ENTRY_ID);
}
END_TEST

START_TEST(a_wrong_address_is_seen)
{
    entry(1)[HS_G_IP + 2]++;
    expect(BAD_ENTRY_ADDRESS);
}
END_TEST

START_TEST(a_wrong_port_is_seen)
{
    hs_put16(entry(1) + HS_G_PORT, 1);
    expect(BAD_ENTRY_ADDRESS);
}
END_TEST

START_TEST(a_flag_that_is_never_gossiped_is_seen)
{
    hs_put16(entry(1) + HS_G_FLAGS, HS_NODE_MASTER | HS_NODE_HANDSHAKE);
    expect(BAD_ENTRY_FLAGS);
}
END_TEST

START_TEST(a_node_named_twice_is_seen)
{
    memcpy(entry(1), entry(0), HS_GOSSIP_LEN);
    expect(BAD_ENTRY_TWICE);
}
END_TEST

START_TEST(a_living_peer_marked_fail_is_seen)
{
    hs_put16(entry(0) + HS_G_FLAGS, HS_NODE_MASTER | HS_NODE_FAIL);
    expect(BAD_SUSPECT);
}
END_TEST

START_TEST(a_dead_peer_may_be_suspected_beside_the_healthy_ones)
{
    atomic_store(&bench.suspected[99], DEAD);
    memcpy(entry(entries_n), bench.world.entries + (size_t)99 * HS_GOSSIP_LEN, HS_GOSSIP_LEN);
    hs_put16(entry(entries_n) + HS_G_FLAGS, HS_NODE_MASTER | HS_NODE_PFAIL);
    entries_n++;
    expect(FAULTS);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("bench check");
    TCase *t = tcase_create("fields");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, a_right_message_has_no_fault);
    tcase_add_test(t, another_sender_is_seen);
    tcase_add_test(t, a_claimed_slot_is_seen);
    tcase_add_test(t, an_epoch_that_goes_back_is_seen);
    tcase_add_test(t, wrong_ports_are_seen);
    tcase_add_test(t, a_role_it_does_not_have_is_seen);
    tcase_add_test(t, too_few_entries_are_seen);
    tcase_add_test(t, too_many_entries_are_seen);
    tcase_add_test(t, few_entries_are_right_while_the_cluster_forms);
    tcase_add_test(t, an_unknown_id_is_seen);
    tcase_add_test(t, a_wrong_address_is_seen);
    tcase_add_test(t, a_wrong_port_is_seen);
    tcase_add_test(t, a_flag_that_is_never_gossiped_is_seen);
    tcase_add_test(t, a_node_named_twice_is_seen);
    tcase_add_test(t, a_living_peer_marked_fail_is_seen);
    tcase_add_test(t, a_dead_peer_may_be_suspected_beside_the_healthy_ones);
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
