/* deliver.c - messages to the subscribers of one reactor, on its thread.
 *
 * A message is encoded once per topic and protocol and appended to each
 * subscriber's output. One who leaves too much of it unread is closed by net,
 * which counts it; the others do not notice. */
#include "admin_int.h"

/* One push message in each protocol, made when the first subscriber wants it. */
struct encoded {
    const char *word;
    const struct topic *topic;
    const struct hs_publish *p;
    struct text text[2];
};

static const struct text *encode(struct encoded *e, int proto)
{
    struct text *t = &e->text[proto == 3];
    if (t->n > 0 || t->failed)
        return t;
    struct hs_resp_sink out = admin_text_sink(t, proto);
    bool by_pattern = e->topic->kind == TOPIC_PATTERN;
    hs_resp_push(&out, by_pattern ? 4 : 3);
    hs_resp_bulk_str(&out, e->word);
    if (by_pattern)
        hs_resp_bulk(&out, e->topic->name, e->topic->n);
    hs_resp_bulk(&out, e->p->channel, e->p->channel_len);
    hs_resp_bulk(&out, e->p->message, e->p->message_len);
    return t;
}

static uint32_t deliver_topic(struct hs_admin *a, const struct topic *topic, const char *word,
                              const struct hs_publish *p)
{
    struct encoded e = {.word = word, .topic = topic, .p = p};
    uint32_t n = 0;
    for (const struct subscription *sub = topic->first; sub != NULL; sub = sub->next) {
        const struct text *t = encode(&e, sub->session->sink.proto);
        if (!t->failed && hs_client_push(*a->conf.net, sub->session->info.conn, t->p, t->n))
            n++;
    }
    admin_text_free(&e.text[0]);
    admin_text_free(&e.text[1]);
    return n;
}

uint32_t admin_deliver_channel(struct hs_admin *a, const struct channels *channels,
                               const struct hs_publish *p)
{
    struct hs_arg channel = {.p = (const char *)p->channel, .n = p->channel_len};
    const struct topic *t = channels_find(channels, TOPIC_CHANNEL, channel.p, channel.n);
    uint32_t n = t != NULL ? deliver_topic(a, t, "message", p) : 0;
    for (t = channels->kinds[TOPIC_PATTERN].first; t != NULL; t = t->next) {
        struct hs_arg pattern = {.p = t->name, .n = t->n};
        if (admin_glob(&pattern, &channel, false))
            n += deliver_topic(a, t, "pmessage", p);
    }
    return n;
}

uint32_t admin_deliver(void *ctx, uint32_t reactor, const struct hs_publish *p, bool sharded)
{
    struct hs_admin *a = ctx;
    struct reactor *r = &a->reactors[reactor];
    if (!sharded && admin_is_event_channel(p->channel, p->channel_len)) {
        atomic_fetch_add_explicit(&r->events_forged, 1, memory_order_relaxed);
        return 0;
    }
    if (!sharded)
        return admin_deliver_channel(a, &r->channels, p);
    const struct topic *t =
        channels_find(&r->channels, TOPIC_SHARD, (const char *)p->channel, p->channel_len);
    return t != NULL ? deliver_topic(a, t, "smessage", p) : 0;
}

/* ---- shard channels whose slot has gone ---- */

/* Ends one subscription, and tells its client, who is in no call of its own. */
static void end_shard(struct hs_admin *a, struct subscription *sub)
{
    struct session *s = sub->session;
    struct text text = {0};
    struct hs_resp_sink out = admin_text_sink(&text, s->sink.proto);
    hs_resp_push(&out, 3);
    hs_resp_bulk_str(&out, "sunsubscribe");
    hs_resp_bulk(&out, sub->topic->name, sub->topic->n);
    admin_unsubscribe(s, sub);
    hs_resp_int(&out, s->listening.kinds[TOPIC_SHARD].n);
    if (!text.failed)
        hs_client_push(*a->conf.net, s->info.conn, text.p, text.n);
    admin_text_free(&text);
}

static void end_shards_gone(struct hs_admin *a, struct channels *channels,
                            const struct hs_topo *topo)
{
    struct topic *next;
    for (struct topic *t = channels->kinds[TOPIC_SHARD].first; t != NULL; t = next) {
        next = t->next;
        uint16_t owner = topo->owner[admin_key_slot(t->name, t->n)];
        if (owner == 0 || (owner != HS_TOPO_NONE && owner == topo->nodes[0].master))
            continue;
        /* With its last subscription the topic is gone. */
        for (uint32_t left = t->listeners_n; left > 0; left--)
            end_shard(a, t->first);
    }
}

void admin_changed(void *ctx, uint32_t reactor)
{
    struct hs_admin *a = ctx;
    struct reactor *r = &a->reactors[reactor];
    const struct hs_published *view = hs_snapshot_begin(a->conf.snapshot, reactor);
    if (view != NULL && view->topo->version != r->slots_seen) {
        r->slots_seen = view->topo->version;
        end_shards_gone(a, &r->channels, view->topo);
    }
    hs_snapshot_end(a->conf.snapshot, reactor);
}
