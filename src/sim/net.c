/* net.c - connections as TCP gives them: in order, and not for ever.
 *
 * A connection is a pair of ends. Each direction has a moment before which
 * nothing more can arrive, which is all that order needs. A direction that is
 * blocked holds its frames back, as a sender's kernel would, and they arrive
 * when the path is whole again; a new connection needs both directions.
 */
#include "sim_int.h"

enum {
    REFUSED_US = 150,      /* the news that a connection is gone takes a way, too */
    RETRY_US = 200000,     /* a kernel tries a stalled direction again about as often */
    DIAL_US_MAX = 2000000, /* an attempt nobody answers is given up */
};

/* ---- ends ---- */

void net_init_node(struct hs_sim *s, uint32_t i)
{
    struct node *n = &s->nodes[i];

    if (n->ends == NULL) {
        n->ends = hs_alloc((size_t)s->core_opts.links_max * sizeof(*n->ends));
        HS_ASSERT(n->ends != NULL);
        n->free_end = HS_NIL;
    }
}

struct end *net_end(struct hs_sim *s, uint32_t i, struct hs_link l)
{
    struct end *e = l.ix < s->nodes[i].ends_hi ? &s->nodes[i].ends[l.ix] : NULL;

    return e != NULL && e->used && e->gen == l.gen ? e : NULL;
}

/* A place for a connection to `peer`; false if the node has as many as it may. */
static bool take_end(struct hs_sim *s, uint32_t i, uint32_t peer, struct hs_link *l)
{
    struct node *n = &s->nodes[i];
    uint32_t ix = n->free_end;

    if (ix != HS_NIL) {
        n->free_end = n->ends[ix].far.ix;
    } else if (n->ends_hi < s->core_opts.links_max) {
        ix = n->ends_hi++;
    } else {
        return false;
    }
    struct end *e = &n->ends[ix];
    *e = (struct end){
        .gen = e->gen + 1, .used = true, .peer = (uint16_t)peer, .peer_life = s->nodes[peer].life};
    *l = (struct hs_link){ix, e->gen};
    return true;
}

static void drop_stalled(struct hs_sim *s, struct end *e)
{
    uint32_t ev = e->stalled_last;

    for (; e->stalled_n > 0; e->stalled_n--) {
        uint32_t next = event_at(s, ev)->next;
        event_drop(s, ev);
        ev = next;
    }
}

void net_free_end(struct hs_sim *s, uint32_t i, struct hs_link l)
{
    struct end *e = net_end(s, i, l);

    HS_ASSERT(e != NULL);
    drop_stalled(s, e);
    e->used = false;
    e->far.ix = s->nodes[i].free_end;
    s->nodes[i].free_end = l.ix;
}

/* Behind those that wait already. The last one names the first. */
static void stall(struct hs_sim *s, struct end *e, uint32_t ev)
{
    struct event *last = event_at(s, e->stalled_n == 0 ? ev : e->stalled_last);
    uint32_t first = e->stalled_n == 0 ? ev : last->next;

    last->next = ev;
    event_at(s, ev)->next = first;
    e->stalled_last = ev;
    e->stalled_n++;
}

/* Posts an event to the far end, in order, or holds it while the way is blocked. */
static void post_over(struct hs_sim *s, uint32_t i, struct end *e, uint32_t ev)
{
    struct event *what = event_at(s, ev);
    int64_t at = s->now + net_delay(s, i, e->peer), rate = 0;

    if (e->stalled_n > 0 || net_blocked(s, i, e->peer)) {
        stall(s, e, ev);
        return;
    }
    at = at > e->free_at ? at : e->free_at;
    if (s->rules_n > 0 && (rate = net_amount(s, RULE_CLOG, i, e->peer)) > 0 &&
        what->frame != NULL) {
        at += (int64_t)what->frame->len * MS / rate;
    }
    e->free_at = at;
    event_push(s, ev, at);
}

