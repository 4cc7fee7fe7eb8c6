/* hearsay-sim.h - what the files of this program share.
 */
#ifndef HEARSAY_SIM_PROGRAM_H
#define HEARSAY_SIM_PROGRAM_H

#include "hearsay/sim.h"

#include <stdio.h>

enum { STORY_MAX = 64 * 1024, COMMAND_MAX = 16 * 1024, THEN_MAX = 16 };

struct tool {
    struct hs_sim_opts sim;
    char story[STORY_MAX];
    const char *scenario, *trace, *notes, *report, *json, *seeds;
    const char *kill, *kill_at, *heal_at;
    const char *then[THEN_MAX]; /* stories that go on from the end of this one */
    unsigned then_n;
    int64_t replicas_per_master;
    uint64_t many, seed_from;
    unsigned jobs;
    bool quiet, whole; /* whole: do not reduce what fails */
};

/* Exits after --help, --version and what it does not understand. */
void options_read(struct tool *t, int argc, char **argv);
bool read_file(const char *path, char *out, size_t n);

void print_result(FILE *out, const struct tool *t, const struct hs_sim_result *r, double wall_s);
void print_json(FILE *out, const struct tool *t, const struct hs_sim_result *r, double wall_s);
void print_report(FILE *out, const struct tool *t, const struct hs_sim_result *r, double wall_s);

/* The exit status. */
int many_run(struct tool *t);

#endif
