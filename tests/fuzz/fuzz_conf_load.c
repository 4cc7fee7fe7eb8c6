/* Any configuration file either is refused with a reason, or loads, and then
 * every value goes out and in again unchanged.
 */
#include "hearsay/conf.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char path[] = "/tmp/fuzz_conf_XXXXXX";

static bool includes(const uint8_t *data, size_t n)
{
    /* Would read files that are not the input's. */
    for (size_t i = 0; i + 7 <= n; i++) {
        if (strncasecmp((const char *)data + i, "include", 7) == 0)
            return true;
    }
    return false;
}

static void goes_around(struct hs_conf *c, uint32_t i)
{
    char first[2048], second[2048], why[256];
    size_t first_n = hs_conf_get(c, i, first, sizeof(first));
    HS_ASSERT(hs_conf_set(c, i, first, first_n, why, sizeof(why)) == 0);
    hs_conf_get(c, i, second, sizeof(second));
    HS_ASSERT(strcmp(first, second) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static int fd = -1;
    static struct hs_conf conf;
    static struct hs_conf_result result;
    char why[256], *argv[] = {"hearsayd", path, NULL};
    if (includes(data, n))
        return 0;
    if (fd < 0)
        fd = mkstemp(path);
    HS_ASSERT(ftruncate(fd, 0) == 0 && pwrite(fd, data, n, 0) == (ssize_t)n);
    if (hs_conf_load(&conf, 2, argv, &result) != 0) {
        HS_ASSERT(result.why[0] != '\0');
        return 0;
    }
    for (uint32_t i = 0; i < hs_conf_count(); i++)
        goes_around(&conf, i);
    hs_conf_check(&conf, why, sizeof(why));
    return 0;
}
