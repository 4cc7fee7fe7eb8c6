/* A broken invariant stops the process and says where; a kept one costs nothing. */
#include "hs_test.h"

#include "hearsay/base.h"

#include <signal.h>

START_TEST(a_true_condition_is_evaluated_once_and_passes)
{
    int evaluated_n = 0;

    HS_ASSERT(++evaluated_n == 1);
    ck_assert_int_eq(evaluated_n, 1);
}
END_TEST

START_TEST(a_false_condition_aborts)
{
    HS_ASSERT(1 + 1 == 3);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("base assert");
    TCase *tc = tcase_create("assert");

    tcase_add_test(tc, a_true_condition_is_evaluated_once_and_passes);
    tcase_add_test_raise_signal(tc, a_false_condition_aborts, SIGABRT);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
