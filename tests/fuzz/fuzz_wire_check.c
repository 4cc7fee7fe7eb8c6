/* fuzz_wire_check.c - one frame of any bytes: checked, then read by every reader.
 *
 * The declared length is corrected to the input's before the check, or most
 * inputs would end at the framing. What passed must be readable without a byte
 * outside, and must pass again with the same view: check has no state.
 */
#include "hearsay/wire.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void read_all(const struct hs_view *v)
{
    static char text[TEXT_MAX];
    char ip[HS_IP_LEN];
    struct hs_publish pub;
    struct hs_hdr hdr;
    struct hs_node_id slaveof;
    struct hs_ext ext;
    uint32_t off = v->ext_off, seen = 0;

    hs_wire_read_hdr(v, &hdr, &slaveof, ip);
    hs_wire_publish(v, &pub);
    require(pub.channel_len == 0 || pub.message + pub.message_len == v->frame + v->len);
    require(hs_wire_text(v, text, sizeof(text)) == strlen(text));
    for (uint32_t i = 0; i < v->gossip_n; i++) {
        hs_wire_ip(hs_view_gossip(v, i) + HS_G_IP, ip);
        hs_wire_ip_valid(ip);
        hs_wire_gossip_text(v, i, text, sizeof(text));
    }
    for (; hs_wire_ext_next(v, &off, &ext); seen++) {
        require(ext.data + ext.len <= v->frame + v->len);
        hs_wire_ext_text(&ext, text, sizeof(text));
    }
    require(off == v->len && seen == v->ext_n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_view v, again;
    uint32_t len;

    if (size < HS_OFF_VER || size > UINT32_MAX)
        return 0;
    uint8_t *frame = malloc(size);

    memcpy(frame, data, size);
    hs_put32(frame + HS_OFF_SIG, 0x52436d62); /* RCmb */
    hs_put32(frame + HS_OFF_TOTLEN, (uint32_t)size);
    if (hs_wire_frame_len(frame, size, UINT32_MAX, &len) == HS_WIRE_OK &&
        hs_wire_check(frame, len, &v) == HS_WIRE_OK) {
        require(len == size);
        read_all(&v);
        require(hs_wire_check(frame, len, &again) == HS_WIRE_OK);
        require(again.ext_off == v.ext_off && again.slots_hash == v.slots_hash);
    }
    free(frame);
    return 0;
}
