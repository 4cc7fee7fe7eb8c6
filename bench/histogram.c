/* histogram.c - see histogram.h. The bucket of a value is its highest bit and
 * the five bits below it.
 */
#include "histogram.h"

static uint32_t bucket_of(uint64_t ns)
{
    uint32_t shift;

    if (ns < HISTOGRAM_SUB) {
        return (uint32_t)ns;
    }
    shift = (uint32_t)(63 - __builtin_clzll(ns)) - 5;
    if (shift >= HISTOGRAM_OCTAVES) {
        return HISTOGRAM_BUCKETS - 1;
    }
    return shift * HISTOGRAM_SUB + (uint32_t)(ns >> shift);
}

static double middle_of(uint32_t bucket)
{
    uint32_t shift;

    if (bucket < HISTOGRAM_SUB) {
        return bucket;
    }
    shift = bucket / HISTOGRAM_SUB - 1;
    return ((double)(bucket % HISTOGRAM_SUB + HISTOGRAM_SUB) + 0.5) * (double)(1ull << shift);
}

void histogram_record(struct histogram *h, uint64_t ns)
{
    _Atomic uint64_t *b = &h->bucket[bucket_of(ns)];

    atomic_store_explicit(b, atomic_load_explicit(b, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

void histogram_add(struct histogram_copy *to, const struct histogram *h)
{
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t n = atomic_load_explicit(&h->bucket[i], memory_order_relaxed);
        to->bucket[i] += n;
        to->total += n;
    }
}

void histogram_subtract(struct histogram_copy *to, const struct histogram_copy *what)
{
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        to->bucket[i] -= what->bucket[i];
    }
    to->total -= what->total;
}

double histogram_quantile(const struct histogram_copy *h, double q)
{
    uint64_t seen = 0;
    uint64_t wanted = (uint64_t)(q * (double)h->total);

    if (h->total == 0) {
        return 0;
    }
    if (wanted >= h->total) {
        wanted = h->total - 1;
    }
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->bucket[i];
        if (seen > wanted) {
            return middle_of(i);
        }
    }
    return 0;
}
