/* table.c - every command this port knows, apart from those on keys
 * (table_data.c), and how a name is found.
 *
 * Both tables are in the order of names, so a name is found by halving; the
 * unit tests check the order. */
#include "admin_int.h"

#include <stdlib.h>

#define CMD(name, arity, flags, group, since, summary, run) \
    { \
        name, arity, flags, 0, 0, 0, 0, group, since, summary, run, NULL \
    }
#define CMD_SUBS(name, arity, flags, group, since, summary, run, subs) \
    { \
        name, arity, flags, 0, 0, 0, 0, group, since, summary, run, subs \
    }

const struct admin_cmd admin_cluster_subs[] = {
    CMD("addslots", -3, ADMIN | STALE, "cluster", "3.0.0", "<slot> [<slot> ...]: takes slots",
        admin_cluster_addslots),
    CMD("addslotsrange", -4, ADMIN | STALE, "cluster", "7.0.0",
        "<first> <last> [<first> <last> ...]: takes ranges of slots", admin_cluster_addslotsrange),
    CMD("bumpepoch", 2, ADMIN | STALE, "cluster", "3.0.0", ": raises the config epoch of this node",
        admin_cluster_bumpepoch),
    CMD("count-failure-reports", 3, ADMIN | STALE, "cluster", "3.0.0",
        "<node>: how many masters report it as failing", admin_cluster_count_reports),
    CMD("countkeysinslot", 3, STALE, "cluster", "3.0.0", "<slot>: how many keys it has: none",
        admin_cluster_countkeysinslot),
    CMD("delslots", -3, ADMIN | STALE, "cluster", "3.0.0",
        "<slot> [<slot> ...]: forgets who owns slots", admin_cluster_addslots),
    CMD("delslotsrange", -4, ADMIN | STALE, "cluster", "7.0.0",
        "<first> <last> [<first> <last> ...]: forgets who owns ranges",
        admin_cluster_addslotsrange),
    CMD("failover", -2, ADMIN | STALE, "cluster", "3.0.0",
        "[FORCE|TAKEOVER]: this replica takes its master's place", admin_cluster_failover),
    CMD("flushslots", 2, ADMIN | STALE, "cluster", "3.0.0", ": gives up all slots of this node",
        admin_cluster_flushslots),
    CMD("forget", 3, ADMIN | STALE, "cluster", "3.0.0", "<node>: removes a node",
        admin_cluster_forget),
    CMD("getkeysinslot", 4, STALE, "cluster", "3.0.0", "<slot> <count>: its keys: none",
        admin_cluster_getkeysinslot),
    CMD("help", 2, STALE, "cluster", "5.0.0", ": this text", admin_cluster_help),
    CMD("info", 2, STALE, "cluster", "3.0.0", ": state, slots, epochs, messages",
        admin_cluster_info),
    CMD("keyslot", 3, STALE, "cluster", "3.0.0", "<key>: the slot of a key", admin_cluster_keyslot),
    CMD("links", 2, STALE, "cluster", "7.0.0", ": the bus connections", admin_cluster_links),
    CMD("meet", -4, ADMIN | STALE, "cluster", "3.0.0",
        "<ip> <port> [<bus-port>]: makes contact with a node", admin_cluster_meet),
    CMD("myid", 2, STALE, "cluster", "3.0.0", ": the id of this node", admin_cluster_myid),
    CMD("myshardid", 2, STALE, "cluster", "7.2.0", ": the shard id of this node",
        admin_cluster_myshardid),
    CMD("nodes", 2, STALE, "cluster", "3.0.0", ": all nodes, one per line", admin_cluster_nodes),
    CMD("replicas", 3, STALE, "cluster", "5.0.0", "<node>: the replicas of a master",
        admin_cluster_replicas),
    CMD("replicate", 3, ADMIN | STALE, "cluster", "3.0.0",
        "<node>: becomes a replica of that master", admin_cluster_replicate),
    CMD("reset", -2, ADMIN | STALE, "cluster", "3.0.0", "[HARD|SOFT]: forgets the cluster",
        admin_cluster_reset),
    CMD("saveconfig", 2, ADMIN | STALE, "cluster", "3.0.0", ": writes nodes.conf",
        admin_cluster_saveconfig),
    CMD("set-config-epoch", 3, ADMIN | STALE, "cluster", "3.0.0",
        "<epoch>: sets the config epoch of a node that knows no other",
        admin_cluster_set_config_epoch),
    CMD("setslot", -4, ADMIN | STALE, "cluster", "3.0.0",
        "<slot> MIGRATING|IMPORTING|NODE <node>, or STABLE: moves a slot", admin_cluster_setslot),
    CMD("shards", 2, STALE, "cluster", "7.0.0", ": slots and nodes by shard", admin_cluster_shards),
    CMD("slaves", 3, STALE, "cluster", "3.0.0", "<node>: as REPLICAS", admin_cluster_replicas),
    CMD("slot-stats", -4, STALE, "cluster", "8.0.0",
        "SLOTSRANGE <first> <last>, or ORDERBY key-count [LIMIT <n>] [ASC|DESC]: keys per slot",
        admin_cluster_slot_stats),
    CMD("slots", 2, STALE, "cluster", "3.0.0", ": who serves which slots", admin_cluster_slots),
    {0},
};

