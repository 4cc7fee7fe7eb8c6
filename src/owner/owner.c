/* owner.c - creation and the loop.
 *
 * One turn is one batch: clocks are sampled once, every reactor's ring is
 * drained up to a bound, each event goes through the core and its actions are
 * dispatched at once. Then what waits for the whole batch: saves, publication,
 * answers, wake-ups. A turn that finds nothing sleeps until the core's next
 * tick or somebody's post.
 */
#include "owner_int.h"

#include <string.h>
#include <time.h>

static const char *const counter_names[HS_OWNER_COUNTERS] = {
    [HS_OWNER_BATCHES] = "batches",
    [HS_OWNER_STEPS] = "steps",
    [HS_OWNER_STEP_NS_MAX] = "step_ns_max",
    [HS_OWNER_IN_DEPTH_MAX] = "in_depth_max",
    [HS_OWNER_CHUNK_WAITS] = "chunk_waits",
    [HS_OWNER_OVERFLOWS] = "overflows",
    [HS_OWNER_REFUSALS] = "refusals",
    [HS_OWNER_BUS_DENIED] = "bus_denied",
    [HS_OWNER_PUBLICATIONS] = "publications",
    [HS_OWNER_PUBLISH_NS_MAX] = "publish_ns_max",
    [HS_OWNER_NO_MEMORY] = "no_memory",
    [HS_OWNER_NOTES_DROPPED] = "notes_dropped",
    [HS_OWNER_BOARDS_BUSY] = "boards_busy",
    [HS_OWNER_PUBLISHES_HELD] = "publishes_held",
    [HS_OWNER_PUBLISHES_LOST] = "publishes_lost",
};

const char *hs_owner_counter_name(uint32_t i)
{
    HS_ASSERT(i < HS_OWNER_COUNTERS);
    return counter_names[i];
}

static void sample_clocks(struct hs_owner *o)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    o->now_ns = hs_clock_ns();
    o->now.mono.ms = o->now_ns / OWNER_NS_PER_MS;
    o->now.wall.ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / OWNER_NS_PER_MS;
}

/* ---- life ---- */

static bool create_core(struct hs_owner *o, const struct hs_owner_conf *conf)
{
    struct hs_core_conf core_conf;
    hs_owner_core_conf(&conf->conf, &core_conf);
    void *mem = hs_alloc(hs_core_size(&conf->core));
    if (mem == NULL)
        return false;
    o->core = hs_core_init(mem, &conf->core, &core_conf, conf->boot, o->now);
    HS_ASSERT((void *)o->core == mem);
    return true;
}

static bool create_tables(struct hs_owner *o, const struct hs_owner_conf *conf)
{
    o->acts.max = hs_core_actions_max(&conf->core);
    o->acts.v = hs_alloc(o->acts.max * sizeof(o->acts.v[0]));
    /* The dials of one step, and as many again should a failed one lead to another. */
    o->undialed_max = o->acts.max * 2;
    o->undialed = hs_alloc(o->undialed_max * sizeof(o->undialed[0]));
    o->closed = hs_alloc(conf->core.links_max * sizeof(o->closed[0]));
    o->ports = hs_alloc(conf->reactors * sizeof(o->ports[0]));
    if (o->acts.v == NULL || o->undialed == NULL || o->closed == NULL || o->ports == NULL)
        return false;
    for (uint32_t r = 0; r < conf->reactors; r++) {
        struct owner_port *p = &o->ports[r];
        owner_port_init(p, hs_net_port(conf->net, r), conf->core.links_max / conf->reactors);
        o->ports_n++;
        if (p->queue == NULL)
            return false;
    }
    return true;
}

struct hs_owner *hs_owner_create(const struct hs_owner_conf *conf)
{
    HS_ASSERT(conf->reactors > 0 && conf->reactors <= HS_REACTORS_MAX);
    HS_ASSERT(conf->core.links_max % conf->reactors == 0);
    HS_ASSERT(conf->shutdown != NULL);

