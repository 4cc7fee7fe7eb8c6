/* wire_walk.h - calls every reader on a view: what is safe must hold for all of them. */
#ifndef HS_TEST_WIRE_WALK_H
#define HS_TEST_WIRE_WALK_H

#include "hearsay/wire.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

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

/* The verdict on len bytes; whoever reads behind them is seen by the sanitizer. What
 * passes is walked. */
static inline enum hs_wire_err wire_verdict(const uint8_t *bytes, uint32_t len, struct hs_view *v)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);

    memcpy(exact, bytes, len);
    enum hs_wire_err e = hs_wire_check(exact, len, v);

    if (e == HS_WIRE_OK)
        ck_assert(wire_walk(v));
    free(exact);
    return e;
}

#endif
