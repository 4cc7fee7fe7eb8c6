/* net_int.h - a reactor and its connections, shared by the files of net.
 *
 * Everything here belongs to one reactor's thread but for what is said to be
 * set up before it starts. A connection is a place in a table; it is on at
 * most one list of each kind, and the lists are what the reactor walks, never
 * the table.
 */
#ifndef NET_INT_H
#define NET_INT_H

#include "bufs.h"
#include "count.h"
#include "framer.h"
#include "outbuf.h"
#include "secure.h"
#include "share.h"
#include "slab.h"

#include "hearsay/net.h"

#include <liburing.h>
#include <netinet/in.h>
#include <poll.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/socket.h>

enum {
    SQ_ENTRIES = 256,
    CQ_ENTRIES = 4096,
    BUS_BUF = 64 * 1024,     /* bytes: most frames lie whole in one, and stay there */
    CLIENT_BUF = 16 * 1024,  /* bytes */
    BUS_BUFS = 64,           /* powers of two; a group each, so that parked links, */
    CLIENT_BUFS = 64,        /* which keep their buffers, never starve a client */
    RECV_BUFS = 2,           /* filled per arming, so that none takes the whole group */
    LENT_MAX = 2048,         /* frames with the owner that lie in receive buffers */
    LENT_PART = 4,           /* of a group's buffers, what stays with the kernel */
    IOV_MAX_N = 64,          /* entries in one send */
    FLIGHT_MAX = 256 * 1024, /* bytes in one send, but for a single larger entry */
    SCRATCH_N = 64,          /* sends prepared between two submissions */
    FRAMES_PER_TURN = 64,    /* of one connection, then the others have their turn */
    OUT_PER_TURN = 4096,     /* entries of `out` looked at in a turn */
    CQES_PER_TURN = 2048,
    IN_SLOTS = 4096,
    OUT_SLOTS_MIN = 1024, /* or one per connection */
    NODES_PER_SLOT = 4,   /* entries of `out` that may wait on all connections together */
    HELD_MAX = 4,         /* buffers a waiting connection keeps before its receive is stopped */
    PENDING_GATE = 256,   /* entries waiting for room in `in`: refuse strangers from here on */
    LISTENERS_MAX = 64,
    ACCEPT_BACKOFF_MS = 1000,    /* after running out of descriptors or memory */
    STOP_FLUSH_MS = 1000,        /* how long a stop waits for replies to leave */
    STOP_CLOSE_MS = 1000,        /* and then for the kernel to let go */
    WAIT_MAX_MS = 1000,          /* a turn at least this often, for accepts put off */
    LOOK_AGAIN_MS = 5,           /* while somebody waits for the owner to make room */
    SLOW_FRAME_STALLS = 4,       /* stall timeouts an unfinished frame may take */
    SHAKES_MAX = 256,            /* TLS handshakes under way, some 50 KiB each */
    SHAKES_PER_TURN = 8,         /* steps of them, the others wait for the next turn */
    SHAKE_BYTES_MAX = 64 * 1024, /* received by one: a long chain of certificates fits */
    SHAKE_MIN_MS = 2000,         /* what one may take is the dial timeout, but within these */
    SHAKE_MAX_MS = 10 * 1000,
    SHAKE_OLD_MS = 1000,       /* from here on one makes room for another */
    SECURE_FLIGHT = 64 * 1024, /* ciphertext in one send, and up to a record more */
    TELL_MS = 1000,            /* between two log lines about what anybody can provoke */
};

enum op { OP_WAKE, OP_ACCEPT, OP_RECV, OP_SEND, OP_CONNECT, OP_CANCEL };

enum phase { RUNNING, FLUSHING, CLOSING };

enum conn_kind { CONN_FREE, CONN_DIALING, CONN_BUS, CONN_CLIENT };

/* What a connection waits for, each a list of the reactor. */
enum run_state {
    RUN_NONE,   /* armed, or waiting for somebody else */
    RUN_REARM,  /* wants its receive armed */
    RUN_READY,  /* has bytes to work on, its budget was used up */
    RUN_PARKED, /* has bytes, but there is no room in `in` or in the slab */
};

/* The lists a connection may be on at the same time. */
enum link_kind {
    LINK_RUN,    /* enum run_state says which */
    LINK_CLOCK,  /* dialing, shaking, unfinished frames, or clients by idleness */
    LINK_SEND,   /* sends in flight, by when they last moved */
    LINK_SILENT, /* accepted links that have not sent a frame yet */
    LINK_FLUSH,  /* something to send, or to end, at the end of the turn */
    LINKS_N
};

