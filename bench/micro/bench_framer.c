/* bench_framer.c - from receive buffers to whole frames, each frame cut by the
 * buffers' ends as it is on a busy link; and on to a checked view.
 */
#include <stdlib.h>

#include "framer.h"
#include "frames.h"
#include "micro.h"

enum { FRAMES = 16, BUFFER = 16384, SLAB = 4 << 20, FRAME_MAX = 1 << 20 };

struct stream {
    struct slab slab;
    struct framer framer;
    uint32_t frame_len;
    size_t len, at; /* at: where the next buffer begins */
    uint8_t bytes[FRAMES * (HS_HDR_LEN + 1000 * HS_GOSSIP_LEN)];
};

static void *setup(uint64_t entries_n)
{
    struct stream *s = calloc(1, sizeof(*s));

    if (s == NULL || slab_init(&s->slab, SLAB, FRAME_MAX) != 0) {
        abort();
    }
    for (uint32_t i = 0; i < FRAMES; i++) {
        s->frame_len =
            frames_ping(s->bytes + s->len, 10 * (uint32_t)entries_n, i + 1, 2, (uint32_t)entries_n);
        s->len += s->frame_len;
    }
    return s;
}

/* The frames that end in one buffer. */
static uint64_t buffer(struct stream *s)
{
    size_t end = s->at + BUFFER < s->len ? s->at + BUFFER : s->len;
    uint64_t whole = 0;

    while (s->at < end) {
        enum hs_wire_err err;
        size_t used;
        if (framer_feed(&s->framer, &s->slab, FRAME_MAX, s->bytes + s->at, end - s->at, &used,
                        &err) == FRAMER_WHOLE) {
            struct hs_frame *f = framer_take(&s->framer);
            struct hs_view v;
            if (hs_wire_check(f->bytes, f->len, &v) != HS_WIRE_OK) {
                abort();
            }
            micro_keep(&v);
            slab_put(&s->slab, f);
            whole++;
        }
        s->at += used;
    }
    s->at = s->at == s->len ? 0 : s->at;
    return whole;
}

static void frames(void *ctx, uint64_t n)
{
    struct stream *s = ctx;

    for (uint64_t done = 0; done < n;) {
        done += buffer(s);
    }
}

int main(int argc, char **argv)
{
    static const struct micro_case cases[] = {
        {"frame_10_entries", frames, setup, 10},
        {"frame_100_entries", frames, setup, 100},
        {"frame_500_entries", frames, setup, 500},
    };

    return micro_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
