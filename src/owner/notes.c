/* notes.c - what the core found worth telling becomes a log line.
 *
 * One table of templates, worded like the stock server's lines so that people's
 * filters and habits keep working. In a template %n is the node, %o the other
 * node, %d the number, %w why a vote was refused; %r and %f are a candidate's rank
 * and offset.
 *
 * Bound: peers can provoke most of these, so each kind has a bucket of
 * OWNER_NOTE_BURST lines that refills by OWNER_NOTE_PER_S. What is left out is
 * counted, and told with the next line of its kind.
 */
#include "owner_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct note_text {
    enum hs_log_level level;
    const char *text;
    const char *alone; /* if there is no other node; NULL: the same text */
};

static const struct note_text texts[HS_NOTES] = {
    [HS_NOTE_NODE_ADDED] = {HS_LOG_VERBOSE, "Node %n added, gossiped by %o.",
                            "Node %n added by CLUSTER MEET."},
    [HS_NOTE_HANDSHAKE_DONE] = {HS_LOG_VERBOSE, "Handshake with node %n completed.", NULL},
    [HS_NOTE_HANDSHAKE_TIMEOUT] = {HS_LOG_VERBOSE, "Handshake with node %n timed out.", NULL},
    [HS_NOTE_PFAIL] = {HS_LOG_VERBOSE, "*** NODE %n possibly failing", NULL},
    [HS_NOTE_PFAIL_CLEARED] = {HS_LOG_VERBOSE, "Node %n is back online.", NULL},
    [HS_NOTE_REPORTED] = {HS_LOG_VERBOSE, "Node %o reported node %n as not reachable.", NULL},
    [HS_NOTE_REPORT_DROPPED] = {HS_LOG_VERBOSE, "Node %o reported node %n is back online.", NULL},
    [HS_NOTE_FAIL] = {HS_LOG_NOTICE, "FAIL message received from %o about %n",
                      "Marking node %n as failing (quorum reached)."},
    [HS_NOTE_FAIL_CLEARED] = {HS_LOG_NOTICE, "Clear FAIL state for node %n: is reachable again.",
                              NULL},
    [HS_NOTE_STATE_OK] = {HS_LOG_NOTICE, "Cluster state changed: ok", NULL},
    [HS_NOTE_STATE_FAIL] = {HS_LOG_NOTICE, "Cluster state changed: fail", NULL},
    [HS_NOTE_ADDRESS_CHANGED] = {HS_LOG_NOTICE, "Address updated for node %n", NULL},
    [HS_NOTE_ID_MISMATCH] = {HS_LOG_DEBUG,
                             "PONG contains mismatching sender ID. Node %n is unreachable at "
                             "the address we know.",
                             NULL},
    [HS_NOTE_ROLE_MASTER] = {HS_LOG_NOTICE, "Node %n is now a master.", NULL},
    [HS_NOTE_ROLE_REPLICA] = {HS_LOG_NOTICE, "Node %n is now a replica of %o.", NULL},
    [HS_NOTE_SLOTS_MOVED] = {HS_LOG_NOTICE, "%d slots are now served by node %n.", NULL},
    [HS_NOTE_EPOCH_COLLISION] = {HS_LOG_VERBOSE,
                                 "WARNING: configEpoch collision with node %o. configEpoch set "
                                 "to %d",
                                 NULL},
    [HS_NOTE_EPOCH_BUMPED] = {HS_LOG_NOTICE, "New configEpoch set to %d", NULL},
    [HS_NOTE_FORGOTTEN] = {HS_LOG_NOTICE, "Forgetting node %n, as node %o asked its peers to do.",
                           "Forgetting node %n."},
    [HS_NOTE_TABLE_FULL] = {HS_LOG_WARNING,
                            "Node %n was not added: cluster-nodes-max nodes are known already. "
                            "Raise cluster-nodes-max and restart.",
                            NULL},
    [HS_NOTE_BAD_SENDER] = {HS_LOG_DEBUG, "Ignored a packet of type %d from node %n.", NULL},
    [HS_NOTE_OWN_ADDRESS] = {HS_LOG_NOTICE, "IP address for this node updated.", NULL},
    [HS_NOTE_VOTE_GRANTED] = {HS_LOG_NOTICE, "Failover auth granted to %n for epoch %d", NULL},
    [HS_NOTE_VOTE_REFUSED] = {HS_LOG_NOTICE, "Failover auth denied to %n: %w", NULL},
    [HS_NOTE_ELECTION_PLANNED] =
        {HS_LOG_NOTICE, "Start of election delayed for %d milliseconds (rank #%r, offset %f).",
         NULL},
    [HS_NOTE_ELECTION_STARTED] = {HS_LOG_NOTICE, "Starting a failover election for epoch %d.",
                                  NULL},
    [HS_NOTE_ELECTION_EXPIRED] = {HS_LOG_NOTICE,
                                  "Currently unable to failover: Failover attempt expired.", NULL},
    [HS_NOTE_ELECTION_WON] = {HS_LOG_NOTICE,
                              "Failover election won: I'm the new master. "
                              "configEpoch set to %d after successful failover.",
                              NULL},
    [HS_NOTE_MF_STARTED] = {HS_LOG_NOTICE, "Manual failover requested by replica %o.",
                            "Manual failover user request accepted."},
    [HS_NOTE_MF_ABORTED] = {HS_LOG_WARNING, "Manual failover timed out.", NULL},
    [HS_NOTE_UPDATE_SENT] = {HS_LOG_VERBOSE,
                             "Node %n has old slots configuration, sending an UPDATE message "
                             "about %o",
                             NULL},
    [HS_NOTE_RESUMED] = {HS_LOG_WARNING,
                         "This process did not run for %d milliseconds. Failure detection starts "
                         "afresh.",
                         NULL},
};

