/* build.c - writing frames.
 *
 * Two rules keep old peers alive: every byte nobody names is zero, and nothing
 * is written that a stock server would read past (lengths of extensions are
 * multiples of 8 below 65536, strings end in a NUL inside them, extensions
 * come with the EXT_DATA flag).
 */
#include "wire_int.h"

#include <string.h>

static void put_bytes(uint8_t *dst, const uint8_t *src, size_t n)
{
    if (n > 0)
        memcpy(dst, src, n);
}

/* An address is cut rather than left without its NUL. */
static void put_ip(uint8_t dst[HS_IP_LEN], const char *ip)
{
    memset(dst, 0, HS_IP_LEN);
    put_bytes(dst, (const uint8_t *)ip, wire_text_len(ip, HS_IP_LEN - 1));
}

void hs_wire_build_hdr(uint8_t dst[HS_HDR_LEN], const struct hs_hdr *h)
{
    memset(dst, 0, HS_HDR_LEN);
    hs_put16(dst + HS_OFF_PORT, h->port);
    hs_put64(dst + HS_OFF_CURRENT_EPOCH, h->current_epoch);
    hs_put64(dst + HS_OFF_CONFIG_EPOCH, h->config_epoch);
    hs_put64(dst + HS_OFF_OFFSET, h->offset);
    memcpy(dst + HS_OFF_SENDER, h->sender.hex, HS_ID_LEN);
    if (h->slots)
        memcpy(dst + HS_OFF_SLOTS, h->slots, HS_SLOTS_BYTES);
    if (h->slaveof)
        memcpy(dst + HS_OFF_SLAVEOF, h->slaveof->hex, HS_ID_LEN);
    put_ip(dst + HS_OFF_MYIP, h->myip);
    hs_put16(dst + HS_OFF_PPORT, h->pport);
    hs_put16(dst + HS_OFF_CPORT, h->cport);
    hs_put16(dst + HS_OFF_FLAGS, h->flags);
    dst[HS_OFF_STATE] = h->state;
    dst[HS_OFF_MFLAGS] = h->mflags;
}

/* The first 16 bytes but for what stands at 10 and 14, which light frames keep zero. */
static void put_start(uint8_t *dst, uint16_t type, uint32_t totlen)
{
    hs_put32(dst + HS_OFF_SIG, WIRE_SIGNATURE);
    hs_put32(dst + HS_OFF_TOTLEN, totlen);
    hs_put16(dst + HS_OFF_VER, WIRE_VERSION);
    hs_put16(dst + HS_OFF_TYPE, type);
}

void hs_wire_finish(uint8_t *dst, uint16_t type, uint16_t count, uint16_t ext_n, uint32_t totlen)
{
    put_start(dst, type, totlen);
    hs_put16(dst + HS_OFF_COUNT, count);
    hs_put16(dst + HS_OFF_EXTENSIONS, ext_n);
    if (ext_n > 0) /* stock servers walk unannounced extensions without checking them */
        dst[HS_OFF_MFLAGS] |= HS_MFLAG_EXT_DATA;
}

void hs_wire_put_gossip(uint8_t dst[HS_GOSSIP_LEN], const struct hs_gossip *g)
{
    memset(dst, 0, HS_GOSSIP_LEN);
    memcpy(dst + HS_G_ID, g->id.hex, HS_ID_LEN);
    hs_put32(dst + HS_G_PING_SENT, g->ping_sent);
    hs_put32(dst + HS_G_PONG_RECEIVED, g->pong_received);
    put_ip(dst + HS_G_IP, g->ip);
    hs_put16(dst + HS_G_PORT, g->port);
    hs_put16(dst + HS_G_CPORT, g->cport);
    hs_put16(dst + HS_G_FLAGS, g->flags);
    hs_put16(dst + HS_G_PPORT, g->pport);
}

static uint32_t put_ext_start(uint8_t *dst, enum hs_ext_type type, uint32_t len)
{
    memset(dst, 0, len);
    hs_put32(dst + HS_X_LEN, len);
    hs_put16(dst + HS_X_TYPE, (uint16_t)type);
    return len;
}

uint32_t hs_wire_ext_string_len(const char *text)
{
    uint32_t n = (uint32_t)wire_text_len(text, HS_HOSTNAME_MAX) + 1;

    return HS_X_DATA + (n + 7) / 8 * 8;
}

