/* net_fixture.h - reactors on threads of their own, with the test as the owner.
 *
 * The test's thread is the owner: it pops what reactors push, answers accepted
 * links with an adoption, and keeps what it is asked to look at. Peers are
 * plain sockets over loopback.
 * Length: the owner's loop and its peers are one world, and each test is one file.
 */
#ifndef NET_FIXTURE_H
#define NET_FIXTURE_H

#include "hs_test.h"

#include "hearsay/net.h"
#include "hearsay/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FIX_REACTORS_MAX = 4, FIX_CHUNKS_N = 64, FIX_CHUNK_SIZE = 1 << 20, FIX_WAIT_MS = 30000 };

static struct hs_net *net;
static struct hs_wake owner_wake;
static struct hs_net_conf net_conf;
static struct hs_client_ops net_ops;
static pthread_t reactor_threads[FIX_REACTORS_MAX];
static struct hs_port ports[FIX_REACTORS_MAX];
static uint16_t bus_port;
static struct hs_chunk chunks[FIX_CHUNKS_N];

/* How the test's owner sees the links. */
static struct {
    uint32_t up_n, down_n, accepted_n, dial_failed_n, frames_n;
    struct hs_conn_id last_up, last_down;
    int last_number;
    uint32_t last_dial;
    bool last_outbound;
    char last_peer_ip[HS_IP_LEN];
} seen;

static void (*on_frame)(struct hs_in *in); /* NULL: given back unread */
static void (*on_request)(struct hs_in *in);

static inline void fix_conf(void)
{
    net_conf = (struct hs_net_conf){
        .reactors = 1,
        .conns_max = 256,
        .frame_max = 1 << 20,
        .frame_bytes_max = 16 << 20,
        .send_pending_max = 4096,
        .pubsub_pending_max = 4096,
        .client_outbuf_max = 1 << 20,
        .tune = {.clients_max = 16,
                 .links_per_ip = {.max = 1},
                 .clients_per_ip = {.max = 1},
                 .dial_timeout_ms = 1000,
                 .stall_timeout_ms = 5000,
                 .tcp_keepalive_s = 60},
        .backlog = 511,
    };
    memset(&seen, 0, sizeof(seen));
    on_frame = on_request = NULL;
}

static void *fix_run(void *arg)
{
    uint32_t reactor = *(uint32_t *)arg;
    hs_reactor_run(net, reactor);
    return NULL;
}

/* A port nobody listens on at the moment. */
static inline uint16_t fix_free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    close(fd);
    return ntohs(a.sin_port);
}

static inline void fix_create(void)
{
    ck_assert_int_eq(hs_wake_init(&owner_wake), 0);
    net = hs_net_create(&net_conf, &net_ops, &owner_wake);
    ck_assert_ptr_nonnull(net);
    bus_port = fix_free_port();
    ck_assert_int_eq(hs_net_listen_bus(net, "127.0.0.1", bus_port), 0);
}

static inline void fix_start(void)
{
    static uint32_t numbers[FIX_REACTORS_MAX] = {0, 1, 2, 3};

    for (uint32_t i = 0; i < net_conf.reactors; i++) {
        ports[i] = hs_net_port(net, i);
        pthread_create(&reactor_threads[i], NULL, fix_run, &numbers[i]);
    }
    ck_assert_int_eq(hs_net_await_open(net), 0);
}

static inline void fix_push(uint32_t reactor, const struct hs_out *out)
{
    ck_assert(hs_out_ring_push(ports[reactor].out, out));
    hs_wake_post(ports[reactor].wake);
}

static inline void fix_give_back(const struct hs_in *in)
{
    uint32_t reactor = hs_net_reactor_of(net, in->conn);
    struct hs_frame_ref ref = {in->frame};

    ck_assert(hs_frame_ring_push(ports[reactor].frames, &ref));
    hs_wake_post(ports[reactor].wake);
}

static inline void fix_adopt(const struct hs_in *in)
{
    struct hs_out out = {.kind = HS_OUT_ADOPT, .len = (uint32_t)in->number, .dial = in->dial};

    fix_push(hs_net_reactor_for(net, in->up->peer_ip), &out);
    hs_free(in->up);
    seen.accepted_n++;
}

