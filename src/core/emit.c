/* emit.c - everything that leaves the core: actions, messages, saves.
 *
 * Messages are copies of one header that holds only what is durable. While a
 * change that must be on disk first waits for its save, c->hdr stays as it
 * was, so we look to others as if we had not changed yet, and nothing waits.
 *
 * Length: all messages begin alike and only here, so that none can leave with a
 * header that is not durable.
 */
#include "core_int.h"

struct hs_action *core_act(struct hs_core *c, enum hs_action_type type)
{
    struct hs_actions *out = c->out;

    HS_ASSERT(out->n < out->max);
    struct hs_action *a = &out->v[out->n++];
    *a = (struct hs_action){.type = (uint8_t)type, .node = HS_NIL, .other = HS_NIL};
    return a;
}

static struct hs_action *note(struct hs_core *c, enum hs_note what, hs_ix other, int64_t number)
{
    struct hs_action *a;

    if (c->notes_n == NOTES_MAX) {
        COUNT(c, notes_dropped);
        return NULL;
    }
    c->notes_n++;
    a = core_act(c, HS_ACT_NOTE);
    a->note = (uint8_t)what;
    a->other = other;
    a->number = number;
    return a;
}

void core_note_id(struct hs_core *c, enum hs_note what, const void *id, hs_ix other, int64_t number)
{
    struct hs_action *a = note(c, what, other, number);

    if (a != NULL) {
        memcpy(a->id.hex, id, HS_ID_LEN);
    }
}

/* The note, for what else it has to say; NULL if the step has had enough of them. */
struct hs_action *core_note(struct hs_core *c, enum hs_note what, hs_ix node, hs_ix other,
                            int64_t number)
{
    struct hs_action *a = note(c, what, other, number);

    if (a != NULL && node != HS_NIL) {
        a->node = node;
        a->id = c->hot[node].id;
    }
    return a;
}

void core_reply(struct hs_core *c, uint64_t token, enum hs_cmd_err err, int64_t number)
{
    struct hs_action *a = core_act(c, HS_ACT_REPLY);

    a->token = token;
    a->err = (uint16_t)err;
    a->number = number;
}

/* ---- the header ---- */

static bool waits_for_disk(const struct hs_core *c)
{
    return c->want_sync || c->sync_seq > c->saved_seq;
}

/* Rebuilds the header, durable or not: who was reset must not be met as what it
 * was, and if a crash takes the reset back, nothing was promised. */
void core_hdr_build(struct hs_core *c)
{
    const uint16_t told =
        HS_NODE_MYSELF | HS_NODE_MASTER | HS_NODE_SLAVE | HS_NODE_MIGRATE_TO | HS_NODE_NOFAILOVER;
    uint16_t master = c->cold[SELF].master;
    uint8_t slots[HS_SLOTS_BYTES];

    c->hdr_due = false;
    core_slots_bitmap(c, master == NIL16 ? SELF : master, false, slots);
    hs_wire_build_hdr(c->hdr, &(struct hs_hdr){
                                  .current_epoch = c->current_epoch,
                                  .config_epoch = core_shown_epoch(c, SELF),
                                  .sender = c->hot[SELF].id,
                                  .slots = slots,
                                  .slaveof = master == NIL16 ? NULL : &c->hot[master].id,
                                  .myip = c->conf.announce_ip,
                                  .port = c->conf.tls_cluster ? c->conf.tls_port : c->conf.port,
                                  .pport = c->conf.tls_cluster ? c->conf.port : c->conf.tls_port,
                                  .cport = c->conf.cport,
                                  .flags = (uint16_t)((c->hot[SELF].flags & told) | HS_NODE_LIGHT),
                              });
}

/* The same if something in it changed and all of it is durable. */
void core_hdr_refresh(struct hs_core *c)
{
    if (c->hdr_due && !waits_for_disk(c)) {
        core_hdr_build(c);
    }
}

/* ---- messages ---- */

static uint32_t bytes_left(const struct hs_core *c)
{
    return c->out->bytes_max - c->out->bytes_n;
}

