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
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = 1024, /* with its newline; a longer line is cut */
    QUARTER_S = 900,       /* time zones change their offset at these only */
};

static struct {
    atomic_int level;
    atomic_int fd;           /* where lines go */
    atomic_int format;       /* enum hs_log_format */
    atomic_bool journal;     /* standard output is systemd's journal */
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

void hs_log_set_format(enum hs_log_format format)
{
    atomic_store(&sink.format, (int)format);
}

/* Standard output that is the journal: it takes a level in front of a line. */
static bool is_journal(int fd)
{
    const char *stream = fd == STDOUT_FILENO ? getenv("JOURNAL_STREAM") : NULL;
    unsigned long long dev, ino;
    struct stat st;
    return stream != NULL && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 && fstat(fd, &st) == 0 &&
           st.st_dev == dev && st.st_ino == ino;
}

static void write_line(const struct base_line *l)
{
    char line[LINE_MAX_BYTES + 3]; /* "<N>" is not counted */
    enum hs_log_format format =
        (enum hs_log_format)atomic_load_explicit(&sink.format, memory_order_relaxed);
    int fd = atomic_load_explicit(&sink.fd, memory_order_relaxed);
    int level_n = 0;
    if (fd == STDOUT_FILENO && atomic_load_explicit(&sink.journal, memory_order_relaxed))
        level_n = snprintf(line, sizeof(line), "<%d>", base_priority(l->level));
    size_t text_at;
    size_t n = base_line(l, format, line + level_n, LINE_MAX_BYTES, &text_at);
    line[(size_t)level_n + n] = '\n';
    /* A log that cannot be written has nobody to be reported to. */
    ssize_t written = write(fd, line, (size_t)level_n + n + 1);
    (void)written;
    base_syslog_put(l->level, &l->local, line + level_n + text_at, n - text_at);
}

static void log_va(enum hs_log_level level, const struct hs_log_field *fields, uint32_t fields_n,
                   const char *fmt, va_list args)
{
    char text[LINE_MAX_BYTES];
    struct timespec now;

    if (level < hs_log_get_level() || level >= HS_LOG_NOTHING)
        return;
    int saved_errno = errno;
    clock_gettime(CLOCK_REALTIME, &now);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    struct base_line l = {
        .level = level,
        .role = atomic_load_explicit(&sink.role, memory_order_relaxed),
        .ms = (int)(now.tv_nsec / 1000000),
        .east_s = zone_offset_s(now.tv_sec),
        .fields = fields,
        .fields_n = fields_n,
        .text = text,
        .text_n = n < 0                      ? 0
                  : (size_t)n < sizeof(text) ? (size_t)n
                                             : sizeof(text) - 1,
    };
    time_t shifted = now.tv_sec + (time_t)l.east_s;
    gmtime_r(&shifted, &l.local);
    write_line(&l);
    errno = saved_errno;
}

void hs_log(enum hs_log_level level, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    log_va(level, NULL, 0, fmt, args);
    va_end(args);
}

void hs_log_with(enum hs_log_level level, const struct hs_log_field *fields, uint32_t fields_n,
                 const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    log_va(level, fields, fields_n, fmt, args);
    va_end(args);
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
        atomic_store(&sink.journal, is_journal(STDOUT_FILENO));
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
