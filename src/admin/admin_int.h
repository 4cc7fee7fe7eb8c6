/* admin_int.h - what the files of the client port share.
 *
 * A session parses commands and dispatches each through one table to a handler.
 * The handler gets a struct call: the arguments, the published view (valid for
 * that call only), and a sink for its reply.
 *
 * Length: one place to look up what the room's files share, as in the core's. */
#ifndef HEARSAY_ADMIN_INT_H
#define HEARSAY_ADMIN_INT_H

#include "channels.h"
#include "cmdstats.h"

#include "hearsay/admin.h"
#include "hearsay/resp.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    ADMIN_NAME_MAX = 256,                /* client and library names; longer ones are refused */
    ADMIN_QUEUE_MAX = 1024,              /* commands between MULTI and EXEC */
    ADMIN_QUEUE_BYTES_MAX = 1024 * 1024, /* and their arguments; past either: aborted */
    ADMIN_SUBSCRIPTIONS_MAX = 100000,    /* of one client; one more is refused */
};

/* Flags of commands. */
enum {
    WRITE = 1,
    READ = 2,
    OOM = 4,
    FAST = 8,
    BLOCK = 16,
    NOSCRIPT = 32,
    MOVABLE = 64,
    ADMIN = 128,
    LOADING = 256,
    STALE = 512,
    NOAUTH = 1024,  /* allowed before AUTH */
    STREAMS = 2048, /* keys are the first half of what follows STREAMS */
    STORE = 4096,   /* an option STORE or STOREDIST names one more key */
    NOMULTI = 8192, /* refused between MULTI and EXEC */
    ATONCE = 16384, /* runs between MULTI and EXEC instead of being queued */
    PUBSUB = 32768,
    SUBSCRIBED = 65536, /* allowed to a RESP2 client that has subscriptions */
};

struct call;

struct admin_cmd {
    const char *name;
    int arity; /* with the name; negative: at least */
    uint32_t flags;
    int first, last, step; /* keys by position; last < 0 counts from the end */
    int numkeys;           /* which argument counts the keys after it, 0 for none */
    const char *group, *since, *summary;
    void (*run)(struct call *c);
    const struct admin_cmd *subs; /* by name, ended by a NULL name */
};

/* ---- growing text ---- */

struct text {
    char *p;
    size_t n, cap;
    bool failed; /* out of memory: what is there is incomplete */
};

void admin_text_put(struct text *t, const void *p, size_t n);
void admin_text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void admin_text_free(struct text *t);
struct hs_resp_sink admin_text_sink(struct text *t, int proto);

/* ---- state ---- */

/* Replies that are formatted once per published version. */
enum render { RENDER_NODES, RENDER_SLOTS, RENDER_SHARDS, RENDERS };
enum { RENDER_FORMS = 8 }; /* RESP2 or RESP3, without or with TLS, for IPv4 or IPv6 */

/* One of them. The reactor has a reference to the newest of each kind; older ones
 * live on while clients have not read them. */
struct rendering {
    struct hs_shared shared; /* first: what net gives back */
    struct reactor *reactor;
    struct rendering *newer; /* among the superseded */
    struct text text;
    uint64_t version;
    bool is_superseded; /* on its reactor's list */
};

/* What one reactor's thread owns; others only read the counters. */
struct reactor {
    alignas(64) struct rendering *rendered[RENDERS][RENDER_FORMS];
    struct rendering *oldest;      /* superseded, and not read yet by somebody */
    _Atomic uint64_t pinned_bytes; /* memory of these */
    _Atomic uint64_t readers_cut;  /* clients closed so that it could be given back */
    _Atomic uint64_t commands, bytes_in, connections, renders;
    _Atomic uint64_t errors[HS_ADMIN_ERROR_CODES];
    struct cmdstat *stats;                       /* per command, then per subcommand */
    uint32_t *stats_subs;                        /* per command: where its subcommands' begin */
    _Atomic uint64_t events_lost, events_forged; /* not delivered: too old; not ours */
    uint64_t events_seen;                        /* the last one delivered */
    struct channels channels;
    uint64_t slots_seen;     /* the topology by which shard channels were last judged */
    atomic_bool kills;       /* some of its sessions are to be closed */
    int64_t browser_told_ms; /* when the log last told of one; 0 for never */
};

struct hs_admin {
    struct hs_admin_conf conf;
    struct reactor *reactors;
    char run_id[HS_ID_LEN + 1];
    _Atomic uint64_t next_client_id;
    /* Sessions of all reactors, for CLIENT LIST and KILL. The lock is taken when
     * a client comes, goes or is named, never for an ordinary command. */
    struct hs_lock *clients_lock;
    struct session *clients;
    uint32_t clients_n;
    /* What is subscribed to on all reactors, for PUBSUB; under its own lock, taken
     * with every subscription and never for a message. */
    struct hs_lock *directory_lock;
    struct channels directory;
};

