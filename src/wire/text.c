/* text.c - one line about a frame, a gossip entry or an extension.
 *
 * For people: logs, traces, hearsay-decode. Names and order are those of the
 * wire. What a peer wrote is never passed on raw: text is quoted and escaped,
 * and long payloads are cut. The room may not call printf, so the few forms
 * needed are written here on top of one bounded buffer.
 */
#include "wire_int.h"

#include <string.h>

enum {
    QUOTED_MAX = 64, /* payload bytes shown before "..." */
    DECIMAL_MAX = 20 /* digits of 2^64 - 1 */
};

/* len never exceeds max; what does not fit is dropped. */
struct text {
    char *buf;
    size_t len, max;
};

static struct text text_begin(char *buf, size_t n)
{
    return (struct text){.buf = buf, .max = n > 0 ? n - 1 : 0};
}

static size_t text_end(struct text *t, size_t n)
{
    if (n > 0)
        t->buf[t->len] = '\0';
    return t->len;
}

static void put_char(struct text *t, char c)
{
    if (t->len < t->max)
        t->buf[t->len++] = c;
}

static void put_str(struct text *t, const char *s)
{
    while (*s != '\0')
        put_char(t, *s++);
}

static void put_num(struct text *t, uint64_t v)
{
    char digits[DECIMAL_MAX];
    size_t n = 0;

    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    while (n > 0)
        put_char(t, digits[--n]);
}

static void put_hex(struct text *t, const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        put_char(t, digits[p[i] >> 4]);
        put_char(t, digits[p[i] & 15]);
    }
}

/* Printable ASCII as it is, but for what would end the quotes or start an escape. */
static void put_escaped(struct text *t, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] >= ' ' && p[i] <= '~' && p[i] != '"' && p[i] != '\\') {
            put_char(t, (char)p[i]);
        } else {
            put_str(t, "\\x");
            put_hex(t, p + i, 1);
        }
    }
}

static void put_quoted(struct text *t, const uint8_t *p, size_t n)
{
    put_char(t, '"');
    put_escaped(t, p, n < QUOTED_MAX ? n : QUOTED_MAX);
    put_char(t, '"');
    if (n > QUOTED_MAX)
        put_str(t, "...");
}

static void put_id(struct text *t, const uint8_t *id)
{
    if (wire_id_is_zero(id)) {
        put_char(t, '-');
    } else {
        put_escaped(t, id, HS_ID_LEN);
    }
}

static void field(struct text *t, const char *name)
{
    if (t->len > 0)
        put_char(t, ' ');
    put_str(t, name);
    put_char(t, '=');
}

static void field_num(struct text *t, const char *name, uint64_t v)
{
    field(t, name);
    put_num(t, v);
}

static void field_id(struct text *t, const char *name, const uint8_t *id)
{
    field(t, name);
    put_id(t, id);
}

static void field_ip(struct text *t, const char *name, const uint8_t *ip)
{
    size_t n = wire_text_len(ip, HS_IP_LEN);

    field(t, name);
    if (n == 0) {
        put_char(t, '-');
    } else {
        put_escaped(t, ip, n);
    }
}

/* The names of the bits that have one, the rest as a number: "master,myself,4096". */
static void field_bits(struct text *t, const char *name, uint32_t bits, const char *const *names,
                       size_t names_n)
{
    uint32_t rest = bits;
    bool first = true;

    field(t, name);
    for (size_t i = 0; i < names_n; i++) {
        if (!(bits & 1u << i))
            continue;
        if (!first)
            put_char(t, ',');
        put_str(t, names[i]);
        rest &= ~(1u << i);
        first = false;
    }
    if (rest != 0 || first) {
        if (!first)
            put_char(t, ',');
        if (rest != 0) {
            put_num(t, rest);
        } else {
            put_char(t, '-');
        }
    }
}

static void field_flags(struct text *t, uint16_t flags)
{
    static const char *const names[] = {
        "master", "slave", "pfail",      "fail",       "myself",     "handshake",
        "noaddr", "meet",  "migrate-to", "nofailover", "extensions", "light",
    };

    field_bits(t, "flags", flags, names, sizeof(names) / sizeof(names[0]));
}

static void field_mflags(struct text *t, uint8_t mflags)
{
    static const char *const names[] = {"paused", "forceack", "ext-data"};

    field_bits(t, "mflags", mflags, names, sizeof(names) / sizeof(names[0]));
}

/* Ranges: "0-5460,6000", or "-". */
static void field_slots(struct text *t, const char *name, const uint8_t *bitmap)
{
    bool first = true;

    field(t, name);
    for (uint32_t slot = 0; slot < HS_SLOTS; slot++) {
        if (!hs_slot_test(bitmap, slot))
            continue;
        uint32_t last = slot;

        while (last + 1 < HS_SLOTS && hs_slot_test(bitmap, last + 1))
            last++;
        if (!first)
            put_char(t, ',');
        put_num(t, slot);
        if (last > slot) {
            put_char(t, '-');
            put_num(t, last);
        }
        slot = last;
        first = false;
    }
    if (first)
        put_char(t, '-');
}

static void put_type(struct text *t, const struct hs_view *v)
{
    const char *name = hs_wire_type_name(v->type);

    field(t, "type");
    if (name) {
        put_str(t, name);
    } else {
        put_num(t, v->type);
    }
    if (v->marks & HS_VIEW_LIGHT)
        put_str(t, " light");
}

