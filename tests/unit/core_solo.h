/* core_solo.h - one core whose peers are played by the test, frame by frame.
 *
 * Node 0 is the core, with the letter 'a' as its id and shard; the others are
 * 'b', 'c', ... All invariants are walked after every step.
 */
#ifndef CORE_SOLO_H
#define CORE_SOLO_H

#include "core_int.h"

#include <check.h>
#include <stdlib.h>

enum { SOLO_FRAME_MAX = 16384 };

struct solo {
    struct hs_core_opts opts;
    struct hs_core_conf conf;
    struct hs_now now;
    struct hs_core *core;
    struct hs_actions acts; /* of the last step */
    uint32_t links_n;       /* places given to connections so far */
    uint8_t frame[SOLO_FRAME_MAX];
};

/* What solo_start() wants: change opts and conf before it. */
void solo_init(struct solo *s);
/* A topology of n masters without slots, all with an address. */
struct hs_topo *solo_topo(uint32_t n);
void solo_start(struct solo *s, struct hs_topo *boot); /* takes boot */
void solo_fini(struct solo *s);

void solo_step(struct solo *s, const struct hs_event *ev);
void solo_tick(struct solo *s, int64_t later_ms);
void solo_saved(struct solo *s); /* everything asked for so far */
enum hs_cmd_err solo_command(struct solo *s, struct hs_cmd cmd);
struct hs_link solo_accept(struct solo *s);
/* The dial of the last step's CONNECT; fails the test if there is none. */
struct hs_dial solo_dial(const struct solo *s);
struct hs_link solo_connected(struct solo *s, struct hs_dial d);
/* The core connects to that node, as it does on its own. */
struct hs_link solo_connect(struct solo *s, uint16_t ix);

struct hs_node_id solo_id(uint32_t i);
/* A header as that node would send it: a master without slots. */
struct hs_hdr solo_hdr(uint32_t i);
/* A PING, PONG or MEET with one gossip entry, if any, and our extensions bytes, if any. */
void solo_ping(struct solo *s, struct hs_link l, uint16_t type, const struct hs_hdr *h,
               const struct hs_gossip *g);
/* A PING with n gossip entries. */
void solo_section(struct solo *s, struct hs_link l, const struct hs_hdr *h,
                  const struct hs_gossip *entries, uint16_t n);
void solo_plain(struct solo *s, struct hs_link l, uint16_t type, const struct hs_hdr *h);

/* How many actions of that type, how many messages, in the last step. */
uint32_t solo_count(const struct solo *s, enum hs_action_type type);
uint32_t solo_sent(const struct solo *s, uint16_t msg_type);
/* The k-th message of that type of the last step; fails the test if there is none. */
struct hs_view solo_msg(const struct solo *s, uint16_t msg_type, uint32_t k);

#endif
