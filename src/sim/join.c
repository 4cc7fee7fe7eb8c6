/* join.c - how a cluster comes to be: as an operator's tool would do it.
 *
 * Everybody gets an epoch of his own and masters their slots while alone; all
 * are introduced to node 0, and when all know all, replicas are told whom to
 * follow. Whoever was turned away (a node takes so many newcomers at once)
 * tries again. Without the epochs, nodes that are masters by birth would all
 * have epoch 0, and it would take minutes of collisions to tell them apart.
 */
#include "sim_int.h"

#define MEET_EVERY_US (2 * MS) /* an operator's script is not faster */
#define LOOK_EVERY_US (500 * MS)

static void again(struct hs_sim *s, int64_t after_us)
{
    event_push(s, event_take(s, EV_JOIN, HS_NIL), s->now + after_us);
}

void join_start(struct hs_sim *s)
{
    uint32_t masters = s->opts.masters;

    s->join = s->opts.alone || s->n == 1 ? JOIN_DONE : JOIN_MEET;
    s->join_next = 1;
    for (uint32_t i = 0; i < s->n && !s->opts.alone; i++) {
        struct hs_slot_range r = {(uint16_t)((uint64_t)i * HS_SLOTS / masters),
                                  (uint16_t)((uint64_t)(i + 1) * HS_SLOTS / masters - 1)};
        struct hs_cmd epoch = {.type = HS_CMD_SET_CONFIG_EPOCH, .epoch = i + 1};
        struct hs_cmd slots = {.type = HS_CMD_ADDSLOTS, .ranges = &r, .ranges_n = 1};
        world_command(s, i, &epoch);
        if (i < masters) {
            world_command(s, i, &slots);
        }
    }
    if (s->join != JOIN_DONE) {
        again(s, MEET_EVERY_US);
    }
}

static void meet(struct hs_sim *s, uint32_t i)
{
    struct hs_cmd cmd = {.type = HS_CMD_MEET, .port = CLIENT_PORT, .cport = BUS_PORT};

    if (s->nodes[i].running && s->nodes[0].running) {
        addr_text(s->nodes[0].addr, cmd.ip);
        world_command(s, i, &cmd);
    }
}

/* True if everybody knows everybody. */
static bool introduced(struct hs_sim *s)
{
    bool all = true;

    for (uint32_t i = 0; i < s->n; i++) {
        uint32_t known = s->nodes[i].running ? view_known(s, i) : s->n;
        if (known == 1) {
            meet(s, i);
        }
        all = all && known == s->n;
    }
    return all;
}

/* True if every replica has its master. */
static bool placed(struct hs_sim *s)
{
    bool all = true;

    for (uint32_t i = s->opts.masters; i < s->n; i++) {
        uint32_t master = (i - s->opts.masters) % s->opts.masters;
        struct hs_cmd cmd = {.type = HS_CMD_REPLICATE, .id = s->nodes[master].id};
        if (s->nodes[i].running && view_is_master(s, i)) {
            all = world_command(s, i, &cmd) == HS_CMD_OK && all;
        }
    }
    return all;
}

void join_next(struct hs_sim *s)
{
    switch (s->join) {
    case JOIN_MEET:
        meet(s, s->join_next++);
        if (s->join_next == s->n) {
            s->join = JOIN_WAIT;
        }
        again(s, MEET_EVERY_US);
        break;
    case JOIN_WAIT:
        if (introduced(s)) {
            s->join = JOIN_REPLICATE;
        }
        again(s, LOOK_EVERY_US);
        break;
    case JOIN_REPLICATE:
        if (placed(s)) {
            s->join = JOIN_DONE;
        } else {
            again(s, LOOK_EVERY_US);
        }
        break;
    case JOIN_DONE:
        break;
    }
}
