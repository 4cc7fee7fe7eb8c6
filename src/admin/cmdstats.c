/* cmdstats.c - INFO commandstats: per command how often it ran, for how long, and
 * how often it was refused before it ran or failed while it did.
 *
 * Every reactor counts in an array of its own, a place per command and then one
 * per subcommand, so that counting costs two additions and no look-up by name.
 * Time is that of the reactor: what a command waits for the owner is not in it. */
#include "admin_int.h"

#include <inttypes.h>

static size_t subs_n(const struct admin_cmd *cmd)
{
    size_t n = 0;
    while (cmd->subs != NULL && cmd->subs[n].name != NULL)
        n++;
    return n;
}

static size_t places_n(void)
{
    size_t n = admin_commands_n();
    for (size_t i = 0; i < admin_commands_n(); i++)
        n += subs_n(admin_command(i));
    return n;
}

bool admin_cmdstats_init(struct reactor *r)
{
    size_t n = admin_commands_n();
    r->stats = hs_alloc(places_n() * sizeof(*r->stats));
    r->stats_subs = hs_alloc(n * sizeof(*r->stats_subs));
    if (r->stats == NULL || r->stats_subs == NULL)
        return false;
    for (size_t i = 0; i < admin_commands_n(); i++) {
        r->stats_subs[i] = (uint32_t)n;
        n += subs_n(admin_command(i));
    }
    return true;
}

void admin_cmdstats_fini(struct reactor *r)
{
    hs_free(r->stats);
    hs_free(r->stats_subs);
}

static struct cmdstat *place(struct reactor *r, const struct admin_cmd *top,
                             const struct admin_cmd *sub)
{
    size_t i = admin_command_ix(top);
    return sub == NULL ? &r->stats[i] : &r->stats[r->stats_subs[i] + (size_t)(sub - top->subs)];
}

static void add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static struct cmdstat *place_of(const struct call *c)
{
    return place(c->s->reactor, c->top, c->top == c->cmd ? NULL : c->cmd);
}

void admin_cmdstats_ran(struct call *c, uint64_t ns, bool failed)
{
    struct cmdstat *s = place_of(c);
    add(&s->calls, 1);
    add(&s->ns, ns);
    if (failed)
        add(&s->failed, 1);
}

void admin_cmdstats_rejected(struct call *c)
{
    add(&place_of(c)->rejected, 1);
}

void admin_cmdstats_failed_late(struct session *s)
{
    add(&place(s->reactor, s->last_cmd, s->last_sub)->failed, 1);
}

void admin_cmdstats_reset(struct hs_admin *a)
{
    for (uint32_t r = 0; r < a->conf.reactors; r++)
        for (size_t i = 0; i < places_n(); i++) {
            struct cmdstat *s = &a->reactors[r].stats[i];
            atomic_store_explicit(&s->calls, 0, memory_order_relaxed);
            atomic_store_explicit(&s->ns, 0, memory_order_relaxed);
            atomic_store_explicit(&s->rejected, 0, memory_order_relaxed);
            atomic_store_explicit(&s->failed, 0, memory_order_relaxed);
        }
}

static void put_line(struct text *out, const struct hs_admin *a, const struct admin_cmd *top,
                     const struct admin_cmd *sub)
{
    uint64_t calls = 0;
    uint64_t ns = 0;
    uint64_t rejected = 0;
    uint64_t failed = 0;
    for (uint32_t r = 0; r < a->conf.reactors; r++) {
        struct cmdstat *s = place(&a->reactors[r], top, sub);
        calls += atomic_load_explicit(&s->calls, memory_order_relaxed);
        ns += atomic_load_explicit(&s->ns, memory_order_relaxed);
        rejected += atomic_load_explicit(&s->rejected, memory_order_relaxed);
        failed += atomic_load_explicit(&s->failed, memory_order_relaxed);
    }
    if (calls == 0 && rejected == 0 && failed == 0)
        return;
    admin_text_printf(out,
                      "cmdstat_%s%s%s:calls=%" PRIu64 ",usec=%" PRIu64 ",usec_per_call=%.2f,"
                      "rejected_calls=%" PRIu64 ",failed_calls=%" PRIu64 "\r\n",
                      top->name, sub != NULL ? "|" : "", sub != NULL ? sub->name : "", calls,
                      ns / 1000, calls != 0 ? (double)ns / 1000 / (double)calls : 0.0, rejected,
                      failed);
}

void admin_info_commandstats(struct text *out, struct call *c)
{
    for (size_t i = 0; i < admin_commands_n(); i++) {
        const struct admin_cmd *top = admin_command(i);
        put_line(out, c->a, top, NULL);
        for (size_t k = 0; k < subs_n(top); k++)
            put_line(out, c->a, top, &top->subs[k]);
    }
}
