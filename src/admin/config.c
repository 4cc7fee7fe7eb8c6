/* config.c - CONFIG: directives by name, from conf's table.
 *
 * SET works on a copy of what is published: every pair is checked and the whole
 * is checked before the owner is asked to adopt it, so it takes all or nothing. */
#include "admin_int.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    VALUE_MAX = 4096,
    PAIRS_MAX = 512, /* of one CONFIG SET; there are not so many directives */
};

static bool is_pattern(const struct hs_arg *a)
{
    for (size_t i = 0; i < a->n; i++)
        if (strchr("*?[", a->p[i]) != NULL)
            return true;
    return false;
}

/* The name to show a directive under, or an empty one if it was not asked for:
 * its own if a pattern found it, otherwise just as it was spelled. */
static struct hs_arg shown_as(const struct call *c, uint32_t directive)
{
    const char *name = hs_conf_name(directive);
    for (size_t i = 2; i < c->argc; i++) {
        const struct hs_arg *a = &c->argv[i];
        if (is_pattern(a) && admin_arg_glob(a, name))
            return (struct hs_arg){.p = name, .n = strlen(name)};
        if (!is_pattern(a) && hs_conf_find(a->p, a->n) == directive)
            return *a;
    }
    return (struct hs_arg){.p = "", .n = 0};
}

void admin_config_get(struct call *c)
{
    char value[VALUE_MAX];
    size_t n = 0;
    for (uint32_t i = 0; i < hs_conf_count(); i++)
        n += shown_as(c, i).n > 0;
    hs_resp_map(c->out, n);
    for (uint32_t i = 0; i < hs_conf_count(); i++) {
        struct hs_arg name = shown_as(c, i);
        if (name.n == 0)
            continue;
        hs_resp_bulk(c->out, name.p, name.n);
        hs_resp_bulk(c->out, value, hs_conf_get(&c->view->conf, i, value, sizeof(value)));
    }
}

static void set_failed(struct call *c, const struct hs_arg *name, const char *why)
{
    char word[129];
    admin_error(c->s, "ERR CONFIG SET failed (possibly related to argument '%s') - %s",
                admin_arg_text(name, word, sizeof(word)), why);
}

static bool is_repeated(const struct call *c, size_t i)
{
    for (size_t k = 2; k < i; k += 2) {
        uint32_t ix = hs_conf_find(c->argv[k].p, c->argv[k].n);
        bool same_word = c->argv[k].n == c->argv[i].n &&
                         strncasecmp(c->argv[k].p, c->argv[i].p, c->argv[i].n) == 0;
        if (same_word || (ix != HS_NIL && ix == hs_conf_find(c->argv[i].p, c->argv[i].n)))
            return true;
    }
    return false;
}

/* One pair into the copy; one that is ignored needs only be known. False after an
 * error reply. */
static bool set_pair(struct call *c, size_t i, struct hs_conf *conf)
{
    char why[512] = "";
    char word[129];
    const struct hs_arg *name = &c->argv[i];
    const struct hs_arg *value = &c->argv[i + 1];
    uint32_t ix = hs_conf_find(name->p, name->n);
    if (ix == HS_NIL && !hs_conf_is_ignored(name->p, name->n)) {
        admin_error(c->s, "ERR Unknown option or number of arguments for CONFIG SET - '%s'",
                    admin_arg_text(name, word, sizeof(word)));
        return false;
    }
    if (ix != HS_NIL && !hs_conf_is_live(ix))
        set_failed(c, name, "can't set immutable config");
    else if (is_repeated(c, i))
        set_failed(c, name, "duplicate parameter");
    else if (ix != HS_NIL && hs_conf_set(conf, ix, value->p, value->n, why, sizeof(why)) != 0)
        set_failed(c, name, why);
    else
        return true;
    return false;
}

/* The rules that span directives, and what was sized at start. */
static bool is_whole_ok(const struct call *c, const struct hs_conf *conf, char *why, size_t why_n)
{
    if (hs_conf_check_values(conf, why, why_n) != 0)
        return false;
    if (conf->maxclients <= c->a->conf.clients_max)
        return true;
    snprintf(why, why_n,
             "maxclients can be at most %" PRIu32 " until a restart: tables have that size",
             c->a->conf.clients_max);
    return false;
}

/* Puts every pair into the copy. If the whole is wrong then, the pair that made it
 * so for good is named. False after an error reply. */
static bool set_all(struct call *c, struct hs_conf *conf)
{
    char why[512];
    size_t culprit = 0;
    for (size_t i = 2; i < c->argc; i += 2) {
        if (!set_pair(c, i, conf))
            return false;
        if (is_whole_ok(c, conf, why, sizeof(why)))
            culprit = 0;
        else if (culprit == 0)
            culprit = i;
    }
    if (culprit != 0)
        set_failed(c, &c->argv[culprit], why);
    return culprit == 0;
}

