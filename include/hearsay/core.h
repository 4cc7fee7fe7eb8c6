/* core.h - the gossip protocol as a function of (state, event, now).
 *
 * hs_core_step() is the only way to change a struct hs_core. It takes one
 * event and the current time, updates the state, and appends what has to
 * happen next to a list of actions. It does no I/O, reads no clock, draws no
 * entropy, allocates no memory and never blocks, so the daemon (src/owner) and
 * the simulator (src/sim) run the same object code.
 *
 * Threads: a struct hs_core belongs to one thread at a time. Nothing locks.
 * Errors:  none. Bad input from a peer is counted and otherwise ignored; a
 *          broken invariant is a bug and stops the process (HS_ASSERT).
 * Memory:  the caller owns every object. Pointers in an event are borrowed for
 *          the call; offsets in an action index the caller's own hs_actions.
 *
 * Durability: own epochs, own slot claims and votes must be on disk before a
 * message that depends on them leaves. The core does this itself: it asks for
 * a save (HS_ACT_SAVE with sync), keeps sending what is already durable, and
 * changes its header and answers the vote when HS_EV_SAVED reports that save.
 * So nothing else ever waits for the disk.
 */
#ifndef HEARSAY_CORE_H
#define HEARSAY_CORE_H

#include "hearsay/base.h"
#include "hearsay/topo.h"
#include "hearsay/wire.h"

struct hs_core; /* src/core/core_int.h */

#define HS_NODES_MAX 16384 /* the largest table: a node is a 16-bit index */

/* A connection, named by whoever owns it: a place below links_max, and a
 * generation, so that a name kept past its connection's end is recognised. */
struct hs_link {
    uint32_t ix, gen;
};

/* Names a wish to connect; comes back with the connection. */
struct hs_dial {
    uint16_t node, gen;
};

/* Fixed at start; every bound in the core derives from these. */
struct hs_core_opts {
    uint32_t nodes_max;    /* 2..HS_NODES_MAX, the local node included */
    uint32_t links_max;    /* every hs_link.ix is below */
    uint32_t connects_max; /* asked for in one tick (256 is plenty) */
    uint64_t seed;         /* all the randomness the core will ever have */
};

/* What may change while running (CONFIG SET). Names are redis.conf's. */
struct hs_core_conf {
    uint32_t node_timeout_ms;
    uint32_t ping_interval_ms; /* 0: half the node timeout */
    uint32_t blacklist_ttl_s;
    uint32_t migration_barrier;
    uint32_t replica_validity_factor;
    bool require_full_coverage;
    bool replica_no_failover;
    bool allow_replica_migration;
    bool tls_cluster;
    uint16_t port, tls_port, cport; /* as announced to others */
    char announce_ip[HS_IP_LEN];    /* "": what peers see */
    char hostname[HS_HOSTNAME_MAX + 1];
    char nodename[HS_HOSTNAME_MAX + 1];
    char client_ipv4[16], client_ipv6[HS_IP_LEN]; /* Valkey's extensions */
};

/* ---- events ---- */

enum hs_event_type {
    HS_EV_TICK,        /* time passed; due at hs_core_next_tick() or later */
    HS_EV_LINK_UP,     /* link, up */
    HS_EV_LINK_DOWN,   /* link: gone, and everything queued on it is lost */
    HS_EV_DIAL_FAILED, /* dial: no connection came of it */
    HS_EV_RECV,        /* link, msg: one frame that passed hs_wire_check() */
    HS_EV_COMMAND,     /* cmd */
    HS_EV_SAVED,       /* saved_seq: that save and all before it are durable */
};

struct hs_link_up {
    bool outbound;
    struct hs_dial dial;      /* outbound only */
    char peer_ip[HS_IP_LEN];  /* numeric text */
    char local_ip[HS_IP_LEN]; /* our end's address */
};

