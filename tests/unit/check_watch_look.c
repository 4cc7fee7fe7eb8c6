/* What differs between two views is told once, with old and new; what should
 * not be is told when it begins and when it ends.
 *
 * Length: differences and conditions share two views and the reader of events.
 */
#include "hs_test.h"
#include "watch_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NODES = 6, TIMEOUT_MS = 2000 };

static struct hs_watch *w;
static struct hs_topo *old, *new;
static struct hs_now now;
static const char *save_error;
static int64_t certificate_end_s;
static struct hs_tls_refusal refusal;

static void told(void *ctx)
{
    (void)ctx;
}

static struct hs_node_id id_of(uint32_t i)
{
    struct hs_node_id id;
    memset(id.hex, (int)('a' + i), HS_ID_LEN);
    return id;
}

/* Six masters; the first four share the slots. */
static struct hs_topo *masters(void)
{
    struct hs_topo *t = hs_topo_create(NODES, 0, 1024);
    ck_assert_ptr_nonnull(t);
    t->nodes_n = NODES;
    for (uint32_t i = 0; i < NODES; i++) {
        struct hs_topo_node *n = &t->nodes[i];
        *n = (struct hs_topo_node){.id = id_of(i),
                                   .port = (uint16_t)(7000 + i),
                                   .cport = (uint16_t)(17000 + i),
                                   .flags = HS_NODE_MASTER,
                                   .master = HS_TOPO_NONE,
                                   .config_epoch = i + 1,
                                   .heard_to_ms = now.wall.ms,
                                   .heard_from_ms = now.wall.ms,
                                   .link_to_ms = 1,
                                   .link_from_ms = 1,
                                   .hostname = "",
                                   .nodename = "",
                                   .client_ipv4 = "",
                                   .client_ipv6 = ""};
        snprintf(n->ip, sizeof(n->ip), "10.0.0.%u", i);
    }
    t->nodes[0].flags |= HS_NODE_MYSELF;
    for (uint32_t s = 0; s < HS_SLOTS; s++) {
        t->owner[s] = (uint16_t)(s / 4096);
        t->nodes[t->owner[s]].slots_n++;
    }
    t->ok = true;
    t->size = 4;
    t->taken_ms = now.wall.ms;
    return t;
}

static void setup(void)
{
    now = (struct hs_now){.mono = {1000000}, .wall = {1700000000000}};
    static const struct hs_watch_conf conf = {.nodes_max = NODES, .told = told};
    w = hs_watch_create(&conf);
    ck_assert_ptr_nonnull(w);
    save_error = "";
    certificate_end_s = 0;
    refusal = (struct hs_tls_refusal){.ip = ""};
    old = masters();
    new = masters();
}

static void teardown(void)
{
    hs_topo_destroy(old);
    hs_topo_destroy(new);
    hs_watch_destroy(w);
}

static void look(void)
{
    struct look k = {.old = old,
                     .new = new,
                     .now = now,
                     .timeout_ms = TIMEOUT_MS,
                     .certificate_end_s = certificate_end_s,
                     .save_error = save_error,
                     .save_failures = 3,
                     .refusals = {refusal},
                     .refusals_n = refusal.times > 0};
    watch_look(w, &k);
}

static void pass(int64_t ms)
{
    now.mono.ms += ms;
    now.wall.ms += ms;
    new->taken_ms = now.wall.ms;
    for (uint32_t i = 0; i < NODES; i++)
        new->nodes[i].heard_to_ms = new->nodes[i].heard_from_ms = now.wall.ms;
}

/* The next event is this one; with text NULL only its name is compared. */
static uint64_t at;

static void ck_told(enum hs_told_kind kind, const char *text)
{
    struct hs_told t;
    uint64_t lost = 0;
    if (at < w->journal.first - 1 || at > hs_watch_newest(w))
        at = w->journal.first - 1;
    ck_assert_msg(hs_watch_next(w, &at, &t, &lost), "nothing told, wanted %s",
                  hs_told_row(kind)->name);
    ck_assert_str_eq(hs_told_row(t.kind)->name, hs_told_row(kind)->name);
    if (text != NULL)
        ck_assert_str_eq(t.text, text);
}

static void ck_no_more(void)
{
    struct hs_told t;
    uint64_t lost = 0;
    if (at < w->journal.first - 1 || at > hs_watch_newest(w))
        at = w->journal.first - 1;
    bool more = hs_watch_next(w, &at, &t, &lost);
    ck_assert_msg(!more, "told %s %s", hs_told_row(t.kind)->name, t.text);
}

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define F "ffffffffffffffffffffffffffffffffffffffff"
#define ABOUT_B "node=" B " name=- address=10.0.0.1:7001@17001 role=master"
#define ABOUT_F "node=" F " name=- address=10.0.0.5:7005@17005 role="

