/* What a peer can do to us has an end: each bound, what happens there, and its counter. */
#include "net_fixture.h"

#include <sys/resource.h>

static uint8_t frame[1 << 20];

static void setup(void)
{
    fix_conf();
}

static void start(void)
{
    fix_create();
    fix_start();
}

static int connect_and_wait(void)
{
    uint32_t up_n = seen.up_n;
    int fd = peer_connect(bus_port);

    FIX_UNTIL(seen.up_n == up_n + 1);
    return fd;
}

START_TEST(garbage_is_counted_and_its_link_closed)
{
    static const struct {
        const char *bytes, *counter;
        size_t n;
    } CASES[] = {
        {"GET / HTTP/1.1\r\n\r\n", "wire_signature", 18},
        {"RCmb\0\0\0\1\0\1\0\0\0\0\0\0", "wire_short", 16},
        {"RCmb\x7f\0\0\0\0\1\0\0\0\0\0\0", "wire_too_long", 16},
    };

    start();
    for (uint32_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        int fd = connect_and_wait();
        peer_write(fd, CASES[i].bytes, CASES[i].n);
        FIX_UNTIL(seen.down_n == i + 1);
        ck_assert_int_eq(seen.last_number, EPROTO);
        ck_assert_uint_eq(fix_count(CASES[i].counter), 1);
        close(fd);
    }
    ck_assert_uint_eq(seen.frames_n, 0);
    fix_stop();
}
END_TEST

START_TEST(a_frame_that_is_only_wrong_inside_is_dropped_and_the_link_kept)
{
    start();
    int fd = connect_and_wait();

    uint32_t n = peer_frame(frame, 200, 1);
    hs_put32(frame + HS_LIGHT_HDR_LEN, 0x7fffffff); /* the channel's length */
    peer_write(fd, frame, n);
    peer_write(fd, frame, peer_frame(frame, 200, 2));
    FIX_UNTIL(seen.frames_n == 1);
    ck_assert_uint_eq(fix_count("wire_payload"), 1);
    ck_assert_uint_eq(seen.down_n, 0);
    close(fd);
    fix_stop();
}
END_TEST

START_TEST(a_crowd_of_silent_or_dribbling_peers_keep_nobody_out)
{
    enum { CROWD_N = 400 };
    static int crowd[CROWD_N];

    net_conf.conns_max = 64;
    start();
    int good = connect_and_wait();
    peer_write(good, frame, peer_frame(frame, 100, 1));
    FIX_UNTIL(seen.frames_n == 1);
    for (int i = 0; i < CROWD_N; i++) {
        crowd[i] = peer_connect(bus_port);
        if (i % 2 == 0)
            (void)!send(crowd[i], "RCmb", 4, MSG_NOSIGNAL);
        fix_poll(0);
    }
    FIX_UNTIL(fix_count("accepted") == CROWD_N + 1 && seen.accepted_n == CROWD_N + 1);
    FIX_UNTIL(fix_count("conns_silent") + fix_count("conns_refused") >= CROWD_N - 64);
    FIX_UNTIL(fix_count("buses_now") <= 64);
    int late = peer_connect(bus_port);
    peer_write(late, frame, peer_frame(frame, 100, 2));
    peer_write(good, frame, peer_frame(frame, 100, 3));
    FIX_UNTIL(seen.frames_n == 3);
    for (int i = 0; i < CROWD_N; i++)
        close(crowd[i]);
    close(late);
    close(good);
    fix_stop();
}
END_TEST

START_TEST(a_frame_that_takes_too_long_closes_its_link)
{
    net_conf.tune.stall_timeout_ms = 50;
    start();
    int slow = connect_and_wait();
    int idle = connect_and_wait();
    int64_t before = hs_clock().mono.ms;

    peer_write(slow, frame, peer_frame(frame, 5000, 1) - 1);
    FIX_UNTIL(seen.down_n == 1);
    ck_assert_int_ge(hs_clock().mono.ms - before, 199);
    ck_assert_uint_eq(fix_count("links_slow_frame"), 1);
    ck_assert_uint_eq(fix_count("frame_bytes_now"), 0);
    fix_play_ms(100);
    ck_assert_uint_eq(seen.down_n, 1); /* saying nothing is allowed */
    close(slow);
    close(idle);
    fix_stop();
}
END_TEST

START_TEST(unfinished_frames_cannot_take_all_memory_for_ever)
{
    enum { HOLDERS_N = 12, LEN = 60000 };
    int holders[HOLDERS_N];

    net_conf.frame_max = 65000;
    net_conf.frame_bytes_max = 512 * 1024; /* eight blocks of 64 KiB */
    start();
    for (int i = 0; i < HOLDERS_N; i++) {
        holders[i] = connect_and_wait();
        peer_write(holders[i], frame, peer_frame(frame, LEN, 1) - 1);
        fix_play_ms(10);
    }
    FIX_UNTIL(fix_count("links_evicted") > 0);
    int good = connect_and_wait();
    peer_write(good, frame, peer_frame(frame, LEN, 2));
    FIX_UNTIL(seen.frames_n == 1);
    for (int i = 0; i < HOLDERS_N; i++)
        close(holders[i]);
    close(good);
    fix_stop();
}
END_TEST

