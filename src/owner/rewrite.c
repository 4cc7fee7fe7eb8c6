/* rewrite.c - CONFIG REWRITE: the configuration file is written by the store
 * thread, since whoever writes it waits for the disk.
 *
 * One at a time, in the order asked; the store looks for a save before each, so
 * that none waits for more than one of them. Each client has one request out at
 * most, which bounds the list. What is written are the values of the moment
 * when it begins: never older ones over newer.
 */
#include "owner_int.h"

#include <stdio.h>

/* On the store's thread. */
static void rewrite(void *ctx)
{
    struct hs_request *req = ctx;
    req->number = hs_conf_rewrite(req->conf, req->path, req->why, HS_WHY_MAX);
}

static void begin(struct hs_owner *o)
{
    *o->rewrites->conf = o->conf;
    hs_store_ask(o->store, rewrite, o->rewrites);
}

void owner_rewrite(struct hs_owner *o, struct hs_request *req)
{
    bool is_first = o->rewrites == NULL;
    if (is_first)
        o->rewrites_end = &o->rewrites;
    req->next = NULL;
    *o->rewrites_end = req;
    o->rewrites_end = &req->next;
    if (is_first)
        begin(o);
}

void owner_rewrites_take(struct hs_owner *o)
{
    if (!owner_rewrites_ready(o))
        return;
    struct hs_request *req = o->rewrites;
    o->rewrites_n++;
    o->rewrites = req->next;
    owner_answer(o, req);
    if (o->rewrites != NULL)
        begin(o);
}

bool owner_rewrites_ready(const struct hs_owner *o)
{
    return hs_store_asked(o->store) != o->rewrites_n;
}

void owner_rewrites_abandon(struct hs_owner *o)
{
    if (o->rewrites == NULL)
        return;
    struct hs_request *req = o->rewrites->next;
    o->rewrites->next = NULL; /* the store has this one */
    while (req != NULL) {
        struct hs_request *next = req->next;
        req->number = -1;
        snprintf(req->why, HS_WHY_MAX, "the server stops");
        owner_answer(o, req);
        req = next;
    }
}
