/* hearsay.c - HEARSAY: what stock servers do not have. */
#include "admin_int.h"

static void answer_ok(struct hs_resp_sink *out, struct session *s, struct admin_request *r)
{
    (void)s;
    (void)r;
    hs_resp_simple(out, "OK");
}

/* The store that this node speaks for tells how far it has replicated, so that
 * among replicas the one with the freshest data is elected first. */
void admin_hearsay_offset(struct call *c)
{
    int64_t offset;
    if (!admin_call_int(c, &c->argv[2], &offset))
        return;
    if (offset < 0) {
        admin_error(c->s, "ERR a replication offset is not negative");
        return;
    }
    struct admin_request *r = admin_request_new(c, HS_REQ_COMMAND);
    if (r == NULL)
        return;
    r->base.cmd.type = HS_CMD_OFFSET;
    r->base.cmd.epoch = offset;
    r->answer = answer_ok;
}

void admin_hearsay_help(struct call *c)
{
    admin_help(c, "HEARSAY", admin_hearsay_subs);
}
