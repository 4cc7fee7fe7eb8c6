/* session.c - one connection's TLS, between two buffers instead of a socket.
 *
 * OpenSSL reads through a BIO from the bytes of the call it is in, so nothing
 * that arrives is copied before it is decrypted, and writes into `out`. What is
 * being sent lies in `fly`, untouched, while `out` goes on collecting.
 *
 * Every call begins with an empty error queue: it belongs to the thread, and
 * what another connection left in it would be read as this one's failure.
 */
#include "tls_int.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

struct buffer {
    uint8_t *bytes;
    size_t len, cap;
};

struct hs_tls_session {
    SSL *ssl;
    const uint8_t *in; /* of the call that is under way */
    size_t in_n;
    struct buffer out, fly;
    size_t fly_off;
    bool failed, said_goodbye;
    char subject[96]; /* of a certificate that was refused */
    char why[HS_TLS_WHY_LEN];
};

enum { OUT_FIRST = 4096 };

/* ---- what OpenSSL takes for a socket ---- */

static int bio_read(BIO *b, char *to, size_t n, size_t *got)
{
    struct hs_tls_session *s = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    if (s->in_n == 0) {
        BIO_set_retry_read(b);
        return 0;
    }
    *got = n < s->in_n ? n : s->in_n;
    memcpy(to, s->in, *got);
    s->in += *got;
    s->in_n -= *got;
    return 1;
}

static bool grow(struct buffer *b, size_t need)
{
    size_t cap = b->cap == 0 ? OUT_FIRST : b->cap;
    while (cap < need)
        cap *= 2;
    uint8_t *larger = hs_alloc(cap);
    if (larger == NULL)
        return false;
    if (b->len > 0)
        memcpy(larger, b->bytes, b->len);
    hs_free(b->bytes);
    b->bytes = larger;
    b->cap = cap;
    return true;
}

static int bio_write(BIO *b, const char *from, size_t n, size_t *put)
{
    struct hs_tls_session *s = BIO_get_data(b);
    struct buffer *out = &s->out;
    BIO_clear_retry_flags(b);
    if (n > HS_TLS_OUT_MAX - out->len || (out->len + n > out->cap && !grow(out, out->len + n)))
        return 0;
    memcpy(out->bytes + out->len, from, n);
    out->len += n;
    *put = n;
    return 1;
}

static long bio_ctrl(BIO *b, int cmd, long number, void *p)
{
    (void)b, (void)number, (void)p;
    return cmd == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *b)
{
    BIO_set_init(b, 1);
    return 1;
}

BIO_METHOD *tls_bio_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "hearsay buffers");
    if (m == NULL)
        return NULL;
    BIO_meth_set_read_ex(m, bio_read);
    BIO_meth_set_write_ex(m, bio_write);
    BIO_meth_set_ctrl(m, bio_ctrl);
    BIO_meth_set_create(m, bio_create);
    return m;
}

/* ---- a session's life ---- */

/* The context's reference outlives a swap of the keys. */
static SSL *new_ssl(struct hs_tls *t, enum hs_tls_side side)
{
    hs_lock_take(t->lock);
    SSL *ssl = t->keys == NULL ? NULL : SSL_new(t->keys->ctx[side]);
    hs_lock_release(t->lock);
    return ssl;
}

struct hs_tls_session *hs_tls_open(struct hs_tls *t, enum hs_tls_side side)
{
    struct hs_tls_session *s = hs_alloc(sizeof(*s));
    BIO *bio = s == NULL ? NULL : BIO_new(t->bio);
    if (bio != NULL)
        s->ssl = new_ssl(t, side);
    if (bio == NULL || s->ssl == NULL) {
        BIO_free(bio);
        hs_free(s);
        ERR_clear_error();
        return NULL;
    }
    BIO_set_data(bio, s);
    SSL_set_bio(s->ssl, bio, bio);
    SSL_set_app_data(s->ssl, s);
    if (side == HS_TLS_BUS_OUT)
        SSL_set_connect_state(s->ssl);
    else
        SSL_set_accept_state(s->ssl);
    return s;
}

void hs_tls_close(struct hs_tls_session *s)
{
    if (s == NULL)
        return;
    SSL_free(s->ssl);
    hs_free(s->out.bytes);
    hs_free(s->fly.bytes);
    hs_free(s);
}

/* ---- reasons ---- */

int tls_verified(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct hs_tls_session *s = SSL_get_app_data(ssl);
    X509 *cert = X509_STORE_CTX_get_current_cert(store);
    if (ok == 0 && s != NULL && cert != NULL)
        X509_NAME_oneline(X509_get_subject_name(cert), s->subject, sizeof(s->subject));
    return ok;
}