uint32_t hs_wire_put_ext_string(uint8_t *dst, enum hs_ext_type type, const char *text)
{
    uint32_t len = put_ext_start(dst, type, hs_wire_ext_string_len(text));

    memcpy(dst + HS_X_DATA, text, wire_text_len(text, HS_HOSTNAME_MAX));
    return len;
}

uint32_t hs_wire_put_ext_shardid(uint8_t *dst, const char shard_id[HS_ID_LEN])
{
    uint32_t len = put_ext_start(dst, HS_EXT_SHARDID, HS_X_DATA + HS_ID_LEN);

    memcpy(dst + HS_X_DATA, shard_id, HS_ID_LEN);
    return len;
}

uint32_t hs_wire_put_ext_forgotten(uint8_t *dst, const struct hs_node_id *id, uint64_t ttl_s)
{
    uint32_t len = put_ext_start(dst, HS_EXT_FORGOTTEN_NODE, HS_X_DATA + HS_ID_LEN + 8);

    memcpy(dst + HS_X_DATA, id->hex, HS_ID_LEN);
    hs_put64(dst + HS_X_DATA + HS_X_FORGOTTEN_TTL, ttl_s);
    return len;
}

uint32_t hs_wire_build_plain(uint8_t *dst, uint16_t type)
{
    hs_wire_finish(dst, type, 0, 0, HS_HDR_LEN);
    return HS_HDR_LEN;
}

uint32_t hs_wire_build_fail(uint8_t *dst, const struct hs_node_id *about)
{
    hs_wire_finish(dst, HS_MSG_FAIL, 0, 0, HS_FAIL_LEN);
    memcpy(dst + HS_OFF_FAIL_ID, about->hex, HS_ID_LEN);
    return HS_FAIL_LEN;
}

uint32_t hs_wire_build_update(uint8_t *dst, uint64_t config_epoch, const struct hs_node_id *owner,
                              const uint8_t slots[HS_SLOTS_BYTES])
{
    hs_wire_finish(dst, HS_MSG_UPDATE, 0, 0, HS_UPDATE_LEN);
    hs_put64(dst + HS_OFF_UPDATE_EPOCH, config_epoch);
    memcpy(dst + HS_OFF_UPDATE_ID, owner->hex, HS_ID_LEN);
    memcpy(dst + HS_OFF_UPDATE_SLOTS, slots, HS_SLOTS_BYTES);
    return HS_UPDATE_LEN;
}

uint32_t hs_wire_publish_len(const struct hs_publish *p, bool light)
{
    return wire_publish_off(light) + WIRE_PUBLISH_LENS + p->channel_len + p->message_len;
}

uint32_t hs_wire_build_publish(uint8_t *dst, uint16_t type, const struct hs_publish *p, bool light)
{
    uint32_t totlen = hs_wire_publish_len(p, light);
    uint8_t *body = dst + wire_publish_off(light);

    if (light) {
        memset(dst, 0, HS_LIGHT_HDR_LEN);
        put_start(dst, (uint16_t)(type | WIRE_LIGHT_BIT), totlen);
    } else {
        hs_wire_finish(dst, type, 0, 0, totlen);
    }
    hs_put32(body, p->channel_len);
    hs_put32(body + 4, p->message_len);
    body += WIRE_PUBLISH_LENS;
    put_bytes(body, p->channel, p->channel_len);
    put_bytes(body + p->channel_len, p->message, p->message_len);
    return totlen;
}

uint32_t hs_wire_build_module(uint8_t *dst, const uint8_t module_id[8], uint8_t type,
                              const uint8_t *payload, uint32_t payload_len)
{
    uint32_t totlen = HS_OFF_MODULE_DATA + payload_len;

    hs_wire_finish(dst, HS_MSG_MODULE, 0, 0, totlen);
    memcpy(dst + HS_OFF_MODULE_ID, module_id, 8);
    hs_put32(dst + HS_OFF_MODULE_LEN, payload_len);
    dst[HS_OFF_MODULE_TYPE] = type;
    put_bytes(dst + HS_OFF_MODULE_DATA, payload, payload_len);
    return totlen;
}
