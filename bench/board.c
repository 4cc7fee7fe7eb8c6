/* board.c - what the peers say of each other. All of them say the same, except
 * that each picks a window of its own: gossip costs the tool no copying.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { STAGES = 16 }; /* the dead are noticed in as many steps over half a node timeout */

/* A stock node suspects another a node timeout after a PING that stayed
 * without answer, and it sends one every half timeout. */
static bool noticed(const struct worker *w, uint32_t peer)
{
    int64_t killed = atomic_load(&w->b->killed_at_ns);
    int64_t timeout_ns = (int64_t)w->b->o->node_timeout_ms * 1000000;

    return killed != 0 && !w->b->o->silent &&
           w->now_ns >= killed + timeout_ns + timeout_ns / 2 * (peer % STAGES) / STAGES;
}

/* By then the masters have agreed among themselves, whoever told them. */
static bool agreed(const struct worker *w)
{
    int64_t killed = atomic_load(&w->b->killed_at_ns);

    return killed != 0 && !w->b->o->silent &&
           w->now_ns - killed >= 2 * (int64_t)w->b->o->node_timeout_ms * 1000000;
}

static void set_flags(uint8_t *entry, uint16_t more)
{
    hs_put16(entry + HS_G_FLAGS, (uint16_t)(HS_NODE_MASTER | more));
}

static void fill(struct worker *w, struct board *b)
{
    const struct world *world = &w->b->world;
    bool all_agree = agreed(w);

    for (uint32_t i = 0; i < world->peers_n; i++) {
        uint32_t peer = world->order[i];
        const uint8_t *entry = world->entries + (size_t)peer * HS_GOSSIP_LEN;
        enum suspicion s = atomic_load(&w->b->suspected[peer]);
        uint8_t *to = b->entries + (size_t)b->n * HS_GOSSIP_LEN;
        bool suspect = s == DEAD && !all_agree && noticed(w, peer);
        bool failed = s == REPORTED_FAIL || (s == DEAD && all_agree);

        if (suspect) {
            to = b->suspects + (size_t)b->suspects_n * HS_GOSSIP_LEN;
        }
        memcpy(to, entry, HS_GOSSIP_LEN);
        set_flags(to, suspect ? HS_NODE_PFAIL : failed ? HS_NODE_FAIL : 0);
        b->place[peer] = suspect ? HS_NIL : b->n;
        b->suspects_n += suspect;
        b->n += !suspect;
    }
}

bool board_renew(struct worker *w)
{
    uint32_t peers_n = w->b->world.peers_n;
    struct board *b = calloc(1, sizeof(*b));

    if (b == NULL) {
        return false;
    }
    b->entries = calloc(2 * (size_t)peers_n, HS_GOSSIP_LEN);
    b->suspects = calloc(peers_n, HS_GOSSIP_LEN);
    b->place = calloc(peers_n, sizeof(*b->place));
    if (b->entries == NULL || b->suspects == NULL || b->place == NULL) {
        board_destroy(b);
        return false;
    }
    fill(w, b);
    b->window_n = w->b->world.wanted < b->n ? w->b->world.wanted : b->n - 1;
    b->older = w->board;
    w->board = b;
    board_refresh(w);
    return true;
}

/* The living were heard of at some time in the last half timeout, the dead
 * are as old as they are. With --full-rate nobody says when it heard of
 * others, so that the target must find out about each by itself. */
void board_refresh(struct worker *w)
{
    const struct options *o = w->b->o;
    uint32_t now_s = (uint32_t)(hs_clock().wall.ms / 1000);
    uint32_t spread_s = o->node_timeout_ms / 2000 + 1;
    int64_t killed = atomic_load(&w->b->killed_at_ns);
    uint32_t dead_s = killed == 0 ? 0 : (uint32_t)((w->now_ns - killed) / 1000000000);
    struct board *b = w->board;

    for (uint32_t peer = 0; !o->full_rate && peer < w->b->world.peers_n; peer++) {
        bool dead = atomic_load(&w->b->suspected[peer]) != ALIVE;
        uint8_t *entry;
        if (b->place[peer] != HS_NIL) {
            entry = b->entries + (size_t)b->place[peer] * HS_GOSSIP_LEN;
            hs_put32(entry + HS_G_PONG_RECEIVED, now_s - peer % spread_s - (dead ? dead_s : 0));
        }
    }
    for (uint32_t i = 0; !o->full_rate && i < b->suspects_n; i++) {
        uint8_t *entry = b->suspects + (size_t)i * HS_GOSSIP_LEN;
        hs_put32(entry + HS_G_PING_SENT, now_s - dead_s);
        hs_put32(entry + HS_G_PONG_RECEIVED, now_s - dead_s);
    }
    memcpy(b->entries + (size_t)b->n * HS_GOSSIP_LEN, b->entries, (size_t)b->n * HS_GOSSIP_LEN);
}

void board_destroy(struct board *b)
{
    while (b != NULL) {
        struct board *older = b->older;
        free(b->entries);
        free(b->suspects);
        free(b->place);
        free(b);
        b = older;
    }
}
