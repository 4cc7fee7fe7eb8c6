/* exec_probe.c - preloaded into a node by test_sandbox.py: on SIGUSR1 the process
 * does what somebody who took it over would, starts a program, and says on its
 * standard output how that went.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void probe(int signal)
{
    char *const words[] = {NULL};
    char text[32];
    int status = 0;

    (void)signal;
    pid_t pid = fork();
    if (pid == 0) {
        execve("/bin/true", words, words);
        _exit(errno);
    }
    waitpid(pid, &status, 0);
    int n = snprintf(text, sizeof(text), "exec: %d\n", WEXITSTATUS(status));
    if (write(STDOUT_FILENO, text, (size_t)n) != n) {
        _exit(99);
    }
}

__attribute__((constructor)) static void prepare(void)
{
    struct sigaction action = {.sa_handler = probe};
    sigaction(SIGUSR1, &action, NULL);
}
