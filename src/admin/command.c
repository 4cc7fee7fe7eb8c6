/* command.c - COMMAND: the table of commands, as clients ask for it. */
#include "admin_int.h"

void admin_command_count(struct call *c)
{
    hs_resp_int(c->out, (int64_t)admin_commands_n());
}

static void put_flags(struct hs_resp_sink *out, uint32_t flags)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } names[] = {
        {WRITE, "write"},    {READ, "readonly"},     {OOM, "denyoom"},
        {ADMIN, "admin"},    {NOSCRIPT, "noscript"}, {LOADING, "loading"},
        {STALE, "stale"},    {FAST, "fast"},         {BLOCK, "blocking"},
        {NOAUTH, "no_auth"}, {NOMULTI, "no_multi"},  {MOVABLE, "movablekeys"},
        {PUBSUB, "pubsub"},
    };
    size_t n = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        n += (flags & names[i].bit) != 0;
    hs_resp_set(out, n);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if ((flags & names[i].bit) != 0)
            hs_resp_simple(out, names[i].name);
}

static size_t subs_n(const struct admin_cmd *cmd)
{
    size_t n = 0;
    while (cmd->subs != NULL && cmd->subs[n].name != NULL)
        n++;
    return n;
}

static void put_name(struct hs_resp_sink *out, const struct admin_cmd *top,
                     const struct admin_cmd *cmd)
{
    char name[128];
    int n = top == cmd ? snprintf(name, sizeof(name), "%s", cmd->name)
                       : snprintf(name, sizeof(name), "%s|%s", top->name, cmd->name);
    hs_resp_bulk(out, name, (size_t)n);
}

/* The ten parts of a command, but for the subcommands. */
static void put_info_head(struct hs_resp_sink *out, const struct admin_cmd *top,
                          const struct admin_cmd *cmd)
{
    char category[64];
    hs_resp_array(out, 10);
    put_name(out, top, cmd);
    hs_resp_int(out, cmd->arity);
    put_flags(out, cmd->flags);
    hs_resp_int(out, cmd->first);
    hs_resp_int(out, cmd->last);
    hs_resp_int(out, cmd->step);
    snprintf(category, sizeof(category), "@%s", cmd->group);
    hs_resp_set(out, 1);
    hs_resp_simple(out, category);
    hs_resp_array(out, 0); /* tips */
    hs_resp_array(out, 0); /* key specifications */
}

static void put_info(struct hs_resp_sink *out, const struct admin_cmd *cmd)
{
    put_info_head(out, cmd, cmd);
    hs_resp_array(out, subs_n(cmd));
    for (size_t i = 0; i < subs_n(cmd); i++) {
        put_info_head(out, cmd, &cmd->subs[i]);
        hs_resp_array(out, 0);
    }
}

void admin_command_all(struct call *c)
{
    hs_resp_array(c->out, admin_commands_n());
    for (size_t i = 0; i < admin_commands_n(); i++)
        put_info(c->out, admin_command(i));
}

/* "a" or "a|b". */
static const struct admin_cmd *find_path(const struct hs_arg *name, const struct admin_cmd **top)
{
    const char *bar = name->n > 0 ? memchr(name->p, '|', name->n) : NULL;
    if (bar == NULL)
        return *top = admin_find(name);
    size_t n = (size_t)(bar - name->p);
    *top = admin_find(&(struct hs_arg){.p = name->p, .n = n});
    if (*top == NULL || (*top)->subs == NULL)
        return NULL;
    return admin_find_sub(*top, &(struct hs_arg){.p = bar + 1, .n = name->n - n - 1});
}

void admin_command_info(struct call *c)
{
    if (c->argc == 2) {
        admin_command_all(c);
        return;
    }
    hs_resp_array(c->out, c->argc - 2);
    for (size_t i = 2; i < c->argc; i++) {
        const struct admin_cmd *top;
        const struct admin_cmd *cmd = find_path(&c->argv[i], &top);
        if (cmd == NULL) {
            hs_resp_null(c->out);
        } else if (cmd == top) {
            put_info(c->out, cmd);
        } else {
            put_info_head(c->out, top, cmd);
            hs_resp_array(c->out, 0);
        }
    }
}

