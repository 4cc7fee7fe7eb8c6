/* strangers.c - who keeps sending without being a member: a node that was
 * forgotten here but not everywhere, one of another cluster, or a copy of
 * ourselves with our id.
 *
 * Joining makes everybody a stranger for a moment, so this only remembers; what
 * is worth a word is for those who read the view. The table has a bound: who
 * was not heard for longest gives way, counted.
 */
#include "core_int.h"

static struct stranger *oldest(struct hs_core *c)
{
    struct stranger *s = &c->strangers[0];

    for (uint32_t i = 1; i < c->strangers_n; i++) {
        if (c->strangers[i].last_at < s->last_at) {
            s = &c->strangers[i];
        }
    }
    return s;
}

static struct stranger *find(struct hs_core *c, const uint8_t *id)
{
    for (uint32_t i = 0; i < c->strangers_n; i++) {
        if (memcmp(c->strangers[i].id.hex, id, HS_ID_LEN) == 0) {
            return &c->strangers[i];
        }
    }
    return NULL;
}

/* A frame whose sender has no place in the table. A MEET is how one asks for
 * it, and what answers on our own link is under way to it. */
void core_stranger(struct hs_core *c, struct hs_link l, const struct hs_view *v)
{
    const struct link *link = core_link(c, l);
    const uint8_t *id = v->frame + HS_OFF_SENDER;
    struct stranger *s;

    if (link->outbound || v->type == HS_MSG_MEET || !hs_wire_id_valid(id)) {
        return;
    }
    s = find(c, id);
    if (s == NULL) {
        COUNT(c, strangers);
        if (c->strangers_n < HS_TOPO_FOREIGN_MAX) {
            s = &c->strangers[c->strangers_n++];
        } else {
            COUNT(c, strangers_replaced);
            s = oldest(c);
        }
        *s = (struct stranger){.first_at = c->now.mono.ms};
        memcpy(s->id.hex, id, HS_ID_LEN);
    }
    memcpy(s->ip, link->peer_ip, HS_IP_LEN);
    s->last_at = c->now.mono.ms;
    s->frames_n++;
}
