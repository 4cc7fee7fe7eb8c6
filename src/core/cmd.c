/* cmd.c - commands that change the cluster as seen from here. Slots: cmd_slots.c.
 */
#include "core_int.h"

/* Puts the configuration where messages are made from. */
void core_conf_apply(struct hs_core *c)
{
    const struct hs_core_conf *k = &c->conf;
    struct names *mine = &c->names[SELF];
    char ip[HS_IP_LEN];

    hs_wire_ip((const uint8_t *)k->announce_ip, ip);
    if (ip[0] == '\0') {
        hs_wire_ip(board_of(c, SELF) + HS_G_IP, ip); /* as learned, or loaded */
    }
    core_node_address(c, SELF, ip, k->tls_cluster ? k->tls_port : k->port,
                      k->tls_cluster ? k->port : k->tls_port, k->cport);
    memcpy(mine->hostname, k->hostname, sizeof(mine->hostname));
    memcpy(mine->nodename, k->nodename, sizeof(mine->nodename));
    memcpy(mine->client_ipv4, k->client_ipv4, sizeof(mine->client_ipv4));
    memcpy(mine->client_ipv6, k->client_ipv6, sizeof(mine->client_ipv6));
    core_node_flags(c, SELF, k->replica_no_failover ? HS_NODE_NOFAILOVER : 0,
                    k->replica_no_failover ? 0 : HS_NODE_NOFAILOVER);
    core_ext_build(c);
    c->hdr_due = true;
    c->state_due = true;
    core_want_save(c);
}

static enum hs_cmd_err configure(struct hs_core *c, const struct hs_core_conf *conf)
{
    bool retime = conf->node_timeout_ms != c->conf.node_timeout_ms ||
                  conf->ping_interval_ms != c->conf.ping_interval_ms;
    bool forget_ip = c->conf.announce_ip[0] != '\0' && conf->announce_ip[0] == '\0';

    if (conf->node_timeout_ms != c->conf.node_timeout_ms) {
        core_reports_reset(c);
    }
    c->conf = *conf;
    if (forget_ip) {
        core_node_address(c, SELF, "", 0, 0, 0); /* back to what peers see */
        c->own_ip_learned = false;
    }
    core_conf_apply(c);
    for (uint16_t i = 1; retime && i < c->nodes_hi; i++) {
        if (is_used(c, i)) {
            core_retime(c, i);
        }
    }
    return HS_CMD_OK;
}

static enum hs_cmd_err meet(struct hs_core *c, const struct hs_cmd *cmd)
{
    if (cmd->port == 0 || cmd->cport == 0 || !hs_wire_ip_valid(cmd->ip)) {
        return HS_CMD_ERR_BAD_ADDRESS;
    }
    if (c->nodes_n == c->opts.nodes_max) {
        return HS_CMD_ERR_TABLE_FULL;
    }
    core_handshake_start(c, cmd->ip, cmd->port, cmd->cport, HS_NODE_MEET);
    return HS_CMD_OK; /* also when one to that address is under way */
}

static enum hs_cmd_err forget(struct hs_core *c, const struct hs_cmd *cmd)
{
    uint16_t ix = core_index_find(c, cmd->id.hex);

    if (ix == NIL16) { /* forgotten before, here or by what a peer spread: fine */
        return core_blacklisted(c, cmd->id.hex) ? HS_CMD_OK : HS_CMD_ERR_UNKNOWN_NODE;
    }
    if (ix == SELF) {
        return HS_CMD_ERR_FORGET_MYSELF;
    }
    if (ix == c->cold[SELF].master) {
        return HS_CMD_ERR_FORGET_MASTER;
    }
    core_blacklist_add(c, cmd->id.hex, (int64_t)c->conf.blacklist_ttl_s * 1000);
    core_note_id(c, HS_NOTE_FORGOTTEN, cmd->id.hex, HS_NIL, c->conf.blacklist_ttl_s);
    core_node_remove(c, ix);
    c->state_due = true;
    return HS_CMD_OK;
}

static enum hs_cmd_err replicate(struct hs_core *c, const struct hs_cmd *cmd)
{
    uint16_t ix = core_index_find(c, cmd->id.hex);

    if (ix == NIL16) {
        return HS_CMD_ERR_UNKNOWN_NODE;
    }
    if (ix == SELF) {
        return HS_CMD_ERR_REPLICATE_MYSELF;
    }
    if (!has_flag(c, ix, HS_NODE_MASTER)) {
        return HS_CMD_ERR_REPLICATE_REPLICA;
    }
    if (i_am_master(c) && c->cold[SELF].slots_n > 0) {
        return HS_CMD_ERR_NOT_EMPTY;
    }
    if (c->cold[SELF].master != ix) {
        core_follow(c, ix);
    }
    return HS_CMD_OK;
}

/* Alone again; hard: as a node nobody ever knew. */
static enum hs_cmd_err reset(struct hs_core *c, const struct hs_cmd *cmd)
{
    if (!i_am_master(c)) {
        core_lead(c);
    }
    c->mf_end = 0;
    core_close_slots(c);
    for (uint32_t s = 0; s < HS_SLOTS; s++) {
        core_slot_set(c, s, NIL16);
    }
    for (uint16_t i = 1; i < c->nodes_hi; i++) {
        if (is_used(c, i)) {
            core_node_remove(c, i);
        }
    }
    for (uint32_t i = 0; i < c->opts.links_max && cmd->hard; i++) {
        if (c->links[i].up) { /* they know us by the id we give up */
            core_close(c, (struct hs_link){i, c->links[i].gen});
        }
    }
    c->blacklist_n = 0;
    if (cmd->hard) {
        c->current_epoch = 0;
        c->told_epoch = 0;
        c->last_vote_epoch = 0;
        c->cold[SELF].config_epoch = 0;
        core_node_rename(c, SELF, (const uint8_t *)cmd->id.hex);
        core_set_shard(c, SELF, cmd->shard_id);
    }
    core_node_flags(c, SELF, 0, HS_NODE_MIGRATE_TO);
    core_hdr_build(c);
    c->state_due = true;
    core_want_sync(c);
    return HS_CMD_OK;
}

