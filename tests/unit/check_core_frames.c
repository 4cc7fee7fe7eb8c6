/* Every kind of frame, from members and from strangers, to one core.
 *
 * Length: one cluster of four and its frames serve all. */
#include "core_solo.h"
#include "hs_test.h"

static struct solo s;
static struct hs_link l; /* of node 1, which is known */

/* Nodes 1 and 2 are masters with a slot, 3 replicates 2; we own slot 0. */
static void setup(void)
{
    struct hs_topo *boot = solo_topo(4);
    struct hs_hdr h = solo_hdr(1);

    solo_init(&s);
    for (uint16_t i = 0; i < 3; i++) {
        boot->owner[i] = i;
        boot->nodes[i].config_epoch = i;
    }
    boot->nodes[3].flags = HS_NODE_SLAVE;
    boot->nodes[3].master = 2;
    memcpy(boot->nodes[3].shard_id, boot->nodes[2].shard_id, HS_ID_LEN);
    solo_start(&s, boot);
    l = solo_accept(&s);
    h.myip = "127.0.0.1";
    h.config_epoch = h.current_epoch = 1;
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
}

static void teardown(void)
{
    solo_fini(&s);
}

static uint64_t counter(enum counter which)
{
    return s.core->counters[which];
}

static void frame(struct hs_link on, uint32_t len)
{
    struct hs_view v;

    ck_assert_int_eq(hs_wire_check(s.frame, len, &v), HS_WIRE_OK);
    solo_step(&s, &(struct hs_event){.type = HS_EV_RECV, .link = on, .msg = &v});
}

static void header(uint32_t from)
{
    struct hs_hdr h = solo_hdr(from);
    hs_wire_build_hdr(s.frame, &h);
}

START_TEST(only_members_messages_count)
{
    struct hs_link stranger = solo_accept(&s);
    struct hs_node_id about = solo_id(2);

    header(9);
    frame(stranger, hs_wire_build_fail(s.frame, &about));
    ck_assert(!has_flag(s.core, 2, HS_NODE_FAIL));
    ck_assert_uint_eq(counter(COUNT_unknown_sender), 1);
    header(1);
    frame(l, hs_wire_build_fail(s.frame, &about));
    ck_assert(has_flag(s.core, 2, HS_NODE_FAIL));
}
END_TEST

START_TEST(a_verdict_about_us_or_nobody_we_know_changes_nothing)
{
    struct hs_node_id about[] = {solo_id(0), solo_id(9)};

    for (int i = 0; i < 2; i++) {
        header(1);
        frame(l, hs_wire_build_fail(s.frame, &about[i]));
    }
    ck_assert_uint_eq(counter(COUNT_fail), 0);
}
END_TEST

START_TEST(an_update_with_a_newer_epoch_makes_its_node_a_master)
{
    struct hs_node_id about = solo_id(3);
    uint8_t slots[HS_SLOTS_BYTES] = {4}; /* slot 2 */

    header(1);
    frame(l, hs_wire_build_update(s.frame, 9, &about, slots));
    ck_assert_uint_eq(s.core->owner[2], 3);
    ck_assert(has_flag(s.core, 3, HS_NODE_MASTER));
    ck_assert_uint_eq(s.core->cold[3].config_epoch, 9);
}
END_TEST

START_TEST(an_update_about_us_or_nobody_or_an_old_one_is_dropped)
{
    struct hs_node_id about[] = {solo_id(0), solo_id(9), solo_id(2)};
    const uint64_t epochs[] = {9, 9, 2};
    uint8_t slots[HS_SLOTS_BYTES] = {1};

    for (int i = 0; i < 3; i++) {
        header(1);
        frame(l, hs_wire_build_update(s.frame, epochs[i], &about[i], slots));
    }
    ck_assert_uint_eq(s.core->owner[0], SELF);
    ck_assert_uint_eq(s.core->cold[SELF].config_epoch, 0);
}
END_TEST

