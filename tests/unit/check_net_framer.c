/* A stream of bytes becomes frames, wherever it is cut. */
#include "hs_test.h"

#include "framer.h"

#include <string.h>

enum { FRAME_MAX = 300000, LENS_N = 7 };

static const uint32_t LENS[LENS_N] = {16, 17, 100, 4032, 4033, 70000, 299999};
static uint8_t stream[600000];
static struct slab slab;
static struct framer framer;

/* A light PUBLISH header of that length with numbered bytes behind it. */
static uint32_t put_frame(uint8_t *dst, uint32_t len, uint32_t seed)
{
    for (uint32_t i = 0; i < len; i++)
        dst[i] = (uint8_t)(seed + i * 7 + (i >> 8));
    memcpy(dst, "RCmb", 4);
    hs_put32(dst + HS_OFF_TOTLEN, len);
    hs_put16(dst + HS_OFF_VER, 1);
    hs_put16(dst + HS_OFF_TYPE, 0x8000u | HS_MSG_PUBLISH);
    return len;
}

static void setup(void)
{
    framer = (struct framer){0};
    ck_assert_int_eq(slab_init(&slab, 4 << 20, FRAME_MAX), 0);
}

static void teardown(void)
{
    framer_reset(&framer, &slab);
    ck_assert_uint_eq(slab.used, 0);
    slab_fini(&slab);
}

/* Feeds n bytes in pieces; every frame that comes out must be the next of LENS. */
static uint32_t feed(const uint8_t *p, uint32_t n, uint32_t piece)
{
    uint32_t frames_n = 0, frame_off = 0;

    for (uint32_t off = 0; off < n;) {
        size_t used, len = n - off < piece ? n - off : piece;
        enum hs_wire_err err;
        enum framer_result result =
            framer_feed(&framer, &slab, FRAME_MAX, p + off, len, &used, &err);
        off += (uint32_t)used;
        if (result == FRAMER_MORE) {
            ck_assert_uint_eq(used, len);
            continue;
        }
        ck_assert_int_eq(result, FRAMER_WHOLE);
        struct hs_frame *f = framer_take(&framer);
        ck_assert_uint_eq(f->len, LENS[frames_n]);
        ck_assert_mem_eq(f->bytes, p + frame_off, f->len);
        frame_off += f->len;
        ck_assert_uint_eq(off, frame_off); /* not a byte of the next one */
        slab_put(&slab, f);
        frames_n++;
    }
    return frames_n;
}

START_TEST(frames_come_out_whole_however_the_stream_is_cut)
{
    static const uint32_t PIECES[] = {1, 2, 3, 7, 13, 14, 15, 16, 17, 1000, 4096, 16384, 600000};
    uint32_t n = 0;

    for (uint32_t i = 0; i < LENS_N; i++)
        n += put_frame(stream + n, LENS[i], i);
    for (size_t i = 0; i < sizeof(PIECES) / sizeof(PIECES[0]); i++) {
        ck_assert_uint_eq(feed(stream, n, PIECES[i]), LENS_N);
        ck_assert(!framer_is_partial(&framer));
        ck_assert_uint_eq(slab.used, 0);
    }
}
END_TEST

START_TEST(nothing_is_held_between_frames_nor_for_the_first_bytes)
{
    enum hs_wire_err err;
    size_t used;

    put_frame(stream, 100, 1);
    ck_assert_int_eq(framer_feed(&framer, &slab, FRAME_MAX, stream, 13, &used, &err), FRAMER_MORE);
    ck_assert(framer_is_partial(&framer));
    ck_assert_uint_eq(slab.used, 0);
}
END_TEST

/* Takes blocks until memory counts as short, or until there is none. */
static uint32_t hog(struct hs_frame **hogs, uint32_t max, bool all)
{
    uint32_t n = 0;

    while (n < max && (all || slab_is_ample(&slab)) && (hogs[n] = slab_get(&slab, 60000)) != NULL)
        n++;
    ck_assert_uint_lt(n, max);
    return n;
}

START_TEST(while_memory_is_ample_a_frame_has_its_whole_block_at_once)
{
    enum hs_wire_err err;
    size_t used;

    put_frame(stream, 70000, 1);
    ck_assert_int_eq(framer_feed(&framer, &slab, FRAME_MAX, stream, 100, &used, &err), FRAMER_MORE);
    ck_assert_uint_eq(slab.used, 131072);
    struct hs_frame *first = framer.frame;
    framer_feed(&framer, &slab, FRAME_MAX, stream + 100, 69900, &used, &err);
    ck_assert_ptr_eq(framer_take(&framer), first);
    slab_put(&slab, first);
}
END_TEST

