/* TLS fed with what an attacker sends: garbage instead of a handshake, or a
 * stream of two honest ends that was changed on its way. Nothing crashes, what
 * is held stays bounded, and what comes out is a beginning of what went in. */
#include "hs_certs.h"

#include "hearsay/conf.h"
#include "hearsay/tls.h"

#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { TEXT_N = 3000 };

static struct hs_tls *tls;
static uint8_t text[TEXT_N];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char dir[] = "/tmp/fuzz_tls.XXXXXX", command[64], why[HS_TLS_WHY_LEN];
    static struct hs_conf conf = {.tls_cluster = true};
    (void)argc, (void)argv;
    HS_ASSERT(mkdtemp(dir) != NULL);
    certs_write(dir);
    snprintf(conf.tls_cert_file, sizeof(conf.tls_cert_file), "%s/node.crt", dir);
    snprintf(conf.tls_key_file, sizeof(conf.tls_key_file), "%s/node.key", dir);
    snprintf(conf.tls_ca_cert_file, sizeof(conf.tls_ca_cert_file), "%s/ca.crt", dir);
    tls = hs_tls_create();
    struct hs_tls_keys *keys = hs_tls_load(&conf, why, sizeof(why));
    HS_ASSERT(tls != NULL && keys != NULL);
    hs_tls_adopt(tls, keys);
    snprintf(command, sizeof(command), "rm -r %s", dir);
    HS_ASSERT(system(command) == 0);
    for (size_t i = 0; i < TEXT_N; i++)
        text[i] = (uint8_t)(i * 31);
    return 0;
}

/* All of p into s, in pieces; what was decrypted, at most max bytes of it. */
static size_t feed(struct hs_tls_session *s, bool *shaken, const uint8_t *p, size_t n, size_t piece,
                   uint8_t *out, size_t max)
{
    size_t out_n = 0;
    for (size_t used, got; n > 0; p += used, n -= used) {
        size_t len = n < piece ? n : piece;
        enum hs_tls_result r;
        if (!*shaken) {
            r = hs_tls_handshake(s, p, len, &used);
            *shaken = r == HS_TLS_OK;
        } else {
            r = hs_tls_read(s, p, len, &used, out + out_n, max - out_n, &got);
            out_n += got;
            HS_ASSERT(out_n <= max);
        }
        HS_ASSERT(used <= len && hs_tls_pending(s) <= HS_TLS_OUT_MAX);
        if (r == HS_TLS_FAILED || r == HS_TLS_CLOSED)
            break;
        HS_ASSERT(used > 0 || r == HS_TLS_OK);
    }
    return out_n;
}

static void garbage(const uint8_t *data, size_t n, size_t piece, enum hs_tls_side side)
{
    uint8_t out[64];
    bool shaken = false;
    struct hs_tls_session *s = hs_tls_open(tls, side);
    feed(s, &shaken, data, n, piece, out, sizeof(out));
    HS_ASSERT(!shaken);
    hs_tls_close(s);
}

static bool pass(struct hs_tls_session *from, struct hs_tls_session *to, bool *shaken)
{
    uint8_t none[64];
    size_t n;
    const uint8_t *p = hs_tls_flight(from, &n);
    if (p == NULL)
        return false;
    feed(to, shaken, p, n, n, none, sizeof(none));
    hs_tls_sent(from, n);
    return true;
}

/* Pairs of the input say where the stream is changed and how. */
static void changed(const uint8_t *data, size_t n, size_t piece)
{
    static uint8_t stream[4 * TEXT_N], out[TEXT_N + 1];
    struct hs_tls_session *a = hs_tls_open(tls, HS_TLS_BUS_OUT);
    struct hs_tls_session *b = hs_tls_open(tls, HS_TLS_BUS_IN);
    bool a_shaken = false, b_shaken = false;
    size_t used, len;
    hs_tls_handshake(a, NULL, 0, &used);
    while (pass(a, b, &b_shaken) || pass(b, a, &a_shaken))
        ;
    HS_ASSERT(a_shaken && b_shaken);
    for (size_t at = 0; at < TEXT_N; at += 1000)
        HS_ASSERT(hs_tls_write(a, text + at, 1000));
    const uint8_t *p = hs_tls_flight(a, &len);
    HS_ASSERT(len <= sizeof(stream));
    memcpy(stream, p, len);
    for (size_t i = 0; i + 3 <= n; i += 3)
        stream[(data[i] | (size_t)data[i + 1] << 8) % len] ^= data[i + 2];
    size_t got = feed(b, &b_shaken, stream, len, piece, out, sizeof(out));
    HS_ASSERT(got <= TEXT_N && memcmp(out, text, got) == 0);
    HS_ASSERT(n >= 3 || got == TEXT_N);
    hs_tls_close(a);
    hs_tls_close(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2)
        return 0;
    size_t piece = 1U + data[1];
    if (data[0] % 4 == 0)
        changed(data + 2, n - 2, piece * 16);
    else
        garbage(data + 2, n - 2, piece, (enum hs_tls_side)(data[0] % 4 - 1));
    return 0;
}
