/* tls.h - TLS without sockets: ciphertext in, plaintext out, and back.
 *
 * A session never waits and never touches a descriptor: it is given the bytes
 * that came and says which are to be sent. Keys are loaded and checked as a
 * whole, apart from those in use, and then swapped; sessions that are open keep
 * the ones they began with.
 *
 * Threads: struct hs_tls may be used by any thread; a session and unadopted
 *          keys belong to one at a time.
 * Memory:  a session has its own, bounded: one record on the way in and
 *          HS_TLS_OUT_MAX bytes on the way out, both given back when idle.
 * Errors:  sentences, for people: they name the file, or what the peer did.
 */
#ifndef HEARSAY_TLS_H
#define HEARSAY_TLS_H

#include "hearsay/base.h"

struct hs_conf;
struct hs_tls;         /* the keys in force */
struct hs_tls_keys;    /* loaded and checked, not in force yet */
struct hs_tls_session; /* one connection */

enum {
    HS_TLS_RECORD_MAX = 16384,    /* plaintext of one record */
    HS_TLS_OUT_MAX = 1024 * 1024, /* ciphertext a session holds; past it the session fails */
    HS_TLS_WHY_LEN = 256,
    HS_TLS_IP_LEN = 64,
    HS_TLS_REFUSALS_MAX = 32, /* the one longest ago gives way */
};

/* ---- keys ---- */

/* Reads every file the tls-* directives name. NULL with why: what is wrong and
 * with which file. */
struct hs_tls_keys *hs_tls_load(const struct hs_conf *conf, char *why, size_t why_n);
void hs_tls_keys_free(struct hs_tls_keys *k);
/* Unix seconds: when the first of our own certificates ends. */
int64_t hs_tls_keys_end_s(const struct hs_tls_keys *k);
/* What works but should not be so (a key that others can read), "" for nothing. */
const char *hs_tls_keys_warning(const struct hs_tls_keys *k);

/* NULL: no memory. It has no keys yet. */
struct hs_tls *hs_tls_create(void);
void hs_tls_destroy(struct hs_tls *t);
/* For sessions from now on; takes the keys over. */
void hs_tls_adopt(struct hs_tls *t, struct hs_tls_keys *k);
/* The files of those in force, read again. Should others be adopted meanwhile,
 * hs_tls_adopt() drops these as outdated. */
struct hs_tls_keys *hs_tls_load_again(struct hs_tls *t, char *why, size_t why_n);
/* hs_tls_keys_end_s() of those in force, 0 for none. */
int64_t hs_tls_end_s(struct hs_tls *t);

/* ---- who was refused ---- */

/* Bus links that failed for TLS: a certificate, ours or the peer's, or no TLS at all. */
struct hs_tls_refusal {
    char ip[HS_TLS_IP_LEN];
    uint16_t port;   /* that we dialed; 0: it dialed us */
    uint32_t times;  /* in a row, with no long pause */
    int64_t last_ms; /* mono */
    char why[HS_TLS_WHY_LEN];
};

/* Any thread. */
void hs_tls_refused(struct hs_tls *t, const char *ip, uint16_t port, const char *why, hs_mono now);
uint32_t hs_tls_refusals(struct hs_tls *t, struct hs_tls_refusal out[HS_TLS_REFUSALS_MAX]);

/* ---- sessions ---- */

enum hs_tls_side {
    HS_TLS_CLIENT_PORT, /* we answer; tls-auth-clients says whether a certificate is asked for */
    HS_TLS_BUS_IN,      /* we answer; the peer must have a certificate */
    HS_TLS_BUS_OUT,     /* we dial */
};

enum hs_tls_result {
    HS_TLS_OK,     /* the handshake is over, or there is plaintext */
    HS_TLS_MORE,   /* it takes more ciphertext */
    HS_TLS_CLOSED, /* the peer said goodbye */
    HS_TLS_FAILED, /* hs_tls_why(); what is in flight tells the peer, then close */
};

/* NULL: no keys, or no memory. */
struct hs_tls_session *hs_tls_open(struct hs_tls *t, enum hs_tls_side side);
void hs_tls_close(struct hs_tls_session *s);
/* n may be 0, to begin. *used of the n bytes were taken. */
enum hs_tls_result hs_tls_handshake(struct hs_tls_session *s, const uint8_t *in, size_t n,
                                    size_t *used);
/* After the handshake. At most out_n bytes of plaintext, *got of them. */
enum hs_tls_result hs_tls_read(struct hs_tls_session *s, const uint8_t *in, size_t n, size_t *used,
                               uint8_t *out, size_t out_n, size_t *got);
/* All n bytes, n <= HS_TLS_RECORD_MAX. False: the session failed. */
bool hs_tls_write(struct hs_tls_session *s, const uint8_t *p, size_t n);
/* Says goodbye to the peer, once. */
void hs_tls_goodbye(struct hs_tls_session *s);
/* Ciphertext that waits or flies. */
size_t hs_tls_pending(const struct hs_tls_session *s);
/* The bytes to send next; they stay where they are until _sent() or _close(). */
const uint8_t *hs_tls_flight(struct hs_tls_session *s, size_t *n);
void hs_tls_sent(struct hs_tls_session *s, size_t n);
const char *hs_tls_why(const struct hs_tls_session *s);
/* Whether the peer's certificate holds this name: as its CN or as a DNS name. */
bool hs_tls_peer_is(const struct hs_tls_session *s, const char *name, size_t n);

#endif
