/* sim_int.h - what the files of this room share. Nobody else may include it.
 *
 * Time is in microseconds from the start of the run. A node is an index that
 * never changes; its id, address and role may.
 */
#ifndef HEARSAY_SIM_INT_H
#define HEARSAY_SIM_INT_H

#include "hearsay/core.h"
#include "hearsay/sim.h"

#include <stdio.h>
#include <string.h>

enum {
    RULES_MAX = 64,   /* of the network at one time; a story with more is refused */
    WORDS_MAX = 16,   /* of a phrase */
    BUS_PORT = 17000, /* every node has a host, so an address of its own */
    CLIENT_PORT = 7000,
    STALLED_MAX = 4096, /* frames held on one blocked direction; more break the connection */
};

#define MS INT64_C(1000)
#define SECOND INT64_C(1000000)
#define NEVER INT64_MAX
#define WALL_MS INT64_C(1700000000000) /* when the story begins, to its nodes */

/* ---- events ---- */

enum event_type {
    EV_TICK,
    EV_FRAME,
    EV_UP,
    EV_DOWN,
    EV_DIAL_FAILED,
    EV_SAVED,
    EV_SYN,    /* a connection attempt reaches its address */
    EV_STORY,  /* number: the step */
    EV_SAMPLE, /* look at the cluster as a whole */
    EV_JOIN,   /* the set-up's next move */
};

/* Bytes on their way; several receivers may share them. */
struct frame {
    uint32_t refs, len;
    uint32_t class_ix;
    struct frame *next; /* among the free ones */
    uint8_t bytes[];
};

struct event {
    uint32_t node, life; /* for whom; dropped if it started again meanwhile */
    uint8_t type;
    bool outbound;
    struct hs_link link;
    struct hs_dial dial;
    uint32_t peer_addr, local_addr;
    struct frame *frame;
    uint64_t number;
    uint32_t next; /* free, or stalled behind this one */
};

struct heap_entry {
    int64_t at;
    uint64_t seq;
    uint32_t ev;
};

struct heap {
    struct heap_entry *v;
    uint32_t n, max;
    struct event *events;
    uint32_t events_max, events_hi, free_event;
    uint64_t seq;
};

/* ---- the network ---- */

struct end {         /* of a connection */
    int64_t free_at; /* nothing sent arrives before: connections keep order */
    int64_t up_at;   /* when its own side hears that it is up */
    struct hs_link far;
    uint32_t gen, peer_life;
    uint32_t stalled_last; /* of the events held by a blocked path, in a circle */
    uint32_t peer : 16, stalled_n : 14;
    uint32_t used : 1;
    uint32_t reset : 1; /* the far end is gone and we will hear of it */
};
_Static_assert(sizeof(struct end) == 40, "a node has two for every other");

enum rule_kind { RULE_BLOCK, RULE_SLOW, RULE_CLOG, RULE_FLAKY };

struct rule { /* for frames from a node in `from` to one in `to` */
    bool used;
    enum rule_kind kind;
    int64_t amount; /* delay us; bytes per ms; parts per million */
    uint8_t *from, *to;
};

/* ---- disks ---- */

/* A save: what the node is after a restart that finds it. */
struct snap {
    uint32_t refs;
    bool sync;
    uint64_t seq;
    uint64_t config_epoch, current_epoch, vote_epoch;
    struct packed *packed; /* pack.c */
};

/* What views on disks say of nodes, each text once: pack.c. */
struct identities {
    struct identity *v;
    uint32_t *index; /* open addressing: place in v + 1 */
    uint32_t n, max, index_mask;
};

struct disk {
    struct snap *writing, *waiting; /* under way; the newest after it */
    struct snap *written, *synced;  /* what a restart finds; what power loss leaves */
    int64_t committed_at;
    int64_t delay_us;
    bool stuck;
};

/* ---- nodes ---- */

struct node {
    struct hs_core *core;
    void *mem;
    bool running, unplugged;
    uint32_t life;
    int64_t paused_until;
    uint32_t addr;
    int64_t clock_at, clock_mono_us; /* mono then; ppm since */
    int64_t clock_ppm, skew_ms;
    int64_t tick_at; /* when its next EV_TICK is due; NEVER if none */
    uint64_t tick_seq;
    struct end *ends;
    uint32_t ends_hi, free_end;
    struct disk disk;
    struct hs_node_id id;
    uint64_t sick; /* faults in force on it */
    int64_t sick_until;
    bool moved;                  /* files of others may hold an older address */
    bool ok;                     /* as it said last */
    uint64_t hash_version, hash; /* of its view */
    uint16_t last_err;
    int64_t last_number;
};

/* ---- checks.c ---- */

enum { KNOWS = 1, VOTER = 2, PFAIL = 4, FAIL = 8 };