struct link {
    hs_ix prev, next;
};

struct list {
    hs_ix head, tail;
    uint32_t n;
    enum link_kind kind;
};

/* One entry of `out` that waits or flies. */
struct send_node {
    struct hs_chunk *chunk;
    uint32_t off, len;
    hs_ix next;
    bool control, goes_on; /* as in struct hs_out */
};

struct send_queue {
    hs_ix head, tail;
};

struct client {
    void *session;
    struct hs_outbuf out; /* collects while fly is in the kernel's hands */
    struct hs_outbuf fly;
    struct hs_outbuf held;               /* pushes that wait for the end of a reply */
    bool waiting;                        /* for the owner's answer: feed no more */
    int64_t reply_soft_ms, push_soft_ms; /* since when more than that limit is unread, or 0 */
    int64_t active_ms;
};

/* Log lines of one kind. */
struct told {
    int64_t at_ms; /* the last one */
    uint32_t more; /* not written since */
};

struct conn {
    int fd;
    hs_ix ix;            /* its place */
    uint32_t gen;        /* 1..GEN_MAX, of this use of the place */
    uint8_t kind;        /* enum conn_kind */
    uint8_t run;         /* enum run_state */
    bool armed : 1;      /* a receive is with the kernel */
    bool cancelled : 1;  /* and asked to end */
    bool sending : 1;    /* a send is with the kernel */
    bool connecting : 1; /* a connect is with the kernel */
    bool closing : 1;    /* shut down, waits for the kernel */
    bool ending : 1;     /* close when everything is sent */
    bool doomed : 1;     /* close at the end of the turn */
    bool outbound : 1;
    bool shaking : 1; /* the TLS handshake is not over: nobody knows it yet */
    bool told : 1;    /* the owner knows it: it is up */
    bool stuck : 1;   /* was counted as parked, and has not moved since */
    bool eof : 1;     /* the peer has sent its last byte */
    bool midway : 1;  /* what was sent last ends inside a frame */
    bool over : 1;    /* had more than sendbuf_limit waiting at the last look */
    uint32_t listed;  /* bit per link_kind */
    hs_ix share;      /* where its address is counted, or HS_NIL */
    int err;          /* why it was closed */
    uint32_t dial;
    uint16_t held_head, held_tail, held_n; /* received buffers not worked off */
    uint32_t held_off;                     /* bytes used of the first */
    struct link link[LINKS_N];
    int64_t clock_ms; /* since when it is on its LINK_CLOCK list */
    int64_t moved_ms; /* when its send last moved */
    uint64_t acked;   /* what the peer had acknowledged then */
    union {
        struct framer framer;     /* bus */
        struct client *client;    /* client */
        struct sockaddr_in6 addr; /* dialing; an IPv4 address fits too */
    };
    struct secure *secure; /* NULL without TLS */
    struct send_queue control, normal, flight;
    uint32_t queued_n, pubsub_n; /* control entries, others */
    uint64_t queued_bytes;
};

_Static_assert(sizeof(struct conn) <= 256, "ten thousand of them are to fit into the cache");

enum { SEND_LOOK_MS = 100 };

enum { GEN_MAX = 0xffffff };

struct listener {
    int fd;
    enum hs_listen kind;
};

struct scratch {
    struct msghdr msg;
    struct iovec iov[IOV_MAX_N];
};

struct hs_reactor {
    /* Set up by hs_net_create(). */
    struct hs_net *net;
    uint32_t ix;
    struct hs_wake wake;
    struct hs_in_ring in;
    struct hs_out_ring out;
    struct hs_frame_ring frames;
    struct hs_chunk_ring chunks;
    struct conn *conns;
    hs_ix *free_places; /* a stack */
    uint32_t free_n;
    struct send_node *nodes;
    hs_ix nodes_free;
    uint32_t nodes_n, nodes_free_n;
    struct hs_in *pending; /* entries that may not be lost, while `in` is full */
    uint32_t pending_head, pending_n, pending_max;
    uint32_t in_slots, out_slots, frame_slots, chunk_slots;
    void *ring_mem; /* the slots of the four rings */
    struct slab slab;
    uint32_t frames_out; /* with the owner, those in receive buffers included */
    uint32_t lent_n;     /* which are so many */

    _Atomic uint64_t *queued; /* per place, for hs_net_unsent() */

