/* TLS between two buffers: whatever the pieces it arrives in, whoever is at the
 * other end, and whatever the files hold.
 *
 * Length: sessions, callers and files are told apart by one set-up of two ends. */
#include "hs_certs.h"
#include "hs_test.h"

#include "tls_int.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static struct hs_conf conf;
static struct hs_tls *tls;
static char why[512];

static void path_to(char *to, const char *file)
{
    snprintf(to, HS_PATH_MAX, "%s/%s", dir, file);
}

static void use(struct hs_conf *c, const char *name)
{
    char file[64];
    snprintf(file, sizeof(file), "%s.crt", name);
    path_to(c->tls_cert_file, file);
    snprintf(file, sizeof(file), "%s.key", name);
    path_to(c->tls_key_file, file);
}

static struct hs_tls *with_keys(const struct hs_conf *c)
{
    struct hs_tls *t = hs_tls_create();
    struct hs_tls_keys *k = hs_tls_load(c, why, sizeof(why));
    ck_assert_msg(k != NULL, "%s", why);
    hs_tls_adopt(t, k);
    return t;
}

static void setup(void)
{
    snprintf(dir, sizeof(dir), "/tmp/check_tls.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    certs_write(dir);
    conf =
        (struct hs_conf){.tls_cluster = true, .tls_port = 1, .tls_auth_clients = HS_TLS_AUTH_YES};
    use(&conf, "node");
    path_to(conf.tls_ca_cert_file, "ca.crt");
    tls = with_keys(&conf);
}

static void teardown(void)
{
    char command[128];
    hs_tls_destroy(tls);
    snprintf(command, sizeof(command), "rm -r %s", dir);
    ck_assert_int_eq(system(command), 0);
}

/* ---- two ends, and a wire that carries `step` bytes at a time ---- */

struct end {
    struct hs_tls_session *s;
    enum hs_tls_result state; /* of the handshake */
    uint8_t got[200000];
    size_t got_n;
};

static struct end a, b; /* a dials */

static void open_ends(struct hs_tls *ta, struct hs_tls *tb)
{
    a = (struct end){.s = hs_tls_open(ta, HS_TLS_BUS_OUT), .state = HS_TLS_MORE};
    b = (struct end){.s = hs_tls_open(tb, HS_TLS_BUS_IN), .state = HS_TLS_MORE};
    ck_assert(a.s != NULL && b.s != NULL);
}

static void close_ends(void)
{
    hs_tls_close(a.s);
    hs_tls_close(b.s);
}

static void take(struct end *to, const uint8_t *p, size_t n)
{
    size_t used = 0, got;
    while (to->state == HS_TLS_MORE) {
        to->state = hs_tls_handshake(to->s, p, n, &used);
        p = used > 0 ? p + used : p; /* NULL for none */
        n -= used;
        if (n == 0)
            break;
    }
    while (n > 0 && to->state == HS_TLS_OK) {
        enum hs_tls_result r =
            hs_tls_read(to->s, p, n, &used, to->got + to->got_n, sizeof(to->got) - to->got_n, &got);
        to->got_n += got;
        p += used;
        n -= used;
        if (r == HS_TLS_CLOSED || r == HS_TLS_FAILED)
            to->state = r;
    }
}

/* True if something moved. */
static bool carry(struct end *from, struct end *to, size_t step)
{
    size_t n;
    const uint8_t *p = hs_tls_flight(from->s, &n);
    if (p == NULL)
        return false;
    uint8_t piece[4096];
    n = n < step ? n : step;
    n = n < sizeof(piece) ? n : sizeof(piece);
    memcpy(piece, p, n);
    hs_tls_sent(from->s, n);
    take(to, piece, n);
    return true;
}

static void run(size_t step)
{
    while (carry(&a, &b, step) || carry(&b, &a, step))
        ;
}

static void shake(size_t step)
{
    take(&a, NULL, 0);
    run(step);
}

static void shake_well(void)
{
    shake(4096);
    ck_assert_msg(a.state == HS_TLS_OK, "%s", hs_tls_why(a.s));
    ck_assert_msg(b.state == HS_TLS_OK, "%s", hs_tls_why(b.s));
}

static const size_t steps[] = {1, 2, 5, 6, 17, 1000, 4096};

START_TEST(bytes_arrive_whatever_the_pieces)
{
    static uint8_t text[100000];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * 7 + i / 256);
    open_ends(tls, tls);
    shake(steps[_i]);
    ck_assert_int_eq(a.state, HS_TLS_OK);
    ck_assert_int_eq(b.state, HS_TLS_OK);
    ck_assert(hs_tls_write(b.s, (const uint8_t *)"hello", 5));
    for (size_t at = 0; at < sizeof(text); at += HS_TLS_RECORD_MAX) {
        size_t n = sizeof(text) - at < HS_TLS_RECORD_MAX ? sizeof(text) - at : HS_TLS_RECORD_MAX;
        ck_assert(hs_tls_write(a.s, text + at, n));
    }
    run(steps[_i]);
    ck_assert_uint_eq(a.got_n, 5);
    ck_assert_uint_eq(b.got_n, sizeof(text));
    ck_assert_mem_eq(b.got, text, sizeof(text));
    ck_assert_uint_eq(hs_tls_pending(a.s) + hs_tls_pending(b.s), 0);
    close_ends();
}
END_TEST

