/* watch_views.h - two views, what a look at them told, and the reader of it.
 *
 * For tests of one file each: all is static. setup() makes both views equal.
 */
#ifndef WATCH_VIEWS_H
#define WATCH_VIEWS_H

#include "hs_test.h"
#include "watch_int.h"

#include <stdio.h>
#include <string.h>

enum { NODES = 6, TIMEOUT_MS = 2000 };

static struct hs_watch *w;
static struct hs_topo *old, *new;
static struct hs_now now;
static const char *save_error;
static int64_t certificate_end_s;
static struct hs_tls_refusal refusal;

static void told(void *ctx)
{
    (void)ctx;
}

static struct hs_node_id id_of(uint32_t i)
{
    struct hs_node_id id;
    memset(id.hex, (int)('a' + i), HS_ID_LEN);
    return id;
}

/* Six masters; the first four share the slots. */
static struct hs_topo *masters(void)
{
    struct hs_topo *t = hs_topo_create(NODES, 0, 1024);
    ck_assert_ptr_nonnull(t);
    t->nodes_n = NODES;
    for (uint32_t i = 0; i < NODES; i++) {
        struct hs_topo_node *n = &t->nodes[i];
        *n = (struct hs_topo_node){.id = id_of(i),
                                   .port = (uint16_t)(7000 + i),
                                   .cport = (uint16_t)(17000 + i),
                                   .flags = HS_NODE_MASTER,
                                   .master = HS_TOPO_NONE,
                                   .config_epoch = i + 1,
                                   .heard_to_ms = now.wall.ms,
                                   .heard_from_ms = now.wall.ms,
                                   .link_to_ms = 1,
                                   .link_from_ms = 1,
                                   .hostname = "",
                                   .nodename = "",
                                   .client_ipv4 = "",
                                   .client_ipv6 = ""};
        snprintf(n->ip, sizeof(n->ip), "10.0.0.%u", i);
    }
    t->nodes[0].flags |= HS_NODE_MYSELF;
    for (uint32_t s = 0; s < HS_SLOTS; s++) {
        t->owner[s] = (uint16_t)(s / 4096);
        t->nodes[t->owner[s]].slots_n++;
    }
    t->ok = true;
    t->size = 4;
    t->taken_ms = now.wall.ms;
    return t;
}

static void setup(void)
{
    now = (struct hs_now){.mono = {1000000}, .wall = {1700000000000}};
    static const struct hs_watch_conf conf = {.nodes_max = NODES, .told = told};
    w = hs_watch_create(&conf);
    ck_assert_ptr_nonnull(w);
    save_error = "";
    certificate_end_s = 0;
    refusal = (struct hs_tls_refusal){.ip = ""};
    old = masters();
    new = masters();
}

static void teardown(void)
{
    hs_topo_destroy(old);
    hs_topo_destroy(new);
    hs_watch_destroy(w);
}

static void look(void)
{
    struct look k = {.old = old,
                     .new = new,
                     .now = now,
                     .timeout_ms = TIMEOUT_MS,
                     .certificate_end_s = certificate_end_s,
                     .save_error = save_error,
                     .save_failures = 3,
                     .refusals = {refusal},
                     .refusals_n = refusal.times > 0};
    watch_look(w, &k);
}

static void pass(int64_t ms)
{
    now.mono.ms += ms;
    now.wall.ms += ms;
    new->taken_ms = now.wall.ms;
    for (uint32_t i = 0; i < NODES; i++)
        new->nodes[i].heard_to_ms = new->nodes[i].heard_from_ms = now.wall.ms;
}

/* The next event is this one; with text NULL only its name is compared. */
static uint64_t at;

static void ck_told(enum hs_told_kind kind, const char *text)
{
    struct hs_told t;
    uint64_t lost = 0;
    if (at < w->journal.first - 1 || at > hs_watch_newest(w))
        at = w->journal.first - 1;
    ck_assert_msg(hs_watch_next(w, &at, &t, &lost), "nothing told, wanted %s",
                  hs_told_row(kind)->name);
    ck_assert_str_eq(hs_told_row(t.kind)->name, hs_told_row(kind)->name);
    if (text != NULL)
        ck_assert_str_eq(t.text, text);
}

static void ck_no_more(void)
{
    struct hs_told t;
    uint64_t lost = 0;
    if (at < w->journal.first - 1 || at > hs_watch_newest(w))
        at = w->journal.first - 1;
    bool more = hs_watch_next(w, &at, &t, &lost);
    ck_assert_msg(!more, "told %s %s", hs_told_row(t.kind)->name, t.text);
}

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define F "ffffffffffffffffffffffffffffffffffffffff"
#define ABOUT_B "node=" B " name=- address=10.0.0.1:7001@17001 role=master"
#define ABOUT_F "node=" F " name=- address=10.0.0.5:7005@17005 role="

#endif
