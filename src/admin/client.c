/* client.c - CLIENT: who is connected.
 *
 * The list of sessions is under a lock that ordinary commands never take. A
 * session is told to end by a flag; the reactor that holds its connection is
 * woken to close it, since only that thread may. */
#include "admin_int.h"

#include <inttypes.h>

void admin_client_id(struct call *c)
{
    hs_resp_int(c->out, (int64_t)c->s->id);
}

void admin_client_getname(struct call *c)
{
    if (c->s->name[0] != '\0')
        hs_resp_bulk_str(c->out, c->s->name);
    else
        hs_resp_null(c->out);
}

static bool is_printable(const struct hs_arg *a)
{
    for (size_t i = 0; i < a->n; i++)
        if (a->p[i] < '!' || a->p[i] > '~')
            return false;
    return a->n < ADMIN_NAME_MAX;
}

bool admin_client_name_ok(const struct hs_arg *name)
{
    return is_printable(name);
}

static void set_locked(struct session *s, char *field, const struct hs_arg *value)
{
    hs_lock_take(s->admin->clients_lock);
    admin_arg_text(value, field, ADMIN_NAME_MAX);
    hs_lock_release(s->admin->clients_lock);
}

void admin_client_set_name(struct session *s, const struct hs_arg *name)
{
    set_locked(s, s->name, name);
}

void admin_client_setname(struct call *c)
{
    if (!admin_client_name_ok(&c->argv[2])) {
        admin_error(c->s,
                    "ERR Client names cannot contain spaces, newlines or special characters.");
        return;
    }
    admin_client_set_name(c->s, &c->argv[2]);
    admin_ok(c);
}

void admin_client_setinfo(struct call *c)
{
    char word[129];
    bool lib_name = admin_arg_is(&c->argv[2], "lib-name");
    if (!lib_name && !admin_arg_is(&c->argv[2], "lib-ver")) {
        admin_error(c->s, "ERR Unrecognized option '%s'",
                    admin_arg_text(&c->argv[2], word, sizeof(word)));
        return;
    }
    if (!is_printable(&c->argv[3])) {
        admin_error(c->s, "ERR %s cannot contain spaces, newlines or special characters.",
                    lib_name ? "lib-name" : "lib-ver");
        return;
    }
    set_locked(c->s, lib_name ? c->s->lib_name : c->s->lib_ver, &c->argv[3]);
    admin_ok(c);
}

static bool listens(const struct session *s)
{
    uint32_t n = 0;
    for (int k = 0; k < TOPIC_KINDS; k++)
        n += atomic_load_explicit(&s->listening_n[k], memory_order_relaxed);
    return n > 0;
}

/* One line of CLIENT LIST, without its end. Under the lock. */
static void put_line(struct text *out, const struct session *s, int64_t now_ms)
{
    const struct admin_cmd *cmd = atomic_load_explicit(&s->last_cmd, memory_order_relaxed);
    const struct admin_cmd *sub = atomic_load_explicit(&s->last_sub, memory_order_relaxed);
    bool no_evict = atomic_load_explicit(&s->no_evict, memory_order_relaxed);
    bool no_touch = atomic_load_explicit(&s->no_touch, memory_order_relaxed);
    bool multi = atomic_load_explicit(&s->in_multi, memory_order_relaxed);
    uint32_t subs[TOPIC_KINDS];
    for (int k = 0; k < TOPIC_KINDS; k++)
        subs[k] = atomic_load_explicit(&s->listening_n[k], memory_order_relaxed);
    bool plain = !no_evict && !no_touch && !multi && !s->info.unix_socket && !listens(s);
    int64_t idle_ms = now_ms - atomic_load_explicit(&s->used_ms, memory_order_relaxed);
    admin_text_printf(out,
                      "id=%" PRIu64 " addr=%s laddr=%s fd=-1 name=%s age=%" PRId64 " idle=%" PRId64
                      " flags=%s%s%s%s%s%s db=0 sub=%u psub=%u ssub=%u multi=%d",
                      s->id, s->info.peer, s->info.local, s->name, (now_ms - s->created_ms) / 1000,
                      idle_ms > 0 ? idle_ms / 1000 : 0, listens(s) ? "P" : "", multi ? "x" : "",
                      s->info.unix_socket ? "U" : "", no_evict ? "e" : "", no_touch ? "T" : "",
                      plain ? "N" : "", subs[TOPIC_CHANNEL], subs[TOPIC_PATTERN], subs[TOPIC_SHARD],
                      multi ? 0 : -1);
    admin_text_printf(out,
                      " qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0"
                      " tot-mem=%zu events=r cmd=%s%s%s user=default redir=-1 resp=%d lib-name=%s"
                      " lib-ver=%s",
                      sizeof(*s), cmd != NULL ? cmd->name : "NULL", sub != NULL ? "|" : "",
                      sub != NULL ? sub->name : "",
                      atomic_load_explicit(&s->flags_proto, memory_order_relaxed), s->lib_name,
                      s->lib_ver);
}

