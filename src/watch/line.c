/* line.c - an event's payload: key=value pairs, one blank between them.
 *
 * Names of nodes come from peers. Whatever they are, a line stays one line, its
 * pairs stay apart, and no shell or terminal finds anything to act on.
 */
#include "watch_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void line_begin(struct line *l, enum hs_told_kind kind)
{
    l->kind = kind;
    l->n = 0;
    l->text[0] = '\0';
}

static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("-._:@/+,[]", c) != NULL);
}

/* Room for the longest field of a node, every byte escaped. */
enum { VALUE_MAX = 3 * (HS_HOSTNAME_MAX + 1) + 1 };

static void escape(char *dst, const char *value)
{
    size_t n = 0;
    for (const char *p = value; *p != '\0' && n + 4 < VALUE_MAX; p++) {
        if (is_plain(*p))
            dst[n++] = *p;
        else
            n += (size_t)snprintf(dst + n, 4, "%%%02X", (unsigned)(unsigned char)*p);
    }
    dst[n] = '\0';
}

void line_text(struct line *l, const char *key, const char *value)
{
    HS_ASSERT(watch_has_field(l->kind, key));
    char safe[VALUE_MAX];
    escape(safe, value[0] != '\0' ? value : "-");
    size_t room = sizeof(l->text) - l->n;
    int n = snprintf(l->text + l->n, room, "%s%s=%s", l->n > 0 ? " " : "", key, safe);
    if (n > 0 && (size_t)n < room)
        l->n += (size_t)n;
    l->text[l->n] = '\0';
}

void line_int(struct line *l, const char *key, int64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, value);
    line_text(l, key, text);
}

void line_id(struct line *l, const char *key, const struct hs_node_id *id)
{
    char text[HS_ID_LEN + 1] = "-";
    if (id != NULL)
        snprintf(text, sizeof(text), "%.*s", HS_ID_LEN, id->hex);
    line_text(l, key, text);
}

void line_address(struct line *l, const char *key, const struct hs_topo_node *n)
{
    char text[HS_IP_LEN + 16];
    snprintf(text, sizeof(text), "%.*s:%u@%u", HS_IP_LEN, n->ip,
             n->port != 0 ? n->port : n->tls_port, n->cport);
    line_text(l, key, text);
}

void line_node(struct line *l, const struct hs_topo_node *n)
{
    line_id(l, "node", &n->id);
    line_text(l, "name", n->nodename);
    line_address(l, "address", n);
    line_text(l, "role", (n->flags & HS_NODE_SLAVE) != 0 ? "replica" : "master");
}
