/* story.c - what is to happen, as a person would write it down.
 *
 * A story is lines, or phrases between semicolons. Some set options, the rest
 * are steps: "at TIME" and what happens then, or what is expected. A line is
 * only split here; what it means is settled when its moment comes, because
 * "33% of masters" depends on who is one.
 */
#include "sim_int.h"

void story_split(const char *text, struct words *w)
{
    char *p = w->buf;

    snprintf(w->buf, sizeof(w->buf), "%s", text);
    w->n = 0;
    while (w->n < WORDS_MAX) {
        p += strspn(p, " \t\r");
        if (*p == '\0' || *p == '#') {
            break;
        }
        w->w[w->n++] = p;
        p += strcspn(p, " \t\r");
        if (*p != '\0') {
            *p++ = '\0';
        }
    }
    for (uint32_t k = w->n; k < WORDS_MAX; k++) {
        w->w[k] = "";
    }
}

/* Digits, and what follows them. */
static const char *digits(const char *word, int64_t *n)
{
    *n = 0;
    while (*word >= '0' && *word <= '9' && *n < INT64_MAX / 100) {
        *n = *n * 10 + (*word++ - '0');
    }
    return word;
}

bool story_number(const char *word, int64_t *n)
{
    bool negative = word[0] == '-';
    const char *end;

    word += negative;
    end = digits(word, n);
    if (end == word || *end != '\0') {
        return false;
    }
    *n = negative ? -*n : *n;
    return true;
}

/* "200ms", "20s", "10m", "1h". */
bool story_time(const char *word, int64_t *us)
{
    static const struct {
        const char *unit;
        int64_t us;
    } units[] = {{"us", 1}, {"ms", MS}, {"s", SECOND}, {"m", 60 * SECOND}, {"h", 3600 * SECOND}};
    int64_t n;
    const char *end = digits(word, &n);

    for (uint32_t k = 0; end != word && k < sizeof(units) / sizeof(units[0]); k++) {
        if (strcmp(end, units[k].unit) == 0 && n <= INT64_MAX / 8 / units[k].us) {
            *us = n * units[k].us;
            return true;
        }
    }
    return false;
}

/* Copies the next phrase and returns what follows it; NULL at the end. */
static const char *next_phrase(const char *p, char out[HS_SIM_LINE_MAX])
{
    size_t len;

    if (*p == '\0') {
        return NULL;
    }
    len = strcspn(p, "\n;");
    const char *hash = memchr(p, '#', len);
    if (hash != NULL) { /* a remark goes to the end of its line, semicolons and all */
        size_t rest = strcspn(hash, "\n");
        len = (size_t)(hash - p);
        snprintf(out, HS_SIM_LINE_MAX, "%.*s", (int)len, p);
        p = hash + rest;
        return *p == '\0' ? p : p + 1;
    }
    snprintf(out, HS_SIM_LINE_MAX, "%.*s", (int)len, p);
    p += len;
    return *p == '\0' ? p : p + 1;
}

/* An option's line. False if it is none; *bad if its value makes no sense. */
static bool option(const struct words *w, struct hs_sim_opts *o, bool *bad)
{
    const char *name = w->w[0], *value = w->w[1];
    int64_t n = 0;

    *bad = false;
    if (strcmp(name, "nodes") == 0) {
        *bad = !story_number(value, &n) || n < 1 || n > HS_SIM_NODES_MAX;
        o->nodes = (uint32_t)n;
    } else if (strcmp(name, "masters") == 0) {
        *bad = !story_number(value, &n) || n < 1 || n > HS_SIM_NODES_MAX;
        o->masters = (uint32_t)n;
    } else if (strcmp(name, "seed") == 0) {
        *bad = !story_number(value, &n);
        o->seed = (uint64_t)n;
    } else if (strcmp(name, "timeout") == 0) {
        *bad = !story_time(value, &n) || n < 10 * MS;
        o->node_timeout_ms = (uint32_t)(n / MS);
    } else if (strcmp(name, "for") == 0) {
        *bad = !story_time(value, &n);
        o->run_ms = n / MS;
    } else if (strcmp(name, "alone") == 0) {
        o->alone = true;
    } else {
        return false;
    }
    return true;
}

bool hs_sim_story_opts(const char *story, struct hs_sim_opts *opts, char err[HS_SIM_ERROR_MAX])
{
    char phrase[HS_SIM_LINE_MAX];
    struct words w;
    bool bad;

    while ((story = next_phrase(story, phrase)) != NULL) {
        story_split(phrase, &w);
        if (w.n > 0 && option(&w, opts, &bad) && bad) {
            snprintf(err, HS_SIM_ERROR_MAX, "\"%s\": the value makes no sense", phrase);
            return false;
        }
    }
    return true;
}

