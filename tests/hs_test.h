/* hs_test.h - the main() every unit test shares: run one suite, report, exit. */
#ifndef HS_TEST_H
#define HS_TEST_H

#include <check.h>
#include <stdlib.h>

static inline int hs_test_main(Suite *s)
{
    SRunner *runner = srunner_create(s);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