    struct hs_owner *o = hs_alloc(sizeof(*o));
    if (o == NULL)
        return NULL;
    o->net = conf->net;
    o->tls = conf->tls;
    o->store = conf->store;
    o->snapshot = conf->snapshot;
    o->wake = conf->wake;
    o->published = conf->published;
    o->shutdown = conf->shutdown;
    o->shutdown_ctx = conf->shutdown_ctx;
    o->conf = conf->conf;
    o->answers_end = &o->answers;
    o->publishes_end = &o->publishes;
    sample_clocks(o);
    o->started_ms = o->now.wall.ms;
    owner_boards_init(&o->boards, hs_core_board_max(&conf->core));
    if (!owner_chunks_init(&o->chunks, hs_core_bytes_max(&conf->core)) || !create_tables(o, conf) ||
        !create_core(o, conf)) {
        hs_owner_destroy(o);
        return NULL;
    }
    o->burst.version = hs_core_version(o->core);
    hs_store_notify(o->store, o->wake);
    /* A fresh id is on disk before anybody hears of it, and a disk that refuses
     * is known at once. */
    bool ok = owner_save_first(o);
    /* Readers always find something: reactors start after this. */
    owner_publish_if_due(o);
    if (!ok || o->seen == NULL) {
        hs_owner_destroy(o);
        return NULL;
    }
    return o;
}

void hs_owner_destroy(struct hs_owner *o)
{
    if (o == NULL)
        return;
    for (uint32_t r = 0; r < o->ports_n; r++)
        owner_port_fini(&o->ports[r]);
    owner_boards_fini(&o->boards);
    owner_chunks_fini(&o->chunks);
    hs_free(o->ports);
    hs_free(o->closed);
    hs_free(o->undialed);
    hs_free(o->acts.v);
    hs_free(o->core);
    hs_free(o);
}

/* ---- one event ---- */

/* The chunk for the next step. */
static struct hs_chunk *take_chunk(struct hs_owner *o)
{
    return owner_chunks_take(&o->chunks, hs_core_bytes_need(o->core));
}

void owner_step(struct hs_owner *o, const struct hs_event *ev)
{
    struct hs_chunk *chunk = take_chunk(o);
    HS_ASSERT(chunk != NULL);
    owner_step_into(o, chunk, ev);
}

void owner_step_into(struct hs_owner *o, struct hs_chunk *chunk, const struct hs_event *ev)
{
    o->acts.bytes = chunk->bytes + chunk->used;
    o->acts.bytes_max = chunk->size - chunk->used;
    int64_t from = hs_clock_ns();
    hs_core_step(o->core, ev, o->now, &o->acts);
    owner_dispatch(o, chunk);
    owner_chunks_filled(chunk, o->acts.bytes_n);

    uint64_t ns = (uint64_t)(hs_clock_ns() - from);
    o->counters[HS_OWNER_STEPS]++;
    hs_histogram_add(&o->histograms[HS_OWNER_STEP_NS], ns);
    if (ns > o->counters[HS_OWNER_STEP_NS_MAX])
        o->counters[HS_OWNER_STEP_NS_MAX] = ns;
}

/* True if one step can be taken. Dials that found no room fail first: the core
 * is to know before it hears anything else. */
static bool is_ready(struct hs_owner *o)
{
    bool room = take_chunk(o) != NULL;
    while (room && o->undialed_n > 0) {
        o->undialed_n--;
        struct hs_event ev = {.type = HS_EV_DIAL_FAILED, .dial = o->undialed[o->undialed_n]};
        owner_step(o, &ev);
        room = take_chunk(o) != NULL;
    }
    if (!room && !o->starved)
        o->counters[HS_OWNER_CHUNK_WAITS]++;
    o->starved = !room;
    return room;
}

