/* nodes.conf into a topology: the file, its lines, its vars line.
 *
 * A file is loaded whole or refused. Every stock version writes the vars line
 * last and ends it with a newline, so asking for both means that no file cut
 * short anywhere is ever taken for the cluster's state. (Stock loaders accept a
 * missing vars line; the vote and the nodes that were on the lost tail are then
 * forgotten, which is how a node votes twice in one epoch.)
 */
#include "store_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool nodesconf_refuse(struct nodesconf *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(p->err->text, sizeof(p->err->text), fmt, ap);
    va_end(ap);
    for (char *c = p->err->text; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~')
            *c = '?'; /* it goes to a log and a terminal */
    }
    p->err->line = p->line;
    return false;
}

bool nodesconf_number(const char *p, size_t n, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(p[i] - '0');
        if (v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return n > 0;
}

/* Ids are random, so any of their bytes spread well (FNV-1a over all of them,
 * because a file can be made up). */
static uint32_t id_hash(const char *id)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < HS_ID_LEN; i++)
        h = (h ^ (uint8_t)id[i]) * 16777619u;
    return h;
}

uint16_t nodesconf_node(struct nodesconf *p, const struct hs_arg *id, const char *what)
{
    if (id->n != HS_ID_LEN || !hs_wire_id_valid((const uint8_t *)id->p)) {
        nodesconf_refuse(p, "%s '%.*s' is not a node id (40 characters of 0-9 and a-z)", what,
                         nodesconf_clip(id->n), id->p);
        return HS_TOPO_NONE;
    }
    struct hs_topo *t = p->t;
    uint32_t at = id_hash(id->p) & p->table_mask;
    for (; p->table[at] != 0; at = (at + 1) & p->table_mask) {
        uint16_t ix = (uint16_t)(p->table[at] - 1);
        if (memcmp(t->nodes[ix].id.hex, id->p, HS_ID_LEN) == 0)
            return ix;
    }
    if (t->nodes_n == t->nodes_max) {
        nodesconf_refuse(p, "more than %u nodes", (unsigned)t->nodes_max);
        return HS_TOPO_NONE;
    }
    struct hs_topo_node *node = &t->nodes[t->nodes_n];
    memcpy(node->id.hex, id->p, HS_ID_LEN);
    node->master = HS_TOPO_NONE;
    node->hostname = node->nodename = node->client_ipv4 = node->client_ipv6 = "";
    p->table[at] = (uint16_t)++t->nodes_n;
    return (uint16_t)(t->nodes_n - 1);
}

static bool is_word(const struct hs_arg *a, const char *word)
{
    return a->n == strlen(word) && memcmp(a->p, word, a->n) == 0;
}

/* vars NAME VALUE ...: names we do not know are a later version's, and skipped
 * as stock loaders do. */
static bool vars_line(struct nodesconf *p, int args_n)
{
    if (p->vars_seen)
        return nodesconf_refuse(p, "a second vars line");
    if (args_n % 2 == 0)
        return nodesconf_refuse(p, "the vars line has a name without a value");
    p->vars_seen = true;
    for (int i = 1; i < args_n; i += 2) {
        const struct hs_arg *name = &p->args[i], *value = &p->args[i + 1];
        uint64_t *into = NULL;
        if (is_word(name, "currentEpoch")) {
            into = &p->t->current_epoch;
        } else if (is_word(name, "lastVoteEpoch")) {
            into = &p->t->last_vote_epoch;
        }
        if (into != NULL && !nodesconf_number(value->p, value->n, UINT64_MAX, into)) {
            return nodesconf_refuse(p, "'%.*s' is not an epoch", nodesconf_clip(value->n),
                                    value->p);
        }
    }
    return true;
}

static bool one_line(struct nodesconf *p, char *line)
{
    int args_n = hs_resp_split(line, p->args, NODESCONF_ARGS_MAX);
    if (args_n < 0)
        return nodesconf_refuse(p, "unbalanced quotes, or more fields than a line can have");
    if (args_n == 0)
        return true;
    if (is_word(&p->args[0], "vars"))
        return vars_line(p, args_n);
    return nodesconf_node_line(p, args_n);
}

static uint32_t count(const char *text, size_t n, char c)
{
    uint32_t found = 0;
    for (size_t i = 0; i < n; i++)
        found += text[i] == c;
    return found;
}

/* text is n bytes, NUL-terminated and ours to cut up. What is missing at the
 * end is missed at the last line. */
static bool all_lines(struct nodesconf *p, char *text, size_t n)
{
    const char *nul = memchr(text, '\0', n);
    if (nul != NULL) {
        p->line = count(text, (size_t)(nul - text), '\n') + 1;
        return nodesconf_refuse(p, "it has NUL bytes, as a file has that was not written to its "
                                   "end; restore it from a copy");
    }
    if (text[n - 1] != '\n') {
        p->line = count(text, n, '\n') + 1;
        return nodesconf_refuse(p, "it ends in the middle of a line: it was cut short; restore "
                                   "it from a copy");
    }
    for (char *line = text; line < text + n;) {
        char *end = strchr(line, '\n');
        *end = '\0';
        p->line++;
        if (!one_line(p, line))
            return false;
        line = end + 1;
    }
    if (p->myself == HS_TOPO_NONE)
        return nodesconf_refuse(p, "no line has the flag 'myself'");
    if (!p->vars_seen) {
        return nodesconf_refuse(p, "it has no vars line, which comes last: it was cut short; "
                                   "restore it from a copy, or end it with 'vars currentEpoch "
                                   "N lastVoteEpoch N'");
    }
    return true;
}

