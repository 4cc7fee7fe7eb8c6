/* owner_world.h - what the owner is tested between: a scripted core, one
 * reactor's rings of which the test holds the other ends, and a store that only
 * counts. For one test program; the owner runs on a thread of its own, as it does.
 */
#ifndef OWNER_WORLD_H
#define OWNER_WORLD_H

#include "hs_test.h"

#include "owner_int.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    SLOTS = 16,
    BACK_SLOTS = 32768,
    LINKS = 64,
    BOARD_BYTES = 1000,
    STEP_BYTES = 4096,
    ACTIONS = 64,
    WAIT_MS = 3000
};

/* ---- the core: does what the test's script says ---- */

struct hs_core {
    int unused;
};

static void (*script)(const struct hs_event *ev, struct hs_actions *out);
static atomic_uint_fast64_t version, steps[HS_EV_SAVED + 1];
static atomic_uint_fast64_t saved_seq_seen;
static atomic_uint_fast64_t boards_due, boards_frozen; /* a board is due so many times */
static atomic_uint copy_stalls_ms; /* the owner stands still so long in each copy */

uint32_t hs_core_actions_max(const struct hs_core_opts *opts)
{
    (void)opts;
    return ACTIONS;
}

uint32_t hs_core_bytes_need(const struct hs_core *c)
{
    (void)c;
    return STEP_BYTES;
}

uint32_t hs_core_bytes_max(const struct hs_core_opts *opts)
{
    (void)opts;
    return STEP_BYTES;
}

uint32_t hs_core_publish_need(const struct hs_publish *p)
{
    return 2 * (HS_HDR_LEN + p->channel_len + p->message_len);
}

size_t hs_core_size(const struct hs_core_opts *opts)
{
    (void)opts;
    return sizeof(struct hs_core);
}

struct hs_core *hs_core_init(void *mem, const struct hs_core_opts *opts,
                             const struct hs_core_conf *conf, const struct hs_topo *boot,
                             struct hs_now now)
{
    (void)opts, (void)conf, (void)boot, (void)now;
    return mem;
}

void hs_core_step(struct hs_core *c, const struct hs_event *ev, struct hs_now now,
                  struct hs_actions *out)
{
    (void)c, (void)now;
    out->n = 0;
    out->bytes_n = 0;
    atomic_fetch_add(&steps[ev->type], 1);
    if (ev->type == HS_EV_SAVED)
        atomic_store(&saved_seq_seen, ev->saved_seq);
    if (script != NULL)
        script(ev, out);
}

hs_mono hs_core_next_tick(const struct hs_core *c)
{
    (void)c;
    return (hs_mono){INT64_MAX / 2}; /* as the core says never */
}

uint64_t hs_core_version(const struct hs_core *c)
{
    (void)c;
    return atomic_load(&version);
}

void hs_core_topo_need(const struct hs_core *c, uint32_t *nodes, uint32_t *open, uint32_t *strings)
{
    (void)c;
    *nodes = 1;
    *open = 0;
    *strings = 0;
}

void hs_core_topology(const struct hs_core *c, struct hs_now now, struct hs_topo *t)
{
    (void)c, (void)now;
    usleep(1000 * atomic_load(&copy_stalls_ms));
    t->nodes_n = 1;
    t->version = atomic_load(&version);
}

const struct hs_node_id *hs_core_node_id(const struct hs_core *c, hs_ix node)
{
    (void)c, (void)node;
    static const struct hs_node_id id;
    return &id;
}

uint32_t hs_core_accusers(const struct hs_core *c, const struct hs_node_id *suspect,
                          struct hs_now now, struct hs_accuser *out, uint32_t max)
{
    (void)c, (void)suspect, (void)now;
    if (max > 0)
        out[0] = (struct hs_accuser){.since_ms = 5, .last_ms = 6};
    return 1;
}

uint32_t hs_core_counters(const struct hs_core *c, const uint64_t **values)
{
    static const uint64_t none[1];
    (void)c;
    *values = none;
    return 0;
}

