/* events.c - what the watch tells, to those clients of this node who listen:
 * to channels named after events, or by HEARSAY EVENTS.
 *
 * The watch wakes the reactors; each takes from the journal what it has not
 * delivered yet, on its own thread. Such channels belong to this node alone:
 * nothing on them goes over the bus, nobody else may publish on them, and a
 * message from a peer that says it is on one is not delivered.
 */
#include "admin_int.h"

#define PREFIX "__hearsay__:"

bool admin_is_event_channel(const void *channel, size_t n)
{
    return n >= sizeof(PREFIX) - 1 && memcmp(channel, PREFIX, sizeof(PREFIX) - 1) == 0;
}

void admin_events_catch_up(struct hs_admin *a, struct reactor *r)
{
    r->events_seen = hs_watch_newest(a->conf.watch);
}

/* The topic of HEARSAY EVENTS is a list of patterns with a blank between them. */
static bool is_asked_for(const struct topic *t, const char *name)
{
    struct hs_arg subject = {.p = name, .n = strlen(name)};
    for (size_t at = 0; at < t->n;) {
        const char *end = memchr(t->name + at, ' ', t->n - at);
        size_t len = end != NULL ? (size_t)(end - t->name) - at : t->n - at;
        if (admin_glob(&(struct hs_arg){.p = t->name + at, .n = len}, &subject, false))
            return true;
        at += len + 1;
    }
    return false;
}

static void push_to(struct hs_admin *a, const struct topic *t, const char *name, const char *text)
{
    for (const struct subscription *sub = t->first; sub != NULL; sub = sub->next) {
        struct text push = {0};
        struct hs_resp_sink out = admin_text_sink(&push, sub->session->sink.proto);
        hs_resp_push(&out, 3);
        hs_resp_bulk_str(&out, "hearsay-event");
        hs_resp_bulk_str(&out, name);
        hs_resp_bulk_str(&out, text);
        if (!push.failed)
            hs_client_push(*a->conf.net, sub->session->info.conn, push.p, push.n);
        admin_text_free(&push);
    }
}

static void deliver(struct hs_admin *a, struct reactor *r, const char *name, const char *text)
{
    char channel[sizeof(PREFIX) + 32];
    int n = snprintf(channel, sizeof(channel), PREFIX "%s", name);
    HS_ASSERT(n > 0 && (size_t)n < sizeof(channel));
    struct hs_publish p = {
        .channel = (const uint8_t *)channel,
        .message = (const uint8_t *)text,
        .channel_len = (uint32_t)n,
        .message_len = (uint32_t)strlen(text),
    };
    admin_deliver_channel(a, &r->channels, &p);
    const struct topic *t = r->channels.kinds[TOPIC_EVENTS].first;
    for (; t != NULL; t = t->next)
        if (is_asked_for(t, name))
            push_to(a, t, name, text);
}

void admin_events_deliver(struct hs_admin *a, uint32_t reactor)
{
    struct reactor *r = &a->reactors[reactor];
    if (r->events_seen == hs_watch_newest(a->conf.watch))
        return;
    if (r->channels.n == 0) {
        admin_events_catch_up(a, r);
        return;
    }
    struct hs_told told;
    uint64_t lost = 0;
    char text[64];
    while (hs_watch_next(a->conf.watch, &r->events_seen, &told, &lost)) {
        if (lost > 0) {
            atomic_fetch_add_explicit(&r->events_lost, lost, memory_order_relaxed);
            snprintf(text, sizeof(text), "n=%llu", (unsigned long long)lost);
            deliver(a, r, hs_told_row(HS_TOLD_LOST)->name, text);
            lost = 0;
        }
        deliver(a, r, hs_told_row(told.kind)->name, told.text);
    }
}

/* ---- HEARSAY EVENTS ON [pattern ...] | OFF ---- */

void admin_events_off(struct session *s)
{
    while (s->listening.kinds[TOPIC_EVENTS].first != NULL)
        admin_unsubscribe(s, s->listening.kinds[TOPIC_EVENTS].first);
}

static bool join(struct call *c, struct text *patterns)
{
    for (size_t i = 3; i < c->argc; i++) {
        if (c->argv[i].n == 0 || memchr(c->argv[i].p, ' ', c->argv[i].n) != NULL) {
            admin_error(c->s, "ERR a pattern of event names is not empty and has no blanks");
            return false;
        }
        if (i > 3)
            admin_text_put(patterns, " ", 1);
        admin_text_put(patterns, c->argv[i].p, c->argv[i].n);
    }
    if (c->argc == 3)
        admin_text_put(patterns, "*", 1);
    if (patterns->failed)
        admin_error(c->s, "ERR out of memory");
    return !patterns->failed;
}

void admin_hearsay_events(struct call *c)
{
    if (admin_arg_is(&c->argv[2], "off") && c->argc == 3) {
        admin_events_off(c->s);
        admin_ok(c);
        return;
    }
    if (!admin_arg_is(&c->argv[2], "on")) {
        admin_sub_syntax(c);
        return;
    }
    if (c->s->sink.proto != 3) {
        admin_error(c->s, "ERR HEARSAY EVENTS sends pushes, which RESP2 has not: say HELLO 3 "
                          "first, or PSUBSCRIBE " PREFIX "*");
        return;
    }
    struct text patterns = {0};
    if (join(c, &patterns)) {
        admin_events_off(c->s);
        struct hs_arg name = {.p = patterns.p, .n = patterns.n};
        if (admin_subscribe(c, TOPIC_EVENTS, &name))
            admin_ok(c);
    }
    admin_text_free(&patterns);
}
