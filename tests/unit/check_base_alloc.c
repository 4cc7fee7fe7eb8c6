/* Zeroed, aligned, and free of charge until it is touched. */
#include "hs_test.h"

#include "hearsay/base.h"

#include <signal.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const size_t SIZES[] = {1, 63, 64, 65, 4096, 100000, (1u << 20) - 64, 1u << 20, 3000000};
enum { SIZES_N = sizeof(SIZES) / sizeof(SIZES[0]) };

static bool is_zero(const uint8_t *p, size_t n)
{
    return p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

#ifndef HS_SANITIZE /* a sanitizer's own heap decides otherwise */
static long resident_kib(void)
{
    long pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fscanf(f, "%ld %ld", &pages, &resident), 2);
    fclose(f);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

START_TEST(a_gibibyte_costs_nothing_until_it_is_touched)
{
    const size_t n = (size_t)1 << 30;
    long before = resident_kib();
    uint8_t *p = hs_alloc(n);

    ck_assert_ptr_nonnull(p);
    ck_assert_int_lt(resident_kib() - before, 4096);
    for (size_t off = 0; off < n; off += n / 64)
        p[off] = 1;
    ck_assert_int_lt(resident_kib() - before, 8192);
    hs_free(p);
    ck_assert_int_lt(resident_kib() - before, 4096);
}
END_TEST
#endif

START_TEST(memory_is_zeroed_aligned_and_usable_to_its_last_byte)
{
    for (int round = 0; round < 3; round++) { /* again, after somebody dirtied it */
        for (int i = 0; i < SIZES_N; i++) {
            uint8_t *p = hs_alloc(SIZES[i]);
            ck_assert_ptr_nonnull(p);
            ck_assert_uint_eq((uintptr_t)p % 64, 0);
            ck_assert(is_zero(p, SIZES[i]));
            memset(p, 0xA5, SIZES[i]);
            hs_free(p);
        }
    }
}
END_TEST

START_TEST(what_cannot_be_had_is_null_and_freeing_null_is_fine)
{
    ck_assert_ptr_null(hs_alloc(SIZE_MAX));
    ck_assert_ptr_null(hs_alloc(SIZE_MAX - 100));
    hs_free(NULL);
}
END_TEST

START_TEST(freeing_what_was_not_allocated_here_is_a_broken_invariant)
{
    static alignas(64) uint8_t not_ours[256];

    hs_free(not_ours + 128);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("base alloc");
    TCase *tc = tcase_create("alloc");

    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, memory_is_zeroed_aligned_and_usable_to_its_last_byte);
#ifndef HS_SANITIZE
    tcase_add_test(tc, a_gibibyte_costs_nothing_until_it_is_touched);
#endif
    tcase_add_test(tc, what_cannot_be_had_is_null_and_freeing_null_is_fine);
    tcase_add_test_raise_signal(tc, freeing_what_was_not_allocated_here_is_a_broken_invariant,
                                SIGABRT);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