static inline void fix_take(struct hs_in *in)
{
    switch ((enum hs_in_kind)in->kind) {
    case HS_IN_FRAME:
        seen.frames_n++;
        if (on_frame != NULL)
            on_frame(in);
        else
            fix_give_back(in);
        break;
    case HS_IN_UP:
        seen.up_n++;
        seen.last_up = in->conn;
        seen.last_outbound = in->up->outbound;
        seen.last_dial = in->up->dial;
        memcpy(seen.last_peer_ip, in->up->peer_ip, HS_IP_LEN);
        hs_free(in->up);
        break;
    case HS_IN_DOWN:
        seen.down_n++;
        seen.last_down = in->conn;
        seen.last_number = in->number;
        break;
    case HS_IN_DIAL_FAILED:
        seen.dial_failed_n++;
        seen.last_dial = in->dial;
        seen.last_number = in->number;
        break;
    case HS_IN_REQUEST:
        on_request(in);
        break;
    case HS_IN_ACCEPTED:
        fix_adopt(in);
        break;
    }
}

/* One round of the owner's loop: false if there was nothing to do. */
static inline bool fix_poll(int wait_ms)
{
    bool any = false;
    struct hs_in in;
    struct hs_chunk_ref ref;

    for (int round = 0; round < 2 && !any; round++) {
        for (uint32_t i = 0; i < net_conf.reactors; i++) {
            while (hs_in_ring_pop(ports[i].in, &in)) {
                any = true;
                fix_take(&in);
            }
            while (hs_chunk_ring_pop(ports[i].chunks, &ref)) {
                any = true;
                ref.chunk->done++;
                ck_assert_uint_le(ref.chunk->done, ref.chunk->refs);
            }
        }
        if (!any && round == 0 && wait_ms > 0) {
            hs_doze_begin(&owner_wake.doze);
            bool empty = true;
            for (uint32_t i = 0; i < net_conf.reactors; i++)
                empty = empty && hs_in_ring_size(ports[i].in) == 0 &&
                        hs_chunk_ring_size(ports[i].chunks) == 0;
            if (empty)
                hs_wake_wait(&owner_wake, wait_ms);
            hs_doze_end(&owner_wake.doze);
        }
    }
    return any;
}

#define FIX_WAIT(cond, meanwhile) \
    do { \
        int64_t until_ms = hs_clock().mono.ms + FIX_WAIT_MS; \
        while (!(cond)) { \
            meanwhile; \
            ck_assert_msg(hs_clock().mono.ms < until_ms, "waited in vain for " #cond); \
        } \
    } while (0)

/* The owner stands still until what it waits for is so. */
#define FIX_STAND_STILL_UNTIL(cond) FIX_WAIT(cond, usleep(1000))

/* Plays the owner until what it waits for is so. */
#define FIX_UNTIL(cond) FIX_WAIT(cond, fix_poll(20))

static inline void fix_play_ms(int64_t ms)
{
    for (int64_t until = hs_clock().mono.ms + ms; hs_clock().mono.ms < until;)
        fix_poll(5);
}

static inline uint64_t fix_count(const char *name)
{
    const char *const *names;
    uint64_t values[128];
    uint32_t n = hs_net_counters(net, &names, values, 128);

    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0)
            return values[i];
    }
    ck_abort_msg("no counter %s", name);
}

static inline void fix_send_part(struct hs_conn_id conn, const void *p, size_t n, bool control,
                                 bool goes_on, struct hs_chunk *chunk)
{
    ck_assert_uint_le(chunk->used + n, chunk->size);
    memcpy(chunk->bytes + chunk->used, p, n);
    struct hs_out out = {.kind = HS_OUT_SEND,
                         .conn = conn,
                         .chunk = chunk,
                         .off = chunk->used,
                         .len = (uint32_t)n,
                         .dial = goes_on,
                         .control = control};
    chunk->used += (uint32_t)n;
    chunk->refs++;
    fix_push(hs_net_reactor_of(net, conn), &out);
}

static inline void fix_send(struct hs_conn_id conn, const void *p, size_t n, bool control,
                            struct hs_chunk *chunk)
{
    fix_send_part(conn, p, n, control, false, chunk);
}

/* A chunk of which everything has come back, emptied. */
static inline struct hs_chunk *fix_chunk(void)
{
    for (int tries = 0; tries < 10000; tries++) {
        for (int i = 0; i < FIX_CHUNKS_N; i++) {
            struct hs_chunk *c = &chunks[i];
            if (c->refs != c->done)
                continue;
            if (c->bytes == NULL)
                *c = (struct hs_chunk){.bytes = hs_alloc(FIX_CHUNK_SIZE), .size = FIX_CHUNK_SIZE};
            c->used = c->refs = c->done = 0;
            return c;
        }
        fix_poll(5);
    }
    ck_abort_msg("chunks do not come back");
}