const struct admin_cmd admin_client_subs[] = {
    CMD("getname", 2, NOSCRIPT | LOADING | STALE, "connection", "2.6.9",
        ": the name of this connection", admin_client_getname),
    CMD("help", 2, LOADING | STALE, "connection", "5.0.0", ": this text", admin_client_help),
    CMD("id", 2, NOSCRIPT | LOADING | STALE, "connection", "5.0.0",
        ": the number of this connection", admin_client_id),
    CMD("info", 2, NOSCRIPT | LOADING | STALE, "connection", "6.2.0", ": about this connection",
        admin_client_info),
    CMD("kill", -3, ADMIN | NOSCRIPT | LOADING | STALE, "connection", "2.4.0",
        "<addr>, or [ID|ADDR|LADDR|TYPE|USER|SKIPME <value> ...]: closes connections",
        admin_client_kill),
    CMD("list", -2, ADMIN | NOSCRIPT | LOADING | STALE, "connection", "2.4.0",
        "[TYPE <type>|ID <id> ...]: all connections", admin_client_list),
    CMD("no-evict", 3, ADMIN | NOSCRIPT | LOADING | STALE, "connection", "7.0.0",
        "ON|OFF: remembered, nothing is evicted", admin_client_no_evict),
    CMD("no-touch", 3, NOSCRIPT | LOADING | STALE, "connection", "7.2.0",
        "ON|OFF: remembered, there are no keys", admin_client_no_touch),
    CMD("reply", 3, NOSCRIPT | LOADING | STALE, "connection", "3.2.0",
        "ON|OFF|SKIP: which commands are answered", admin_client_reply),
    CMD("setinfo", 4, NOSCRIPT | LOADING | STALE, "connection", "7.2.0",
        "LIB-NAME|LIB-VER <value>: names the client library", admin_client_setinfo),
    CMD("setname", 3, NOSCRIPT | LOADING | STALE, "connection", "2.6.9",
        "<name>: names this connection", admin_client_setname),
    {0},
};

const struct admin_cmd admin_config_subs[] = {
    CMD("get", -3, ADMIN | NOSCRIPT | LOADING | STALE, "server", "2.0.0",
        "<pattern> [<pattern> ...]: directives and values", admin_config_get),
    CMD("help", 2, LOADING | STALE, "server", "5.0.0", ": this text", admin_config_help),
    CMD("resetstat", 2, ADMIN | NOSCRIPT | LOADING | STALE, "server", "2.0.0",
        ": counters start again", admin_config_resetstat),
    CMD("rewrite", 2, ADMIN | NOSCRIPT | LOADING | STALE, "server", "2.8.0", ": writes the file",
        admin_config_rewrite),
    CMD("set", -4, ADMIN | NOSCRIPT | LOADING | STALE, "server", "2.0.0",
        "<name> <value> [<name> <value> ...]: all or none", admin_config_set),
    {0},
};

