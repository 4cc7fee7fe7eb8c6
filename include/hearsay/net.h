/* net.h - reactors: io_uring loops that own every connection.
 *
 * A reactor turns bytes into checked frames and hands them to the owner, turns
 * the owner's entries into bytes, and feeds client connections to a protocol
 * it knows nothing about (struct hs_client_ops).
 *
 * Threads: hs_net_create(), _listen, _destroy on one thread while no reactor
 *          runs; hs_reactor_run() on a thread of its own per reactor. Between
 *          them and the owner there are only the rings below: per reactor one
 *          `in` (reactor pushes), one `out` (owner pushes), and two for
 *          returning frames and chunks. SPSC, bounded, never blocking.
 * Full:    `in` full: the connection is parked (not read) until there is room,
 *          so TCP slows the peer. `out` is emptied on every turn; see owner.h.
 * Errors:  negative errno; hs_net_explain() makes a sentence of it.
 */
#ifndef HEARSAY_NET_H
#define HEARSAY_NET_H

#include "hearsay/base.h"
#include "hearsay/ring.h"
#include "hearsay/wire.h"

struct hs_net;
struct hs_reactor;
struct hs_tls;

enum { HS_REACTORS_MAX = 64 };

/* A bus connection as the owner names it; the same shape as the core's link.
 * ix = reactor * conns_max + place, gen changes with every use of a place. */
struct hs_conn_id {
    uint32_t ix, gen;
};

/* One received frame's memory, of the reactor's slab or a receive buffer that
 * several frames may share; for each of them it goes back through the frames ring. */
struct hs_frame;

/* A piece of memory the owner encodes into; entries of `out` borrow from it.
 * Each entry returns through the chunks ring exactly once, whatever became of
 * its connection. */
struct hs_chunk {
    uint8_t *bytes;
    uint32_t size, used;
    uint32_t refs; /* entries pushed; the owner's side only */
    uint32_t done; /* entries returned; the owner's side only */
    bool board;    /* a frozen board of gossip, and not of the pool */
    struct hs_chunk *next;
};

enum hs_in_kind {
    HS_IN_FRAME,       /* conn, view, frame */
    HS_IN_UP,          /* conn, up: freed by the owner with hs_free() */
    HS_IN_DOWN,        /* conn, number: errno (positive), or 0 for the peer's FIN;
                          once per HS_IN_UP, after HS_OUT_CLOSE too */
    HS_IN_DIAL_FAILED, /* dial, number: errno; this or HS_IN_UP, once per dial */
    HS_IN_REQUEST,     /* conn, ptr: a client's request, opaque here */
    HS_IN_ACCEPTED,    /* number: fd, dial: enum hs_listen; the owner answers with
                          HS_OUT_ADOPT to the reactor that shall have it (up:
                          the peer's address, to choose by). Bus links only:
                          a client stays with the reactor that accepted it */
};

enum hs_listen { HS_LISTEN_BUS, HS_LISTEN_CLIENT, HS_LISTEN_CLIENT_TLS, HS_LISTEN_UNIX };

struct hs_conn_up {
    bool outbound;
    uint32_t dial; /* as given with HS_OUT_DIAL */
    char peer_ip[HS_IP_LEN], local_ip[HS_IP_LEN];
};

struct hs_in {
    struct hs_view view;
    struct hs_conn_id conn;
    union {
        struct hs_frame *frame;
        struct hs_conn_up *up;
        void *ptr;
    };
    uint8_t kind; /* enum hs_in_kind */
    uint32_t dial;
    int32_t number;
};

enum hs_out_kind {
    HS_OUT_SEND,    /* conn, chunk, off, len: one or more whole frames; dial: 1 if the
                       last of them goes on in the next entry, which is as control */
    HS_OUT_CLOSE,   /* conn: what is not in flight is not sent */
    HS_OUT_DIAL,    /* dial, addr in chunk bytes at off: NUL-terminated ip; port.
                       Its chunk comes back like that of a SEND */
    HS_OUT_REPLY,   /* conn, ptr: an answer to HS_IN_REQUEST, for the client ops */
    HS_OUT_ADOPT,   /* len: fd, dial: enum hs_listen, as HS_IN_ACCEPTED had them */
    HS_OUT_DELIVER, /* chunk, off, len: the body of a PUBLISH frame for subscribers;
                       dial: 1 if sharded; tag comes back with the chunk */
    HS_OUT_CHANGED, /* what readers see has changed: for the client ops */
    HS_OUT_STOP,    /* close everything, flush replies, leave hs_reactor_run() */
};

struct hs_out {
    union {
        struct hs_chunk *chunk;
        void *ptr;
    };
    union {
        struct hs_conn_id conn;
        void *tag;
    };
    uint32_t off, len;
    uint32_t dial;
    uint16_t port;
    uint8_t kind; /* enum hs_out_kind */
    bool control; /* goes before pub/sub on the same connection */
};

