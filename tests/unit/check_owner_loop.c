/* The loop between its rings: what goes in comes out as it should, and in order.
 *
 * Length: everything the loop does, in one scripted world.
 */
#include "owner_world.h"

#include <fcntl.h>

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

static void send_around_a_window(const struct hs_event *ev, struct hs_actions *out)
{
    if (ev->type != HS_EV_RECV)
        return;
    add_send(out, 1, 100);
    out->v[0].control = true;
    out->v[0].split = 60;
    out->v[0].lent_off = 200;
    out->v[0].lent_len = 300;
}

static struct hs_out expect_part(struct hs_chunk *chunk, uint32_t len, bool goes_on)
{
    struct hs_out out = get();
    ck_assert_int_eq(out.kind, HS_OUT_SEND);
    ck_assert(chunk == NULL || out.chunk == chunk);
    ck_assert_uint_eq(out.len, len);
    ck_assert_uint_eq(out.dial, goes_on);
    ck_assert(out.control);
    return out;
}

/* A board that messages borrow from is not written again: with all of them out
 * there is no other, and one that comes back is the next. */
START_TEST(a_window_goes_out_between_its_messages_halves_and_its_board_stays_as_it_was)
{
    struct hs_out lent[OWNER_BOARDS];

    begin(send_around_a_window);
    for (uint32_t i = 0; i < OWNER_BOARDS; i++) {
        atomic_store(&boards_due, 1);
        hs_wake_post(&owner_wake);
        wait_for(&boards_frozen, i + 1);
        struct hs_in in = frame_in();
        give(&in);
        struct hs_out head = expect_part(NULL, 60, true);
        lent[i] = expect_part(NULL, 300, true);
        struct hs_out tail = expect_part(head.chunk, 40, false);
        ck_assert(lent[i].chunk->board && !head.chunk->board);
        ck_assert_uint_eq(tail.off, head.off + 60);
        ck_assert_uint_eq(lent[i].off, 200);
        give_back(&head);
        give_back(&tail);
    }
    for (uint32_t i = 0; i < OWNER_BOARDS; i++)
        ck_assert_uint_eq(lent[i].chunk->bytes[lent[i].off + 299], i + 1);
    atomic_store(&boards_due, 1);
    hs_wake_post(&owner_wake);
    usleep(10000);
    ck_assert_uint_eq(atomic_load(&boards_frozen), OWNER_BOARDS);
    give_back(&lent[1]);
    hs_wake_post(&owner_wake);
    wait_for(&boards_frozen, OWNER_BOARDS + 1);
    ck_assert_uint_eq(lent[1].chunk->bytes[0], OWNER_BOARDS + 1);
    for (uint32_t i = 0; i < OWNER_BOARDS; i++)
        if (i != 1)
            give_back(&lent[i]);
    end();
    ck_assert_uint_eq(owner_boards_out(&owner->boards), 0);
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
        ck_assert_uint_ge(p->topo->version, (uint64_t)req.number);
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

START_TEST(a_new_configuration_reaches_the_reactors_and_the_view)
{
    static struct hs_conf conf;
    begin(NULL);
    hs_conf_defaults(&conf);
    conf.node_timeout_ms = 7000;
    conf.maxclients = 5;
    conf.timeout_s = 6;
    conf.tcp_keepalive_s = 8;
    conf.link_sendbuf_limit = 9;
    struct hs_request req = {.kind = HS_REQ_CONF, .conn = {1, 1}, .conf = &conf};
    struct hs_in in = {.kind = HS_IN_REQUEST, .conn = {1, 1}, .ptr = &req};
    give(&in);
    ck_assert_int_eq(get().kind, HS_OUT_REPLY);
    ck_assert_int_eq(req.err, HS_CMD_OK);
    const struct hs_published *p = hs_snapshot_begin(snapshot, 0);
    ck_assert_uint_eq(p->conf.maxclients, 5);
    ck_assert_str_eq(p->save_error, "write: no room");
    ck_assert_uint_eq(p->conf_n, 1);
    hs_snapshot_end(snapshot, 0);
    conf.maxclients = 50; /* made from the view before: it would undo the 5 */
    give(&in);
    ck_assert_int_eq(get().kind, HS_OUT_REPLY);
    ck_assert_int_eq(req.err, HS_CMD_ERR_CONF_CHANGED);
    end();
    ck_assert_uint_eq(net_tune.dial_timeout_ms, 7000);
    ck_assert_uint_eq(net_tune.stall_timeout_ms, 7000);
    ck_assert_uint_eq(net_tune.clients_max, 5);
    ck_assert_uint_eq(net_tune.client_timeout_s, 6);
    ck_assert_uint_eq(net_tune.tcp_keepalive_s, 8);
    ck_assert_uint_eq(net_tune.sendbuf_limit, 9);
    conf.node_timeout_ms = 1000;
    hs_owner_net_tune(&conf, &net_tune);
    ck_assert_uint_eq(net_tune.dial_timeout_ms, 1000);
    ck_assert_uint_eq(net_tune.stall_timeout_ms, 5000);
}
END_TEST

static void wait_ask(uint64_t n)
{
    for (int ms = 0; atomic_load(&asks_n) != n; ms++) {
        ck_assert_int_lt(ms, WAIT_MS);
        usleep(1000);
    }
}

static void do_asked(void)
{
    asked_run(asked_ctx);
    atomic_fetch_add(&asked_n, 1);
    hs_wake_post(&owner_wake);
}

START_TEST(rewrites_are_the_stores_one_at_a_time_and_with_the_newest_values)
{
    static struct hs_conf conf[3], changed;
    char why[3][HS_WHY_MAX];
    struct hs_request reqs[3];
    begin(NULL);
    for (uint32_t i = 0; i < 3; i++) {
        reqs[i] = (struct hs_request){.kind = HS_REQ_REWRITE,
                                      .conn = {1, 1},
                                      .conf = &conf[i],
                                      .path = "/no/such/file",
                                      .why = why[i]};
        struct hs_in in = {.kind = HS_IN_REQUEST, .conn = {1, 1}, .ptr = &reqs[i]};
        give(&in);
    }
    wait_ask(1);
    hs_conf_defaults(&changed);
    changed.maxclients = 5;
    struct hs_request set = {.kind = HS_REQ_CONF, .conn = {1, 1}, .conf = &changed};
    struct hs_in in = {.kind = HS_IN_REQUEST, .conn = {1, 1}, .ptr = &set};
    give(&in); /* nobody waits for the store but who asked for it */
    ck_assert_ptr_eq(get().ptr, &set);
    ck_assert_uint_eq(atomic_load(&asks_n), 1);
    do_asked();
    ck_assert_ptr_eq(get().ptr, &reqs[0]);
    ck_assert_int_ne(reqs[0].number, 0);
    ck_assert_ptr_nonnull(strstr(why[0], "/no/such/file"));
    wait_ask(2);
    ck_assert_uint_eq(conf[1].maxclients, 5);
    hs_owner_stop(owner);
    ck_assert_ptr_eq(get().ptr, &reqs[2]); /* a stop waits for the one that was begun */
    ck_assert_str_eq(why[2], "the server stops");
    ck_assert_int_eq(get().kind, HS_OUT_STOP);
    do_asked();
    ck_assert_ptr_eq(get().ptr, &reqs[1]);
    pthread_join(thread, NULL);
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

START_TEST(while_entries_wait_for_a_reactor_nothing_is_taken_from_it)
{
    script = send_many;
    struct hs_event ev = {.type = HS_EV_RECV, .link = {7, 3}};
    owner_step(owner, &ev);
    ck_assert(owner_port_is_blocked(&owner->ports[0]));
    uint64_t before = atomic_load(&steps[HS_EV_RECV]);
    begin(send_many);
    struct hs_in in = frame_in();
    give(&in);
    usleep(50000);
    ck_assert_uint_eq(atomic_load(&steps[HS_EV_RECV]), before);
    struct hs_out out;
    for (int ms = 0; atomic_load(&steps[HS_EV_RECV]) == before; ms++) {
        ck_assert_int_lt(ms, WAIT_MS);
        while (hs_out_ring_pop(&out_ring, &out))
            give_back(&out);
        usleep(1000);
    }
    end();
}
END_TEST

static void fill_then_dial(const struct hs_event *ev, struct hs_actions *out)
{
    if (ev->type == HS_EV_RECV)
        for (uint32_t i = 0; i < LINKS && out->n < ACTIONS; i++)
            add_send(out, i, 16);
    if (ev->type == HS_EV_COMMAND)
        dial_on_frame(&(struct hs_event){.type = HS_EV_RECV}, out);
    if (ev->type == HS_EV_DIAL_FAILED)
        dial_on_frame(ev, out);
}

START_TEST(a_dial_without_room_fails_and_the_core_hears_of_it)
{
    script = fill_then_dial;
    struct hs_event fill = {.type = HS_EV_RECV, .link = {7, 3}}, dial = {.type = HS_EV_COMMAND};
    while (owner->counters[HS_OWNER_OVERFLOWS] == 0)
        owner_step(owner, &fill);
    owner_step(owner, &dial);
    owner_step(owner, &dial);
    ck_assert_uint_eq(owner->counters[HS_OWNER_REFUSALS], 2);
    ck_assert_uint_eq(atomic_load(&steps[HS_EV_DIAL_FAILED]), 0);
    begin(fill_then_dial);
    struct hs_out out;
    for (int ms = 0; atomic_load(&steps[HS_EV_DIAL_FAILED]) < 2; ms++) {
        ck_assert_int_lt(ms, WAIT_MS);
        while (hs_out_ring_pop(&out_ring, &out))
            give_back(&out);
        usleep(1000);
    }
    while (hs_out_ring_pop(&out_ring, &out))
        give_back(&out);
    end();
}
END_TEST

START_TEST(an_accepted_connection_is_sent_to_its_reactor)
{
    begin(NULL);
    struct hs_conn_up *up = hs_alloc(sizeof(*up));
    strcpy(up->peer_ip, "127.0.0.1");
    struct hs_in in = {.kind = HS_IN_ACCEPTED, .up = up, .dial = HS_LISTEN_BUS, .number = 12345};
    give(&in);
    struct hs_out out = get();
    ck_assert_int_eq(out.kind, HS_OUT_ADOPT);
    ck_assert_uint_eq(out.len, 12345);
    ck_assert_uint_eq(out.dial, HS_LISTEN_BUS);
    end();
}
END_TEST

/* A descriptor that shows whether somebody closed it. */
static bool is_adopted(const char *peer_ip, const char *local_ip)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    struct hs_conn_up *up = hs_alloc(sizeof(*up));
    snprintf(up->peer_ip, sizeof(up->peer_ip), "%s", peer_ip);
    snprintf(up->local_ip, sizeof(up->local_ip), "%s", local_ip);
    uint64_t denied = owner->counters[HS_OWNER_BUS_DENIED];
    struct hs_in in = {.kind = HS_IN_ACCEPTED, .up = up, .dial = HS_LISTEN_BUS, .number = ends[1]};
    owner_adopt(owner, &in);
    struct hs_out out;
    bool adopted = hs_out_ring_pop(&out_ring, &out);
    ck_assert_int_eq(fcntl(ends[1], F_GETFD) >= 0, adopted);
    ck_assert_uint_eq(owner->counters[HS_OWNER_BUS_DENIED] - denied, !adopted);
    if (adopted)
        close(ends[1]);
    close(ends[0]);
    return adopted;
}

START_TEST(a_bus_connection_is_adopted_only_from_where_bus_allow_says)
{
    static const char *const near[] = {"127.0.0.1",   "::1",        "10.1.2.3", "172.31.0.9",
                                       "192.168.1.1", "100.64.0.1", "fd00::7",  "fe80::1"};
    static const char *const far[] = {"8.8.8.8", "172.32.0.1", "2001:db8::1", ""};
    for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++)
        ck_assert_msg(is_adopted(near[i], "9.9.9.9"), "%s", near[i]);
    for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++)
        ck_assert_msg(!is_adopted(far[i], "9.9.9.9"), "%s", far[i]);
    ck_assert(is_adopted("9.9.9.9", "9.9.9.9")); /* from this very host */

    char why[256];
    const char *list = "8.8.8.0/24 2001:db8::/32";
    ck_assert_int_eq(hs_conf_set(&owner->conf, hs_conf_find("bus-allow", 9), list, strlen(list),
                                 why, sizeof(why)),
                     0);
    ck_assert(is_adopted("8.8.8.8", "9.9.9.9") && is_adopted("2001:db8::1", "9.9.9.9"));
    ck_assert(is_adopted("127.0.0.1", "9.9.9.9") && is_adopted("::1", "9.9.9.9"));
    ck_assert(!is_adopted("8.8.9.8", "9.9.9.9") && !is_adopted("10.1.2.3", "9.9.9.9"));
}
END_TEST

