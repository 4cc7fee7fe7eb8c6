/* dispatch.c - from a parsed command to its handler.
 *
 * The order of refusals is the stock server's: unknown, arity, password, then
 * whatever the handler finds wrong. */
#include "admin_int.h"

#include <stdlib.h>

enum { SHOWN_ARGS_MAX = 128 }; /* of an unknown command's arguments */

static void unknown(struct call *c)
{
    char args[SHOWN_ARGS_MAX + 256] = "";
    size_t n = 0;
    for (size_t i = 1; i < c->argc && n < SHOWN_ARGS_MAX; i++) {
        int room = (int)(SHOWN_ARGS_MAX - n);
        int len = c->argv[i].n < (size_t)room ? (int)c->argv[i].n : room;
        n += (size_t)snprintf(args + n, sizeof(args) - n, "'%.*s' ", len, c->argv[i].p);
    }
    char name[129];
    admin_error(c->s, "ERR unknown command '%s', with args beginning with: %s",
                admin_arg_text(&c->argv[0], name, sizeof(name)), args);
}

/* A web page can have its reader's browser POST to this port, past protected mode.
 * Like the stock server we end the connection before the lines of the body become
 * commands, and answer nothing. */
static bool is_from_browser(const struct hs_arg *word)
{
    return admin_arg_is(word, "post") || admin_arg_is(word, "host:");
}

static void turn_browser_away(struct call *c)
{
    enum { TOLD_EVERY_MS = 60000 };
    struct reactor *r = c->s->reactor;
    int64_t now_ms = admin_now_ms();
    c->s->closing = true;
    if (r->browser_told_ms != 0 && now_ms - r->browser_told_ms < TOLD_EVERY_MS)
        return;
    r->browser_told_ms = now_ms;
    hs_log(HS_LOG_WARNING,
           "Possible SECURITY ATTACK detected: %s sent POST or Host:, as a browser does when a web "
           "page tries to give commands through it. The connection is closed.",
           c->s->info.peer);
}

static void unknown_sub(struct call *c)
{
    char name[129];
    char upper[32] = "";
    for (size_t i = 0; c->cmd->name[i] != '\0' && i < sizeof(upper) - 1; i++)
        upper[i] = (char)(c->cmd->name[i] - ('a' - 'A'));
    admin_error(c->s, "ERR unknown subcommand '%s'. Try %s HELP.",
                admin_arg_text(&c->argv[1], name, sizeof(name)), upper);
}

void admin_sub_syntax(struct call *c)
{
    char name[129];
    char upper[32] = "";
    for (size_t i = 0; c->top->name[i] != '\0' && i < sizeof(upper) - 1; i++)
        upper[i] = (char)(c->top->name[i] - ('a' - 'A'));
    admin_error(c->s, "ERR unknown subcommand or wrong number of arguments for '%s'. Try %s HELP.",
                admin_arg_text(&c->argv[1], name, sizeof(name)), upper);
}

void admin_syntax(struct call *c)
{
    admin_error(c->s, "ERR syntax error");
}

void admin_wrong_arity(struct call *c)
{
    if (c->top == c->cmd)
        admin_error(c->s, "ERR wrong number of arguments for '%s' command", c->cmd->name);
    else
        admin_error(c->s, "ERR wrong number of arguments for '%s|%s' command", c->top->name,
                    c->cmd->name);
}

static bool arity_ok(const struct admin_cmd *cmd, size_t argc)
{
    if (cmd->arity < 0)
        return argc >= (size_t)-cmd->arity;
    return argc == (size_t)cmd->arity;
}

static const struct admin_cmd *look_up(const struct call *c)
{
    const struct admin_cmd *last = atomic_load_explicit(&c->s->last_cmd, memory_order_relaxed);
    return last != NULL && admin_is_named(last, &c->argv[0]) ? last : admin_find(&c->argv[0]);
}

static const struct admin_cmd *look_up_sub(const struct call *c)
{
    const struct admin_cmd *last_cmd = atomic_load_explicit(&c->s->last_cmd, memory_order_relaxed);
    const struct admin_cmd *last = atomic_load_explicit(&c->s->last_sub, memory_order_relaxed);
    return last_cmd == c->top && last != NULL && admin_is_named(last, &c->argv[1])
               ? last
               : admin_find_sub(c->top, &c->argv[1]);
}

