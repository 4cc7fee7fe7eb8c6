/* Events on channels and as pushes, and the commands that explain the view. */
#include "admin_fake.h"

static void deliver(void)
{
    fake.out.n = 0;
    fake.out.p[0] = '\0';
    fake.ops.turn(fake.ops.ctx, 0);
}

static void tell(enum hs_told_kind kind, const char *text)
{
    hs_watch_tell(fake.watch, kind, text);
    deliver();
}

START_TEST(an_event_is_a_message_on_the_channel_of_its_name)
{
    fake_run("SUBSCRIBE __hearsay__:+fail");
    tell(HS_TOLD_PFAIL, "node=a");
    ck_assert_str_eq(fake.out.p, "");
    tell(HS_TOLD_FAIL, "node=a");
    ck_assert_str_eq(fake.out.p,
                     "*3\r\n$7\r\nmessage\r\n$17\r\n__hearsay__:+fail\r\n$6\r\nnode=a\r\n");
}
END_TEST

START_TEST(patterns_match_event_channels)
{
    fake_run("PSUBSCRIBE __hearsay__:?fail");
    tell(HS_TOLD_FAIL_OVER, "node=a");
    ck_assert_str_eq(fake.out.p, "*4\r\n$8\r\npmessage\r\n$17\r\n__hearsay__:?fail\r\n"
                                 "$17\r\n__hearsay__:-fail\r\n$6\r\nnode=a\r\n");
}
END_TEST

START_TEST(what_happened_before_one_listened_is_not_told)
{
    hs_watch_tell(fake.watch, HS_TOLD_FAIL, "node=a");
    fake_run("SUBSCRIBE __hearsay__:+fail");
    deliver();
    ck_assert_str_eq(fake.out.p, "");
}
END_TEST

START_TEST(nobody_may_publish_where_events_are)
{
    ck_line("PUBLISH __hearsay__:+fail x",
            "-ERR channels that begin with __hearsay__: are for events of this node");
    ck_assert_uint_eq(fake.requests_n, 0);
    ck_reply("PUBLISH __hearsay__ x", ":0\r\n"); /* only the prefix is ours */
}
END_TEST

START_TEST(a_peers_message_on_an_event_channel_is_dropped_and_counted)
{
    struct hs_publish p = {.channel = (const uint8_t *)"__hearsay__:+fail",
                           .message = (const uint8_t *)"x",
                           .channel_len = 17,
                           .message_len = 1};
    fake_run("PSUBSCRIBE *");
    fake.out.n = 0;
    ck_assert_uint_eq(fake.ops.deliver(fake.ops.ctx, 0, &p, false), 0);
    ck_assert_uint_eq(fake.out.n, 0);
    ck_assert_uint_eq(fake.admin->reactors[0].events_forged, 1);
    p.channel_len = 11;
    ck_assert_uint_eq(fake.ops.deliver(fake.ops.ctx, 0, &p, false), 1);
}
END_TEST

START_TEST(events_are_pushed_to_those_who_ask_and_match_once)
{
    fake_run("HELLO 3");
    ck_reply("HEARSAY EVENTS ON +f* *fail -link", "+OK\r\n");
    ck_assert(fake.has_subscribers);
    tell(HS_TOLD_FAIL, "node=a");
    ck_assert_str_eq(fake.out.p, ">3\r\n$13\r\nhearsay-event\r\n$5\r\n+fail\r\n$6\r\nnode=a\r\n");
    tell(HS_TOLD_STATE, "old=ok");
    ck_assert_str_eq(fake.out.p, "");
    ck_reply("HEARSAY EVENTS ON", "+OK\r\n"); /* all, instead */
    tell(HS_TOLD_FAIL, "node=a");
    ck_assert_str_eq(fake.out.p, ">3\r\n$13\r\nhearsay-event\r\n$5\r\n+fail\r\n$6\r\nnode=a\r\n");
    tell(HS_TOLD_STATE, "old=ok");
    ck_assert_uint_gt(fake.out.n, 0);
    ck_reply("HEARSAY EVENTS OFF", "+OK\r\n");
    ck_assert(!fake.has_subscribers);
    tell(HS_TOLD_FAIL, "node=a");
    ck_assert_str_eq(fake.out.p, "");
}
END_TEST

START_TEST(who_goes_back_to_RESP2_is_pushed_nothing_any_more)
{
    fake_run("HELLO 3");
    fake_run("HEARSAY EVENTS ON");
    fake_run("HELLO 2");
    ck_assert(!fake.has_subscribers);
    tell(HS_TOLD_FAIL, "node=a");
    ck_assert_str_eq(fake.out.p, "");
    ck_reply("PING", "+PONG\r\n"); /* and is no subscriber */
}
END_TEST