const struct admin_cmd admin_command_subs[] = {
    CMD("count", 2, LOADING | STALE, "server", "2.8.13", ": how many there are",
        admin_command_count),
    CMD("docs", -2, LOADING | STALE, "server", "7.0.0", "[<name> ...]: what they do",
        admin_command_docs),
    CMD("getkeys", -3, LOADING | STALE, "server", "2.8.13",
        "<command> [<arg> ...]: the keys among the arguments", admin_command_getkeys),
    CMD("help", 2, LOADING | STALE, "server", "5.0.0", ": this text", admin_command_help),
    CMD("info", -2, LOADING | STALE, "server", "2.8.13", "[<name> ...]: arity, flags, keys",
        admin_command_info),
    CMD("list", -2, LOADING | STALE, "server", "7.0.0",
        "[FILTERBY PATTERN|ACLCAT|MODULE <value>]: names", admin_command_list),
    {0},
};

const struct admin_cmd admin_debug_subs[] = {
    CMD("close-cluster-link-on-packet-drop", 3, ADMIN | NOSCRIPT | LOADING | STALE, "server",
        "7.2.0", "0|1: whether what the filter drops also closes its link",
        admin_debug_drop_closes),
    CMD("clusterlink", 5, ADMIN | NOSCRIPT | LOADING | STALE, "server", "7.2.0",
        "KILL to|from|all <node>: closes bus links", admin_debug_clusterlink),
    CMD("drop-cluster-packet-filter", 3, ADMIN | NOSCRIPT | LOADING | STALE, "server", "7.0.0",
        "<type>: drops received messages of that type; -1 none, -2 all", admin_debug_drop),
    CMD("help", 2, LOADING | STALE, "server", "1.0.0", ": this text", admin_debug_help),
    CMD("log", 3, ADMIN | NOSCRIPT | LOADING | STALE, "server", "3.0.0",
        "<message>: a line in the log", admin_debug_log),
    CMD("sleep", 3, ADMIN | NOSCRIPT | LOADING | STALE, "server", "1.0.0",
        "<seconds>: the state stands still", admin_debug_sleep),
    {0},
};

const struct admin_cmd admin_function_subs[] = {
    CMD("delete", 3, WRITE | NOSCRIPT, "scripting", "7.0.0", "<library>: OK", admin_cmd_ok),
    CMD("flush", -2, WRITE | NOSCRIPT, "scripting", "7.0.0", "[ASYNC|SYNC]: OK", admin_cmd_ok),
    CMD("help", 2, LOADING | STALE, "scripting", "7.0.0", ": this text", admin_function_help),
    CMD("list", -2, NOSCRIPT, "scripting", "7.0.0", "[LIBRARYNAME <pattern>] [WITHCODE]: none",
        admin_cmd_empty),
    CMD("restore", -3, WRITE | NOSCRIPT, "scripting", "7.0.0", "<dump> [FLUSH|APPEND|REPLACE]: OK",
        admin_function_restore),
    {0},
};

const struct admin_cmd admin_hearsay_subs[] = {
    CMD("events", -3, PUBSUB | NOSCRIPT | LOADING | STALE, "hearsay", "7.2.0",
        "ON [<pattern> ...]|OFF: what happens in the cluster, as pushes", admin_hearsay_events),
    CMD("help", 2, LOADING | STALE, "hearsay", "7.2.0", ": this text", admin_hearsay_help),
    CMD("links", 2, LOADING | STALE, "hearsay", "7.2.0",
        ": each peer's answer times, and when it was heard in each direction", admin_hearsay_links),
    CMD("offset", 3, ADMIN | NOSCRIPT | LOADING | STALE, "hearsay", "7.2.0",
        "<n>: the replication offset of the store this node speaks for", admin_hearsay_offset),
    CMD("topology", -3, LOADING | STALE, "hearsay", "7.2.0",
        "HASH, or SINCE <version>: whether views agree, and what changed", admin_hearsay_topology),
    CMD("why", 3, LOADING | STALE, "hearsay", "7.2.0",
        "<node>: who accuses it, what is missing for a verdict, why it is not lifted",
        admin_hearsay_why),
    {0},
};

