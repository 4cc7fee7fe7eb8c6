/* log.c - one line, one write(2), no lock.
 *
 * Any thread may log at any time, so nothing here waits for another thread.
 * The descriptor's number never changes while lines go to a file: a rotation
 * puts the new file behind the same number, and a line that is being written
 * lands in the old file or in the new one, whole.
 */
#include "base_int.h"

#include "hearsay/base.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = 1024, /* with its newline; a longer line is cut */
    QUARTER_S = 900,       /* time zones change their offset at these only */
};

static struct {
    atomic_int level;
    atomic_int fd;           /* where lines go */
    _Atomic char role;       /* 'M' or 'S' */
    _Atomic int64_t zone;    /* quarter of an hour << 32 | offset + 1 day, 0 at first */
    atomic_bool zone_busy;   /* one thread looks the offset up */
    pthread_mutex_t opening; /* hs_log_open() and _reopen() only, never hs_log() */
    int file_fd;             /* the number kept for files, -1 before the first */
    char path[PATH_MAX];
} sink = {.level = HS_LOG_NOTICE,
          .fd = STDOUT_FILENO,
          .role = 'M',
          .opening = PTHREAD_MUTEX_INITIALIZER,
          .file_fd = -1};

static const int DAY_S = 86400;

bool base_log_is_file(void)
{
    return atomic_load(&sink.fd) != STDOUT_FILENO;
}

void hs_log_set_level(enum hs_log_level level)
{
    atomic_store(&sink.level, (int)level);
}

enum hs_log_level hs_log_get_level(void)
{
    return (enum hs_log_level)atomic_load_explicit(&sink.level, memory_order_relaxed);
}

void hs_log_set_role(char role)
{
    atomic_store(&sink.role, role);
}

/* Seconds east of Greenwich. localtime_r() takes a lock of libc's, so only one
 * thread at a time calls it, and only once per quarter of an hour; the others
 * go on with the last answer. */
static int64_t zone_offset_s(time_t now)
{
    int64_t zone = atomic_load_explicit(&sink.zone, memory_order_relaxed);

    if (zone >> 32 != now / QUARTER_S && !atomic_exchange(&sink.zone_busy, true)) {
        struct tm local;
        localtime_r(&now, &local);
        zone = (int64_t)(now / QUARTER_S) << 32 | (local.tm_gmtoff + DAY_S);
        atomic_store_explicit(&sink.zone, zone, memory_order_relaxed);
        atomic_store(&sink.zone_busy, false);
    }
    return zone == 0 ? 0 : (zone & UINT32_MAX) - DAY_S;
}

const char BASE_MONTHS[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static int put_prefix(char *line, size_t n, enum hs_log_level level, struct tm *local)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    time_t shifted = now.tv_sec + (time_t)zone_offset_s(now.tv_sec);
    gmtime_r(&shifted, local);
    return snprintf(line, n, "%d:%c %02d %s %d %02d:%02d:%02d.%03d %c ", (int)getpid(),
                    atomic_load_explicit(&sink.role, memory_order_relaxed), local->tm_mday,
                    BASE_MONTHS[local->tm_mon], local->tm_year + 1900, local->tm_hour,
                    local->tm_min, local->tm_sec, (int)(now.tv_nsec / 1000000), ".-*#"[level]);
}

void hs_log(enum hs_log_level level, const char *fmt, ...)
{
    char line[LINE_MAX_BYTES];
    struct tm local;
    va_list args;

    if (level < hs_log_get_level() || level >= HS_LOG_NOTHING)
        return;
    int saved_errno = errno;
    int prefix_n = put_prefix(line, sizeof(line), level, &local);
    va_start(args, fmt);
    int text_n = vsnprintf(line + prefix_n, sizeof(line) - (size_t)prefix_n, fmt, args);
    va_end(args);
    size_t n = (size_t)prefix_n + (text_n > 0 ? (size_t)text_n : 0);
    if (n > sizeof(line) - 1)
        n = sizeof(line) - 1;
    /* Texts may quote a peer; a line break in one must not forge a line. */
    for (size_t i = (size_t)prefix_n; i < n; i++) {
        if ((unsigned char)line[i] < ' ' || line[i] == '\x7f')
            line[i] = '?';
    }
    line[n] = '\n';
    /* A log that cannot be written has nobody to be reported to. */
    ssize_t written = write(atomic_load_explicit(&sink.fd, memory_order_relaxed), line, n + 1);
    (void)written;
    base_syslog_put(level, &local, line + prefix_n, n - (size_t)prefix_n);
    errno = saved_errno;
}

/* Opens path and puts it behind the number kept for files. */
static int open_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0)
        return -errno;
    if (sink.file_fd < 0) {
        sink.file_fd = fd;
        return 0;
    }
    int rc = dup3(fd, sink.file_fd, O_CLOEXEC) < 0 ? -errno : 0;
    close(fd);
    return rc;
}

static int open_locked(const char *path)
{
    if (path == NULL || path[0] == '\0') {
        sink.path[0] = '\0';
        atomic_store(&sink.fd, STDOUT_FILENO);
        return 0;
    }
    size_t n = strlen(path) + 1;
    if (n > sizeof(sink.path))
        return -ENAMETOOLONG;
    int rc = open_file(path);
    if (rc == 0) {
        memmove(sink.path, path, n);
        atomic_store(&sink.fd, sink.file_fd);
    }
    return rc;
}

int hs_log_open(const char *path)
{
    pthread_mutex_lock(&sink.opening);
    int rc = open_locked(path);
    pthread_mutex_unlock(&sink.opening);
    return rc;
}

int hs_log_reopen(void)
{
    pthread_mutex_lock(&sink.opening);
    int rc = sink.path[0] == '\0' ? 0 : open_file(sink.path);
    pthread_mutex_unlock(&sink.opening);
    return rc;
}
