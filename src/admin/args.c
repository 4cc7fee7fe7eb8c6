/* args.c - what an argument says: a word, a number, a slot, a node, a pattern.
 *
 * Arguments are bytes with a length and may hold anything. */
#include "admin_int.h"

#include <ctype.h>

bool admin_arg_is(const struct hs_arg *a, const char *word)
{
    return strlen(word) == a->n && strncasecmp(a->p, word, a->n) == 0;
}

bool admin_arg_int(const struct hs_arg *a, int64_t *v)
{
    bool negative = a->n > 0 && a->p[0] == '-';
    size_t i = negative ? 1 : 0;
    if (i == a->n || (a->p[i] == '0' && a->n > 1))
        return false;
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    uint64_t value = 0;
    for (; i < a->n; i++) {
        if (a->p[i] < '0' || a->p[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(a->p[i] - '0');
        if (value > (limit - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *v = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

bool admin_call_int(struct call *c, const struct hs_arg *a, int64_t *v)
{
    if (admin_arg_int(a, v))
        return true;
    admin_error(c->s, "ERR value is not an integer or out of range");
    return false;
}

bool admin_arg_slot(const struct hs_arg *a, uint16_t *slot)
{
    int64_t v;
    if (!admin_arg_int(a, &v) || v < 0 || v >= HS_SLOTS)
        return false;
    *slot = (uint16_t)v;
    return true;
}

const char *admin_arg_text(const struct hs_arg *a, char *buf, size_t n)
{
    size_t len = a->n < n - 1 ? a->n : n - 1;
    memcpy(buf, a->p, len);
    buf[len] = '\0';
    return buf;
}

uint16_t admin_arg_node(const struct hs_topo *t, const struct hs_arg *a)
{
    struct hs_node_id id;
    if (a->n != HS_ID_LEN)
        return HS_TOPO_NONE;
    memcpy(id.hex, a->p, HS_ID_LEN);
    return hs_topo_find(t, &id);
}

/* Looks at as many bytes as the client sent, whatever the secret is. */
bool admin_arg_equal_secret(const struct hs_arg *a, const char *secret)
{
    size_t secret_n = strlen(secret);
    unsigned char different = secret_n == a->n ? 0 : 1;
    for (size_t i = 0; i < a->n; i++) {
        size_t at = secret_n > 0 ? i % secret_n : 0;
        different |= (unsigned char)(a->p[i] ^ secret[at]);
    }
    return different == 0;
}

static int fold(char c, bool any_case)
{
    return any_case ? tolower((unsigned char)c) : (unsigned char)c;
}

static bool is_between(int c, int a, int b)
{
    return a <= b ? c >= a && c <= b : c >= b && c <= a;
}

/* One [...] class at *p, which is left after it. */
static bool class_has(const char **p, const char *end, char c, bool any_case)
{
    const char *at = *p;
    int want = fold(c, any_case);
    bool negated = at < end && *at == '^';
    bool found = false;
    if (negated)
        at++;
    for (; at < end && *at != ']'; at++) {
        if (*at == '\\' && at + 1 < end) {
            at++;
            found = found || fold(*at, any_case) == want;
        } else if (at + 2 < end && at[1] == '-') {
            found = found || is_between(want, fold(at[0], any_case), fold(at[2], any_case));
            at += 2;
        } else {
            found = found || fold(*at, any_case) == want;
        }
    }
    *p = at < end ? at + 1 : at;
    return found != negated;
}

/* One element of the pattern other than '*' against c. */
static bool element_matches(const char **p, const char *end, char c, bool any_case)
{
    const char *at = *p;
    if (*at == '[') {
        *p = at + 1;
        return class_has(p, end, c, any_case);
    }
    if (*at == '\\' && at + 1 < end)
        at++;
    else if (*at == '?') {
        *p = at + 1;
        return true;
    }
    *p = at + 1;
    return fold(*at, any_case) == fold(c, any_case);
}

/* Only the last '*' is ever gone back to, so the cost is bounded by the product
 * of the lengths, whatever the pattern. */
bool admin_glob(const struct hs_arg *pattern, const struct hs_arg *subject, bool any_case)
{
    const char *text = subject->p;
    const char *text_end = text + subject->n;
    const char *p = pattern->p;
    const char *end = p + pattern->n;
    const char *star = NULL;
    const char *star_text = NULL;
    while (text < text_end) {
        if (p < end && *p == '*') {
            star = ++p;
            star_text = text;
        } else if (p < end && element_matches(&p, end, *text, any_case)) {
            text++;
        } else if (star != NULL) {
            p = star;
            text = ++star_text;
        } else {
            return false;
        }
    }
    while (p < end && *p == '*')
        p++;
    return p == end;
}

bool admin_arg_glob(const struct hs_arg *pattern, const char *text)
{
    struct hs_arg subject = {.p = text, .n = strlen(text)};
    return admin_glob(pattern, &subject, true);
}
