/* command.c - the part of a story that is an operator's doing.
 */
#include "sim_int.h"

#include <stdlib.h>

static bool node_word(const struct hs_sim *s, const char *word, struct hs_node_id *id, uint32_t *ix)
{
    int64_t n;

    if (!story_number(word, &n) || n < 0 || n >= s->n) {
        return false;
    }
    *id = s->nodes[n].id;
    *ix = (uint32_t)n;
    return true;
}

static bool range_word(const char *word, struct hs_slot_range *r)
{
    char *end;
    unsigned long first = strtoul(word, &end, 10), last = first;

    if (end == word || (*end != '-' && *end != '\0')) {
        return false;
    }
    if (*end == '-') {
        last = strtoul(end + 1, &end, 10);
    }
    *r = (struct hs_slot_range){(uint16_t)first, (uint16_t)last};
    return *end == '\0' && first <= last && last < HS_SLOTS;
}

static const struct {
    const char *name;
    enum hs_cmd_type type;
    enum { WITH_NOTHING, WITH_NODE, WITH_ADDRESS, WITH_SLOTS } with;
    bool takes_epoch; /* without asking anybody */
} commands[] = {
    {"meet", HS_CMD_MEET, WITH_ADDRESS, false},
    {"forget", HS_CMD_FORGET, WITH_NODE, false},
    {"replicate", HS_CMD_REPLICATE, WITH_NODE, false},
    {"addslots", HS_CMD_ADDSLOTS, WITH_SLOTS, false},
    {"delslots", HS_CMD_DELSLOTS, WITH_SLOTS, false},
    {"flushslots", HS_CMD_FLUSHSLOTS, WITH_NOTHING, false},
    {"bumpepoch", HS_CMD_BUMPEPOCH, WITH_NOTHING, true},
    {"failover", HS_CMD_FAILOVER, WITH_NOTHING, false},
    {"reset", HS_CMD_RESET, WITH_NOTHING, false},
};

/* Fills the command from the words after its node. False if they are none. */
static bool build(struct hs_sim *s, const struct words *w, struct hs_cmd *cmd,
                  struct hs_slot_range *range)
{
    uint32_t who;

    for (uint32_t k = 0; k < sizeof(commands) / sizeof(commands[0]); k++) {
        if (strcmp(commands[k].name, w->w[2]) != 0) {
            continue;
        }
        cmd->type = commands[k].type;
        s->checks.claims_off = s->checks.claims_off || commands[k].takes_epoch;
        if (commands[k].with == WITH_SLOTS) {
            cmd->ranges = range;
            cmd->ranges_n = 1;
            return range_word(w->w[3], range);
        }
        if (commands[k].with == WITH_NOTHING) {
            return true;
        }
        if (!node_word(s, w->w[3], &cmd->id, &who)) {
            return false;
        }
        addr_text(s->nodes[who].addr, cmd->ip);
        cmd->port = CLIENT_PORT;
        cmd->cport = BUS_PORT;
        return true;
    }
    return false;
}

/* "command SET WHAT [...]" */
bool faults_command(struct hs_sim *s, struct words *w)
{
    uint8_t *set = hs_alloc(s->n);
    struct hs_slot_range range;
    struct hs_cmd cmd = {.failover = HS_FAILOVER_DEFAULT};
    bool good;

    HS_ASSERT(set != NULL);
    good = w->n >= 3 && faults_set(s, w->w + 1, 1, set) && build(s, w, &cmd, &range);
    if (good && strcmp(w->w[3], "force") == 0) {
        cmd.failover = HS_FAILOVER_FORCE;
    } else if (good && strcmp(w->w[3], "takeover") == 0) {
        cmd.failover = HS_FAILOVER_TAKEOVER;
        s->checks.claims_off = true; /* it asks nobody: two may take one epoch */
    }
    for (uint32_t i = 0; good && i < s->n; i++) {
        if (set[i] != 0 && s->nodes[i].running) {
            enum hs_cmd_err err = world_command(s, i, &cmd);
            char text[64];
            snprintf(text, sizeof(text), "node %u answers %d", i, (int)err);
            trace_step(s, text);
        }
    }
    hs_free(set);
    return good;
}