static void explain(struct hs_tls_session *s)
{
    unsigned long e = ERR_peek_last_error();
    long verdict = SSL_get_verify_result(s->ssl);
    const char *reason = ERR_reason_error_string(e);
    if (ERR_GET_LIB(e) == ERR_LIB_SSL && ERR_GET_REASON(e) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        snprintf(s->why, sizeof(s->why), "its certificate %s is refused: %s", s->subject,
                 X509_verify_cert_error_string(verdict));
    } else if (ERR_GET_LIB(e) == ERR_LIB_SSL && ERR_GET_REASON(e) >= SSL_AD_REASON_OFFSET) {
        snprintf(s->why, sizeof(s->why), "the peer refuses: %s", reason);
    } else if (ERR_GET_LIB(e) == ERR_LIB_SSL && (ERR_GET_REASON(e) == SSL_R_WRONG_VERSION_NUMBER ||
                                                 ERR_GET_REASON(e) == SSL_R_HTTP_REQUEST)) {
        snprintf(s->why, sizeof(s->why), "%s: the peer does not speak TLS", reason);
    } else {
        snprintf(s->why, sizeof(s->why), "%s", reason != NULL ? reason : "no reason given");
    }
    /* A subject is the peer's text. */
    for (char *p = s->why; *p != '\0'; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
}

static enum hs_tls_result result(struct hs_tls_session *s, int rc)
{
    switch (SSL_get_error(s->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        return HS_TLS_MORE;
    case SSL_ERROR_ZERO_RETURN:
        return HS_TLS_CLOSED;
    default:
        explain(s);
        s->failed = true;
        ERR_clear_error();
        return HS_TLS_FAILED;
    }
}

static enum hs_tls_result already_failed(size_t *used)
{
    *used = 0;
    return HS_TLS_FAILED;
}

/* ---- bytes ---- */

enum hs_tls_result hs_tls_handshake(struct hs_tls_session *s, const uint8_t *in, size_t n,
                                    size_t *used)
{
    if (s->failed)
        return already_failed(used);
    ERR_clear_error();
    s->in = in;
    s->in_n = n;
    int rc = SSL_do_handshake(s->ssl);
    *used = n - s->in_n;
    s->in_n = 0;
    return rc == 1 ? HS_TLS_OK : result(s, rc);
}

enum hs_tls_result hs_tls_read(struct hs_tls_session *s, const uint8_t *in, size_t n, size_t *used,
                               uint8_t *out, size_t out_n, size_t *got)
{
    *got = 0;
    if (s->failed)
        return already_failed(used);
    ERR_clear_error();
    s->in = in;
    s->in_n = n;
    int rc = SSL_read_ex(s->ssl, out, out_n, got);
    *used = n - s->in_n;
    s->in_n = 0;
    return rc == 1 ? HS_TLS_OK : result(s, rc);
}

bool hs_tls_write(struct hs_tls_session *s, const uint8_t *p, size_t n)
{
    size_t done = 0;
    HS_ASSERT(n <= HS_TLS_RECORD_MAX);
    if (s->failed || n == 0)
        return !s->failed;
    ERR_clear_error();
    int rc = SSL_write_ex(s->ssl, p, n, &done);
    if (rc == 1) {
        HS_ASSERT(done == n); /* no partial writes: the sink takes all or fails */
        return true;
    }
    result(s, rc);
    s->failed = true;
    return false;
}

void hs_tls_goodbye(struct hs_tls_session *s)
{
    if (s->failed || s->said_goodbye || !SSL_is_init_finished(s->ssl))
        return;
    s->said_goodbye = true;
    ERR_clear_error();
    SSL_shutdown(s->ssl);
    ERR_clear_error();
}

size_t hs_tls_pending(const struct hs_tls_session *s)
{
    return s->out.len + s->fly.len - s->fly_off;
}

static void release(struct buffer *b)
{
    hs_free(b->bytes);
    *b = (struct buffer){0};
}

const uint8_t *hs_tls_flight(struct hs_tls_session *s, size_t *n)
{
    if (s->fly.len == 0) {
        struct buffer empty = s->fly;
        s->fly = s->out;
        s->out = empty;
        s->fly_off = 0;
    }
    *n = s->fly.len - s->fly_off;
    if (*n > 0)
        return s->fly.bytes + s->fly_off;
    release(&s->fly);
    release(&s->out);
    return NULL;
}

void hs_tls_sent(struct hs_tls_session *s, size_t n)
{
    s->fly_off += n;
    HS_ASSERT(s->fly_off <= s->fly.len);
    if (s->fly_off == s->fly.len)
        s->fly.len = s->fly_off = 0;
}

const char *hs_tls_why(const struct hs_tls_session *s)
{
    return s->why;
}

bool hs_tls_peer_is(const struct hs_tls_session *s, const char *name, size_t n)
{
    X509 *cert = SSL_get0_peer_certificate(s->ssl);
    return cert != NULL && SSL_get_verify_result(s->ssl) == X509_V_OK &&
           X509_check_host(cert, name, n,
                           X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT | X509_CHECK_FLAG_NO_WILDCARDS,
                           NULL) == 1;
}