START_TEST(a_publish_is_delivered_and_a_light_one_needs_a_known_link)
{
    struct hs_publish p = {(const uint8_t *)"c", (const uint8_t *)"hello", 1, 5};
    struct hs_link stranger = solo_accept(&s);

    header(1);
    frame(l, hs_wire_build_publish(s.frame, HS_MSG_PUBLISH, &p, false));
    ck_assert_uint_eq(solo_count(&s, HS_ACT_DELIVER), 1);
    ck_assert(!s.acts.v[0].sharded);
    frame(l, hs_wire_build_publish(s.frame, HS_MSG_PUBLISHSHARD, &p, true));
    ck_assert_uint_eq(solo_count(&s, HS_ACT_DELIVER), 1);
    ck_assert(s.acts.v[0].sharded);
    frame(stranger, hs_wire_build_publish(s.frame, HS_MSG_PUBLISH, &p, true));
    ck_assert_uint_eq(solo_count(&s, HS_ACT_DELIVER), 0);
    ck_assert_uint_eq(solo_count(&s, HS_ACT_CLOSE), 1);
}
END_TEST

/* A Valkey says MEET, answers us, and then publishes on the connection of its MEET. */
START_TEST(a_light_frame_is_from_whoever_said_meet_on_its_link)
{
    struct hs_publish p = {(const uint8_t *)"c", (const uint8_t *)"hello", 1, 5};
    struct hs_hdr h = solo_hdr(9);
    struct hs_link met = solo_accept(&s);

    solo_ping(&s, met, HS_MSG_MEET, &h, NULL);
    uint16_t ix = (uint16_t)(s.core->nodes_hi - 1);
    ck_assert(has_flag(s.core, ix, HS_NODE_HANDSHAKE));
    struct hs_link ours = solo_connect(&s, ix);
    solo_ping(&s, ours, HS_MSG_PONG, &h, NULL);
    ck_assert(!has_flag(s.core, ix, HS_NODE_HANDSHAKE));
    frame(met, hs_wire_build_publish(s.frame, HS_MSG_PUBLISH, &p, true));
    ck_assert_uint_eq(solo_count(&s, HS_ACT_DELIVER), 1);
    ck_assert_uint_eq(solo_count(&s, HS_ACT_CLOSE), 0);
    ck_assert_uint_eq(s.core->links[met.ix].node, ix);
}
END_TEST

START_TEST(types_we_have_no_use_for_are_counted_and_their_epoch_is_heard)
{
    const uint8_t module[8] = {0};
    struct hs_hdr h = solo_hdr(1);

    header(1);
    frame(l, hs_wire_build_module(s.frame, module, 0, module, 4));
    ck_assert_uint_eq(counter(COUNT_module_ignored), 1);
    h.current_epoch = 40;
    solo_plain(&s, l, HS_MSG_TYPES + 3, &h);
    ck_assert_uint_eq(counter(COUNT_unknown_type), 1);
    ck_assert_uint_eq(s.core->current_epoch, 40);
}
END_TEST

START_TEST(a_sender_without_a_valid_id_or_with_ours_is_a_stranger)
{
    struct hs_hdr h = solo_hdr(0);

    solo_ping(&s, solo_accept(&s), HS_MSG_MEET, &h, NULL); /* as we would to ourselves */
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_PONG), 1);
    ck_assert_uint_eq(s.core->nodes_n, 4);
    memset(h.sender.hex, '/', HS_ID_LEN);
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(s.core->nodes_n, 4);
}
END_TEST

START_TEST(what_comes_on_a_connection_we_closed_is_ignored)
{
    struct hs_hdr h = solo_hdr(1);

    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL); /* the newer one replaces the older */
    ck_assert_uint_eq(counter(COUNT_links_replaced), 1);
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(counter(COUNT_stale_links), 1);
    ck_assert_uint_eq(s.acts.n, 0);
    solo_step(&s, &(struct hs_event){.type = HS_EV_LINK_DOWN, .link = l});
    ck_assert(s.core->cold[1].has_from);
}
END_TEST

START_TEST(the_end_of_a_connection_is_noticed_on_either_side)
{
    struct hs_link to = solo_connect(&s, 2);

    solo_step(&s, &(struct hs_event){.type = HS_EV_LINK_DOWN, .link = to});
    ck_assert_int_eq(s.core->cold[2].to_state, TO_NONE);
    solo_step(&s, &(struct hs_event){.type = HS_EV_LINK_DOWN, .link = l});
    ck_assert(!s.core->cold[1].has_from);
    solo_step(&s, &(struct hs_event){.type = HS_EV_LINK_DOWN, .link = solo_accept(&s)});
}
END_TEST

