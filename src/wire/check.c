/* check.c - is one whole frame well-formed?
 *
 * Everything the readers will rely on is proved here, once: after OK nobody
 * looks at a length again. A verdict drops the frame and keeps the link, as
 * the stock servers do, because the frame's end is known. What a peer may
 * legitimately send and we do not understand (a newer type, a newer extension)
 * passes; what stock servers would read out of bounds does not.
 */
#include "wire_int.h"

#include <string.h>

static enum hs_wire_err check_publish(const struct hs_view *v)
{
    uint32_t off = wire_publish_off((v->marks & HS_VIEW_LIGHT) != 0);

    if (v->len < off + WIRE_PUBLISH_LENS)
        return HS_WIRE_PAYLOAD;
    uint64_t channel_len = hs_get32(v->frame + off);
    uint64_t message_len = hs_get32(v->frame + off + 4);

    if (off + WIRE_PUBLISH_LENS + channel_len + message_len != v->len)
        return HS_WIRE_PAYLOAD;
    return HS_WIRE_OK;
}

static enum hs_wire_err check_module(const struct hs_view *v)
{
    if (v->len < HS_OFF_MODULE_DATA)
        return HS_WIRE_PAYLOAD;
    uint64_t payload_len = hs_get32(v->frame + HS_OFF_MODULE_LEN);

    return HS_OFF_MODULE_DATA + payload_len == v->len ? HS_WIRE_OK : HS_WIRE_PAYLOAD;
}

static enum hs_wire_err check_ext_data(const struct hs_ext *ext)
{
    bool good = true;

    if (wire_is_string_ext(ext->type)) {
        /* A NUL within the data, and soon enough that the text fits wherever it is stored. */
        size_t max = ext->len < HS_HOSTNAME_MAX + 1 ? ext->len : HS_HOSTNAME_MAX + 1;

        good = wire_text_len(ext->data, max) < max;
    } else if (ext->type == HS_EXT_FORGOTTEN_NODE) {
        good = ext->len == HS_ID_LEN + 8 && hs_wire_id_valid(ext->data);
    } else if (ext->type == HS_EXT_SHARDID) {
        good = ext->len == HS_ID_LEN && hs_wire_id_valid(ext->data);
    }
    return good ? HS_WIRE_OK : HS_WIRE_EXT_DATA;
}

/* The extensions must fill the rest of the frame exactly. */
static enum hs_wire_err check_extensions(const struct hs_view *v)
{
    uint32_t off = v->ext_off;

    for (uint32_t i = 0; i < v->ext_n; i++) {
        const uint8_t *p = v->frame + off;

        if (v->len - off < HS_X_DATA)
            return HS_WIRE_EXTENSION;
        uint32_t len = hs_get32(p + HS_X_LEN);

        if (len < HS_X_DATA || len % 8 != 0 || len > v->len - off)
            return HS_WIRE_EXTENSION;
        struct hs_ext ext = {
            .type = hs_get16(p + HS_X_TYPE), .len = len - HS_X_DATA, .data = p + HS_X_DATA};
        enum hs_wire_err e = check_ext_data(&ext);

        if (e != HS_WIRE_OK)
            return e;
        off += len;
    }
    return off == v->len ? HS_WIRE_OK : HS_WIRE_EXTENSION;
}

/* PING, PONG, MEET. Without EXT_DATA the extensions field is not believed:
 * before 7.0 those bytes were reserved. Nothing may follow the gossip then. */
static enum hs_wire_err check_ping(struct hs_view *v)
{
    uint32_t count = hs_get16(v->frame + HS_OFF_COUNT);
    uint32_t end = HS_HDR_LEN + count * HS_GOSSIP_LEN;

    if (end > v->len)
        return HS_WIRE_COUNT;
    v->gossip_n = (uint16_t)count;
    v->ext_off = end;
    if (v->frame[HS_OFF_MFLAGS] & HS_MFLAG_EXT_DATA)
        v->ext_n = hs_get16(v->frame + HS_OFF_EXTENSIONS);
    return check_extensions(v);
}

static enum hs_wire_err check_fixed(const struct hs_view *v, uint32_t len)
{
    return v->len == len ? HS_WIRE_OK : HS_WIRE_LENGTH;
}

static enum hs_wire_err check_body(struct hs_view *v)
{
    switch (v->type) {
    case HS_MSG_PING:
    case HS_MSG_PONG:
    case HS_MSG_MEET:
        return check_ping(v);
    case HS_MSG_FAIL:
        return check_fixed(v, HS_FAIL_LEN);
    case HS_MSG_UPDATE:
        return check_fixed(v, HS_UPDATE_LEN);
    case HS_MSG_AUTH_REQUEST:
    case HS_MSG_AUTH_ACK:
    case HS_MSG_MFSTART:
        return check_fixed(v, HS_HDR_LEN);
    case HS_MSG_PUBLISH:
    case HS_MSG_PUBLISHSHARD:
        return check_publish(v);
    case HS_MSG_MODULE:
        return check_module(v);
    default:
        v->marks |= HS_VIEW_UNKNOWN;
        return HS_WIRE_OK;
    }
}

enum hs_wire_err hs_wire_check(const uint8_t *p, uint32_t len, struct hs_view *v)
{
    *v = (struct hs_view){.frame = p, .len = len, .ext_off = len};
    if (len < HS_LIGHT_HDR_LEN)
        return HS_WIRE_SHORT;
    uint16_t type = hs_get16(p + HS_OFF_TYPE);

    v->type = (uint16_t)(type & ~WIRE_LIGHT_BIT);
    if (hs_get16(p + HS_OFF_VER) != WIRE_VERSION)
        return HS_WIRE_VERSION;
    if (type & WIRE_LIGHT_BIT) {
        v->marks = HS_VIEW_LIGHT;
        return wire_is_publish(v->type) ? check_publish(v) : HS_WIRE_LIGHT_TYPE;
    }
    if (len < HS_HDR_LEN)
        return HS_WIRE_SHORT;
    enum hs_wire_err e = check_body(v);

    if (e == HS_WIRE_OK)
        v->slots_hash = hs_wire_slots_hash(p + HS_OFF_SLOTS);
    return e;
}