enum reply_mode { REPLY_ON, REPLY_OFF, REPLY_SKIP_NEXT, REPLY_SKIP };

struct queued; /* a command between MULTI and EXEC */

struct session {
    struct hs_admin *admin;
    struct reactor *reactor;
    struct hs_client_info info;
    struct session *prev, *next; /* under clients_lock */
    struct hs_resp_parser parser;
    struct hs_outbuf *out; /* only while a call from net lasts */
    struct hs_resp_sink sink;
    uint64_t id;
    int64_t created_ms;
    bool authenticated, readonly, asking, closing;
    bool erred; /* the command being carried out was answered with an error */
    enum reply_mode reply;
    /* MULTI */
    bool multi, multi_failed;
    struct queued *queue, **queue_end;
    struct queued *executing; /* what EXEC has not run yet */
    uint32_t queue_n;
    size_t queue_bytes;
    struct listening listening;
    struct admin_request *request; /* to hand to the owner at the end of this call */
    /* Read by CLIENT LIST on other reactors. */
    char name[ADMIN_NAME_MAX], lib_name[ADMIN_NAME_MAX], lib_ver[ADMIN_NAME_MAX]; /* locked */
    _Atomic int64_t used_ms;
    _Atomic(const struct admin_cmd *) last_cmd, last_sub;
    _Atomic int flags_proto;
    _Atomic uint32_t listening_n[TOPIC_KINDS];
    _Atomic bool in_multi, no_evict, no_touch, killed;
};

/* One command being carried out. */
struct call {
    struct session *s;
    struct hs_admin *a;
    const struct hs_arg *argv;
    size_t argc;
    const struct admin_cmd *top, *cmd; /* cmd is the subcommand, if it is one */
    const struct hs_published *view;
    struct hs_resp_sink *out;
    bool asking;   /* ASKING came just before */
    bool rejected; /* set by the handler: redirected or refused, as if it had not run */
};

/* A request to the owner and how its answer becomes a reply. */
struct admin_request {
    struct hs_request base; /* first: net and owner know this part only */
    void (*answer)(struct hs_resp_sink *out, struct session *s, struct admin_request *r);
    struct hs_slot_range *ranges;
    struct hs_publish publish;
    uint8_t *bytes; /* of publish, or base.why */
    char text[128]; /* the argument that error texts repeat */
};

