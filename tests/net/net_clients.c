/* Client connections, with the toy protocol of net_toy.h behind them. */
#include "net_toy.h"

#include <sys/stat.h>
#include <sys/un.h>

static void setup(void)
{
    fix_conf();
    toy_clients();
    answer_at_once = true;
}

static void start(void)
{
    fix_create();
    client_port = fix_free_port();
    ck_assert_int_eq(hs_net_listen_client(net, "127.0.0.1", client_port), 0);
    fix_start();
}

static void stop(void)
{
    fix_stop();
    ck_assert_int_eq(atomic_load(&open_n), atomic_load(&closed_n));
}

static void expect_end(int fd)
{
    char c;

    ck_assert_int_le(recv(fd, &c, 1, 0), 0);
    close(fd);
}

START_TEST(lines_are_answered_in_order_and_pipelined)
{
    start();
    int fd = peer_connect(client_port);
    say(fd, "echo one\n");
    expect(fd, "one\n");
    say(fd, "echo two\necho three\nec");
    expect(fd, "two\nthree\n");
    say(fd, "ho four\n");
    expect(fd, "four\n");
    close(fd);
    stop();
}
END_TEST

START_TEST(a_request_holds_what_follows_until_it_is_answered)
{
    start();
    answer_at_once = false;
    int fd = peer_connect(client_port);
    say(fd, "echo 1\nask 2\necho 3\n");
    expect(fd, "1\n");
    FIX_UNTIL(asked_n == 1);
    say(fd, "echo 4\nask 5\n");
    fix_play_ms(50);
    char c;
    ck_assert_int_eq(recv(fd, &c, 1, MSG_DONTWAIT), -1);
    answer(&asked[0]);
    expect(fd, "2\n3\n4\n");
    FIX_UNTIL(asked_n == 2);
    answer(&asked[1]);
    expect(fd, "5\n");
    close(fd);
    stop();
}
END_TEST

/* Or else EXEC's array could hold a push in the place of an element. */
START_TEST(what_is_pushed_during_a_request_comes_behind_the_whole_reply)
{
    start();
    answer_at_once = false;
    int asker = peer_connect(client_port), teller;
    say(asker, "ask +x\necho 1\n");
    FIX_UNTIL(asked_n == 1);
    teller = peer_connect(client_port);
    say(teller, "tell\necho told\n");
    expect(teller, "told\n");
    answer(&asked[0]);
    FIX_UNTIL(asked_n == 2);
    say(teller, "tell\necho told\n");
    expect(teller, "told\n");
    answer(&asked[1]);
    expect(asker, "x\nx\nhello\nhello\n1\n");
    say(asker, "ask y\n");
    FIX_UNTIL(asked_n == 3);
    say(teller, "tell\necho told\n");
    expect(teller, "told\n");
    peer_reset(asker); /* with one held */
    FIX_UNTIL(atomic_load(&closed_n) == 1);
    answer(&asked[2]);
    FIX_UNTIL(atomic_load(&dropped_n) == 1);
    close(teller);
    stop();
}
END_TEST

START_TEST(clients_over_ipv6_are_known_as_such)
{
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};

    fix_create();
    client_port = fix_free_port();
    to.sin6_port = htons(client_port);
    ck_assert_int_eq(hs_net_listen_client(net, "::1", client_port), 0);
    fix_start();
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    say(fd, "echo one\n");
    expect(fd, "one\n");
    close(fd);
    stop();
}
END_TEST

START_TEST(many_requests_in_one_pipeline_are_all_answered)
{
    start();
    int fd = peer_connect(client_port);
    for (int i = 0; i < 500; i++)
        say(fd, "ask a\necho b\n");
    for (int i = 0; i < 500; i++)
        expect(fd, "a\nb\n");
    close(fd);
    stop();
}
END_TEST

START_TEST(an_answer_for_a_client_that_left_is_dropped)
{
    start();
    answer_at_once = false;
    int fd = peer_connect(client_port);
    say(fd, "ask me\n");
    FIX_UNTIL(asked_n == 1);
    peer_reset(fd);
    FIX_UNTIL(atomic_load(&closed_n) == 1);
    answer(&asked[0]);
    FIX_UNTIL(atomic_load(&dropped_n) == 1);
    stop();
}
END_TEST