static enum hs_cmd_err set_config_epoch(struct hs_core *c, const struct hs_cmd *cmd)
{
    if (c->nodes_n > 1) {
        return HS_CMD_ERR_EPOCH_KNOWN_NODES;
    }
    if (c->cold[SELF].config_epoch != 0) {
        return HS_CMD_ERR_EPOCH_SET;
    }
    core_node_epoch(c, SELF, (uint64_t)cmd->epoch);
    core_want_sync(c);
    return HS_CMD_OK;
}

/* The reply waits for the disk. One at a time: a second one joins the first
 * save's successor, and the first is answered with it. */
static void saveconfig(struct hs_core *c, const struct hs_cmd *cmd)
{
    if (c->saveconfig_token != 0) {
        core_reply(c, c->saveconfig_token, HS_CMD_OK, 0);
    }
    core_want_save(c);
    c->want_sync = true;
    c->saveconfig_token = cmd->token;
    c->saveconfig_seq = c->save_seq + 1;
}

/* DEBUG CLUSTERLINK KILL: as if the network had cut them. */
static enum hs_cmd_err kill_link(struct hs_core *c, const struct hs_cmd *cmd)
{
    uint16_t ix = core_index_find(c, cmd->id.hex);

    if (ix == NIL16) {
        return HS_CMD_ERR_UNKNOWN_NODE;
    }
    if (cmd->kill_to && ix != SELF) {
        core_close_to(c, ix, c->now.mono.ms);
    }
    if (cmd->kill_from && ix != SELF) {
        core_close_from(c, ix);
    }
    return HS_CMD_OK;
}

static void reply_reports(struct hs_core *c, const struct hs_cmd *cmd)
{
    uint16_t ix = core_index_find(c, cmd->id.hex);

    if (ix == NIL16) {
        core_reply(c, cmd->token, HS_CMD_ERR_UNKNOWN_NODE, 0);
    } else {
        core_reply(c, cmd->token, HS_CMD_OK, core_report_count(c, ix));
    }
}

static void bumpepoch(struct hs_core *c, const struct hs_cmd *cmd)
{
    bool changed = core_epoch_bump(c);

    core_reply(c, cmd->token, changed ? HS_CMD_OK : HS_CMD_ERR_STILL,
               (int64_t)c->cold[SELF].config_epoch);
}

static void resetstat(struct hs_core *c)
{
    memset(c->sent, 0, sizeof(c->sent));
    memset(c->received, 0, sizeof(c->received));
    core_changed(c);
}

/* Commands whose outcome is known at once and is a verdict only. */
static enum hs_cmd_err simple(struct hs_core *c, const struct hs_cmd *cmd)
{
    switch (cmd->type) {
    case HS_CMD_MEET:
        return meet(c, cmd);
    case HS_CMD_FORGET:
        return forget(c, cmd);
    case HS_CMD_REPLICATE:
        return replicate(c, cmd);
    case HS_CMD_RESET:
        return reset(c, cmd);
    case HS_CMD_SET_CONFIG_EPOCH:
        return set_config_epoch(c, cmd);
    case HS_CMD_CONF:
        return configure(c, cmd->conf);
    case HS_CMD_RESETSTAT:
        resetstat(c);
        return HS_CMD_OK;
    case HS_CMD_FLUSHSLOTS:
        core_slots_clear(c, SELF);
        return HS_CMD_OK;
    case HS_CMD_FAILOVER:
        return core_failover(c, cmd->failover);
    case HS_CMD_OFFSET:
        core_offset(c, cmd->epoch);
        return HS_CMD_OK;
    case HS_CMD_KILL_LINK:
        return kill_link(c, cmd);
    case HS_CMD_DROP_FILTER:
        c->drop_type = cmd->epoch;
        return HS_CMD_OK;
    case HS_CMD_DROP_CLOSES:
        c->drop_closes = cmd->hard;
        return HS_CMD_OK;
    default: /* the others are core_command()'s */
        return HS_CMD_OK;
    }
}

void core_command(struct hs_core *c, const struct hs_cmd *cmd)
{
    switch (cmd->type) {
    case HS_CMD_ADDSLOTS:
    case HS_CMD_DELSLOTS:
        core_cmd_slots(c, cmd);
        break;
    case HS_CMD_SETSLOT_MIGRATING:
    case HS_CMD_SETSLOT_IMPORTING:
    case HS_CMD_SETSLOT_NODE:
    case HS_CMD_SETSLOT_STABLE:
        core_cmd_setslot(c, cmd);
        break;
    case HS_CMD_SAVECONFIG:
        saveconfig(c, cmd);
        break;
    case HS_CMD_COUNT_REPORTS:
        reply_reports(c, cmd);
        break;
    case HS_CMD_BUMPEPOCH:
        bumpepoch(c, cmd);
        break;
    case HS_CMD_PUBLISH:
        core_reply(c, cmd->token, HS_CMD_OK, core_publish(c, cmd->publish, cmd->sharded));
        break;
    default:
        core_reply(c, cmd->token, simple(c, cmd), 0);
        break;
    }
}
