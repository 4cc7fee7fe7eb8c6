/* A topology into nodes.conf, readable by every stock version.
 *
 * The form is 7.2's, except that fields with nothing to say are left out
 * (tls-port=0, a shard id nobody told us). Later loaders do not miss them, and
 * 7.0, which takes everything after the first comma for the host name, finds
 * plain lines wherever its own cluster could have written them.
 */
#include "store_int.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    /* Ids, words, separators and numbers of one line; strings come on top. */
    LINE_FIXED_MAX = 512,
    RUN_MAX = sizeof(" 16383-16383"),
    OPEN_MAX = sizeof(" [16383->-]") + HS_ID_LEN,
    VARS_MAX = 128,
};

/* Runs of slots by owner: one walk over the slots instead of one per node. */
struct runs {
    uint16_t first[HS_SLOTS], last[HS_SLOTS];
    uint16_t next[HS_SLOTS]; /* of the same owner; HS_TOPO_NONE ends the list */
    uint32_t n;
    uint16_t *head; /* per node */
};

struct writer {
    const struct hs_topo *t;
    struct runs *runs;
    char *buf;
    size_t n, cap;
};

static void add(struct writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct writer *w, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(w->buf + w->n, w->cap - w->n, fmt, ap);
    va_end(ap);
    HS_ASSERT(n >= 0 && (size_t)n < w->cap - w->n);
    w->n += (size_t)n;
}

/* From the last slot down, so that each list is ascending. */
static void find_runs(const struct hs_topo *t, struct runs *r)
{
    memset(r->head, 0xff, t->nodes_n * sizeof(*r->head));
    for (uint32_t end = HS_SLOTS; end > 0;) {
        uint16_t node = t->owner[end - 1];
        uint32_t start = end - 1;
        while (start > 0 && t->owner[start - 1] == node)
            start--;
        if (node < t->nodes_n) {
            r->first[r->n] = (uint16_t)start;
            r->last[r->n] = (uint16_t)(end - 1);
            r->next[r->n] = r->head[node];
            r->head[node] = (uint16_t)r->n++;
        }
        end = start;
    }
}

static const char *shard_of(const struct hs_topo *t, const struct hs_topo_node *node)
{
    /* A loader refuses a replica whose shard is not its master's. */
    if (node->master < t->nodes_n && t->nodes[node->master].shard_id[0] != '\0')
        node = &t->nodes[node->master];
    return node->shard_id[0] == '\0' ? NULL : node->shard_id;
}

/* Names are other nodes' words: one that a loader would choke on is left out,
 * and the next message from its owner brings it back. */
static void address(struct writer *w, const struct hs_topo_node *node)
{
    const char *shard = shard_of(w->t, node);
    bool name = node->nodename[0] != '\0' && nodesconf_nodename_valid(node->nodename);
    bool ipv4 = node->client_ipv4[0] != '\0' && nodesconf_address_valid(node->client_ipv4);
    bool ipv6 = node->client_ipv6[0] != '\0' && nodesconf_address_valid(node->client_ipv6);
    bool host = node->hostname[0] != '\0' && nodesconf_hostname_valid(node->hostname);
    const char *ip = nodesconf_address_valid(node->ip) ? node->ip : "";

    add(w, "%s:%u@%u", ip, node->port, node->cport);
    if (host || name || ipv4 || ipv6 || node->tls_port != 0 || shard != NULL)
        add(w, ",%s", host ? node->hostname : "");
    if (ipv6)
        add(w, ",client-ipv6=%s", node->client_ipv6);
    if (ipv4)
        add(w, ",client-ipv4=%s", node->client_ipv4);
    if (node->tls_port != 0)
        add(w, ",tls-port=%u", node->tls_port);
    if (name)
        add(w, ",nodename=%s", node->nodename);
    if (shard != NULL)
        add(w, ",shard-id=%.40s", shard);
}