/* ---- session.c ---- */
void admin_error(struct session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void admin_ok(struct call *c);
int64_t admin_now_ms(void);
void *admin_open(void *ctx, const struct hs_client_info *info, struct hs_outbuf *out);
enum hs_client_verdict admin_feed(void *session, const uint8_t *p, size_t n, struct hs_outbuf *out,
                                  void **request);
bool admin_reply(void *session, void *request, struct hs_outbuf *out);
void admin_close(void *session);
void admin_drop(void *ctx, void *request);
void admin_turn(void *ctx, uint32_t reactor);

/* ---- dispatch.c ---- */
void admin_dispatch(struct session *s, const struct hs_published *view, const struct hs_arg *argv,
                    size_t argc);
/* "ERR syntax error". */
void admin_syntax(struct call *c);
/* The stock text for a subcommand called in a way no branch handles. */
void admin_sub_syntax(struct call *c);
void admin_wrong_arity(struct call *c);
void admin_reset(struct session *s, const struct hs_published *view);

/* ---- args.c ---- */
bool admin_arg_is(const struct hs_arg *a, const char *word); /* any case */
bool admin_arg_int(const struct hs_arg *a, int64_t *v);
/* admin_arg_int(), and the stock error text if it is not one. */
bool admin_call_int(struct call *c, const struct hs_arg *a, int64_t *v);
bool admin_arg_slot(const struct hs_arg *a, uint16_t *slot);
/* As text with a NUL, cut to n - 1 and up to the first NUL. */
const char *admin_arg_text(const struct hs_arg *a, char *buf, size_t n);
bool admin_arg_glob(const struct hs_arg *pattern, const char *text); /* any case */
bool admin_glob(const struct hs_arg *pattern, const struct hs_arg *subject, bool any_case);
/* The index of the node of that id, or HS_TOPO_NONE. */
uint16_t admin_arg_node(const struct hs_topo *t, const struct hs_arg *a);
bool admin_arg_equal_secret(const struct hs_arg *a, const char *secret); /* constant time */

/* ---- table.c, table_data.c ---- */
/* All commands, by name. */
const struct admin_cmd *admin_find(const struct hs_arg *name);
bool admin_is_named(const struct admin_cmd *cmd, const struct hs_arg *name);
const struct admin_cmd *admin_find_sub(const struct admin_cmd *cmd, const struct hs_arg *name);
size_t admin_commands_n(void);
const struct admin_cmd *admin_command(size_t i);
size_t admin_command_ix(const struct admin_cmd *cmd); /* the other way round */
extern const struct admin_cmd admin_table_data[];
extern const size_t admin_table_data_n;
extern const struct admin_cmd admin_cluster_subs[], admin_client_subs[], admin_config_subs[],
    admin_command_subs[], admin_debug_subs[], admin_function_subs[], admin_hearsay_subs[],
    admin_pubsub_subs[];
/* "X HELP" from a table of subcommands. */
void admin_help(struct call *c, const char *name, const struct admin_cmd *subs);

/* ---- keys.c ---- */
uint16_t admin_key_slot(const char *key, size_t n);
/* Calls each(ctx, key) for every key of the command. False if the arguments
 * do not add up. */
bool admin_each_key(const struct admin_cmd *cmd, const struct hs_arg *argv, size_t argc,
                    void (*each)(void *ctx, const struct hs_arg *key), void *ctx);
void admin_keys_run(struct call *c);
/* True if these shard channels are served here; replies if not. */
bool admin_shard_served(struct call *c);

/* ---- pubsub.c, deliver.c ---- */
bool admin_is_subscriber(const struct session *s);
/* True, or replies: with subscriptions, RESP2 allows few commands. */
bool admin_allowed_to_subscriber(struct call *c);
struct hs_resp_sink admin_push_sink(struct session *s);
/* False after an error reply. */
bool admin_subscribe(struct call *c, enum topic_kind kind, const struct hs_arg *name);
void admin_unsubscribe(struct session *s, struct subscription *sub);
/* Without a word to the client. */
void admin_unsubscribe_all(struct session *s);
void admin_events_off(struct session *s);
/* To those who listen to that channel, or to a pattern it matches. */
uint32_t admin_deliver_channel(struct hs_admin *a, const struct channels *channels,
                               const struct hs_publish *p);
uint32_t admin_deliver(void *ctx, uint32_t reactor, const struct hs_publish *p, bool sharded);
void admin_changed(void *ctx, uint32_t reactor);

/* ---- events.c ---- */
/* True for channels that only this node's own events are on. */
bool admin_is_event_channel(const void *channel, size_t n);
/* What happened before this is not for those who listen from now on. */
void admin_events_catch_up(struct hs_admin *a, struct reactor *r);
void admin_events_deliver(struct hs_admin *a, uint32_t reactor);

/* ---- topology replies ---- */
/* Who owns which slots, prepared in one pass. */
struct ranges {
    struct {
        uint16_t first, last, node;
        int32_t next; /* of the same node, -1 at the end */
    } * v;
    int32_t *head; /* per node, -1 for none */
    uint32_t n;
};
bool admin_ranges_init(struct ranges *r, const struct hs_topo *t);
void admin_ranges_fini(struct ranges *r);

/* Who asks, as far as ports and addresses depend on it, and what it is to be sent to. */
struct reader {
    enum hs_endpoint_type type;
    bool tls, ipv6; /* of its own connection */
};
struct reader admin_reader(const struct session *s, const struct hs_published *view);

void admin_nodes_line(struct text *out, const struct hs_topo *t, uint32_t node,
                      const struct ranges *r, struct reader to);
bool admin_nodes_text(struct text *out, const struct hs_topo *t, struct reader to);
bool admin_slots_reply(struct hs_resp_sink *out, const struct hs_topo *t, struct reader to);
bool admin_shards_reply(struct hs_resp_sink *out, const struct hs_topo *t, struct reader to);
/* How clients are to reach a node; NULL for "the address you used". */
const char *admin_topo_endpoint(const struct hs_topo_node *n, struct reader to);
/* Its address for clients of the reader's family if it announces one, or else that
 * of the bus. */
const char *admin_topo_ip(const struct hs_topo_node *n, struct reader to);
uint16_t admin_topo_port(const struct hs_topo_node *n, bool tls);
void admin_cluster_info_text(struct text *out, const struct call *c);
/* One of net's, of all reactors. */
uint64_t admin_net_counter(const struct call *c, const char *name);
void admin_info_text(struct text *out, struct call *c);
void admin_info_replication(struct text *out, struct call *c);

/* ---- rendered.c ---- */
void admin_rendered_fini(struct reactor *r);

/* ---- handlers ---- */
void admin_cluster_nodes(struct call *c);
void admin_cluster_slots(struct call *c);
void admin_cluster_shards(struct call *c);
void admin_cluster_info(struct call *c);
void admin_cluster_links(struct call *c);
void admin_cluster_replicas(struct call *c);
void admin_cluster_myid(struct call *c);
void admin_cluster_myshardid(struct call *c);
void admin_cluster_keyslot(struct call *c);
void admin_cluster_countkeysinslot(struct call *c);
void admin_cluster_getkeysinslot(struct call *c);
void admin_cluster_slot_stats(struct call *c);
void admin_cluster_help(struct call *c);
void admin_cluster_meet(struct call *c);
void admin_cluster_addslots(struct call *c);
void admin_cluster_addslotsrange(struct call *c);
void admin_cluster_flushslots(struct call *c);
void admin_cluster_setslot(struct call *c);
void admin_cluster_forget(struct call *c);
void admin_cluster_replicate(struct call *c);
void admin_cluster_failover(struct call *c);
void admin_cluster_reset(struct call *c);
void admin_cluster_saveconfig(struct call *c);
void admin_cluster_set_config_epoch(struct call *c);
void admin_cluster_bumpepoch(struct call *c);
void admin_cluster_count_reports(struct call *c);

void admin_client_id(struct call *c);
void admin_client_getname(struct call *c);
void admin_client_setname(struct call *c);
void admin_client_setinfo(struct call *c);
void admin_client_list(struct call *c);
void admin_client_info(struct call *c);
void admin_client_kill(struct call *c);
void admin_client_no_evict(struct call *c);
void admin_client_no_touch(struct call *c);
void admin_client_reply(struct call *c);
void admin_client_help(struct call *c);
/* Closes what CLIENT KILL has marked on this reactor, its caller's thread. */
void admin_client_close_killed(struct hs_admin *a, uint32_t reactor);
/* "OK", or why a name is refused. */
bool admin_client_name_ok(const struct hs_arg *name);
void admin_client_set_name(struct session *s, const struct hs_arg *name);

void admin_config_get(struct call *c);
void admin_config_set(struct call *c);
void admin_config_resetstat(struct call *c);
void admin_config_rewrite(struct call *c);
void admin_config_help(struct call *c);

void admin_command_all(struct call *c);
void admin_command_count(struct call *c);
void admin_command_list(struct call *c);
void admin_command_info(struct call *c);
void admin_command_docs(struct call *c);
void admin_command_getkeys(struct call *c);
void admin_command_help(struct call *c);

void admin_cmd_ping(struct call *c);
void admin_cmd_echo(struct call *c);
void admin_cmd_auth(struct call *c);
void admin_cmd_hello(struct call *c);
void admin_cmd_select(struct call *c);
void admin_cmd_quit(struct call *c);
void admin_cmd_reset(struct call *c);
void admin_cmd_time(struct call *c);
void admin_cmd_ok(struct call *c);
void admin_cmd_zero(struct call *c);
void admin_cmd_empty(struct call *c);
void admin_cmd_scan(struct call *c);
void admin_cmd_null(struct call *c);
void admin_cmd_flush(struct call *c);
void admin_cmd_readonly(struct call *c);
void admin_cmd_asking(struct call *c);
void admin_cmd_role(struct call *c);
void admin_cmd_shutdown(struct call *c);
void admin_cmd_info(struct call *c);
void admin_cmd_refused(struct call *c);
void admin_cmd_migrate(struct call *c);
void admin_debug_sleep(struct call *c);
void admin_debug_log(struct call *c);
void admin_debug_help(struct call *c);
void admin_debug_clusterlink(struct call *c);
void admin_debug_drop(struct call *c);
void admin_debug_drop_closes(struct call *c);
void admin_hearsay_offset(struct call *c);
void admin_hearsay_events(struct call *c);
void admin_hearsay_links(struct call *c);
void admin_hearsay_topology(struct call *c);
void admin_hearsay_why(struct call *c);
void admin_hearsay_help(struct call *c);
void admin_function_restore(struct call *c);
void admin_function_help(struct call *c);
void admin_cmd_subscribe(struct call *c);
void admin_cmd_unsubscribe(struct call *c);
void admin_cmd_publish(struct call *c);
void admin_pubsub_channels(struct call *c);
void admin_pubsub_numsub(struct call *c);
void admin_pubsub_numpat(struct call *c);
void admin_pubsub_help(struct call *c);
void admin_cmd_multi(struct call *c);
void admin_cmd_exec(struct call *c);
void admin_cmd_discard(struct call *c);
void admin_cmd_watch(struct call *c);
/* True if the call was queued (or refused) because MULTI is open. */
bool admin_multi_queue(struct call *c);
void admin_multi_free(struct session *s);
/* Runs the next command of EXEC. */
void admin_multi_step(struct session *s, const struct hs_published *view);

/* A request for the owner; NULL after an error reply. Given to the owner when
 * the handler returns. */
struct admin_request *admin_request_new(struct call *c, enum hs_request_kind kind);
void admin_request_free(struct admin_request *r);

#endif