/* Whatever names a file is named to have it read again, changed or not. */
static bool names_tls(const struct call *c)
{
    for (size_t i = 2; i < c->argc; i += 2) {
        uint32_t ix = hs_conf_find(c->argv[i].p, c->argv[i].n);
        if (ix != HS_NIL && hs_conf_is_tls(ix))
            return true;
    }
    return false;
}

/* On this reactor, for some milliseconds: it is rare, and a person waits. NULL
 * with *ok where there is nothing to load. */
static struct hs_tls_keys *load_keys(struct call *c, const struct hs_conf *conf, bool *ok)
{
    char why[512];
    struct hs_tls_keys *keys = NULL;
    *ok = true;
    if (c->a->conf.tls == NULL || !names_tls(c))
        return NULL;
    keys = hs_tls_load(conf, why, sizeof(why));
    *ok = keys != NULL;
    if (keys == NULL) {
        hs_log(HS_LOG_WARNING, "CONFIG SET keeps the old certificates and keys: %s.", why);
        admin_error(c->s,
                    "ERR CONFIG SET failed (possibly related to argument 'tls-cert-file') - "
                    "Unable to update TLS configuration: %s",
                    why);
    }
    return keys;
}

static void answer_set(struct hs_resp_sink *out, struct session *s, struct admin_request *r)
{
    if (r->base.err == HS_CMD_OK)
        hs_resp_simple(out, "OK");
    else
        admin_error(s, "ERR CONFIG SET failed - another CONFIG SET came first; try again");
}

void admin_config_set(struct call *c)
{
    if (c->argc % 2 != 0) {
        admin_syntax(c);
        return;
    }
    if (c->argc / 2 - 1 > PAIRS_MAX) {
        admin_wrong_arity(c);
        return;
    }
    struct hs_conf *conf = hs_alloc(sizeof(*conf));
    if (conf == NULL) {
        admin_error(c->s, "ERR out of memory");
        return;
    }
    *conf = c->view->conf;
    bool ok = set_all(c, conf);
    struct hs_tls_keys *keys = ok ? load_keys(c, conf, &ok) : NULL;
    struct admin_request *r = ok ? admin_request_new(c, HS_REQ_CONF) : NULL;
    if (r == NULL) {
        hs_tls_keys_free(keys);
        hs_free(conf);
        return;
    }
    r->base.conf = conf;
    r->base.conf_n = c->view->conf_n;
    r->base.keys = keys;
    r->answer = answer_set;
}

static void answer_ok(struct hs_resp_sink *out, struct session *s, struct admin_request *r)
{
    (void)s;
    (void)r;
    hs_resp_simple(out, "OK");
}

void admin_config_resetstat(struct call *c)
{
    struct admin_request *r = admin_request_new(c, HS_REQ_COMMAND);
    if (r == NULL)
        return;
    r->base.cmd.type = HS_CMD_RESETSTAT;
    r->answer = answer_ok;
    admin_cmdstats_reset(c->a);
    for (uint32_t i = 0; i < c->a->conf.reactors; i++) {
        struct reactor *x = &c->a->reactors[i];
        atomic_store_explicit(&x->commands, 0, memory_order_relaxed);
        atomic_store_explicit(&x->bytes_in, 0, memory_order_relaxed);
        atomic_store_explicit(&x->connections, 0, memory_order_relaxed);
        for (uint32_t e = 0; e < HS_ADMIN_ERROR_CODES; e++)
            atomic_store_explicit(&x->errors[e], 0, memory_order_relaxed);
    }
}

static void answer_rewrite(struct hs_resp_sink *out, struct session *s, struct admin_request *r)
{
    if (r->base.number == 0)
        hs_resp_simple(out, "OK");
    else
        admin_error(s, "ERR Rewriting config file: %s", r->base.why);
}

void admin_config_rewrite(struct call *c)
{
    if (c->a->conf.config_file[0] == '\0') {
        admin_error(c->s, "ERR The server is running without a config file");
        return;
    }
    struct hs_conf *conf = hs_alloc(sizeof(*conf));
    uint8_t *why = hs_alloc(HS_WHY_MAX);
    struct admin_request *r = NULL;
    if (conf == NULL || why == NULL)
        admin_error(c->s, "ERR out of memory");
    else
        r = admin_request_new(c, HS_REQ_REWRITE);
    if (r == NULL) {
        hs_free(why);
        hs_free(conf);
        return;
    }
    r->base.conf = conf;
    r->base.path = c->a->conf.config_file;
    r->base.why = (char *)why;
    r->bytes = why;
    r->answer = answer_rewrite;
}

void admin_config_help(struct call *c)
{
    admin_help(c, "CONFIG", admin_config_subs);
}
