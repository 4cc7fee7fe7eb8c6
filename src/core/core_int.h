/* core_int.h - what the files of this room share. Nobody else may include it.
 *
 * Memory: one block, carved once (core.c). A node is a 16-bit index into six
 * parallel arrays, split by how often a message touches them: `hot` for every
 * gossip entry about it, `cold` for its own messages, `spokes` by the timer
 * wheel, `board` for what we tell others, `shards` when roles change, `names`
 * only when it has any: pages of texts that nobody has are never touched.
 *
 * Length: one place to look up every shape and every call of the room.
 */
#ifndef HEARSAY_CORE_INT_H
#define HEARSAY_CORE_INT_H

#include "hearsay/core.h"

#include <string.h>

enum {
    SELF = 0,               /* the local node's index */
    NIL16 = 0xffff,         /* no node, no row, no slot of the wheel */
    TICK_MS = 100,          /* the stock servers' cron */
    SLICE_TELLS_MAX = 2048, /* messages about verdicts in a part of a tick: milliseconds of work */
    WHEEL_SLOTS = 512,
    BLACKLIST_MAX = 256, /* the oldest entry gives way, counted */
    VOTES_PENDING_MAX = 8,
    SAVECONFIGS_MAX = 64, /* waiting for the disk; one more is refused */
    LOCAL_IPS_MAX = 32,
    EXT_BYTES_MAX = 4 * (8 + 256) + 48 + BLACKLIST_MAX * 56,
    NOTES_MAX = 256,       /* of one step; more are dropped, counted */
    REPORT_NOTES_MAX = 16, /* once a step has so many, who accuses whom is not noted */
    WALL_SLACK_MS = 100,   /* a smaller jump of the wall clock does not move what is shown */
    PAUSE_MS_MIN = 500,
    /* Standing still for this part of a node timeout puts suspicion off. */
    PAUSE_TIMEOUT_PART = 4,
};

/* A cluster that took a new epoch every microsecond would need 146,000 years
 * to get here. What claims more would soon wrap everybody's counter to 0. */
#define EPOCH_MAX ((uint64_t)1 << 62)

/* One cache line: all that an unremarkable gossip entry needs. */
struct hot {
    struct hs_node_id id;
    int64_t pong_received; /* mono ms, 0 for never */
    int64_t ping_sent;     /* mono ms, 0 for none pending */
    uint16_t flags;        /* HS_NODE_* */
    uint16_t board_pos;
    uint16_t row; /* its failure reports, or NIL16 */
    uint16_t gen; /* of this place; odd while it is used */
};
_Static_assert(sizeof(struct hot) == 64, "one cache line");

enum to_state { TO_NONE, TO_DIALING, TO_UP };

/* What a peer understands beyond the base protocol; what it has not shown is
 * never sent to it (a 6.2 drops such a PING, a 7.0 logs a line for each). */
enum ext_level { EXT_NONE, EXT_HOSTNAME_ONLY, EXT_FULL };

/* So many PINGs of one step differ: a level each, and Valkey's own extensions. */
enum { PING_KINDS = EXT_FULL + 2 };

enum { /* cold.name_bits: which of struct names, and of `shards`, are set */
       NAME_HOST = 1,
       NAME_NODE = 2,
       NAME_IPV4 = 4,
       NAME_IPV6 = 8,
       NAME_TEXTS = NAME_HOST | NAME_NODE | NAME_IPV4 | NAME_IPV6,
       NAME_SHARD = 16, /* told by the node itself, not derived */
};

