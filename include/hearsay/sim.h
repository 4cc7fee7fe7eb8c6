/* sim.h - thousands of nodes in one thread and in no time.
 *
 * A struct hs_sim runs the shipped core, many times over, against a virtual
 * clock, a virtual network and virtual disks. All that could differ between
 * two runs is drawn from one seed, so a run is repeated by its options and its
 * story, byte for byte, with any compiler. Checkers that share no code with
 * the core watch what it does (docs/testing.md).
 *
 * Threads: one at a time. Errors: false with a sentence in hs_sim_error(); a
 *          broken invariant of a core stops the process, as everywhere.
 * Memory:  everything is taken from hs_alloc() and dropped by destroy.
 */
#ifndef HEARSAY_SIM_H
#define HEARSAY_SIM_H

#include "hearsay/base.h"
#include "hearsay/topo.h"
#include "hearsay/wire.h"

struct hs_sim;

enum {
    HS_SIM_NODES_MAX = 8192,
    HS_SIM_STEPS_MAX = 512, /* lines of a story */
    HS_SIM_LINE_MAX = 256,
    HS_SIM_ERROR_MAX = 512,
};

typedef void hs_sim_sink(void *arg, const char *line);

struct hs_sim_opts {
    uint32_t nodes;   /* 1..HS_SIM_NODES_MAX */
    uint32_t masters; /* of them; 0: a third, at least three; the rest are replicas */
    uint64_t seed;
    int64_t run_ms;           /* virtual time in all; 0: as the story needs */
    uint32_t node_timeout_ms; /* 0: 15000 */
    uint32_t check_every;     /* walk a core's invariants every so many steps; 0: by size */
    bool alone;               /* no joining: every node is for itself at first */
    bool forget_disks;        /* take no copy of what is saved until a crash: for large runs */
    hs_sim_sink *trace;       /* every event as text, or NULL */
    hs_sim_sink *notes;       /* only what nodes note, and the story's steps, or NULL */
    void *sink_arg;
};

/* What was seen of the cluster in one span of virtual time. */
struct hs_sim_sample {
    int64_t at_ms;
    uint64_t messages, bytes; /* since the sample before */
    uint32_t running;
    uint32_t suspicions; /* PFAIL marks set since the sample before */
    uint32_t verdicts;   /* FAIL marks set */
    uint32_t ok;         /* nodes whose cluster state is ok */
    bool agree;
};

struct hs_sim_result {
    uint64_t hash; /* of every event delivered */
    uint64_t events, steps;
    uint64_t messages, bytes, sent[HS_MSG_TYPES];
    int64_t at_ms;
    int64_t joined_ms; /* first equal views, with all replicas in place; -1 never */
    int64_t fault_ms;  /* the first kill or unplug of the story; -1 none */
    int64_t first_fail_ms, all_fail_ms; /* after it; -1 not seen */
    int64_t last_won_ms, all_ok_ms;     /* last election won, every node ok again; -1 */
    uint32_t false_fails;               /* verdicts about nodes nothing was wrong with */
    uint32_t verdicts, suspicions, elections_won;
    uint64_t bytes_max_in_flight;
    uint32_t samples_n;
    const struct hs_sim_sample *samples;
};

struct hs_sim *hs_sim_create(const struct hs_sim_opts *opts);
void hs_sim_destroy(struct hs_sim *s);

/* Options that lines of a story set ("nodes 5", "timeout 2s"); what is not
 * named stays. False for a bad line, which is then in err. */
bool hs_sim_story_opts(const char *story, struct hs_sim_opts *opts, char err[HS_SIM_ERROR_MAX]);

/* Adds a story: lines, or phrases between semicolons. After the end of a run it
 * makes the run longer. */
bool hs_sim_story(struct hs_sim *s, const char *story);

/* Runs to the end. False if a checker or an expectation was not content. */
bool hs_sim_run(struct hs_sim *s);
/* Runs until then at most; true while there is no reason to stop. */
bool hs_sim_run_until(struct hs_sim *s, int64_t at_ms);

const char *hs_sim_error(const struct hs_sim *s);
const struct hs_sim_result *hs_sim_result(const struct hs_sim *s);

/* A story of faults for a small cluster, from a seed: options and steps. */
void hs_sim_random_story(uint64_t seed, char *out, size_t n);

#endif
