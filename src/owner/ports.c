/* ports.c - the owner's way to one reactor.
 *
 * The owner never waits for a reactor. What finds no room in the ring waits in
 * a bounded queue, in order, and while anything waits the owner takes nothing
 * more from that reactor's `in` ring. The reactor empties `out` on every turn
 * whatever `in` looks like, so neither can wait for the other for ever.
 *
 * Bound: OWNER_QUEUE_MAX entries. Beyond it
 *   a SEND is not sent and its link is closed (dispatch.c), unless it was pub/sub,
 *   a DELIVER is lost,
 *   a DIAL fails at once, an ADOPT closes the new connection,
 *   a CLOSE has reserved room: a place has one close at most, since no new use
 *   of it is learned while anything waits. STOP comes once.
 * Replies wait in a list through the requests themselves and need no room.
 */
#include "owner_int.h"

void owner_port_init(struct owner_port *p, struct hs_port ends, uint32_t conns_max)
{
    uint32_t reserve = conns_max + 1;
    *p = (struct owner_port){
        .ends = ends,
        .queue = hs_alloc((OWNER_QUEUE_MAX + (size_t)reserve) * sizeof(struct hs_out)),
        .queue_max = OWNER_QUEUE_MAX + reserve,
        .reserve = reserve,
    };
    p->replies_end = &p->replies;
}

void owner_port_fini(struct owner_port *p)
{
    hs_free(p->queue);
}

bool owner_port_push(struct owner_port *p, const struct hs_out *out)
{
    p->dirty = true;
    if (p->queue_n == 0 && hs_out_ring_push(p->ends.out, out))
        return true;
    bool reserved = out->kind == HS_OUT_CLOSE || out->kind == HS_OUT_STOP;
    if (p->queue_n >= p->queue_max - (reserved ? 0 : p->reserve))
        return false;
    p->queue[(p->queue_at + p->queue_n) % p->queue_max] = *out;
    p->queue_n++;
    return true;
}

static bool push_reply(struct owner_port *p, struct hs_request *req)
{
    struct hs_out out = {.kind = HS_OUT_REPLY, .conn = req->conn, .ptr = req};
    return hs_out_ring_push(p->ends.out, &out);
}

void owner_port_reply(struct owner_port *p, struct hs_request *req)
{
    p->dirty = true;
    req->next = NULL;
    if (p->replies == NULL && push_reply(p, req))
        return;
    *p->replies_end = req;
    p->replies_end = &req->next;
}

void owner_port_flush(struct owner_port *p)
{
    while (p->queue_n > 0 && hs_out_ring_push(p->ends.out, &p->queue[p->queue_at])) {
        p->queue_at = (p->queue_at + 1) % p->queue_max;
        p->queue_n--;
        p->dirty = true;
    }
    while (p->replies != NULL) {
        /* Once pushed it is the session's: read the list before. */
        struct hs_request *req = p->replies, *next = req->next;
        if (!push_reply(p, req))
            return;
        p->replies = next;
        p->dirty = true;
    }
    p->replies_end = &p->replies;
}

bool owner_port_is_blocked(const struct owner_port *p)
{
    return p->queue_n > 0 || p->replies != NULL;
}
