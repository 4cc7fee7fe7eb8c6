/* nodes.c - the node table: add, remove, rename, and the counts that follow
 * from a node's flags and slots.
 *
 * Everything the core wants to know of all nodes at once (how many voters, how
 * many of them unreachable, slots of failed owners) is kept as a number and
 * changed by core_node_account() around each change of a node, so that nothing
 * ever walks the table to find out.
 */
#include "core_int.h"

/* Adds or takes away what this node counts for. */
void core_node_account(struct hs_core *c, uint16_t ix, int sign)
{
    uint16_t flags = c->hot[ix].flags;
    uint32_t one = (uint32_t)sign;

    if (is_voter(c, ix)) {
        c->voters_n += one;
        if ((flags & (HS_NODE_PFAIL | HS_NODE_FAIL)) != 0) {
            c->voters_down_n += one;
        }
    }
    if ((flags & HS_NODE_FAIL) != 0) {
        c->slots_failed_n += one * c->cold[ix].slots_n;
    }
    if ((flags & HS_NODE_HANDSHAKE) != 0) {
        c->handshakes_n += one;
    }
    if (c->cold[ix].replicas_n > 0) {
        c->replicas_n += one; /* masters that have any */
    }
}

/* The only way to change flags: counts, board and header follow. */
void core_node_flags(struct hs_core *c, uint16_t ix, uint16_t set, uint16_t clear)
{
    uint16_t old = c->hot[ix].flags;
    uint16_t new = (uint16_t)((old & ~clear) | set);

    if (new == old) {
        return;
    }
    core_node_account(c, ix, -1);
    c->hot[ix].flags = new;
    core_node_account(c, ix, 1);
    core_board_sync(c, ix);
    core_board_place(c, ix);
    core_changed(c);
    if (((new ^ old) & (HS_NODE_MASTER | HS_NODE_FAIL)) != 0) {
        c->survey_at = 0; /* a master may have lost its last working replica */
    }
    if (ix == SELF) {
        c->hdr_due = true;
    }
}

/* NIL16 when the table is full. A new node has no link, slots or address; its
 * flags decide nothing yet but what core_node_flags() would. */
uint16_t core_node_add(struct hs_core *c, const struct hs_node_id *id, uint16_t flags)
{
    uint16_t ix;

    if (c->nodes_n == c->opts.nodes_max) {
        COUNT(c, table_full);
        return NIL16;
    }
    ix = c->free_n > 0 ? c->free_nodes[--c->free_n] : c->nodes_hi++;
    HS_ASSERT(!is_used(c, ix));
    HS_ASSERT(core_index_find(c, id->hex) == NIL16);

    uint16_t gen = (uint16_t)(c->hot[ix].gen + 1);
    c->hot[ix] = (struct hot){.id = *id, .row = NIL16, .gen = gen};
    c->cold[ix] = (struct cold){.master = NIL16,
                                .created_at = c->now.mono.ms,
                                .dial_gen = c->cold[ix].dial_gen,
                                .slots_ver = c->cold[ix].slots_ver + 1};
    c->spokes[ix].slot = NIL16;
    c->hot[ix].flags = flags;
    c->nodes_n++;
    core_node_account(c, ix, 1);
    core_index_add(c, ix);
    core_board_add(c, ix);
    COUNT(c, nodes_added);
    core_changed(c);
    return ix;
}

/* Undoes what refers to a node: linear in nodes and slots, and rare. */
static void detach(struct hs_core *c, uint16_t ix)
{
    core_slots_clear(c, ix);
    core_marks_follow(c, ix, NIL16);
    core_node_set_master(c, ix, NIL16);
    for (uint16_t i = 0; i < c->nodes_hi && c->cold[ix].replicas_n > 0; i++) {
        if (is_used(c, i) && c->cold[i].master == ix) {
            core_node_set_master(c, i, NIL16);
        }
    }
    for (uint16_t i = 0; i < c->nodes_hi; i++) {
        if (c->cold[i].split_with == ix + 1) {
            c->cold[i].split_with = 0;
        }
    }
    core_reports_about(c, ix);
    core_reports_by(c, ix);
    if (c->mf_replica == ix) {
        c->mf_replica = NIL16;
    }
}

