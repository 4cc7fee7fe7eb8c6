/* check_wire_damage.c - captured frames cut short or with one wrong byte.
 *
 * Whatever the verdict, neither check nor any reader may leave the frame, which
 * lives in memory of exactly its length so that a sanitizer sees it.
 */
#include "golden.h"
#include "hs_test.h"
#include "wire_walk.h"

static uint8_t base[GOLDEN_MAX];

/* The verdict on the first len bytes of base. */
static enum hs_wire_err verdict(uint32_t len)
{
    struct hs_view v;

    return wire_verdict(base, len, &v);
}

static const char *const victims[] = {
    "valkey-8.0-PING-ext-clientip",
    "redis-7.2-PING-forget",
    "redis-6.2-PING-pfail",
    "redis-7.0-UPDATE",
    "valkey-8.0-PUBLISH-LIGHT",
    "redis-7.0-PUBLISH",
    "redis-7.0-MODULE",
};
enum { VICTIMS = sizeof(victims) / sizeof(victims[0]) };

START_TEST(no_truncation_is_read_past_its_end)
{
    uint32_t base_len = golden_load(victims[_i], base);

    for (uint32_t len = 0; len < base_len; len++)
        ck_assert_int_ne(verdict(len), HS_WIRE_OK);
}
END_TEST

START_TEST(no_wrong_byte_makes_a_reader_leave_the_frame)
{
    static const uint8_t flips[] = {0x01, 0x80, 0xff, 0x20};

    uint32_t base_len = golden_load(victims[_i], base);

    for (uint32_t at = 0; at < base_len; at++) {
        /* Most of a frame is bitmap: one byte in 64 of it is enough. */
        if (at >= HS_OFF_SLOTS && at < HS_OFF_SLAVEOF && at % 64 != 0)
            continue;
        for (size_t k = 0; k < sizeof(flips); k++) {
            base[at] ^= flips[k];
            verdict(base_len);
            base[at] ^= flips[k];
        }
    }
    ck_assert_int_eq(verdict(base_len), HS_WIRE_OK);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wire damage");
    TCase *tc = tcase_create("bytes");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, no_truncation_is_read_past_its_end, 0, VICTIMS);
    tcase_add_loop_test(tc, no_wrong_byte_makes_a_reader_leave_the_frame, 0, VICTIMS);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
