/* wake.c - the doorbell behind hs_doze: an eventfd.
 *
 * The doze decides who rings; the eventfd only carries it, so its value means
 * nothing and a forgotten ring costs one empty turn, never a lost item.
 */
#include "hearsay/ring.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

int hs_wake_init(struct hs_wake *w)
{
    *w = (struct hs_wake){.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    return w->fd < 0 ? -errno : 0;
}

void hs_wake_fini(struct hs_wake *w)
{
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
}

void hs_wake_force(struct hs_wake *w)
{
    int saved_errno = errno;
    uint64_t one = 1;

    /* It can only fail when the count is full, and then the bell is ringing. */
    ssize_t n = write(w->fd, &one, sizeof(one));
    (void)n;
    errno = saved_errno;
}

void hs_wake_post(struct hs_wake *w)
{
    if (hs_doze_must_wake(&w->doze))
        hs_wake_force(w);
}

void hs_wake_clear(struct hs_wake *w)
{
    uint64_t count;

    ssize_t n = read(w->fd, &count, sizeof(count)); /* EAGAIN: nobody rang */
    (void)n;
}

void hs_wake_wait(struct hs_wake *w, int timeout_ms)
{
    struct pollfd p = {.fd = w->fd, .events = POLLIN};

    /* A signal ends the sleep early, which every caller's loop allows for. */
    if (poll(&p, 1, timeout_ms) > 0)
        hs_wake_clear(w);
}
