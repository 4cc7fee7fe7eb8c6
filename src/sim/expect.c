/* expect.c - what a story says should be so.
 */
#include "sim_int.h"

struct asked {
    struct hs_sim *s;
    const struct words *w;
    uint8_t *set, *asked;
    char *why;
    size_t why_n;
};

static void because(const struct asked *q, const char *text, uint32_t node)
{
    snprintf(q->why, q->why_n, "node %u %s", node, text);
}

static bool all_ok(struct asked *q)
{
    for (uint32_t i = 0; i < q->s->n; i++) {
        if (q->s->nodes[i].running && !q->s->nodes[i].ok) {
            because(q, "says the cluster is down", i);
            return false;
        }
    }
    return true;
}

/* Does every running node but those themselves have (or lack) a flag on them?
 * Only those in `asked` are asked. */
static bool marked(struct asked *q, uint32_t mask, bool has)
{
    struct hs_sim *s = q->s;

    for (uint32_t by = 0; by < s->n; by++) {
        for (uint32_t i = 0; s->nodes[by].running && q->asked[by] != 0 && i < s->n; i++) {
            uint32_t flags = q->set[i] == 0 || i == by ? HS_NIL : view_flags(s, by, i);
            if (flags != HS_NIL && ((flags & mask) != 0) != has) {
                because(q, has ? "does not think so" : "thinks otherwise", by);
                return false;
            }
        }
    }
    return true;
}

static bool known_to_nobody(struct asked *q)
{
    for (uint32_t by = 0; by < q->s->n; by++) {
        for (uint32_t i = 0; q->s->nodes[by].running && i < q->s->n; i++) {
            if (q->set[i] != 0 && i != by && view_flags(q->s, by, i) != 0) {
                because(q, "still knows it", by);
                return false;
            }
        }
    }
    return true;
}

static uint32_t masters_among(struct asked *q)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < q->s->n; i++) {
        n += q->set[i] != 0 && q->s->nodes[i].running && view_is_master(q->s, i);
    }
    return n;
}

static uint32_t size_of(const struct asked *q)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < q->s->n; i++) {
        n += q->set[i];
    }
    return n;
}

static bool never_failed(struct asked *q)
{
    for (uint32_t i = 0; i < q->s->n; i++) {
        if (q->set[i] != 0 && q->s->accused[i] != 0) {
            because(q, "was held for failed", i);
            return false;
        }
    }
    return true;
}

/* "owner SLOT NODE": in every view. */
static bool owned(struct asked *q)
{
    int64_t slot = 0, node = 0;

    if (!story_number(q->w->w[1], &slot) || !story_number(q->w->w[2], &node) || slot < 0 ||
        slot >= HS_SLOTS || node < 0 || node >= q->s->n) {
        return false;
    }
    for (uint32_t by = 0; by < q->s->n; by++) {
        if (!q->s->nodes[by].running) {
            continue;
        }
        const struct hs_topo *t = view_of(q->s, by);
        uint16_t owner = t->owner[slot];
        if (owner == HS_TOPO_NONE || ids_find(q->s, &t->nodes[owner].id) != (uint32_t)node) {
            because(q, "thinks otherwise", by);
            return false;
        }
    }
    return true;
}

/* "epochs differ": of masters with slots, as node 0 sees them. */
static bool epochs_differ(struct asked *q)
{
    const struct hs_topo *t = view_of(q->s, 0);

    for (uint32_t a = 0; a < t->nodes_n; a++) {
        for (uint32_t b = 0; b < a; b++) {
            if (t->nodes[a].slots_n > 0 && t->nodes[b].slots_n > 0 &&
                t->nodes[a].config_epoch == t->nodes[b].config_epoch) {
                return false;
            }
        }
    }
    return true;
}

static bool is_master_that_works(const struct hs_topo_node *n)
{
    return (n->flags & HS_NODE_MASTER) != 0 && (n->flags & (HS_NODE_FAIL | HS_NODE_HANDSHAKE)) == 0;
}

/* What the always-on checker of the daemon would tell of, judged anew here;
 * NULL if nothing. */
static const char *oddity(const struct hs_topo *t, int64_t timeout_ms)
{
    for (uint32_t a = 0; a < t->nodes_n; a++) {
        const struct hs_topo_node *n = &t->nodes[a];
        if (n->split_with != 0) {
            return "sees a slot with two owners in one epoch";
        }
        if (n->master != HS_TOPO_NONE && (t->nodes[n->master].flags & HS_NODE_SLAVE) != 0) {
            return "sees a replica of a replica";
        }
        if (hs_topo_one_way(n, t->taken_ms, timeout_ms) != HS_ONE_WAY_NO) {
            return "hears somebody in one direction only";
        }
        for (uint32_t b = 0; b < a; b++) {
            if (is_master_that_works(n) && is_master_that_works(&t->nodes[b]) &&
                n->config_epoch == t->nodes[b].config_epoch) {
                return "sees two masters with one epoch";
            }
        }
    }
    return NULL;
}

/* "sound": no view shows what no sound cluster has. */
static bool sound(struct asked *q)
{
    for (uint32_t by = 0; by < q->s->n; by++) {
        const char *what =
            q->s->nodes[by].running ? oddity(view_of(q->s, by), q->s->opts.node_timeout_ms) : NULL;
        if (what != NULL) {
            because(q, what, by);
            return false;
        }
    }
    return true;
}

