/* sim.c - the run: one event after the other.
 */
#include "sim_int.h"

enum {
    EVENTS_MAX = 1 << 23, /* mapped, and touched only as far as they are used */
    SAMPLES_MAX = 4096,
    SMALL = 64,
    /* Handshakes take places in the table beside the nodes they are with. */
    SPARE_NODES = 128,
    RUN_MS = 60000, /* without a story */
};

static uint32_t power_of_two(uint32_t n)
{
    uint32_t p = 64;

    while (p < n) {
        p *= 2;
    }
    return p;
}

static void choose(struct hs_sim *s, const struct hs_sim_opts *opts)
{
    struct hs_sim_opts *o = &s->opts;

    *o = *opts;
    HS_ASSERT(o->nodes >= 1 && o->nodes <= HS_SIM_NODES_MAX);
    s->n = o->nodes;
    if (o->masters == 0) {
        o->masters = o->nodes / 3 < 3 ? 3 : o->nodes / 3;
    }
    o->masters = o->masters > o->nodes ? o->nodes : o->masters;
    o->node_timeout_ms = o->node_timeout_ms == 0 ? 15000 : o->node_timeout_ms;
    if (o->check_every == 0) {
        o->check_every = s->n <= SMALL ? 64 : 4096;
    }
    s->end_at = o->run_ms == 0 ? (int64_t)RUN_MS * MS : o->run_ms * MS;
    s->sample_us = s->n <= SMALL ? 100 * MS : s->n <= 512 ? 250 * MS : 500 * MS;
    s->core_opts =
        (struct hs_core_opts){.nodes_max = s->n + s->n / 4 + SPARE_NODES, .connects_max = 256};
    s->core_opts.links_max = 4 * s->core_opts.nodes_max;
    s->conf = (struct hs_core_conf){.node_timeout_ms = o->node_timeout_ms,
                                    .blacklist_ttl_s = 60,
                                    .migration_barrier = 1,
                                    .replica_validity_factor = 10,
                                    .require_full_coverage = true,
                                    .allow_replica_migration = true,
                                    .port = CLIENT_PORT,
                                    .cport = BUS_PORT};
}

static bool take_memory(struct hs_sim *s)
{
    struct hs_actions *a = &s->acts;

    a->max = hs_core_actions_max(&s->core_opts);
    a->bytes_max = hs_core_bytes_max(&s->core_opts);
    a->v = hs_alloc(a->max * sizeof(*a->v));
    a->bytes = hs_alloc(a->bytes_max);
    s->nodes = hs_alloc(s->n * sizeof(*s->nodes));
    s->addrs_max = 4 * s->n + HS_SIM_STEPS_MAX;
    s->addr_node = hs_alloc(s->addrs_max * sizeof(*s->addr_node));
    s->ids_mask = power_of_two(4 * s->n) - 1;
    s->ids = hs_alloc((s->ids_mask + 1) * sizeof(*s->ids));
    s->id_keys = hs_alloc((s->ids_mask + 1) * sizeof(*s->id_keys));
    s->scratch =
        hs_topo_create(s->core_opts.nodes_max, HS_SLOTS, s->core_opts.nodes_max * 8 + 4096);
    s->samples_max = SAMPLES_MAX;
    s->samples = hs_alloc(s->samples_max * sizeof(*s->samples));
    s->killed = hs_alloc(s->n);
    s->accused = hs_alloc(s->n);
    return heap_init(&s->heap, EVENTS_MAX) && a->v != NULL && a->bytes != NULL &&
           s->nodes != NULL && s->addr_node != NULL && s->ids != NULL && s->id_keys != NULL &&
           s->scratch != NULL && s->samples != NULL && s->killed != NULL && s->accused != NULL &&
           checks_init(s);
}

struct hs_sim *hs_sim_create(const struct hs_sim_opts *opts)
{
    struct hs_sim *s = hs_alloc(sizeof(*s));

    if (s == NULL) {
        return NULL;
    }
    choose(s, opts);
    hs_prng_seed(&s->prng, opts->seed);
    s->r = (struct hs_sim_result){.joined_ms = -1,
                                  .fault_ms = -1,
                                  .first_fail_ms = -1,
                                  .all_fail_ms = -1,
                                  .last_won_ms = -1,
                                  .all_ok_ms = -1};
    if (!take_memory(s)) {
        hs_sim_destroy(s);
        return NULL;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        world_fresh(s, i);
    }
    join_start(s);
    event_push(s, event_take(s, EV_SAMPLE, HS_NIL), s->sample_us);
    return s;
}

void hs_sim_destroy(struct hs_sim *s)
{
    if (s == NULL) {
        return;
    }
    for (uint32_t i = 0; s->nodes != NULL && i < s->n; i++) {
        hs_free(s->nodes[i].mem);
        hs_free(s->nodes[i].ends);
        disk_fini(&s->nodes[i].disk);
    }
    for (uint32_t i = 0; s->heap.events != NULL && i < s->heap.events_hi; i++) {
        if (s->heap.events[i].frame != NULL) {
            frame_drop(s, s->heap.events[i].frame);
            s->heap.events[i].frame = NULL;
        }
    }
    for (uint32_t i = 0; i < s->rules_n; i++) {
        hs_free(s->rules[i].from);
        hs_free(s->rules[i].to);
    }
    frames_fini(s);
    heap_fini(&s->heap);
    checks_fini(s);
    identities_fini(&s->known);
    hs_free(s->acts.v);
    hs_free(s->acts.bytes);
    hs_free(s->nodes);
    hs_free(s->addr_node);
    hs_free(s->ids);
    hs_free(s->id_keys);
    hs_topo_destroy(s->scratch);
    hs_free(s->samples);
    hs_free(s->killed);
    hs_free(s->accused);
    hs_free(s);
}

static void handle(struct hs_sim *s, struct heap_entry e)
{
    uint64_t number = event_at(s, e.ev)->number;

    switch ((enum event_type)event_at(s, e.ev)->type) {
    case EV_STORY:
        event_drop(s, e.ev);
        story_step(s, (uint32_t)number);
        break;
    case EV_SAMPLE:
        event_drop(s, e.ev);
        stats_sample(s);
        event_push(s, event_take(s, EV_SAMPLE, HS_NIL), s->now + s->sample_us);
        break;
    case EV_JOIN:
        event_drop(s, e.ev);
        join_next(s);
        break;
    default:
        world_deliver(s, e);
        break;
    }
}

bool hs_sim_run_until(struct hs_sim *s, int64_t at_ms)
{
    int64_t until = at_ms * MS < s->end_at ? at_ms * MS : s->end_at;
    struct heap_entry e;

    while (!s->stop && event_pop(s, &e)) {
        if (e.at > until) {
            event_push_again(s, e, e.at);
            break;
        }
        s->now = e.at;
        handle(s, e);
    }
    if (!s->stop) {
        s->now = until > s->now ? until : s->now;
    }
    s->r.at_ms = s->now / MS;
    s->r.samples = s->samples;
    return !s->stop && s->now < s->end_at;
}

bool hs_sim_run(struct hs_sim *s)
{
    while (hs_sim_run_until(s, s->end_at / MS)) {
    }
    return !s->failed;
}

const char *hs_sim_error(const struct hs_sim *s)
{
    return s->error;
}

const struct hs_sim_result *hs_sim_result(const struct hs_sim *s)
{
    return &s->r;
}
