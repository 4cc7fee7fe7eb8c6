/* view.c - questions: a frozen copy of all we know, and the counters.
 */
#include "core_int.h"

uint64_t hs_core_version(const struct hs_core *c)
{
    return c->version;
}

const struct hs_node_id *hs_core_node_id(const struct hs_core *c, hs_ix node)
{
    HS_ASSERT(node < c->nodes_hi);
    return &c->hot[node].id;
}

static const char *const counter_names[] = {
#define X(name) #name,
    COUNTERS(X)
#undef X
};

uint32_t hs_core_counters(const struct hs_core *c, const uint64_t **values)
{
    *values = c->counters;
    return COUNTERS_N;
}

uint32_t hs_core_counters_n(void)
{
    return COUNTERS_N;
}

const char *hs_core_counter_name(uint32_t i)
{
    HS_ASSERT(i < COUNTERS_N);
    return counter_names[i];
}

const struct hs_histogram *hs_core_histogram(const struct hs_core *c, enum hs_core_histogram which)
{
    HS_ASSERT(which < HS_CORE_HISTOGRAMS);
    return &c->histograms[which];
}

static uint32_t text_len(const char *s, uint32_t max)
{
    uint32_t n = 0;

    while (n < max && s[n] != '\0') {
        n++;
    }
    return n + 1;
}

/* Our own come from the configuration and have no bits. */
static bool has_texts(const struct hs_core *c, uint32_t ix)
{
    return ix == SELF || (c->cold[ix].name_bits & NAME_TEXTS) != 0;
}

void hs_core_topo_need(const struct hs_core *c, uint32_t *nodes, uint32_t *open, uint32_t *strings)
{
    *nodes = c->nodes_n;
    *open = c->migrating_n > c->importing_n ? c->migrating_n : c->importing_n;
    *strings = 1;
    for (uint32_t i = 0; i < c->nodes_hi; i++) {
        if (is_used(c, i) && has_texts(c, i)) {
            const struct names *n = &c->names[i];
            *strings += text_len(n->hostname, HS_HOSTNAME_MAX) +
                        text_len(n->nodename, HS_HOSTNAME_MAX) +
                        text_len(n->client_ipv4, sizeof(n->client_ipv4)) +
                        text_len(n->client_ipv6, sizeof(n->client_ipv6));
        }
    }
}

/* A moment of ours as Unix time; 0 stays 0. */
static int64_t wall_of(const struct hs_core *c, int64_t mono_ms)
{
    return mono_ms == 0 ? 0 : mono_ms + c->wall_ahead_ms;
}

static void show_names(const struct hs_core *c, uint32_t ix, struct hs_topo *t,
                       struct hs_topo_node *n)
{
    const struct names *names = &c->names[ix];

    memcpy(n->shard_id, c->shards[ix].hex, HS_ID_LEN);
    n->hostname = n->nodename = n->client_ipv4 = n->client_ipv6 = "";
    if (!has_texts(c, ix)) {
        return;
    }
    n->hostname = hs_topo_string(t, names->hostname);
    n->nodename = hs_topo_string(t, names->nodename);
    n->client_ipv4 = hs_topo_string(t, names->client_ipv4);
    n->client_ipv6 = hs_topo_string(t, names->client_ipv6);
    t->client_ips = t->client_ips || n->client_ipv4[0] != '\0' || n->client_ipv6[0] != '\0';
}

/* The node, plus one, that it shares a slot and an epoch with. Its claim was noted
 * when it came; it may have died since, or the other may have moved on. */
static uint16_t split_with(const struct hs_core *c, uint32_t ix)
{
    const struct cold *n = &c->cold[ix];
    uint16_t owner = c->owner[n->split_slot];

    if (n->split_with == 0 || owner + 1 != n->split_with || has_flag(c, ix, HS_NODE_FAIL) ||
        !has_flag(c, ix, HS_NODE_MASTER) || c->cold[owner].config_epoch != n->config_epoch) {
        return 0;
    }
    return n->split_with;
}

static void show_node(const struct hs_core *c, uint32_t ix, const uint16_t *place,
                      struct hs_topo *t)
{
    const uint16_t shown = HS_NODE_MASTER | HS_NODE_SLAVE | HS_NODE_PFAIL | HS_NODE_FAIL |
                           HS_NODE_MYSELF | HS_NODE_HANDSHAKE | HS_NODE_NOADDR | HS_NODE_NOFAILOVER;
    const struct hot *hot = &c->hot[ix];
    const struct cold *cold = &c->cold[ix];
    const uint8_t *entry = board_of(c, ix);
    uint16_t port = hs_get16(entry + HS_G_PORT), pport = hs_get16(entry + HS_G_PPORT);
    uint16_t split = split_with(c, ix);
    struct hs_topo_node *n = &t->nodes[place[ix]];

