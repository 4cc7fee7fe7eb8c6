/* owner_int.h - shared inside the owner's room.
 *
 * All of struct hs_owner but `stop` and `beat_ms` belongs to the owner's thread.
 */
#ifndef HEARSAY_OWNER_INT_H
#define HEARSAY_OWNER_INT_H

#include "hearsay/owner.h"

enum {
    OWNER_BATCH = 256,           /* entries of one reactor per turn: no reactor starves another */
    OWNER_CHUNK_MIN = 64 * 1024, /* a few dozen heartbeats */
    /* A chunk with so much in it is given up for another, however large it is: its
     * pages stay, and one slow link keeps all of them from being used again. */
    OWNER_CHUNK_FILL = 512 * 1024,
    OWNER_CHUNKS_BYTES = 64 << 20, /* in all chunks together, unless OWNER_CHUNKS_MIN need more */
    OWNER_CHUNKS_MIN = 8,          /* one being filled, others on their way */
    OWNER_CHUNKS_MAX = 1024,       /* = OWNER_CHUNKS_BYTES / OWNER_CHUNK_MIN */
    OWNER_LARGE_MAX = 32,          /* chunks of a single large message, 2 MiB and a bit each */
    OWNER_BOARDS = 4,              /* one in use, others on their way; else gossip is copied */
    OWNER_QUEUE_MAX = 4096,        /* entries that wait for room in one reactor's ring */
    OWNER_NOTE_BURST = 32,         /* log lines of one kind at once */
    OWNER_NOTE_PER_S = 10,         /* and per second after that */
    OWNER_STARVED_MS = 1,          /* how soon to look again for room nobody announces */
    OWNER_TICK_WAIT_MS = 200,      /* for reactors with full ways out; then it ticks anyway */
    OWNER_REST_MS = 1000,          /* longest sleep */
    OWNER_QUIET_MS = 2000,         /* without a change: the view has settled */
    OWNER_BURST_MAX_MS = 600000,   /* one that never settles is counted so often */
    OWNER_STOP_MS = 2000,          /* how long a stop waits for the reactors */
};

/* Wide, so that products are. */
static const int64_t OWNER_NS_PER_MS = 1000000;

/* ---- chunks.c: memory the core encodes into ---- */

struct owner_chunks {
    struct hs_chunk *current; /* being filled; NULL before the first step */
    struct hs_chunk *free;    /* last returned first, so that cold ones stay cold */
    struct hs_chunk *all[OWNER_CHUNKS_MAX];
    struct hs_chunk *large[OWNER_LARGE_MAX]; /* of messages too large for the others */
    uint32_t n, max, free_n, large_n;
    uint32_t size; /* bytes of a chunk */
    uint64_t held; /* bytes in chunks that are neither current nor free */
};

/* False if there is no memory for the first one. */
bool owner_chunks_init(struct owner_chunks *p, uint32_t step_max);
void owner_chunks_fini(struct owner_chunks *p);
/* A chunk with room for need bytes, or NULL: the bound is reached, or memory is. */
struct hs_chunk *owner_chunks_take(struct owner_chunks *p, uint32_t need);
/* The same for a message of pub/sub, which may be of any size but must leave
 * chunks for the rest. If nothing was borrowed from it: owner_chunks_unused(). */
struct hs_chunk *owner_chunks_take_for_publish(struct owner_chunks *p, uint32_t need);
void owner_chunks_unused(struct owner_chunks *p, struct hs_chunk *c);
/* n bytes at the chunk's end were filled. */
void owner_chunks_filled(struct hs_chunk *c, uint32_t n);
/* One entry that borrowed from the chunk, or from a board, is done. */
void owner_chunks_done(struct owner_chunks *p, struct hs_chunk *c);
/* Entries that were pushed and have not come back. */
uint64_t owner_chunks_out(const struct owner_chunks *p);

/* ---- boards.c: frozen boards, which many messages share ---- */