static const char *const refusals[HS_REFUSALS] = {
    [HS_REFUSAL_NONE] = "",
    [HS_REFUSAL_NOT_A_VOTER] = "this node is no master with slots",
    [HS_REFUSAL_OLD_EPOCH] = "its epoch is older than the current one",
    [HS_REFUSAL_VOTED_IN_EPOCH] = "already voted for this epoch",
    [HS_REFUSAL_NOT_A_REPLICA] = "it is a master node, or I don't know its master",
    [HS_REFUSAL_MASTER_NOT_FAILED] = "its master is up",
    [HS_REFUSAL_VOTED_FOR_SHARD] = "can't vote about this master before two node timeouts passed",
    [HS_REFUSAL_SLOT_EPOCH] = "a slot it wants has an owner with a later epoch than it knows",
    [HS_REFUSAL_BUSY] = "too many votes wait for the disk",
};

static void put(char *buf, size_t n, size_t *at, const char *s, size_t len)
{
    size_t room = n - 1 - *at;
    size_t take = len < room ? len : room;
    memcpy(buf + *at, s, take);
    *at += take;
    buf[*at] = 0;
}

static void put_node(char *buf, size_t n, size_t *at, const struct hs_node_id *id, const char *name)
{
    if (id == NULL) {
        put(buf, n, at, "(unknown)", 9);
        return;
    }
    put(buf, n, at, id->hex, sizeof(id->hex));
    put(buf, n, at, " (", 2);
    put(buf, n, at, name, strlen(name));
    put(buf, n, at, ")", 1);
}

static void put_number(char *buf, size_t n, size_t *at, int64_t number)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%" PRId64, number);
    put(buf, n, at, text, (size_t)len);
}

static void put_refusal(char *buf, size_t n, size_t *at, int64_t number)
{
    HS_ASSERT(number >= 0 && number < HS_REFUSALS);
    put(buf, n, at, refusals[number], strlen(refusals[number]));
}

/* One of the letters that stand for something in a template. */
static void put_arg(char *buf, size_t n, size_t *at, char letter,
                    const struct owner_note_args *args)
{
    if (letter == 'n')
        put_node(buf, n, at, args->node, args->node_name);
    else if (letter == 'o')
        put_node(buf, n, at, args->other, args->other_name);
    else if (letter == 'w')
        put_refusal(buf, n, at, args->number);
    else if (letter == 'r')
        put_number(buf, n, at, args->rank);
    else if (letter == 'f')
        put_number(buf, n, at, args->offset);
    else
        put_number(buf, n, at, args->number);
}