static uint16_t swapped(uint16_t ix, uint16_t with)
{
    return ix == with ? 0 : ix == 0 ? with : ix;
}

/* The local node is nodes[0], wherever its line was. */
static void myself_first(struct nodesconf *p)
{
    struct hs_topo *t = p->t;
    uint16_t me = p->myself;
    struct hs_topo_node node = t->nodes[0];
    t->nodes[0] = t->nodes[me];
    t->nodes[me] = node;
    for (uint32_t i = 0; i < t->nodes_n; i++)
        t->nodes[i].master = swapped(t->nodes[i].master, me);
    for (uint32_t slot = 0; slot < HS_SLOTS; slot++) {
        t->owner[slot] = swapped(t->owner[slot], me);
        p->migrating[slot] = swapped(p->migrating[slot], me);
        p->importing[slot] = swapped(p->importing[slot], me);
    }
}

static uint32_t list_open(struct hs_topo_open *list, const uint16_t by_slot[HS_SLOTS])
{
    uint32_t n = 0;
    for (uint32_t slot = 0; slot < HS_SLOTS; slot++) {
        if (by_slot[slot] != HS_TOPO_NONE)
            list[n++] = (struct hs_topo_open){(uint16_t)slot, by_slot[slot]};
    }
    return n;
}

/* What needs the whole file: who is first, and what follows from others. */
static void complete(struct nodesconf *p)
{
    struct hs_topo *t = p->t;
    myself_first(p);
    t->migrating_n = list_open(t->migrating, p->migrating);
    t->importing_n = list_open(t->importing, p->importing);
    t->taken_ms = p->now_ms;
    for (uint32_t i = 0; i < t->nodes_n; i++) {
        struct hs_topo_node *node = &t->nodes[i];
        if (t->current_epoch < node->config_epoch)
            t->current_epoch = node->config_epoch;
        if (node->master == HS_TOPO_NONE)
            continue;
        /* A replica's epoch and shard are its master's. */
        node->config_epoch = 0;
        const struct hs_topo_node *master = &t->nodes[node->master];
        if (master->shard_id[0] != '\0')
            memcpy(node->shard_id, master->shard_id, HS_ID_LEN);
    }
}

static struct nodesconf *parser_create(const char *text, size_t n)
{
    /* Each line can name its own node and a master, each [ one more. */
    uint64_t nodes_max = 2 * (uint64_t)count(text, n, '\n') + count(text, n, '[') + 1;
    if (nodes_max > HS_TOPO_NONE)
        nodes_max = HS_TOPO_NONE;
    uint32_t table_n = 16;
    while (table_n < 2 * nodes_max)
        table_n *= 2;
    struct nodesconf *p = hs_alloc(sizeof(*p));
    if (p == NULL)
        return NULL;
    p->myself = HS_TOPO_NONE;
    p->table_mask = table_n - 1;
    memset(p->migrating, 0xff, sizeof(p->migrating));
    memset(p->importing, 0xff, sizeof(p->importing));
    p->t = hs_topo_create((uint32_t)nodes_max, HS_SLOTS, (uint32_t)n + 1);
    p->line_seen = hs_alloc(nodes_max * sizeof(*p->line_seen));
    p->table = hs_alloc(table_n * sizeof(*p->table));
    p->args = hs_alloc(NODESCONF_ARGS_MAX * sizeof(*p->args));
    return p;
}

static void parser_destroy(struct nodesconf *p)
{
    if (p == NULL)
        return;
    hs_free(p->line_seen);
    hs_free(p->table);
    hs_free(p->args);
    hs_free(p);
}

static struct hs_topo *parse(struct nodesconf *p, const char *text, size_t n)
{
    char *copy = hs_alloc(n + 1);
    bool ok =
        copy != NULL && p->t != NULL && p->line_seen != NULL && p->table != NULL && p->args != NULL;
    if (!ok) {
        nodesconf_refuse(p, "out of memory");
    } else {
        memcpy(copy, text, n);
        ok = all_lines(p, copy, n);
    }
    hs_free(copy);
    if (!ok) {
        hs_topo_destroy(p->t);
        return NULL;
    }
    complete(p);
    return p->t;
}

struct hs_topo *hs_nodesconf_parse(const char *text, size_t n, int64_t now_ms,
                                   struct hs_conf_error *err)
{
    *err = (struct hs_conf_error){.line = 0};
    if (n == 0 || n > NODESCONF_MAX) {
        snprintf(err->text, sizeof(err->text), "%s",
                 n == 0 ? "it is empty" : "it is larger than any nodes.conf can be (64 MiB)");
        return NULL;
    }
    struct nodesconf *p = parser_create(text, n);
    if (p == NULL) {
        snprintf(err->text, sizeof(err->text), "out of memory");
        return NULL;
    }
    p->err = err;
    p->now_ms = now_ms;
    struct hs_topo *t = parse(p, text, n);
    parser_destroy(p);
    return t;
}
