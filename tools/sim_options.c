/* The command line of hearsay-sim.
 */
#include "hearsay-sim.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "hearsay-sim - runs a whole cluster of the shipped core in virtual time\n"
    "\n"
    "  hearsay-sim [--nodes N] [--seed S] [--for TIME] [--kill 33% --at 60s [--heal-at 90s]]\n"
    "  hearsay-sim --scenario FILE | --story 'TEXT'\n"
    "  hearsay-sim --many COUNT [--seed-from S] [--jobs J] | --seeds FILE\n"
    "\n"
    "  --nodes N                 how many nodes (default 6)\n"
    "  --masters M               of them masters; the rest are replicas (default a third)\n"
    "  --replicas-per-master R   instead of --masters\n"
    "  --node-timeout MS         cluster-node-timeout (default 15000)\n"
    "  --seed S                  all that is random follows from it (default 1)\n"
    "  --for TIME                virtual time to run, such as 10m (default: as the story needs)\n"
    "  --kill WHAT --at TIME     33% of the masters, or so many of them, die; --heal-at revives "
    "them\n"
    "  --scenario FILE           a story of what happens; the command line's options win over its\n"
    "  --story TEXT              the same, phrases between semicolons\n"
    "  --then TEXT               goes on with that story where the run has ended; if given more\n"
    "                            than once, each goes on from there for itself (--json FILE\n"
    "                            then also writes FILE.1, FILE.2, ...)\n"
    "  --check-every K           walk a core's invariants every K steps (default by size)\n"
    "  --trace FILE              every event as text; - for standard output\n"
    "  --notes FILE              only what nodes note and the story's steps\n"
    "  --report FILE.html        a page with the curves\n"
    "  --json FILE               the figures\n"
    "  --quiet                   print nothing but failures\n"
    "  --many COUNT              that many small clusters, each with a bad day made up from its "
    "seed\n"
    "  --seed-from S --jobs J    the first seed; how many at a time\n"
    "  --seeds FILE              the same for the seeds in a file, one a line\n"
    "  --whole                   do not shorten the story of a seed that fails\n"
    "  --help, --version\n"
    "\n"
    "A story has a phrase a line (or between semicolons); # begins a remark.\n"
    "  nodes N   masters N   timeout TIME   seed S   for TIME   alone (nobody is introduced)\n"
    "  at TIME kill SET | unplug SET | restart SET | pause SET for TIME | break SET\n"
    "          partition SET [| SET] | cut SET -> SET | heal network | heal\n"
    "          slow SET [-> SET] by TIME | clog SET [-> SET] by NKB/s | flaky SET [-> SET] by P%\n"
    "          slow disk SET TIME | stick disk SET | fix disk SET\n"
    "          clock SET jumps TIME [back] | clock SET runs N ppm [slow]\n"
    "          move A [to B]       A restarts at a new address, or at the one B had\n"
    "          command SET meet B | forget B | replicate B | failover [force|takeover] | addslots "
    "A-B\n"
    "                      | delslots A-B | flushslots | bumpepoch | reset\n"
    "  [at TIME] expect WHAT [within TIME]; WHAT may begin with \"not\":\n"
    "          agree | ok | covered | joined | sound | no false failures | epochs differ | "
    "elections N\n"
    "          suspected SET | failed SET [by SET] | healthy SET [by SET] | never failed SET\n"
    "          | forgotten SET | knows SET N\n"
    "          master SET | one master of SET | replica SET of M | owner SLOT NODE\n"
    "  SET: 3 | 0-4,7 | all | 33% of masters | 2 replicas | host H | zone Z | master of 3\n"
    "       | replicas of 0    (node i is on host i/3 and in zone i%3)\n"
    "  TIME: 200ms 20s 10m 1h\n"
    "\n"
    "Exit status: 0, or 1 if a checker or an expectation was not content, 2 for wrong usage.\n";

static void refuse(const char *option, const char *value, const char *wanted)
{
    fprintf(stderr, "hearsay-sim: --%s %s: %s; --help explains\n", option, value, wanted);
    exit(2);
}

static uint64_t number(const char *option, const char *value, uint64_t max)
{
    char *end;
    unsigned long long n = strtoull(value, &end, 10);

    if (end == value || *end != '\0' || value[0] == '-' || n > max) {
        refuse(option, value, "a number is needed, not too large");
    }
    return n;
}

bool read_file(const char *path, char *out, size_t n)
{
    FILE *f = fopen(path, "r");
    size_t len;

    if (f == NULL) {
        return false;
    }
    len = fread(out, 1, n - 1, f);
    out[len] = '\0';
    fclose(f);
    return len < n - 1;
}

enum {
    O_NODES = 256,
    O_MASTERS,
    O_REPLICAS,
    O_TIMEOUT,
    O_SEED,
    O_FOR,
    O_KILL,
    O_AT,
    O_HEAL,
    O_SCENARIO,
    O_STORY,
    O_THEN,
    O_CHECK,
    O_TRACE,
    O_NOTES,
    O_REPORT,
    O_JSON,
    O_QUIET,
    O_MANY,
    O_FROM,
    O_JOBS,
    O_SEEDS,
    O_WHOLE,
    O_HELP,
    O_VERSION
};

