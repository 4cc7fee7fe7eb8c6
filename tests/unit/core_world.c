/* core_world.c - see core_world.h.
 *
 * Length: the whole world of the core's tests, whose parts only serve each other.
 */
#include "core_world.h"

static struct hs_now now_of(const struct world *w, int i)
{
    return (struct hs_now){.mono = {w->now},
                           .wall = {w->now + INT64_C(1700000000000) + w->node[i].skew_ms}};
}

static struct world_event *post(struct world *w, int to, int64_t delay_ms, enum hs_event_type type)
{
    struct world_event *e = calloc(1, sizeof(*e));

    ck_assert_ptr_nonnull(e);
    ck_assert_uint_lt(w->queue_n, WORLD_QUEUE);
    *e = (struct world_event){
        .at = w->now + delay_ms, .seq = w->seq++, .to = to, .type = type, .life = w->node[to].life};
    w->queue[w->queue_n++] = e;
    return e;
}

static struct hs_topo *topology(struct world *w, int i)
{
    uint32_t nodes, open, strings;
    struct hs_topo *t;

    hs_core_topo_need(w->node[i].core, &nodes, &open, &strings);
    t = hs_topo_create(nodes, open, strings);
    ck_assert_ptr_nonnull(t);
    hs_core_topology(w->node[i].core, now_of(w, i), t);
    return t;
}

static struct hs_link take_link(struct world *w, int i, int peer)
{
    for (uint32_t k = 0; k < WORLD_LINKS; k++) {
        struct world_link *l = &w->node[i].links[k];
        if (!l->up) {
            *l = (struct world_link){.up = true, .gen = l->gen + 1, .peer = peer};
            return (struct hs_link){k, l->gen};
        }
    }
    ck_abort_msg("out of links");
}

static struct world_link *link_of(struct world *w, int i, struct hs_link l)
{
    struct world_link *end = &w->node[i].links[l.ix];

    return end->up && end->gen == l.gen ? end : NULL;
}

static int listener(const struct world *w, uint16_t cport)
{
    int i = cport - 17000;

    return i >= 0 && i < w->n && w->node[i].running ? i : -1;
}

static void up(struct world *w, int i, struct hs_link l, bool outbound, struct hs_dial d)
{
    struct world_event *e = post(w, i, DELAY_MS, HS_EV_LINK_UP);

    e->link = l;
    e->up = (struct hs_link_up){.outbound = outbound, .dial = d};
    memcpy(e->up.peer_ip, "127.0.0.1", 10);
    memcpy(e->up.local_ip, "127.0.0.1", 10);
}

static void connect_to(struct world *w, int i, const struct hs_action *a)
{
    int j = listener(w, a->port);

    if (j < 0) {
        post(w, i, DELAY_MS, HS_EV_DIAL_FAILED)->dial = a->dial;
        return;
    }
    struct hs_link mine = take_link(w, i, j), theirs = take_link(w, j, i);
    w->node[i].links[mine.ix].peer_link = theirs;
    w->node[j].links[theirs.ix].peer_link = mine;
    up(w, i, mine, true, a->dial);
    up(w, j, theirs, false, (struct hs_dial){0, 0});
}

static void drop_link(struct world *w, int i, struct hs_link l)
{
    struct world_link *end = link_of(w, i, l);

    if (end == NULL) {
        return;
    }
    int j = end->peer;
    struct hs_link other = end->peer_link;
    end->up = false;
    if (link_of(w, j, other) != NULL) {
        w->node[j].links[other.ix].up = false;
        post(w, j, DELAY_MS, HS_EV_LINK_DOWN)->link = other;
    }
}

static void transmit(struct world *w, int i, const struct hs_action *a)
{
    struct world_link *end = link_of(w, i, a->link);
    struct hs_view v;
    const uint8_t *bytes = w->acts.bytes + a->off;

    ck_assert_int_eq(hs_wire_check(bytes, a->len, &v), HS_WIRE_OK);
    w->sent_n++;
    if (w->tap != NULL && end != NULL) {
        w->tap(w, i, end->peer, &v);
    }
    if (end == NULL || w->node[i].deaf || w->node[end->peer].deaf) {
        return;
    }
    world_frame(w, end->peer, end->peer_link, bytes, a->len);
}

void world_frame(struct world *w, int to, struct hs_link l, const uint8_t *bytes, uint32_t len)
{
    struct world_event *e = post(w, to, DELAY_MS, HS_EV_RECV);

    e->link = l;
    e->len = len;
    e->bytes = malloc(len);
    ck_assert_ptr_nonnull(e->bytes);
    memcpy(e->bytes, bytes, len);
}

static void save(struct world *w, int i, uint64_t seq)
{
    struct world_event *e;

    w->node[i].saves++;
    if (w->node[i].disk_stuck) {
        return;
    }
    e = post(w, i, SAVE_MS, HS_EV_SAVED);
    e->saved_seq = seq;
    e->saving = topology(w, i);
}

