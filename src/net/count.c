/* count.c - the counters of all reactors in one list. */
#include "net_int.h"

#include <inttypes.h>

static const char *const NAMES[COUNTERS_N + HS_WIRE_ERRS] = {
#define NET_COUNTER_NAME(name) [COUNT_##name] = #name,
    NET_COUNTERS(NET_COUNTER_NAME)
#undef NET_COUNTER_NAME
        /* Frames refused, by verdict. */
        [COUNTERS_N + HS_WIRE_OK] = "wire_ok",
    [COUNTERS_N + HS_WIRE_MORE] = "wire_more",
    [COUNTERS_N + HS_WIRE_SIGNATURE] = "wire_signature",
    [COUNTERS_N + HS_WIRE_SHORT] = "wire_short",
    [COUNTERS_N + HS_WIRE_TOO_LONG] = "wire_too_long",
    [COUNTERS_N + HS_WIRE_VERSION] = "wire_version",
    [COUNTERS_N + HS_WIRE_LIGHT_TYPE] = "wire_light_type",
    [COUNTERS_N + HS_WIRE_LENGTH] = "wire_length",
    [COUNTERS_N + HS_WIRE_COUNT] = "wire_count",
    [COUNTERS_N + HS_WIRE_EXTENSION] = "wire_extension",
    [COUNTERS_N + HS_WIRE_EXT_DATA] = "wire_ext_data",
    [COUNTERS_N + HS_WIRE_PAYLOAD] = "wire_payload",
};

bool net_may_tell(const struct hs_reactor *r, struct told *t, char *more, size_t n)
{
    if (r->now_ms - t->at_ms < TELL_MS) {
        t->more++;
        return false;
    }
    more[0] = '\0';
    if (t->more > 0)
        snprintf(more, n, " [%" PRIu32 " more were not logged]", t->more);
    *t = (struct told){.at_ms = r->now_ms};
    return true;
}

static uint64_t sum(const struct hs_net *n, uint32_t i)
{
    uint64_t total = 0;

    for (uint32_t k = 0; k < n->conf.reactors; k++) {
        const struct hs_reactor *r = &n->reactors[k];
        const net_count *c = i < COUNTERS_N ? &r->counts[i] : &r->verdicts[i - COUNTERS_N];
        total += atomic_load_explicit(c, memory_order_relaxed);
    }
    return total;
}

uint32_t hs_net_counters(const struct hs_net *n, const char *const **names, uint64_t *values,
                         uint32_t max)
{
    uint32_t all_n = COUNTERS_N + HS_WIRE_ERRS;

    *names = NAMES;
    for (uint32_t i = 0; i < all_n && i < max; i++)
        values[i] = sum(n, i);
    return all_n < max ? all_n : max;
}
