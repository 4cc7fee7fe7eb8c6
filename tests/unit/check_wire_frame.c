/* check_wire_frame.c - framing: where a frame ends, and what closes a link. */
#include "hearsay/wire.h"
#include "hs_test.h"

#include <string.h>

enum { LEN_MAX = 100000 };

static uint8_t start[HS_FRAME_PEEK];

static void setup(void)
{
    memset(start, 0, sizeof(start));
    memcpy(start, "RCmb", 4);
    hs_put32(start + HS_OFF_TOTLEN, HS_HDR_LEN);
    hs_put16(start + HS_OFF_VER, 1);
}

static enum hs_wire_err framed(size_t n, uint32_t *len)
{
    uint8_t *exact = malloc(n > 0 ? n : 1); /* a sanitizer sees a read past n */

    memcpy(exact, start, n);
    enum hs_wire_err e = hs_wire_frame_len(exact, n, LEN_MAX, len);

    free(exact);
    return e;
}

START_TEST(a_full_frame_is_known_after_eight_bytes)
{
    uint32_t len = 0;

    for (size_t n = 0; n < 8; n++)
        ck_assert_int_eq(framed(n, &len), HS_WIRE_MORE);
    ck_assert_int_eq(framed(8, &len), HS_WIRE_OK);
    ck_assert_uint_eq(len, HS_HDR_LEN);
    ck_assert_int_eq(framed(HS_FRAME_PEEK, &len), HS_WIRE_OK);
}
END_TEST

START_TEST(a_wrong_signature_shows_at_its_first_wrong_byte)
{
    uint32_t len;

    for (size_t i = 0; i < 4; i++) {
        setup();
        start[i] ^= 1;
        for (size_t n = 0; n <= HS_FRAME_PEEK; n++)
            ck_assert_int_eq(framed(n, &len), n <= i ? HS_WIRE_MORE : HS_WIRE_SIGNATURE);
    }
}
END_TEST

START_TEST(a_short_frame_waits_for_its_type_and_must_be_light)
{
    uint32_t len = 0;

    hs_put32(start + HS_OFF_TOTLEN, HS_HDR_LEN - 1);
    for (size_t n = 8; n < HS_FRAME_PEEK; n++)
        ck_assert_int_eq(framed(n, &len), HS_WIRE_MORE);
    ck_assert_int_eq(framed(HS_FRAME_PEEK, &len), HS_WIRE_SHORT);
    hs_put16(start + HS_OFF_TYPE, 0x8000 | HS_MSG_PUBLISH);
    ck_assert_int_eq(framed(HS_FRAME_PEEK, &len), HS_WIRE_OK);
    ck_assert_uint_eq(len, HS_HDR_LEN - 1);
}
END_TEST

START_TEST(no_frame_is_shorter_than_a_light_header)
{
    uint32_t len;

    hs_put16(start + HS_OFF_TYPE, 0x8000 | HS_MSG_PUBLISH);
    hs_put32(start + HS_OFF_TOTLEN, HS_LIGHT_HDR_LEN);
    ck_assert_int_eq(framed(HS_FRAME_PEEK, &len), HS_WIRE_OK);
    hs_put32(start + HS_OFF_TOTLEN, HS_LIGHT_HDR_LEN - 1);
    ck_assert_int_eq(framed(8, &len), HS_WIRE_SHORT);
    hs_put32(start + HS_OFF_TOTLEN, 0);
    ck_assert_int_eq(framed(8, &len), HS_WIRE_SHORT);
}
END_TEST

START_TEST(the_bound_is_inclusive)
{
    uint32_t len = 0;

    hs_put32(start + HS_OFF_TOTLEN, LEN_MAX);
    ck_assert_int_eq(framed(8, &len), HS_WIRE_OK);
    ck_assert_uint_eq(len, LEN_MAX);
    hs_put32(start + HS_OFF_TOTLEN, LEN_MAX + 1);
    ck_assert_int_eq(framed(8, &len), HS_WIRE_TOO_LONG);
    hs_put32(start + HS_OFF_TOTLEN, UINT32_MAX);
    ck_assert_int_eq(framed(8, &len), HS_WIRE_TOO_LONG);
}
END_TEST

START_TEST(the_longest_frame_grows_with_the_cluster)
{
    uint32_t before = 0;

    ck_assert_uint_eq(hs_wire_frame_max(0), HS_FRAME_FLOOR);
    ck_assert_uint_eq(hs_wire_frame_max(6), HS_FRAME_FLOOR);
    for (uint32_t nodes = 1; nodes <= 65535; nodes += 97) {
        uint32_t max = hs_wire_frame_max(nodes);

        ck_assert_uint_ge(max, HS_HDR_LEN + nodes * (HS_GOSSIP_LEN + 56));
        ck_assert_uint_ge(max, before);
        before = max;
    }
    /* The count field has 16 bits, so a larger cluster cannot send more. */
    ck_assert_uint_eq(hs_wire_frame_max(UINT32_MAX), hs_wire_frame_max(65535));
}
END_TEST

START_TEST(every_verdict_and_type_has_its_own_name)
{
    for (unsigned a = 0; a < HS_WIRE_ERRS; a++)
        for (unsigned b = 0; b < a; b++)
            ck_assert_str_ne(hs_wire_err_str((enum hs_wire_err)a),
                             hs_wire_err_str((enum hs_wire_err)b));
    for (uint16_t a = 0; a < HS_MSG_TYPES; a++)
        for (uint16_t b = 0; b < a; b++)
            ck_assert_str_ne(hs_wire_type_name(a), hs_wire_type_name(b));
    ck_assert_str_eq(hs_wire_type_name(HS_MSG_AUTH_REQUEST), "auth-req");
    ck_assert_str_eq(hs_wire_err_str(HS_WIRE_TOO_LONG), "too-long");
    ck_assert_ptr_null(hs_wire_type_name(HS_MSG_TYPES));
    ck_assert_ptr_null(hs_wire_type_name(UINT16_MAX));
    ck_assert_str_eq(hs_wire_err_str(HS_WIRE_ERRS), "unknown");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wire frame");
    TCase *tc = tcase_create("framing");

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, a_full_frame_is_known_after_eight_bytes);
    tcase_add_test(tc, a_wrong_signature_shows_at_its_first_wrong_byte);
    tcase_add_test(tc, a_short_frame_waits_for_its_type_and_must_be_light);
    tcase_add_test(tc, no_frame_is_shorter_than_a_light_header);
    tcase_add_test(tc, the_bound_is_inclusive);
    tcase_add_test(tc, the_longest_frame_grows_with_the_cluster);
    tcase_add_test(tc, every_verdict_and_type_has_its_own_name);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
