/* base.h - the floor every room but wire and resp stands on: assertions, time,
 * randomness, memory at start, the log.
 *
 * Threads: hs_log() and hs_assert_fail() may be called from any thread. A
 *          struct hs_prng belongs to its caller.
 * Memory:  hs_alloc() is for start-up and for bounded, rare growth. Hot paths
 *          use what was sized at start.
 */
#ifndef HEARSAY_BASE_H
#define HEARSAY_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Always compiled in, release builds too. For broken invariants only: input
 * from a peer, a file or the kernel must never be able to reach one. */
_Noreturn void hs_assert_fail(const char *cond, const char *file, int line, const char *func);

#ifdef HS_COVERAGE /* the side on which the process ends is not a branch that a test has missed */
static inline void hs_assert_true(bool ok, const char *cond, const char *file, int line,
                                  const char *func)
{
    if (!ok) {
        hs_assert_fail(cond, file, line, func);
    }
}
#define HS_ASSERT(cond) hs_assert_true((cond), #cond, __FILE__, __LINE__, __func__)
#else
#define HS_ASSERT(cond) ((cond) ? (void)0 : hs_assert_fail(#cond, __FILE__, __LINE__, __func__))
#endif

/* Two clocks, two types, so that they cannot be mixed by accident. Intervals
 * are measured on mono; wall only ever goes into a wire field or a text. */
typedef struct {
    int64_t ms;
} hs_mono;

typedef struct {
    int64_t ms; /* since the Unix epoch */
} hs_wall;

static inline int64_t hs_mono_since(hs_mono now, hs_mono then)
{
    return now.ms - then.ms;
}

/* Both clocks, sampled together once per batch of work. */
struct hs_now {
    hs_mono mono;
    hs_wall wall;
};

/* Both clocks now. Only for rooms that face the kernel: what decides something
 * is given its time as an argument. */
struct hs_now hs_clock(void);
/* The monotonic one in ns, to measure how long something took. */
int64_t hs_clock_ns(void);

/* A place in a table that was sized once, at start. */
typedef uint32_t hs_ix;
#define HS_NIL UINT32_MAX

/* How long the UTF-8 character at s is; 0 if it is none or n bytes cut it short. */
size_t hs_utf8_len(const char *s, size_t n);

/* A seeded generator (xoshiro256**): same seed, same sequence, everywhere. */
struct hs_prng {
    uint64_t s[4];
};

void hs_prng_seed(struct hs_prng *r, uint64_t seed);
uint64_t hs_prng_next(struct hs_prng *r);
/* Uniform in [0, bound); bound > 0. */
uint32_t hs_prng_below(struct hs_prng *r, uint32_t bound);

/* Zeroed memory, 64-byte aligned, lazily backed by the kernel for large n.
 * NULL when there is none. hs_free(NULL) is fine. */
void *hs_alloc(size_t n);
void hs_free(void *p);

/* How values are distributed, by powers of two: buckets[i] counts what is at
 * most 2^i and more than 2^(i-1), the last one all above. To add one costs a few
 * instructions; a reader on another thread is handed a copy. */
enum { HS_HISTOGRAM_BUCKETS = 36 };

struct hs_histogram {
    uint64_t buckets[HS_HISTOGRAM_BUCKETS];
    uint64_t sum;
};

static inline void hs_histogram_add(struct hs_histogram *h, uint64_t v)
{
    uint32_t i = v <= 1 ? 0 : 64 - (uint32_t)__builtin_clzll(v - 1);
    h->buckets[i < HS_HISTOGRAM_BUCKETS ? i : HS_HISTOGRAM_BUCKETS - 1]++;
    h->sum += v;
}

enum hs_log_level { HS_LOG_DEBUG, HS_LOG_VERBOSE, HS_LOG_NOTICE, HS_LOG_WARNING, HS_LOG_NOTHING };

enum hs_log_format { HS_LOG_PLAIN, HS_LOG_LOGFMT, HS_LOG_JSON };

/* What a line is about, for the formats that machines read; a plain line has it
 * in its text. Keys are ours, values may be anybody's and are cut at 64 bytes. */
struct hs_log_field {
    const char *key, *value;
};

/* One line of at most 1 KiB, written with one write(2); longer lines are cut.
 * The line format is the stock server's (pid:role time level-sign text) unless
 * another is set. What is no UTF-8, and what would end the line, becomes '?'. */
void hs_log(enum hs_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void hs_log_with(enum hs_log_level level, const struct hs_log_field *fields, uint32_t fields_n,
                 const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void hs_log_set_format(enum hs_log_format format);
void hs_log_set_level(enum hs_log_level level);
enum hs_log_level hs_log_get_level(void);
/* Sends the log to a file (appending), to standard output for "" or NULL.
 * 0, or a negative errno and the old destination stays. */
int hs_log_open(const char *path);
/* Opens the same path again, after a rotation. */
int hs_log_reopen(void);
/* Sends every line to syslog as well, from now on; once, before other threads
 * log. 0, or a negative errno if nobody listens there: lines are sent all the
 * same, for a syslog daemon that comes later, unless there is no socket at all. */
int hs_log_syslog(const char *ident, int facility);
/* The role letter of the line prefix: 'M' master, 'S' replica. */
void hs_log_set_role(char role);

#endif