static void act(struct world *w, int i, const struct hs_action *a)
{
    switch ((enum hs_action_type)a->type) {
    case HS_ACT_CONNECT:
        connect_to(w, i, a);
        break;
    case HS_ACT_CLOSE:
        drop_link(w, i, a->link);
        break;
    case HS_ACT_SEND:
        transmit(w, i, a);
        break;
    case HS_ACT_SAVE:
        save(w, i, a->seq);
        break;
    case HS_ACT_REPLY:
        w->node[i].err = a->err;
        w->node[i].number = a->number;
        break;
    case HS_ACT_NOTE:
        w->node[i].notes[a->note]++;
        w->last_number = a->number;
        break;
    case HS_ACT_DELIVER:
        break;
    }
}

static void step(struct world *w, int i, const struct hs_event *ev)
{
    hs_core_step(w->node[i].core, ev, now_of(w, i), &w->acts);
    hs_core_check(w->node[i].core);
    for (uint32_t k = 0; k < w->acts.n; k++) {
        act(w, i, &w->acts.v[k]);
    }
}

static void deliver(struct world *w, struct world_event *e)
{
    struct world_node *n = &w->node[e->to];
    struct hs_event ev = {
        .type = e->type, .link = e->link, .dial = e->dial, .up = &e->up, .saved_seq = e->saved_seq};
    struct hs_view v;

    if (n->running && n->life == e->life) {
        if (e->type == HS_EV_RECV) {
            ck_assert_int_eq(hs_wire_check(e->bytes, e->len, &v), HS_WIRE_OK);
            ev.msg = &v;
        }
        if (e->type == HS_EV_SAVED) {
            hs_topo_destroy(n->disk);
            n->disk = e->saving;
            e->saving = NULL;
        }
        step(w, e->to, &ev);
    }
    hs_topo_destroy(e->saving);
    free(e->bytes);
    free(e);
}

/* The earliest event due at or before `until`, or NULL. */
static struct world_event *next_event(struct world *w, int64_t until)
{
    uint32_t best = UINT32_MAX;

    for (uint32_t k = 0; k < w->queue_n; k++) {
        const struct world_event *e = w->queue[k];
        if (e->at <= until && (best == UINT32_MAX || e->at < w->queue[best]->at ||
                               (e->at == w->queue[best]->at && e->seq < w->queue[best]->seq))) {
            best = k;
        }
    }
    if (best == UINT32_MAX) {
        return NULL;
    }
    struct world_event *e = w->queue[best];
    w->queue[best] = w->queue[--w->queue_n];
    return e;
}

void world_run(struct world *w, int64_t ms)
{
    int64_t end = w->now + ms;

    while (w->now < end) {
        struct world_event *e;
        w->now++;
        while ((e = next_event(w, w->now)) != NULL) {
            deliver(w, e);
        }
        for (int i = 0; i < w->n; i++) {
            for (int k = 0;
                 w->node[i].running && k < 1000 && hs_core_next_tick(w->node[i].core).ms <= w->now;
                 k++) {
                ck_assert_int_lt(k, 999);
                step(w, i, &(struct hs_event){.type = HS_EV_TICK});
            }
        }
    }
}

void world_init(struct world *w, uint32_t timeout_ms)
{
    struct hs_core_opts o = {.nodes_max = HS_NODES_MAX, .connects_max = 256};

    *w = (struct world){.now = 1000000, .nodes_max = 64};
    w->acts.max = hs_core_actions_max(&o);
    w->acts.bytes_max = hs_core_bytes_max(&o);
    w->acts.v = calloc(w->acts.max, sizeof(*w->acts.v));
    w->acts.bytes = malloc(w->acts.bytes_max);
    ck_assert(w->acts.v != NULL && w->acts.bytes != NULL);
    w->conf = (struct hs_core_conf){.node_timeout_ms = timeout_ms,
                                    .blacklist_ttl_s = 60,
                                    .migration_barrier = 1,
                                    .replica_validity_factor = 10,
                                    .require_full_coverage = true,
                                    .allow_replica_migration = true};
}

static void start(struct world *w, int i, const struct hs_topo *boot)
{
    struct hs_core_opts o = {.nodes_max = w->nodes_max,
                             .links_max = WORLD_LINKS,
                             .connects_max = 256,
                             .seed = (uint64_t)i + 1 + w->seq};
    struct hs_core_conf conf = w->conf;
    struct world_node *n = &w->node[i];
    size_t size = (hs_core_size(&o) + 63) & ~(size_t)63;

    conf.port = (uint16_t)(7000 + i);
    conf.cport = (uint16_t)(17000 + i);
    n->mem = aligned_alloc(64, size);
    ck_assert_ptr_nonnull(n->mem);
    memset(n->mem, 0, size);
    n->core = hs_core_init(n->mem, &o, &conf, boot, now_of(w, i));
    n->running = true;
    n->life++;
    memset(n->notes, 0, sizeof(n->notes));
    hs_core_check(n->core);
}