START_TEST(another_id_at_a_nodes_address_takes_the_address_away)
{
    struct hs_hdr h = solo_hdr(9);

    solo_ping(&s, solo_connect(&s, 2), HS_MSG_PONG, &h, NULL);
    ck_assert(has_flag(s.core, 2, HS_NODE_NOADDR));
    ck_assert_uint_eq(solo_count(&s, HS_ACT_CLOSE), 1);
    ck_assert_uint_eq(s.core->cold[2].to_state, TO_NONE);
    ck_assert_int_ne(s.core->hot[2].ping_sent, 0); /* nowhere to connect, but waited for */
}
END_TEST

/* A message of any type, with whatever it says: the epoch of its header too. */
START_TEST(who_answers_at_a_nodes_address_under_another_id_is_not_heard_as_that_node)
{
    struct hs_hdr h = solo_hdr(1);
    struct hs_node_id about = solo_id(3);
    struct hs_link to = solo_connect(&s, 2);

    h.config_epoch = h.current_epoch = 50;
    hs_wire_build_hdr(s.frame, &h);
    frame(to, hs_wire_build_fail(s.frame, &about));
    ck_assert(!has_flag(s.core, 3, HS_NODE_FAIL));
    ck_assert_uint_lt(s.core->cold[2].config_epoch, 50);
    ck_assert_uint_eq(counter(COUNT_id_mismatch), 1);
    ck_assert(has_flag(s.core, 2, HS_NODE_NOADDR));
    ck_assert_uint_eq(solo_count(&s, HS_ACT_CLOSE), 1);
}
END_TEST

START_TEST(a_node_may_say_on_our_connection_what_it_says_on_its_own)
{
    struct hs_node_id about = solo_id(3);
    struct hs_link to = solo_connect(&s, 2);

    header(2);
    frame(to, hs_wire_build_fail(s.frame, &about));
    ck_assert(has_flag(s.core, 3, HS_NODE_FAIL));
    ck_assert_uint_eq(counter(COUNT_id_mismatch), 0);
}
END_TEST

/* ---- roles ---- */

START_TEST(a_master_that_follows_another_shard_leaves_its_slots_to_nobody)
{
    struct hs_hdr h = solo_hdr(1);
    struct hs_node_id master = solo_id(2);

    h.slaveof = &master;
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(s.core->owner[1], NIL16);
    ck_assert_uint_eq(s.core->cold[1].master, 2);
    ck_assert_mem_eq(s.core->shards[1].hex, s.core->shards[2].hex, HS_ID_LEN);
}
END_TEST

START_TEST(a_master_that_follows_its_successor_hands_it_the_slots)
{
    struct hs_hdr h = solo_hdr(2);
    struct hs_node_id master = solo_id(3);

    h.slaveof = &master;
    h.config_epoch = h.current_epoch = 8;
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(s.core->owner[2], 3);
    ck_assert(has_flag(s.core, 3, HS_NODE_MASTER));
    ck_assert_uint_eq(s.core->cold[3].config_epoch, 8);
    ck_assert_uint_eq(s.core->cold[2].master, 3);
}
END_TEST

START_TEST(an_old_story_of_who_follows_whom_moves_no_slots)
{
    struct hs_hdr h = solo_hdr(2);
    struct hs_node_id master = solo_id(3);

    h.slaveof = &master;
    h.config_epoch = 1; /* node 2's own is 2 */
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(s.core->owner[2], 2);
    ck_assert(has_flag(s.core, 2, HS_NODE_SLAVE));
}
END_TEST

START_TEST(nobody_replicates_itself_and_an_unknown_master_is_none)
{
    struct hs_hdr h = solo_hdr(1);
    struct hs_node_id master = solo_id(1);

    h.slaveof = &master;
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    ck_assert(has_flag(s.core, 1, HS_NODE_MASTER));
    master = solo_id(9);
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    ck_assert(has_flag(s.core, 1, HS_NODE_SLAVE));
    ck_assert_uint_eq(s.core->cold[1].master, NIL16);
    h.slaveof = NULL;
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    ck_assert(has_flag(s.core, 1, HS_NODE_MASTER));
}
END_TEST

