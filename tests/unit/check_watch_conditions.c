/* What should not be is told when it begins and when it ends. */
#include "watch_views.h"

#include <stdlib.h>
#include <unistd.h>

static uint64_t begun(enum hs_told_kind kind)
{
    return w->begun[(kind - HS_TOLD_SPLIT) / 2];
}

START_TEST(a_condition_that_must_last_is_told_once_and_its_end_once)
{
    new->nodes[5].config_epoch = 2;
    old->nodes[5].config_epoch = 2;
    look();
    pass(2 * TIMEOUT_MS - 1);
    look();
    ck_no_more();
    pass(1);
    look();
    pass(5000);
    look();
    ck_told(HS_TOLD_EQUAL_EPOCHS, ABOUT_F "master other=" B " other_name=- epoch=2");
    ck_no_more();
    ck_assert_uint_eq(begun(HS_TOLD_EQUAL_EPOCHS), 1);
    new->nodes[5].config_epoch = old->nodes[5].config_epoch = 6;
    pass(TIMEOUT_MS - 1);
    look();
    ck_no_more(); /* it might come back */
    pass(1);
    look();
    ck_told(HS_TOLD_EQUAL_EPOCHS_OVER,
            ABOUT_F "master other=" B " other_name=- epoch=2 lasted_ms=11000");
    ck_no_more();
    ck_assert_uint_eq(w->now[(HS_TOLD_EQUAL_EPOCHS - HS_TOLD_SPLIT) / 2], 0);
}
END_TEST

START_TEST(one_that_does_not_last_is_not_told)
{
    new->nodes[5].config_epoch = old->nodes[5].config_epoch = 2;
    look();
    pass(3999);
    new->nodes[5].config_epoch = old->nodes[5].config_epoch = 6;
    look();
    new->nodes[5].config_epoch = old->nodes[5].config_epoch = 2;
    pass(3999);
    look();
    ck_no_more();
}
END_TEST

static void split(void)
{
    new->nodes[5].split_with = 1 + 1;
    new->nodes[5].split_slot = 4100;
}

static void sub_replica(void)
{
    new->nodes[4].flags = old->nodes[4].flags = HS_NODE_SLAVE;
    new->nodes[4].master = old->nodes[4].master = 1;
    new->nodes[5].flags = old->nodes[5].flags = HS_NODE_SLAVE;
    new->nodes[5].master = old->nodes[5].master = 4;
}

static void foreign(void)
{
    new->foreign[0] = (struct hs_topo_foreign){
        .id = id_of(9), .ip = "10.9.9.9", .last_ms = now.wall.ms, .frames = 3};
    new->foreign_n = 1;
}

static void our_twin(void)
{
    foreign();
    new->foreign[0].id = id_of(0);
}

static void same_address(void)
{
    strcpy(new->nodes[5].ip, "10.0.0.1");
    strcpy(old->nodes[5].ip, "10.0.0.1");
    new->nodes[5].cport = old->nodes[5].cport = 17001;
}

static void not_reached(void)
{
    new->nodes[5].heard_to_ms = now.wall.ms - 10000;
    new->nodes[5].ping_sent_ms = now.wall.ms - 5000;
}

static void not_reaching(void)
{
    new->nodes[5].heard_from_ms = now.wall.ms - 10000;
    new->nodes[5].link_from_ms = old->nodes[5].link_from_ms = 0;
}

static void full_disk(void)
{
    save_error = "write: No space left on device";
}

static void certificate(void)
{
    certificate_end_s = 1600000000;
}

static const struct {
    enum hs_told_kind kind;
    void (*make)(void);
    const char *text;
} conditions[] = {
    {HS_TOLD_SPLIT, split, ABOUT_F "master other=" B " other_name=- slot=4100 epoch=2"},
    {HS_TOLD_SUB_REPLICA, sub_replica,
     ABOUT_F "replica master=eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee above=" B},
    {HS_TOLD_FOREIGN, foreign,
     "sender=jjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjj ip=10.9.9.9 frames=3"},
    {HS_TOLD_TWIN, our_twin,
     "node=" A " name=- address=10.0.0.0:7000@17000 role=master other=- other_name=- why=our-id"},
    {HS_TOLD_TWIN, same_address,
     "node=" F " name=- address=10.0.0.1:7005@17001 role=master other=" B
     " other_name=- why=same-address"},
    {HS_TOLD_ONE_WAY, not_reached, ABOUT_F "master direction=to silent_ms=10000"},
    {HS_TOLD_ONE_WAY, not_reaching, ABOUT_F "master direction=from silent_ms=10000"},
    {HS_TOLD_DISK, full_disk, "error=write:%20No%20space%20left%20on%20device failures=3"},
    {HS_TOLD_CERTIFICATE_EXPIRED, certificate, "ends_in_s=-100000000"},
};

