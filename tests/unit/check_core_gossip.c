/* What goes into a gossip section, what is believed of one, and who gets
 * which extensions. One core, its peers played by hand-made frames.
 *
 * Length: the frames' makers serve all three. */
#include "core_world.h"
#include "hs_test.h"

enum { TIMEOUT_MS = 2000, PEERS = 100 };

static struct world w;
static struct hs_core *c;
static uint8_t frame[HS_HDR_LEN + 400 * HS_GOSSIP_LEN + EXT_BYTES_MAX];

static void id_of(uint32_t n, struct hs_node_id *id)
{
    for (uint32_t i = 0; i < HS_ID_LEN; i++) {
        id->hex[i] = "0123456789abcdef"[(n * 2654435761U + i * 40503U) >> 8 & 15];
    }
    for (uint32_t i = 0; i < 8; i++) {
        id->hex[i] = "0123456789abcdef"[n >> (4 * i) & 15];
    }
}

static uint16_t add_peer(uint32_t n)
{
    struct hs_node_id id;
    id_of(n, &id);
    uint16_t ix = core_node_add(c, &id, HS_NODE_MASTER);
    ck_assert_uint_ne(ix, NIL16);
    core_node_address(c, ix, "10.0.0.1", 7000, 0, 17000);
    core_retime(c, ix);
    return ix;
}

/* One that seems connected, as far as the board is concerned. */
static uint16_t add_connected(uint32_t n)
{
    uint16_t ix = add_peer(n);

    c->cold[ix].to_state = TO_UP;
    core_board_place(c, ix);
    return ix;
}

static void setup(void)
{
    world_init(&w, TIMEOUT_MS);
    w.nodes_max = 256;
    world_add(&w);
    c = w.node[0].core;
    c->out = &w.acts;
    w.acts.n = 0;
    w.acts.bytes_n = 0;
}

static void teardown(void)
{
    world_fini(&w);
}

START_TEST(a_section_has_the_stock_size_and_every_node_the_same_chance)
{
    static uint32_t seen[PEERS + 1];
    uint8_t section[64 * HS_GOSSIP_LEN];
    enum { ROUNDS = 20000, PICKS = (PEERS + 1) / 10 };

    memset(seen, 0, sizeof(seen));
    for (uint32_t i = 0; i < PEERS; i++) {
        add_connected(i);
    }
    for (int r = 0; r < ROUNDS; r++) {
        bool in_this[PEERS + 1] = {false};
        uint16_t except = (uint16_t)(1 + r % PEERS);
        uint32_t n = core_board_section(c, section, 64, except, false).copied_n;
        ck_assert_uint_eq(n, PICKS);
        for (uint32_t i = 0; i < n; i++) {
            uint16_t ix = core_index_find(c, section + i * HS_GOSSIP_LEN);
            ck_assert_uint_ne(ix, NIL16);
            ck_assert_uint_ne(ix, SELF);
            ck_assert_uint_ne(ix, except); /* nobody hears about himself, */
            ck_assert(!in_this[ix]);       /* or twice about another */
            in_this[ix] = true;
            seen[ix]++;
        }
    }
    /* Expected ROUNDS * PICKS / PEERS = 2000 each; binomial deviation is 42. */
    for (uint32_t i = 1; i <= PEERS; i++) {
        ck_assert_uint_gt(seen[i], 2000 - 5 * 42);
        ck_assert_uint_lt(seen[i], 2000 + 5 * 42);
    }
}
END_TEST

START_TEST(neighbours_in_a_section_do_not_stay_neighbours)
{
    uint8_t section[64 * HS_GOSSIP_LEN];
    uint32_t together = 0, with_first = 0;

    for (uint32_t i = 0; i < PEERS; i++) {
        add_connected(i);
    }
    for (int r = 0; r < 20000; r++) {
        bool first = false, second = false;
        uint32_t n = core_board_section(c, section, 64, NIL16, false).copied_n;
        for (uint32_t i = 0; i < n; i++) {
            uint16_t ix = core_index_find(c, section + i * HS_GOSSIP_LEN);
            first = first || ix == 1;
            second = second || ix == 2;
        }
        with_first += first;
        together += first && second;
    }
    /* Independent picks would give 9 %; a board that never moved 90 %. */
    ck_assert_uint_lt(together * 100 / with_first, 20);
}
END_TEST

