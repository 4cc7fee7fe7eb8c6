/* core_solo.c - see core_solo.h. */
#include "core_solo.h"

void solo_init(struct solo *s)
{
    *s = (struct solo){.opts = {.nodes_max = 32, .links_max = 64, .connects_max = 16, .seed = 7},
                       .conf = {.node_timeout_ms = 1000,
                                .blacklist_ttl_s = 60,
                                .migration_barrier = 1,
                                .replica_validity_factor = 10,
                                .require_full_coverage = true,
                                .allow_replica_migration = true,
                                .port = 7000,
                                .cport = 17000},
                       .now = {.mono = {1000000}, .wall = {INT64_C(1700000000000)}}};
}

struct hs_node_id solo_id(uint32_t i)
{
    struct hs_node_id id;

    memset(id.hex, (int)('a' + i), HS_ID_LEN);
    return id;
}

struct hs_topo *solo_topo(uint32_t n)
{
    struct hs_topo *t = hs_topo_create(n, 0, 0);

    ck_assert_ptr_nonnull(t);
    t->nodes_n = n;
    for (uint32_t i = 0; i < n; i++) {
        struct hs_topo_node *x = &t->nodes[i];
        *x = (struct hs_topo_node){.id = solo_id(i),
                                   .ip = "127.0.0.1",
                                   .port = 7000,
                                   .cport = (uint16_t)(17000 + i),
                                   .flags = HS_NODE_MASTER,
                                   .master = HS_TOPO_NONE,
                                   .hostname = "",
                                   .nodename = "",
                                   .client_ipv4 = "",
                                   .client_ipv6 = ""};
        memcpy(x->shard_id, x->id.hex, HS_ID_LEN);
    }
    t->nodes[0].flags |= HS_NODE_MYSELF;
    for (uint32_t i = 0; i < HS_SLOTS; i++) {
        t->owner[i] = HS_TOPO_NONE;
    }
    return t;
}

void solo_start(struct solo *s, struct hs_topo *boot)
{
    size_t size = (hs_core_size(&s->opts) + 63) & ~(size_t)63;
    void *mem = aligned_alloc(64, size);

    ck_assert_ptr_nonnull(mem);
    memset(mem, 0, size);
    s->acts.max = hs_core_actions_max(&s->opts);
    s->acts.v = calloc(s->acts.max, sizeof(s->acts.v[0]));
    s->acts.bytes = malloc(hs_core_bytes_max(&s->opts));
    s->acts.bytes_max = hs_core_bytes_max(&s->opts);
    s->core = hs_core_init(mem, &s->opts, &s->conf, boot, s->now);
    hs_core_check(s->core);
    hs_topo_destroy(boot);
    solo_tick(s, 0);
    solo_saved(s);
}

void solo_fini(struct solo *s)
{
    free(s->core);
    free(s->acts.v);
    free(s->acts.bytes);
}

void solo_step(struct solo *s, const struct hs_event *ev)
{
    hs_core_step(s->core, ev, s->now, &s->acts);
    hs_core_check(s->core);
}

void solo_tick(struct solo *s, int64_t later_ms)
{
    s->now.mono.ms += later_ms;
    s->now.wall.ms += later_ms;
    solo_step(s, &(struct hs_event){.type = HS_EV_TICK});
}

void solo_saved(struct solo *s)
{
    solo_step(s, &(struct hs_event){.type = HS_EV_SAVED, .saved_seq = s->core->save_seq});
}

enum hs_cmd_err solo_command(struct solo *s, struct hs_cmd cmd)
{
    cmd.token = 1;
    solo_step(s, &(struct hs_event){.type = HS_EV_COMMAND, .cmd = &cmd});
    for (uint32_t i = 0; i < s->acts.n; i++) {
        if (s->acts.v[i].type == HS_ACT_REPLY) {
            return (enum hs_cmd_err)s->acts.v[i].err;
        }
    }
    ck_abort_msg("no reply");
}

static struct hs_link link_up(struct solo *s, const struct hs_link_up *up)
{
    struct hs_link l = {s->links_n++, 1};

    ck_assert_uint_lt(l.ix, s->opts.links_max);
    solo_step(s, &(struct hs_event){.type = HS_EV_LINK_UP, .link = l, .up = up});
    return l;
}

struct hs_link solo_accept(struct solo *s)
{
    return link_up(s, &(struct hs_link_up){.peer_ip = "127.0.0.9", .local_ip = "127.0.0.1"});
}

