/* Whom a message of pub/sub goes to, in which form, and what DEBUG drops. */
#include "core_world.h"
#include "hs_test.h"

static struct world w;
static uint32_t full_n[WORLD_MAX], light_n[WORLD_MAX], sharded_n[WORLD_MAX];

static void count(struct world *world, int from, int to, const struct hs_view *v)
{
    struct hs_publish p;
    (void)world;
    if (v->type != HS_MSG_PUBLISH && v->type != HS_MSG_PUBLISHSHARD)
        return;
    ck_assert_int_eq(from, 0);
    hs_wire_publish(v, &p);
    ck_assert_mem_eq(p.channel, "news", 4);
    ck_assert_mem_eq(p.message, "hello", 5);
    *((v->marks & HS_VIEW_LIGHT) != 0 ? &light_n[to] : &full_n[to]) += 1;
    sharded_n[to] += v->type == HS_MSG_PUBLISHSHARD;
}

/* 0 and 1 are masters, 2 is a replica of 0. */
static void setup(void)
{
    world_init(&w, 2000);
    for (int i = 0; i < 3; i++)
        world_add(&w);
    world_meet(&w, 0, 1);
    world_meet(&w, 0, 2);
    world_slots(&w, 0, 0, 8191);
    world_slots(&w, 1, 8192, 16383);
    world_run(&w, 5000);
    struct hs_cmd cmd = {.type = HS_CMD_REPLICATE, .id = w.node[0].core->hot[SELF].id};
    world_command(&w, 2, cmd);
    world_run(&w, 5000);
    ck_assert(world_agrees(&w));
    w.tap = count;
}

static void teardown(void)
{
    world_fini(&w);
}

static void publish_at_once(bool sharded)
{
    static const struct hs_publish p = {.channel = (const uint8_t *)"news",
                                        .message = (const uint8_t *)"hello",
                                        .channel_len = 4,
                                        .message_len = 5};
    struct hs_cmd cmd = {.type = HS_CMD_PUBLISH, .publish = &p, .sharded = sharded};
    world_command(&w, 0, cmd);
}

static int64_t publish(bool sharded)
{
    publish_at_once(sharded);
    int64_t n = w.node[0].number;
    world_run(&w, 100);
    return n;
}

START_TEST(everybody_hears_a_publish_without_a_header_if_it_can)
{
    ck_assert_int_eq(publish(false), 2);
    ck_assert_uint_eq(light_n[1], 1);
    ck_assert_uint_eq(light_n[2], 1);
    ck_assert_uint_eq(full_n[1] + full_n[2], 0);
}
END_TEST

START_TEST(a_peer_that_never_showed_it_takes_light_messages_gets_a_header)
{
    core_node_flags(w.node[0].core, world_find(&w, 0, 1), 0, HS_NODE_LIGHT);
    ck_assert_int_eq(publish(false), 2);
    ck_assert_uint_eq(full_n[1], 1);
    ck_assert_uint_eq(light_n[2], 1);
}
END_TEST

/* Until then it would close a connection on which nobody was named. */
START_TEST(a_peer_that_has_not_connected_to_us_yet_gets_a_header)
{
    struct hs_core *c = w.node[0].core;
    uint16_t ix = world_find(&w, 0, 1);
    c->cold[ix].light_ok = false;
    c->cold[ix].has_from = false; /* as long as it has not met us */
    c->out = &w.acts;
    c->out->n = c->out->bytes_n = 0;
    core_ping(c, ix, HS_MSG_PING);
    ck_assert(!c->cold[ix].light_ok);
    publish(false);
    ck_assert_uint_eq(full_n[1], 1);
    ck_assert_uint_eq(light_n[1], 0);
    c->cold[ix].has_from = true;
    c->out = &w.acts;
    c->out->n = c->out->bytes_n = 0;
    core_ping(c, ix, HS_MSG_PING);
    publish(false);
    ck_assert_uint_eq(full_n[1], 1);
    ck_assert_uint_eq(light_n[1], 1);
}
END_TEST

/* Or else it might be minutes until the next PING: gossip can do without them. */
START_TEST(a_publish_makes_itself_known_to_one_peer_and_is_light_from_then_on)
{
    struct hs_core *c = w.node[0].core;
    uint16_t one = world_find(&w, 0, 1), two = world_find(&w, 0, 2);
    c->cold[one].light_ok = c->cold[two].light_ok = false;
    uint64_t pings = c->sent[HS_MSG_PING];
    publish_at_once(false);
    ck_assert_uint_eq(c->sent[HS_MSG_PING] - pings, 1);
    ck_assert_uint_eq(c->cold[one].light_ok + c->cold[two].light_ok, 1);
    publish_at_once(false);
    ck_assert_uint_eq(c->sent[HS_MSG_PING] - pings, 2);
    publish_at_once(false);
    ck_assert_uint_eq(c->sent[HS_MSG_PING] - pings, 2);
    world_run(&w, 100);
    ck_assert_uint_eq(light_n[1] + light_n[2], 1 + 2 + 2);
    ck_assert_uint_eq(full_n[1] + full_n[2], 1);
}
END_TEST

START_TEST(a_sharded_publish_stays_in_its_shard)
{
    ck_assert_int_eq(publish(true), 1);
    ck_assert_uint_eq(sharded_n[2], 1);
    ck_assert_uint_eq(light_n[1] + full_n[1], 0);
}
END_TEST

START_TEST(what_the_filter_drops_is_counted_and_nothing_else_is_dropped)
{
    struct hs_core *c = w.node[1].core;
    world_command(&w, 1, (struct hs_cmd){.type = HS_CMD_DROP_FILTER, .epoch = HS_MSG_PUBLISH});
    publish(false);
    ck_assert_uint_eq(c->counters[COUNT_filtered], 1);
    world_command(&w, 1, (struct hs_cmd){.type = HS_CMD_DROP_FILTER, .epoch = -1});
    publish(false);
    ck_assert_uint_eq(c->counters[COUNT_filtered], 1);
    ck_assert(world_agrees(&w));
}
END_TEST

START_TEST(killed_links_are_dialed_again)
{
    struct hs_core *c = w.node[0].core;
    uint16_t ix = world_find(&w, 0, 1);
    struct hs_link to = c->cold[ix].to, from = c->cold[ix].from;
    struct hs_cmd cmd = {.type = HS_CMD_KILL_LINK, .kill_to = true, .id = c->hot[ix].id};
    world_command(&w, 0, cmd);
    world_run(&w, 1000);
    ck_assert(c->cold[ix].to.ix != to.ix || c->cold[ix].to.gen != to.gen);
    ck_assert(c->cold[ix].from.ix == from.ix && c->cold[ix].from.gen == from.gen);
    cmd.id.hex[0] = 'x';
    world_command(&w, 0, cmd);
    ck_assert_int_eq(w.node[0].err, HS_CMD_ERR_UNKNOWN_NODE);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("core publish");
    TCase *t = tcase_create("publish");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, everybody_hears_a_publish_without_a_header_if_it_can);
    tcase_add_test(t, a_publish_makes_itself_known_to_one_peer_and_is_light_from_then_on);
    tcase_add_test(t, a_peer_that_never_showed_it_takes_light_messages_gets_a_header);
    tcase_add_test(t, a_peer_that_has_not_connected_to_us_yet_gets_a_header);
    tcase_add_test(t, a_sharded_publish_stays_in_its_shard);
    tcase_add_test(t, what_the_filter_drops_is_counted_and_nothing_else_is_dropped);
    tcase_add_test(t, killed_links_are_dialed_again);
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
