/* role.c - masters and replicas: what a peer says it is, what we are.
 */
#include "core_int.h"

/* A master that now follows another of its own shard has failed over: the
 * slots go to the new master at once, instead of being nobody's until it
 * claims them. Peers without shard ids show no shard in common. */
static void demoted(struct hs_core *c, uint16_t ix, uint16_t master, const struct hs_view *v)
{
    uint64_t epoch = hs_get64(v->frame + HS_OFF_CONFIG_EPOCH);
    bool same_shard = master != NIL16 && core_same_shard(c, ix, master);

    if (same_shard && c->cold[ix].config_epoch > epoch) {
        return; /* stale: it still thinks of an older master */
    }
    if (!same_shard) {
        core_slots_clear(c, ix);
        return;
    }
    if (!has_flag(c, master, HS_NODE_MASTER)) {
        if (master == SELF) {
            return; /* our own role is ours to change */
        }
        core_node_become_master(c, master);
    }
    if (master != SELF && epoch > c->cold[master].config_epoch) {
        core_node_epoch(c, master, epoch);
    }
    core_slots_move(c, ix, master);
    core_marks_follow(c, ix, master);
}

/* The role a header claims: only its `slaveof` decides. */
void core_recv_role(struct hs_core *c, uint16_t ix, const struct hs_view *v)
{
    static const uint8_t none[HS_ID_LEN];
    const uint8_t *slaveof = v->frame + HS_OFF_SLAVEOF;
    uint16_t master;

    if (memcmp(slaveof, none, HS_ID_LEN) == 0) {
        if (!has_flag(c, ix, HS_NODE_MASTER) || c->cold[ix].master != NIL16) {
            core_node_become_master(c, ix);
            core_note(c, HS_NOTE_ROLE_MASTER, ix, HS_NIL, 0);
        }
        return;
    }
    master = core_index_find(c, slaveof);
    if (master == ix) {
        return; /* nobody replicates itself */
    }
    if (!has_flag(c, ix, HS_NODE_SLAVE) || has_flag(c, ix, HS_NODE_MASTER)) {
        if (c->cold[ix].slots_n > 0) {
            demoted(c, ix, master, v);
        }
        core_node_become_replica(c, ix);
        core_note(c, HS_NOTE_ROLE_REPLICA, ix, master == NIL16 ? HS_NIL : master, 0);
    }
    if (master != NIL16 && c->cold[ix].master != master) {
        core_node_set_master(c, ix, master);
        if (core_has_shard(c, master)) {
            core_set_shard(c, ix, c->shards[master].hex);
        }
        core_unchain(c);
    }
}

/* No chains: should our master follow somebody, so do we. Redis looks only when
 * slots move, and a master demoted after its last slot went may keep replicas
 * for good; Valkey looks whenever a master is demoted, too. */
void core_unchain(struct hs_core *c)
{
    uint16_t master = c->cold[SELF].master;
    uint16_t above = master == NIL16 ? NIL16 : c->cold[master].master;

    if (above != NIL16 && above != SELF) {
        core_follow(c, above);
    }
}

/* We become a replica of `master`: what we owned is no longer ours to claim. */
void core_follow(struct hs_core *c, uint16_t master)
{
    HS_ASSERT(master != SELF && master != NIL16);
    core_slots_clear(c, SELF);
    core_close_slots(c);
    core_node_set_master(c, SELF, master);
    core_node_flags(c, SELF, HS_NODE_SLAVE, HS_NODE_MASTER | HS_NODE_MIGRATE_TO);
    if (core_has_shard(c, master)) {
        core_set_shard(c, SELF, c->shards[master].hex);
    }
    core_election_reset(c);
    c->mf_end = 0;
    core_note(c, HS_NOTE_ROLE_REPLICA, SELF, master, 0);
    c->hdr_due = true;
    c->state_due = true;
    core_want_save(c);
    /* Gossip does not carry roles: stock servers leave it to the next message
     * of each pair, which takes minutes among hundreds of nodes, and a voter
     * that has not heard of it refuses this node its vote. */
    c->announce_seq = c->save_seq + 1;
}

/* We become a master. */
void core_lead(struct hs_core *c)
{
    core_election_reset(c);
    core_node_become_master(c, SELF);
    core_note(c, HS_NOTE_ROLE_MASTER, SELF, HS_NIL, 0);
    c->hdr_due = true;
}
