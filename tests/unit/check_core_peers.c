/* What one core makes of peers that are odd, late, or just elsewhere now. */
#include "core_solo.h"
#include "hs_test.h"

static struct solo s;

static void setup(void)
{
    solo_init(&s);
}

static void teardown(void)
{
    solo_fini(&s);
}

/* ---- who we are ---- */

START_TEST(a_node_loaded_without_a_shard_gets_one_of_its_own)
{
    struct hs_topo *boot = solo_topo(2);
    struct hs_hdr h = solo_hdr(1);

    memset(boot->nodes[0].shard_id, 0, HS_ID_LEN);
    memcpy(s.conf.hostname, "host.example", 13);
    solo_start(&s, boot);
    ck_assert(hs_wire_id_valid((const uint8_t *)s.core->shards[SELF].hex));
    h.mflags = HS_MFLAG_EXT_DATA;
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(solo_msg(&s, HS_MSG_PONG, 0).ext_n, 2); /* host name, shard */
}
END_TEST

START_TEST(an_own_address_learned_under_tls_leaves_the_ports_as_they_are)
{
    struct hs_topo *boot = solo_topo(1);
    uint8_t *mine;
    struct hs_hdr h = solo_hdr(1);

    boot->nodes[0].ip[0] = '\0';
    s.conf.tls_cluster = true;
    s.conf.tls_port = 7443;
    solo_start(&s, boot);
    solo_ping(&s, solo_accept(&s), HS_MSG_MEET, &h, NULL);
    mine = board_of(s.core, SELF);
    ck_assert_str_eq((char *)mine + HS_G_IP, "127.0.0.1");
    ck_assert_uint_eq(hs_get16(mine + HS_G_PORT), 7443);
    ck_assert_uint_eq(hs_get16(mine + HS_G_PPORT), 7000);
}
END_TEST

START_TEST(a_replica_announces_the_newest_epoch_of_its_master)
{
    struct hs_topo *boot = solo_topo(3);
    struct hs_hdr h = solo_hdr(1);

    boot->nodes[0].flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    boot->nodes[0].master = 1;
    solo_start(&s, boot);
    struct hs_link l = solo_accept(&s);
    h.current_epoch = h.config_epoch = 5;
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    ck_assert_uint_eq(hs_get64(solo_msg(&s, HS_MSG_PONG, 0).frame + HS_OFF_CONFIG_EPOCH), 5);
}
END_TEST

START_TEST(a_replica_that_owns_slots_gives_them_up_when_it_follows_another)
{
    struct hs_topo *boot = solo_topo(3);
    struct hs_slot_range r = {0, 10};

    boot->nodes[0].flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    boot->nodes[0].master = 1;
    solo_start(&s, boot);
    ck_assert_int_eq(
        solo_command(&s, (struct hs_cmd){.type = HS_CMD_ADDSLOTS, .ranges = &r, .ranges_n = 1}),
        HS_CMD_OK); /* as stock servers let it */
    ck_assert_int_eq(solo_command(&s, (struct hs_cmd){.type = HS_CMD_REPLICATE, .id = solo_id(2)}),
                     HS_CMD_OK);
    ck_assert_uint_eq(s.core->cold[SELF].slots_n, 0);
    ck_assert_uint_eq(s.core->cold[SELF].master, 2);
}
END_TEST

/* Our paused PINGs stop with what they were about. */
START_TEST(a_reset_ends_a_manual_failover)
{
    struct hs_topo *boot = solo_topo(2);
    struct hs_hdr h = solo_hdr(1);
    struct hs_node_id us = solo_id(0);

    boot->nodes[1].flags = HS_NODE_SLAVE;
    boot->nodes[1].master = 0;
    solo_start(&s, boot);
    struct hs_link l = solo_accept(&s);
    h.slaveof = &us;
    h.flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    solo_plain(&s, l, HS_MSG_MFSTART, &h);
    ck_assert(solo_msg(&s, HS_MSG_PING, 0).frame[HS_OFF_MFLAGS] & HS_MFLAG_PAUSED);
    solo_command(&s, (struct hs_cmd){.type = HS_CMD_RESET});
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL);
    ck_assert(!(solo_msg(&s, HS_MSG_PONG, 0).frame[HS_OFF_MFLAGS] & HS_MFLAG_PAUSED));
}
END_TEST

START_TEST(a_hard_reset_closes_every_connection_there_can_be)
{
    struct hs_cmd reset = {.type = HS_CMD_RESET, .hard = true, .id = solo_id(20)};

    memset(reset.shard_id, 'z', HS_ID_LEN);
    s.opts.links_max = 3000;
    solo_start(&s, solo_topo(1));
    for (uint32_t i = 0; i < s.opts.links_max; i++) {
        solo_accept(&s);
    }
    solo_command(&s, reset);
    ck_assert_uint_eq(solo_count(&s, HS_ACT_CLOSE), s.opts.links_max);
}
END_TEST