static void reply_text(struct call *c, struct text *out)
{
    if (out->failed)
        admin_error(c->s, "ERR out of memory");
    else
        hs_resp_verbatim(c->out, out->p, out->n);
    admin_text_free(out);
}

static bool id_given(const struct call *c, uint64_t id)
{
    int64_t v;
    for (size_t i = 3; i < c->argc; i++)
        if (admin_arg_int(&c->argv[i], &v) && (uint64_t)v == id)
            return true;
    return false;
}

static bool ids_valid(struct call *c)
{
    int64_t v;
    for (size_t i = 3; i < c->argc; i++)
        if (!admin_arg_int(&c->argv[i], &v)) {
            admin_error(c->s, "ERR Invalid client ID");
            return false;
        }
    return true;
}

static bool type_valid(struct call *c, const struct hs_arg *type)
{
    static const char *const types[] = {"normal", "master", "replica", "slave", "pubsub"};
    char word[129];
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (admin_arg_is(type, types[i]))
            return true;
    admin_error(c->s, "ERR Unknown client type '%s'", admin_arg_text(type, word, sizeof(word)));
    return false;
}

/* Every client is one or the other: the bus has no clients. NULL is any type. */
static bool is_of_type(const struct session *s, const struct hs_arg *type)
{
    return type == NULL || admin_arg_is(type, listens(s) ? "pubsub" : "normal");
}

void admin_client_list(struct call *c)
{
    bool by_type = c->argc == 4 && admin_arg_is(&c->argv[2], "type");
    bool by_id = c->argc >= 4 && admin_arg_is(&c->argv[2], "id");
    if (c->argc > 2 && !by_type && !by_id) {
        admin_syntax(c);
        return;
    }
    if (by_id && !ids_valid(c))
        return;
    const struct hs_arg *type = by_type ? &c->argv[3] : NULL;
    if (by_type && !type_valid(c, type))
        return;
    struct text out = {0};
    int64_t now_ms = admin_now_ms();
    hs_lock_take(c->a->clients_lock);
    for (struct session *s = c->a->clients; s != NULL; s = s->next) {
        if ((by_id && !id_given(c, s->id)) || !is_of_type(s, type))
            continue;
        put_line(&out, s, now_ms);
        admin_text_put(&out, "\n", 1);
    }
    hs_lock_release(c->a->clients_lock);
    reply_text(c, &out);
}

void admin_client_info(struct call *c)
{
    struct text out = {0};
    hs_lock_take(c->a->clients_lock);
    put_line(&out, c->s, admin_now_ms());
    hs_lock_release(c->a->clients_lock);
    admin_text_put(&out, "\n", 1);
    reply_text(c, &out);
}

/* ---- KILL ---- */

struct kill_filter {
    int64_t id;                               /* 0 for any */
    const struct hs_arg *addr, *laddr, *type; /* NULL for any */
    bool skip_me;
};

static bool text_is(const char *text, const struct hs_arg *a)
{
    return strlen(text) == a->n && memcmp(text, a->p, a->n) == 0;
}