START_TEST(suspected_nodes_are_in_every_section_and_the_unusable_in_none)
{
    uint8_t section[64 * HS_GOSSIP_LEN];
    uint16_t suspects[3], none[3];

    for (uint32_t i = 0; i < 30; i++) {
        add_connected(i);
    }
    for (uint32_t i = 0; i < 3; i++) {
        suspects[i] = add_connected(100 + i);
        core_node_flags(c, suspects[i], HS_NODE_PFAIL, 0);
        none[i] = add_connected(200 + i);
    }
    core_node_flags(c, none[0], HS_NODE_HANDSHAKE, 0);
    core_node_flags(c, none[1], HS_NODE_NOADDR, 0);
    c->cold[none[2]].to_state = TO_NONE; /* unreachable and owns nothing */
    core_board_place(c, none[2]);
    for (int r = 0; r < 500; r++) {
        uint32_t suspects_n = 0;
        uint32_t n = core_board_section(c, section, 64, NIL16, false).copied_n;
        ck_assert_uint_eq(n, 3 + 3);
        for (uint32_t i = 0; i < n; i++) {
            uint16_t ix = core_index_find(c, section + i * HS_GOSSIP_LEN);
            suspects_n += ix == suspects[0] || ix == suspects[1] || ix == suspects[2];
            ck_assert(ix != none[0] && ix != none[1] && ix != none[2]);
        }
        ck_assert_uint_eq(suspects_n, 3);
    }
}
END_TEST

START_TEST(a_section_is_cut_to_the_room_there_is)
{
    uint8_t section[8 * HS_GOSSIP_LEN];

    for (uint32_t i = 0; i < 40; i++) {
        core_node_flags(c, add_connected(i), i < 20 ? HS_NODE_PFAIL : 0, 0);
    }
    ck_assert_uint_eq(core_board_section(c, section, 8, NIL16, false).copied_n, 8);
    ck_assert_uint_eq(core_board_section(c, section, 1, NIL16, false).copied_n, 1);
    ck_assert_uint_eq(core_board_section(c, section, 0, NIL16, false).copied_n, 0);
}
END_TEST

START_TEST(adding_and_removing_thousands_keeps_the_index_whole)
{
    uint32_t present[200] = {0};
    uint32_t next = 1;

    for (int r = 0; r < 20000; r++) {
        uint32_t k = hs_prng_below(&c->prng, 200);
        struct hs_node_id id;
        w.acts.n = 0;
        c->notes_n = 0;
        if (present[k] != 0) {
            id_of(present[k], &id);
            core_node_remove(c, core_index_find(c, id.hex));
            ck_assert_uint_eq(core_index_find(c, id.hex), NIL16);
            present[k] = 0;
        } else {
            present[k] = next++;
            add_peer(present[k]);
        }
    }
    for (uint32_t k = 0; k < 200; k++) {
        struct hs_node_id id;
        id_of(present[k], &id);
        ck_assert_int_eq(core_index_find(c, id.hex) != NIL16, present[k] != 0);
    }
}
END_TEST

/* ---- reading ---- */

static struct hs_link joined; /* an inbound connection of peer 1 */
static uint16_t peer;

static void step_event(struct hs_event ev)
{
    w.now++;
    hs_core_step(c, &ev, (struct hs_now){{w.now}, {w.now + INT64_C(1700000000000)}}, &w.acts);
    c->out = &w.acts;
}

static void join_peer(void)
{
    struct hs_link_up up = {.peer_ip = "10.0.0.1", .local_ip = "10.0.0.9"};

    joined = (struct hs_link){1, 1};
    peer = add_peer(1);
    core_slot_set(c, 5, peer);
    step_event((struct hs_event){.type = HS_EV_LINK_UP, .link = joined, .up = &up});
}

struct about {
    uint32_t n;
    uint16_t flags;
    const char *ip;
    uint16_t cport;
};

/* A PING of peer 1 with one entry about node `a.n`; false if refused by check. */
static void say(struct about a)
{
    struct hs_node_id id, other;
    struct hs_view v;
    uint8_t slots[HS_SLOTS_BYTES] = {0};

    id_of(1, &id);
    id_of(a.n, &other);
    hs_slot_set(slots, 5);
    hs_wire_build_hdr(frame, &(struct hs_hdr){.sender = id,
                                              .slots = slots,
                                              .myip = "10.0.0.1",
                                              .port = 7000,
                                              .cport = 17000,
                                              .config_epoch = 1,
                                              .flags = HS_NODE_MASTER | HS_NODE_MYSELF});
    hs_wire_put_gossip(frame + HS_HDR_LEN,
                       &(struct hs_gossip){.id = other,
                                           .ip = a.ip,
                                           .port = 7001,
                                           .cport = a.cport,
                                           .pong_received = (uint32_t)(w.now / 1000 + 1700000000),
                                           .flags = a.flags});
    hs_wire_finish(frame, HS_MSG_PING, 1, 0, HS_HDR_LEN + HS_GOSSIP_LEN);
    ck_assert_int_eq(hs_wire_check(frame, HS_HDR_LEN + HS_GOSSIP_LEN, &v), HS_WIRE_OK);
    step_event((struct hs_event){.type = HS_EV_RECV, .link = joined, .msg = &v});
    hs_core_check(c);
}