START_TEST(equal_views_tell_nothing)
{
    look();
    pass(60000);
    look();
    ck_no_more();
}
END_TEST

START_TEST(suspicion_and_verdict_are_told_with_their_slots_and_quorum)
{
    new->nodes[1].flags |= HS_NODE_PFAIL;
    new->nodes[1].ping_sent_ms = new->taken_ms - 2100;
    look();
    ck_told(HS_TOLD_PFAIL, ABOUT_B " slots=4096 silent_ms=2100");
    old->nodes[1].flags |= HS_NODE_PFAIL;
    new->nodes[1].flags = HS_NODE_MASTER | HS_NODE_FAIL;
    new->nodes[1].reports_n = 2;
    look();
    ck_told(HS_TOLD_FAIL, ABOUT_B " slots=4096 reports=2 quorum=3");
    old->nodes[1].flags = HS_NODE_MASTER | HS_NODE_FAIL;
    old->nodes[1].fail_ms = new->taken_ms - 5000;
    new->nodes[1].flags = HS_NODE_MASTER;
    look();
    ck_told(HS_TOLD_FAIL_OVER, ABOUT_B " slots=4096 after_ms=5000");
    old->nodes[1].flags = HS_NODE_MASTER | HS_NODE_PFAIL;
    old->nodes[1].pfail_ms = 0;
    look();
    ck_told(HS_TOLD_PFAIL_OVER, ABOUT_B " slots=4096 after_ms=0");
    ck_no_more();
}
END_TEST

START_TEST(a_failover_is_told_as_role_slots_and_switch)
{
    old->nodes[5].flags = HS_NODE_SLAVE;
    old->nodes[5].master = 1;
    new->nodes[5].config_epoch = 9;
    for (uint32_t s = 4096; s < 8192; s++)
        new->owner[s] = 5;
    look();
    ck_told(HS_TOLD_ROLE, ABOUT_F "master old=replica new=master old_master=" B " new_master=-");
    ck_told(HS_TOLD_EPOCH, ABOUT_F "master old=6 new=9");
    ck_told(HS_TOLD_SLOTS, "old=" B " old_name=- new=" F " new_name=- slots=4096-8191 n=4096");
    ck_told(HS_TOLD_SWITCH_MASTER, ABOUT_F "master old=" B " old_address=10.0.0.1:7001@17001 new=" F
                                           " new_address=10.0.0.5:7005@17005 slots=4096 epoch=9");
    ck_no_more();
}
END_TEST

START_TEST(slots_that_move_between_masters_are_no_switch)
{
    new->owner[0] = new->owner[2] = new->owner[3] = 1;
    new->owner[7] = HS_TOPO_NONE;
    look();
    ck_told(HS_TOLD_SLOTS, "old=" A " old_name=- new=" B " new_name=- slots=0,2-3 n=3");
    ck_told(HS_TOLD_SLOTS, "old=" A " old_name=- new=- new_name=- slots=7 n=1");
    ck_no_more();
}
END_TEST

/* Every second slot: 2048 ranges, of which 16 are told. */
START_TEST(many_ranges_are_cut_and_still_counted)
{
    for (uint32_t s = 0; s < 4096; s += 2)
        new->owner[s] = 1;
    look();
    struct hs_told t;
    uint64_t lost = 0;
    uint64_t seq = w->journal.first - 1;
    ck_assert(hs_watch_next(w, &seq, &t, &lost));
    ck_assert_ptr_nonnull(
        strstr(t.text, "slots=0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,+ n=2048"));
}
END_TEST

START_TEST(places_of_nodes_do_not_matter)
{
    struct hs_topo_node n = new->nodes[1];
    new->nodes[1] = new->nodes[2];
    new->nodes[2] = n;
    for (uint32_t s = 0; s < HS_SLOTS; s++)
        if (new->owner[s] == 1 || new->owner[s] == 2)
            new->owner[s] = (uint16_t)(3 - new->owner[s]);
    look();
    ck_no_more();
}
END_TEST

START_TEST(who_comes_and_who_goes_is_told_and_handshakes_are_not)
{
    new->nodes[5].id = id_of(7);
    new->nodes[4].flags |= HS_NODE_HANDSHAKE;
    old->nodes[4].flags |= HS_NODE_HANDSHAKE;
    look();
    ck_told(HS_TOLD_NODE, NULL);
    ck_told(HS_TOLD_NODE_GONE, ABOUT_F "master master=- slots=0");
    ck_no_more();
}
END_TEST

