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

/* Stock refuses the punctuation below (Valkey 8 allows the colon). The line is
 * also split at blanks, quotes, commas and '=', which stock lets a name have and
 * then cannot read back. */
bool nodesconf_nodename_valid(const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++) {
        if ((uint8_t)text[i] <= ' ' || text[i] == 0x7f ||
            strchr("!#$%&()*+;<>?@[]^{|}~,='\"\\", text[i]) != NULL)
            return false;
    }
    return n <= HS_HOSTNAME_MAX;
}

/* Numeric, or a name: stock servers accept one in cluster-announce-ip. */
bool nodesconf_address_valid(const char *text)
{
    return all_alnum_or(text, "-.:_%", HS_IP_LEN - 1);
}
