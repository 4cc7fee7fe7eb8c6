/* Frames and files that are odd, but not malformed: what is taken of them.
 *
 * Length: many oddities, each of a few lines, to one small cluster.
 */
#include "core_solo.h"
#include "hs_test.h"

#include <stdio.h>

static struct solo s;

static void setup(void)
{
    solo_init(&s);
}

static void teardown(void)
{
    solo_fini(&s);
}

/* ---- epochs ---- */

START_TEST(an_epoch_that_no_cluster_reaches_is_not_heard)
{
    struct hs_hdr h = solo_hdr(1);
    struct hs_node_id id = solo_id(2);
    uint8_t none[HS_SLOTS_BYTES] = {0};

    solo_start(&s, solo_topo(3));
    struct hs_link l = solo_accept(&s);
    h.config_epoch = EPOCH_MAX + 1;
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(s.core->cold[1].config_epoch, 0);
    h.config_epoch = 0;
    hs_wire_build_hdr(s.frame, &h);
    uint32_t len = hs_wire_build_update(s.frame, EPOCH_MAX + 1, &id, none);
    struct hs_view v;
    ck_assert_int_eq(hs_wire_check(s.frame, len, &v), HS_WIRE_OK);
    solo_step(&s, &(struct hs_event){.type = HS_EV_RECV, .link = l, .msg = &v});
    ck_assert_uint_eq(s.core->cold[2].config_epoch, 0);
}
END_TEST

/* ---- addresses ---- */

START_TEST(an_announced_address_that_is_none_gives_way_to_where_it_came_from)
{
    struct hs_hdr h = solo_hdr(1);

    solo_start(&s, solo_topo(2));
    h.myip = "not an address";
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL);
    ck_assert(core_node_address_is(s.core, 1, "127.0.0.9", 7000, 0, 17001));
}
END_TEST

START_TEST(without_a_bus_port_an_address_is_no_news)
{
    struct hs_hdr h = solo_hdr(1);

    solo_start(&s, solo_topo(2));
    h.cport = 0;
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL);
    ck_assert(core_node_address_is(s.core, 1, "127.0.0.1", 7000, 0, 17001));
}
END_TEST

START_TEST(a_second_port_is_part_of_the_address)
{
    struct hs_hdr h = solo_hdr(1);

    solo_start(&s, solo_topo(2));
    h.myip = "127.0.0.1";
    h.pport = 7443;
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL);
    ck_assert(core_node_address_is(s.core, 1, "127.0.0.1", 7000, 7443, 17001));
}
END_TEST

START_TEST(ipv6_addresses_are_the_same_in_either_case)
{
    struct hs_topo *boot = solo_topo(2);

    strcpy(boot->nodes[1].ip, "FE80::AbCd:1");
    solo_start(&s, boot);
    ck_assert(core_node_address_is(s.core, 1, "fe80::abcd:1", 7000, 0, 17001));
    ck_assert(core_node_address_is(s.core, 1, "FE80::ABCD:1", 7000, 0, 17001));
    ck_assert(!core_node_address_is(s.core, 1, "fe80::abcd:2", 7000, 0, 17001));
    ck_assert(!core_node_address_is(s.core, 1, "ge80::abcd:1", 7000, 0, 17001));
}
END_TEST

START_TEST(the_longest_address_there_can_be_is_kept_whole)
{
    struct hs_topo *boot = solo_topo(2);
    char longest[HS_IP_LEN];

    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    memcpy(boot->nodes[1].ip, longest, sizeof(longest));
    solo_start(&s, boot);
    ck_assert(core_node_address_is(s.core, 1, longest, 7000, 0, 17001));
}
END_TEST

START_TEST(our_own_address_is_not_learned_from_where_nothing_is_known)
{
    struct hs_topo *boot = solo_topo(2);
    struct hs_hdr h = solo_hdr(1);
    struct hs_link_up up = {.peer_ip = "127.0.0.9"};
    struct hs_link l = {40, 1};

    boot->nodes[0].ip[0] = '\0';
    solo_start(&s, boot);
    solo_ping(&s, solo_connect(&s, 1), HS_MSG_PING, &h, NULL); /* our own connection */
    ck_assert(core_node_address_is(s.core, SELF, "", 7000, 0, 17000));
    solo_step(&s, &(struct hs_event){.type = HS_EV_LINK_UP, .link = l, .up = &up});
    solo_ping(&s, l, HS_MSG_MEET, &h, NULL); /* its near end has no address */
    ck_assert(core_node_address_is(s.core, SELF, "", 7000, 0, 17000));
}
END_TEST

