/* script_int.h - one run of the notification script. */
#ifndef HEARSAY_WATCH_SCRIPT_INT_H
#define HEARSAY_WATCH_SCRIPT_INT_H

#include "watch_int.h"

#include <sys/types.h>

struct run {
    pid_t pid; /* and process group */
    int fd;    /* a pidfd: readable when it has ended */
};

/* path event-name text, without a shell: 0, or a negative errno. The child has
 * a process group of its own, no signal blocked or ignored, /dev/null for its
 * standard streams, no descriptor of ours, and PATH as its only variable. */
int run_start(struct run *r, const char *path, const char *name, const char *text);
/* False while it runs. True once: *code is its exit code, or -1 after a signal. */
bool run_ended(struct run *r, int *code);
/* With all that is in its group; run_ended() is still to be asked. */
void run_kill(const struct run *r);

#endif