START_TEST(a_goodbye_is_told_from_a_failure)
{
    open_ends(tls, tls);
    shake_well();
    ck_assert(hs_tls_write(a.s, (const uint8_t *)"last", 4));
    hs_tls_goodbye(a.s);
    hs_tls_goodbye(a.s);
    run(3);
    ck_assert_uint_eq(b.got_n, 4);
    ck_assert_int_eq(b.state, HS_TLS_CLOSED);
    close_ends();
}
END_TEST

START_TEST(a_handshake_that_stops_anywhere_only_waits)
{
    for (size_t stop = 0; stop < 400; stop += 13) {
        open_ends(tls, tls);
        take(&a, NULL, 0);
        size_t n;
        const uint8_t *p = hs_tls_flight(a.s, &n);
        take(&b, p, stop < n - 1 ? stop : n - 1);
        ck_assert_int_eq(b.state, HS_TLS_MORE);
        close_ends();
    }
}
END_TEST

static const struct {
    const char *bytes, *why;
} not_tls[] = {
    {"PING\r\nPING\r\nPING\r\n", "the peer does not speak TLS"},
    {"RCmb\0\0\x08\xb8\0\1\0\0\0\0\0\0\0\0", "the peer does not speak TLS"},
    {"GET / HTTP/1.0\r\n\r\n", "the peer does not speak TLS"},
    {"\x16\x03\x01\xff\xff\x01\x02\x03", ""},
    {"\x16\x03\x01\x00\x05\x01\xff\xff\xff\xff", ""},
    {"\x15\x03\x01\x00\x02\x02\x28", ""},
};

START_TEST(what_is_no_tls_fails_with_a_reason_and_stays_failed)
{
    size_t used;
    open_ends(tls, tls);
    take(&b, (const uint8_t *)not_tls[_i].bytes, 18);
    ck_assert_int_eq(b.state, HS_TLS_FAILED);
    ck_assert_msg(strstr(hs_tls_why(b.s), not_tls[_i].why) != NULL, "%s", hs_tls_why(b.s));
    ck_assert_uint_gt(strlen(hs_tls_why(b.s)), 5);
    ck_assert_int_eq(hs_tls_handshake(b.s, (const uint8_t *)"x", 1, &used), HS_TLS_FAILED);
    ck_assert(!hs_tls_write(b.s, (const uint8_t *)"x", 1));
    ck_assert_uint_eq(ERR_peek_error(), 0);
    close_ends();
}
END_TEST

START_TEST(a_changed_byte_is_noticed_and_none_of_it_is_passed_on)
{
    for (size_t at = 0; at < 40; at++) {
        uint8_t record[64];
        size_t n;
        open_ends(tls, tls);
        shake_well();
        ck_assert(hs_tls_write(a.s, (const uint8_t *)"transfer ten", 12));
        const uint8_t *p = hs_tls_flight(a.s, &n);
        ck_assert_uint_le(n, sizeof(record));
        memcpy(record, p, n);
        record[at % n] ^= 0x40;
        take(&b, record, n);
        ck_assert_uint_eq(b.got_n, 0);
        close_ends();
    }
}
END_TEST

