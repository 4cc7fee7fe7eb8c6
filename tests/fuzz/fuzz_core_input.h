/* fuzz_core_input.h - the part of fuzz_core_step.c that turns bytes into a
 * configuration, a first topology, commands and frames.
 */
#ifndef FUZZ_CORE_INPUT_H
#define FUZZ_CORE_INPUT_H

#include "hearsay/core.h"

#include <stdlib.h>
#include <string.h>

enum { LINKS = 24, DIALS = 8, IDS = 16, FRAME_MAX = 16384, STEPS_MAX = 200, VOTES = 16 };

struct script {
    const uint8_t *p;
    size_t n;
};

struct end { /* what a peer knows of its connection with us */
    bool up, outbound, met, shown;
    uint32_t gen, ids; /* who may be at the other end, a bit per id */
    uint16_t node;
};

struct run {
    struct script in;
    struct hs_core *core;
    struct hs_core_opts opts;
    struct hs_core_conf conf;
    struct hs_now now;
    struct hs_actions acts;
    struct end links[LINKS];
    struct hs_dial dials[DIALS];
    uint32_t dials_n, shown; /* ids that have shown extensions */
    uint64_t save_seq, saved_seq, ack_epoch, token;
    uint32_t replies, delivers;
    struct hs_node_id self;
    void (*step)(struct run *r, const struct hs_event *ev); /* and check what comes of it */
    bool damaged; /* bytes were changed at random: ids may be anything */
    struct {
        uint64_t epoch, seq;
    } votes[VOTES];
    uint32_t votes_n;
};

static inline uint8_t take(struct script *s)
{
    if (s->n == 0)
        return 0;
    s->n--;
    return *s->p++;
}

static inline uint16_t take16(struct script *s)
{
    uint32_t high = take(s);
    return (uint16_t)(high << 8 | take(s));
}

/* Mostly small, sometimes far away; beyond 2^62 there is nothing to protect. */
static inline uint64_t take_epoch(struct script *s)
{
    uint8_t b = take(s);
    return b < 224 ? b % 16U : b < 250 ? (uint64_t)b << 8 : (uint64_t)take(s) << 53;
}

static inline struct hs_node_id id_of(uint32_t i)
{
    struct hs_node_id id;
    memset(id.hex, (int)('a' + i % IDS), HS_ID_LEN);
    return id;
}

static inline uint32_t bit_of(const void *id)
{
    uint8_t c = *(const uint8_t *)id;
    return c >= 'a' && c < 'a' + IDS ? UINT32_C(1) << (c - 'a') : 0;
}

static inline bool is_one_character(const uint8_t *id)
{
    return memcmp(id, id + 1, HS_ID_LEN - 1) == 0;
}

static inline struct hs_node_id take_id(struct script *s)
{
    return id_of(take(s));
}

static inline void take_conf(struct script *s, struct hs_core_conf *conf)
{
    uint8_t b = take(s), names = take(s);

    *conf = (struct hs_core_conf){.node_timeout_ms = b % 4 == 0 ? 1 : 500U << b % 4,
                                  .ping_interval_ms = (b & 4) != 0 ? 300 : 0,
                                  .blacklist_ttl_s = 60,
                                  .migration_barrier = (b & 8) != 0,
                                  .replica_validity_factor = (b & 16) != 0 ? 10 : 0,
                                  .require_full_coverage = (b & 32) != 0,
                                  .replica_no_failover = (b & 0xc0) == 0xc0,
                                  .allow_replica_migration = (b & 64) != 0,
                                  .tls_cluster = (names & 1) != 0,
                                  .port = 7000,
                                  .tls_port = (names & 2) != 0 ? 7100 : 0,
                                  .cport = 17000};
    if ((names & 4) != 0)
        memcpy(conf->announce_ip, "127.0.0.9", 10);
    if ((names & 8) != 0)
        memcpy(conf->hostname, "host.example.com", 17);
    if ((names & 16) != 0)
        memcpy(conf->nodename, "some-node", 10);
    if ((names & 32) != 0)
        memcpy(conf->client_ipv4, "10.0.0.1", 9);
    if ((names & 64) != 0)
        memcpy(conf->client_ipv6, "fd00::1", 8);
}