const struct admin_cmd admin_pubsub_subs[] = {
    CMD("channels", -2, PUBSUB | LOADING | STALE, "pubsub", "2.8.0",
        "[<pattern>]: channels with subscribers", admin_pubsub_channels),
    CMD("help", 2, LOADING | STALE, "pubsub", "6.2.0", ": this text", admin_pubsub_help),
    CMD("numpat", 2, PUBSUB | LOADING | STALE, "pubsub", "2.8.0",
        ": how many subscriptions to patterns", admin_pubsub_numpat),
    CMD("numsub", -2, PUBSUB | LOADING | STALE, "pubsub", "2.8.0",
        "[<channel> ...]: how many subscribers each has", admin_pubsub_numsub),
    CMD("shardchannels", -2, PUBSUB | LOADING | STALE, "pubsub", "7.0.0",
        "[<pattern>]: shard channels with subscribers", admin_pubsub_channels),
    CMD("shardnumsub", -2, PUBSUB | LOADING | STALE, "pubsub", "7.0.0",
        "[<channel> ...]: how many subscribers each has", admin_pubsub_numsub),
    {0},
};

enum { LISTEN = PUBSUB | NOSCRIPT | LOADING | STALE | SUBSCRIBED };

static const struct admin_cmd table[] = {
    CMD("asking", 1, FAST, "cluster", "3.0.0",
        "Serves the next command although its slot is only being imported", admin_cmd_asking),
    CMD("auth", -2, FAST | NOAUTH | LOADING | STALE, "connection", "1.0.0", "Says the password",
        admin_cmd_auth),
    CMD_SUBS("client", -2, 0, "connection", "2.4.0", "About client connections", NULL,
             admin_client_subs),
    CMD_SUBS("cluster", -2, 0, "cluster", "3.0.0", "About the cluster", NULL, admin_cluster_subs),
    CMD_SUBS("command", -1, LOADING | STALE, "server", "2.8.13", "About the commands",
             admin_command_all, admin_command_subs),
    CMD_SUBS("config", -2, 0, "server", "2.0.0", "About directives", NULL, admin_config_subs),
    CMD("dbsize", 1, READ | FAST, "server", "1.0.0", "The number of keys: none", admin_cmd_zero),
    CMD_SUBS("debug", -2, ADMIN | NOSCRIPT | LOADING | STALE, "server", "1.0.0", "For tests", NULL,
             admin_debug_subs),
    CMD("discard", 1, FAST | NOSCRIPT | LOADING | STALE | ATONCE, "transactions", "2.0.0",
        "Drops the transaction", admin_cmd_discard),
    CMD("echo", 2, FAST | LOADING | STALE, "connection", "1.0.0", "Returns its argument",
        admin_cmd_echo),
    CMD("exec", 1, NOSCRIPT | LOADING | STALE | ATONCE, "transactions", "1.2.0",
        "Runs the transaction", admin_cmd_exec),
    CMD("failover", -1, ADMIN | NOSCRIPT | STALE, "server", "6.2.0",
        "Not in a cluster: see CLUSTER FAILOVER", admin_cmd_refused),
    CMD("flushall", -1, WRITE, "server", "1.0.0", "Does nothing: there are no keys",
        admin_cmd_flush),
    CMD("flushdb", -1, WRITE, "server", "1.0.0", "Does nothing: there are no keys",
        admin_cmd_flush),
    CMD_SUBS("function", -2, 0, "scripting", "7.0.0",
             "Accepted for tools that copy functions: none are kept", NULL, admin_function_subs),
    CMD_SUBS("hearsay", -2, 0, "hearsay", "7.2.0", "What stock servers do not have", NULL,
             admin_hearsay_subs),
    CMD("hello", -1, FAST | NOAUTH | LOADING | STALE, "connection", "6.0.0",
        "Chooses the protocol, says the password", admin_cmd_hello),
    CMD("info", -1, LOADING | STALE, "server", "1.0.0", "The state of this server", admin_cmd_info),
    CMD("keys", 2, READ, "generic", "1.0.0", "No keys", admin_cmd_empty),
    CMD("lastsave", 1, FAST | LOADING | STALE, "server", "1.0.0", "Zero: no data is saved",
        admin_cmd_zero),
    CMD("migrate", -6, WRITE, "generic", "2.6.0", "Finds no key to move", admin_cmd_migrate),
    CMD("multi", 1, FAST | NOSCRIPT | LOADING | STALE | ATONCE, "transactions", "1.2.0",
        "Starts a transaction", admin_cmd_multi),
    CMD("ping", -1, FAST | SUBSCRIBED, "connection", "1.0.0", "Says that the server is there",
        admin_cmd_ping),
    CMD("psubscribe", -2, LISTEN, "pubsub", "2.0.0", "Listens to channels by pattern",
        admin_cmd_subscribe),
    CMD("publish", 3, PUBSUB | FAST | LOADING | STALE, "pubsub", "2.0.0",
        "Sends a message to a channel's subscribers on all nodes", admin_cmd_publish),
    CMD_SUBS("pubsub", -2, 0, "pubsub", "2.8.0", "About channels", NULL, admin_pubsub_subs),
    CMD("punsubscribe", -1, LISTEN, "pubsub", "2.0.0", "Ends PSUBSCRIBE", admin_cmd_unsubscribe),
    CMD("quit", -1, FAST | NOAUTH | LOADING | STALE | ATONCE | SUBSCRIBED, "connection", "1.0.0",
        "Closes the connection", admin_cmd_quit),
    CMD("randomkey", 1, READ, "generic", "1.0.0", "No key", admin_cmd_null),
    CMD("readonly", 1, FAST | LOADING | STALE, "cluster", "3.0.0", "Allows reads from a replica",
        admin_cmd_readonly),
    CMD("readwrite", 1, FAST | LOADING | STALE, "cluster", "3.0.0", "Ends READONLY",
        admin_cmd_readonly),
    CMD("replicaof", 3, ADMIN | NOSCRIPT | STALE, "server", "5.0.0",
        "Not in a cluster: see CLUSTER REPLICATE", admin_cmd_refused),
    CMD("reset", 1, FAST | NOAUTH | LOADING | STALE | ATONCE | SUBSCRIBED, "connection", "6.2.0",
        "Makes the connection as new", admin_cmd_reset),
    CMD("role", 1, FAST | LOADING | STALE, "server", "2.8.12", "Master or replica", admin_cmd_role),
    CMD("scan", -2, READ, "generic", "2.8.0", "No keys", admin_cmd_scan),
    CMD("select", 2, FAST | LOADING | STALE, "connection", "1.0.0", "Database 0, the only one",
        admin_cmd_select),
    CMD("shutdown", -1, ADMIN | NOSCRIPT | LOADING | STALE | NOMULTI, "server", "1.0.0",
        "Stops the server", admin_cmd_shutdown),
    CMD("slaveof", 3, ADMIN | NOSCRIPT | STALE, "server", "1.0.0",
        "Not in a cluster: see CLUSTER REPLICATE", admin_cmd_refused),
    {"spublish", 3, PUBSUB | FAST | LOADING | STALE, 1, 1, 1, 0, "pubsub", "7.0.0",
     "Sends a message to a shard channel's subscribers", admin_cmd_publish, NULL},
    {"ssubscribe", -2, LISTEN, 1, -1, 1, 0, "pubsub", "7.0.0", "Listens to shard channels",
     admin_cmd_subscribe, NULL},
    CMD("subscribe", -2, LISTEN, "pubsub", "2.0.0", "Listens to channels", admin_cmd_subscribe),
    {"sunsubscribe", -1, LISTEN, 1, -1, 1, 0, "pubsub", "7.0.0", "Ends SSUBSCRIBE",
     admin_cmd_unsubscribe, NULL},
    CMD("swapdb", 3, WRITE | FAST, "server", "4.0.0", "Not in a cluster", admin_cmd_refused),
    CMD("time", 1, FAST | LOADING | STALE, "server", "2.6.0", "The server's clock", admin_cmd_time),
    CMD("unsubscribe", -1, LISTEN, "pubsub", "2.0.0", "Ends SUBSCRIBE", admin_cmd_unsubscribe),
    CMD("unwatch", 1, FAST | NOSCRIPT | LOADING | STALE, "transactions", "2.2.0", "Watches no keys",
        admin_cmd_ok),
    CMD("wait", 3, BLOCK, "generic", "3.0.0", "No replica has data to acknowledge", admin_cmd_zero),
    {"watch", -2, FAST | NOSCRIPT | LOADING | STALE | ATONCE, 1, -1, 1, 0, "transactions", "2.2.0",
     "A command on keys", admin_cmd_watch, NULL},
};