static const struct {
    const char *dials, *dials_ca, *answers_why, *dials_why;
} strangers[] = {
    {"stranger", "ca", "unable to get local issuer certificate", ""},
    {"node", "ca2", "the peer refuses: tlsv1 alert unknown ca", "in certificate chain"},
};

START_TEST(a_certificate_of_another_authority_is_refused_with_the_reason)
{
    char file[32];
    struct hs_conf other = conf;
    use(&other, strangers[_i].dials);
    snprintf(file, sizeof(file), "%s.crt", strangers[_i].dials_ca);
    path_to(other.tls_ca_cert_file, file);
    struct hs_tls *t = with_keys(&other);
    open_ends(t, tls);
    shake(4096);
    ck_assert(a.state == HS_TLS_FAILED || b.state == HS_TLS_FAILED);
    ck_assert_msg(strstr(hs_tls_why(b.s), strangers[_i].answers_why) != NULL, "%s",
                  hs_tls_why(b.s));
    ck_assert_msg(strstr(hs_tls_why(a.s), strangers[_i].dials_why) != NULL, "%s", hs_tls_why(a.s));
    close_ends();
    hs_tls_destroy(t);
}
END_TEST

/* A client of OpenSSL's own: it may have no certificate, or one that has ended,
 * or a session to resume, which our sessions cannot. */
static SSL *raw_client(SSL_CTX *ctx, SSL_SESSION *resume)
{
    SSL *ssl = SSL_new(ctx);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl);
    if (resume != NULL)
        SSL_set_session(ssl, resume);
    return ssl;
}

static void raw_shake(SSL *ssl, struct end *server)
{
    uint8_t bytes[16384];
    char plain[16];
    for (int i = 0; i < 20; i++) {
        ERR_clear_error();
        if (SSL_is_init_finished(ssl))
            SSL_read(ssl, plain, sizeof(plain)); /* tickets, alerts */
        else
            SSL_do_handshake(ssl);
        int n = BIO_read(SSL_get_wbio(ssl), bytes, sizeof(bytes));
        if (n > 0)
            take(server, bytes, (size_t)n);
        size_t out_n;
        const uint8_t *out = hs_tls_flight(server->s, &out_n);
        if (out != NULL) {
            BIO_write(SSL_get_rbio(ssl), out, (int)out_n);
            hs_tls_sent(server->s, out_n);
        }
    }
    ERR_clear_error();
}

static enum hs_tls_result raw_try(struct hs_tls *t, enum hs_tls_side side, const char *name)
{
    char file[HS_PATH_MAX];
    char with[32];
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (name != NULL) {
        snprintf(with, sizeof(with), "%s.crt", name);
        path_to(file, with);
        ck_assert_int_eq(SSL_CTX_use_certificate_file(ctx, file, SSL_FILETYPE_PEM), 1);
        snprintf(with, sizeof(with), "%s.key", name);
        path_to(file, with);
        ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(ctx, file, SSL_FILETYPE_PEM), 1);
    }
    SSL *ssl = raw_client(ctx, NULL);
    a = (struct end){.s = NULL};
    b = (struct end){.s = hs_tls_open(t, side), .state = HS_TLS_MORE};
    raw_shake(ssl, &b);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return b.state;
}

static const struct {
    enum hs_tls_side side;
    enum hs_tls_auth auth;
    const char *name, *why; /* NULL: welcome */
} callers[] = {
    {HS_TLS_BUS_IN, HS_TLS_AUTH_NO, "node", NULL},
    {HS_TLS_BUS_IN, HS_TLS_AUTH_NO, NULL, "peer did not return a certificate"},
    {HS_TLS_BUS_IN, HS_TLS_AUTH_NO, "expired", "certificate has expired"},
    {HS_TLS_BUS_IN, HS_TLS_AUTH_NO, "future", "certificate is not yet valid"},
    {HS_TLS_CLIENT_PORT, HS_TLS_AUTH_YES, "two", NULL},
    {HS_TLS_CLIENT_PORT, HS_TLS_AUTH_YES, NULL, "peer did not return a certificate"},
    {HS_TLS_CLIENT_PORT, HS_TLS_AUTH_OPTIONAL, NULL, NULL},
    {HS_TLS_CLIENT_PORT, HS_TLS_AUTH_OPTIONAL, "expired", "/CN=expired is refused: certificate"},
    {HS_TLS_CLIENT_PORT, HS_TLS_AUTH_OPTIONAL, "stranger", "is refused"},
    {HS_TLS_CLIENT_PORT, HS_TLS_AUTH_NO, NULL, NULL},
};

