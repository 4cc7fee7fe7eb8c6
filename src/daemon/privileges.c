/* privileges.c - what the process gives up once it has what it needs. */
#include "daemon_int.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static bool has_secrets(const struct daemon *d)
{
    return d->tls != NULL || d->conf.requirepass[0] != '\0';
}

/* The limit alone would not do: the kernel does not apply it to a core that it
 * pipes to a program. Being undumpable also keeps other processes of this user
 * from reading our memory. */
static bool forbid_dumps(void)
{
    struct rlimit none = {0, 0};
    return setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

void daemon_drop_privileges(const struct daemon *d)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        hs_log(HS_LOG_WARNING, "Cannot give up gaining privileges: %s.", strerror(errno));
    if (has_secrets(d) && !forbid_dumps())
        hs_log(HS_LOG_WARNING,
               "Cannot forbid core dumps: %s. A crash would write keys and passwords to disk.",
               strerror(errno));
}
