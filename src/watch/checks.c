/* checks.c - what no view of a sound cluster shows for long.
 *
 * Each check walks the view once. What a cluster goes through while it forms or
 * fails over looks the same for a moment, so all but a split have to last.
 */
#include "watch_int.h"

#include <stdio.h>
#include <string.h>

enum {
    FOREIGN_FRAMES_MIN = 3,
    REFUSALS_MIN = 3, /* one may be a certificate that is being replaced */
    CERTIFICATE_WEEK_S = 7 * 24 * 3600,
    FLIPS_MIN = 3, /* to, fro, and to again */
};

static int64_t recent_ms(const struct look *k)
{
    return hs_topo_recent_ms(k->timeout_ms);
}

static bool is_recent(const struct look *k, int64_t at_ms)
{
    return at_ms != 0 && k->new->taken_ms - at_ms < recent_ms(k);
}

static void begin(struct line *l, enum hs_told_kind kind, const struct hs_topo_node *n)
{
    line_begin(l, kind);
    line_node(l, n);
}

static void other(struct line *l, const struct hs_topo_node *n)
{
    line_id(l, "other", n != NULL ? &n->id : NULL);
    line_text(l, "other_name", n != NULL ? n->nodename : "");
}

static void check_split(struct hs_watch *w, const struct look *k, const struct hs_topo_node *n)
{
    if (n->split_with == 0)
        return;
    const struct hs_topo_node *with = &k->new->nodes[n->split_with - 1];
    struct line l;
    begin(&l, HS_TOLD_SPLIT, n);
    other(&l, with);
    line_int(&l, "slot", n->split_slot);
    line_int(&l, "epoch", (int64_t)with->config_epoch);
    watch_found(w, k, &l, &n->id, &with->id, 0);
}

static void check_sub_replica(struct hs_watch *w, const struct look *k,
                              const struct hs_topo_node *n)
{
    if ((n->flags & HS_NODE_SLAVE) == 0 || n->master == HS_TOPO_NONE)
        return;
    const struct hs_topo_node *m = &k->new->nodes[n->master];
    if ((m->flags & HS_NODE_SLAVE) == 0)
        return;
    struct line l;
    begin(&l, HS_TOLD_SUB_REPLICA, n);
    line_id(&l, "master", &m->id);
    line_id(&l, "above", m->master != HS_TOPO_NONE ? &k->new->nodes[m->master].id : NULL);
    watch_found(w, k, &l, &n->id, NULL, 2 * recent_ms(k));
}

static void check_one_way(struct hs_watch *w, const struct look *k, const struct hs_topo_node *n)
{
    enum hs_one_way way = hs_topo_one_way(n, k->new->taken_ms, k->timeout_ms);
    if (way == HS_ONE_WAY_NO)
        return;
    int64_t heard_ms = way == HS_ONE_WAY_TO ? n->heard_to_ms : n->heard_from_ms;
    struct line l;
    begin(&l, HS_TOLD_ONE_WAY, n);
    line_text(&l, "direction", way == HS_ONE_WAY_TO ? "to" : "from");
    line_int(&l, "silent_ms", heard_ms == 0 ? -1 : k->new->taken_ms - heard_ms);
    watch_found(w, k, &l, &n->id, NULL, recent_ms(k));
}

/* ---- those that need another node to compare with ---- */

/* The first node before this one with the same key, found by hash. */
static const struct hs_topo_node *
earlier(struct hs_watch *w, const struct hs_topo *t, uint32_t ix, uint64_t hash,
        bool (*same)(const struct hs_topo_node *a, const struct hs_topo_node *b))
{
    uint32_t mask = w->buckets_n - 1, at = (uint32_t)hash & mask;
    while (w->buckets[at] != 0) {
        const struct hs_topo_node *n = &t->nodes[w->buckets[at] - 1];
        if (same(n, &t->nodes[ix]))
            return n;
        at = (at + 1) & mask;
    }
    w->buckets[at] = (uint16_t)(ix + 1);
    return NULL;
}

static void clear(struct hs_watch *w)
{
    memset(w->buckets, 0, w->buckets_n * sizeof(w->buckets[0]));
}

static bool same_epoch(const struct hs_topo_node *a, const struct hs_topo_node *b)
{
    return a->config_epoch == b->config_epoch;
}