int world_add(struct world *w)
{
    int i = w->n++;
    struct hs_topo *boot = hs_topo_create(1, 0, 1);

    ck_assert_int_lt(i, WORLD_MAX);
    boot->nodes_n = 1;
    memset(boot->nodes[0].id.hex, i < 10 ? '0' + i : 'a' + i - 10, HS_ID_LEN);
    memset(boot->nodes[0].shard_id, i < 10 ? '0' + i : 'a' + i - 10, HS_ID_LEN);
    boot->nodes[0].flags = HS_NODE_MYSELF | HS_NODE_MASTER;
    boot->nodes[0].master = HS_TOPO_NONE;
    start(w, i, boot);
    hs_topo_destroy(boot);
    return i;
}

void world_kill(struct world *w, int i)
{
    struct world_node *n = &w->node[i];

    for (uint32_t k = 0; k < WORLD_LINKS; k++) {
        if (n->links[k].up) {
            drop_link(w, i, (struct hs_link){k, n->links[k].gen});
        }
    }
    n->running = false;
    n->life++;
    free(n->mem);
    n->mem = NULL;
    n->core = NULL;
}

void world_restart(struct world *w, int i)
{
    if (w->node[i].running) {
        world_kill(w, i);
    }
    ck_assert_ptr_nonnull(w->node[i].disk);
    start(w, i, w->node[i].disk);
}

void world_fini(struct world *w)
{
    for (int i = 0; i < w->n; i++) {
        free(w->node[i].mem);
        hs_topo_destroy(w->node[i].disk);
    }
    for (uint32_t k = 0; k < w->queue_n; k++) {
        hs_topo_destroy(w->queue[k]->saving);
        free(w->queue[k]->bytes);
        free(w->queue[k]);
    }
    free(w->acts.v);
    free(w->acts.bytes);
}

void world_command(struct world *w, int i, struct hs_cmd cmd)
{
    cmd.token = 1;
    step(w, i, &(struct hs_event){.type = HS_EV_COMMAND, .cmd = &cmd});
}

void world_meet(struct world *w, int i, int j)
{
    struct hs_cmd cmd = {
        .type = HS_CMD_MEET, .port = (uint16_t)(7000 + j), .cport = (uint16_t)(17000 + j)};

    memcpy(cmd.ip, "127.0.0.1", 10);
    world_command(w, i, cmd);
    ck_assert_int_eq(w->node[i].err, HS_CMD_OK);
}

void world_slots(struct world *w, int i, uint16_t first, uint16_t last)
{
    struct hs_slot_range r = {first, last};

    world_command(w, i, (struct hs_cmd){.type = HS_CMD_ADDSLOTS, .ranges = &r, .ranges_n = 1});
    ck_assert_int_eq(w->node[i].err, HS_CMD_OK);
}

uint16_t world_find(struct world *w, int i, int j)
{
    return core_index_find(w->node[i].core, w->node[j].core->hot[SELF].id.hex);
}

static bool same_view(const struct hs_topo *a, const struct hs_topo *b)
{
    const uint16_t compared = HS_NODE_MASTER | HS_NODE_SLAVE | HS_NODE_FAIL | HS_NODE_PFAIL |
                              HS_NODE_HANDSHAKE | HS_NODE_NOADDR;

    if (a->nodes_n != b->nodes_n || a->ok != b->ok) {
        return false;
    }
    for (uint16_t i = 0; i < a->nodes_n; i++) {
        uint16_t j = hs_topo_find(b, &a->nodes[i].id);
        if (j == HS_TOPO_NONE || ((a->nodes[i].flags ^ b->nodes[j].flags) & compared) != 0 ||
            strcmp(a->nodes[i].ip, b->nodes[j].ip) != 0 || a->nodes[i].port != b->nodes[j].port ||
            hs_topo_epoch(a, i) != hs_topo_epoch(b, j)) {
            return false;
        }
        for (uint32_t s = 0; s < HS_SLOTS; s++) {
            if ((a->owner[s] == i) != (b->owner[s] == j)) {
                return false;
            }
        }
    }
    return true;
}

bool world_agrees(struct world *w)
{
    struct hs_topo *first = NULL;
    bool same = true;

    for (int i = 0; i < w->n && same; i++) {
        if (!w->node[i].running) {
            continue;
        }
        struct hs_topo *t = topology(w, i);
        if (first == NULL) {
            first = t;
            continue;
        }
        same = same_view(first, t);
        hs_topo_destroy(t);
    }
    hs_topo_destroy(first);
    return same;
}
