/* view.c - what nodes believe, asked through the core's door only, and whether
 * they believe the same.
 */
#include "sim_int.h"

/* ---- who is who ---- */

static uint32_t id_slot(const struct hs_sim *s, const void *id)
{
    const uint8_t *p = id;
    uint64_t h = 14695981039346656037U;

    for (int k = 0; k < 16; k++) {
        h = (h ^ p[k]) * 1099511628211U;
    }
    return (uint32_t)(h >> 16) & s->ids_mask;
}

void ids_add(struct hs_sim *s, const struct hs_node_id *id, uint32_t node)
{
    uint32_t k = id_slot(s, id);

    while (s->ids[k] != 0 && memcmp(&s->id_keys[k], id, HS_ID_LEN) != 0) {
        k = (k + 1) & s->ids_mask;
    }
    s->ids[k] = node + 1;
    s->id_keys[k] = *id;
}

/* HS_NIL for an id of nobody, such as a handshake's. */
uint32_t ids_find(const struct hs_sim *s, const void *id)
{
    uint32_t k = id_slot(s, id);

    while (s->ids[k] != 0) {
        if (memcmp(&s->id_keys[k], id, HS_ID_LEN) == 0) {
            return s->ids[k] - 1;
        }
        k = (k + 1) & s->ids_mask;
    }
    return HS_NIL;
}

/* ---- one view ---- */

/* Valid until the next call, and the caller's until then. */
struct hs_topo *view_of(struct hs_sim *s, uint32_t i)
{
    struct hs_topo *t = s->scratch;
    uint32_t nodes, open, strings;

    hs_core_topo_need(s->nodes[i].core, &nodes, &open, &strings);
    HS_ASSERT(nodes <= t->nodes_max && open <= t->open_max && strings <= t->strings_max);
    t->strings_n = t->migrating_n = t->importing_n = 0;
    hs_core_topology(s->nodes[i].core, world_now(s, i), t);
    return t;
}

struct hs_topo *view_copy(struct hs_sim *s, uint32_t i)
{
    uint32_t nodes, open, strings;
    struct hs_topo *t;

    hs_core_topo_need(s->nodes[i].core, &nodes, &open, &strings);
    t = hs_topo_create(nodes, open, strings);
    HS_ASSERT(t != NULL);
    hs_core_topology(s->nodes[i].core, world_now(s, i), t);
    return t;
}

uint32_t view_known(const struct hs_sim *s, uint32_t i)
{
    uint32_t nodes, open, strings;

    hs_core_topo_need(s->nodes[i].core, &nodes, &open, &strings);
    return nodes;
}

uint32_t view_master_of(struct hs_sim *s, uint32_t i)
{
    const struct hs_topo *t = view_of(s, i);
    uint16_t m = t->nodes[0].master;

    return m == HS_TOPO_NONE ? HS_NIL : ids_find(s, &t->nodes[m].id);
}

bool view_is_master(struct hs_sim *s, uint32_t i)
{
    return (view_of(s, i)->nodes[0].flags & HS_NODE_MASTER) != 0;
}

/* What one node thinks of another; 0 if it does not know it. */
uint32_t view_flags(struct hs_sim *s, uint32_t by, uint32_t about)
{
    const struct hs_topo *t = view_of(s, by);
    uint16_t k = hs_topo_find(t, &s->nodes[about].id);

    return k == HS_TOPO_NONE ? 0 : t->nodes[k].flags;
}

/* ---- all views ---- */

static uint64_t mix(uint64_t h)
{
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93U;
    return (h ^ h >> 32) * 0xd6e8feb86659fd93U;
}

static uint64_t id_hash(const struct hs_node_id *id)
{
    uint64_t h = 0;

    for (int k = 0; k < HS_ID_LEN; k += 8) {
        h = mix(h ^ hs_get64((const uint8_t *)id->hex + k));
    }
    return h;
}

/* The first slot after this one that has another owner; HS_SLOTS if none. */
uint32_t view_run_end(const struct hs_topo *t, uint32_t slot)
{
    const uint16_t owner = t->owner[slot];
    const uint64_t run = UINT64_C(0x0001000100010001) * owner;
    uint64_t four;

    for (slot++; slot % 4 != 0; slot++) {
        if (t->owner[slot] != owner) {
            return slot;
        }
    }
    for (; slot < HS_SLOTS; slot += 4) {
        memcpy(&four, &t->owner[slot], sizeof(four));
        if (four != run) {
            break;
        }
    }
    while (slot < HS_SLOTS && t->owner[slot] == owner) {
        slot++;
    }
    return slot;
}

/* Of everything two nodes should say alike, whatever the order of their tables. */
static uint64_t view_hash(const struct hs_topo *t)
{
    const uint16_t compared = HS_NODE_MASTER | HS_NODE_SLAVE | HS_NODE_FAIL | HS_NODE_PFAIL |
                              HS_NODE_HANDSHAKE | HS_NODE_NOADDR;
    uint64_t sum = t->ok;

    for (uint32_t i = 0; i < t->nodes_n; i++) {
        const struct hs_topo_node *n = &t->nodes[i];
        uint64_t h = id_hash(&n->id) ^ mix(n->flags & compared) ^ mix(hs_topo_epoch(t, i) << 16);
        if (n->master != HS_TOPO_NONE) {
            h ^= id_hash(&t->nodes[n->master].id) * 3;
        }
        for (const char *c = n->ip; *c != '\0'; c++) {
            h = mix(h ^ (uint8_t)*c);
        }
        sum += mix(h);
    }
    for (uint32_t slot = 0, end; slot < HS_SLOTS; slot = end) {
        end = view_run_end(t, slot);
        if (t->owner[slot] != HS_TOPO_NONE) {
            sum += mix(id_hash(&t->nodes[t->owner[slot]].id) ^ ((uint64_t)slot << 32 | (end - 1)));
        }
    }
    return sum;
}

