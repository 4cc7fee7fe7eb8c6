/* compare.c - two servers in turn on the same machine, A B A B, because what a
 * machine does drifts and only ratios from the same minutes mean something.
 * Each run is a process of its own, so that none inherits from another.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

enum {
    PORT_FIRST = 21000, /* below the ports the kernel gives out, bus ports included */
    PORTS_N = 1000,
    START_MS = 15000, /* for a server to answer, and to stop */
    STEP_MS = 50,
    ROUNDS_MAX = 100,
};

struct figures { /* of one run */
    double rate, cost_us, core, p50_us, p99_us, p999_us, rss_mb, peak_mb, joined_s, failed_s;
};

static void nap(void)
{
    struct timespec ts = {.tv_nsec = STEP_MS * 1000000};

    (void)nanosleep(&ts, NULL);
}

/* The command with its places filled; false if it is too long. */
static bool fill_in(const char *from, uint16_t port, const char *dir, char *to, size_t n)
{
    size_t used = 0;

    while (*from != '\0' && used + 1 < n) {
        if (strncmp(from, "{port}", 6) == 0) {
            used += (size_t)snprintf(to + used, n - used, "%u", port);
            from += 6;
        } else if (strncmp(from, "{dir}", 5) == 0) {
            used += (size_t)snprintf(to + used, n - used, "%s", dir);
            from += 5;
        } else {
            to[used++] = *from++;
        }
    }
    to[used < n ? used : n - 1] = '\0';
    return *from == '\0';
}

static pid_t start(const char *command, uint16_t port, const char *dir)
{
    char line[4096] = "exec ";
    char log[600];
    pid_t pid;

    if (!fill_in(command, port, dir, line + 5, sizeof(line) - 5)) {
        return -1;
    }
    snprintf(log, sizeof(log), "%s/log", dir);
    (void)proc_raise_files(1u << 16); /* the server inherits it: its peers need descriptors too */
    (void)fflush(stdout);             /* or the child would print it again */
    pid = fork();
    if (pid == 0) {
        if (freopen(log, "w", stdout) == NULL || dup2(1, 2) < 0 || chdir(dir) != 0) {
            _exit(127);
        }
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    return pid;
}

static bool answers(struct options *o, pid_t pid)
{
    const char *const words[] = {"PING"};
    char reply[256];

    for (uint32_t ms = 0; ms < START_MS; ms += STEP_MS) {
        int status;
        if (waitpid(pid, &status, WNOHANG) == pid) {
            return false;
        }
        if (ask(o, words, 1, reply, sizeof(reply)) == 0) {
            return true;
        }
        nap();
    }
    return false;
}

static void stop(pid_t pid)
{
    int status;

    kill(pid, SIGTERM);
    for (uint32_t ms = 0; ms < START_MS; ms += STEP_MS) {
        if (waitpid(pid, &status, WNOHANG) != 0) {
            return;
        }
        nap();
    }
    kill(pid, SIGKILL);
    (void)waitpid(pid, &status, 0);
}

static struct figures figures_of(const struct options *o, const struct result *r)
{
    return (struct figures){
        .rate = result_rate(o, r),
        .cost_us = result_cost_us(o, r),
        .core = r->measured_s > 0 ? r->target_cpu_s / r->measured_s * 100 : 0,
        .p50_us = r->p50_us,
        .p99_us = r->p99_us,
        .p999_us = r->p999_us,
        .rss_mb = (double)r->rss_kb / 1024,
        .peak_mb = (double)r->peak_kb / 1024,
        .joined_s = r->form_s,
        .failed_s = r->last_fail_s,
    };
}

/* In a process of its own, which prints its report and hands back figures. */
static int measure(const struct options *o, struct figures *out)
{
    int ends[2], status = 2;
    pid_t pid;

    if (pipe(ends) != 0 || fflush(stdout) != 0 || (pid = fork()) < 0) {
        return 2;
    }
    if (pid == 0) {
        struct sample *samples = calloc(SAMPLES_MAX, sizeof(*samples));
        struct result r;
        int code = samples == NULL        ? 2
                   : o->mode == MODE_ECHO ? echo_run(o, &r)
                                          : run(o, &r, samples);
        if (code != 2) {
            struct figures f = figures_of(o, &r);
            report_text(stdout, o, &r);
            fflush(stdout);
            code = write(ends[1], &f, sizeof(f)) == sizeof(f) ? code : 2;
        }
        _exit(code);
    }
    close(ends[1]);
    ssize_t got = read(ends[0], out, sizeof(*out));
    close(ends[0]);
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || got != sizeof(*out)) {
        return 2;
    }
    return WEXITSTATUS(status);
}

