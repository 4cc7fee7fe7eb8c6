/* basics.c - the small commands: connection, state, and those that a server
 * without keys answers the same way every time. */
#include "admin_int.h"

#include <stdlib.h>

/* In RESP2 it has to look like what else such a client reads. */
static void subscriber_pong(struct call *c)
{
    hs_resp_array(c->out, 2);
    hs_resp_bulk_str(c->out, "pong");
    if (c->argc == 2)
        hs_resp_bulk(c->out, c->argv[1].p, c->argv[1].n);
    else
        hs_resp_bulk_str(c->out, "");
}

void admin_cmd_ping(struct call *c)
{
    if (c->argc > 2)
        admin_wrong_arity(c);
    else if (c->s->sink.proto == 2 && admin_is_subscriber(c->s))
        subscriber_pong(c);
    else if (c->argc == 2)
        hs_resp_bulk(c->out, c->argv[1].p, c->argv[1].n);
    else
        hs_resp_simple(c->out, "PONG");
}

void admin_cmd_echo(struct call *c)
{
    hs_resp_bulk(c->out, c->argv[1].p, c->argv[1].n);
}

void admin_cmd_select(struct call *c)
{
    int64_t db;
    if (!admin_call_int(c, &c->argv[1], &db))
        return;
    if (db < INT32_MIN || db > INT32_MAX)
        admin_error(c->s, "ERR value is out of range, value must between %d and %d", INT32_MIN,
                    INT32_MAX);
    else if (db != 0)
        admin_error(c->s, "ERR SELECT is not allowed in cluster mode");
    else
        admin_ok(c);
}

void admin_cmd_quit(struct call *c)
{
    admin_ok(c);
    c->s->closing = true;
}

void admin_cmd_reset(struct call *c)
{
    admin_reset(c->s, c->view);
    hs_resp_simple(c->out, "RESET");
}

void admin_cmd_time(struct call *c)
{
    int64_t now_ms = admin_now_ms();
    char text[32];
    hs_resp_array(c->out, 2);
    snprintf(text, sizeof(text), "%lld", (long long)(now_ms / 1000));
    hs_resp_bulk_str(c->out, text);
    snprintf(text, sizeof(text), "%lld", (long long)(now_ms % 1000 * 1000));
    hs_resp_bulk_str(c->out, text);
}

void admin_cmd_ok(struct call *c)
{
    admin_ok(c);
}

void admin_cmd_zero(struct call *c)
{
    hs_resp_int(c->out, 0);
}

void admin_cmd_empty(struct call *c)
{
    hs_resp_array(c->out, 0);
}

void admin_cmd_null(struct call *c)
{
    hs_resp_null(c->out);
}

void admin_cmd_scan(struct call *c)
{
    hs_resp_array(c->out, 2);
    hs_resp_bulk_str(c->out, "0");
    hs_resp_array(c->out, 0);
}

void admin_cmd_flush(struct call *c)
{
    if (c->argc == 1 ||
        (c->argc == 2 && (admin_arg_is(&c->argv[1], "sync") || admin_arg_is(&c->argv[1], "async"))))
        admin_ok(c);
    else
        admin_syntax(c);
}

/* READONLY and READWRITE. */
void admin_cmd_readonly(struct call *c)
{
    c->s->readonly = strcmp(c->cmd->name, "readonly") == 0;
    admin_ok(c);
}

void admin_cmd_asking(struct call *c)
{
    c->s->asking = true;
    admin_ok(c);
}

void admin_cmd_migrate(struct call *c)
{
    hs_resp_simple(c->out, "NOKEY");
}

/* Commands that mean something else, or nothing, in a cluster. */
void admin_cmd_refused(struct call *c)
{
    if (strcmp(c->cmd->name, "failover") == 0)
        admin_error(c->s, "ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command "
                          "instead.");
    else if (strcmp(c->cmd->name, "swapdb") == 0)
        admin_error(c->s, "ERR SWAPDB is not allowed in cluster mode");
    else
        admin_error(c->s, "ERR REPLICAOF not allowed in cluster mode.");
}

/* A shutdown that was accepted ends the connection without a word, as it comes
 * back only when the owner stops. */
static void answer_shutdown(struct hs_resp_sink *out, struct session *s, struct admin_request *r)
{
    (void)out;
    if (r->base.err != HS_CMD_OK)
        admin_error(s, "ERR Errors trying to SHUTDOWN. Check logs.");
}

void admin_cmd_shutdown(struct call *c)
{
    static const char *const words[] = {"nosave", "save", "now", "force", "abort"};
    enum { NOSAVE, SAVE, NOW, FORCE, ABORT, WORDS };
    bool given[WORDS] = {false};
    for (size_t i = 1; i < c->argc; i++) {
        int w = 0;
        while (w < WORDS && !admin_arg_is(&c->argv[i], words[w]))
            w++;
        if (w == WORDS) {
            admin_syntax(c);
            return;
        }
        given[w] = true;
    }
    if ((given[NOSAVE] && given[SAVE]) || (given[ABORT] && c->argc > 2)) {
        admin_syntax(c);
        return;
    }
    if (given[ABORT]) {
        admin_error(c->s, "ERR No shutdown in progress.");
        return;
    }
    struct admin_request *r = admin_request_new(c, HS_REQ_SHUTDOWN);
    if (r != NULL)
        r->answer = answer_shutdown;
}

void admin_function_restore(struct call *c)
{
    static const char *const policies[] = {"flush", "append", "replace"};
    bool ok = c->argc == 3;
    for (int i = 0; c->argc == 4 && i < 3; i++)
        ok = ok || admin_arg_is(&c->argv[3], policies[i]);
    if (ok)
        admin_ok(c);
    else
        admin_error(c->s, "ERR Wrong restore policy given, value should be either FLUSH, APPEND or "
                          "REPLACE.");
}

void admin_function_help(struct call *c)
{
    admin_help(c, "FUNCTION", admin_function_subs);
}
