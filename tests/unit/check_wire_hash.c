/* check_wire_hash.c - two bitmaps that differ must have two hashes.
 *
 * The differences tried are those of real life: a slot claimed, a slot moved.
 */
#include "hearsay/wire.h"
#include "hs_test.h"

#include <string.h>

START_TEST(every_slot_changes_the_hash)
{
    uint8_t slots[HS_SLOTS_BYTES] = {0};
    uint64_t none = hs_wire_slots_hash(slots);

    ck_assert_uint_ne(none, 0);
    for (uint32_t slot = 0; slot < HS_SLOTS; slot++) {
        slots[slot / 8] = (uint8_t)(1u << slot % 8);
        ck_assert_uint_ne(hs_wire_slots_hash(slots), none);
        slots[slot / 8] = 0;
    }
}
END_TEST

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

START_TEST(moving_one_slot_never_repeats_a_hash)
{
    enum { TRIALS = 40000 };
    static uint64_t seen[TRIALS];
    uint8_t slots[HS_SLOTS_BYTES];
    uint32_t n = 0;

    /* A slot of a range handed over for another, near and far: what migrations do. */
    memset(slots, 0xff, sizeof(slots) / 3);
    memset(slots + sizeof(slots) / 3, 0, sizeof(slots) - sizeof(slots) / 3);
    for (uint32_t a = 0; a < 200; a++) {
        for (uint32_t b = 0; b < TRIALS / 200; b++, n++) {
            uint32_t out = a * 27, in = 16383 - b * 53;

            slots[out / 8] ^= (uint8_t)(1u << out % 8);
            slots[in / 8] ^= (uint8_t)(1u << in % 8);
            seen[n] = hs_wire_slots_hash(slots);
            slots[out / 8] ^= (uint8_t)(1u << out % 8);
            slots[in / 8] ^= (uint8_t)(1u << in % 8);
        }
    }
    qsort(seen, n, sizeof(seen[0]), by_value);
    for (uint32_t i = 1; i < n; i++)
        ck_assert_uint_ne(seen[i - 1], seen[i]);
}
END_TEST

START_TEST(a_word_that_cancels_a_factor_does_not_hide_what_was_before_it)
{
    /* Lane 0's key: the second factor becomes zero, and with it the product. */
    static const uint64_t key = 0x243f6a8885a308d3;
    uint8_t slots[HS_SLOTS_BYTES] = {0};

    memcpy(slots + 1024 + 8, &key, sizeof(key));
    uint64_t before = hs_wire_slots_hash(slots);

    slots[0] = 1;
    ck_assert_uint_ne(hs_wire_slots_hash(slots), before);
}
END_TEST

START_TEST(the_same_bytes_at_another_place_are_another_bitmap)
{
    enum { PLACES = HS_SLOTS_BYTES / 8 };
    static uint64_t seen[PLACES];
    uint8_t slots[HS_SLOTS_BYTES] = {0};

    /* One node's claim of 64 slots and the next one's: zeros are passed over. */
    for (uint32_t i = 0; i < PLACES; i++) {
        memset(slots + (size_t)i * 8, 0xff, 8);
        seen[i] = hs_wire_slots_hash(slots);
        memset(slots + (size_t)i * 8, 0, 8);
    }
    qsort(seen, PLACES, sizeof(seen[0]), by_value);
    for (uint32_t i = 1; i < PLACES; i++)
        ck_assert_uint_ne(seen[i - 1], seen[i]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wire hash");
    TCase *tc = tcase_create("hash");

    tcase_add_test(tc, every_slot_changes_the_hash);
    tcase_add_test(tc, moving_one_slot_never_repeats_a_hash);
    tcase_add_test(tc, a_word_that_cancels_a_factor_does_not_hide_what_was_before_it);
    tcase_add_test(tc, the_same_bytes_at_another_place_are_another_bitmap);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
