/* recv_ping.c - PING, PONG and MEET: joining, identity, addresses, liveness,
 * and then what the sender says of itself and of others.
 */
#include "core_int.h"

/* Ports as the sender's header has them. */
struct address {
    char ip[HS_IP_LEN];
    uint16_t port, pport, cport;
};

/* What the sender says its address is; without an announced one, where its
 * connection comes from. */
static void address_of(struct hs_core *c, struct hs_link l, const struct hs_view *v,
                       struct address *a)
{
    hs_wire_ip(v->frame + HS_OFF_MYIP, a->ip);
    if (a->ip[0] == '\0' || !hs_wire_ip_valid(a->ip)) {
        memcpy(a->ip, core_link(c, l)->peer_ip, HS_IP_LEN);
    }
    a->port = hs_get16(v->frame + HS_OFF_PORT);
    a->pport = hs_get16(v->frame + HS_OFF_PPORT);
    a->cport = hs_get16(v->frame + HS_OFF_CPORT);
}

/* Our own address is what those who reach us connect to: learned from a MEET,
 * and once in every life, since nodes.conf may have that of an earlier one. */
static void learn_own_address(struct hs_core *c, struct hs_link l, const struct hs_view *v)
{
    const uint8_t *mine = board_of(c, SELF) + HS_G_IP;
    const char *local = c->local_ips[core_link(c, l)->local];

    if (c->conf.announce_ip[0] != '\0' || (v->type != HS_MSG_MEET && c->own_ip_learned) ||
        core_link(c, l)->outbound || local[0] == '\0') {
        return;
    }
    c->own_ip_learned = true;
    if (memcmp(mine, local, HS_IP_LEN) == 0) {
        return;
    }
    core_node_address(c, SELF, local, hs_get16(mine + HS_G_PORT - HS_G_IP),
                      hs_get16(mine + HS_G_PPORT - HS_G_IP), c->conf.cport);
    core_note(c, HS_NOTE_OWN_ADDRESS, SELF, HS_NIL, 0);
    core_want_save(c);
}

/* A stranger asks to be let in: connect back to learn who answers there. */
static void meet(struct hs_core *c, struct hs_link l, const struct hs_view *v)
{
    struct address a;

    address_of(c, l, v, &a);
    if (a.cport != 0) {
        core_handshake_start(c, a.ip, a.port, a.cport, 0);
    }
}

static void update_address(struct hs_core *c, struct hs_link l, uint16_t ix,
                           const struct hs_view *v)
{
    struct address a;

    address_of(c, l, v, &a);
    if (a.cport == 0 || core_node_address_is(c, ix, a.ip, a.port, a.pport, a.cport)) {
        return;
    }
    core_close_to(c, ix, c->now.mono.ms);
    core_node_address(c, ix, a.ip, a.port, a.pport, a.cport);
    core_node_flags(c, ix, 0, HS_NODE_NOADDR);
    core_note(c, HS_NOTE_ADDRESS_CHANGED, ix, HS_NIL, 0);
    core_retime(c, ix);
    c->state_due = true;
    core_want_save(c);
}

/* The first answer on a connection to somebody known by address only. True if
 * nothing more is to be done with this message. */
static bool finish_handshake(struct hs_core *c, struct hs_link l, uint16_t node, uint16_t sender,
                             const struct hs_view *v)
{
    const uint8_t *id = v->frame + HS_OFF_SENDER;
    uint16_t role = hs_get16(v->frame + HS_OFF_FLAGS) & (HS_NODE_MASTER | HS_NODE_SLAVE);

    if (sender != NIL16 || memcmp(id, c->hot[SELF].id.hex, HS_ID_LEN) == 0) {
        /* Known already under its own id, or ourselves: this entry is a twin.
         * But it answers here, which may be news. */
        if (sender != NIL16 && sender != node) {
            update_address(c, l, sender, v);
        }
        core_node_remove(c, node);
        return true;
    }
    if (!hs_wire_id_valid(id)) {
        COUNT(c, id_mismatch);
        core_node_remove(c, node);
        return true;
    }
    core_node_rename(c, node, id);
    core_node_flags(c, node, one_role(role), HS_NODE_HANDSHAKE | HS_NODE_MEET);
    c->cold[node].heard_at[true] = c->now.mono.ms;
    core_note(c, HS_NOTE_HANDSHAKE_DONE, node, HS_NIL, 0);
    core_want_save(c);
    return false;
}

/* Somebody else answers at the address we have for this node. It keeps no
 * address until it is heard from, but it is still waited for: a dead master
 * whose address was given to another must be found dead. (Stock servers skip
 * nodes without an address and never suspect them.) */