static bool add(struct hs_sim *s, const char *phrase, int64_t *at)
{
    struct words w;
    struct hs_sim_opts ignored = s->opts;
    const char *rest = phrase + strspn(phrase, " \t\r");
    struct step *step = &s->steps[s->steps_n];
    bool bad;

    story_split(phrase, &w);
    if (w.n == 0 || option(&w, &ignored, &bad)) {
        return true;
    }
    if (strcmp(w.w[0], "at") == 0) {
        if (!story_time(w.w[1], at) || w.n < 3) {
            snprintf(s->error, sizeof(s->error), "\"%s\": \"at\" needs a time such as 90s", phrase);
            return false;
        }
        rest += strcspn(rest, " \t");
        rest += strspn(rest, " \t");
        rest += strcspn(rest, " \t");
        rest += strspn(rest, " \t");
        story_split(rest, &w);
    }
    if (s->steps_n == HS_SIM_STEPS_MAX) {
        snprintf(s->error, sizeof(s->error), "a story has at most %d steps", HS_SIM_STEPS_MAX);
        return false;
    }
    *step = (struct step){.at = *at, .expect = strcmp(w.w[0], "expect") == 0};
    if (step->expect) {
        for (uint32_t k = 1; k + 1 < w.n; k++) {
            if (strcmp(w.w[k], "within") == 0 && story_time(w.w[k + 1], &step->within)) {
                w.n = k;
            }
        }
        rest += strlen("expect");
    }
    snprintf(step->text, sizeof(step->text), "%s", rest + strspn(rest, " \t"));
    char *within = step->expect ? strstr(step->text, " within ") : NULL;
    if (within != NULL) {
        *within = '\0';
    }
    s->steps_n++;
    return true;
}

/* How long a story takes: a second more than what it expects; where it expects
 * nothing, long enough to see what becomes of its last fault. */
static int64_t end_of(const struct hs_sim *s, uint32_t first)
{
    int64_t end = 0;
    bool expects = false;

    for (uint32_t k = first; k < s->steps_n; k++) {
        const struct step *p = &s->steps[k];
        expects = expects || p->expect;
        end = p->at + p->within > end ? p->at + p->within : end;
    }
    return end + (expects || s->steps_n == first ? SECOND : 4 * s->opts.node_timeout_ms * MS);
}

bool hs_sim_story(struct hs_sim *s, const char *story)
{
    char phrase[HS_SIM_LINE_MAX];
    int64_t at = s->steps_n == 0 ? 0 : s->steps[s->steps_n - 1].at;
    uint32_t first = s->steps_n;

    while ((story = next_phrase(story, phrase)) != NULL) {
        if (!add(s, phrase, &at)) {
            return false;
        }
    }
    for (uint32_t k = first; k < s->steps_n; k++) {
        struct step *p = &s->steps[k];
        uint32_t ev = event_take(s, EV_STORY, HS_NIL);
        event_at(s, ev)->number = k;
        event_push(s, ev, p->at);
    }
    if (s->opts.run_ms == 0 || s->now >= s->end_at) {
        int64_t end = end_of(s, first);
        s->end_at = end > s->end_at ? end : s->end_at;
    }
    return true;
}

static void expect_step(struct hs_sim *s, uint32_t step_ix)
{
    struct step *p = &s->steps[step_ix];
    char why[HS_SIM_LINE_MAX] = "";
    uint32_t ev;

    if (expect_holds(s, p->text, why, sizeof(why))) {
        p->done = true;
        trace_step(s, p->text);
    } else if (s->now >= p->at + p->within) {
        violation(s, HS_NIL, "expected: %s%s%s", p->text, why[0] == '\0' ? "" : "; but ", why);
    } else {
        ev = event_take(s, EV_STORY, HS_NIL);
        event_at(s, ev)->number = step_ix;
        event_push(s, ev, s->now + 50 * MS);
    }
}

void story_step(struct hs_sim *s, uint32_t step_ix)
{
    struct step *p = &s->steps[step_ix];
    struct words w;

    if (p->expect) {
        expect_step(s, step_ix);
        return;
    }
    p->done = true;
    trace_step(s, p->text);
    story_split(p->text, &w);
    if (!faults_apply(s, &w) && !s->failed) {
        violation(s, HS_NIL, "the story says \"%s\", which means nothing here (--help has all)",
                  p->text);
    }
}
