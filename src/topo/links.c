/* links.c - what a node's link tells, heard from one side only. */
#include "hearsay/topo.h"

enum { RECENT_MS_MIN = 2000 }; /* a peer sends about once a second, whatever the timeout */

int64_t hs_topo_recent_ms(int64_t timeout_ms)
{
    return timeout_ms > RECENT_MS_MIN ? timeout_ms : RECENT_MS_MIN;
}

static bool is_since(int64_t at_ms, int64_t now_ms, int64_t ms)
{
    return at_ms != 0 && now_ms - at_ms < ms;
}

enum hs_one_way hs_topo_one_way(const struct hs_topo_node *n, int64_t now_ms, int64_t timeout_ms)
{
    int64_t recent_ms = hs_topo_recent_ms(timeout_ms);
    bool is_reached = is_since(n->heard_to_ms, now_ms, recent_ms);
    bool unanswered = n->ping_sent_ms != 0 && now_ms - n->ping_sent_ms > recent_ms / 2;
    if ((n->flags & (HS_NODE_MYSELF | HS_NODE_NOADDR | HS_NODE_HANDSHAKE)) != 0)
        return HS_ONE_WAY_NO;
    if (is_since(n->heard_from_ms, now_ms, recent_ms) && !is_reached && unanswered)
        return HS_ONE_WAY_TO;
    /* Silence alone says nothing: gossip spares pings, and pairs of a sound cluster
     * have none for minutes. But everybody keeps a connection to everybody: who has
     * none for so long, though we have one to it, cannot get through. */
    if (is_reached && n->link_from_ms == 0 && n->link_to_ms != 0 &&
        !is_since(n->link_to_ms, now_ms, 2 * recent_ms) &&
        !is_since(n->heard_from_ms, now_ms, 2 * recent_ms))
        return HS_ONE_WAY_FROM;
    return HS_ONE_WAY_NO;
}
