/* keys.c - certificates and keys: read, checked, and only then put in force.
 *
 * The directives mean what they mean in redis.conf. The bus is mutual whatever
 * tls-auth-clients says, as it is there, and its sessions are never resumed:
 * a resumed one would skip the look at the peer's certificate.
 */
#include "tls_int.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { DAY_S = 24 * 60 * 60 };

struct complaint {
    char *why;
    size_t n;
};

static bool complain(const struct complaint *to, const char *directive, const char *file)
{
    unsigned long e = ERR_peek_error(); /* the first one is the cause */
    const char *reason =
        ERR_SYSTEM_ERROR(e) ? strerror(ERR_GET_REASON(e)) : ERR_reason_error_string(e);
    snprintf(to->why, to->n, "%s '%.400s': %s", directive, file,
             reason != NULL ? reason : "OpenSSL cannot use it");
    return false;
}

static bool say(const struct complaint *to, const char *text)
{
    snprintf(to->why, to->n, "%s", text);
    return false;
}

/* Never asks at the terminal: without a password an encrypted key is an error. */
static int password(char *buf, int size, int writing, void *arg)
{
    (void)writing;
    int n = (int)strlen(arg);
    if (n == 0 || n > size)
        return -1;
    memcpy(buf, arg, (size_t)n);
    return n;
}

struct pair {
    const char *cert_directive, *cert, *key_directive, *key, *pass;
};

static struct pair server_pair(const struct hs_conf *c)
{
    return (struct pair){"tls-cert-file", c->tls_cert_file, "tls-key-file", c->tls_key_file,
                         c->tls_key_file_pass};
}

static struct pair client_pair(const struct hs_conf *c)
{
    if (c->tls_client_cert_file[0] == '\0')
        return server_pair(c);
    return (struct pair){"tls-client-cert-file", c->tls_client_cert_file, "tls-client-key-file",
                         c->tls_client_key_file, c->tls_client_key_file_pass};
}

static void note_permissions(struct hs_tls_keys *k, const struct pair *p)
{
    struct stat st;
    if (stat(p->key, &st) == 0 && (st.st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) != 0)
        snprintf(k->warning, sizeof(k->warning),
                 "%s '%.150s' can be read or written by others than its owner: chmod 600",
                 p->key_directive, p->key);
}

static bool check_dates(struct hs_tls_keys *k, const struct pair *p, const X509 *cert,
                        const struct complaint *to)
{
    int days, seconds;
    if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert)) != 1)
        return complain(to, p->cert_directive, p->cert);
    int64_t end_s = hs_clock().wall.ms / 1000 + (int64_t)days * DAY_S + seconds;
    if (k->end_s == 0 || end_s < k->end_s)
        k->end_s = end_s;
    if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0) {
        snprintf(to->why, to->n, "%s '%.400s' is not valid yet", p->cert_directive, p->cert);
        return false;
    }
    if (days < 0 || seconds < 0) {
        char text[32] = "";
        BIO *b = BIO_new(BIO_s_mem());
        if (b != NULL && ASN1_TIME_print(b, X509_get0_notAfter(cert)) == 1)
            BIO_gets(b, text, sizeof(text));
        BIO_free(b);
        snprintf(to->why, to->n, "%s '%.400s' has expired: it was valid until %s",
                 p->cert_directive, p->cert, text);
        return false;
    }
    return true;
}

static bool use_pair(struct hs_tls_keys *k, SSL_CTX *ctx, const struct pair *p,
                     const struct complaint *to)
{
    ERR_clear_error();
    SSL_CTX_set_default_passwd_cb(ctx, password);
    SSL_CTX_set_default_passwd_cb_userdata(ctx, (void *)(uintptr_t)p->pass);
    if (SSL_CTX_use_certificate_chain_file(ctx, p->cert) != 1)
        return complain(to, p->cert_directive, p->cert);
    if (SSL_CTX_use_PrivateKey_file(ctx, p->key, SSL_FILETYPE_PEM) != 1)
        return complain(to, p->key_directive, p->key);
    /* The password belongs to the configuration, which may go before the context. */
    SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
    SSL_CTX_set_default_passwd_cb(ctx, NULL);
    note_permissions(k, p);
    return check_dates(k, p, SSL_CTX_get0_certificate(ctx), to);
}

