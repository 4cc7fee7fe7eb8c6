/* hash.c - the fingerprint of a slot bitmap, so that an unchanged one is not walked.
 *
 * Every PING carries 2048 bytes of bitmap that hardly ever change. Two equal
 * hashes are taken for two equal bitmaps, so a step must not let a difference
 * cancel in the next one: each multiplies two words into 128 bits and folds
 * them, which depends on the data in both factors. Four independent lanes keep
 * the multiplier busy.
 *
 * A master claims a small part of all slots, mostly side by side, so most of its
 * bitmap is zero. Strides that are cost a test and no step; to keep equal bytes
 * at another place different, each step takes its place in.
 *
 * The value depends on the byte order of the machine and never leaves it.
 */
#include "wire_int.h"

#include <string.h>

enum { LANES = 4, LANE_BYTES = 16, STRIDE = LANES * LANE_BYTES };
_Static_assert(HS_SLOTS_BYTES % STRIDE == 0, "whole strides only");

static uint64_t load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

typedef uint64_t words2 __attribute__((vector_size(16)));

static words2 load128(const uint8_t *p)
{
    words2 w;

    memcpy(&w, p, sizeof(w));
    return w;
}

static bool is_zero(const uint8_t *stride)
{
    words2 any =
        load128(stride) | load128(stride + 16) | load128(stride + 32) | load128(stride + 48);

    return (any[0] | any[1]) == 0;
}
_Static_assert(STRIDE == 64, "four loads");

uint64_t hs_wire_slots_hash(const uint8_t slots[HS_SLOTS_BYTES])
{
    /* Odd constants without pattern: digits of pi. Any would do, different in every lane. */
    static const uint64_t key[LANES] = {0x243f6a8885a308d3, 0x13198a2e03707345, 0xa4093822299f31d1,
                                        0x082efa98ec4e6c89};
    uint64_t lane[LANES] = {key[3], key[2], key[1], key[0]};

    for (size_t off = 0; off < HS_SLOTS_BYTES; off += STRIDE) {
        if (is_zero(slots + off)) {
            continue;
        }
        for (size_t i = 0; i < LANES; i++) {
            const uint8_t *p = slots + off + i * LANE_BYTES;

            lane[i] = mix(load64(p) ^ lane[i], load64(p + 8) ^ (key[i] + off)) + lane[i];
        }
    }
    uint64_t h = mix(lane[0] ^ key[1], lane[1] ^ key[2]) ^ mix(lane[2] ^ key[3], lane[3] ^ key[0]);

    return h != 0 ? h : 1; /* 0 is the view of a frame without a bitmap */
}