/* ---- the pace of copies: by what they cost, not by how long they were interrupted ---- */

enum { STALL_MS = 400 }; /* twenty times that is more than WAIT_MS */

static void wait_for_view(uint64_t at_least)
{
    uint64_t seen = 0;
    for (int ms = 0; seen < at_least; ms++) {
        ck_assert_int_lt(ms, WAIT_MS);
        usleep(1000);
        const struct hs_published *p = hs_snapshot_begin(snapshot, 0);
        seen = p->topo->version;
        hs_snapshot_end(snapshot, 0);
    }
}

static void change(uint64_t to)
{
    atomic_store(&version, to);
    hs_wake_post(&owner_wake);
    wait_for_view(to);
}

START_TEST(a_copy_that_was_interrupted_does_not_put_the_next_off)
{
    begin(NULL);
    uint64_t now = atomic_load(&version);
    atomic_store(&copy_stalls_ms, STALL_MS);
    change(now + 1);
    atomic_store(&copy_stalls_ms, 0);
    change(now + 2);
    change(now + 3);
    end();
}
END_TEST

static void lazy_save_on_frame(const struct hs_event *ev, struct hs_actions *out)
{
    static uint64_t seq;
    if (ev->type == HS_EV_RECV)
        add(out, HS_ACT_SAVE)->seq = ++seq;
}