/* What nodes.conf might have held: us, and some of the others. */
static inline struct hs_topo *take_boot(struct run *r)
{
    struct hs_topo *t = hs_topo_create(r->opts.nodes_max, 1, 0);
    uint8_t b = take(&r->in);

    HS_ASSERT(t != NULL);
    t->nodes_n = 1U + b % 8U;
    t->nodes_n = t->nodes_n > r->opts.nodes_max ? r->opts.nodes_max : t->nodes_n;
    for (uint32_t i = 0; i < t->nodes_n; i++) {
        struct hs_topo_node *n = &t->nodes[i];
        uint8_t k = i == 0 ? b >> 3 : take(&r->in);
        *n = (struct hs_topo_node){.id = i == 0 ? r->self : id_of(i < 6 ? i - 1 : i),
                                   .port = 7000,
                                   .cport = 17000,
                                   .master = HS_TOPO_NONE,
                                   .hostname = "",
                                   .nodename = "",
                                   .client_ipv4 = "",
                                   .client_ipv6 = ""};
        n->flags =
            (uint16_t)((i == 0 ? HS_NODE_MYSELF : 0) |
                       ((k & 1) != 0 ? HS_NODE_SLAVE : HS_NODE_MASTER) |
                       ((k & 6) == 6 ? HS_NODE_FAIL : 0) | ((k & 6) == 2 ? HS_NODE_PFAIL : 0));
        memcpy(n->ip, "127.0.0.3", 10);
        if ((k & 8) != 0)
            memset(n->shard_id, 'a' + (k >> 6), HS_ID_LEN);
        if ((k & 1) != 0 && t->nodes_n > 1)
            n->master = i == 1 ? 0 : 1;
        n->config_epoch = (k & 1) != 0 ? 0 : k >> 4;
    }
    if (t->nodes_n > 1 && t->nodes[0].master != HS_TOPO_NONE) {
        t->nodes[1].master = HS_TOPO_NONE;
        t->nodes[1].flags = HS_NODE_MASTER;
    }
    for (uint32_t s = 0; s < HS_SLOTS; s++) {
        uint32_t i = s * 8 / HS_SLOTS;
        t->owner[s] =
            i < t->nodes_n && t->nodes[i].master == HS_TOPO_NONE ? (uint16_t)i : HS_TOPO_NONE;
    }
    t->current_epoch = take(&r->in) % 32;
    return t;
}

/* ---- commands ---- */

static inline void command(struct run *r)
{
    struct script *s = &r->in;
    struct hs_core_conf conf;
    struct hs_slot_range ranges[2];
    struct hs_cmd cmd = {.type = (enum hs_cmd_type)(take(s) % (HS_CMD_RESETSTAT + 1)),
                         .token = ++r->token,
                         .id = take_id(s),
                         .ip = "127.0.0.4",
                         .port = 7000,
                         .cport = (uint16_t)(17000 + take(s) % 16),
                         .ranges = ranges,
                         .ranges_n = 1,
                         .conf = &conf};
    uint8_t b = take(s);

    cmd.slot = (uint16_t)(b << 6);
    cmd.hard = b % 2 != 0;
    cmd.failover = (enum hs_failover)(b % 3);
    cmd.epoch = b;
    cmd.ranges_n = 1U + b % 2U;
    cmd.ranges_bad = b == 255;
    ranges[0] = (struct hs_slot_range){(uint16_t)(b << 6), (uint16_t)((b << 6) + 2047)};
    ranges[0].last = ranges[0].last >= HS_SLOTS ? HS_SLOTS - 1 : ranges[0].last;
    ranges[1] = (struct hs_slot_range){b, b};
    if (cmd.type == HS_CMD_CONF)
        take_conf(s, &r->conf);
    conf = r->conf;
    if (cmd.type == HS_CMD_RESET) {
        memset(cmd.shard_id, 'q', HS_ID_LEN);
        if (cmd.hard) {
            uint8_t c = (uint8_t)('a' + IDS + b % 8); /* nobody else's */
            memset(cmd.id.hex, c, HS_ID_LEN);
            r->self = cmd.id;
            r->ack_epoch = 0;
            r->votes_n = 0;
        }
    }
    r->step(r, &(struct hs_event){.type = HS_EV_COMMAND, .cmd = &cmd});
    HS_ASSERT(cmd.type == HS_CMD_SAVECONFIG ? r->replies <= 1 : r->replies == 1);
}

