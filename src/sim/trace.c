/* trace.c - one number for a whole run, and the run as text.
 *
 * Every delivered event goes into the hash: when, to whom, what, and a word
 * from every part of a frame. Nothing that depends on the machine does.
 */
#include "sim_int.h"

enum {
    HASHED_WHOLE = 4096, /* of longer frames, a word of every cache line */
    LANES = 4,
};

void trace_hash(struct hs_sim *s, uint64_t word)
{
    uint64_t h = (s->r.hash ^ word) * 0x9fb21c651e98df25U;

    s->r.hash = h ^ h >> 29;
}

/* Four sums side by side: each step of one waits for the step before it. */
static void hash_frame(struct hs_sim *s, const struct hs_view *v)
{
    uint32_t stride = v->len > HASHED_WHOLE ? 64 : 8;
    uint64_t h[LANES] = {v->slots_hash + v->len, 1, 2, 3};
    bool light = (v->marks & HS_VIEW_LIGHT) != 0;
    uint32_t lane = 0;

    for (uint32_t k = 0; k + 8 <= v->len; k += stride) {
        if (k == HS_OFF_SLOTS && !light) {
            k = HS_OFF_SLAVEOF; /* the bitmap is in slots_hash */
        }
        uint64_t x = (h[lane] ^ hs_get64(v->frame + k)) * 0x9fb21c651e98df25U;
        h[lane] = x ^ x >> 32;
        lane = (lane + 1) % LANES;
    }
    for (lane = 0; lane < LANES; lane++) {
        trace_hash(s, h[lane]);
    }
}

static const char *const event_names[] = {
    [EV_TICK] = "tick",
    [EV_FRAME] = "frame",
    [EV_UP] = "up",
    [EV_DOWN] = "down",
    [EV_DIAL_FAILED] = "dial-failed",
    [EV_SAVED] = "saved",
    [EV_SYN] = "syn",
};

static int stamp(struct hs_sim *s)
{
    return snprintf(s->line, sizeof(s->line), "%lld.%06lld ", (long long)(s->now / SECOND),
                    (long long)(s->now % SECOND));
}

static void text_event(struct hs_sim *s, const struct event *e, const struct hs_view *v)
{
    size_t n = (size_t)stamp(s);

    if (v == NULL) {
        snprintf(s->line + n, sizeof(s->line) - n, "%u %s %s%u", e->node, event_names[e->type],
                 e->type != EV_UP ? ""
                 : e->outbound    ? "to "
                                  : "from ",
                 e->type == EV_SAVED ? (unsigned)e->number : e->link.ix);
        s->opts.trace(s->opts.sink_arg, s->line);
        return;
    }
    n += (size_t)snprintf(s->line + n, sizeof(s->line) - n, "%u <- %u ", e->node,
                          (uint32_t)e->number);
    hs_wire_text(v, s->line + n, sizeof(s->line) - n);
    s->opts.trace(s->opts.sink_arg, s->line);
    for (uint32_t k = 0; k < v->gossip_n; k++) {
        memcpy(s->line, "    ", 4);
        hs_wire_gossip_text(v, k, s->line + 4, sizeof(s->line) - 4);
        s->opts.trace(s->opts.sink_arg, s->line);
    }
}

/* v is NULL for what is not a frame. */
void trace_event(struct hs_sim *s, const struct event *e, const struct hs_view *v)
{
    trace_hash(s, (uint64_t)s->now << 16 ^ (uint64_t)e->node << 4 ^ e->type);
    trace_hash(s, (uint64_t)e->link.ix << 32 ^ e->link.gen ^ (uint64_t)e->dial.node << 20 ^
                      (e->type == EV_SAVED ? e->number : 0));
    if (v != NULL) {
        hash_frame(s, v);
    }
    if (s->opts.trace != NULL) {
        text_event(s, e, v);
    }
}

