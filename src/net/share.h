/* share.h - a bound on the connections of one address. */
#ifndef NET_SHARE_H
#define NET_SHARE_H

#include "hearsay/base.h"

struct hs_net;
struct hs_reactor;

enum { SHARE_SLOTS = 1 << 16, SHARE_TABLES = 2 }; /* the bus has one for itself */

enum share_result {
    SHARE_OK,
    SHARE_FULL, /* its address has as many as it may; counted and logged */
    SHARE_GONE, /* it has no address any more */
};

/* Counts a connection, on the bus or of a client. *slot goes to share_give() when
 * it ends; HS_NIL for one that was not counted. */
enum share_result share_take(struct hs_reactor *r, int fd, bool bus, hs_ix *slot);
void share_give(struct hs_net *n, hs_ix slot);

#endif
