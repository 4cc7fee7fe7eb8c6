/* count.h - the net room's counters: one table, one line each.
 *
 * Each reactor has its own and is their only writer; hs_net_counters() sums
 * them with relaxed loads. "_now" values go up and down, the others only up.
 */
#ifndef NET_COUNT_H
#define NET_COUNT_H

#include <stdatomic.h>
#include <stdint.h>

#define NET_COUNTERS(X) \
    X(accepted)         /* connections accepted, bus and client */ \
    X(accept_errors)    /* accept said no: out of descriptors, for one */ \
    X(dialed)           /* outbound links that came up */ \
    X(dial_failed)      /* and those that did not */ \
    X(closed)           /* connections closed, for whatever reason */ \
    X(frames)           /* whole, well-formed frames handed to the owner */ \
    X(bytes_in)         /* received */ \
    X(bytes_out)        /* sent */ \
    X(parked)           /* a bus link had to wait for the owner or for memory */ \
    X(enobufs)          /* a receive ended for want of a buffer */ \
    X(rearmed)          /* receives started again */ \
    X(links_over_limit) /* closed: too much waiting to be sent */ \
    X(links_stalled)    /* closed: the peer takes nothing */ \
    X(links_slow_frame) /* closed: a frame took too long to arrive */ \
    X(links_evicted)    /* closed: unfinished frame, and its memory was needed */ \
    X(conns_refused)    /* accepted and closed: no place left */ \
    X(conns_gone)       /* accepted, and reset before anybody looked */ \
    X(conns_silent)     /* closed to make room: never sent a frame */ \
    X(clients_refused)  /* told that there are too many clients */ \
    X(clients_per_ip)   /* refused: its address has its share of clients already */ \
    X(links_per_ip)     /* and the same of bus links */ \
    X(clients_idle)     /* closed after the idle timeout */ \
    X(clients_over)     /* closed: reply buffer past its limit */ \
    X(clients_slow)     /* closed: left too much unread of what was pushed */ \
    X(tls_handshakes)   /* completed */ \
    X(tls_failed)       /* closed: no or a bad certificate, no TLS, damaged bytes */ \
    X(tls_slow)         /* closed: the handshake took too long */ \
    X(tls_long)         /* closed: the handshake had too many bytes */ \
    X(tls_evicted)      /* closed: an old handshake, and a newcomer had no room */ \
    X(tls_not_sender)   /* closed: the certificate is not of the node it speaks as */ \
    X(tls_refused)      /* closed: too many handshakes, or no memory */ \
    X(pubsub_dropped)   /* messages for a link that has too many waiting */ \
    X(sends_stale)      /* entries for a connection that is gone */ \
    X(sqe_full)         /* the submission queue was full, submitted early */ \
    X(cq_overflow)      /* the kernel had to keep completions back */ \
    X(submit_errors)    /* io_uring_enter() failed for another reason */ \
    X(frame_bytes_now)  /* memory in frames, here and with the owner */ \
    X(unsent_now)       /* bytes that wait to be sent on bus links */ \
    X(buses_now)        /* bus links */ \
    X(clients_now)      /* client connections */

enum net_counter {
#define NET_COUNTER_ID(name) COUNT_##name,
    NET_COUNTERS(NET_COUNTER_ID)
#undef NET_COUNTER_ID
        COUNTERS_N
};

typedef _Atomic uint64_t net_count;

/* The writer is one thread, so no read-modify-write is needed. */
static inline void count_add(net_count *counts, enum net_counter c, uint64_t n)
{
    uint64_t v = atomic_load_explicit(&counts[c], memory_order_relaxed);

    atomic_store_explicit(&counts[c], v + n, memory_order_relaxed);
}

static inline void count_set(net_count *counts, enum net_counter c, uint64_t v)
{
    atomic_store_explicit(&counts[c], v, memory_order_relaxed);
}

#endif