    *n = (struct hs_topo_node){
        .id = hot->id,
        .port = c->conf.tls_cluster ? pport : port,
        .tls_port = c->conf.tls_cluster ? port : pport,
        .cport = hs_get16(entry + HS_G_CPORT),
        .flags = hot->flags & shown,
        .master = cold->master == NIL16 ? HS_TOPO_NONE : place[cold->master],
        .slots_n = cold->slots_n,
        .config_epoch = cold->config_epoch,
        .repl_offset = cold->repl_offset,
        .ping_sent_ms = wall_of(c, hot->ping_sent),
        .pong_received_ms = wall_of(c, hot->pong_received),
        .link_to_ms = cold->to_state == TO_UP ? wall_of(c, cold->to_at) : 0,
        .link_from_ms = cold->has_from ? wall_of(c, cold->from_at) : 0,
        .link_to = {cold->to.ix, cold->to.gen},
        .link_from = {cold->from.ix, cold->from.gen},
        .reports_n = core_report_peek(c, (uint16_t)ix),
        .heard_to_ms = wall_of(c, cold->heard_at[true]),
        .heard_from_ms = wall_of(c, cold->heard_at[false]),
        .pfail_ms = wall_of(c, cold->pfail_at),
        .fail_ms = wall_of(c, cold->fail_at),
        .has_rtt = cold->has_rtt,
        .rtt_ms = cold->rtt_ms,
        .rtt_min_ms = cold->rtt_min_ms,
        .rtt_smooth_8 = cold->rtt_smooth,
        .split_with = split == 0 ? 0 : (uint16_t)(place[split - 1] + 1),
        .split_slot = cold->split_slot,
    };
    hs_wire_ip(entry + HS_G_IP, n->ip);
    show_names(c, ix, t, n);
}

static void show_open_slots(const struct hs_core *c, const uint16_t *place, struct hs_topo *t)
{
    for (uint32_t s = 0; s < HS_SLOTS; s++) {
        if (c->migrating[s] != 0) {
            t->migrating[t->migrating_n++] =
                (struct hs_topo_open){(uint16_t)s, place[c->migrating[s] - 1]};
        }
        if (c->importing[s] != 0) {
            t->importing[t->importing_n++] =
                (struct hs_topo_open){(uint16_t)s, place[c->importing[s] - 1]};
        }
    }
}

/* Owners come in long runs: four at a time are compared with what the
 * four before were, and if they are the same, written as those. */
static void show_slots(const struct hs_core *c, const uint16_t *place, struct hs_topo *t)
{
    uint64_t run = 0, shown = 0;

    for (uint32_t s = 0; s < HS_SLOTS; s += 4) {
        uint64_t four;
        memcpy(&four, &c->owner[s], sizeof(four));
        if (four == run && s > 0) {
            memcpy(&t->owner[s], &shown, sizeof(shown));
            continue;
        }
        for (uint32_t k = s; k < s + 4; k++) {
            t->owner[k] = c->owner[k] == NIL16 ? HS_TOPO_NONE : place[c->owner[k]];
        }
        run = four;
        memcpy(&shown, &t->owner[s], sizeof(shown));
    }
    if (c->migrating_n > 0 || c->importing_n > 0) {
        show_open_slots(c, place, t);
    }
}

static void show_strangers(const struct hs_core *c, struct hs_topo *t)
{
    for (uint32_t i = 0; i < c->strangers_n; i++) {
        const struct stranger *s = &c->strangers[i];
        t->foreign[i] = (struct hs_topo_foreign){
            .id = s->id,
            .first_ms = wall_of(c, s->first_at),
            .last_ms = wall_of(c, s->last_at),
            .frames = s->frames_n,
        };
        memcpy(t->foreign[i].ip, s->ip, sizeof(t->foreign[i].ip));
    }
    t->foreign_n = c->strangers_n;
}

static void count_slots(const struct hs_core *c, struct hs_topo *t)
{
    uint32_t pfail_n = 0;

    for (uint32_t i = 0; i < c->nodes_hi; i++) {
        if (is_used(c, i) && has_flag(c, i, HS_NODE_PFAIL) && !has_flag(c, i, HS_NODE_FAIL)) {
            pfail_n += c->cold[i].slots_n;
        }
    }
    t->slots_assigned = c->assigned_n;
    t->slots_fail = c->slots_failed_n;
    t->slots_pfail = pfail_n;
    t->slots_ok = c->assigned_n - c->slots_failed_n - pfail_n;
}

void hs_core_topology(const struct hs_core *c, struct hs_now now, struct hs_topo *t)
{
    uint16_t place[HS_NODES_MAX]; /* a node's index in t: places without gaps */

    HS_ASSERT(t->nodes_max >= c->nodes_n && t->open_max >= c->migrating_n &&
              t->open_max >= c->importing_n);
    t->nodes_n = 0;
    for (uint32_t i = 0; i < c->nodes_hi; i++) {
        if (is_used(c, i)) {
            place[i] = (uint16_t)t->nodes_n++;
        }
    }
    for (uint32_t i = 0; i < c->nodes_hi; i++) {
        if (is_used(c, i)) {
            show_node(c, i, place, t);
        }
    }
    show_slots(c, place, t);
    count_slots(c, t);
    show_strangers(c, t);
    t->version = c->version;
    t->current_epoch = c->current_epoch;
    t->last_vote_epoch = c->last_vote_epoch;
    t->ok = c->ok;
    t->size = c->size;
    memcpy(t->sent, c->sent, sizeof(t->sent));
    memcpy(t->received, c->received, sizeof(t->received));
    t->taken_ms = now.wall.ms;
}
