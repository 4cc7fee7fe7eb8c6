/* syslog.c - log lines as datagrams to the syslog socket, beside the log itself.
 *
 * Not through libc's syslog(): that takes a lock and waits for a syslog daemon
 * that has stopped reading, and the thread that logs may be the one the whole
 * node depends on. A datagram that finds no room or no reader is dropped: the
 * same line is in the log. Each is addressed anew, so a syslog daemon may be
 * restarted, or start after us.
 */
#include "base_int.h"

#include "hearsay/base.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

enum { DATAGRAM_MAX = 1280 }; /* a log line and what comes before it; more is cut */

/* Filled before `fd` is, which is what makes it visible to other threads. */
static struct {
    struct sockaddr_un to;
    char ident[64];
    int facility;
    atomic_int fd;
} sink = {.fd = -1};

int base_syslog_open(const char *path, const char *ident, int facility)
{
    HS_ASSERT(atomic_load(&sink.fd) < 0);
    sink.to = (struct sockaddr_un){.sun_family = AF_UNIX};
    int n = snprintf(sink.to.sun_path, sizeof(sink.to.sun_path), "%s", path);
    if (n < 0 || (size_t)n >= sizeof(sink.to.sun_path))
        return -ENAMETOOLONG;
    snprintf(sink.ident, sizeof(sink.ident), "%s", ident);
    sink.facility = facility;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    atomic_store(&sink.fd, fd);
    return access(path, W_OK) == 0 ? 0 : -errno;
}

int hs_log_syslog(const char *ident, int facility)
{
    return base_syslog_open("/dev/log", ident, facility);
}

int base_priority(enum hs_log_level level)
{
    static const int priorities[] = {LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING};
    HS_ASSERT(level < HS_LOG_NOTHING);
    return priorities[level];
}

void base_syslog_put(enum hs_log_level level, const struct tm *local, const char *text, size_t n)
{
    char line[DATAGRAM_MAX];
    int fd = atomic_load(&sink.fd);

    if (fd < 0)
        return;
    int line_n = snprintf(line, sizeof(line), "<%d>%s %2d %02d:%02d:%02d %s[%d]: %.*s",
                          sink.facility | base_priority(level), BASE_MONTHS[local->tm_mon],
                          local->tm_mday, local->tm_hour, local->tm_min, local->tm_sec, sink.ident,
                          (int)getpid(), (int)n, text);
    size_t sent_n = line_n < (int)sizeof(line) ? (size_t)line_n : sizeof(line) - 1;
    ssize_t sent = sendto(fd, line, sent_n, MSG_DONTWAIT | MSG_NOSIGNAL,
                          (const struct sockaddr *)&sink.to, sizeof(sink.to));
    (void)sent; /* nobody is there to be told */
}