struct observer { /* one node's view, as far as verdicts need it */
    uint64_t version;
    uint32_t voters, voters_before;
    uint8_t *marks, *before; /* per node, after the last step and before it */
    int64_t *heard;          /* [suspect][reporter]: when last, 0 never or withdrawn */
    uint32_t heard_n;        /* that are not 0 */
    bool attentive;          /* to this step */
};

struct promise {                                   /* what a node has said, over all its lives */
    uint64_t config_epoch;                         /* largest as a master */
    uint64_t current_epoch;                        /* of this life */
    uint64_t voted_epoch;                          /* largest of its votes */
    uint64_t asked_epoch;                          /* largest it asked for votes in */
    uint64_t boot_config, boot_current, boot_vote; /* what this life began with */
    uint64_t slots_hash, slots_epoch;              /* of the claim last looked at */
};

struct claim { /* slots somebody said were his in an epoch */
    uint64_t epoch, hash;
    uint32_t node;
    uint8_t slots[HS_SLOTS_BYTES];
};

enum { CLAIMS_MAX = 4096 };

struct checks {
    uint32_t stride; /* every so many nodes is an observer */
    struct observer *observers;
    struct promise *promises;
    struct claim *claims;
    uint32_t claims_n;
    bool claims_off; /* somebody took an epoch without a vote, by command */
};

/* ---- story.c ---- */

struct step {
    int64_t at;
    bool expect;
    int64_t within; /* of an expectation */
    char text[HS_SIM_LINE_MAX];
    bool done;
};

struct words {
    char buf[HS_SIM_LINE_MAX];
    const char *w[WORDS_MAX];
    uint32_t n;
};

enum join_phase { JOIN_MEET, JOIN_WAIT, JOIN_REPLICATE, JOIN_DONE };

struct hs_sim {
    struct hs_sim_opts opts;
    struct hs_prng prng;
    int64_t now;
    struct heap heap;
    struct node *nodes;
    uint32_t n;
    struct frame *free_frames[24];
    struct hs_actions acts;
    struct hs_core_opts core_opts;
    struct hs_core_conf conf;
    uint32_t *addr_node; /* who has an address; HS_NIL for nobody */
    uint32_t addrs_n, addrs_max;
    uint32_t *ids; /* open addressing: node + 1 */
    struct hs_node_id *id_keys;
    uint32_t ids_mask;
    struct identities known;
    struct rule rules[RULES_MAX];
    uint32_t rules_n; /* used ones are below */
    struct step steps[HS_SIM_STEPS_MAX];
    uint32_t steps_n;
    int64_t end_at;
    bool stop, failed;
    enum join_phase join;
    uint32_t join_next;
    struct hs_topo *scratch;
    uint32_t fail_cursor, agree_cursor;
    struct checks checks;
    int64_t sample_us;
    struct hs_sim_sample *samples;
    uint32_t samples_max;
    uint64_t in_flight;
    uint8_t *killed;              /* by the story and not back */
    uint8_t *accused;             /* somebody's verdict named it, ever */
    struct hs_sim_result r, seen; /* seen: at the last sample */
    char error[HS_SIM_ERROR_MAX];
    char line[2048];
};

/* heap.c */
bool heap_init(struct heap *h, uint32_t max);
void heap_fini(struct heap *h);
uint32_t event_take(struct hs_sim *s, enum event_type type, uint32_t node);
void event_drop(struct hs_sim *s, uint32_t ev);
void event_push(struct hs_sim *s, uint32_t ev, int64_t at);
void event_push_again(struct hs_sim *s, struct heap_entry e, int64_t at);
bool event_pop(struct hs_sim *s, struct heap_entry *e);
struct frame *frame_take(struct hs_sim *s, uint32_t len);
void frame_drop(struct hs_sim *s, struct frame *f);
void frames_fini(struct hs_sim *s);

static inline struct event *event_at(struct hs_sim *s, uint32_t ev)
{
    return &s->heap.events[ev];
}

/* net.c, ways.c */
void net_init_node(struct hs_sim *s, uint32_t i);
void net_connect(struct hs_sim *s, uint32_t i, const struct hs_action *a);
void net_syn(struct hs_sim *s, const struct event *syn_in);
void net_send(struct hs_sim *s, uint32_t i, struct hs_link l, struct frame *f);
void net_close(struct hs_sim *s, uint32_t i, struct hs_link l, bool silently);
struct end *net_end(struct hs_sim *s, uint32_t i, struct hs_link l);
void net_free_end(struct hs_sim *s, uint32_t i, struct hs_link l);
void net_drop_all(struct hs_sim *s, uint32_t i, bool silently);
void net_release(struct hs_sim *s);
void net_break_all(struct hs_sim *s, uint32_t i);
bool net_blocked(const struct hs_sim *s, uint32_t from, uint32_t to);
struct rule *net_rule(struct hs_sim *s, enum rule_kind kind, int64_t amount, const uint8_t *from,
                      const uint8_t *to);
