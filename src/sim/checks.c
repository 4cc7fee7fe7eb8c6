/* checks.c - what must never happen, watched from outside.
 *
 * Nothing here calls the code it checks: it reads the frames that leave and
 * arrive, the notes, and the frozen views. What a node has promised is kept
 * over all its lives, so a promise broken by a crash is seen.
 */
#include "sim_int.h"

#include <stdarg.h>

enum { OBSERVERS_MAX = 64 }; /* up to so many nodes all are; of more, a sample */

void violation(struct hs_sim *s, uint32_t i, const char *fmt, ...)
{
    va_list ap;
    size_t n;

    if (s->failed) {
        return; /* the first one is the one to look at */
    }
    s->failed = s->stop = true;
    n = (size_t)snprintf(s->error, sizeof(s->error), "at %lld.%03lld s, ",
                         (long long)(s->now / SECOND), (long long)(s->now % SECOND / MS));
    if (i != HS_NIL) {
        n += (size_t)snprintf(s->error + n, sizeof(s->error) - n, "node %u: ", i);
    }
    va_start(ap, fmt);
    vsnprintf(s->error + n, sizeof(s->error) - n, fmt, ap);
    va_end(ap);
}

static struct observer *observer_of(struct hs_sim *s, uint32_t i)
{
    return i % s->checks.stride == 0 ? &s->checks.observers[i / s->checks.stride] : NULL;
}

bool checks_init(struct hs_sim *s)
{
    struct checks *k = &s->checks;
    uint32_t observers_n;

    k->stride = (s->n + OBSERVERS_MAX - 1) / OBSERVERS_MAX;
    if (s->n > 8 * OBSERVERS_MAX) {
        k->stride = s->n / 8; /* each costs n^2 stamps */
    }
    observers_n = (s->n + k->stride - 1) / k->stride;
    k->observers = hs_alloc(observers_n * sizeof(*k->observers));
    k->promises = hs_alloc(s->n * sizeof(*k->promises));
    k->claims = hs_alloc(CLAIMS_MAX * sizeof(*k->claims));
    if (k->observers == NULL || k->promises == NULL || k->claims == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < observers_n; i++) {
        struct observer *o = &k->observers[i];
        o->marks = hs_alloc(s->n);
        o->before = hs_alloc(s->n);
        o->heard = hs_alloc((size_t)s->n * s->n * sizeof(*o->heard));
        if (o->marks == NULL || o->before == NULL || o->heard == NULL) {
            return false;
        }
    }
    return true;
}

void checks_fini(struct hs_sim *s)
{
    struct checks *k = &s->checks;

    for (uint32_t i = 0; k->observers != NULL && i < (s->n + k->stride - 1) / k->stride; i++) {
        hs_free(k->observers[i].marks);
        hs_free(k->observers[i].before);
        hs_free(k->observers[i].heard);
    }
    hs_free(k->observers);
    hs_free(k->promises);
    hs_free(k->claims);
}

/* ---- verdicts ---- */

static void look(struct hs_sim *s, uint32_t i, struct observer *o)
{
    const struct hs_topo *t;
    uint8_t *swap = o->before;

    if (hs_core_version(s->nodes[i].core) == o->version) {
        memcpy(o->before, o->marks, s->n);
        o->voters_before = o->voters;
        return;
    }
    t = view_of(s, i);
    o->version = t->version;
    o->before = o->marks;
    o->marks = swap;
    o->voters_before = o->voters;
    o->voters = 0;
    memset(o->marks, 0, s->n);
    for (uint32_t k = 0; k < t->nodes_n; k++) {
        const struct hs_topo_node *n = &t->nodes[k];
        uint32_t who = ids_find(s, &n->id);
        bool voter = (n->flags & HS_NODE_MASTER) != 0 && n->slots_n > 0;
        o->voters += voter;
        if (who != HS_NIL) {
            o->marks[who] = (uint8_t)(KNOWS | (voter ? VOTER : 0) |
                                      ((n->flags & HS_NODE_PFAIL) != 0 ? PFAIL : 0) |
                                      ((n->flags & HS_NODE_FAIL) != 0 ? FAIL : 0));
        }
    }
}

static bool accuses(const struct hs_view *v)
{
    if (v->type > HS_MSG_MEET || !hs_wire_gossip_valid(v)) {
        return false;
    }
    for (uint32_t k = 0; k < v->gossip_n; k++) {
        if ((hs_get16(hs_view_gossip(v, k) + HS_G_FLAGS) & (HS_NODE_PFAIL | HS_NODE_FAIL)) != 0) {
            return true;
        }
    }
    return false;
}

