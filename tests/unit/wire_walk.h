/* wire_walk.h - calls every reader on a view: what is safe must hold for all of them. */
#ifndef HS_TEST_WIRE_WALK_H
#define HS_TEST_WIRE_WALK_H

#include "hearsay/wire.h"

#include <stdlib.h>

enum { WIRE_WALK_TEXT = 4096 };

/* Reads all there is. False if the extensions do not end where the view says. */
static inline bool wire_walk(const struct hs_view *v)
{
    char text[WIRE_WALK_TEXT], ip[HS_IP_LEN];
    struct hs_publish pub;
    struct hs_hdr hdr;
    struct hs_node_id slaveof;
    struct hs_ext ext;
    uint32_t off = v->ext_off, seen = 0;

    hs_wire_read_hdr(v, &hdr, &slaveof, ip);
    hs_wire_publish(v, &pub);
    hs_wire_text(v, text, sizeof(text));
    for (uint32_t i = 0; i < v->gossip_n; i++)
        hs_wire_gossip_text(v, i, text, sizeof(text));
    for (; hs_wire_ext_next(v, &off, &ext); seen++)
        hs_wire_ext_text(&ext, text, sizeof(text));
    return off == v->len && seen == v->ext_n;
}

#endif