struct hs_dial solo_dial(const struct solo *s)
{
    for (uint32_t i = 0; i < s->acts.n; i++) {
        if (s->acts.v[i].type == HS_ACT_CONNECT) {
            return s->acts.v[i].dial;
        }
    }
    ck_abort_msg("no connection asked for");
}

struct hs_link solo_connected(struct solo *s, struct hs_dial d)
{
    return link_up(
        s, &(struct hs_link_up){
               .outbound = true, .dial = d, .peer_ip = "127.0.0.8", .local_ip = "127.0.0.1"});
}

struct hs_link solo_connect(struct solo *s, uint16_t ix)
{
    for (int i = 0; i < 40 && s->core->cold[ix].to_state != TO_DIALING; i++) {
        solo_tick(s, TICK_MS);
    }
    ck_assert_int_eq(s->core->cold[ix].to_state, TO_DIALING);
    return solo_connected(s, (struct hs_dial){ix, s->core->cold[ix].dial_gen});
}

struct hs_hdr solo_hdr(uint32_t i)
{
    return (struct hs_hdr){.sender = solo_id(i),
                           .myip = "",
                           .port = 7000,
                           .cport = (uint16_t)(17000 + i),
                           .flags = HS_NODE_MYSELF | HS_NODE_MASTER};
}

static void receive(struct solo *s, struct hs_link l, uint32_t len)
{
    struct hs_view v;

    ck_assert_int_eq(hs_wire_check(s->frame, len, &v), HS_WIRE_OK);
    solo_step(s, &(struct hs_event){.type = HS_EV_RECV, .link = l, .msg = &v});
}

void solo_section(struct solo *s, struct hs_link l, const struct hs_hdr *h,
                  const struct hs_gossip *entries, uint16_t n)
{
    hs_wire_build_hdr(s->frame, h);
    for (uint16_t i = 0; i < n; i++) {
        hs_wire_put_gossip(s->frame + HS_HDR_LEN + i * HS_GOSSIP_LEN, &entries[i]);
    }
    hs_wire_finish(s->frame, HS_MSG_PING, n, 0, HS_HDR_LEN + n * (uint32_t)HS_GOSSIP_LEN);
    receive(s, l, HS_HDR_LEN + n * (uint32_t)HS_GOSSIP_LEN);
}

void solo_ping(struct solo *s, struct hs_link l, uint16_t type, const struct hs_hdr *h,
               const struct hs_gossip *g)
{
    uint32_t len = HS_HDR_LEN + (g == NULL ? 0 : HS_GOSSIP_LEN);

    hs_wire_build_hdr(s->frame, h);
    if (g != NULL) {
        hs_wire_put_gossip(s->frame + HS_HDR_LEN, g);
    }
    hs_wire_finish(s->frame, type, g == NULL ? 0 : 1, 0, len);
    receive(s, l, len);
}

void solo_plain(struct solo *s, struct hs_link l, uint16_t type, const struct hs_hdr *h)
{
    hs_wire_build_hdr(s->frame, h);
    receive(s, l, hs_wire_build_plain(s->frame, type));
}

uint32_t solo_count(const struct solo *s, enum hs_action_type type)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->acts.n; i++) {
        n += s->acts.v[i].type == type;
    }
    return n;
}

/* NULL if there are fewer. */
static const struct hs_action *message(const struct solo *s, uint16_t msg_type, uint32_t k)
{
    for (uint32_t i = 0; i < s->acts.n; i++) {
        const struct hs_action *a = &s->acts.v[i];
        if (a->type == HS_ACT_SEND && hs_get16(s->acts.bytes + a->off + HS_OFF_TYPE) == msg_type &&
            k-- == 0) {
            return a;
        }
    }
    return NULL;
}

uint32_t solo_sent(const struct solo *s, uint16_t msg_type)
{
    uint32_t n = 0;

    while (message(s, msg_type, n) != NULL) {
        n++;
    }
    return n;
}

struct hs_view solo_msg(const struct solo *s, uint16_t msg_type, uint32_t k)
{
    const struct hs_action *a = message(s, msg_type, k);
    struct hs_view v;

    ck_assert_ptr_nonnull(a);
    ck_assert_int_eq(hs_wire_check(s->acts.bytes + a->off, a->len, &v), HS_WIRE_OK);
    return v;
}
