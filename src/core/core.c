/* core.c - building a core, and the step that drives it.
 */
#include "core_int.h"

/* What one step may need besides a message per ping: see hs_core_bytes_max(). */
#define STEP_BYTES (64 * 1024)

static size_t align64(size_t n)
{
    return (n + 63) & ~(size_t)63;
}

static uint32_t index_slots(const struct hs_core_opts *o)
{
    uint32_t n = 16;

    while (n < 2 * o->nodes_max) {
        n *= 2; /* at most half full: probes stay short */
    }
    return n;
}

/* The parts of the block, in order. Sizes only depend on the options. */
enum part {
    CORE,
    HOT,
    COLD,
    SPOKES,
    SHARDS,
    NAMES,
    BOARD,
    BOARD_IX,
    INDEX,
    FREE,
    ANNOUNCE,
    FOUND,
    LINKS,
    ROWS,
    STAMPS_,
    SINCE,
    PARTS
};

static size_t part_size(const struct hs_core_opts *o, enum part part)
{
    switch (part) {
    case CORE:
        return sizeof(struct hs_core);
    case HOT:
        return o->nodes_max * sizeof(struct hot);
    case COLD:
        return o->nodes_max * sizeof(struct cold);
    case SPOKES:
        return o->nodes_max * sizeof(struct spoke);
    case SHARDS:
        return o->nodes_max * sizeof(struct hs_node_id);
    case NAMES:
        return o->nodes_max * sizeof(struct names);
    case BOARD:
        return (size_t)o->nodes_max * HS_GOSSIP_LEN;
    case BOARD_IX:
    case FREE:
    case ANNOUNCE:
    case FOUND:
        return o->nodes_max * sizeof(uint16_t);
    case INDEX:
        return index_slots(o) * sizeof(uint32_t);
    case LINKS:
        return o->links_max * sizeof(struct link);
    case ROWS:
        return core_rows_max(o) * sizeof(struct row);
    case STAMPS_:
        return core_rows_max(o) * o->nodes_max;
    case SINCE:
        return core_rows_max(o) * o->nodes_max * sizeof(uint16_t);
    default:
        return 0;
    }
}

size_t hs_core_size(const struct hs_core_opts *opts)
{
    size_t n = 0;

    for (enum part p = CORE; p < PARTS; p++) {
        n += align64(part_size(opts, p));
    }
    return n;
}

static void carve(struct hs_core *c, const struct hs_core_opts *o)
{
    uint8_t *at[PARTS];
    uint8_t *p = (uint8_t *)c;

    for (enum part i = CORE; i < PARTS; i++) {
        at[i] = p;
        p += align64(part_size(o, i));
    }
    c->hot = (struct hot *)(void *)at[HOT];
    c->cold = (struct cold *)(void *)at[COLD];
    c->spokes = (struct spoke *)(void *)at[SPOKES];
    c->shards = (struct hs_node_id *)(void *)at[SHARDS];
    c->names = (struct names *)(void *)at[NAMES];
    c->board = at[BOARD];
    c->board_ix = (uint16_t *)(void *)at[BOARD_IX];
    c->index = (uint32_t *)(void *)at[INDEX];
    c->index_mask = index_slots(o) - 1;
    c->free_nodes = (uint16_t *)(void *)at[FREE];
    c->announce = (uint16_t *)(void *)at[ANNOUNCE];
    c->found = (uint16_t *)(void *)at[FOUND];
    c->links = (struct link *)(void *)at[LINKS];
    c->rows = (struct row *)(void *)at[ROWS];
    c->rows_max = (uint32_t)core_rows_max(o);
    c->stamps = at[STAMPS_];
    c->since = (uint16_t *)(void *)at[SINCE];
}

/* Actions a step can add: to every node at most two messages, every connection
 * closed (a hard RESET), bounded notes, and a handful more. */
uint32_t hs_core_actions_max(const struct hs_core_opts *opts)
{
    return 2 * opts->nodes_max + opts->links_max + opts->connects_max + NOTES_MAX + 512;
}

static uint32_t ping_len_max(uint32_t entries)
{
    return HS_HDR_LEN + EXT_BYTES_MAX + entries * HS_GOSSIP_LEN;
}

/* A message per kind of peer with a tenth of all nodes and every second one
 * suspected, and the small ones of a step. A section that would need more, as
 * on a node that is cut off and suspects everybody, is cut. */
uint32_t hs_core_bytes_max(const struct hs_core_opts *opts)
{
    return STEP_BYTES + PING_KINDS * ping_len_max(opts->nodes_max / 10 + 3 + opts->nodes_max / 2);
}

uint32_t hs_core_bytes_need(const struct hs_core *c)
{
    uint32_t suspects_max = c->opts.nodes_max / 2;
    uint32_t suspects = c->pfail_n < suspects_max ? c->pfail_n : suspects_max;

    return STEP_BYTES + PING_KINDS * ping_len_max(c->nodes_n / 10 + 3 + suspects);
}

