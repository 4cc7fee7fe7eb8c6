/* supervise.c - telling the service manager that we are ready, and alive.
 *
 * systemd's protocol is one datagram to the socket named in NOTIFY_SOCKET; a
 * leading '@' means the abstract namespace. Upstart waits for a SIGSTOP. With a
 * watchdog, systemd ends a process that does not say in time that it lives; the
 * main thread says so, but only for an owner that went on ticking meanwhile.
 */
#include "daemon_int.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    WATCHDOG_MIN_US = 5000000, /* the owner of a quiet node ticks once a second */
    WATCHDOG_MAX_MS = 3600 * 1000,
};
enum { SUPERVISED_NO, SUPERVISED_UPSTART, SUPERVISED_SYSTEMD, SUPERVISED_AUTO };

static void notify(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    if (path == NULL || path[0] == 0)
        return;
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    if (n >= sizeof(to.sun_path))
        return;
    memcpy(to.sun_path, path, n);
    if (path[0] == '@')
        to.sun_path[0] = 0;
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to, len) < 0)
        hs_log(HS_LOG_WARNING, "systemd could not be notified: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
}

static bool is_systemd(const struct hs_conf *c)
{
    return c->supervised == SUPERVISED_SYSTEMD || c->supervised == SUPERVISED_AUTO;
}

void daemon_supervise_ready(const struct hs_conf *c)
{
    if (is_systemd(c))
        notify("READY=1\nSTATUS=Ready\n");
    bool is_upstart = c->supervised == SUPERVISED_UPSTART ||
                      (c->supervised == SUPERVISED_AUTO && getenv("UPSTART_JOB") != NULL);
    if (is_upstart)
        raise(SIGSTOP);
}

void daemon_supervise_stopping(const struct hs_conf *c)
{
    if (is_systemd(c))
        notify("STOPPING=1\nSTATUS=Saving the state\n");
}

/* What systemd waits for a beat, or 0: it does not. */
static unsigned long long watchdog_us(const struct hs_conf *c)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    if (!is_systemd(c) || usec == NULL)
        return 0;
    /* Inherited from a parent whose watchdog it is. */
    if (pid != NULL && strtol(pid, NULL, 10) != (long)getpid())
        return 0;
    return strtoull(usec, NULL, 10);
}

int daemon_check_watchdog(const struct daemon *d)
{
    unsigned long long us = watchdog_us(&d->conf);
    if (us == 0 || us >= WATCHDOG_MIN_US)
        return DAEMON_OK;
    return daemon_fail(d, DAEMON_REFUSED,
                       "WatchdogSec is %llu ms: a quiet node shows that it lives once a second, so "
                       "systemd would kill one that is well. Set WatchdogSec to %d or more, or 0.",
                       us / 1000, WATCHDOG_MIN_US / 1000000);
}

uint32_t daemon_watchdog_ms(const struct hs_conf *c)
{
    /* Twice in the time allowed, so that one beat may come late. */
    unsigned long long ms = watchdog_us(c) / 2 / 1000;
    return ms < WATCHDOG_MAX_MS ? (uint32_t)ms : WATCHDOG_MAX_MS;
}

void daemon_watchdog_beat(struct daemon *d)
{
    int64_t ticked_ms = hs_owner_ticked_ms(d->owner);
    bool alive = ticked_ms != d->watchdog_seen_ms;
    if (alive)
        notify("WATCHDOG=1\n");
    else if (d->watchdog_alive)
        hs_log(HS_LOG_WARNING, "The owner thread stands still: the watchdog is not told that this "
                               "process lives, and systemd will start it anew if this goes on.");
    d->watchdog_seen_ms = ticked_ms;
    d->watchdog_alive = alive;
}
