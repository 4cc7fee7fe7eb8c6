/* list.c - lists through the table of connections, by place instead of pointer. */
#include "net_int.h"

void list_init(struct list *l, enum link_kind kind)
{
    *l = (struct list){.head = HS_NIL, .tail = HS_NIL, .kind = kind};
}

bool list_has(const struct conn *c, enum link_kind kind)
{
    return (c->listed & 1u << kind) != 0;
}

static struct link *link_of(struct hs_reactor *r, const struct list *l, hs_ix ix)
{
    return &r->conns[ix].link[l->kind];
}

/* Puts c between two neighbours, either of which may be the end. */
static void insert(struct hs_reactor *r, struct list *l, struct conn *c, hs_ix prev, hs_ix next)
{
    HS_ASSERT(!list_has(c, l->kind));
    c->listed |= 1u << l->kind;
    c->link[l->kind] = (struct link){.prev = prev, .next = next};
    *(prev == HS_NIL ? &l->head : &link_of(r, l, prev)->next) = c->ix;
    *(next == HS_NIL ? &l->tail : &link_of(r, l, next)->prev) = c->ix;
    l->n++;
}

void list_append(struct hs_reactor *r, struct list *l, struct conn *c)
{
    insert(r, l, c, l->tail, HS_NIL);
}

void list_remove(struct hs_reactor *r, struct list *l, struct conn *c)
{
    HS_ASSERT(list_has(c, l->kind) && l->n > 0);
    struct link *at = &c->link[l->kind];

    *(at->prev == HS_NIL ? &l->head : &link_of(r, l, at->prev)->next) = at->next;
    *(at->next == HS_NIL ? &l->tail : &link_of(r, l, at->next)->prev) = at->prev;
    c->listed &= ~(1u << l->kind);
    l->n--;
}

struct conn *list_next(struct hs_reactor *r, const struct list *l, const struct conn *c)
{
    hs_ix next = c->link[l->kind].next;

    return next == HS_NIL ? NULL : &r->conns[next];
}

struct conn *list_first(struct hs_reactor *r, const struct list *l)
{
    return l->head == HS_NIL ? NULL : &r->conns[l->head];
}