static uint64_t cached_hash(struct hs_sim *s, uint32_t i)
{
    struct node *n = &s->nodes[i];
    uint64_t version = hs_core_version(n->core) << 16 | (n->life & 0xffff);

    if (n->hash_version != version) {
        n->hash = view_hash(view_of(s, i));
        n->hash_version = version;
    }
    return n->hash;
}

/* Starts with the node that differed last time: while views differ, looking
 * costs two of them. */
bool view_agree(struct hs_sim *s)
{
    uint64_t first = 0;
    bool have = false;

    for (uint32_t k = 0; k < s->n; k++) {
        uint32_t i = (k == 0 ? 0 : k - 1 + s->agree_cursor) % s->n;
        if (!s->nodes[i].running) {
            continue;
        }
        uint64_t h = cached_hash(s, i);
        if (!have) {
            first = h;
            have = true;
        } else if (h != first) {
            s->agree_cursor = i;
            return false;
        }
    }
    return true;
}

static bool node_differs(const struct hs_topo *a, uint32_t i, const struct hs_topo *b, uint32_t k)
{
    const struct hs_topo_node *x = &a->nodes[i], *y = &b->nodes[k];
    const uint16_t compared = HS_NODE_MASTER | HS_NODE_SLAVE | HS_NODE_FAIL | HS_NODE_PFAIL |
                              HS_NODE_HANDSHAKE | HS_NODE_NOADDR;

    return ((x->flags ^ y->flags) & compared) != 0 || hs_topo_epoch(a, i) != hs_topo_epoch(b, k) ||
           x->slots_n != y->slots_n || strcmp(x->ip, y->ip) != 0;
}

/* Where two views differ first, for a person. */
static void tell(struct hs_sim *s, uint32_t by, const struct hs_topo *a, uint32_t than,
                 const struct hs_topo *b, char *why, size_t n)
{
    snprintf(why, n, "node %u says %s, knows %u; node %u says %s, knows %u", by,
             a->ok ? "ok" : "down", a->nodes_n, than, b->ok ? "ok" : "down", b->nodes_n);
    for (uint32_t i = 0; i < a->nodes_n; i++) {
        uint16_t k = hs_topo_find(b, &a->nodes[i].id);
        if (k == HS_TOPO_NONE) {
            snprintf(why, n, "node %u knows %u (flags %u), node %u does not", by,
                     ids_find(s, &a->nodes[i].id), a->nodes[i].flags, than);
            return;
        }
        if (node_differs(a, i, b, k)) {
            const struct hs_topo_node *x = &a->nodes[i], *y = &b->nodes[k];
            snprintf(why, n,
                     "of node %u, node %u says flags %u, epoch %llu, %u slots, %s; "
                     "node %u says flags %u, epoch %llu, %u slots, %s",
                     ids_find(s, &x->id), by, x->flags, (unsigned long long)hs_topo_epoch(a, i),
                     x->slots_n, x->ip, than, y->flags, (unsigned long long)hs_topo_epoch(b, k),
                     y->slots_n, y->ip);
            return;
        }
    }
}

/* Why view_agree() has just said no. */
void view_difference(struct hs_sim *s, char *why, size_t n)
{
    uint32_t by = 0, than = s->agree_cursor;

    while (by < s->n && (!s->nodes[by].running || by == than)) {
        by++;
    }
    if (by < s->n && s->nodes[than].running) {
        struct hs_topo *a = view_copy(s, by);
        tell(s, by, a, than, view_of(s, than), why, n);
        hs_topo_destroy(a);
    }
}

/* Does every running node hold all of these for failed? */
bool view_all_fail(struct hs_sim *s, const uint8_t *suspects)
{
    for (uint32_t k = 0; k < s->n; k++) {
        uint32_t i = (k + s->fail_cursor) % s->n;
        if (!s->nodes[i].running || suspects[i] != 0) {
            continue;
        }
        const struct hs_topo *t = view_of(s, i);
        for (uint32_t j = 0; j < t->nodes_n; j++) {
            uint32_t who = ids_find(s, &t->nodes[j].id);
            if (who != HS_NIL && suspects[who] != 0 && (t->nodes[j].flags & HS_NODE_FAIL) == 0) {
                s->fail_cursor = i;
                return false;
            }
        }
    }
    return true;
}

/* Does every running node hold every slot for owned by a running master? */
bool view_covered(struct hs_sim *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        if (!s->nodes[i].running) {
            continue;
        }
        const struct hs_topo *t = view_of(s, i);
        for (uint32_t slot = 0; slot < HS_SLOTS; slot = view_run_end(t, slot)) {
            if (t->owner[slot] == HS_TOPO_NONE) {
                return false;
            }
            const struct hs_topo_node *n = &t->nodes[t->owner[slot]];
            uint32_t who = (n->flags & HS_NODE_FAIL) != 0 ? HS_NIL : ids_find(s, &n->id);
            if (who == HS_NIL || !s->nodes[who].running) {
                return false;
            }
        }
    }
    return true;
}