enum hs_cmd_type {
    HS_CMD_MEET,     /* ip, port, cport */
    HS_CMD_ADDSLOTS, /* ranges */
    HS_CMD_DELSLOTS, /* ranges */
    HS_CMD_FLUSHSLOTS,
    HS_CMD_SETSLOT_MIGRATING, /* slot, id */
    HS_CMD_SETSLOT_IMPORTING, /* slot, id */
    HS_CMD_SETSLOT_NODE,      /* slot, id */
    HS_CMD_SETSLOT_STABLE,    /* slot */
    HS_CMD_FORGET,            /* id */
    HS_CMD_REPLICATE,         /* id */
    HS_CMD_RESET,             /* hard, id (the new one, if hard), shard_id */
    HS_CMD_SAVECONFIG,
    HS_CMD_SET_CONFIG_EPOCH, /* epoch */
    HS_CMD_BUMPEPOCH,
    HS_CMD_COUNT_REPORTS, /* id */
    HS_CMD_FAILOVER,      /* failover */
    HS_CMD_OFFSET,        /* epoch: the fronted store's replication offset */
    HS_CMD_CONF,          /* conf */
    HS_CMD_RESETSTAT,
    HS_CMD_KILL_LINK,   /* id, kill_to, kill_from: for tests, as the next two */
    HS_CMD_DROP_FILTER, /* epoch: messages of that type are dropped; -1 none, -2 all */
    HS_CMD_DROP_CLOSES, /* hard: and their link is closed */
    HS_CMD_PUBLISH,     /* publish, sharded: to the other nodes; number: to how many.
                       Needs hs_core_publish_need() bytes more than other steps */
};

enum hs_failover { HS_FAILOVER_DEFAULT, HS_FAILOVER_FORCE, HS_FAILOVER_TAKEOVER };

struct hs_slot_range {
    uint16_t first, last; /* inclusive, first <= last < HS_SLOTS */
};

struct hs_cmd {
    enum hs_cmd_type type;
    uint64_t token; /* comes back in the reply */
    struct hs_node_id id;
    char shard_id[HS_ID_LEN];
    char ip[HS_IP_LEN];
    uint16_t port, cport;
    uint16_t slot;
    bool hard;
    bool kill_to, kill_from;
    enum hs_failover failover;
    int64_t epoch;
    /* In the caller's order. If ranges_bad, the argument after the last range
     * was invalid: errors in the ranges before it are reported first. */
    const struct hs_slot_range *ranges;
    uint32_t ranges_n;
    bool ranges_bad;
    const struct hs_core_conf *conf;
    const struct hs_publish *publish; /* at most HS_PUBLISH_MAX */
    bool sharded;
};

/* Outcomes of commands; the client port owns the texts (protocol page, 10). */
enum hs_cmd_err {
    HS_CMD_OK,        /* number: epoch, count, receivers, as the command has it */
    HS_CMD_ERR_STILL, /* BUMPEPOCH changed nothing; number: the epoch */
    HS_CMD_ERR_UNKNOWN_NODE,
    HS_CMD_ERR_BAD_ADDRESS,
    HS_CMD_ERR_BAD_SLOT,
    HS_CMD_ERR_SLOT_BUSY,       /* number: slot */
    HS_CMD_ERR_SLOT_UNASSIGNED, /* number: slot */
    HS_CMD_ERR_SLOT_TWICE,      /* number: slot */
    HS_CMD_ERR_NOT_OWNER,       /* number: slot */
    HS_CMD_ERR_ALREADY_OWNER,   /* number: slot */
    HS_CMD_ERR_DONT_KNOW_NODE,
    HS_CMD_ERR_TARGET_NOT_MASTER,
    HS_CMD_ERR_NOT_MASTER, /* SETSLOT on a replica */
    HS_CMD_ERR_FORGET_MYSELF,
    HS_CMD_ERR_FORGET_MASTER,
    HS_CMD_ERR_REPLICATE_MYSELF,
    HS_CMD_ERR_REPLICATE_REPLICA,
    HS_CMD_ERR_NOT_EMPTY, /* REPLICATE on a master with slots */
    HS_CMD_ERR_EPOCH_KNOWN_NODES,
    HS_CMD_ERR_EPOCH_SET,
    HS_CMD_ERR_FAILOVER_ON_MASTER,
    HS_CMD_ERR_MASTER_UNKNOWN,
    HS_CMD_ERR_MASTER_DOWN,
    HS_CMD_ERR_TABLE_FULL,    /* MEET when nodes_max are known */
    HS_CMD_ERR_SAVES_WAITING, /* SAVECONFIG when many wait for the disk */
    HS_CMD_ERR_CONF_CHANGED,  /* the owner's: a change of a configuration that is no more */
};

struct hs_event {
    enum hs_event_type type;
    struct hs_link link;
    struct hs_dial dial;
    uint64_t saved_seq;
    const struct hs_link_up *up;
    const struct hs_view *msg;
    const struct hs_cmd *cmd;
};

/* ---- actions ---- */