START_TEST(who_is_let_in_depends_on_the_port_and_the_directive)
{
    conf.tls_auth_clients = callers[_i].auth;
    struct hs_tls *t = with_keys(&conf);
    enum hs_tls_result result = raw_try(t, callers[_i].side, callers[_i].name);
    ck_assert_msg(result == (callers[_i].why == NULL ? HS_TLS_OK : HS_TLS_FAILED), "%s",
                  hs_tls_why(b.s));
    if (callers[_i].why != NULL)
        ck_assert_msg(strstr(hs_tls_why(b.s), callers[_i].why) != NULL, "%s", hs_tls_why(b.s));
    hs_tls_close(b.s);
    hs_tls_destroy(t);
}
END_TEST

START_TEST(a_session_of_the_client_port_opens_no_bus_link)
{
    conf.tls_auth_clients = HS_TLS_AUTH_OPTIONAL;
    conf.tls_session_caching = true;
    conf.tls_session_cache_timeout = 300;
    struct hs_tls *t = with_keys(&conf);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = raw_client(ctx, NULL);
    b = (struct end){.s = hs_tls_open(t, HS_TLS_CLIENT_PORT), .state = HS_TLS_MORE};
    raw_shake(ssl, &b);
    SSL_SESSION *session = SSL_get1_session(ssl);
    ck_assert(SSL_SESSION_is_resumable(session));
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN); /* or else it would be forgotten */
    SSL_free(ssl);
    hs_tls_close(b.s);

    static const enum hs_tls_side sides[] = {HS_TLS_CLIENT_PORT, HS_TLS_BUS_IN};
    static const enum hs_tls_result results[] = {HS_TLS_OK, HS_TLS_FAILED};
    for (int i = 0; i < 2; i++) {
        ssl = raw_client(ctx, session);
        b = (struct end){.s = hs_tls_open(t, sides[i]), .state = HS_TLS_MORE};
        raw_shake(ssl, &b);
        ck_assert_int_eq(b.state, results[i]);
        ck_assert_int_eq(SSL_session_reused(ssl), i == 0);
        SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN);
        SSL_free(ssl);
        hs_tls_close(b.s);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    hs_tls_destroy(t);
}
END_TEST

START_TEST(what_nobody_takes_is_bounded)
{
    static const uint8_t record[HS_TLS_RECORD_MAX];
    size_t n = 0;
    open_ends(tls, tls);
    shake_well();
    while (hs_tls_write(a.s, record, sizeof(record)))
        ck_assert_uint_le(++n, HS_TLS_OUT_MAX / HS_TLS_RECORD_MAX);
    ck_assert_uint_ge(n, HS_TLS_OUT_MAX / HS_TLS_RECORD_MAX - 2);
    ck_assert_uint_le(hs_tls_pending(a.s), HS_TLS_OUT_MAX);
    close_ends();
}
END_TEST

START_TEST(a_peers_certificate_has_a_name)
{
    open_ends(tls, tls);
    shake_well();
    ck_assert(hs_tls_peer_is(b.s, "node", 4));
    ck_assert(!hs_tls_peer_is(b.s, "node", 3));
    ck_assert(!hs_tls_peer_is(b.s, "other", 5));
    close_ends();
}
END_TEST

/* ---- keys ---- */