static const struct option options[] = {
    {"nodes", 1, NULL, O_NODES},
    {"masters", 1, NULL, O_MASTERS},
    {"replicas-per-master", 1, NULL, O_REPLICAS},
    {"node-timeout", 1, NULL, O_TIMEOUT},
    {"seed", 1, NULL, O_SEED},
    {"for", 1, NULL, O_FOR},
    {"kill", 1, NULL, O_KILL},
    {"at", 1, NULL, O_AT},
    {"heal-at", 1, NULL, O_HEAL},
    {"scenario", 1, NULL, O_SCENARIO},
    {"story", 1, NULL, O_STORY},
    {"then", 1, NULL, O_THEN},
    {"check-every", 1, NULL, O_CHECK},
    {"trace", 1, NULL, O_TRACE},
    {"notes", 1, NULL, O_NOTES},
    {"report", 1, NULL, O_REPORT},
    {"json", 1, NULL, O_JSON},
    {"quiet", 0, NULL, O_QUIET},
    {"many", 1, NULL, O_MANY},
    {"seed-from", 1, NULL, O_FROM},
    {"jobs", 1, NULL, O_JOBS},
    {"seeds", 1, NULL, O_SEEDS},
    {"whole", 0, NULL, O_WHOLE},
    {"help", 0, NULL, O_HELP},
    {"version", 0, NULL, O_VERSION},
    {NULL, 0, NULL, 0},
};

static void append_story(struct tool *t, const char *text)
{
    size_t n = strlen(t->story);

    if (snprintf(t->story + n, sizeof(t->story) - n, "%s\n", text) >= (int)(sizeof(t->story) - n)) {
        refuse("story", "...", "it is too long");
    }
}

/* Where things go, and what the story is. */
static void take_place(struct tool *t, int o, const char *value)
{
    switch (o) {
    case O_SCENARIO:
        t->scenario = value;
        if (!read_file(value, t->story, sizeof(t->story))) {
            refuse("scenario", value, "cannot be read, or is too long");
        }
        break;
    case O_STORY:
        append_story(t, value);
        break;
    case O_THEN:
        if (t->then_n == THEN_MAX) {
            refuse("then", value, "that is one more than there may be");
        }
        t->then[t->then_n++] = value;
        break;
    case O_TRACE:
        t->trace = value;
        break;
    case O_NOTES:
        t->notes = value;
        break;
    case O_REPORT:
        t->report = value;
        break;
    case O_JSON:
        t->json = value;
        break;
    case O_SEEDS:
        t->seeds = value;
        break;
    case O_KILL:
        t->kill = value;
        break;
    case O_AT:
        t->kill_at = value;
        break;
    case O_HEAL:
        t->heal_at = value;
        break;
    default:
        break;
    }
}

/* An option as the line of a story that says the same, appended after the
 * story's own, so that the command line wins. */
static void say(struct tool *t, const char *what, const char *value)
{
    char line[HS_SIM_LINE_MAX];

    snprintf(line, sizeof(line), "%s %s", what, value);
    append_story(t, line);
}

static void take_value(struct tool *t, int o, const char *value)
{
    char ms[32];

    switch (o) {
    case O_NODES:
        say(t, "nodes", value);
        break;
    case O_MASTERS:
        say(t, "masters", value);
        break;
    case O_SEED:
        say(t, "seed", value);
        break;
    case O_FOR:
        say(t, "for", value);
        break;
    case O_TIMEOUT:
        snprintf(ms, sizeof(ms), "%llums",
                 (unsigned long long)number("node-timeout", value, 3600000));
        say(t, "timeout", ms);
        break;
    case O_REPLICAS:
        t->replicas_per_master = (int64_t)number("replicas-per-master", value, 100);
        break;
    case O_CHECK:
        t->sim.check_every = (uint32_t)number("check-every", value, UINT32_MAX);
        break;
    case O_MANY:
        t->many = number("many", value, 1000000000);
        break;
    case O_FROM:
        t->seed_from = number("seed-from", value, INT64_MAX / 256);
        break;
    case O_JOBS:
        t->jobs = (unsigned)number("jobs", value, 64);
        break;
    default:
        break;
    }
}

static void read_all(struct tool *t, int argc, char **argv,
                     void (*take)(struct tool *, int, const char *))
{
    int o;

    optind = 1;
    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (o) {
        case O_HELP:
            fputs(help, stdout);
            exit(0);
        case O_VERSION:
            puts("hearsay-sim " HS_VERSION);
            exit(0);
        case O_QUIET:
            t->quiet = true;
            break;
        case O_WHOLE:
            t->whole = true;
            break;
        case '?':
            exit(2);
        default:
            take(t, o, optarg);
            break;
        }
    }
    if (optind < argc) {
        refuse("", argv[optind], "no such argument");
    }
}

static void kill_story(struct tool *t)
{
    char line[HS_SIM_LINE_MAX];

    if (t->kill != NULL) {
        bool part = strchr(t->kill, '%') != NULL;
        snprintf(line, sizeof(line), "at %s kill %s %s", t->kill_at == NULL ? "60s" : t->kill_at,
                 t->kill, part ? "of masters" : "masters");
        append_story(t, line);
    }
    if (t->heal_at != NULL) {
        snprintf(line, sizeof(line), "at %s heal", t->heal_at);
        append_story(t, line);
    }
}

void options_read(struct tool *t, int argc, char **argv)
{
    char err[HS_SIM_ERROR_MAX];

    t->sim.nodes = 6;
    t->sim.seed = 1;
    t->seed_from = 1;
    t->jobs = 1;
    read_all(t, argc, argv, take_place);
    append_story(t, "");
    read_all(t, argc, argv, take_value);
    kill_story(t);
    if (!hs_sim_story_opts(t->story, &t->sim, err)) {
        fprintf(stderr, "hearsay-sim: %s\n", err);
        exit(2);
    }
    if (t->replicas_per_master > 0) {
        t->sim.masters = t->sim.nodes / (1 + (uint32_t)t->replicas_per_master);
    }
    t->sim.forget_disks = t->sim.nodes > 256;
}
