/* reactor.c - the loop: take what came, hand it on, sleep when there is nothing.
 *
 * Every turn does a bounded amount of everything, in an order that lets what
 * frees resources run before what needs them: the owner's returns and entries,
 * then connections that waited, then deadlines, new receives, one flush for
 * all sends, one post to the owner, and one system call that submits it all.
 */
#include "net_int.h"

#include <errno.h>

static void take_frames(struct hs_reactor *r)
{
    struct hs_frame_ref ref;

    while (hs_frame_ring_pop(&r->frames, &ref)) {
        HS_ASSERT(r->frames_out > 0);
        r->frames_out--;
        recv_frame_done(r, ref.frame);
    }
}

static void set_phase(struct hs_reactor *r, enum phase phase)
{
    r->phase = phase;
    r->phase_ms = r->now_ms;
}

static void take_entry(struct hs_reactor *r, const struct hs_out *out)
{
    struct conn *c;

    switch ((enum hs_out_kind)out->kind) {
    case HS_OUT_SEND:
        send_queue_entry(r, out);
        break;
    case HS_OUT_CLOSE:
        c = conn_find(r, out->conn);
        if (c != NULL)
            conn_close(r, c, ECONNABORTED);
        break;
    case HS_OUT_DIAL:
        dial_start(r, out);
        break;
    case HS_OUT_REPLY:
        client_reply(r, out);
        break;
    case HS_OUT_ADOPT:
        accept_adopt(r, (int)out->len, (enum hs_listen)out->dial);
        break;
    case HS_OUT_DELIVER:
        client_deliver(r, out);
        break;
    case HS_OUT_CHANGED:
        if (r->net->ops.changed != NULL)
            r->net->ops.changed(r->net->ops.ctx, r->ix);
        break;
    case HS_OUT_STOP:
        if (r->phase == RUNNING)
            set_phase(r, FLUSHING);
        break;
    }
}

static void take_out(struct hs_reactor *r)
{
    struct hs_out out;

    for (int n = OUT_PER_TURN; n > 0 && hs_out_ring_pop(&r->out, &out); n--)
        take_entry(r, &out);
}

static void flush_all(struct hs_reactor *r)
{
    for (uint32_t n = r->flush.n; n > 0; n--) {
        struct conn *c = list_first(r, &r->flush);
        if (c == NULL)
            break;
        list_remove(r, &r->flush, c);
        send_flush(r, c);
    }
}

static void arm_wake(struct hs_reactor *r)
{
    if (r->wake_armed)
        return;
    struct io_uring_sqe *sqe = uring_sqe(r, OP_WAKE, NULL);
    if (sqe == NULL)
        return;
    io_uring_prep_poll_multishot(sqe, r->wake.fd, POLLIN);
    r->wake_armed = true;
}

/* ---- the end ---- */

/* Every connection that is in use, once. */
static void for_each_conn(struct hs_reactor *r, void (*f)(struct hs_reactor *, struct conn *))
{
    for (uint32_t i = 0; i < r->net->conf.conns_max && r->conns_n > 0; i++) {
        if (r->conns[i].kind != CONN_FREE)
            f(r, &r->conns[i]);
    }
}

static void end_when_sent(struct hs_reactor *r, struct conn *c)
{
    if (c->closing)
        return;
    if (c->kind == CONN_DIALING) {
        conn_close(r, c, ECONNABORTED);
        return;
    }
    c->ending = true;
    conn_want_flush(r, c);
}

static void end_now(struct hs_reactor *r, struct conn *c)
{
    conn_close(r, c, ECONNABORTED);
}

/* The ring is gone and with it all that was in flight. */
static void abandon(struct hs_reactor *r, struct conn *c)
{
    c->armed = c->connecting = c->sending = false;
    if (c->closing) {
        send_drop_all(r, c);
        conn_settle(r, c);
    } else {
        conn_close(r, c, ECONNABORTED);
    }
}

/* True when the reactor may leave. */
static bool stop_progress(struct hs_reactor *r)
{
    int64_t since_ms = r->now_ms - r->phase_ms;

    if (r->phase == FLUSHING && since_ms == 0)
        for_each_conn(r, end_when_sent);
    if (r->phase == FLUSHING && since_ms >= STOP_FLUSH_MS) {
        for_each_conn(r, end_now);
        set_phase(r, CLOSING);
    }
    return r->conns_n == 0 || (r->phase == CLOSING && since_ms >= STOP_CLOSE_MS);
}

/* ---- the loop ---- */

static void complete(struct hs_reactor *r, uint64_t data, int res, uint32_t flags)
{
    enum op op = (enum op)(data >> 56);
    uint32_t gen = (uint32_t)(data >> 32) & GEN_MAX;
    uint32_t ix = (uint32_t)data;

    if (op == OP_WAKE) {
        hs_wake_clear(&r->wake);
        r->wake_armed = (flags & IORING_CQE_F_MORE) != 0;
        return;
    }
    if (op == OP_ACCEPT) {
        accept_done(r, ix, res, flags);
        return;
    }
    if (op == OP_CANCEL)
        return; /* what it cancelled says so itself */
    struct conn *c = &r->conns[ix];
    HS_ASSERT(ix < r->net->conf.conns_max && c->kind != CONN_FREE && c->gen == gen);
    if (op == OP_RECV)
        recv_done(r, c, res, flags);
    else if (op == OP_SEND)
        send_done(r, c, res);
    else
        dial_done(r, c, res);
}

