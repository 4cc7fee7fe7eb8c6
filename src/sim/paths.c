/* paths.c - the part of a story that is about the network between nodes.
 */
#include "sim_int.h"

static uint32_t word_at(const struct words *w, const char *what)
{
    for (uint32_t k = 1; k < w->n; k++) {
        if (strcmp(w->w[k], what) == 0) {
            return k;
        }
    }
    return w->n;
}

/* The set before `at` and the one after it, up to `end`. */
static bool two_sets(struct hs_sim *s, const struct words *w, uint32_t at, uint32_t end, uint8_t *a,
                     uint8_t *b)
{
    return at > 1 && at + 1 < end && faults_set(s, w->w + 1, at - 1, a) &&
           faults_set(s, w->w + at + 1, end - at - 1, b);
}

static void invert(struct hs_sim *s, const uint8_t *a, uint8_t *b)
{
    for (uint32_t i = 0; i < s->n; i++) {
        b[i] = a[i] == 0;
    }
}

/* "partition A | B", or "partition A": from all others. */
static bool partition(struct hs_sim *s, const struct words *w, uint8_t *a, uint8_t *b)
{
    uint32_t bar = word_at(w, "|");

    if (bar == w->n) {
        if (!faults_set(s, w->w + 1, w->n - 1, a)) {
            return false;
        }
        invert(s, a, b);
    } else if (!two_sets(s, w, bar, w->n, a, b)) {
        return false;
    }
    return net_rule(s, RULE_BLOCK, 0, a, b) != NULL && net_rule(s, RULE_BLOCK, 0, b, a) != NULL;
}

/* What a path of this verb suffers. */
static bool amount_of(const char *verb, const char *word, enum rule_kind *kind, int64_t *amount)
{
    size_t len = strlen(word);
    char number[24];

    if (strcmp(verb, "slow") == 0) {
        *kind = RULE_SLOW;
        return story_time(word, amount);
    }
    if (strcmp(verb, "clog") == 0) { /* kilobytes a second are bytes a ms */
        *kind = RULE_CLOG;
        snprintf(number, sizeof(number), "%s", word);
        if (len > 4 && len < sizeof(number) && strcmp(word + len - 4, "KB/s") == 0) {
            number[len - 4] = '\0';
        }
        return story_number(number, amount) && *amount > 0;
    }
    *kind = RULE_FLAKY;
    snprintf(number, sizeof(number), "%s", word);
    if (len > 1 && len < sizeof(number) && word[len - 1] == '%') {
        number[len - 1] = '\0';
    }
    if (!story_number(number, amount) || *amount < 0 || *amount > 100) {
        return false;
    }
    *amount *= 10000;
    return true;
}

/* "slow|clog|flaky SET by AMOUNT", "... A -> B by AMOUNT" */
static bool impair(struct hs_sim *s, const struct words *w, uint8_t *a, uint8_t *b)
{
    uint32_t by = word_at(w, "by"), arrow = word_at(w, "->");
    enum rule_kind kind;
    int64_t amount;

    if (by + 2 != w->n || !amount_of(w->w[0], w->w[by + 1], &kind, &amount)) {
        return false;
    }
    if (arrow < by) {
        return two_sets(s, w, arrow, by, a, b) && net_rule(s, kind, amount, a, b) != NULL;
    }
    if (!faults_set(s, w->w + 1, by - 1, a)) {
        return false;
    }
    memset(b, 1, s->n);
    return net_rule(s, kind, amount, a, b) != NULL && net_rule(s, kind, amount, b, a) != NULL;
}

bool faults_network(struct hs_sim *s, const struct words *w, uint8_t *a, uint8_t *b)
{
    const char *verb = w->w[0];

    if (strcmp(verb, "partition") == 0) {
        return partition(s, w, a, b);
    }
    if (strcmp(verb, "cut") == 0) { /* one way only */
        return two_sets(s, w, word_at(w, "->"), w->n, a, b) &&
               net_rule(s, RULE_BLOCK, 0, a, b) != NULL;
    }
    if (strcmp(verb, "slow") == 0 || strcmp(verb, "clog") == 0 || strcmp(verb, "flaky") == 0) {
        return impair(s, w, a, b);
    }
    if (strcmp(verb, "heal") == 0 && strcmp(w->w[1], "network") == 0) {
        net_heal(s);
        return true;
    }
    return false;
}
