/* cmd_slots.c - ADDSLOTS, DELSLOTS and SETSLOT: an operator's word on slots.
 */
#include "core_int.h"

/* All arguments are checked, in their order, before anything changes. */
static enum hs_cmd_err check_slots(const struct hs_core *c, const struct hs_cmd *cmd,
                                   uint8_t wanted[HS_SLOTS_BYTES], uint32_t *slot)
{
    bool add = cmd->type == HS_CMD_ADDSLOTS;

    for (uint32_t i = 0; i < cmd->ranges_n; i++) {
        HS_ASSERT(cmd->ranges[i].first <= cmd->ranges[i].last && cmd->ranges[i].last < HS_SLOTS);
        for (*slot = cmd->ranges[i].first; *slot <= cmd->ranges[i].last; ++*slot) {
            if (add && c->owner[*slot] != NIL16) {
                return HS_CMD_ERR_SLOT_BUSY;
            }
            if (!add && c->owner[*slot] == NIL16) {
                return HS_CMD_ERR_SLOT_UNASSIGNED;
            }
            if (hs_slot_test(wanted, *slot)) {
                return HS_CMD_ERR_SLOT_TWICE;
            }
            hs_slot_set(wanted, *slot);
        }
    }
    return cmd->ranges_bad ? HS_CMD_ERR_BAD_SLOT : HS_CMD_OK;
}

void core_cmd_slots(struct hs_core *c, const struct hs_cmd *cmd)
{
    uint8_t wanted[HS_SLOTS_BYTES] = {0};
    uint32_t slot = 0;
    enum hs_cmd_err err = check_slots(c, cmd, wanted, &slot);

    for (uint32_t s = 0; s < HS_SLOTS && err == HS_CMD_OK; s++) {
        if (hs_slot_test(wanted, s)) {
            if (c->importing[s] != 0) {
                core_set_importing(c, s, NIL16);
            }
            core_slot_set(c, s, cmd->type == HS_CMD_ADDSLOTS ? SELF : NIL16);
        }
    }
    core_reply(c, cmd->token, err, slot);
}

static enum hs_cmd_err open_slot(struct hs_core *c, const struct hs_cmd *cmd)
{
    bool migrating = cmd->type == HS_CMD_SETSLOT_MIGRATING;
    uint16_t ix = core_index_find(c, cmd->id.hex);

    if (migrating && c->owner[cmd->slot] != SELF) {
        return HS_CMD_ERR_NOT_OWNER;
    }
    if (!migrating && c->owner[cmd->slot] == SELF) {
        return HS_CMD_ERR_ALREADY_OWNER;
    }
    if (ix == NIL16) {
        return HS_CMD_ERR_DONT_KNOW_NODE;
    }
    if (!has_flag(c, ix, HS_NODE_MASTER)) {
        return HS_CMD_ERR_TARGET_NOT_MASTER;
    }
    if (migrating) {
        core_set_migrating(c, cmd->slot, ix);
    } else {
        core_set_importing(c, cmd->slot, ix);
    }
    return HS_CMD_OK;
}

/* The end of a migration, at either end of it. */
static enum hs_cmd_err give_slot(struct hs_core *c, const struct hs_cmd *cmd)
{
    uint16_t ix = core_index_find(c, cmd->id.hex);
    bool was_mine = c->owner[cmd->slot] == SELF;

    if (ix == NIL16) {
        return HS_CMD_ERR_UNKNOWN_NODE;
    }
    if (!has_flag(c, ix, HS_NODE_MASTER)) {
        return HS_CMD_ERR_TARGET_NOT_MASTER;
    }
    if (c->migrating[cmd->slot] != 0) {
        core_set_migrating(c, cmd->slot, NIL16);
    }
    core_slot_set(c, cmd->slot, ix);
    if (was_mine && ix != SELF && c->cold[SELF].slots_n == 0 && c->conf.allow_replica_migration) {
        core_follow(c, ix); /* stay with the data */
    }
    if (ix == SELF && c->importing[cmd->slot] != 0) {
        core_finish_import(c, cmd->slot);
    }
    return HS_CMD_OK;
}

void core_cmd_setslot(struct hs_core *c, const struct hs_cmd *cmd)
{
    enum hs_cmd_err err = HS_CMD_OK;

    if (!i_am_master(c)) {
        err = HS_CMD_ERR_NOT_MASTER;
    } else if (cmd->slot >= HS_SLOTS) {
        err = HS_CMD_ERR_BAD_SLOT;
    } else if (cmd->type == HS_CMD_SETSLOT_NODE) {
        err = give_slot(c, cmd);
    } else if (cmd->type == HS_CMD_SETSLOT_STABLE) {
        core_set_migrating(c, cmd->slot, NIL16);
        core_set_importing(c, cmd->slot, NIL16);
    } else {
        err = open_slot(c, cmd);
    }
    core_reply(c, cmd->token, err, cmd->slot);
}
