/* frame.c - where a frame ends in a stream of bytes.
 *
 * The bus has no handshake below the message: the only way to lose step is to
 * believe a wrong length. So a verdict here closes the link, and it is given
 * at the first byte that proves it, not when the whole header has arrived.
 */
#include "wire_int.h"

#include <string.h>

enum {
    FRAME_MAX_MARGIN = 4096, /* four string extensions at their longest, a shard id */
    FORGOTTEN_EXT_LEN = 56,  /* the longest extension there may be one of per node */
};

static const uint8_t signature[4] = {'R', 'C', 'm', 'b'};

uint32_t hs_wire_frame_max(uint32_t nodes_max)
{
    uint32_t n = nodes_max < WIRE_GOSSIP_MAX ? nodes_max : WIRE_GOSSIP_MAX;
    uint32_t len = HS_HDR_LEN + n * (HS_GOSSIP_LEN + FORGOTTEN_EXT_LEN) + FRAME_MAX_MARGIN;

    return len > HS_FRAME_FLOOR ? len : HS_FRAME_FLOOR;
}

enum hs_wire_err hs_wire_frame_len(const uint8_t *p, size_t n, uint32_t len_max, uint32_t *len)
{
    size_t seen = n < sizeof(signature) ? n : sizeof(signature);

    if (memcmp(p, signature, seen) != 0)
        return HS_WIRE_SIGNATURE;
    if (n < HS_OFF_VER)
        return HS_WIRE_MORE;
    uint32_t totlen = hs_get32(p + HS_OFF_TOTLEN);

    if (totlen < HS_LIGHT_HDR_LEN)
        return HS_WIRE_SHORT;
    if (totlen > len_max)
        return HS_WIRE_TOO_LONG;
    /* Only a light frame may be shorter than a header, and its mark is in the type. */
    if (totlen < HS_HDR_LEN) {
        if (n < HS_FRAME_PEEK)
            return HS_WIRE_MORE;
        if (!(hs_get16(p + HS_OFF_TYPE) & WIRE_LIGHT_BIT))
            return HS_WIRE_SHORT;
    }
    *len = totlen;
    return HS_WIRE_OK;
}
