/* The life of bus links: dialing, closing from either side, names that are stale. */
#include "net_fixture.h"

static uint8_t frame[4096];

static void setup(void)
{
    fix_conf();
    net_conf.tune.dial_timeout_ms = 300;
    net_conf.frame_bytes_max = 64 << 20;
    fix_create();
    fix_start();
}

static void teardown(void)
{
    fix_stop();
}

static int listen_peer(uint16_t *port, int backlog)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    ck_assert_int_eq(listen(fd, backlog), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static int connect_and_wait(void)
{
    uint32_t up_n = seen.up_n;
    int fd = peer_connect(bus_port);

    FIX_UNTIL(seen.up_n == up_n + 1);
    return fd;
}

static void close_link(struct hs_conn_id id)
{
    struct hs_out out = {.kind = HS_OUT_CLOSE, .conn = id};

    fix_push(hs_net_reactor_of(net, id), &out);
}

START_TEST(a_dial_that_is_answered_is_up_with_its_number)
{
    uint16_t port;
    int listener = listen_peer(&port, 8);

    fix_dial(0, "127.0.0.1", port, 77);
    FIX_UNTIL(seen.up_n == 1);
    ck_assert(seen.last_outbound);
    ck_assert_uint_eq(seen.last_dial, 77);
    int fd = accept(listener, NULL, NULL);
    fix_send(seen.last_up, "hello", 5, false, fix_chunk());
    FIX_UNTIL(chunks[0].refs == chunks[0].done && chunks[1].refs == chunks[1].done);
    ck_assert(peer_read(fd, frame, 5));
    ck_assert_mem_eq(frame, "hello", 5);
    close(fd);
    close(listener);
    FIX_UNTIL(seen.down_n == 1);
}
END_TEST

START_TEST(a_refused_dial_fails_once_with_the_reason)
{
    fix_dial(0, "127.0.0.1", fix_free_port(), 5);
    FIX_UNTIL(seen.dial_failed_n == 1);
    ck_assert_uint_eq(seen.last_dial, 5);
    ck_assert_int_eq(seen.last_number, ECONNREFUSED);
    fix_play_ms(50);
    ck_assert_uint_eq(seen.dial_failed_n, 1);
    ck_assert_uint_eq(seen.up_n, 0);
}
END_TEST

START_TEST(an_address_that_is_none_fails_the_dial)
{
    static const char *const BAD[] = {"", "?", "localhost", "1.2.3", "1.2.3.4.5", "::g"};

    for (uint32_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        fix_dial(0, BAD[i], 7000, i);
        FIX_UNTIL(seen.dial_failed_n == i + 1);
        ck_assert_int_eq(seen.last_number, EINVAL);
    }
}
END_TEST

START_TEST(a_dial_nobody_answers_times_out)
{
    uint16_t port;
    int listener = listen_peer(&port, 0), filler[4];
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    for (int i = 0; i < 4; i++) { /* a full backlog drops every further SYN */
        filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(filler[i], (struct sockaddr *)&a, sizeof(a));
    }
    int64_t before = hs_clock().mono.ms;
    fix_dial(0, "127.0.0.1", port, 9);
    FIX_UNTIL(seen.dial_failed_n == 1);
    ck_assert_int_eq(seen.last_number, ETIMEDOUT);
    ck_assert_int_ge(hs_clock().mono.ms - before, 299); /* and no two minutes, as the kernel */
    for (int i = 0; i < 4; i++)
        close(filler[i]);
    close(listener);
}
END_TEST

START_TEST(a_link_that_the_owner_closes_is_down_once_and_the_peer_sees_it)
{
    int fd = connect_and_wait();

    close_link(seen.last_up);
    close_link(seen.last_up);
    FIX_UNTIL(seen.down_n == 1);
    ck_assert(!peer_read(fd, frame, 1));
    fix_play_ms(50);
    ck_assert_uint_eq(seen.down_n, 1);
    close(fd);
}
END_TEST

START_TEST(a_reset_by_the_peer_is_down_with_its_reason)
{
    int fd = connect_and_wait();

    peer_reset(fd);
    FIX_UNTIL(seen.down_n == 1);
    ck_assert_int_eq(seen.last_number, ECONNRESET);
}
END_TEST

START_TEST(what_was_sent_before_a_close_arrives_before_it)
{
    int fd = connect_and_wait();

    for (uint32_t i = 0; i < 20; i++)
        peer_write(fd, frame, peer_frame(frame, 1000, i));
    close(fd);
    FIX_UNTIL(seen.down_n == 1);
    ck_assert_uint_eq(seen.frames_n, 20);
}
END_TEST

START_TEST(a_stale_name_reaches_nobody_and_its_chunk_comes_back)
{
    int old = connect_and_wait();
    struct hs_conn_id stale = seen.last_up;

    close(old);
    FIX_UNTIL(seen.down_n == 1);
    int fd = connect_and_wait();
    ck_assert_uint_eq(seen.last_up.ix, stale.ix); /* the same place */
    ck_assert_uint_ne(seen.last_up.gen, stale.gen);
    struct hs_chunk *chunk = fix_chunk();
    fix_send(stale, "wrong", 5, false, chunk);
    close_link(stale);
    fix_send(seen.last_up, "right", 5, false, chunk);
    FIX_UNTIL(chunk->done == 2);
    ck_assert(peer_read(fd, frame, 5));
    ck_assert_mem_eq(frame, "right", 5);
    ck_assert_uint_eq(fix_count("sends_stale"), 1);
    close(fd);
}
END_TEST

START_TEST(closing_from_both_sides_at_once_ends_each_link_once)
{
    enum { ROUNDS_N = 200 };

    for (uint32_t i = 0; i < ROUNDS_N; i++) {
        int fd = connect_and_wait();
        struct hs_conn_id id = seen.last_up;
        peer_write(fd, frame, peer_frame(frame, 500, i));
        fix_send(id, frame, 500, false, fix_chunk());
        if (i % 3 != 0)
            close_link(id);
        if (i % 2 == 0)
            peer_reset(fd);
        else
            close(fd);
        if (i % 5 == 0)
            fix_send(id, frame, 500, true, fix_chunk());
        FIX_UNTIL(seen.down_n == i + 1);
        ck_assert_uint_eq(seen.last_down.ix, id.ix);
        ck_assert_uint_eq(seen.last_down.gen, id.gen);
    }
}
END_TEST

START_TEST(an_owner_that_stands_still_misses_nothing)
{
    enum { LINKS_N = 20, FRAMES_N = 6000 /* more than `in` holds */ };
    int fds[LINKS_N];

    for (int i = 0; i < LINKS_N; i++)
        fds[i] = connect_and_wait();
    for (uint32_t i = 0; i < FRAMES_N; i++)
        peer_write(fds[0], frame, peer_frame(frame, 40, i));
    FIX_STAND_STILL_UNTIL(fix_count("parked") > 0);
    for (int i = 0; i < LINKS_N; i++)
        close(fds[i]);
    usleep(100000); /* so that most of the ends are seen before their frames are taken */
    ck_assert_uint_lt(fix_count("frames"), FRAMES_N);
    FIX_UNTIL(seen.down_n == LINKS_N);
    ck_assert_uint_eq(seen.frames_n, FRAMES_N);
}
END_TEST

START_TEST(a_stop_while_links_are_busy_ends_them_all)
{
    int fds[20];

    for (uint32_t i = 0; i < 20; i++) {
        fds[i] = connect_and_wait();
        peer_write(fds[i], frame, peer_frame(frame, 2000, i) - i % 2 * 100);
        fix_send(seen.last_up, frame, 2000, false, fix_chunk());
    }
    fix_dial(0, "127.0.0.1", fix_free_port(), 1);
    for (uint32_t i = 0; i < 20; i += 3)
        close(fds[i]); /* teardown stops the reactor and counts */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("net links");
    TCase *tc = tcase_create("links");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_dial_that_is_answered_is_up_with_its_number);
    tcase_add_test(tc, a_refused_dial_fails_once_with_the_reason);
    tcase_add_test(tc, an_address_that_is_none_fails_the_dial);
    tcase_add_test(tc, a_dial_nobody_answers_times_out);
    tcase_add_test(tc, a_link_that_the_owner_closes_is_down_once_and_the_peer_sees_it);
    tcase_add_test(tc, a_reset_by_the_peer_is_down_with_its_reason);
    tcase_add_test(tc, what_was_sent_before_a_close_arrives_before_it);
    tcase_add_test(tc, a_stale_name_reaches_nobody_and_its_chunk_comes_back);
    tcase_add_test(tc, closing_from_both_sides_at_once_ends_each_link_once);
    tcase_add_test(tc, an_owner_that_stands_still_misses_nothing);
    tcase_add_test(tc, a_stop_while_links_are_busy_ends_them_all);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
