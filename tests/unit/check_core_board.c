/* check_core_board.c - gossip as windows of a frozen board.
 *
 * Whoever sends for the core puts the message together; here the tests do.
 */
#include "core_world.h"
#include "hs_test.h"

enum {
    PEERS = 400,
    PICKS = (PEERS + 1) / 10,
    ROOM = 64,
    BOARD_BYTES = (PEERS + PICKS) * HS_GOSSIP_LEN,
};

static struct world w;
static struct hs_core *c;
static uint8_t *frozen;
static uint8_t copied[ROOM * HS_GOSSIP_LEN];

static uint16_t add_connected(uint32_t n)
{
    struct hs_node_id id;

    for (uint32_t i = 0; i < HS_ID_LEN; i++) {
        id.hex[i] = "0123456789abcdef"[i < 8 ? n >> (4 * i) & 15
                                             : (n * 2654435761U + i * 40503U) >> 8 & 15];
    }
    uint16_t ix = core_node_add(c, &id, HS_NODE_MASTER);
    ck_assert_uint_ne(ix, NIL16);
    core_node_address(c, ix, "10.0.0.1", 7000, 0, 17000);
    core_retime(c, ix);
    c->cold[ix].to_state = TO_UP;
    core_board_place(c, ix);
    return ix;
}

static struct section section_for(uint16_t except)
{
    return core_board_section(c, copied, ROOM, except, true);
}

/* Entry i of it, wherever it is. */
static const uint8_t *entry_of(const struct section *s, uint32_t i)
{
    return i < s->lent_n ? frozen + s->lent_off + (size_t)i * HS_GOSSIP_LEN
                         : copied + (size_t)(i - s->lent_n) * HS_GOSSIP_LEN;
}

/* As the owner does once in a while. True if it was due. */
static bool renew(void)
{
    if (!hs_core_board_due(c)) {
        return false;
    }
    ck_assert_uint_le(hs_core_board_freeze(c, frozen), hs_core_board_max(&c->opts));
    return true;
}

static void make_due(void)
{
    for (uint32_t i = 0; !hs_core_board_due(c); i++) {
        ck_assert_uint_le(i, PEERS);
        section_for(NIL16);
    }
}

static void setup(void)
{
    world_init(&w, 2000);
    w.nodes_max = PEERS + 10;
    world_add(&w);
    c = w.node[0].core;
    c->out = &w.acts;
    w.acts.n = 0;
    w.acts.bytes_n = 0;
    for (uint32_t i = 0; i < PEERS; i++) {
        add_connected(i);
    }
    frozen = malloc(hs_core_board_max(&c->opts)); /* a sanitizer sees what is read past it */
    ck_assert_ptr_nonnull(frozen);
}

static void teardown(void)
{
    free(frozen);
    world_fini(&w);
}

