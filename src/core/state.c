/* state.c - is the cluster fit for use, as seen from here?
 *
 * Fail if a slot has no working owner (under full coverage), or if we cannot
 * see a majority of the voters: then we may be the part that is cut off.
 */
#include "core_int.h"

/* A master that restarts would otherwise answer with yesterday's slots before
 * it hears of today's. Reference behaviour. */
#define WRITABLE_DELAY_MS 2000

/* A master back in the majority waits, so that the majority's news reach it
 * first: a node timeout, within these. Reference behaviour. */
#define REJOIN_DELAY_MS_MIN 500
#define REJOIN_DELAY_MS_MAX 5000

enum { REASON_SLOTS, REASON_MINORITY };

static int64_t rejoin_delay_ms(const struct hs_core *c)
{
    int64_t t = c->conf.node_timeout_ms;

    return t < REJOIN_DELAY_MS_MIN   ? REJOIN_DELAY_MS_MIN
           : t > REJOIN_DELAY_MS_MAX ? REJOIN_DELAY_MS_MAX
                                     : t;
}

void core_state_update(struct hs_core *c)
{
    int64_t now = c->now.mono.ms;
    bool covered = c->assigned_n == HS_SLOTS && c->slots_failed_n == 0;
    bool majority;
    bool ok;

    c->state_due = false;
    /* Stock servers leave the size at its initial 0 or 1 during the delay below,
     * which would let one report be a quorum. */
    if (c->size != c->voters_n) {
        c->size = c->voters_n;
        core_changed(c);
    }
    if (i_am_master(c) && !c->ok && now - c->started_at < WRITABLE_DELAY_MS) {
        return;
    }
    majority = c->voters_n - c->voters_down_n >= c->voters_n / 2 + 1;
    if (!majority) {
        c->minority_at = now;
    }
    ok = majority && (covered || !c->conf.require_full_coverage);
    if (ok == c->ok || (ok && i_am_master(c) && c->minority_at != 0 &&
                        now - c->minority_at < rejoin_delay_ms(c))) {
        return;
    }
    c->ok = ok;
    c->survey_at = 0; /* replicas migrate while it is ok */
    core_note(c, ok ? HS_NOTE_STATE_OK : HS_NOTE_STATE_FAIL, HS_NIL, HS_NIL,
              majority ? REASON_SLOTS : REASON_MINORITY);
    core_changed(c);
}
