/* hash.c - one number for what a view says of the cluster.
 *
 * Nodes stand in another order in every view. So each node's part, with the
 * slots that it owns, is hashed alone, and the parts are added.
 */
#include "hearsay/topo.h"

#include <string.h>

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9e3779b97f4a7c15U;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93U;
    return h ^ h >> 32;
}

static uint64_t mix_id(uint64_t h, const struct hs_node_id *id)
{
    uint64_t word;
    for (size_t i = 0; i < HS_ID_LEN; i += sizeof(word)) {
        memcpy(&word, id->hex + i, sizeof(word));
        h = mix(h, word);
    }
    return h;
}
_Static_assert(HS_ID_LEN % sizeof(uint64_t) == 0, "an id is whole words");

/* Slots are taken in by the node that owns them: the sum of mixed slots and ids
 * needs no room per node. */
static uint64_t hash_slots(const struct hs_topo *t)
{
    uint64_t sum = 0;
    uint64_t owner_hash = 0;
    uint16_t owner = HS_TOPO_NONE;
    for (uint32_t s = 0; s < HS_SLOTS; s++) {
        if (t->owner[s] == HS_TOPO_NONE)
            continue;
        if (t->owner[s] != owner) {
            owner = t->owner[s];
            owner_hash = mix_id(2, &t->nodes[owner].id);
        }
        sum += mix(owner_hash, s);
    }
    return sum;
}

static uint64_t hash_node(const struct hs_topo *t, uint32_t i)
{
    const uint16_t agreed = HS_NODE_MASTER | HS_NODE_SLAVE | HS_NODE_FAIL;
    const struct hs_topo_node *n = &t->nodes[i];
    uint64_t h = mix_id(1, &n->id);
    h = mix(h, n->flags & agreed);
    h = mix(h, (uint64_t)n->port << 32 | (uint64_t)n->tls_port << 16 | n->cport);
    h = mix(h, hs_topo_epoch(t, i));
    if (n->master != HS_TOPO_NONE)
        h = mix_id(h, &t->nodes[n->master].id);
    return h;
}

uint64_t hs_topo_hash(const struct hs_topo *t)
{
    uint64_t sum = hash_slots(t);
    for (uint32_t i = 0; i < t->nodes_n; i++)
        if ((t->nodes[i].flags & HS_NODE_HANDSHAKE) == 0)
            sum += hash_node(t, i);
    return sum;
}