/* ---- extensions ---- */

static void extended(uint32_t from, const char *host, const char *node, const char *ip)
{
    uint32_t len = HS_HDR_LEN;
    struct hs_node_id shard = solo_id(7);

    header(from);
    len += hs_wire_put_ext_string(s.frame + len, HS_EXT_HOSTNAME, host);
    len += hs_wire_put_ext_string(s.frame + len, HS_EXT_HUMAN_NODENAME, node);
    len += hs_wire_put_ext_string(s.frame + len, HS_EXT_CLIENT_IPV4, ip);
    len += hs_wire_put_ext_string(s.frame + len, HS_EXT_CLIENT_IPV6, "fd00::1");
    len += hs_wire_put_ext_string(s.frame + len, (enum hs_ext_type)77, "?");
    len += hs_wire_put_ext_shardid(s.frame + len, shard.hex);
    s.frame[HS_OFF_MFLAGS] = HS_MFLAG_EXT_DATA;
    hs_wire_finish(s.frame, HS_MSG_PING, 0, 6, len);
    frame(l, len);
}

START_TEST(names_come_and_go_with_the_extensions)
{
    struct names *n = &s.core->names[1];
    struct hs_hdr h = solo_hdr(1);

    extended(1, "one.example", "first", "10.0.0.1");
    ck_assert_str_eq(n->hostname, "one.example");
    ck_assert_str_eq(n->nodename, "first");
    ck_assert_str_eq(n->client_ipv4, "10.0.0.1");
    ck_assert_str_eq(n->client_ipv6, "fd00::1");
    ck_assert_int_eq(s.core->shards[1].hex[0], 'h');
    uint64_t version = hs_core_version(s.core);
    extended(1, "one.example", "first", "10.0.0.1");
    ck_assert_uint_eq(hs_core_version(s.core), version); /* no news */
    extended(1, "one.exam", "has space,", "no-ip");
    ck_assert_str_eq(n->hostname, "one.exam");
    ck_assert_str_eq(n->nodename, "");
    ck_assert_str_eq(n->client_ipv4, "");
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    ck_assert_str_eq(n->hostname, "");
    ck_assert_int_eq(s.core->shards[1].hex[0], 'h');
}
END_TEST

static void forgotten(uint32_t id, uint64_t ttl_s)
{
    struct hs_node_id who = solo_id(id);
    uint32_t len = HS_HDR_LEN;

    header(1);
    len += hs_wire_put_ext_forgotten(s.frame + len, &who, ttl_s);
    s.frame[HS_OFF_MFLAGS] = HS_MFLAG_EXT_DATA;
    hs_wire_finish(s.frame, HS_MSG_PING, 0, 1, len);
    frame(l, len);
}

START_TEST(a_node_forgotten_elsewhere_is_forgotten_here_for_an_hour_at_most)
{
    forgotten(3, UINT64_MAX);
    ck_assert_uint_eq(core_index_find(s.core, solo_id(3).hex), NIL16);
    ck_assert_int_eq(s.core->blacklist[0].until, s.now.mono.ms + 3600 * 1000);
}
END_TEST

START_TEST(neither_we_nor_our_master_nor_the_sender_can_be_forgotten)
{
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_FLUSHSLOTS});
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_REPLICATE, .id = solo_id(2)});
    for (uint32_t i = 0; i < 3; i++) {
        forgotten(i, 60);
    }
    forgotten(9, 60); /* nobody we know */
    ck_assert_uint_eq(s.core->nodes_n, 4);
    ck_assert_uint_eq(s.core->blacklist_n, 0);
}
END_TEST

START_TEST(a_master_takes_its_replica_along_to_another_shard)
{
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_FLUSHSLOTS});
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_REPLICATE, .id = solo_id(1)});
    extended(1, "one.example", "first", "10.0.0.1");
    ck_assert_int_eq(s.core->shards[SELF].hex[0], 'h');
}
END_TEST

/* ---- gossip ---- */

