/* keys.c - what TLS reads from files: at start, and again on SIGHUP. */
#include "daemon_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static void tell(const struct hs_tls_keys *k, const char *when)
{
    char end[32];
    time_t t = (time_t)hs_tls_keys_end_s(k);
    struct tm tm;
    strftime(end, sizeof(end), "%Y-%m-%d %H:%M UTC", gmtime_r(&t, &tm));
    hs_log(HS_LOG_NOTICE, "TLS certificates and keys %s; the first of ours ends %s.", when, end);
    if (hs_tls_keys_warning(k)[0] != '\0')
        hs_log(HS_LOG_WARNING, "%s.", hs_tls_keys_warning(k));
}

int daemon_load_keys(struct daemon *d)
{
    char why[1024];
    if (!hs_conf_has_tls(&d->conf))
        return DAEMON_OK;
    d->tls = hs_tls_create();
    if (d->tls == NULL)
        return daemon_fail(d, DAEMON_REFUSED, "No memory for TLS.");
    struct hs_tls_keys *keys = hs_tls_load(&d->conf, why, sizeof(why));
    if (keys == NULL)
        return daemon_fail(d, DAEMON_BAD_CONF, "TLS cannot be set up: %s.", why);
    tell(keys, "loaded");
    hs_tls_adopt(d->tls, keys);
    return DAEMON_OK;
}

void daemon_reload_keys(struct daemon *d)
{
    char why[1024];
    if (d->tls == NULL)
        return;
    struct hs_tls_keys *keys = hs_tls_load_again(d->tls, why, sizeof(why));
    if (keys == NULL) {
        hs_log(HS_LOG_WARNING, "TLS keeps its old certificates and keys: %s.", why);
        return;
    }
    tell(keys, "loaded again");
    hs_tls_adopt(d->tls, keys);
}
