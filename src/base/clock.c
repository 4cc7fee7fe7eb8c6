/* clock.c - the two clocks, read together. */
#include "hearsay/base.h"

#include <time.h>

static int64_t read_ms(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct hs_now hs_clock(void)
{
    return (struct hs_now){.mono = {read_ms(CLOCK_MONOTONIC)}, .wall = {read_ms(CLOCK_REALTIME)}};
}

int64_t hs_clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
