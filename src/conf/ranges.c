/* Which addresses may be at the other end of a bus link: bus-allow's value.
 *
 * IPv4 lives inside IPv6 as ::ffff:a.b.c.d, so one comparison of leading bits
 * serves both families, and 0.0.0.0/0 never means an IPv6 address.
 */
#include "conf_int.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { IPV4_BITS = 32, IPV6_BITS = 128, MAPPED_BITS = IPV6_BITS - IPV4_BITS };

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

/* What no router of the internet carries: RFC 1918, 6598, 3927, 4193, 4291. */
static const struct hs_range private_ranges[] = {
    {{[10] = 0xff, [11] = 0xff, 10}, MAPPED_BITS + 8},
    {{[10] = 0xff, [11] = 0xff, 172, 16}, MAPPED_BITS + 12},
    {{[10] = 0xff, [11] = 0xff, 192, 168}, MAPPED_BITS + 16},
    {{[10] = 0xff, [11] = 0xff, 100, 64}, MAPPED_BITS + 10},
    {{[10] = 0xff, [11] = 0xff, 169, 254}, MAPPED_BITS + 16},
    {{0xfc}, 7},
    {{0xfe, 0x80}, 10},
};

static const struct hs_range loopback_ranges[] = {
    {{[10] = 0xff, [11] = 0xff, 127}, MAPPED_BITS + 8},
    {{[15] = 1}, IPV6_BITS},
};

static bool parse_ip(const char *text, uint8_t ip[16])
{
    if (inet_pton(AF_INET, text, ip + sizeof(mapped)) == 1) {
        memcpy(ip, mapped, sizeof(mapped));
        return true;
    }
    return inet_pton(AF_INET6, text, ip) == 1;
}

static bool is_ipv4(const uint8_t ip[16])
{
    return memcmp(ip, mapped, sizeof(mapped)) == 0;
}

static void put_ip(const uint8_t ip[16], char *buf, socklen_t n)
{
    if (is_ipv4(ip))
        inet_ntop(AF_INET, ip + sizeof(mapped), buf, n);
    else
        inet_ntop(AF_INET6, ip, buf, n);
}

static void clear_host_bits(struct hs_range *r)
{
    for (uint32_t bit = r->bits; bit < IPV6_BITS; bit++)
        r->ip[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
}

static bool has(const struct hs_range *r, const uint8_t ip[16])
{
    uint32_t bytes = r->bits / 8, rest = r->bits % 8;
    if (memcmp(r->ip, ip, bytes) != 0)
        return false;
    return rest == 0 || (uint8_t)((r->ip[bytes] ^ ip[bytes]) >> (8 - rest)) == 0;
}

static bool any_has(const struct hs_range *r, size_t n, const uint8_t ip[16])
{
    for (size_t i = 0; i < n; i++) {
        if (has(&r[i], ip))
            return true;
    }
    return false;
}

static bool complain(char *why, size_t why_n, const char *word, const char *what)
{
    snprintf(why, why_n, "'%s' %s", word, what);
    return false;
}

/* Digits up to max; the length of an address without any. */
static bool parse_bits(const char *text, uint32_t max, uint32_t *bits)
{
    *bits = max;
    if (text == NULL)
        return true;
    if (text[0] == '\0' || strlen(text) > 3 || strspn(text, "0123456789") != strlen(text))
        return false;
    *bits = 0;
    for (; *text != '\0'; text++)
        *bits = *bits * 10 + (uint32_t)(*text - '0');
    return *bits <= max;
}

static bool parse_range(const char *word, struct hs_range *r, char *why, size_t why_n)
{
    char text[HS_RANGE_LEN];
    uint32_t bits;
    size_t len = strlen(word);
    if (len >= sizeof(text))
        return complain(why, why_n, "...", "is too long for a network");
    memcpy(text, word, len + 1);
    char *slash = strchr(text, '/');
    if (slash != NULL)
        *slash++ = '\0';
    if (!parse_ip(text, r->ip))
        return complain(why, why_n, word,
                        "is no network: an address with a prefix length (10.0.0.0/8, fd00::/8), "
                        "or 'private', or 'auto' alone");
    bool v4 = is_ipv4(r->ip);
    if (!parse_bits(slash, v4 ? IPV4_BITS : IPV6_BITS, &bits))
        return complain(why, why_n, word,
                        v4 ? "needs a prefix length from 0 to 32"
                           : "needs a prefix length from 0 to 128");
    r->bits = (uint8_t)(v4 ? bits + MAPPED_BITS : bits);
    struct hs_range clean = *r;
    clear_host_bits(&clean);
    if (memcmp(&clean, r, sizeof(clean)) != 0) {
        put_ip(clean.ip, text, sizeof(text));
        snprintf(why, why_n, "'%s' has bits set behind its prefix; do you mean '%s/%" PRIu32 "'?",
                 word, text, bits);
        return false;
    }
    return true;
}

bool conf_ranges_parse(struct hs_ranges *out, const char *text, char *why, size_t why_n)
{
    struct hs_ranges r = {.n = 0};
    char word[256];
    for (text += strspn(text, " \t"); *text != '\0'; text += strspn(text, " \t")) {
        size_t len = strcspn(text, " \t");
        if (len >= sizeof(word))
            return complain(why, why_n, "...", "is too long for a network");
        memcpy(word, text, len);
        word[len] = '\0';
        text += len;
        if (strcasecmp(word, "auto") == 0) {
            r.automatic = true;
        } else if (strcasecmp(word, "private") == 0) {
            r.with_private = true;
        } else if (r.n == HS_RANGES_MAX) {
            snprintf(why, why_n, "more than %d networks; name larger ones", HS_RANGES_MAX);
            return false;
        } else if (!parse_range(word, &r.v[r.n++], why, why_n)) {
            return false;
        }
    }
    if (r.automatic && (r.with_private || r.n > 0))
        return complain(why, why_n, "auto", "stands alone: with networks it would mean nothing");
    *out = r;
    return true;
}

void conf_ranges_text(const struct hs_ranges *r, char *buf, size_t n)
{
    size_t used = (size_t)snprintf(buf, n, "%s",
                                   r->automatic      ? "auto"
                                   : r->with_private ? "private"
                                                     : "");
    for (uint32_t i = 0; i < r->n && used < n; i++) {
        char ip[HS_RANGE_LEN];
        put_ip(r->v[i].ip, ip, sizeof(ip));
        used += (size_t)snprintf(buf + used, n - used, "%s%s/%u", used == 0 ? "" : " ", ip,
                                 r->v[i].bits - (is_ipv4(r->v[i].ip) ? MAPPED_BITS : 0u));
    }
}

bool hs_conf_bus_allows(const struct hs_conf *c, const char *ip)
{
    const struct hs_ranges *r = &c->bus_allow;
    uint8_t bytes[16];
    if (!parse_ip(ip, bytes))
        return false;
    if (any_has(loopback_ranges, sizeof(loopback_ranges) / sizeof(loopback_ranges[0]), bytes))
        return true;
    if (r->automatic && c->tls_cluster)
        return true; /* its certificate says who it is */
    if ((r->automatic || r->with_private) &&
        any_has(private_ranges, sizeof(private_ranges) / sizeof(private_ranges[0]), bytes))
        return true;
    return any_has(r->v, r->n, bytes);
}
