/* fuzz_core_step.c - a core driven by any sequence of events, good ones and
 * senseless ones: connections, time, frames, commands, saves, restarts.
 *
 * Every byte string is a script. After each step every invariant of the core
 * is walked, and everything it asks for is held against what a node must never
 * do, as far as its own peers can see it (docs/protocol.md, "What we never
 * send"). Ids of the script are one character repeated, so that a random one,
 * which is what a handshake has, is recognised wherever it shows up.
 */
#include "fuzz_core_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- what comes out ---- */

static void check_ping(struct run *r, struct end *to, const struct hs_view *v)
{
    struct hs_ext ext;
    uint32_t off = v->ext_off;

    for (uint32_t i = 0; i < v->gossip_n; i++) {
        const uint8_t *g = hs_view_gossip(v, i);
        char ip[HS_IP_LEN];
        hs_wire_ip(g + HS_G_IP, ip);
        HS_ASSERT(memcmp(g, v->frame + HS_OFF_SENDER, HS_ID_LEN) != 0);
        HS_ASSERT(r->damaged || is_one_character(g));
        uint16_t flags = hs_get16(g + HS_G_FLAGS);
        HS_ASSERT((flags & (HS_NODE_MYSELF | HS_NODE_HANDSHAKE)) == 0);
        /* Without an address only a suspect is told of, and marked so. */
        HS_ASSERT((flags & HS_NODE_NOADDR) == 0 || (flags & HS_NODE_PFAIL) != 0);
        HS_ASSERT((flags & HS_NODE_NOADDR) != 0 ||
                  (hs_wire_ip_valid(ip) && hs_get16(g + HS_G_CPORT) != 0));
    }
    HS_ASSERT(hs_wire_gossip_valid(v));
    HS_ASSERT((v->frame[HS_OFF_MFLAGS] & HS_MFLAG_EXT_DATA) != 0);
    HS_ASSERT(r->damaged || v->ext_n == 0 || to->shown || (to->ids & r->shown) != 0);
    while (hs_wire_ext_next(v, &off, &ext)) {
        HS_ASSERT(ext.type != HS_EXT_FORGOTTEN_NODE ||
                  memcmp(ext.data, v->frame + HS_OFF_SENDER, HS_ID_LEN) != 0);
    }
    HS_ASSERT(v->type != HS_MSG_MEET || !to->met);
    to->met = to->met || v->type == HS_MSG_MEET;
    HS_ASSERT(to->outbound || v->type != HS_MSG_MEET);
}

/* One vote per epoch, and none that a crash could make us forget. */
static void check_vote(struct run *r, const struct hs_view *v)
{
    uint64_t epoch = hs_get64(v->frame + HS_OFF_CURRENT_EPOCH);
    bool durable = false;

    HS_ASSERT(epoch > r->ack_epoch);
    r->ack_epoch = epoch;
    for (uint32_t i = 0; i < r->votes_n; i++)
        durable = durable || (r->votes[i].epoch == epoch && r->votes[i].seq <= r->saved_seq);
    HS_ASSERT(durable || r->votes_n == VOTES);
}

static void check_send(struct run *r, const struct hs_action *a)
{
    struct end *to = &r->links[a->link.ix];
    struct hs_view v;

    HS_ASSERT(a->link.ix < LINKS && to->up && to->gen == a->link.gen);
    HS_ASSERT((uint64_t)a->off + a->len <= r->acts.bytes_n);
    const uint8_t *frame = r->acts.bytes + a->off;
    uint32_t len;
    HS_ASSERT(hs_wire_frame_len(frame, a->len, hs_wire_frame_max(r->opts.nodes_max), &len) ==
              HS_WIRE_OK);
    HS_ASSERT(len == a->len && hs_wire_check(frame, len, &v) == HS_WIRE_OK);
    HS_ASSERT((v.marks & (HS_VIEW_LIGHT | HS_VIEW_UNKNOWN)) == 0);
    HS_ASSERT(hs_wire_id_valid(frame + HS_OFF_SENDER));
    HS_ASSERT((hs_get16(frame + HS_OFF_FLAGS) & HS_NODE_MYSELF) != 0);
    HS_ASSERT(to->outbound || v.type == HS_MSG_PONG || v.type == HS_MSG_PING);
    if (v.type <= HS_MSG_MEET)
        check_ping(r, to, &v);
    if (v.type == HS_MSG_AUTH_ACK)
        check_vote(r, &v);
}

