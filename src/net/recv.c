/* recv.c - received buffers, worked off in order as far as there is room.
 *
 * A connection has one multishot receive that ends by itself after RECV_BUFS
 * buffers, so that none can take the whole buffer group. What arrives is held in
 * a queue of buffers until it is worked off; a link that cannot go on, because
 * `in` or the slab is full, is parked with its queue and not armed again, and
 * TCP slows its peer. Nothing is dropped.
 */
#include "net_int.h"

#include <errno.h>

/* ---- arming ---- */

static bool arm(struct hs_reactor *r, struct conn *c)
{
    struct io_uring_sqe *sqe = uring_sqe(r, OP_RECV, c);

    if (sqe == NULL)
        return false;
    io_uring_prep_recv_multishot(sqe, c->fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = recv_group(r, c)->id;
    if (r->recv_limited)
        sqe->file_index =
            RECV_BUFS * recv_group(r, c)->size; /* newer headers call this word optlen */
    c->armed = true;
    count_add(r->counts, COUNT_rearmed, 1);
    return true;
}

/* Oldest first, and no more than there are buffers: an arming without one
 * fails at once, so doing it in a loop would be a busy loop. */
void recv_arm_due(struct hs_reactor *r)
{
    for (int g = 0; g < 2; g++) {
        for (uint32_t n = r->bufs[g].posted; n > 0; n--) {
            struct conn *c = list_first(r, &r->rearm[g]);
            if (c == NULL || !arm(r, c))
                break;
            conn_set_run(r, c, RUN_NONE);
        }
    }
}

/* ---- working it off ---- */

static const uint8_t *input(struct hs_reactor *r, struct conn *c, size_t *n)
{
    return c->secure == NULL ? recv_held(r, c, n) : secure_input(r, c, n);
}

static void input_used(struct hs_reactor *r, struct conn *c, size_t n)
{
    if (c->secure == NULL)
        recv_used(r, c, n);
    else
        secure_used(c, n);
}

static bool has_input(const struct conn *c)
{
    return c->secure == NULL ? c->held_n > 0 : secure_has_input(c);
}

static void park(struct hs_reactor *r, struct conn *c)
{
    if (!c->stuck)
        count_add(r->counts, COUNT_parked, 1);
    c->stuck = true;
    conn_set_run(r, c, RUN_PARKED);
}

void recv_frame_done(struct hs_reactor *r, struct hs_frame *frame)
{
    if (frame->level != SLAB_NONE) {
        slab_put(&r->slab, frame);
        return;
    }
    HS_ASSERT(r->lent_n > 0);
    r->lent_n--;
    bufs_unref(&r->bufs[0], frame->buf);
}

static void hand_over(struct hs_reactor *r, struct conn *c, struct hs_frame *frame,
                      const uint8_t *bytes, uint32_t len)
{
    struct hs_in in = {.kind = HS_IN_FRAME, .conn = conn_id(r, c), .frame = frame};
    enum hs_wire_err err = hs_wire_check(bytes, len, &in.view);

    if (err != HS_WIRE_OK) {
        count_add(r->verdicts, (enum net_counter)err, 1);
        recv_frame_done(r, frame);
        return;
    }
    if (c->secure != NULL && !secure_is_sender(r, c, &in.view)) {
        recv_frame_done(r, frame);
        return;
    }
    if (list_has(c, LINK_SILENT))
        list_remove(r, &r->silent, c);
    count_add(r->counts, COUNT_frames, 1);
    r->frames_out++;
    bool pushed = hs_in_ring_push(&r->in, &in);
    HS_ASSERT(pushed); /* push_room() said so */
    r->pushed = true;
}

/* The length of a frame that lies whole in a received buffer and may stay there
 * until the owner has read it; 0 for none. Not while much is lent already: a slow
 * owner must not keep the buffers that all connections need. */
static uint32_t whole_in_place(struct hs_reactor *r, const struct conn *c, const uint8_t *p,
                               size_t n)
{
    const struct buf_group *g = recv_group(r, c);
    uint32_t len;

    if (c->secure != NULL || n == 0 || framer_is_partial(&c->framer) || r->lent_n == LENT_MAX ||
        g->posted < g->n / LENT_PART)
        return 0;
    bool whole = hs_wire_frame_len(p, n, r->net->conf.frame_max, &len) == HS_WIRE_OK && len <= n;
    return whole ? len : 0;
}

static void lend(struct hs_reactor *r, struct conn *c, const uint8_t *p, uint32_t len)
{
    struct buf_group *g = recv_group(r, c);

    g->refs[c->held_head]++;
    r->lent_n++;
    hand_over(r, c, bufs_frame(g, c->held_head), p, len);
    recv_used(r, c, len);
}

/* When no frame is with the owner, no memory will come back by waiting: all of
 * it is in unfinished frames, and the oldest of them has to go. */
static void evict_unfinished(struct hs_reactor *r)
{
    struct conn *oldest = list_first(r, &r->partial);

    if (r->frames_out > 0 || oldest == NULL)
        return;
    count_add(r->counts, COUNT_links_evicted, 1);
    conn_close(r, oldest, ENOMEM);
}

/* Unfinished frames are on a clock. */
static void keep_clock(struct hs_reactor *r, struct conn *c)
{
    bool unfinished = framer_is_partial(&c->framer) && c->framer.have != c->framer.want;

    if (list_has(c, LINK_CLOCK) && !unfinished) {
        list_remove(r, &r->partial, c);
    } else if (!list_has(c, LINK_CLOCK) && unfinished) {
        c->clock_ms = r->now_ms;
        list_append(r, &r->partial, c);
    }
}

/* All bytes are worked off, or c is on a list that says why not. */
static void rest(struct hs_reactor *r, struct conn *c)
{
    if (c->eof)
        conn_close(r, c, 0);
    else if (!c->armed)
        conn_set_run(r, c, RUN_REARM);
}

/* Whether c may hand over a frame now; if not, it is on a list that says why. */
static bool may_hand_over(struct hs_reactor *r, struct conn *c, int *budget)
{
    if (!push_room(r)) {
        park(r, c);
        return false;
    }
    if ((*budget)-- == 0) {
        conn_set_run(r, c, RUN_READY);
        return false;
    }
    c->stuck = false;
    return true;
}

static void work_bus(struct hs_reactor *r, struct conn *c)
{
    for (int budget = FRAMES_PER_TURN;;) {
        enum hs_wire_err err;
        size_t n, used;
        const uint8_t *p = input(r, c, &n);
        if (c->closing)
            return;
        uint32_t len = whole_in_place(r, c, p, n);
        if (len > 0) {
            if (!may_hand_over(r, c, &budget))
                return;
            lend(r, c, p, len);
            continue;
        }
        enum framer_result result =
            framer_feed(&c->framer, &r->slab, r->net->conf.frame_max, p, n, &used, &err);
        input_used(r, c, used);
        keep_clock(r, c);
        switch (result) {
        case FRAMER_MORE:
            if (has_input(c))
                continue;
            rest(r, c);
            return;
        case FRAMER_WHOLE:
            if (!may_hand_over(r, c, &budget))
                return;
            struct hs_frame *frame = framer_take(&c->framer);
            hand_over(r, c, frame, frame->bytes, frame->len);
            if (c->closing)
                return;
            continue;
        case FRAMER_NO_MEMORY:
            park(r, c);
            evict_unfinished(r); /* it may be c itself */
            return;
        case FRAMER_BAD:
            count_add(r->verdicts, (enum net_counter)err, 1);
            conn_close(r, c, EPROTO);
            return;
        }
    }
}

static void work_client(struct hs_reactor *r, struct conn *c)
{
    size_t n;

    for (const uint8_t *p;
         !c->client->waiting && !c->ending && !c->doomed && (p = input(r, c, &n)) != NULL;) {
        client_feed(r, c, p, n);
        input_used(r, c, n);
    }
    if (c->closing)
        return;
    if (c->ending || c->doomed)
        recv_drop_held(r, c); /* nobody listens any more */
    else if (c->client->waiting)
        return; /* client_reply() goes on */
    else if (c->eof && client_has_output(c)) {
        c->ending = true;
        conn_want_flush(r, c);
    } else
        rest(r, c);
}

void recv_work(struct hs_reactor *r, struct conn *c)
{
    if (c->shaking) {
        secure_work(r, c);
        return;
    }
    if (c->kind == CONN_CLIENT)
        work_client(r, c);
    else
        work_bus(r, c);
    if (c->secure != NULL && !c->closing)
        secure_keep(r, c);
}

bool recv_resume(struct hs_reactor *r)
{
    for (uint32_t n = r->ready.n; n > 0; n--) {
        struct conn *c = list_first(r, &r->ready);
        if (c == NULL)
            break; /* evicted meanwhile */
        conn_set_run(r, c, RUN_NONE);
        recv_work(r, c);
    }
    for (uint32_t n = r->parked.n; n > 0 && push_room(r); n--) {
        struct conn *c = list_first(r, &r->parked);
        if (c == NULL)
            break;
        conn_set_run(r, c, RUN_NONE);
        recv_work(r, c);
    }
    return r->ready.n > 0;
}

/* ---- completions ---- */

static void failed(struct hs_reactor *r, struct conn *c, int err)
{
    if (err == ENOBUFS) {
        count_add(r->counts, COUNT_enobufs, 1);
    } else if (err == EINVAL && r->recv_limited) {
        r->recv_limited = false; /* an older kernel: without the limit, then */
    } else if (err != ECANCELED) {
        conn_close(r, c, err);
        return;
    }
    if (c->run == RUN_NONE && c->held_n == 0)
        recv_work(r, c);
}

/* It cannot go on, and an arming without a limit would fill the group. */
static void stop_if_waiting(struct hs_reactor *r, struct conn *c)
{
    if (c->held_n < HELD_MAX || !c->armed || c->cancelled)
        return;
    uring_cancel(r, OP_RECV, c);
    c->cancelled = true;
}

void recv_done(struct hs_reactor *r, struct conn *c, int res, uint32_t flags)
{
    struct buf_group *g = recv_group(r, c);

    if (!(flags & IORING_CQE_F_MORE))
        c->armed = c->cancelled = false;
    if (flags & IORING_CQE_F_BUFFER) {
        uint16_t buf = (uint16_t)(flags >> IORING_CQE_BUFFER_SHIFT);
        g->posted--;
        if (c->closing || c->ending || res <= 0)
            bufs_post(g, buf);
        else
            recv_hold(r, c, buf, (uint32_t)res);
    }
    if (res > 0)
        count_add(r->counts, COUNT_bytes_in, (uint64_t)res);
    if (c->closing) {
        conn_settle(r, c);
        return;
    }
    if (res < 0) {
        failed(r, c, -res);
        return;
    }
    c->eof = c->eof || res == 0;
    if (c->run == RUN_NONE || c->run == RUN_REARM) {
        conn_set_run(r, c, RUN_NONE);
        recv_work(r, c);
    } else {
        stop_if_waiting(r, c);
    }
}

void recv_expire(struct hs_reactor *r)
{
    int64_t limit_ms = (int64_t)NET_TUNE(r, stall_timeout_ms) * SLOW_FRAME_STALLS;
    struct conn *c;

    while ((c = list_first(r, &r->partial)) != NULL && r->now_ms - c->clock_ms >= limit_ms) {
        if (c->run == RUN_PARKED || c->run == RUN_READY) { /* it waits for us */
            list_remove(r, &r->partial, c);
            c->clock_ms = r->now_ms;
            list_append(r, &r->partial, c);
            continue;
        }
        count_add(r->counts, COUNT_links_slow_frame, 1);
        conn_close(r, c, ETIMEDOUT);
    }
}
