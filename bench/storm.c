/* storm.c - a part of the peers dies at one moment. The survivors suspect them
 * after a node timeout, as real masters would, and take them for failed when
 * the target says so. In a silent storm they say nothing, and it may not.
 */
#include "bench.h"

enum { RENEW_MS = 50 };

static void die(struct worker *w)
{
    for (uint32_t peer = 0; peer < w->b->world.peers_n; peer++) {
        struct conn *c;
        if (!owns(w, peer) || !w->b->world.doomed[peer]) {
            continue;
        }
        if (w->out[peer] != NULL) {
            conn_close(w, w->out[peer], true);
        }
        c = atomic_load(&w->in[peer]);
        if (c != NULL) {
            conn_close(w, c, true);
        }
    }
}

/* More are noticed until one and a half timeouts have passed, all are agreed
 * upon after two, and more are FAIL whenever the target says so. */
static bool still_changing(const struct worker *w, int64_t since_ns, int64_t timeout_ns)
{
    bool noticing = since_ns >= timeout_ns && since_ns <= 2 * timeout_ns + 4 * RENEW_MS * 1000000;

    return noticing || count_sum(w->b, N_FAILS) != w->fails_shown;
}

void storm_tick(struct worker *w)
{
    int64_t killed = atomic_load(&w->b->killed_at_ns);
    int64_t timeout_ns = (int64_t)w->b->o->node_timeout_ms * 1000000;

    if (killed == 0) {
        return;
    }
    if (!w->killed) {
        w->killed = true;
        die(w);
    }
    if (!still_changing(w, w->now_ns - killed, timeout_ns) || w->now_ns < w->renew_at_ns) {
        return;
    }
    w->fails_shown = count_sum(w->b, N_FAILS);
    w->renew_at_ns = w->now_ns + RENEW_MS * 1000000;
    (void)board_renew(w);
}

void storm_heard_fail(struct worker *w, const struct hs_view *v)
{
    uint32_t peer = peer_of_id(&w->b->world, v->frame + HS_HDR_LEN);
    uint8_t expected = DEAD;

    if (w->b->o->silent) {
        fault(w, BAD_SUSPECT, "a FAIL about %.40s, whom nobody has reported",
              (const char *)v->frame + HS_HDR_LEN);
        return;
    }
    if (peer == HS_NIL || atomic_load(&w->b->suspected[peer]) == ALIVE) {
        fault(w, BAD_SUSPECT, "a FAIL about %.40s, who lives", (const char *)v->frame + HS_HDR_LEN);
        return;
    }
    if (atomic_compare_exchange_strong(&w->b->suspected[peer], &expected, REPORTED_FAIL)) {
        count_add(w, N_FAILS, 1);
        atomic_store(&w->b->last_fail_ns, mono_ns());
    }
}
