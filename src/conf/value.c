/* One value between its text and its field, in both directions. The error
 * texts are the stock server's, because CONFIG SET shows them to clients. */
#include "conf_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { NUMBER_DIGITS_MAX = 20 };

static bool refuse(char *why, size_t why_n, const char *text)
{
    snprintf(why, why_n, "%s", text);
    return false;
}

static void store(struct hs_conf *c, const struct conf_row *row, int64_t v)
{
    char *field = (char *)c + row->off;
    uint16_t v16 = (uint16_t)v;
    uint32_t v32 = (uint32_t)v;
    switch (row->size) {
    case sizeof(v16):
        memcpy(field, &v16, sizeof(v16));
        break;
    case sizeof(v32):
        memcpy(field, &v32, sizeof(v32));
        break;
    default:
        HS_ASSERT(row->size == sizeof(v));
        memcpy(field, &v, sizeof(v));
    }
}

static int64_t load(const struct hs_conf *c, const struct conf_row *row)
{
    const char *field = (const char *)c + row->off;
    uint16_t v16;
    uint32_t v32;
    int64_t v;
    if (row->size == sizeof(v16)) {
        memcpy(&v16, field, sizeof(v16));
        return v16;
    }
    if (row->size == sizeof(v32)) {
        memcpy(&v32, field, sizeof(v32));
        return v32;
    }
    memcpy(&v, field, sizeof(v));
    return v;
}

/* Digits of one base up to the first other character. False without digits or
 * beyond INT64_MAX. */
static bool digits(const char **text, int base, int64_t *out)
{
    const char *p = *text;
    int64_t v = 0;
    for (; *p >= '0' && *p < '0' + base; p++) {
        if (v > (INT64_MAX - (*p - '0')) / base)
            return false;
        v = v * base + (*p - '0');
    }
    bool some = p > *text;
    *text = p;
    *out = v;
    return some;
}

static bool whole(const char *text, int base, int64_t *out)
{
    bool negative = text[0] == '-';
    text += negative;
    if (!digits(&text, base, out) || *text != '\0')
        return false;
    if (negative)
        *out = -*out;
    return true;
}

/* Powers of 1000 without the b, of 1024 with it, as redis.conf says. */
bool conf_memory(const char *text, int64_t *out)
{
    static const struct {
        const char *unit;
        int64_t factor;
    } units[] = {
        {"", 1},        {"b", 1},        {"k", 1000},       {"kb", 1 << 10},
        {"m", 1000000}, {"mb", 1 << 20}, {"g", 1000000000}, {"gb", 1 << 30},
    };
    int64_t v;
    if (!digits(&text, 10, &v))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcasecmp(text, units[i].unit) == 0 && v <= INT64_MAX / units[i].factor) {
            *out = v * units[i].factor;
            return true;
        }
    }
    return false;
}

static bool set_number(struct hs_conf *c, const struct conf_row *row, const char *text, char *why,
                       size_t why_n)
{
    int64_t v = 0;
    if (row->kind == CONF_MEMORY && !conf_memory(text, &v))
        return refuse(why, why_n, "argument must be a memory value");
    if (row->kind == CONF_OCTAL && !whole(text, 8, &v))
        return refuse(why, why_n, "argument couldn't be parsed as an octal number");
    if (row->kind == CONF_INT && !whole(text, 10, &v))
        return refuse(why, why_n, "argument couldn't be parsed into an integer");
    if (v < row->min || v > row->max) {
        if (row->kind == CONF_OCTAL) {
            snprintf(why, why_n, "argument must be between %" PRIo64 " and %" PRIo64 " inclusive",
                     (uint64_t)row->min, (uint64_t)row->max);
        } else {
            snprintf(why, why_n, "argument must be between %" PRId64 " and %" PRId64 " inclusive",
                     row->min, row->max);
        }
        return false;
    }
    store(c, row, v);
    return true;
}

static bool set_bool(struct hs_conf *c, const struct conf_row *row, const char *text, char *why,
                     size_t why_n)
{
    bool yes = strcasecmp(text, "yes") == 0;
    if (!yes && strcasecmp(text, "no") != 0)
        return refuse(why, why_n, "argument must be 'yes' or 'no'");
    memcpy((char *)c + row->off, &yes, sizeof(yes));
    return true;
}

static bool set_word(struct hs_conf *c, const struct conf_row *row, const char *text, char *why,
                     size_t why_n)
{
    for (const struct conf_word *w = row->words; w->word != NULL; w++) {
        if (strcasecmp(w->word, text) == 0) {
            store(c, row, w->value);
            return true;
        }
    }
    int n = snprintf(why, why_n, "argument(s) must be one of the following: ");
    for (const struct conf_word *w = row->words; w->word != NULL && (size_t)n < why_n; w++)
        n += snprintf(why + n, why_n - (size_t)n, "%s%s", w == row->words ? "" : ", ", w->word);
    return false;
}

static bool set_debug(struct hs_conf *c, const char *text, char *why, size_t why_n)
{
    bool local = strcasecmp(text, "local") == 0;
    bool yes = strcasecmp(text, "yes") == 0;
    if (!local && !yes && strcasecmp(text, "no") != 0)
        return refuse(why, why_n, "argument(s) must be one of the following: no, yes, local");
    c->enable_debug_command = yes;
    c->enable_debug_local = local;
    return true;
}

