/* What a disk holds, and what a node finds on it. */
#include "hs_test.h"
#include "sim_int.h"

static const struct hs_sim_opts one_node = {.nodes = 1, .seed = 1};

static struct hs_topo_node node(char id, uint16_t flags)
{
    struct hs_topo_node n = {.config_epoch = (uint64_t)id,
                             .port = 7000,
                             .tls_port = 7001,
                             .cport = 17000,
                             .flags = flags,
                             .master = HS_TOPO_NONE,
                             .hostname = "",
                             .nodename = "",
                             .client_ipv4 = "",
                             .client_ipv6 = ""};

    memset(n.id.hex, id, HS_ID_LEN);
    memset(n.shard_id, id + 1, HS_ID_LEN);
    snprintf(n.ip, sizeof(n.ip), "10.0.0.%d", id);
    return n;
}

static void check_same(const struct hs_topo *a, const struct hs_topo *b)
{
    ck_assert_uint_eq(a->nodes_n, b->nodes_n);
    ck_assert_uint_eq(a->current_epoch, b->current_epoch);
    ck_assert_uint_eq(a->last_vote_epoch, b->last_vote_epoch);
    for (uint32_t i = 0; i < a->nodes_n; i++) {
        const struct hs_topo_node *x = &a->nodes[i], *y = &b->nodes[i];
        ck_assert_mem_eq(&x->id, &y->id, sizeof(x->id));
        ck_assert_mem_eq(x->shard_id, y->shard_id, sizeof(x->shard_id));
        ck_assert_str_eq(x->ip, y->ip);
        ck_assert(x->port == y->port && x->tls_port == y->tls_port && x->cport == y->cport);
        ck_assert(x->flags == y->flags && x->master == y->master);
        ck_assert_uint_eq(x->config_epoch, y->config_epoch);
        ck_assert_int_eq(x->ping_sent_ms != 0, y->ping_sent_ms != 0);
        ck_assert_int_eq(x->pong_received_ms != 0, y->pong_received_ms != 0);
    }
    ck_assert_mem_eq(a->owner, b->owner, sizeof(a->owner));
    ck_assert_uint_eq(a->migrating_n, b->migrating_n);
    ck_assert_uint_eq(a->importing_n, b->importing_n);
    ck_assert_mem_eq(a->migrating, b->migrating, a->migrating_n * sizeof(*a->migrating));
    ck_assert_mem_eq(a->importing, b->importing, a->importing_n * sizeof(*a->importing));
}

START_TEST(all_that_a_restart_reads_comes_back_from_the_disk)
{
    static const uint32_t cuts[] = {1, 3, 4, 5, 100, 8190, HS_SLOTS - 1, HS_SLOTS};
    struct hs_topo *t = hs_topo_create(3, 2, 1), *back;
    struct identities known = {0};
    struct packed *p;

    t->nodes_n = 3;
    t->nodes[0] = node('a', HS_NODE_MYSELF | HS_NODE_SLAVE);
    t->nodes[0].master = 2;
    t->nodes[1] = node('b', HS_NODE_MASTER | HS_NODE_FAIL);
    t->nodes[1].ping_sent_ms = 12345;
    t->nodes[2] = node('c', HS_NODE_MASTER);
    t->nodes[2].pong_received_ms = 12345;
    t->current_epoch = 99;
    t->last_vote_epoch = 98;
    for (uint32_t k = 0, slot = 0; slot < HS_SLOTS; slot++) {
        k += slot == cuts[k];
        t->owner[slot] = k % 3 == 2 ? HS_TOPO_NONE : (uint16_t)(k % 3 + 1);
    }
    t->migrating_n = 1;
    t->migrating[0] = (struct hs_topo_open){7, 1};
    t->importing_n = 2;
    t->importing[0] = (struct hs_topo_open){8, 2};
    t->importing[1] = (struct hs_topo_open){9, 1};

    p = disk_pack(&known, t);
    back = disk_unpack(&known, p);
    check_same(t, back);
    hs_topo_destroy(back);
    hs_topo_destroy(t);
    hs_free(p);
    identities_fini(&known);
}
END_TEST

/* Views in another order, of other flags and masters, and of one node with another
 * epoch; and more nodes than there is room for at first. */
START_TEST(what_views_say_alike_is_kept_once)
{
    struct hs_topo *t = hs_topo_create(200, 0, 1), *back;
    struct identities known = {0};
    struct packed *a, *b;

    t->nodes_n = 200;
    for (uint32_t i = 0; i < t->nodes_n; i++) {
        t->nodes[i] = node('a', HS_NODE_MASTER);
        t->nodes[i].port = (uint16_t)i;
    }
    a = disk_pack(&known, t);
    ck_assert_uint_eq(known.n, 200);
    t->nodes[0] = t->nodes[7];
    t->nodes[1].flags = HS_NODE_SLAVE;
    t->nodes[1].master = 0;
    t->nodes[2].config_epoch++;
    b = disk_pack(&known, t);
    ck_assert_uint_eq(known.n, 201);
    back = disk_unpack(&known, b);
    check_same(t, back);
    hs_topo_destroy(back);
    back = disk_unpack(&known, a);
    ck_assert_uint_eq(back->nodes[0].port, 0);
    ck_assert_uint_eq(back->nodes[2].config_epoch, 'a');
    hs_topo_destroy(back);
    hs_topo_destroy(t);
    hs_free(a);
    hs_free(b);
    identities_fini(&known);
}
END_TEST

START_TEST(runs_of_slots_end_where_the_owner_changes)
{
    struct hs_topo *t = hs_topo_create(1, 0, 1);

    for (uint32_t first = 0; first < 9; first++) {
        for (uint32_t end = first + 1; end < first + 20; end++) {
            for (uint32_t slot = 0; slot < HS_SLOTS; slot++) {
                t->owner[slot] = slot < first ? 3 : slot < end ? 5 : 4;
            }
            ck_assert_uint_eq(view_run_end(t, first), end);
        }
    }
    ck_assert_uint_eq(view_run_end(t, HS_SLOTS - 1), HS_SLOTS);
    ck_assert_uint_eq(view_run_end(t, 100), HS_SLOTS);
    hs_topo_destroy(t);
}
END_TEST

START_TEST(a_handshake_is_not_on_the_disk)
{
    struct hs_sim *s = hs_sim_create(&one_node);
    struct hs_cmd meet = {
        .type = HS_CMD_MEET, .ip = "10.9.9.9", .port = CLIENT_PORT, .cport = BUS_PORT};
    struct hs_topo *t;

    world_command(s, 0, &meet);
    ck_assert_uint_eq(view_of(s, 0)->nodes_n, 2);
    disk_save(s, 0, 1000, false);
    t = disk_unpack(&s->known, (s->nodes[0].disk.waiting != NULL ? s->nodes[0].disk.waiting
                                                                 : s->nodes[0].disk.writing)
                                   ->packed);
    ck_assert_uint_eq(t->nodes_n, 1);
    hs_topo_destroy(t);
    hs_sim_destroy(s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sim/disk");
    TCase *tc = tcase_create("disk");

    tcase_add_test(tc, all_that_a_restart_reads_comes_back_from_the_disk);
    tcase_add_test(tc, what_views_say_alike_is_kept_once);
    tcase_add_test(tc, runs_of_slots_end_where_the_owner_changes);
    tcase_add_test(tc, a_handshake_is_not_on_the_disk);
    suite_add_tcase(suite, tc);
    return hs_test_main(suite);
}
