/* clock_jump.c - preloaded into a node by test_clock.py: the wall clock says what
 * it says plus the number of seconds in the file that HS_CLOCK_FILE names. That
 * file is mapped, so a test moves the clock of a running process by writing.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offset_s;

__attribute__((constructor)) static void find(void)
{
    const char *path = getenv("HS_CLOCK_FILE");
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    void *p = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*offset_s), PROT_READ, MAP_SHARED, fd, 0);

    if (p == MAP_FAILED) {
        abort(); /* a test that moves no clock would prove nothing */
    }
    close(fd);
    offset_s = p;
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    int rc = (int)syscall(SYS_clock_gettime, clock, t);

    if (rc == 0 && offset_s != NULL &&
        (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        t->tv_sec += *offset_s;
    }
    return rc;
}
