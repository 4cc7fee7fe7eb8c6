/* secure.c - TLS on a connection: between the receive buffers and whoever works
 * on the bytes, and between what waits to be sent and the socket.
 *
 * On the way in nothing changes for the rest: it asks for input and gets
 * plaintext, one record at a time, and a link that is parked keeps its
 * ciphertext in its receive buffers. On the way out one flight of ciphertext is
 * made at a time, so what waits longer waits in its queue, under its limits.
 *
 * Until its handshake is over a connection is nobody's: the owner and the
 * client port have not heard of it. Bounds on that time: SHAKES_MAX connections
 * (the oldest that a peer began makes room once it is SHAKE_OLD_MS old, for one
 * that we dial at once; or else the newcomer is closed), SHAKE_BYTES_MAX bytes, SHAKE_MIN_MS to
 * SHAKE_MAX_MS, and SHAKES_PER_TURN steps, since each may cost a millisecond of arithmetic.
 */
#include "net_int.h"

#include <errno.h>
#include <string.h>

int64_t secure_shake_ms(const struct hs_reactor *r)
{
    int64_t ms = NET_TUNE(r, dial_timeout_ms);

    return ms < SHAKE_MIN_MS ? SHAKE_MIN_MS : ms > SHAKE_MAX_MS ? SHAKE_MAX_MS : ms;
}

/* ---- beginning and end ---- */

struct conn *secure_oldest_guest(struct hs_reactor *r)
{
    struct conn *c = list_first(r, &r->shaking);

    while (c != NULL && c->outbound)
        c = list_next(r, &r->shaking, c);
    return c;
}

static bool make_room(struct hs_reactor *r, const struct conn *newcomer)
{
    struct conn *oldest = secure_oldest_guest(r);

    if (r->shaking.n < SHAKES_MAX)
        return true;
    if (oldest == NULL || (!newcomer->outbound && r->now_ms - oldest->clock_ms < SHAKE_OLD_MS))
        return false;
    count_add(r->counts, COUNT_tls_evicted, 1);
    conn_close(r, oldest, ETIMEDOUT);
    return true;
}

bool secure_open(struct hs_reactor *r, struct conn *c, enum hs_tls_side side)
{
    struct secure *s = make_room(r, c) ? hs_alloc(sizeof(*s)) : NULL;

    if (s != NULL)
        s->tls = hs_tls_open(r->net->conf.tls, side);
    if (s == NULL || s->tls == NULL) {
        hs_free(s);
        count_add(r->counts, COUNT_tls_refused, 1);
        conn_close(r, c, ENOBUFS);
        return false;
    }
    conn_address(c->fd, true, s->ip, sizeof(s->ip), &s->port);
    c->secure = s;
    c->shaking = true;
    c->clock_ms = r->now_ms;
    list_append(r, &r->shaking, c);
    conn_set_run(r, c, RUN_REARM);
    if (c->outbound)
        secure_work(r, c); /* who dials speaks first */
    return true;
}

void secure_free(struct conn *c)
{
    if (c->secure == NULL)
        return;
    hs_tls_close(c->secure->tls);
    hs_free(c->secure->left);
    hs_free(c->secure);
    c->secure = NULL;
}

static const char *role(const struct conn *c)
{
    if (c->kind == CONN_CLIENT)
        return "a client";
    return c->outbound ? "a node we dialed" : "a node";
}

/* Whoever can reach a port can make it fail, so at most a line per second. */
static void tell(struct hs_reactor *r, struct conn *c, const char *why)
{
    const struct secure *s = c->secure;
    char more[48];

    if (net_may_tell(r, &r->secure_told, more, sizeof(more)))
        hs_log_with(HS_LOG_WARNING, &(struct hs_log_field){"peer", s->ip}, 1,
                    "TLS with %s, %s port %u, failed: %s.%s", role(c), s->ip, (unsigned)s->port,
                    why, more);
}

/* Whoever knows the nodes shall know of it, too. */
static void refuse(struct hs_reactor *r, struct conn *c, const char *why)
{
    const struct secure *s = c->secure;

    tell(r, c, why);
    if (c->kind != CONN_CLIENT && s->ip[0] != '\0')
        hs_tls_refused(r->net->conf.tls, s->ip, c->outbound ? s->port : 0, why,
                       (hs_mono){r->now_ms});
}

