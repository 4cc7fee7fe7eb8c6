/* pubsub.c - the commands of pub/sub.
 *
 * Subscribing is the reactor's affair: its own set of channels, and a count in
 * the directory. Publishing is the owner's, which knows the other nodes; the
 * reply is how many clients of this node got the message. */
#include "admin_int.h"

#include <stdlib.h>

static enum topic_kind kind_of(const struct call *c)
{
    const char *name = c->cmd->name;
    if (strcmp(name, "psubscribe") == 0 || strcmp(name, "punsubscribe") == 0)
        return TOPIC_PATTERN;
    bool shard = name[0] == 's' && strcmp(name, "subscribe") != 0;
    return shard ? TOPIC_SHARD : TOPIC_CHANNEL;
}

static uint32_t subscriptions_n(const struct session *s)
{
    uint32_t n = 0;
    for (int k = 0; k < TOPIC_KINDS; k++)
        n += s->listening.kinds[k].n;
    return n;
}

bool admin_is_subscriber(const struct session *s)
{
    return subscriptions_n(s) > 0;
}

bool admin_allowed_to_subscriber(struct call *c)
{
    if (c->s->sink.proto != 2 || (c->cmd->flags & SUBSCRIBED) != 0 || !admin_is_subscriber(c->s))
        return true;
    bool is_sub = c->top != c->cmd;
    admin_error(c->s,
                "ERR Can't execute '%s%s%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT "
                "/ RESET are allowed in this context",
                c->top->name, is_sub ? "|" : "", is_sub ? c->cmd->name : "");
    return false;
}

/* ---- what a subscriber reads ---- */

static void push_put(void *ctx, const void *p, size_t n)
{
    struct session *s = ctx;
    HS_ASSERT(s->out != NULL);
    hs_outbuf_put(s->out, p, n);
}

/* Pushes are no replies: CLIENT REPLY does not silence them. */
struct hs_resp_sink admin_push_sink(struct session *s)
{
    return (struct hs_resp_sink){.put = push_put, .ctx = s, .proto = s->sink.proto};
}

/* The count that belongs to a kind: shard channels are counted apart. */
static uint32_t shown_n(const struct session *s, enum topic_kind kind)
{
    if (kind == TOPIC_SHARD)
        return s->listening.kinds[TOPIC_SHARD].n;
    return s->listening.kinds[TOPIC_CHANNEL].n + s->listening.kinds[TOPIC_PATTERN].n;
}

/* name NULL: there was nothing to end. */
static void confirm(struct call *c, const struct hs_arg *name)
{
    struct hs_resp_sink out = admin_push_sink(c->s);
    hs_resp_push(&out, 3);
    hs_resp_bulk_str(&out, c->cmd->name);
    if (name != NULL)
        hs_resp_bulk(&out, name->p, name->n);
    else
        hs_resp_null(&out);
    hs_resp_int(&out, shown_n(c->s, kind_of(c)));
}

/* ---- subscribing ---- */

/* What others may read of it, after a change. */
static void tell(struct session *s, enum topic_kind kind)
{
    struct reactor *r = s->reactor;
    atomic_store_explicit(&s->listening_n[kind], s->listening.kinds[kind].n, memory_order_relaxed);
    hs_net_set_subscribers(*s->admin->conf.net, s->info.reactor, r->channels.n > 0);
}

static void directory_down(struct hs_admin *a, enum topic_kind kind, const char *name, size_t n)
{
    hs_lock_take(a->directory_lock);
    channels_count_down(&a->directory, kind, name, n);
    hs_lock_release(a->directory_lock);
}

static bool directory_up(struct hs_admin *a, enum topic_kind kind, const char *name, size_t n)
{
    hs_lock_take(a->directory_lock);
    bool counted = channels_count_up(&a->directory, kind, name, n);
    hs_lock_release(a->directory_lock);
    return counted;
}

