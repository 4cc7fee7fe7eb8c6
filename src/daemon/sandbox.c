/* sandbox.c - what the process cannot do any more once it is up, whoever takes it
 * over: run a program, and write or remove files anywhere but beside its own.
 *
 * Landlock, the kernel's sandbox for programs without privileges, holds for this
 * thread and those it starts. Directories are allowed, not files: nodes.conf and
 * the configuration are replaced by renaming, a log is rotated. Reading is left
 * alone: certificates may come from anywhere, and that is what file modes are for.
 */
#include "daemon_int.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OPEN_FLAGS = O_PATH | O_CLOEXEC };

static const uint64_t OWN_FILES =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG;
static const uint64_t ALL =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
    LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

/* 0, or a negative errno. */
static int allow(int ruleset, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access};
    rule.parent_fd = open(path, OPEN_FLAGS);
    if (rule.parent_fd < 0)
        return -errno;
    long rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    int err = rc == 0 ? 0 : -errno;
    close(rule.parent_fd);
    return err;
}

static int allow_around(int ruleset, const char *path)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        snprintf(dir, sizeof(dir), ".");
    else
        snprintf(dir, sizeof(dir), "%.*s", slash == path ? 1 : (int)(slash - path), path);
    return allow(ruleset, dir, OWN_FILES);
}

/* Where the file is, and where it really is if that is a link. */
static int allow_file(int ruleset, const char *path)
{
    if (path[0] == '\0')
        return 0;
    char target[PATH_MAX];
    int err = allow_around(ruleset, path);
    if (err == 0 && realpath(path, target) != NULL)
        err = allow_around(ruleset, target);
    return err;
}

static int allow_all(int ruleset, const struct daemon *d)
{
    const char *files[] = {d->conf.logfile, d->conf.pidfile, d->conf.unixsocket, d->loaded.file};
    int err = allow(ruleset, ".", OWN_FILES); /* dir */
    if (err == 0)
        err = allow(ruleset, "/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && err == 0; i++)
        err = allow_file(ruleset, files[i]);
    return err;
}

static int enter(const struct daemon *d)
{
    struct landlock_ruleset_attr attr = {.handled_access_fs = ALL};
    int ruleset =
        (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr.handled_access_fs), 0);
    if (ruleset < 0)
        return -errno;
    int err = allow_all(ruleset, d);
    if (err == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        err = -errno;
    close(ruleset);
    return err;
}

void daemon_enter_sandbox(const struct daemon *d)
{
    if (!d->conf.sandbox)
        return;
    if (d->script != NULL) {
        hs_log(HS_LOG_NOTICE, "No sandbox: what notification-script may do is not for us to say.");
        return;
    }
    int err = enter(d);
    if (err != 0)
        hs_log(HS_LOG_NOTICE,
               "No sandbox: %s. The node runs as well without; 'sandbox no' ends this line.",
               err == -ENOSYS || err == -EOPNOTSUPP ? "this kernel has no Landlock"
                                                    : strerror(-err));
}
