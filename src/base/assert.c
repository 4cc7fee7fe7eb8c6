/* assert.c - the end of the process when an invariant is broken.
 *
 * Going on with a state that cannot be would spread the damage to other nodes,
 * so the process says where it is and stops. Nothing here allocates: the heap
 * may be what is broken.
 */
#include "hearsay/base.h"

#include "base_int.h"

#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FRAMES_MAX = 32 };

_Noreturn void hs_assert_fail(const char *cond, const char *file, int line, const char *func)
{
    void *frames[FRAMES_MAX];

    dprintf(STDERR_FILENO, "%s:%d: %s: assertion failed: %s\n", file, line, func, cond);
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), STDERR_FILENO);
    if (base_log_is_file())
        hs_log(HS_LOG_WARNING, "%s:%d: %s: assertion failed: %s", file, line, func, cond);
    abort();
}