struct cold {
    uint64_t config_epoch;
    int64_t repl_offset;
    int64_t heard_at[2]; /* mono ms of the last frame: on their link, on ours */
    int64_t pfail_at;    /* mono ms PFAIL was set */
    int64_t fail_at;     /* mono ms FAIL was set */
    int64_t voted_at;    /* mono ms we last voted for a replica of it */
    int64_t created_at;  /* mono ms; handshakes expire by it */
    int64_t to_at;       /* mono ms the outbound link came up */
    int64_t from_at;
    int64_t redial_at;   /* mono ms before which we do not connect again */
    int64_t orphaned_at; /* mono ms since when a master has no working replica */
    uint64_t ack_epoch;  /* of its last vote for us */
    uint64_t claim_hash; /* of the last bitmap found equal to our view */
    struct hs_link to, from;
    uint32_t claim_ver; /* slots_ver of the claimed owner at that time */
    uint32_t slots_ver; /* changes with every slot won or lost */
    uint16_t master;    /* of a replica; NIL16 if unknown */
    uint16_t slots_n;
    uint16_t dial_gen; /* of the last wish to connect, whoever had this place */
    uint16_t replicas_n;
    uint16_t working_n;  /* of them, as of the last survey (migrate.c) */
    uint16_t split_with; /* node + 1 that owns what it claims, with the same epoch; 0 none */
    uint16_t split_slot; /* the first such slot */
    uint32_t rtt_ms, rtt_min_ms, rtt_smooth; /* of its pongs; smooth in eighths of a ms */
    uint8_t to_state;                        /* enum to_state */
    uint8_t ext_level;                       /* enum ext_level */
    uint8_t name_bits;
    uint8_t dial_fails; /* in a row, for the pause before the next attempt */
    bool has_from, has_rtt;
    bool light_ok;  /* see core_ping() */
    bool announced; /* waits in the queue of verdicts */
};

/* Where a node stands in the timer wheel. Apart from the rest, since a node is
 * put in and taken out beside others that nothing else wants to know of then. */
struct spoke {
    uint16_t next, prev, slot; /* NIL16 for none */
};

struct names {
    char client_ipv6[HS_IP_LEN];
    char client_ipv4[16];
    char hostname[HS_HOSTNAME_MAX + 1];
    char nodename[HS_HOSTNAME_MAX + 1];
};

/* What the core knows of a connection. */
struct link {
    uint32_t gen;
    uint16_t node; /* bound to, or NIL16 */
    uint8_t local; /* index into local_ips */
    bool up, outbound;
    char peer_ip[HS_IP_LEN];
    struct hs_node_id said; /* who the last message named, while bound to nobody */
};

/* One suspect's accusers: a stamp per node, and counts per stamp, so that add,
 * drop and count cost the same however many there are. See reports.c. */
enum { STAMPS = 128 };
struct row {
    uint16_t suspect; /* or, when free, the next free row */
    uint16_t fresh_n;
    uint32_t bucket; /* up to which expiry is done */
    uint32_t swept;  /* bucket of the last sweep */
    uint16_t stamped_n[STAMPS];
};

/* An id that is in nobody's place here but keeps sending: strangers.c. */
struct stranger {
    struct hs_node_id id;
    char ip[HS_IP_LEN];
    int64_t first_at, last_at; /* mono ms */
    uint64_t frames_n;
};

/* The board as it was frozen for our caller; see board.c. */
struct lent {
    bool valid;        /* it says what the board says, but for times */
    int64_t at;        /* mono ms it was frozen */
    uint32_t copied_n; /* entries copied one by one since then */
    uint32_t used_n;   /* sections that are windows of it */
};

/* A gossip section: entries that were copied, after a window that was not. */
struct section {
    uint32_t lent_off, lent_n;
    uint32_t copied_n;
};

struct blacklisted {
    struct hs_node_id id;
    int64_t until; /* mono ms */
};

/* Something that waits for a save: see HS_EV_SAVED in core.h. */
struct vote_pending {
    uint64_t seq, epoch;
    uint16_t node, gen;
};

struct saveconfig {
    uint64_t token, seq;
};

