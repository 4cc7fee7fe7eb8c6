/* The loop between its rings, with a scripted core, one reactor's rings and a
 * store that only counts. The owner runs on a thread of its own, as it does. */
#include "hs_test.h"

#include "owner_int.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum {
    SLOTS = 16,
    BACK_SLOTS = 32768,
    LINKS = 64,
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

uint32_t hs_core_actions_max(const struct hs_core_opts *opts)
{
    (void)opts;
    return ACTIONS;
}

uint32_t hs_core_bytes_max(const struct hs_core_opts *opts)
{
    (void)opts;
    return STEP_BYTES;
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
    return (hs_mono){INT64_MAX / 2000000};
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
    t->nodes_n = 1;
    t->version = atomic_load(&version);
}

const struct hs_node_id *hs_core_node_id(const struct hs_core *c, hs_ix node)
{
    (void)c, (void)node;
    static const struct hs_node_id id;
    return &id;
}

uint32_t hs_core_counters(const struct hs_core *c, const uint64_t **values)
{
    static const uint64_t none[1];
    (void)c;
    *values = none;
    return 0;
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

/* ---- the store ---- */

static atomic_uint_fast64_t submitted, submitted_seq, saved;
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
    return 0;
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
    conf = (struct hs_owner_conf){.core = {.nodes_max = 2, .links_max = LINKS},
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
    if (out->kind != HS_OUT_SEND && out->kind != HS_OUT_DIAL)
        return;
    struct hs_chunk_ref ref = {.chunk = out->chunk};
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
    memset(out->bytes + out->bytes_n, (int)('a' + link), len);
    out->bytes_n += len;
}

/* ---- the claims ---- */

static void send_two(const struct hs_event *ev, struct hs_actions *out)
{
    if (ev->type != HS_EV_RECV)
        return;
    ck_assert_uint_eq(ev->link.ix, 7);
    ck_assert_uint_eq(ev->link.gen, 3);
    add_send(out, 1, 100);
    add_send(out, 2, 50);
}

START_TEST(a_frame_becomes_a_step_and_its_sends_and_goes_back)
{
    begin(send_two);
    struct hs_in in = frame_in();
    give(&in);
    struct hs_out a = get(), b = get();
    ck_assert_int_eq(a.kind, HS_OUT_SEND);
    ck_assert_uint_eq(a.conn.ix, 1);
    ck_assert_uint_eq(a.len, 100);
    ck_assert_int_eq(a.chunk->bytes[a.off + 99], 'b');
    ck_assert_uint_eq(b.len, 50);
    ck_assert_int_eq(b.chunk->bytes[b.off], 'c');
    struct hs_frame_ref ref;
    ck_assert(hs_frame_ring_pop(&frame_ring, &ref));
    ck_assert_ptr_eq(ref.frame, in.frame);
    give_back(&a);
    give_back(&b);
    end();
    ck_assert_uint_eq(owner_chunks_out(&owner->chunks), 0);
}
END_TEST

static void reply_with_a_change(const struct hs_event *ev, struct hs_actions *out)
{
    if (ev->type != HS_EV_COMMAND)
        return;
    uint64_t now = atomic_fetch_add(&version, 1) + 1;
    struct hs_action *a = add(out, HS_ACT_REPLY);
    a->token = ev->cmd->token;
    a->err = HS_CMD_ERR_STILL;
    a->number = (int64_t)now;
}

START_TEST(a_reply_leaves_after_the_view_that_contains_its_effect)
{
    begin(reply_with_a_change);
    for (int i = 0; i < 100; i++) {
        struct hs_request req = {.kind = HS_REQ_COMMAND, .conn = {1, 1}};
        struct hs_in in = {.kind = HS_IN_REQUEST, .conn = {1, 1}, .ptr = &req};
        give(&in);
        struct hs_out out = get();
        ck_assert_int_eq(out.kind, HS_OUT_REPLY);
        ck_assert_ptr_eq(out.ptr, &req);
        ck_assert_int_eq(req.err, HS_CMD_ERR_STILL);
        const struct hs_published *p = hs_snapshot_begin(snapshot, 0);
        ck_assert_uint_ge(p->version, (uint64_t)req.number);
        hs_snapshot_end(snapshot, 0);
    }
    end();
}
END_TEST

static void save_on_frame(const struct hs_event *ev, struct hs_actions *out)
{
    if (ev->type != HS_EV_RECV)
        return;
    struct hs_action *a = add(out, HS_ACT_SAVE);
    a->seq = 5;
    a->sync = true;
}

START_TEST(a_save_is_submitted_and_the_core_hears_of_its_end)
{
    begin(save_on_frame);
    struct hs_in in = frame_in();
    give(&in);
    wait_for(&submitted_seq, 5);
    ck_assert(atomic_load(&submitted_sync));
    ck_assert_uint_eq(atomic_load(&steps[HS_EV_SAVED]), 0);
    atomic_store(&saved, 5);
    hs_wake_post(&owner_wake);
    wait_for(&saved_seq_seen, 5);
    end();
}
END_TEST

START_TEST(a_stop_saves_once_more_and_tells_the_reactors)
{
    begin(NULL);
    wait_for(&submitted, 1);
    end();
    ck_assert_uint_eq(atomic_load(&submitted), 2);
    ck_assert(atomic_load(&submitted_sync));
    ck_assert_int_eq(get().kind, HS_OUT_STOP);
}
END_TEST

static void send_many(const struct hs_event *ev, struct hs_actions *out)
{
    for (int i = 0; ev->type == HS_EV_RECV && i < ACTIONS; i++)
        add_send(out, 9, 16);
}

START_TEST(a_link_whose_reactor_takes_nothing_is_closed_once)
{
    /* While anything waits the owner takes nothing from this reactor: ticks and
     * other reactors' events are what fills the queue. So it is stepped by hand. */
    script = send_many;
    struct hs_event ev = {.type = HS_EV_RECV, .link = {7, 3}};
    while (owner->counters[HS_OWNER_OVERFLOWS] == 0)
        owner_step(owner, &ev);
    owner_step(owner, &ev);
    ck_assert_uint_eq(owner->counters[HS_OWNER_OVERFLOWS], 1);
    uint32_t closes = 0;
    struct hs_out out;
    do {
        owner_port_flush(&owner->ports[0]);
        out.kind = HS_OUT_SEND;
        while (hs_out_ring_pop(&out_ring, &out)) {
            closes += out.kind == HS_OUT_CLOSE;
            ck_assert(out.kind != HS_OUT_CLOSE || (out.conn.ix == 9 && out.conn.gen == 1));
        }
    } while (owner_port_is_blocked(&owner->ports[0]));
    ck_assert_uint_eq(closes, 1);
}
END_TEST

static void send_full(const struct hs_event *ev, struct hs_actions *out)
{
    if (ev->type == HS_EV_RECV)
        add_send(out, 1, STEP_BYTES);
}

START_TEST(without_a_free_chunk_frames_wait_until_one_comes_back)
{
    enum { FRAMES = OWNER_CHUNKS_BYTES / STEP_BYTES + 100 };
    static struct hs_out held[FRAMES];
    begin(send_full);
    struct hs_in in = frame_in();
    struct hs_frame_ref ref;
    uint32_t held_n = 0;
    /* Takes what is sent but gives no chunk back, until the owner stops taking. */
    for (int idle_ms = 0; idle_ms < 50;) {
        bool moved = hs_in_ring_push(&in_ring, &in);
        hs_wake_post(&owner_wake);
        while (hs_out_ring_pop(&out_ring, &held[held_n])) {
            held_n++;
            moved = true;
            ck_assert_uint_lt(held_n, FRAMES);
        }
        while (hs_frame_ring_pop(&frame_ring, &ref))
            ;
        idle_ms = moved ? 0 : idle_ms + 1;
        if (!moved)
            usleep(1000);
    }
    uint64_t before = atomic_load(&steps[HS_EV_RECV]);
    ck_assert_uint_eq(before, held_n);
    ck_assert_uint_gt(hs_in_ring_size(&in_ring), 0);
    for (uint32_t i = 0; i < held_n; i++)
        give_back(&held[i]);
    wait_for(&steps[HS_EV_RECV], before + 1);
    while (hs_in_ring_size(&in_ring) > 0 || hs_out_ring_size(&out_ring) > 0) {
        struct hs_out out;
        while (hs_out_ring_pop(&out_ring, &out))
            give_back(&out);
    }
    end();
    ck_assert_uint_ge(owner->counters[HS_OWNER_CHUNK_WAITS], 1);
}
END_TEST

START_TEST(a_shutdown_is_passed_on_and_answered_at_the_stop)
{
    begin(NULL);
    struct hs_request req = {.kind = HS_REQ_SHUTDOWN, .conn = {1, 1}};
    struct hs_in in = {.kind = HS_IN_REQUEST, .conn = {1, 1}, .ptr = &req};
    give(&in);
    for (int ms = 0; atomic_load(&shutdowns) == 0; ms++) {
        ck_assert_int_lt(ms, WAIT_MS);
        usleep(1000);
    }
    ck_assert_uint_eq(hs_out_ring_size(&out_ring), 0);
    end();
    ck_assert_int_eq(get().kind, HS_OUT_REPLY);
    ck_assert_int_eq(get().kind, HS_OUT_STOP);
}
END_TEST

static void dial_on_frame(const struct hs_event *ev, struct hs_actions *out)
{
    if (ev->type == HS_EV_DIAL_FAILED) {
        ck_assert_uint_eq(ev->dial.node, 11);
        ck_assert_uint_eq(ev->dial.gen, 513);
    }
    if (ev->type != HS_EV_RECV)
        return;
    struct hs_action *a = add(out, HS_ACT_CONNECT);
    a->dial = (struct hs_dial){.node = 11, .gen = 513};
    a->port = 17001;
    a->len = 10;
    memcpy(out->bytes, "127.0.0.1", 10);
    out->bytes_n = 10;
}

START_TEST(a_dial_carries_address_and_name_and_its_failure_brings_the_name_back)
{
    begin(dial_on_frame);
    struct hs_in in = frame_in();
    give(&in);
    struct hs_out out = get();
    ck_assert_int_eq(out.kind, HS_OUT_DIAL);
    ck_assert_str_eq((const char *)out.chunk->bytes + out.off, "127.0.0.1");
    ck_assert_uint_eq(out.port, 17001);
    give_back(&out);
    struct hs_in failed = {.kind = HS_IN_DIAL_FAILED, .dial = out.dial};
    give(&failed);
    wait_for(&steps[HS_EV_DIAL_FAILED], 1);
    end();
}
END_TEST

START_TEST(an_accepted_connection_is_sent_to_its_reactor)
{
    begin(NULL);
    struct hs_conn_up *up = hs_alloc(sizeof(*up));
    struct hs_in in = {.kind = HS_IN_ACCEPTED, .up = up, .dial = HS_LISTEN_BUS, .number = 12345};
    give(&in);
    struct hs_out out = get();
    ck_assert_int_eq(out.kind, HS_OUT_ADOPT);
    ck_assert_uint_eq(out.len, 12345);
    ck_assert_uint_eq(out.dial, HS_LISTEN_BUS);
    end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("owner_loop");
    TCase *t = tcase_create("loop");
    tcase_set_timeout(t, 20);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_frame_becomes_a_step_and_its_sends_and_goes_back);
    tcase_add_test(t, a_reply_leaves_after_the_view_that_contains_its_effect);
    tcase_add_test(t, a_save_is_submitted_and_the_core_hears_of_its_end);
    tcase_add_test(t, a_stop_saves_once_more_and_tells_the_reactors);
    tcase_add_test(t, a_link_whose_reactor_takes_nothing_is_closed_once);
    tcase_add_test(t, without_a_free_chunk_frames_wait_until_one_comes_back);
    tcase_add_test(t, a_shutdown_is_passed_on_and_answered_at_the_stop);
    tcase_add_test(t, a_dial_carries_address_and_name_and_its_failure_brings_the_name_back);
    tcase_add_test(t, an_accepted_connection_is_sent_to_its_reactor);
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