struct owner_boards {
    struct hs_chunk v[OWNER_BOARDS];
    struct hs_chunk *current; /* windows the core names are of this one */
    uint32_t size;
};

void owner_boards_init(struct owner_boards *p, uint32_t size);
void owner_boards_fini(struct owner_boards *p);
/* Entries that were pushed and have not come back. */
uint64_t owner_boards_out(const struct owner_boards *p);

/* ---- ports.c: the way to one reactor ---- */

struct owner_port {
    struct hs_port ends;
    struct hs_out *queue; /* a circle: what found no room in ends.out */
    uint32_t queue_at, queue_n, queue_max, reserve;
    struct hs_request *replies, **replies_end; /* need no room: a list through the requests */
    bool dirty;                                /* its wake is to be posted */
};

void owner_port_init(struct owner_port *p, struct hs_port ends, uint32_t conns_max);
void owner_port_fini(struct owner_port *p);
/* False: no room, and the caller has a policy. Never for CLOSE and STOP. */
bool owner_port_push(struct owner_port *p, const struct hs_out *out);
void owner_port_reply(struct owner_port *p, struct hs_request *req);
/* Moves what waits into the ring as far as there is room. */
void owner_port_flush(struct owner_port *p);
/* Something waits: take nothing more from this reactor. */
bool owner_port_is_blocked(const struct owner_port *p);

/* ---- the owner ---- */

struct owner_bucket { /* log lines of one kind */
    uint32_t left;
    uint32_t dropped;
    int64_t filled_ms;
};

struct owner_burst { /* changes of the view that follow each other closely */
    uint64_t version;
    int64_t first_ms, last_ms; /* first_ms 0: there is none */
};

struct hs_owner {
    struct hs_core *core;
    struct hs_net *net;
    struct hs_tls *tls;
    struct hs_store *store;
    struct hs_snapshot *snapshot;
    struct hs_wake *wake, *published;
    struct hs_now now; /* sampled once per batch */
    hs_mono ticked_at; /* the last tick the core was given */
    int64_t now_ns;    /* the same moment */
    struct hs_actions acts;
    struct owner_chunks chunks;
    struct owner_boards boards;
    struct owner_port *ports;
    uint32_t ports_n;
    uint32_t adopt_next;      /* clients go round robin */
    uint32_t *closed;         /* per link place: generation + 1 of what was cut off here */
    struct hs_dial *undialed; /* found no room; the core has to be told */
    uint32_t undialed_n, undialed_max;

    struct hs_request *answers, **answers_end;     /* wait for their publication */
    struct hs_request *shutdowns;                  /* wait for the end */
    struct hs_request *publishes, **publishes_end; /* wait for a chunk, in order */
    struct hs_request *rewrites, **rewrites_end;   /* the first is with the store */
    uint64_t rewrites_n;                           /* answered */
    bool deliver, deliver_sharded;                 /* the frame of this step is for our clients */
    void (*shutdown)(void *ctx);
    void *shutdown_ctx;

    struct hs_conf conf;
    uint64_t conf_n; /* how often it was changed */
    int64_t started_ms;
    const struct hs_topo *seen; /* the published one: names for the log */
    uint64_t published_version;
    bool published_stale; /* something outside the core's version changed */
    int64_t published_ns, publish_cost_ns;

    uint64_t save_seq, saved_seq;
    bool save_pending, save_sync;
    int64_t save_ns, save_cost_ns;

    struct owner_bucket notes[HS_NOTES];
    struct owner_bucket denied; /* lines about addresses that bus-allow does not name */
    uint64_t counters[HS_OWNER_COUNTERS];
    struct hs_histogram histograms[HS_OWNER_HISTOGRAMS];
    struct owner_burst burst;
    uint64_t save_given_seq; /* the newest that the store was given */
    uint64_t saves_ended;    /* well or not, when it was last looked at */
    int64_t save_waits_ms;   /* since when the store is at the same save; 0: at none */
    bool starved;            /* no chunk is free */
    atomic_bool stop;
    atomic_int_least64_t beat_ms; /* ticked_at, for other threads */
};

