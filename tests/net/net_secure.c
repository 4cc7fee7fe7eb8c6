/* TLS handshakes on sockets: who gives way when there are too many, and what there
 * is of a client before it has one. */
#include "hs_certs.h"
#include "net_toy.h"

#include "hearsay/conf.h"
#include "hearsay/tls.h"

static char dir[64];
static struct hs_tls *tls;
static int listener; /* the kernel takes our dials there, and nobody ever speaks */
static uint16_t silent_port;

static void listen_silently(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
    ck_assert_int_eq(listen(listener, 16), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&a, &len), 0);
    silent_port = ntohs(a.sin_port);
}

static void setup(void)
{
    static struct hs_conf conf = {.tls_cluster = true};
    char why[256];

    snprintf(dir, sizeof(dir), "/tmp/net_secure.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    certs_write(dir);
    snprintf(conf.tls_cert_file, sizeof(conf.tls_cert_file), "%s/node.crt", dir);
    snprintf(conf.tls_key_file, sizeof(conf.tls_key_file), "%s/node.key", dir);
    snprintf(conf.tls_ca_cert_file, sizeof(conf.tls_ca_cert_file), "%s/ca.crt", dir);
    struct hs_tls_keys *keys = hs_tls_load(&conf, why, sizeof(why));
    ck_assert_msg(keys != NULL, "%s", why);
    tls = hs_tls_create();
    hs_tls_adopt(tls, keys);
    listen_silently();
    fix_conf();
    net_conf.tls = tls;
    net_conf.bus_tls = true;
    net_conf.tune.dial_timeout_ms = 10000;
    hs_log_set_level(HS_LOG_NOTHING);
}

static void teardown(void)
{
    char command[128];

    close(listener);
    hs_tls_destroy(tls);
    snprintf(command, sizeof(command), "rm -r %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static void start(void)
{
    fix_create();
    fix_start();
}

/* A dial whose handshake has begun: our first flight has left. */
static void dial_silence(uint32_t dial)
{
    uint64_t before = fix_count("bytes_out");

    fix_dial(0, "127.0.0.1", silent_port, dial);
    FIX_UNTIL(fix_count("bytes_out") > before);
}

static void crowd(int *fds, uint32_t n)
{
    uint32_t accepted_n = seen.accepted_n;

    for (uint32_t i = 0; i < n; i++)
        fds[i] = peer_connect(bus_port);
    FIX_UNTIL(seen.accepted_n == accepted_n + n);
}

START_TEST(for_want_of_places_strangers_give_way_and_what_we_dial_does_not)
{
    enum { PLACES = 16, INBOUND = PLACES - PLACES / 4, MORE = 8 };
    int fds[INBOUND + MORE];

    net_conf.conns_max = PLACES;
    start();
    dial_silence(1);
    crowd(fds, INBOUND);
    for (uint32_t i = 0; i < MORE; i++) {
        crowd(fds + INBOUND + i, 1);
        FIX_UNTIL(fix_count("conns_silent") == i + 1);
        FIX_UNTIL(fix_count("buses_now") == INBOUND + 1); /* who gave way has left his place */
    }
    ck_assert_uint_eq(seen.dial_failed_n, 0);
    for (uint32_t i = 0; i < INBOUND + MORE; i++)
        close(fds[i]);
    fix_stop();
}
END_TEST

START_TEST(among_too_many_handshakes_the_same)
{
    enum { SHAKES = 256, OLD_MS = 1000 };
    int fds[SHAKES];

    net_conf.conns_max = 4 * SHAKES;
    start();
    dial_silence(1);
    int64_t from_ms = hs_clock().mono.ms;
    crowd(fds, SHAKES - 1);
    FIX_UNTIL(fix_count("buses_now") == SHAKES);
    dial_silence(2); /* at once, however young the strangers are */
    ck_assert_uint_eq(fix_count("tls_evicted"), 1);
    crowd(fds, 1); /* but one stranger does not make room for another so soon */
    FIX_UNTIL(fix_count("tls_evicted") + fix_count("tls_refused") == 2);
    if (hs_clock().mono.ms - from_ms < OLD_MS) /* if not, the machine made them old */
        ck_assert_uint_eq(fix_count("tls_refused"), 1);
    ck_assert_uint_eq(seen.dial_failed_n, 0);
    for (uint32_t i = 0; i < SHAKES - 1; i++)
        close(fds[i]);
    fix_stop();
}
END_TEST

/* It is on the lists of those that have something to be sent, without being anybody's. */
START_TEST(slow_readers_are_looked_for_past_a_client_in_its_handshake)
{
    uint16_t tls_port = fix_free_port();

    toy_clients();
    block_renew();
    hs_shared_hold(&block->shared);
    block_renew();
    fix_create();
    client_port = fix_free_port();
    ck_assert_int_eq(hs_net_listen_client(net, "127.0.0.1", client_port), 0);
    ck_assert_int_eq(hs_net_listen_client_tls(net, "127.0.0.1", tls_port), 0);
    fix_start();
    int fd = peer_connect(client_port), shaking = peer_connect(tls_port);
    FIX_UNTIL(fix_count("clients_now") == 2);
    say(fd, "hold\n");
    FIX_UNTIL(atomic_load(&holding));
    peer_write(shaking, "\x16", 1);
    say(fd, "cut\n");
    atomic_store(&holding, false);
    expect(fd, "cut\n");
    ck_assert_int_eq(atomic_load(&cut_n), 0);
    close(shaking);
    close(fd);
    fix_stop();
    hs_shared_release(&block->shared);
    hs_shared_release(&block_before->shared);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("net secure");
    TCase *tc = tcase_create("handshakes");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, for_want_of_places_strangers_give_way_and_what_we_dial_does_not);
    tcase_add_test(tc, among_too_many_handshakes_the_same);
    tcase_add_test(tc, slow_readers_are_looked_for_past_a_client_in_its_handshake);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
