/* keys.c - which slot a command's keys are in, and where that sends the client.
 *
 * We keep no keys, so every command on keys ends in a redirection or a refusal;
 * the order of the checks is the stock server's (protocol page, 10.9). */
#include "admin_int.h"

/* CRC16/XMODEM, four bits at a time: the table is the polynomial 0x1021 times
 * each nibble. */
static uint16_t crc16(const char *p, size_t n)
{
    static const uint16_t nibbles[16] = {
        0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7,
        0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef,
    };
    uint16_t crc = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned byte = (unsigned char)p[i];
        crc = (uint16_t)((crc << 4) ^ nibbles[(crc >> 12) ^ (byte >> 4)]);
        crc = (uint16_t)((crc << 4) ^ nibbles[(crc >> 12) ^ (byte & 15)]);
    }
    return crc;
}

uint16_t admin_key_slot(const char *key, size_t n)
{
    const char *open = n > 0 ? memchr(key, '{', n) : NULL;
    if (open != NULL) {
        const char *tag = open + 1;
        size_t left = n - (size_t)(tag - key);
        const char *close = left > 0 ? memchr(tag, '}', left) : NULL;
        if (close != NULL && close > tag) {
            key = tag;
            n = (size_t)(close - tag);
        }
    }
    return crc16(key, n) & (HS_SLOTS - 1);
}

struct walk {
    const struct hs_arg *argv;
    size_t argc;
    void (*each)(void *ctx, const struct hs_arg *key);
    void *ctx;
};

static bool each_counted(const struct walk *w, size_t at)
{
    int64_t n;
    if (at >= w->argc || !admin_arg_int(&w->argv[at], &n) || n < 0 ||
        (uint64_t)n > w->argc - at - 1)
        return false;
    for (size_t i = 0; i < (size_t)n; i++)
        w->each(w->ctx, &w->argv[at + 1 + i]);
    return true;
}

static bool each_stream(const struct walk *w)
{
    size_t at = 1;
    while (at < w->argc && !admin_arg_is(&w->argv[at], "streams"))
        at++;
    size_t rest = at < w->argc ? w->argc - at - 1 : 0;
    if (rest == 0 || rest % 2 != 0)
        return false;
    for (size_t i = 0; i < rest / 2; i++)
        w->each(w->ctx, &w->argv[at + 1 + i]);
    return true;
}

static void each_stored(const struct walk *w)
{
    for (size_t i = 2; i + 1 < w->argc; i++)
        if (admin_arg_is(&w->argv[i], "store") || admin_arg_is(&w->argv[i], "storedist"))
            w->each(w->ctx, &w->argv[++i]);
}

bool admin_each_key(const struct admin_cmd *cmd, const struct hs_arg *argv, size_t argc,
                    void (*each)(void *ctx, const struct hs_arg *key), void *ctx)
{
    struct walk w = {.argv = argv, .argc = argc, .each = each, .ctx = ctx};
    if (cmd->first > 0) {
        int last = cmd->last >= 0 ? cmd->last : (int)argc + cmd->last;
        for (int i = cmd->first; i <= last && i < (int)argc; i += cmd->step)
            each(ctx, &argv[i]);
    }
    if ((cmd->flags & STORE) != 0)
        each_stored(&w);
    if ((cmd->flags & STREAMS) != 0)
        return each_stream(&w);
    if (cmd->numkeys > 0)
        return each_counted(&w, (size_t)cmd->numkeys);
    return true;
}

/* What the keys of one command have in common. */
struct placed {
    size_t keys_n;
    uint16_t slot;
    bool crossed;
};

static void place(void *ctx, const struct hs_arg *key)
{
    struct placed *p = ctx;
    uint16_t slot = admin_key_slot(key->p, key->n);
    if (p->keys_n++ == 0)
        p->slot = slot;
    else if (p->slot != slot)
        p->crossed = true;
}

static uint16_t open_node(const struct hs_topo_open *v, uint32_t n, uint16_t slot)
{
    for (uint32_t i = 0; i < n && v[i].slot <= slot; i++)
        if (v[i].slot == slot)
            return v[i].node;
    return HS_TOPO_NONE;
}

