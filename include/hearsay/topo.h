/* topo.h - a view of the cluster, frozen: what one node knew at one moment.
 *
 * The core fills one (hs_core_topology()), and nodes.conf parses into one. It
 * is what is saved, shown to clients, measured and compared. Filled once, then
 * never changed, so any number of threads may read it.
 *
 * Memory: one block from hs_topo_create(), everything inside it; drop it with
 *         hs_topo_destroy(). Strings live in the block too.
 */
#ifndef HEARSAY_TOPO_H
#define HEARSAY_TOPO_H

#include "hearsay/base.h"
#include "hearsay/wire.h"

enum { HS_TOPO_FOREIGN_MAX = 32 };

#define HS_TOPO_NONE UINT16_MAX /* no node: an unowned slot, an unknown master */

struct hs_topo_node {
    struct hs_node_id id;
    char shard_id[HS_ID_LEN];
    char ip[HS_IP_LEN]; /* "" if unknown */
    uint16_t port;      /* plain client port, 0 if none */
    uint16_t tls_port;  /* TLS client port, 0 if none */
    uint16_t cport;
    uint16_t flags;        /* HS_NODE_*; only what nodes.conf and CLUSTER NODES know */
    uint16_t master;       /* index of a replica's master, or HS_TOPO_NONE */
    uint16_t slots_n;      /* entries of owner[] that name it */
    uint64_t config_epoch; /* a replica's own; show hs_topo_epoch() */
    int64_t repl_offset;
    int64_t ping_sent_ms;     /* Unix ms of the pending ping, 0 for none */
    int64_t pong_received_ms; /* Unix ms, 0 for never */
    int64_t link_to_ms;       /* Unix ms the outbound link came up, 0 if down */
    int64_t link_from_ms;     /* the same of the inbound link */
    struct {
        uint32_t ix, gen; /* of a struct hs_conn_id */
    } link_to, link_from; /* their connections, while they are up */
    const char *hostname; /* never NULL, "" if none */
    const char *nodename;
    const char *client_ipv4; /* Valkey's announced client addresses */
    const char *client_ipv6;
    uint32_t reports_n; /* valid failure reports about it */
    int64_t heard_to_ms,
        heard_from_ms;         /* Unix ms of the last frame on our link, on theirs; 0 never */
    int64_t pfail_ms, fail_ms; /* Unix ms it was last marked so, 0 for never */
    bool has_rtt;
    uint32_t rtt_ms, rtt_min_ms, rtt_smooth_8; /* of its pongs; smooth in eighths of a ms */
    /* The node, plus one, that owns a slot it claims with the same epoch; 0 for
     * none. And the first such slot. */
    uint16_t split_with, split_slot;
};

struct hs_topo_open { /* a slot on the move, seen from its end here */
    uint16_t slot;
    uint16_t node; /* the other end */
};

/* A sender that is no member, and was heard more than once perhaps. */
struct hs_topo_foreign {
    struct hs_node_id id;      /* ours: somebody else uses it */
    char ip[HS_IP_LEN];        /* where it was heard from last */
    int64_t first_ms, last_ms; /* Unix ms */
    uint64_t frames;
};

struct hs_topo {
    uint64_t version;           /* grows with every topology of one core */
    struct hs_topo_node *nodes; /* nodes[0] is the local node */
    uint32_t nodes_n, nodes_max;
    uint16_t owner[HS_SLOTS];                   /* node index or HS_TOPO_NONE */
    struct hs_topo_open *migrating, *importing; /* ascending slots */
    uint32_t migrating_n, importing_n, open_max;
    uint64_t current_epoch, last_vote_epoch;
    bool ok;       /* cluster state */
    uint32_t size; /* voting masters */
    uint32_t slots_assigned, slots_ok, slots_pfail, slots_fail;
    uint64_t sent[HS_MSG_TYPES], received[HS_MSG_TYPES];
    struct hs_topo_foreign foreign[HS_TOPO_FOREIGN_MAX]; /* those heard last */
    uint32_t foreign_n;
    bool client_ips;  /* some node has a client_ipv4 or _ipv6 */
    int64_t taken_ms; /* Unix ms */
    char *strings;    /* the block's string area */
    uint32_t strings_n, strings_max;
};

/* Room for that many nodes, slots on the move and bytes of strings. NULL when
 * out of memory. Slots are unowned; everything else is zero. */
struct hs_topo *hs_topo_create(uint32_t nodes_max, uint32_t open_max, uint32_t strings_max);
void hs_topo_destroy(struct hs_topo *t);
/* One of its own, with all that is in t. NULL when out of memory. */
struct hs_topo *hs_topo_copy(const struct hs_topo *t);
/* The part of a view on which nodes can agree, as one number: who is a member,
 * each one's role, master, ports, config epoch and slots, and who is marked
 * FAIL. Left out is what is one observer's: suspicion, addresses as seen, links,
 * times, names not announced to all, slots on the move, our own votes. */
uint64_t hs_topo_hash(const struct hs_topo *t);

/* Copies text into the string area; "" costs nothing. NULL if it is full. */
const char *hs_topo_string(struct hs_topo *t, const char *text);

/* Whether a node is heard in one direction only, as of now_ms (Unix): TO if we
 * do not reach it though it reaches us, FROM if it does not reach us. */
enum hs_one_way { HS_ONE_WAY_NO, HS_ONE_WAY_TO, HS_ONE_WAY_FROM };
enum hs_one_way hs_topo_one_way(const struct hs_topo_node *n, int64_t now_ms, int64_t timeout_ms);
/* How long ago a sign of life may be: a node timeout, but never less than the
 * pace at which peers send. */
int64_t hs_topo_recent_ms(int64_t timeout_ms);

/* The index of a node, or HS_TOPO_NONE. Linear. */
uint16_t hs_topo_find(const struct hs_topo *t, const struct hs_node_id *id);

/* How many links to and from other nodes are up. */
uint32_t hs_topo_links(const struct hs_topo *t);

/* The epoch shown for a node: its own, or its master's if it has one. */
uint64_t hs_topo_epoch(const struct hs_topo *t, uint32_t node);

#endif