void core_node_remove(struct hs_core *c, uint16_t ix)
{
    HS_ASSERT(ix != SELF);
    HS_ASSERT(is_used(c, ix));

    core_close_to(c, ix, 0);
    core_close_from(c, ix);
    detach(c, ix);
    core_wheel_remove(c, ix);
    core_index_remove(c, ix);
    core_node_flags(c, ix, HS_NODE_NOADDR, HS_NODE_PFAIL); /* into the board's last region */
    core_board_remove(c, ix);
    core_node_account(c, ix, -1);
    memset(&c->shards[ix], 0, sizeof(c->shards[ix]));
    if ((c->cold[ix].name_bits & NAME_TEXTS) != 0) {
        memset(&c->names[ix], 0, sizeof(c->names[ix]));
    }
    c->hot[ix].flags = 0;
    c->hot[ix].gen++;
    c->nodes_n--;
    c->free_nodes[c->free_n++] = ix;
    COUNT(c, nodes_removed);
    core_want_save(c);
}

void core_node_rename(struct hs_core *c, uint16_t ix, const uint8_t *id)
{
    core_index_remove(c, ix);
    memcpy(c->hot[ix].id.hex, id, HS_ID_LEN);
    core_index_add(c, ix);
    core_board_sync(c, ix);
    core_changed(c);
}

/* IPv6 texts may differ in the case of their digits. */
static bool same_ip(const uint8_t *a, const char *b)
{
    for (uint32_t i = 0; i < HS_IP_LEN; i++) {
        uint8_t x = a[i], y = (uint8_t)b[i];
        x |= x >= 'A' && x <= 'F' ? 0x20 : 0;
        y |= y >= 'A' && y <= 'F' ? 0x20 : 0;
        if (x != y) {
            return false;
        }
        if (x == '\0') {
            break;
        }
    }
    return true;
}

bool core_node_address_is(const struct hs_core *c, uint16_t ix, const char *ip, uint16_t port,
                          uint16_t pport, uint16_t cport)
{
    const uint8_t *entry = board_of(c, ix);

    return hs_get16(entry + HS_G_PORT) == port && hs_get16(entry + HS_G_PPORT) == pport &&
           hs_get16(entry + HS_G_CPORT) == cport && same_ip(entry + HS_G_IP, ip);
}

/* ip is NUL-terminated. Ports as the wire has them: see protocol.md, 1.3. */
void core_node_address(struct hs_core *c, uint16_t ix, const char *ip, uint16_t port,
                       uint16_t pport, uint16_t cport)
{
    uint8_t *entry = board_of(c, ix);

    memset(entry + HS_G_IP, 0, HS_IP_LEN);
    for (uint32_t i = 0; i < HS_IP_LEN - 1 && ip[i] != '\0'; i++) {
        entry[HS_G_IP + i] = (uint8_t)ip[i];
    }
    hs_put16(entry + HS_G_PORT, port);
    hs_put16(entry + HS_G_PPORT, pport);
    hs_put16(entry + HS_G_CPORT, cport);
    c->lent.valid = false;
    core_changed(c);
}

static void count_replica(struct hs_core *c, uint16_t master, int sign)
{
    core_node_account(c, master, -1);
    c->cold[master].replicas_n = (uint16_t)(c->cold[master].replicas_n + sign);
    core_node_account(c, master, 1);
    core_node_flags(c, master, c->cold[master].replicas_n > 0 ? HS_NODE_MIGRATE_TO : 0,
                    c->cold[master].replicas_n > 0 ? 0 : HS_NODE_MIGRATE_TO);
}

/* Attaches a replica to its master, or detaches it with NIL16. A master that
 * has replicas is marked as a target for replica migration. */