static void check_connect(struct run *r, const struct hs_action *a)
{
    char ip[HS_IP_LEN];

    HS_ASSERT(a->len == HS_IP_LEN && (uint64_t)a->off + a->len <= r->acts.bytes_n);
    memcpy(ip, r->acts.bytes + a->off, HS_IP_LEN);
    HS_ASSERT(hs_wire_ip_valid(ip) && a->port != 0);
    if (r->dials_n == DIALS) { /* the connector forgets one without a word */
        memmove(r->dials, r->dials + 1, sizeof(r->dials) - sizeof(r->dials[0]));
        r->dials_n--;
    }
    r->dials[r->dials_n++] = a->dial;
}

static void check_action(struct run *r, const struct hs_action *a)
{
    switch ((enum hs_action_type)a->type) {
    case HS_ACT_CONNECT:
        check_connect(r, a);
        break;
    case HS_ACT_CLOSE:
        HS_ASSERT(a->link.ix < LINKS && r->links[a->link.ix].up);
        HS_ASSERT(r->links[a->link.ix].gen == a->link.gen);
        r->links[a->link.ix].up = false;
        break;
    case HS_ACT_SEND:
        check_send(r, a);
        break;
    case HS_ACT_SAVE:
        HS_ASSERT(a->seq == r->save_seq + 1);
        r->save_seq = a->seq;
        break;
    case HS_ACT_REPLY:
        HS_ASSERT(a->token != 0 && a->token <= r->token);
        r->replies++;
        break;
    case HS_ACT_DELIVER:
        r->delivers++;
        break;
    case HS_ACT_NOTE:
        HS_ASSERT(a->note < HS_NOTES);
        if (a->note == HS_NOTE_VOTE_GRANTED && r->votes_n < VOTES) {
            r->votes[r->votes_n].epoch = (uint64_t)a->number;
            r->votes[r->votes_n++].seq = r->save_seq + 1;
        }
        break;
    }
}

static void step(struct run *r, const struct hs_event *ev)
{
    r->acts.bytes_max = hs_core_bytes_need(r->core);
    HS_ASSERT(r->acts.bytes_max <= hs_core_bytes_max(&r->opts));
    r->replies = r->delivers = 0;
    hs_core_step(r->core, ev, r->now, &r->acts);
    hs_core_check(r->core);
    HS_ASSERT(r->acts.n <= r->acts.max && r->acts.bytes_n <= r->acts.bytes_max);
    HS_ASSERT(hs_core_next_tick(r->core).ms <= r->now.mono.ms + 2000);
    for (uint32_t i = 0; i < r->acts.n; i++)
        check_action(r, &r->acts.v[i]);
    HS_ASSERT(r->delivers == 0 || ev->type == HS_EV_RECV);
}

/* ---- what goes in ---- */

static void elapse(struct run *r)
{
    static const int64_t jumps_ms[] = {0, 1, 99, 100, 100, 500, 1000, 1100, 2500, 60000, 10000000};
    uint8_t b = take(&r->in);
    int64_t ms = jumps_ms[b % (sizeof(jumps_ms) / sizeof(jumps_ms[0]))];

    r->now.mono.ms += ms;
    r->now.wall.ms += b >= 250 ? -3 * ms : ms;
    for (int i = 0; i < 8 && hs_core_next_tick(r->core).ms <= r->now.mono.ms; i++)
        step(r, &(struct hs_event){.type = HS_EV_TICK});
}

static void link_up(struct run *r, bool outbound)
{
    struct hs_link_up up = {.outbound = outbound, .peer_ip = "127.0.0.2", .local_ip = "127.0.0.1"};
    uint8_t b = take(&r->in);
    struct end *l = &r->links[b % LINKS];

    if (l->up || (outbound && r->dials_n == 0))
        return;
    up.local_ip[8] = (char)('1' + b % 8);
    *l = (struct end){.up = true, .outbound = outbound, .gen = l->gen + 1};
    if (outbound) {
        up.dial = r->dials[0];
        l->node = up.dial.node;
        l->ids = bit_of(hs_core_node_id(r->core, l->node)->hex);
        memmove(r->dials, r->dials + 1, --r->dials_n * sizeof(r->dials[0]));
    }
    step(r, &(struct hs_event){
                .type = HS_EV_LINK_UP, .link = {(uint32_t)(l - r->links), l->gen}, .up = &up});
}

