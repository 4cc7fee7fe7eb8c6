/* Frames that come in reach the owner unchanged and in order; what it sends leaves so. */
#include "net_fixture.h"

enum { BIG = 700000 };

static uint8_t frame[1 << 20], answer[1 << 20];

static void setup(void)
{
    fix_conf();
    fix_create();
    fix_start();
}

static void teardown(void)
{
    fix_stop();
}

/* The owner sends every frame back to where it came from. */
static void echo(struct hs_in *in)
{
    const uint8_t *bytes = in->view.frame;

    ck_assert_ptr_eq(in->view.frame, bytes);
    fix_send(in->conn, bytes, in->view.len, in->view.len % 2 == 0, fix_chunk());
    fix_give_back(in);
}

static int connect_and_wait(void)
{
    uint32_t up_n = seen.up_n;
    int fd = peer_connect(bus_port);

    FIX_UNTIL(seen.up_n == up_n + 1);
    ck_assert_str_eq(seen.last_peer_ip, "127.0.0.1");
    ck_assert(!seen.last_outbound);
    return fd;
}

static void *write_all(void *arg)
{
    peer_write(*(int *)arg, frame, BIG);
    return NULL;
}

static void read_echo(int fd, const uint8_t *expected, uint32_t len)
{
    for (uint32_t off = 0; off < len;) {
        ssize_t k = recv(fd, answer + off, len - off, MSG_DONTWAIT);
        ck_assert(k != 0 && (k > 0 || errno == EAGAIN));
        if (k > 0)
            off += (uint32_t)k;
        else
            fix_poll(5);
    }
    ck_assert_mem_eq(answer, expected, len);
}

START_TEST(frames_of_all_sizes_come_back)
{
    static const uint32_t LENS[] = {32,   33,    64,    2256,  4031,  4032,
                                    4033, 16384, 16385, 65000, 300000};
    int fd = connect_and_wait();

    on_frame = echo;
    for (size_t i = 0; i < sizeof(LENS) / sizeof(LENS[0]); i++) {
        peer_frame(frame, LENS[i], (uint32_t)i);
        peer_write(fd, frame, LENS[i]);
        read_echo(fd, frame, LENS[i]);
    }
    close(fd);
    FIX_UNTIL(seen.down_n == 1);
    ck_assert_int_eq(seen.last_number, 0);
    ck_assert_uint_eq(fix_count("frames"), sizeof(LENS) / sizeof(LENS[0]));
}
END_TEST

START_TEST(a_frame_larger_than_every_socket_buffer_comes_back)
{
    pthread_t writer;
    int fd = connect_and_wait();

    on_frame = echo;
    peer_frame(frame, BIG, 7);
    pthread_create(&writer, NULL, write_all, &fd);
    read_echo(fd, frame, BIG);
    pthread_join(writer, NULL);
    close(fd);
}
END_TEST

START_TEST(a_frame_may_be_split_at_every_byte)
{
    enum { LEN = 100 };
    int fd = connect_and_wait();

    on_frame = echo;
    for (uint32_t at = 1; at < LEN; at++) {
        peer_frame(frame, LEN, at);
        peer_write(fd, frame, at);
        fix_poll(0);
        usleep(at % 10 == 0 ? 1000 : 0); /* so that some halves arrive alone */
        peer_write(fd, frame + at, LEN - at);
        read_echo(fd, frame, LEN);
    }
    close(fd);
}
END_TEST

static uint32_t next_len;

static void expect_next(struct hs_in *in)
{
    ck_assert_uint_eq(in->view.len, next_len++);
    fix_give_back(in);
}

START_TEST(many_frames_in_one_segment_keep_their_order)
{
    enum { FIRST = 32, LAST = 600 };
    uint32_t n = 0;
    int fd = connect_and_wait();

    next_len = FIRST;
    on_frame = expect_next;
    for (uint32_t len = FIRST; len <= LAST; len++)
        n += peer_frame(frame + n, len, len);
    peer_write(fd, frame, n);
    FIX_UNTIL(next_len == LAST + 1);
    close(fd);
}
END_TEST

enum { CROWD_N = 16, CONTROL_SEED = 1000 };

/* Reads the next frame of BIG bytes; true if it is the seed's. */
static bool read_is(int fd, uint32_t seed, bool fresh)
{
    for (uint32_t off = 0; fresh && off < BIG;) {
        ssize_t k = recv(fd, answer + off, BIG - off, MSG_DONTWAIT);
        ck_assert(k != 0);
        if (k > 0)
            off += (uint32_t)k;
        else
            fix_poll(5);
    }
    peer_frame(frame, BIG, seed);
    return memcmp(answer, frame, BIG) == 0;
}

START_TEST(control_goes_first_and_frames_do_not_mix)
{
    int fd = connect_and_wait();
    uint32_t plain_n = 0, control_n = 0, plain_before = 0;

    /* More than the sockets' buffers take, so that entries wait in the reactor. */
    for (uint32_t i = 0; i < CROWD_N; i++) {
        bool control = i >= CROWD_N / 2;
        peer_frame(frame, BIG, control ? CONTROL_SEED + i : i);
        fix_send(seen.last_up, frame, BIG, control, fix_chunk());
    }
    while (plain_n + control_n < CROWD_N) {
        if (read_is(fd, plain_n, true)) {
            plain_n++;
            continue;
        }
        ck_assert(read_is(fd, CONTROL_SEED + CROWD_N / 2 + control_n++, false));
        plain_before = plain_n;
    }
    ck_assert_uint_eq(control_n, CROWD_N / 2);
    ck_assert_uint_lt(plain_before, CROWD_N / 2); /* control overtook those that waited */
    close(fd);
}
END_TEST

/* Its second half comes when the reactor has long taken the first, and other
 * frames wait that could go. */
START_TEST(nothing_comes_between_the_entries_of_one_frame)
{
    enum { HALF = BIG / 2, PLAIN_SEED = 7, SPLIT_SEED = 8, ROUNDS = 20 };
    int fd = connect_and_wait();

    for (int i = 0; i < ROUNDS; i++) {
        peer_frame(frame, BIG, SPLIT_SEED);
        fix_send_part(seen.last_up, frame, HALF, true, true, fix_chunk());
        peer_frame(frame, BIG, PLAIN_SEED);
        fix_send(seen.last_up, frame, BIG, false, fix_chunk());
        for (int turns = 0; turns < i; turns++)
            fix_poll(0);
        usleep(i % 4 == 0 ? 2000 : 0);
        peer_frame(frame, BIG, SPLIT_SEED);
        fix_send_part(seen.last_up, frame + HALF, BIG - HALF, true, false, fix_chunk());
        ck_assert(read_is(fd, SPLIT_SEED, true));
        ck_assert(read_is(fd, PLAIN_SEED, true));
    }
    close(fd);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("net echo");
    TCase *tc = tcase_create("echo");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, frames_of_all_sizes_come_back);
    tcase_add_test(tc, a_frame_larger_than_every_socket_buffer_comes_back);
    tcase_add_test(tc, a_frame_may_be_split_at_every_byte);
    tcase_add_test(tc, many_frames_in_one_segment_keep_their_order);
    tcase_add_test(tc, control_goes_first_and_frames_do_not_mix);
    tcase_add_test(tc, nothing_comes_between_the_entries_of_one_frame);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