enum { TABLE_N = sizeof(table) / sizeof(table[0]) };

static int compare(const struct hs_arg *name, const char *other)
{
    size_t n = strlen(other);
    size_t common = name->n < n ? name->n : n;
    int order = strncasecmp(name->p, other, common);
    if (order != 0)
        return order;
    return name->n < n ? -1 : name->n > n;
}

static int by_name(const void *name, const void *cmd)
{
    return compare(name, ((const struct admin_cmd *)cmd)->name);
}

bool admin_is_named(const struct admin_cmd *cmd, const struct hs_arg *name)
{
    return compare(name, cmd->name) == 0;
}

const struct admin_cmd *admin_find(const struct hs_arg *name)
{
    const struct admin_cmd *own = bsearch(name, table, TABLE_N, sizeof(table[0]), by_name);
    if (own != NULL)
        return own;
    return bsearch(name, admin_table_data, admin_table_data_n, sizeof(table[0]), by_name);
}

const struct admin_cmd *admin_find_sub(const struct admin_cmd *cmd, const struct hs_arg *name)
{
    for (const struct admin_cmd *s = cmd->subs; s->name != NULL; s++)
        if (admin_is_named(s, name))
            return s;
    return NULL;
}

size_t admin_commands_n(void)
{
    return TABLE_N + admin_table_data_n;
}

