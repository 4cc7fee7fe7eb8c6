/* metrics-page.c - prints docs/metrics.md; `tools/dev docs` puts it in its place. */
#include "hearsay/metrics.h"

int main(void)
{
    hs_metrics_print_page(stdout);
    return fflush(stdout) == 0 ? 0 : 1;
}
