/* world.c - a node: the shipped core, its clocks, and what the daemon's owner
 * does around it.
 *
 * An event becomes one hs_core_step(); the actions become events of others.
 * Nothing else moves a node.
 */
#include "sim_int.h"

/* ---- clocks ---- */

static int64_t mono_us(const struct hs_sim *s, uint32_t i)
{
    const struct node *n = &s->nodes[i];

    return n->clock_mono_us + (s->now - n->clock_at) * (1000000 + n->clock_ppm) / 1000000;
}

struct hs_now world_now(const struct hs_sim *s, uint32_t i)
{
    return (struct hs_now){.mono = {mono_us(s, i) / MS},
                           .wall = {WALL_MS + s->now / MS + s->nodes[i].skew_ms}};
}

/* From now on the clock runs that much faster. It never goes back. */
void world_clock(struct hs_sim *s, uint32_t i, int64_t ppm)
{
    s->nodes[i].clock_mono_us = mono_us(s, i);
    s->nodes[i].clock_at = s->now;
    s->nodes[i].clock_ppm = ppm;
}

/* When that node's clock will show that moment, or now if it did already. */
static int64_t when(const struct hs_sim *s, uint32_t i, hs_mono at)
{
    const struct node *n = &s->nodes[i];
    int64_t left_us = at.ms * MS - mono_us(s, i);

    if (left_us <= 0) {
        return s->now;
    }
    return s->now + left_us * 1000000 / (1000000 + n->clock_ppm) + 2; /* rounding, both ways */
}

/* ---- ticks ---- */

/* Asks for the core's next tick. A moment that is asked for already, or an
 * earlier one, will do: the core is asked again then. */
static void schedule_tick(struct hs_sim *s, uint32_t i)
{
    struct node *n = &s->nodes[i];
    int64_t at = when(s, i, hs_core_next_tick(n->core));
    uint32_t ev;

    if (at >= n->tick_at) {
        return;
    }
    n->tick_at = at;
    ev = event_take(s, EV_TICK, i);
    event_at(s, ev)->number = ++n->tick_seq;
    event_push(s, ev, at);
}

void world_tick(struct hs_sim *s, uint32_t i)
{
    struct node *n = &s->nodes[i];

    n->tick_at = NEVER;
    if (hs_core_next_tick(n->core).ms <= world_now(s, i).mono.ms) {
        world_step(s, i, &(struct hs_event){.type = HS_EV_TICK});
    } else {
        schedule_tick(s, i);
    }
}

/* ---- starting and stopping ---- */

void world_start(struct hs_sim *s, uint32_t i, const struct hs_topo *boot)
{
    struct node *n = &s->nodes[i];
    struct hs_core_opts o = s->core_opts;

    o.seed = hs_prng_next(&s->prng);
    net_init_node(s, i);
    n->mem = hs_alloc(hs_core_size(&o));
    HS_ASSERT(n->mem != NULL);
    n->core = hs_core_init(n->mem, &o, &s->conf, boot, world_now(s, i));
    n->running = true;
    n->unplugged = false;
    n->ok = false;
    n->paused_until = 0;
    n->life++;
    n->tick_at = NEVER;
    checks_started(s, i, boot);
    schedule_tick(s, i);
}

static void random_id(struct hs_sim *s, char hex[HS_ID_LEN])
{
    for (int k = 0; k < HS_ID_LEN; k++) {
        hex[k] = "0123456789abcdef"[hs_prng_below(&s->prng, 16)];
    }
}

/* A node nobody ever heard of. */
void world_fresh(struct hs_sim *s, uint32_t i)
{
    struct node *n = &s->nodes[i];
    struct hs_topo *boot = hs_topo_create(1, 0, 1);

    HS_ASSERT(boot != NULL);
    boot->nodes_n = 1;
    random_id(s, boot->nodes[0].id.hex);
    random_id(s, boot->nodes[0].shard_id);
    boot->nodes[0].flags = HS_NODE_MYSELF | HS_NODE_MASTER;
    boot->nodes[0].master = HS_TOPO_NONE;
    n->id = boot->nodes[0].id;
    ids_add(s, &n->id, i);
    n->addr = addr_new(s, i);
    n->clock_mono_us = SECOND + (int64_t)hs_prng_below(&s->prng, 100000000);
    n->clock_at = s->now;
    world_start(s, i, boot);
    hs_topo_destroy(boot);
}

