/* share.c - how many connections one address may hold.
 *
 * Addresses are spread over a table of counters by a hash with a key that is
 * drawn at start; of an IPv6 address the network's 64 bits count, since a host
 * has all addresses behind them. Two addresses in one slot are counted as one.
 * With 65,536 slots and bounds in the hundreds nobody notices that, and nobody
 * can choose whose slot to share. All reactors use one table, since each
 * accepts clients of its own; bus links have a table to themselves.
 *
 * At the bound the newcomer is closed, counted, and logged once a second.
 */
#include "net_int.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

enum { SHARE_PREFIX_LEN = 8 };

/* The generator's first number is a good mix of its seed. */
static hs_ix slot_of(const struct hs_net *n, const char *ip, bool bus)
{
    uint8_t bytes[16] = {0};
    uint64_t seed;
    struct hs_prng mix;

    if (inet_pton(AF_INET6, ip, bytes) != 1)
        inet_pton(AF_INET, ip, bytes);
    memcpy(&seed, bytes, SHARE_PREFIX_LEN);
    hs_prng_seed(&mix, seed ^ n->share_key);
    return (hs_ix)(hs_prng_next(&mix) % SHARE_SLOTS) + (bus ? SHARE_SLOTS : 0);
}

static bool is_loopback(const char *ip)
{
    return strncmp(ip, "127.", 4) == 0 || strcmp(ip, "::1") == 0;
}

static void tell(struct hs_reactor *r, const char *ip, bool bus, uint32_t max)
{
    char more[48];

    if (net_may_tell(r, bus ? &r->links_told : &r->clients_told, more, sizeof(more)))
        hs_log_with(HS_LOG_WARNING, &(struct hs_log_field){"peer", ip}, 1,
                    "Refused a %s from %s: this address has %" PRIu32 " already, which is what "
                    "%s allows.%s",
                    bus ? "cluster bus connection" : "client", ip, max,
                    bus ? "cluster-links-per-address" : "maxclients-per-address", more);
}

enum share_result share_take(struct hs_reactor *r, int fd, bool bus, hs_ix *slot)
{
    char ip[HS_IP_LEN];
    uint16_t port;
    struct hs_net_share share = bus ? NET_TUNE(r, links_per_ip) : NET_TUNE(r, clients_per_ip);

    *slot = HS_NIL;
    conn_address(fd, true, ip, sizeof(ip), &port);
    if (ip[0] == '\0')
        return SHARE_GONE;
    if (is_loopback(ip) && !share.loopback)
        return SHARE_OK;
    hs_ix at = slot_of(r->net, ip, bus);
    if (atomic_fetch_add(&r->net->shares[at], 1) < share.max) {
        *slot = at;
        return SHARE_OK;
    }
    share_give(r->net, at);
    count_add(r->counts, bus ? COUNT_links_per_ip : COUNT_clients_per_ip, 1);
    tell(r, ip, bus, share.max);
    return SHARE_FULL;
}

void share_give(struct hs_net *n, hs_ix slot)
{
    if (slot != HS_NIL)
        atomic_fetch_sub(&n->shares[slot], 1);
}
