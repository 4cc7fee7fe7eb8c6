/* Client connections, with a toy protocol of lines for the session's side.
 *
 * "echo X" answers X; "ask X" makes a request that the owner answers; "quit"
 * says bye and closes; "big N" answers N bytes; "kill" ends itself; "tell" says
 * hello to the client that connected first.
 */
#include "net_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>

struct request {
    char text[64];
};

struct session {
    struct hs_conn_id id;
    char line[256];
    size_t n;
    char rest[65536]; /* what came while a request was out, or in the same piece */
    size_t rest_n;
};

static _Atomic int open_n, closed_n, dropped_n;
static struct hs_conn_id first_id;
static struct hs_in asked[16]; /* requests the owner holds */
static uint32_t asked_n;
static bool answer_at_once;
static uint16_t client_port;

static void put_text(struct hs_outbuf *out, const char *text)
{
    hs_outbuf_put(out, text, strlen(text));
}

static void *session_open(void *ctx, const struct hs_client_info *info, struct hs_outbuf *out)
{
    (void)ctx;
    if (strncmp(info->peer, "127.0.0.1:", 10) != 0 || !info->loopback || info->unix_socket) {
        put_text(out, "who are you\n");
        return NULL;
    }
    struct session *s = hs_alloc(sizeof(*s));
    s->id = info->conn;
    if (atomic_fetch_add(&open_n, 1) == 0)
        first_id = info->conn;
    return s;
}

static enum hs_client_verdict run_line(struct session *s, struct hs_outbuf *out, void **request)
{
    static const char FILLER[1000];

    if (strncmp(s->line, "echo ", 5) == 0) {
        put_text(out, s->line + 5);
        put_text(out, "\n");
    } else if (strncmp(s->line, "ask ", 4) == 0) {
        struct request *r = hs_alloc(sizeof(*r));
        snprintf(r->text, sizeof(r->text), "%.60s", s->line + 4);
        *request = r;
        return HS_CLIENT_WAIT;
    } else if (strcmp(s->line, "quit") == 0) {
        put_text(out, "bye\n");
        return HS_CLIENT_CLOSE;
    } else if (strncmp(s->line, "big ", 4) == 0) {
        for (long left = strtol(s->line + 4, NULL, 10); left > 0; left -= 1000)
            hs_outbuf_put(out, FILLER, left < 1000 ? (size_t)left : 1000);
    } else if (strcmp(s->line, "kill") == 0) {
        ck_assert(hs_client_kill(net, s->id));
    } else if (strcmp(s->line, "tell") == 0) {
        ck_assert(hs_client_push(net, first_id, "hello\n", 6));
    }
    return HS_CLIENT_OK;
}

static enum hs_client_verdict session_feed(void *session, const uint8_t *p, size_t n,
                                           struct hs_outbuf *out, void **request)
{
    struct session *s = session;
    enum hs_client_verdict verdict = HS_CLIENT_OK;
    size_t i = 0;

    ck_assert_uint_le(s->rest_n + n, sizeof(s->rest));
    if (n > 0)
        memcpy(s->rest + s->rest_n, p, n);
    s->rest_n += n;
    while (i < s->rest_n && verdict == HS_CLIENT_OK) {
        char c = s->rest[i++];
        if (c != '\n') {
            s->line[s->n++ % 255] = c;
            continue;
        }
        s->line[s->n] = '\0';
        s->n = 0;
        verdict = run_line(s, out, request);
    }
    memmove(s->rest, s->rest + i, s->rest_n - i);
    s->rest_n -= i;
    return verdict;
}

static void session_reply(void *session, void *request, struct hs_outbuf *out)
{
    struct request *r = request;

    (void)session;
    put_text(out, r->text);
    put_text(out, "\n");
    hs_free(r);
}

static void session_close(void *session)
{
    atomic_fetch_add(&closed_n, 1);
    hs_free(session);
}

static void session_drop(void *ctx, void *request)
{
    (void)ctx;
    atomic_fetch_add(&dropped_n, 1);
    hs_free(request);
}

static void answer(const struct hs_in *in)
{
    struct hs_out out = {.kind = HS_OUT_REPLY, .conn = in->conn, .ptr = in->ptr};

    fix_push(hs_net_reactor_of(net, in->conn), &out);
}

static void take_request(struct hs_in *in)
{
    if (answer_at_once)
        answer(in);
    else
        asked[asked_n++] = *in;
}

static void setup(void)
{
    fix_conf();
    net_ops = (struct hs_client_ops){.open = session_open,
                                     .feed = session_feed,
                                     .reply = session_reply,
                                     .close = session_close,
                                     .drop = session_drop};
    on_request = take_request;
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

static void say(int fd, const char *text)
{
    peer_write(fd, text, strlen(text));
}

/* Reads exactly text while the owner goes on. */
static void expect(int fd, const char *text)
{
    char got[256];
    size_t n = 0;

    for (int64_t until = hs_clock().mono.ms + FIX_WAIT_MS; n < strlen(text);) {
        ssize_t k = recv(fd, got + n, strlen(text) - n, MSG_DONTWAIT);
        ck_assert(k != 0 && hs_clock().mono.ms < until);
        n += k > 0 ? (size_t)k : 0;
        fix_poll(k > 0 ? 0 : 5);
    }
    ck_assert_mem_eq(got, text, n);
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

START_TEST(one_client_too_many_is_told_so)
{
    int fds[3];

    net_conf.clients_max = 3;
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

START_TEST(an_idle_client_is_closed_and_a_busy_one_is_not)
{
    net_conf.client_timeout_s = 1;
    start();
    int idle = peer_connect(client_port), busy = peer_connect(client_port);
    for (int i = 0; i < 15; i++) {
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
    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, lines_are_answered_in_order_and_pipelined);
    tcase_add_test(tc, a_request_holds_what_follows_until_it_is_answered);
    tcase_add_test(tc, many_requests_in_one_pipeline_are_all_answered);
    tcase_add_test(tc, an_answer_for_a_client_that_left_is_dropped);
    tcase_add_test(tc, a_closing_verdict_sends_what_is_queued_first);
    tcase_add_test(tc, replies_to_a_client_that_closed_its_side_still_reach_it);
    tcase_add_test(tc, replies_past_the_limit_close_the_client);
    tcase_add_test(tc, one_client_can_be_told_something_by_another_and_kill_itself);
    tcase_add_test(tc, one_client_too_many_is_told_so);
    tcase_add_test(tc, an_idle_client_is_closed_and_a_busy_one_is_not);
    tcase_add_test(tc, a_unix_socket_is_known_as_one_and_a_session_may_be_refused);
    tcase_add_test(tc, what_the_kernel_offers_is_said_in_a_sentence);
    tcase_add_test(tc, a_stop_lets_queued_replies_leave);
    suite_add_tcase(s, tc);
    return fix_main(s);
}
