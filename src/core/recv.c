/* recv.c - a frame arrived: who sent it, what every header means, and on to
 * the part that knows its type.
 */
#include "core_int.h"

/* On a connection we made to a node, a message with another id. Stock servers look
 * for that in PING, PONG and MEET only, and after they have taken the header's
 * epochs for the node's; what else comes there counts as the node's own: a vote,
 * a verdict. They themselves send nothing but PONG on a connection made to them. */
static bool has_wrong_id(struct hs_core *c, const struct link *link, const struct hs_view *v)
{
    return link->outbound && !has_flag(c, link->node, HS_NODE_HANDSHAKE) &&
           (v->marks & HS_VIEW_LIGHT) == 0 &&
           memcmp(v->frame + HS_OFF_SENDER, c->hot[link->node].id.hex, HS_ID_LEN) != 0;
}

/* A connection that belongs to a node speaks for that node; one it made itself
 * does whatever id its messages carry, as in stock servers since 7.0. Another is bound
 * to the node whose id comes first on it, once we know that node. It may be met
 * by the time a light message comes, which names nobody: it is from the one that
 * the message before it named. */
static uint16_t sender_of(struct hs_core *c, struct hs_link l, const struct hs_view *v)
{
    struct link *link = core_link(c, l);
    uint16_t ix = link->node;

    if (ix != NIL16 && !has_flag(c, ix, HS_NODE_HANDSHAKE)) {
        return ix;
    }
    if ((v->marks & HS_VIEW_LIGHT) == 0) {
        if (!hs_wire_id_valid(v->frame + HS_OFF_SENDER)) {
            return NIL16;
        }
        memcpy(link->said.hex, v->frame + HS_OFF_SENDER, HS_ID_LEN);
    }
    ix = core_index_find(c, link->said.hex);
    if (ix == SELF) {
        return NIL16; /* our own id from outside: ourselves through MEET, or a twin */
    }
    if (ix != NIL16 && !link->outbound && !has_flag(c, ix, HS_NODE_HANDSHAKE)) {
        core_link_bind(c, l, ix);
    }
    return ix;
}

/* It has started again as an older version: our PING that waits for an answer
 * may have been one that it cannot read. */
static void ping_again(struct hs_core *c, uint16_t ix)
{
    if (c->hot[ix].ping_sent != 0 && c->cold[ix].to_state == TO_UP && core_can_ping(c)) {
        core_ping(c, ix, HS_MSG_PING);
    }
}

/* Any message may show that the sender understands more than we knew. Less is
 * believed only on the connection it made itself: on ours, an answer of the
 * process that was there before may still come in. */
static void learn_abilities(struct hs_core *c, struct hs_link l, uint16_t ix,
                            const struct hs_view *v)
{
    enum ext_level shown, known = (enum ext_level)c->cold[ix].ext_level;

    if (v->type != HS_MSG_PING && v->type != HS_MSG_PONG && v->type != HS_MSG_MEET) {
        return;
    }
    shown = core_ext_shown(v);
    if (shown > known || (shown < known && !core_link(c, l)->outbound)) {
        c->cold[ix].ext_level = (uint8_t)shown;
        if (shown < known) {
            ping_again(c, ix);
        }
    }
    if ((hs_get16(v->frame + HS_OFF_FLAGS) & HS_NODE_LIGHT) != 0) {
        core_node_flags(c, ix, HS_NODE_LIGHT, 0);
    } else {
        core_node_flags(c, ix, 0, HS_NODE_LIGHT);
    }
}

static bool claims_master(const struct hs_view *v)
{
    static const uint8_t none[HS_ID_LEN];

    return memcmp(v->frame + HS_OFF_SLAVEOF, none, HS_ID_LEN) == 0;
}

/* What the header of any message says about its sender and the cluster. */
static void read_header(struct hs_core *c, struct hs_link l, uint16_t ix, const struct hs_view *v)
{
    uint64_t current = hs_get64(v->frame + HS_OFF_CURRENT_EPOCH);
    uint64_t config = hs_get64(v->frame + HS_OFF_CONFIG_EPOCH);

    if (current > EPOCH_MAX || config > EPOCH_MAX) {
        COUNT(c, epochs_refused);
        current = config = 0;
    }

    learn_abilities(c, l, ix, v);
    if (has_flag(c, ix, HS_NODE_HANDSHAKE)) {
        return;
    }
    if (current > c->current_epoch) {
        c->current_epoch = current;
        core_changed(c);
    }
    /* A replica's header has its master's epoch: it is not its own. */
    if (config > c->cold[ix].config_epoch && claims_master(v)) {
        core_node_epoch(c, ix, config);
    }
    c->cold[ix].repl_offset = (int64_t)hs_get64(v->frame + HS_OFF_OFFSET);
    core_manual_offset(c, ix, v);
}