static void take_up(struct hs_owner *o, const struct hs_in *in)
{
    struct hs_link_up up = {
        .outbound = in->up->outbound,
        .dial = {.node = (uint16_t)in->up->dial, .gen = (uint16_t)(in->up->dial >> 16)},
    };
    memcpy(up.peer_ip, in->up->peer_ip, sizeof(up.peer_ip));
    memcpy(up.local_ip, in->up->local_ip, sizeof(up.local_ip));
    hs_free(in->up);
    struct hs_event ev = {
        .type = HS_EV_LINK_UP,
        .link = {.ix = in->conn.ix, .gen = in->conn.gen},
        .dial = up.dial,
        .up = &up,
    };
    owner_step(o, &ev);
}

void owner_give_back_frame(struct owner_port *p, struct hs_frame *frame)
{
    /* The ring back has a slot for every frame the reactor can have out. */
    struct hs_frame_ref ref = {.frame = frame};
    bool pushed = hs_frame_ring_push(p->ends.frames, &ref);
    HS_ASSERT(pushed);
    p->dirty = true;
}

static void take_frame(struct hs_owner *o, struct owner_port *p, const struct hs_in *in)
{
    struct hs_event ev = {
        .type = HS_EV_RECV,
        .link = {.ix = in->conn.ix, .gen = in->conn.gen},
        .msg = &in->view,
    };
    owner_step(o, &ev);
    if (o->deliver)
        owner_deliver_frame(o, &in->view);
    owner_give_back_frame(p, in->frame);
}

static void take(struct hs_owner *o, struct owner_port *p, const struct hs_in *in)
{
    struct hs_event ev = {.link = {.ix = in->conn.ix, .gen = in->conn.gen}};
    switch ((enum hs_in_kind)in->kind) {
    case HS_IN_FRAME:
        take_frame(o, p, in);
        break;
    case HS_IN_UP:
        take_up(o, in);
        break;
    case HS_IN_DOWN:
        ev.type = HS_EV_LINK_DOWN;
        owner_step(o, &ev);
        break;
    case HS_IN_DIAL_FAILED:
        ev.type = HS_EV_DIAL_FAILED;
        ev.dial = (struct hs_dial){.node = (uint16_t)in->dial, .gen = (uint16_t)(in->dial >> 16)};
        owner_step(o, &ev);
        break;
    case HS_IN_REQUEST:
        owner_request(o, in->ptr);
        break;
    case HS_IN_ACCEPTED:
        owner_adopt(o, in);
        break;
    }
}

/* ---- one turn ---- */

void owner_take_back_chunks(struct hs_owner *o)
{
    struct hs_chunk_ref ref;
    for (uint32_t r = 0; r < o->ports_n; r++)
        while (hs_chunk_ring_pop(o->ports[r].ends.chunks, &ref)) {
            owner_chunks_done(&o->chunks, ref.chunk);
            if (ref.tag != NULL)
                owner_delivered(o, ref.tag, ref.number);
        }
}

static void drain(struct hs_owner *o, struct owner_port *p)
{
    uint32_t depth = hs_in_ring_size(p->ends.in);
    hs_histogram_add(&o->histograms[HS_OWNER_IN_DEPTH], depth);
    if (depth > o->counters[HS_OWNER_IN_DEPTH_MAX])
        o->counters[HS_OWNER_IN_DEPTH_MAX] = depth;
    struct hs_in in;
    for (uint32_t i = 0; i < OWNER_BATCH; i++) {
        if (owner_port_is_blocked(p) || !is_ready(o) || !hs_in_ring_pop(p->ends.in, &in))
            return;
        take(o, p, &in);
    }
}

static void take_saved(struct hs_owner *o)
{
    uint64_t seq = hs_store_saved(o->store);
    if (seq == o->saved_seq || !is_ready(o))
        return;
    o->saved_seq = seq;
    struct hs_event ev = {.type = HS_EV_SAVED, .saved_seq = seq};
    owner_step(o, &ev);
}

