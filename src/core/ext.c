/* ext.c - ping extensions: names, shard ids, forgotten nodes.
 *
 * Ours are encoded once per change. A peer gets only those it has shown to
 * understand: a stock 6.2 drops a PING that has any, a 7.0 logs a line for
 * every type but the host name.
 */
#include "core_int.h"

static uint32_t put_string(uint8_t *dst, enum hs_ext_type type, const char *text)
{
    return text[0] == '\0' ? 0 : hs_wire_put_ext_string(dst, type, text);
}

void core_ext_build(struct hs_core *c)
{
    const struct names *mine = &c->names[SELF];
    uint8_t *p = c->ext;

    c->ext_hostname_len = put_string(p, HS_EXT_HOSTNAME, mine->hostname);
    p += c->ext_hostname_len;
    c->ext_common_len = c->ext_hostname_len + put_string(p, HS_EXT_HUMAN_NODENAME, mine->nodename);
    p = c->ext + c->ext_common_len;
    c->ext_client_len = put_string(p, HS_EXT_CLIENT_IPV4, mine->client_ipv4);
    c->ext_client_len += put_string(p + c->ext_client_len, HS_EXT_CLIENT_IPV6, mine->client_ipv6);
    p += c->ext_client_len;
    c->ext_shard_len = hs_wire_put_ext_shardid(p, c->shards[SELF].hex);
}

static void count_strings(const struct names *n, bool common, bool client, uint16_t *count)
{
    if (common) {
        *count = (uint16_t)(*count + (n->hostname[0] != '\0') + (n->nodename[0] != '\0'));
    }
    if (client) {
        *count = (uint16_t)(*count + (n->client_ipv4[0] != '\0') + (n->client_ipv6[0] != '\0'));
    }
}

static uint32_t put_forgotten(struct hs_core *c, uint8_t *dst, uint16_t *count)
{
    uint32_t len = 0;

    for (uint32_t i = 0; i < c->blacklist_n; i++) {
        int64_t left_ms = c->blacklist[i].until - c->now.mono.ms;
        if (left_ms > 0) {
            uint64_t ttl_s = (uint64_t)(left_ms + 999) / 1000;
            len += hs_wire_put_ext_forgotten(dst + len, &c->blacklist[i].id, ttl_s);
            ++*count;
        }
    }
    return len;
}

/* Writes what a peer of that level understands; at most EXT_BYTES_MAX bytes. */
uint32_t core_ext_put(struct hs_core *c, enum ext_level level, bool valkey, uint8_t *dst,
                      uint16_t *count)
{
    const struct names *mine = &c->names[SELF];
    uint32_t len;

    *count = 0;
    if (level == EXT_NONE) {
        return 0;
    }
    if (level == EXT_HOSTNAME_ONLY) {
        memcpy(dst, c->ext, c->ext_hostname_len);
        *count = c->ext_hostname_len != 0;
        return c->ext_hostname_len;
    }
    len = c->ext_common_len + (valkey ? c->ext_client_len : 0);
    memcpy(dst, c->ext, len);
    count_strings(mine, true, valkey, count);
    len += put_forgotten(c, dst + len, count);
    memcpy(dst + len, c->ext + c->ext_common_len + c->ext_client_len, c->ext_shard_len);
    ++*count;
    return len + c->ext_shard_len;
}

/* ---- reading ---- */

/* What the sender of this PING, PONG or MEET has shown to understand. A 7.0
 * sets the flag only with a host name; who sets it without any extension, or
 * with one that 7.0 does not have, knows them all. */
enum ext_level core_ext_shown(const struct hs_view *v)
{
    struct hs_ext ext;
    uint32_t off = v->ext_off;
    bool full = v->ext_n == 0;

    if ((v->frame[HS_OFF_MFLAGS] & HS_MFLAG_EXT_DATA) == 0) {
        return EXT_NONE;
    }
    while (hs_wire_ext_next(v, &off, &ext)) {
        full = full || ext.type != HS_EXT_HOSTNAME;
    }
    return full ? EXT_FULL : EXT_HOSTNAME_ONLY;
}

/* One of the texts of struct names. */
struct text {
    uint8_t bit;
    char *field;
    size_t field_n;
};

/* Stores a text of the wire; "" clears it. */
static void set_text(struct hs_core *c, uint16_t ix, struct text t, const char *text)
{
    uint8_t *bits = &c->cold[ix].name_bits;
    size_t n = 0;

    while (text[n] != '\0' && n < t.field_n - 1) {
        n++;
    }
    if ((*bits & t.bit) == 0 && n == 0) {
        return; /* nothing there, and nothing told: do not touch the page */
    }
    if (memcmp(t.field, text, n) == 0 && t.field[n] == '\0') {
        return;
    }
    memset(t.field, 0, t.field_n);
    memcpy(t.field, text, n);
    *bits = (uint8_t)(n > 0 ? *bits | t.bit : *bits & ~t.bit);
    core_want_save(c);
}

/* False where one of them never told its shard: peers before 7.2 do not. */
bool core_same_shard(const struct hs_core *c, uint16_t a, uint16_t b)
{
    return core_has_shard(c, a) && core_has_shard(c, b) &&
           memcmp(c->shards[a].hex, c->shards[b].hex, HS_ID_LEN) == 0;
}