#define COUNTERS(X) \
    X(steps) \
    X(stale_links)        /* events of connections we have let go */ \
    X(unknown_sender)     /* frames ignored for that reason */ \
    X(strangers)          /* senders that are no members, noticed */ \
    X(strangers_replaced) /* forgotten again for want of room */ \
    X(unknown_type) \
    X(light_unbound) /* light frames on a link without a node: closed */ \
    X(module_ignored) \
    X(filtered) /* dropped because DEBUG said so */ \
    X(gossip_entries) \
    X(gossip_skipped) /* sections with an invalid id */ \
    X(gossip_refused) /* entries with an unusable address */ \
    X(nodes_added) \
    X(nodes_removed) \
    X(handshakes) \
    X(handshakes_refused) /* too many at once, or one under way */ \
    X(handshake_timeouts) \
    X(table_full) \
    X(dials) \
    X(dials_failed) \
    X(links_reset)    /* outbound links closed for silence */ \
    X(links_replaced) /* inbound links closed for a newer one */ \
    X(notes_dropped) \
    X(gossip_cut)    /* entries beyond nodes_max in one message */ \
    X(pings_delayed) /* put off to a later tick by the bounds */ \
    X(pfail) \
    X(pfail_cleared) \
    X(fail) \
    X(fail_cleared) \
    X(reports_added) \
    X(reports_refused) /* no row left */ \
    X(claims_unchanged) \
    X(claims_walked) \
    X(slots_won) /* bound to a claimer */ \
    X(updates_sent) \
    X(epochs_refused) /* beyond EPOCH_MAX */ \
    X(collisions) \
    X(id_mismatch) \
    X(votes_granted) \
    X(votes_refused) \
    X(blacklist_full) \
    X(resumed) /* times we had not been running for a while */ \
    X(saves) \
    X(saves_sync)

enum counter {
#define X(name) COUNT_##name,
    COUNTERS(X)
#undef X
        COUNTERS_N
};

/* COUNT(c, pfail) */
#define COUNT(c, name) ((void)(c)->counters[COUNT_##name]++)

struct hs_core {
    struct hs_core_opts opts;
    struct hs_core_conf conf;
    struct hs_prng prng;
    uint64_t hash_seed;

    /* Of the step under way; see hs_core_step(). */
    struct hs_now now;
    int64_t wall_ahead_ms; /* of mono, for moments that are shown; see follow_wall() */
    struct hs_actions *out;

    /* The node table (nodes.c, index.c, board.c). */
    struct hot *hot;
    struct cold *cold;
    struct hs_node_id *shards; /* shard ids have the form of a node's */
    struct names *names;
    uint8_t *board;     /* nodes_max gossip entries in wire form, shuffled */
    uint16_t *board_ix; /* position -> node */
    uint16_t *found;    /* the nodes of the section that is being read */
    uint32_t *index;    /* open addressing: fingerprint << 16 | node + 1 */
    uint32_t index_mask;
    uint32_t nodes_n;  /* known, the local node included */
    uint16_t nodes_hi; /* places ever used */
    uint16_t *free_nodes;
    uint32_t free_n;
    uint32_t handshakes_n;
    uint32_t fresh_n, pfail_n; /* regions of the board, in this order */
    struct lent lent;
    struct link *links;
    uint32_t links_hi; /* places of links ever used */
    char local_ips[LOCAL_IPS_MAX][HS_IP_LEN];
    uint32_t local_ips_n;
    bool own_ip_learned; /* in this life */

    /* Slots (slots.c). */
    uint16_t owner[HS_SLOTS];     /* node or NIL16 */
    uint16_t migrating[HS_SLOTS]; /* node + 1, 0 for none */
    uint16_t importing[HS_SLOTS];
    uint32_t migrating_n, importing_n;
    uint8_t abandoned[HS_SLOTS_BYTES]; /* the owner has stopped claiming it */
    uint32_t assigned_n;

    /* Counted as nodes and slots change (nodes.c). */
    uint32_t voters_n, voters_down_n; /* masters with slots; PFAIL or FAIL ones */
    uint32_t slots_failed_n;          /* owned by FAIL nodes */
    uint32_t replicas_n;

    /* Cluster state (state.c). */
    bool ok, state_due;
    uint32_t size;       /* voters_n when the state was last computed */
    int64_t started_at;  /* mono ms of init */
    int64_t minority_at; /* mono ms we last saw no majority; 0 never */