static bool use_authorities(SSL_CTX *ctx, const struct hs_conf *c, const struct complaint *to)
{
    const char *file = c->tls_ca_cert_file[0] != '\0' ? c->tls_ca_cert_file : NULL;
    const char *dir = c->tls_ca_cert_dir[0] != '\0' ? c->tls_ca_cert_dir : NULL;
    struct stat st;
    if (file == NULL && dir == NULL)
        return true;
    ERR_clear_error();
    if (dir != NULL && stat(dir, &st) != 0) {
        snprintf(to->why, to->n, "tls-ca-cert-dir '%.400s': %s", dir, strerror(errno));
        return false;
    }
    if (SSL_CTX_load_verify_locations(ctx, file, dir) != 1)
        return file != NULL ? complain(to, "tls-ca-cert-file", file)
                            : complain(to, "tls-ca-cert-dir", dir);
    return true;
}

static bool use_protocols(SSL_CTX *ctx, const char *text, const struct complaint *to)
{
    static const struct {
        const char *word;
        int version;
        uint64_t off;
    } protocols[] = {
        {"TLSv1", TLS1_VERSION, SSL_OP_NO_TLSv1},
        {"TLSv1.1", TLS1_1_VERSION, SSL_OP_NO_TLSv1_1},
        {"TLSv1.2", TLS1_2_VERSION, SSL_OP_NO_TLSv1_2},
        {"TLSv1.3", TLS1_3_VERSION, SSL_OP_NO_TLSv1_3},
    };
    enum { N = sizeof(protocols) / sizeof(protocols[0]) };
    bool on[N] = {[2] = true, [3] = true};
    if (text[0] != '\0')
        memset(on, 0, sizeof(on));
    for (text += strspn(text, " \t"); *text != '\0'; text += strspn(text, " \t")) {
        size_t len = strcspn(text, " \t"), i = 0;
        while (i < N &&
               (strlen(protocols[i].word) != len || strncasecmp(protocols[i].word, text, len) != 0))
            i++;
        if (i == N)
            return say(to, "Invalid tls-protocols specified. Use a combination of 'TLSv1', "
                           "'TLSv1.1', 'TLSv1.2' and 'TLSv1.3'.");
        on[i] = true;
        text += len;
    }
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    for (size_t i = 0; i < N; i++)
        SSL_CTX_set_options(ctx, on[i] ? 0 : protocols[i].off);
    return true;
}

static bool use_ciphers(SSL_CTX *ctx, const struct hs_conf *c, const struct complaint *to)
{
    ERR_clear_error();
    if (c->tls_ciphers[0] != '\0' && SSL_CTX_set_cipher_list(ctx, c->tls_ciphers) != 1)
        return complain(to, "tls-ciphers", c->tls_ciphers);
    if (c->tls_ciphersuites[0] != '\0' && SSL_CTX_set_ciphersuites(ctx, c->tls_ciphersuites) != 1)
        return complain(to, "tls-ciphersuites", c->tls_ciphersuites);
    return true;
}

static void use_sessions(SSL_CTX *ctx, const struct hs_conf *c, enum hs_tls_side side)
{
    static const unsigned char id[] = "hearsay";
    if (side == HS_TLS_CLIENT_PORT && c->tls_session_caching) {
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
        SSL_CTX_sess_set_cache_size(ctx, c->tls_session_cache_size);
        SSL_CTX_set_timeout(ctx, c->tls_session_cache_timeout);
        SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1);
        return;
    }
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(ctx, 0);
}