/* owner.c */
/* One event through the core. A turn of the loop takes an event only when it is
 * certain that a chunk has room for its step. */
void owner_step(struct hs_owner *o, const struct hs_event *ev);
/* The same with a chunk that the caller took. */
void owner_step_into(struct hs_owner *o, struct hs_chunk *chunk, const struct hs_event *ev);

void owner_take_back_chunks(struct hs_owner *o);
void owner_give_back_frame(struct owner_port *p, struct hs_frame *frame);
/* Moves what waits for room, and rings every reactor that was given something. */
void owner_post_wakes(struct hs_owner *o);

/* boards.c: freezes the core's board anew if that is due and a place for it is free. */
void owner_board_renew(struct hs_owner *o);

/* stop.c */
void owner_wind_down(struct hs_owner *o);

/* dispatch.c: actions of the step that was just encoded into chunk. */
void owner_dispatch(struct hs_owner *o, struct hs_chunk *chunk);
/* A connection that was just accepted goes to the reactor that shall hold it. */
void owner_adopt(struct hs_owner *o, const struct hs_in *in);

/* requests.c */
void owner_request(struct hs_owner *o, struct hs_request *req);
void owner_answer(struct hs_owner *o, struct hs_request *req);
/* Hands all finished requests back; what they did is published by then. */
void owner_answers_flush(struct hs_owner *o);

/* pubsub.c */
void owner_publish(struct hs_owner *o, struct hs_request *req);
/* Publishes that waited for a chunk, as far as there are some now. */
void owner_publishes_resume(struct hs_owner *o);
/* Gives up those that still wait: the owner stops. */
void owner_publishes_abandon(struct hs_owner *o);
/* A reactor has handed a client's message to n of its clients. */
void owner_delivered(struct hs_owner *o, struct hs_request *req, uint32_t n);
/* A frame of PUBLISH from a peer, for our clients. */
void owner_deliver_frame(struct hs_owner *o, const struct hs_view *v);
/* Subscribers may have to go where their slots went. */
void owner_tell_changed(struct hs_owner *o);

/* rewrite.c */
void owner_rewrite(struct hs_owner *o, struct hs_request *req);
/* Answers the one that the store has ended, if it has. */
void owner_rewrites_take(struct hs_owner *o);
bool owner_rewrites_ready(const struct hs_owner *o);
/* Gives up those that the store was not asked for yet: the owner stops. */
void owner_rewrites_abandon(struct hs_owner *o);

/* publish.c */
void owner_save_if_due(struct hs_owner *o);
/* False: no memory. */
bool owner_save_first(struct hs_owner *o);
void owner_save_last(struct hs_owner *o);
void owner_publish_if_due(struct hs_owner *o);
/* When one of the two wants to be called next. */
int64_t owner_publish_next_ns(const struct hs_owner *o);

/* measure.c */
/* At the end of a turn that began at o->now_ns. */
void owner_measure(struct hs_owner *o);

/* notes.c */
void owner_note(struct hs_owner *o, const struct hs_action *a);
/* Now and then: tells how many lines were left out, of kinds that have room again. */
void owner_notes_flush(struct hs_owner *o);
/* The line of a note: its level, and its text in buf. */
struct owner_note_args {
    const struct hs_node_id *node, *other; /* NULL for none */
    const char *node_name, *other_name;    /* "" for none */
    int64_t number, offset;
    uint32_t rank;
};
enum hs_log_level owner_note_text(enum hs_note note, const struct owner_note_args *args, char *buf,
                                  size_t n);
/* True if a line may be written now; *dropped is how many were not before it. */
bool owner_bucket_take(struct owner_bucket *b, int64_t now_ms, uint32_t *dropped);

#endif
