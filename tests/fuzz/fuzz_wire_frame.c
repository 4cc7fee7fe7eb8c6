/* fuzz_wire_frame.c - a stream of bytes cut into frames.
 *
 * The verdict on a longer prefix must agree with the one on a shorter: once a
 * length or an error is known, more bytes do not change it. The copies are of
 * exact size, so that a read past the bytes at hand is seen.
 */
#include "hearsay/wire.h"

#include <stdlib.h>
#include <string.h>

enum { NODES_MAX = 2000 };

/* After one of these the next frame's beginning is not known. */
static bool is_framing(enum hs_wire_err e)
{
    return e == HS_WIRE_SIGNATURE || e == HS_WIRE_SHORT || e == HS_WIRE_TOO_LONG;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static enum hs_wire_err frame_len(const uint8_t *p, size_t n, uint32_t *len)
{
    uint8_t *exact = malloc(n > 0 ? n : 1);

    memcpy(exact, p, n);
    enum hs_wire_err e = hs_wire_frame_len(exact, n, hs_wire_frame_max(NODES_MAX), len);

    free(exact);
    return e;
}

/* The verdict at p with all the bytes there are. */
static enum hs_wire_err settle(const uint8_t *p, size_t n, uint32_t *len)
{
    size_t peek = n < HS_FRAME_PEEK ? n : HS_FRAME_PEEK;
    enum hs_wire_err known = HS_WIRE_MORE;

    for (size_t k = 0; k <= peek; k++) {
        uint32_t now = 0;
        enum hs_wire_err e = frame_len(p, k, &now);

        require(known == HS_WIRE_MORE || (e == known && now == *len));
        known = e;
        *len = now;
    }
    require(n < HS_FRAME_PEEK || known != HS_WIRE_MORE);
    return known;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t off = 0;

    while (off < size) {
        struct hs_view v;
        uint32_t len;
        enum hs_wire_err e = settle(data + off, size - off, &len);

        if (e != HS_WIRE_OK) {
            require(e == HS_WIRE_MORE || is_framing(e));
            break;
        }
        require(len >= HS_LIGHT_HDR_LEN && len <= hs_wire_frame_max(NODES_MAX));
        if (len > size - off)
            break;
        e = hs_wire_check(data + off, len, &v);
        require(!is_framing(e) && e != HS_WIRE_MORE);
        off += len;
    }
    return 0;
}