START_TEST(names_and_ports_of_the_file_are_in_the_view_also_under_tls)
{
    struct hs_topo *boot = solo_topo(3), *t;
    char longest[HS_HOSTNAME_MAX + 40];
    uint32_t nodes, open, strings;

    memset(longest, 'n', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    boot->nodes[1].hostname = "h.example";
    boot->nodes[1].nodename = longest; /* as long as a file may have them, and longer */
    boot->nodes[1].client_ipv4 = "1.2.3.4";
    boot->nodes[1].tls_port = 7443;
    boot->nodes[2].cport = 0;
    s.conf.tls_cluster = true;
    solo_start(&s, boot);
    hs_core_topo_need(s.core, &nodes, &open, &strings);
    t = hs_topo_create(nodes, open, strings);
    hs_core_topology(s.core, s.now, t);
    ck_assert_str_eq(t->nodes[1].hostname, "h.example");
    ck_assert_uint_eq(strlen(t->nodes[1].nodename), HS_HOSTNAME_MAX);
    ck_assert_str_eq(t->nodes[1].client_ipv4, "1.2.3.4");
    ck_assert_uint_eq(t->nodes[1].port, 7000);
    ck_assert_uint_eq(t->nodes[1].tls_port, 7443);
    ck_assert((t->nodes[2].flags & HS_NODE_NOADDR) != 0);
    hs_topo_destroy(t);
}
END_TEST

/* ---- who answers ---- */

static struct hs_link meet_somebody(void)
{
    struct hs_cmd cmd = {.type = HS_CMD_MEET, .ip = "127.0.0.1", .port = 7001, .cport = 17050};

    ck_assert_int_eq(solo_command(&s, cmd), HS_CMD_OK);
    for (int i = 0; i < 20 && solo_count(&s, HS_ACT_CONNECT) == 0; i++) {
        solo_tick(&s, TICK_MS);
    }
    return solo_connected(&s, solo_dial(&s));
}

START_TEST(a_handshake_answered_without_a_valid_id_is_over)
{
    struct hs_hdr h = solo_hdr(1);

    solo_start(&s, solo_topo(1));
    struct hs_link l = meet_somebody();
    ck_assert_uint_eq(s.core->nodes_n, 2);
    memset(h.sender.hex, 'Z', HS_ID_LEN);
    solo_ping(&s, l, HS_MSG_PONG, &h, NULL);
    ck_assert_uint_eq(s.core->nodes_n, 1);
}
END_TEST

START_TEST(a_handshake_with_a_known_node_tells_its_address_and_leaves_no_twin)
{
    struct hs_hdr h = solo_hdr(1);

    solo_start(&s, solo_topo(2));
    struct hs_link l = meet_somebody();
    ck_assert_uint_eq(s.core->nodes_n, 3);
    h.cport = 17050;
    h.myip = "127.0.0.1";
    solo_ping(&s, l, HS_MSG_PONG, &h, NULL);
    ck_assert_uint_eq(s.core->nodes_n, 2);
    ck_assert(core_node_address_is(s.core, 1, "127.0.0.1", 7000, 0, 17050));
}
END_TEST

START_TEST(whoever_takes_the_address_of_a_quiet_node_starts_its_clock)
{
    struct hs_hdr h = solo_hdr(1);

    solo_start(&s, solo_topo(2));
    struct hs_link l = solo_connect(&s, 1);
    solo_ping(&s, l, HS_MSG_PONG, &h, NULL);
    ck_assert_int_eq(s.core->hot[1].ping_sent, 0);
    h = solo_hdr(9);
    solo_ping(&s, l, HS_MSG_PONG, &h, NULL);
    ck_assert_int_eq(s.core->hot[1].ping_sent, s.now.mono.ms);
    ck_assert(has_flag(s.core, 1, HS_NODE_NOADDR));
}
END_TEST

START_TEST(a_frame_on_an_earlier_connection_of_the_same_place_is_late)
{
    struct hs_hdr h = solo_hdr(1);

    solo_start(&s, solo_topo(2));
    struct hs_link l = solo_accept(&s);
    l.gen++;
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(s.acts.n, 0);
}
END_TEST

START_TEST(one_dial_makes_one_connection)
{
    solo_start(&s, solo_topo(2));
    solo_connect(&s, 1);
    solo_connected(&s, (struct hs_dial){1, s.core->cold[1].dial_gen});
    ck_assert_uint_eq(solo_count(&s, HS_ACT_CLOSE), 1);
    ck_assert_uint_eq(s.core->cold[1].to.ix, 0);
}
END_TEST

START_TEST(a_section_longer_than_the_table_is_cut_and_counted)
{
    static uint8_t frame[16384];
    struct hs_hdr h = solo_hdr(1);
    struct hs_gossip g = {.id = solo_id(2), .ip = "127.0.0.1", .port = 7000, .cport = 17002};
    uint32_t n = s.opts.nodes_max + 8;
    const uint64_t *values;
    struct hs_view v;

    solo_start(&s, solo_topo(3));
    hs_wire_build_hdr(frame, &h);
    for (uint32_t i = 0; i < n; i++) {
        hs_wire_put_gossip(frame + HS_HDR_LEN + i * HS_GOSSIP_LEN, &g);
    }
    uint32_t len = HS_HDR_LEN + n * HS_GOSSIP_LEN;
    hs_wire_finish(frame, HS_MSG_PING, (uint16_t)n, 0, len);
    ck_assert_int_eq(hs_wire_check(frame, len, &v), HS_WIRE_OK);
    struct hs_link l = solo_accept(&s);
    solo_step(&s, &(struct hs_event){.type = HS_EV_RECV, .link = l, .msg = &v});
    uint32_t counters_n = hs_core_counters(s.core, &values);
    for (uint32_t i = 0; i < counters_n; i++) {
        if (strcmp(hs_core_counter_name(i), "gossip_cut") == 0) {
            ck_assert_uint_eq(values[i], 8);
        }
    }
}
END_TEST

START_TEST(of_too_many_strangers_the_quietest_is_forgotten)
{
    uint32_t most = sizeof(s.core->strangers) / sizeof(s.core->strangers[0]);
    struct hs_hdr h = solo_hdr(1);

    solo_start(&s, solo_topo(1));
    struct hs_link l = solo_accept(&s);
    for (uint32_t i = 0; i <= most; i++) {
        if (i == most) { /* the first one is heard again: the second is the quietest now */
            memset(h.sender.hex, '0', HS_ID_LEN);
            solo_ping(&s, l, HS_MSG_PING, &h, NULL);
        }
        memset(h.sender.hex, '0', HS_ID_LEN);
        h.sender.hex[0] = (char)('0' + i / 10);
        h.sender.hex[1] = (char)('0' + i % 10);
        s.now.mono.ms += 10;
        solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    }
    ck_assert_uint_eq(s.core->strangers_n, most);
    for (uint32_t i = 0; i < most; i++) {
        ck_assert(memcmp(s.core->strangers[i].id.hex, "01", 2) != 0);
    }
}
END_TEST

/* ---- slots ---- */

static void claim(uint32_t i, uint64_t epoch, const uint8_t slots[HS_SLOTS_BYTES])
{
    struct hs_hdr h = solo_hdr(i);

    h.slots = slots;
    h.current_epoch = h.config_epoch = epoch;
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL);
}

