/* Memory for outgoing bytes is bounded, shared by many entries, and comes back. */
#include "hs_test.h"

#include "owner_int.h"

enum { STEP = 100000 };

static struct owner_chunks pool;

static void setup(void)
{
    ck_assert(owner_chunks_init(&pool, STEP));
}

static void teardown(void)
{
    owner_chunks_fini(&pool);
}

static struct hs_chunk *fill(uint32_t n)
{
    struct hs_chunk *c = owner_chunks_take(&pool, STEP);
    ck_assert_ptr_nonnull(c);
    c->refs++;
    owner_chunks_filled(c, n);
    return c;
}

START_TEST(a_taken_chunk_has_room_for_a_step)
{
    for (int i = 0; i < 100; i++) {
        struct hs_chunk *c = owner_chunks_take(&pool, STEP);
        ck_assert_ptr_nonnull(c);
        ck_assert_uint_ge(c->size - c->used, STEP);
        c->refs++;
        owner_chunks_filled(c, STEP);
        owner_chunks_done(&pool, c);
    }
    ck_assert_uint_le(pool.n, 2);
}
END_TEST

START_TEST(small_steps_share_a_chunk)
{
    struct hs_chunk *a = fill(10), *b = fill(10);
    ck_assert_ptr_eq(a, b);
    ck_assert_uint_eq(a->used, 32);
}
END_TEST

START_TEST(a_chunk_is_not_reused_while_one_entry_is_out)
{
    struct hs_chunk *a = fill(STEP);
    a->refs++;
    struct hs_chunk *b = fill(STEP), *c = fill(STEP);
    ck_assert_ptr_ne(a, c);
    (void)b;
    owner_chunks_done(&pool, a);
    ck_assert_uint_eq(pool.current->used, c->used);
    ck_assert_ptr_ne(owner_chunks_take(&pool, STEP), NULL);
    ck_assert_ptr_ne(pool.current, a);
}
END_TEST

/* The steps of a large cluster may be large, but most of them are not. */
START_TEST(a_chunk_is_given_up_long_before_it_is_full)
{
    owner_chunks_fini(&pool);
    ck_assert(owner_chunks_init(&pool, 4 * OWNER_CHUNK_FILL));
    struct hs_chunk *first = fill(OWNER_CHUNK_FILL), *second = fill(100);
    ck_assert_ptr_ne(first, second);
    ck_assert_uint_eq(pool.held, OWNER_CHUNK_FILL);
    owner_chunks_done(&pool, first);
    ck_assert_uint_eq(pool.held, 0);
    while (second->used < OWNER_CHUNK_FILL)
        ck_assert_ptr_eq(fill(100), second);
    ck_assert_ptr_eq(fill(100), first);
}
END_TEST

START_TEST(many_half_used_chunks_and_few_full_ones_have_one_bound_in_bytes)
{
    static const uint32_t fills[] = {OWNER_CHUNK_FILL, 4 * OWNER_CHUNK_FILL};

    for (size_t k = 0; k < 2; k++) {
        uint64_t out = 0;
        owner_chunks_fini(&pool);
        ck_assert(owner_chunks_init(&pool, 4 * OWNER_CHUNK_FILL));
        struct hs_chunk *c;
        while ((c = owner_chunks_take(&pool, fills[k])) != NULL) {
            c->refs++;
            owner_chunks_filled(c, fills[k]);
            out += fills[k];
        }
        ck_assert_uint_le(out, OWNER_CHUNKS_BYTES);
        ck_assert_uint_ge(out, OWNER_CHUNKS_BYTES - 2 * pool.size);
    }
}
END_TEST

START_TEST(at_the_bound_there_is_none_until_one_comes_back)
{
    struct hs_chunk *last = NULL, *first = fill(STEP);
    uint32_t n = 1;
    while (owner_chunks_take(&pool, STEP) != NULL) {
        last = fill(STEP);
        n++;
        ck_assert_uint_le(pool.n, pool.max);
    }
    ck_assert_uint_eq(pool.n, pool.max);
    ck_assert_uint_eq(owner_chunks_out(&pool), n);
    ck_assert_ptr_ne(first, last);
    while (first->done < first->refs - 1)
        owner_chunks_done(&pool, first);
    ck_assert_ptr_null(owner_chunks_take(&pool, STEP));
    owner_chunks_done(&pool, first);
    ck_assert_ptr_eq(owner_chunks_take(&pool, STEP), first);
    ck_assert_uint_eq(first->used, 0);
}
END_TEST

START_TEST(a_full_current_chunk_is_used_again_when_all_of_it_is_back)
{
    struct hs_chunk *last = NULL;
    while (owner_chunks_take(&pool, STEP) != NULL)
        last = fill(STEP);
    while (last->done < last->refs)
        owner_chunks_done(&pool, last);
    ck_assert_ptr_eq(owner_chunks_take(&pool, STEP), last);
}
END_TEST

START_TEST(a_chunk_that_comes_back_too_often_is_a_bug)
{
    struct hs_chunk *c = fill(10);
    owner_chunks_done(&pool, c);
    owner_chunks_done(&pool, c);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("owner_chunks");
    TCase *t = tcase_create("chunks");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_taken_chunk_has_room_for_a_step);
    tcase_add_test(t, small_steps_share_a_chunk);
    tcase_add_test(t, a_chunk_is_not_reused_while_one_entry_is_out);
    tcase_add_test(t, a_chunk_is_given_up_long_before_it_is_full);
    tcase_add_test(t, many_half_used_chunks_and_few_full_ones_have_one_bound_in_bytes);
    tcase_add_test(t, at_the_bound_there_is_none_until_one_comes_back);
    tcase_add_test(t, a_full_current_chunk_is_used_again_when_all_of_it_is_back);
    tcase_add_test_raise_signal(t, a_chunk_that_comes_back_too_often_is_a_bug, 6);
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
