/* report.c - a run in words for a person, and in JSON for a program. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define NEAR_LIMIT 0.85 /* of a core: from here on it may be us who is slow */

enum count result_counts(const struct options *o)
{
    return o->mode == MODE_TOPOLOGY  ? N_REPLIES
           : o->mode == MODE_PUBLISH ? N_PUBLISHED
                                     : N_ANSWERED;
}

const char *result_unit(const struct options *o)
{
    return o->mode == MODE_TOPOLOGY  ? "replies"
           : o->mode == MODE_PUBLISH ? "deliveries"
                                     : "PINGs answered";
}

double result_rate(const struct options *o, const struct result *r)
{
    return r->measured_s > 0 ? (double)r->counts[result_counts(o)] / r->measured_s : 0;
}

double result_cost_us(const struct options *o, const struct result *r)
{
    double n = (double)r->counts[result_counts(o)];

    return n > 0 ? r->target_cpu_s * 1e6 / n : 0;
}

static double per_s(const struct result *r, enum count c)
{
    return r->measured_s > 0 ? (double)r->counts[c] / r->measured_s : 0;
}

static void text_limits(FILE *f, const struct result *r)
{
    double cores = (double)sysconf(_SC_NPROCESSORS_ONLN);
    double used = (r->own_cpu_s + r->target_cpu_s) / r->measured_s + r->others;

    fprintf(f, "this tool      %.0f %% of a core, its busiest thread %.0f %%; others %.0f %%\n",
            r->own_cpu_s / r->measured_s * 100, r->busiest * 100, r->others * 100);
    if (r->busiest > NEAR_LIMIT) {
        fputs("               This tool is at its limit: the rate is its own, not the target's.\n"
              "               Use --threads, fewer --links or a smaller --window.\n",
              f);
    }
    if (used > NEAR_LIMIT * cores) {
        fprintf(f,
                "               The machine is full (%.1f of %.0f cores): rate and latency are "
                "what is left\n               of it; CPU per message still means something.\n",
                used, cores);
    }
}

static void text_storm(FILE *f, const struct options *o, const struct result *r)
{
    if (o->silent) {
        fprintf(f, "silent storm   %llu of %llu dead peers suspected, %llu called failed\n",
                (unsigned long long)r->suspected_n, (unsigned long long)r->killed_n,
                (unsigned long long)r->failed_n);
        return;
    }
    fprintf(f,
            "storm          %llu of %llu dead peers marked FAIL, %llu of them told to a peer, the "
            "last %.2f s\n               after their death (node timeout %.2f s)\n",
            (unsigned long long)r->failed_n, (unsigned long long)r->killed_n,
            (unsigned long long)r->told_n, r->last_fail_s, o->node_timeout_ms / 1000.0);
}

static void text_measured(FILE *f, const struct options *o, const struct result *r)
{
    fprintf(f, "%-14s %.0f/s for %.1f s\n", result_unit(o), result_rate(o, r), r->measured_s);
    fprintf(f, "to the target  %.0f messages/s, %.0f gossip entries/s, %.1f MB/s\n", per_s(r, N_TX),
            per_s(r, N_TX_ENTRIES), per_s(r, N_TX_BYTES) / 1e6);
    fprintf(f, "from it        %.0f messages/s (%.0f PINGs), %.0f gossip entries/s, %.1f MB/s\n",
            per_s(r, N_RX), per_s(r, N_PINGED), per_s(r, N_RX_ENTRIES),
            (per_s(r, N_RX_BYTES) + per_s(r, N_REPLY_BYTES)) / 1e6);
    fprintf(f, "%-14s p50 %.0f  p90 %.0f  p99 %.0f  p99.9 %.0f  max %.0f us\n",
            o->mode == MODE_TOPOLOGY ? "reply" : "PING to PONG", r->p50_us, r->p90_us, r->p99_us,
            r->p999_us, r->max_us);
    if (o->mode == MODE_STEADY && o->full_rate &&
        r->counts[N_PINGED] < r->counts[N_ANSWERED] / 4 * 3) {
        fputs("               The target sent fewer PINGs than it was sent: CPU is less than at "
              "full\n"
              "               rate. Measure for half a node timeout, or leave --warmup out.\n",
              f);
    }
    if (r->target_known) {
        fprintf(f,
                "target's CPU   %.1f %% of a core (user %.2f s, system %.2f s), %.2f s per "
                "million %s\n",
                r->target_cpu_s / r->measured_s * 100, r->target_user_s, r->target_system_s,
                result_cost_us(o, r), result_unit(o));
    }
    text_limits(f, r);
}

