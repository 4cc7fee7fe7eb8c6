/* run.c - one run from start to end: prepare, let the cluster form, connect,
 * warm up, measure, and ask the target what it thinks.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

enum {
    BACKLOG = 4096,
    KILL_AFTER_MS = 1000, /* of measuring, so that a calm stretch is in the picture */
    FILES_BESIDES = 32,   /* descriptors of ours that are not links, */
    TARGET_FILES = 32,    /* and of the target */
};

/* What the samples of a run are differences of. */
struct watch {
    struct bench *b;
    struct result *r;
    struct sample *samples;
    struct histogram_copy *last;
    int64_t from_ns, last_ns;
    uint64_t last_n, accepted;
    pid_t pid;
};

static void nap(uint32_t ms)
{
    struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    (void)nanosleep(&ts, NULL);
}

/* One socket serves all peers: it takes any address, but on loopback only. */
static int listen_for_all(uint16_t *port)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    socklen_t len = sizeof(any);
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -errno;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) != 0 ||
        bind(fd, (struct sockaddr *)&any, sizeof(any)) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&any, &len) != 0) {
        int err = -errno;
        close(fd);
        return err;
    }
    *port = ntohs(any.sin_port);
    return fd;
}

/* A peer with a link of its own costs two at either end, one for each direction. */
static int too_few_files(const char *who, uint64_t allowed, uint64_t needed, uint64_t besides)
{
    fprintf(stderr,
            "hearsay-bench: %s may have %llu descriptors open and needs %llu: use --peers %llu at "
            "most, fewer --links, or raise the limit where it is started (ulimit -n; as root up to "
            "fs.nr_open; systemd: LimitNOFILE)\n",
            who, (unsigned long long)allowed, (unsigned long long)needed,
            (unsigned long long)(allowed > besides ? (allowed - besides) / 2 : 0));
    return 2;
}

static int prepare(struct bench *b, pid_t pid)
{
    uint64_t wanted = (uint64_t)b->o->peers + b->o->links + b->o->clients + FILES_BESIDES;
    uint64_t files = proc_raise_files(wanted), its = proc_files_of(pid);
    uint16_t cport = 0;

    if (files < wanted) {
        return too_few_files("this tool", files, wanted, FILES_BESIDES);
    }
    if (its != 0 && its < wanted - FILES_BESIDES + TARGET_FILES) {
        return too_few_files("the target", its, wanted - FILES_BESIDES + TARGET_FILES,
                             TARGET_FILES);
    }
    b->listen_fd = listen_for_all(&cport);
    if (b->listen_fd < 0) {
        return refuse("cannot listen on the loopback device", strerror(-b->listen_fd));
    }
    b->workers = calloc(b->o->threads, sizeof(*b->workers));
    b->suspected = calloc(b->o->peers, sizeof(*b->suspected));
    if (b->workers == NULL || b->suspected == NULL || !world_create(&b->world, b->o, cport)) {
        return refuse("not enough memory", "use fewer peers");
    }
    for (uint32_t i = 0; i < b->o->threads; i++) {
        if (!worker_init(b, i)) {
            return refuse("cannot prepare the peers", strerror(errno));
        }
    }
    for (uint32_t i = 0; i < b->o->threads; i++) {
        if (!worker_start(&b->workers[i])) {
            return refuse("cannot start a thread", strerror(errno));
        }
    }
    return 0;
}

static void progress(const struct watch *w, const char *what, uint64_t n, uint64_t of)
{
    if (w->b->o->progress) {
        fprintf(stderr, "\r%-9s %10llu of %llu   ", what, (unsigned long long)n,
                (unsigned long long)of);
    }
}

static void see_accepts(struct watch *w)
{
    uint64_t n = count_sum(w->b, N_ACCEPTED);

    if (n - w->accepted > w->r->accept_max) {
        w->r->accept_max = n - w->accepted;
    }
    w->accepted = n;
}

/* Until a counter is full; false if that takes too long. */
static bool wait_for(struct watch *w, enum count c, uint64_t n, const char *what)
{
    int64_t until = mono_ns() + (int64_t)w->b->o->form_ms * 1000000;
    uint32_t steps = 0;

    while (count_sum(w->b, c) < n) {
        if (mono_ns() > until) {
            return false;
        }
        nap(SAMPLE_MS / 10); /* the end is seen to 10 ms, connections in steps of 100 */
        if (++steps % 10 == 0) {
            see_accepts(w);
            progress(w, what, count_sum(w->b, c), n);
        }
    }
    see_accepts(w);
    return true;
}

