/* watch_int.h - what the files of this room share.
 *
 * All of struct hs_watch but the journal, the counters and `stop` belongs to
 * the watch's thread.
 */
#ifndef HEARSAY_WATCH_INT_H
#define HEARSAY_WATCH_INT_H

#include "hearsay/tls.h"
#include "hearsay/topo.h"
#include "hearsay/watch.h"

enum {
    WATCH_CONDITIONS_MAX = 256, /* at one time; one more is not told, counted */
    WATCH_FLIPS_MAX = 64,       /* nodes whose address changed lately; the oldest gives way */
    WATCH_MOVES_MAX = 128,      /* +slots of one look; what is beyond is told as one sum */
    WATCH_LINES_BURST = 32,     /* log lines at once, since peers can provoke them */
    WATCH_LINES_PER_S = 10,     /* and per second after that */
    WATCH_PACE = 20,            /* a look costs a twentieth of the time at most */
    WATCH_REST_MS = 1000,
    WATCH_NO_MEMORY_MS = 100, /* until a copy is tried again */
};

/* ---- table.c ---- */
bool watch_has_field(enum hs_told_kind kind, const char *key);

/* ---- line.c: one line of key=value ---- */

struct line {
    enum hs_told_kind kind;
    size_t n;
    char text[HS_TOLD_TEXT_MAX];
};

void line_begin(struct line *l, enum hs_told_kind kind);
/* Blanks, '=', '%', quotes, control and non-ASCII bytes become %XX; a value that
 * would be empty is '-'. A pair for which there is no room is left out. */
void line_text(struct line *l, const char *key, const char *value);
void line_int(struct line *l, const char *key, int64_t value);
void line_id(struct line *l, const char *key, const struct hs_node_id *id); /* NULL: '-' */
/* node, name, address, role: what every line about a node begins with. */
void line_node(struct line *l, const struct hs_topo_node *n);
void line_address(struct line *l, const char *key, const struct hs_topo_node *n);

/* ---- journal.c ---- */

struct journal {
    struct hs_lock *lock;
    struct hs_told *v;       /* HS_JOURNAL_MAX, by seq */
    uint64_t first;          /* seq of the first event of this run */
    _Atomic uint64_t newest; /* seq of the last one; first - 1 for none */
};

bool journal_init(struct journal *j, uint64_t before_first);
void journal_fini(struct journal *j);
void journal_add(struct journal *j, enum hs_told_kind kind, const char *text, int64_t at_ms);

/* ---- conditions.c: what should not be, from when to when ---- */

struct condition {
    enum hs_told_kind kind;
    struct hs_node_id a, b;   /* what tells it from others of its kind */
    bool raised, found;       /* found: in this look */
    int64_t from_ms, seen_ms; /* mono */
    struct line line;
};

/* ---- the watch ---- */

#define WATCH_COUNTERS(X) \
    X(looks) \
    X(look_ms_max) \
    X(events) \
    X(conditions_refused) /* more than WATCH_CONDITIONS_MAX */ \
    X(no_memory)          /* looks that could not be taken */ \
    X(lines_dropped)      /* log lines left out by their limit; the events were told */ \
    X(script_runs) \
    X(script_ok) \
    X(script_retries) \
    X(script_failures) /* events given up: a code of 2 or more, or too many tries */ \
    X(script_killed)   /* over the time limit */ \
    X(script_dropped)  /* events that found no room in the queue */ \
    X(script_running_now)

enum watch_counter {
#define X(name) WATCH_##name,
    WATCH_COUNTERS(X)
#undef X
        WATCH_COUNTERS_N
};

/* How often each condition began, and how many there are now. */
enum { WATCH_CONDITION_KINDS = (HS_TOLD_KINDS - HS_TOLD_SPLIT) / 2 };

struct flip { /* a node that goes to and fro between two addresses */
    struct hs_node_id id;
    char before[HS_IP_LEN];
    uint16_t before_port;
    uint32_t n;
    int64_t at_ms; /* mono, of the last change */
};

/* What one look compares. */
struct look {
    const struct hs_topo *old, *new;
    struct hs_now now;
    int64_t timeout_ms;        /* cluster-node-timeout */
    int64_t certificate_end_s; /* Unix seconds; 0 for none */
    const char *save_error;    /* "" if the last save worked */
    uint64_t save_failures;
    struct hs_tls_refusal refusals[HS_TLS_REFUSALS_MAX];
    uint32_t refusals_n;
};

struct hs_watch {
    struct hs_watch_conf conf;
    struct journal journal;
    struct hs_wake wake;
    struct hs_topo *seen;
    uint64_t seen_version;
    int64_t next_ms; /* no look before */
    /* Of the look under way. */
    uint16_t *was;     /* index in new -> in old, or HS_TOPO_NONE */
    uint16_t *is;      /* and back */
    uint16_t *buckets; /* index + 1, by hash */
    uint32_t buckets_n;
    struct condition conditions[WATCH_CONDITIONS_MAX];
    uint32_t conditions_n;
    int64_t lines_ms; /* mono; what is left of the log's limit, as time */
    struct flip flips[WATCH_FLIPS_MAX];
    uint32_t flips_n;
    _Atomic uint64_t counters[WATCH_COUNTERS_N];
    _Atomic uint64_t begun[WATCH_CONDITION_KINDS], now[WATCH_CONDITION_KINDS];
    atomic_bool stop;
};

#define WATCH_COUNT(w, name) \
    ((void)atomic_fetch_add_explicit(&(w)->counters[WATCH_##name], 1, memory_order_relaxed))

static inline bool is_member(const struct hs_topo_node *n)
{
    return (n->flags & HS_NODE_HANDSHAKE) == 0;
}

void watch_tell(struct hs_watch *w, const struct line *l);
/* Everything that differs, and every condition. */
void watch_look(struct hs_watch *w, const struct look *k);

/* diff.c, moves.c */
void watch_diff(struct hs_watch *w, const struct look *k);
void watch_moves(struct hs_watch *w, const struct look *k);
/* Fills w->was and w->is. */
void watch_match(struct hs_watch *w, const struct look *k);

/* conditions.c, checks.c */
/* It is so now. It is told once it has been so for lasting_ms. */
void watch_found(struct hs_watch *w, const struct look *k, const struct line *l,
                 const struct hs_node_id *a, const struct hs_node_id *b, int64_t lasting_ms);
/* Ends what was not found in this look, nor for hold_ms. */
void watch_settle(struct hs_watch *w, const struct look *k);
void watch_check(struct hs_watch *w, const struct look *k);
void watch_flipped(struct hs_watch *w, const struct look *k, const struct hs_topo_node *from,
                   const struct hs_topo_node *to);

/* hashes: of an id, of an address */
uint64_t watch_hash(const void *p, size_t n, uint64_t seed);

#endif