START_TEST(open_slots_come_back_from_the_file_and_a_newer_owner_ends_ours)
{
    struct hs_topo *boot = hs_topo_create(3, 4, 0);
    struct hs_topo *plain = solo_topo(3);
    uint8_t slots[HS_SLOTS_BYTES] = {0x02};

    memcpy(boot->nodes, plain->nodes, 3 * sizeof(plain->nodes[0]));
    memcpy(boot->owner, plain->owner, sizeof(plain->owner));
    hs_topo_destroy(plain);
    boot->nodes_n = 3;
    boot->owner[1] = 0;
    boot->owner[9] = 2;
    boot->migrating[boot->migrating_n++] = (struct hs_topo_open){.slot = 1, .node = 1};
    boot->importing[boot->importing_n++] = (struct hs_topo_open){.slot = 9, .node = 2};
    solo_start(&s, boot);
    ck_assert_uint_eq(s.core->migrating[1], 1 + 1);
    ck_assert_uint_eq(s.core->importing[9], 2 + 1);
    claim(1, 5, slots);
    ck_assert_uint_eq(s.core->owner[1], 1);
    ck_assert_uint_eq(s.core->migrating[1], 0);
}
END_TEST

/* Our master becomes a replica: of node 2, or of us, which is no chain. */
START_TEST(a_replica_of_one_who_became_a_replica_follows_upwards)
{
    struct hs_topo *boot = solo_topo(4);
    struct hs_hdr h = solo_hdr(1);
    struct hs_node_id above = solo_id(_i == 0 ? 2 : 0);

    boot->nodes[0].flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    boot->nodes[0].master = 1;
    solo_start(&s, boot);
    h.flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    h.slaveof = &above;
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(s.core->cold[SELF].master, _i == 0 ? 2 : 1);
}
END_TEST

