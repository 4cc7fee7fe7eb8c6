/* gossip.c - what a peer says about others.
 *
 * Most entries say that a node known and healthy here was fine there a moment
 * ago. That path is kept to one look-up, one cache line of the node, and a
 * store when the news is newer.
 */
#include "core_int.h"

/* A peer's clock may be this much ahead of ours; reference behaviour. */
#define FUTURE_MS_MAX 500

/* "It answered me then" is as good as an answer to us, as long as nobody
 * doubts it: this is what keeps large clusters from pinging everybody. */
static void take_pong_time(struct hs_core *c, uint16_t ix, const uint8_t *g)
{
    int64_t wall_ms = (int64_t)hs_get32(g + HS_G_PONG_RECEIVED) * 1000;
    int64_t mono_ms = wall_ms - c->now.wall.ms + c->now.mono.ms;

    if (mono_ms > c->hot[ix].pong_received && wall_ms <= c->now.wall.ms + FUTURE_MS_MAX) {
        c->hot[ix].pong_received = mono_ms;
        hs_put32(board_of(c, ix) + HS_G_PONG_RECEIVED, hs_get32(g + HS_G_PONG_RECEIVED));
    }
}

static bool entry_address(const uint8_t *g, char ip[HS_IP_LEN])
{
    hs_wire_ip(g + HS_G_IP, ip);
    return hs_get16(g + HS_G_CPORT) != 0 && hs_wire_ip_valid(ip);
}

/* We cannot reach it and the peer can: perhaps at another address. */
static void take_address(struct hs_core *c, uint16_t ix, const uint8_t *g)
{
    char ip[HS_IP_LEN];
    uint16_t port = hs_get16(g + HS_G_PORT), pport = hs_get16(g + HS_G_PPORT);
    uint16_t cport = hs_get16(g + HS_G_CPORT);

    if (!entry_address(g, ip)) {
        COUNT(c, gossip_refused);
        return;
    }
    if (core_node_address_is(c, ix, ip, port, pport, cport)) {
        return;
    }
    core_close_to(c, ix, c->now.mono.ms);
    core_node_address(c, ix, ip, port, pport, cport);
    core_node_flags(c, ix, 0, HS_NODE_NOADDR);
    core_note(c, HS_NOTE_ADDRESS_CHANGED, ix, HS_NIL, 0);
    core_retime(c, ix);
    core_want_save(c);
}

/* A message accuses many, and the log shows few of them: the rest of a step is
 * not told, so that verdicts always are. */
static void note_report(struct hs_core *c, enum hs_note what, uint16_t suspect, uint16_t by)
{
    if (c->notes_n < REPORT_NOTES_MAX) {
        core_note(c, what, suspect, by, 0);
    }
}

static void known(struct hs_core *c, uint16_t sender, bool voter, uint16_t ix, const uint8_t *g)
{
    const uint16_t down = HS_NODE_PFAIL | HS_NODE_FAIL;
    uint16_t said = hs_get16(g + HS_G_FLAGS);

    if (ix == SELF || ix == sender) {
        return; /* it speaks for itself in the header; we know ourselves */
    }
    if (voter && (said & down) != 0) {
        if (core_report_add(c, ix, sender)) {
            note_report(c, HS_NOTE_REPORTED, ix, sender);
        }
        core_judge(c, ix);
    } else if (c->hot[ix].row != NIL16 && core_report_drop(c, ix, sender)) {
        note_report(c, HS_NOTE_REPORT_DROPPED, ix, sender);
    }
    if ((said & down) == 0) {
        if (c->hot[ix].ping_sent == 0 && c->hot[ix].row == NIL16) {
            take_pong_time(c, ix, g);
        }
        if (has_flag(c, ix, down) && (said & HS_NODE_NOADDR) == 0) {
            take_address(c, ix, g);
        }
    }
}

/* A node only this peer knows of. It is taken as told, but for what would be
 * our own opinion (PFAIL) or mean nothing here. */
static void unknown(struct hs_core *c, uint16_t sender, const uint8_t *g)
{
    const uint16_t taken = HS_NODE_MASTER | HS_NODE_SLAVE | HS_NODE_FAIL | HS_NODE_NOFAILOVER;
    uint16_t said = hs_get16(g + HS_G_FLAGS);
    struct hs_node_id id;
    char ip[HS_IP_LEN];
    uint16_t ix;

    if ((said & (HS_NODE_NOADDR | HS_NODE_HANDSHAKE)) != 0 || core_blacklisted(c, g)) {
        return;
    }
    if (!entry_address(g, ip)) {
        COUNT(c, gossip_refused);
        return;
    }
    memcpy(id.hex, g + HS_G_ID, HS_ID_LEN);
    ix = core_node_add(c, &id, one_role(said & taken));
    if (ix == NIL16) {
        core_note_id(c, HS_NOTE_TABLE_FULL, id.hex, sender, 0);
        return;
    }
    core_node_address(c, ix, ip, hs_get16(g + HS_G_PORT), hs_get16(g + HS_G_PPORT),
                      hs_get16(g + HS_G_CPORT));
    if ((said & HS_NODE_FAIL) != 0) {
        c->cold[ix].fail_at = c->now.mono.ms;
    }
    core_note(c, HS_NOTE_NODE_ADDED, ix, sender, 0);
    core_retime(c, ix);
    core_want_save(c);
}

/* Sections are looked up whole before any of it is believed: one with an id
 * that cannot be an id is skipped. Ids in our table are valid, so only a section
 * that names somebody unknown has to be checked for that. */
void core_gossip_read(struct hs_core *c, uint16_t sender, const struct hs_view *v)
{
    bool voter = is_voter(c, sender);
    uint32_t n = v->gossip_n;

    if (n > c->opts.nodes_max) { /* nobody can know so many: repetitions */
        n = c->opts.nodes_max;
    }
    bool all_known = n == 0 || core_index_find_all(c, hs_view_gossip(v, 0), n, c->found);
    if ((!all_known || n < v->gossip_n) && !hs_wire_gossip_valid(v)) {
        COUNT(c, gossip_skipped);
        return;
    }
    c->counters[COUNT_gossip_cut] += v->gossip_n - n;
    c->counters[COUNT_gossip_entries] += n;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *g = hs_view_gossip(v, i);
        uint16_t ix = c->found[i];
        if (ix == NIL16) {
            ix = core_index_find(c, g); /* an entry before it may have added it */
        }
        if (ix != NIL16) {
            known(c, sender, voter, ix, g);
        } else {
            unknown(c, sender, g);
        }
    }
}