START_TEST(a_lent_section_has_the_stock_size_and_every_node_the_same_chance)
{
    enum { ROUNDS = 40000, EXPECTED = ROUNDS * PICKS / PEERS, DEVIATION = 60 };
    static uint32_t seen[PEERS + 1];
    uint32_t lent = 0, wrong = 0;

    memset(seen, 0, sizeof(seen));
    for (int r = 0; r < ROUNDS; r++) {
        bool in_this[PEERS + 1] = {false};
        uint16_t except = (uint16_t)(1 + r % PEERS);
        c->now.mono.ms += r % 4 == 0; /* a copy serves 400 */
        renew();
        struct section s = section_for(except);
        lent += s.lent_n > 0;
        ck_assert_uint_eq(s.lent_n + s.copied_n, PICKS);
        for (uint32_t i = 0; i < PICKS; i++) {
            uint16_t ix = core_index_find(c, entry_of(&s, i));
            wrong += ix == NIL16 || ix == SELF || ix == except || in_this[ix % (PEERS + 1)];
            in_this[ix % (PEERS + 1)] = true;
            seen[ix % (PEERS + 1)]++;
        }
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_gt(lent, ROUNDS / 10 * 8); /* but where the receiver is among the picks */
    for (uint32_t i = 1; i <= PEERS; i++) {
        ck_assert_uint_gt(seen[i], EXPECTED - 6 * DEVIATION);
        ck_assert_uint_lt(seen[i], EXPECTED + 6 * DEVIATION);
    }
}
END_TEST

START_TEST(neighbours_of_one_copy_do_not_stay_neighbours)
{
    uint32_t together = 0, with_first = 0;

    for (int r = 0; r < 40000; r++) {
        bool first = false, second = false;
        c->now.mono.ms += r % 4 == 0;
        renew();
        struct section s = section_for(NIL16);
        for (uint32_t i = 0; i < PICKS; i++) {
            uint16_t ix = core_index_find(c, entry_of(&s, i));
            first = first || ix == 1;
            second = second || ix == 2;
        }
        with_first += first;
        together += first && second;
    }
    ck_assert_uint_lt(together * 100 / with_first,
                      25); /* independent picks: 10 %, never moved: 97 % */
}
END_TEST

START_TEST(nothing_is_lent_that_the_board_does_not_say_any_more)
{
    for (int change = 0; change < 6; change++) {
        make_due();
        ck_assert(renew());
        ck_assert_uint_eq(section_for(NIL16).lent_n, PICKS);
        switch (change) {
        case 0:
            core_node_flags(c, 7, HS_NODE_PFAIL, 0);
            break;
        case 1:
            core_node_flags(c, 7, 0, HS_NODE_PFAIL);
            break;
        case 2:
            core_node_flags(c, 8, HS_NODE_FAIL, 0);
            break;
        case 3:
            core_node_address(c, 9, "10.0.0.2", 7000, 0, 17000);
            break;
        case 4:
            add_connected(PEERS);
            break;
        default:
            c->cold[10].to_state = TO_NONE; /* there is no link behind it */
            core_node_remove(c, 10);
            break;
        }
        struct section s = section_for(NIL16);
        ck_assert_uint_eq(s.lent_n, 0);
        ck_assert_uint_ge(s.copied_n, PICKS);
        w.acts.n = 0;
        c->notes_n = 0;
    }
}
END_TEST

START_TEST(times_may_be_behind_but_not_for_long)
{
    make_due();
    ck_assert(renew());
    c->hot[7].pong_received = c->now.mono.ms;
    core_board_sync(c, 7);
    c->now.mono.ms += 99;
    ck_assert_uint_eq(section_for(NIL16).lent_n, PICKS);
    c->now.mono.ms += 1;
    ck_assert_uint_eq(section_for(NIL16).lent_n, 0);
}
END_TEST

START_TEST(a_copy_is_made_when_as_much_was_copied_without_one)
{
    for (uint32_t i = 0; i < PEERS / PICKS; i++) {
        ck_assert(!hs_core_board_due(c));
        section_for(NIL16);
    }
    ck_assert(renew());
    c->now.mono.ms += 1000;
    ck_assert(!hs_core_board_due(c)); /* nobody has wanted one since */
}
END_TEST

START_TEST(suspects_are_copied_behind_what_is_lent)
{
    for (uint16_t ix = 1; ix <= 5; ix++) {
        core_node_flags(c, ix, HS_NODE_PFAIL, 0);
    }
    make_due();
    ck_assert(renew());
    struct section s = section_for(NIL16);
    ck_assert_uint_eq(s.lent_n, PICKS);
    ck_assert_uint_eq(s.copied_n, 5);
    for (uint32_t i = 0; i < 5; i++) {
        ck_assert_uint_le(core_index_find(c, entry_of(&s, PICKS + i)), 5);
    }
}
END_TEST

/* Put together as its action says, it is a message like any other. */
START_TEST(an_answer_around_a_window_is_a_whole_message)
{
    struct hs_link_up up = {.peer_ip = "10.0.0.1", .local_ip = "10.0.0.9"};
    struct hs_event ev = {.type = HS_EV_LINK_UP, .link = {1, 1}, .up = &up};
    struct hs_now now = {{c->now.mono.ms + 1}, {c->now.wall.ms + 1}};
    static uint8_t ping[HS_HDR_LEN], pong[HS_HDR_LEN + BOARD_BYTES];
    struct hs_hdr h = {
        .sender = c->hot[1].id, .myip = "", .port = 7000, .cport = 17000, .flags = HS_NODE_MASTER};
    struct hs_view v;
    uint32_t lent = 0;

    hs_core_step(c, &ev, now, &w.acts);
    hs_wire_build_hdr(ping, &h);
    hs_wire_finish(ping, HS_MSG_PING, 0, 0, HS_HDR_LEN);
    ck_assert_int_eq(hs_wire_check(ping, HS_HDR_LEN, &v), HS_WIRE_OK);
    ev = (struct hs_event){.type = HS_EV_RECV, .link = {1, 1}, .msg = &v};
    for (int i = 0; i < 100; i++) {
        struct hs_view answer;
        renew();
        hs_core_step(c, &ev, now, &w.acts);
        const struct hs_action *a = w.acts.v;
        while (a->type != HS_ACT_SEND && a < w.acts.v + w.acts.n) {
            a++;
        }
        ck_assert(a < w.acts.v + w.acts.n);
        ck_assert_uint_le(a->split, a->len);
        memcpy(pong, w.acts.bytes + a->off, a->split);
        memcpy(pong + a->split, frozen + a->lent_off, a->lent_len);
        memcpy(pong + a->split + a->lent_len, w.acts.bytes + a->off + a->split, a->len - a->split);
        ck_assert_int_eq(hs_wire_check(pong, a->len + a->lent_len, &answer), HS_WIRE_OK);
        ck_assert_int_eq(answer.type, HS_MSG_PONG);
        ck_assert_uint_eq(answer.gossip_n, PICKS);
        ck_assert(hs_wire_gossip_valid(&answer));
        lent += a->lent_len > 0;
    }
    ck_assert_uint_gt(lent, 50);
    c->out = &w.acts;
}
END_TEST

int main(void)
{
    Suite *s = suite_create("core board");
    TCase *tc = tcase_create("lent");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_lent_section_has_the_stock_size_and_every_node_the_same_chance);
    tcase_add_test(tc, neighbours_of_one_copy_do_not_stay_neighbours);
    tcase_add_test(tc, nothing_is_lent_that_the_board_does_not_say_any_more);
    tcase_add_test(tc, times_may_be_behind_but_not_for_long);
    tcase_add_test(tc, a_copy_is_made_when_as_much_was_copied_without_one);
    tcase_add_test(tc, suspects_are_copied_behind_what_is_lent);
    tcase_add_test(tc, an_answer_around_a_window_is_a_whole_message);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