static void flags(struct writer *w, uint16_t set)
{
    static const struct {
        uint16_t flag;
        const char *word;
    } words[] = {
        {HS_NODE_MYSELF, "myself"},         {HS_NODE_MASTER, "master"}, {HS_NODE_SLAVE, "slave"},
        {HS_NODE_PFAIL, "fail?"},           {HS_NODE_FAIL, "fail"},     {HS_NODE_NOADDR, "noaddr"},
        {HS_NODE_NOFAILOVER, "nofailover"},
    };
    const char *comma = "";
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if ((set & words[i].flag) != 0) {
            add(w, "%s%s", comma, words[i].word);
            comma = ",";
        }
    }
    if (comma[0] == '\0')
        add(w, "noflags");
}

static void open_items(struct writer *w)
{
    const struct hs_topo *t = w->t;
    for (uint32_t i = 0; i < t->migrating_n; i++)
        add(w, " [%u->-%.40s]", t->migrating[i].slot, t->nodes[t->migrating[i].node].id.hex);
    for (uint32_t i = 0; i < t->importing_n; i++)
        add(w, " [%u-<-%.40s]", t->importing[i].slot, t->nodes[t->importing[i].node].id.hex);
}

static void node_line(struct writer *w, uint32_t ix)
{
    const struct hs_topo *t = w->t;
    const struct hs_topo_node *node = &t->nodes[ix];
    /* In handshake its id is made up: nobody could use the line. */
    if ((node->flags & HS_NODE_HANDSHAKE) != 0)
        return;
    add(w, "%.40s ", node->id.hex);
    address(w, node);
    add(w, " ");
    flags(w, node->flags);
    bool connected = node->link_to_ms != 0 || (node->flags & HS_NODE_MYSELF) != 0;
    bool replica = node->master < t->nodes_n;
    add(w, " %.40s %" PRId64 " %" PRId64 " %" PRIu64 " %s",
        replica ? t->nodes[node->master].id.hex : "-", node->ping_sent_ms, node->pong_received_ms,
        hs_topo_epoch(t, ix), connected ? "connected" : "disconnected");
    for (uint16_t r = w->runs->head[ix]; r != HS_TOPO_NONE; r = w->runs->next[r]) {
        if (w->runs->first[r] == w->runs->last[r]) {
            add(w, " %u", w->runs->first[r]);
        } else {
            add(w, " %u-%u", w->runs->first[r], w->runs->last[r]);
        }
    }
    if ((node->flags & HS_NODE_MYSELF) != 0)
        open_items(w);
    add(w, "\n");
}

static size_t bound(const struct hs_topo *t, const struct runs *r)
{
    size_t n =
        VARS_MAX + (size_t)r->n * RUN_MAX + ((size_t)t->migrating_n + t->importing_n) * OPEN_MAX;
    for (uint32_t i = 0; i < t->nodes_n; i++) {
        const struct hs_topo_node *node = &t->nodes[i];
        n += LINE_FIXED_MAX + strlen(node->hostname) + strlen(node->nodename) +
             strlen(node->client_ipv4) + strlen(node->client_ipv6);
    }
    return n;
}

char *hs_nodesconf_text(const struct hs_topo *t, size_t *n)
{
    struct runs *runs = hs_alloc(sizeof(*runs) + t->nodes_n * sizeof(uint16_t));
    if (runs == NULL)
        return NULL;
    runs->head = (uint16_t *)(runs + 1);
    find_runs(t, runs);
    struct writer w = {.t = t, .runs = runs, .cap = bound(t, runs)};
    w.buf = hs_alloc(w.cap);
    if (w.buf != NULL) {
        for (uint32_t i = 0; i < t->nodes_n; i++)
            node_line(&w, i);
        add(&w, "vars currentEpoch %" PRIu64 " lastVoteEpoch %" PRIu64 "\n", t->current_epoch,
            t->last_vote_epoch);
    }
    hs_free(runs);
    *n = w.n;
    return w.buf;
}