/* What one message of `from` says of others, as the protocol counts it: a
 * voter's accusation stands until it is two timeouts old or withdrawn. */
static void hear(struct hs_sim *s, struct observer *o, uint32_t from, const struct hs_view *v)
{
    bool voter = ((o->marks[from] | o->before[from]) & VOTER) != 0;

    for (uint32_t k = 0; k < v->gossip_n; k++) {
        const uint8_t *g = hs_view_gossip(v, k);
        uint32_t about = ids_find(s, g + HS_G_ID);
        bool down = (hs_get16(g + HS_G_FLAGS) & (HS_NODE_PFAIL | HS_NODE_FAIL)) != 0;
        if (about != HS_NIL) {
            int64_t *heard = &o->heard[(size_t)about * s->n + from];
            if (*heard != 0 || (voter && down)) { /* memory nobody accused in is not touched */
                o->heard_n -= *heard != 0;
                *heard = voter && down ? s->now : 0;
                o->heard_n += *heard != 0;
            }
        }
    }
}

/* A view is only looked at around a step that could use it: one that hears an
 * accusation. */
void checks_before(struct hs_sim *s, uint32_t i, const struct hs_event *ev)
{
    struct observer *o = observer_of(s, i);

    if (o != NULL) {
        o->attentive = ev->type == HS_EV_RECV && accuses(ev->msg);
        if (o->attentive) {
            look(s, i, o);
        }
    }
}

void checks_after(struct hs_sim *s, uint32_t i, const struct hs_event *ev, uint32_t from)
{
    struct observer *o = observer_of(s, i);

    if (o == NULL) {
        return;
    }
    if (o->attentive) {
        look(s, i, o);
    }
    if (o->attentive || (o->heard_n > 0 && ev->type == HS_EV_RECV && ev->msg->type <= HS_MSG_MEET &&
                         hs_wire_gossip_valid(ev->msg))) {
        hear(s, o, from, ev->msg);
    }
}

/* A verdict of its own needs a majority of the voters it knows, accusations no
 * older than two timeouts (and the grain they are kept in), itself among them. */
static void check_verdict(struct hs_sim *s, uint32_t i, uint32_t suspect)
{
    struct observer *o = observer_of(s, i);
    int64_t timeout = (int64_t)s->opts.node_timeout_ms * MS;
    int64_t oldest = s->now - 2 * timeout - timeout / 8;
    uint32_t voters, votes = 0;

    if (o == NULL) {
        return;
    }
    if (!o->attentive) {
        look(s, i, o);
    }
    voters = o->voters < o->voters_before ? o->voters : o->voters_before;
    for (uint32_t k = 0; k < s->n; k++) {
        int64_t heard = o->heard[(size_t)suspect * s->n + k];
        votes +=
            k == i ? ((o->marks[i] | o->before[i]) & VOTER) != 0 : heard != 0 && heard >= oldest;
    }
    if (votes < voters / 2 + 1) {
        violation(s, i, "held node %u for failed with %u of %u voters behind it", suspect, votes,
                  voters);
    }
}

/* Nothing has been wrong with the suspect for three timeouts. Who has just come back
 * may look for one that moved where its file has it. */
static bool is_false(const struct hs_sim *s, const struct node *accuser, const struct node *suspect)
{
    return suspect->running && suspect->sick == 0 && s->now > suspect->sick_until &&
           !(suspect->moved && s->now <= accuser->sick_until);
}

void checks_note(struct hs_sim *s, uint32_t i, const struct hs_action *a)
{
    uint32_t suspect;

    if (a->note != HS_NOTE_FAIL || (suspect = ids_find(s, &a->id)) == HS_NIL) {
        return;
    }
    s->accused[suspect] = 1;
    if (a->other == HS_NIL) {
        check_verdict(s, i, suspect);
        s->r.false_fails += is_false(s, &s->nodes[i], &s->nodes[suspect]);
    }
}

/* ---- promises ---- */

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

void checks_started(struct hs_sim *s, uint32_t i, const struct hs_topo *boot)
{
    struct observer *o = observer_of(s, i);
    struct promise *p = &s->checks.promises[i];

    p->boot_config = boot->nodes[0].config_epoch;
    p->boot_current = boot->current_epoch;
    p->boot_vote = boot->last_vote_epoch;
    p->current_epoch = larger(larger(p->config_epoch, p->voted_epoch), p->asked_epoch);
    if (o != NULL) {
        if (o->heard_n > 0) {
            memset(o->heard, 0, (size_t)s->n * s->n * sizeof(*o->heard));
            o->heard_n = 0;
        }
        o->version = UINT64_MAX;
        look(s, i, o);
        memcpy(o->before, o->marks, s->n);
        o->voters_before = o->voters;
    }
}

