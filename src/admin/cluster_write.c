/* cluster_write.c - CLUSTER subcommands that change something.
 *
 * The arguments are checked here as far as they can be without the state; the
 * owner decides the rest, and its verdict becomes the stock server's words. */
#include "admin_int.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>

/* What the owner said, as an error; text is the argument in question. */
static void put_verdict(struct session *s, const struct admin_request *r)
{
    long long number = (long long)r->base.number;
    switch (r->base.err) {
    case HS_CMD_ERR_SLOT_BUSY:
        admin_error(s, "ERR Slot %lld is already busy", number);
        return;
    case HS_CMD_ERR_SLOT_UNASSIGNED:
        admin_error(s, "ERR Slot %lld is already unassigned", number);
        return;
    case HS_CMD_ERR_SLOT_TWICE:
        admin_error(s, "ERR Slot %lld specified multiple times", number);
        return;
    case HS_CMD_ERR_NOT_OWNER:
        admin_error(s, "ERR I'm not the owner of hash slot %lld", number);
        return;
    case HS_CMD_ERR_ALREADY_OWNER:
        admin_error(s, "ERR I'm already the owner of hash slot %lld", number);
        return;
    case HS_CMD_ERR_BAD_SLOT: /* text is the whole sentence if it is not the usual one */
        admin_error(s, "ERR %s", r->text[0] != '\0' ? r->text : "Invalid or out of range slot");
        return;
    case HS_CMD_ERR_UNKNOWN_NODE:
        admin_error(s, "ERR Unknown node %s", r->text);
        return;
    case HS_CMD_ERR_DONT_KNOW_NODE:
        admin_error(s, "ERR I don't know about node %s", r->text);
        return;
    case HS_CMD_ERR_BAD_ADDRESS:
        admin_error(s, "ERR Invalid node address specified: %s", r->text);
        return;
    default:
        break;
    }
    static const char *const texts[] = {
        [HS_CMD_ERR_TARGET_NOT_MASTER] = "Target node is not a master",
        [HS_CMD_ERR_NOT_MASTER] = "Please use SETSLOT only with masters.",
        [HS_CMD_ERR_FORGET_MYSELF] = "I tried hard but I can't forget myself...",
        [HS_CMD_ERR_FORGET_MASTER] = "Can't forget my master!",
        [HS_CMD_ERR_REPLICATE_MYSELF] = "Can't replicate myself",
        [HS_CMD_ERR_REPLICATE_REPLICA] = "I can only replicate a master, not a replica.",
        [HS_CMD_ERR_NOT_EMPTY] =
            "To set a master the node must be empty and without assigned slots.",
        [HS_CMD_ERR_EPOCH_KNOWN_NODES] =
            ("The user can assign a config epoch only when the node does not know any "
             "other node."),
        [HS_CMD_ERR_EPOCH_SET] = "Node config epoch is already non-zero",
        [HS_CMD_ERR_FAILOVER_ON_MASTER] = "You should send CLUSTER FAILOVER to a replica",
        [HS_CMD_ERR_MASTER_UNKNOWN] = "I'm a replica but my master is unknown to me",
        [HS_CMD_ERR_MASTER_DOWN] = "Master is down or failed, please use CLUSTER FAILOVER FORCE",
        [HS_CMD_ERR_SAVES_WAITING] = "Too many SAVECONFIG wait for the disk",
        [HS_CMD_ERR_TABLE_FULL] =
            "The table of nodes is full: FORGET what is gone, or raise cluster-nodes-max",
    };
    bool known = r->base.err < sizeof(texts) / sizeof(texts[0]) && texts[r->base.err] != NULL;
    admin_error(s, "ERR %s", known ? texts[r->base.err] : "The command was refused");
}

static void answer_ok(struct hs_resp_sink *out, struct session *s, struct admin_request *r)
{
    if (r->base.err == HS_CMD_OK)
        hs_resp_simple(out, "OK");
    else
        put_verdict(s, r);
}

static void answer_number(struct hs_resp_sink *out, struct session *s, struct admin_request *r)
{
    if (r->base.err == HS_CMD_OK)
        hs_resp_int(out, r->base.number);
    else
        put_verdict(s, r);
}

static void answer_bump(struct hs_resp_sink *out, struct session *s, struct admin_request *r)
{
    char text[64];
    if (r->base.err != HS_CMD_OK && r->base.err != HS_CMD_ERR_STILL) {
        put_verdict(s, r);
        return;
    }
    snprintf(text, sizeof(text), "%s %" PRId64, r->base.err == HS_CMD_OK ? "BUMPED" : "STILL",
             r->base.number);
    hs_resp_simple(out, text);
}