static void take_completions(struct hs_reactor *r)
{
    struct io_uring_cqe *cqe;

    for (int n = CQES_PER_TURN; n > 0 && io_uring_peek_cqe(&r->ring, &cqe) == 0; n--) {
        uint64_t data = cqe->user_data;
        int res = cqe->res;
        uint32_t flags = cqe->flags;
        io_uring_cqe_seen(&r->ring, cqe);
        complete(r, data, res, flags);
    }
}

static void earlier(struct hs_reactor *r, const struct list *l, int64_t after_ms, int64_t *wait_ms)
{
    struct conn *c = list_first(r, l);

    if (c == NULL)
        return;
    int64_t since_ms = l->kind == LINK_SEND ? c->moved_ms : c->clock_ms;
    int64_t left_ms = since_ms + after_ms - r->now_ms;
    if (left_ms < *wait_ms)
        *wait_ms = left_ms < 1 ? 1 : left_ms;
}

/* How long nothing will be due. The owner need not wake us when it has made
 * room, so whoever waits for room looks again by itself. */
static int64_t idle_ms(struct hs_reactor *r)
{
    int64_t stall_ms = NET_TUNE(r, stall_timeout_ms);
    int64_t client_ms = (int64_t)NET_TUNE(r, client_timeout_s) * 1000;
    int64_t wait_ms = WAIT_MAX_MS;

    if (r->parked.n > 0 || r->pending_n > 0 || r->phase != RUNNING)
        wait_ms = LOOK_AGAIN_MS;
    earlier(r, &r->dialing, NET_TUNE(r, dial_timeout_ms), &wait_ms);
    earlier(r, &r->shaking, secure_shake_ms(r), &wait_ms);
    earlier(r, &r->partial, stall_ms * SLOW_FRAME_STALLS, &wait_ms);
    earlier(r, &r->sends, stall_ms, &wait_ms);
    if (r->sends.n > 0 && NET_TUNE(r, sendbuf_limit) > 0 && wait_ms > SEND_LOOK_MS)
        wait_ms = SEND_LOOK_MS;
    if (client_ms > 0)
        earlier(r, &r->idle, client_ms, &wait_ms);
    return wait_ms;
}

static bool has_arrivals(struct hs_reactor *r)
{
    return hs_out_ring_size(&r->out) > 0 || hs_frame_ring_size(&r->frames) > 0;
}

static void sleep_or_go_on(struct hs_reactor *r, bool work_left)
{
    int64_t wait_ms = work_left || r->flush.n > 0 ? 0 : idle_ms(r);

    hs_doze_begin(&r->wake.doze);
    uring_turn(r, has_arrivals(r) ? 0 : wait_ms);
    hs_doze_end(&r->wake.doze);
}

static bool turn(struct hs_reactor *r)
{
    r->now_ms = hs_clock().mono.ms;
    r->shakes_left = SHAKES_PER_TURN;
    take_completions(r);
    take_frames(r);
    push_pending(r);
    take_out(r);
    bool work_left = recv_resume(r);
    dial_expire(r);
    secure_expire(r);
    recv_expire(r);
    send_expire(r);
    send_look(r);
    client_expire(r);
    if (r->net->ops.turn != NULL)
        r->net->ops.turn(r->net->ops.ctx, r->ix);
    arm_wake(r);
    accept_arm_due(r);
    recv_arm_due(r);
    bool over = r->phase != RUNNING && stop_progress(r);
    flush_all(r);
    count_set(r->counts, COUNT_frame_bytes_now, r->slab.used);
    if (r->pushed)
        hs_wake_post(r->net->owner_wake);
    r->pushed = false;
    if (!over)
        sleep_or_go_on(r, work_left);
    return !over;
}

int hs_net_await_open(struct hs_net *n)
{
    for (uint32_t i = 0; i < n->conf.reactors; i++) {
        while (sem_wait(&n->opened) != 0)
            ; /* a signal */
    }
    return atomic_load(&n->open_error);
}

void hs_reactor_run(struct hs_net *n, uint32_t reactor)
{
    HS_ASSERT(reactor < n->conf.reactors);
    struct hs_reactor *r = &n->reactors[reactor];
    int rc = uring_open(r);

    if (rc < 0)
        atomic_store(&n->open_error, rc);
    sem_post(&n->opened);
    if (rc < 0)
        return;
    while (turn(r))
        ;
    uring_close(r);
    for_each_conn(r, abandon);
    take_out(r);
    hs_wake_post(n->owner_wake);
}
