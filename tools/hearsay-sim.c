/* hearsay-sim - a cluster of any size in virtual time, on one thread.
 *
 * It runs the shipped core against a made-up network and tells what came of
 * it. Whatever goes wrong can be run again: everything follows from the seed
 * and the story.
 */
#include "hearsay-sim.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char replay[COMMAND_MAX];

static double wall_seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* An assertion of a core ends the process; the way to see it again comes first. */
static void on_abort(int sig)
{
    static const char text[] = "A core's invariant is broken. To see it again:\n  ";

    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    (void)!write(STDERR_FILENO, replay, strlen(replay));
    (void)!write(STDERR_FILENO, "\n", 1);
    signal(sig, SIG_DFL);
}

static void remember_command(int argc, char **argv)
{
    size_t n = 0;

    for (int i = 0; i < argc && n < sizeof(replay); i++) {
        bool plain = strpbrk(argv[i], " ;|>#\n'") == NULL;
        n += (size_t)snprintf(replay + n, sizeof(replay) - n, plain ? "%s%s" : "%s'%s'",
                              i == 0 ? "" : " ", argv[i]);
    }
}

static void to_file(void *arg, const char *line)
{
    FILE *f = arg;

    fputs(line, f);
    fputc('\n', f);
}

static FILE *open_out(const char *path)
{
    FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");

    if (f == NULL) {
        perror(path);
        exit(2);
    }
    return f;
}

static void close_out(FILE *f)
{
    if (f != NULL && f != stdout) {
        fclose(f);
    }
}

static struct hs_sim *begin(struct tool *t, FILE *text)
{
    struct hs_sim *s;

    t->sim.sink_arg = text;
    t->sim.trace = t->trace != NULL ? to_file : NULL;
    t->sim.notes = t->notes != NULL ? to_file : NULL;
    s = hs_sim_create(&t->sim);
    if (s == NULL) {
        fprintf(stderr, "hearsay-sim: not enough memory for %u nodes\n", t->sim.nodes);
        exit(2);
    }
    if (!hs_sim_story(s, t->story)) {
        fprintf(stderr, "hearsay-sim: %s\n", hs_sim_error(s));
        exit(2);
    }
    return s;
}

static bool run(struct tool *t, struct hs_sim *s)
{
    bool tty = !t->quiet && isatty(STDERR_FILENO);
    int64_t at_ms = 0;

    while (hs_sim_run_until(s, at_ms += 1000)) {
        if (tty) {
            fprintf(stderr, "\r%lld s, %llu messages ", (long long)at_ms / 1000,
                    (unsigned long long)hs_sim_result(s)->messages);
        }
    }
    if (tty) {
        fprintf(stderr, "\r\033[K");
    }
    return hs_sim_error(s)[0] == '\0';
}

/* What came of it, to wherever it is wanted. */
static void tell(const struct tool *t, struct hs_sim *s, double took)
{
    if (!t->quiet) {
        print_result(stdout, t, hs_sim_result(s), took);
    }
    if (t->json != NULL) {
        FILE *f = open_out(t->json);
        print_json(f, t, hs_sim_result(s), took);
        close_out(f);
    }
    if (t->report != NULL) {
        FILE *f = open_out(t->report);
        print_report(f, t, hs_sim_result(s), took);
        close_out(f);
    }
    if (hs_sim_error(s)[0] != '\0') {
        fprintf(stderr, "hearsay-sim: %s\nseed %llu; to see it again:\n  %s\n", hs_sim_error(s),
                (unsigned long long)t->sim.seed, replay);
    }
    fflush(NULL);
}

/* One story more, from where the run has ended. */
static bool go_on(struct tool *t, struct hs_sim *s, unsigned k)
{
    static char json[COMMAND_MAX]; /* t keeps it; this process tells one story only */
    double begun = wall_seconds();
    bool good;

    if (t->json != NULL && strcmp(t->json, "-") != 0) {
        snprintf(json, sizeof(json), "%s.%u", t->json, k + 1);
        t->json = json;
    }
    if (!hs_sim_story(s, t->then[k])) {
        fprintf(stderr, "hearsay-sim: %s\n", hs_sim_error(s));
        return false;
    }
    good = run(t, s);
    if (!t->quiet) {
        printf("\nthen: %s\n", t->then[k]);
    }
    tell(t, s, wall_seconds() - begun);
    return good;
}

/* The stories that follow, each in a copy of this process: what it took to get
 * here is not done again. One at a time, for their memory. */
static bool branches(struct tool *t, struct hs_sim *s)
{
    bool good = true;

    for (unsigned k = 0; k < t->then_n; k++) {
        int status = 1;
        pid_t pid = fork();
        if (pid == 0) {
            good = go_on(t, s, k);
            fflush(NULL);
            _exit(good ? 0 : 1);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid) {
            perror("hearsay-sim: a process for --then");
        }
        good = status == 0 && good;
    }
    return good;
}

int main(int argc, char **argv)
{
    static struct tool t;
    FILE *text = NULL;
    double begun = wall_seconds();
    bool good;

    remember_command(argc, argv);
    options_read(&t, argc, argv);
    if (t.many > 0 || t.seeds != NULL) {
        return many_run(&t);
    }
    signal(SIGABRT, on_abort);
    if (t.trace != NULL || t.notes != NULL) {
        text = open_out(t.trace != NULL ? t.trace : t.notes);
    }
    struct hs_sim *s = begin(&t, text);
    good = run(&t, s);
    tell(&t, s, wall_seconds() - begun);
    if (good) {
        good = branches(&t, s);
    }
    close_out(text);
    hs_sim_destroy(s);
    return good ? 0 : 1;
}