/* The process dies, or the whole machine: then nobody is told. */
void world_stop(struct hs_sim *s, uint32_t i, bool power)
{
    struct node *n = &s->nodes[i];

    if (n->running) {
        disk_crash(s, i, power);
        n->unplugged = power;
        net_drop_all(s, i, power);
        hs_free(n->mem);
        n->mem = NULL;
        n->core = NULL;
        n->running = false;
        n->life++;
        faults_sick(s, i, 1);
    }
}

void world_restart(struct hs_sim *s, uint32_t i)
{
    struct node *n = &s->nodes[i];
    struct hs_topo *boot;

    if (n->running) {
        world_stop(s, i, false);
    }
    if (n->disk.written == NULL) {
        violation(s, i, "a node that ran has nothing on its disk");
        return;
    }
    boot = disk_unpack(&s->known, n->disk.written->packed);
    world_start(s, i, boot);
    checks_restored(s, i, boot);
    hs_topo_destroy(boot);
    faults_sick(s, i, -1);
}

/* ---- the step ---- */

/* Broadcasts name the same bytes many times: they become one frame. */
static struct frame *frame_of(struct hs_sim *s, const struct hs_action *a, struct frame *last,
                              uint32_t last_off)
{
    struct frame *f;

    if (last != NULL && last_off == a->off && last->len == a->len) {
        last->refs++;
        return last;
    }
    f = frame_take(s, a->len);
    memcpy(f->bytes, s->acts.bytes + a->off, a->len);
    return f;
}

static void act_send(struct hs_sim *s, uint32_t i, const struct hs_action *a, struct frame *f)
{
    const struct end *e = net_end(s, i, a->link);
    uint16_t type = (uint16_t)(hs_get16(f->bytes + HS_OFF_TYPE) & 0x7fff);

    s->r.messages++;
    s->r.bytes += a->len;
    if (type < HS_MSG_TYPES) {
        s->r.sent[type]++;
    }
    if (e != NULL) {
        checks_sent(s, i, f->bytes, e->peer);
    }
    net_send(s, i, a->link, f);
}

static void act_note(struct hs_sim *s, uint32_t i, const struct hs_action *a)
{
    trace_note(s, i, a);
    stats_note(s, i, a);
    checks_note(s, i, a);
}

static void forget_frame(struct hs_sim *s, struct frame *f)
{
    if (f != NULL) {
        frame_drop(s, f);
    }
}

static void act_all(struct hs_sim *s, uint32_t i)
{
    struct frame *last = NULL;
    uint32_t last_off = 0;

    for (uint32_t k = 0; k < s->acts.n; k++) {
        const struct hs_action *a = &s->acts.v[k];
        switch ((enum hs_action_type)a->type) {
        case HS_ACT_CONNECT:
            net_connect(s, i, a);
            break;
        case HS_ACT_CLOSE:
            net_close(s, i, a->link, false);
            break;
        case HS_ACT_SEND: {
            struct frame *f = frame_of(s, a, last, last_off);
            f->refs++; /* kept here, in case the next action has the same bytes */
            act_send(s, i, a, f);
            forget_frame(s, last);
            last = f;
            last_off = a->off;
            break;
        }
        case HS_ACT_SAVE:
            disk_save(s, i, a->seq, a->sync);
            break;
        case HS_ACT_REPLY:
            s->nodes[i].last_err = a->err;
            s->nodes[i].last_number = a->number;
            break;
        case HS_ACT_NOTE:
            act_note(s, i, a);
            break;
        case HS_ACT_DELIVER:
            break;
        }
    }
    if (last != NULL) {
        frame_drop(s, last);
    }
}

