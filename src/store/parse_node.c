/* One node's line: id, address, flags, master, times, epoch, link, slots. */
#include "store_int.h"

#include <stdio.h>
#include <string.h>

/* A node in handshake has a made-up id and is never written. */
static const struct {
    const char *word;
    uint16_t flag;
} flag_words[] = {
    {"myself", HS_NODE_MYSELF},
    {"master", HS_NODE_MASTER},
    {"primary", HS_NODE_MASTER},
    {"slave", HS_NODE_SLAVE},
    {"replica", HS_NODE_SLAVE},
    {"fail?", HS_NODE_PFAIL},
    {"fail", HS_NODE_FAIL},
    {"noaddr", HS_NODE_NOADDR},
    {"nofailover", HS_NODE_NOFAILOVER},
    {"noflags", 0},
};

enum { FLAG_WORDS = sizeof(flag_words) / sizeof(flag_words[0]) };

static bool one_flag(const char *word, size_t n, uint16_t *flags)
{
    for (size_t i = 0; i < FLAG_WORDS; i++) {
        if (strlen(flag_words[i].word) == n && memcmp(flag_words[i].word, word, n) == 0) {
            *flags = (uint16_t)(*flags | flag_words[i].flag);
            return true;
        }
    }
    return false;
}

static bool flags_field(struct nodesconf *p, const struct hs_arg *arg, uint16_t *flags)
{
    const char *word = arg->p, *end = arg->p + arg->n;
    for (;;) {
        const char *comma = memchr(word, ',', (size_t)(end - word));
        size_t n = (size_t)((comma != NULL ? comma : end) - word);
        if (!one_flag(word, n, flags))
            return nodesconf_refuse(p, "unknown flag '%.*s'", nodesconf_clip(n), word);
        if (comma == NULL)
            break;
        word = comma + 1;
    }
    if ((*flags & HS_NODE_MASTER) != 0 && (*flags & HS_NODE_SLAVE) != 0)
        return nodesconf_refuse(p, "a node cannot be master and slave at once");
    if ((*flags & HS_NODE_MYSELF) != 0 && (*flags & (HS_NODE_MASTER | HS_NODE_SLAVE)) == 0)
        return nodesconf_refuse(p, "myself is neither master nor slave");
    return true;
}

static bool master_field(struct nodesconf *p, const struct hs_arg *arg, uint16_t ix)
{
    if (arg->n == 1 && arg->p[0] == '-')
        return true;
    uint16_t master = nodesconf_node(p, arg, "master");
    if (master == HS_TOPO_NONE)
        return false;
    struct hs_topo_node *node = &p->t->nodes[ix];
    if (master == ix)
        return nodesconf_refuse(p, "a node cannot be its own master");
    if ((node->flags & HS_NODE_SLAVE) == 0)
        return nodesconf_refuse(p, "a node with a master must have the flag 'slave'");
    node->master = master;
    /* The stock rule, order included: with the replica's line first, the
     * master's shard id simply wins later. */
    const char *theirs = p->t->nodes[master].shard_id;
    if (theirs[0] != '\0' && node->shard_id[0] != '\0' &&
        memcmp(theirs, node->shard_id, HS_ID_LEN) != 0)
        return nodesconf_refuse(p, "its shard-id differs from its master's");
    return true;
}

/* A time in the file is from another life of the process: whatever was pending
 * or heard then counts from now. */
static bool time_field(struct nodesconf *p, const struct hs_arg *arg, const char *what,
                       int64_t *time_ms)
{
    uint64_t v;
    if (!nodesconf_number(arg->p, arg->n, INT64_MAX, &v)) {
        return nodesconf_refuse(p, "%s '%.*s' is not a time in milliseconds", what,
                                nodesconf_clip(arg->n), arg->p);
    }
    *time_ms = v == 0 ? 0 : p->now_ms;
    return true;
}

static bool slot_number(struct nodesconf *p, const char *text, size_t n, uint16_t *slot)
{
    uint64_t v;
    if (!nodesconf_number(text, n, HS_SLOTS - 1, &v))
        return nodesconf_refuse(p, "'%.*s' is not a slot (0 to 16383)", nodesconf_clip(n), text);
    *slot = (uint16_t)v;
    return true;
}

