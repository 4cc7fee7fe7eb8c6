/* cmdstats.h - what INFO commandstats tells, counted per reactor. Threads: a
 * reactor counts in its own array, any thread may read and reset it. Memory: made
 * once for all commands. Errors: none but at init, for memory. */
#ifndef HEARSAY_ADMIN_CMDSTATS_H
#define HEARSAY_ADMIN_CMDSTATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct admin_cmd;
struct call;
struct hs_admin;
struct reactor;
struct session;
struct text;

/* Of one command or subcommand. */
struct cmdstat {
    _Atomic uint64_t calls, ns, rejected, failed;
};

bool admin_cmdstats_init(struct reactor *r);
void admin_cmdstats_fini(struct reactor *r);
void admin_cmdstats_ran(struct call *c, uint64_t ns, bool failed);
void admin_cmdstats_rejected(struct call *c);
/* The owner's answer to the session's last command was an error. */
void admin_cmdstats_failed_late(struct session *s);
void admin_cmdstats_reset(struct hs_admin *a);
void admin_info_commandstats(struct text *out, struct call *c);

#endif