static struct admin_request *command(struct call *c, enum hs_cmd_type type)
{
    struct admin_request *r = admin_request_new(c, HS_REQ_COMMAND);
    if (r != NULL) {
        r->base.cmd.type = type;
        r->answer = answer_ok;
    }
    return r;
}

/* The id as the owner gets it; an argument that is none names no node: ids have
 * no capital letters. The text keeps what the client wrote. */
static void take_id(struct admin_request *r, const struct hs_arg *a)
{
    memset(r->base.cmd.id.hex, 'X', HS_ID_LEN);
    if (a->n == HS_ID_LEN)
        memcpy(r->base.cmd.id.hex, a->p, HS_ID_LEN);
    admin_arg_text(a, r->text, sizeof(r->text));
}

static struct admin_request *command_about(struct call *c, enum hs_cmd_type type,
                                           const struct hs_arg *id)
{
    struct admin_request *r = command(c, type);
    if (r != NULL)
        take_id(r, id);
    return r;
}

static bool is_numeric_ip(const char *ip)
{
    unsigned char addr[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, ip, addr) == 1 || inet_pton(AF_INET6, ip, addr) == 1;
}

static bool is_port(int64_t v)
{
    return v > 0 && v <= UINT16_MAX;
}

void admin_cluster_meet(struct call *c)
{
    enum { BUS_PORT_OFFSET = 10000 };
    char word[64];
    char ip[HS_IP_LEN];
    int64_t port;
    int64_t cport;
    if (c->argc > 5) {
        admin_sub_syntax(c);
        return;
    }
    if (!admin_arg_int(&c->argv[3], &port)) {
        admin_error(c->s, "ERR Invalid base port specified: %s",
                    admin_arg_text(&c->argv[3], word, sizeof(word)));
        return;
    }
    cport = is_port(port) ? port + BUS_PORT_OFFSET : 0;
    if (c->argc == 5 && !admin_arg_int(&c->argv[4], &cport)) {
        admin_error(c->s, "ERR Invalid bus port specified: %s",
                    admin_arg_text(&c->argv[4], word, sizeof(word)));
        return;
    }
    admin_arg_text(&c->argv[2], ip, sizeof(ip));
    if (c->argv[2].n >= sizeof(ip) || !is_numeric_ip(ip) || !is_port(port) || !is_port(cport)) {
        char host[300];
        admin_error(c->s, "ERR Invalid node address specified: %s:%s",
                    admin_arg_text(&c->argv[2], host, sizeof(host)),
                    admin_arg_text(&c->argv[3], word, sizeof(word)));
        return;
    }
    struct admin_request *r = command(c, HS_CMD_MEET);
    if (r == NULL)
        return;
    memcpy(r->base.cmd.ip, ip, sizeof(ip));
    r->base.cmd.port = (uint16_t)port;
    r->base.cmd.cport = (uint16_t)cport;
    snprintf(r->text, sizeof(r->text), "%s:%u", ip, (unsigned)port);
}

/* The command over ranges of slots, with room for n of them. */
static struct admin_request *command_ranges(struct call *c, size_t n, bool del)
{
    struct admin_request *r = command(c, del ? HS_CMD_DELSLOTS : HS_CMD_ADDSLOTS);
    if (r == NULL)
        return NULL;
    r->ranges = hs_alloc(n * sizeof(*r->ranges));
    if (r->ranges == NULL) {
        c->s->request = NULL;
        admin_request_free(r);
        admin_error(c->s, "ERR out of memory");
        return NULL;
    }
    r->base.cmd.ranges = r->ranges;
    return r;
}

/* Appends a range, or notes that what came was none. */
static bool add_range(struct admin_request *r, const struct hs_arg *first,
                      const struct hs_arg *last)
{
    struct hs_slot_range range;
    r->base.cmd.ranges_bad = true;
    if (!admin_arg_slot(first, &range.first) || !admin_arg_slot(last, &range.last))
        return false;
    if (range.first > range.last) {
        snprintf(r->text, sizeof(r->text),
                 "start slot number %u is greater than end slot number %u", range.first,
                 range.last);
        return false;
    }
    r->base.cmd.ranges_bad = false;
    r->ranges[r->base.cmd.ranges_n++] = range;
    return true;
}

static bool is_del(const struct call *c)
{
    return c->cmd->name[0] == 'd';
}

void admin_cluster_addslots(struct call *c)
{
    struct admin_request *r = command_ranges(c, c->argc - 2, is_del(c));
    if (r == NULL)
        return;
    for (size_t i = 2; i < c->argc; i++)
        if (!add_range(r, &c->argv[i], &c->argv[i]))
            break;
}

