/* metrics.h - what a node counts and how it is, over HTTP: /metrics, /healthz, /readyz.
 *
 * Reads what the owner published and what the reactors count, and nothing else:
 * no lock that the owner takes, no question that anybody has to answer.
 *
 * Threads: one of its own between hs_metrics_start() and _stop(); it is one more
 *          reader of the snapshot.
 * Bounds:  64 connections at once, 16 from one address, 8 KiB per request, 10 s
 *          without progress; past them the connection is closed. One rendering
 *          is shared by all who ask within 100 ms.
 * Errors:  negative errno.
 */
#ifndef HEARSAY_METRICS_H
#define HEARSAY_METRICS_H

#include "hearsay/admin.h"
#include "hearsay/base.h"
#include "hearsay/net.h"
#include "hearsay/ring.h"
#include "hearsay/tls.h"
#include "hearsay/watch.h"

#include <stdio.h>

struct hs_metrics;

struct hs_metrics_conf {
    struct hs_snapshot *snapshot; /* of struct hs_published */
    uint32_t reader;              /* which reader of it the thread is */
    const struct hs_net *net;
    struct hs_admin *admin;
    struct hs_tls *tls; /* NULL: none */
    const struct hs_watch *watch;
};

/* Binds and listens. NULL with *err: a negative errno. */
struct hs_metrics *hs_metrics_create(const struct hs_metrics_conf *conf, const char *ip,
                                     uint16_t port, int *err);
/* Starts to answer. 0, or a negative errno. */
int hs_metrics_start(struct hs_metrics *m);
/* Answers nobody any more: nothing is read from here on. */
void hs_metrics_stop(struct hs_metrics *m);
/* NULL is fine. */
void hs_metrics_destroy(struct hs_metrics *m);

/* The page docs/metrics.md: every metric there is, from the table that declares
 * them. */
void hs_metrics_print_page(FILE *out);

#endif
