/* dispatch.c - what the core asked for becomes entries for reactors.
 *
 * Called right after each step, while the bytes of its actions are still at the
 * end of the current chunk. An entry that borrows bytes takes one reference.
 */
#include "owner_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct hs_conn_id conn_of(struct hs_link link)
{
    return (struct hs_conn_id){.ix = link.ix, .gen = link.gen};
}

static struct owner_port *port_of(struct hs_owner *o, struct hs_conn_id conn)
{
    uint32_t r = hs_net_reactor_of(o->net, conn);
    HS_ASSERT(r < o->ports_n);
    return &o->ports[r];
}

static bool was_closed(const struct hs_owner *o, struct hs_conn_id conn)
{
    return o->closed[conn.ix] == conn.gen + 1;
}

/* Once per use of a place: the port has room for exactly that. */
static void close_conn(struct hs_owner *o, struct hs_conn_id conn)
{
    if (was_closed(o, conn))
        return;
    o->closed[conn.ix] = conn.gen + 1;
    struct hs_out out = {.kind = HS_OUT_CLOSE, .conn = conn, .control = true};
    bool pushed = owner_port_push(port_of(o, conn), &out);
    HS_ASSERT(pushed);
}

struct part {
    struct hs_chunk *chunk;
    uint32_t off, len;
};

/* False: no room, and the link is closed if what it was sent matters. */
static bool send_part(struct hs_owner *o, const struct hs_action *a, struct part p, bool goes_on)
{
    struct hs_out out = {
        .kind = HS_OUT_SEND,
        .conn = conn_of(a->link),
        .chunk = p.chunk,
        .off = p.off,
        .len = p.len,
        .dial = goes_on,
        .control = a->control,
    };
    if (owner_port_push(port_of(o, out.conn), &out)) {
        p.chunk->refs++;
        return true;
    }
    if (a->control) {
        o->counters[HS_OWNER_OVERFLOWS]++;
        close_conn(o, out.conn);
    } else {
        o->counters[HS_OWNER_PUBLISHES_LOST]++;
    }
    return false;
}

static void send(struct hs_owner *o, struct hs_chunk *chunk, const struct hs_action *a)
{
    struct part whole = {.chunk = chunk, .off = chunk->used + a->off, .len = a->len};
    if (was_closed(o, conn_of(a->link)))
        return;
    if (a->lent_len == 0) {
        send_part(o, a, whole, false);
        return;
    }
    struct part head = {.chunk = chunk, .off = whole.off, .len = a->split};
    struct part lent = {.chunk = o->boards.current, .off = a->lent_off, .len = a->lent_len};
    struct part tail = {.chunk = chunk, .off = whole.off + a->split, .len = a->len - a->split};
    HS_ASSERT(a->control && a->split <= a->len);
    HS_ASSERT(lent.off + lent.len <= lent.chunk->used);
    bool ok = send_part(o, a, head, true) && send_part(o, a, lent, tail.len > 0);
    if (ok && tail.len > 0)
        send_part(o, a, tail, false);
}

static void dial(struct hs_owner *o, struct hs_chunk *chunk, const struct hs_action *a)
{
    const char *ip = (const char *)o->acts.bytes + a->off;
    HS_ASSERT(a->len > 0 && a->len <= HS_IP_LEN);
    HS_ASSERT(memchr(ip, 0, a->len) != NULL);

    struct hs_out out = {
        .kind = HS_OUT_DIAL,
        .chunk = chunk,
        .off = chunk->used + a->off,
        .len = a->len,
        .dial = a->dial.node | (uint32_t)a->dial.gen << 16,
        .port = a->port,
    };
    uint32_t r = hs_net_reactor_for(o->net, ip);
    HS_ASSERT(r < o->ports_n);
    if (owner_port_push(&o->ports[r], &out)) {
        chunk->refs++;
        return;
    }
    o->counters[HS_OWNER_REFUSALS]++;
    HS_ASSERT(o->undialed_n < o->undialed_max);
    o->undialed[o->undialed_n++] = a->dial;
}