START_TEST(addresses_names_links_votes_and_state_are_told_with_old_and_new)
{
    strcpy(new->nodes[1].ip, "10.1.1.1");
    old->nodes[1].nodename = "x";
    new->nodes[1].nodename = "rack 7=\"a\"\n%";
    new->nodes[1].link_to_ms = 0;
    new->last_vote_epoch = 8;
    new->ok = false;
    look();
#define NAMED "node=" B " name=rack%207%3D%22a%22%0A%25 address=10.1.1.1:7001@17001 role=master"
    ck_told(HS_TOLD_ADDRESS, NAMED " old=10.0.0.1:7001@17001 new=10.1.1.1:7001@17001");
    ck_told(HS_TOLD_NAME,
            NAMED " old=x new=rack%207%3D%22a%22%0A%25 old_hostname=- new_hostname=-");
    ck_told(HS_TOLD_LINK_OVER, NULL);
    ck_told(HS_TOLD_VOTE, "old=0 new=8");
    ck_told(HS_TOLD_STATE, "old=ok new=fail slots_ok=0 slots_pfail=0 slots_fail=0 size=4");
    ck_no_more();
}
END_TEST

/* ---- conditions ---- */

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

/* ---- the journal ---- */

START_TEST(a_late_reader_is_told_how_much_it_missed)
{
    uint64_t seq = hs_watch_newest(w), first = seq, lost = 0;
    struct hs_told t;
    char text[16];
    for (int i = 0; i < HS_JOURNAL_MAX + 3; i++) {
        snprintf(text, sizeof(text), "new=%d", i);
        hs_watch_tell(w, HS_TOLD_VOTE, text);
    }
    ck_assert_uint_eq(hs_watch_oldest(w), first + 3);
    ck_assert(hs_watch_next(w, &seq, &t, &lost));
    ck_assert_uint_eq(lost, 3);
    ck_assert_str_eq(t.text, "new=3");
    ck_assert_uint_eq(t.seq, first + 4);
    for (int i = 0; i < HS_JOURNAL_MAX - 1; i++)
        ck_assert(hs_watch_next(w, &seq, &t, &lost));
    ck_assert_uint_eq(lost, 3);
    ck_assert(!hs_watch_next(w, &seq, &t, &lost));
}
END_TEST

START_TEST(a_line_never_outgrows_its_event)
{
    char huge[600];
    memset(huge, '"', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = '\0';
    struct line l;
    line_begin(&l, HS_TOLD_NAME);
    line_text(&l, "old", huge);
    line_text(&l, "new", huge);
    line_text(&l, "role", "master");
    ck_assert_uint_lt(l.n, HS_TOLD_TEXT_MAX);
    ck_assert_uint_eq(strlen(l.text), l.n);
    ck_assert_ptr_nonnull(strstr(l.text, "role=master"));
}
END_TEST

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
    char path[] = "/tmp/check_watch_look.XXXXXX", line[2048] = "";
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
    Suite *s = suite_create("watch_look");
    TCase *tc = tcase_create("look");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, equal_views_tell_nothing);
    tcase_add_test(tc, suspicion_and_verdict_are_told_with_their_slots_and_quorum);
    tcase_add_test(tc, a_failover_is_told_as_role_slots_and_switch);
    tcase_add_test(tc, slots_that_move_between_masters_are_no_switch);
    tcase_add_test(tc, many_ranges_are_cut_and_still_counted);
    tcase_add_test(tc, places_of_nodes_do_not_matter);
    tcase_add_test(tc, who_comes_and_who_goes_is_told_and_handshakes_are_not);
    tcase_add_test(tc, addresses_names_links_votes_and_state_are_told_with_old_and_new);
    tcase_add_test(tc, a_condition_that_must_last_is_told_once_and_its_end_once);
    tcase_add_test(tc, one_that_does_not_last_is_not_told);
    tcase_add_loop_test(tc, every_condition_is_named_begins_once_and_ends_once, 0,
                        (int)(sizeof(conditions) / sizeof(conditions[0])));
    tcase_add_test(tc, a_certificate_is_told_a_week_before_its_end_and_at_its_end);
    tcase_add_test(tc, an_id_that_goes_to_and_fro_between_two_addresses_is_a_twin);
    tcase_add_test(tc, a_node_that_moves_on_and_on_is_no_twin);
    tcase_add_test(tc, conditions_have_a_bound);
    tcase_add_test(tc, a_late_reader_is_told_how_much_it_missed);
    tcase_add_test(tc, a_line_never_outgrows_its_event);
    tcase_add_test(tc, a_node_whose_tls_fails_again_and_again_is_told_of_until_it_does_not);
    tcase_add_test(tc, in_the_log_a_condition_names_its_node_in_fields);
    tcase_add_test(tc, of_nodes_at_one_address_the_one_without_a_link_was_refused);
    tcase_add_test(tc, where_it_cannot_be_told_apart_the_address_is_named);
    tcase_add_test(tc, strangers_whose_tls_fails_are_not_told_of);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
