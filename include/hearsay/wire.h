/* wire.h - the cluster bus byte format. A leaf: includes nothing of ours.
 *
 * bytes -> hs_wire_frame_len() -> hs_wire_check() -> struct hs_view, and the
 * readers that take a view. The writers go the other way. All offsets, sizes
 * and rules are those of Redis 4.0 to 7.4 and Valkey 8 (docs/protocol.md).
 *
 * Threads: none of this has state. Errors: verdicts, by value; never an
 * assertion on bytes from outside. Memory: borrows, never allocates.
 */
#ifndef HEARSAY_WIRE_H
#define HEARSAY_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HS_ID_LEN = 40,
    HS_IP_LEN = 46, /* text with its NUL, as INET6_ADDRSTRLEN */
    HS_SLOTS = 16384,
    HS_SLOTS_BYTES = HS_SLOTS / 8,
    HS_HDR_LEN = 2256,
    HS_LIGHT_HDR_LEN = 16,
    HS_GOSSIP_LEN = 104,
    HS_FAIL_LEN = HS_HDR_LEN + HS_ID_LEN,
    HS_UPDATE_LEN = HS_HDR_LEN + 8 + HS_ID_LEN + HS_SLOTS_BYTES,
    HS_FRAME_PEEK = 14,    /* bytes hs_wire_frame_len() needs at most */
    HS_HOSTNAME_MAX = 255, /* characters of a host name or node name */
    /* Every node of ours takes frames of this size, however small its cluster. */
    HS_FRAME_FLOOR = 1024 * 1024,
    HS_PUBLISH_MAX = HS_FRAME_FLOOR - HS_HDR_LEN - 8, /* channel and message together */
};

/* Offsets of the header; of a gossip entry (G_); of the bodies. */
enum {
    HS_OFF_SIG = 0,
    HS_OFF_TOTLEN = 4,
    HS_OFF_VER = 8,
    HS_OFF_PORT = 10,
    HS_OFF_TYPE = 12,
    HS_OFF_COUNT = 14,
    HS_OFF_CURRENT_EPOCH = 16,
    HS_OFF_CONFIG_EPOCH = 24,
    HS_OFF_OFFSET = 32,
    HS_OFF_SENDER = 40,
    HS_OFF_SLOTS = 80,
    HS_OFF_SLAVEOF = 2128,
    HS_OFF_MYIP = 2168,
    HS_OFF_EXTENSIONS = 2214,
    HS_OFF_PPORT = 2246,
    HS_OFF_CPORT = 2248,
    HS_OFF_FLAGS = 2250,
    HS_OFF_STATE = 2252,
    HS_OFF_MFLAGS = 2253,
    HS_G_ID = 0,
    HS_G_PING_SENT = 40,
    HS_G_PONG_RECEIVED = 44,
    HS_G_IP = 48,
    HS_G_PORT = 94,
    HS_G_CPORT = 96,
    HS_G_FLAGS = 98,
    HS_G_PPORT = 100,
    HS_OFF_FAIL_ID = 2256,
    HS_OFF_UPDATE_EPOCH = 2256,
    HS_OFF_UPDATE_ID = 2264,
    HS_OFF_UPDATE_SLOTS = 2304,
    HS_OFF_MODULE_ID = 2256, /* 8 opaque bytes, in the sender's byte order */
    HS_OFF_MODULE_LEN = 2264,
    HS_OFF_MODULE_TYPE = 2268,
    HS_OFF_MODULE_DATA = 2269,
    HS_X_LEN = 0, /* an extension, from its start; the length counts all of it */
    HS_X_TYPE = 4,
    HS_X_DATA = 8,
    HS_X_FORGOTTEN_TTL = HS_ID_LEN, /* seconds, 64 bits, from the start of the data */
};

enum hs_msg_type {
    HS_MSG_PING,
    HS_MSG_PONG,
    HS_MSG_MEET,
    HS_MSG_FAIL,
    HS_MSG_PUBLISH,
    HS_MSG_AUTH_REQUEST,
    HS_MSG_AUTH_ACK,
    HS_MSG_UPDATE,
    HS_MSG_MFSTART,
    HS_MSG_MODULE,
    HS_MSG_PUBLISHSHARD,
    HS_MSG_TYPES, /* how many are known; larger ones are tolerated */
};

/* The name of the type in CLUSTER INFO ("ping", "auth-req", ...), or NULL. */
const char *hs_wire_type_name(uint16_t type);

enum { /* node flags, header and gossip; bit values are the wire's */
       HS_NODE_MASTER = 1,
       HS_NODE_SLAVE = 2,
       HS_NODE_PFAIL = 4,
       HS_NODE_FAIL = 8,
       HS_NODE_MYSELF = 16,
       HS_NODE_HANDSHAKE = 32,
       HS_NODE_NOADDR = 64,
       HS_NODE_MEET = 128,
       HS_NODE_MIGRATE_TO = 256,
       HS_NODE_NOFAILOVER = 512,
       HS_NODE_EXTENSIONS = 1024,
       HS_NODE_LIGHT = 2048,
};