enum hs_log_level owner_note_text(enum hs_note note, const struct owner_note_args *args, char *buf,
                                  size_t n)
{
    HS_ASSERT(note < HS_NOTES);
    HS_ASSERT(n > 0);

    const struct note_text *t = &texts[note];
    const char *text = args->other == NULL && t->alone != NULL ? t->alone : t->text;
    size_t at = 0;
    buf[0] = 0;
    for (const char *p = text; *p != 0; p++) {
        if (*p != '%') {
            put(buf, n, &at, p, 1);
            continue;
        }
        put_arg(buf, n, &at, *++p, args);
    }
    return t->level;
}

bool owner_bucket_take(struct owner_bucket *b, int64_t now_ms, uint32_t *dropped)
{
    int64_t fresh = (now_ms - b->filled_ms) * OWNER_NOTE_PER_S / 1000;
    if (fresh > 0) {
        b->left = fresh >= OWNER_NOTE_BURST - (int64_t)b->left ? OWNER_NOTE_BURST
                                                               : b->left + (uint32_t)fresh;
        b->filled_ms = now_ms;
    }
    if (b->left == 0) {
        b->dropped++;
        return false;
    }
    b->left--;
    *dropped = b->dropped;
    b->dropped = 0;
    return true;
}

static const char *name_of(const struct hs_owner *o, const struct hs_node_id *id)
{
    if (id == NULL || o->seen == NULL)
        return "";
    uint16_t ix = hs_topo_find(o->seen, id);
    return ix == HS_TOPO_NONE ? "" : o->seen->nodes[ix].nodename;
}

enum { FIELDS_MAX = 4 };

static uint32_t fields_of(const struct owner_note_args *args, char ids[2][HS_ID_LEN + 1],
                          struct hs_log_field *fields)
{
    const struct hs_node_id *nodes[] = {args->node, args->other};
    const char *const names[] = {args->node_name, args->other_name};
    static const char *const keys[2][2] = {{"node", "node_name"}, {"other", "other_name"}};
    uint32_t n = 0;
    for (int i = 0; i < 2; i++) {
        if (nodes[i] == NULL)
            continue;
        snprintf(ids[i], HS_ID_LEN + 1, "%.*s", HS_ID_LEN, nodes[i]->hex);
        fields[n++] = (struct hs_log_field){keys[i][0], ids[i]};
        if (names[i][0] != 0)
            fields[n++] = (struct hs_log_field){keys[i][1], names[i]};
    }
    return n;
}

/* A kind that fell silent would take its count with it. */
void owner_notes_flush(struct hs_owner *o)
{
    for (int note = 0; note < HS_NOTES; note++) {
        uint32_t dropped = 0;
        struct owner_bucket *b = &o->notes[note];
        bool has_room = b->left > 0 || o->now.mono.ms - b->filled_ms >= 1000 / OWNER_NOTE_PER_S;
        if (b->dropped > 0 && has_room && owner_bucket_take(b, o->now.mono.ms, &dropped))
            hs_log(texts[note].level, "%" PRIu32 " more lines like \"%s\" were not logged.",
                   dropped, texts[note].text);
    }
}

void owner_note(struct hs_owner *o, const struct hs_action *a)
{
    HS_ASSERT(a->note < HS_NOTES);
    if (texts[a->note].level < hs_log_get_level())
        return;
    uint32_t dropped;
    if (!owner_bucket_take(&o->notes[a->note], o->now.mono.ms, &dropped)) {
        o->counters[HS_OWNER_NOTES_DROPPED]++;
        return;
    }
    struct owner_note_args args = {.number = a->number};
    if (a->note == HS_NOTE_ELECTION_PLANNED) {
        args.rank = a->rank;
        args.offset = a->offset;
    }
    args.node = a->node != HS_NIL ? hs_core_node_id(o->core, a->node) : &a->id;
    if (a->other != HS_NIL)
        args.other = hs_core_node_id(o->core, a->other);
    args.node_name = name_of(o, args.node);
    args.other_name = name_of(o, args.other);

    char line[512];
    enum hs_log_level level = owner_note_text(a->note, &args, line, sizeof(line));
    struct hs_log_field fields[FIELDS_MAX];
    char ids[2][HS_ID_LEN + 1];
    uint32_t n = fields_of(&args, ids, fields);
    if (dropped > 0)
        hs_log_with(level, fields, n, "%s [%" PRIu32 " more of this kind were not logged]", line,
                    dropped);
    else
        hs_log_with(level, fields, n, "%s", line);
}
