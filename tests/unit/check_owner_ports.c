/* What finds no room waits in order, up to a bound; a close always finds room. */
#include "hs_test.h"

#include "owner_int.h"

enum { SLOTS = 4, CONNS = 3 };

static struct hs_out slots[SLOTS];
static struct hs_out_ring ring;
static struct owner_port port;

static void setup(void)
{
    hs_out_ring_init(&ring, slots, SLOTS);
    owner_port_init(&port, (struct hs_port){.out = &ring}, CONNS);
}

static void teardown(void)
{
    owner_port_fini(&port);
}

static bool push(enum hs_out_kind kind, uint32_t mark)
{
    struct hs_out out = {.kind = (uint8_t)kind, .len = mark};
    return owner_port_push(&port, &out);
}

START_TEST(entries_keep_their_order_through_the_queue)
{
    for (uint32_t i = 0; i < 20; i++)
        ck_assert(push(HS_OUT_SEND, i));
    ck_assert(owner_port_is_blocked(&port));
    struct hs_out out;
    for (uint32_t i = 0; i < 20; i++) {
        if (i % 2 == 0)
            owner_port_flush(&port);
        ck_assert(hs_out_ring_pop(&ring, &out));
        ck_assert_uint_eq(out.len, i);
    }
    ck_assert(!owner_port_is_blocked(&port));
}
END_TEST

START_TEST(nothing_overtakes_what_waits_when_the_ring_has_room_again)
{
    static struct hs_request reqs[SLOTS + 1];
    for (uint32_t i = 0; i < SLOTS; i++)
        ck_assert(push(HS_OUT_SEND, i));
    struct hs_out out;
    ck_assert(hs_out_ring_pop(&ring, &out));
    ck_assert(push(HS_OUT_SEND, SLOTS));
    for (uint32_t i = 1; i <= SLOTS; i++) {
        owner_port_flush(&port);
        ck_assert(hs_out_ring_pop(&ring, &out));
        ck_assert_uint_eq(out.len, i);
    }
    for (uint32_t i = 0; i < SLOTS; i++)
        owner_port_reply(&port, &reqs[i]);
    ck_assert(hs_out_ring_pop(&ring, &out));
    owner_port_reply(&port, &reqs[SLOTS]);
    for (uint32_t i = 1; i <= SLOTS; i++) {
        owner_port_flush(&port);
        ck_assert(hs_out_ring_pop(&ring, &out));
        ck_assert_ptr_eq(out.ptr, &reqs[i]);
    }
}
END_TEST

START_TEST(beyond_the_bound_a_send_is_refused_and_every_link_can_still_be_closed)
{
    uint32_t n = 0;
    while (push(HS_OUT_SEND, n))
        n++;
    ck_assert_uint_eq(n, SLOTS - 1 + OWNER_QUEUE_MAX);
    for (uint32_t i = 0; i < CONNS; i++)
        ck_assert(push(HS_OUT_CLOSE, n + i));
    ck_assert(push(HS_OUT_STOP, n + CONNS));
    ck_assert(!push(HS_OUT_SEND, 0));
    ck_assert(!push(HS_OUT_DIAL, 0));
    struct hs_out out;
    for (uint32_t i = 0; i <= n + CONNS; i++) {
        owner_port_flush(&port);
        ck_assert(hs_out_ring_pop(&ring, &out));
        ck_assert_uint_eq(out.len, i);
    }
    ck_assert(!hs_out_ring_pop(&ring, &out));
}
END_TEST

START_TEST(replies_wait_without_a_bound_and_in_order)
{
    static struct hs_request reqs[50];
    for (int i = 0; i < 50; i++)
        owner_port_reply(&port, &reqs[i]);
    ck_assert(owner_port_is_blocked(&port));
    struct hs_out out;
    for (int i = 0; i < 50; i++) {
        owner_port_flush(&port);
        ck_assert(hs_out_ring_pop(&ring, &out));
        ck_assert_int_eq(out.kind, HS_OUT_REPLY);
        ck_assert_ptr_eq(out.ptr, &reqs[i]);
    }
    owner_port_flush(&port);
    ck_assert(!owner_port_is_blocked(&port));
    owner_port_reply(&port, &reqs[0]);
    ck_assert(!owner_port_is_blocked(&port));
}
END_TEST

START_TEST(a_push_marks_the_port_for_its_wake)
{
    ck_assert(!port.dirty);
    ck_assert(push(HS_OUT_SEND, 0));
    ck_assert(port.dirty);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("owner_ports");
    TCase *t = tcase_create("ports");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, entries_keep_their_order_through_the_queue);
    tcase_add_test(t, nothing_overtakes_what_waits_when_the_ring_has_room_again);
    tcase_add_test(t, beyond_the_bound_a_send_is_refused_and_every_link_can_still_be_closed);
    tcase_add_test(t, replies_wait_without_a_bound_and_in_order);
    tcase_add_test(t, a_push_marks_the_port_for_its_wake);
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