static void dial_failed(struct run *r)
{
    if (r->dials_n > 0)
        step(r, &(struct hs_event){.type = HS_EV_DIAL_FAILED, .dial = r->dials[--r->dials_n]});
}

/* Sometimes of a connection that is closed already, or of its predecessor. */
static void link_down(struct run *r)
{
    uint8_t b = take(&r->in);
    struct end *l = &r->links[b % LINKS];
    uint32_t gen = l->gen - (b >= 240 ? 1 : 0);

    l->up = l->up && gen != l->gen;
    step(r, &(struct hs_event){.type = HS_EV_LINK_DOWN, .link = {b % LINKS, gen}});
}

static void saved(struct run *r)
{
    uint64_t left = r->save_seq - r->saved_seq;
    uint8_t b = take(&r->in);

    r->saved_seq += b < 128 ? left : left == 0 ? 0 : 1;
    step(r, &(struct hs_event){.type = HS_EV_SAVED, .saved_seq = r->saved_seq});
}

static struct hs_topo *topology(struct run *r)
{
    uint32_t nodes, open, strings;

    hs_core_topo_need(r->core, &nodes, &open, &strings);
    struct hs_topo *t = hs_topo_create(nodes, open, strings);
    HS_ASSERT(t != NULL);
    hs_core_topology(r->core, r->now, t);
    HS_ASSERT(t->nodes_n == nodes && t->strings_n <= strings);
    for (uint32_t i = 0; i < nodes; i++)
        HS_ASSERT(t->nodes[i].hostname != NULL && t->nodes[i].client_ipv6 != NULL);
    return t;
}

static void start(struct run *r, const struct hs_topo *boot)
{
    size_t size = (hs_core_size(&r->opts) + 63) & ~(size_t)63;

    free(r->core);
    r->core = aligned_alloc(64, size);
    HS_ASSERT(r->core != NULL);
    memset(r->core, 0, size);
    hs_core_init(r->core, &r->opts, &r->conf, boot, r->now);
    hs_core_check(r->core);
    r->save_seq = r->saved_seq = 0;
    r->votes_n = r->dials_n = 0;
    for (uint32_t i = 0; i < LINKS; i++)
        r->links[i].up = false;
}

/* Saved handshakes are left out by the store: here they are made to end. */
static void restart(struct run *r)
{
    for (int i = 0; i < 2; i++) {
        r->now.mono.ms += 20000;
        step(r, &(struct hs_event){.type = HS_EV_TICK});
    }
    struct hs_topo *t = topology(r);
    for (uint32_t i = 0; i < t->nodes_n; i++) {
        if ((t->nodes[i].flags & HS_NODE_HANDSHAKE) != 0) {
            hs_topo_destroy(t);
            return;
        }
    }
    start(r, t);
    hs_topo_destroy(t);
}

static void turn(struct run *r)
{
    switch (take(&r->in) % 16) {
    case 0:
    case 1:
        elapse(r);
        break;
    case 2:
        link_up(r, false);
        break;
    case 3:
        link_up(r, true);
        break;
    case 4:
        take(&r->in) % 4 == 0 ? dial_failed(r) : saved(r);
        break;
    case 5:
        link_down(r);
        break;
    case 6:
    case 7:
        command(r);
        break;
    case 8:
        take(&r->in) % 8 == 0 ? restart(r) : saved(r);
        break;
    default:
        receive(r);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run r = {.in = {data, size}, .self = id_of(5), .step = step};

    r.now = (struct hs_now){.mono = {1000000}, .wall = {INT64_C(1700000000000)}};
    r.opts = (struct hs_core_opts){.nodes_max = 2U + take(&r.in) % 20U,
                                   .links_max = LINKS,
                                   .connects_max = 4,
                                   .seed = take(&r.in)};
    take_conf(&r.in, &r.conf);
    r.acts.max = hs_core_actions_max(&r.opts);
    r.acts.v = malloc(r.acts.max * sizeof(r.acts.v[0]));
    r.acts.bytes = malloc(hs_core_bytes_max(&r.opts));
    struct hs_topo *boot = take_boot(&r);
    start(&r, boot);
    hs_topo_destroy(boot);
    for (int i = 0; i < STEPS_MAX && r.in.n > 0; i++)
        turn(&r);
    hs_topo_destroy(topology(&r));
    free(r.core);
    free(r.acts.v);
    free(r.acts.bytes);
    return 0;
}