/* One condition for each epoch, named by the two that were found first. */
static void check_epochs(struct hs_watch *w, const struct look *k)
{
    const struct hs_topo *t = k->new;
    clear(w);
    for (uint32_t i = 0; i < t->nodes_n; i++) {
        const struct hs_topo_node *n = &t->nodes[i];
        if (!is_member(n) || (n->flags & HS_NODE_MASTER) == 0 || (n->flags & HS_NODE_FAIL) != 0)
            continue;
        uint64_t hash = watch_hash(&n->config_epoch, sizeof(n->config_epoch), 1);
        const struct hs_topo_node *with = earlier(w, t, i, hash, same_epoch);
        if (with == NULL)
            continue;
        struct line l;
        struct hs_node_id key = {{0}};
        snprintf(key.hex, sizeof(key.hex), "%llu", (unsigned long long)n->config_epoch);
        begin(&l, HS_TOLD_EQUAL_EPOCHS, n);
        other(&l, with);
        line_int(&l, "epoch", (int64_t)n->config_epoch);
        watch_found(w, k, &l, &key, NULL, 2 * recent_ms(k));
    }
}

static bool same_address(const struct hs_topo_node *a, const struct hs_topo_node *b)
{
    return a->cport == b->cport && strcmp(a->ip, b->ip) == 0;
}

static void check_addresses(struct hs_watch *w, const struct look *k)
{
    const struct hs_topo *t = k->new;
    clear(w);
    for (uint32_t i = 0; i < t->nodes_n; i++) {
        const struct hs_topo_node *n = &t->nodes[i];
        if (!is_member(n) || (n->flags & HS_NODE_NOADDR) != 0 || n->ip[0] == '\0')
            continue;
        uint64_t hash = watch_hash(n->ip, strlen(n->ip), n->cport);
        const struct hs_topo_node *with = earlier(w, t, i, hash, same_address);
        if (with == NULL)
            continue;
        struct line l;
        begin(&l, HS_TOLD_TWIN, n);
        other(&l, with);
        line_text(&l, "why", "same-address");
        watch_found(w, k, &l, &n->id, &with->id, recent_ms(k));
    }
}

/* ---- an id in two places ---- */

static struct flip *flip_of(struct hs_watch *w, const struct hs_node_id *id)
{
    struct flip *oldest = NULL;
    for (uint32_t i = 0; i < w->flips_n; i++) {
        struct flip *f = &w->flips[i];
        if (memcmp(f->id.hex, id->hex, HS_ID_LEN) == 0)
            return f;
        if (oldest == NULL || f->at_ms < oldest->at_ms)
            oldest = f;
    }
    if (w->flips_n < WATCH_FLIPS_MAX)
        oldest = &w->flips[w->flips_n++];
    *oldest = (struct flip){.id = *id};
    return oldest;
}

void watch_flipped(struct hs_watch *w, const struct look *k, const struct hs_topo_node *from,
                   const struct hs_topo_node *to)
{
    if (from->ip[0] == '\0' || to->ip[0] == '\0')
        return; /* lost and found again */
    struct flip *f = flip_of(w, &to->id);
    bool back = f->before_port == to->cport && strcmp(f->before, to->ip) == 0;
    bool soon = k->now.mono.ms - f->at_ms < 4 * recent_ms(k);
    f->n = back && soon ? f->n + 1 : 1;
    memcpy(f->before, from->ip, sizeof(f->before));
    f->before_port = from->cport;
    f->at_ms = k->now.mono.ms;
}

static void check_flips(struct hs_watch *w, const struct look *k)
{
    for (uint32_t i = 0; i < w->flips_n; i++) {
        const struct flip *f = &w->flips[i];
        uint16_t ix = hs_topo_find(k->new, &f->id);
        if (f->n < FLIPS_MIN || k->now.mono.ms - f->at_ms >= 4 * recent_ms(k) || ix == HS_TOPO_NONE)
            continue;
        struct line l;
        begin(&l, HS_TOLD_TWIN, &k->new->nodes[ix]);
        other(&l, NULL);
        line_text(&l, "why", "two-addresses");
        watch_found(w, k, &l, &f->id, &f->id, 0);
    }
}