uint32_t hs_core_board_max(const struct hs_core_opts *opts)
{
    (void)opts;
    return BOARD_BYTES;
}

bool hs_core_board_due(const struct hs_core *c)
{
    (void)c;
    return atomic_load(&boards_due) > 0;
}

uint32_t hs_core_board_freeze(struct hs_core *c, uint8_t *to)
{
    (void)c;
    atomic_fetch_sub(&boards_due, 1);
    memset(to, (int)atomic_load(&boards_frozen) + 1, BOARD_BYTES);
    atomic_fetch_add(&boards_frozen, 1);
    return BOARD_BYTES;
}

const struct hs_histogram *hs_core_histogram(const struct hs_core *c, enum hs_core_histogram which)
{
    static const struct hs_histogram none;
    (void)c, (void)which;
    return &none;
}

/* ---- the net: one reactor's rings, of which the test holds the other ends ---- */

static struct hs_in in_slots[SLOTS];
static struct hs_out out_slots[SLOTS];
static struct hs_frame_ref frame_slots[BACK_SLOTS];
static struct hs_chunk_ref chunk_slots[BACK_SLOTS];
static struct hs_in_ring in_ring;
static struct hs_out_ring out_ring;
static struct hs_frame_ring frame_ring;
static struct hs_chunk_ring chunk_ring;
static struct hs_wake reactor_wake, owner_wake;

static struct hs_net_tune net_tune;

void hs_net_tune(struct hs_net *n, const struct hs_net_tune *tune)
{
    (void)n;
    net_tune = *tune;
}

struct hs_port hs_net_port(struct hs_net *n, uint32_t reactor)
{
    (void)n, (void)reactor;
    return (struct hs_port){.in = &in_ring,
                            .out = &out_ring,
                            .frames = &frame_ring,
                            .chunks = &chunk_ring,
                            .wake = &reactor_wake};
}

uint32_t hs_net_reactor_of(const struct hs_net *n, struct hs_conn_id conn)
{
    (void)n, (void)conn;
    return 0;
}

uint32_t hs_net_reactor_for(const struct hs_net *n, const char *ip)
{
    (void)n, (void)ip;
    return 0;
}

static atomic_bool has_subscribers;

bool hs_net_has_subscribers(const struct hs_net *n, uint32_t reactor)
{
    (void)n, (void)reactor;
    return atomic_load(&has_subscribers);
}

/* ---- the store ---- */

static atomic_uint_fast64_t submitted, submitted_seq, saved, failures;
static atomic_bool submitted_sync;

void hs_store_submit(struct hs_store *s, struct hs_topo *t, uint64_t seq, bool sync)
{
    (void)s;
    hs_topo_destroy(t);
    atomic_store(&submitted_seq, seq);
    atomic_store(&submitted_sync, sync);
    atomic_fetch_add(&submitted, 1);
}

uint64_t hs_store_saved(const struct hs_store *s)
{
    (void)s;
    return atomic_load(&saved);
}

uint64_t hs_store_failures(const struct hs_store *s)
{
    (void)s;
    return atomic_load(&failures);
}

void hs_store_error(struct hs_store *s, char *text, size_t n)
{
    (void)s;
    snprintf(text, n, "write: no room");
}

static void (*asked_run)(void *ctx); /* of the last one asked for */
static void *asked_ctx;
static atomic_uint_fast64_t asked_n, asks_n; /* done, asked for */

void hs_store_ask(struct hs_store *s, void (*run)(void *ctx), void *ctx)
{
    (void)s;
    ck_assert_uint_eq(atomic_load(&asks_n), atomic_load(&asked_n)); /* one at a time */
    asked_ctx = ctx;
    asked_run = run;
    atomic_fetch_add(&asks_n, 1);
}

uint64_t hs_store_asked(const struct hs_store *s)
{
    (void)s;
    return atomic_load(&asked_n);
}

void hs_store_notify(struct hs_store *s, struct hs_wake *owner)
{
    (void)s, (void)owner;
}

/* ---- the test's tools ---- */

static struct hs_owner *owner;
static struct hs_snapshot *snapshot;
static pthread_t thread;
static atomic_uint shutdowns;

