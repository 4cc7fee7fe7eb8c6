/* Which known name did someone mean? The one with the smallest edit distance:
 * letters added, dropped or changed. */
#include "conf_int.h"

#include <string.h>

enum { NAME_MAX_LEN = 63 }; /* longer than any directive; the rest is not compared */

static uint32_t min3(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static uint32_t distance(const char *a, const char *b)
{
    uint32_t row[NAME_MAX_LEN + 1];
    size_t a_n = strnlen(a, NAME_MAX_LEN), b_n = strnlen(b, NAME_MAX_LEN);
    for (uint32_t j = 0; j <= b_n; j++)
        row[j] = j;
    for (uint32_t i = 1; i <= a_n; i++) {
        uint32_t diagonal = row[0];
        row[0] = i;
        for (uint32_t j = 1; j <= b_n; j++) {
            uint32_t changed = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = min3(row[j] + 1, row[j - 1] + 1, changed);
        }
    }
    return row[b_n];
}

static void consider(const char *name, const char *known, uint32_t *least, const char **best)
{
    uint32_t d = known == NULL ? UINT32_MAX : distance(name, known);
    if (d < *least) {
        *least = d;
        *best = known;
    }
}

const char *conf_nearest(const char *name)
{
    uint32_t least = UINT32_MAX;
    const char *best = NULL;
    for (uint32_t i = 0; i < conf_table_n; i++) {
        consider(name, conf_table[i].name, &least, &best);
        consider(name, conf_table[i].alias, &least, &best);
    }
    for (uint32_t i = 0; conf_ignored[i] != NULL; i++)
        consider(name, conf_ignored[i], &least, &best);
    return best;
}
