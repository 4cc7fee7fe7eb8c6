/* accept.c - who comes in, and who is turned away.
 *
 * Bus links are accepted by the first reactor only and offered to the owner,
 * which chooses the reactor where the peer's other link lives. Clients need no
 * such meeting: every reactor accepts and keeps its own, so they are served
 * while the owner is busy.
 *
 * Bounds: an address has its share (share.c). A quarter of the places is kept for
 * dialing (conn_inbound_room()). Past the rest the oldest link that never sent a
 * frame makes room; with none, the newcomer is closed. Out of descriptors: a
 * pause, never a busy loop.
 */
#include "net_int.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool is_ours(const struct hs_reactor *r, const struct listener *l)
{
    return l->kind != HS_LISTEN_BUS || r->ix == 0;
}

static void arm(struct hs_reactor *r, uint32_t i)
{
    struct io_uring_sqe *sqe = uring_sqe(r, OP_ACCEPT, NULL);

    if (sqe == NULL)
        return; /* next turn */
    io_uring_prep_multishot_accept(sqe, r->net->listeners[i].fd, NULL, NULL, SOCK_CLOEXEC);
    sqe->user_data = uring_user_data(OP_ACCEPT, 0, i);
    r->accept_armed[i] = true;
}

void accept_arm_due(struct hs_reactor *r)
{
    for (uint32_t i = 0; i < r->net->listeners_n; i++) {
        if (!r->accept_armed[i] && is_ours(r, &r->net->listeners[i]) &&
            r->now_ms >= r->accept_ms[i])
            arm(r, i);
    }
}

static void refuse(struct hs_reactor *r, int fd)
{
    count_add(r->counts, COUNT_conns_refused, 1);
    close(fd);
}

/* It was reset already: there is nobody to refuse, and no address to log. */
static void gone(struct hs_reactor *r, int fd)
{
    count_add(r->counts, COUNT_conns_gone, 1);
    close(fd);
}

/* The owner answers with HS_OUT_ADOPT to the reactor that shall have it. */
static void offer(struct hs_reactor *r, int fd, enum hs_listen kind)
{
    struct hs_conn_up *up = hs_alloc(sizeof(*up));
    struct hs_in in = {.kind = HS_IN_ACCEPTED, .number = fd, .dial = (uint32_t)kind, .up = up};
    uint16_t port;

    if (up == NULL) {
        refuse(r, fd);
        return;
    }
    conn_address(fd, true, up->peer_ip, sizeof(up->peer_ip), &port);
    if (up->peer_ip[0] == '\0') {
        hs_free(up);
        gone(r, fd);
        return;
    }
    conn_address(fd, false, up->local_ip, sizeof(up->local_ip), &port);
    push_in(r, &in);
}

static void take(struct hs_reactor *r, int fd, enum hs_listen kind)
{
    count_add(r->counts, COUNT_accepted, 1);
    if (r->phase != RUNNING || r->pending_n >= PENDING_GATE)
        refuse(r, fd);
    else if (kind == HS_LISTEN_BUS)
        offer(r, fd, kind);
    else
        accept_adopt(r, fd, kind);
}

void accept_done(struct hs_reactor *r, uint32_t listener, int res, uint32_t flags)
{
    HS_ASSERT(listener < r->net->listeners_n);
    if (!(flags & IORING_CQE_F_MORE))
        r->accept_armed[listener] = false;
    if (res >= 0) {
        r->accept_logged[listener] = false;
        take(r, res, r->net->listeners[listener].kind);
        return;
    }
    if (res == -ECONNABORTED || res == -EINTR || res == -EPROTO)
        return; /* that one is gone; the next is fine */
    count_add(r->counts, COUNT_accept_errors, 1);
    r->accept_ms[listener] = r->now_ms + ACCEPT_BACKOFF_MS;
    if (!r->accept_logged[listener])
        hs_log(HS_LOG_WARNING, "Cannot accept connections: %s. Trying again every second%s.",
               strerror(-res),
               res == -EMFILE || res == -ENFILE ? "; raise the limit of open files" : "");
    r->accept_logged[listener] = true;
}

/* Room for one more from outside, made at the cost of a silent one if need be. */
static bool make_room(struct hs_reactor *r)
{
    struct conn *oldest = list_first(r, &r->silent);

    if (conn_inbound_room(r))
        return true;
    if (oldest == NULL)
        oldest = secure_oldest_guest(r);
    if (oldest == NULL || r->free_n == 0)
        return false;
    count_add(r->counts, COUNT_conns_silent, 1);
    conn_close(r, oldest, ETIMEDOUT);
    return true;
}

static void say(int fd, enum hs_listen kind, const char *text)
{
    if (kind == HS_LISTEN_BUS || kind == HS_LISTEN_CLIENT_TLS) /* it would be no frame, no TLS */
        return;
    ssize_t n = send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)n; /* a new socket has room for a line; if not, the close says it too */
}

static void turn_client_away(struct hs_reactor *r, int fd, enum hs_listen kind)
{
    say(fd, kind, "-ERR max number of clients reached\r\n");
    count_add(r->counts, COUNT_clients_refused, 1);
    close(fd);
}

static void adopt_client(struct hs_reactor *r, int fd, enum hs_listen kind, hs_ix share)
{
    if (atomic_fetch_add(&r->net->clients_n, 1) >= NET_TUNE(r, clients_max) ||
        !conn_inbound_room(r)) {
        atomic_fetch_sub(&r->net->clients_n, 1);
        share_give(r->net, share);
        turn_client_away(r, fd, kind);
        return;
    }
    struct conn *c = conn_open(r, fd, CONN_CLIENT);
    HS_ASSERT(c != NULL);
    c->share = share;
    if (kind != HS_LISTEN_UNIX)
        conn_tune(r, fd);
    if (kind == HS_LISTEN_CLIENT_TLS)
        secure_open(r, c, HS_TLS_CLIENT_PORT);
    else
        client_open(r, c, kind);
}

static void adopt_link(struct hs_reactor *r, int fd, hs_ix share)
{
    if (!make_room(r)) {
        share_give(r->net, share);
        refuse(r, fd);
        return;
    }
    struct conn *c = conn_open(r, fd, CONN_BUS);
    HS_ASSERT(c != NULL);
    c->share = share;
    conn_tune(r, fd);
    if (r->net->conf.bus_tls)
        secure_open(r, c, HS_TLS_BUS_IN);
    else
        conn_up(r, c);
}

void accept_adopt(struct hs_reactor *r, int fd, enum hs_listen kind)
{
    bool bus = kind == HS_LISTEN_BUS;
    hs_ix share = HS_NIL;
    enum share_result result = SHARE_OK;

    if (r->phase != RUNNING) {
        refuse(r, fd);
        return;
    }
    if (kind != HS_LISTEN_UNIX)
        result = share_take(r, fd, bus, &share);
    if (result == SHARE_GONE) {
        gone(r, fd);
    } else if (result == SHARE_FULL) {
        say(fd, kind, "-ERR max number of clients of one address reached\r\n");
        close(fd);
    } else if (bus) {
        adopt_link(r, fd, share);
    } else {
        adopt_client(r, fd, kind, share);
    }
}