void world_step(struct hs_sim *s, uint32_t i, const struct hs_event *ev)
{
    struct node *n = &s->nodes[i];
    uint32_t from = HS_NIL;

    if (ev->type == HS_EV_RECV) {
        from = net_end(s, i, ev->link)->peer;
    }
    checks_before(s, i, ev);
    s->r.steps++;
    hs_core_step(n->core, ev, world_now(s, i), &s->acts);
    if (s->r.steps % s->opts.check_every == 0) {
        hs_core_check(n->core);
    }
    checks_after(s, i, ev, from);
    act_all(s, i);
    schedule_tick(s, i);
}

enum hs_cmd_err world_command(struct hs_sim *s, uint32_t i, struct hs_cmd *cmd)
{
    cmd->token = 1;
    s->nodes[i].last_err = HS_CMD_OK;
    world_step(s, i, &(struct hs_event){.type = HS_EV_COMMAND, .cmd = cmd});
    return (enum hs_cmd_err)s->nodes[i].last_err;
}

/* ---- delivery ---- */

static void deliver_frame(struct hs_sim *s, const struct event *e)
{
    struct hs_view v;
    enum hs_wire_err err;

    if (net_end(s, e->node, e->link) == NULL) {
        return;
    }
    err = hs_wire_check(e->frame->bytes, e->frame->len, &v);
    if (err != HS_WIRE_OK) {
        violation(s, (uint32_t)e->number, "sent a frame that is not well-formed: %s",
                  hs_wire_err_str(err));
        return;
    }
    trace_event(s, e, &v);
    checks_claim(s, (uint32_t)e->number, &v);
    world_step(s, e->node, &(struct hs_event){.type = HS_EV_RECV, .link = e->link, .msg = &v});
}

static void deliver_up(struct hs_sim *s, const struct event *e)
{
    struct hs_link_up up = {.outbound = e->outbound, .dial = e->dial};

    if (net_end(s, e->node, e->link) == NULL) {
        return;
    }
    addr_text(e->peer_addr, up.peer_ip);
    addr_text(e->local_addr, up.local_ip);
    trace_event(s, e, NULL);
    world_step(s, e->node, &(struct hs_event){.type = HS_EV_LINK_UP, .link = e->link, .up = &up});
}

static void deliver_down(struct hs_sim *s, const struct event *e)
{
    if (net_end(s, e->node, e->link) == NULL) {
        return;
    }
    trace_event(s, e, NULL);
    net_free_end(s, e->node, e->link);
    world_step(s, e->node, &(struct hs_event){.type = HS_EV_LINK_DOWN, .link = e->link});
}

static void deliver_saved(struct hs_sim *s, const struct event *e)
{
    const struct snap *k = s->nodes[e->node].disk.writing;

    if (k == NULL || k->seq != e->number) {
        return;
    }
    trace_event(s, e, NULL);
    disk_done(s, e->node);
    world_step(s, e->node, &(struct hs_event){.type = HS_EV_SAVED, .saved_seq = e->number});
}

/* Hands a node's event to it, unless it stands still or is another by now. */
void world_deliver(struct hs_sim *s, struct heap_entry entry)
{
    struct event e = *event_at(s, entry.ev);
    struct node *n = &s->nodes[e.node];

    if (!n->running || n->life != e.life || (e.type == EV_TICK && e.number != n->tick_seq)) {
        event_drop(s, entry.ev);
        return;
    }
    if (n->paused_until > s->now && e.type != EV_SYN) {
        event_push_again(s, entry, n->paused_until);
        return;
    }
    s->r.events++;
    switch ((enum event_type)e.type) {
    case EV_TICK:
        world_tick(s, e.node);
        break;
    case EV_FRAME:
        deliver_frame(s, &e);
        break;
    case EV_UP:
        deliver_up(s, &e);
        break;
    case EV_DOWN:
        deliver_down(s, &e);
        break;
    case EV_DIAL_FAILED:
        trace_event(s, &e, NULL);
        world_step(s, e.node, &(struct hs_event){.type = HS_EV_DIAL_FAILED, .dial = e.dial});
        break;
    case EV_SAVED:
        deliver_saved(s, &e);
        break;
    case EV_SYN:
        net_syn(s, &e);
        break;
    default:
        HS_ASSERT(false);
    }
    event_drop(s, entry.ev);
}