void core_set_shard(struct hs_core *c, uint16_t ix, const void *shard_id)
{
    if (memcmp(c->shards[ix].hex, shard_id, HS_ID_LEN) == 0) {
        return;
    }
    memcpy(c->shards[ix].hex, shard_id, HS_ID_LEN);
    c->cold[ix].name_bits |= NAME_SHARD;
    core_want_save(c);
    if (ix == SELF) {
        core_ext_build(c);
    }
}

static void read_forgotten(struct hs_core *c, uint16_t sender, const uint8_t *data)
{
    uint64_t ttl_s = hs_get64(data + HS_ID_LEN);
    uint16_t ix = core_index_find(c, data);

    if (ix == NIL16 || ix == SELF || ix == sender || ix == c->cold[SELF].master) {
        return; /* the sender itself is what we are reading from: never */
    }
    ttl_s = ttl_s > 3600 ? 3600 : ttl_s; /* an hour bounds what a peer can impose */
    core_blacklist_add(c, data, (int64_t)ttl_s * 1000);
    core_note_id(c, HS_NOTE_FORGOTTEN, data, sender, (int64_t)ttl_s);
    core_node_remove(c, ix);
}

/* A replica's shard is its master's; told or, from peers without the
 * extension, derived. Ours follows our master's. */
static void take_shard(struct hs_core *c, uint16_t sender, const uint8_t *told)
{
    uint16_t master = c->cold[sender].master;

    if (told != NULL) {
        core_set_shard(c, sender, told);
        if (sender == c->cold[SELF].master) {
            core_set_shard(c, SELF, told);
        }
    } else if (master != NIL16 && core_has_shard(c, master)) {
        core_set_shard(c, sender, c->shards[master].hex);
    }
}

/* Texts that nodes.conf could not carry back are taken as absent. */
static void set_texts(struct hs_core *c, uint16_t ix, const char *host, const char *node,
                      const char *ipv4, const char *ipv6)
{
    struct names *n = &c->names[ix];

    set_text(c, ix, (struct text){NAME_HOST, n->hostname, sizeof(n->hostname)},
             hs_wire_hostname_valid(host) ? host : "");
    set_text(c, ix, (struct text){NAME_NODE, n->nodename, sizeof(n->nodename)},
             hs_wire_nodename_valid(node) ? node : "");
    set_text(c, ix, (struct text){NAME_IPV4, n->client_ipv4, sizeof(n->client_ipv4)},
             hs_wire_ip_valid(ipv4) ? ipv4 : "");
    set_text(c, ix, (struct text){NAME_IPV6, n->client_ipv6, sizeof(n->client_ipv6)},
             hs_wire_ip_valid(ipv6) ? ipv6 : "");
}

/* Everything a PING, PONG or MEET of a known node carries; what it could carry
 * and does not is taken as "none". */
void core_ext_read(struct hs_core *c, uint16_t sender, const struct hs_view *v)
{
    const char *host = "", *node = "", *ipv4 = "", *ipv6 = "";
    const uint8_t *shard = NULL;
    struct hs_ext ext;
    uint32_t off = v->ext_off;

    while (hs_wire_ext_next(v, &off, &ext)) {
        switch (ext.type) {
        case HS_EXT_HOSTNAME:
            host = (const char *)ext.data;
            break;
        case HS_EXT_HUMAN_NODENAME:
            node = (const char *)ext.data;
            break;
        case HS_EXT_CLIENT_IPV4:
            ipv4 = (const char *)ext.data;
            break;
        case HS_EXT_CLIENT_IPV6:
            ipv6 = (const char *)ext.data;
            break;
        case HS_EXT_SHARDID:
            shard = ext.data;
            break;
        case HS_EXT_FORGOTTEN_NODE:
            read_forgotten(c, sender, ext.data);
            break;
        default:
            break; /* from the future */
        }
    }
    set_texts(c, sender, host, node, ipv4, ipv6);
    take_shard(c, sender, shard);
}

/* ---- the blacklist: ids that gossip may not bring back for a while ---- */

static struct blacklisted *find_blacklisted(struct hs_core *c, const void *id)
{
    for (uint32_t i = 0; i < c->blacklist_n; i++) {
        if (memcmp(c->blacklist[i].id.hex, id, HS_ID_LEN) == 0) {
            return &c->blacklist[i];
        }
    }
    return NULL;
}

static struct blacklisted *soonest_over(struct hs_core *c)
{
    struct blacklisted *b = &c->blacklist[0];

    for (uint32_t i = 1; i < c->blacklist_n; i++) {
        b = c->blacklist[i].until < b->until ? &c->blacklist[i] : b;
    }
    if (b->until > c->now.mono.ms) {
        COUNT(c, blacklist_full);
    }
    return b;
}

void core_blacklist_add(struct hs_core *c, const void *id, int64_t ttl_ms)
{
    struct blacklisted *b = find_blacklisted(c, id);

    if (b == NULL) {
        b = c->blacklist_n < BLACKLIST_MAX ? &c->blacklist[c->blacklist_n++] : soonest_over(c);
        memcpy(b->id.hex, id, HS_ID_LEN);
    }
    b->until = c->now.mono.ms + ttl_ms;
}

bool core_blacklisted(struct hs_core *c, const void *id)
{
    const struct blacklisted *b = find_blacklisted(c, id);

    return b != NULL && b->until > c->now.mono.ms;
}