void core_wrong_id(struct hs_core *c, uint16_t node)
{
    COUNT(c, id_mismatch);
    core_note(c, HS_NOTE_ID_MISMATCH, node, HS_NIL, 0);
    if (c->hot[node].ping_sent == 0) {
        c->hot[node].ping_sent = c->now.mono.ms;
    }
    core_node_flags(c, node, HS_NODE_NOADDR, 0);
    core_node_address(c, node, "", 0, 0, 0);
    core_close_to(c, node, 0);
    core_want_save(c);
}

/* On our own connection to `node`. True if the message needs nothing more. */
static bool check_identity(struct hs_core *c, struct hs_link l, uint16_t node, uint16_t *sender,
                           const struct hs_view *v)
{
    if (has_flag(c, node, HS_NODE_HANDSHAKE)) {
        if (finish_handshake(c, l, node, *sender, v)) {
            return true;
        }
        /* Its role, slots and gossip come with the next message, as in stock
         * servers; that this one answered counts. */
        c->hot[node].pong_received = c->now.mono.ms;
        c->hot[node].ping_sent = 0;
        core_board_sync(c, node);
        core_retime(c, node);
        return true;
    }
    core_node_flags(c, node, 0, HS_NODE_MEET);
    return false;
}

/* How long its answer took. Smoothed as TCP smooths it: an eighth of the news. */
static void measure(struct hs_core *c, uint16_t ix)
{
    struct cold *n = &c->cold[ix];
    int64_t ms = c->now.mono.ms - c->hot[ix].ping_sent;

    if (c->hot[ix].ping_sent == 0 || ms < 0 || ms > INT32_MAX / 8) {
        return; /* an answer to nothing says nothing */
    }
    hs_histogram_add(&c->histograms[HS_CORE_PONG_MS], (uint64_t)ms);
    n->rtt_ms = (uint32_t)ms;
    n->rtt_min_ms = n->has_rtt && n->rtt_min_ms < n->rtt_ms ? n->rtt_min_ms : n->rtt_ms;
    n->rtt_smooth = n->has_rtt ? n->rtt_smooth - n->rtt_smooth / 8 + n->rtt_ms : n->rtt_ms * 8;
    n->has_rtt = true;
}

static void answered(struct hs_core *c, uint16_t ix)
{
    measure(c, ix);
    if (c->hot[ix].ping_sent != 0 && !c->cold[ix].has_from) {
        core_link_adopt(c, ix); /* linear in the connections, so only after a ping of ours */
    }
    c->hot[ix].pong_received = c->now.mono.ms;
    c->hot[ix].ping_sent = 0;
    core_board_sync(c, ix);
    core_reached(c, ix);
}

/* What a known sender says of itself, in the order of the reference. */
static void read_sender(struct hs_core *c, struct hs_link l, uint16_t ix, const struct hs_view *v)
{
    bool on_its_own_link = core_link(c, l)->outbound;
    bool was_replica = has_flag(c, ix, HS_NODE_SLAVE);
    uint16_t flags = hs_get16(v->frame + HS_OFF_FLAGS);

    core_node_flags(c, ix, flags & HS_NODE_NOFAILOVER, (uint16_t)(HS_NODE_NOFAILOVER & ~flags));
    if (v->type == HS_MSG_PING && !on_its_own_link) {
        update_address(c, l, ix, v);
    }
    if (v->type == HS_MSG_PONG && on_its_own_link) {
        answered(c, ix);
    }
    if (hs_get64(v->frame + HS_OFF_CURRENT_EPOCH) > EPOCH_MAX ||
        hs_get64(v->frame + HS_OFF_CONFIG_EPOCH) > EPOCH_MAX) {
        return; /* refused and counted with the header: nothing built on it is believed */
    }
    core_recv_role(c, ix, v);
    core_claim_check(c, ix, was_replica && has_flag(c, ix, HS_NODE_MASTER), v);
    if (i_am_master(c) && has_flag(c, ix, HS_NODE_MASTER)) {
        core_epoch_collision(c, ix, hs_get64(v->frame + HS_OFF_CONFIG_EPOCH));
    }
    core_gossip_read(c, ix, v);
    core_ext_read(c, ix, v);
}

void core_recv_ping(struct hs_core *c, struct hs_link l, uint16_t sender, const struct hs_view *v)
{
    struct link *link = core_link(c, l);

    if (v->type != HS_MSG_PONG) {
        learn_own_address(c, l, v);
        if (v->type == HS_MSG_MEET && sender == NIL16 && !link->outbound &&
            memcmp(v->frame + HS_OFF_SENDER, c->hot[SELF].id.hex, HS_ID_LEN) != 0) {
            meet(c, l, v);
        }
        core_pong(c, l, sender, v);
    }
    if (link->outbound && check_identity(c, l, link->node, &sender, v)) {
        return;
    }
    if (sender != NIL16 && !has_flag(c, sender, HS_NODE_HANDSHAKE)) {
        read_sender(c, l, sender, v);
    } else {
        COUNT(c, unknown_sender);
    }
}
