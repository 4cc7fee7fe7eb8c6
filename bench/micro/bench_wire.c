/* bench_wire.c - the cost of looking at a frame and of writing one. */
#include <stdlib.h>

#include "frames.h"
#include "micro.h"

struct wire {
    uint32_t len, entries_n;
    uint8_t frame[HS_HDR_LEN + 1000 * HS_GOSSIP_LEN];
};

static void *wire_setup(uint64_t entries_n)
{
    struct wire *w = calloc(1, sizeof(*w));

    if (w == NULL) {
        abort();
    }
    w->entries_n = (uint32_t)entries_n;
    w->len = frames_ping(w->frame, 10 * w->entries_n, 1, 2, w->entries_n);
    return w;
}

static void check(void *ctx, uint64_t n)
{
    struct wire *w = ctx;

    for (uint64_t i = 0; i < n; i++) {
        struct hs_view v;
        enum hs_wire_err err = hs_wire_check(w->frame, w->len, &v);
        micro_keep(&v);
        if (err != HS_WIRE_OK) {
            abort();
        }
    }
}

static void frame_len(void *ctx, uint64_t n)
{
    struct wire *w = ctx;
    uint32_t len;

    for (uint64_t i = 0; i < n; i++) {
        if (hs_wire_frame_len(w->frame, w->len, 1u << 22, &len) != HS_WIRE_OK) {
            abort();
        }
        micro_keep(&len);
    }
}

static void slots_hash(void *ctx, uint64_t n)
{
    struct wire *w = ctx;

    for (uint64_t i = 0; i < n; i++) {
        uint64_t hash = hs_wire_slots_hash(w->frame + HS_OFF_SLOTS);
        micro_keep(&hash);
    }
}

static void build_hdr(void *ctx, uint64_t n)
{
    struct wire *w = ctx;
    struct hs_hdr h = {.slots = w->frame + HS_OFF_SLOTS, .myip = "10.0.0.1", .port = 6379};
    uint8_t hdr[HS_HDR_LEN];

    for (uint64_t i = 0; i < n; i++) {
        h.current_epoch = i;
        hs_wire_build_hdr(hdr, &h);
        micro_keep(hdr);
    }
}

static void put_gossip(void *ctx, uint64_t n)
{
    struct hs_gossip g = {.ip = "10.0.0.1", .port = 6379, .cport = 16379};
    uint8_t entry[HS_GOSSIP_LEN];

    (void)ctx;
    for (uint64_t i = 0; i < n; i++) {
        g.pong_received = (uint32_t)i;
        hs_wire_put_gossip(entry, &g);
        micro_keep(entry);
    }
}

int main(int argc, char **argv)
{
    static const struct micro_case cases[] = {
        {"frame_len", frame_len, wire_setup, 100},
        {"check_10_entries", check, wire_setup, 10},
        {"check_100_entries", check, wire_setup, 100},
        {"check_500_entries", check, wire_setup, 500},
        {"slots_hash", slots_hash, wire_setup, 100},
        {"build_hdr", build_hdr, wire_setup, 100},
        {"put_gossip", put_gossip, NULL, 0},
    };

    return micro_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