START_TEST(a_replica_whose_file_has_a_chain_follows_upwards_when_slots_move)
{
    struct hs_topo *boot = solo_topo(4);
    uint8_t slots[HS_SLOTS_BYTES] = {0x04};

    boot->nodes[0].flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    boot->nodes[0].master = 1;
    boot->nodes[1].flags = HS_NODE_SLAVE;
    boot->nodes[1].master = 2;
    solo_start(&s, boot);
    claim(2, 5, slots);
    ck_assert_uint_eq(s.core->cold[SELF].master, 2);
}
END_TEST

START_TEST(a_claim_of_what_nobody_has_or_its_owner_let_go_needs_no_update)
{
    struct hs_topo *boot = solo_topo(3);
    struct hs_hdr h = solo_hdr(2);
    struct hs_node_id master = solo_id(1);
    uint8_t slots[HS_SLOTS_BYTES] = {0x30}; /* slots 4 and 5 */

    boot->owner[4] = 1;
    boot->nodes[1].config_epoch = boot->current_epoch = 9;
    boot->nodes[2].flags = HS_NODE_SLAVE;
    boot->nodes[2].master = 1;
    solo_start(&s, boot);
    hs_slot_set(s.core->abandoned, 4);
    solo_connect(&s, 2);
    h.flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    h.slaveof = &master;
    h.slots = slots;
    h.myip = "127.0.0.1";
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_UPDATE), 0);
}
END_TEST

/* ---- roles ---- */

/* Node 2 owned slot 2 with epoch 5 and now says that it follows 1, both of one shard. */
static void demote(struct hs_topo *boot, const struct hs_node_id *master, uint64_t epoch)
{
    struct hs_hdr h = solo_hdr(2);

    boot->owner[2] = 2;
    boot->nodes[2].config_epoch = boot->current_epoch = 5;
    solo_start(&s, boot);
    h.flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    h.slaveof = master;
    h.current_epoch = h.config_epoch = epoch;
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL);
}

START_TEST(an_epoch_that_would_wrap_is_given_to_no_master_either)
{
    struct hs_topo *boot = solo_topo(3);
    struct hs_node_id master = solo_id(1);

    memcpy(boot->nodes[1].shard_id, boot->nodes[2].shard_id, HS_ID_LEN);
    demote(boot, &master, UINT64_MAX);
    ck_assert_uint_eq(s.core->cold[1].config_epoch, 0);
    ck_assert_uint_eq(s.core->current_epoch, 5);
    ck_assert_uint_eq(s.core->owner[2], 2);
}
END_TEST