START_TEST(gossip_about_ourselves_or_the_sender_is_no_news)
{
    struct hs_hdr h = solo_hdr(1);
    struct hs_gossip g = {.ip = "127.0.0.7", .port = 1, .cport = 2, .flags = HS_NODE_FAIL};

    for (uint32_t i = 0; i < 2; i++) {
        g.id = solo_id(i);
        solo_ping(&s, l, HS_MSG_PING, &h, &g);
    }
    ck_assert_uint_eq(counter(COUNT_reports_added), 0);
}
END_TEST

START_TEST(a_section_with_an_invalid_id_is_skipped)
{
    struct hs_hdr h = solo_hdr(1);
    struct hs_gossip g = {.id = solo_id(9), .ip = "127.0.0.7", .port = 1, .cport = 2};

    g.id.hex[7] = '!';
    solo_ping(&s, l, HS_MSG_PING, &h, &g);
    ck_assert_uint_eq(counter(COUNT_gossip_skipped), 1);
    ck_assert_uint_eq(s.core->nodes_n, 4);
}
END_TEST

START_TEST(what_stands_before_an_invalid_id_is_skipped_with_it)
{
    struct hs_hdr h = solo_hdr(1);
    struct hs_gossip g[] = {
        {.id = solo_id(2), .ip = "127.0.0.2", .port = 1, .cport = 2, .flags = HS_NODE_FAIL},
        {.id = solo_id(9), .ip = "127.0.0.9", .port = 1, .cport = 2, .flags = HS_NODE_MASTER},
        {.id = solo_id(8), .ip = "127.0.0.8", .port = 1, .cport = 2, .flags = HS_NODE_MASTER},
    };

    g[2].id.hex[39] = 'G';
    solo_section(&s, l, &h, g, 3);
    ck_assert_uint_eq(counter(COUNT_gossip_skipped), 1);
    ck_assert_uint_eq(counter(COUNT_reports_added), 0);
    ck_assert_uint_eq(s.core->nodes_n, 4);
    g[2].id.hex[39] = '0';
    solo_section(&s, l, &h, g, 3);
    ck_assert_uint_eq(counter(COUNT_gossip_skipped), 1);
    ck_assert_uint_eq(counter(COUNT_reports_added), 1);
    ck_assert_uint_eq(s.core->nodes_n, 6);
}
END_TEST

START_TEST(a_stranger_named_twice_in_a_section_is_added_once)
{
    struct hs_hdr h = solo_hdr(1);
    struct hs_gossip g[2] = {
        {.id = solo_id(9), .ip = "127.0.0.9", .port = 1, .cport = 2, .flags = HS_NODE_MASTER}};

    g[1] = g[0];
    solo_section(&s, l, &h, g, 2);
    ck_assert_uint_eq(s.core->nodes_n, 5);
}
END_TEST

/* Node 2 owns one slot, and its replica tells of one: node 1's. */
START_TEST(a_claim_of_as_many_slots_as_we_know_may_be_of_others)
{
    struct hs_link replicas = solo_accept(&s);
    uint8_t slots[HS_SLOTS_BYTES] = {1U << 1};
    struct hs_node_id master = solo_id(2);
    struct hs_hdr h = solo_hdr(3), owners = solo_hdr(1);

    owners.slots = h.slots = slots;
    owners.config_epoch = owners.current_epoch = 1;
    solo_ping(&s, l, HS_MSG_PING, &owners, NULL);
    h.flags = HS_NODE_SLAVE;
    h.slaveof = &master;
    solo_ping(&s, solo_connect(&s, 3), HS_MSG_PONG, &h, NULL);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_UPDATE), 1);
    slots[0] = 1U << 2;
    solo_ping(&s, replicas, HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_UPDATE), 0);
}
END_TEST

/* It wrote on the last place of all connections before it was known. */
START_TEST(the_connection_of_one_who_was_a_stranger_is_found_when_he_answers)
{
    struct hs_gossip g = {
        .id = solo_id(9), .ip = "127.0.0.9", .port = 1, .cport = 2, .flags = HS_NODE_MASTER};
    struct hs_hdr h = solo_hdr(9), told_by = solo_hdr(1);
    uint32_t place = s.links_n++;
    struct hs_link early = solo_accept(&s), ours;
    uint16_t nine;

    solo_ping(&s, early, HS_MSG_PING, &h, NULL);
    solo_ping(&s, l, HS_MSG_PING, &told_by, &g);
    nine = core_index_find(s.core, g.id.hex);
    ck_assert_uint_ne(nine, NIL16);
    s.links_n = place;
    ours = solo_connect(&s, nine);
    ck_assert(!s.core->cold[nine].has_from);
    solo_ping(&s, ours, HS_MSG_PONG, &h, NULL);
    ck_assert(s.core->cold[nine].has_from);
    ck_assert_uint_eq(s.core->cold[nine].from.ix, early.ix);
}
END_TEST

