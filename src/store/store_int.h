/* store_int.h - what the files of this room share. */
#ifndef HEARSAY_STORE_INT_H
#define HEARSAY_STORE_INT_H

#include "hearsay/resp.h"
#include "hearsay/store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

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

/* ---- the file ---- */

enum { STORE_PATH_MAX = 1024, STORE_REASON_MAX = 256 };

/* The system calls that change something on disk. Tests put their own here, to
 * fail or to die at each of them in turn. */
struct store_io {
    int (*open)(const char *path, int flags, mode_t mode);
    int (*lock)(int fd); /* exclusive, without waiting */
    ssize_t (*write)(int fd, const void *p, size_t n);
    int (*fsync)(int fd);
    int (*rename)(const char *from, const char *to);
};

extern const struct store_io store_io_real;

struct store_file {
    const struct store_io *io;
    char path[STORE_PATH_MAX];
    char tmp[STORE_PATH_MAX + 32];
    char dir[STORE_PATH_MAX];
    int fd; /* of the file at path; holds the lock */
};

/* Opens, creates if missing, and locks. 0, or a negative errno: -EWOULDBLOCK
 * when another process holds it. */
int store_file_open(struct store_file *f, const struct store_io *io, const char *path);
/* The whole file, from hs_alloc(), NUL-terminated. 0 or a negative errno; *text
 * is NULL for an empty file. */
int store_file_read(const struct store_file *f, char **text, size_t *n);
/* Replaces the file by text: all of it, or nothing. 0, or a negative errno with
 * the step that failed in *step. */
int store_file_replace(struct store_file *f, const char *text, size_t n, const char **step);
void store_file_close(struct store_file *f);

/* ---- the thread ---- */

struct store_job {
    struct hs_topo *t; /* NULL: none */
    uint64_t seq;
    bool sync;
};

struct hs_store {
    struct store_file file;
    struct hs_wake wake;   /* rung by submit and stop */
    struct hs_wake *owner; /* whom to tell; NULL for nobody */
    atomic_bool stop;
    _Atomic uint64_t saved, failures, asked;
    /* The slot. The lock is held for a few assignments, never across I/O. */
    pthread_mutex_t lock;
    struct store_job slot;
    void (*ask)(void *ctx); /* NULL: nothing */
    void *ask_ctx;
    char reason[STORE_REASON_MAX]; /* of the last failure, "" after a success */
    /* The store thread's own. */
    int64_t last_save_ms;
};

#endif