/* OpenSSL has an alert for the peer, so that its log has the reason too: it is
 * one small send into a socket that is empty, or it does not go. */
static void fail(struct hs_reactor *r, struct conn *c)
{
    size_t n;
    const uint8_t *alert = c->sending ? NULL : hs_tls_flight(c->secure->tls, &n);

    if (alert != NULL) {
        ssize_t sent = send(c->fd, alert, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        (void)sent; /* the close says it too */
    }
    count_add(r->counts, COUNT_tls_failed, 1);
    refuse(r, c, hs_tls_why(c->secure->tls));
    conn_close(r, c, EPROTO);
}

void secure_expire(struct hs_reactor *r)
{
    struct conn *c;

    while ((c = list_first(r, &r->shaking)) != NULL &&
           r->now_ms - c->clock_ms >= secure_shake_ms(r)) {
        count_add(r->counts, COUNT_tls_slow, 1);
        tell(r, c, "the handshake took too long");
        conn_close(r, c, ETIMEDOUT);
    }
}

/* ---- the handshake ---- */

static void established(struct hs_reactor *r, struct conn *c)
{
    list_remove(r, &r->shaking, c);
    c->shaking = false;
    count_add(r->counts, COUNT_tls_handshakes, 1);
    if (c->kind == CONN_CLIENT)
        client_open(r, c, HS_LISTEN_CLIENT_TLS);
    else
        conn_up(r, c);
    if (!c->closing)
        recv_work(r, c); /* what came behind the handshake */
}

/* Nothing more to work off: a receive, or the end. */
static void rest(struct hs_reactor *r, struct conn *c)
{
    if (c->eof)
        conn_close(r, c, ECONNRESET);
    else if (!c->armed)
        conn_set_run(r, c, RUN_REARM);
}

void secure_work(struct hs_reactor *r, struct conn *c)
{
    struct secure *s = c->secure;
    enum hs_tls_result result = HS_TLS_MORE;

    do {
        size_t n, used;
        const uint8_t *p = recv_held(r, c, &n);
        if (r->shakes_left == 0) {
            conn_set_run(r, c, RUN_READY);
            return;
        }
        r->shakes_left--;
        size_t left = SHAKE_BYTES_MAX + 1 - s->shake_bytes; /* however much came at once */
        n = n < left ? n : left;
        result = hs_tls_handshake(s->tls, p, n, &used);
        s->shake_bytes += (uint32_t)used;
        recv_used(r, c, used);
    } while (result == HS_TLS_MORE && c->held_n > 0 && s->shake_bytes <= SHAKE_BYTES_MAX);

    conn_want_flush(r, c);
    if (result == HS_TLS_OK) {
        established(r, c);
    } else if (result == HS_TLS_FAILED) {
        fail(r, c);
    } else if (s->shake_bytes > SHAKE_BYTES_MAX) {
        count_add(r->counts, COUNT_tls_long, 1);
        tell(r, c, "the handshake has too many bytes");
        conn_close(r, c, EPROTO);
    } else if (result == HS_TLS_CLOSED) {
        conn_close(r, c, ECONNRESET);
    } else {
        rest(r, c);
    }
}

/* ---- in ---- */

bool secure_has_input(const struct conn *c)
{
    return c->held_n > 0 || c->secure->plain_n > 0;
}

const uint8_t *secure_input(struct hs_reactor *r, struct conn *c, size_t *n)
{
    struct secure *s = c->secure;

    while (s->plain_n == 0) {
        size_t cipher_n, used, got;
        const uint8_t *p = recv_held(r, c, &cipher_n);
        if (p == NULL)
            break;
        enum hs_tls_result result =
            hs_tls_read(s->tls, p, cipher_n, &used, r->plain, sizeof(r->plain), &got);
        recv_used(r, c, used);
        if (hs_tls_pending(s->tls) > 0)
            conn_want_flush(r, c); /* an answer of the protocol's own */
        if (result == HS_TLS_FAILED) {
            fail(r, c);
            *n = 0;
            return NULL;
        }
        if (result == HS_TLS_CLOSED) {
            recv_drop_held(r, c);
            c->eof = true;
        }
        s->plain = r->plain;
        s->plain_n = (uint32_t)got;
    }
    *n = s->plain_n;
    return s->plain_n == 0 ? NULL : s->plain;
}

void secure_used(struct conn *c, size_t n)
{
    struct secure *s = c->secure;

    HS_ASSERT(n <= s->plain_n);
    if (n > 0) /* there may be no plain text at all */
        s->plain += n;
    s->plain_n -= (uint32_t)n;
    if (s->plain_n > 0)
        return;
    hs_free(s->left);
    s->left = NULL;
}

/* A light frame has no sender; it speaks for the last one that was verified. */
bool secure_is_sender(struct hs_reactor *r, struct conn *c, const struct hs_view *v)
{
    struct secure *s = c->secure;
    const uint8_t *id = v->frame + HS_OFF_SENDER;
    bool light = (v->marks & HS_VIEW_LIGHT) != 0;

    if (!NET_TUNE(r, verify_senders))
        return true;
    if (s->verified && (light || memcmp(id, s->sender, sizeof(s->sender)) == 0))
        return true;
    if (!light && hs_tls_peer_is(s->tls, (const char *)id, HS_ID_LEN)) {
        memcpy(s->sender, id, sizeof(s->sender));
        s->verified = true;
        return true;
    }
    count_add(r->counts, COUNT_tls_not_sender, 1);
    refuse(r, c, "its certificate does not hold the node id it speaks as");
    conn_close(r, c, EACCES);
    return false;
}

/* The reactor's buffer is the next connection's: who has to wait takes along
 * what was decrypted already, at most one record. */
void secure_keep(struct hs_reactor *r, struct conn *c)
{
    struct secure *s = c->secure;

    if (s->plain_n == 0 || s->left != NULL)
        return;
    s->left = hs_alloc(s->plain_n);
    if (s->left == NULL) {
        conn_close(r, c, ENOMEM);
        return;
    }
    memcpy(s->left, s->plain, s->plain_n);
    s->plain = s->left;
}

/* ---- out ---- */

/* One record of what waits in front; false if there is nothing. */
static bool encrypt_bus(struct hs_reactor *r, struct conn *c, bool *ok)
{
    size_t n = send_gather(r, c, r->plain, sizeof(r->plain));

    if (n == 0)
        return false;
    *ok = hs_tls_write(c->secure->tls, r->plain, n);
    send_advance(r, c, (uint32_t)n);
    return true;
}

static bool encrypt_client(struct hs_reactor *r, struct conn *c, bool *ok)
{
    struct iovec next;

    if (!client_unsent(r, c))
        return false;
    outbuf_iov(&c->client->fly, &next, 1, HS_TLS_RECORD_MAX);
    *ok = hs_tls_write(c->secure->tls, next.iov_base, next.iov_len);
    outbuf_advance(&c->client->fly, (uint32_t)next.iov_len);
    return true;
}

static void encrypt(struct hs_reactor *r, struct conn *c, bool *ok)
{
    while (*ok && hs_tls_pending(c->secure->tls) < SECURE_FLIGHT) {
        bool some = c->kind == CONN_CLIENT ? encrypt_client(r, c, ok) : encrypt_bus(r, c, ok);
        if (!some && c->ending)
            hs_tls_goodbye(c->secure->tls);
        if (!some)
            return;
    }
}

void secure_flush(struct hs_reactor *r, struct conn *c)
{
    struct hs_tls_session *tls = c->secure->tls;
    bool ok = true;
    size_t n;

    if (!c->shaking)
        encrypt(r, c, &ok);
    if (!ok) {
        fail(r, c);
        return;
    }
    const uint8_t *p = hs_tls_flight(tls, &n);
    if (p == NULL) {
        if (c->ending)
            conn_close(r, c, 0);
        return;
    }
    struct scratch *s = send_scratch(r);
    if (s != NULL)
        s->iov[0] = (struct iovec){(void *)(uintptr_t)p, n};
    if (s == NULL || !send_submit(r, c, s, 1))
        conn_want_flush(r, c);
}

void secure_sent(struct hs_reactor *r, struct conn *c, uint32_t n)
{
    hs_tls_sent(c->secure->tls, n);
    if (c->kind == CONN_CLIENT && !c->shaking)
        client_touch(r, c);
}