void report_text(FILE *f, const struct options *o, const struct result *r)
{
    char machine[256];

    proc_machine(machine, sizeof(machine));
    fprintf(f, "%s, %u peers, %u links, window %u, node timeout %u ms, %u thread%s; %s\n",
            mode_name(o->mode), o->peers, o->links, o->window, o->node_timeout_ms, o->threads,
            o->threads == 1 ? "" : "s", machine);
    if (o->mode == MODE_ECHO) {
        fprintf(f, "echoed         %.0f/s, %.2f us of the server's CPU each\n", result_rate(o, r),
                result_cost_us(o, r));
        return;
    }
    fprintf(f,
            "joined         %llu peers in %.2f s, at most %llu connections in 100 ms, %.2f s of "
            "its CPU\n",
            (unsigned long long)r->formed, r->form_s, (unsigned long long)r->accept_max,
            r->form_cpu_s);
    if (o->mode != MODE_JOIN) {
        text_measured(f, o, r);
    }
    if (o->mode == MODE_STORM) {
        text_storm(f, o, r);
    }
    if (r->target_known) {
        fprintf(f, "its memory     %.1f MB, at most %.1f MB\n", (double)r->rss_kb / 1024,
                (double)r->peak_kb / 1024);
    } else {
        fputs("its process was not found: no CPU or memory; say --target-pid\n", f);
    }
    if (r->counts[N_CLOSED] > 0) {
        fprintf(f, "links          %llu closed by the target while it was measured\n",
                (unsigned long long)r->counts[N_CLOSED]);
    }
    fprintf(f, "wrong answers  %llu\n", (unsigned long long)r->faults);
}

static void json_number(FILE *f, const char *name, double v)
{
    fprintf(f, ",\n  \"%s\": %.6g", name, v);
}

static void json_numbers(FILE *f, const struct options *o, const struct result *r)
{
    json_number(f, "joined_s", r->form_s);
    json_number(f, "joined_cpu_s", r->form_cpu_s);
    json_number(f, "connections_per_100ms_max", (double)r->accept_max);
    json_number(f, "measured_s", r->measured_s);
    json_number(f, "rate_per_s", result_rate(o, r));
    json_number(f, "cpu_us_each", result_cost_us(o, r));
    json_number(f, "messages_to_target_per_s", per_s(r, N_TX));
    json_number(f, "messages_from_target_per_s", per_s(r, N_RX));
    json_number(f, "pings_from_target_per_s", per_s(r, N_PINGED));
    json_number(f, "entries_to_target_per_s", per_s(r, N_TX_ENTRIES));
    json_number(f, "entries_from_target_per_s", per_s(r, N_RX_ENTRIES));
    json_number(f, "bytes_to_target_per_s", per_s(r, N_TX_BYTES));
    json_number(f, "bytes_from_target_per_s", per_s(r, N_RX_BYTES) + per_s(r, N_REPLY_BYTES));
    json_number(f, "latency_p50_us", r->p50_us);
    json_number(f, "latency_p90_us", r->p90_us);
    json_number(f, "latency_p99_us", r->p99_us);
    json_number(f, "latency_p999_us", r->p999_us);
    json_number(f, "latency_max_us", r->max_us);
    json_number(f, "target_cpu_s", r->target_cpu_s);
    json_number(f, "target_user_s", r->target_user_s);
    json_number(f, "target_system_s", r->target_system_s);
    json_number(f, "target_rss_kb", (double)r->rss_kb);
    json_number(f, "target_peak_kb", (double)r->peak_kb);
    json_number(f, "links_closed", (double)r->counts[N_CLOSED]);
    json_number(f, "updates", (double)r->counts[N_UPDATES]);
    json_number(f, "killed", (double)r->killed_n);
    json_number(f, "told", (double)r->told_n);
    json_number(f, "failed", (double)r->failed_n);
    json_number(f, "suspected", (double)r->suspected_n);
    json_number(f, "last_fail_s", r->last_fail_s);
    json_number(f, "own_cpu_s", r->own_cpu_s);
    json_number(f, "own_busiest_thread", r->busiest);
    json_number(f, "others_cpu_cores", r->others);
    json_number(f, "wrong_answers", (double)r->faults);
}

bool report_json(const struct options *o, const struct result *r)
{
    FILE *f = strcmp(o->json, "-") == 0 ? stdout : fopen(o->json, "w");
    char machine[256];

    if (f == NULL) {
        fprintf(stderr, "hearsay-bench: cannot write %s: %s\n", o->json, strerror(errno));
        return false;
    }
    proc_machine(machine, sizeof(machine));
    fprintf(f, "{\n  \"mode\": \"%s\",\n  \"machine\": \"%s\",\n  \"unit\": \"%s\"",
            mode_name(o->mode), machine, result_unit(o));
    json_number(f, "peers", o->peers);
    json_number(f, "links", o->links);
    json_number(f, "window", o->window);
    json_number(f, "threads", o->threads);
    json_number(f, "node_timeout_ms", o->node_timeout_ms);
    json_numbers(f, o, r);
    fputs("\n}\n", f);
    return f == stdout ? fflush(f) == 0 : fclose(f) == 0;
}