static bool set_text(struct hs_conf *c, const struct conf_row *row, const char *text, char *why,
                     size_t why_n)
{
    size_t n = strlen(text);
    const char *wrong = row->valid == NULL ? NULL : row->valid(text);
    if (wrong != NULL)
        return refuse(why, why_n, wrong);
    if (n >= row->size) {
        snprintf(why, why_n, "argument must be less than %zu characters", row->size);
        return false;
    }
    memcpy((char *)c + row->off, text, n + 1);
    return true;
}

static bool bind_valid(const char *address)
{
    if (address[0] == '-')
        address++;
    return strcmp(address, "*") == 0 || strcmp(address, "::*") == 0 || hs_wire_ip_valid(address) ||
           hs_wire_hostname_valid(address);
}

static bool set_bind(struct hs_conf *c, const char *text, char *why, size_t why_n)
{
    char list[HS_BIND_MAX][sizeof(c->bind[0])] = {{0}};
    uint32_t n = 0;
    for (text += strspn(text, " \t"); *text != '\0'; text += strspn(text, " \t")) {
        size_t len = strcspn(text, " \t");
        if (n == HS_BIND_MAX)
            return refuse(why, why_n, "Too many bind addresses specified.");
        if (len >= sizeof(list[0]))
            return refuse(why, why_n, "a name of bind is longer than 255 characters");
        memcpy(list[n], text, len);
        if (!bind_valid(list[n]))
            return refuse(why, why_n, "bind takes addresses, host names, '*' and '::*'");
        n++;
        text += len;
    }
    memcpy(c->bind, list, sizeof(list));
    c->bind_n = n;
    return true;
}

bool conf_value_set(struct hs_conf *c, const struct conf_row *row, const char *text, char *why,
                    size_t why_n)
{
    switch (row->kind) {
    case CONF_BOOL:
        return set_bool(c, row, text, why, why_n);
    case CONF_ENUM:
        return set_word(c, row, text, why, why_n);
    case CONF_TEXT:
        return set_text(c, row, text, why, why_n);
    case CONF_BIND:
        return set_bind(c, text, why, why_n);
    case CONF_LIMITS:
        return conf_limits_set(c, text, why, why_n);
    case CONF_RANGES:
        return conf_ranges_parse(&c->bus_allow, text, why, why_n);
    case CONF_DEBUG:
        return set_debug(c, text, why, why_n);
    default:
        return set_number(c, row, text, why, why_n);
    }
}

static const char *word_of(const struct hs_conf *c, const struct conf_row *row)
{
    int64_t v = load(c, row);
    for (const struct conf_word *w = row->words; w->word != NULL; w++) {
        if (w->value == v)
            return w->word;
    }
    return "unknown";
}

static void get_bind(const struct hs_conf *c, char *buf, size_t n)
{
    size_t used = 0;
    buf[0] = '\0';
    for (uint32_t i = 0; i < c->bind_n && used < n; i++)
        used += (size_t)snprintf(buf + used, n - used, "%s%s", i == 0 ? "" : " ", c->bind[i]);
}

size_t conf_value_get(const struct hs_conf *c, const struct conf_row *row, char *buf, size_t n)
{
    const char *field = (const char *)c + row->off;
    bool yes;
    HS_ASSERT(n > 0);
    switch (row->kind) {
    case CONF_BOOL:
        memcpy(&yes, field, sizeof(yes));
        snprintf(buf, n, "%s", yes ? "yes" : "no");
        break;
    case CONF_ENUM:
        snprintf(buf, n, "%s", word_of(c, row));
        break;
    case CONF_TEXT:
        snprintf(buf, n, "%s", field);
        break;
    case CONF_BIND:
        get_bind(c, buf, n);
        break;
    case CONF_LIMITS:
        conf_limits_get(c, buf, n);
        break;
    case CONF_RANGES:
        conf_ranges_text(&c->bus_allow, buf, n);
        break;
    case CONF_DEBUG:
        snprintf(buf, n, "%s",
                 c->enable_debug_local     ? "local"
                 : c->enable_debug_command ? "yes"
                                           : "no");
        break;
    case CONF_OCTAL:
        snprintf(buf, n, "%" PRIo64, (uint64_t)load(c, row));
        break;
    default:
        snprintf(buf, n, "%" PRId64, load(c, row));
    }
    return strlen(buf);
}

void conf_value_range(const struct conf_row *row, char *buf, size_t n)
{
    size_t used = 0;
    buf[0] = '\0';
    switch (row->kind) {
    case CONF_BOOL:
        snprintf(buf, n, "yes|no");
        break;
    case CONF_DEBUG:
        snprintf(buf, n, "no|yes|local");
        break;
    case CONF_ENUM:
        for (const struct conf_word *w = row->words; w->word != NULL && used < n; w++)
            used += (size_t)snprintf(buf + used, n - used, "%s%s", used == 0 ? "" : "|", w->word);
        break;
    case CONF_TEXT:
        snprintf(buf, n, "up to %zu characters", row->size - 1);
        break;
    case CONF_LIMITS:
        snprintf(buf, n, "normal|replica|pubsub <hard> <soft> <seconds> ...");
        break;
    case CONF_BIND:
        snprintf(buf, n, "up to %d", HS_BIND_MAX);
        break;
    case CONF_RANGES:
        snprintf(buf, n, "auto, or private and up to %d", HS_RANGES_MAX);
        break;
    case CONF_OCTAL:
        snprintf(buf, n, "%" PRIo64 "-%" PRIo64, (uint64_t)row->min, (uint64_t)row->max);
        break;
    default:
        snprintf(buf, n, "%" PRId64 "-%" PRId64, row->min, row->max);
    }
}