/* Finds the command, or replies why not. Clients repeat themselves: the last one
 * is tried first. */
static bool resolve(struct call *c)
{
    c->cmd = c->top = look_up(c);
    if (c->cmd == NULL) {
        if (is_from_browser(&c->argv[0]))
            turn_browser_away(c);
        else
            unknown(c);
        return false;
    }
    if (c->cmd->subs != NULL && c->argc > 1) {
        const struct admin_cmd *sub = look_up_sub(c);
        if (sub == NULL) {
            unknown_sub(c);
            c->cmd = NULL;
            return false;
        }
        c->cmd = sub;
    }
    if (!arity_ok(c->cmd, c->argc)) {
        admin_wrong_arity(c);
        return false;
    }
    if (c->cmd->run == NULL) { /* a container without its subcommand */
        admin_wrong_arity(c);
        return false;
    }
    return true;
}

static bool allowed(struct call *c)
{
    if (c->s->authenticated || (c->cmd->flags & NOAUTH) != 0)
        return true;
    admin_error(c->s, "NOAUTH Authentication required.");
    return false;
}

/* CLIENT REPLY SKIP is over after the command that follows it. */
static void end_skip(struct session *s)
{
    if (s->reply == REPLY_SKIP_NEXT)
        s->reply = REPLY_SKIP;
    else if (s->reply == REPLY_SKIP && s->request == NULL)
        s->reply = REPLY_ON;
}

static void carry_out(struct call *c)
{
    int64_t began_ns = hs_clock_ns();
    c->cmd->run(c);
    if (c->rejected)
        admin_cmdstats_rejected(c);
    else
        admin_cmdstats_ran(c, (uint64_t)(hs_clock_ns() - began_ns), c->s->erred);
}

void admin_dispatch(struct session *s, const struct hs_published *view, const struct hs_arg *argv,
                    size_t argc)
{
    struct call c = {.s = s, .a = s->admin, .argv = argv, .argc = argc, .view = view};
    c.out = &s->sink;
    c.asking = s->asking;
    s->asking = false;
    atomic_fetch_add_explicit(&s->reactor->commands, 1, memory_order_relaxed);
    s->erred = false;
    if (resolve(&c) && allowed(&c)) {
        atomic_store_explicit(&s->last_cmd, c.top, memory_order_relaxed);
        atomic_store_explicit(&s->last_sub, c.top == c.cmd ? NULL : c.cmd, memory_order_relaxed);
        bool may = c.cmd->run == admin_keys_run || admin_allowed_to_subscriber(&c);
        if (may && !admin_multi_queue(&c))
            carry_out(&c);
        else if (s->erred)
            admin_cmdstats_rejected(&c);
    } else if (c.cmd != NULL) {
        admin_cmdstats_rejected(&c);
    }
    end_skip(s);
}

void admin_reset(struct session *s, const struct hs_published *view)
{
    admin_multi_free(s);
    admin_unsubscribe_all(s);
    s->asking = s->readonly = false;
    s->reply = REPLY_ON;
    s->sink.proto = 2;
    s->flags_proto = 2;
    s->authenticated = view->conf.requirepass[0] == '\0';
    s->parser.limited = !s->authenticated;
    s->no_evict = false;
    s->no_touch = false;
    admin_client_set_name(s, &(struct hs_arg){.p = "", .n = 0});
}

/* ---- requests ---- */

struct admin_request *admin_request_new(struct call *c, enum hs_request_kind kind)
{
    struct admin_request *r = hs_alloc(sizeof(*r));
    if (r == NULL) {
        admin_error(c->s, "ERR out of memory");
        return NULL;
    }
    r->base.kind = kind;
    r->base.conn = c->s->info.conn;
    c->s->request = r;
    return r;
}

void admin_request_free(struct admin_request *r)
{
    hs_free(r->ranges);
    hs_free(r->bytes);
    hs_free(r->base.conf);
    hs_tls_keys_free(r->base.keys);
    hs_free(r->base.accusers);
    hs_free(r);
}