    /* Epochs, votes and what waits for the disk (epochs.c, vote.c, emit.c). */
    uint64_t current_epoch, last_vote_epoch;
    uint64_t told_epoch; /* the current epoch of our last message: never less again */
    uint64_t save_seq, sync_seq, saved_seq;
    bool want_save, want_sync;
    uint64_t announce_seq; /* PONG to all when durable; 0 for none */
    uint64_t request_seq;  /* AUTH_REQUEST when durable; 0 for none */
    int64_t request_at;    /* when it may leave then; 0 for none */
    struct vote_pending votes[VOTES_PENDING_MAX];
    uint32_t votes_n;
    struct saveconfig saveconfigs[SAVECONFIGS_MAX]; /* replies owed */
    uint32_t saveconfigs_n;

    /* Our election, as a replica (election.c). */
    int64_t auth_at; /* mono ms it starts or started; 0 never */
    uint64_t auth_epoch;
    uint64_t rival_epoch; /* the largest that somebody else asked for votes in */
    uint32_t auth_votes, auth_rank;
    bool auth_asked, auth_forced, auth_over, auth_crowded;
    int64_t offset_at; /* mono ms of the fronted store's last report; 0 never */

    /* A manual failover, as replica or as its master (manual.c). */
    int64_t mf_end;      /* mono ms it is given up; 0 for none */
    int64_t mf_offset;   /* replica: the position to reach; -1 not known yet */
    uint16_t mf_replica; /* master: who asked */
    bool mf_can_start;

    /* Our header as of the last durable change, and extensions (emit.c, ext.c). */
    _Alignas(64) uint8_t hdr[HS_HDR_LEN];
    bool hdr_due;
    uint8_t ext[4 * (8 + 256) + 48]; /* ours, without forgotten nodes */
    uint32_t ext_hostname_len;       /* the first one's length, 0 if none */
    uint32_t ext_common_len;         /* hostname, node name */
    uint32_t ext_client_len;         /* Valkey's addresses, after the common ones */
    uint32_t ext_shard_len;          /* shard id, last */
    struct blacklisted blacklist[BLACKLIST_MAX];
    uint32_t blacklist_n;

    /* Failure reports (reports.c). */
    struct row *rows;
    uint8_t *stamps; /* rows_max rows of nodes_max */
    uint16_t *since; /* the same shape: when the accuser began */
    uint32_t rows_max, rows_used;
    uint16_t row_free;

    struct stranger strangers[HS_TOPO_FOREIGN_MAX];
    uint32_t strangers_n;

    /* Time (tick.c, wheel.c). */
    uint16_t wheel[WHEEL_SLOTS];
    struct spoke *spokes; /* by node */
    uint64_t wheel_bits[WHEEL_SLOTS / 64];
    int64_t ticked_at; /* mono ms, a multiple of TICK_MS, up to which is done */
    int64_t random_ping_at;
    int64_t survey_at;    /* mono ms before which no replica migration is considered */
    int64_t accuse_after; /* no PFAIL, no FAIL before: we were not running */
    uint32_t tick_pings_n, tick_dials_n;   /* so far in this tick */
    uint32_t slice_pings_n, slice_dials_n; /* and in this part of it, */
    uint32_t slice_tells_n;                /* and messages about verdicts, */
    int64_t slice_end;                     /* which is over at this mono ms */
    uint32_t notes_n;                      /* so far in this step */
    int64_t promised_at;                   /* mono ms of the tick asked for after the last step */
    bool behind;                           /* this tick stopped at a bound; go on soon */

    /* Verdicts of ours that not everybody was told of yet (failure.c). */
    uint16_t *announce; /* a queue of nodes_max places */
    uint32_t announce_head, announce_n;

    int64_t drop_type; /* DEBUG: dropped on arrival; -1 none, -2 all */
    bool drop_closes;  /* and the link with it */

    uint64_t version;
    uint64_t sent[HS_MSG_TYPES], received[HS_MSG_TYPES];
    uint64_t counters[COUNTERS_N];
    struct hs_histogram histograms[HS_CORE_HISTOGRAMS];
};