static void redirect(struct call *c, const char *code, uint16_t slot, uint16_t node)
{
    const struct hs_topo_node *n = &c->view->topo->nodes[node];
    struct reader to = admin_reader(c->s, c->view);
    const char *endpoint = admin_topo_endpoint(n, to);
    admin_error(c->s, "%s %u %s:%u", code, slot, endpoint != NULL ? endpoint : "",
                admin_topo_port(n, to.tls));
}

/* The stock server looks for the first key's owner before it looks at the others. */
static bool is_crossed(struct call *c, const struct placed *p)
{
    if (p->crossed)
        admin_error(c->s, "CROSSSLOT Keys in request don't hash to the same slot");
    return p->crossed;
}

/* Refusals for the state of the cluster. */
static bool is_down(struct call *c)
{
    if (c->view->topo->ok)
        return false;
    if (!c->view->conf.allow_reads_when_down) {
        admin_error(c->s, "CLUSTERDOWN The cluster is down");
        return true;
    }
    if ((c->cmd->flags & READ) != 0)
        return false;
    admin_error(c->s, "CLUSTERDOWN The cluster is down and only accepts read commands");
    return true;
}

/* True if a command on this slot is to be carried out here; replies if not. */
static bool is_served_here(struct call *c, const struct placed *p)
{
    const struct hs_topo *t = c->view->topo;
    uint16_t owner = t->owner[p->slot];
    if (owner == HS_TOPO_NONE) {
        admin_error(c->s, "CLUSTERDOWN Hash slot not served");
        return false;
    }
    if (is_crossed(c, p) || is_down(c))
        return false;
    if (owner == 0) {
        uint16_t to = open_node(t->migrating, t->migrating_n, p->slot);
        if (to == HS_TOPO_NONE)
            return true;
        redirect(c, "ASK", p->slot, to); /* every key is missing here */
        return false;
    }
    if (c->asking && open_node(t->importing, t->importing_n, p->slot) != HS_TOPO_NONE) {
        if (p->keys_n == 1)
            return true;
        admin_error(c->s, "TRYAGAIN Multiple keys request during rehashing of slot");
        return false;
    }
    if (c->s->readonly && (c->cmd->flags & READ) != 0 && t->nodes[0].master == owner)
        return true;
    redirect(c, "MOVED", p->slot, owner);
    return false;
}

void admin_keys_run(struct call *c)
{
    struct placed p = {0};
    if (!admin_each_key(c->cmd, c->argv, c->argc, place, &p)) {
        admin_syntax(c);
        return;
    }
    c->rejected = true;
    if ((p.keys_n != 0 && !is_served_here(c, &p)) || !admin_allowed_to_subscriber(c))
        return;
    c->rejected = false;
    admin_error(c->s, "ERR hearsay keeps no data");
}

static bool is_shard_served(struct call *c)
{
    const struct hs_topo *t = c->view->topo;
    struct placed p = {0};
    admin_each_key(c->cmd, c->argv, c->argc, place, &p);
    if (p.keys_n == 0)
        return true;
    uint16_t owner = t->owner[p.slot];
    if (owner == HS_TOPO_NONE) {
        admin_error(c->s, "CLUSTERDOWN Hash slot not served");
        return false;
    }
    if (is_crossed(c, &p))
        return false;
    if (!t->ok && !c->view->conf.allow_pubsubshard_when_down) {
        admin_error(c->s, "CLUSTERDOWN The cluster is down");
        return false;
    }
    if (owner == 0 || owner == t->nodes[0].master ||
        (c->asking && open_node(t->importing, t->importing_n, p.slot) != HS_TOPO_NONE))
        return true;
    redirect(c, "MOVED", p.slot, owner);
    return false;
}

/* Unlike keys, channels are not missing while a slot moves, a replica serves
 * them as its master does, and a cluster that is down may go on with them. */
bool admin_shard_served(struct call *c)
{
    c->rejected = !is_shard_served(c);
    return !c->rejected;
}
