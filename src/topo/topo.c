/* The frozen view's memory and the few questions everybody asks of it.
 *
 * One block holds the struct, its arrays and its strings, so that a topology
 * is made, handed between threads and dropped as one thing. The block comes
 * lazily zeroed: what nobody fills is never touched.
 */
#include "hearsay/topo.h"

#include <stdalign.h>
#include <string.h>

static size_t aligned(size_t n)
{
    return (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

struct hs_topo *hs_topo_create(uint32_t nodes_max, uint32_t open_max, uint32_t strings_max)
{
    HS_ASSERT(nodes_max <= HS_TOPO_NONE);
    HS_ASSERT(open_max <= HS_SLOTS);
    size_t nodes_off = aligned(sizeof(struct hs_topo));
    size_t open_size = aligned((size_t)open_max * sizeof(struct hs_topo_open));
    size_t migrating_off = nodes_off + aligned((size_t)nodes_max * sizeof(struct hs_topo_node));
    size_t importing_off = migrating_off + open_size;
    size_t strings_off = importing_off + open_size;
    char *block = hs_alloc(strings_off + strings_max);
    if (block == NULL)
        return NULL;

    struct hs_topo *t = (struct hs_topo *)(void *)block;
    t->nodes = (struct hs_topo_node *)(void *)(block + nodes_off);
    t->nodes_max = nodes_max;
    t->migrating = (struct hs_topo_open *)(void *)(block + migrating_off);
    t->importing = (struct hs_topo_open *)(void *)(block + importing_off);
    t->open_max = open_max;
    t->strings = block + strings_off;
    t->strings_max = strings_max;
    memset(t->owner, 0xff, sizeof(t->owner)); /* every entry HS_TOPO_NONE */
    return t;
}

void hs_topo_destroy(struct hs_topo *t)
{
    hs_free(t);
}

static const char *moved(const struct hs_topo *to, const struct hs_topo *from, const char *text)
{
    return text[0] == '\0' ? "" : to->strings + (text - from->strings);
}

struct hs_topo *hs_topo_copy(const struct hs_topo *t)
{
    uint32_t open = t->migrating_n > t->importing_n ? t->migrating_n : t->importing_n;
    struct hs_topo *to = hs_topo_create(t->nodes_n, open, t->strings_n);
    if (to == NULL)
        return NULL;
    struct hs_topo room = *to;
    *to = *t;
    to->nodes = room.nodes;
    to->nodes_max = room.nodes_max;
    to->migrating = room.migrating;
    to->importing = room.importing;
    to->open_max = room.open_max;
    to->strings = room.strings;
    to->strings_max = room.strings_max;
    memcpy(to->nodes, t->nodes, t->nodes_n * sizeof(t->nodes[0]));
    memcpy(to->migrating, t->migrating, t->migrating_n * sizeof(t->migrating[0]));
    memcpy(to->importing, t->importing, t->importing_n * sizeof(t->importing[0]));
    memcpy(to->strings, t->strings, t->strings_n);
    for (uint32_t i = 0; i < to->nodes_n; i++) {
        struct hs_topo_node *n = &to->nodes[i];
        n->hostname = moved(to, t, n->hostname);
        n->nodename = moved(to, t, n->nodename);
        n->client_ipv4 = moved(to, t, n->client_ipv4);
        n->client_ipv6 = moved(to, t, n->client_ipv6);
    }
    return to;
}

const char *hs_topo_string(struct hs_topo *t, const char *text)
{
    if (text[0] == '\0')
        return "";
    size_t size = strlen(text) + 1;
    if (size > t->strings_max - t->strings_n)
        return NULL;
    char *copy = t->strings + t->strings_n;
    memcpy(copy, text, size);
    t->strings_n += (uint32_t)size;
    return copy;
}

uint16_t hs_topo_find(const struct hs_topo *t, const struct hs_node_id *id)
{
    for (uint32_t i = 0; i < t->nodes_n; i++) {
        if (memcmp(&t->nodes[i].id, id, sizeof(*id)) == 0)
            return (uint16_t)i;
    }
    return HS_TOPO_NONE;
}

uint32_t hs_topo_links(const struct hs_topo *t)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->nodes_n; i++)
        n += (t->nodes[i].link_to_ms != 0) + (uint32_t)(t->nodes[i].link_from_ms != 0);
    return n;
}

uint64_t hs_topo_epoch(const struct hs_topo *t, uint32_t node)
{
    HS_ASSERT(node < t->nodes_n);
    uint16_t master = t->nodes[node].master;
    return t->nodes[master < t->nodes_n ? master : node].config_epoch;
}