    /* The thread's own. */
    struct io_uring ring;
    struct buf_group bufs[2]; /* bus, client */
    struct scratch *scratch;
    uint32_t scratch_n; /* used since the last submission */
    int64_t now_ms;
    int64_t look_ms;   /* when send_look() is due */
    bool recv_limited; /* the kernel takes a byte limit per arming */
    bool wake_armed;
    bool pushed; /* something went into `in` in this turn */
    enum phase phase;
    int64_t phase_ms;                 /* since when */
    int64_t accept_ms[LISTENERS_MAX]; /* not before */
    bool accept_armed[LISTENERS_MAX];
    bool accept_logged[LISTENERS_MAX];           /* this burst of errors is in the log */
    struct list rearm[2];                        /* LINK_RUN: bus, client */
    struct list ready, parked;                   /* LINK_RUN */
    struct list dialing, shaking, partial, idle; /* LINK_CLOCK, oldest first */
    struct list sends, silent, flush;
    uint32_t conns_n, inbound_n;
    uint8_t plain[HS_TLS_RECORD_MAX]; /* one record, of whom we are working for */
    uint32_t shakes_left;             /* steps of handshakes in this turn */
    struct told secure_told, links_told, clients_told;

    alignas(HS_CACHE_LINE) net_count counts[COUNTERS_N];
    net_count verdicts[HS_WIRE_ERRS];
    atomic_bool has_subscribers;
};

/* struct hs_net_tune as reactors read it: each value for itself. */
struct net_tune {
    _Atomic uint64_t sendbuf_limit;
    _Atomic uint32_t clients_max, dial_timeout_ms, stall_timeout_ms, client_timeout_s,
        tcp_keepalive_s;
    atomic_bool verify_senders;
    _Atomic struct hs_net_share links_per_ip, clients_per_ip;
    struct net_limit {
        _Atomic uint64_t hard, soft;
        _Atomic uint32_t soft_s;
    } reply, push;
};

struct hs_net {
    struct hs_net_conf conf;
    struct net_tune tune;
    struct hs_client_ops ops;
    struct hs_wake *owner_wake;
    struct listener listeners[LISTENERS_MAX];
    uint32_t listeners_n;
    _Atomic uint32_t clients_n; /* of all reactors */
    _Atomic uint32_t *shares;   /* connections, by a hash of the peer's address */
    uint64_t share_key;
    struct hs_reactor *reactors;
    sem_t opened; /* posted by each reactor once it runs, or cannot: open_error */
    atomic_int open_error;
};

#define NET_TUNE(r, field) atomic_load_explicit(&(r)->net->tune.field, memory_order_relaxed)

/* ---- uring.c ---- */
int uring_open(struct hs_reactor *r);
void uring_close(struct hs_reactor *r);
/* NULL if even after a submission there is no room: try again next turn. */
struct io_uring_sqe *uring_sqe(struct hs_reactor *r, enum op op, const struct conn *c);
void uring_cancel(struct hs_reactor *r, enum op op, const struct conn *c);
uint64_t uring_user_data(enum op op, uint32_t gen, uint32_t conn);
/* Submits and waits until something completes, or for timeout_ms; 0: does not wait. */
void uring_turn(struct hs_reactor *r, int64_t timeout_ms);

/* ---- count.c ---- */
/* Whether a line may be written now. Then more is "", or how many were not before it. */
bool net_may_tell(const struct hs_reactor *r, struct told *t, char *more, size_t n);

/* ---- list.c ---- */
void list_init(struct list *l, enum link_kind kind);
void list_append(struct hs_reactor *r, struct list *l, struct conn *c);
void list_remove(struct hs_reactor *r, struct list *l, struct conn *c);
bool list_has(const struct conn *c, enum link_kind kind);
struct conn *list_first(struct hs_reactor *r, const struct list *l);
struct conn *list_next(struct hs_reactor *r, const struct list *l, const struct conn *c);

/* ---- conn.c ---- */
/* A place for fd, or NULL when there is none; fd stays the caller's then. */
struct conn *conn_open(struct hs_reactor *r, int fd, enum conn_kind kind);
struct conn *conn_find(struct hs_reactor *r, struct hs_conn_id id);
struct hs_conn_id conn_id(const struct hs_reactor *r, const struct conn *c);
/* Starts the end of a connection; it may be freed before this returns. */
void conn_close(struct hs_reactor *r, struct conn *c, int err);
/* A completion came: frees a closing connection once the kernel has let go. */
void conn_settle(struct hs_reactor *r, struct conn *c);
void conn_set_run(struct hs_reactor *r, struct conn *c, enum run_state run);
void conn_want_flush(struct hs_reactor *r, struct conn *c);
/* A bus link is up: tells the owner and starts to receive. */
void conn_up(struct hs_reactor *r, struct conn *c);
/* TCP_NODELAY and keepalive. */
void conn_tune(const struct hs_reactor *r, int fd);
void conn_address(int fd, bool peer, char *ip, size_t n, uint16_t *port);
bool conn_inbound_room(struct hs_reactor *r);