static void on_shutdown(void *ctx)
{
    (void)ctx;
    atomic_fetch_add(&shutdowns, 1);
}

static void *run(void *p)
{
    hs_owner_run(p);
    return NULL;
}

static void setup(void)
{
    hs_in_ring_init(&in_ring, in_slots, SLOTS);
    hs_out_ring_init(&out_ring, out_slots, SLOTS);
    hs_frame_ring_init(&frame_ring, frame_slots, BACK_SLOTS);
    hs_chunk_ring_init(&chunk_ring, chunk_slots, BACK_SLOTS);
    ck_assert_int_eq(hs_wake_init(&reactor_wake), 0);
    ck_assert_int_eq(hs_wake_init(&owner_wake), 0);
    snapshot = hs_snapshot_create(1, hs_published_destroy);
    static struct hs_owner_conf conf;
    conf = (struct hs_owner_conf){.conf = {.bus_allow = {.automatic = true}},
                                  .core = {.nodes_max = 2, .links_max = LINKS},
                                  .reactors = 1,
                                  .snapshot = snapshot,
                                  .wake = &owner_wake,
                                  .shutdown = on_shutdown};
    owner = hs_owner_create(&conf);
    ck_assert_ptr_nonnull(owner);
}

static void begin(void (*with)(const struct hs_event *ev, struct hs_actions *out))
{
    script = with;
    ck_assert_int_eq(pthread_create(&thread, NULL, run, owner), 0);
}

static void end(void)
{
    hs_owner_stop(owner);
    pthread_join(thread, NULL);
}

static void teardown(void)
{
    hs_owner_destroy(owner);
    hs_snapshot_destroy(snapshot);
    hs_wake_fini(&owner_wake);
    hs_wake_fini(&reactor_wake);
}

static void give(const struct hs_in *in)
{
    for (int ms = 0; !hs_in_ring_push(&in_ring, in); ms++) {
        ck_assert_int_lt(ms, WAIT_MS);
        usleep(1000);
    }
    hs_wake_post(&owner_wake);
}

static void give_back(const struct hs_out *out)
{
    if (out->kind != HS_OUT_SEND && out->kind != HS_OUT_DIAL && out->kind != HS_OUT_DELIVER)
        return;
    struct hs_chunk_ref ref = {.chunk = out->chunk};
    if (out->kind == HS_OUT_DELIVER) {
        ref.tag = out->tag;
        ref.number = 3; /* as if three clients had it */
    }
    ck_assert(hs_chunk_ring_push(&chunk_ring, &ref));
    hs_wake_post(&owner_wake);
}

static struct hs_out get(void)
{
    struct hs_out out;
    for (int ms = 0; !hs_out_ring_pop(&out_ring, &out); ms++) {
        ck_assert_int_lt(ms, WAIT_MS);
        usleep(1000);
    }
    return out;
}

static void wait_for(atomic_uint_fast64_t *value, uint64_t at_least)
{
    for (int ms = 0; atomic_load(value) < at_least; ms++) {
        ck_assert_int_lt(ms, WAIT_MS);
        usleep(1000);
    }
}

/* A frame on link 7, generation 3; its bytes are nobody's business here. */
static struct hs_in frame_in(void)
{
    static char memory;
    return (struct hs_in){
        .kind = HS_IN_FRAME, .conn = {7, 3}, .frame = (struct hs_frame *)(void *)&memory};
}

static struct hs_action *add(struct hs_actions *out, enum hs_action_type type)
{
    struct hs_action *a = &out->v[out->n++];
    *a = (struct hs_action){.type = (uint8_t)type, .node = HS_NIL, .other = HS_NIL};
    return a;
}

static void add_send(struct hs_actions *out, uint32_t link, uint32_t len)
{
    struct hs_action *a = add(out, HS_ACT_SEND);
    a->link = (struct hs_link){link, 1};
    a->off = out->bytes_n;
    a->len = len;
    a->control = true;
    memset(out->bytes + out->bytes_n, (int)('a' + link), len);
    out->bytes_n += len;
}

#endif