static void dispatch(struct hs_core *c, struct hs_link l, uint16_t ix, const struct hs_view *v)
{
    if (v->type == HS_MSG_PING || v->type == HS_MSG_PONG || v->type == HS_MSG_MEET) {
        core_recv_ping(c, l, ix, v);
        return;
    }
    if (ix == NIL16 || has_flag(c, ix, HS_NODE_HANDSHAKE)) {
        COUNT(c, unknown_sender); /* everything else is for members only */
        core_note(c, HS_NOTE_BAD_SENDER, HS_NIL, HS_NIL, v->type);
        return;
    }
    switch (v->type) {
    case HS_MSG_FAIL:
        core_recv_fail(c, ix, v);
        break;
    case HS_MSG_UPDATE:
        core_recv_update(c, ix, v);
        break;
    case HS_MSG_PUBLISH:
    case HS_MSG_PUBLISHSHARD:
        core_recv_publish(c, ix, v);
        break;
    case HS_MSG_AUTH_REQUEST:
        core_recv_auth_request(c, ix, v);
        break;
    case HS_MSG_MODULE:
        COUNT(c, module_ignored);
        break;
    case HS_MSG_AUTH_ACK:
        core_recv_auth_ack(c, ix, v);
        break;
    case HS_MSG_MFSTART:
        core_recv_mfstart(c, l, ix);
        break;
    default:
        COUNT(c, unknown_type);
        break;
    }
}

/* Closes a link as if the other end had. */
static void drop_link(struct hs_core *c, struct hs_link l)
{
    core_link_down(c, l);
    core_act(c, HS_ACT_CLOSE)->link = l;
}

void core_recv(struct hs_core *c, struct hs_link l, const struct hs_view *v)
{
    uint16_t ix;

    if (core_link(c, l) == NULL) {
        COUNT(c, stale_links);
        return;
    }
    if (v->type < HS_MSG_TYPES) {
        c->received[v->type]++;
    }
    if (c->drop_type == v->type || c->drop_type == -2) {
        COUNT(c, filtered);
        if (c->drop_closes) {
            drop_link(c, l);
        }
        return;
    }
    if (has_wrong_id(c, core_link(c, l), v)) {
        core_wrong_id(c, core_link(c, l)->node);
        return;
    }
    ix = sender_of(c, l, v);
    if ((v->marks & HS_VIEW_LIGHT) != 0) {
        if (ix == NIL16 || has_flag(c, ix, HS_NODE_HANDSHAKE)) { /* from nobody we know */
            COUNT(c, light_unbound);
            drop_link(c, l);
            return;
        }
        c->cold[ix].heard_at[core_link(c, l)->outbound] = c->now.mono.ms;
        core_recv_publish(c, ix, v);
        return;
    }
    if (ix != NIL16) {
        c->cold[ix].heard_at[core_link(c, l)->outbound] = c->now.mono.ms;
        read_header(c, l, ix, v);
    } else {
        core_stranger(c, l, v);
    }
    dispatch(c, l, ix, v);
}

void core_recv_fail(struct hs_core *c, uint16_t sender, const struct hs_view *v)
{
    uint16_t ix = core_index_find(c, v->frame + HS_HDR_LEN);

    if (ix != NIL16 && ix != SELF && !has_flag(c, ix, HS_NODE_FAIL | HS_NODE_HANDSHAKE)) {
        core_fail(c, ix, sender, 0);
    }
}

/* Somebody's newer claim, told by a third node because we spread an old one.
 * One about ourselves is dropped: nobody else decides what we own, and stock
 * servers that take it over end with an epoch they never asked for. */
void core_recv_update(struct hs_core *c, uint16_t sender, const struct hs_view *v)
{
    uint64_t epoch = hs_get64(v->frame + HS_HDR_LEN);
    uint16_t ix = core_index_find(c, v->frame + HS_HDR_LEN + 8);

    (void)sender;
    if (ix == NIL16 || ix == SELF || has_flag(c, ix, HS_NODE_HANDSHAKE) || epoch > EPOCH_MAX ||
        epoch <= c->cold[ix].config_epoch) {
        return;
    }
    if (!has_flag(c, ix, HS_NODE_MASTER)) {
        core_node_become_master(c, ix);
    }
    core_node_epoch(c, ix, epoch);
    core_claim(c, ix, epoch, v->frame + HS_HDR_LEN + 8 + HS_ID_LEN);
}

/* Never forwarded: the publisher's node sends it to everybody itself. */
void core_recv_publish(struct hs_core *c, uint16_t sender, const struct hs_view *v)
{
    struct hs_action *a = core_act(c, HS_ACT_DELIVER);

    a->node = sender;
    a->sharded = v->type == HS_MSG_PUBLISHSHARD;
}