/* ---- frames ---- */

static inline void take_bitmap(struct script *s, uint8_t slots[HS_SLOTS_BYTES])
{
    uint8_t from = take(s), n = take(s);

    memset(slots, 0, HS_SLOTS_BYTES);
    for (uint32_t i = 0; i < n % 64U; i++)
        slots[(from * 8U + i) % HS_SLOTS_BYTES] = n >= 192 ? 0x55 : 0xff;
}

static inline void take_header(struct run *r, uint8_t *frame)
{
    static const char *const ips[] = {"", "", "", "127.0.0.5", "::1", "not-an-ip"};
    struct script *s = &r->in;
    uint8_t who = take(s), b = take(s), role = take(s);
    uint8_t slots[HS_SLOTS_BYTES];
    struct hs_node_id master = role < 8 ? r->self : id_of(role);
    struct hs_hdr h = {.current_epoch = take_epoch(s),
                       .config_epoch = take_epoch(s),
                       .offset = b,
                       .sender = who == 255 ? r->self : id_of(who),
                       .slots = slots,
                       .slaveof = role % 2 != 0 ? &master : NULL,
                       .myip = ips[b % 6],
                       .port = 7000,
                       .cport = b == 254 ? 0 : 17000,
                       .flags = HS_NODE_MYSELF};

    h.flags |= (uint16_t)((role % 2 != 0 ? HS_NODE_SLAVE : HS_NODE_MASTER) |
                          ((b & 16) != 0 ? HS_NODE_LIGHT : 0) |
                          (b >= 240 ? HS_NODE_MASTER | HS_NODE_SLAVE : 0) |
                          ((b & 0xe0) == 0x60 ? HS_NODE_NOFAILOVER : 0));
    h.mflags = (uint8_t)(b >> 6 & (HS_MFLAG_PAUSED | HS_MFLAG_FORCEACK));
    take_bitmap(s, slots);
    hs_wire_build_hdr(frame, &h);
}

static inline uint32_t put_extension(struct run *r, uint8_t *dst)
{
    static const char *const texts[] = {"a.example", "", "10.0.0.2", "under_score", "fd00::2"};
    struct script *s = &r->in;
    uint8_t b = take(s);
    struct hs_node_id id = b >= 240 ? r->self : id_of(b / 6U);

    switch (b % 6) {
    case HS_EXT_FORGOTTEN_NODE:
        return hs_wire_put_ext_forgotten(dst, &id, take(s) % 4U * 30);
    case HS_EXT_SHARDID:
        return hs_wire_put_ext_shardid(dst, id.hex);
    default:
        return hs_wire_put_ext_string(dst, (enum hs_ext_type)(b % 6), texts[b / 6 % 5]);
    }
}