static inline void fix_dial(uint32_t reactor, const char *ip, uint16_t port, uint32_t dial)
{
    struct hs_chunk *chunk = fix_chunk();
    size_t n = strlen(ip) + 1;

    memcpy(chunk->bytes, ip, n);
    chunk->used = (uint32_t)n;
    chunk->refs = 1;
    struct hs_out out = {.kind = HS_OUT_DIAL, .chunk = chunk, .dial = dial, .port = port};
    fix_push(reactor, &out);
}

/* Stops the reactors and checks that nothing was left behind. */
static inline void fix_stop(void)
{
    struct hs_out out = {.kind = HS_OUT_STOP};

    for (uint32_t i = 0; i < net_conf.reactors; i++)
        fix_push(i, &out);
    for (uint32_t i = 0; i < net_conf.reactors; i++) {
        struct timespec t;
        int64_t until_ms = hs_clock().mono.ms + FIX_WAIT_MS;
        int rc;
        do {
            fix_poll(0);
            clock_gettime(CLOCK_REALTIME, &t);
            t.tv_nsec += 5000000;
            if (t.tv_nsec >= 1000000000) {
                t.tv_sec++;
                t.tv_nsec -= 1000000000;
            }
            rc = pthread_timedjoin_np(reactor_threads[i], NULL, &t);
        } while (rc == ETIMEDOUT && hs_clock().mono.ms < until_ms);
        ck_assert_int_eq(rc, 0);
    }
    while (fix_poll(0))
        ;
    ck_assert_uint_eq(seen.up_n, seen.down_n);
    ck_assert_uint_eq(fix_count("buses_now"), 0);
    ck_assert_uint_eq(fix_count("clients_now"), 0);
    for (int i = 0; i < FIX_CHUNKS_N; i++) {
        ck_assert_uint_eq(chunks[i].refs, chunks[i].done);
        hs_free(chunks[i].bytes);
        chunks[i] = (struct hs_chunk){0};
    }
    hs_net_destroy(net);
    hs_wake_fini(&owner_wake);
}

/* ---- peers ---- */

static inline int peer_connect_from(const char *ip, uint16_t port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval t = {.tv_sec = FIX_WAIT_MS / 1000};
    int on = 1;

    ck_assert_int_ge(fd, 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    ck_assert_int_eq(inet_pton(AF_INET, ip, &from.sin_addr), 1);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static inline int peer_connect(uint16_t port)
{
    return peer_connect_from("127.0.0.1", port);
}

static inline void peer_write(int fd, const void *p, size_t n)
{
    for (size_t off = 0; off < n;) {
        ssize_t k = send(fd, (const char *)p + off, n - off, MSG_NOSIGNAL);
        ck_assert_int_gt(k, 0);
        off += (size_t)k;
    }
}

/* Exactly n bytes; false at the end of the stream or if nothing comes for FIX_WAIT_MS. */
static inline bool peer_read(int fd, void *p, size_t n)
{
    for (size_t off = 0; off < n;) {
        ssize_t k = recv(fd, (char *)p + off, n - off, 0);
        if (k <= 0)
            return false;
        off += (size_t)k;
    }
    return true;
}

/* Resets instead of closing politely. */
static inline void peer_reset(int fd)
{
    struct linger l = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
    close(fd);
}

/* A well-formed light PUBLISH of exactly len bytes (at least 32), whose payload
 * depends on seed. Returns len. */
static inline uint32_t peer_frame(uint8_t *dst, uint32_t len, uint32_t seed)
{
    static uint8_t payload[1 << 20];
    struct hs_publish p = {.channel = (const uint8_t *)"c", .message = payload, .channel_len = 1};
    uint32_t base = hs_wire_publish_len(&p, true);

    ck_assert_uint_ge(len, base);
    p.message_len = len - base;
    for (uint32_t i = 0; i < p.message_len; i++)
        payload[i] = (uint8_t)((seed + i) * 2654435761u >> 24);
    ck_assert_uint_eq(hs_wire_build_publish(dst, HS_MSG_PUBLISH, &p, true), len);
    return len;
}

#endif
