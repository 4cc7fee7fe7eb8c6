/* store_int.h - what the files of this room share. */
#ifndef HEARSAY_STORE_INT_H
#define HEARSAY_STORE_INT_H

#include "hearsay/resp.h"
#include "hearsay/store.h"

/* ---- text ---- */

enum {
    /* id address flags master ping pong epoch link, then slots. A slot can be
     * listed once as owned and once each as migrating and importing. */
    NODESCONF_FIELDS = 8,
    NODESCONF_ARGS_MAX = NODESCONF_FIELDS + 3 * HS_SLOTS,
};

/* The largest legal file is about 20 MiB: 16384 nodes, every slot on the move. */
enum { NODESCONF_MAX = 64 << 20 };

/* State of one parse. */
struct nodesconf {
    struct hs_topo *t;
    struct hs_conf_error *err;
    int64_t now_ms;
    uint32_t line;
    uint16_t myself; /* index, or HS_TOPO_NONE until its line came */
    bool vars_seen;
    bool *line_seen; /* per node: it had a line, so it is no placeholder */
    uint16_t *table; /* hash of an id -> index + 1, open addressing */
    uint32_t table_mask;
    struct hs_arg *args;
    uint16_t migrating[HS_SLOTS], importing[HS_SLOTS]; /* index, or HS_TOPO_NONE */
};

/* Says what is wrong with the current line; returns false. */
bool nodesconf_refuse(struct nodesconf *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The index of the node with that id, added without flags or address if it is
 * new. HS_TOPO_NONE, refused, if the id is malformed or no room is left. */
uint16_t nodesconf_node(struct nodesconf *p, const struct hs_arg *id, const char *what);
/* How much of a field to quote in a message. */
static inline int nodesconf_clip(size_t n)
{
    return n > 60 ? 60 : (int)n;
}

/* A decimal number that fills the whole argument and is at most max. */
bool nodesconf_number(const char *p, size_t n, uint64_t max, uint64_t *out);
/* One line that is neither blank nor vars. */
bool nodesconf_node_line(struct nodesconf *p, int args_n);
/* ip:port[@cport][,hostname[,name=value...]] into node. */
bool nodesconf_address(struct nodesconf *p, const struct hs_arg *arg, struct hs_topo_node *node);

/* Characters a host name, a node name or an address may have in the file; a
 * stock loader splits at or refuses the others. */
bool nodesconf_hostname_valid(const char *text);
bool nodesconf_nodename_valid(const char *text);
bool nodesconf_address_valid(const char *text);

#endif