static int verify_mode(const struct hs_conf *c, enum hs_tls_side side)
{
    if (side == HS_TLS_CLIENT_PORT && c->tls_auth_clients == HS_TLS_AUTH_NO)
        return SSL_VERIFY_NONE;
    if (side == HS_TLS_CLIENT_PORT && c->tls_auth_clients == HS_TLS_AUTH_OPTIONAL)
        return SSL_VERIFY_PEER;
    return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

static bool use_all(struct hs_tls_keys *k, const struct hs_conf *c, enum hs_tls_side side,
                    const struct complaint *to)
{
    struct pair pair = side == HS_TLS_BUS_OUT ? client_pair(c) : server_pair(c);
    SSL_CTX *ctx = SSL_CTX_new(side == HS_TLS_BUS_OUT ? TLS_client_method() : TLS_server_method());
    k->ctx[side] = ctx;
    if (ctx == NULL)
        return say(to, "no memory for TLS");
    SSL_CTX_set_options(ctx,
                        SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                            (c->tls_prefer_server_ciphers ? SSL_OP_CIPHER_SERVER_PREFERENCE : 0));
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(ctx, verify_mode(c, side), tls_verified);
    use_sessions(ctx, c, side);
    return use_protocols(ctx, c->tls_protocols, to) && use_pair(k, ctx, &pair, to) &&
           use_authorities(ctx, c, to) && use_ciphers(ctx, c, to);
}

static bool is_complete(const struct hs_conf *c, const struct complaint *to)
{
    if (c->tls_cert_file[0] == '\0')
        return say(to, "No tls-cert-file configured!");
    if (c->tls_key_file[0] == '\0')
        return say(to, "No tls-key-file configured!");
    if (c->tls_client_cert_file[0] != '\0' && c->tls_client_key_file[0] == '\0')
        return say(to, "tls-client-cert-file is set, and tls-client-key-file is not");
    bool needs = c->tls_cluster || (c->tls_port != 0 && c->tls_auth_clients != HS_TLS_AUTH_NO);
    if (needs && c->tls_ca_cert_file[0] == '\0' && c->tls_ca_cert_dir[0] == '\0')
        return say(to, "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when "
                       "tls-cluster or tls-auth-clients are enabled!");
    return true;
}

struct hs_tls_keys *hs_tls_load(const struct hs_conf *conf, char *why, size_t why_n)
{
    struct complaint to = {why, why_n};
    why[0] = '\0';
    if (!is_complete(conf, &to))
        return NULL;
    struct hs_tls_keys *k = hs_alloc(sizeof(*k));
    bool ok = k != NULL || say(&to, "no memory for TLS");
    if (ok)
        k->conf = *conf;
    for (int side = 0; ok && side < TLS_SIDES; side++)
        ok = use_all(k, conf, (enum hs_tls_side)side, &to);
    ERR_clear_error();
    if (ok)
        return k;
    hs_tls_keys_free(k);
    return NULL;
}

void hs_tls_keys_free(struct hs_tls_keys *k)
{
    for (int side = 0; k != NULL && side < TLS_SIDES; side++)
        SSL_CTX_free(k->ctx[side]);
    hs_free(k);
}

int64_t hs_tls_keys_end_s(const struct hs_tls_keys *k)
{
    return k->end_s;
}

const char *hs_tls_keys_warning(const struct hs_tls_keys *k)
{
    return k->warning;
}

struct hs_tls *hs_tls_create(void)
{
    struct hs_tls *t = hs_alloc(sizeof(*t));
    if (t == NULL)
        return NULL;
    t->bio = tls_bio_method();
    t->lock = hs_lock_create();
    if (t->bio != NULL && t->lock != NULL)
        return t;
    hs_tls_destroy(t);
    return NULL;
}

void hs_tls_destroy(struct hs_tls *t)
{
    if (t == NULL)
        return;
    hs_tls_keys_free(t->keys);
    hs_lock_destroy(t->lock);
    BIO_meth_free(t->bio);
    hs_free(t);
}

void hs_tls_adopt(struct hs_tls *t, struct hs_tls_keys *k)
{
    hs_lock_take(t->lock);
    struct hs_tls_keys *unused = k;
    if (k->instead_of == 0 || k->instead_of == t->adopted_n) {
        unused = t->keys;
        t->keys = k;
        t->adopted_n++;
    }
    hs_lock_release(t->lock);
    hs_tls_keys_free(unused); /* sessions hold their context themselves */
}

struct hs_tls_keys *hs_tls_load_again(struct hs_tls *t, char *why, size_t why_n)
{
    struct hs_conf *conf = hs_alloc(sizeof(*conf));
    if (conf == NULL) {
        snprintf(why, why_n, "no memory for TLS");
        return NULL;
    }
    hs_lock_take(t->lock);
    uint64_t instead_of = t->adopted_n;
    HS_ASSERT(t->keys != NULL);
    *conf = t->keys->conf;
    hs_lock_release(t->lock);
    struct hs_tls_keys *k = hs_tls_load(conf, why, why_n);
    if (k != NULL)
        k->instead_of = instead_of;
    hs_free(conf);
    return k;
}

int64_t hs_tls_end_s(struct hs_tls *t)
{
    hs_lock_take(t->lock);
    int64_t end_s = t->keys == NULL ? 0 : t->keys->end_s;
    hs_lock_release(t->lock);
    return end_s;
}
