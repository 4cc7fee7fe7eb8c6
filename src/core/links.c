/* links.c - which connection belongs to which node.
 *
 * Every pair of nodes has two: ours to them (`to`, we connect and ping on it)
 * and theirs to us (`from`, we answer on it). Connections are named by whoever
 * owns them; a name we have let go, or never heard of, is ignored wherever it
 * appears, so nothing has to be ordered with their closing.
 */
#include "core_int.h"

/* After a refused connection: 100 ms, doubled up to this for a node that is
 * down, so that hundreds of dead nodes do not cost thousands of attempts a
 * second. Stock servers try again every 100 ms for ever. */
#define REDIAL_MS_MAX 1000

struct link *core_link(struct hs_core *c, struct hs_link l)
{
    HS_ASSERT(l.ix < c->opts.links_max);
    struct link *link = &c->links[l.ix];

    return link->up && link->gen == l.gen ? link : NULL;
}

void core_close(struct hs_core *c, struct hs_link l)
{
    struct link *link = core_link(c, l);

    HS_ASSERT(link != NULL);
    link->up = false;
    core_act(c, HS_ACT_CLOSE)->link = l;
}

static uint8_t intern_local_ip(struct hs_core *c, const char *ip)
{
    for (uint32_t i = 0; i < c->local_ips_n; i++) {
        if (memcmp(c->local_ips[i], ip, HS_IP_LEN) == 0) {
            return (uint8_t)i;
        }
    }
    if (c->local_ips_n == LOCAL_IPS_MAX) {
        return 0; /* more addresses than a host has: none is learned from this one */
    }
    memcpy(c->local_ips[c->local_ips_n], ip, HS_IP_LEN);
    return (uint8_t)c->local_ips_n++;
}

static void outbound_up(struct hs_core *c, struct hs_link l, struct hs_dial d)
{
    struct cold *n = &c->cold[d.node];

    HS_ASSERT(d.node < c->opts.nodes_max);
    if (n->dial_gen != d.gen || n->to_state != TO_DIALING) {
        COUNT(c, stale_links);
        core_close(c, l); /* the node is gone, or was given another address */
        return;
    }
    c->links[l.ix].node = d.node;
    n->to = l;
    n->to_state = TO_UP;
    n->light_ok = false;
    n->to_at = c->now.mono.ms;
    n->dial_fails = 0;
    core_board_place(c, d.node);
    core_changed(c);
    core_ping(c, d.node, has_flag(c, d.node, HS_NODE_MEET) ? HS_MSG_MEET : HS_MSG_PING);
    core_retime(c, d.node);
}

void core_link_up(struct hs_core *c, struct hs_link l, const struct hs_link_up *up)
{
    HS_ASSERT(l.ix < c->opts.links_max);
    struct link *link = &c->links[l.ix];

    HS_ASSERT(!link->up);
    c->links_hi = l.ix >= c->links_hi ? l.ix + 1 : c->links_hi;
    *link = (struct link){.gen = l.gen,
                          .node = NIL16,
                          .up = true,
                          .outbound = up->outbound,
                          .local = intern_local_ip(c, up->local_ip)};
    memcpy(link->peer_ip, up->peer_ip, HS_IP_LEN);
    if (up->outbound) {
        outbound_up(c, l, up->dial);
    }
}

/* A master in the middle of losing its connection is asked again at once. */
static void lost_to(struct hs_core *c, uint16_t ix, int64_t redial_at)
{
    struct cold *n = &c->cold[ix];

    n->to_state = TO_NONE;
    n->to_at = 0;
    n->redial_at = redial_at;
    core_board_place(c, ix);
    core_changed(c);
    core_retime(c, ix);
}

void core_link_down(struct hs_core *c, struct hs_link l)
{
    struct link *link = core_link(c, l);

    if (link == NULL) {
        return; /* we closed it ourselves */
    }
    uint16_t ix = link->node;
    link->up = false;
    if (ix == NIL16) {
        return;
    }
    if (link->outbound) {
        lost_to(c, ix, c->now.mono.ms);
    } else {
        c->cold[ix].has_from = false;
        c->cold[ix].from_at = 0;
        core_changed(c);
    }
}

void core_dial_failed(struct hs_core *c, struct hs_dial d)
{
    HS_ASSERT(d.node < c->opts.nodes_max);
    struct cold *n = &c->cold[d.node];
    int64_t pause_ms = TICK_MS;

    COUNT(c, dials_failed);
    if (n->dial_gen != d.gen || n->to_state != TO_DIALING) {
        return;
    }
    if (n->dial_fails < 8) {
        n->dial_fails++;
    }
    pause_ms <<= n->dial_fails;
    lost_to(c, d.node, c->now.mono.ms + (pause_ms > REDIAL_MS_MAX ? REDIAL_MS_MAX : pause_ms));
}

/* Asks for a connection to where the node is said to listen. */
void core_dial(struct hs_core *c, uint16_t ix)
{
    const uint8_t *entry = board_of(c, ix);
    struct hs_action *a;

    HS_ASSERT(c->cold[ix].to_state == TO_NONE);
    c->cold[ix].to_state = TO_DIALING;
    COUNT(c, dials);
    a = core_act(c, HS_ACT_CONNECT);
    a->dial = (struct hs_dial){.node = ix, .gen = ++c->cold[ix].dial_gen};
    a->port = hs_get16(entry + HS_G_CPORT);
    a->off = c->out->bytes_n;
    a->len = HS_IP_LEN;
    hs_wire_ip(entry + HS_G_IP, (char *)c->out->bytes + c->out->bytes_n);
    c->out->bytes_n += HS_IP_LEN;
}

/* The newest inbound connection of a node is its inbound connection: a peer
 * connects again only when it has given up on the earlier one. */
void core_link_bind(struct hs_core *c, struct hs_link l, uint16_t ix)
{
    struct link *link = core_link(c, l);

    HS_ASSERT(link != NULL && link->node == NIL16 && !link->outbound);
    if (c->cold[ix].has_from) {
        COUNT(c, links_replaced);
        core_close_from(c, ix);
    }
    link->node = ix;
    c->cold[ix].from = l;
    c->cold[ix].has_from = true;
    c->cold[ix].from_at = c->now.mono.ms;
    core_changed(c);
}

/* A peer that connected to us before we knew it may have no reason to write
 * again for minutes. Its connection is found by what it said then. */
void core_link_adopt(struct hs_core *c, uint16_t ix)
{
    for (uint32_t i = 0; i < c->links_hi && !c->cold[ix].has_from; i++) {
        const struct link *link = &c->links[i];
        if (link->up && !link->outbound && link->node == NIL16 &&
            memcmp(&link->said, &c->hot[ix].id, sizeof(link->said)) == 0) {
            core_link_bind(c, (struct hs_link){.ix = i, .gen = link->gen}, ix);
        }
    }
}

void core_close_to(struct hs_core *c, uint16_t ix, int64_t redial_at)
{
    if (c->cold[ix].to_state == TO_UP) {
        core_close(c, c->cold[ix].to);
    }
    if (c->cold[ix].to_state != TO_NONE) {
        lost_to(c, ix, redial_at);
    }
}

void core_close_from(struct hs_core *c, uint16_t ix)
{
    if (c->cold[ix].has_from) {
        core_close(c, c->cold[ix].from);
        c->cold[ix].has_from = false;
        c->cold[ix].from_at = 0;
        core_changed(c);
    }
}
