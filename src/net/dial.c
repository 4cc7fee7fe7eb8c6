/* dial.c - outbound links: a socket, a connect, a deadline.
 *
 * All dials have the same timeout, so the list of them in order of start is
 * also the order of their deadlines. Every dial ends in HS_IN_UP or in
 * HS_IN_DIAL_FAILED, never in both, never in neither.
 */
#include "net_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The length of the address, or 0 if the text is none. */
static socklen_t parse(const char *ip, uint16_t port, struct sockaddr_in6 *out)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    if (inet_pton(AF_INET, ip, &v4.sin_addr) == 1) {
        memcpy(out, &v4, sizeof(v4));
        return sizeof(v4);
    }
    if (inet_pton(AF_INET6, ip, &v6.sin6_addr) == 1) {
        *out = v6;
        return sizeof(v6);
    }
    return 0;
}

/* The configured source; a family that does not fit the target's has no say. */
static int bind_source(const struct hs_reactor *r, int fd, int family)
{
    struct sockaddr_in6 source;
    int on = 1;
    socklen_t len = parse(r->net->conf.source_ip, 0, &source);

    if (len == 0 || source.sin6_family != family)
        return 0;
    /* The port is chosen at connect, when the peer is known: more of them fit. */
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    return bind(fd, (struct sockaddr *)&source, len) == 0 ? 0 : -errno;
}

static int open_socket(const struct hs_reactor *r, int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    int rc = bind_source(r, fd, family);
    if (rc < 0) {
        close(fd);
        return rc;
    }
    return fd;
}

/* A connection that is being dialed, or a negative errno. */
static int start(struct hs_reactor *r, const char *ip, uint16_t port, uint32_t dial)
{
    struct sockaddr_in6 addr;
    socklen_t len = parse(ip, port, &addr);

    if (len == 0)
        return -EINVAL;
    if (r->phase != RUNNING)
        return -ESHUTDOWN;
    int fd = open_socket(r, addr.sin6_family);
    if (fd < 0)
        return fd;
    struct io_uring_sqe *sqe = r->free_n == 0 ? NULL : uring_sqe(r, OP_CONNECT, NULL);
    if (sqe == NULL) {
        close(fd);
        return -ENOBUFS;
    }
    struct conn *c = conn_open(r, fd, CONN_DIALING);
    HS_ASSERT(c != NULL);
    c->outbound = true;
    c->dial = dial;
    c->addr = addr;
    c->clock_ms = r->now_ms;
    c->connecting = true;
    io_uring_prep_connect(sqe, fd, (struct sockaddr *)&c->addr, len);
    sqe->user_data = uring_user_data(OP_CONNECT, c->gen, c->ix);
    list_append(r, &r->dialing, c);
    return 0;
}

void dial_start(struct hs_reactor *r, const struct hs_out *out)
{
    char ip[HS_IP_LEN];

    snprintf(ip, sizeof(ip), "%s", (const char *)out->chunk->bytes + out->off);
    push_chunk(r, out->chunk);
    int rc = start(r, ip, out->port, out->dial);
    if (rc < 0)
        push_dial_failed(r, out->dial, -rc);
}

void dial_done(struct hs_reactor *r, struct conn *c, int res)
{
    c->connecting = false;
    if (c->closing) {
        conn_settle(r, c);
    } else if (res < 0) {
        conn_close(r, c, -res);
    } else {
        list_remove(r, &r->dialing, c);
        c->kind = CONN_BUS;
        c->framer = (struct framer){0};
        count_add(r->counts, COUNT_dialed, 1);
        conn_tune(r, c->fd);
        if (r->net->conf.bus_tls)
            secure_open(r, c, HS_TLS_BUS_OUT);
        else
            conn_up(r, c);
    }
}

void dial_expire(struct hs_reactor *r)
{
    struct conn *c;

    while ((c = list_first(r, &r->dialing)) != NULL &&
           r->now_ms - c->clock_ms >= NET_TUNE(r, dial_timeout_ms))
        conn_close(r, c, ETIMEDOUT);
}
