/* auth.c - AUTH and HELLO: who is speaking, and in which protocol. */
#include "admin_int.h"

static void authenticated(struct session *s)
{
    s->authenticated = true;
    s->parser.limited = false;
}

/* The only user is "default"; without a password it takes any. */
static bool login(struct call *c, const struct hs_arg *user, const struct hs_arg *password)
{
    const char *secret = c->view->conf.requirepass;
    bool right = admin_arg_equal_secret(password, secret) || secret[0] == '\0';
    bool is_default = user->n == 7 && memcmp(user->p, "default", 7) == 0;
    if (right && is_default) {
        authenticated(c->s);
        return true;
    }
    admin_error(c->s, "WRONGPASS invalid username-password pair or user is disabled.");
    return false;
}

void admin_cmd_auth(struct call *c)
{
    static const struct hs_arg user = {.p = "default", .n = 7};
    if (c->argc > 3) {
        admin_syntax(c);
        return;
    }
    if (c->argc == 2 && c->view->conf.requirepass[0] == '\0') {
        admin_error(c->s, "ERR AUTH <password> called without any password configured for the "
                          "default user. Are you sure your configuration is correct?");
        return;
    }
    if (login(c, c->argc == 3 ? &c->argv[1] : &user, &c->argv[c->argc - 1]))
        admin_ok(c);
}

static void put_pair(struct hs_resp_sink *out, const char *key, const char *value)
{
    hs_resp_bulk_str(out, key);
    hs_resp_bulk_str(out, value);
}

static void put_hello(struct call *c)
{
    bool replica = (c->view->topo->nodes[0].flags & HS_NODE_SLAVE) != 0;
    hs_resp_map(c->out, 7);
    put_pair(c->out, "server", "redis");
    put_pair(c->out, "version", HS_ADMIN_REDIS_VERSION);
    hs_resp_bulk_str(c->out, "proto");
    hs_resp_int(c->out, c->out->proto);
    hs_resp_bulk_str(c->out, "id");
    hs_resp_int(c->out, (int64_t)c->s->id);
    put_pair(c->out, "mode", "cluster");
    put_pair(c->out, "role", replica ? "replica" : "master");
    hs_resp_bulk_str(c->out, "modules");
    hs_resp_array(c->out, 0);
}

/* What follows the version. False after an error reply. */
static bool hello_options(struct call *c, const struct hs_arg **name)
{
    char word[129];
    for (size_t i = 2; i < c->argc; i++) {
        size_t more = c->argc - 1 - i;
        if (admin_arg_is(&c->argv[i], "auth") && more >= 2) {
            if (!login(c, &c->argv[i + 1], &c->argv[i + 2]))
                return false;
            i += 2;
        } else if (admin_arg_is(&c->argv[i], "setname") && more >= 1) {
            *name = &c->argv[++i];
            if (!admin_client_name_ok(*name)) {
                admin_error(c->s, "ERR Client names cannot contain spaces, newlines or special "
                                  "characters.");
                return false;
            }
        } else {
            admin_error(c->s, "ERR Syntax error in HELLO option '%s'",
                        admin_arg_text(&c->argv[i], word, sizeof(word)));
            return false;
        }
    }
    return true;
}

void admin_cmd_hello(struct call *c)
{
    int64_t proto = c->s->sink.proto;
    const struct hs_arg *name = NULL;
    if (c->argc >= 2) {
        if (!admin_arg_int(&c->argv[1], &proto)) {
            admin_error(c->s, "ERR Protocol version is not an integer or out of range");
            return;
        }
        if (proto < 2 || proto > 3) {
            admin_error(c->s, "NOPROTO unsupported protocol version");
            return;
        }
    }
    if (!hello_options(c, &name))
        return;
    if (!c->s->authenticated) {
        admin_error(c->s, "NOAUTH HELLO must be called with the client already authenticated, "
                          "otherwise the HELLO <proto> AUTH <user> <pass> option can be used to "
                          "authenticate the client and select the RESP protocol version at the "
                          "same time");
        return;
    }
    if (name != NULL)
        admin_client_set_name(c->s, name);
    if (proto < 3)
        admin_events_off(c->s); /* they are pushes: RESP2 would take them for replies */
    c->s->sink.proto = (int)proto;
    c->s->flags_proto = (int)proto;
    put_hello(c);
}