static const struct {
    const char *cert, *key, *ca, *pass, *protocols, *ciphers, *suites, *why;
} files[] = {
    {"node.crt", "node.key", "ca.crt", "", "", "", "", NULL},
    {"locked.crt", "locked.key", "ca.crt", "sesame", "TLSv1.2", "HIGH", "", NULL},
    {"none.crt", "node.key", "ca.crt", "", "", "", "", "none.crt': No such file or directory"},
    {"node.crt", "none.key", "ca.crt", "", "", "", "", "none.key': No such file or directory"},
    {"node.crt", "two.key", "ca.crt", "", "", "", "", "two.key': key values mismatch"},
    {"node.key", "node.key", "ca.crt", "", "", "", "", "node.key': no start line"},
    {"locked.crt", "locked.key", "ca.crt", "wrong", "", "", "", "locked.key': bad decrypt"},
    {"locked.crt", "locked.key", "ca.crt", "", "", "", "", "locked.key': "},
    {"expired.crt", "expired.key", "ca.crt", "", "", "", "", "has expired: it was valid until "},
    {"future.crt", "future.key", "ca.crt", "", "", "", "", "is not valid yet"},
    {"node.crt", "node.key", "none.crt", "", "", "", "", "none.crt': No such file or directory"},
    {"node.crt", "node.key", "node.key", "", "", "", "", "tls-ca-cert-file"},
    {"node.crt", "node.key", "", "", "", "", "", "Either tls-ca-cert-file or tls-ca-cert-dir"},
    {"", "node.key", "ca.crt", "", "", "", "", "No tls-cert-file configured!"},
    {"node.crt", "", "ca.crt", "", "", "", "", "No tls-key-file configured!"},
    {"node.crt", "node.key", "ca.crt", "", "TLSv9", "", "", "Invalid tls-protocols specified."},
    {"node.crt", "node.key", "ca.crt", "", "", "NOSUCH", "", "tls-ciphers 'NOSUCH'"},
    {"node.crt", "node.key", "ca.crt", "", "", "", "NOSUCH", "tls-ciphersuites 'NOSUCH'"},
};

static void set_file(char *to, const char *file)
{
    to[0] = '\0';
    if (file[0] != '\0')
        path_to(to, file);
}

