/* worker.c - the loop of one thread: events, what is due, then everything that
 * was queued goes out, one system call for each link.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

enum {
    EVENTS_MAX = 256,
    TICK_MS = 5,
    BUFFER = (4 << 20) + (256 << 10), /* a frame's start and one recv(), see conn.c */
};

int64_t mono_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void count_add(struct worker *w, enum count c, uint64_t n)
{
    /* Only its own thread writes: no locked instruction is needed. */
    atomic_store_explicit(&w->counts[c],
                          atomic_load_explicit(&w->counts[c], memory_order_relaxed) + n,
                          memory_order_relaxed);
}

uint64_t count_sum(const struct bench *b, enum count c)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < b->o->threads; i++) {
        sum += atomic_load_explicit(&b->workers[i].counts[c], memory_order_relaxed);
    }
    return sum;
}

void fault(struct worker *w, enum fault f, const char *fmt, ...)
{
    uint64_t before = atomic_load_explicit(&w->faults[f], memory_order_relaxed);
    va_list ap;

    if (before == 0) {
        va_start(ap, fmt);
        vsnprintf(w->fault_text[f], sizeof(w->fault_text[f]), fmt, ap);
        va_end(ap);
    }
    atomic_store_explicit(&w->faults[f], before + 1, memory_order_relaxed);
}

const char *fault_name(enum fault f)
{
    static const char *const names[FAULTS] = {
        [BAD_FRAME] = "frame",
        [BAD_SENDER] = "sender",
        [BAD_SLOTS] = "slots",
        [BAD_EPOCH] = "epoch",
        [BAD_PORTS] = "ports",
        [BAD_FLAGS] = "flags",
        [BAD_COUNT] = "gossip-count",
        [BAD_ENTRY_ID] = "gossip-id",
        [BAD_ENTRY_ADDRESS] = "gossip-address",
        [BAD_ENTRY_FLAGS] = "gossip-flags",
        [BAD_ENTRY_TWICE] = "gossip-twice",
        [BAD_SUSPECT] = "false-suspicion",
        [BAD_PUBLISH] = "publish",
        [BAD_REPLY] = "reply",
        [BAD_END] = "end-state",
    };

    return names[f];
}

uint64_t faults_sum(const struct bench *b)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < b->o->threads; i++) {
        for (uint32_t f = 0; f < FAULTS; f++) {
            sum += atomic_load_explicit(&b->workers[i].faults[f], memory_order_relaxed);
        }
    }
    return sum;
}

static void note_cpu(struct worker *w)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    atomic_store_explicit(&w->counts[N_CPU_NS],
                          (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec,
                          memory_order_relaxed);
}

static void handle(struct worker *w, const struct epoll_event *ev)
{
    struct handle *h = ev->data.ptr;

    w->now_ns = mono_ns();
    switch (h->kind) {
    case HANDLE_LISTEN:
        conn_accept_all(w);
        break;
    case HANDLE_CONN:
        conn_ready(w, ev->data.ptr, ev->events);
        break;
    case HANDLE_CLIENT:
        client_ready(w, ev->data.ptr, ev->events);
        break;
    }
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct epoll_event events[EVENTS_MAX];
    int64_t tick_at_ns = 0;

    while (atomic_load_explicit(&w->b->phase, memory_order_relaxed) != PHASE_STOP) {
        int n = epoll_wait(w->epoll_fd, events, EVENTS_MAX, TICK_MS);
        for (int i = 0; i < n; i++) {
            handle(w, &events[i]);
        }
        w->now_ns = mono_ns();
        if (w->now_ns >= tick_at_ns) {
            tick_at_ns = w->now_ns + TICK_MS * 1000000;
            beat_tick(w);
            storm_tick(w);
            clients_start(w);
            note_cpu(w);
        }
        conn_flush_all(w);
    }
    return NULL;
}

bool worker_init(struct bench *b, uint32_t ix)
{
    static struct handle listener = {HANDLE_LISTEN};
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &listener};
    struct worker *w = &b->workers[ix];
    uint32_t n = b->world.peers_n;

    w->b = b;
    w->ix = ix;
    hs_prng_seed(&w->prng, b->o->seed + ix + 1);
    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    w->seen = calloc(n, sizeof(*w->seen));
    w->buf = malloc(BUFFER);
    w->out = calloc(n, sizeof(*w->out));
    w->in = calloc(n, sizeof(*w->in));
    w->formed = calloc(n, sizeof(*w->formed));
    w->linked = calloc(n, sizeof(*w->linked));
    w->now_ns = mono_ns();
    if (w->epoll_fd < 0 || w->seen == NULL || w->buf == NULL || w->out == NULL || w->in == NULL ||
        w->formed == NULL || w->linked == NULL || !board_renew(w)) {
        return false;
    }
    if (ix == 0 && epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, b->listen_fd, &ev) != 0) {
        return false;
    }
    return true;
}

bool worker_start(struct worker *w)
{
    return pthread_create(&w->thread, NULL, work, w) == 0;
}

void worker_join(struct worker *w)
{
    if (w->b == NULL) {
        return;
    }
    if (w->thread != 0) {
        pthread_join(w->thread, NULL);
    }
    clients_stop(w);
    for (uint32_t peer = 0; peer < w->b->world.peers_n; peer++) {
        struct conn *in = atomic_load(&w->in[peer]);
        if (in != NULL) {
            conn_close(w, in, true);
        }
        if (w->out[peer] != NULL) {
            conn_close(w, w->out[peer], true);
        }
    }
    conn_flush_all(w);
    board_destroy(w->board);
    free(w->seen);
    free(w->buf);
    free(w->out);
    free((void *)w->in);
    free(w->formed);
    free(w->linked);
    close(w->epoll_fd);
}
