/* Subscriptions and deliveries on one reactor, bytes as a client reads them. */
#include "admin_fake.h"

static uint32_t deliver(const char *channel, const char *message, bool sharded)
{
    struct hs_publish p = {
        .channel = (const uint8_t *)channel,
        .message = (const uint8_t *)message,
        .channel_len = (uint32_t)strlen(channel),
        .message_len = (uint32_t)strlen(message),
    };
    fake.out.n = 0;
    fake.out.p[0] = '\0';
    return fake.ops.deliver(fake.ops.ctx, 0, &p, sharded);
}

START_TEST(a_channel_is_delivered_to_its_subscriber_in_both_protocols)
{
    ck_reply("SUBSCRIBE a b", "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
                              "*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n");
    ck_assert(fake.has_subscribers);
    ck_assert_uint_eq(deliver("a", "hi", false), 1);
    ck_assert_str_eq(fake.out.p, "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n");
    ck_assert_uint_eq(deliver("c", "hi", false), 0);
    ck_assert_uint_eq(deliver("a", "hi", true), 0); /* shard channels are others */
    fake_run("UNSUBSCRIBE");
    ck_assert(!fake.has_subscribers);
    fake_run("HELLO 3");
    fake_run("SUBSCRIBE a");
    deliver("a", "hi", false);
    ck_assert_str_eq(fake.out.p, ">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n");
}
END_TEST

START_TEST(patterns_come_after_the_channel_and_count_apart)
{
    fake_run("SUBSCRIBE abc");
    fake_run("PSUBSCRIBE a* [^a]* A*");
    ck_assert_uint_eq(deliver("abc", "x", false), 2);
    ck_assert_str_eq(fake.out.p, "*3\r\n$7\r\nmessage\r\n$3\r\nabc\r\n$1\r\nx\r\n"
                                 "*4\r\n$8\r\npmessage\r\n$2\r\na*\r\n$3\r\nabc\r\n$1\r\nx\r\n");
    ck_reply("RESET", "+RESET\r\n");
    ck_reply("PUBSUB NUMPAT", ":0\r\n");
    ck_assert_uint_eq(deliver("abc", "x", false), 0);
}
END_TEST

START_TEST(names_may_hold_any_byte)
{
    static const char subscribe[] = "*2\r\n$9\r\nSUBSCRIBE\r\n$3\r\na\0b\r\n";
    fake_feed(subscribe, sizeof(subscribe) - 1);
    struct hs_publish p = {.channel = (const uint8_t *)"a\0b", .channel_len = 3};
    ck_assert_uint_eq(fake.ops.deliver(fake.ops.ctx, 0, &p, false), 1);
    p.channel = (const uint8_t *)"a\0c";
    ck_assert_uint_eq(fake.ops.deliver(fake.ops.ctx, 0, &p, false), 0);
}
END_TEST

START_TEST(a_thousand_channels_are_found_and_let_go_in_any_order)
{
    char line[64];
    for (int i = 0; i < 1000; i++) {
        snprintf(line, sizeof(line), "SUBSCRIBE c%d", i);
        fake_run(line);
    }
    for (int i = 0; i < 1000; i += 37) {
        snprintf(line, sizeof(line), "c%d", i);
        ck_assert_uint_eq(deliver(line, "x", false), 1);
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(line, sizeof(line), "UNSUBSCRIBE c%d", i * 607 % 1000);
        fake_run(line);
    }
    ck_assert(!fake.has_subscribers);
    ck_reply("PUBSUB CHANNELS", "*0\r\n");
}
END_TEST

