/* From the command line and configuration files to a struct hs_conf.
 *
 * Files first, then the command line, which wins. Every error names the place
 * and quotes what was found there.
 */
#include "conf_int.h"
#include "hearsay/resp.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    LINE_MAX_N = 16384,    /* bytes of a line; a longer one is refused */
    ARGS_MAX = 256,        /* words of a line */
    VALUE_MAX = 2048,      /* bytes of a value, its words joined */
    INCLUDE_DEPTH_MAX = 16 /* files that include files; also ends a circle */
};

struct loader {
    struct hs_conf *c;
    struct hs_conf_result *r;
    const char *place; /* file name, or "command line" */
    uint32_t line;     /* 0 on the command line */
    uint32_t depth;
};

static bool load_file(struct loader *l, const char *path);

static bool refuse(struct loader *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool refuse(struct loader *l, const char *fmt, ...)
{
    char *why = l->r->why;
    size_t size = sizeof(l->r->why);
    int n = l->line != 0 ? snprintf(why, size, "%.500s:%u: ", l->place, l->line)
                         : snprintf(why, size, "%.500s: ", l->place);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why + n, size - (size_t)n, fmt, ap);
    va_end(ap);
    for (; *why != '\0'; why++) {
        if (iscntrl((unsigned char)*why))
            *why = '?'; /* it goes to a terminal */
    }
    return false;
}

/* Names each ignored directive once; those beyond the buffer are left out. */
static void note_ignored(struct hs_conf_result *r, const char *name)
{
    size_t used = strlen(r->ignored), n = strlen(name);
    for (const char *p = r->ignored; (p = strstr(p, name)) != NULL; p += n) {
        bool starts = p == r->ignored || p[-1] == ' ';
        if (starts && (p[n] == '\0' || p[n] == ' '))
            return;
    }
    if (used + n + 2 <= sizeof(r->ignored))
        snprintf(r->ignored + used, sizeof(r->ignored) - used, "%s%s", used == 0 ? "" : " ", name);
}

static bool include(struct loader *l, const char *pattern)
{
    glob_t found;
    if (l->depth == INCLUDE_DEPTH_MAX)
        return refuse(l, "include '%s': more than %d files deep", pattern, INCLUDE_DEPTH_MAX);
    /* A pattern may match nothing; a plain name is tried, and its error told. */
    bool pattern_used = strpbrk(pattern, "*?[") != NULL;
    if (!pattern_used)
        return load_file(l, pattern);
    if (glob(pattern, 0, NULL, &found) != 0)
        return true;
    bool ok = true;
    for (size_t i = 0; ok && i < found.gl_pathc; i++)
        ok = load_file(l, found.gl_pathv[i]);
    globfree(&found);
    return ok;
}

static bool is_secret(const struct conf_row *row)
{
    return row->off == offsetof(struct hs_conf, requirepass) ||
           row->off == offsetof(struct hs_conf, tls_key_file_pass) ||
           row->off == offsetof(struct hs_conf, tls_client_key_file_pass);
}

static bool directive(struct loader *l, const char *name, const char *value, int values_n)
{
    char why[256];
    if (strcasecmp(name, "include") == 0 && values_n == 1)
        return include(l, value);
    uint32_t i = hs_conf_find(name, strlen(name));
    if (i == HS_NIL && hs_conf_is_ignored(name, strlen(name))) {
        note_ignored(l->r, name);
        return true;
    }
    if (i == HS_NIL) {
        return refuse(l,
                      "unknown directive '%.100s' in '%.100s %.200s'; the nearest known name is "
                      "'%s'",
                      name, name, value, conf_nearest(name));
    }
    /* A password stays out of the log even when it is wrong. */
    const char *shown = is_secret(&conf_table[i]) ? "..." : value;
    bool is_list = conf_table[i].kind == CONF_BIND || conf_table[i].kind == CONF_RANGES ||
                   conf_table[i].kind == CONF_LIMITS;
    if (values_n == 0 || (values_n > 1 && !is_list)) {
        return refuse(l, "'%.100s %.200s': %s takes %s value", name, shown, conf_table[i].name,
                      is_list ? "at least one" : "one");
    }
    if (!conf_value_set(l->c, &conf_table[i], value, why, sizeof(why)))
        return refuse(l, "'%.100s %.200s': %s", name, shown, why);
    return true;
}