START_TEST(files_are_checked_as_a_whole_and_the_wrong_one_is_named)
{
    set_file(conf.tls_cert_file, files[_i].cert);
    set_file(conf.tls_key_file, files[_i].key);
    set_file(conf.tls_ca_cert_file, files[_i].ca);
    snprintf(conf.tls_key_file_pass, sizeof(conf.tls_key_file_pass), "%s", files[_i].pass);
    snprintf(conf.tls_protocols, sizeof(conf.tls_protocols), "%s", files[_i].protocols);
    snprintf(conf.tls_ciphers, sizeof(conf.tls_ciphers), "%s", files[_i].ciphers);
    snprintf(conf.tls_ciphersuites, sizeof(conf.tls_ciphersuites), "%s", files[_i].suites);
    struct hs_tls_keys *k = hs_tls_load(&conf, why, sizeof(why));
    ck_assert_msg((k != NULL) == (files[_i].why == NULL), "'%s'", why);
    if (files[_i].why != NULL)
        ck_assert_msg(strstr(why, files[_i].why) != NULL, "'%s'", why);
    hs_tls_keys_free(k);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

START_TEST(a_key_that_others_can_read_is_told)
{
    ck_assert_int_eq(chmod(conf.tls_key_file, 0640), 0);
    struct hs_tls_keys *k = hs_tls_load(&conf, why, sizeof(why));
    ck_assert_msg(strstr(hs_tls_keys_warning(k), "chmod 600") != NULL, "%s",
                  hs_tls_keys_warning(k));
    int64_t left_s = hs_tls_keys_end_s(k) - hs_clock().wall.ms / 1000;
    ck_assert(left_s > CERT_DAY_S - 60 && left_s <= CERT_DAY_S);
    hs_tls_keys_free(k);
    ck_assert_int_eq(chmod(conf.tls_key_file, 0600), 0);
    k = hs_tls_load(&conf, why, sizeof(why));
    ck_assert_str_eq(hs_tls_keys_warning(k), "");
    hs_tls_keys_free(k);
}
END_TEST

static bool is_served_by(const char *name)
{
    open_ends(tls, tls);
    shake_well();
    bool is = hs_tls_peer_is(a.s, name, strlen(name));
    close_ends();
    return is;
}

START_TEST(new_keys_are_for_new_sessions_and_old_sessions_go_on)
{
    open_ends(tls, tls);
    shake_well();
    struct hs_conf next = conf;
    use(&next, "two");
    hs_tls_adopt(tls, hs_tls_load(&next, why, sizeof(why)));
    ck_assert(hs_tls_write(a.s, (const uint8_t *)"still", 5));
    run(4096);
    ck_assert_uint_eq(b.got_n, 5);
    close_ends();
    ck_assert(is_served_by("two"));
}
END_TEST

START_TEST(a_reload_reads_the_same_files_and_gives_way_to_newer_keys)
{
    struct hs_tls_keys *slow = hs_tls_load_again(tls, why, sizeof(why));
    struct hs_conf next = conf;
    use(&next, "two");
    hs_tls_adopt(tls, hs_tls_load(&next, why, sizeof(why)));
    hs_tls_adopt(tls, slow);
    ck_assert(is_served_by("two"));
    ck_assert_int_eq(truncate(next.tls_cert_file, 100), 0);
    ck_assert_ptr_null(hs_tls_load_again(tls, why, sizeof(why)));
    ck_assert_msg(strstr(why, "two.crt") != NULL, "%s", why);
    ck_assert(is_served_by("two"));
}
END_TEST

START_TEST(refusals_are_counted_in_a_row_and_the_oldest_gives_way)
{
    static struct hs_tls_refusal got[HS_TLS_REFUSALS_MAX];
    hs_mono at = {100000};
    char ip[32];
    hs_tls_refused(tls, "10.0.0.1", 17000, "one", at);
    at.ms += 10000;
    hs_tls_refused(tls, "10.0.0.1", 17000, "two", at);
    hs_tls_refused(tls, "10.0.0.1", 0, "from there", at);
    ck_assert_uint_eq(hs_tls_refusals(tls, got), 2);
    ck_assert_uint_eq(got[0].times, 2);
    ck_assert_str_eq(got[0].why, "two");
    ck_assert_uint_eq(got[1].times, 1);
    at.ms += 10001;
    hs_tls_refused(tls, "10.0.0.1", 17000, "three", at);
    hs_tls_refusals(tls, got);
    ck_assert_uint_eq(got[0].times, 1); /* a pause ends a row */
    for (int i = 2; i <= HS_TLS_REFUSALS_MAX; i++) {
        snprintf(ip, sizeof(ip), "10.0.1.%d", i);
        hs_tls_refused(tls, ip, 0, "x", at);
    }
    ck_assert_uint_eq(hs_tls_refusals(tls, got), HS_TLS_REFUSALS_MAX);
    ck_assert_str_eq(got[0].ip, "10.0.0.1");
    ck_assert_str_eq(got[1].ip, ip); /* in the place of the one longest ago */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tls");
    TCase *t = tcase_create("tls");
    tcase_set_timeout(t, 30);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, bytes_arrive_whatever_the_pieces, 0, sizeof(steps) / sizeof(steps[0]));
    tcase_add_test(t, a_goodbye_is_told_from_a_failure);
    tcase_add_test(t, a_handshake_that_stops_anywhere_only_waits);
    tcase_add_loop_test(t, what_is_no_tls_fails_with_a_reason_and_stays_failed, 0,
                        sizeof(not_tls) / sizeof(not_tls[0]));
    tcase_add_test(t, a_changed_byte_is_noticed_and_none_of_it_is_passed_on);
    tcase_add_loop_test(t, a_certificate_of_another_authority_is_refused_with_the_reason, 0,
                        sizeof(strangers) / sizeof(strangers[0]));
    tcase_add_loop_test(t, who_is_let_in_depends_on_the_port_and_the_directive, 0,
                        sizeof(callers) / sizeof(callers[0]));
    tcase_add_test(t, a_session_of_the_client_port_opens_no_bus_link);
    tcase_add_test(t, what_nobody_takes_is_bounded);
    tcase_add_test(t, a_peers_certificate_has_a_name);
    tcase_add_loop_test(t, files_are_checked_as_a_whole_and_the_wrong_one_is_named, 0,
                        sizeof(files) / sizeof(files[0]));
    tcase_add_test(t, a_key_that_others_can_read_is_told);
    tcase_add_test(t, new_keys_are_for_new_sessions_and_old_sessions_go_on);
    tcase_add_test(t, a_reload_reads_the_same_files_and_gives_way_to_newer_keys);
    tcase_add_test(t, refusals_are_counted_in_a_row_and_the_oldest_gives_way);
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