static void latencies(const struct bench *b, struct histogram_copy *h)
{
    *h = (struct histogram_copy){0};
    for (uint32_t i = 0; i < b->o->threads; i++) {
        histogram_add(h, &b->workers[i].latency);
    }
}

static void take_sample(struct watch *w)
{
    struct histogram_copy *h = calloc(1, sizeof(*h));
    uint64_t n = count_sum(w->b, result_counts(w->b->o));
    int64_t now = mono_ns();

    if (h == NULL || w->r->samples_n == SAMPLES_MAX) {
        free(h);
        return;
    }
    latencies(w->b, h);
    struct histogram_copy all = *h;
    histogram_subtract(h, w->last);
    w->samples[w->r->samples_n++] = (struct sample){
        .at_s = (float)((double)(now - w->from_ns) / 1e9),
        .rate = (float)((double)(n - w->last_n) * 1e9 / (double)(now - w->last_ns)),
        .p50_us = (float)(histogram_quantile(h, 0.5) / 1000),
        .p99_us = (float)(histogram_quantile(h, 0.99) / 1000),
    };
    *w->last = all;
    w->last_n = n;
    w->last_ns = now;
    free(h);
}

static void kill_some(struct bench *b)
{
    for (uint32_t peer = 0; peer < b->world.peers_n; peer++) {
        if (b->world.doomed[peer]) {
            atomic_store(&b->suspected[peer], DEAD);
        }
    }
    atomic_store(&b->killed_at_ns, mono_ns());
}

