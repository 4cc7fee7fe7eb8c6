/* Many seeds, a process for each, so that an assertion of a core is a finding
 * like any other; and what fails is made small before it is shown.
 */
#include "hearsay-sim.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    TEXT_MAX = 2048, /* of what a run says when it fails */
    RUN_S_MAX = 120, /* longer than any small cluster needs */
    TRIES_MAX = 120, /* to make one story smaller */
    LINES_MAX = 64,
    RUNS_MAX = 64, /* at a time */
};

struct run {
    pid_t pid;
    int fd;
    uint64_t seed;
};

static bool play(const char *story)
{
    struct hs_sim_opts opts = {.nodes = 6, .seed = 1};
    char err[HS_SIM_ERROR_MAX];
    struct hs_sim *s;
    bool good;

    if (!hs_sim_story_opts(story, &opts, err)) {
        fprintf(stderr, "%s\n", err);
        return false;
    }
    s = hs_sim_create(&opts);
    good = s != NULL && hs_sim_story(s, story) && hs_sim_run(s);
    if (!good) {
        fprintf(stderr, "%s\n", s == NULL ? "not enough memory" : hs_sim_error(s));
    }
    hs_sim_destroy(s);
    return good;
}

static bool start(struct run *r, const char *story)
{
    int ends[2];

    if (pipe(ends) != 0) {
        return false;
    }
    fflush(NULL);
    r->pid = fork();
    if (r->pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        alarm(RUN_S_MAX);
        _exit(play(story) ? 0 : 1);
    }
    close(ends[1]);
    r->fd = ends[0];
    return r->pid > 0;
}

/* Waits for a run. True if all was well; else text says what was not. */
static bool finish(struct run *r, char text[TEXT_MAX])
{
    size_t n = 0;
    ssize_t got;
    int status = 0;

    while (n < TEXT_MAX - 1 && (got = read(r->fd, text + n, TEXT_MAX - 1 - n)) > 0) {
        n += (size_t)got;
    }
    text[n] = '\0';
    close(r->fd);
    waitpid(r->pid, &status, 0);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        snprintf(text, TEXT_MAX, "did not end within %d s\n", RUN_S_MAX);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool fails(const char *story, char text[TEXT_MAX])
{
    struct run r;

    return start(&r, story) && !finish(&r, text);
}

/* ---- making it small ---- */

/* Two failures are of one kind if they read the same but for numbers. */
static bool same_kind(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        a += strspn(a, "0123456789");
        b += strspn(b, "0123456789");
        if (*a != *b) {
            return false;
        }
        if (*a == '\0' || *a == ';') {
            return true;
        }
        a++;
        b++;
    }
    return *a == *b;
}

static bool still_fails(const char *story, const char *kind, char *text, unsigned *tries)
{
    return (*tries)++ < TRIES_MAX && fails(story, text) && same_kind(kind, text);
}

/* The story without one of its lines. */
static void without(const char *story, unsigned line, char *out)
{
    for (unsigned k = 0; *story != '\0'; k++) {
        size_t len = strcspn(story, "\n") + 1;
        if (k != line) {
            memcpy(out, story, len);
            out += len;
        }
        story += len;
    }
    *out = '\0';
}

static bool is_fault(const char *story, unsigned line)
{
    for (unsigned k = 0; k < line && *story != '\0'; k++) {
        story += strcspn(story, "\n") + 1;
    }
    return strncmp(story, "at ", 3) == 0 && strstr(story, " expect ") != story + 3 &&
           strncmp(story + strcspn(story, "\n") - 4, "heal", 4) != 0;
}

static void drop_faults(char *story, const char *kind, unsigned *tries)
{
    char tried[STORY_MAX], text[TEXT_MAX];

    for (unsigned line = LINES_MAX; line-- > 0;) {
        unsigned lines = 0;
        for (const char *p = story; (p = strchr(p, '\n')) != NULL; p++) {
            lines++;
        }
        if (line < lines && is_fault(story, line)) {
            without(story, line, tried);
            if (still_fails(tried, kind, text, tries)) {
                memcpy(story, tried, strlen(tried) + 1);
            }
        }
    }
}

static void drop_nodes(char *story, const char *kind, unsigned *tries)
{
    char tried[STORY_MAX], text[TEXT_MAX];
    const char *rest = story + strcspn(story, "\n");
    unsigned long n = strtoul(story + strlen("nodes "), NULL, 10);

    while (n > 3) {
        snprintf(tried, sizeof(tried), "nodes %lu%s", --n, rest);
        if (!still_fails(tried, kind, text, tries)) {
            return;
        }
        memcpy(story, tried, strlen(tried) + 1);
        rest = story + strcspn(story, "\n");
    }
}

static void show(const struct tool *t, uint64_t seed, const char *kind)
{
    char story[STORY_MAX];
    unsigned tries = 0;

    hs_sim_random_story(seed, story, sizeof(story));
    if (!t->whole) {
        drop_faults(story, kind, &tries);
        drop_nodes(story, kind, &tries);
    }
    printf("seed %llu: %s", (unsigned long long)seed, kind);
    printf("  whole:   hearsay-sim --many 1 --whole --seed-from %llu\n", (unsigned long long)seed);
    printf("  reduced: hearsay-sim --story '");
    for (const char *p = story; *p != '\0'; p++) {
        fputs(*p == '\n' ? "; " : (char[]){*p, '\0'}, stdout);
    }
    printf("'\n");
    fflush(stdout);
}

/* ---- many ---- */

struct seeds {
    FILE *file;
    uint64_t next, end;
};

static bool next_seed(struct seeds *q, uint64_t *seed)
{
    char line[128];

    if (q->file == NULL) {
        *seed = q->next;
        return q->next++ < q->end;
    }
    while (fgets(line, sizeof(line), q->file) != NULL) {
        char *end;
        *seed = strtoull(line, &end, 10);
        if (end != line) {
            return true;
        }
    }
    return false;
}

int many_run(struct tool *t)
{
    struct seeds q = {.next = t->seed_from, .end = t->seed_from + t->many};
    struct run runs[RUNS_MAX];
    unsigned first = 0, under_way = 0, jobs = t->jobs == 0 ? 1 : t->jobs;
    uint64_t done = 0, failed = 0, seed;
    char story[STORY_MAX], text[TEXT_MAX];
    bool more = true;

    if (t->seeds != NULL && (q.file = fopen(t->seeds, "r")) == NULL) {
        perror(t->seeds);
        return 2;
    }
    while (more || under_way > 0) {
        while (more && under_way < jobs && (more = next_seed(&q, &seed))) {
            struct run *r = &runs[(first + under_way) % RUNS_MAX];
            hs_sim_random_story(seed, story, sizeof(story));
            r->seed = seed;
            if (!start(r, story)) {
                perror("hearsay-sim: a process for a run");
                return 2;
            }
            under_way++;
        }
        if (under_way > 0) {
            struct run *r = &runs[first];
            first = (first + 1) % RUNS_MAX;
            under_way--;
            done++;
            if (!finish(r, text)) {
                failed++;
                show(t, r->seed, text);
            }
        }
    }
    printf("%llu seeds, %llu failed\n", (unsigned long long)done, (unsigned long long)failed);
    return failed == 0 ? 0 : 1;
}