enum hs_action_type {
    HS_ACT_CONNECT, /* dial, ip, port: LINK_UP or DIAL_FAILED follows */
    HS_ACT_CLOSE,   /* link: forgotten here already; its LINK_DOWN is ignored */
    HS_ACT_SEND,    /* link, off, len, control; several actions may share bytes. With
                       lent_len, so many bytes of the lent board go in after the
                       first split bytes, from lent_off on */
    HS_ACT_SAVE,    /* seq, sync: write the topology; HS_EV_SAVED when durable.
                       Without sync fsync may be skipped, SAVED comes anyhow. */
    HS_ACT_REPLY,   /* token, err, number: a command's outcome */
    HS_ACT_DELIVER, /* the event's frame is a PUBLISH for our subscribers;
                       sharded tells which kind */
    HS_ACT_NOTE,    /* note, node, other, number: something worth a log line */
};

enum hs_note {
    HS_NOTE_NODE_ADDED,     /* node; other: who told us, HS_NIL for MEET */
    HS_NOTE_HANDSHAKE_DONE, /* node */
    HS_NOTE_HANDSHAKE_TIMEOUT,
    HS_NOTE_PFAIL, /* node */
    HS_NOTE_PFAIL_CLEARED,
    HS_NOTE_REPORTED,       /* node; other: the voter that began to accuse it */
    HS_NOTE_REPORT_DROPPED, /* node; other: the voter that does so no longer */
    HS_NOTE_FAIL,           /* node; other: who said so, HS_NIL for us; number: reports */
    HS_NOTE_FAIL_CLEARED,
    HS_NOTE_STATE_OK,
    HS_NOTE_STATE_FAIL,       /* number: 0 slots uncovered, 1 minority */
    HS_NOTE_ADDRESS_CHANGED,  /* node */
    HS_NOTE_ID_MISMATCH,      /* node: another id answered at its address */
    HS_NOTE_ROLE_MASTER,      /* node */
    HS_NOTE_ROLE_REPLICA,     /* node; other: its master */
    HS_NOTE_SLOTS_MOVED,      /* node: the new owner; number: how many */
    HS_NOTE_EPOCH_COLLISION,  /* number: our new epoch; other: with whom */
    HS_NOTE_EPOCH_BUMPED,     /* number */
    HS_NOTE_FORGOTTEN,        /* id; other: who spread it, HS_NIL for a command */
    HS_NOTE_TABLE_FULL,       /* id: a node that was not added */
    HS_NOTE_BAD_SENDER,       /* a frame that was ignored; number: its type */
    HS_NOTE_OWN_ADDRESS,      /* ip of ours learned */
    HS_NOTE_VOTE_GRANTED,     /* node, number: epoch */
    HS_NOTE_VOTE_REFUSED,     /* node, number: enum hs_refusal */
    HS_NOTE_ELECTION_PLANNED, /* number: delay in ms; rank, offset */
    HS_NOTE_ELECTION_STARTED, /* number: epoch */
    HS_NOTE_ELECTION_EXPIRED,
    HS_NOTE_ELECTION_WON, /* number: epoch */
    HS_NOTE_MF_STARTED,   /* other: the replica that asks us, HS_NIL for a command */
    HS_NOTE_MF_ABORTED,
    HS_NOTE_UPDATE_SENT, /* node: to; other: about */
    HS_NOTE_RESUMED,     /* number: ms we were not running */
    HS_NOTES,
};

/* Why a vote was refused, in the order of the questions. */
enum hs_refusal {
    HS_REFUSAL_NONE,
    HS_REFUSAL_NOT_A_VOTER,
    HS_REFUSAL_OLD_EPOCH,
    HS_REFUSAL_VOTED_IN_EPOCH,
    HS_REFUSAL_NOT_A_REPLICA,
    HS_REFUSAL_MASTER_NOT_FAILED,
    HS_REFUSAL_VOTED_FOR_SHARD,
    HS_REFUSAL_SLOT_EPOCH,
    HS_REFUSAL_BUSY, /* too many votes wait for the disk */
    HS_REFUSALS,
};

struct hs_action {
    uint8_t type; /* enum hs_action_type */
    uint8_t note; /* enum hs_note */
    bool sync, sharded;
    bool control; /* goes before pub/sub on the same link */
    uint16_t err; /* enum hs_cmd_err */
    uint16_t port;
    struct hs_link link;
    struct hs_dial dial;
    uint32_t off, len; /* into hs_actions.bytes; of the ip text for CONNECT */
    union {
        struct {
            uint32_t split, lent_off, lent_len;
        };
        uint32_t rank; /* of ELECTION_PLANNED */
    };
    hs_ix node, other; /* of notes; HS_NIL for none */
    union {
        uint64_t seq, token;
        int64_t offset; /* of ELECTION_PLANNED */
    };
    int64_t number;
    struct hs_node_id id; /* of notes, where node is not in the table */
};