static inline bool is_voter(const struct hs_core *c, uint32_t ix)
{
    return (c->hot[ix].flags & HS_NODE_MASTER) != 0 && c->cold[ix].slots_n > 0;
}

static inline bool has_flag(const struct hs_core *c, uint32_t ix, uint16_t flag)
{
    return (c->hot[ix].flags & flag) != 0;
}

static inline bool core_has_shard(const struct hs_core *c, uint32_t ix)
{
    return (c->cold[ix].name_bits & NAME_SHARD) != 0;
}

/* A peer may call somebody master and replica at once. The node's own header
 * will settle it; until then it is a master. */
static inline uint16_t one_role(uint16_t flags)
{
    return (uint16_t)((flags & HS_NODE_MASTER) != 0 ? flags & ~HS_NODE_SLAVE : flags);
}

static inline bool is_used(const struct hs_core *c, uint32_t ix)
{
    return c->hot[ix].gen % 2 == 1;
}

static inline bool i_am_master(const struct hs_core *c)
{
    return has_flag(c, SELF, HS_NODE_MASTER);
}

/* The last sign of life on either link; mono ms. */
static inline int64_t heard_at(const struct hs_core *c, uint32_t ix)
{
    const int64_t *at = c->cold[ix].heard_at;

    return at[0] > at[1] ? at[0] : at[1];
}

static inline uint8_t *board_of(const struct hs_core *c, uint32_t ix)
{
    return c->board + (size_t)c->hot[ix].board_pos * HS_GOSSIP_LEN;
}

/* Something a topology shows has changed; something saved has changed. */
static inline void core_changed(struct hs_core *c)
{
    c->version++;
}

static inline void core_want_save(struct hs_core *c)
{
    c->version++;
    c->want_save = true;
}

/* The change must be durable before anything we send depends on it. */
static inline void core_want_sync(struct hs_core *c)
{
    core_want_save(c);
    c->want_sync = true;
    c->hdr_due = true;
}

/* index.c */
uint16_t core_index_find(const struct hs_core *c, const void *id);
bool core_index_find_all(const struct hs_core *c, const uint8_t *entries, uint32_t n,
                         uint16_t *found);
void core_index_add(struct hs_core *c, uint16_t ix);
void core_index_remove(struct hs_core *c, uint16_t ix);

/* nodes.c */
uint16_t core_node_add(struct hs_core *c, const struct hs_node_id *id, uint16_t flags);
void core_node_remove(struct hs_core *c, uint16_t ix);
void core_node_rename(struct hs_core *c, uint16_t ix, const uint8_t *id);
void core_node_flags(struct hs_core *c, uint16_t ix, uint16_t set, uint16_t clear);
void core_node_account(struct hs_core *c, uint16_t ix, int sign);
void core_node_address(struct hs_core *c, uint16_t ix, const char *ip, uint16_t port,
                       uint16_t pport, uint16_t cport);
bool core_node_address_is(const struct hs_core *c, uint16_t ix, const char *ip, uint16_t port,
                          uint16_t pport, uint16_t cport);
void core_node_set_master(struct hs_core *c, uint16_t ix, uint16_t master);
void core_node_become_master(struct hs_core *c, uint16_t ix);
void core_node_become_replica(struct hs_core *c, uint16_t ix);
void core_node_epoch(struct hs_core *c, uint16_t ix, uint64_t epoch);
uint64_t core_shown_epoch(const struct hs_core *c, uint16_t ix);
uint16_t core_handshake_start(struct hs_core *c, const char *ip, uint16_t port, uint16_t cport,
                              uint16_t flags);
void core_random_id(struct hs_core *c, struct hs_node_id *id);

/* board.c */
void core_board_add(struct hs_core *c, uint16_t ix);
void core_board_remove(struct hs_core *c, uint16_t ix);
void core_board_place(struct hs_core *c, uint16_t ix);
void core_board_sync(struct hs_core *c, uint16_t ix);
struct section core_board_section(struct hs_core *c, uint8_t *dst, uint32_t entries_max,
                                  uint16_t except, bool may_lend);