START_TEST(a_closing_verdict_sends_what_is_queued_first)
{
    start();
    int fd = peer_connect(client_port);
    say(fd, "big 300000\nquit\necho never\n");
    char buf[1000];
    for (int i = 0; i < 300; i++)
        ck_assert(peer_read(fd, buf, 1000));
    expect(fd, "bye\n");
    expect_end(fd);
    stop();
}
END_TEST

START_TEST(replies_to_a_client_that_closed_its_side_still_reach_it)
{
    start();
    int fd = peer_connect(client_port);
    say(fd, "echo 1\nask 2\n");
    shutdown(fd, SHUT_WR);
    expect(fd, "1\n2\n");
    expect_end(fd);
    stop();
}
END_TEST

START_TEST(replies_past_the_limit_close_the_client)
{
    net_conf.client_outbuf_max = 10000;
    start();
    int fd = peer_connect(client_port);
    say(fd, "big 9000\n");
    char buf[9000];
    ck_assert(peer_read(fd, buf, 9000));
    say(fd, "big 20000\n");
    while (recv(fd, buf, sizeof(buf), 0) > 0)
        ;
    ck_assert_uint_eq(fix_count("clients_over"), 1);
    close(fd);
    stop();
}
END_TEST

START_TEST(one_client_can_be_told_something_by_another_and_kill_itself)
{
    start();
    int first = peer_connect(client_port);
    say(first, "echo x\n");
    expect(first, "x\n");
    int second = peer_connect(client_port);
    say(second, "tell\nkill\n");
    expect(first, "hello\n");
    expect_end(second);
    close(first);
    stop();
}
END_TEST

enum { NOTHING, A_TURN, A_KILL };
static _Atomic int wanted;

static void do_wanted(void *ctx, uint32_t reactor)
{
    (void)ctx;
    (void)reactor;
    if (atomic_exchange(&wanted, NOTHING) == A_KILL)
        hs_client_kill(net, first_id);
}

START_TEST(another_thread_wakes_a_sleeping_reactor_for_a_turn)
{
    enum { TURNS = 10, OWN_ACCORD_MS = 1000 };
    int64_t took_ms = 0;

    net_ops.turn = do_wanted;
    start();
    int fd = peer_connect(client_port);
    say(fd, "echo x\n");
    expect(fd, "x\n");
    for (int turn = 1; turn <= TURNS; turn++) {
        fix_play_ms(50); /* until it sleeps */
        int64_t from_ms = hs_clock().mono.ms;
        atomic_store(&wanted, turn < TURNS ? A_TURN : A_KILL);
        hs_net_wake(net, 0);
        FIX_STAND_STILL_UNTIL(atomic_load(&wanted) == NOTHING);
        took_ms += hs_clock().mono.ms - from_ms;
    }
    expect_end(fd);
    ck_assert_int_lt(took_ms, TURNS * OWN_ACCORD_MS / 2); /* of all, as one may be late */
    stop();
}
END_TEST

START_TEST(one_client_too_many_is_told_so)
{
    int fds[3];

    net_conf.tune.clients_max = 3;
    start();
    for (int i = 0; i < 3; i++) {
        fds[i] = peer_connect(client_port);
        say(fds[i], "echo x\n");
        expect(fds[i], "x\n");
    }
    int late = peer_connect(client_port);
    expect(late, "-ERR max number of clients reached\r\n");
    expect_end(late);
    close(fds[0]);
    FIX_UNTIL(atomic_load(&closed_n) == 1);
    fds[0] = peer_connect(client_port);
    say(fds[0], "echo x\n");
    expect(fds[0], "x\n");
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    stop();
}
END_TEST

