/* Frames stay where they were received until the owner has read them. */
#include "net_fixture.h"

static uint8_t frame[8192];

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

enum { KEPT_N = 1500, KEPT_LEN = 4000 };
static struct hs_in kept[KEPT_N + 1];

static void keep(struct hs_in *in)
{
    kept[seen.frames_n - 1] = *in;
}

/* More than all receive buffers hold: from some point on frames are copied out of
 * them. None is written over, and another connection finds buffers at once. */
START_TEST(frames_that_the_owner_keeps_leave_buffers_to_others)
{
    static uint8_t expected[KEPT_LEN];

    start();
    int one = connect_and_wait();
    int other = connect_and_wait();
    on_frame = keep;
    for (uint32_t round = 0; round < 3; round++) {
        seen.frames_n = 0;
        for (uint32_t i = 0; i < KEPT_N; i++) {
            peer_write(one, frame, peer_frame(frame, KEPT_LEN, i + round));
            if (i % 16 == 0)
                fix_poll(0);
        }
        FIX_UNTIL(seen.frames_n == KEPT_N);
        ck_assert_uint_gt(fix_count("frame_bytes_now"), 0); /* the copies */
        peer_write(other, frame, peer_frame(frame, KEPT_LEN, round));
        FIX_UNTIL(seen.frames_n == KEPT_N + 1);
        for (uint32_t i = 0; i < KEPT_N; i++) {
            peer_frame(expected, KEPT_LEN, i + round);
            ck_assert_uint_eq(kept[i].view.len, KEPT_LEN);
            ck_assert_mem_eq(kept[i].view.frame, expected, KEPT_LEN);
        }
        for (uint32_t i = 0; i <= KEPT_N; i++)
            fix_give_back(&kept[i]);
        FIX_UNTIL(fix_count("frame_bytes_now") == 0);
    }
    ck_assert_uint_eq(fix_count("enobufs"), 0);
    ck_assert_uint_eq(fix_count("parked"), 0);
    close(one);
    close(other);
    fix_stop();
}
END_TEST

/* On one connection, and with its end while frames of it are still read. */
START_TEST(a_frame_outlives_the_connection_it_came_on)
{
    static uint8_t expected[KEPT_LEN];

    start();
    on_frame = keep;
    int fd = connect_and_wait();
    peer_write(fd, frame, peer_frame(frame, KEPT_LEN, 1));
    FIX_UNTIL(seen.frames_n == 1);
    close(fd);
    FIX_UNTIL(seen.down_n == 1);
    on_frame = NULL;
    fd = connect_and_wait();
    for (uint32_t i = 0; i < KEPT_N; i++) /* once around the buffers */
        peer_write(fd, frame, peer_frame(frame, KEPT_LEN, 2));
    FIX_UNTIL(seen.frames_n == KEPT_N + 1);
    peer_frame(expected, KEPT_LEN, 1);
    ck_assert_mem_eq(kept[0].view.frame, expected, KEPT_LEN);
    fix_give_back(&kept[0]);
    close(fd);
    fix_stop();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("net lent");
    TCase *tc = tcase_create("lent");

    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, fix_conf, NULL);
    tcase_add_test(tc, frames_that_the_owner_keeps_leave_buffers_to_others);
    tcase_add_test(tc, a_frame_outlives_the_connection_it_came_on);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