const struct admin_cmd *admin_command(size_t i)
{
    return i < TABLE_N ? &table[i] : &admin_table_data[i - TABLE_N];
}

size_t admin_command_ix(const struct admin_cmd *cmd)
{
    bool is_own = cmd >= table && cmd < table + TABLE_N;
    return is_own ? (size_t)(cmd - table) : TABLE_N + (size_t)(cmd - admin_table_data);
}

static void upper(const char *name, char *buf, size_t n)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t i = 0;
    for (; name[i] != '\0' && i < n - 1; i++) {
        buf[i] = name[i];
        if (name[i] >= 'a' && name[i] <= 'z')
            buf[i] = letters[name[i] - 'a'];
    }
    buf[i] = '\0';
}

void admin_help(struct call *c, const char *name, const struct admin_cmd *subs)
{
    char line[256];
    char word[64];
    size_t n = 1;
    for (const struct admin_cmd *s = subs; s->name != NULL; s++)
        n++;
    hs_resp_array(c->out, n);
    snprintf(line, sizeof(line), "%s <subcommand> [<arg> ...]. Subcommands are:", name);
    hs_resp_simple(c->out, line);
    for (const struct admin_cmd *s = subs; s->name != NULL; s++) {
        upper(s->name, word, sizeof(word));
        snprintf(line, sizeof(line), "%s%s%s", word, s->summary[0] == ':' ? "" : " ", s->summary);
        hs_resp_simple(c->out, line);
    }
}
