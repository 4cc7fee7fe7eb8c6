/* wire_int.h - what the files of this room share and no other room needs. */
#ifndef HS_WIRE_INT_H
#define HS_WIRE_INT_H

#include "hearsay/wire.h"

enum {
    WIRE_SIGNATURE = 0x52436d62, /* RCmb */
    WIRE_VERSION = 1,
    WIRE_LIGHT_BIT = 0x8000, /* of the type field: a 16-byte header follows the signature */
    WIRE_PUBLISH_LENS = 8,   /* two 32-bit lengths before the channel's bytes */
    WIRE_GOSSIP_MAX = UINT16_MAX,
};

/* Where a publish body starts. */
static inline uint32_t wire_publish_off(bool light)
{
    return light ? HS_LIGHT_HDR_LEN : HS_HDR_LEN;
}

static inline bool wire_is_publish(uint16_t type)
{
    return type == HS_MSG_PUBLISH || type == HS_MSG_PUBLISHSHARD;
}

static inline bool wire_is_string_ext(uint16_t type)
{
    return type == HS_EXT_HOSTNAME || type == HS_EXT_HUMAN_NODENAME || type == HS_EXT_CLIENT_IPV4 ||
           type == HS_EXT_CLIENT_IPV6;
}

/* Characters before the NUL, max if there is none in the first max bytes. */
size_t wire_text_len(const void *text, size_t max);

/* How a master's slaveof looks. */
bool wire_id_is_zero(const uint8_t *id);

#endif
