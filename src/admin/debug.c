/* debug.c - DEBUG: what test suites do to a node to see how others take it. */
#include "admin_int.h"

#include <stdlib.h>

static bool debug_allowed(struct call *c)
{
    const struct hs_conf *conf = &c->view->conf;
    bool local = c->s->info.loopback || c->s->info.unix_socket;
    if (conf->enable_debug_command || (conf->enable_debug_local && local))
        return true;
    admin_error(c->s, "ERR DEBUG command not allowed. If the enable-debug-command option is set "
                      "to \"local\", you can run it from a local connection, otherwise you need "
                      "to set this option in the configuration file, and then restart the "
                      "server.");
    return false;
}

static void answer_ok(struct hs_resp_sink *out, struct session *s, struct admin_request *r)
{
    (void)s;
    (void)r;
    hs_resp_simple(out, "OK");
}

void admin_debug_sleep(struct call *c)
{
    enum { SLEEP_MAX_S = 3600 }; /* longer sleeps are cut to this */
    char text[32];
    char *end;
    if (!debug_allowed(c))
        return;
    double seconds = strtod(admin_arg_text(&c->argv[2], text, sizeof(text)), &end);
    if (!(seconds > 0))
        seconds = 0;
    struct admin_request *r = admin_request_new(c, HS_REQ_SLEEP);
    if (r == NULL)
        return;
    r->base.number = (int64_t)((seconds < SLEEP_MAX_S ? seconds : SLEEP_MAX_S) * 1000);
    r->answer = answer_ok;
}

void admin_debug_log(struct call *c)
{
    char text[512];
    if (!debug_allowed(c))
        return;
    hs_log(HS_LOG_WARNING, "DEBUG LOG: %s", admin_arg_text(&c->argv[2], text, sizeof(text)));
    admin_ok(c);
}

void admin_debug_help(struct call *c)
{
    if (debug_allowed(c))
        admin_help(c, "DEBUG", admin_debug_subs);
}

/* ---- the bus ---- */

static void answer_link(struct hs_resp_sink *out, struct session *s, struct admin_request *r)
{
    if (r->base.err == HS_CMD_OK)
        hs_resp_simple(out, "OK");
    else
        admin_error(s, "ERR Unknown node %s", r->text);
}

/* DEBUG CLUSTERLINK KILL to|from|all <node> */
void admin_debug_clusterlink(struct call *c)
{
    if (!debug_allowed(c))
        return;
    bool all = admin_arg_is(&c->argv[3], "all");
    bool to = all || admin_arg_is(&c->argv[3], "to");
    bool from = all || admin_arg_is(&c->argv[3], "from");
    if (!admin_arg_is(&c->argv[2], "kill") || (!to && !from)) {
        admin_sub_syntax(c);
        return;
    }
    char text[HS_ID_LEN + 1];
    admin_arg_text(&c->argv[4], text, sizeof(text));
    if (c->argv[4].n != HS_ID_LEN) {
        admin_error(c->s, "ERR Unknown node %s", text);
        return;
    }
    struct admin_request *r = admin_request_new(c, HS_REQ_COMMAND);
    if (r == NULL)
        return;
    r->base.cmd.type = HS_CMD_KILL_LINK;
    r->base.cmd.kill_to = to;
    r->base.cmd.kill_from = from;
    memcpy(r->base.cmd.id.hex, text, HS_ID_LEN);
    memcpy(r->text, text, sizeof(text));
    r->answer = answer_link;
}

/* DEBUG DROP-CLUSTER-PACKET-FILTER <type>: -1 none, -2 all */
void admin_debug_drop(struct call *c)
{
    int64_t type;
    if (!debug_allowed(c) || !admin_call_int(c, &c->argv[2], &type))
        return;
    struct admin_request *r = admin_request_new(c, HS_REQ_COMMAND);
    if (r == NULL)
        return;
    r->base.cmd.type = HS_CMD_DROP_FILTER;
    r->base.cmd.epoch = type;
    r->answer = answer_ok;
}

/* DEBUG CLOSE-CLUSTER-LINK-ON-PACKET-DROP <0|1> */
void admin_debug_drop_closes(struct call *c)
{
    int64_t on;
    if (!debug_allowed(c) || !admin_call_int(c, &c->argv[2], &on))
        return;
    struct admin_request *r = admin_request_new(c, HS_REQ_COMMAND);
    if (r == NULL)
        return;
    r->base.cmd.type = HS_CMD_DROP_CLOSES;
    r->base.cmd.hard = on != 0;
    r->answer = answer_ok;
}
