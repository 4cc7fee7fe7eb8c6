/* proc.c - what the kernel knows of the target, of us and of the machine. */
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"

static bool listening_inode(uint16_t port, unsigned long *inode)
{
    FILE *f = fopen("/proc/net/tcp", "r");
    char line[512];
    bool found = false;

    while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
        unsigned int local, state;
        if (sscanf(line, " %*u: %*x:%x %*x:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu", &local, &state,
                   inode) == 3) {
            found = local == port && state == 10; /* TCP_LISTEN */
        }
    }
    if (f != NULL) {
        fclose(f);
    }
    return found;
}

static bool holds(const char *pid, const char *wanted)
{
    char path[512], link[64];
    struct dirent *e;
    bool found = false;
    DIR *d;

    snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    d = opendir(path);
    while (d != NULL && !found && (e = readdir(d)) != NULL) {
        char fd[600];
        snprintf(fd, sizeof(fd), "/proc/%s/fd/%s", pid, e->d_name);
        ssize_t n = readlink(fd, link, sizeof(link) - 1);
        if (n > 0) {
            link[n] = '\0';
            found = strcmp(link, wanted) == 0;
        }
    }
    if (d != NULL) {
        closedir(d);
    }
    return found;
}

pid_t proc_listening_on(uint16_t port)
{
    unsigned long inode;
    char wanted[64];
    struct dirent *e;
    pid_t pid = 0;
    DIR *d;

    if (!listening_inode(port, &inode)) {
        return 0;
    }
    snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
    d = opendir("/proc");
    while (d != NULL && pid == 0 && (e = readdir(d)) != NULL) {
        if (isdigit((unsigned char)e->d_name[0]) && holds(e->d_name, wanted)) {
            pid = (pid_t)strtol(e->d_name, NULL, 10);
        }
    }
    if (d != NULL) {
        closedir(d);
    }
    return pid;
}

static bool read_file(const char *path, char *buf, size_t n)
{
    FILE *f = fopen(path, "r");
    size_t got;

    if (f == NULL) {
        return false;
    }
    got = fread(buf, 1, n - 1, f);
    buf[got] = '\0';
    fclose(f);
    return got > 0;
}

static uint64_t field_kb(const char *status, const char *name)
{
    const char *at = strstr(status, name);

    return at == NULL ? 0 : strtoull(at + strlen(name), NULL, 10);
}

bool proc_usage(pid_t pid, struct usage *u)
{
    char path[64], buf[4096];
    unsigned long long user, system;
    const char *after;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (!read_file(path, buf, sizeof(buf)) || (after = strrchr(buf, ')')) == NULL ||
        sscanf(after, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) !=
            2) {
        return false;
    }
    u->user_s = (double)user / (double)sysconf(_SC_CLK_TCK);
    u->system_s = (double)system / (double)sysconf(_SC_CLK_TCK);
    u->cpu_s = u->user_s + u->system_s;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    if (!read_file(path, buf, sizeof(buf))) {
        return false;
    }
    u->rss_kb = field_kb(buf, "VmRSS:");
    u->peak_kb = field_kb(buf, "VmHWM:");
    return true;
}

double proc_busy_s(void)
{
    unsigned long long user = 0, nice = 0, system = 0, idle, wait, irq = 0, soft = 0;
    char buf[512];

    if (!read_file("/proc/stat", buf, sizeof(buf)) ||
        sscanf(buf, "cpu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle, &wait,
               &irq, &soft) != 7) {
        return 0;
    }
    return (double)(user + nice + system + irq + soft) / (double)sysconf(_SC_CLK_TCK);
}

uint64_t proc_raise_files(uint64_t wanted)
{
    struct rlimit l;

    if (getrlimit(RLIMIT_NOFILE, &l) != 0) {
        return 0;
    }
    if (l.rlim_max < wanted) { /* only root may, up to fs.nr_open */
        struct rlimit more = {wanted, wanted};
        if (setrlimit(RLIMIT_NOFILE, &more) == 0) {
            return wanted;
        }
    }
    l.rlim_cur = l.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &l) == 0 ? l.rlim_cur : 0;
}

uint64_t proc_files_of(pid_t pid)
{
    struct rlimit l;

    return pid != 0 && prlimit(pid, RLIMIT_NOFILE, NULL, &l) == 0 ? l.rlim_cur : 0;
}

void proc_machine(char *buf, size_t n)
{
    struct utsname name = {0};
    char congestion[64] = "?";

    (void)uname(&name);
    if (read_file("/proc/sys/net/ipv4/tcp_congestion_control", congestion, sizeof(congestion))) {
        congestion[strcspn(congestion, "\n")] = '\0';
    }
    snprintf(buf, n, "%s %s, %ld cores, tcp %s", name.sysname, name.release,
             sysconf(_SC_NPROCESSORS_ONLN), congestion);
}
