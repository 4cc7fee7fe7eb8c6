/* supervise.c - telling the service manager when we are ready.
 *
 * systemd's protocol is one datagram to the socket named in NOTIFY_SOCKET; a
 * leading '@' means the abstract namespace. Upstart waits for a SIGSTOP.
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