/* PING, PONG, MEET: entries about anybody, ourselves included. */
static inline uint32_t take_ping(struct run *r, uint8_t *frame, uint16_t type)
{
    struct script *s = &r->in;
    uint8_t b = take(s);
    uint16_t gossip_n = b & 7, ext_n = (b & 128) != 0 ? (b >> 3 & 3) : 0;
    uint32_t len = HS_HDR_LEN;

    for (uint32_t i = 0; i < gossip_n; i++) {
        uint8_t who = take(s), k = take(s);
        struct hs_gossip g = {.id = who == 255 ? r->self : id_of(who),
                              .pong_received = (uint32_t)(r->now.wall.ms / 1000) - k % 4U,
                              .ip = k == 200     ? "bad"
                                    : k % 2 != 0 ? "127.0.0.6"
                                                 : "127.0.0.3",
                              .port = 7000,
                              .cport = k == 201 ? 0 : 17000,
                              .flags = take16(s)};
        hs_wire_put_gossip(frame + len, &g);
        len += HS_GOSSIP_LEN;
    }
    for (uint32_t i = 0; i < ext_n; i++)
        len += put_extension(r, frame + len);
    if ((b & 128) != 0)
        frame[HS_OFF_MFLAGS] |= HS_MFLAG_EXT_DATA;
    hs_wire_finish(frame, type, gossip_n, ext_n, len);
    return len;
}

static inline uint32_t take_body(struct run *r, uint8_t *frame, uint16_t type)
{
    struct script *s = &r->in;
    struct hs_publish text = {(const uint8_t *)"c", (const uint8_t *)"message", 1, 7};
    uint8_t slots[HS_SLOTS_BYTES], b = take(s);
    struct hs_node_id id = b == 255 ? r->self : id_of(b);

    switch (type) {
    case HS_MSG_FAIL:
        return hs_wire_build_fail(frame, &id);
    case HS_MSG_UPDATE:
        take_bitmap(s, slots);
        return hs_wire_build_update(frame, take_epoch(s), &id, slots);
    case HS_MSG_PUBLISH:
    case HS_MSG_PUBLISHSHARD:
        return hs_wire_build_publish(frame, type, &text, b % 2 != 0);
    case HS_MSG_MODULE:
        return hs_wire_build_module(frame, (const uint8_t *)"12345678", b, text.message, 7);
    default:
        return hs_wire_build_plain(frame, type);
    }
}

static inline void damage(struct run *r, uint8_t *frame, uint32_t len)
{
    for (uint8_t n = take(&r->in) % 4; n > 0; n--) {
        uint32_t at = take16(&r->in) % len;
        frame[at] = take(&r->in);
        r->damaged = true;
    }
    hs_put64(frame + HS_OFF_CURRENT_EPOCH, hs_get64(frame + HS_OFF_CURRENT_EPOCH) >> 2);
    hs_put64(frame + HS_OFF_CONFIG_EPOCH, hs_get64(frame + HS_OFF_CONFIG_EPOCH) >> 2);
}

/* On a connection that is up, if the script finds one. */
static inline void receive(struct run *r)
{
    uint8_t where = take(&r->in), what = take(&r->in);
    uint16_t type = what < 128 ? what % 3 : what % (HS_MSG_TYPES + 1);
    uint8_t *frame = malloc(FRAME_MAX);
    struct end *l = NULL;
    struct hs_view v;

    for (uint32_t i = 0; i < LINKS && l == NULL; i++)
        l = r->links[(where + i) % LINKS].up ? &r->links[(where + i) % LINKS] : NULL;
    if (l == NULL) {
        free(frame);
        return;
    }
    take_header(r, frame);
    uint32_t len = type <= HS_MSG_MEET ? take_ping(r, frame, type) : take_body(r, frame, type);
    if (what % 8 == 7)
        damage(r, frame, len);
    frame = realloc(frame, len); /* so that a read past the end is seen */
    if (hs_wire_check(frame, len, &v) == HS_WIRE_OK) {
        if ((v.marks & HS_VIEW_LIGHT) == 0) {
            l->ids |= bit_of(frame + HS_OFF_SENDER);
            if (v.type <= HS_MSG_MEET && (frame[HS_OFF_MFLAGS] & HS_MFLAG_EXT_DATA) != 0) {
                l->shown = true;
                r->shown |= l->ids;
            }
        }
        r->step(r, &(struct hs_event){
                       .type = HS_EV_RECV, .link = {(uint32_t)(l - r->links), l->gen}, .msg = &v});
    }
    free(frame);
}

#endif