START_TEST(a_save_that_was_interrupted_does_not_put_the_next_off)
{
    struct hs_in in = frame_in();
    begin(lazy_save_on_frame);
    atomic_store(&copy_stalls_ms, STALL_MS);
    give(&in);
    wait_for(&submitted_seq, 1);
    atomic_store(&copy_stalls_ms, 0);
    give(&in);
    wait_for(&submitted_seq, 2);
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
    tcase_add_test(t, a_window_goes_out_between_its_messages_halves_and_its_board_stays_as_it_was);
    tcase_add_test(t, a_reply_leaves_after_the_view_that_contains_its_effect);
    tcase_add_test(t, a_save_is_submitted_and_the_core_hears_of_its_end);
    tcase_add_test(t, a_stop_saves_once_more_and_tells_the_reactors);
    tcase_add_test(t, a_link_whose_reactor_takes_nothing_is_closed_once);
    tcase_add_test(t, without_a_free_chunk_frames_wait_until_one_comes_back);
    tcase_add_test(t, a_shutdown_is_passed_on_and_answered_at_the_stop);
    tcase_add_test(t, a_new_configuration_reaches_the_reactors_and_the_view);
    tcase_add_test(t, rewrites_are_the_stores_one_at_a_time_and_with_the_newest_values);
    tcase_add_test(t, a_dial_carries_address_and_name_and_its_failure_brings_the_name_back);
    tcase_add_test(t, while_entries_wait_for_a_reactor_nothing_is_taken_from_it);
    tcase_add_test(t, a_dial_without_room_fails_and_the_core_hears_of_it);
    tcase_add_test(t, an_accepted_connection_is_sent_to_its_reactor);
    tcase_add_test(t, a_bus_connection_is_adopted_only_from_where_bus_allow_says);
    tcase_add_test(t, a_copy_that_was_interrupted_does_not_put_the_next_off);
    tcase_add_test(t, a_save_that_was_interrupted_does_not_put_the_next_off);
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