START_TEST(short_memory_is_taken_for_bytes_that_came_not_for_bytes_announced)
{
    struct hs_frame *hogs[64];
    uint32_t hogs_n = hog(hogs, 64, false);
    uint64_t before = slab.used;
    enum hs_wire_err err;
    size_t used;

    put_frame(stream, 299999, 1);
    ck_assert_int_eq(framer_feed(&framer, &slab, FRAME_MAX, stream, 100, &used, &err), FRAMER_MORE);
    ck_assert_uint_eq(slab.used - before, SLAB_PAGE);
    framer_feed(&framer, &slab, FRAME_MAX, stream + 100, 20000, &used, &err);
    ck_assert_uint_le(slab.used - before, 32768);
    while (hogs_n > 0)
        slab_put(&slab, hogs[--hogs_n]);
}
END_TEST

START_TEST(without_memory_the_bytes_stay_and_the_frame_is_completed_later)
{
    struct hs_frame *hogs[64];
    uint32_t hogs_n = hog(hogs, 64, false);
    enum hs_wire_err err;
    size_t used, again;

    put_frame(stream, 70000, 3);
    framer_feed(&framer, &slab, FRAME_MAX, stream, 3000, &used, &err);
    hogs_n += hog(hogs + hogs_n, 64 - hogs_n, true);
    ck_assert_int_eq(framer_feed(&framer, &slab, FRAME_MAX, stream + 3000, 67000, &used, &err),
                     FRAMER_NO_MEMORY);
    ck_assert_uint_eq(used, 0);
    for (uint32_t i = 0; i < hogs_n; i++)
        slab_put(&slab, hogs[i]);
    ck_assert_int_eq(framer_feed(&framer, &slab, FRAME_MAX, stream + 3000, 67000, &used, &err),
                     FRAMER_WHOLE);
    /* Asked again, with or without bytes, it says the same and takes nothing. */
    ck_assert_int_eq(framer_feed(&framer, &slab, FRAME_MAX, NULL, 0, &again, &err), FRAMER_WHOLE);
    ck_assert_int_eq(framer_feed(&framer, &slab, FRAME_MAX, stream, 50, &again, &err),
                     FRAMER_WHOLE);
    ck_assert_uint_eq(again, 0);
    struct hs_frame *f = framer_take(&framer);
    ck_assert_mem_eq(f->bytes, stream, 70000);
    slab_put(&slab, f);
}
END_TEST

START_TEST(where_only_small_blocks_are_free_a_frame_begins_in_one)
{
    static struct hs_frame *pages[2048];
    uint32_t pages_n = 0;
    enum hs_wire_err err;
    size_t used;

    while ((pages[pages_n] = slab_get(&slab, 1)) != NULL)
        pages_n++;
    for (uint32_t i = 0; i < pages_n; i++)
        if (i % 8 != 0)
            slab_put(&slab, pages[i]);
    ck_assert(slab_is_ample(&slab));
    put_frame(stream, 70000, 1);
    ck_assert_int_eq(framer_feed(&framer, &slab, FRAME_MAX, stream, 3000, &used, &err),
                     FRAMER_MORE);
    ck_assert_int_eq(framer_feed(&framer, &slab, FRAME_MAX, stream + 3000, 4000, &used, &err),
                     FRAMER_MORE);
    ck_assert_uint_eq(framer.have, 7000);
    for (uint32_t i = 0; i < pages_n; i += 8)
        slab_put(&slab, pages[i]);
    ck_assert_int_eq(framer_feed(&framer, &slab, FRAME_MAX, stream + 7000, 63000, &used, &err),
                     FRAMER_WHOLE);
    struct hs_frame *f = framer_take(&framer);
    ck_assert_mem_eq(f->bytes, stream, 70000);
    slab_put(&slab, f);
}
END_TEST

START_TEST(a_lost_stream_is_told_at_the_first_byte_that_proves_it)
{
    enum hs_wire_err err;
    size_t used;

    ck_assert_int_eq(
        framer_feed(&framer, &slab, FRAME_MAX, (const uint8_t *)"RCmX", 4, &used, &err),
        FRAMER_BAD);
    ck_assert_int_eq(err, HS_WIRE_SIGNATURE);
    framer_reset(&framer, &slab);
    put_frame(stream, FRAME_MAX + 1, 1);
    ck_assert_int_eq(framer_feed(&framer, &slab, FRAME_MAX, stream, 100, &used, &err), FRAMER_BAD);
    ck_assert_int_eq(err, HS_WIRE_TOO_LONG);
    ck_assert_uint_eq(slab.used, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("net framer");
    TCase *tc = tcase_create("framer");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, frames_come_out_whole_however_the_stream_is_cut);
    tcase_add_test(tc, nothing_is_held_between_frames_nor_for_the_first_bytes);
    tcase_add_test(tc, while_memory_is_ample_a_frame_has_its_whole_block_at_once);
    tcase_add_test(tc, short_memory_is_taken_for_bytes_that_came_not_for_bytes_announced);
    tcase_add_test(tc, without_memory_the_bytes_stay_and_the_frame_is_completed_later);
    tcase_add_test(tc, where_only_small_blocks_are_free_a_frame_begins_in_one);
    tcase_add_test(tc, a_lost_stream_is_told_at_the_first_byte_that_proves_it);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
