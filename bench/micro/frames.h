/* frames.h - PINGs as they travel in a cluster of a given size. */
#ifndef HEARSAY_MICRO_FRAMES_H
#define HEARSAY_MICRO_FRAMES_H

#include <stdint.h>

#include "hearsay/wire.h"

/* Node i of the cluster: its id, and what gossip says of it. */
void frames_id(struct hs_node_id *id, uint32_t node);
void frames_entry(uint8_t dst[HS_GOSSIP_LEN], uint32_t node);
/* A PING from `node` naming entries_n others from `first` on; its length. */
uint32_t frames_ping(uint8_t *dst, uint32_t nodes_n, uint32_t node, uint32_t first,
                     uint32_t entries_n);
void frames_slots(uint8_t slots[HS_SLOTS_BYTES], uint32_t nodes_n, uint32_t node);

#endif
