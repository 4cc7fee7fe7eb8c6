/* watch.h - what changes in the cluster, told: events, and conditions that
 * should not be.
 *
 * A thread of its own compares each published view with the one before it. Every
 * difference becomes an event: a name ("+fail") and one line of key=value pairs
 * with old and new values. The events go into a ring, the journal, from which
 * client sessions and the notification script take them at their own pace. So
 * nothing here is on the way of a frame, and nothing can hold up the owner.
 *
 * Events say how views differ. What came and went between two views was never
 * seen by a client either, and is not told.
 *
 * Threads: hs_watch_run() and hs_script_run() on threads of their own; the
 *          journal and the counters may be read from any.
 * Bounds:  the journal has HS_JOURNAL_MAX events, the oldest give way and each
 *          reader is told how many it missed. A look at a view waits until
 *          twenty times what the last one took have passed.
 */
#ifndef HEARSAY_WATCH_H
#define HEARSAY_WATCH_H

#include "hearsay/base.h"
#include "hearsay/ring.h"

enum { HS_JOURNAL_MAX = 4096, HS_TOLD_TEXT_MAX = 640 };

/* One per row of the table in src/watch/table.c. */
enum hs_told_kind {
    HS_TOLD_NODE,
    HS_TOLD_NODE_GONE,
    HS_TOLD_PFAIL,
    HS_TOLD_PFAIL_OVER,
    HS_TOLD_FAIL,
    HS_TOLD_FAIL_OVER,
    HS_TOLD_SWITCH_MASTER,
    HS_TOLD_ROLE,
    HS_TOLD_SLOTS,
    HS_TOLD_EPOCH,
    HS_TOLD_STATE,
    HS_TOLD_ADDRESS,
    HS_TOLD_NAME,
    HS_TOLD_LINK,
    HS_TOLD_LINK_OVER,
    HS_TOLD_VOTE,
    HS_TOLD_LOST, /* never in the journal: made for a reader that is late */
    /* Conditions: each has its end right after it. */
    HS_TOLD_SPLIT,
    HS_TOLD_SPLIT_OVER,
    HS_TOLD_EQUAL_EPOCHS,
    HS_TOLD_EQUAL_EPOCHS_OVER,
    HS_TOLD_SUB_REPLICA,
    HS_TOLD_SUB_REPLICA_OVER,
    HS_TOLD_FOREIGN,
    HS_TOLD_FOREIGN_OVER,
    HS_TOLD_TWIN,
    HS_TOLD_TWIN_OVER,
    HS_TOLD_ONE_WAY,
    HS_TOLD_ONE_WAY_OVER,
    HS_TOLD_TLS_REFUSED,
    HS_TOLD_TLS_REFUSED_OVER,
    HS_TOLD_DISK,
    HS_TOLD_DISK_OVER,
    HS_TOLD_CERTIFICATE_ENDS,
    HS_TOLD_CERTIFICATE_ENDS_OVER,
    HS_TOLD_CERTIFICATE_EXPIRED,
    HS_TOLD_CERTIFICATE_EXPIRED_OVER,
    HS_TOLD_KINDS,
};

struct hs_told_row {
    const char *name;   /* "+fail" */
    const char *fields; /* the keys its line may have, in their order */
    bool urgent;        /* the notification script is called for it */
    const char *help;
};

const struct hs_told_row *hs_told_row(enum hs_told_kind kind);

/* An event. seq grows by one with each; a later run of the daemon begins above
 * all of an earlier one. */
struct hs_told {
    uint64_t seq;
    int64_t at_ms; /* Unix ms */
    enum hs_told_kind kind;
    char text[HS_TOLD_TEXT_MAX];
};

struct hs_watch;
struct hs_tls;

struct hs_watch_conf {
    struct hs_snapshot *snapshot; /* of struct hs_published */
    struct hs_tls *tls;           /* NULL without TLS */
    uint32_t reader;              /* which of its readers the watch is */
    uint32_t nodes_max;
    void (*told)(void *ctx); /* after events were added; on the watch's thread */
    void *told_ctx;
};

/* NULL: no memory. */
struct hs_watch *hs_watch_create(const struct hs_watch_conf *conf);
void hs_watch_destroy(struct hs_watch *w);
/* Until hs_watch_stop(), which any thread may call. */
void hs_watch_run(struct hs_watch *w);
void hs_watch_stop(struct hs_watch *w);
/* To be posted after each publication. */
struct hs_wake *hs_watch_wake(struct hs_watch *w);

/* Adds an event by hand: what another room noticed. Any thread. */
void hs_watch_tell(struct hs_watch *w, enum hs_told_kind kind, const char *text);

/* The newest event's seq; if there was none, where they begin. Any thread, no lock. */
uint64_t hs_watch_newest(const struct hs_watch *w);
/* The oldest seq after which every event is still there. */
uint64_t hs_watch_oldest(struct hs_watch *w);
/* The first event after *seq, which moves to it. If older ones are gone, *lost
 * grows by how many were missed. False: there is none. */
bool hs_watch_next(struct hs_watch *w, uint64_t *seq, struct hs_told *out, uint64_t *lost);

/* Counters, for any thread. "_now" and "_max" values are gauges. */
uint32_t hs_watch_counters_n(void);
const char *hs_watch_counter_name(uint32_t i);
uint64_t hs_watch_counter(const struct hs_watch *w, uint32_t i);

/* ---- the notification script ---- */

struct hs_script;

struct hs_script_conf {
    const char *path;     /* outlives the script */
    uint32_t limit_ms;    /* then it is killed, with all it started */
    uint32_t retry_ms;    /* before the first retry; doubled before each further one */
    uint32_t tries_max;   /* of one event, the first included */
    uint32_t running_max; /* at one time */
    uint32_t queue_max;   /* waiting or running; the oldest waiting one gives way */
};

/* As Sentinel has them. */
#define HS_SCRIPT_CONF(script) \
    (struct hs_script_conf) \
    { \
        .path = (script), .limit_ms = 60000, .retry_ms = 30000, .tries_max = 10, \
        .running_max = 16, .queue_max = 256 \
    }

/* "" or NULL path is not for here. NULL: no memory. */
struct hs_script *hs_script_create(struct hs_watch *w, const struct hs_script_conf *conf);
void hs_script_destroy(struct hs_script *s);
/* Until hs_script_stop(): then what still runs is killed. */
void hs_script_run(struct hs_script *s);
void hs_script_stop(struct hs_script *s);
/* Processes that are nobody's may have ended as children of this one: it takes
 * their statuses, and leaves those of its own runs alone. Any thread. */
void hs_script_reap(struct hs_script *s);
/* To be posted after events were added. */
struct hs_wake *hs_script_wake(struct hs_script *s);

#endif
