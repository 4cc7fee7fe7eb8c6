/* pubsub.c - messages of pub/sub on their way to clients of ours and to peers.
 *
 * A client's PUBLISH goes through the core, which sends it to the other nodes,
 * and then as one copy to every reactor that has subscribers. The copy is a
 * borrowed piece of a chunk like any other entry; with its return a reactor
 * says how many clients it reached, and the last return answers the request.
 * So nothing is counted by two threads.
 *
 * Delivery is best effort, as everywhere on the bus, but in order: what one
 * link or one client sent arrives in the order it was sent.
 *
 * Bounds: a publish that finds no chunk waits in its request, and its client
 * with it, so publishers are slowed to what links and reactors take. A message
 * of a peer has nowhere to wait and is lost, counted.
 */
#include "owner_int.h"

#include <string.h>

/* The body of a PUBLISH frame: two lengths, channel, message. */
enum { LENGTHS = 8 };

static uint32_t body_len(const struct hs_publish *p)
{
    return LENGTHS + p->channel_len + p->message_len;
}

static void put_body(uint8_t *dst, const struct hs_publish *p)
{
    hs_put32(dst, p->channel_len);
    hs_put32(dst + 4, p->message_len);
    memcpy(dst + LENGTHS, p->channel, p->channel_len);
    memcpy(dst + LENGTHS + p->channel_len, p->message, p->message_len);
}

static bool anybody_listens(const struct hs_owner *o)
{
    for (uint32_t r = 0; r < o->ports_n; r++)
        if (hs_net_has_subscribers(o->net, r))
            return true;
    return false;
}

/* To all reactors with subscribers; req is NULL for a message of a peer. */
static void deliver(struct hs_owner *o, struct hs_chunk *chunk, const struct hs_publish *p,
                    bool sharded, struct hs_request *req)
{
    put_body(chunk->bytes + chunk->used, p);
    struct hs_out out = {
        .kind = HS_OUT_DELIVER,
        .chunk = chunk,
        .off = chunk->used,
        .len = body_len(p),
        .tag = req,
        .dial = sharded,
    };
    for (uint32_t r = 0; r < o->ports_n; r++) {
        if (!hs_net_has_subscribers(o->net, r))
            continue;
        if (!owner_port_push(&o->ports[r], &out)) {
            o->counters[HS_OWNER_PUBLISHES_LOST]++;
            continue;
        }
        chunk->refs++;
        if (req != NULL)
            req->waits++;
    }
    owner_chunks_filled(chunk, body_len(p));
}

void owner_delivered(struct hs_owner *o, struct hs_request *req, uint32_t n)
{
    HS_ASSERT(req->waits > 0);
    req->number += n;
    req->waits--;
    if (req->waits == 0)
        owner_answer(o, req);
}

/* False if there is no chunk for it now. */
static bool publish(struct hs_owner *o, struct hs_request *req)
{
    const struct hs_publish *p = req->cmd.publish;
    HS_ASSERT(p->channel_len + p->message_len <= HS_PUBLISH_MAX);
    uint32_t step = hs_core_bytes_need(o->core) + hs_core_publish_need(p);
    struct hs_chunk *chunk = owner_chunks_take_for_publish(&o->chunks, step + body_len(p));
    if (chunk == NULL)
        return false;

    struct hs_event ev = {.type = HS_EV_COMMAND, .cmd = &req->cmd};
    req->cmd.token = 0; /* answered when all reactors have told */
    req->err = HS_CMD_OK;
    req->number = 0;
    req->waits = 0;
    owner_step_into(o, chunk, &ev);
    if (anybody_listens(o))
        deliver(o, chunk, p, req->cmd.sharded, req);
    owner_chunks_unused(&o->chunks, chunk);
    if (req->waits == 0)
        owner_answer(o, req);
    return true;
}

void owner_publish(struct hs_owner *o, struct hs_request *req)
{
    if (o->publishes == NULL && publish(o, req))
        return;
    o->counters[HS_OWNER_PUBLISHES_HELD]++;
    req->next = NULL;
    *o->publishes_end = req;
    o->publishes_end = &req->next;
}

void owner_publishes_resume(struct hs_owner *o)
{
    while (o->publishes != NULL) {
        struct hs_request *req = o->publishes, *next = req->next;
        if (!publish(o, req))
            return;
        o->publishes = next;
    }
    o->publishes_end = &o->publishes;
}

void owner_publishes_abandon(struct hs_owner *o)
{
    while (o->publishes != NULL) {
        struct hs_request *req = o->publishes;
        o->publishes = req->next;
        owner_answer(o, req);
    }
    o->publishes_end = &o->publishes;
}

void owner_deliver_frame(struct hs_owner *o, const struct hs_view *v)
{
    struct hs_publish p;
    hs_wire_publish(v, &p);
    o->deliver = false;
    if (!anybody_listens(o))
        return;
    struct hs_chunk *chunk = owner_chunks_take_for_publish(&o->chunks, body_len(&p));
    if (chunk == NULL) {
        o->counters[HS_OWNER_PUBLISHES_LOST]++;
        return;
    }
    deliver(o, chunk, &p, o->deliver_sharded, NULL);
    owner_chunks_unused(&o->chunks, chunk);
}

void owner_tell_changed(struct hs_owner *o)
{
    /* One that finds no room is made up for by the next publication. */
    struct hs_out out = {.kind = HS_OUT_CHANGED};
    for (uint32_t r = 0; r < o->ports_n; r++)
        if (hs_net_has_subscribers(o->net, r))
            owner_port_push(&o->ports[r], &out);
}