/* links.c */
struct link *core_link(struct hs_core *c, struct hs_link l);
void core_link_up(struct hs_core *c, struct hs_link l, const struct hs_link_up *up);
void core_link_down(struct hs_core *c, struct hs_link l);
void core_dial_failed(struct hs_core *c, struct hs_dial d);
void core_link_bind(struct hs_core *c, struct hs_link l, uint16_t ix);
void core_link_adopt(struct hs_core *c, uint16_t ix);
void core_close_to(struct hs_core *c, uint16_t ix, int64_t redial_at);
void core_close_from(struct hs_core *c, uint16_t ix);
void core_close(struct hs_core *c, struct hs_link l);
void core_dial(struct hs_core *c, uint16_t ix);

/* slots.c, claims.c */
void core_slot_set(struct hs_core *c, uint32_t slot, uint16_t ix);
void core_slots_clear(struct hs_core *c, uint16_t ix);
void core_slots_move(struct hs_core *c, uint16_t from, uint16_t to);
uint64_t core_slots_owned(const struct hs_core *c, uint16_t ix, uint32_t s);
uint64_t core_slots_word(const uint8_t *bitmap, uint32_t s);
void core_slots_bitmap(const struct hs_core *c, uint16_t ix, bool claimed_only, uint8_t *bitmap);
void core_set_migrating(struct hs_core *c, uint32_t slot, uint16_t ix);
void core_set_importing(struct hs_core *c, uint32_t slot, uint16_t ix);
void core_close_slots(struct hs_core *c);
void core_marks_follow(struct hs_core *c, uint16_t from, uint16_t to);
void core_finish_import(struct hs_core *c, uint32_t slot);
void core_claim(struct hs_core *c, uint16_t ix, uint64_t epoch, const uint8_t *bitmap);
void core_claim_check(struct hs_core *c, uint16_t ix, bool promoted, const struct hs_view *v);

/* reports.c, failure.c */
size_t core_rows_max(const struct hs_core_opts *opts);
void core_reports_reset(struct hs_core *c);
bool core_report_add(struct hs_core *c, uint16_t suspect, uint16_t by);
bool core_report_drop(struct hs_core *c, uint16_t suspect, uint16_t by);
uint32_t core_report_count(struct hs_core *c, uint16_t suspect);
void core_reports_about(struct hs_core *c, uint16_t suspect); /* forget them all */
void core_reports_by(struct hs_core *c, uint16_t by);
uint32_t core_report_peek(const struct hs_core *c, uint16_t suspect);
void core_suspect(struct hs_core *c, uint16_t ix);
void core_judge(struct hs_core *c, uint16_t ix);
void core_fail(struct hs_core *c, uint16_t ix, uint16_t by, uint32_t reports);
void core_reached(struct hs_core *c, uint16_t ix);
void core_announce(struct hs_core *c);
bool core_may_announce(const struct hs_core *c);

/* gossip.c, ext.c */
void core_gossip_read(struct hs_core *c, uint16_t sender, const struct hs_view *v);
void core_ext_build(struct hs_core *c);
enum ext_level core_ext_shown(const struct hs_view *v);
uint32_t core_ext_put(struct hs_core *c, enum ext_level level, bool valkey, uint8_t *dst,
                      uint16_t *count);
void core_ext_read(struct hs_core *c, uint16_t sender, const struct hs_view *v);
void core_set_shard(struct hs_core *c, uint16_t ix, const void *shard_id);
bool core_same_shard(const struct hs_core *c, uint16_t a, uint16_t b);
void core_blacklist_add(struct hs_core *c, const void *id, int64_t ttl_ms);
bool core_blacklisted(struct hs_core *c, const void *id);

/* emit.c */
struct hs_action *core_act(struct hs_core *c, enum hs_action_type type);
struct hs_action *core_note(struct hs_core *c, enum hs_note what, hs_ix node, hs_ix other,
                            int64_t number);
void core_note_id(struct hs_core *c, enum hs_note what, const void *id, hs_ix other,
                  int64_t number);
