/* run.c - starting, watching and killing a process of another program.
 */
#include "script_int.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int set_actions(posix_spawn_file_actions_t *a)
{
    int err = posix_spawn_file_actions_addopen(a, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (err == 0)
        err = posix_spawn_file_actions_addopen(a, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (err == 0)
        err = posix_spawn_file_actions_adddup2(a, STDOUT_FILENO, STDERR_FILENO);
    if (err == 0)
        err = posix_spawn_file_actions_addclosefrom_np(a, STDERR_FILENO + 1);
    return err;
}

static int set_attributes(posix_spawnattr_t *a)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int err = posix_spawnattr_setpgroup(a, 0);
    if (err == 0)
        err = posix_spawnattr_setsigmask(a, &none);
    if (err == 0)
        err = posix_spawnattr_setsigdefault(a, &all);
    if (err == 0)
        err = posix_spawnattr_setflags(a, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    return err;
}

int run_start(struct run *r, const char *path, const char *name, const char *text)
{
    /* posix_spawn() takes them as char *, and leaves them alone. */
    char *argv[] = {(char *)(uintptr_t)path, (char *)(uintptr_t)name, (char *)(uintptr_t)text,
                    NULL};
    char *env[] = {(char *)(uintptr_t) "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
                                       "/sbin:/bin",
                   NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return -ENOMEM;
    int err = posix_spawnattr_init(&attributes);
    if (err == 0) {
        err = set_actions(&actions);
        if (err == 0)
            err = set_attributes(&attributes);
        if (err == 0)
            err = posix_spawn(&r->pid, path, &actions, &attributes, argv, env);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    if (err != 0)
        return -err;
    /* Without a pidfd (none left) the end is found by asking now and then. */
    r->fd = (int)syscall(SYS_pidfd_open, r->pid, 0);
    return 0;
}

bool run_ended(struct run *r, int *code)
{
    int status = 0;
    pid_t pid = waitpid(r->pid, &status, WNOHANG);
    if (pid == 0)
        return false;
    *code = pid == r->pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    return true;
}

void run_kill(const struct run *r)
{
    kill(-r->pid, SIGKILL);
}
