/* admin.h - the client port: RESP commands and their replies.
 *
 * Sessions run on the reactor that holds their connection. What only needs the
 * published view is answered there, from a rendered reply kept per reactor and
 * version; what changes something goes to the owner as a struct hs_request.
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

#endif
