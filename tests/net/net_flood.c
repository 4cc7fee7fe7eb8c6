/* Many connections at once: every byte is right, nobody starves, a slow owner loses nothing.
 *
 * Each peer sends a sequence of frames whose length and content follow from
 * the peer and the frame's number, so the owner can tell exactly what is due.
 */
#include "net_fixture.h"

enum { PEERS_N = 64, FRAMES_EACH = 300, LEN_MAX = 9000, WRITERS_N = 4 };

static struct {
    int fd;
    struct hs_conn_id id;
    uint32_t next; /* frame the owner expects */
} peers[PEERS_N];
static uint8_t expected[LEN_MAX];
static int64_t work_us; /* what the owner takes over 16 frames */
static bool parks;

static uint32_t len_of(uint32_t peer, uint32_t i)
{
    return 32 + (peer * 7919 + i * 104729) % (LEN_MAX - 32);
}

/* The first payload bytes name the sender; the rest is a cheap pattern. */
static void make(uint8_t *dst, uint32_t peer, uint32_t i)
{
    uint32_t len = len_of(peer, i);
    uint8_t message[LEN_MAX];
    struct hs_publish p = {.channel = (const uint8_t *)"c", .message = message, .channel_len = 1};

    p.message_len = len - hs_wire_publish_len(&p, true);
    for (uint32_t k = 0; k < p.message_len; k++)
        message[k] = (uint8_t)((peer * 31 + i * 17 + k * 13) ^ k >> 7);
    ck_assert_uint_eq(hs_wire_build_publish(dst, HS_MSG_PUBLISH, &p, true), len);
}

static void *write_frames(void *arg)
{
    uint32_t w = *(uint32_t *)arg;
    uint8_t frame[LEN_MAX];

    for (uint32_t i = 0; i < FRAMES_EACH; i++) {
        for (uint32_t p = w; p < PEERS_N; p += WRITERS_N) {
            make(frame, p, i);
            peer_write(peers[p].fd, frame, len_of(p, i));
        }
    }
    return NULL;
}

static void check_frame(struct hs_in *in)
{
    uint32_t p = 0;

    while (p < PEERS_N && (peers[p].id.ix != in->conn.ix || peers[p].id.gen != in->conn.gen))
        p++;
    ck_assert_uint_lt(p, PEERS_N);
    uint32_t i = peers[p].next++;
    ck_assert_uint_eq(in->view.len, len_of(p, i));
    make(expected, p, i);
    ck_assert_mem_eq(in->view.frame, expected, in->view.len);
    if (work_us > 0 && seen.frames_n % 16 == 0)
        usleep((useconds_t)work_us);
    fix_give_back(in);
}

static void flood(void)
{
    pthread_t writers[WRITERS_N];
    uint32_t numbers[WRITERS_N] = {0, 1, 2, 3};

    fix_create();
    fix_start();
    for (uint32_t p = 0; p < PEERS_N; p++) {
        peers[p].fd = peer_connect(bus_port);
        FIX_UNTIL(seen.up_n == p + 1);
        peers[p].id = seen.last_up;
        peers[p].next = 0;
    }
    on_frame = check_frame;
    for (int i = 0; i < WRITERS_N; i++)
        pthread_create(&writers[i], NULL, write_frames, &numbers[i]);
    if (parks)
        FIX_STAND_STILL_UNTIL(fix_count("parked") > 0);
    FIX_UNTIL(seen.frames_n == PEERS_N * FRAMES_EACH);
    for (int i = 0; i < WRITERS_N; i++)
        pthread_join(writers[i], NULL);
    for (uint32_t p = 0; p < PEERS_N; p++)
        close(peers[p].fd);
    FIX_UNTIL(seen.down_n == PEERS_N);
    ck_assert_uint_eq(fix_count("frames"), PEERS_N * FRAMES_EACH);
    ck_assert_uint_eq(fix_count("links_evicted"), 0);
    fix_stop();
    ck_assert_uint_eq(seen.down_n, PEERS_N);
}

START_TEST(sixty_four_flooding_peers_arrive_byte_for_byte)
{
    fix_conf();
    work_us = 0;
    flood();
}
END_TEST

START_TEST(two_reactors_share_the_owner)
{
    fix_conf();
    net_conf.reactors = 2;
    work_us = 0;
    flood();
}
END_TEST

START_TEST(a_slow_owner_with_little_frame_memory_parks_the_peers_and_loses_nothing)
{
    fix_conf();
    net_conf.frame_max = 16000;
    /* An unfinished frame for each peer, and a few on their way to the owner. */
    net_conf.frame_bytes_max = PEERS_N * 16384 + 256 * 1024;
    work_us = 100;
    parks = true;
    flood();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("net flood");
    TCase *tc = tcase_create("flood");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, sixty_four_flooding_peers_arrive_byte_for_byte);
    tcase_add_test(tc, two_reactors_share_the_owner);
    tcase_add_test(tc, a_slow_owner_with_little_frame_memory_parks_the_peers_and_loses_nothing);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
