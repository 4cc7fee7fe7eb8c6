/* core_world.h - a few cores and a network between them, in virtual time.
 *
 * Every message is delivered after DELAY_MS as the bytes it would be, checked
 * again on arrival. All invariants of every core are walked after every step.
 */
#ifndef CORE_WORLD_H
#define CORE_WORLD_H

#include "core_int.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORLD_MAX = 12, WORLD_LINKS = 64, WORLD_QUEUE = 4096, DELAY_MS = 1, SAVE_MS = 3 };

struct world_event {
    int64_t at;
    uint64_t seq;
    int to;
    enum hs_event_type type;
    struct hs_link link;
    struct hs_dial dial;
    struct hs_link_up up;
    uint64_t saved_seq;
    uint8_t *bytes; /* of a frame */
    uint32_t len;
    struct hs_topo *saving; /* becomes durable with HS_EV_SAVED */
    uint32_t life;          /* of the node this was meant for */
};

struct world_link { /* one end of a connection */
    bool up;
    uint32_t gen;
    int peer;
    struct hs_link peer_link;
};

struct world_node {
    struct hs_core *core;
    void *mem;
    bool running;
    bool deaf; /* runs, but nothing reaches it and nothing leaves it */
    bool disk_stuck;
    int64_t skew_ms;
    struct world_link links[WORLD_LINKS];
    uint32_t life; /* changes with every start */
    struct hs_topo *disk;
    uint32_t notes[HS_NOTES];
    enum hs_cmd_err err; /* of the last command */
    int64_t number;
    uint64_t saves;
};

struct world {
    int64_t now;
    uint64_t seq;
    int n;
    struct world_node node[WORLD_MAX];
    struct world_event *queue[WORLD_QUEUE];
    uint32_t queue_n;
    struct hs_actions acts;
    uint64_t sent_n;
    int64_t last_number; /* of the last note */
    void (*tap)(struct world *w, int from, int to, const struct hs_view *v);
    struct hs_core_conf conf; /* for world_add() */
    uint32_t nodes_max;
};

void world_init(struct world *w, uint32_t timeout_ms);
void world_fini(struct world *w);
/* A fresh node; its id is that digit 40 times ('a' + i beyond 9). Port 7000 + i. */
int world_add(struct world *w);
/* Runs until then, all due events in order. */
void world_run(struct world *w, int64_t ms);
void world_kill(struct world *w, int i);
/* Starts again from what was last saved. */
void world_restart(struct world *w, int i);
void world_command(struct world *w, int i, struct hs_cmd cmd);
void world_meet(struct world *w, int i, int j);
void world_slots(struct world *w, int i, uint16_t first, uint16_t last);
/* Index of j in i's table, or NIL16. */
uint16_t world_find(struct world *w, int i, int j);
/* True if all running nodes agree on every node's flags, epoch and slots. */
bool world_agrees(struct world *w);
void world_frame(struct world *w, int to, struct hs_link l, const uint8_t *bytes, uint32_t len);

#endif