/* ---- init ---- */

static void take_names(struct hs_core *c, uint16_t ix, const struct hs_topo_node *from)
{
    struct names *n = &c->names[ix];
    const struct {
        char *dst;
        size_t max;
        const char *src;
        uint8_t bit;
    } texts[] = {{n->hostname, sizeof(n->hostname), from->hostname, NAME_HOST},
                 {n->nodename, sizeof(n->nodename), from->nodename, NAME_NODE},
                 {n->client_ipv4, sizeof(n->client_ipv4), from->client_ipv4, NAME_IPV4},
                 {n->client_ipv6, sizeof(n->client_ipv6), from->client_ipv6, NAME_IPV6}};

    for (uint32_t i = 0; i < 4; i++) {
        const char *s = texts[i].src == NULL ? "" : texts[i].src;
        for (size_t k = 0; s[k] != '\0' && k < texts[i].max - 1; k++) {
            texts[i].dst[k] = s[k];
            c->cold[ix].name_bits |= texts[i].bit;
        }
    }
    if (from->shard_id[0] != '\0') {
        memcpy(c->shards[ix].hex, from->shard_id, HS_ID_LEN);
        c->cold[ix].name_bits |= NAME_SHARD;
    }
}

/* A node as nodes.conf had it. Times in the file are from another life: what
 * was set is "now". So are suspicions: stock servers take them up again, and
 * masters that come back together then have a verdict on those who come back
 * with them before anybody had the time to answer. A verdict stays one. */
static void load_node(struct hs_core *c, const struct hs_topo_node *from)
{
    const uint16_t kept = HS_NODE_MASTER | HS_NODE_SLAVE | HS_NODE_FAIL | HS_NODE_MYSELF |
                          HS_NODE_NOADDR | HS_NODE_NOFAILOVER;
    bool no_address = from->ip[0] == '\0' || from->cport == 0;
    uint16_t flags = from->flags & kept;
    bool tls = c->conf.tls_cluster;
    uint16_t ix;

    if (no_address && (flags & HS_NODE_MYSELF) == 0) {
        flags |= HS_NODE_NOADDR;
    }
    ix = core_node_add(c, &from->id, flags);
    HS_ASSERT(ix != NIL16);
    core_node_address(c, ix, from->ip, tls ? from->tls_port : from->port,
                      tls ? from->port : from->tls_port, from->cport);
    take_names(c, ix, from);
    c->cold[ix].config_epoch = from->config_epoch;
    c->cold[ix].pfail_at = c->now.mono.ms;
    c->cold[ix].fail_at = c->now.mono.ms;
    if (ix != SELF) {
        bool waited_for = from->ping_sent_ms != 0 || (flags & HS_NODE_NOADDR) != 0;
        c->hot[ix].ping_sent = waited_for ? c->now.mono.ms : 0;
        c->hot[ix].pong_received = from->pong_received_ms == 0 ? 0 : c->now.mono.ms;
    }
    core_board_sync(c, ix);
}

static void load(struct hs_core *c, const struct hs_topo *boot)
{
    for (uint32_t i = 0; i < boot->nodes_n; i++) {
        load_node(c, &boot->nodes[i]);
    }
    for (uint16_t i = 0; i < boot->nodes_n; i++) {
        if (boot->nodes[i].master != HS_TOPO_NONE) {
            core_node_set_master(c, i, boot->nodes[i].master);
        }
        core_retime(c, i);
    }
    for (uint32_t s = 0; s < HS_SLOTS; s++) {
        if (boot->owner[s] != HS_TOPO_NONE) {
            core_slot_set(c, s, boot->owner[s]);
        }
    }
    for (uint32_t i = 0; i < boot->migrating_n; i++) {
        core_set_migrating(c, boot->migrating[i].slot, boot->migrating[i].node);
    }
    for (uint32_t i = 0; i < boot->importing_n; i++) {
        core_set_importing(c, boot->importing[i].slot, boot->importing[i].node);
    }
    c->current_epoch = boot->current_epoch;
    c->last_vote_epoch = boot->last_vote_epoch;
    for (uint32_t i = 0; i < boot->nodes_n; i++) {
        if (boot->nodes[i].config_epoch > c->current_epoch) {
            c->current_epoch = boot->nodes[i].config_epoch;
        }
    }
}

static void clear_tables(struct hs_core *c)
{
    for (uint32_t s = 0; s < HS_SLOTS; s++) {
        c->owner[s] = NIL16;
    }
    for (uint32_t i = 0; i < WHEEL_SLOTS; i++) {
        c->wheel[i] = NIL16;
    }
    c->row_free = NIL16;
    c->mf_replica = NIL16;
    c->local_ips_n = 1; /* the first one is none */
    c->drop_type = -1;
}

struct hs_core *hs_core_init(void *mem, const struct hs_core_opts *opts,
                             const struct hs_core_conf *conf, const struct hs_topo *boot,
                             struct hs_now now)
{
    struct hs_core *c = mem;

