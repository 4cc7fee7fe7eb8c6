/* refusals.c - with whom a handshake failed lately, on the bus: for whoever
 * tells people of it. Strangers can fail too, as often as they like; so the table
 * is small, and who was refused least lately gives way.
 */
#include "tls_int.h"

#include <stdio.h>
#include <string.h>

enum { REFUSALS_GAP_MS = 10 * 1000 }; /* what is further apart is not one series */

static struct hs_tls_refusal *entry(struct hs_tls *t, const char *ip, uint16_t port)
{
    struct hs_tls_refusal *oldest = &t->refusals[0];
    for (uint32_t i = 0; i < t->refusals_n; i++) {
        struct hs_tls_refusal *r = &t->refusals[i];
        if (r->port == port && strcmp(r->ip, ip) == 0)
            return r;
        if (r->last_ms < oldest->last_ms)
            oldest = r;
    }
    if (t->refusals_n < HS_TLS_REFUSALS_MAX)
        oldest = &t->refusals[t->refusals_n++];
    *oldest = (struct hs_tls_refusal){.port = port};
    snprintf(oldest->ip, sizeof(oldest->ip), "%s", ip);
    return oldest;
}

void hs_tls_refused(struct hs_tls *t, const char *ip, uint16_t port, const char *why, hs_mono now)
{
    hs_lock_take(t->lock);
    struct hs_tls_refusal *r = entry(t, ip, port);
    r->times = now.ms - r->last_ms > REFUSALS_GAP_MS ? 1 : r->times + 1;
    r->last_ms = now.ms;
    snprintf(r->why, sizeof(r->why), "%s", why);
    hs_lock_release(t->lock);
}

uint32_t hs_tls_refusals(struct hs_tls *t, struct hs_tls_refusal out[HS_TLS_REFUSALS_MAX])
{
    hs_lock_take(t->lock);
    uint32_t n = t->refusals_n;
    memcpy(out, t->refusals, n * sizeof(out[0]));
    hs_lock_release(t->lock);
    return n;
}
