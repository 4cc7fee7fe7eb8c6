/* bench.h - what the parts of hearsay-bench share.
 *
 * One process plays every node of a cluster but one, the target. What the
 * peers are (world) is built once and read by all; who talks is split over
 * workers, each with a thread, an epoll set and the links of every
 * threads-th peer, so that workers share nothing they write to but counters.
 * The main thread moves all of them through the phases and takes samples.
 */
#ifndef HEARSAY_BENCH_H
#define HEARSAY_BENCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "hearsay/base.h"
#include "hearsay/wire.h"
#include "histogram.h"

enum {
    PEERS_MAX = 16000, /* a slot for each, and below the largest table of any server */
    THREADS_MAX = 64,
    WINDOW_MAX = 64,         /* PINGs in flight on one link */
    OUT_MAX = 256,           /* messages queued on one link; more closes it, as a full peer would */
    SEEDS_MAX = 8,           /* peers that MEET the target; it hears of the others from them */
    PEER_CLIENT_PORT = 6379, /* told to the target; nobody listens there */
    SAMPLE_MS = 100,         /* as often as stock nodes look at their links */
    SAMPLES_MAX = 36000,
    ERROR_TEXT_MAX = 320,
};

#define UNSET UINT32_MAX

enum mode {
    MODE_STEADY,
    MODE_FLOOD,
    MODE_STORM,
    MODE_PUBLISH,
    MODE_TOPOLOGY,
    MODE_JOIN,
    MODE_ECHO,
    MODES
};

struct options {
    char host[16]; /* numeric IPv4 on loopback */
    uint16_t port, bus_port;
    pid_t target_pid; /* 0: found through the listening port */
    enum mode mode;
    uint32_t peers, threads;
    uint32_t links, window, clients; /* UNSET: what the mode says */
    uint32_t warmup_ms, duration_ms, node_timeout_ms, form_ms;
    uint32_t kill_percent;
    uint64_t seed;
    bool full_rate, silent, fragmented, light, progress;
    const char *command; /* topology: SLOTS, SHARDS or NODES */
    const char *payload; /* publish */
    uint32_t payload_len;
    const char *json, *plot;
    const char *compare[2];
    uint32_t rounds;
    uint32_t echo_port; /* be the echo server; 0 for no */
};

/* Parses argv; false if there is nothing to run, with *status for exit(). */
bool options_parse(struct options *o, int argc, char **argv, int *status);
const char *mode_name(enum mode m);

/* ---- what the peers are (world.c); read-only once built ---- */

struct world {
    uint32_t peers_n;
    uint32_t wanted; /* healthy gossip entries in a stock message */
    uint16_t cport;
    uint8_t *headers; /* HS_HDR_LEN for each peer */
    uint8_t *entries; /* HS_GOSSIP_LEN for each peer, as gossiped when healthy */
    uint32_t *order;  /* a permutation of the peers */
    uint64_t no_slots_hash;
    uint32_t killed_n;
    bool *doomed; /* storm: who will die */
};

bool world_create(struct world *w, const struct options *o, uint16_t cport);
void world_destroy(struct world *w);
uint32_t peer_address(uint32_t peer); /* IPv4, host byte order */
/* The peer with this id, or HS_NIL. */
uint32_t peer_of_id(const struct world *w, const uint8_t *id);
uint32_t peer_of_address(const struct world *w, uint32_t address);

/* ---- counters: one writer each, read by anyone ---- */

enum count {
    N_RX, /* messages */
    N_TX,
    N_RX_BYTES,
    N_TX_BYTES,
    N_RX_ENTRIES,
    N_TX_ENTRIES,
    N_ANSWERED,  /* PINGs of ours that got their PONG */
    N_PINGED,    /* PINGs of the target */
    N_PUBLISHED, /* PUBLISH frames that reached a peer */
    N_UPDATES,
    N_FAILS,   /* FAIL frames */
    N_REPLIES, /* of the client port */
    N_REPLY_BYTES,
    N_ACCEPTED,
    N_FORMED, /* peers the target has connected to and pinged */
    N_LINKED, /* links of ours that had an answer */
    N_CLOSED, /* links the target closed */
    N_CPU_NS, /* of the worker's thread */
    COUNTS,
};

