/* outbuf.h - what a client has still to be sent, see outbuf.c. */
#ifndef NET_OUTBUF_H
#define NET_OUTBUF_H

#include "hearsay/net.h"

#include <sys/uio.h>

/* Bytes of a reply that lie together: the buffer's own, or shared ones. */
struct piece {
    struct hs_shared *shared; /* NULL for the buffer's own */
    uint32_t off, len;        /* of what is not sent */
};

struct hs_outbuf {
    uint8_t *bytes; /* its own */
    uint32_t used, cap;
    struct piece *pieces;
    uint32_t first, pieces_n, pieces_cap; /* those before the first are sent */
    uint32_t len;                         /* not sent, of all pieces */
    uint32_t max;                         /* of len; past it `over` is set and bytes are dropped */
    bool over;
};

/* What comes next, at most so many pieces and bytes; how many pieces. */
uint32_t outbuf_iov(const struct hs_outbuf *b, struct iovec *iov, uint32_t max, size_t bytes_max);
void outbuf_advance(struct hs_outbuf *b, uint32_t sent);
bool outbuf_holds(const struct hs_outbuf *b, const struct hs_shared *s);
/* Forgets what is not sent and frees its memory. */
void outbuf_release(struct hs_outbuf *b);

#endif
