/* multi.c - MULTI and EXEC, as far as a server without keys has use for them.
 *
 * Commands on keys fail at once and so spoil the transaction; the rest is
 * queued, bounded, and run by EXEC: one after the other, each after the owner's
 * answer to the one before. Nothing of the same client comes between them, but
 * what others ask the owner may. */
#include "admin_int.h"

#include <stdlib.h>

struct queued {
    struct queued *next;
    size_t argc;
    struct hs_arg argv[]; /* followed by their bytes */
};

static void free_all(struct queued *q)
{
    while (q != NULL) {
        struct queued *next = q->next;
        hs_free(q);
        q = next;
    }
}

void admin_multi_free(struct session *s)
{
    free_all(s->queue);
    free_all(s->executing);
    s->queue = s->executing = NULL;
    s->queue_end = &s->queue;
    s->queue_n = 0;
    s->queue_bytes = 0;
    s->multi = s->multi_failed = false;
    s->in_multi = false;
}

static struct queued *copy(const struct call *c, size_t bytes)
{
    struct queued *q = hs_alloc(sizeof(*q) + c->argc * sizeof(struct hs_arg) + bytes);
    if (q == NULL)
        return NULL;
    char *to = (char *)(q->argv + c->argc);
    q->next = NULL;
    q->argc = c->argc;
    for (size_t i = 0; i < c->argc; i++) {
        q->argv[i] = (struct hs_arg){.p = to, .n = c->argv[i].n};
        memcpy(to, c->argv[i].p, c->argv[i].n);
        to += c->argv[i].n;
    }
    return q;
}

bool admin_multi_queue(struct call *c)
{
    struct session *s = c->s;
    if (!s->multi || (c->cmd->flags & ATONCE) != 0)
        return false;
    if (c->cmd->run == admin_keys_run)
        return false; /* its error is its answer, and spoils the transaction */
    if ((c->cmd->flags & NOMULTI) != 0) {
        admin_error(s, "ERR Command not allowed inside a transaction");
        return true;
    }
    size_t bytes = 0;
    for (size_t i = 0; i < c->argc; i++)
        bytes += c->argv[i].n;
    size_t total = s->queue_bytes + bytes + c->argc * sizeof(struct hs_arg);
    struct queued *q = NULL;
    if (s->queue_n < ADMIN_QUEUE_MAX && total <= ADMIN_QUEUE_BYTES_MAX)
        q = copy(c, bytes);
    if (q == NULL) {
        admin_error(s, "ERR too much between MULTI and EXEC");
        return true;
    }
    *s->queue_end = q;
    s->queue_end = &q->next;
    s->queue_n++;
    s->queue_bytes = total;
    hs_resp_simple(c->out, "QUEUED");
    return true;
}

void admin_cmd_multi(struct call *c)
{
    if (c->s->multi) {
        /* Unlike other errors, this one leaves the transaction as it is. */
        bool failed = c->s->multi_failed;
        admin_error(c->s, "ERR MULTI calls can not be nested");
        c->s->multi_failed = failed;
        return;
    }
    c->s->multi = true;
    c->s->in_multi = true;
    admin_ok(c);
}

void admin_cmd_exec(struct call *c)
{
    struct session *s = c->s;
    if (!s->multi) {
        admin_error(s, "ERR EXEC without MULTI");
        return;
    }
    if (s->multi_failed) {
        admin_multi_free(s);
        admin_error(s, "EXECABORT Transaction discarded because of previous errors.");
        return;
    }
    struct queued *q = s->queue;
    hs_resp_array(c->out, s->queue_n);
    s->queue = NULL;
    admin_multi_free(s);
    s->executing = q;
}

void admin_multi_step(struct session *s, const struct hs_published *view)
{
    struct queued *q = s->executing;
    s->executing = q->next;
    admin_dispatch(s, view, q->argv, q->argc);
    hs_free(q);
}

void admin_cmd_discard(struct call *c)
{
    if (!c->s->multi) {
        admin_error(c->s, "ERR DISCARD without MULTI");
        return;
    }
    admin_multi_free(c->s);
    admin_ok(c);
}

void admin_cmd_watch(struct call *c)
{
    if (c->s->multi) {
        bool failed = c->s->multi_failed;
        admin_error(c->s, "ERR WATCH inside MULTI is not allowed");
        c->s->multi_failed = failed;
        return;
    }
    admin_keys_run(c);
}