/* Starts a message: our header, with what changes from one to the next. */
static uint8_t *begin(struct hs_core *c, uint32_t len_max, uint8_t mflags)
{
    uint8_t *p = c->out->bytes + c->out->bytes_n;

    HS_ASSERT(len_max <= bytes_left(c));
    core_hdr_refresh(c);
    memcpy(p, c->hdr, HS_HDR_LEN);
    /* What was heard from others needs no save; what was told is not taken back. */
    if (!waits_for_disk(c)) {
        c->told_epoch = c->current_epoch;
    }
    hs_put64(p + HS_OFF_CURRENT_EPOCH, c->told_epoch);
    hs_put64(p + HS_OFF_OFFSET, (uint64_t)c->cold[SELF].repl_offset);
    p[HS_OFF_STATE] = c->ok ? 0 : 1;
    p[HS_OFF_MFLAGS] = mflags;
    if (i_am_master(c) && c->mf_end != 0) {
        p[HS_OFF_MFLAGS] |= HS_MFLAG_PAUSED;
    }
    return p;
}

/* One action for bytes that are (or were just) appended. */
static struct hs_action *send(struct hs_core *c, struct hs_link l, uint32_t off, uint32_t len,
                              uint16_t type)
{
    struct hs_action *a = core_act(c, HS_ACT_SEND);

    a->link = l;
    a->off = off;
    a->len = len;
    a->control = type != HS_MSG_PUBLISH && type != HS_MSG_PUBLISHSHARD;
    c->sent[type]++;
    return a;
}

static uint32_t end(struct hs_core *c, uint32_t len)
{
    uint32_t off = c->out->bytes_n;

    HS_ASSERT(len <= bytes_left(c));
    c->out->bytes_n += len;
    return off;
}

/* A PING, PONG or MEET: header, gossip, extensions. `except` is whom it is for
 * (nobody is told about himself), or NIL16 for many at once. Returns its length
 * here; end() it. What it does not have of its gossip is in *s. */
static uint32_t build_ping(struct hs_core *c, uint16_t type, uint16_t except, enum ext_level level,
                           bool valkey, struct section *s)
{
    uint8_t *p = begin(c, HS_HDR_LEN + EXT_BYTES_MAX, HS_MFLAG_EXT_DATA);
    uint32_t room = (bytes_left(c) - HS_HDR_LEN - EXT_BYTES_MAX) / HS_GOSSIP_LEN;
    uint32_t len = HS_HDR_LEN;
    uint16_t ext_n;

    room = room > UINT16_MAX - 1 ? UINT16_MAX - 1 : room;
    *s = core_board_section(c, p + len, room, except, except != NIL16);
    len += s->copied_n * HS_GOSSIP_LEN;
    len += core_ext_put(c, level, valkey, p + len, &ext_n);
    hs_wire_finish(p, type, (uint16_t)(s->lent_n + s->copied_n), ext_n,
                   len + s->lent_n * HS_GOSSIP_LEN);
    return len;
}

/* To one node. */
static void send_ping(struct hs_core *c, struct hs_link l, uint16_t type, uint16_t ix,
                      enum ext_level level, bool valkey)
{
    struct section s;
    uint32_t len = build_ping(c, type, ix, level, valkey, &s);
    struct hs_action *a = send(c, l, end(c, len), len, type);

    a->split = HS_HDR_LEN;
    a->lent_off = s.lent_off;
    a->lent_len = s.lent_n * HS_GOSSIP_LEN;
}

/* Room for another PING in this step? Its own size, and what a step must
 * always be able to add after it. */
bool core_can_ping(const struct hs_core *c)
{
    uint32_t entries = c->nodes_n / 10 + 3 + c->pfail_n;

    return bytes_left(c) >=
           2 * (HS_HDR_LEN + EXT_BYTES_MAX) + HS_UPDATE_LEN + entries * HS_GOSSIP_LEN;
}

/* On our own connection to ix, which is up. A ping that waits for its answer
 * keeps the time of the first attempt: reconnecting proves nothing. Whoever has
 * connected to us knows us, and from this message on whose connection this is:
 * light messages, which name nobody, may follow. Before, a Valkey closes it. */
void core_ping(struct hs_core *c, uint16_t ix, uint16_t type)
{
    struct hot *n = &c->hot[ix];
    struct cold *m = &c->cold[ix];

    HS_ASSERT(m->to_state == TO_UP);
    send_ping(c, m->to, type, ix, m->ext_level, has_flag(c, ix, HS_NODE_LIGHT));
    m->light_ok = m->light_ok || m->has_from;
    if (type == HS_MSG_PING && n->ping_sent == 0) {
        n->ping_sent = c->now.mono.ms;
        core_board_sync(c, ix);
    }
}

