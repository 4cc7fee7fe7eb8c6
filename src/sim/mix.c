/* mix.c - a bad day made up from a seed.
 *
 * The result is a story like any other, so a run that fails can be read,
 * shortened line by line, and kept. Every bad day ends: at last all is healed,
 * and then the cluster has to be well within a bound.
 */
#include "sim_int.h"

#include <stdarg.h>

enum {
    NODES_MIN = 5,
    NODES_SPREAD = 11,
    FIRST_S = 20, /* by then the cluster has come to be */
    DAY_S = 40,
    FAULTS_MIN = 1,
    FAULTS_SPREAD = 10,
};

struct writer {
    struct hs_prng prng;
    char *out;
    size_t n, at;
    uint32_t nodes;
};

static void put(struct writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct writer *w, const char *fmt, ...)
{
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(w->out + w->at, w->n - w->at, fmt, ap);
    va_end(ap);
    w->at += (size_t)len < w->n - w->at ? (size_t)len : w->n - w->at - 1;
}

static uint32_t below(struct writer *w, uint32_t n)
{
    return hs_prng_below(&w->prng, n);
}

static uint32_t node(struct writer *w)
{
    return below(w, w->nodes);
}

/* Two parts of the cluster, cut at some place. */
static void halves(struct writer *w, const char *verb, const char *between)
{
    uint32_t cut = below(w, w->nodes - 1);
    uint32_t a = below(w, 2);

    if (a == 0) {
        put(w, "%s 0-%u %s %u-%u", verb, cut, between, cut + 1, w->nodes - 1);
    } else {
        put(w, "%s %u-%u %s 0-%u", verb, cut + 1, w->nodes - 1, between, cut);
    }
}

static void network(struct writer *w)
{
    switch (below(w, 7)) {
    case 0:
        halves(w, "partition", "|");
        break;
    case 1:
        halves(w, "cut", "->");
        break;
    case 2:
        put(w, "partition %u", node(w));
        break;
    case 3:
        put(w, "cut %u -> %u", node(w), node(w));
        break;
    case 4:
        put(w, "slow %u by %ums", node(w), 1 + below(w, 2000));
        break;
    case 5:
        put(w, "flaky %u by %u%%", node(w), 1 + below(w, 30));
        break;
    default:
        put(w, "clog %u by %uKB/s", node(w), 1 + below(w, 50));
        break;
    }
}

static void machine(struct writer *w)
{
    switch (below(w, 7)) {
    case 0:
        put(w, "pause %u for %ums", node(w), 100 + below(w, 8000));
        break;
    case 1:
        put(w, "slow disk %u %ums", node(w), 1 + below(w, 3000));
        break;
    case 2:
        put(w, "stick disk %u", node(w));
        break;
    case 3:
        put(w, "clock %u jumps %ums%s", node(w), below(w, 60000), below(w, 2) == 0 ? " back" : "");
        break;
    case 4:
        put(w, "clock %u runs %u ppm%s", node(w), below(w, 20000), below(w, 2) == 0 ? " slow" : "");
        break;
    case 5:
        put(w, "slow disk all %ums", 1 + below(w, 500));
        break;
    default:
        put(w, "fix disk %u", node(w));
        break;
    }
}

static void death(struct writer *w)
{
    switch (below(w, 9)) {
    case 0:
    case 1:
        put(w, "kill %u", node(w));
        break;
    case 2:
        put(w, "unplug %u", node(w));
        break;
    case 3:
        put(w, "restart %u", node(w));
        break;
    case 4:
        put(w, "%s host %u", below(w, 2) == 0 ? "kill" : "unplug", below(w, w->nodes / 3));
        break;
    case 5:
        put(w, "move %u", node(w));
        break;
    case 6:
        put(w, "kill 1 master");
        break;
    case 7:
        put(w, "kill %u masters", 2 + below(w, 3));
        break;
    default:
        put(w, "unplug %u%% of masters", 10 + below(w, 60));
        break;
    }
}

static void fault(struct writer *w, uint32_t at_ms)
{
    put(w, "at %ums ", at_ms);
    switch (below(w, 10)) {
    case 0:
    case 1:
    case 2:
        network(w);
        break;
    case 3:
    case 4:
        machine(w);
        break;
    case 5:
        put(w, "command %u failover%s", node(w), below(w, 2) == 0 ? " force" : "");
        break;
    case 6:
        put(w, "heal network");
        break;
    case 7:
        put(w, "break %u", node(w));
        break;
    default:
        death(w);
        break;
    }
    put(w, "\n");
}

void hs_sim_random_story(uint64_t seed, char *out, size_t n)
{
    static const uint32_t timeouts_ms[] = {500, 1000, 2000, 5000};
    struct writer w = {.out = out, .n = n};
    uint32_t timeout_ms, faults_n, heal_ms, bound_s, masters, at_ms = FIRST_S * 1000;

    hs_prng_seed(&w.prng, ~seed);
    w.nodes = NODES_MIN + below(&w, NODES_SPREAD);
    masters = 3 + below(&w, w.nodes / 2 - 1);
    timeout_ms = timeouts_ms[below(&w, 4)];
    put(&w, "nodes %u\nmasters %u\ntimeout %ums\nseed %llu\n", w.nodes, masters, timeout_ms,
        (unsigned long long)seed & INT64_MAX / 128);
    faults_n = FAULTS_MIN + below(&w, FAULTS_SPREAD);
    for (uint32_t k = 0; k < faults_n; k++) {
        at_ms += below(&w, 2 * DAY_S * 1000 / faults_n);
        fault(&w, at_ms);
    }
    heal_ms = at_ms + below(&w, 20000);
    /* Silence is noticed after a timeout, a verdict is undone after two more,
     * an election is tried again after four; and then once more. */
    bound_s = 30 + 30 * timeout_ms / 1000;
    put(&w, "at %ums heal\n", heal_ms);
    put(&w, "expect agree within %us\nexpect ok within %us\nexpect covered within %us\n", bound_s,
        bound_s, bound_s);
    put(&w, "at %ums expect no false failures\nexpect sound\n", heal_ms + bound_s * 1000);
}