bool admin_subscribe(struct call *c, enum topic_kind kind, const struct hs_arg *name)
{
    struct session *s = c->s;
    struct channels *channels = &s->reactor->channels;
    if (channels_subscription(channels, kind, s, name->p, name->n) != NULL)
        return true;
    if (subscriptions_n(s) >= ADMIN_SUBSCRIPTIONS_MAX) {
        admin_error(s, "ERR a client may have %d subscriptions at most", ADMIN_SUBSCRIPTIONS_MAX);
        return false;
    }
    if (channels->n == 0)
        admin_events_catch_up(s->admin, s->reactor);
    bool counted = directory_up(s->admin, kind, name->p, name->n);
    if (counted && channels_subscribe(channels, kind, s, &s->listening, name->p, name->n) != NULL) {
        tell(s, kind);
        return true;
    }
    if (counted)
        directory_down(s->admin, kind, name->p, name->n);
    admin_error(s, "ERR out of memory");
    return false;
}

void admin_cmd_subscribe(struct call *c)
{
    enum topic_kind kind = kind_of(c);
    if (kind == TOPIC_SHARD && !admin_shard_served(c))
        return;
    for (size_t i = 1; i < c->argc; i++) {
        if (!admin_subscribe(c, kind, &c->argv[i]))
            return;
        confirm(c, &c->argv[i]);
    }
}

void admin_unsubscribe(struct session *s, struct subscription *sub)
{
    enum topic_kind kind = sub->topic->kind;
    directory_down(s->admin, kind, sub->topic->name, sub->topic->n);
    channels_unsubscribe(&s->reactor->channels, &s->listening, sub);
    tell(s, kind);
}

void admin_unsubscribe_all(struct session *s)
{
    for (int k = 0; k < TOPIC_KINDS; k++)
        while (s->listening.kinds[k].first != NULL)
            admin_unsubscribe(s, s->listening.kinds[k].first);
}

/* Without names: everything of that kind. The name is confirmed before its
 * subscription is gone, since it may be the last to hold it. */
static void unsubscribe_kind(struct call *c, enum topic_kind kind)
{
    struct session *s = c->s;
    if (s->listening.kinds[kind].first == NULL)
        confirm(c, NULL);
    while (s->listening.kinds[kind].first != NULL) {
        struct subscription *sub = s->listening.kinds[kind].first;
        struct hs_resp_sink out = admin_push_sink(s);
        hs_resp_push(&out, 3);
        hs_resp_bulk_str(&out, c->cmd->name);
        hs_resp_bulk(&out, sub->topic->name, sub->topic->n);
        admin_unsubscribe(s, sub);
        hs_resp_int(&out, shown_n(s, kind));
    }
}

void admin_cmd_unsubscribe(struct call *c)
{
    enum topic_kind kind = kind_of(c);
    if (kind == TOPIC_SHARD && !admin_shard_served(c))
        return;
    if (c->argc == 1)
        unsubscribe_kind(c, kind);
    for (size_t i = 1; i < c->argc; i++) {
        const struct hs_arg *name = &c->argv[i];
        struct subscription *sub =
            channels_subscription(&c->s->reactor->channels, kind, c->s, name->p, name->n);
        if (sub != NULL)
            admin_unsubscribe(c->s, sub);
        confirm(c, name);
    }
}

/* ---- publishing ---- */

static void answer_publish(struct hs_resp_sink *out, struct session *s, struct admin_request *r)
{
    (void)s;
    hs_resp_int(out, r->base.number);
}

/* PUBLISH and SPUBLISH. The bound is that of a frame: peers close the link of
 * one who sends more than they take, and a node of ours takes no more. */