START_TEST(with_subscriptions_resp2_allows_few_commands_and_resp3_all)
{
    fake_run("SUBSCRIBE a");
    ck_line("INFO", "-ERR Can't execute 'info': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / "
                    "QUIT / RESET are allowed in this context");
    ck_line("CONFIG GET x",
            "-ERR Can't execute 'config|get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / "
            "QUIT / RESET are allowed in this context");
    ck_reply("PING", "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    ck_reply("PING x", "*2\r\n$4\r\npong\r\n$1\r\nx\r\n");
    fake_run("UNSUBSCRIBE a");
    ck_reply("PING", "+PONG\r\n");
    fake_run("HELLO 3");
    fake_run("SUBSCRIBE a");
    ck_reply("PING", "+PONG\r\n");
}
END_TEST

START_TEST(who_listens_is_a_client_of_the_type_pubsub)
{
    static const char *const subscribes[] = {"SUBSCRIBE a", "PSUBSCRIBE a*"};

    fake_run("HELLO 3");
    for (size_t i = 0; i < 2; i++) {
        fake_run(subscribes[i]);
        ck_reply("CLIENT LIST TYPE normal", "=4\r\ntxt:\r\n");
        fake_run("CLIENT LIST TYPE pubsub");
        ck_assert_ptr_nonnull(strstr(fake.out.p, " flags=P "));
        ck_reply("CLIENT KILL TYPE normal SKIPME no", ":0\r\n");
        fake_run(i == 0 ? "UNSUBSCRIBE" : "PUNSUBSCRIBE");
        ck_reply("CLIENT LIST TYPE pubsub", "=4\r\ntxt:\r\n");
    }
    fake_run("SUBSCRIBE a");
    ck_reply("CLIENT KILL TYPE pubsub SKIPME no", ":1\r\n");
}
END_TEST

START_TEST(shard_channels_are_redirected_as_keys_are)
{
    uint16_t slot = admin_key_slot("x", 1);
    char line[128];
    fake.topo->owner[slot] = 1;
    snprintf(line, sizeof(line), "-MOVED %u 127.0.0.1:7001", slot);
    ck_line("SSUBSCRIBE x", line);
    ck_line("SPUBLISH x y", line);
    ck_line("SSUBSCRIBE x y", "-CROSSSLOT Keys in request don't hash to the same slot");
    ck_line("SSUBSCRIBE y", "-CLUSTERDOWN Hash slot not served");
    ck_line("SSUBSCRIBE y x", "-CLUSTERDOWN Hash slot not served");
    fake.topo->owner[slot] = 0;
    ck_reply("SSUBSCRIBE x", "*3\r\n$10\r\nssubscribe\r\n$1\r\nx\r\n:1\r\n");
    fake_run("SUNSUBSCRIBE");
    fake.topo->ok = false;
    ck_reply("SSUBSCRIBE x", "*3\r\n$10\r\nssubscribe\r\n$1\r\nx\r\n:1\r\n");
    fake_run("SUNSUBSCRIBE");
    fake.view.conf.allow_pubsubshard_when_down = false;
    ck_line("SSUBSCRIBE x", "-CLUSTERDOWN The cluster is down");
}
END_TEST

START_TEST(a_shard_channel_ends_when_its_slot_goes)
{
    uint16_t slot = admin_key_slot("x", 1);
    fake.topo->owner[slot] = 0;
    fake_run("SSUBSCRIBE x {x}2");
    fake.topo->version++;
    fake.ops.changed(fake.ops.ctx, 0);
    ck_assert_uint_eq(deliver("x", "m", true), 1);
    fake.topo->owner[slot] = 1;
    fake.topo->version++;
    fake.out.n = 0;
    fake.ops.changed(fake.ops.ctx, 0);
    ck_assert_str_eq(fake.out.p, "*3\r\n$12\r\nsunsubscribe\r\n$1\r\nx\r\n:1\r\n"
                                 "*3\r\n$12\r\nsunsubscribe\r\n$4\r\n{x}2\r\n:0\r\n");
    ck_assert(!fake.has_subscribers);
}
END_TEST

START_TEST(publish_asks_the_owner_and_answers_with_its_number)
{
    fake.number = 7;
    ck_reply("PUBLISH chan message", ":7\r\n");
    ck_assert_int_eq(fake.kind, HS_REQ_PUBLISH);
    ck_assert_int_eq(fake.cmd.type, HS_CMD_PUBLISH);
    ck_assert(!fake.cmd.sharded);
}
END_TEST

START_TEST(a_message_beyond_the_frame_bound_is_refused)
{
    size_t n = HS_PUBLISH_MAX;
    char *line = malloc(n + 64);
    int head = snprintf(line, 64, "*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$%zu\r\n", n);
    memset(line + head, 'x', n);
    memcpy(line + head + n, "\r\n", 2);
    fake.out.n = 0;
    fake_feed(line, (size_t)head + n + 2);
    ck_assert_int_eq(strncmp(fake.out.p, "-ERR channel and message are longer", 35), 0);
    ck_assert_uint_eq(fake.requests_n, 0);
    free(line);
}
END_TEST

START_TEST(a_subscriber_that_leaves_is_forgotten)
{
    fake_run("SUBSCRIBE a");
    fake_run("PSUBSCRIBE b");
    fake.ops.close(fake.session);
    fake.session = NULL;
    ck_assert(!fake.has_subscribers);
    ck_assert_uint_eq(deliver("a", "x", false), 0);
}
END_TEST

START_TEST(replies_that_are_off_do_not_silence_messages)
{
    fake_run("CLIENT REPLY OFF");
    ck_reply("SUBSCRIBE a", "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_channel_is_delivered_to_its_subscriber_in_both_protocols,
        patterns_come_after_the_channel_and_count_apart,
        names_may_hold_any_byte,
        a_thousand_channels_are_found_and_let_go_in_any_order,
        with_subscriptions_resp2_allows_few_commands_and_resp3_all,
        who_listens_is_a_client_of_the_type_pubsub,
        shard_channels_are_redirected_as_keys_are,
        a_shard_channel_ends_when_its_slot_goes,
        publish_asks_the_owner_and_answers_with_its_number,
        a_message_beyond_the_frame_bound_is_refused,
        a_subscriber_that_leaves_is_forgotten,
        replies_that_are_off_do_not_silence_messages,
    };
    return hs_test_main(fake_suite("admin pubsub", tests, sizeof(tests) / sizeof(tests[0])));
}