START_TEST(pushes_need_RESP3_and_patterns_without_blanks)
{
    ck_line("HEARSAY EVENTS ON", "-ERR HEARSAY EVENTS sends pushes, which RESP2 has not: say HELLO "
                                 "3 first, or PSUBSCRIBE __hearsay__:*");
    fake_run("HELLO 3");
    ck_line("HEARSAY EVENTS ON \"a b\"",
            "-ERR a pattern of event names is not empty and has no blanks");
    ck_assert_str_eq(fake_run("HEARSAY EVENTS MAYBE"),
                     "-ERR unknown subcommand or wrong number of arguments for 'EVENTS'. Try "
                     "HEARSAY HELP.\r\n");
    ck_assert(!fake.has_subscribers);
}
END_TEST

START_TEST(a_listener_that_is_late_is_told_what_it_missed)
{
    fake_run("PSUBSCRIBE __hearsay__:+[lv]o*");
    for (int i = 0; i < HS_JOURNAL_MAX + 5; i++)
        hs_watch_tell(fake.watch, HS_TOLD_FAIL, "node=a");
    deliver();
    ck_assert_ptr_nonnull(strstr(fake.out.p, "__hearsay__:+lost\r\n$3\r\nn=5\r\n"));
    ck_assert_uint_eq(fake.admin->reactors[0].events_lost, 5);
}
END_TEST

/* ---- TOPOLOGY ---- */

static const char *since(const char *version)
{
    char line[64];
    snprintf(line, sizeof(line), "HEARSAY TOPOLOGY SINCE %s", version);
    return fake_run(line);
}

START_TEST(changes_since_a_version_are_listed)
{
    char version[24], expected[512];
    uint64_t newest = hs_watch_newest(fake.watch);
    snprintf(version, sizeof(version), "%llu", (unsigned long long)newest);
    hs_watch_tell(fake.watch, HS_TOLD_FAIL, "node=a");
    const char *reply = since(version);
    snprintf(expected, sizeof(expected), "*8\r\n$7\r\nversion\r\n:%llu\r\n$4\r\nhash\r\n$16\r\n",
             (unsigned long long)newest + 1);
    ck_assert_msg(strncmp(reply, expected, strlen(expected)) == 0, "%s", reply);
    ck_assert_ptr_nonnull(strstr(reply, "$4\r\nfull\r\n:0\r\n$7\r\nchanges\r\n*1\r\n*4\r\n"));
    ck_assert_ptr_nonnull(strstr(reply, "$5\r\n+fail\r\n$6\r\nnode=a\r\n"));
    snprintf(version, sizeof(version), "%llu", (unsigned long long)newest + 1);
    ck_assert_ptr_nonnull(strstr(since(version), "full\r\n:0\r\n$7\r\nchanges\r\n*0\r\n"));
}
END_TEST

START_TEST(what_the_journal_has_not_is_full)
{
    static const char *const unknown[] = {"0", "-1", "9223372036854775807"};
    for (int i = 0; i < 3; i++)
        ck_assert_ptr_nonnull(strstr(since(unknown[i]), "full\r\n:1\r\n$7\r\nchanges\r\n*0\r\n"));
    ck_line("HEARSAY TOPOLOGY SINCE x", "-ERR value is not an integer or out of range");
    ck_assert_str_eq(fake_run("HEARSAY TOPOLOGY SIZE"),
                     "-ERR unknown subcommand or wrong number of arguments for 'TOPOLOGY'. Try "
                     "HEARSAY HELP.\r\n");
}
END_TEST

START_TEST(the_hash_is_that_of_the_view)
{
    char expected[32];
    snprintf(expected, sizeof(expected), "$16\r\n%016llx\r\n",
             (unsigned long long)hs_topo_hash(fake.topo));
    ck_reply("HEARSAY TOPOLOGY HASH", expected);
}
END_TEST

/* ---- LINKS and WHY ---- */

#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccc"

START_TEST(links_are_those_to_members_and_never_is_null)
{
    fake.topo->taken_ms = 10000;
    fake.view.conf.node_timeout_ms = 2000;
    fake.topo->nodes[1].heard_to_ms = 9000;
    fake.topo->nodes[1].has_rtt = true;
    fake.topo->nodes[1].rtt_ms = 7;
    fake.topo->nodes[1].rtt_min_ms = 2;
    fake.topo->nodes[1].rtt_smooth_8 = 36;
    fake_run("HELLO 3");
    const char *reply = fake_run("HEARSAY LINKS");
    const char *expected = "*3\r\n%12\r\n$4\r\nnode\r\n$40\r\n" B "\r\n$4\r\nname\r\n$0\r\n\r\n"
                           "$7\r\naddress\r\n$20\r\n127.0.0.1:7001@17001\r\n"
                           "$8\r\nto-up-ms\r\n:8999\r\n$10\r\nfrom-up-ms\r\n:8000\r\n"
                           "$11\r\nheard-to-ms\r\n:1000\r\n$13\r\nheard-from-ms\r\n_\r\n"
                           "$13\r\nunanswered-ms\r\n_\r\n$6\r\nrtt-ms\r\n,7\r\n"
                           "$10\r\nrtt-min-ms\r\n,2\r\n$15\r\nrtt-smoothed-ms\r\n,4.5\r\n"
                           "$7\r\none-way\r\n$2\r\nno\r\n";
    ck_assert_msg(strncmp(reply, expected, strlen(expected)) == 0, "%s", reply);
}
END_TEST