/* n or a-b. A slot that a line above already gave away stays there. */
static bool range_item(struct nodesconf *p, const struct hs_arg *arg, uint16_t ix)
{
    uint16_t first = 0, last;
    const char *dash = memchr(arg->p, '-', arg->n);
    size_t first_n = dash == NULL ? arg->n : (size_t)(dash - arg->p);
    if (!slot_number(p, arg->p, first_n, &first))
        return false;
    last = first;
    if (dash != NULL && !slot_number(p, dash + 1, arg->n - first_n - 1, &last))
        return false;
    if (last < first)
        return nodesconf_refuse(p, "the slot range %u-%u runs backwards", first, last);
    for (uint32_t slot = first; slot <= last; slot++) {
        if (p->t->owner[slot] == HS_TOPO_NONE) {
            p->t->owner[slot] = ix;
            p->t->nodes[ix].slots_n++;
        }
    }
    return true;
}

/* [slot->-id]: on its way to id. [slot-<-id]: on its way here from id. */
static bool open_item(struct nodesconf *p, const struct hs_arg *arg)
{
    const char *dash = memchr(arg->p, '-', arg->n);
    size_t slot_n = dash == NULL ? 0 : (size_t)(dash - arg->p) - 1;
    size_t left = dash == NULL ? 0 : arg->n - slot_n - 1; /* from the dash on */
    if (left != 3 + HS_ID_LEN + 1 || (dash[1] != '>' && dash[1] != '<') || dash[2] != '-' ||
        dash[left - 1] != ']') {
        return nodesconf_refuse(p, "'%.*s' is neither [slot->-id] nor [slot-<-id]",
                                nodesconf_clip(arg->n), arg->p);
    }
    uint16_t slot = 0;
    if (!slot_number(p, arg->p + 1, slot_n, &slot))
        return false;
    uint16_t node = nodesconf_node(p, &(struct hs_arg){dash + 3, HS_ID_LEN}, "slot's other end");
    if (node == HS_TOPO_NONE)
        return false;
    (dash[1] == '>' ? p->migrating : p->importing)[slot] = node;
    return true;
}

static bool slot_items(struct nodesconf *p, int args_n, uint16_t ix)
{
    for (int i = NODESCONF_FIELDS; i < args_n; i++) {
        const struct hs_arg *arg = &p->args[i];
        bool open = arg->n > 0 && arg->p[0] == '[';
        if (open ? !open_item(p, arg) : !range_item(p, arg, ix))
            return false;
    }
    return true;
}

static bool link_field(struct nodesconf *p, const struct hs_arg *arg)
{
    /* Said when it was written, so it means nothing now; a broken word means
     * that the line is broken. */
    if ((arg->n == 9 && memcmp(arg->p, "connected", 9) == 0) ||
        (arg->n == 12 && memcmp(arg->p, "disconnected", 12) == 0))
        return true;
    return nodesconf_refuse(p, "'%.*s' is neither connected nor disconnected",
                            nodesconf_clip(arg->n), arg->p);
}

static bool claim_line(struct nodesconf *p, uint16_t ix)
{
    if (p->line_seen[ix])
        return nodesconf_refuse(p, "node %.40s has a line already", p->t->nodes[ix].id.hex);
    p->line_seen[ix] = true;
    return true;
}

static bool claim_myself(struct nodesconf *p, uint16_t ix)
{
    if ((p->t->nodes[ix].flags & HS_NODE_MYSELF) == 0)
        return true;
    if (p->myself != HS_TOPO_NONE)
        return nodesconf_refuse(p, "a second line has the flag 'myself'");
    p->myself = ix;
    return true;
}

bool nodesconf_node_line(struct nodesconf *p, int args_n)
{
    const struct hs_arg *args = p->args;
    if (args_n < NODESCONF_FIELDS) {
        return nodesconf_refuse(p, "%d fields; a node's line has at least %d", args_n,
                                NODESCONF_FIELDS);
    }
    uint16_t ix = nodesconf_node(p, &args[0], "id");
    if (ix == HS_TOPO_NONE)
        return false;
    struct hs_topo_node *node = &p->t->nodes[ix];
    if (!claim_line(p, ix) || !nodesconf_address(p, &args[1], node) ||
        !flags_field(p, &args[2], &node->flags) || !claim_myself(p, ix) ||
        !master_field(p, &args[3], ix) ||
        !time_field(p, &args[4], "ping-sent", &node->ping_sent_ms) ||
        !time_field(p, &args[5], "pong-received", &node->pong_received_ms))
        return false;
    if (!nodesconf_number(args[6].p, args[6].n, UINT64_MAX, &node->config_epoch))
        return nodesconf_refuse(p, "'%.*s' is not an epoch", nodesconf_clip(args[6].n), args[6].p);
    return link_field(p, &args[7]) && slot_items(p, args_n, ix);
}