START_TEST(we_do_not_become_a_master_because_another_says_it_follows_us)
{
    struct hs_topo *boot = solo_topo(3);
    struct hs_node_id us = solo_id(0);

    boot->nodes[0].flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    boot->nodes[0].master = 2;
    memcpy(boot->nodes[0].shard_id, boot->nodes[2].shard_id, HS_ID_LEN);
    demote(boot, &us, 6);
    ck_assert(has_flag(s.core, SELF, HS_NODE_SLAVE));
}
END_TEST

START_TEST(a_replica_that_its_old_master_follows_is_a_master_with_its_slots)
{
    struct hs_topo *boot = solo_topo(3);
    struct hs_node_id master = solo_id(1);

    boot->nodes[1].flags = HS_NODE_SLAVE;
    boot->nodes[1].master = 2;
    memcpy(boot->nodes[1].shard_id, boot->nodes[2].shard_id, HS_ID_LEN);
    demote(boot, &master, 6);
    ck_assert(has_flag(s.core, 1, HS_NODE_MASTER));
    ck_assert_uint_eq(s.core->owner[2], 1);
    ck_assert_uint_eq(s.core->cold[1].config_epoch, 6);
}
END_TEST

/* ---- gossip and verdicts ---- */

static struct hs_gossip entry(uint32_t i, uint16_t flags)
{
    struct hs_gossip g = {
        .id = solo_id(i), .ip = "127.0.0.1", .port = 7000, .cport = 17000, .flags = flags};

    g.cport = (uint16_t)(17000 + i);
    return g;
}

static void suspect(uint16_t ix)
{
    s.core->out = &s.acts;
    core_node_flags(s.core, ix, HS_NODE_PFAIL, 0);
}

START_TEST(a_suspicion_of_another_life_is_forgotten_and_a_verdict_is_not)
{
    struct hs_topo *boot = solo_topo(4);

    boot->nodes[2].flags |= HS_NODE_PFAIL;
    boot->nodes[3].flags |= HS_NODE_FAIL;
    solo_start(&s, boot);
    ck_assert(!has_flag(s.core, 2, HS_NODE_PFAIL));
    ck_assert(has_flag(s.core, 3, HS_NODE_FAIL));
    for (int64_t ms = 0; ms < s.conf.node_timeout_ms + 3 * TICK_MS; ms += TICK_MS) {
        solo_tick(&s, TICK_MS);
    }
    ck_assert(has_flag(s.core, 2, HS_NODE_PFAIL)); /* nobody answered us either */
}
END_TEST

START_TEST(gossip_without_an_address_moves_nobody)
{
    struct hs_topo *boot = solo_topo(3);
    struct hs_hdr h = solo_hdr(1);
    struct hs_gossip g = entry(2, HS_NODE_MASTER | HS_NODE_NOADDR);

    solo_start(&s, boot);
    suspect(2);
    struct hs_link l = solo_accept(&s);
    g.cport = 18000;
    solo_ping(&s, l, HS_MSG_PING, &h, &g);
    ck_assert(core_node_address_is(s.core, 2, "127.0.0.1", 7000, 0, 17002));
    g.flags = HS_NODE_MASTER;
    g.ip = "not an ip";
    solo_ping(&s, l, HS_MSG_PING, &h, &g);
    ck_assert(core_node_address_is(s.core, 2, "127.0.0.1", 7000, 0, 17002));
    g.ip = "127.0.0.1";
    solo_ping(&s, l, HS_MSG_PING, &h, &g);
    ck_assert(core_node_address_is(s.core, 2, "127.0.0.1", 7000, 0, 18000));
}
END_TEST

START_TEST(reports_after_the_verdict_change_nothing)
{
    struct hs_topo *boot = solo_topo(4);
    struct hs_hdr h = solo_hdr(1);
    struct hs_gossip g = entry(3, HS_NODE_MASTER | HS_NODE_PFAIL);

    boot->owner[0] = 0;
    boot->owner[1] = 1;
    boot->owner[2] = 2;
    boot->nodes[3].flags |= HS_NODE_FAIL;
    solo_start(&s, boot);
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, &g);
    ck_assert(has_flag(s.core, 3, HS_NODE_FAIL));
    ck_assert(!has_flag(s.core, 3, HS_NODE_PFAIL));
    ck_assert_uint_eq(s.core->announce_n, 0);
}
END_TEST

