/* micro.h - what one call costs: time with its spread, and one counted batch
 * for callgrind, whose instruction counts repeat where times do not.
 *
 * A program has a table of cases. Without arguments it times each; with
 * --list it names them; with --only NAME --count N it runs one, N times, all
 * of it inside micro_measured(), which callgrind is told to look at.
 */
#ifndef HEARSAY_MICRO_H
#define HEARSAY_MICRO_H

#include <stdint.h>

struct micro_case {
    const char *name;
    void (*body)(void *ctx, uint64_t n); /* does it n times */
    void *(*setup)(uint64_t size);       /* made once, before its case */
    uint64_t size;                       /* nodes or bytes, as the case has it */
};

int micro_main(int argc, char **argv, const struct micro_case *cases, uint32_t cases_n);

/* Makes the compiler believe that somebody looks at p. */
static inline void micro_keep(const void *p)
{
    __asm__ volatile("" : : "r"(p) : "memory");
}

#endif