static void save(struct hs_owner *o, const struct hs_action *a)
{
    HS_ASSERT(a->seq >= o->save_seq);
    o->save_seq = a->seq;
    o->save_sync = o->save_sync || a->sync;
    o->save_pending = true;
}

static void reply(struct hs_owner *o, const struct hs_action *a)
{
    /* Commands of the owner's own have no request behind them. */
    if (a->token == 0)
        return;
    struct hs_request *req = (struct hs_request *)(uintptr_t)a->token;
    req->err = a->err;
    req->number = a->number;
    owner_answer(o, req);
}

static void act(struct hs_owner *o, struct hs_chunk *chunk, const struct hs_action *a)
{
    switch ((enum hs_action_type)a->type) {
    case HS_ACT_CONNECT:
        dial(o, chunk, a);
        break;
    case HS_ACT_CLOSE:
        close_conn(o, conn_of(a->link));
        break;
    case HS_ACT_SEND:
        send(o, chunk, a);
        break;
    case HS_ACT_SAVE:
        save(o, a);
        break;
    case HS_ACT_REPLY:
        reply(o, a);
        break;
    case HS_ACT_DELIVER:
        o->deliver = true;
        o->deliver_sharded = a->sharded;
        break;
    case HS_ACT_NOTE:
        owner_note(o, a);
        break;
    }
}

void owner_dispatch(struct hs_owner *o, struct hs_chunk *chunk)
{
    for (uint32_t i = 0; i < o->acts.n; i++)
        act(o, chunk, &o->acts.v[i]);
}

/* A connection between two addresses of one host stays on that host. */
static bool is_welcome(const struct hs_owner *o, const struct hs_conn_up *up)
{
    return strcmp(up->peer_ip, up->local_ip) == 0 || hs_conf_bus_allows(&o->conf, up->peer_ip);
}

/* The line has all it takes to let the peer in, should it be one of ours. */
static void deny(struct hs_owner *o, const struct hs_conn_up *up)
{
    char now[HS_RANGES_MAX * HS_RANGE_LEN], more[48] = "";
    uint32_t dropped;
    o->counters[HS_OWNER_BUS_DENIED]++;
    if (!owner_bucket_take(&o->denied, o->now.mono.ms, &dropped)) {
        o->counters[HS_OWNER_NOTES_DROPPED]++;
        return;
    }
    hs_conf_get(&o->conf, hs_conf_find("bus-allow", strlen("bus-allow")), now, sizeof(now));
    if (dropped > 0)
        snprintf(more, sizeof(more), " [%" PRIu32 " more were not logged]", dropped);
    hs_log_with(
        HS_LOG_WARNING, &(struct hs_log_field){"peer", up->peer_ip}, 1,
        "Refused a cluster bus connection from %s: bus-allow is '%.300s', which does not name "
        "it. If it is a node of this cluster: CONFIG SET bus-allow \"%.300s%s%s/%s\", the same "
        "in the configuration file, or its network instead; or 'tls-cluster yes'.%s",
        up->peer_ip, now, o->conf.bus_allow.automatic ? "private" : now, now[0] == '\0' ? "" : " ",
        up->peer_ip, strchr(up->peer_ip, ':') ? "128" : "32", more);
}

void owner_adopt(struct hs_owner *o, const struct hs_in *in)
{
    uint32_t r = 0;
    if (in->dial == HS_LISTEN_BUS && in->up != NULL && !is_welcome(o, in->up)) {
        deny(o, in->up);
        hs_free(in->up);
        close(in->number);
        return;
    }
    if (in->dial == HS_LISTEN_BUS && in->up != NULL)
        r = hs_net_reactor_for(o->net, in->up->peer_ip);
    else
        r = o->adopt_next++ % o->ports_n;
    hs_free(in->up);

    struct hs_out out = {.kind = HS_OUT_ADOPT, .len = (uint32_t)in->number, .dial = in->dial};
    if (owner_port_push(&o->ports[r], &out))
        return;
    o->counters[HS_OWNER_REFUSALS]++;
    close(in->number);
}