enum fault { /* a wrong answer is an error, not a fast answer */
             BAD_FRAME,
             BAD_SENDER,
             BAD_SLOTS,
             BAD_EPOCH,
             BAD_PORTS,
             BAD_FLAGS,
             BAD_COUNT,
             BAD_ENTRY_ID,
             BAD_ENTRY_ADDRESS,
             BAD_ENTRY_FLAGS,
             BAD_ENTRY_TWICE,
             BAD_SUSPECT,
             BAD_PUBLISH,
             BAD_REPLY,
             BAD_END,
             FAULTS,
};

const char *fault_name(enum fault f);

enum phase { PHASE_FORM, PHASE_LINK, PHASE_WARM, PHASE_MEASURE, PHASE_STOP };

struct bench {
    const struct options *o;
    struct world world;
    struct hs_node_id target_id;
    struct worker *workers;
    int listen_fd;
    atomic_int phase;
    _Atomic int64_t killed_at_ns; /* storm: 0 until it breaks */
    _Atomic int64_t last_fail_ns;
    _Atomic uint8_t *suspected; /* by peer: enum suspicion */
};

enum suspicion { ALIVE, DEAD, REPORTED_FAIL }; /* dead; and the target said FAIL */

struct conn;
struct client;
struct result;

/* What the peers gossip, at one moment. A new one is made when somebody's
 * state changes; messages on their way go on pointing to theirs. */
struct board {
    struct board *older;
    uint8_t *entries;  /* healthy or FAIL, shuffled, twice, so that no window wraps */
    uint8_t *suspects; /* PFAIL: at the end of every message */
    uint32_t *place;   /* by peer: where in entries, or HS_NIL */
    uint32_t n, window_n, suspects_n;
};

struct worker {
    struct bench *b;
    uint32_t ix;
    pthread_t thread;
    int epoll_fd;
    struct hs_prng prng;
    _Atomic uint64_t counts[COUNTS];
    _Atomic uint64_t faults[FAULTS];
    char fault_text[FAULTS][ERROR_TEXT_MAX]; /* the first of each kind; read after the join */
    struct histogram latency;
    struct board *board; /* the newest; older ones stay until the end */
    uint32_t *seen;      /* by peer: serial of the message that named it last */
    uint32_t serial;
    uint8_t *buf;               /* what recv() fills */
    struct conn **out;          /* by peer: our link to the target, or NULL */
    _Atomic(struct conn *) *in; /* by peer: the target's link to us, or NULL */
    bool *formed, *linked;      /* by peer */
    struct conn *dirty;         /* has something to send */
    struct client **clients;
    uint32_t clients_n;
    int64_t now_ns, second_at_ns, beat_from_ns, gossip_at_ns, renew_at_ns;
    uint64_t fails_shown;
    uint64_t beats; /* heartbeats sent since beat_from_ns */
    uint32_t connect_from, seed_window;
    bool killed;
};