void net_heal(struct hs_sim *s);
int64_t net_delay(struct hs_sim *s, uint32_t from, uint32_t to);
int64_t net_amount(const struct hs_sim *s, enum rule_kind kind, uint32_t from, uint32_t to);
uint32_t addr_of_text(const char *ip);
void addr_text(uint32_t addr, char ip[HS_IP_LEN]);
uint32_t addr_new(struct hs_sim *s, uint32_t node);

/* world.c */
struct hs_now world_now(const struct hs_sim *s, uint32_t i);
void world_start(struct hs_sim *s, uint32_t i, const struct hs_topo *boot);
void world_fresh(struct hs_sim *s, uint32_t i);
void world_stop(struct hs_sim *s, uint32_t i, bool power);
void world_restart(struct hs_sim *s, uint32_t i);
void world_step(struct hs_sim *s, uint32_t i, const struct hs_event *ev);
void world_deliver(struct hs_sim *s, struct heap_entry e);
enum hs_cmd_err world_command(struct hs_sim *s, uint32_t i, struct hs_cmd *cmd);
void world_clock(struct hs_sim *s, uint32_t i, int64_t ppm);
void world_tick(struct hs_sim *s, uint32_t i);

/* disk.c */
void disk_save(struct hs_sim *s, uint32_t i, uint64_t seq, bool sync);
void disk_done(struct hs_sim *s, uint32_t i);
void disk_crash(struct hs_sim *s, uint32_t i, bool power);
void disk_fix(struct hs_sim *s, uint32_t i);
void disk_fini(struct disk *d);

/* pack.c */
struct packed *disk_pack(struct identities *known, const struct hs_topo *t);
struct hs_topo *disk_unpack(const struct identities *known, const struct packed *p);
void identities_fini(struct identities *k);

/* view.c */
void ids_add(struct hs_sim *s, const struct hs_node_id *id, uint32_t node);
uint32_t ids_find(const struct hs_sim *s, const void *id);
struct hs_topo *view_of(struct hs_sim *s, uint32_t i);
struct hs_topo *view_copy(struct hs_sim *s, uint32_t i);
uint32_t view_run_end(const struct hs_topo *t, uint32_t slot);
bool view_agree(struct hs_sim *s);
void view_difference(struct hs_sim *s, char *why, size_t n);
bool view_all_fail(struct hs_sim *s, const uint8_t *suspects);
bool view_covered(struct hs_sim *s);
uint32_t view_master_of(struct hs_sim *s, uint32_t i);
bool view_is_master(struct hs_sim *s, uint32_t i);
uint32_t view_flags(struct hs_sim *s, uint32_t by, uint32_t about);
uint32_t view_known(const struct hs_sim *s, uint32_t i);

/* trace.c */
void trace_event(struct hs_sim *s, const struct event *e, const struct hs_view *v);
void trace_note(struct hs_sim *s, uint32_t i, const struct hs_action *a);
void trace_step(struct hs_sim *s, const char *text);
void trace_hash(struct hs_sim *s, uint64_t word);

/* checks.c, claims.c */
bool checks_init(struct hs_sim *s);
void checks_fini(struct hs_sim *s);
void checks_started(struct hs_sim *s, uint32_t i, const struct hs_topo *boot);
void checks_before(struct hs_sim *s, uint32_t i, const struct hs_event *ev);
void checks_after(struct hs_sim *s, uint32_t i, const struct hs_event *ev, uint32_t from);
void checks_note(struct hs_sim *s, uint32_t i, const struct hs_action *a);
void checks_sent(struct hs_sim *s, uint32_t i, const uint8_t *frame, uint32_t to);
void checks_claim(struct hs_sim *s, uint32_t from, const struct hs_view *v);
void checks_restored(struct hs_sim *s, uint32_t i, const struct hs_topo *boot);
void violation(struct hs_sim *s, uint32_t i, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* faults.c, story.c, expect.c, join.c, stats.c */
void story_step(struct hs_sim *s, uint32_t step_ix);
void story_split(const char *text, struct words *w);
bool story_time(const char *word, int64_t *us);
bool story_number(const char *word, int64_t *n);
bool faults_apply(struct hs_sim *s, struct words *w);
bool faults_set(struct hs_sim *s, const char *const *w, uint32_t n, uint8_t *set);
bool faults_command(struct hs_sim *s, struct words *w);
bool faults_network(struct hs_sim *s, const struct words *w, uint8_t *a, uint8_t *b);
void faults_sick(struct hs_sim *s, uint32_t i, int add);
bool expect_holds(struct hs_sim *s, const char *text, char *why, size_t n);
void join_start(struct hs_sim *s);
void join_next(struct hs_sim *s);
void stats_sample(struct hs_sim *s);
void stats_note(struct hs_sim *s, uint32_t i, const struct hs_action *a);

#endif
