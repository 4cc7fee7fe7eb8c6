/* micro.c - see micro.h. Time is the thread's own CPU time, so that what else the
 * machine does counts little. The median of several rounds is told, with the
 * fastest and the slowest: on a busy machine the fastest is the truest.
 */
#include "micro.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 9, ROUND_NS = 20000000 };

void micro_measured(const struct micro_case *c, void *ctx, uint64_t n);

/* A name of its own in the binary, for callgrind's --toggle-collect. */
__attribute__((noinline)) void micro_measured(const struct micro_case *c, void *ctx, uint64_t n)
{
    c->body(ctx, n);
}

static double seconds_of(const struct micro_case *c, void *ctx, uint64_t n)
{
    struct timespec a, b;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
    micro_measured(c, ctx, n);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
    return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void time_it(const struct micro_case *c, void *ctx)
{
    double ns[ROUNDS];
    uint64_t n = 1;

    while (seconds_of(c, ctx, n) * 1e9 < ROUND_NS && n < UINT64_MAX / 2) {
        n *= 2;
    }
    for (uint32_t i = 0; i < ROUNDS; i++) {
        ns[i] = seconds_of(c, ctx, n) * 1e9 / (double)n;
    }
    qsort(ns, ROUNDS, sizeof(ns[0]), by_size);
    printf("%-28s %10.1f ns  (%.1f to %.1f)\n", c->name, ns[ROUNDS / 2], ns[0], ns[ROUNDS - 1]);
}

int micro_main(int argc, char **argv, const struct micro_case *cases, uint32_t cases_n)
{
    const char *only = NULL;
    uint64_t count = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0) {
            for (uint32_t c = 0; c < cases_n; c++) {
                puts(cases[c].name);
            }
            return 0;
        }
        if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            only = argv[++i];
        } else if (strcmp(argv[i], "--count") == 0 && i + 1 < argc) {
            count = strtoull(argv[++i], NULL, 10);
        } else {
            fprintf(stderr, "usage: %s [--list] [--only NAME] [--count N]\n", argv[0]);
            return 2;
        }
    }
    for (uint32_t c = 0; c < cases_n; c++) {
        if (only == NULL || strcmp(only, cases[c].name) == 0) {
            void *ctx = cases[c].setup == NULL ? NULL : cases[c].setup(cases[c].size);
            if (count > 0) {
                micro_measured(&cases[c], ctx, count);
            } else {
                time_it(&cases[c], ctx);
            }
        }
    }
    return 0;
}
