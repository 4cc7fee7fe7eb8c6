/* The table as its door shows it: defaults, and directives by number. */
#include "conf_int.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Longest value CONFIG SET or a line can carry; every field is shorter. */
enum { VALUE_MAX = 2048 };

void hs_conf_defaults(struct hs_conf *c)
{
    char why[128];
    memset(c, 0, sizeof(*c));
    for (uint32_t i = 0; i < conf_table_n; i++) {
        bool ok = conf_value_set(c, &conf_table[i], conf_table[i].initial, why, sizeof(why));
        HS_ASSERT(ok);
    }
}

uint32_t hs_conf_count(void)
{
    return conf_table_n;
}

const char *hs_conf_name(uint32_t i)
{
    HS_ASSERT(i < conf_table_n);
    return conf_table[i].name;
}

size_t hs_conf_get(const struct hs_conf *c, uint32_t i, char *buf, size_t n)
{
    HS_ASSERT(i < conf_table_n);
    return conf_value_get(c, &conf_table[i], buf, n);
}

static bool is_name(const char *known, const char *name, size_t n)
{
    return known != NULL && strlen(known) == n && strncasecmp(known, name, n) == 0;
}

uint32_t hs_conf_find(const char *name, size_t n)
{
    for (uint32_t i = 0; i < conf_table_n; i++) {
        if (is_name(conf_table[i].name, name, n) || is_name(conf_table[i].alias, name, n))
            return i;
    }
    return HS_NIL;
}

bool hs_conf_is_live(uint32_t i)
{
    HS_ASSERT(i < conf_table_n);
    return conf_table[i].live;
}

bool hs_conf_is_tls(uint32_t i)
{
    HS_ASSERT(i < conf_table_n);
    return conf_table[i].group == CONF_TLS;
}

int hs_conf_set(struct hs_conf *c, uint32_t i, const char *value, size_t n, char *why, size_t why_n)
{
    char text[VALUE_MAX];
    HS_ASSERT(i < conf_table_n);
    if (n >= sizeof(text) || memchr(value, '\0', n) != NULL) {
        snprintf(why, why_n, "argument is too long or has a NUL byte");
        return -1;
    }
    memcpy(text, value, n);
    text[n] = '\0';
    return conf_value_set(c, &conf_table[i], text, why, why_n) ? 0 : -1;
}