enum { /* message flags, byte 0 */
       HS_MFLAG_PAUSED = 1,
       HS_MFLAG_FORCEACK = 2,
       HS_MFLAG_EXT_DATA = 4,
};

enum hs_ext_type {
    HS_EXT_HOSTNAME,
    HS_EXT_HUMAN_NODENAME,
    HS_EXT_FORGOTTEN_NODE,
    HS_EXT_SHARDID,
    HS_EXT_CLIENT_IPV4,
    HS_EXT_CLIENT_IPV6,
};

/* 40 characters of [0-9a-z], no terminator. */
struct hs_node_id {
    char hex[HS_ID_LEN];
};

/* ---- frames ---- */

/* What is wrong with bytes from a peer. The order is fixed: counters index by it. */
enum hs_wire_err {
    HS_WIRE_OK,
    HS_WIRE_MORE,       /* hs_wire_frame_len() only: not enough bytes yet */
    HS_WIRE_SIGNATURE,  /* does not start with RCmb; the link must be closed */
    HS_WIRE_SHORT,      /* totlen below a header; the link must be closed */
    HS_WIRE_TOO_LONG,   /* totlen above our bound; the link must be closed */
    HS_WIRE_VERSION,    /* from here on the frame is dropped and the link kept */
    HS_WIRE_LIGHT_TYPE, /* light header on a type that must not be light */
    HS_WIRE_LENGTH,     /* totlen is not what a fixed-size type has */
    HS_WIRE_COUNT,      /* gossip entries do not fit the length */
    HS_WIRE_EXTENSION,  /* an extension's length is wrong, or bytes are left over */
    HS_WIRE_EXT_DATA,   /* an extension's data is malformed (no NUL, bad id) */
    HS_WIRE_PAYLOAD,    /* lengths of a publish or module body do not add up */
    HS_WIRE_ERRS,
};

/* Short and stable, for metrics and logs: "signature", "too-long", ... */
const char *hs_wire_err_str(enum hs_wire_err e);

/* The longest frame to accept in a cluster of at most nodes_max nodes: every
 * node gossiped, one extension per node, a margin; never below HS_FRAME_FLOOR. */
uint32_t hs_wire_frame_max(uint32_t nodes_max);

/* How long is the frame that starts at p? OK with *len set, MORE, or a verdict
 * that closes the link. Reads at most HS_FRAME_PEEK bytes. len_max comes from
 * hs_wire_frame_max(). */
enum hs_wire_err hs_wire_frame_len(const uint8_t *p, size_t n, uint32_t len_max, uint32_t *len);

enum {                      /* hs_view.marks */
       HS_VIEW_LIGHT = 1,   /* no sender, no header: only a publish body */
       HS_VIEW_UNKNOWN = 2, /* type we do not know: only the header means something */
};

/* What hs_wire_check() learned about one frame. Borrows the bytes. */
struct hs_view {
    const uint8_t *frame;
    uint32_t len;
    uint32_t ext_off;    /* first extension; len if there is none */
    uint64_t slots_hash; /* of the slots bitmap; 0 for a light frame */
    uint16_t type;       /* enum hs_msg_type or unknown, without the light bit */
    uint16_t gossip_n;
    uint16_t ext_n;
    uint16_t marks;
};

/* One whole frame of len bytes, len from hs_wire_frame_len(). OK and *v filled,
 * or a verdict. After OK every reader below is safe on v. */
enum hs_wire_err hs_wire_check(const uint8_t *p, uint32_t len, struct hs_view *v);

/* The hash in hs_view.slots_hash. Never 0. */
uint64_t hs_wire_slots_hash(const uint8_t slots[HS_SLOTS_BYTES]);

/* ---- reading ---- */

static inline uint16_t hs_get16(const uint8_t *p)
{
    return (uint16_t)((uint32_t)p[0] << 8 | p[1]);
}

static inline uint32_t hs_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t hs_get64(const uint8_t *p)
{
    return (uint64_t)hs_get32(p) << 32 | hs_get32(p + 4);
}

static inline void hs_put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void hs_put32(uint8_t *p, uint32_t v)
{
    hs_put16(p, (uint16_t)(v >> 16));
    hs_put16(p + 2, (uint16_t)v);
}

static inline void hs_put64(uint8_t *p, uint64_t v)
{
    hs_put32(p, (uint32_t)(v >> 32));
    hs_put32(p + 4, (uint32_t)v);
}

static inline const uint8_t *hs_view_gossip(const struct hs_view *v, uint32_t i)
{
    return v->frame + HS_HDR_LEN + (size_t)i * HS_GOSSIP_LEN;
}

static inline bool hs_slot_test(const uint8_t *bitmap, uint32_t slot)
{
    return (bitmap[slot >> 3] & 1u << (slot & 7)) != 0;
}

static inline void hs_slot_set(uint8_t *bitmap, uint32_t slot)
{
    bitmap[slot >> 3] = (uint8_t)(bitmap[slot >> 3] | 1u << (slot & 7));
}