/* A tick may have something for every node (a verdict, a hundred of them), so
 * it waits until the reactors have taken what the last one had; but not for
 * long, since one that hangs must not stop the others' heartbeats. */
static bool tick_must_wait(const struct hs_owner *o)
{
    bool blocked = false;
    for (uint32_t r = 0; r < o->ports_n; r++)
        blocked = blocked || owner_port_is_blocked(&o->ports[r]);
    return blocked && hs_mono_since(o->now.mono, o->ticked_at) < OWNER_TICK_WAIT_MS;
}

static void tick(struct hs_owner *o)
{
    if (hs_mono_since(o->now.mono, hs_core_next_tick(o->core)) < 0 || tick_must_wait(o) ||
        !is_ready(o))
        return;
    o->ticked_at = o->now.mono;
    atomic_store(&o->beat_ms, o->ticked_at.ms);
    struct hs_event ev = {.type = HS_EV_TICK};
    owner_step(o, &ev);
}

void owner_post_wakes(struct hs_owner *o)
{
    for (uint32_t r = 0; r < o->ports_n; r++) {
        struct owner_port *p = &o->ports[r];
        owner_port_flush(p);
        if (p->dirty)
            hs_wake_post(p->ends.wake);
        p->dirty = false;
    }
}

static void turn(struct hs_owner *o)
{
    o->counters[HS_OWNER_BATCHES]++;
    sample_clocks(o);
    owner_take_back_chunks(o);
    owner_publishes_resume(o);
    owner_board_renew(o);
    for (uint32_t r = 0; r < o->ports_n; r++)
        drain(o, &o->ports[r]);
    take_saved(o);
    owner_rewrites_take(o);
    tick(o);
    owner_save_if_due(o);
    owner_publish_if_due(o);
    owner_answers_flush(o);
    owner_post_wakes(o);
    owner_measure(o);
}

/* ---- rest ---- */

static bool has_work(struct hs_owner *o)
{
    if (atomic_load(&o->stop) || owner_rewrites_ready(o) ||
        (!o->starved && hs_store_saved(o->store) != o->saved_seq))
        return true;
    for (uint32_t r = 0; r < o->ports_n; r++) {
        struct owner_port *p = &o->ports[r];
        if (hs_chunk_ring_size(p->ends.chunks) > 0)
            return true;
        if (!o->starved && !owner_port_is_blocked(p) && hs_in_ring_size(p->ends.in) > 0)
            return true;
    }
    return false;
}

static int rest_ms(struct hs_owner *o)
{
    /* Nobody announces room in `out`, and a starved owner is to look often. */
    bool waits_for_room = o->starved || o->publishes != NULL;
    for (uint32_t r = 0; r < o->ports_n; r++)
        waits_for_room = waits_for_room || owner_port_is_blocked(&o->ports[r]);
    if (waits_for_room)
        return OWNER_STARVED_MS;

    int64_t now = hs_clock_ns();
    int64_t tick_ms = hs_core_next_tick(o->core).ms - now / OWNER_NS_PER_MS;
    int64_t copy_ms = (owner_publish_next_ns(o) - now + OWNER_NS_PER_MS - 1) / OWNER_NS_PER_MS;
    int64_t ms = tick_ms < copy_ms ? tick_ms : copy_ms;
    return ms < 0 ? 0 : ms > OWNER_REST_MS ? OWNER_REST_MS : (int)ms;
}

static void rest(struct hs_owner *o)
{
    int ms = rest_ms(o);
    hs_doze_begin(&o->wake->doze);
    if (ms > 0 && !has_work(o))
        hs_wake_wait(o->wake, ms);
    hs_doze_end(&o->wake->doze);
}

void hs_owner_run(struct hs_owner *o)
{
    while (!atomic_load(&o->stop)) {
        turn(o);
        rest(o);
    }
    owner_wind_down(o);
}

int64_t hs_owner_ticked_ms(const struct hs_owner *o)
{
    return atomic_load(&o->beat_ms);
}