int64_t mono_ns(void);
void count_add(struct worker *w, enum count c, uint64_t n);
uint64_t count_sum(const struct bench *b, enum count c);
void fault(struct worker *w, enum fault f, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
uint64_t faults_sum(const struct bench *b);

bool worker_init(struct bench *b, uint32_t ix);
bool worker_start(struct worker *w);
void worker_join(struct worker *w);
static inline bool owns(const struct worker *w, uint32_t peer)
{
    return peer % w->b->o->threads == w->ix;
}

/* ---- links (conn.c) ---- */

enum handle_kind { HANDLE_LISTEN, HANDLE_CONN, HANDLE_CLIENT };

struct handle { /* the first member of everything an epoll set points to */
    enum handle_kind kind;
};

struct out_msg {
    uint8_t prefix[16]; /* the part of a header that differs by message */
    const struct board *board;
    uint32_t window, len;
};

struct conn {
    struct handle handle;
    int fd;
    uint32_t peer;
    bool inbound, connecting, blocked, is_dirty, closed, greeted;
    struct conn *next_dirty;
    uint8_t *part; /* the start of a frame that has not all arrived */
    uint32_t part_n, part_max;
    uint32_t out_head, out_n, out_sent; /* out_sent: bytes of the first message */
    uint32_t flight_head, flight_n;
    int64_t opened_at_ns;
    uint64_t epoch;             /* the target's, as last shown here */
    int64_t flight[WINDOW_MAX]; /* when each unanswered PING was queued */
    struct out_msg out[OUT_MAX];
};

struct conn *conn_dial(struct worker *w, uint32_t peer);
void conn_accept_all(struct worker *w);
void conn_close(struct worker *w, struct conn *c, bool reset);
void conn_ready(struct worker *w, struct conn *c, uint32_t events);
void conn_flush_all(struct worker *w);
/* Queues a PING, PONG or MEET with gossip; window is HS_NIL for a random one. */
void conn_send(struct worker *w, struct conn *c, uint16_t type, uint32_t window);
bool conn_ping(struct worker *w, struct conn *c); /* false if WINDOW_MAX are in flight */

/* ---- what arrives (recv.c), and whether it is right (check.c) ---- */

void recv_frame(struct worker *w, struct conn *c, const struct hs_view *v);
void check_frame(struct worker *w, struct conn *c, const struct hs_view *v);

/* ---- what peers do by themselves (beat.c, storm.c, board.c) ---- */

void beat_tick(struct worker *w);
void storm_tick(struct worker *w);
void storm_heard_fail(struct worker *w, const struct hs_view *v);
bool board_renew(struct worker *w);   /* as the peers see each other now */
void board_refresh(struct worker *w); /* the times in it */
void board_destroy(struct board *b);

/* ---- clients of the target (clients.c, resp.c) ---- */

void clients_start(struct worker *w);
void clients_stop(struct worker *w);
void client_ready(struct worker *w, struct client *c, uint32_t events);

struct reply_scan { /* finds where a RESP2 or RESP3 reply ends, in any pieces */
    uint64_t left;  /* values still to come */
    uint64_t skip;  /* bytes of a string still to come */
    uint64_t len;
    char line[32];
    uint32_t line_n;
    bool started, error;
};

/* Bytes of p that belong to this reply; *done when it is whole. */
size_t reply_feed(struct reply_scan *s, const char *p, size_t n, bool *done);
/* One command on a connection of its own, for the questions around a run; the
 * reply's text, or a negative errno. */
int ask(const struct options *o, const char *const *words, uint32_t words_n, char *reply, size_t n);

/* ---- before and after (target.c) ---- */

/* Says why it cannot be done; 2, for exit(). */
int refuse(const char *what, const char *why);
/* Learns the target's id; refuses one that is in a cluster already. */
int target_meet(struct bench *b);
/* What the target knows at the end, which has one right value. */
void target_check_end(struct bench *b, struct result *r);

/* ---- the machine (proc.c) ---- */

struct usage {
    double cpu_s, user_s, system_s;
    uint64_t rss_kb, peak_kb;
};

pid_t proc_listening_on(uint16_t port);
bool proc_usage(pid_t pid, struct usage *u);
double proc_busy_s(void); /* of all cores, since boot */
/* Descriptors allowed after raising the limit as far as it goes. */
uint64_t proc_raise_files(uint64_t wanted);
uint64_t proc_files_of(pid_t pid); /* allowed to another process; 0 if that is not known */
void proc_machine(char *buf, size_t n);

/* ---- a run (run.c) and what is told of it ---- */

struct sample {
    float at_s, rate, p50_us, p99_us;
};

struct result {
    double form_s, measured_s, last_fail_s;
    bool target_known; /* its process was found */
    uint64_t counts[COUNTS], faults;
    uint64_t formed, linked, accept_max, failed_n, suspected_n, killed_n, told_n;
    double p50_us, p90_us, p99_us, p999_us, max_us;
    double target_cpu_s, target_user_s, target_system_s, own_cpu_s, busiest, others;
    double form_cpu_s;
    uint64_t rss_kb, peak_kb;
    uint32_t samples_n;
};

/* 0 all well, 1 wrong answers, 2 it could not be run. */
int run(const struct options *o, struct result *r, struct sample *samples);
void report_text(FILE *f, const struct options *o, const struct result *r);
bool report_json(const struct options *o, const struct result *r);
bool report_svg(const struct options *o, const struct result *r, const struct sample *samples);
/* What the mode is about: PINGs answered, replies, deliveries; per second, and
 * what one costs the target. */
const char *result_unit(const struct options *o);
double result_rate(const struct options *o, const struct result *r);
double result_cost_us(const struct options *o, const struct result *r);
enum count result_counts(const struct options *o);
int compare(const struct options *o);

/* ---- the floor (echo.c) ---- */

int echo_serve(uint16_t port); /* returns only if it cannot */
int echo_run(const struct options *o, struct result *r);

#endif
