/* held.c - received buffers that a connection has not worked off.
 *
 * A queue through the group's tables. A buffer goes back to the kernel when its
 * connection is done with it and no frame in it is with the owner any more.
 */
#include "net_int.h"

struct buf_group *recv_group(struct hs_reactor *r, const struct conn *c)
{
    return &r->bufs[c->kind == CONN_CLIENT];
}

void recv_hold(struct hs_reactor *r, struct conn *c, uint16_t buf, uint32_t len)
{
    struct buf_group *g = recv_group(r, c);

    HS_ASSERT(buf < g->n);
    g->refs[buf] = 1;
    g->next[buf] = BUF_NIL;
    g->len[buf] = len;
    if (c->held_n == 0)
        c->held_head = buf;
    else
        g->next[c->held_tail] = buf;
    c->held_tail = buf;
    c->held_n++;
}

/* n bytes of the first held buffer are done with. */
void recv_used(struct hs_reactor *r, struct conn *c, size_t n)
{
    struct buf_group *g = recv_group(r, c);

    if (n == 0)
        return;
    uint16_t buf = c->held_head;
    c->held_off += (uint32_t)n;
    HS_ASSERT(c->held_off <= g->len[buf]);
    if (c->held_off < g->len[buf])
        return;
    c->held_head = g->next[buf];
    c->held_off = 0;
    c->held_n--;
    bufs_unref(g, buf);
}

const uint8_t *recv_held(struct hs_reactor *r, const struct conn *c, size_t *n)
{
    struct buf_group *g = recv_group(r, c);

    if (c->held_n == 0) {
        *n = 0;
        return NULL;
    }
    *n = g->len[c->held_head] - c->held_off;
    return bufs_frame(g, c->held_head)->bytes + c->held_off;
}

void recv_drop_held(struct hs_reactor *r, struct conn *c)
{
    size_t n;

    while (recv_held(r, c, &n) != NULL)
        recv_used(r, c, n);
}
