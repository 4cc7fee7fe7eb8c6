/* owner.h - the one thread that owns the cluster state.
 *
 * Takes what the reactors pushed, applies it to the core, turns the core's
 * actions into entries for the reactors, saves and log lines, and publishes
 * what readers may see. Never waits for a socket, a lock, a file or a client.
 *
 * Threads: hs_owner_run() on its own thread; hs_owner_stop() from any. The
 *          published view is read through the snapshot.
 */
#ifndef HEARSAY_OWNER_H
#define HEARSAY_OWNER_H

#include "hearsay/base.h"
#include "hearsay/conf.h"
#include "hearsay/core.h"
#include "hearsay/net.h"
#include "hearsay/ring.h"
#include "hearsay/store.h"
#include "hearsay/tls.h"

struct hs_owner;

/* What a client session asks of the owner. Allocated by the session, opaque to
 * net, owned by the owner until it is answered. */
enum hs_request_kind {
    HS_REQ_COMMAND,  /* cmd; err and number are the outcome */
    HS_REQ_CONF,     /* conf: adopt these values (a validated whole) */
    HS_REQ_SHUTDOWN, /* answered when the owner stops: say nothing then */
    HS_REQ_SLEEP,    /* number: ms the owner is to stand still (DEBUG SLEEP) */
    HS_REQ_ACCUSERS, /* cmd.id; accusers, number: how many accuse that node */
    HS_REQ_PUBLISH,  /* cmd; number: how many of our own clients got it */
    HS_REQ_REWRITE,  /* conf, path, why: write the newest values there; number 0, or else why */
};

enum { HS_WHY_MAX = 512 };

struct hs_request {
    enum hs_request_kind kind;
    struct hs_conn_id conn; /* set by net: where the answer goes */
    struct hs_cmd cmd;
    struct hs_conf *conf;        /* HS_REQ_CONF; HS_REQ_REWRITE: room for it; stays the session's */
    uint64_t conf_n;             /* HS_REQ_CONF: of the view it changes; refused if not newest */
    struct hs_tls_keys *keys;    /* HS_REQ_CONF: to be adopted with it, the owner's then; or NULL */
    struct hs_accuser *accusers; /* HS_REQ_ACCUSERS: stays the session's; the first of them */
    uint32_t accusers_max;
    const char *path; /* HS_REQ_REWRITE: of the file */
    char *why;        /* HS_REQ_REWRITE: HS_WHY_MAX bytes, the session's */
    enum hs_cmd_err err;
    int64_t number;
    uint32_t waits;          /* the owner's: reactors that have not told their part of number yet */
    struct hs_request *next; /* the owner's, while it has the request */
};

/* What the owner counts about itself. */
enum hs_owner_counter {
    HS_OWNER_BATCHES,
    HS_OWNER_STEPS,
    HS_OWNER_STEP_NS_MAX,
    HS_OWNER_IN_DEPTH_MAX, /* entries found waiting in one reactor's ring */
    HS_OWNER_CHUNK_WAITS,  /* times no chunk was free and events had to wait */
    HS_OWNER_OVERFLOWS,    /* links closed because their reactor took no more */
    HS_OWNER_REFUSALS,     /* dials and accepted connections given up for that reason */
    HS_OWNER_BUS_DENIED,   /* bus connections from addresses that bus-allow does not name */
    HS_OWNER_PUBLICATIONS,
    HS_OWNER_PUBLISH_NS_MAX,
    HS_OWNER_NO_MEMORY,      /* copies for readers or the disk put off */
    HS_OWNER_NOTES_DROPPED,  /* log lines left out by their limit */
    HS_OWNER_BOARDS_BUSY,    /* turns in which all frozen boards were borrowed from */
    HS_OWNER_PUBLISHES_HELD, /* publishes of clients that had to wait for chunks */
    HS_OWNER_PUBLISHES_LOST, /* messages not handed to a reactor that took no more */
    HS_OWNER_COUNTERS,
};

/* Short and stable: "batches", "step_ns_max", ... */
const char *hs_owner_counter_name(uint32_t i);

/* What the owner measures. */
enum hs_owner_histogram {
    HS_OWNER_TURN_NS,   /* one turn of the loop, without its sleep */
    HS_OWNER_STEP_NS,   /* one event through the core, and what it asked for */
    HS_OWNER_IN_DEPTH,  /* entries found waiting in a reactor's ring, per turn */
    HS_OWNER_SETTLE_MS, /* from the first to the last change of a burst in the view */
    HS_OWNER_HISTOGRAMS,
};

/* What readers see: replaced as a whole, never changed. */
struct hs_published {
    struct hs_topo *topo;
    struct hs_conf conf;
    uint64_t conf_n; /* how often it was changed */
    uint64_t core_counters[128];
    uint32_t core_counters_n;
    uint64_t owner_counters[HS_OWNER_COUNTERS];
    struct hs_histogram core_histograms[HS_CORE_HISTOGRAMS];
    struct hs_histogram owner_histograms[HS_OWNER_HISTOGRAMS];
    uint64_t save_failures;
    int64_t save_waits_ms; /* monotonic: since when the disk is at the same save; 0: at none */
    int64_t published_ms;  /* monotonic */
    char save_error[128];
    int64_t started_ms; /* Unix ms */
    uint64_t version;   /* grows with every publication: times move without a change */
};

struct hs_owner_conf {
    struct hs_conf conf;
    struct hs_core_opts core;
    const struct hs_topo *boot;
    struct hs_net *net;
    struct hs_tls *tls; /* NULL without TLS */
    uint32_t reactors;
    struct hs_store *store;
    struct hs_snapshot *snapshot;
    struct hs_wake *wake;
    struct hs_wake *published;   /* posted after each publication; NULL: nobody waits for them */
    void (*shutdown)(void *ctx); /* a client asked for it */
    void *shutdown_ctx;
};

/* Submits a first save: hs_store_flush() before anything else runs. NULL: no memory. */
struct hs_owner *hs_owner_create(const struct hs_owner_conf *conf);
void hs_owner_destroy(struct hs_owner *o);
/* Until hs_owner_stop(): then a last save is submitted, reactors are told to
 * stop, and it returns. */
void hs_owner_run(struct hs_owner *o);
void hs_owner_stop(struct hs_owner *o);
/* From any thread: the monotonic moment of the last tick. It stands still when
 * the owner hangs, or cannot go on for want of chunks. */
int64_t hs_owner_ticked_ms(const struct hs_owner *o);

/* For hs_snapshot_create(). */
void hs_published_destroy(void *p);

/* What the core is to be told of a configuration. */
void hs_owner_core_conf(const struct hs_conf *conf, struct hs_core_conf *out);
/* And the reactors. */
void hs_owner_net_tune(const struct hs_conf *conf, struct hs_net_tune *out);

#endif
