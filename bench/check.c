/* check.c - is what the target says right? Whatever is not is counted, and the
 * first of each kind is kept in words for the report.
 *
 * The target is a fresh master without slots and the peers are all it can
 * know, so every field but its epochs and times has one right value.
 */
#include <string.h>

#include "bench.h"

enum { SMALL = 50 }; /* nodes: below, stock servers may by chance find too few to name */

static void check_header(struct worker *w, struct conn *c, const struct hs_view *v)
{
    const uint8_t *p = v->frame;
    uint64_t current = hs_get64(p + HS_OFF_CURRENT_EPOCH);
    uint64_t config = hs_get64(p + HS_OFF_CONFIG_EPOCH);
    uint16_t flags = hs_get16(p + HS_OFF_FLAGS);

    if (memcmp(p + HS_OFF_SENDER, w->b->target_id.hex, HS_ID_LEN) != 0) {
        fault(w, BAD_SENDER, "a header names the sender %.40s", (const char *)p + HS_OFF_SENDER);
    }
    if (v->slots_hash != w->b->world.no_slots_hash) {
        fault(w, BAD_SLOTS, "a header claims slots, and the target has none");
    }
    if (current < c->epoch || config > current) {
        fault(w, BAD_EPOCH, "epochs %llu (config %llu) after %llu", (unsigned long long)current,
              (unsigned long long)config, (unsigned long long)c->epoch);
    }
    c->epoch = current;
    if (hs_get16(p + HS_OFF_CPORT) != w->b->o->bus_port ||
        hs_get16(p + HS_OFF_PORT) != w->b->o->port) {
        fault(w, BAD_PORTS, "a header has the ports %u and %u", hs_get16(p + HS_OFF_PORT),
              hs_get16(p + HS_OFF_CPORT));
    }
    if ((flags & (HS_NODE_MYSELF | HS_NODE_MASTER | HS_NODE_SLAVE | HS_NODE_FAIL)) !=
        (HS_NODE_MYSELF | HS_NODE_MASTER)) {
        fault(w, BAD_FLAGS, "a header has the flags %u", flags);
    }
}

/* One entry; true if it is about somebody suspected. */
static bool check_entry(struct worker *w, const uint8_t *g)
{
    const struct world *world = &w->b->world;
    uint32_t peer = peer_of_id(world, g + HS_G_ID);
    uint16_t flags = hs_get16(g + HS_G_FLAGS);

    if (peer == HS_NIL) {
        fault(w, BAD_ENTRY_ID, "gossip about %.40s, who is nobody", (const char *)g);
        return false;
    }
    if (memcmp(g + HS_G_IP, world->entries + (size_t)peer * HS_GOSSIP_LEN + HS_G_IP,
               HS_G_FLAGS - HS_G_IP) != 0) {
        fault(w, BAD_ENTRY_ADDRESS, "gossip says that peer %u is at %.46s", peer,
              (const char *)g + HS_G_IP);
    }
    if ((flags & (HS_NODE_HANDSHAKE | HS_NODE_NOADDR | HS_NODE_MYSELF)) != 0 ||
        (flags & (HS_NODE_MASTER | HS_NODE_SLAVE)) != HS_NODE_MASTER) {
        fault(w, BAD_ENTRY_FLAGS, "gossip about peer %u has the flags %u", peer, flags);
    }
    if (w->seen[peer] == w->serial) {
        fault(w, BAD_ENTRY_TWICE, "a message names peer %u twice", peer);
    }
    w->seen[peer] = w->serial;
    if ((flags & (HS_NODE_PFAIL | HS_NODE_FAIL)) != 0 &&
        atomic_load_explicit(&w->b->suspected[peer], memory_order_relaxed) == ALIVE) {
        fault(w, BAD_SUSPECT, "peer %u is suspected (flags %u) and answers", peer, flags);
    }
    return (flags & HS_NODE_PFAIL) != 0;
}

static void check_gossip(struct worker *w, const struct hs_view *v)
{
    uint32_t wanted = w->b->world.wanted;
    bool small = w->b->world.peers_n < SMALL || w->b->o->mode == MODE_STORM;
    uint32_t healthy = 0;

    w->serial++;
    for (uint32_t i = 0; i < v->gossip_n; i++) {
        healthy += !check_entry(w, hs_view_gossip(v, i));
    }
    if (atomic_load_explicit(&w->b->phase, memory_order_relaxed) < PHASE_WARM) {
        return; /* it does not know everybody yet */
    }
    if (healthy > wanted || healthy < (small ? 1 : wanted)) {
        fault(w, BAD_COUNT, "%u gossip entries where a stock node has %u", healthy, wanted);
    }
}

void check_frame(struct worker *w, struct conn *c, const struct hs_view *v)
{
    if ((v->marks & HS_VIEW_LIGHT) != 0) {
        if (!w->b->o->light || v->type != HS_MSG_PUBLISH) {
            fault(w, BAD_FRAME, "a light frame of type %u, to a peer that never said it reads it",
                  v->type);
        }
        return; /* it names neither its sender nor anybody else */
    }
    check_header(w, c, v);
    if ((v->marks & HS_VIEW_UNKNOWN) != 0 || !hs_wire_gossip_valid(v)) {
        fault(w, BAD_FRAME, "a frame of type %u with marks %u", v->type, v->marks);
    } else if (v->type <= HS_MSG_MEET) {
        check_gossip(w, v);
    }
}