/* The owner's part: this many accuse it, and here are those there is room for. */
static const char *why(const char *id, int64_t accusers)
{
    char line[64];
    fake.number = accusers;
    fake.hold = true;
    snprintf(line, sizeof(line), "HEARSAY WHY %s", id);
    fake_run(line);
    ck_assert_int_eq(fake.kind, HS_REQ_ACCUSERS);
    for (uint32_t i = 0; i < fake.held->base.accusers_max && i < accusers; i++)
        fake.held->base.accusers[i] =
            (struct hs_accuser){.id = fake.topo->nodes[2].id, .since_ms = 4000, .last_ms = 9500};
    fake.ops.reply(fake.session, fake.held, &fake.out);
    return fake.out.p;
}

static bool says(const char *reply, const char *part)
{
    return strstr(reply, part) != NULL;
}

START_TEST(why_names_accusers_and_what_is_missing)
{
    fake.topo->taken_ms = 10000;
    fake.topo->size = 5;
    fake.topo->nodes[1].flags |= HS_NODE_PFAIL;
    fake.topo->nodes[1].pfail_ms = 7000;
    const char *reply = why(B, 1);
    ck_assert(says(reply, "$5\r\nstate\r\n$5\r\npfail\r\n"));
    ck_assert(says(reply, "suspected here, not FAIL: 1 more of the 5 masters"));
    ck_assert(says(reply, "$14\r\npfail-since-ms\r\n:3000\r\n$13\r\nfail-since-ms\r\n$-1\r\n"));
    ck_assert(says(reply, "$6\r\nvoters\r\n:5\r\n$6\r\nquorum\r\n:3\r\n$11\r\naccusations\r\n:2\r\n"
                          "$7\r\nmissing\r\n:1\r\n"));
    ck_assert(says(reply,
                   "$8\r\naccusers\r\n*1\r\n*8\r\n$4\r\nnode\r\n$40\r\n" C "\r\n$4\r\nname\r\n"
                   "$0\r\n\r\n$8\r\nsince-ms\r\n:6000\r\n$7\r\nlast-ms\r\n:500\r\n"));
}
END_TEST

START_TEST(why_tells_what_keeps_a_verdict)
{
    struct hs_topo_node *n = &fake.topo->nodes[1];
    fake.topo->taken_ms = 100000;
    fake.view.conf.node_timeout_ms = 15000;
    n->flags |= HS_NODE_FAIL;
    n->fail_ms = 95000;
    n->ping_sent_ms = 80000;
    n->link_to_ms = 0;
    ck_assert(says(why(B, 0), "FAIL stays: no connection to it can be made"));
    n->link_to_ms = 96000;
    ck_assert(says(why(B, 0), "FAIL stays: it is connected but does not answer"));
    n->ping_sent_ms = 0;
    n->heard_to_ms = 99000;
    ck_assert(says(why(B, 0), "FAIL stays for 25000 ms more although it answers"));
    n->slots_n = 0;
    ck_assert(says(why(B, 0), "FAIL is lifted with its next answer"));
    ck_assert(says(why(B, 0), "$7\r\nmissing\r\n:0\r\n"));
}
END_TEST

START_TEST(why_of_the_unknown_the_sound_and_oneself)
{
    ck_line("HEARSAY WHY 1234", "-ERR Unknown node 1234");
    ck_assert_uint_eq(fake.requests_n, 0);
    ck_assert(says(why(B, 0), "nobody doubts it"));
    ck_assert(says(why(B, 1), "not suspected here: it answers this node"));
    ck_assert(says(why("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0), "this is the node you ask"));
}
END_TEST

START_TEST(counters_of_the_watch_are_in_INFO)
{
    hs_watch_tell(fake.watch, HS_TOLD_FAIL, "node=a");
    const char *reply = fake_run("INFO hearsay");
    ck_assert(says(reply, "\r\nwatch_events:1\r\n"));
    ck_assert(says(reply, "\r\nwatch_split_now:0\r\n"));
    ck_assert(says(reply, "\r\nadmin_events_lost:0\r\n"));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        an_event_is_a_message_on_the_channel_of_its_name,
        patterns_match_event_channels,
        what_happened_before_one_listened_is_not_told,
        nobody_may_publish_where_events_are,
        a_peers_message_on_an_event_channel_is_dropped_and_counted,
        events_are_pushed_to_those_who_ask_and_match_once,
        pushes_need_RESP3_and_patterns_without_blanks,
        who_goes_back_to_RESP2_is_pushed_nothing_any_more,
        a_listener_that_is_late_is_told_what_it_missed,
        changes_since_a_version_are_listed,
        what_the_journal_has_not_is_full,
        the_hash_is_that_of_the_view,
        links_are_those_to_members_and_never_is_null,
        why_names_accusers_and_what_is_missing,
        why_tells_what_keeps_a_verdict,
        why_of_the_unknown_the_sound_and_oneself,
        counters_of_the_watch_are_in_INFO,
    };
    return hs_test_main(fake_suite("admin_events", tests, sizeof(tests) / sizeof(tests[0])));
}
