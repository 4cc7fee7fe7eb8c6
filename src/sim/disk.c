/* disk.c - saves that take their time, and what a crash leaves of them.
 *
 * As in the daemon, one save is under way and the newest wish waits behind it;
 * what came between is never written. A process that dies loses what was not
 * written; a machine that loses power also loses what was not forced out.
 */
#include "sim_int.h"

enum { SYNC_US = 2000, SYNC_JITTER_US = 6000, WRITE_US = 100 };

/* A journaling file system commits by itself this often, renames included. */
#define COMMIT_US (5 * SECOND)

static void drop(struct snap *k)
{
    if (k != NULL && --k->refs == 0) {
        hs_free(k->packed);
        hs_free(k);
    }
}

static void put(struct snap **place, struct snap *k)
{
    k->refs++;
    drop(*place);
    *place = k;
}

/* As nodes.conf has it: a node in handshake has a made-up id and is not there. */
static void leave_out_handshakes(struct hs_topo *t)
{
    uint16_t place[HS_NODES_MAX];
    uint32_t kept = 0;

    for (uint32_t i = 0; i < t->nodes_n; i++) {
        bool goes = (t->nodes[i].flags & HS_NODE_HANDSHAKE) != 0;
        place[i] = goes ? HS_TOPO_NONE : (uint16_t)kept;
        t->nodes[kept] = t->nodes[i];
        kept += !goes;
    }
    if (kept == t->nodes_n) {
        return;
    }
    t->nodes_n = kept;
    for (uint32_t i = 0; i < kept; i++) {
        if (t->nodes[i].master != HS_TOPO_NONE) {
            t->nodes[i].master = place[t->nodes[i].master];
        }
    }
    for (uint32_t slot = 0; slot < HS_SLOTS; slot++) {
        if (t->owner[slot] != HS_TOPO_NONE) {
            t->owner[slot] = place[t->owner[slot]];
        }
    }
    for (uint32_t k = 0; k < t->migrating_n; k++) {
        t->migrating[k].node = place[t->migrating[k].node];
    }
    for (uint32_t k = 0; k < t->importing_n; k++) {
        t->importing[k].node = place[t->importing[k].node];
    }
}

static void hold(struct hs_sim *s, uint32_t i, struct snap *k)
{
    struct hs_topo *t = view_of(s, i);

    leave_out_handshakes(t);
    k->packed = disk_pack(&s->known, t);
    k->config_epoch = t->nodes[0].config_epoch;
    k->current_epoch = t->current_epoch;
    k->vote_epoch = t->last_vote_epoch;
}

static struct snap *capture(struct hs_sim *s, uint32_t i, uint64_t seq, bool sync)
{
    struct snap *k = hs_alloc(sizeof(*k));

    HS_ASSERT(k != NULL);
    k->refs = 1;
    k->seq = seq;
    k->sync = sync;
    if (!s->opts.forget_disks) {
        hold(s, i, k);
    }
    return k;
}

static void begin(struct hs_sim *s, uint32_t i)
{
    struct disk *d = &s->nodes[i].disk;
    uint32_t ev;

    d->writing = d->waiting;
    d->waiting = NULL;
    if (d->stuck) {
        return;
    }
    ev = event_take(s, EV_SAVED, i);
    event_at(s, ev)->number = d->writing->seq;
    event_push(s, ev,
               s->now + d->delay_us +
                   (d->writing->sync ? SYNC_US + (int64_t)hs_prng_below(&s->prng, SYNC_JITTER_US)
                                     : WRITE_US));
}

void disk_save(struct hs_sim *s, uint32_t i, uint64_t seq, bool sync)
{
    struct disk *d = &s->nodes[i].disk;
    bool owed = d->waiting != NULL && d->waiting->sync;

    drop(d->waiting);
    d->waiting = capture(s, i, seq, sync || owed);
    if (d->writing == NULL) {
        begin(s, i);
    }
}

static void commit(struct hs_sim *s, struct disk *d)
{
    if (d->written != NULL && s->now - d->committed_at >= COMMIT_US) {
        put(&d->synced, d->written);
        d->committed_at = s->now;
    }
}

static void complete(struct hs_sim *s, struct disk *d)
{
    commit(s, d);
    put(&d->written, d->writing);
    if (d->writing->sync) {
        put(&d->synced, d->writing);
    }
}

/* The save under way is done; the node is told by the caller. */
void disk_done(struct hs_sim *s, uint32_t i)
{
    struct disk *d = &s->nodes[i].disk;

    HS_ASSERT(d->writing != NULL);
    complete(s, d);
    drop(d->writing);
    d->writing = NULL;
    if (d->waiting != NULL) {
        begin(s, i);
    }
}

/* A disk that answers again. */
void disk_fix(struct hs_sim *s, uint32_t i)
{
    struct disk *d = &s->nodes[i].disk;

    d->delay_us = 0;
    if (!d->stuck) {
        return;
    }
    d->stuck = false;
    if (d->writing != NULL && s->nodes[i].running) {
        uint32_t ev = event_take(s, EV_SAVED, i);
        event_at(s, ev)->number = d->writing->seq;
        event_push(s, ev, s->now + SYNC_US);
    }
}

/* Before the node's memory goes. The save under way is lost, or had just been
 * completed; nobody was told of it, so both must do. */
void disk_crash(struct hs_sim *s, uint32_t i, bool power)
{
    struct disk *d = &s->nodes[i].disk;

    if (s->opts.forget_disks) {
        struct snap *k = hs_alloc(sizeof(*k));
        HS_ASSERT(k != NULL);
        hold(s, i, k);
        put(&d->written, k);
    } else if (d->writing != NULL && !d->stuck && hs_prng_below(&s->prng, 2) == 0) {
        complete(s, d);
    }
    commit(s, d);
    if (power && d->synced != NULL && hs_prng_below(&s->prng, 2) == 0) {
        put(&d->written, d->synced);
    }
    drop(d->writing);
    drop(d->waiting);
    d->writing = d->waiting = NULL;
}

void disk_fini(struct disk *d)
{
    drop(d->writing);
    drop(d->waiting);
    drop(d->written);
    drop(d->synced);
    *d = (struct disk){.delay_us = 0};
}