static uint16_t find(uint32_t n)
{
    struct hs_node_id id;

    id_of(n, &id);
    return core_index_find(c, id.hex);
}

START_TEST(a_member_is_believed_about_nodes_only_it_knows)
{
    join_peer();
    say((struct about){.n = 50, .flags = HS_NODE_MASTER, .ip = "10.0.0.5", .cport = 17001});
    ck_assert_uint_ne(find(50), NIL16);
    ck_assert(core_node_address_is(c, find(50), "10.0.0.5", 7001, 0, 17001));
}
END_TEST

static const struct about unusable[] = {
    {.n = 50, .flags = HS_NODE_MASTER, .ip = "not-an-ip", .cport = 17001},
    {.n = 50, .flags = HS_NODE_MASTER, .ip = "", .cport = 17001},
    {.n = 50, .flags = HS_NODE_MASTER, .ip = "10.0.0.5", .cport = 0},
    {.n = 50, .flags = HS_NODE_NOADDR, .ip = "10.0.0.5", .cport = 17001},
    {.n = 50, .flags = HS_NODE_HANDSHAKE, .ip = "10.0.0.5", .cport = 17001},
};

START_TEST(nodes_that_could_not_be_reached_are_not_added)
{
    join_peer();
    say(unusable[_i]);
    ck_assert_uint_eq(find(50), NIL16);
}
END_TEST

START_TEST(only_flags_that_mean_something_here_are_taken)
{
    join_peer();
    say((struct about){.n = 50,
                       .flags = 0xffff & ~(HS_NODE_NOADDR | HS_NODE_HANDSHAKE | HS_NODE_SLAVE),
                       .ip = "10.0.0.5",
                       .cport = 17001});
    ck_assert_uint_eq(c->hot[find(50)].flags, HS_NODE_MASTER | HS_NODE_FAIL | HS_NODE_NOFAILOVER);
}
END_TEST

START_TEST(a_fresher_answer_elsewhere_saves_a_ping_here)
{
    join_peer();
    uint16_t ix = add_peer(60);
    w.now += 5000;
    say((struct about){.n = 60, .flags = HS_NODE_MASTER, .ip = "10.0.0.1", .cport = 17000});
    ck_assert_int_gt(c->hot[ix].pong_received, w.now - 1000);
}
END_TEST

START_TEST(an_unreachable_node_is_looked_for_where_others_reach_it)
{
    join_peer();
    uint16_t ix = add_peer(60);
    say((struct about){.n = 60, .flags = HS_NODE_MASTER, .ip = "10.0.0.7", .cport = 17009});
    ck_assert(core_node_address_is(c, ix, "10.0.0.1", 7000, 0, 17000)); /* no doubt, no change */
    core_node_flags(c, ix, HS_NODE_PFAIL, 0);
    say((struct about){.n = 60, .flags = HS_NODE_MASTER, .ip = "10.0.0.7", .cport = 17009});
    ck_assert(core_node_address_is(c, ix, "10.0.0.7", 7001, 0, 17009));
}
END_TEST

START_TEST(an_epoch_that_would_wrap_is_not_taken)
{
    struct hs_node_id id;
    struct hs_view v;

    join_peer();
    id_of(1, &id);
    hs_wire_build_hdr(frame, &(struct hs_hdr){.sender = id,
                                              .myip = "10.0.0.1",
                                              .port = 7000,
                                              .cport = 17000,
                                              .current_epoch = UINT64_MAX,
                                              .config_epoch = UINT64_MAX,
                                              .flags = HS_NODE_MASTER | HS_NODE_MYSELF});
    hs_wire_finish(frame, HS_MSG_PING, 0, 0, HS_HDR_LEN);
    ck_assert_int_eq(hs_wire_check(frame, HS_HDR_LEN, &v), HS_WIRE_OK);
    step_event((struct hs_event){.type = HS_EV_RECV, .link = joined, .msg = &v});
    ck_assert_uint_eq(c->current_epoch, 0);
    ck_assert_uint_eq(c->counters[COUNT_epochs_refused], 1);
}
END_TEST

