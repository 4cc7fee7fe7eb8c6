/* Blocks that many clients are sent: whole, in order, and in memory exactly as long
 * as somebody is sent them. */
#include "net_toy.h"

enum { OUTBUF = 64 << 20, MANY = 64 }; /* MANY blocks fill every buffer of the kernel */

static uint8_t got[BLOCK_LEN], expected[BLOCK_LEN];

static void setup(void)
{
    fix_conf();
    toy_clients();
    net_conf.client_outbuf_max = OUTBUF;
    block_renew();
    memcpy(expected, block->bytes, sizeof(expected));
}

static void start(void)
{
    fix_create();
    client_port = fix_free_port();
    ck_assert_int_eq(hs_net_listen_client(net, "127.0.0.1", client_port), 0);
    fix_start();
}

static void end(void)
{
    fix_stop();
    ck_assert_int_eq(atomic_load(&open_n), atomic_load(&closed_n));
    hs_shared_release(&block->shared);
    ck_assert_int_eq(atomic_load(&blocks_n), 0);
}

static void expect_block(int fd)
{
    ck_assert(peer_read(fd, got, sizeof(got)));
    ck_assert_mem_eq(got, expected, sizeof(got));
}

/* In one write, so that all of it is answered before any of it is sent. */
static void ask_many(int fd)
{
    char lines[MANY * 5 + 10] = "";

    for (int i = 0; i < MANY; i++)
        strcat(lines, "same\n");
    say(fd, strcat(lines, "echo end\n"));
}

static int slow_client(void)
{
    int fd = peer_connect(client_port);

    ask_many(fd);
    ck_assert(peer_read(fd, got, 1)); /* it is being sent, and reads no more */
    return fd;
}

/* All that a slow one asked for, when it reads after all. */
static void expect_many(int fd)
{
    ck_assert(peer_read(fd, got, BLOCK_LEN - 1));
    for (int i = 1; i < MANY; i++)
        expect_block(fd);
    expect(fd, "end\n");
}

START_TEST(shared_bytes_come_whole_and_in_order_with_others)
{
    start();
    int fd = peer_connect(client_port);

    say(fd, "echo one\nsame\necho two\necho three\nsame\nsame\necho four\n");
    expect(fd, "one\n");
    expect_block(fd);
    expect(fd, "two\nthree\n");
    expect_block(fd);
    expect_block(fd);
    expect(fd, "four\n");
    ask_many(fd);
    for (int i = 0; i < MANY; i++)
        expect_block(fd);
    expect(fd, "end\n");
    close(fd);
    end();
}
END_TEST

START_TEST(a_block_lives_until_its_last_reader_has_it)
{
    start();
    int slow = slow_client(), other = peer_connect(client_port);

    say(other, "renew\n");
    expect(other, "renewed\n");
    fix_play_ms(20);
    ck_assert_int_eq(atomic_load(&blocks_n), 2);
    expect_many(slow);
    FIX_UNTIL(atomic_load(&blocks_n) == 1);
    close(slow);
    close(other);
    end();
}
END_TEST

START_TEST(a_reader_that_leaves_gives_its_blocks_back)
{
    start();
    int slow = slow_client(), other = peer_connect(client_port);

    say(other, "renew\n");
    expect(other, "renewed\n");
    close(slow);
    FIX_UNTIL(atomic_load(&blocks_n) == 1);
    close(other);
    end();
}
END_TEST

START_TEST(cutting_closes_who_has_not_read_and_nobody_else)
{
    start();
    int slow = slow_client(), other = peer_connect(client_port);

    say(other, "same\nrenew\n");
    expect_block(other);
    expect(other, "renewed\n");
    int newer = slow_client();
    say(other, "cut\n");
    expect(other, "cut\n");
    FIX_UNTIL(atomic_load(&blocks_n) == 1);
    ck_assert_int_eq(atomic_load(&cut_n), 1);
    ck_assert_uint_eq(fix_count("clients_slow"), 1);
    expect_many(newer);
    close(slow);
    close(newer);
    close(other);
    end();
}
END_TEST

START_TEST(shared_bytes_count_as_unread_ones)
{
    net_conf.client_outbuf_max = 4 * BLOCK_LEN;
    start();
    int fd = peer_connect(client_port);

    ask_many(fd);
    FIX_UNTIL(fix_count("clients_over") == 1);
    close(fd);
    end();
}
END_TEST

START_TEST(a_limit_of_unread_bytes_holds_for_shared_ones)
{
    net_conf.tune.reply = (struct hs_net_limit){.hard = 4 * BLOCK_LEN};
    start();
    int fd = peer_connect(client_port);

    ask_many(fd);
    FIX_UNTIL(fix_count("clients_slow") == 1);
    close(fd);
    end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("net_shared");
    TCase *tc = tcase_create("shared");

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, shared_bytes_come_whole_and_in_order_with_others);
    tcase_add_test(tc, a_block_lives_until_its_last_reader_has_it);
    tcase_add_test(tc, a_reader_that_leaves_gives_its_blocks_back);
    tcase_add_test(tc, cutting_closes_who_has_not_read_and_nobody_else);
    tcase_add_test(tc, shared_bytes_count_as_unread_ones);
    tcase_add_test(tc, a_limit_of_unread_bytes_holds_for_shared_ones);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