START_TEST(an_address_has_its_share_of_clients_and_no_more)
{
    int fds[3];

    net_conf.tune.clients_per_ip = (struct hs_net_share){.max = 2, .loopback = true};
    hs_log_set_level(HS_LOG_NOTHING);
    start();
    for (int i = 0; i < 2; i++) {
        fds[i] = peer_connect(client_port);
        say(fds[i], "echo x\n");
        expect(fds[i], "x\n");
    }
    int late = peer_connect(client_port);
    expect(late, "-ERR max number of clients of one address reached\r\n");
    expect_end(late);
    ck_assert_uint_eq(fix_count("clients_per_ip"), 1);
    ck_assert_uint_eq(fix_count("clients_refused"), 0);
    close(fds[0]);
    FIX_UNTIL(atomic_load(&closed_n) == 1);
    fds[0] = peer_connect(client_port);
    say(fds[0], "echo x\n");
    expect(fds[0], "x\n");
    /* The default leaves this host's own alone. */
    struct hs_net_tune tune = net_conf.tune;
    tune.clients_per_ip.loopback = false;
    hs_net_tune(net, &tune);
    fds[2] = peer_connect(client_port);
    say(fds[2], "echo x\n");
    expect(fds[2], "x\n");
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    stop();
}
END_TEST

START_TEST(an_idle_client_is_closed_and_a_busy_one_is_not)
{
    net_conf.tune.client_timeout_s = 3;
    start();
    int idle = peer_connect(client_port), busy = peer_connect(client_port);
    for (int i = 0; i < 40; i++) {
        say(busy, "echo x\n");
        expect(busy, "x\n");
        fix_play_ms(100);
    }
    expect_end(idle);
    ck_assert_uint_eq(fix_count("clients_idle"), 1);
    close(busy);
    stop();
}
END_TEST

START_TEST(a_unix_socket_is_known_as_one_and_a_session_may_be_refused)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct stat st;

    snprintf(a.sun_path, sizeof(a.sun_path), "/tmp/net_clients.%d", (int)getpid());
    fix_create();
    ck_assert_int_eq(hs_net_listen_unix(net, a.sun_path, 0700), 0);
    ck_assert_int_eq(stat(a.sun_path, &st), 0);
    ck_assert_int_eq((int)(st.st_mode & 0777), 0700);
    fix_start();
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    expect(fd, "who are you\n");
    expect_end(fd);
    stop();
    unlink(a.sun_path);
}
END_TEST

START_TEST(what_the_kernel_offers_is_said_in_a_sentence)
{
    char why[256];

    ck_assert_int_eq(hs_net_probe(why, sizeof(why)), 0);
    ck_assert_uint_gt(strlen(why), 10);
}
END_TEST

START_TEST(a_stop_lets_queued_replies_leave)
{
    start();
    int fd = peer_connect(client_port);
    say(fd, "big 900000\n");
    FIX_UNTIL(fix_count("bytes_in") == 11);
    struct hs_out out = {.kind = HS_OUT_STOP};
    fix_push(0, &out);
    char buf[1000];
    for (int i = 0; i < 900; i++)
        ck_assert(peer_read(fd, buf, 1000));
    expect_end(fd);
    stop();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("net clients");
    TCase *tc = tcase_create("clients");

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, lines_are_answered_in_order_and_pipelined);
    tcase_add_test(tc, a_request_holds_what_follows_until_it_is_answered);
    tcase_add_test(tc, what_is_pushed_during_a_request_comes_behind_the_whole_reply);
    tcase_add_test(tc, clients_over_ipv6_are_known_as_such);
    tcase_add_test(tc, many_requests_in_one_pipeline_are_all_answered);
    tcase_add_test(tc, an_answer_for_a_client_that_left_is_dropped);
    tcase_add_test(tc, a_closing_verdict_sends_what_is_queued_first);
    tcase_add_test(tc, replies_to_a_client_that_closed_its_side_still_reach_it);
    tcase_add_test(tc, replies_past_the_limit_close_the_client);
    tcase_add_test(tc, one_client_can_be_told_something_by_another_and_kill_itself);
    tcase_add_test(tc, another_thread_wakes_a_sleeping_reactor_for_a_turn);
    tcase_add_test(tc, one_client_too_many_is_told_so);
    tcase_add_test(tc, an_address_has_its_share_of_clients_and_no_more);
    tcase_add_test(tc, an_idle_client_is_closed_and_a_busy_one_is_not);
    tcase_add_test(tc, a_unix_socket_is_known_as_one_and_a_session_may_be_refused);
    tcase_add_test(tc, what_the_kernel_offers_is_said_in_a_sentence);
    tcase_add_test(tc, a_stop_lets_queued_replies_leave);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