START_TEST(every_condition_is_named_begins_once_and_ends_once)
{
    for (int i = 0; i < 8; i++) {
        conditions[_i].make();
        look();
        pass(1000);
    }
    ck_told(conditions[_i].kind, conditions[_i].text);
    ck_no_more();
    ck_assert_uint_eq(begun(conditions[_i].kind), 1);
    hs_topo_destroy(new);
    hs_topo_destroy(old);
    new = masters();
    old = masters();
    save_error = "";
    certificate_end_s = 0;
    look();
    pass(TIMEOUT_MS + 1);
    look();
    ck_told((enum hs_told_kind)(conditions[_i].kind + 1), NULL);
    pass(60000);
    look();
    ck_no_more();
}
END_TEST

START_TEST(a_certificate_is_told_a_week_before_its_end_and_at_its_end)
{
    certificate_end_s = now.wall.ms / 1000 + 7 * 86400 + 1;
    look();
    ck_no_more();
    pass(1000);
    look();
    ck_told(HS_TOLD_CERTIFICATE_ENDS, "ends_in_s=604800");
    pass(7 * 86400 * (int64_t)1000);
    look();
    ck_told(HS_TOLD_CERTIFICATE_EXPIRED, "ends_in_s=0");
    ck_told(HS_TOLD_CERTIFICATE_ENDS_OVER, "ends_in_s=604800 lasted_ms=604800000");
    ck_no_more();
}
END_TEST

START_TEST(an_id_that_goes_to_and_fro_between_two_addresses_is_a_twin)
{
    for (int i = 0; i < 4; i++) {
        strcpy(new->nodes[5].ip, i % 2 == 0 ? "10.7.7.7" : "10.0.0.5");
        pass(500);
        look();
        memcpy(old->nodes[5].ip, new->nodes[5].ip, sizeof(new->nodes[5].ip));
    }
    uint64_t seen = begun(HS_TOLD_TWIN);
    ck_assert_uint_eq(seen, 1);
}
END_TEST

START_TEST(a_node_that_moves_on_and_on_is_no_twin)
{
    for (int i = 0; i < 8; i++) {
        snprintf(new->nodes[5].ip, sizeof(new->nodes[5].ip), "10.7.7.%d", i);
        pass(500);
        look();
        memcpy(old->nodes[5].ip, new->nodes[5].ip, sizeof(new->nodes[5].ip));
    }
    ck_assert_uint_eq(begun(HS_TOLD_TWIN), 0);
}
END_TEST

/* Foreign senders fill the table: the one too many is counted, not told. */
START_TEST(conditions_have_a_bound)
{
    foreign();
    struct look k = {.new = new, .now = now, .timeout_ms = TIMEOUT_MS, .save_error = ""};
    struct line l;
    for (uint32_t i = 0; i <= WATCH_CONDITIONS_MAX; i++) {
        struct hs_node_id id = {{0}};
        snprintf(id.hex, sizeof(id.hex), "%u", i);
        line_begin(&l, HS_TOLD_FOREIGN);
        watch_found(w, &k, &l, &id, NULL, 0);
    }
    ck_assert_uint_eq(w->conditions_n, WATCH_CONDITIONS_MAX);
    ck_assert_uint_eq(w->counters[WATCH_conditions_refused], 1);
    ck_assert_uint_eq(w->counters[WATCH_events], WATCH_CONDITIONS_MAX);
    ck_assert_uint_eq(w->counters[WATCH_lines_dropped], WATCH_CONDITIONS_MAX - WATCH_LINES_BURST);
    pass(1000); /* all end: ten more lines */
    k.now = now;
    pass(TIMEOUT_MS);
    watch_settle(w, &k);
    k.now = now;
    watch_settle(w, &k);
    ck_assert_uint_eq(w->conditions_n, 0);
    ck_assert_uint_eq(w->counters[WATCH_events], 2 * WATCH_CONDITIONS_MAX);
    ck_assert_uint_eq(w->counters[WATCH_lines_dropped],
                      2 * WATCH_CONDITIONS_MAX - WATCH_LINES_BURST - 30);
}
END_TEST

/* ---- TLS ---- */

