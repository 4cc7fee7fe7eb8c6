/* tls_int.h - what the two files of the room share. */
#ifndef TLS_INT_H
#define TLS_INT_H

#include "hearsay/conf.h"
#include "hearsay/ring.h"
#include "hearsay/tls.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

enum { TLS_SIDES = HS_TLS_BUS_OUT + 1 };

/* One context per side, so that a session of the client port, which may have
 * needed no certificate, can never be resumed on the bus. */
struct hs_tls_keys {
    SSL_CTX *ctx[TLS_SIDES];
    struct hs_conf conf; /* where they came from, to read the files again */
    uint64_t instead_of; /* whose successor they are, 0 for anybody's */
    int64_t end_s;
    char warning[HS_TLS_WHY_LEN];
};

struct hs_tls {
    struct hs_lock *lock; /* of keys and refusals: held for a look, never across a read */
    struct hs_tls_keys *keys;
    uint64_t adopted_n; /* keys so far: the number of those in force */
    BIO_METHOD *bio;
    struct hs_tls_refusal refusals[HS_TLS_REFUSALS_MAX];
    uint32_t refusals_n;
};

/* session.c: reads from and writes to a session's buffers. NULL: no memory. */
BIO_METHOD *tls_bio_method(void);
/* Says the same as ok, and notes whose certificate was refused. */
int tls_verified(int ok, X509_STORE_CTX *store);

#endif