static double own_cpu_s(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void sampling(struct watch *w)
{
    const struct options *o = w->b->o;
    int64_t end = w->from_ns + (int64_t)o->duration_ms * 1000000;
    bool storm = o->mode == MODE_STORM;

    for (uint32_t steps = 1; mono_ns() < end; steps++) {
        nap(SAMPLE_MS);
        take_sample(w);
        see_accepts(w);
        if (storm && steps == KILL_AFTER_MS / SAMPLE_MS) {
            kill_some(w->b);
        }
        if (storm && steps % 10 == 0 && count_sum(w->b, N_FAILS) == w->b->world.killed_n) {
            break;
        }
        if (steps % 10 == 0 && o->progress && w->r->samples_n > 0) {
            fprintf(stderr, "\r%5.1f s  %10.0f /s   p99 %8.0f us   ",
                    (double)w->samples[w->r->samples_n - 1].at_s,
                    (double)w->samples[w->r->samples_n - 1].rate,
                    (double)w->samples[w->r->samples_n - 1].p99_us);
        }
    }
}

/* Everything that is counted, now minus before. */
static void measure(struct watch *w)
{
    struct bench *b = w->b;
    struct result *r = w->r;
    struct usage before = {0}, after = {0};
    uint64_t counts[COUNTS], cpu[THREADS_MAX];
    double own = own_cpu_s(), busy = proc_busy_s();

    (void)proc_usage(w->pid, &before);
    for (uint32_t c = 0; c < COUNTS; c++) {
        counts[c] = count_sum(b, (enum count)c);
    }
    for (uint32_t i = 0; i < b->o->threads; i++) {
        cpu[i] = atomic_load(&b->workers[i].counts[N_CPU_NS]);
    }
    w->from_ns = w->last_ns = mono_ns();
    w->last_n = counts[result_counts(b->o)];
    atomic_store(&b->phase, PHASE_MEASURE);
    sampling(w);
    r->measured_s = (double)(mono_ns() - w->from_ns) / 1e9;
    (void)proc_usage(w->pid, &after);
    for (uint32_t c = 0; c < COUNTS; c++) {
        r->counts[c] = count_sum(b, (enum count)c) - counts[c];
    }
    for (uint32_t i = 0; i < b->o->threads; i++) {
        double share = (double)(atomic_load(&b->workers[i].counts[N_CPU_NS]) - cpu[i]) / 1e9;
        r->busiest = share / r->measured_s > r->busiest ? share / r->measured_s : r->busiest;
    }
    r->target_cpu_s = after.cpu_s - before.cpu_s;
    r->target_user_s = after.user_s - before.user_s;
    r->target_system_s = after.system_s - before.system_s;
    r->own_cpu_s = own_cpu_s() - own;
    r->others = (proc_busy_s() - busy - r->own_cpu_s - r->target_cpu_s) / r->measured_s;
    r->others = r->others < 0 ? 0 : r->others;
}

static void read_latencies(const struct bench *b, struct result *r, struct histogram_copy *h)
{
    latencies(b, h);
    r->p50_us = histogram_quantile(h, 0.5) / 1000;
    r->p90_us = histogram_quantile(h, 0.9) / 1000;
    r->p99_us = histogram_quantile(h, 0.99) / 1000;
    r->p999_us = histogram_quantile(h, 0.999) / 1000;
    r->max_us = histogram_quantile(h, 1) / 1000;
}

static int phases(struct watch *w)
{
    struct bench *b = w->b;
    struct usage before = {0}, after = {0};
    int64_t from = mono_ns();

    (void)proc_usage(w->pid, &before);
    bool formed = wait_for(w, N_FORMED, b->o->peers, "joined");
    w->r->form_s = (double)(mono_ns() - from) / 1e9;
    (void)proc_usage(w->pid, &after);
    w->r->form_cpu_s = after.cpu_s - before.cpu_s;
    w->r->formed = count_sum(b, N_FORMED);
    if (!formed) {
        return refuse("the cluster did not form in time",
                      "the target did not connect to every peer: see its log (descriptors, "
                      "cluster-nodes-max)");
    }
    atomic_store(&b->phase, PHASE_LINK);
    if (!wait_for(w, N_LINKED, b->o->links, "linked")) {
        return refuse("not every link was answered in time", "see the target's log");
    }
    w->r->linked = count_sum(b, N_LINKED);
    if (b->o->mode == MODE_JOIN) {
        nap(b->o->warmup_ms); /* what it tells last is checked too */
        return 0;
    }
    atomic_store(&b->phase, PHASE_WARM);
    nap(b->o->warmup_ms);
    measure(w);
    return 0;
}

static void tell_faults(const struct bench *b)
{
    for (uint32_t i = 0; i < b->o->threads; i++) {
        for (uint32_t f = 0; f < FAULTS; f++) {
            uint64_t n = atomic_load(&b->workers[i].faults[f]);
            if (n > 0) {
                fprintf(stderr, "wrong answer (%s, %llu times): %s\n", fault_name((enum fault)f),
                        (unsigned long long)n, b->workers[i].fault_text[f]);
            }
        }
    }
}

static void finish(struct bench *b)
{
    atomic_store(&b->phase, PHASE_STOP);
    for (uint32_t i = 0; b->workers != NULL && i < b->o->threads; i++) {
        worker_join(&b->workers[i]);
    }
    if (b->listen_fd >= 0) {
        close(b->listen_fd);
    }
}

int run(const struct options *o, struct result *r, struct sample *samples)
{
    struct bench b = {.o = o, .listen_fd = -1};
    struct histogram_copy last = {0};
    struct watch w = {.b = &b, .r = r, .samples = samples, .last = &last};
    struct usage at_end = {0};
    int status;

    *r = (struct result){0};
    w.pid = o->target_pid != 0 ? o->target_pid : proc_listening_on(o->port);
    status = target_meet(&b);
    if (status == 0) {
        status = prepare(&b, w.pid);
    }
    if (status == 0) {
        status = phases(&w);
    }
    if (status == 0) {
        target_check_end(&b, r);
        read_latencies(&b, r, &last);
        r->target_known = proc_usage(w.pid, &at_end);
        r->rss_kb = at_end.rss_kb;
        r->peak_kb = at_end.peak_kb;
        r->faults = faults_sum(&b);
    }
    finish(&b);
    if (o->progress) {
        fprintf(stderr, "\r%*s\r", 60, "");
    }
    if (b.workers != NULL) {
        tell_faults(&b);
    }
    free(b.workers);
    free((void *)b.suspected);
    world_destroy(&b.world);
    return status != 0 ? status : r->faults > 0 ? 1 : 0;
}