static void check_foreign(struct hs_watch *w, const struct look *k)
{
    for (uint32_t i = 0; i < k->new->foreign_n; i++) {
        const struct hs_topo_foreign *f = &k->new->foreign[i];
        uint16_t ix = hs_topo_find(k->new, &f->id);
        bool is_us = ix == 0;
        if ((ix != HS_TOPO_NONE && !is_us) || !is_recent(k, f->last_ms) ||
            f->frames < FOREIGN_FRAMES_MIN)
            continue;
        struct line l;
        if (is_us) {
            begin(&l, HS_TOLD_TWIN, &k->new->nodes[0]);
            other(&l, NULL);
            line_text(&l, "why", "our-id");
            watch_found(w, k, &l, &f->id, &f->id, recent_ms(k));
            continue;
        }
        line_begin(&l, HS_TOLD_FOREIGN);
        line_id(&l, "sender", &f->id);
        line_text(&l, "ip", f->ip);
        line_int(&l, "frames", (int64_t)f->frames);
        watch_found(w, k, &l, &f->id, NULL, recent_ms(k));
    }
}

/* Whose the address is: by the bus port if we dialed it. Of several nodes at the
 * address of one that dialed us it is the one without a link to us. NULL: nobody's,
 * or not to be told apart (*strange is false then). */
static const struct hs_topo_node *refused_node(const struct hs_topo *t,
                                               const struct hs_tls_refusal *r, bool *strange)
{
    const struct hs_topo_node *found = NULL;
    uint32_t found_n = 0;
    *strange = true;
    for (uint32_t i = 1; i < t->nodes_n; i++) {
        const struct hs_topo_node *n = &t->nodes[i];
        if (strcmp(n->ip, r->ip) != 0 || (r->port != 0 && r->port != n->cport))
            continue;
        *strange = false;
        if (r->port == 0 && n->link_from_ms != 0)
            continue;
        found = n;
        found_n++;
    }
    return found_n == 1 ? found : NULL;
}

/* Anybody who reaches the port can fail; only addresses of nodes are told of. */
static void check_refusals(struct hs_watch *w, const struct look *k)
{
    for (uint32_t i = 0; i < k->refusals_n; i++) {
        const struct hs_tls_refusal *r = &k->refusals[i];
        bool strange;
        const struct hs_topo_node *n = refused_node(k->new, r, &strange);
        if (strange || r->times < REFUSALS_MIN || k->now.mono.ms - r->last_ms >= recent_ms(k))
            continue;
        struct line l;
        line_begin(&l, HS_TOLD_TLS_REFUSED);
        if (n != NULL) {
            line_node(&l, n);
        } else {
            line_id(&l, "node", NULL);
            line_text(&l, "name", "");
            line_text(&l, "address", r->ip);
            line_text(&l, "role", "");
        }
        line_text(&l, "direction", r->port != 0 ? "to" : "from");
        line_text(&l, "reason", r->why);
        struct hs_node_id key = {.hex = ""};
        snprintf(key.hex, sizeof(key.hex), "%016llx",
                 (unsigned long long)watch_hash(r->ip, strlen(r->ip), r->port));
        watch_found(w, k, &l, &key, NULL, 0);
    }
}

static void check_disk(struct hs_watch *w, const struct look *k)
{
    if (k->save_error[0] == '\0')
        return;
    struct line l;
    line_begin(&l, HS_TOLD_DISK);
    line_text(&l, "error", k->save_error);
    line_int(&l, "failures", (int64_t)k->save_failures);
    watch_found(w, k, &l, NULL, NULL, 0);
}

static void check_certificate(struct hs_watch *w, const struct look *k)
{
    int64_t left_s = k->certificate_end_s - k->now.wall.ms / 1000;
    if (k->certificate_end_s == 0 || left_s > CERTIFICATE_WEEK_S)
        return;
    struct line l;
    line_begin(&l, left_s > 0 ? HS_TOLD_CERTIFICATE_ENDS : HS_TOLD_CERTIFICATE_EXPIRED);
    line_int(&l, "ends_in_s", left_s);
    watch_found(w, k, &l, NULL, NULL, 0);
}

void watch_check(struct hs_watch *w, const struct look *k)
{
    for (uint32_t i = 0; i < k->new->nodes_n; i++) {
        const struct hs_topo_node *n = &k->new->nodes[i];
        if (!is_member(n))
            continue;
        check_split(w, k, n);
        check_sub_replica(w, k, n);
        check_one_way(w, k, n);
    }
    check_epochs(w, k);
    check_addresses(w, k);
    check_flips(w, k);
    check_foreign(w, k);
    check_refusals(w, k);
    check_disk(w, k);
    check_certificate(w, k);
    watch_settle(w, k);
}