/* Directions that were blocked and are not any more. */
void net_release(struct hs_sim *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        for (uint32_t k = 0; k < s->nodes[i].ends_hi; k++) {
            struct end *e = &s->nodes[i].ends[k];
            if (!e->used || e->stalled_n == 0 || net_blocked(s, i, e->peer)) {
                continue;
            }
            uint32_t ev = event_at(s, e->stalled_last)->next;
            int64_t retry = s->now + (int64_t)hs_prng_below(&s->prng, RETRY_US);
            e->free_at = retry > e->free_at ? retry : e->free_at;
            event_at(s, e->stalled_last)->next = HS_NIL;
            e->stalled_n = 0;
            while (ev != HS_NIL) {
                uint32_t next = event_at(s, ev)->next;
                event_at(s, ev)->next = HS_NIL;
                post_over(s, i, e, ev);
                ev = next;
            }
        }
    }
}

/* Tells node i that its own end is gone, after it heard that it was there. */
static void post_down(struct hs_sim *s, uint32_t i, struct hs_link l, int64_t at)
{
    uint32_t ev = event_take(s, EV_DOWN, i);
    int64_t up_at = net_end(s, i, l)->up_at;

    event_at(s, ev)->link = l;
    event_push(s, ev, at > up_at ? at : up_at);
}

/* Is there still somebody at the other end who knows this connection? */
static bool far_exists(struct hs_sim *s, const struct end *e)
{
    return s->nodes[e->peer].running && s->nodes[e->peer].life == e->peer_life &&
           net_end(s, e->peer, e->far) != NULL;
}

/* Gives up one end. The other one hears of it if it can. */
void net_close(struct hs_sim *s, uint32_t i, struct hs_link l, bool silently)
{
    struct end *e = net_end(s, i, l);

    if (e == NULL) {
        return;
    }
    drop_stalled(s, e);
    if (!silently && far_exists(s, e) && !net_blocked(s, i, e->peer)) {
        uint32_t ev = event_take(s, EV_DOWN, e->peer);
        event_at(s, ev)->link = e->far;
        post_over(s, i, e, ev);
    }
    net_free_end(s, i, l);
}

void net_drop_all(struct hs_sim *s, uint32_t i, bool silently)
{
    for (uint32_t k = 0; k < s->nodes[i].ends_hi; k++) {
        if (s->nodes[i].ends[k].used) {
            net_close(s, i, (struct hs_link){k, s->nodes[i].ends[k].gen}, silently);
        }
    }
}

/* The path broke this connection: both ends hear of it. */
static void break_link(struct hs_sim *s, uint32_t i, struct hs_link l)
{
    struct end *e = net_end(s, i, l);

    if (far_exists(s, e)) {
        struct end *far = net_end(s, e->peer, e->far);
        int64_t at = s->now + REFUSED_US;
        if (!far->reset) {
            far->reset = true;
            post_down(s, e->peer, e->far, at > e->free_at ? at : e->free_at);
        }
    }
    if (!e->reset) {
        e->reset = true;
        post_down(s, i, l, s->now + REFUSED_US);
    }
}

/* Every connection of a node breaks. */
void net_break_all(struct hs_sim *s, uint32_t i)
{
    for (uint32_t k = 0; k < s->nodes[i].ends_hi; k++) {
        if (s->nodes[i].ends[k].used) {
            break_link(s, i, (struct hs_link){k, s->nodes[i].ends[k].gen});
        }
    }
}

