/* admin.h - the client port: RESP commands and their replies.
 *
 * Sessions run on the reactor that holds their connection. What only needs the
 * published view is answered there, with a rendered reply kept per reactor and
 * version and sent from where it is; what changes something goes to the owner as a struct
 * hs_request.
 *
 * Threads: hs_admin_create() before the reactors run; the ops on reactor
 *          threads. Errors: replies, with the stock server's texts.
 */
#ifndef HEARSAY_ADMIN_H
#define HEARSAY_ADMIN_H

#include "hearsay/base.h"
#include "hearsay/net.h"
#include "hearsay/owner.h"
#include "hearsay/watch.h"

#define HS_ADMIN_REDIS_VERSION "7.2.4" /* the compatibility level */

struct hs_admin;

struct hs_admin_conf {
    struct hs_snapshot *snapshot; /* of struct hs_published; reader = reactor */
    uint32_t reactors;
    uint32_t clients_max;    /* that tables were sized for: maxclients goes no higher */
    const char *config_file; /* absolute path, "" if none */
    const char *executable;
    struct hs_net *const *net; /* *net is set before reactors run */
    struct hs_tls *tls;        /* NULL without TLS */
    struct hs_watch *watch;    /* what happens, and HEARSAY TOPOLOGY SINCE */
};

struct hs_admin *hs_admin_create(const struct hs_admin_conf *conf);
void hs_admin_destroy(struct hs_admin *a);
struct hs_client_ops hs_admin_ops(struct hs_admin *a);

/* What the client port counts, and what the process uses. From any thread, but
 * not for every message: it asks the kernel, and takes the locks under which
 * clients come and go. */
enum hs_admin_counter {
    HS_ADMIN_CLIENTS,
    HS_ADMIN_CONNECTIONS,
    HS_ADMIN_COMMANDS,
    HS_ADMIN_BYTES_IN,
    HS_ADMIN_ERRORS,
    HS_ADMIN_CHANNELS,
    HS_ADMIN_PATTERNS,
    HS_ADMIN_SHARD_CHANNELS,
    HS_ADMIN_RENDERS, /* the next five are of INFO hearsay */
    HS_ADMIN_PINNED_BYTES,
    HS_ADMIN_READERS_CUT,
    HS_ADMIN_EVENTS_LOST,
    HS_ADMIN_EVENTS_FORGED,
    HS_ADMIN_RSS,
    HS_ADMIN_RSS_PEAK,
    HS_ADMIN_CPU_SYS_US,
    HS_ADMIN_CPU_USER_US,
    HS_ADMIN_COUNTERS,
};
void hs_admin_counters(struct hs_admin *a, uint64_t values[HS_ADMIN_COUNTERS]);
/* The name INFO has for it. */
const char *hs_admin_counter_name(enum hs_admin_counter i);

/* Error replies by their first word; the last code stands for all others. */
enum { HS_ADMIN_ERROR_CODES = 12 };
const char *hs_admin_error_code(uint32_t code);
uint64_t hs_admin_errors(const struct hs_admin *a, uint32_t code);

#endif
