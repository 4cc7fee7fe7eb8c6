/* hs_certs.h - certificates for tests, made on the spot: two authorities, and
 * what they signed. Files of a directory that the caller made. */
#ifndef HS_CERTS_H
#define HS_CERTS_H

#include "hearsay/base.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

enum { CERT_DAY_S = 24 * 60 * 60 };

struct cert {
    X509 *x;
    EVP_PKEY *key;
};

static inline void cert_write(const char *dir, const char *name, const struct cert *c,
                              const char *password)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s.crt", dir, name);
    FILE *f = fopen(path, "w");
    HS_ASSERT(f != NULL);
    HS_ASSERT(PEM_write_X509(f, c->x) == 1);
    fclose(f);
    snprintf(path, sizeof(path), "%s/%s.key", dir, name);
    f = fopen(path, "w");
    HS_ASSERT(f != NULL);
    HS_ASSERT(PEM_write_PrivateKey(f, c->key, password != NULL ? EVP_aes_128_cbc() : NULL,
                                   (const unsigned char *)password,
                                   password != NULL ? (int)strlen(password) : 0, NULL, NULL) == 1);
    fclose(f);
}

/* Valid from_s to to_s from now; signed by `by`, or by itself. */
static inline struct cert cert_make(const char *name, const struct cert *by, long from_s, long to_s)
{
    struct cert c = {X509_new(), EVP_EC_gen("P-256")};
    static long serial;
    X509_set_version(c.x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c.x), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(c.x), from_s);
    X509_gmtime_adj(X509_getm_notAfter(c.x), to_s);
    X509_set_pubkey(c.x, c.key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c.x), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(c.x, X509_get_subject_name(by != NULL ? by->x : c.x));
    if (by == NULL) {
        X509_EXTENSION *ca =
            X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
        X509_add_ext(c.x, ca, -1);
        X509_EXTENSION_free(ca);
    }
    HS_ASSERT(X509_sign(c.x, by != NULL ? by->key : c.key, EVP_sha256()) > 0);
    return c;
}

static inline void cert_free(struct cert *c)
{
    X509_free(c->x);
    EVP_PKEY_free(c->key);
}

/* NAME.crt and NAME.key for: ca, node, two (both by ca), expired and future (by ca),
 * locked (node's like, its key under the password "sesame"), ca2, stranger (by ca2). */
static inline void certs_write(const char *dir)
{
    struct cert ca = cert_make("hearsay test authority", NULL, -CERT_DAY_S, CERT_DAY_S);
    struct cert ca2 = cert_make("somebody else's authority", NULL, -CERT_DAY_S, CERT_DAY_S);
    struct {
        const char *name;
        const struct cert *by;
        long from_s, to_s;
        const char *password;
    } all[] = {
        {"node", &ca, -CERT_DAY_S, CERT_DAY_S, NULL},
        {"two", &ca, -CERT_DAY_S, CERT_DAY_S, NULL},
        {"expired", &ca, -2 * CERT_DAY_S, -3600, NULL},
        {"future", &ca, CERT_DAY_S, 2 * CERT_DAY_S, NULL},
        {"locked", &ca, -CERT_DAY_S, CERT_DAY_S, "sesame"},
        {"stranger", &ca2, -CERT_DAY_S, CERT_DAY_S, NULL},
    };
    cert_write(dir, "ca", &ca, NULL);
    cert_write(dir, "ca2", &ca2, NULL);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct cert c = cert_make(all[i].name, all[i].by, all[i].from_s, all[i].to_s);
        cert_write(dir, all[i].name, &c, all[i].password);
        cert_free(&c);
    }
    cert_free(&ca);
    cert_free(&ca2);
}

#endif