/* ---- who they are ---- */

START_TEST(a_node_called_master_and_replica_at_once_is_taken_for_a_master)
{
    struct hs_hdr h = solo_hdr(1);
    struct hs_gossip g = {.id = solo_id(2), .ip = "127.0.0.1", .port = 7000, .cport = 17002};

    solo_start(&s, solo_topo(2));
    g.flags = HS_NODE_MASTER | HS_NODE_SLAVE;
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, &g);
    uint16_t ix = core_index_find(s.core, g.id.hex);
    ck_assert_uint_ne(ix, NIL16);
    ck_assert_uint_eq(s.core->hot[ix].flags, HS_NODE_MASTER);
}
END_TEST

START_TEST(a_handshake_ends_with_one_role)
{
    struct hs_hdr h = solo_hdr(1);

    solo_start(&s, solo_topo(1));
    solo_command(
        &s, (struct hs_cmd){.type = HS_CMD_MEET, .ip = "127.0.0.8", .port = 7000, .cport = 17001});
    struct hs_link l = solo_connect(&s, 1);
    h.flags |= HS_NODE_SLAVE;
    solo_ping(&s, l, HS_MSG_PONG, &h, NULL);
    ck_assert_uint_eq(core_index_find(s.core, h.sender.hex), 1);
    ck_assert_uint_eq(s.core->hot[1].flags, HS_NODE_MASTER);
}
END_TEST

START_TEST(a_meet_tells_where_a_known_node_is_now)
{
    struct hs_topo *boot = solo_topo(2);
    struct hs_hdr h = solo_hdr(1);

    boot->nodes[1].flags |= HS_NODE_NOADDR;
    solo_start(&s, boot);
    solo_command(
        &s, (struct hs_cmd){.type = HS_CMD_MEET, .ip = "127.0.0.8", .port = 7000, .cport = 17009});
    struct hs_link l = solo_connect(&s, 2);
    h.cport = 17009;
    solo_ping(&s, l, HS_MSG_PONG, &h, NULL);
    ck_assert_uint_eq(s.core->nodes_n, 2);
    ck_assert(!has_flag(s.core, 1, HS_NODE_NOADDR));
    ck_assert(core_node_address_is(s.core, 1, "127.0.0.8", 7000, 0, 17009));
}
END_TEST

START_TEST(a_connection_to_a_former_address_is_not_taken)
{
    struct hs_hdr h = solo_hdr(1);

    solo_start(&s, solo_topo(2));
    solo_tick(&s, TICK_MS);
    struct hs_dial old = solo_dial(&s);
    h.cport = 17009;
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL); /* it has moved */
    solo_tick(&s, TICK_MS);
    struct hs_dial new = solo_dial(&s);
    solo_connected(&s, old);
    ck_assert_uint_eq(solo_count(&s, HS_ACT_CLOSE), 1);
    ck_assert_int_eq(s.core->cold[1].to_state, TO_DIALING);
    solo_connected(&s, new);
    ck_assert_int_eq(s.core->cold[1].to_state, TO_UP);
}
END_TEST

START_TEST(a_shard_is_not_derived_from_a_master_that_has_none)
{
    struct hs_topo *boot = solo_topo(3);
    struct hs_hdr h = solo_hdr(1);
    struct hs_node_id master = solo_id(2);

    memset(boot->nodes[2].shard_id, 0, HS_ID_LEN);
    boot->nodes[1].flags = HS_NODE_SLAVE;
    boot->nodes[1].master = 2;
    solo_start(&s, boot);
    h.slaveof = &master;
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL);
    ck_assert_int_eq(s.core->shards[1].hex[0], 'b');
}
END_TEST

START_TEST(one_that_suspects_everybody_fits_into_the_bytes_of_a_step)
{
    enum { N = 32 };

    solo_start(&s, solo_topo(N));
    for (uint16_t i = 1; i < N; i++) {
        core_node_flags(s.core, i, HS_NODE_PFAIL, 0);
    }
    ck_assert_uint_le(hs_core_bytes_need(s.core), hs_core_bytes_max(&s.opts));
    s.acts.bytes_max = hs_core_bytes_need(s.core);
    solo_connect(&s, 1);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_PING), 1);
}
END_TEST

/* ---- epochs stand for what was decided under them ---- */

/* Nodes 1 and 2 are masters with a slot, 3 and 4 their replicas; so are we. */
static struct hs_topo *voters(void)
{
    struct hs_topo *boot = solo_topo(5);

    for (uint16_t i = 0; i < 3; i++) {
        boot->owner[i] = i;
    }
    for (uint16_t i = 3; i < 5; i++) {
        boot->nodes[i].flags = HS_NODE_SLAVE;
        boot->nodes[i].master = (uint16_t)(i - 2);
        boot->nodes[i - 2].flags |= HS_NODE_FAIL;
    }
    return boot;
}