/* Exactly 40 characters of [0-9a-z]. */
bool hs_wire_id_valid(const uint8_t *id);
/* All ids of a section: if one is not, none of it is to be believed. Not part of
 * the check, because who knows all ids of a section knows that they are valid. */
bool hs_wire_gossip_valid(const struct hs_view *v);

/* Copies an address text of the wire, terminated whatever the sender did. */
void hs_wire_ip(const uint8_t src[HS_IP_LEN], char dst[HS_IP_LEN]);

/* A numeric IPv4 or IPv6 address, NUL-terminated within HS_IP_LEN. */
bool hs_wire_ip_valid(const char *ip);

struct hs_ext {
    uint16_t type;
    uint32_t len; /* of data, padding included */
    const uint8_t *data;
};

/* May this text be kept as a host name: 1 to HS_HOSTNAME_MAX of [A-Za-z0-9.-].
 * A frame that carries another one is still a good frame. */
bool hs_wire_hostname_valid(const char *text);

/* The same for a human node name: printable ASCII without the characters that
 * mean something in nodes.conf or in an address. */
bool hs_wire_nodename_valid(const char *text);

/* Walks the extensions; *off starts as v->ext_off. False after the last. */
bool hs_wire_ext_next(const struct hs_view *v, uint32_t *off, struct hs_ext *ext);

struct hs_publish {
    const uint8_t *channel, *message;
    uint32_t channel_len, message_len;
};

/* The body of a PUBLISH or PUBLISHSHARD, light or not. */
void hs_wire_publish(const struct hs_view *v, struct hs_publish *out);

/* One line about a frame, for logs, traces and hearsay-decode: fields in wire
 * order, name=value. Returns the length, cut to n - 1; always terminated. */
size_t hs_wire_text(const struct hs_view *v, char *buf, size_t n);
/* The same for gossip entry i and for an extension. */
size_t hs_wire_gossip_text(const struct hs_view *v, uint32_t i, char *buf, size_t n);
size_t hs_wire_ext_text(const struct hs_ext *ext, char *buf, size_t n);

/* ---- writing ---- */

/* Everything in a header but signature, length, type and count. */
struct hs_hdr {
    uint64_t current_epoch, config_epoch, offset;
    struct hs_node_id sender;
    const uint8_t *slots;             /* HS_SLOTS_BYTES, or NULL for none */
    const struct hs_node_id *slaveof; /* NULL: a master */
    const char *myip;                 /* "" or an announced address */
    uint16_t port, pport, cport, flags;
    uint8_t state, mflags;
};

/* Writes all HS_HDR_LEN bytes. type, totlen and count are then set by
 * hs_wire_finish(). */
void hs_wire_build_hdr(uint8_t dst[HS_HDR_LEN], const struct hs_hdr *h);

/* Reads a header back; slots and slaveof point into the frame (slaveof NULL if
 * zero), myip is copied to ip. */
void hs_wire_read_hdr(const struct hs_view *v, struct hs_hdr *h, struct hs_node_id *slaveof,
                      char ip[HS_IP_LEN]);

/* Completes a frame of totlen bytes whose header is at dst. */
void hs_wire_finish(uint8_t *dst, uint16_t type, uint16_t count, uint16_t ext_n, uint32_t totlen);

struct hs_gossip {
    struct hs_node_id id;
    uint32_t ping_sent, pong_received; /* Unix seconds, 0 for none */
    const char *ip;
    uint16_t port, cport, pport, flags;
};

void hs_wire_put_gossip(uint8_t dst[HS_GOSSIP_LEN], const struct hs_gossip *g);

/* Each writes one extension and returns its whole length, a multiple of 8. */
uint32_t hs_wire_put_ext_string(uint8_t *dst, enum hs_ext_type type, const char *text);
uint32_t hs_wire_put_ext_shardid(uint8_t *dst, const char shard_id[HS_ID_LEN]);
uint32_t hs_wire_put_ext_forgotten(uint8_t *dst, const struct hs_node_id *id, uint64_t ttl_s);
/* What hs_wire_put_ext_string() would return. */
uint32_t hs_wire_ext_string_len(const char *text);

/* Whole frames. dst has our header already; each returns totlen. */
uint32_t hs_wire_build_plain(uint8_t *dst, uint16_t type); /* AUTH_*, MFSTART */
uint32_t hs_wire_build_fail(uint8_t *dst, const struct hs_node_id *about);
uint32_t hs_wire_build_update(uint8_t *dst, uint64_t config_epoch, const struct hs_node_id *owner,
                              const uint8_t slots[HS_SLOTS_BYTES]);
/* type is HS_MSG_PUBLISH or HS_MSG_PUBLISHSHARD; the light form needs no header. */
uint32_t hs_wire_publish_len(const struct hs_publish *p, bool light);
uint32_t hs_wire_build_publish(uint8_t *dst, uint16_t type, const struct hs_publish *p, bool light);
uint32_t hs_wire_build_module(uint8_t *dst, const uint8_t module_id[8], uint8_t type,
                              const uint8_t *payload, uint32_t payload_len);

#endif
