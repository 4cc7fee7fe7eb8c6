/* A message between a client, the core, and the reactors that have subscribers. */
#include "owner_world.h"

static struct hs_publish message = {.channel = (const uint8_t *)"chan",
                                    .message = (const uint8_t *)"hello",
                                    .channel_len = 4,
                                    .message_len = 5};

static void send_one(const struct hs_event *ev, struct hs_actions *out)
{
    if (ev->type != HS_EV_COMMAND || ev->cmd->type != HS_CMD_PUBLISH)
        return;
    add_send(out, 1, 100);
    out->v[0].control = false;
}

static struct hs_request publish(void)
{
    struct hs_request req = {.kind = HS_REQ_PUBLISH, .conn = {1, 1}, .number = 99};
    req.cmd.type = HS_CMD_PUBLISH;
    req.cmd.publish = &message;
    return req;
}

static void ask(struct hs_request *req)
{
    struct hs_in in = {.kind = HS_IN_REQUEST, .conn = {1, 1}, .ptr = req};
    give(&in);
}

START_TEST(without_subscribers_a_publish_is_sent_and_answered_with_none)
{
    begin(send_one);
    struct hs_request req = publish();
    ask(&req);
    struct hs_out sent = get(), answer = get();
    ck_assert_int_eq(sent.kind, HS_OUT_SEND);
    ck_assert(!sent.control);
    ck_assert_int_eq(answer.kind, HS_OUT_REPLY);
    ck_assert_ptr_eq(answer.ptr, &req);
    ck_assert_int_eq(req.number, 0);
    give_back(&sent);
    end();
    ck_assert_uint_eq(owner_chunks_out(&owner->chunks), 0);
}
END_TEST

START_TEST(a_publish_is_answered_when_its_deliveries_came_back)
{
    atomic_store(&has_subscribers, true);
    begin(NULL);
    struct hs_request req = publish();
    ask(&req);
    struct hs_out out;
    do
        out = get();
    while (out.kind == HS_OUT_CHANGED);
    ck_assert_int_eq(out.kind, HS_OUT_DELIVER);
    const uint8_t *p = out.chunk->bytes + out.off;
    ck_assert_uint_eq(hs_get32(p), 4);
    ck_assert_uint_eq(hs_get32(p + 4), 5);
    ck_assert_int_eq(memcmp(p + 8, "chanhello", 9), 0);
    give_back(&out);
    do
        out = get();
    while (out.kind == HS_OUT_CHANGED);
    ck_assert_int_eq(out.kind, HS_OUT_REPLY);
    ck_assert_int_eq(req.number, 3);
    end();
}
END_TEST

static void deliver_frame(const struct hs_event *ev, struct hs_actions *out)
{
    if (ev->type == HS_EV_RECV)
        add(out, HS_ACT_DELIVER)->sharded = true;
}

START_TEST(a_message_of_a_peer_is_copied_for_the_reactors_and_its_frame_goes_back)
{
    uint8_t bytes[256];
    atomic_store(&has_subscribers, true);
    begin(deliver_frame);
    struct hs_in in = frame_in();
    uint32_t len = hs_wire_build_publish(bytes, HS_MSG_PUBLISHSHARD, &message, true);
    ck_assert_int_eq(hs_wire_check(bytes, len, &in.view), HS_WIRE_OK);
    give(&in);
    wait_for(&steps[HS_EV_RECV], 1);
    struct hs_out out;
    do
        out = get();
    while (out.kind == HS_OUT_CHANGED);
    ck_assert_int_eq(out.kind, HS_OUT_DELIVER);
    ck_assert_uint_eq(out.dial, 1);
    ck_assert_ptr_null(out.tag);
    ck_assert_int_eq(memcmp(out.chunk->bytes + out.off + 8, "chanhello", 9), 0);
    give_back(&out);
    struct hs_frame_ref ref;
    ck_assert(hs_frame_ring_pop(&frame_ring, &ref));
    end();
}
END_TEST

START_TEST(a_large_message_has_a_chunk_of_its_own_that_goes_with_it)
{
    enum { LARGE = HS_PUBLISH_MAX - 4 };
    message.message = calloc(1, LARGE);
    message.message_len = LARGE;
    begin(send_one);
    struct hs_request req = publish();
    ask(&req);
    struct hs_out sent = get(), answer = get();
    ck_assert_int_eq(answer.kind, HS_OUT_REPLY);
    ck_assert_uint_gt(sent.chunk->size, LARGE);
    give_back(&sent);
    end();
    ck_assert_uint_eq(owner->chunks.large_n, 0);
    free((void *)(uintptr_t)message.message);
}
END_TEST

START_TEST(publishes_wait_when_half_of_the_chunks_are_out_and_control_does_not)
{
    struct owner_chunks p;
    ck_assert(owner_chunks_init(&p, STEP_BYTES));
    struct hs_chunk *c;
    uint32_t n = 0;
    while ((c = owner_chunks_take_for_publish(&p, p.size)) != NULL) {
        owner_chunks_filled(c, p.size);
        c->refs++;
        n++;
    }
    ck_assert_uint_ge(n, p.max / 2);
    ck_assert_uint_le(n, p.max / 2 + 1);
    ck_assert_ptr_nonnull(owner_chunks_take(&p, p.size));
    owner_chunks_fini(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("owner pubsub");
    TCase *t = tcase_create("pubsub");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, without_subscribers_a_publish_is_sent_and_answered_with_none);
    tcase_add_test(t, a_publish_is_answered_when_its_deliveries_came_back);
    tcase_add_test(t, a_message_of_a_peer_is_copied_for_the_reactors_and_its_frame_goes_back);
    tcase_add_test(t, a_large_message_has_a_chunk_of_its_own_that_goes_with_it);
    tcase_add_test(t, publishes_wait_when_half_of_the_chunks_are_out_and_control_does_not);
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