START_TEST(each_of_two_votes_names_the_epoch_it_was_given_in)
{
    struct hs_hdr h[2] = {solo_hdr(3), solo_hdr(4)};
    struct hs_node_id master[2] = {solo_id(1), solo_id(2)};

    solo_start(&s, voters());
    for (uint16_t i = 0; i < 2; i++) {
        solo_connect(&s, (uint16_t)(3 + i));
    }
    solo_saved(&s);
    for (uint32_t i = 0; i < 2; i++) { /* both before the disk answers */
        h[i].slaveof = &master[i];
        h[i].flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
        h[i].current_epoch = 8 + i;
        solo_plain(&s, solo_accept(&s), HS_MSG_AUTH_REQUEST, &h[i]);
    }
    solo_saved(&s);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_AUTH_ACK), 2);
    for (uint32_t i = 0; i < 2; i++) {
        struct hs_view v = solo_msg(&s, HS_MSG_AUTH_ACK, i);
        ck_assert_uint_eq(hs_get64(v.frame + HS_OFF_CURRENT_EPOCH), 8 + i);
    }
}
END_TEST

START_TEST(a_request_names_the_epoch_of_its_election)
{
    struct hs_topo *boot = voters();
    struct hs_hdr h = solo_hdr(2);

    boot->nodes[0].flags = HS_NODE_MYSELF | HS_NODE_SLAVE;
    boot->nodes[0].master = 1;
    boot->owner[0] = HS_TOPO_NONE;
    solo_start(&s, boot);
    solo_connect(&s, 2);
    solo_saved(&s);
    struct hs_link l = solo_accept(&s);
    for (int i = 0; i < 60 && !s.core->auth_asked; i++) {
        solo_tick(&s, TICK_MS);
    }
    ck_assert_uint_ne(s.core->request_seq, 0);
    h.myip = "127.0.0.1";
    h.current_epoch = s.core->auth_epoch + 5; /* while the disk takes its time */
    solo_ping(&s, l, HS_MSG_PING, &h, NULL);
    solo_saved(&s);
    ck_assert_uint_eq(solo_sent(&s, HS_MSG_AUTH_REQUEST), 0); /* it is behind: another one */
    solo_saved(&s);
    struct hs_view v = solo_msg(&s, HS_MSG_AUTH_REQUEST, 0);
    ck_assert_uint_eq(s.core->auth_epoch, h.current_epoch + 1);
    ck_assert_uint_eq(hs_get64(v.frame + HS_OFF_CURRENT_EPOCH), s.core->auth_epoch);
}
END_TEST

START_TEST(a_connection_made_before_its_node_was_known_is_found_with_its_answer)
{
    struct hs_hdr h = solo_hdr(3), other = solo_hdr(1);
    struct hs_gossip g = {
        .id = solo_id(3), .ip = "127.0.0.1", .port = 7000, .cport = 17000, .flags = HS_NODE_MASTER};

    solo_start(&s, solo_topo(2));
    h.myip = other.myip = "127.0.0.1";
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &h, NULL); /* from nobody we know */
    solo_ping(&s, solo_accept(&s), HS_MSG_PING, &other, &g);
    uint16_t ix = core_index_find(s.core, g.id.hex);
    ck_assert_uint_ne(ix, NIL16);
    struct hs_link l = solo_connect(&s, ix);
    solo_ping(&s, l, HS_MSG_PONG, &h, NULL);
    ck_assert(s.core->cold[ix].has_from);
    ck_assert_uint_eq(s.core->links[s.core->cold[ix].from.ix].node, ix);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/peers");
    TCase *tc = tcase_create("peers");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_node_loaded_without_a_shard_gets_one_of_its_own);
    tcase_add_test(tc, an_own_address_learned_under_tls_leaves_the_ports_as_they_are);
    tcase_add_test(tc, a_replica_announces_the_newest_epoch_of_its_master);
    tcase_add_test(tc, a_replica_that_owns_slots_gives_them_up_when_it_follows_another);
    tcase_add_test(tc, a_reset_ends_a_manual_failover);
    tcase_add_test(tc, a_hard_reset_closes_every_connection_there_can_be);
    tcase_add_test(tc, a_node_called_master_and_replica_at_once_is_taken_for_a_master);
    tcase_add_test(tc, a_handshake_ends_with_one_role);
    tcase_add_test(tc, a_meet_tells_where_a_known_node_is_now);
    tcase_add_test(tc, a_connection_to_a_former_address_is_not_taken);
    tcase_add_test(tc, a_shard_is_not_derived_from_a_master_that_has_none);
    tcase_add_test(tc, one_that_suspects_everybody_fits_into_the_bytes_of_a_step);
    tcase_add_test(tc, each_of_two_votes_names_the_epoch_it_was_given_in);
    tcase_add_test(tc, a_request_names_the_epoch_of_its_election);
    tcase_add_test(tc, a_connection_made_before_its_node_was_known_is_found_with_its_answer);
    suite_add_tcase(suite, tc);
    return hs_test_main(suite);
}