_Static_assert(sizeof(struct hs_in) == 64, "one cache line");
_Static_assert(sizeof(struct hs_out) == 32, "half a cache line");

HS_RING(hs_in_ring, hs_in)
HS_RING(hs_out_ring, hs_out)

struct hs_frame_ref {
    struct hs_frame *frame;
};
struct hs_chunk_ref {
    struct hs_chunk *chunk;
    void *tag;       /* of a DELIVER that had one */
    uint32_t number; /* clients it was delivered to */
};
HS_RING(hs_frame_ring, hs_frame_ref)
HS_RING(hs_chunk_ring, hs_chunk_ref)

/* The owner's ends of one reactor. */
struct hs_port {
    struct hs_in_ring *in;        /* owner pops */
    struct hs_out_ring *out;      /* owner pushes */
    struct hs_frame_ring *frames; /* owner pushes: frames it is done with */
    struct hs_chunk_ring *chunks; /* owner pops: chunk entries that are done */
    struct hs_wake *wake;         /* owner posts after pushing */
};

/* ---- the client side, provided by whoever knows a protocol ---- */

/* Bytes for a client, grown on demand up to a limit; past it the connection is
 * closed once what is queued before is sent. */
struct hs_outbuf;
void hs_outbuf_put(struct hs_outbuf *b, const void *p, size_t n);

/* Bytes that many clients of one reactor are sent alike. They are not copied: who
 * made them has one reference, every reply they are in another until it is sent,
 * and nobody changes them meanwhile. `last` is called when the last is given back.
 * One reactor's thread makes, holds and releases them, so refs is a plain number. */
struct hs_shared {
    const void *bytes;
    uint32_t len, refs;
    void (*last)(struct hs_shared *s);
};
void hs_shared_hold(struct hs_shared *s);
void hs_shared_release(struct hs_shared *s);
/* As hs_outbuf_put() of its bytes, and counted like them. */
void hs_outbuf_share(struct hs_outbuf *b, struct hs_shared *s);

struct hs_client_info {
    struct hs_conn_id conn;
    uint32_t reactor;
    char peer[64], local[64]; /* ip:port, or the unix socket's path */
    bool unix_socket, loopback, tls, ipv6;
};

enum hs_client_verdict {
    HS_CLIENT_OK,    /* consumed what it could */
    HS_CLIENT_WAIT,  /* *request was set: push it, feed no more until reply() */
    HS_CLIENT_CLOSE, /* send what is queued, then close */
};

/* All called on the connection's reactor thread. */
struct hs_client_ops {
    void *ctx;
    /* A session for a new connection; NULL after putting an error to out. */
    void *(*open)(void *ctx, const struct hs_client_info *info, struct hs_outbuf *out);
    /* n bytes arrived (or 0: go on after reply()). The session keeps what is
     * incomplete. */
    enum hs_client_verdict (*feed)(void *session, const uint8_t *p, size_t n, struct hs_outbuf *out,
                                   void **request);
    /* The owner's answer to the request; ownership returns. feed(n=0) follows. False
     * if that has to go on with this reply: pushes wait until all of it is there. */
    bool (*reply)(void *session, void *request, struct hs_outbuf *out);
    /* The connection is gone. If a request was out, it is handed back to
     * `drop` when its answer comes. */
    void (*close)(void *session);
    void (*drop)(void *ctx, void *request);
    /* A message for the reactor's subscribers; how many got it. */
    uint32_t (*deliver)(void *ctx, uint32_t reactor, const struct hs_publish *p, bool sharded);
    /* What the owner publishes has changed; only where there are subscribers. */
    void (*changed)(void *ctx, uint32_t reactor);
    /* Once per turn of a reactor, before it sends what was put and sleeps; NULL
     * for nothing to do. What another thread has for it: hs_net_wake(). */
    void (*turn)(void *ctx, uint32_t reactor);
};

/* For the sessions of a reactor, on that reactor's own thread only. */

/* Bytes nobody asked for, for a client of it; false when there is no such client
 * (any more). One that leaves too much of them unread is closed, see hs_net_tune. A
 * client whose request is out gets them behind the reply to that. */
bool hs_client_push(struct hs_net *n, struct hs_conn_id conn, const void *p, size_t len);
/* Closes a client of it, the caller's own too, once the caller has returned. */
bool hs_client_kill(struct hs_net *n, struct hs_conn_id conn);
/* Closes, once the caller has returned, all clients of a reactor that have not read
 * what they were sent of these bytes. How many. Looks at everyone being sent something. */
uint32_t hs_client_cut(struct hs_net *n, uint32_t reactor, const struct hs_shared *s);

