/* echo.c - the floor: a server that sends back what it gets and parses nothing,
 * and the same load on it as a flood puts on a node.
 *
 * What a server of the bus costs more than this one is its own; the rest is the
 * kernel's, for the same bytes in messages of the same size.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

enum { CHUNK = 256 << 10, EVENTS_MAX = 256, BACKLOG = 1024, WAIT_MS = 100 };

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static bool watch(int epoll_fd, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event ev = {.events = events, .data.u64 = data};

    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0;
}

/* ---- the server ---- */

/* The other side always reads, so waiting for room ends. */
static bool send_all(int fd, const uint8_t *p, size_t n)
{
    while (n > 0) {
        struct pollfd room = {.fd = fd, .events = POLLOUT};
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            (void)poll(&room, 1, -1);
        } else if (sent < 0 && errno != EINTR) {
            return false;
        }
        p += sent > 0 ? sent : 0;
        n -= sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

static void serve(int epoll_fd, int listen_fd, int fd, uint8_t *buf)
{
    int one = 1;

    if (fd == listen_fd) {
        fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
            (void)watch(epoll_fd, fd, EPOLLIN, (uint64_t)fd);
        }
        return;
    }
    ssize_t n = recv(fd, buf, CHUNK, 0);
    if (n > 0 ? !send_all(fd, buf, (size_t)n) : n == 0 || errno != EAGAIN) {
        close(fd);
    }
}

int echo_serve(uint16_t port)
{
    struct sockaddr_in here = loopback(port);
    struct epoll_event events[EVENTS_MAX];
    uint8_t *buf = malloc(CHUNK);
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC), one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (buf == NULL || bind(fd, (struct sockaddr *)&here, sizeof(here)) != 0 ||
        listen(fd, BACKLOG) != 0 || !watch(epoll_fd, fd, EPOLLIN, (uint64_t)fd)) {
        free(buf);
        return refuse("cannot listen on this port", strerror(errno));
    }
    for (;;) { /* until a signal ends the process */
        int n = epoll_wait(epoll_fd, events, EVENTS_MAX, -1);
        for (int i = 0; i < n; i++) {
            serve(epoll_fd, fd, (int)events[i].data.u64, buf);
        }
    }
}

/* ---- the load ---- */

struct pipe_end {
    int fd;
    uint64_t to_send, received; /* bytes */
};

struct load {
    const struct options *o;
    int epoll_fd;
    uint32_t len; /* of a message */
    uint8_t *buf;
    struct pipe_end *ends;
    uint64_t answered;
};

static bool push(struct load *l, struct pipe_end *e)
{
    while (e->to_send > 0) {
        size_t n = e->to_send < CHUNK ? (size_t)e->to_send : CHUNK;
        ssize_t sent = send(e->fd, l->buf, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            return errno == EAGAIN;
        }
        e->to_send -= (uint64_t)sent;
    }
    return true;
}

/* Edge triggered: everything that is there. A message back is one more sent. */
static bool pull(struct load *l, struct pipe_end *e)
{
    ssize_t n;

    while ((n = recv(e->fd, l->buf, CHUNK, MSG_DONTWAIT)) > 0) {
        e->received += (uint64_t)n;
        for (; e->received >= l->len; e->received -= l->len) {
            e->to_send += l->len;
            l->answered++;
        }
        if (!push(l, e)) {
            return false;
        }
    }
    return n < 0 && errno == EAGAIN && push(l, e);
}

static bool connect_all(struct load *l)
{
    struct sockaddr_in there = loopback(l->o->port);
    int one = 1;

    for (uint32_t i = 0; i < l->o->links; i++) {
        struct pipe_end *e = &l->ends[i];
        e->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (e->fd < 0 || connect(e->fd, (struct sockaddr *)&there, sizeof(there)) != 0 ||
            !watch(l->epoll_fd, e->fd, EPOLLIN | EPOLLOUT | EPOLLET, i)) {
            return false;
        }
        (void)setsockopt(e->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        e->to_send = (uint64_t)l->len * l->o->window;
    }
    return true;
}

/* False if a connection ended. */
static bool drive(struct load *l, uint32_t ms)
{
    int64_t until = mono_ns() + (int64_t)ms * 1000000;
    struct epoll_event events[EVENTS_MAX];

    while (mono_ns() < until) {
        int n = epoll_wait(l->epoll_fd, events, EVENTS_MAX, WAIT_MS);
        for (int i = 0; i < n; i++) {
            if (!pull(l, &l->ends[events[i].data.u64])) {
                return false;
            }
        }
    }
    return true;
}

static bool measure(struct load *l, struct result *r, pid_t pid)
{
    struct usage before = {0}, after = {0};

    if (!connect_all(l) || !drive(l, l->o->warmup_ms)) {
        return false;
    }
    uint64_t answered = l->answered;
    int64_t from = mono_ns();
    (void)proc_usage(pid, &before);
    bool ok = drive(l, l->o->duration_ms);
    r->target_known = proc_usage(pid, &after);
    r->measured_s = (double)(mono_ns() - from) / 1e9;
    r->target_cpu_s = after.cpu_s - before.cpu_s;
    r->target_user_s = after.user_s - before.user_s;
    r->target_system_s = after.system_s - before.system_s;
    r->rss_kb = after.rss_kb;
    r->peak_kb = after.peak_kb;
    r->counts[N_ANSWERED] = l->answered - answered;
    return ok;
}

int echo_run(const struct options *o, struct result *r)
{
    struct load l = {.o = o, .epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    uint32_t entries = (o->peers + 1) / 10 < 3 ? 3 : (o->peers + 1) / 10;
    bool ok = false;

    *r = (struct result){0};
    l.len = HS_HDR_LEN + entries * HS_GOSSIP_LEN;
    l.buf = calloc(1, CHUNK);
    l.ends = calloc(o->links, sizeof(*l.ends));
    if (l.buf != NULL && l.ends != NULL) {
        ok = measure(&l, r, o->target_pid != 0 ? o->target_pid : proc_listening_on(o->port));
    }
    for (uint32_t i = 0; l.ends != NULL && i < o->links && l.ends[i].fd > 0; i++) {
        close(l.ends[i].fd);
    }
    close(l.epoll_fd);
    free(l.ends);
    free(l.buf);
    return ok ? 0 : refuse("the echo server does not answer", "is hearsay-bench --echo running?");
}