    HS_ASSERT(((uintptr_t)mem & 63) == 0);
    HS_ASSERT(opts->nodes_max >= 2 && opts->nodes_max <= HS_NODES_MAX);
    HS_ASSERT(boot->nodes_n >= 1 && boot->nodes_n <= opts->nodes_max);
    HS_ASSERT(now.mono.ms > 0); /* 0 means "never" in here */

    c->opts = *opts;
    carve(c, opts);
    hs_prng_seed(&c->prng, opts->seed);
    c->hash_seed = hs_prng_next(&c->prng);
    c->now = now;
    c->wall_ahead_ms = now.wall.ms - now.mono.ms;
    c->ticked_at = now.mono.ms / TICK_MS * TICK_MS;
    c->started_at = now.mono.ms;
    c->promised_at = now.mono.ms + TICK_MS;
    c->random_ping_at = now.mono.ms + hs_prng_below(&c->prng, 1000);
    c->conf = *conf;
    clear_tables(c);
    load(c, boot);
    if (!has_flag(c, SELF, HS_NODE_SLAVE)) {
        core_node_flags(c, SELF, HS_NODE_MASTER, 0);
    }
    core_node_flags(c, SELF, HS_NODE_MYSELF, HS_NODE_PFAIL | HS_NODE_FAIL | HS_NODE_NOADDR);
    if ((c->cold[SELF].name_bits & NAME_SHARD) == 0) { /* a file of a 7.0 has none */
        struct hs_node_id shard;
        core_random_id(c, &shard);
        core_set_shard(c, SELF, shard.hex);
    }
    core_conf_apply(c);
    c->size = c->voters_n;
    c->told_epoch = c->current_epoch;
    c->want_sync = false;
    core_hdr_refresh(c);
    core_want_sync(c); /* who we are is on disk before anybody relies on it */
    return c;
}

/* ---- the step ---- */

/* Being called long after the time we asked for means that this process stood
 * still, not that the others did. */
static void notice_pause(struct hs_core *c)
{
    int64_t late_ms = c->now.mono.ms - c->promised_at;
    int64_t bearable_ms = (int64_t)c->conf.node_timeout_ms / PAUSE_TIMEOUT_PART;

    if (late_ms > (bearable_ms < PAUSE_MS_MIN ? PAUSE_MS_MIN : bearable_ms)) {
        c->accuse_after = c->now.mono.ms + (int64_t)c->conf.node_timeout_ms / 2;
        COUNT(c, resumed);
        core_note(c, HS_NOTE_RESUMED, HS_NIL, HS_NIL, late_ms);
    }
}

/* Moments are kept in mono and shown as wall time. The two clocks are read one
 * after the other and in whole milliseconds, so their difference is not the same
 * twice; a link that is shown must not seem to be another one for that. A real
 * jump is followed. */
static void follow_wall(struct hs_core *c)
{
    int64_t ahead_ms = c->now.wall.ms - c->now.mono.ms;
    int64_t off_ms = ahead_ms - c->wall_ahead_ms;

    if (off_ms > WALL_SLACK_MS || off_ms < -WALL_SLACK_MS) {
        c->wall_ahead_ms = ahead_ms;
    }
}

static void apply(struct hs_core *c, const struct hs_event *ev)
{
    switch (ev->type) {
    case HS_EV_TICK:
        core_tick(c);
        break;
    case HS_EV_LINK_UP:
        core_link_up(c, ev->link, ev->up);
        break;
    case HS_EV_LINK_DOWN:
        core_link_down(c, ev->link);
        break;
    case HS_EV_DIAL_FAILED:
        core_dial_failed(c, ev->dial);
        break;
    case HS_EV_RECV:
        core_recv(c, ev->link, ev->msg);
        break;
    case HS_EV_COMMAND:
        core_command(c, ev->cmd);
        break;
    case HS_EV_SAVED:
        core_saved(c, ev->saved_seq);
        break;
    }
}

void hs_core_step(struct hs_core *c, const struct hs_event *ev, struct hs_now now,
                  struct hs_actions *out)
{
    HS_ASSERT(now.mono.ms >= c->now.mono.ms);
    HS_ASSERT(out->max >= hs_core_actions_max(&c->opts));
    HS_ASSERT(out->bytes_max >= hs_core_bytes_need(c));

    out->n = 0;
    out->bytes_n = 0;
    c->now = now;
    c->out = out;
    c->notes_n = 0;
    COUNT(c, steps);
    follow_wall(c);
    notice_pause(c);
    apply(c, ev);
    if (c->state_due) {
        core_state_update(c);
    }
    core_save(c);
    c->out = NULL;
    /* A tick that is due already is not a promise: we do run. */
    int64_t tick_at = hs_core_next_tick(c).ms;
    c->promised_at = tick_at > now.mono.ms ? tick_at : now.mono.ms;
}