void core_node_set_master(struct hs_core *c, uint16_t ix, uint16_t master)
{
    uint16_t old = c->cold[ix].master;

    if (old == master) {
        return;
    }
    c->cold[ix].master = master;
    c->survey_at = 0;
    if (old != NIL16) {
        count_replica(c, old, -1);
    }
    if (master != NIL16) {
        count_replica(c, master, 1);
    }
    if (ix == SELF) {
        c->hdr_due = true;
    }
    core_want_save(c);
}

/* Another node's role. Ours: role.c. */
void core_node_become_master(struct hs_core *c, uint16_t ix)
{
    uint16_t target = c->cold[ix].master == NIL16 ? 0 : HS_NODE_MIGRATE_TO;

    core_node_set_master(c, ix, NIL16);
    core_node_flags(c, ix, (uint16_t)(HS_NODE_MASTER | target), HS_NODE_SLAVE);
    c->state_due = true;
    core_want_save(c);
}

void core_node_become_replica(struct hs_core *c, uint16_t ix)
{
    core_node_flags(c, ix, HS_NODE_SLAVE, HS_NODE_MASTER | HS_NODE_MIGRATE_TO);
    c->state_due = true;
    core_want_save(c);
}

/* Somebody's config epoch was the cluster's current one once, so the current
 * one is never behind any. */
void core_node_epoch(struct hs_core *c, uint16_t ix, uint64_t epoch)
{
    if (c->cold[ix].config_epoch != epoch) {
        c->cold[ix].config_epoch = epoch;
        c->current_epoch = epoch > c->current_epoch ? epoch : c->current_epoch;
        c->hdr_due = c->hdr_due || ix == SELF || ix == c->cold[SELF].master;
        core_want_save(c);
    }
}

uint64_t core_shown_epoch(const struct hs_core *c, uint16_t ix)
{
    uint16_t master = c->cold[ix].master;

    return master == NIL16 ? c->cold[ix].config_epoch : c->cold[master].config_epoch;
}

void core_random_id(struct hs_core *c, struct hs_node_id *id)
{
    static const char digits[] = "0123456789abcdef";

    for (uint32_t i = 0; i < HS_ID_LEN; i++) {
        id->hex[i] = digits[hs_prng_below(&c->prng, 16)];
    }
}

static bool handshake_under_way(const struct hs_core *c, const char *ip, uint16_t cport)
{
    if (c->handshakes_n == 0) {
        return false;
    }
    for (uint16_t i = 0; i < c->nodes_hi; i++) {
        if (is_used(c, i) && has_flag(c, i, HS_NODE_HANDSHAKE)) {
            const uint8_t *e = board_of(c, i);
            if (core_node_address_is(c, i, ip, hs_get16(e + HS_G_PORT), hs_get16(e + HS_G_PPORT),
                                     cport)) {
                return true;
            }
        }
    }
    return false;
}

/* A node known by address only: its first PONG tells its id. Strangers may fill
 * half of the table with such nodes and no more; an operator's MEET may use all
 * of it. NIL16 if there is no room, or if one to that address is under way. */
uint16_t core_handshake_start(struct hs_core *c, const char *ip, uint16_t port, uint16_t cport,
                              uint16_t flags)
{
    struct hs_node_id id;
    uint16_t ix;

    bool room = (flags & HS_NODE_MEET) != 0 || c->handshakes_n < c->opts.nodes_max / 2;

    if (!room || handshake_under_way(c, ip, cport)) {
        COUNT(c, handshakes_refused);
        return NIL16;
    }
    core_random_id(c, &id);
    ix = core_node_add(c, &id, (uint16_t)(HS_NODE_HANDSHAKE | flags));
    if (ix == NIL16) {
        return NIL16;
    }
    COUNT(c, handshakes);
    core_node_address(c, ix, ip, port, 0, cport);
    core_retime(c, ix);
    return ix;
}