/* Takes the caller's reference of the frame. */
void net_send(struct hs_sim *s, uint32_t i, struct hs_link l, struct frame *f)
{
    struct end *e = net_end(s, i, l);
    uint32_t ev;

    if (e == NULL || e->reset) {
        frame_drop(s, f); /* it will hear that the connection is gone */
        return;
    }
    if (!far_exists(s, e)) {
        if (!net_blocked(s, i, e->peer) && !net_blocked(s, e->peer, i)) {
            e->reset = true;
            post_down(s, i, l, s->now + 2 * REFUSED_US);
        }
        frame_drop(s, f);
        return;
    }
    if (e->stalled_n == STALLED_MAX ||
        (s->rules_n > 0 &&
         hs_prng_below(&s->prng, 1000000) < (uint32_t)net_amount(s, RULE_FLAKY, i, e->peer))) {
        frame_drop(s, f);
        break_link(s, i, l);
        return;
    }
    ev = event_take(s, EV_FRAME, e->peer);
    event_at(s, ev)->link = e->far;
    event_at(s, ev)->frame = f;
    event_at(s, ev)->number = i;
    post_over(s, i, e, ev);
}

/* ---- connecting ---- */

static void post_dial_failed(struct hs_sim *s, uint32_t i, struct hs_dial d, int64_t at)
{
    uint32_t ev = event_take(s, EV_DIAL_FAILED, i);

    event_at(s, ev)->dial = d;
    event_push(s, ev, at);
}

void net_connect(struct hs_sim *s, uint32_t i, const struct hs_action *a)
{
    uint32_t addr = addr_of_text((const char *)s->acts.bytes + a->off);
    uint32_t to = addr < s->addrs_n && a->port == BUS_PORT ? s->addr_node[addr] : HS_NIL;
    int64_t given_up = (int64_t)s->opts.node_timeout_ms * MS;
    uint32_t ev;

    given_up = s->now + (given_up > DIAL_US_MAX ? DIAL_US_MAX : given_up);
    if (to == HS_NIL || net_blocked(s, i, to) || net_blocked(s, to, i)) {
        post_dial_failed(s, i, a->dial, given_up);
        return;
    }
    ev = event_take(s, EV_SYN, i);
    *event_at(s, ev) = (struct event){.type = EV_SYN,
                                      .node = i,
                                      .life = s->nodes[i].life,
                                      .dial = a->dial,
                                      .peer_addr = addr,
                                      .number = to,
                                      .next = HS_NIL};
    event_push(s, ev, s->now + net_delay(s, i, to));
}

static void post_up(struct hs_sim *s, uint32_t i, struct hs_link l, const struct event *syn,
                    bool outbound, int64_t at)
{
    uint32_t ev = event_take(s, EV_UP, i);
    struct event *e = event_at(s, ev);
    uint32_t dialer = s->nodes[syn->node].addr;

    e->link = l;
    e->dial = syn->dial;
    e->outbound = outbound;
    e->local_addr = outbound ? dialer : syn->peer_addr;
    e->peer_addr = outbound ? syn->peer_addr : dialer;
    event_push(s, ev, at);
}

/* An attempt reaches its address: kernels accept even while a process stands
 * still; without one they refuse. */
void net_syn(struct hs_sim *s, const struct event *syn_in)
{
    struct event syn = *syn_in;
    uint32_t i = syn.node, j = s->addr_node[syn.peer_addr];
    struct hs_link mine, theirs;
    int64_t back = s->now + net_delay(s, (uint32_t)syn.number, i);

    if (j == HS_NIL || !s->nodes[j].running || j == i) {
        post_dial_failed(s, i, syn.dial, back);
        return;
    }
    if (!take_end(s, i, j, &mine)) {
        post_dial_failed(s, i, syn.dial, back);
        return;
    }
    if (!take_end(s, j, i, &theirs)) {
        net_free_end(s, i, mine);
        post_dial_failed(s, i, syn.dial, back);
        return;
    }
    struct end *from_me = net_end(s, i, mine), *from_them = net_end(s, j, theirs);
    from_me->far = theirs;
    from_them->far = mine;
    from_me->free_at = from_them->up_at = s->now;
    from_them->free_at = from_me->up_at = back;
    post_up(s, j, theirs, &syn, false, s->now);
    post_up(s, i, mine, &syn, true, back);
}
