/* Which words the file can carry. Reader and writer use the same rules, so
 * what is written can always be read back, here and by stock servers. */
#include "store_int.h"

#include <string.h>

static bool alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool all_alnum_or(const char *text, const char *others, size_t max)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++) {
        if (!alnum(text[i]) && strchr(others, text[i]) == NULL)
            return false;
    }
    return n <= max;
}

bool nodesconf_hostname_valid(const char *text)
{
    return all_alnum_or(text, "-.", HS_HOSTNAME_MAX);
}

/* Stock allows more, but a space, a comma, a quote or '=' in a name makes a
 * line that no stock loader can read back. */
bool nodesconf_nodename_valid(const char *text)
{
    return all_alnum_or(text, "-._/", HS_HOSTNAME_MAX);
}

/* Numeric, or a name: stock servers accept one in cluster-announce-ip. */
bool nodesconf_address_valid(const char *text)
{
    return all_alnum_or(text, "-.:_%", HS_IP_LEN - 1);
}
