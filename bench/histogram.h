/* histogram.h - latencies in buckets that are 3 % wide, whatever their size.
 *
 * One thread records, others may read meanwhile: the difference of two copies
 * is the histogram of the time between them.
 */
#ifndef HEARSAY_BENCH_HISTOGRAM_H
#define HEARSAY_BENCH_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

enum {
    HISTOGRAM_SUB = 32,     /* buckets for each doubling: 1/32 is the error */
    HISTOGRAM_OCTAVES = 36, /* up to 2^40 ns, 18 minutes; longer ones count as that */
    HISTOGRAM_BUCKETS = HISTOGRAM_SUB * (HISTOGRAM_OCTAVES + 1),
};

struct histogram {
    _Atomic uint64_t bucket[HISTOGRAM_BUCKETS];
};

struct histogram_copy {
    uint64_t bucket[HISTOGRAM_BUCKETS];
    uint64_t total;
};

void histogram_record(struct histogram *h, uint64_t ns);
/* Adds what h holds now. */
void histogram_add(struct histogram_copy *to, const struct histogram *h);
void histogram_subtract(struct histogram_copy *to, const struct histogram_copy *what);
/* The value that a share q (0..1) of all is not above; 0 if there is none. */
double histogram_quantile(const struct histogram_copy *h, double q);

#endif
