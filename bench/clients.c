/* clients.c - clients on keep-alive connections: they read the topology, or
 * publish. Each repeats one command, a window of them unanswered.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

enum { COMMAND_MAX = 8192, CLIENT_READ = 256 << 10, READS_MAX = 8 };

struct bytes {
    char *p;
    size_t n, cap;
};

struct client {
    struct handle handle;
    int fd;
    bool blocked, dead;
    struct reply_scan scan;
    struct bytes known; /* the last reply that was read through */
    size_t same;        /* so much of this one is equal to it */
    bool differs;       /* and the rest is not: it is read through, and kept in text */
    struct bytes text;
    uint32_t flight_head, flight_n;
    int64_t flight[WINDOW_MAX];
    char command[COMMAND_MAX]; /* window times the same, so that one send() has all */
    uint32_t one_len;
    uint64_t to_send, off; /* bytes still to send; where in one command they begin */
};

static uint32_t one_command(const struct options *o, char *buf, size_t n)
{
    int len;

    if (o->mode == MODE_PUBLISH) {
        len = snprintf(buf, n, "*3\r\n$7\r\nPUBLISH\r\n$5\r\nbench\r\n$%u\r\n%s\r\n",
                       o->payload_len, o->payload);
    } else {
        len = snprintf(buf, n, "*2\r\n$7\r\nCLUSTER\r\n$%zu\r\n%s\r\n", strlen(o->command),
                       o->command);
    }
    return (uint32_t)len;
}

static void push_out(struct worker *w, struct client *c)
{
    while (c->to_send > 0 && !c->blocked && !c->dead) {
        size_t batch = COMMAND_MAX / c->one_len * c->one_len;
        size_t n = batch - c->off < c->to_send ? batch - (size_t)c->off : (size_t)c->to_send;
        ssize_t sent = send(c->fd, c->command + c->off, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            c->to_send -= (uint64_t)sent;
            c->off = (c->off + (uint64_t)sent) % c->one_len;
            count_add(w, N_TX_BYTES, (uint64_t)sent);
        } else if (errno == EAGAIN) {
            struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
            c->blocked = true;
            (void)epoll_ctl(w->epoll_fd, EPOLL_CTL_MOD, c->fd, &ev);
        } else if (errno != EINTR) {
            c->dead = true;
        }
    }
}

static void fill(struct worker *w, struct client *c)
{
    while (c->flight_n < w->b->o->window) {
        c->flight[(c->flight_head + c->flight_n++) % WINDOW_MAX] = w->now_ns;
        c->to_send += c->one_len;
    }
    push_out(w, c);
}

static void replied(struct worker *w, struct client *c)
{
    const struct options *o = w->b->o;
    bool settled = atomic_load(&w->b->phase) == PHASE_MEASURE; /* else it may be learning yet */
    uint64_t least = o->mode == MODE_TOPOLOGY && settled ? (uint64_t)o->peers * HS_ID_LEN : 4;

    if (c->scan.error || c->scan.len < least) {
        fault(w, BAD_REPLY, "a reply of %llu bytes: %s", (unsigned long long)c->scan.len,
              c->scan.error ? c->scan.line : " are too few to name every peer");
    }
    if (o->mode == MODE_TOPOLOGY && settled) {
        histogram_record(&w->latency, (uint64_t)(w->now_ns - c->flight[c->flight_head]));
    }
    c->flight_head = (c->flight_head + 1) % WINDOW_MAX;
    c->flight_n--;
    c->scan.started = false;
    count_add(w, N_REPLIES, 1);
}

static void keep(struct bytes *b, const char *p, size_t n)
{
    if (b->n + n > b->cap) {
        size_t cap = (b->n + n) * 2;
        char *more = realloc(b->p, cap);
        if (more == NULL) {
            b->n = b->cap = 0; /* the next one is read through again, that is all */
            free(b->p);
            b->p = NULL;
            return;
        }
        b->p = more;
        b->cap = cap;
    }
    if (n > 0) {
        memcpy(b->p + b->n, p, n);
    }
    b->n += n;
}

/* What is equal to the last reply is as right as that one was, and comparing costs a
 * fiftieth of reading: the tool is not to be slower than what it measures. */