void core_reply(struct hs_core *c, uint64_t token, enum hs_cmd_err err, int64_t number);
void core_hdr_build(struct hs_core *c);
void core_hdr_refresh(struct hs_core *c);
void core_ping(struct hs_core *c, uint16_t ix, uint16_t type);
void core_pong(struct hs_core *c, struct hs_link l, uint16_t ix, const struct hs_view *v);
void core_pong_all(struct hs_core *c);
void core_send_fail_all(struct hs_core *c, uint16_t about);
void core_send_update(struct hs_core *c, uint16_t to, uint16_t about);
void core_send_vote(struct hs_core *c, uint16_t to, uint64_t epoch);
uint32_t core_publish(struct hs_core *c, const struct hs_publish *p, bool sharded);
void core_send_auth_request(struct hs_core *c, uint64_t epoch, bool forced);
void core_send_mfstart(struct hs_core *c, uint16_t to);
void core_ping_on(struct hs_core *c, struct hs_link l, uint16_t ix);
bool core_can_ping(const struct hs_core *c);
void core_save(struct hs_core *c);

/* recv.c and its parts */
void core_recv(struct hs_core *c, struct hs_link l, const struct hs_view *v);
void core_recv_ping(struct hs_core *c, struct hs_link l, uint16_t sender, const struct hs_view *v);
void core_wrong_id(struct hs_core *c, uint16_t node);
void core_recv_fail(struct hs_core *c, uint16_t sender, const struct hs_view *v);
void core_recv_update(struct hs_core *c, uint16_t sender, const struct hs_view *v);
void core_recv_publish(struct hs_core *c, uint16_t sender, const struct hs_view *v);
void core_recv_role(struct hs_core *c, uint16_t ix, const struct hs_view *v);

/* strangers.c */
void core_stranger(struct hs_core *c, struct hs_link l, const struct hs_view *v);

/* epochs.c, vote.c, state.c */
void core_epoch_collision(struct hs_core *c, uint16_t sender, uint64_t epoch);
bool core_epoch_bump(struct hs_core *c);
void core_recv_auth_request(struct hs_core *c, uint16_t sender, const struct hs_view *v);
void core_saved(struct hs_core *c, uint64_t seq);
void core_state_update(struct hs_core *c);

/* election.c, manual.c, migrate.c */
void core_election(struct hs_core *c);
void core_election_request(struct hs_core *c);
void core_election_reset(struct hs_core *c);
void core_promote(struct hs_core *c);
void core_recv_auth_ack(struct hs_core *c, uint16_t sender, const struct hs_view *v);
enum hs_cmd_err core_failover(struct hs_core *c, enum hs_failover how);
void core_recv_mfstart(struct hs_core *c, struct hs_link l, uint16_t sender);
void core_manual_offset(struct hs_core *c, uint16_t sender, const struct hs_view *v);
void core_manual(struct hs_core *c);
void core_offset(struct hs_core *c, int64_t offset);
void core_migrate(struct hs_core *c);
int64_t core_migrate_at(const struct hs_core *c);

/* role.c: what we are */
void core_follow(struct hs_core *c, uint16_t master);
void core_unchain(struct hs_core *c);
void core_lead(struct hs_core *c);

/* wheel.c, tick.c */
void core_wheel_set(struct hs_core *c, uint16_t ix, int64_t due);
void core_wheel_remove(struct hs_core *c, uint16_t ix);
uint16_t core_wheel_take(struct hs_core *c, uint32_t slot);
int64_t core_wheel_next(const struct hs_core *c, int64_t limit);
void core_retime(struct hs_core *c, uint16_t ix);
void core_tick(struct hs_core *c);

/* cmd.c, cmd_slots.c */
void core_command(struct hs_core *c, const struct hs_cmd *cmd);
void core_conf_apply(struct hs_core *c);
void core_cmd_slots(struct hs_core *c, const struct hs_cmd *cmd);
void core_cmd_setslot(struct hs_core *c, const struct hs_cmd *cmd);

#endif
