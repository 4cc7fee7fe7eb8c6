/* decode_ip.c - from a captured packet to a TCP segment: link layer, IP, TCP.
 *
 * Every header is measured against what was captured before it is read.
 * Fragments are not put together: the bus sends segments of the path's size.
 */
#include "hearsay-decode.h"

#include <string.h>

enum { /* link types of the capture format */
       LINK_NULL = 0,
       LINK_ETHERNET = 1,
       LINK_RAW_BSD = 12,
       LINK_RAW = 101,
       LINK_LOOP = 108,
       LINK_LINUX_SLL = 113,
       LINK_LINUX_SLL2 = 276,
};

enum {
    ETHERNET_LEN = 14,
    VLAN_LEN = 4,
    LOOP_LEN = 4,
    SLL_LEN = 16,
    SLL2_LEN = 20,
    IPV4_LEN = 20,
    IPV6_LEN = 40,
    TCP_LEN = 20,
    PROTO_TCP = 6,
    TCP_SYN = 2,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_QINQ = 0x88a8,
};

bool decode_link_known(uint32_t link_type)
{
    return link_type == LINK_NULL || link_type == LINK_ETHERNET || link_type == LINK_RAW_BSD ||
           link_type == LINK_RAW || link_type == LINK_LOOP || link_type == LINK_LINUX_SLL ||
           link_type == LINK_LINUX_SLL2;
}

/* Where IP starts. What is no IP packet shows by its version. */
static size_t link_len(uint32_t link_type, const uint8_t *p, size_t n)
{
    size_t len = ETHERNET_LEN;

    switch (link_type) {
    case LINK_NULL:
    case LINK_LOOP:
        return LOOP_LEN;
    case LINK_LINUX_SLL:
        return SLL_LEN;
    case LINK_LINUX_SLL2:
        return SLL2_LEN;
    case LINK_ETHERNET:
        while (len <= n &&
               (hs_get16(p + len - 2) == ETHERTYPE_VLAN || hs_get16(p + len - 2) == ETHERTYPE_QINQ))
            len += VLAN_LEN;
        return len;
    default:
        return 0;
    }
}

static bool tcp(const uint8_t *p, size_t n, struct decode_packet *out)
{
    if (n < TCP_LEN)
        return false;
    size_t header = (size_t)(p[12] >> 4) * 4;

    if (header < TCP_LEN || header > n)
        return false;
    out->sport = hs_get16(p);
    out->dport = hs_get16(p + 2);
    out->seq = hs_get32(p + 4);
    out->syn = (p[13] & TCP_SYN) != 0;
    out->data = p + header;
    out->len = (uint32_t)(n - header);
    return true;
}

static bool ipv4(const uint8_t *p, size_t n, struct decode_packet *out)
{
    if (n < IPV4_LEN)
        return false;
    size_t header = (size_t)(p[0] & 15) * 4, total = hs_get16(p + 2);
    bool fragment = (hs_get16(p + 6) & 0x3fff) != 0;

    if (header < IPV4_LEN || header > n || p[9] != PROTO_TCP || fragment)
        return false;
    /* Padding follows a short packet; 0 is one that the network card was to cut. */
    if (total >= header && total < n)
        n = total;
    memcpy(out->src, p + 12, 4);
    memcpy(out->dst, p + 16, 4);
    return tcp(p + header, n - header, out);
}

static bool ipv6(const uint8_t *p, size_t n, struct decode_packet *out)
{
    enum { HOP_BY_HOP = 0, ROUTING = 43, DESTINATION = 60 };

    if (n < IPV6_LEN)
        return false;
    size_t payload = hs_get16(p + 4), off = IPV6_LEN;
    uint8_t next = p[6];

    if (payload > 0 && IPV6_LEN + payload < n)
        n = IPV6_LEN + payload;
    while (next == HOP_BY_HOP || next == ROUTING || next == DESTINATION) {
        if (n - off < 8)
            return false;
        size_t len = ((size_t)p[off + 1] + 1) * 8;

        next = p[off];
        if (len > n - off)
            return false;
        off += len;
    }
    out->ipv6 = true;
    memcpy(out->src, p + 8, 16);
    memcpy(out->dst, p + 24, 16);
    return next == PROTO_TCP && tcp(p + off, n - off, out);
}

bool decode_ip(uint32_t link_type, const uint8_t *p, size_t n, struct decode_packet *out)
{
    size_t len = link_len(link_type, p, n);

    *out = (struct decode_packet){0};
    if (n <= len)
        return false;
    p += len;
    n -= len;
    if (p[0] >> 4 == 4)
        return ipv4(p, n, out);
    return p[0] >> 4 == 6 && ipv6(p, n, out);
}