static bool kill_filter_add(struct call *c, struct kill_filter *f, const struct hs_arg *key,
                            const struct hs_arg *value)
{
    char word[129];
    if (admin_arg_is(key, "id")) {
        if (admin_arg_int(value, &f->id) && f->id > 0)
            return true;
        admin_error(c->s, "ERR client-id should be greater than 0");
        return false;
    }
    if (admin_arg_is(key, "addr")) {
        f->addr = value;
    } else if (admin_arg_is(key, "laddr")) {
        f->laddr = value;
    } else if (admin_arg_is(key, "skipme") &&
               (admin_arg_is(value, "yes") || admin_arg_is(value, "no"))) {
        f->skip_me = admin_arg_is(value, "yes");
    } else if (admin_arg_is(key, "type")) {
        if (!type_valid(c, value))
            return false;
        f->type = value;
    } else if (admin_arg_is(key, "user") && admin_arg_is(value, "default")) {
        return true;
    } else if (admin_arg_is(key, "user")) {
        admin_error(c->s, "ERR No such user '%s'", admin_arg_text(value, word, sizeof(word)));
        return false;
    } else {
        admin_syntax(c);
        return false;
    }
    return true;
}

/* Under the lock. */
static void mark_killed(struct hs_admin *a, struct session *s)
{
    struct reactor *r = &a->reactors[s->info.reactor];
    atomic_store_explicit(&s->killed, true, memory_order_relaxed);
    if (!atomic_exchange(&r->kills, true))
        hs_net_wake(*a->conf.net, s->info.reactor);
}

static int64_t kill_matching(struct call *c, const struct kill_filter *f)
{
    int64_t n = 0;
    hs_lock_take(c->a->clients_lock);
    for (struct session *s = c->a->clients; s != NULL; s = s->next) {
        if ((f->id != 0 && (uint64_t)f->id != s->id) ||
            (f->addr != NULL && !text_is(s->info.peer, f->addr)) ||
            (f->laddr != NULL && !text_is(s->info.local, f->laddr)) || !is_of_type(s, f->type) ||
            (f->skip_me && s == c->s))
            continue;
        mark_killed(c->a, s);
        n++;
    }
    hs_lock_release(c->a->clients_lock);
    return n;
}

void admin_client_close_killed(struct hs_admin *a, uint32_t reactor)
{
    hs_lock_take(a->clients_lock);
    for (struct session *s = a->clients; s != NULL; s = s->next) {
        /* One that is closing has a reply under way: who killed itself reads it. */
        if (s->info.reactor == reactor && !s->closing &&
            atomic_load_explicit(&s->killed, memory_order_relaxed))
            hs_client_kill(*a->conf.net, s->info.conn);
    }
    hs_lock_release(a->clients_lock);
}

void admin_client_kill(struct call *c)
{
    struct kill_filter f = {.skip_me = true};
    if (c->argc == 3) { /* the old form: one address, and oneself too */
        f = (struct kill_filter){.addr = &c->argv[2]};
        if (kill_matching(c, &f) > 0)
            admin_ok(c);
        else
            admin_error(c->s, "ERR No such client");
        return;
    }
    if (c->argc % 2 != 0) {
        admin_syntax(c);
        return;
    }
    for (size_t i = 2; i < c->argc; i += 2)
        if (!kill_filter_add(c, &f, &c->argv[i], &c->argv[i + 1]))
            return;
    hs_resp_int(c->out, kill_matching(c, &f));
}

/* ---- switches ---- */

static void set_switch(struct call *c, _Atomic bool *flag)
{
    bool on = admin_arg_is(&c->argv[2], "on");
    if (!on && !admin_arg_is(&c->argv[2], "off")) {
        admin_syntax(c);
        return;
    }
    atomic_store_explicit(flag, on, memory_order_relaxed);
    admin_ok(c);
}

void admin_client_no_evict(struct call *c)
{
    set_switch(c, &c->s->no_evict);
}

void admin_client_no_touch(struct call *c)
{
    set_switch(c, &c->s->no_touch);
}

void admin_client_reply(struct call *c)
{
    if (admin_arg_is(&c->argv[2], "on")) {
        c->s->reply = REPLY_ON;
        admin_ok(c);
    } else if (admin_arg_is(&c->argv[2], "off")) {
        c->s->reply = REPLY_OFF;
    } else if (admin_arg_is(&c->argv[2], "skip")) {
        if (c->s->reply != REPLY_OFF)
            c->s->reply = REPLY_SKIP_NEXT;
    } else {
        admin_syntax(c);
    }
}

void admin_client_help(struct call *c)
{
    admin_help(c, "CLIENT", admin_client_subs);
}