void admin_cmd_publish(struct call *c)
{
    const struct hs_arg *channel = &c->argv[1], *message = &c->argv[2];
    bool sharded = c->cmd->first != 0;
    if (sharded && !admin_shard_served(c))
        return;
    if (!sharded && admin_is_event_channel(channel->p, channel->n)) {
        admin_error(c->s, "ERR channels that begin with __hearsay__: are for events of this node");
        return;
    }
    if (channel->n > HS_PUBLISH_MAX || message->n > HS_PUBLISH_MAX - channel->n) {
        admin_error(c->s,
                    "ERR channel and message are longer than %d bytes, the most that the cluster "
                    "bus carries",
                    HS_PUBLISH_MAX);
        return;
    }
    uint8_t *bytes = hs_alloc(channel->n + message->n + 1);
    struct admin_request *r = bytes != NULL ? admin_request_new(c, HS_REQ_PUBLISH) : NULL;
    if (r == NULL) {
        if (bytes == NULL)
            admin_error(c->s, "ERR out of memory");
        hs_free(bytes);
        return;
    }
    memcpy(bytes, channel->p, channel->n);
    memcpy(bytes + channel->n, message->p, message->n);
    r->bytes = bytes;
    r->publish = (struct hs_publish){
        .channel = bytes,
        .message = bytes + channel->n,
        .channel_len = (uint32_t)channel->n,
        .message_len = (uint32_t)message->n,
    };
    r->base.cmd.type = HS_CMD_PUBLISH;
    r->base.cmd.publish = &r->publish;
    r->base.cmd.sharded = sharded;
    r->answer = answer_publish;
}

/* ---- PUBSUB ---- */

static enum topic_kind asked_kind(const struct call *c)
{
    return strncmp(c->cmd->name, "shard", 5) == 0 ? TOPIC_SHARD : TOPIC_CHANNEL;
}

static bool is_listed(const struct topic *t, const struct hs_arg *pattern)
{
    struct hs_arg name = {.p = t->name, .n = t->n};
    return pattern == NULL || admin_glob(pattern, &name, false);
}

/* Names of arbitrary length go through a text of their own, so that the lock is
 * not held while a reply grows. */
void admin_pubsub_channels(struct call *c)
{
    if (c->argc > 3) {
        admin_sub_syntax(c);
        return;
    }
    const struct hs_arg *pattern = c->argc == 3 ? &c->argv[2] : NULL;
    struct text names = {0};
    struct hs_resp_sink out = admin_text_sink(&names, c->out->proto);
    size_t n = 0;
    hs_lock_take(c->a->directory_lock);
    const struct topic *t = c->a->directory.kinds[asked_kind(c)].first;
    for (; t != NULL; t = t->next) {
        if (!is_listed(t, pattern))
            continue;
        hs_resp_bulk(&out, t->name, t->n);
        n++;
    }
    hs_lock_release(c->a->directory_lock);
    if (names.failed) {
        admin_error(c->s, "ERR out of memory");
    } else {
        hs_resp_array(c->out, n);
        if (n > 0)
            c->out->put(c->out->ctx, names.p, names.n);
    }
    admin_text_free(&names);
}

static uint32_t directory_n(struct hs_admin *a, enum topic_kind kind, const struct hs_arg *name)
{
    hs_lock_take(a->directory_lock);
    const struct topic *t = channels_find(&a->directory, kind, name->p, name->n);
    uint32_t n = t != NULL ? t->listeners_n : 0;
    hs_lock_release(a->directory_lock);
    return n;
}

void admin_pubsub_numsub(struct call *c)
{
    hs_resp_array(c->out, (c->argc - 2) * 2);
    for (size_t i = 2; i < c->argc; i++) {
        hs_resp_bulk(c->out, c->argv[i].p, c->argv[i].n);
        hs_resp_int(c->out, directory_n(c->a, asked_kind(c), &c->argv[i]));
    }
}

/* As the stock server: patterns, not subscriptions to them. */
void admin_pubsub_numpat(struct call *c)
{
    hs_lock_take(c->a->directory_lock);
    uint32_t n = c->a->directory.kinds[TOPIC_PATTERN].by_name.n;
    hs_lock_release(c->a->directory_lock);
    hs_resp_int(c->out, n);
}

void admin_pubsub_help(struct call *c)
{
    admin_help(c, "PUBSUB", admin_pubsub_subs);
}