void admin_cluster_addslotsrange(struct call *c)
{
    if (c->argc % 2 != 0) {
        admin_wrong_arity(c);
        return;
    }
    struct admin_request *r = command_ranges(c, (c->argc - 2) / 2, is_del(c));
    if (r == NULL)
        return;
    for (size_t i = 2; i < c->argc; i += 2)
        if (!add_range(r, &c->argv[i], &c->argv[i + 1]))
            break;
}

void admin_cluster_flushslots(struct call *c)
{
    command(c, HS_CMD_FLUSHSLOTS);
}

void admin_cluster_setslot(struct call *c)
{
    static const struct {
        const char *word;
        size_t argc;
        enum hs_cmd_type type;
    } actions[] = {
        {"migrating", 5, HS_CMD_SETSLOT_MIGRATING},
        {"importing", 5, HS_CMD_SETSLOT_IMPORTING},
        {"stable", 4, HS_CMD_SETSLOT_STABLE},
        {"node", 5, HS_CMD_SETSLOT_NODE},
    };
    uint16_t slot;
    if ((c->view->topo->nodes[0].flags & HS_NODE_SLAVE) != 0) {
        admin_error(c->s, "ERR Please use SETSLOT only with masters.");
        return;
    }
    if (!admin_arg_slot(&c->argv[2], &slot)) {
        admin_error(c->s, "ERR Invalid or out of range slot");
        return;
    }
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (c->argc != actions[i].argc || !admin_arg_is(&c->argv[3], actions[i].word))
            continue;
        struct admin_request *r = command(c, actions[i].type);
        if (r != NULL && c->argc == 5)
            take_id(r, &c->argv[4]);
        if (r != NULL)
            r->base.cmd.slot = slot;
        return;
    }
    admin_error(c->s,
                "ERR Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP");
}

void admin_cluster_forget(struct call *c)
{
    command_about(c, HS_CMD_FORGET, &c->argv[2]);
}

void admin_cluster_replicate(struct call *c)
{
    command_about(c, HS_CMD_REPLICATE, &c->argv[2]);
}

void admin_cluster_count_reports(struct call *c)
{
    struct admin_request *r = command_about(c, HS_CMD_COUNT_REPORTS, &c->argv[2]);
    if (r != NULL)
        r->answer = answer_number;
}

void admin_cluster_failover(struct call *c)
{
    enum hs_failover how = HS_FAILOVER_DEFAULT;
    if (c->argc > 3) {
        admin_sub_syntax(c);
        return;
    }
    if (c->argc == 3 && admin_arg_is(&c->argv[2], "force")) {
        how = HS_FAILOVER_FORCE;
    } else if (c->argc == 3 && admin_arg_is(&c->argv[2], "takeover")) {
        how = HS_FAILOVER_TAKEOVER;
    } else if (c->argc == 3) {
        admin_syntax(c);
        return;
    }
    struct admin_request *r = command(c, HS_CMD_FAILOVER);
    if (r != NULL)
        r->base.cmd.failover = how;
}

static bool random_id(char id[HS_ID_LEN])
{
    uint8_t bytes[HS_ID_LEN / 2];
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return false;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        id[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        id[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    return true;
}

void admin_cluster_reset(struct call *c)
{
    bool hard = c->argc == 3 && admin_arg_is(&c->argv[2], "hard");
    if (c->argc > 3) {
        admin_sub_syntax(c);
        return;
    }
    if (c->argc == 3 && !hard && !admin_arg_is(&c->argv[2], "soft")) {
        admin_syntax(c);
        return;
    }
    struct hs_node_id id;
    char shard_id[HS_ID_LEN];
    if (!random_id(id.hex) || !random_id(shard_id)) {
        admin_error(c->s, "ERR no random bytes for a new id");
        return;
    }
    struct admin_request *r = command(c, HS_CMD_RESET);
    if (r == NULL)
        return;
    r->base.cmd.hard = hard;
    r->base.cmd.id = id;
    memcpy(r->base.cmd.shard_id, shard_id, HS_ID_LEN);
}

void admin_cluster_saveconfig(struct call *c)
{
    command(c, HS_CMD_SAVECONFIG);
}

void admin_cluster_set_config_epoch(struct call *c)
{
    int64_t epoch;
    if (!admin_call_int(c, &c->argv[2], &epoch))
        return;
    if (epoch < 0) {
        admin_error(c->s, "ERR Invalid config epoch specified: %" PRId64, epoch);
        return;
    }
    struct admin_request *r = command(c, HS_CMD_SET_CONFIG_EPOCH);
    if (r != NULL)
        r->base.cmd.epoch = epoch;
}

void admin_cluster_bumpepoch(struct call *c)
{
    struct admin_request *r = command(c, HS_CMD_BUMPEPOCH);
    if (r != NULL)
        r->answer = answer_bump;
}