static const char *const note_names[HS_NOTES] = {
    [HS_NOTE_NODE_ADDED] = "knows",
    [HS_NOTE_HANDSHAKE_DONE] = "shook hands with",
    [HS_NOTE_HANDSHAKE_TIMEOUT] = "gave up a handshake",
    [HS_NOTE_PFAIL] = "suspects",
    [HS_NOTE_PFAIL_CLEARED] = "no longer suspects",
    [HS_NOTE_REPORTED] = "hears the suspicion of",
    [HS_NOTE_REPORT_DROPPED] = "hears no suspicion any more of",
    [HS_NOTE_FAIL] = "holds for failed",
    [HS_NOTE_FAIL_CLEARED] = "no longer holds for failed",
    [HS_NOTE_STATE_OK] = "cluster is ok",
    [HS_NOTE_STATE_FAIL] = "cluster is down",
    [HS_NOTE_ADDRESS_CHANGED] = "has a new address for",
    [HS_NOTE_ID_MISMATCH] = "met a stranger at the address of",
    [HS_NOTE_ROLE_MASTER] = "sees a master in",
    [HS_NOTE_ROLE_REPLICA] = "sees a replica in",
    [HS_NOTE_SLOTS_MOVED] = "gives slots to",
    [HS_NOTE_EPOCH_COLLISION] = "left an epoch to",
    [HS_NOTE_EPOCH_BUMPED] = "took a new epoch",
    [HS_NOTE_FORGOTTEN] = "forgets",
    [HS_NOTE_TABLE_FULL] = "has no place for",
    [HS_NOTE_BAD_SENDER] = "ignored a stranger's frame",
    [HS_NOTE_OWN_ADDRESS] = "learned its address",
    [HS_NOTE_VOTE_GRANTED] = "votes for",
    [HS_NOTE_VOTE_REFUSED] = "refuses to vote for",
    [HS_NOTE_ELECTION_PLANNED] = "plans an election",
    [HS_NOTE_ELECTION_STARTED] = "asks for votes",
    [HS_NOTE_ELECTION_EXPIRED] = "gave up an election",
    [HS_NOTE_ELECTION_WON] = "won an election",
    [HS_NOTE_MF_STARTED] = "begins a manual failover",
    [HS_NOTE_MF_ABORTED] = "gave up a manual failover",
    [HS_NOTE_UPDATE_SENT] = "corrects",
    [HS_NOTE_RESUMED] = "stood still",
};

void trace_note(struct hs_sim *s, uint32_t i, const struct hs_action *a)
{
    hs_sim_sink *sink = s->opts.trace != NULL ? s->opts.trace : s->opts.notes;
    static const struct hs_node_id none;
    uint32_t who = HS_NIL, other = HS_NIL;
    size_t n;

    trace_hash(s, (uint64_t)a->note << 40 ^ (uint64_t)i << 20 ^ (uint64_t)a->number);
    if (sink == NULL) {
        return;
    }
    who = memcmp(&a->id, &none, sizeof(none)) == 0 ? HS_NIL : ids_find(s, &a->id);
    if (a->other != HS_NIL) {
        other = ids_find(s, hs_core_node_id(s->nodes[i].core, a->other));
    }
    n = (size_t)stamp(s);
    n += (size_t)snprintf(s->line + n, sizeof(s->line) - n, "%u %s", i, note_names[a->note]);
    if (who != HS_NIL) {
        n += (size_t)snprintf(s->line + n, sizeof(s->line) - n, " %u", who);
    }
    if (other != HS_NIL) {
        n += (size_t)snprintf(s->line + n, sizeof(s->line) - n, ", by %u", other);
    }
    if (a->number != 0) {
        snprintf(s->line + n, sizeof(s->line) - n, " (%lld)", (long long)a->number);
    }
    sink(s->opts.sink_arg, s->line);
}

void trace_step(struct hs_sim *s, const char *text)
{
    hs_sim_sink *sink = s->opts.trace != NULL ? s->opts.trace : s->opts.notes;
    size_t n;

    trace_hash(s, (uint64_t)s->now);
    for (const char *c = text; *c != '\0'; c++) {
        trace_hash(s, (uint8_t)*c);
    }
    if (sink != NULL) {
        n = (size_t)stamp(s);
        snprintf(s->line + n, sizeof(s->line) - n, "-- %s", text);
        sink(s->opts.sink_arg, s->line);
    }
}