/* The answer on the connection a PING or MEET came on; ix is NIL16 for a
 * sender we do not know, which gets extensions if it has just shown the flag. */
void core_pong(struct hs_core *c, struct hs_link l, uint16_t ix, const struct hs_view *v)
{
    enum ext_level level = ix != NIL16 ? c->cold[ix].ext_level : core_ext_shown(v);
    bool valkey = (hs_get16(v->frame + HS_OFF_FLAGS) & HS_NODE_LIGHT) != 0;

    send_ping(c, l, HS_MSG_PONG, ix, level, valkey);
}

/* A change of ours, to everybody now. Peers of one kind share one message, so
 * this costs PING_KINDS messages to build, not one per node. */
void core_pong_all(struct hs_core *c)
{
    uint32_t off[PING_KINDS], len[PING_KINDS] = {0};
    struct section s; /* for many: all of it is copied */

    for (uint16_t i = 1; i < c->nodes_hi; i++) {
        const struct cold *n = &c->cold[i];
        if (!is_used(c, i) || n->to_state != TO_UP || has_flag(c, i, HS_NODE_HANDSHAKE)) {
            continue;
        }
        bool valkey = has_flag(c, i, HS_NODE_LIGHT) && n->ext_level == EXT_FULL;
        uint32_t kind = n->ext_level + (valkey ? 1U : 0U);
        if (len[kind] == 0) {
            len[kind] = build_ping(c, HS_MSG_PONG, NIL16, n->ext_level, valkey, &s);
            off[kind] = end(c, len[kind]);
        }
        send(c, n->to, off[kind], len[kind], HS_MSG_PONG);
    }
}

/* The same bytes to every node we are connected to. */
static void send_all(struct hs_core *c, uint32_t len, uint16_t type)
{
    uint32_t off = end(c, len);

    for (uint16_t i = 1; i < c->nodes_hi; i++) {
        if (is_used(c, i) && c->cold[i].to_state == TO_UP && !has_flag(c, i, HS_NODE_HANDSHAKE)) {
            send(c, c->cold[i].to, off, len, type);
        }
    }
}

void core_send_fail_all(struct hs_core *c, uint16_t about)
{
    send_all(c, hs_wire_build_fail(begin(c, HS_FAIL_LEN, 0), &c->hot[about].id), HS_MSG_FAIL);
}

/* For the election of `epoch`, which is durable: exactly that one, or votes of
 * a later epoch would be spent on claims of this one. */
void core_send_auth_request(struct hs_core *c, uint64_t epoch, bool forced)
{
    uint8_t *p = begin(c, HS_HDR_LEN, forced ? HS_MFLAG_FORCEACK : 0);

    hs_put64(p + HS_OFF_CURRENT_EPOCH, epoch);
    send_all(c, hs_wire_build_plain(p, HS_MSG_AUTH_REQUEST), HS_MSG_AUTH_REQUEST);
}

void core_send_mfstart(struct hs_core *c, uint16_t to)
{
    if (c->cold[to].to_state == TO_UP) {
        uint32_t len = hs_wire_build_plain(begin(c, HS_HDR_LEN, 0), HS_MSG_MFSTART);
        send(c, c->cold[to].to, end(c, len), len, HS_MSG_MFSTART);
    }
}

/* A PING on another connection than our own to ix: only in answer to MFSTART. */
void core_ping_on(struct hs_core *c, struct hs_link l, uint16_t ix)
{
    send_ping(c, l, HS_MSG_PING, ix, c->cold[ix].ext_level, has_flag(c, ix, HS_NODE_LIGHT));
}

/* Tells `to` who owns what `about` owns; lost if we have no connection. */
void core_send_update(struct hs_core *c, uint16_t to, uint16_t about)
{
    uint8_t slots[HS_SLOTS_BYTES];
    uint32_t len;

    if (c->cold[to].to_state != TO_UP || (about == SELF && waits_for_disk(c))) {
        return;
    }
    core_slots_bitmap(c, about, true, slots);
    len = hs_wire_build_update(begin(c, HS_UPDATE_LEN, 0), c->cold[about].config_epoch,
                               &c->hot[about].id, slots);
    send(c, c->cold[to].to, end(c, len), len, HS_MSG_UPDATE);
    COUNT(c, updates_sent);
    core_note(c, HS_NOTE_UPDATE_SENT, to, about, 0);
}

