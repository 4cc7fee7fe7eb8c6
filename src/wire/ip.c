/* ip.c - is a text a numeric address?
 *
 * A gossiped address ends up in nodes.conf and in what clients are redirected
 * to, so a name, a scope or junk must not pass. This room may not call the C
 * library's parser; the grammar is small.
 */
#include "wire_int.h"

enum { IPV4_PARTS = 4, IPV6_GROUPS = 8 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* 0 to 255 without a leading zero, which some parsers read as octal. */
static bool octet(const char **p)
{
    const char *s = *p;
    unsigned value = 0, n = 0;

    while (n < 3 && is_digit(s[n]))
        value = value * 10 + (unsigned)(s[n++] - '0');
    *p = s + n;
    return n > 0 && value <= 255 && (n == 1 || s[0] != '0');
}

static bool ipv4(const char *p)
{
    for (int i = 0; i < IPV4_PARTS; i++) {
        if (i > 0 && *p++ != '.')
            return false;
        if (!octet(&p))
            return false;
    }
    return *p == '\0';
}

/* How many hex digits, at most one more than a group may have. */
static unsigned hex_run(const char *p)
{
    unsigned n = 0;

    while (n <= 4 && is_hex(p[n]))
        n++;
    return n;
}

static bool ipv6(const char *p)
{
    unsigned groups = 0;
    bool gap = false;

    if (p[0] == ':' && p[1] == ':') {
        gap = true;
        p += 2;
    }
    /* Every turn takes one group and what separates it from the next. */
    while (*p != '\0') {
        unsigned n = hex_run(p);

        if (p[n] == '.') {
            groups += 2;
            return ipv4(p) && (gap ? groups < IPV6_GROUPS : groups == IPV6_GROUPS);
        }
        if (n == 0 || n > 4 || ++groups > IPV6_GROUPS)
            return false;
        p += n;
        if (*p == '\0')
            break;
        if (*p++ != ':')
            return false;
        if (*p == ':') {
            if (gap)
                return false;
            gap = true;
            p++;
        } else if (*p == '\0') {
            return false;
        }
    }
    return gap ? groups < IPV6_GROUPS : groups == IPV6_GROUPS;
}

bool hs_wire_ip_valid(const char *ip)
{
    if (wire_text_len(ip, HS_IP_LEN) == HS_IP_LEN)
        return false;
    return ipv4(ip) || ipv6(ip);
}