START_TEST(a_full_table_refuses_and_counts)
{
    join_peer();
    for (uint32_t i = 1000; c->nodes_n < c->opts.nodes_max; i++) {
        add_peer(i);
    }
    say((struct about){.n = 50, .flags = HS_NODE_MASTER, .ip = "10.0.0.5", .cport = 17001});
    ck_assert_uint_eq(find(50), NIL16);
    ck_assert_uint_eq(c->counters[COUNT_table_full], 1);
}
END_TEST

/* ---- extensions: to whom ---- */

static const struct {
    enum ext_level level;
    bool valkey;
    uint16_t count;
} levels[] = {{EXT_NONE, false, 0},
              {EXT_HOSTNAME_ONLY, false, 1},
              {EXT_FULL, false, 4}, /* hostname, node name, forgotten, shard */
              {EXT_FULL, true, 6}}; /* and both client addresses */

START_TEST(a_peer_gets_only_the_extensions_it_has_shown_to_know)
{
    struct hs_core_conf conf = c->conf;
    struct hs_node_id id;
    uint8_t out[EXT_BYTES_MAX];
    uint16_t count;

    memcpy(conf.hostname, "host.example", 13);
    memcpy(conf.nodename, "one", 4);
    memcpy(conf.client_ipv4, "10.1.1.1", 9);
    memcpy(conf.client_ipv6, "fd00::1", 8);
    world_command(&w, 0, (struct hs_cmd){.type = HS_CMD_CONF, .conf = &conf});
    id_of(70, &id);
    core_blacklist_add(c, id.hex, 60000);
    uint32_t len = core_ext_put(c, levels[_i].level, levels[_i].valkey, out, &count);
    ck_assert_uint_eq(count, levels[_i].count);
    ck_assert_uint_eq(len % 8, 0);
    ck_assert_uint_le(len, EXT_BYTES_MAX);
}
END_TEST

START_TEST(a_full_blacklist_gives_up_the_entry_that_ends_first)
{
    struct hs_node_id id;
    uint8_t out[EXT_BYTES_MAX];
    uint16_t count;

    for (uint32_t i = 0; i < BLACKLIST_MAX + 1; i++) {
        id_of(i, &id);
        core_blacklist_add(c, id.hex, 60000 + i);
    }
    id_of(0, &id);
    ck_assert(!core_blacklisted(c, id.hex));
    id_of(BLACKLIST_MAX, &id);
    ck_assert(core_blacklisted(c, id.hex));
    ck_assert_uint_eq(c->counters[COUNT_blacklist_full], 1);
    ck_assert_uint_le(core_ext_put(c, EXT_FULL, true, out, &count), EXT_BYTES_MAX);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("core/gossip");
    TCase *tc = tcase_create("sections"), *reading = tcase_create("reading");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_section_has_the_stock_size_and_every_node_the_same_chance);
    tcase_add_test(tc, neighbours_in_a_section_do_not_stay_neighbours);
    tcase_add_test(tc, suspected_nodes_are_in_every_section_and_the_unusable_in_none);
    tcase_add_test(tc, a_section_is_cut_to_the_room_there_is);
    tcase_add_test(tc, adding_and_removing_thousands_keeps_the_index_whole);
    tcase_add_checked_fixture(reading, setup, teardown);
    tcase_add_test(reading, a_member_is_believed_about_nodes_only_it_knows);
    tcase_add_loop_test(reading, nodes_that_could_not_be_reached_are_not_added, 0,
                        (int)(sizeof(unusable) / sizeof(unusable[0])));
    tcase_add_test(reading, only_flags_that_mean_something_here_are_taken);
    tcase_add_test(reading, a_fresher_answer_elsewhere_saves_a_ping_here);
    tcase_add_test(reading, an_unreachable_node_is_looked_for_where_others_reach_it);
    tcase_add_test(reading, an_epoch_that_would_wrap_is_not_taken);
    tcase_add_test(reading, a_full_table_refuses_and_counts);
    tcase_add_loop_test(reading, a_peer_gets_only_the_extensions_it_has_shown_to_know, 0,
                        (int)(sizeof(levels) / sizeof(levels[0])));
    tcase_add_test(reading, a_full_blacklist_gives_up_the_entry_that_ends_first);
    suite_add_tcase(s, tc);
    suite_add_tcase(s, reading);
    return hs_test_main(s);
}