static bool is_known(struct client *c, const char *p, size_t n, size_t *used, bool *done)
{
    size_t left = c->known.n - c->same;
    bool ignored;

    *used = left < n ? left : n;
    if (!c->differs && left > 0 && memcmp(c->known.p + c->same, p, *used) == 0) {
        c->same += *used;
        *done = c->same == c->known.n;
        c->scan = (struct reply_scan){.len = c->known.n};
        return true;
    }
    if (!c->differs && c->same > 0) {
        reply_feed(&c->scan, c->known.p, c->same, &ignored);
        keep(&c->text, c->known.p, c->same);
    }
    c->differs = true;
    return false;
}

/* Some bytes of a reply; how many. */
static size_t reply_part(struct client *c, const char *p, size_t n, bool *done)
{
    size_t used;

    if (!is_known(c, p, n, &used, done)) {
        used = reply_feed(&c->scan, p, n, done);
        keep(&c->text, p, used);
    }
    if (*done) {
        if (c->differs && !c->scan.error && c->text.n == c->scan.len) {
            struct bytes last = c->known;
            c->known = c->text;
            c->text = last;
        }
        c->text.n = c->same = 0;
        c->differs = false;
    }
    return used;
}

static bool read_replies(struct worker *w, struct client *c)
{
    ssize_t n = recv(c->fd, w->buf, CLIENT_READ, MSG_DONTWAIT);
    size_t off = 0;

    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            fault(w, BAD_REPLY, "the target closed a client's connection");
            (void)epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
            c->dead = true;
        }
        return false;
    }
    count_add(w, N_REPLY_BYTES, (uint64_t)n);
    while (off < (size_t)n && c->flight_n > 0) {
        bool done;
        off += reply_part(c, (const char *)w->buf + off, (size_t)n - off, &done);
        if (done) {
            replied(w, c);
        }
    }
    return n == CLIENT_READ;
}

void client_ready(struct worker *w, struct client *c, uint32_t events)
{
    if (c->dead) {
        return;
    }
    if ((events & EPOLLOUT) != 0 && c->blocked) {
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
        c->blocked = false;
        (void)epoll_ctl(w->epoll_fd, EPOLL_CTL_MOD, c->fd, &ev);
    }
    for (uint32_t i = 0; i < READS_MAX && read_replies(w, c); i++) {
    }
    if (!c->dead) {
        fill(w, c);
    }
}

static struct client *client_new(struct worker *w)
{
    const struct options *o = w->b->o;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(o->port)};
    struct client *c = calloc(1, sizeof(*c));
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
    int one = 1;

    if (c == NULL) {
        return NULL;
    }
    c->handle.kind = HANDLE_CLIENT;
    c->one_len = one_command(o, c->command, sizeof(c->command));
    for (uint32_t at = c->one_len; at + c->one_len <= COMMAND_MAX; at += c->one_len) {
        memcpy(c->command + at, c->command, c->one_len);
    }
    (void)inet_pton(AF_INET, o->host, &to.sin_addr);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0 ||
        epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, c->fd, &ev) != 0) {
        fault(w, BAD_REPLY, "a client cannot connect: %s", strerror(errno));
        c->dead = true;
    }
    return c;
}

void clients_start(struct worker *w)
{
    const struct options *o = w->b->o;
    enum phase phase = (enum phase)atomic_load(&w->b->phase);

    if (phase < PHASE_WARM || phase == PHASE_STOP || w->clients != NULL || o->clients == 0) {
        return;
    }
    w->clients_n = (o->clients + o->threads - 1 - w->ix) / o->threads;
    w->clients = calloc(w->clients_n + 1, sizeof(*w->clients));
    for (uint32_t i = 0; w->clients != NULL && i < w->clients_n; i++) {
        w->clients[i] = client_new(w);
        if (w->clients[i] != NULL && !w->clients[i]->dead) {
            fill(w, w->clients[i]);
        }
    }
}

void clients_stop(struct worker *w)
{
    for (uint32_t i = 0; w->clients != NULL && i < w->clients_n; i++) {
        if (w->clients[i] != NULL) {
            close(w->clients[i]->fd);
            free(w->clients[i]->known.p);
            free(w->clients[i]->text.p);
        }
        free(w->clients[i]);
    }
    free(w->clients);
    w->clients = NULL;
}