START_TEST(without_descriptors_accepting_pauses_and_goes_on_later)
{
    enum { FDS_MAX = 64 };
    struct rlimit limit = {.rlim_cur = FDS_MAX, .rlim_max = FDS_MAX};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int filler[FDS_MAX], filler_n = 0;

    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    start();
    close(connect_and_wait());
    FIX_UNTIL(seen.down_n == 1);
    hs_log_set_level(HS_LOG_NOTHING);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    while ((filler[filler_n] = dup(fd)) >= 0)
        filler_n++;
    a.sin_port = htons(bus_port);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    int64_t from_ms = hs_clock().mono.ms;
    FIX_UNTIL(fix_count("accept_errors") > 0);
    fix_play_ms(300);
    int64_t took_s = (hs_clock().mono.ms - from_ms) / 1000;
    ck_assert_uint_le(fix_count("accept_errors"), (uint64_t)took_s + 1); /* no busy loop */
    while (filler_n > 0)
        close(filler[--filler_n]);
    FIX_UNTIL(seen.up_n == 2);
    close(fd);
    fix_stop();
}
END_TEST

/* Sends to a peer that reads nothing until the link ends; the other one goes on. */
static void cut_a_slow_reader(const char *counter)
{
    int slow = connect_and_wait();
    struct hs_conn_id slow_id = seen.last_up;
    int good = connect_and_wait();
    struct hs_conn_id good_id = seen.last_up;
    uint8_t *got = frame;
    int64_t until_ms = hs_clock().mono.ms + FIX_WAIT_MS;
    uint64_t unsent = 0;

    while (seen.down_n == 0 && hs_clock().mono.ms < until_ms) {
        struct hs_chunk *chunk = fix_chunk();
        chunk->used = 0;
        struct hs_out out = {
            .kind = HS_OUT_SEND, .conn = slow_id, .chunk = chunk, .len = 1 << 19, .control = true};
        chunk->refs++;
        fix_push(0, &out);
        fix_send(good_id, "ok", 2, false, chunk);
        ck_assert(peer_read(good, got, 2));
        fix_poll(1);
        if (hs_net_unsent(net, slow_id) > unsent)
            unsent = hs_net_unsent(net, slow_id);
    }
    ck_assert_uint_gt(unsent, 4 << 20);
    ck_assert_uint_eq(hs_net_unsent(net, slow_id), 0);
    ck_assert_uint_lt(hs_net_unsent(net, good_id), 1 << 19);
    ck_assert_uint_eq(seen.down_n, 1);
    ck_assert_uint_eq(seen.last_down.ix, slow_id.ix);
    ck_assert_uint_eq(fix_count(counter), 1);
    close(slow);
    close(good);
}

START_TEST(a_reader_slower_than_its_queue_is_cut_and_others_are_not)
{
    net_conf.tune.sendbuf_limit = 4 << 20;
    start();
    cut_a_slow_reader("links_over_limit");
    fix_stop();
}
END_TEST

/* A socket takes such messages at once, so nothing waits when stock servers look. */
START_TEST(messages_longer_than_the_limit_do_not_cut_a_link_that_takes_them)
{
    net_conf.tune.sendbuf_limit = 1000;
    start();
    int good = connect_and_wait();
    for (int64_t until_ms = hs_clock().mono.ms + 350; hs_clock().mono.ms < until_ms;) {
        struct hs_chunk *chunk = fix_chunk();
        chunk->used = 0;
        fix_send(seen.last_up, frame, 20000, true, chunk);
        ck_assert(peer_read(good, frame, 20000));
        fix_poll(1);
    }
    ck_assert_uint_eq(fix_count("links_over_limit"), 0);
    close(good);
    fix_stop();
}
END_TEST

START_TEST(a_limit_set_while_reactors_run_holds)
{
    start();
    struct hs_net_tune tune = net_conf.tune;
    tune.sendbuf_limit = 4 << 20;
    hs_net_tune(net, &tune);
    cut_a_slow_reader("links_over_limit");
    fix_stop();
}
END_TEST

START_TEST(too_many_entries_on_one_link_cut_it)
{
    net_conf.send_pending_max = 10;
    start();
    cut_a_slow_reader("links_over_limit");
    fix_stop();
}
END_TEST

/* Half a megabyte each, to the connection that came last. */
static void send_chunks(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct hs_chunk *chunk = fix_chunk();
        struct hs_out out = {
            .kind = HS_OUT_SEND, .conn = seen.last_up, .chunk = chunk, .len = 1 << 19};
        chunk->refs++;
        fix_push(0, &out);
    }
}

