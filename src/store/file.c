/* The file: locked, read once, and replaced as a whole.
 *
 * A replacement is written beside the file, flushed, locked and renamed over
 * it, and then the directory is flushed. So at every moment the name leads to
 * one whole version, and whoever opens it finds it locked: stock servers lock
 * the same file in the same way, which keeps them out too.
 */
#include "store_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0644, OPEN_TRIES_MAX = 10 };

static int real_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

static int real_lock(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB);
}

const struct store_io store_io_real = {real_open, real_lock, write, fsync, rename};

static bool same_file(int fd, const char *path)
{
    struct stat by_fd, by_path;
    return fstat(fd, &by_fd) == 0 && stat(path, &by_path) == 0 && by_fd.st_dev == by_path.st_dev &&
           by_fd.st_ino == by_path.st_ino;
}

/* Between our open and our lock the holder may have replaced the file: then the
 * lock is on an inode that no longer has the name, and we try again. */
static int open_locked(struct store_file *f)
{
    for (int i = 0; i < OPEN_TRIES_MAX; i++) {
        int fd = f->io->open(f->path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
        if (fd < 0)
            return -errno;
        if (f->io->lock(fd) != 0) {
            int err = -errno;
            close(fd);
            return err;
        }
        if (same_file(fd, f->path)) {
            f->fd = fd;
            return 0;
        }
        close(fd);
    }
    return -EWOULDBLOCK;
}

static bool alive(const char *pid_text)
{
    char *end;
    long pid = strtol(pid_text, &end, 10);
    if (end == pid_text || *end != '\0' || pid <= 0)
        return true; /* not one of ours: leave it alone */
    return pid != getpid() && (kill((pid_t)pid, 0) == 0 || errno != ESRCH);
}

/* What a crash of ours left: NAME.tmp-PID of a process that is gone. We hold
 * the lock, so no other server is using this name's temporary files. */
static void remove_leftovers(const struct store_file *f)
{
    const char *slash = strrchr(f->path, '/');
    const char *name = slash == NULL ? f->path : slash + 1;
    size_t name_n = strlen(name);
    DIR *d = opendir(f->dir);
    if (d == NULL)
        return;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (strncmp(e->d_name, name, name_n) == 0 && strncmp(e->d_name + name_n, ".tmp-", 5) == 0 &&
            !alive(e->d_name + name_n + 5))
            unlinkat(dirfd(d), e->d_name, 0);
    }
    closedir(d);
}

int store_file_open(struct store_file *f, const struct store_io *io, const char *path)
{
    *f = (struct store_file){.io = io, .fd = -1};
    if (strlen(path) >= sizeof(f->path))
        return -ENAMETOOLONG;
    snprintf(f->path, sizeof(f->path), "%s", path);
    snprintf(f->tmp, sizeof(f->tmp), "%s.tmp-%ld", path, (long)getpid());
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        snprintf(f->dir, sizeof(f->dir), ".");
    } else {
        snprintf(f->dir, sizeof(f->dir), "%.*s", slash == path ? 1 : (int)(slash - path), path);
    }
    int err = open_locked(f);
    if (err == 0)
        remove_leftovers(f);
    return err;
}

int store_file_read(const struct store_file *f, char **text, size_t *n)
{
    struct stat st;
    *text = NULL;
    *n = 0;
    if (fstat(f->fd, &st) != 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    if (st.st_size == 0)
        return 0;
    if (st.st_size > NODESCONF_MAX)
        return -EFBIG;
    size_t size = (size_t)st.st_size;
    char *buf = hs_alloc(size + 1);
    if (buf == NULL)
        return -ENOMEM;
    while (*n < size) {
        ssize_t got = pread(f->fd, buf + *n, size - *n, (off_t)*n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            hs_free(buf);
            return got < 0 ? -errno : -EIO; /* it shrank while we hold the lock */
        }
        *n += (size_t)got;
    }
    *text = buf;
    return 0;
}

static int write_all(const struct store_io *io, int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t put = io->write(fd, text, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return put < 0 ? -errno : -ENOSPC;
        text += put;
        n -= (size_t)put;
    }
    return 0;
}

/* A rename is durable once its directory is. */
static int flush_dir(const struct store_file *f)
{
    int fd = f->io->open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int err = f->io->fsync(fd) != 0 ? -errno : 0;
    close(fd);
    return err;
}

static int write_temporary(struct store_file *f, int fd, const char *text, size_t n,
                           const char **step)
{
    *step = "write";
    int err = write_all(f->io, fd, text, n);
    if (err != 0)
        return err;
    *step = "fsync";
    if (f->io->fsync(fd) != 0)
        return -errno;
    *step = "lock";
    if (f->io->lock(fd) != 0)
        return -errno;
    *step = "rename";
    return f->io->rename(f->tmp, f->path) != 0 ? -errno : 0;
}

int store_file_replace(struct store_file *f, const char *text, size_t n, const char **step)
{
    *step = "open";
    int fd = f->io->open(f->tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return -errno;
    int err = write_temporary(f, fd, text, n, step);
    if (err != 0) {
        close(fd);
        unlink(f->tmp);
        return err;
    }
    /* The new file has the name and its own lock: let the old inode go. */
    close(f->fd);
    f->fd = fd;
    *step = "fsync of the directory";
    return flush_dir(f);
}

void store_file_close(struct store_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}