static bool in_filter(const struct call *c, const struct admin_cmd *cmd)
{
    if (c->argc == 2)
        return true;
    if (admin_arg_is(&c->argv[3], "pattern"))
        return admin_arg_glob(&c->argv[4], cmd->name);
    if (admin_arg_is(&c->argv[3], "aclcat"))
        return admin_arg_is(&c->argv[4], cmd->group);
    return false; /* of a module: there are none */
}

void admin_command_list(struct call *c)
{
    bool filter = c->argc == 5 && admin_arg_is(&c->argv[2], "filterby") &&
                  (admin_arg_is(&c->argv[3], "pattern") || admin_arg_is(&c->argv[3], "aclcat") ||
                   admin_arg_is(&c->argv[3], "module"));
    size_t n = 0;
    if (c->argc != 2 && !filter) {
        admin_syntax(c);
        return;
    }
    for (size_t i = 0; i < admin_commands_n(); i++)
        n += in_filter(c, admin_command(i));
    hs_resp_set(c->out, n);
    for (size_t i = 0; i < admin_commands_n(); i++)
        if (in_filter(c, admin_command(i)))
            hs_resp_bulk_str(c->out, admin_command(i)->name);
}

static void put_docs(struct hs_resp_sink *out, const struct admin_cmd *top,
                     const struct admin_cmd *cmd)
{
    put_name(out, top, cmd);
    hs_resp_map(out, cmd->subs != NULL ? 4 : 3);
    hs_resp_bulk_str(out, "summary");
    hs_resp_bulk_str(out, cmd->summary);
    hs_resp_bulk_str(out, "since");
    hs_resp_bulk_str(out, cmd->since);
    hs_resp_bulk_str(out, "group");
    hs_resp_bulk_str(out, cmd->group);
    if (cmd->subs == NULL)
        return;
    hs_resp_bulk_str(out, "subcommands");
    hs_resp_map(out, subs_n(cmd));
    for (size_t i = 0; i < subs_n(cmd); i++)
        put_docs(out, cmd, &cmd->subs[i]);
}

void admin_command_docs(struct call *c)
{
    const struct admin_cmd *top;
    size_t n = c->argc == 2 ? admin_commands_n() : 0;
    for (size_t i = 2; i < c->argc; i++)
        n += find_path(&c->argv[i], &top) != NULL;
    hs_resp_map(c->out, n);
    for (size_t i = 0; i < admin_commands_n() && c->argc == 2; i++)
        put_docs(c->out, admin_command(i), admin_command(i));
    for (size_t i = 2; i < c->argc; i++) {
        const struct admin_cmd *cmd = find_path(&c->argv[i], &top);
        if (cmd != NULL)
            put_docs(c->out, top, cmd);
    }
}

static void count_key(void *ctx, const struct hs_arg *key)
{
    (void)key;
    (*(size_t *)ctx)++;
}

static void put_key(void *ctx, const struct hs_arg *key)
{
    hs_resp_bulk(ctx, key->p, key->n);
}

void admin_command_getkeys(struct call *c)
{
    const struct hs_arg *argv = c->argv + 2;
    size_t argc = c->argc - 2;
    size_t n = 0;
    const struct admin_cmd *cmd = admin_find(&argv[0]);
    if (cmd == NULL) {
        admin_error(c->s, "ERR Invalid command specified");
        return;
    }
    if (cmd->first == 0 && cmd->numkeys == 0 && (cmd->flags & STREAMS) == 0) {
        admin_error(c->s, "ERR The command has no key arguments");
        return;
    }
    if (cmd->arity < 0 ? argc < (size_t)-cmd->arity : argc != (size_t)cmd->arity) {
        admin_error(c->s, "ERR Invalid number of arguments specified for command");
        return;
    }
    if (!admin_each_key(cmd, argv, argc, count_key, &n)) {
        admin_error(c->s, "ERR Invalid arguments specified for command");
        return;
    }
    hs_resp_array(c->out, n);
    admin_each_key(cmd, argv, argc, put_key, c->out);
}

void admin_command_help(struct call *c)
{
    admin_help(c, "COMMAND", admin_command_subs);
}