/* AUTH_ACK for the election of `epoch`: exactly that one, which is durable with
 * the vote. Had we heard of a later epoch meanwhile and said that one, the
 * candidate could count this vote in its next election, and we could give
 * another in the same epoch to somebody else. */
void core_send_vote(struct hs_core *c, uint16_t to, uint64_t epoch)
{
    uint8_t *p;
    uint32_t len;

    if (c->cold[to].to_state != TO_UP) {
        return;
    }
    p = begin(c, HS_HDR_LEN, 0);
    hs_put64(p + HS_OFF_CURRENT_EPOCH, epoch);
    len = hs_wire_build_plain(p, HS_MSG_AUTH_ACK);
    send(c, c->cold[to].to, end(c, len), len, HS_MSG_AUTH_ACK);
}

/* ---- pub/sub ---- */

uint32_t hs_core_publish_need(const struct hs_publish *p)
{
    return hs_wire_publish_len(p, false) + hs_wire_publish_len(p, true);
}

/* Whom a message of ours is for. A shard is one by its shard id or, as peers
 * without ids see it, by having one master. */
static bool hears_publish(const struct hs_core *c, uint16_t ix, bool sharded)
{
    uint16_t mine = c->cold[SELF].master == NIL16 ? SELF : c->cold[SELF].master;
    uint16_t its = c->cold[ix].master == NIL16 ? ix : c->cold[ix].master;

    if (!is_used(c, ix) || c->cold[ix].to_state != TO_UP || has_flag(c, ix, HS_NODE_HANDSHAKE)) {
        return false;
    }
    if (!sharded || mine == its) {
        return true;
    }
    return core_same_shard(c, ix, SELF);
}

/* Whether light messages may go to this one but for a PING before them, see
 * core_ping(). It is sent now: nodes that hear of each other in gossip can do
 * without PINGs for minutes. */
static bool lacks_ping(const struct hs_core *c, uint16_t ix)
{
    return has_flag(c, ix, HS_NODE_LIGHT) && c->cold[ix].has_from && !c->cold[ix].light_ok;
}

/* Receivers share two encodings at most: with a header, and without for those
 * that said they take it. At most one PING goes along, to keep the step short; as
 * a control message it leaves before what is published. */
uint32_t core_publish(struct hs_core *c, const struct hs_publish *p, bool sharded)
{
    uint16_t type = sharded ? HS_MSG_PUBLISHSHARD : HS_MSG_PUBLISH;
    uint32_t off[2], len[2] = {0}, n = 0;

    HS_ASSERT(bytes_left(c) >= hs_core_publish_need(p));
    bool may_ping = bytes_left(c) >= hs_core_bytes_need(c) + hs_core_publish_need(p);
    for (uint16_t i = 1; i < c->nodes_hi; i++) {
        if (!hears_publish(c, i, sharded)) {
            continue;
        }
        if (may_ping && lacks_ping(c, i)) {
            core_ping(c, i, HS_MSG_PING);
            may_ping = false;
        }
        bool light = has_flag(c, i, HS_NODE_LIGHT) && c->cold[i].light_ok;
        if (len[light] == 0) {
            uint8_t *at = c->out->bytes + c->out->bytes_n;
            if (!light) {
                at = begin(c, hs_wire_publish_len(p, false), 0);
            }
            len[light] = hs_wire_build_publish(at, type, p, light);
            off[light] = end(c, len[light]);
        }
        send(c, c->cold[i].to, off[light], len[light], type);
        n++;
    }
    return n;
}

/* ---- saves ---- */

/* At the end of a step: one save for all that changed in it. */
void core_save(struct hs_core *c)
{
    struct hs_action *a;

    if (!c->want_save) {
        return;
    }
    a = core_act(c, HS_ACT_SAVE);
    a->seq = ++c->save_seq;
    a->sync = c->want_sync;
    COUNT(c, saves);
    if (c->want_sync) {
        COUNT(c, saves_sync);
        c->sync_seq = c->save_seq;
    }
    c->want_save = false;
    c->want_sync = false;
}