/* node 1 is at 10.0.0.1, and its bus port is 17001 */
static void refuse(const char *ip, uint16_t port, uint32_t times)
{
    refusal = (struct hs_tls_refusal){
        .port = port, .times = times, .last_ms = now.mono.ms, .why = "certificate has expired"};
    snprintf(refusal.ip, sizeof(refusal.ip), "%s", ip);
    look();
}

START_TEST(a_node_whose_tls_fails_again_and_again_is_told_of_until_it_does_not)
{
    refuse("10.0.0.1", 17001, 2);
    ck_no_more();
    refuse("10.0.0.1", 17001, 3);
    ck_told(HS_TOLD_TLS_REFUSED, ABOUT_B " direction=to reason=certificate%20has%20expired");
    refuse("10.0.0.1", 17001, 4);
    pass(TIMEOUT_MS - 1);
    look();
    ck_no_more();
    pass(2 * TIMEOUT_MS);
    look();
    ck_told(HS_TOLD_TLS_REFUSED_OVER, NULL);
    ck_no_more();
}
END_TEST

START_TEST(in_the_log_a_condition_names_its_node_in_fields)
{
    char path[] = "/tmp/check_watch_conditions.XXXXXX", line[2048] = "";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(hs_log_open(path), 0);
    hs_log_set_level(HS_LOG_NOTICE);
    hs_log_set_format(HS_LOG_JSON);
    new->nodes[1].nodename = old->nodes[1].nodename = "east";
    refuse("10.0.0.1", 17001, 3);
    ck_assert_int_gt(read(fd, line, sizeof(line) - 1), 0);
    ck_assert_msg(strstr(line, "\"node\":\"" B "\",\"node_name\":\"east\"") != NULL, "%s", line);
    ck_assert_ptr_null(strstr(line, "\"other\""));
    close(fd);
    unlink(path);
}
END_TEST

START_TEST(of_nodes_at_one_address_the_one_without_a_link_was_refused)
{
    strcpy(new->nodes[2].ip, "10.0.0.1");
    strcpy(old->nodes[2].ip, "10.0.0.1");
    new->nodes[1].link_from_ms = old->nodes[1].link_from_ms = 0;
    new->nodes[2].cport = old->nodes[2].cport = 17009;
    refuse("10.0.0.1", 0, 3);
    ck_told(HS_TOLD_TLS_REFUSED, ABOUT_B " direction=from reason=certificate%20has%20expired");
    ck_no_more();
}
END_TEST

START_TEST(where_it_cannot_be_told_apart_the_address_is_named)
{
    strcpy(new->nodes[2].ip, "10.0.0.1");
    strcpy(old->nodes[2].ip, "10.0.0.1");
    refuse("10.0.0.1", 0, 3);
    ck_told(HS_TOLD_TLS_REFUSED, "node=- name=- address=10.0.0.1 role=- direction=from "
                                 "reason=certificate%20has%20expired");
    ck_no_more();
}
END_TEST

START_TEST(strangers_whose_tls_fails_are_not_told_of)
{
    refuse("10.0.0.99", 0, 300);
    refuse("10.0.0.1", 17002, 300); /* our dial, before it moved */
    refuse("10.0.0.0", 0, 300);     /* the address of this node itself */
    ck_no_more();
}
END_TEST

int main(void)
{
    hs_log_set_level(HS_LOG_NOTHING);
    Suite *s = suite_create("watch_conditions");
    TCase *tc = tcase_create("conditions");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_condition_that_must_last_is_told_once_and_its_end_once);
    tcase_add_test(tc, one_that_does_not_last_is_not_told);
    tcase_add_loop_test(tc, every_condition_is_named_begins_once_and_ends_once, 0,
                        (int)(sizeof(conditions) / sizeof(conditions[0])));
    tcase_add_test(tc, a_certificate_is_told_a_week_before_its_end_and_at_its_end);
    tcase_add_test(tc, an_id_that_goes_to_and_fro_between_two_addresses_is_a_twin);
    tcase_add_test(tc, a_node_that_moves_on_and_on_is_no_twin);
    tcase_add_test(tc, conditions_have_a_bound);
    tcase_add_test(tc, a_node_whose_tls_fails_again_and_again_is_told_of_until_it_does_not);
    tcase_add_test(tc, in_the_log_a_condition_names_its_node_in_fields);
    tcase_add_test(tc, of_nodes_at_one_address_the_one_without_a_link_was_refused);
    tcase_add_test(tc, where_it_cannot_be_told_apart_the_address_is_named);
    tcase_add_test(tc, strangers_whose_tls_fails_are_not_told_of);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