START_TEST(a_verdict_that_is_withdrawn_before_it_left_is_not_announced)
{
    solo_start(&s, solo_topo(3));
    solo_connect(&s, 1);
    s.core->out = &s.acts;
    s.core->announce[0] = 2;
    s.core->announce_head = 0;
    s.core->announce_n = 1;
    s.core->cold[2].announced = true;
    solo_tick(&s, TICK_MS);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_FAIL), 0);
    ck_assert_uint_eq(s.core->announce_n, 0);
}
END_TEST

START_TEST(a_sharded_message_is_delivered_as_one)
{
    static uint8_t frame[4096];
    struct hs_hdr h = solo_hdr(1);
    struct hs_publish p = {.channel = (const uint8_t *)"c",
                           .channel_len = 1,
                           .message = (const uint8_t *)"t",
                           .message_len = 1};
    struct hs_view v;

    solo_start(&s, solo_topo(2));
    hs_wire_build_hdr(frame, &h);
    uint32_t len = hs_wire_build_publish(frame, HS_MSG_PUBLISHSHARD, &p, false);
    ck_assert_int_eq(hs_wire_check(frame, len, &v), HS_WIRE_OK);
    solo_step(&s, &(struct hs_event){.type = HS_EV_RECV, .link = solo_accept(&s), .msg = &v});
    ck_assert_uint_eq(solo_count(&s, HS_ACT_DELIVER), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/odd");
    TCase *tc = tcase_create("odd");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, an_epoch_that_no_cluster_reaches_is_not_heard);
    tcase_add_test(tc, an_announced_address_that_is_none_gives_way_to_where_it_came_from);
    tcase_add_test(tc, without_a_bus_port_an_address_is_no_news);
    tcase_add_test(tc, a_second_port_is_part_of_the_address);
    tcase_add_test(tc, ipv6_addresses_are_the_same_in_either_case);
    tcase_add_test(tc, the_longest_address_there_can_be_is_kept_whole);
    tcase_add_test(tc, our_own_address_is_not_learned_from_where_nothing_is_known);
    tcase_add_test(tc, names_and_ports_of_the_file_are_in_the_view_also_under_tls);
    tcase_add_test(tc, a_handshake_answered_without_a_valid_id_is_over);
    tcase_add_test(tc, one_dial_makes_one_connection);
    tcase_add_test(tc, a_section_longer_than_the_table_is_cut_and_counted);
    tcase_add_test(tc, of_too_many_strangers_the_quietest_is_forgotten);
    tcase_add_test(tc, a_handshake_with_a_known_node_tells_its_address_and_leaves_no_twin);
    tcase_add_test(tc, whoever_takes_the_address_of_a_quiet_node_starts_its_clock);
    tcase_add_test(tc, a_frame_on_an_earlier_connection_of_the_same_place_is_late);
    tcase_add_test(tc, open_slots_come_back_from_the_file_and_a_newer_owner_ends_ours);
    tcase_add_loop_test(tc, a_replica_of_one_who_became_a_replica_follows_upwards, 0, 2);
    tcase_add_test(tc, a_replica_whose_file_has_a_chain_follows_upwards_when_slots_move);
    tcase_add_test(tc, a_claim_of_what_nobody_has_or_its_owner_let_go_needs_no_update);
    tcase_add_test(tc, an_epoch_that_would_wrap_is_given_to_no_master_either);
    tcase_add_test(tc, we_do_not_become_a_master_because_another_says_it_follows_us);
    tcase_add_test(tc, a_replica_that_its_old_master_follows_is_a_master_with_its_slots);
    tcase_add_test(tc, a_suspicion_of_another_life_is_forgotten_and_a_verdict_is_not);
    tcase_add_test(tc, gossip_without_an_address_moves_nobody);
    tcase_add_test(tc, reports_after_the_verdict_change_nothing);
    tcase_add_test(tc, a_verdict_that_is_withdrawn_before_it_left_is_not_announced);
    tcase_add_test(tc, a_sharded_message_is_delivered_as_one);
    suite_add_tcase(suite, tc);
    return hs_test_main(suite);
}
