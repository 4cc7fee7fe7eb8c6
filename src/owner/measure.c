/* measure.c - what a turn of the loop costs, and how the view and the disk keep up.
 *
 * Once per turn, whatever it handled: a clock and a few additions.
 */
#include "owner_int.h"

/* Changes of the view come in bursts: a failover is a suspicion, a verdict, an
 * election, slots that move. How long such a burst lasts is what an operator
 * calls the time to converge. */
static void watch_view(struct hs_owner *o, int64_t now_ms)
{
    struct owner_burst *b = &o->burst;
    uint64_t version = hs_core_version(o->core);
    if (version != b->version) {
        b->version = version;
        b->last_ms = now_ms;
        if (b->first_ms == 0)
            b->first_ms = now_ms;
    }
    bool over = now_ms - b->last_ms >= OWNER_QUIET_MS || now_ms - b->first_ms >= OWNER_BURST_MAX_MS;
    if (b->first_ms == 0 || !over)
        return;
    hs_histogram_add(&o->histograms[HS_OWNER_SETTLE_MS], (uint64_t)(b->last_ms - b->first_ms));
    b->first_ms = 0;
}

/* A disk that refuses ends a save too, so that it can be told from one that hangs. */
static void watch_disk(struct hs_owner *o, int64_t now_ms)
{
    uint64_t saved = hs_store_saved(o->store);
    uint64_t ended = saved + hs_store_failures(o->store);
    if (o->save_given_seq <= saved)
        o->save_waits_ms = 0;
    else if (o->save_waits_ms == 0 || ended != o->saves_ended)
        o->save_waits_ms = now_ms;
    o->saves_ended = ended;
}

void owner_measure(struct hs_owner *o)
{
    int64_t now_ns = hs_clock_ns(), now_ms = now_ns / OWNER_NS_PER_MS;
    hs_histogram_add(&o->histograms[HS_OWNER_TURN_NS], (uint64_t)(now_ns - o->now_ns));
    watch_view(o, now_ms);
    watch_disk(o, now_ms);
}
