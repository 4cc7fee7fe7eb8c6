/* store.h - nodes.conf: its text, its file, and the thread that writes it.
 *
 * Text and topology convert into each other in pure functions. The file is
 * locked against other processes, and replaced atomically: a temporary file in
 * the same directory, written, fsynced, locked, renamed over the old one, and
 * the directory fsynced.
 *
 * Threads: the pure functions anywhere. A struct hs_store belongs to the owner
 *          (hs_store_submit, hs_store_saved, hs_store_ask) and to its own thread
 *          (hs_store_run); the two share one slot, newest topology wins.
 */
#ifndef HEARSAY_STORE_H
#define HEARSAY_STORE_H

#include "hearsay/base.h"
#include "hearsay/ring.h"
#include "hearsay/topo.h"

/* ---- text, pure ---- */

struct hs_conf_error {
    uint32_t line;  /* 1-based; 0 for none: empty, too large, no memory */
    char text[256]; /* what is wrong, and with which field */
};

/* Reads the stock format of Redis 4.0 to 7.4 and Valkey 8. NULL with *err
 * filled if a stock loader would refuse it or lose part of it: so a file cut
 * short anywhere is refused, a missing vars line included, and so is an unknown
 * name after an address. now_ms replaces the times in the file, as stock loaders
 * do. Nodes that were only mentioned (a replica's master) have no flags and no
 * address; there can be more nodes than the reader's table has room for. */
struct hs_topo *hs_nodesconf_parse(const char *text, size_t n, int64_t now_ms,
                                   struct hs_conf_error *err);

/* Writes the stock format (7.2's, which 7.0, 7.4 and Valkey 8 load too), without
 * nodes in handshake. Node indices in t must be valid. The text is from hs_alloc(), NUL-terminated,
 * *n its length. NULL: no memory. */
char *hs_nodesconf_text(const struct hs_topo *t, size_t *n);

/* ---- the file ---- */

struct hs_store;

/* Locks and reads. *boot is NULL when the file is missing or empty. On failure
 * NULL, and why says file, line and reason, ready for the log and exit 2 (the
 * lock, permissions) or 1 (the content). */
struct hs_store *hs_store_open(const char *path, int64_t now_ms, struct hs_topo **boot, char *why,
                               size_t why_n, int *exit_code);

/* Owner: takes over t (and destroys it later). seq as HS_ACT_SAVE gave it; a
 * submission that was not started yet is replaced, its sync carried over. Every
 * save is flushed; one without sync may wait until the last is 100 ms old. */
void hs_store_submit(struct hs_store *s, struct hs_topo *t, uint64_t seq, bool sync);
/* Owner: the newest seq that is durable. */
uint64_t hs_store_saved(const struct hs_store *s);
/* Saves that failed since start. */
uint64_t hs_store_failures(const struct hs_store *s);
/* Why the last save failed, as a sentence's end; "" if it did not. */
void hs_store_error(struct hs_store *s, char *text, size_t n);

/* Owner: has the store's thread call run(ctx) between two saves, for what else waits
 * for the disk. One at a time: not again before hs_store_asked() counts it. */
void hs_store_ask(struct hs_store *s, void (*run)(void *ctx), void *ctx);
/* How many of these have ended since start. */
uint64_t hs_store_asked(const struct hs_store *s);

/* Posted after every finished save, and after what was asked for. */
void hs_store_notify(struct hs_store *s, struct hs_wake *owner);

/* Before the store thread runs: saves what was submitted. False if that failed,
 * and the thread is to try again. */
bool hs_store_flush(struct hs_store *s);
/* The store thread: saves until hs_store_stop(), retrying a failed save every
 * second with one log line per new reason. Writes what is left, then returns. */
void hs_store_run(struct hs_store *s);
void hs_store_stop(struct hs_store *s);
void hs_store_close(struct hs_store *s);

#endif
