/* What hearsay-sim says of a run: lines for people, JSON for programs, a page
 * with curves for a look at the whole.
 */
#include "hearsay-sim.h"

static void moment(FILE *out, const char *what, int64_t ms, int64_t since_ms)
{
    if (ms >= 0) {
        fprintf(out, "%-22s %.3f s\n", what, (double)(ms - since_ms) / 1000);
    }
}

static double per_node_second(const struct tool *t, const struct hs_sim_result *r, uint64_t sum)
{
    return r->at_ms == 0 ? 0 : (double)sum * 1000 / (double)r->at_ms / t->sim.nodes;
}

void print_result(FILE *out, const struct tool *t, const struct hs_sim_result *r, double wall_s)
{
    fprintf(out, "%-22s %u, seed %llu, %.3f s of cluster time\n", "nodes", t->sim.nodes,
            (unsigned long long)t->sim.seed, (double)r->at_ms / 1000);
    moment(out, "joined after", r->joined_ms, 0);
    moment(out, "first FAIL after", r->first_fail_ms, r->fault_ms);
    moment(out, "all say FAIL after", r->all_fail_ms, r->fault_ms);
    moment(out, "last election won after", r->last_won_ms, r->fault_ms < 0 ? 0 : r->fault_ms);
    moment(out, "all well after", r->all_ok_ms, r->fault_ms);
    fprintf(out, "%-22s %.2f messages, %.0f bytes\n", "per node and second",
            per_node_second(t, r, r->messages), per_node_second(t, r, r->bytes));
    fprintf(out, "%-22s %llu (", "messages", (unsigned long long)r->messages);
    for (uint16_t k = 0, n = 0; k < HS_MSG_TYPES; k++) {
        if (r->sent[k] > 0) {
            fprintf(out, "%s%s %llu", n++ == 0 ? "" : ", ", hs_wire_type_name(k),
                    (unsigned long long)r->sent[k]);
        }
    }
    fprintf(out, ")\n%-22s %u suspicions, %u verdicts, %u elections won\n", "marks", r->suspicions,
            r->verdicts, r->elections_won);
    fprintf(out, "%-22s %u\n", "false failures", r->false_fails);
    fprintf(out, "%-22s %.2f s, %llu events, %llu steps\n", "wall time", wall_s,
            (unsigned long long)r->events, (unsigned long long)r->steps);
    fprintf(out, "%-22s %016llx\n", "trace hash", (unsigned long long)r->hash);
}

void print_json(FILE *out, const struct tool *t, const struct hs_sim_result *r, double wall_s)
{
    fprintf(out,
            "{\"nodes\":%u,\"seed\":%llu,\"node_timeout_ms\":%u,\"cluster_ms\":%lld,\n"
            " \"joined_ms\":%lld,\"fault_ms\":%lld,\"first_fail_ms\":%lld,\"all_fail_ms\":%lld,\n"
            " \"last_won_ms\":%lld,\"all_ok_ms\":%lld,\"false_fails\":%u,\"suspicions\":%u,\n"
            " \"verdicts\":%u,\"elections_won\":%u,\"messages\":%llu,\"bytes\":%llu,\n"
            " \"messages_per_node_s\":%.3f,\"bytes_per_node_s\":%.1f,\"events\":%llu,\n"
            " \"wall_s\":%.3f,\"hash\":\"%016llx\",\n \"samples\":[",
            t->sim.nodes, (unsigned long long)t->sim.seed, t->sim.node_timeout_ms,
            (long long)r->at_ms, (long long)r->joined_ms, (long long)r->fault_ms,
            (long long)r->first_fail_ms, (long long)r->all_fail_ms, (long long)r->last_won_ms,
            (long long)r->all_ok_ms, r->false_fails, r->suspicions, r->verdicts, r->elections_won,
            (unsigned long long)r->messages, (unsigned long long)r->bytes,
            per_node_second(t, r, r->messages), per_node_second(t, r, r->bytes),
            (unsigned long long)r->events, wall_s, (unsigned long long)r->hash);
    for (uint32_t k = 0; k < r->samples_n; k++) {
        const struct hs_sim_sample *p = &r->samples[k];
        fprintf(out, "%s\n  [%lld,%llu,%llu,%u,%u,%u,%u,%d]", k == 0 ? "" : ",",
                (long long)p->at_ms, (unsigned long long)p->messages, (unsigned long long)p->bytes,
                p->running, p->suspicions, p->verdicts, p->ok, p->agree);
    }
    fprintf(out, "]}\n");
}