/* Words into one value; false if it does not fit or has a NUL. */
static bool join(const struct hs_arg *args, int n, char value[VALUE_MAX])
{
    size_t used = 0;
    value[0] = '\0';
    for (int i = 0; i < n; i++) {
        if (used + args[i].n + 2 > VALUE_MAX || memchr(args[i].p, '\0', args[i].n) != NULL)
            return false;
        if (i > 0)
            value[used++] = ' ';
        memcpy(value + used, args[i].p, args[i].n);
        used += args[i].n;
        value[used] = '\0';
    }
    return true;
}

static bool words(struct loader *l, const struct hs_arg *args, int n)
{
    char name[VALUE_MAX], value[VALUE_MAX];
    if (!join(args, 1, name))
        return refuse(l, "the directive's name is too long");
    for (char *p = name; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    /* Long lists (save points, ACL users) belong to directives we ignore. */
    if (!join(args + 1, n - 1, value)) {
        if (hs_conf_is_ignored(name, strlen(name))) {
            note_ignored(l->r, name);
            return true;
        }
        return refuse(l, "the value of '%.100s' is too long", name);
    }
    return directive(l, name, value, n - 1);
}

static bool file_line(struct loader *l, char *line)
{
    struct hs_arg args[ARGS_MAX];
    line += strspn(line, " \t\r\n");
    if (*line == '#' || *line == '\0')
        return true;
    char quoted[64];
    snprintf(quoted, sizeof(quoted), "%s", line);
    quoted[strcspn(quoted, "\r\n")] = '\0';
    int args_n = hs_resp_split(line, args, ARGS_MAX);
    if (args_n < 0)
        return refuse(l, "unbalanced quotes, or more than %d words, in '%s'", ARGS_MAX, quoted);
    return args_n == 0 || words(l, args, args_n);
}

/* 1 with a line, 0 at the end, -1 refused. */
static int next_line(struct loader *l, FILE *f, char line[LINE_MAX_N])
{
    int c, n = 0;
    while ((c = getc_unlocked(f)) != EOF && c != '\n') {
        if (c == '\0' || n == LINE_MAX_N - 1) {
            if (c == '\0') {
                refuse(l, "a NUL byte: this is not a text file");
            } else {
                refuse(l, "a line of more than %d bytes", LINE_MAX_N - 1);
            }
            return -1;
        }
        line[n++] = (char)c;
    }
    line[n] = '\0';
    return c != EOF || n > 0;
}

static bool stream(struct loader *l, FILE *f)
{
    char line[LINE_MAX_N];
    int more;
    for (l->line = 1; (more = next_line(l, f, line)) > 0; l->line++) {
        if (!file_line(l, line))
            return false;
    }
    if (more < 0)
        return false;
    l->line = 0;
    return !ferror(f) || refuse(l, "cannot read it: %s", strerror(errno));
}

static bool load_file(struct loader *l, const char *path)
{
    struct loader inner = {.c = l->c, .r = l->r, .place = path, .depth = l->depth + 1};
    bool standard = strcmp(path, "-") == 0 && l->depth == 0;
    FILE *f = standard ? stdin : fopen(path, "re");
    if (f == NULL) {
        return l->depth == 0 ? refuse(&inner, "cannot open it: %s", strerror(errno))
                             : refuse(l, "cannot open '%.300s': %s", path, strerror(errno));
    }
    if (standard)
        inner.place = "standard input";
    bool ok = stream(&inner, f);
    if (!standard)
        fclose(f);
    return ok;
}

/* --name=value, or --name and the words up to the next --name. Returns how many
 * arguments were used, 0 if it failed. */
static int option(struct loader *l, int argc, char **argv)
{
    struct hs_arg args[ARGS_MAX];
    int n = 1;
    args[0] = (struct hs_arg){argv[0] + 2, strlen(argv[0] + 2)};
    const char *equals = strchr(argv[0], '=');
    if (equals != NULL) {
        args[0].n = (size_t)(equals - argv[0]) - 2;
        args[1] = (struct hs_arg){equals + 1, strlen(equals + 1)};
        return words(l, args, 2) ? 1 : 0;
    }
    for (; n < argc && n < ARGS_MAX && strncmp(argv[n], "--", 2) != 0; n++)
        args[n] = (struct hs_arg){argv[n], strlen(argv[n])};
    return words(l, args, n) ? n : 0;
}

static bool explain_nodes(struct loader *l, const char *text)
{
    char *end;
    errno = 0;
    unsigned long v = text == NULL ? 0 : strtoul(text, &end, 10);
    if (text == NULL || errno != 0 || *end != '\0' || v < 2 || v > HS_SLOTS)
        return refuse(l, "--nodes takes a number from 2 to %d", HS_SLOTS);
    l->r->explain_nodes = (uint32_t)v;
    return true;
}

/* What to do instead of running. Returns the arguments used, 0 if it is none of
 * these, -1 if it failed. */
static int mode(struct loader *l, int argc, char **argv)
{
    const char *a = argv[0];
    if (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0) {
        l->r->mode = HS_CONF_HELP;
    } else if (strcmp(a, "--version") == 0 || strcmp(a, "-v") == 0) {
        l->r->mode = HS_CONF_VERSION;
    } else if (strcmp(a, "--check-config") == 0) {
        l->r->mode = HS_CONF_CHECK;
    } else if (strcmp(a, "--explain") == 0) {
        l->r->mode = HS_CONF_EXPLAIN;
    } else if (strncmp(a, "--nodes=", 8) == 0) {
        return explain_nodes(l, a + 8) ? 1 : -1;
    } else if (strcmp(a, "--nodes") == 0) {
        return explain_nodes(l, argc > 1 ? argv[1] : NULL) ? 2 : -1;
    } else {
        return 0;
    }
    return 1;
}

static bool options(struct loader *l, int argc, char **argv)
{
    for (int i = 0; i < argc;) {
        int used = mode(l, argc - i, argv + i);
        if (used == 0 && strncmp(argv[i], "--", 2) != 0)
            return refuse(
                l,
                "'%.200s' is not an option; options start with --, and a file is named before them",
                argv[i]);
        if (used == 0)
            used = option(l, argc - i, argv + i);
        if (used <= 0)
            return false;
        i += used;
    }
    if (l->r->mode == HS_CONF_EXPLAIN && l->r->explain_nodes == 0)
        return refuse(l, "--explain needs --nodes N");
    if (l->r->mode == HS_CONF_RUN && l->r->explain_nodes != 0)
        return refuse(l, "--nodes goes with --explain; nodes that a running one prepares for are "
                         "cluster-nodes-max");
    return true;
}

int hs_conf_load(struct hs_conf *c, int argc, char **argv, struct hs_conf_result *r)
{
    char real[PATH_MAX];
    *r = (struct hs_conf_result){.mode = HS_CONF_RUN};
    hs_conf_defaults(c);
    struct loader l = {.c = c, .r = r, .place = "command line"};
    int first = 1;
    bool standard = argc > 1 && strcmp(argv[1], "-") == 0;
    if (standard || (argc > 1 && argv[1][0] != '-')) {
        if (!load_file(&l, argv[1]))
            return -1;
        if (!standard && realpath(argv[1], real) != NULL)
            snprintf(r->file, sizeof(r->file), "%.*s", HS_PATH_MAX - 1, real);
        first = 2;
    }
    return argc <= first || options(&l, argc - first, argv + first) ? 0 : -1;
}