START_TEST(too_much_pubsub_is_dropped_and_its_link_lives)
{
    net_conf.pubsub_pending_max = 10;
    start();
    int slow = connect_and_wait();

    send_chunks(40);
    FIX_UNTIL(fix_count("pubsub_dropped") >= 40 - 10 - 10); /* some may be in the kernel */
    ck_assert_uint_eq(seen.down_n, 0);
    close(slow);
    fix_stop();
}
END_TEST

START_TEST(a_reader_that_takes_nothing_is_cut_as_stalled)
{
    net_conf.tune.stall_timeout_ms = 200;
    start();
    int slow = connect_and_wait();

    send_chunks(40);
    FIX_UNTIL(seen.down_n == 1);
    ck_assert_uint_eq(fix_count("links_stalled"), 1);
    close(slow);
    fix_stop();
}
END_TEST

START_TEST(a_slow_but_moving_reader_is_not_stalled)
{
    net_conf.tune.stall_timeout_ms = 2000;
    start();
    int slow = connect_and_wait();

    for (int i = 0; i < 20; i++) {
        struct hs_chunk *chunk = fix_chunk();
        struct hs_out out = {
            .kind = HS_OUT_SEND, .conn = seen.last_up, .chunk = chunk, .len = 1 << 19};
        chunk->refs++;
        fix_push(0, &out);
    }
    for (int left = 20 << 19; left > 0;) { /* for longer than the timeout, at least twice */
        ssize_t n = recv(slow, frame, 50000, MSG_DONTWAIT);
        left -= n > 0 ? (int)n : 0;
        fix_play_ms(20);
    }
    ck_assert_uint_eq(fix_count("links_stalled"), 0);
    ck_assert_uint_eq(seen.down_n, 0);
    close(slow);
    fix_stop();
}
END_TEST

START_TEST(an_address_has_its_share_of_bus_links_and_no_more)
{
    enum { SHARE = 3 };
    int held[SHARE];
    char byte;

    net_conf.tune.links_per_ip = (struct hs_net_share){.max = SHARE, .loopback = true};
    hs_log_set_level(HS_LOG_NOTHING);
    start();
    for (int i = 0; i < SHARE; i++)
        held[i] = connect_and_wait();
    for (int i = 0; i < 5; i++) {
        int fd = peer_connect(bus_port);
        FIX_UNTIL(fix_count("links_per_ip") == (uint64_t)i + 1);
        ck_assert(!peer_read(fd, &byte, 1));
        close(fd);
    }
    ck_assert_uint_eq(seen.up_n, SHARE);
    /* Another address has a share of its own. */
    int other = peer_connect_from("127.0.0.77", bus_port);
    FIX_UNTIL(seen.up_n == SHARE + 1);
    /* What ends makes room. */
    close(held[0]);
    FIX_UNTIL(seen.down_n == 1);
    held[0] = connect_and_wait();
    ck_assert_uint_eq(fix_count("links_per_ip"), 5);
    close(other);
    for (int i = 0; i < SHARE; i++)
        close(held[i]);
    fix_stop();
}
END_TEST

START_TEST(a_peer_that_is_gone_before_it_is_looked_at_is_counted_and_not_told)
{
    fix_create();
    for (int i = 0; i < 3; i++)
        peer_reset(peer_connect(bus_port)); /* nobody accepts yet */
    fix_start();
    FIX_UNTIL(fix_count("conns_gone") == 3);
    ck_assert_uint_eq(seen.accepted_n, 0);
    ck_assert_uint_eq(fix_count("conns_refused"), 0);
    fix_stop();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("net bounds");
    TCase *tc = tcase_create("bounds");

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, garbage_is_counted_and_its_link_closed);
    tcase_add_test(tc, a_frame_that_is_only_wrong_inside_is_dropped_and_the_link_kept);
    tcase_add_test(tc, a_crowd_of_silent_or_dribbling_peers_keep_nobody_out);
    tcase_add_test(tc, a_frame_that_takes_too_long_closes_its_link);
    tcase_add_test(tc, unfinished_frames_cannot_take_all_memory_for_ever);
    tcase_add_test(tc, without_descriptors_accepting_pauses_and_goes_on_later);
    tcase_add_test(tc, a_reader_slower_than_its_queue_is_cut_and_others_are_not);
    tcase_add_test(tc, a_limit_set_while_reactors_run_holds);
    tcase_add_test(tc, messages_longer_than_the_limit_do_not_cut_a_link_that_takes_them);
    tcase_add_test(tc, too_many_entries_on_one_link_cut_it);
    tcase_add_test(tc, too_much_pubsub_is_dropped_and_its_link_lives);
    tcase_add_test(tc, a_reader_that_takes_nothing_is_cut_as_stalled);
    tcase_add_test(tc, a_slow_but_moving_reader_is_not_stalled);
    tcase_add_test(tc, an_address_has_its_share_of_bus_links_and_no_more);
    tcase_add_test(tc, a_peer_that_is_gone_before_it_is_looked_at_is_counted_and_not_told);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