/* Room for one step's worth of actions: hs_core_actions_max() entries and
 * hs_core_bytes_max() bytes are enough for any step. */
struct hs_actions {
    struct hs_action *v;
    uint32_t n, max;
    uint8_t *bytes;
    uint32_t bytes_n, bytes_max;
};

uint32_t hs_core_actions_max(const struct hs_core_opts *opts);
/* What the next step needs of bytes as things stand, at most bytes_max. */
uint32_t hs_core_bytes_need(const struct hs_core *c);
uint32_t hs_core_bytes_max(const struct hs_core_opts *opts);
/* What HS_CMD_PUBLISH needs on top of that. */
uint32_t hs_core_publish_need(const struct hs_publish *p);

/* ---- the lent board ----
 *
 * A gossip section is a window of a table of entries. Whoever can send from two
 * places in memory need not have it copied into every message: a copy of the
 * table that no longer changes is made once in a while, and SENDs name windows
 * of it. Without such a copy, or when it is too old, sections are copied. */

/* The most that hs_core_board_freeze() writes. */
uint32_t hs_core_board_max(const struct hs_core_opts *opts);
/* Whether a new copy would save more than it costs. */
bool hs_core_board_due(const struct hs_core *c);
/* Writes the table to `to`. SENDs of later steps are of this copy, until the
 * next. Returns its length. */
uint32_t hs_core_board_freeze(struct hs_core *c, uint8_t *to);

/* ---- life ---- */

/* Bytes needed for a core with these options. */
size_t hs_core_size(const struct hs_core_opts *opts);

/* Builds a core in mem, which must be 64-byte aligned, zeroed and
 * hs_core_size() long and must outlive it. boot is what nodes.conf held, the
 * local node first; for a fresh node, one node with id and shard id only. Its
 * nodes must fit nodes_max. There is nothing to undo: drop the memory. */
struct hs_core *hs_core_init(void *mem, const struct hs_core_opts *opts,
                             const struct hs_core_conf *conf, const struct hs_topo *boot,
                             struct hs_now now);

/* Applies one event; *out is emptied first. Cost is linear in the message,
 * never in nodes_max. */
void hs_core_step(struct hs_core *c, const struct hs_event *ev, struct hs_now now,
                  struct hs_actions *out);

/* When the next HS_EV_TICK is wanted. Later is safe, merely late. */
hs_mono hs_core_next_tick(const struct hs_core *c);

/* ---- questions, for the owner, the tests and the simulator ---- */

/* Grows whenever something a topology shows has changed, times excepted. */
uint64_t hs_core_version(const struct hs_core *c);

/* A frozen copy of all this core knows. NULL when out of memory is the
 * caller's affair: t has room for hs_core_topo_need(). */
void hs_core_topo_need(const struct hs_core *c, uint32_t *nodes, uint32_t *open, uint32_t *strings);
void hs_core_topology(const struct hs_core *c, struct hs_now now, struct hs_topo *t);

/* The id of a node named in a note. */
const struct hs_node_id *hs_core_node_id(const struct hs_core *c, hs_ix node);

/* One of those whose report about a node counts now. */
struct hs_accuser {
    struct hs_node_id id;
    int64_t since_ms; /* Unix ms, to the second: has said so ever since; 0: for many hours */
    int64_t last_ms;  /* Unix ms, to a 32nd of the node timeout: said so last */
};

/* How many accuse a node, and the first `max` of them. Linear in the table. */
uint32_t hs_core_accusers(const struct hs_core *c, const struct hs_node_id *suspect,
                          struct hs_now now, struct hs_accuser *out, uint32_t max);

/* Counters for metrics and tests, in the order of hs_core_counter_name(). */
uint32_t hs_core_counters(const struct hs_core *c, const uint64_t **values);
const char *hs_core_counter_name(uint32_t i);
uint32_t hs_core_counters_n(void);

/* What the core measures, in milliseconds. */
enum hs_core_histogram {
    HS_CORE_PONG_MS,  /* from a PING to its PONG */
    HS_CORE_AGREE_MS, /* from our suspicion to the verdict FAIL, ours or another's */
    HS_CORE_HISTOGRAMS,
};
const struct hs_histogram *hs_core_histogram(const struct hs_core *c, enum hs_core_histogram which);

/* Walks every invariant; HS_ASSERTs. For tests and the simulator. */
void hs_core_check(const struct hs_core *c);

#endif
