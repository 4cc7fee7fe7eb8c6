/* uring.c - the ring of one reactor, and everything that depends on versions.
 *
 * The ring is made by the thread that uses it, because the kernel lets no other in.
 */
#include "net_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { GEN_SHIFT = 32, OP_SHIFT = 56 };

uint64_t uring_user_data(enum op op, uint32_t gen, uint32_t conn)
{
    return (uint64_t)op << OP_SHIFT | (uint64_t)gen << GEN_SHIFT | conn;
}

static int ring_create(struct io_uring *ring)
{
    struct io_uring_params p = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
                 IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
        .cq_entries = CQ_ENTRIES,
    };

    return io_uring_queue_init_params(SQ_ENTRIES, ring, &p);
}

/* ---- the ring ---- */

int uring_open(struct hs_reactor *r)
{
    int rc = ring_create(&r->ring);

    if (rc < 0)
        return rc;
    io_uring_register_ring_fd(&r->ring); /* saves a look-up per call; fine without */
    r->scratch = hs_alloc(SCRATCH_N * sizeof(r->scratch[0]));
    rc = r->scratch == NULL ? -ENOMEM : bufs_open(&r->ring, &r->bufs[0], 0, BUS_BUFS, BUS_BUF);
    if (rc == 0)
        rc = bufs_open(&r->ring, &r->bufs[1], 1, CLIENT_BUFS, CLIENT_BUF);
    if (rc < 0)
        uring_close(r);
    return rc;
}

void uring_close(struct hs_reactor *r)
{
    io_uring_queue_exit(&r->ring); /* first: it knows the buffers */
    bufs_close(&r->bufs[0]);
    bufs_close(&r->bufs[1]);
    hs_free(r->scratch);
    r->scratch = NULL;
}

static void submit(struct hs_reactor *r)
{
    int rc = io_uring_submit(&r->ring);

    /* EBUSY and EAGAIN: the kernel wants its completions looked at first. */
    if (rc < 0 && rc != -EBUSY && rc != -EAGAIN && rc != -EINTR)
        count_add(r->counts, COUNT_submit_errors, 1);
    if (io_uring_sq_ready(&r->ring) == 0)
        r->scratch_n = 0; /* what was submitted has been copied */
}

struct io_uring_sqe *uring_sqe(struct hs_reactor *r, enum op op, const struct conn *c)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&r->ring);

    if (sqe == NULL) {
        count_add(r->counts, COUNT_sqe_full, 1);
        submit(r);
        sqe = io_uring_get_sqe(&r->ring);
    }
    if (sqe != NULL) /* no io_uring_prep_*() touches it */
        sqe->user_data = uring_user_data(op, c == NULL ? 0 : c->gen, c == NULL ? 0 : c->ix);
    return sqe;
}

void uring_cancel(struct hs_reactor *r, enum op op, const struct conn *c)
{
    struct io_uring_sqe *sqe = uring_sqe(r, OP_CANCEL, c);

    if (sqe != NULL) /* or else it ends by itself, later */
        io_uring_prep_cancel64(sqe, uring_user_data(op, c->gen, c->ix), 0);
}

/* Comes with room for the SQE that will name it: a submission between the two
 * would count this scratch as free again, and a later send would overwrite it. */
struct scratch *send_scratch(struct hs_reactor *r)
{
    if (r->scratch_n == SCRATCH_N || io_uring_sq_space_left(&r->ring) == 0)
        submit(r);
    if (r->scratch_n == SCRATCH_N || io_uring_sq_space_left(&r->ring) == 0)
        return NULL;
    return &r->scratch[r->scratch_n++];
}

void uring_turn(struct hs_reactor *r, int64_t timeout_ms)
{
    int rc;

    if (timeout_ms == 0) {
        rc = io_uring_submit_and_get_events(&r->ring);
    } else {
        struct io_uring_cqe *cqe;
        struct __kernel_timespec t = {.tv_sec = timeout_ms / 1000,
                                      .tv_nsec = timeout_ms % 1000 * 1000000};
        rc = io_uring_submit_and_wait_timeout(&r->ring, &cqe, 1, &t, NULL);
    }
    if (rc < 0 && rc != -ETIME && rc != -EINTR && rc != -EBUSY && rc != -EAGAIN)
        count_add(r->counts, COUNT_submit_errors, 1);
    if (io_uring_sq_ready(&r->ring) == 0)
        r->scratch_n = 0;
    count_set(r->counts, COUNT_cq_overflow, *r->ring.cq.koverflow);
}

/* ---- what the kernel must be able to do ---- */

static void explain(int rc, char *why, size_t n)
{
    static const char WAYS_OUT[] =
        "allow it (in a container: a seccomp profile with io_uring_setup, io_uring_enter and "
        "io_uring_register; on the host: sysctl kernel.io_uring_disabled=0), or run hearsayd "
        "outside the container.";

    if (rc == -ENOMEM)
        snprintf(why, n,
                 "io_uring: no memory for the ring: raise RLIMIT_MEMLOCK (ulimit -l, or "
                 "LimitMEMLOCK= in a unit), or use fewer reactors");
    else if (rc == -EPERM)
        snprintf(why, n, "io_uring is blocked (%s): %s", strerror(-rc), WAYS_OUT);
    else if (rc == -ENOSYS)
        snprintf(why, n, "io_uring is missing or hidden by seccomp (%s): %s", strerror(-rc),
                 WAYS_OUT);
    else if (rc == -EINVAL)
        snprintf(why, n,
                 "io_uring here is too old (no single-issuer rings with deferred work or no "
                 "buffer rings): Linux 6.1 or later is needed, or a host that has it");
    else
        snprintf(why, n, "io_uring cannot be set up: %s", strerror(-rc));
}

int hs_net_probe(char *why, size_t why_n)
{
    struct hs_reactor *r = hs_alloc(sizeof(*r));
    int rc = r == NULL ? -ENOMEM : uring_open(r);

    if (rc == 0)
        uring_close(r);
    hs_free(r);
    if (rc == 0)
        snprintf(why, why_n, "io_uring: single issuer, deferred work, buffer rings");
    else
        explain(rc, why, why_n);
    return rc;
}