/* Whether a reactor wants deliveries. From its own thread; the owner reads it. */
void hs_net_set_subscribers(struct hs_net *n, uint32_t reactor, bool any);
bool hs_net_has_subscribers(const struct hs_net *n, uint32_t reactor);
/* From any thread: a turn of this reactor begins after the call. */
void hs_net_wake(struct hs_net *n, uint32_t reactor);

/* From any thread: bytes that wait to be sent on a bus connection, what the kernel has
 * not taken yet included. 0 once it is gone. */
uint64_t hs_net_unsent(const struct hs_net *n, struct hs_conn_id id);

/* ---- set-up ---- */

/* Bytes a client may leave unread: never more than hard, and not more than soft
 * for soft_s seconds in a row. 0 for no limit. */
struct hs_net_limit {
    uint64_t hard, soft;
    uint32_t soft_s;
};

/* How many connections one address may have; of loopback addresses as many as
 * there is room for, unless they are to count too. */
struct hs_net_share {
    uint32_t max;
    bool loopback;
};

/* What may change while reactors run. */
struct hs_net_tune {
    uint64_t sendbuf_limit;    /* cluster-link-sendbuf-limit: a link that at two looks, 100 ms
                                * apart, has more waiting is closed; 0 for none */
    uint32_t clients_max;      /* of all reactors; those already there stay */
    uint32_t dial_timeout_ms;  /* > 0 */
    uint32_t stall_timeout_ms; /* a send that makes no progress: close; > 0 */
    uint32_t client_timeout_s; /* idle clients, 0 for never */
    uint32_t tcp_keepalive_s;  /* 0 for none; of connections from now on */
    bool verify_senders;       /* with TLS: a peer's certificate must hold its node id */
    struct hs_net_share links_per_ip, clients_per_ip; /* links: those that peers dialed */
    struct hs_net_limit reply;                        /* of what a client is answered */
    struct hs_net_limit push;                         /* and of what is pushed to it */
};

struct hs_net_conf {
    struct hs_net_tune tune;     /* to begin with */
    uint32_t reactors;           /* 1..HS_REACTORS_MAX */
    uint32_t conns_max;          /* per reactor, bus and clients together */
    uint32_t frame_max;          /* hs_wire_frame_max() */
    uint32_t frame_bytes_max;    /* all frames of one reactor; full: park */
    uint32_t send_pending_max;   /* entries waiting on one bus link; full: close */
    uint32_t pubsub_pending_max; /* those not control; full: what comes is dropped */
    uint32_t client_outbuf_max;  /* whatever the limits of tune say */
    int backlog;
    struct hs_tls *tls;        /* the keys, the caller's; NULL if nothing speaks TLS */
    bool bus_tls;              /* bus links do, in both directions */
    char source_ip[HS_IP_LEN]; /* bind-source-addr, "" for any */
};

struct hs_net *hs_net_create(const struct hs_net_conf *conf, const struct hs_client_ops *ops,
                             struct hs_wake *owner_wake);
void hs_net_destroy(struct hs_net *n);
/* Binds and listens, before the reactors run. 0 or a negative errno. */
int hs_net_listen_bus(struct hs_net *n, const char *ip, uint16_t port);
int hs_net_listen_client(struct hs_net *n, const char *ip, uint16_t port);
/* With TLS; conf.tls has keys by then. */
int hs_net_listen_client_tls(struct hs_net *n, const char *ip, uint16_t port);
int hs_net_listen_unix(struct hs_net *n, const char *path, unsigned mode);
struct hs_port hs_net_port(struct hs_net *n, uint32_t reactor);
/* One thread at a time. Reactors see each value on their next turn or before. */
void hs_net_tune(struct hs_net *n, const struct hs_net_tune *tune);
/* Which reactor holds this connection. */
uint32_t hs_net_reactor_of(const struct hs_net *n, struct hs_conn_id conn);
/* Which reactor is to dial this address, so that both directions of a peer
 * live on one reactor. */
uint32_t hs_net_reactor_for(const struct hs_net *n, const char *ip);

/* Tries what the reactors need of the kernel. 0, or a negative errno with the
 * reason in why: what is refused and the two ways out. */
int hs_net_probe(char *why, size_t why_n);

/* Runs until HS_OUT_STOP; returns at once if its io_uring is refused, which only
 * the thread that runs it can make. */
void hs_reactor_run(struct hs_net *n, uint32_t reactor);
/* Once, when every reactor has its thread: waits until all run. 0, or what one was
 * refused its io_uring with, a negative errno. */
int hs_net_await_open(struct hs_net *n);

/* Counters of all reactors, summed with relaxed loads; names are static. */
uint32_t hs_net_counters(const struct hs_net *n, const char *const **names, uint64_t *values,
                         uint32_t max);

#endif