static void put_header(struct text *t, const struct hs_view *v)
{
    const uint8_t *p = v->frame;

    field_num(t, "port", hs_get16(p + HS_OFF_PORT));
    field_num(t, "count", hs_get16(p + HS_OFF_COUNT));
    field_num(t, "current_epoch", hs_get64(p + HS_OFF_CURRENT_EPOCH));
    field_num(t, "config_epoch", hs_get64(p + HS_OFF_CONFIG_EPOCH));
    field_num(t, "offset", hs_get64(p + HS_OFF_OFFSET));
    field_id(t, "sender", p + HS_OFF_SENDER);
    field_slots(t, "slots", p + HS_OFF_SLOTS);
    field_id(t, "slaveof", p + HS_OFF_SLAVEOF);
    field_ip(t, "myip", p + HS_OFF_MYIP);
    field_num(t, "extensions", hs_get16(p + HS_OFF_EXTENSIONS));
    field_num(t, "pport", hs_get16(p + HS_OFF_PPORT));
    field_num(t, "cport", hs_get16(p + HS_OFF_CPORT));
    field_flags(t, hs_get16(p + HS_OFF_FLAGS));
    field_num(t, "state", p[HS_OFF_STATE]);
    field_mflags(t, p[HS_OFF_MFLAGS]);
}

static void put_publish(struct text *t, const struct hs_view *v)
{
    struct hs_publish pub;

    hs_wire_publish(v, &pub);
    field_num(t, "channel_len", pub.channel_len);
    field_num(t, "message_len", pub.message_len);
    field(t, "channel");
    put_quoted(t, pub.channel, pub.channel_len);
    field(t, "message");
    put_quoted(t, pub.message, pub.message_len);
}

static void put_module(struct text *t, const struct hs_view *v)
{
    const uint8_t *p = v->frame;
    uint32_t len = hs_get32(p + HS_OFF_MODULE_LEN);

    field(t, "module");
    put_hex(t, p + HS_OFF_MODULE_ID, 8);
    field_num(t, "payload_len", len);
    field_num(t, "module_type", p[HS_OFF_MODULE_TYPE]);
    field(t, "payload");
    put_quoted(t, p + HS_OFF_MODULE_DATA, len);
}

static void put_body(struct text *t, const struct hs_view *v)
{
    const uint8_t *p = v->frame;

    if (wire_is_publish(v->type)) {
        put_publish(t, v);
    } else if (v->type == HS_MSG_MODULE) {
        put_module(t, v);
    } else if (v->type == HS_MSG_FAIL) {
        field_id(t, "about", p + HS_OFF_FAIL_ID);
    } else if (v->type == HS_MSG_UPDATE) {
        field_num(t, "update_epoch", hs_get64(p + HS_OFF_UPDATE_EPOCH));
        field_id(t, "update_id", p + HS_OFF_UPDATE_ID);
        field_slots(t, "update_slots", p + HS_OFF_UPDATE_SLOTS);
    }
}

size_t hs_wire_text(const struct hs_view *v, char *buf, size_t n)
{
    struct text t = text_begin(buf, n);

    put_type(&t, v);
    field_num(&t, "len", v->len);
    if (!(v->marks & HS_VIEW_LIGHT))
        put_header(&t, v);
    put_body(&t, v);
    if (!hs_wire_gossip_valid(v))
        put_str(&t, " bad-gossip");
    return text_end(&t, n);
}

size_t hs_wire_gossip_text(const struct hs_view *v, uint32_t i, char *buf, size_t n)
{
    struct text t = text_begin(buf, n);
    const uint8_t *g = hs_view_gossip(v, i);

    field_num(&t, "gossip", i);
    field_id(&t, "id", g + HS_G_ID);
    field_num(&t, "ping_sent", hs_get32(g + HS_G_PING_SENT));
    field_num(&t, "pong_received", hs_get32(g + HS_G_PONG_RECEIVED));
    field_ip(&t, "ip", g + HS_G_IP);
    field_num(&t, "port", hs_get16(g + HS_G_PORT));
    field_num(&t, "cport", hs_get16(g + HS_G_CPORT));
    field_flags(&t, hs_get16(g + HS_G_FLAGS));
    field_num(&t, "pport", hs_get16(g + HS_G_PPORT));
    return text_end(&t, n);
}

static void put_ext_type(struct text *t, uint16_t type)
{
    static const char *const names[] = {
        [HS_EXT_HOSTNAME] = "hostname",        [HS_EXT_HUMAN_NODENAME] = "nodename",
        [HS_EXT_FORGOTTEN_NODE] = "forgotten", [HS_EXT_SHARDID] = "shardid",
        [HS_EXT_CLIENT_IPV4] = "client-ipv4",  [HS_EXT_CLIENT_IPV6] = "client-ipv6",
    };

    field(t, "ext");
    if (type < sizeof(names) / sizeof(names[0])) {
        put_str(t, names[type]);
    } else {
        put_num(t, type);
    }
}

size_t hs_wire_ext_text(const struct hs_ext *ext, char *buf, size_t n)
{
    struct text t = text_begin(buf, n);

    put_ext_type(&t, ext->type);
    field_num(&t, "len", ext->len);
    if (wire_is_string_ext(ext->type)) {
        field(&t, "value");
        put_quoted(&t, ext->data, wire_text_len(ext->data, ext->len));
    } else if (ext->type == HS_EXT_SHARDID) {
        field_id(&t, "id", ext->data);
    } else if (ext->type == HS_EXT_FORGOTTEN_NODE) {
        field_id(&t, "id", ext->data);
        field_num(&t, "ttl", hs_get64(ext->data + HS_X_FORGOTTEN_TTL));
    }
    return text_end(&t, n);
}
