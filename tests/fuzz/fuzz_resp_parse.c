/* The parser, fed in pieces whose sizes the input chooses: no input crashes it,
 * and however it is cut the commands are the same. */
#include "hearsay/resp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct trace {
    uint64_t hash;
    enum hs_resp_err end;
};

static uint64_t mix(uint64_t hash, const void *p, size_t n)
{
    const unsigned char *byte = p;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ byte[i]) * 1099511628211U;
    return hash;
}

static struct trace run(const uint8_t *p, size_t n, size_t piece, bool limited)
{
    struct trace t = {.hash = 14695981039346656037U, .end = HS_RESP_MORE};
    struct hs_resp_parser parser;
    hs_resp_init(&parser);
    parser.limited = limited;
    for (size_t at = 0; at < n && t.end == HS_RESP_MORE; at += piece) {
        size_t len = n - at < piece ? n - at : piece;
        if (!hs_resp_feed(&parser, p + at, len))
            abort();
        while ((t.end = hs_resp_next(&parser)) == HS_RESP_OK)
            for (size_t i = 0; i < parser.args_n; i++) {
                t.hash = mix(t.hash, parser.args[i].p, parser.args[i].n);
                t.hash = mix(t.hash, &parser.args[i].n, sizeof(parser.args[i].n));
            }
    }
    hs_resp_fini(&parser);
    return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2)
        return 0;
    bool limited = (data[1] & 1) != 0;
    struct trace whole = run(data + 2, n - 2, n, limited);
    struct trace pieces = run(data + 2, n - 2, 1U + data[0], limited);
    if (whole.hash != pieces.hash || whole.end != pieces.end)
        abort();
    return 0;
}