START_TEST(an_answer_from_the_future_is_not_believed)
{
    struct hs_hdr h = solo_hdr(1);
    uint32_t now_s = (uint32_t)(s.now.wall.ms / 1000);
    struct hs_gossip g = {.id = solo_id(2), .ip = "127.0.0.1", .port = 7000, .cport = 17002};

    s.core->hot[2].ping_sent = 0;
    g.flags = HS_NODE_MASTER;
    g.pong_received = now_s + 1;
    solo_ping(&s, l, HS_MSG_PING, &h, &g);
    ck_assert_int_lt(s.core->hot[2].pong_received, s.now.mono.ms);
    g.pong_received = now_s;
    solo_ping(&s, l, HS_MSG_PING, &h, &g);
    ck_assert_int_eq(s.core->hot[2].pong_received, s.now.mono.ms - s.now.wall.ms % 1000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/frames");
    TCase *tc = tcase_create("frames");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, only_members_messages_count);
    tcase_add_test(tc, a_verdict_about_us_or_nobody_we_know_changes_nothing);
    tcase_add_test(tc, an_update_with_a_newer_epoch_makes_its_node_a_master);
    tcase_add_test(tc, an_update_about_us_or_nobody_or_an_old_one_is_dropped);
    tcase_add_test(tc, a_publish_is_delivered_and_a_light_one_needs_a_known_link);
    tcase_add_test(tc, a_light_frame_is_from_whoever_said_meet_on_its_link);
    tcase_add_test(tc, types_we_have_no_use_for_are_counted_and_their_epoch_is_heard);
    tcase_add_test(tc, a_sender_without_a_valid_id_or_with_ours_is_a_stranger);
    tcase_add_test(tc, what_comes_on_a_connection_we_closed_is_ignored);
    tcase_add_test(tc, the_end_of_a_connection_is_noticed_on_either_side);
    tcase_add_test(tc, another_id_at_a_nodes_address_takes_the_address_away);
    tcase_add_test(tc, who_answers_at_a_nodes_address_under_another_id_is_not_heard_as_that_node);
    tcase_add_test(tc, a_node_may_say_on_our_connection_what_it_says_on_its_own);
    tcase_add_test(tc, a_master_that_follows_another_shard_leaves_its_slots_to_nobody);
    tcase_add_test(tc, a_master_that_follows_its_successor_hands_it_the_slots);
    tcase_add_test(tc, an_old_story_of_who_follows_whom_moves_no_slots);
    tcase_add_test(tc, nobody_replicates_itself_and_an_unknown_master_is_none);
    tcase_add_test(tc, names_come_and_go_with_the_extensions);
    tcase_add_test(tc, a_node_forgotten_elsewhere_is_forgotten_here_for_an_hour_at_most);
    tcase_add_test(tc, neither_we_nor_our_master_nor_the_sender_can_be_forgotten);
    tcase_add_test(tc, a_master_takes_its_replica_along_to_another_shard);
    tcase_add_test(tc, gossip_about_ourselves_or_the_sender_is_no_news);
    tcase_add_test(tc, a_section_with_an_invalid_id_is_skipped);
    tcase_add_test(tc, what_stands_before_an_invalid_id_is_skipped_with_it);
    tcase_add_test(tc, a_stranger_named_twice_in_a_section_is_added_once);
    tcase_add_test(tc, a_claim_of_as_many_slots_as_we_know_may_be_of_others);
    tcase_add_test(tc, the_connection_of_one_who_was_a_stranger_is_found_when_he_answers);
    tcase_add_test(tc, an_answer_from_the_future_is_not_believed);
    suite_add_tcase(suite, tc);
    return hs_test_main(suite);
}