/* What a server leaves is flat; a directory that is not stays. */
static void clear(const char *dir)
{
    struct dirent *e;
    DIR *d = opendir(dir);

    while (d != NULL && (e = readdir(d)) != NULL) {
        (void)unlinkat(dirfd(d), e->d_name, 0);
    }
    if (d != NULL) {
        closedir(d);
    }
    (void)rmdir(dir);
}

static int one(const struct options *given, uint32_t which, uint32_t n, struct figures *out)
{
    char dir[] = "/tmp/hearsay-bench-XXXXXX";
    struct options o = *given;
    int status = 2;
    pid_t pid;

    if (mkdtemp(dir) == NULL) {
        fprintf(stderr, "hearsay-bench: no directory for a server: %s\n", strerror(errno));
        return 2;
    }
    o.port = (uint16_t)(PORT_FIRST + ((uint32_t)getpid() * 16 + n) % PORTS_N);
    o.bus_port = (uint16_t)(o.port + 10000);
    memcpy(o.host, "127.0.0.1", 10);
    printf("--- %c, run %u: %s\n", 'A' + (int)which, n / 2 + 1, given->compare[which]);
    pid = start(given->compare[which], o.port, dir);
    if (pid > 0 && answers(&o, pid)) {
        o.target_pid = pid;
        status = measure(&o, out);
        stop(pid);
    } else {
        fprintf(stderr, "hearsay-bench: it does not answer: see %s/log\n", dir);
        if (pid > 0) {
            stop(pid);
        }
        return 2;
    }
    if (status == 0) { /* kept where something was wrong */
        clear(dir);
    }
    return status;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The median of each, the ratio A to B of each round, and how far rounds differ. */
static void line(const char *name, const struct figures *f, uint32_t rounds, size_t off)
{
    double v[2][ROUNDS_MAX], ratio[ROUNDS_MAX];

    for (uint32_t i = 0; i < rounds; i++) {
        for (uint32_t which = 0; which < 2; which++) {
            const char *at = (const char *)&f[2 * i + which] + off;
            memcpy(&v[which][i], at, sizeof(double));
        }
        ratio[i] = v[1][i] > 0 ? v[0][i] / v[1][i] : 0;
    }
    qsort(v[0], rounds, sizeof(double), by_size);
    qsort(v[1], rounds, sizeof(double), by_size);
    qsort(ratio, rounds, sizeof(double), by_size);
    printf("%-16s %12.4g %12.4g   %8.3f (%.3f to %.3f)\n", name, v[0][rounds / 2], v[1][rounds / 2],
           ratio[rounds / 2], ratio[0], ratio[rounds - 1]);
}

int compare(const struct options *o)
{
    struct figures f[2 * ROUNDS_MAX];
    int status = 0;

    for (uint32_t i = 0; i < 2 * o->rounds; i++) {
        int s = one(o, i % 2, i, &f[i]);
        if (s == 2) {
            return 2;
        }
        status = s > status ? s : status;
    }
    printf("--- medians of %u rounds\n%-16s %12s %12s   %8s\n", o->rounds, "", "A", "B", "A/B");
    line("rate/s", f, o->rounds, offsetof(struct figures, rate));
    line("CPU us each", f, o->rounds, offsetof(struct figures, cost_us));
    line("CPU % of core", f, o->rounds, offsetof(struct figures, core));
    line("p50 us", f, o->rounds, offsetof(struct figures, p50_us));
    line("p99 us", f, o->rounds, offsetof(struct figures, p99_us));
    line("p99.9 us", f, o->rounds, offsetof(struct figures, p999_us));
    line("memory MB", f, o->rounds, offsetof(struct figures, rss_mb));
    line("peak MB", f, o->rounds, offsetof(struct figures, peak_mb));
    line("joined s", f, o->rounds, offsetof(struct figures, joined_s));
    if (o->mode == MODE_STORM) {
        line("last FAIL s", f, o->rounds, offsetof(struct figures, failed_s));
    }
    return status;
}