/* ---- push.c ---- */
/* Entries that may not be lost; kept here while `in` is full. */
void push_in(struct hs_reactor *r, const struct hs_in *in);
/* Whether a frame can be handed over now. */
bool push_room(struct hs_reactor *r);
void push_pending(struct hs_reactor *r);
void push_chunk(struct hs_reactor *r, struct hs_chunk *chunk);
void push_delivered(struct hs_reactor *r, const struct hs_out *out, uint32_t clients_n);
void push_dial_failed(struct hs_reactor *r, uint32_t dial, int err);

/* ---- accept.c ---- */
void accept_arm_due(struct hs_reactor *r);
void accept_done(struct hs_reactor *r, uint32_t listener, int res, uint32_t flags);
void accept_adopt(struct hs_reactor *r, int fd, enum hs_listen kind);

/* ---- dial.c ---- */
void dial_start(struct hs_reactor *r, const struct hs_out *out);
void dial_done(struct hs_reactor *r, struct conn *c, int res);
void dial_expire(struct hs_reactor *r);

/* ---- recv.c ---- */
void recv_arm_due(struct hs_reactor *r);
void recv_done(struct hs_reactor *r, struct conn *c, int res, uint32_t flags);
/* Works off what was received, as far as there is room and budget. */
void recv_work(struct hs_reactor *r, struct conn *c);
/* Connections that waited for room or for their turn. True: some could go on at once. */
bool recv_resume(struct hs_reactor *r);
void recv_expire(struct hs_reactor *r);
/* A frame nobody reads any more. */
void recv_frame_done(struct hs_reactor *r, struct hs_frame *frame);

/* ---- held.c ---- */
struct buf_group *recv_group(struct hs_reactor *r, const struct conn *c);
/* The kernel has put len bytes for c into a buffer. */
void recv_hold(struct hs_reactor *r, struct conn *c, uint16_t buf, uint32_t len);
void recv_drop_held(struct hs_reactor *r, struct conn *c);
/* The first received bytes that are not worked off, as they came; NULL for none. */
const uint8_t *recv_held(struct hs_reactor *r, const struct conn *c, size_t *n);
/* n of them are done with. */
void recv_used(struct hs_reactor *r, struct conn *c, size_t n);

/* ---- send.c ---- */
void send_queue_entry(struct hs_reactor *r, const struct hs_out *out);
void send_flush(struct hs_reactor *r, struct conn *c);
void send_done(struct hs_reactor *r, struct conn *c, int res);
void send_drop_all(struct hs_reactor *r, struct conn *c);
void send_expire(struct hs_reactor *r);
/* Ten times a second: closes what holds more than sendbuf_limit for the second time. */
void send_look(struct hs_reactor *r);
/* Hands n iovecs to the kernel; false: no room in this turn. */
bool send_submit(struct hs_reactor *r, struct conn *c, struct scratch *s, uint32_t n);
struct scratch *send_scratch(struct hs_reactor *r);
/* Copies what is to be sent next, at most max bytes; send_advance() when it is. */
size_t send_gather(struct hs_reactor *r, struct conn *c, uint8_t *to, size_t max);
void send_advance(struct hs_reactor *r, struct conn *c, uint32_t sent);

/* ---- client.c ---- */
bool client_open(struct hs_reactor *r, struct conn *c, enum hs_listen kind);
/* n bytes, or 0 to go on after an answer. */
void client_feed(struct hs_reactor *r, struct conn *c, const uint8_t *p, size_t n);
void client_reply(struct hs_reactor *r, const struct hs_out *out);
void client_deliver(struct hs_reactor *r, const struct hs_out *out);
/* Whether a client leaves more unread than a limit allows, with so much more; since_ms
 * is when it began to. */
bool client_is_slow(const struct hs_reactor *r, const struct client *cl,
                    const struct net_limit *limit, int64_t *since_ms, size_t more);
void client_flush(struct hs_reactor *r, struct conn *c);
void client_sent(struct hs_reactor *r, struct conn *c, int res);
void client_closed(struct hs_reactor *r, struct conn *c);
void client_expire(struct hs_reactor *r);
bool client_has_output(const struct conn *c);
/* Whether something is to be sent; it is in fly then. */
bool client_unsent(struct hs_reactor *r, struct conn *c);
/* It is not idle. */
void client_touch(struct hs_reactor *r, struct conn *c);

#endif
