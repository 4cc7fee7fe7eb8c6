/* world.c - who the peers are: address, id, slots, and the bytes of each that
 * never change, encoded once.
 *
 * A peer's id begins with its number, so that finding the peer of an id is one
 * comparison and the tool stays cheaper than what it measures.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define FIRST_ADDRESS 0x7f010000u /* 127.1.0.0 */
#define HOSTS_PER_NET 250u        /* .1 to .250 */

uint32_t peer_address(uint32_t peer)
{
    return FIRST_ADDRESS + (peer / HOSTS_PER_NET << 8) + peer % HOSTS_PER_NET + 1;
}

uint32_t peer_of_address(const struct world *w, uint32_t address)
{
    uint32_t off = address - FIRST_ADDRESS;
    uint32_t peer = (off >> 8) * HOSTS_PER_NET + (off & 255u) - 1;

    return off < 1u << 16 && peer < w->peers_n && peer_address(peer) == address ? peer : HS_NIL;
}

static uint32_t hex_digit(uint8_t c)
{
    return c >= 'a' ? (uint32_t)(c - 'a') + 10 : (uint32_t)(c - '0');
}

uint32_t peer_of_id(const struct world *w, const uint8_t *id)
{
    uint32_t peer = 0;

    for (uint32_t i = 0; i < 4; i++) {
        peer = peer << 4 | (hex_digit(id[i]) & 15u);
    }
    if (peer >= w->peers_n ||
        memcmp(id, w->headers + (size_t)peer * HS_HDR_LEN + HS_OFF_SENDER, HS_ID_LEN) != 0) {
        return HS_NIL;
    }
    return peer;
}

static void make_id(struct hs_node_id *id, uint32_t peer, struct hs_prng *r)
{
    char text[HS_ID_LEN + 9];

    snprintf(text, sizeof(text), "%04x%016llx%016llx%08x", peer,
             (unsigned long long)hs_prng_next(r), (unsigned long long)hs_prng_next(r),
             (uint32_t)hs_prng_next(r));
    memcpy(id->hex, text, HS_ID_LEN);
}

/* All slots, in ranges of the same size. */
static void make_slots(uint8_t slots[HS_SLOTS_BYTES], uint32_t peer, uint32_t peers_n)
{
    uint32_t first = (uint32_t)((uint64_t)peer * HS_SLOTS / peers_n);
    uint32_t end = (uint32_t)((uint64_t)(peer + 1) * HS_SLOTS / peers_n);

    memset(slots, 0, HS_SLOTS_BYTES);
    for (uint32_t s = first; s < end; s++) {
        hs_slot_set(slots, s);
    }
}

/* Every one of its slots between two of others: as many ranges as slots. */
static void make_slots_apart(uint8_t slots[HS_SLOTS_BYTES], uint32_t peer, uint32_t peers_n)
{
    memset(slots, 0, HS_SLOTS_BYTES);
    for (uint32_t s = peer; s < HS_SLOTS; s += peers_n) {
        hs_slot_set(slots, s);
    }
}

static void make_peer(struct world *w, uint32_t peer, const struct options *o, struct hs_prng *r)
{
    struct in_addr address = {.s_addr = htonl(peer_address(peer))};
    uint8_t slots[HS_SLOTS_BYTES];
    struct hs_gossip g = {.port = PEER_CLIENT_PORT, .cport = w->cport, .flags = HS_NODE_MASTER};
    char ip[HS_IP_LEN];

    make_id(&g.id, peer, r);
    if (o->fragmented) {
        make_slots_apart(slots, peer, w->peers_n);
    } else {
        make_slots(slots, peer, w->peers_n);
    }
    hs_wire_build_hdr(w->headers + (size_t)peer * HS_HDR_LEN,
                      &(struct hs_hdr){
                          .current_epoch = w->peers_n,
                          .config_epoch = peer + 1, /* all different: no collisions */
                          .sender = g.id,
                          .slots = slots,
                          .myip = "",
                          .port = PEER_CLIENT_PORT,
                          .cport = w->cport,
                          .flags = HS_NODE_MASTER | HS_NODE_MYSELF | (o->light ? HS_NODE_LIGHT : 0),
                      });
    g.ip = inet_ntop(AF_INET, &address, ip, sizeof(ip));
    hs_wire_put_gossip(w->entries + (size_t)peer * HS_GOSSIP_LEN, &g);
}

static void shuffle(struct world *w, struct hs_prng *r)
{
    for (uint32_t i = 0; i < w->peers_n; i++) {
        uint32_t j = hs_prng_below(r, i + 1);
        w->order[i] = w->order[j];
        w->order[j] = i;
    }
}

/* Seeds of the cluster survive, so that a storm is not a join as well. */
static void choose_doomed(struct world *w, const struct options *o, struct hs_prng *r)
{
    uint32_t n = (uint32_t)((uint64_t)w->peers_n * o->kill_percent / 100);

    if (o->mode != MODE_STORM) {
        return;
    }
    while (w->killed_n < n && w->killed_n + 1 < w->peers_n) {
        uint32_t peer = hs_prng_below(r, w->peers_n);
        if (!w->doomed[peer]) {
            w->doomed[peer] = true;
            w->killed_n++;
        }
    }
}

static uint32_t stock_entries(uint32_t nodes_n)
{
    uint32_t wanted = nodes_n / 10 < 3 ? 3 : nodes_n / 10;

    return wanted > nodes_n - 2 ? nodes_n - 2 : wanted;
}

bool world_create(struct world *w, const struct options *o, uint16_t cport)
{
    const uint8_t none[HS_SLOTS_BYTES] = {0};
    struct hs_prng r;

    hs_prng_seed(&r, o->seed);
    *w = (struct world){.peers_n = o->peers,
                        .wanted = stock_entries(o->peers + 1),
                        .cport = cport,
                        .no_slots_hash = hs_wire_slots_hash(none)};
    w->headers = calloc(o->peers, HS_HDR_LEN);
    w->entries = calloc(o->peers, HS_GOSSIP_LEN);
    w->order = calloc(o->peers, sizeof(*w->order));
    w->doomed = calloc(o->peers, sizeof(*w->doomed));
    if (w->headers == NULL || w->entries == NULL || w->order == NULL || w->doomed == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < o->peers; i++) {
        make_peer(w, i, o, &r);
    }
    shuffle(w, &r);
    choose_doomed(w, o, &r);
    return true;
}

void world_destroy(struct world *w)
{
    free(w->headers);
    free(w->entries);
    free(w->order);
    free(w->doomed);
}
