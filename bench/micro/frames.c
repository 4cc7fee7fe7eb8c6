/* frames.c - see frames.h. */
#include "frames.h"

#include <stdio.h>
#include <string.h>

void frames_id(struct hs_node_id *id, uint32_t node)
{
    char text[HS_ID_LEN + 1];
    uint64_t mixed = (node + 1) * 0x9e3779b97f4a7c15u;

    snprintf(text, sizeof(text), "%016llx%016llx%08x", (unsigned long long)mixed,
             (unsigned long long)(mixed ^ mixed >> 29), node);
    memcpy(id->hex, text, HS_ID_LEN);
}

void frames_entry(uint8_t dst[HS_GOSSIP_LEN], uint32_t node)
{
    struct hs_gossip g = {
        .pong_received = 1700000000, .port = 6379, .cport = 16379, .flags = HS_NODE_MASTER};
    char ip[HS_IP_LEN];

    snprintf(ip, sizeof(ip), "10.0.%u.%u", node / 250 % 250, node % 250 + 1);
    g.ip = ip;
    frames_id(&g.id, node);
    hs_wire_put_gossip(dst, &g);
}

void frames_slots(uint8_t slots[HS_SLOTS_BYTES], uint32_t nodes_n, uint32_t node)
{
    memset(slots, 0, HS_SLOTS_BYTES);
    for (uint32_t s = node * HS_SLOTS / nodes_n; s < (node + 1) * HS_SLOTS / nodes_n; s++) {
        hs_slot_set(slots, s);
    }
}

uint32_t frames_ping(uint8_t *dst, uint32_t nodes_n, uint32_t node, uint32_t first,
                     uint32_t entries_n)
{
    uint32_t len = HS_HDR_LEN + entries_n * HS_GOSSIP_LEN;
    uint8_t slots[HS_SLOTS_BYTES];
    struct hs_hdr h = {.current_epoch = nodes_n,
                       .config_epoch = node + 1,
                       .slots = slots,
                       .myip = "",
                       .port = 6379,
                       .cport = 16379,
                       .flags = HS_NODE_MASTER | HS_NODE_MYSELF};

    frames_id(&h.sender, node);
    frames_slots(slots, nodes_n, node);
    hs_wire_build_hdr(dst, &h);
    for (uint32_t i = 0; i < entries_n; i++) {
        uint32_t about = (first + i * 7) % nodes_n; /* scattered over the table, as chance does */
        frames_entry(dst + HS_HDR_LEN + (size_t)i * HS_GOSSIP_LEN, about);
    }
    hs_wire_finish(dst, HS_MSG_PING, (uint16_t)entries_n, 0, len);
    return len;
}