/* ---- the page ---- */

enum curve { MESSAGES, BYTES, SUSPICIONS, VERDICTS, OK, AGREE, CURVES };

static const char *const curve_names[CURVES] = {
    "messages per node and second", "bytes per node and second", "suspicions (PFAIL) per second",
    "verdicts (FAIL) per second",   "nodes that say ok",         "equal views (1) or not (0)",
};

static double value_of(const struct hs_sim_result *r, uint32_t k, enum curve c)
{
    const struct hs_sim_sample *p = &r->samples[k];
    int64_t span = p->at_ms - (k == 0 ? 0 : r->samples[k - 1].at_ms);
    double per_s = span <= 0 ? 0 : 1000.0 / (double)span;
    double per_node_s = p->running == 0 ? 0 : per_s / p->running;

    switch (c) {
    case MESSAGES:
        return (double)p->messages * per_node_s;
    case BYTES:
        return (double)p->bytes * per_node_s;
    case SUSPICIONS:
        return p->suspicions * per_s;
    case VERDICTS:
        return p->verdicts * per_s;
    case OK:
        return p->ok;
    default:
        return p->agree;
    }
}

static void print_curve(FILE *out, const struct hs_sim_result *r, enum curve c)
{
    const int width = 900, height = 160, left = 80;
    double max = 0, end_ms = r->at_ms > 0 ? (double)r->at_ms : 1;

    for (uint32_t k = 0; k < r->samples_n; k++) {
        double v = value_of(r, k, c);
        max = v > max ? v : max;
    }
    fprintf(out, "<h2>%s</h2>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">",
            curve_names[c], width + left + 10, height + 30, curve_names[c]);
    fprintf(out, "<path class=\"axis\" d=\"M%d 5V%dH%d\"/>", left, height, left + width);
    fprintf(out, "<text x=\"%d\" y=\"15\" text-anchor=\"end\">%.6g</text>", left - 6, max);
    fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">0</text>", left - 6, height);
    fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.0f s</text>", left + width,
            height + 20, end_ms / 1000);
    if (r->fault_ms >= 0) {
        double x = left + width * (double)r->fault_ms / end_ms;
        fprintf(out, "<path class=\"fault\" d=\"M%.1f 5V%d\"/>", x, height);
    }
    fprintf(out, "<polyline points=\"");
    for (uint32_t k = 0; k < r->samples_n; k++) {
        fprintf(out, "%.1f,%.1f ", left + width * (double)r->samples[k].at_ms / end_ms,
                height - (max > 0 ? (height - 10) * value_of(r, k, c) / max : 0));
    }
    fprintf(out, "\"/></svg>\n");
}

static void print_escaped(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '<' || *text == '&') {
            fputs(*text == '<' ? "&lt;" : "&amp;", out);
        } else {
            fputc(*text, out);
        }
    }
}

void print_report(FILE *out, const struct tool *t, const struct hs_sim_result *r, double wall_s)
{
    fprintf(out,
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
            "<title>hearsay-sim: %u nodes, seed %llu</title>\n"
            "<style>body{font:14px sans-serif;max-width:1000px;margin:2em auto;color:#222}"
            "svg{width:100%%}pre{background:#f4f4f4;padding:1em}h2{font-size:1em;margin:1.5em 0 0}"
            "polyline{fill:none;stroke:#0b62a4}.axis{fill:none;stroke:#888}"
            ".fault{stroke:#c22;stroke-dasharray:4}text{font-size:11px;fill:#555}</style>\n"
            "<h1>%u nodes, seed %llu</h1>\n<pre>",
            t->sim.nodes, (unsigned long long)t->sim.seed, t->sim.nodes,
            (unsigned long long)t->sim.seed);
    print_result(out, t, r, wall_s);
    fprintf(out, "</pre>\n");
    for (enum curve c = MESSAGES; c < CURVES; c++) {
        print_curve(out, r, c);
    }
    fprintf(out, "<h2>story</h2><pre>");
    print_escaped(out, t->story);
    fprintf(out, "</pre></html>\n");
}