static bool is(const struct asked *q, uint32_t k, const char *word)
{
    return strcmp(q->w->w[k], word) == 0;
}

static bool set_from(struct asked *q, uint32_t k)
{
    return q->w->n > k && faults_set(q->s, q->w->w + k, q->w->n - k, q->set);
}

static bool agreed(struct asked *q)
{
    if (view_agree(q->s)) {
        return true;
    }
    view_difference(q->s, q->why, q->why_n);
    return false;
}

/* "SET [by SET]" */
static bool set_and_asked(struct asked *q, uint32_t k)
{
    uint32_t by = k;

    while (by < q->w->n && !is(q, by, "by")) {
        by++;
    }
    memset(q->asked, 1, q->s->n);
    return by > k && faults_set(q->s, q->w->w + k, by - k, q->set) &&
           (by == q->w->n ||
            (by + 1 < q->w->n && faults_set(q->s, q->w->w + by + 1, q->w->n - by - 1, q->asked)));
}

static bool suspected(struct asked *q)
{
    for (uint32_t by = 0; by < q->s->n; by++) {
        for (uint32_t i = 0; q->s->nodes[by].running && i < q->s->n; i++) {
            if (q->set[i] != 0 && i != by && (view_flags(q->s, by, i) & HS_NODE_PFAIL) != 0) {
                return true;
            }
        }
    }
    return false;
}

static bool about_all(struct asked *q, bool *known)
{
    int64_t n;

    *known = true;
    if (is(q, 0, "agree")) {
        return agreed(q);
    }
    if (is(q, 0, "ok")) {
        return all_ok(q);
    }
    if (is(q, 0, "covered")) {
        return view_covered(q->s);
    }
    if (is(q, 0, "joined")) {
        return q->s->join == JOIN_DONE && view_agree(q->s) && all_ok(q);
    }
    if (is(q, 0, "sound")) {
        return sound(q);
    }
    if (is(q, 0, "owner")) {
        return owned(q);
    }
    if (is(q, 0, "epochs") && is(q, 1, "differ")) {
        return epochs_differ(q);
    }
    if (is(q, 0, "no") && is(q, 1, "false") && is(q, 2, "failures")) {
        return q->s->r.false_fails == 0;
    }
    if (is(q, 0, "elections") && story_number(q->w->w[1], &n)) {
        snprintf(q->why, q->why_n, "%u were won", q->s->r.elections_won);
        return q->s->r.elections_won == n;
    }
    if (is(q, 0, "knows") && q->w->n == 3 && story_number(q->w->w[2], &n) &&
        faults_set(q->s, q->w->w + 1, 1, q->set)) {
        for (uint32_t i = 0; i < q->s->n; i++) {
            if (q->set[i] != 0 && q->s->nodes[i].running && view_known(q->s, i) != n) {
                because(q, "knows another number", i);
                return false;
            }
        }
        return true;
    }
    *known = false;
    return false;
}

static bool about_nodes(struct asked *q, bool *known)
{
    int64_t of;

    *known = true;
    if (is(q, 0, "suspected") && set_from(q, 1)) {
        return suspected(q);
    }
    if (is(q, 0, "failed") && set_and_asked(q, 1)) {
        return marked(q, HS_NODE_FAIL, true);
    }
    if (is(q, 0, "healthy") && set_and_asked(q, 1)) {
        return marked(q, HS_NODE_FAIL | HS_NODE_PFAIL, false);
    }
    if (is(q, 0, "forgotten") && set_from(q, 1)) {
        return known_to_nobody(q);
    }
    if (is(q, 0, "never") && is(q, 1, "failed") && set_from(q, 2)) {
        return never_failed(q);
    }
    if (is(q, 0, "one") && is(q, 1, "master") && is(q, 2, "of") && set_from(q, 3)) {
        snprintf(q->why, q->why_n, "%u are", masters_among(q));
        return masters_among(q) == 1;
    }
    if (is(q, 0, "master") && set_from(q, 1)) {
        return masters_among(q) == size_of(q);
    }
    if (is(q, 0, "replica") && is(q, 2, "of") && story_number(q->w->w[3], &of) &&
        faults_set(q->s, q->w->w + 1, 1, q->set)) {
        for (uint32_t i = 0; i < q->s->n; i++) {
            if (q->set[i] != 0 && view_master_of(q->s, i) != (uint32_t)of) {
                because(q, "is not", i);
                return false;
            }
        }
        return true;
    }
    *known = false;
    return false;
}

bool expect_holds(struct hs_sim *s, const char *text, char *why, size_t n)
{
    struct words w;
    struct asked q = {.s = s, .w = &w, .why = why, .why_n = n, .set = hs_alloc(2 * (size_t)s->n)};
    bool known, holds, negated;

    HS_ASSERT(q.set != NULL);
    q.asked = q.set + s->n;
    story_split(text, &w);
    negated = strcmp(w.w[0], "not") == 0;
    if (negated) {
        memmove(w.w, w.w + 1, (WORDS_MAX - 1) * sizeof(w.w[0]));
        w.n--;
    }
    holds = about_all(&q, &known);
    if (!known) {
        holds = about_nodes(&q, &known);
    }
    if (!known) {
        snprintf(why, n, "that means nothing here (--help has all)");
    }
    hs_free(q.set);
    return known && holds != negated;
}