/* After a restart: everything the disk had is there again. */
void checks_restored(struct hs_sim *s, uint32_t i, const struct hs_topo *boot)
{
    const struct hs_topo *t = view_of(s, i);
    const struct promise *p = &s->checks.promises[i];

    if (boot->nodes[0].config_epoch < p->config_epoch) {
        violation(s, i, "was master with epoch %llu, its disk has %llu",
                  (unsigned long long)p->config_epoch,
                  (unsigned long long)boot->nodes[0].config_epoch);
    }
    if (memcmp(&t->nodes[0].id, &boot->nodes[0].id, sizeof(t->nodes[0].id)) != 0 ||
        t->nodes[0].config_epoch != boot->nodes[0].config_epoch ||
        t->current_epoch < boot->current_epoch || t->last_vote_epoch != boot->last_vote_epoch) {
        violation(s, i, "did not take its id or epochs from its disk");
    }
    for (uint32_t k = 0; k < boot->nodes_n; k++) {
        if (hs_topo_find(t, &boot->nodes[k].id) == HS_TOPO_NONE) {
            violation(s, i, "did not take all nodes from its disk");
        }
    }
    for (uint32_t slot = 0; slot < HS_SLOTS; slot++) {
        uint16_t a = boot->owner[slot], b = t->owner[slot];
        if ((a == HS_TOPO_NONE) != (b == HS_TOPO_NONE) ||
            (a != HS_TOPO_NONE && memcmp(&boot->nodes[a].id, &t->nodes[b].id, HS_ID_LEN) != 0)) {
            violation(s, i, "did not take slot %u from its disk", slot);
            return;
        }
    }
}

static void check_durable(struct hs_sim *s, uint32_t i, const char *what, uint64_t said,
                          uint64_t boot, uint64_t synced)
{
    if (!s->opts.forget_disks && said > larger(boot, synced)) {
        violation(s, i, "%s %llu left before it was on disk", what, (unsigned long long)said);
    }
}

static void sent_vote(struct hs_sim *s, uint32_t i, uint64_t epoch, uint32_t to)
{
    struct promise *p = &s->checks.promises[i];
    const struct snap *k = s->nodes[i].disk.synced;

    if (epoch <= p->voted_epoch) {
        violation(s, i, "votes for node %u in epoch %llu, and voted in %llu before", to,
                  (unsigned long long)epoch, (unsigned long long)p->voted_epoch);
    }
    p->voted_epoch = larger(p->voted_epoch, epoch);
    check_durable(s, i, "a vote in epoch", epoch, p->boot_vote, k == NULL ? 0 : k->vote_epoch);
}

/* A frame leaves: its header binds the sender. */
void checks_sent(struct hs_sim *s, uint32_t i, const uint8_t *frame, uint32_t to)
{
    struct promise *p = &s->checks.promises[i];
    const struct snap *k = s->nodes[i].disk.synced;
    uint16_t type = hs_get16(frame + HS_OFF_TYPE);
    uint64_t current, config;

    if ((type & 0x8000) != 0) {
        return; /* a light frame promises nothing */
    }
    current = hs_get64(frame + HS_OFF_CURRENT_EPOCH);
    config = hs_get64(frame + HS_OFF_CONFIG_EPOCH);
    if (type == HS_MSG_AUTH_ACK) {
        sent_vote(s, i, current, to);
        return;
    }
    if (type == HS_MSG_AUTH_REQUEST) {
        p->asked_epoch = larger(p->asked_epoch, current);
        check_durable(s, i, "an election's epoch", current, p->boot_current,
                      k == NULL ? 0 : k->current_epoch);
    }
    if (current < p->current_epoch) {
        violation(s, i, "told of current epoch %llu after %llu", (unsigned long long)current,
                  (unsigned long long)p->current_epoch);
    }
    p->current_epoch = larger(p->current_epoch, current);
    if ((hs_get16(frame + HS_OFF_FLAGS) & HS_NODE_MASTER) != 0) {
        if (config < p->config_epoch) {
            violation(s, i, "claims its slots with epoch %llu after %llu",
                      (unsigned long long)config, (unsigned long long)p->config_epoch);
        }
        p->config_epoch = larger(p->config_epoch, config);
        check_durable(s, i, "a claim with epoch", config, p->boot_config,
                      k == NULL ? 0 : k->config_epoch);
    }
}
