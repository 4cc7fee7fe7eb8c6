/* svg.c - a picture of a run: rate above, latency below on a logarithmic
 * scale, both over time. One file that needs nothing else.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench.h"

enum { WIDTH = 900, HEIGHT = 520, LEFT = 80, RIGHT = 20, TOP = 50, PANEL = 180, GAP = 60 };

struct panel {
    FILE *f;
    double y, from, to, end_s; /* from and to: the values at its foot and head */
    bool logarithmic;
};

static double x_of(const struct panel *p, double at_s)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * at_s / p->end_s;
}

static double y_of(const struct panel *p, double v)
{
    double from = p->from, to = p->to;

    if (p->logarithmic) {
        v = log10(v < p->from ? p->from : v);
        from = log10(from);
        to = log10(to);
    }
    return p->y + PANEL - PANEL * (v - from) / (to - from);
}

static void rule(const struct panel *p, double v)
{
    fprintf(p->f,
            "<path d='M%d %.1fH%d' stroke='#ddd'/><text x='%d' y='%.1f' text-anchor='end'>%g"
            "</text>\n",
            LEFT, y_of(p, v), WIDTH - RIGHT, LEFT - 6, y_of(p, v) + 4, v);
}

static void rules(const struct panel *p)
{
    if (p->logarithmic) {
        double v = p->from;
        for (int decade = 0; decade < 12 && v <= p->to * 1.01; decade++, v *= 10) {
            rule(p, v);
        }
        return;
    }
    for (uint32_t i = 0; i <= 4; i++) {
        rule(p, p->to * i / 4);
    }
}

static float value(const struct sample *s, uint32_t which)
{
    return which == 0 ? s->rate : which == 1 ? s->p50_us : s->p99_us;
}

static void curve(const struct panel *p, const struct sample *s, uint32_t n, uint32_t which,
                  const char *colour)
{
    fprintf(p->f, "<polyline fill='none' stroke='%s' stroke-width='1.5' points='", colour);
    for (uint32_t i = 0; i < n; i++) {
        fprintf(p->f, "%.1f,%.1f ", x_of(p, (double)s[i].at_s),
                y_of(p, (double)value(&s[i], which)));
    }
    fputs("'/>\n", p->f);
}

static double largest(const struct sample *s, uint32_t n, uint32_t which)
{
    double v = 1;

    for (uint32_t i = 0; i < n; i++) {
        v = (double)value(&s[i], which) > v ? (double)value(&s[i], which) : v;
    }
    return v;
}

/* The next number that is easy to read. */
static double rounded_up(double v)
{
    double unit = pow(10, floor(log10(v)));

    return ceil(v / unit) * unit;
}

bool report_svg(const struct options *o, const struct result *r, const struct sample *samples)
{
    uint32_t n = r->samples_n;
    double end_s = n > 0 ? (double)samples[n - 1].at_s : 1;
    FILE *f = fopen(o->plot, "w");

    if (f == NULL) {
        fprintf(stderr, "hearsay-bench: cannot write %s: %s\n", o->plot, strerror(errno));
        return false;
    }
    struct panel rate = {f, TOP, 0, rounded_up(largest(samples, n, 0)), end_s, false};
    struct panel latency = {
        f, TOP + PANEL + GAP, 1, pow(10, ceil(log10(largest(samples, n, 2) * 1.01))), end_s, true};
    fprintf(
        f,
        "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' font-family='sans-serif'"
        " font-size='12'>\n<rect width='100%%' height='100%%' fill='white'/>\n"
        "<text x='%d' y='22' font-size='15'>%s, %u peers: %.0f %s/s, p99 %.0f us</text>\n"
        "<text x='%d' y='42'>%s per second</text>\n"
        "<text x='%d' y='%d'>microseconds: <tspan fill='#06c'>p50</tspan> "
        "<tspan fill='#c30'>p99</tspan></text>\n"
        "<text x='%d' y='%d' text-anchor='end'>%.1f s</text>\n",
        WIDTH, HEIGHT, LEFT, mode_name(o->mode), o->peers, result_rate(o, r), result_unit(o),
        r->p99_us, LEFT, result_unit(o), LEFT, TOP + PANEL + GAP - 8, WIDTH - RIGHT,
        TOP + 2 * PANEL + GAP + 18, end_s);
    rules(&rate);
    curve(&rate, samples, n, 0, "#093");
    rules(&latency);
    curve(&latency, samples, n, 1, "#06c");
    curve(&latency, samples, n, 2, "#c30");
    fputs("</svg>\n", f);
    return fclose(f) == 0;
}
