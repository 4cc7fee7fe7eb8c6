/* main.c - hearsay-bench: every peer of a cluster but one, in one process. */
#include <signal.h>
#include <stdlib.h>

#include "bench.h"

int main(int argc, char **argv)
{
    struct sample *samples;
    struct options o;
    struct result r;
    int status;

    if (!options_parse(&o, argc, argv, &status)) {
        return status;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    if (o.echo_port != 0) {
        return echo_serve((uint16_t)o.echo_port);
    }
    if (o.compare[0] != NULL) {
        return compare(&o);
    }
    samples = calloc(SAMPLES_MAX, sizeof(*samples));
    if (samples == NULL) {
        return 2;
    }
    status = o.mode == MODE_ECHO ? echo_run(&o, &r) : run(&o, &r, samples);
    if (status != 2) {
        report_text(stdout, &o, &r);
        if ((o.json != NULL && !report_json(&o, &r)) ||
            (o.plot != NULL && !report_svg(&o, &r, samples))) {
            status = 2;
        }
    }
    free(samples);
    return status;
}
