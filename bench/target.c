/* target.c - what the target says of itself before and after a run. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { NODE_LINE_MAX = 256 }; /* of CLUSTER NODES, for a peer: 150 and its slots */

int refuse(const char *what, const char *why)
{
    fprintf(stderr, "hearsay-bench: %s: %s\n", what, why);
    return 2;
}

static uint64_t number_after(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    return at == NULL ? 0 : strtoull(at + strlen(name), NULL, 10);
}

int target_meet(struct bench *b)
{
    const char *const myid[] = {"CLUSTER", "MYID"}, *const info[] = {"CLUSTER", "INFO"};
    char reply[4096];
    int err = ask(b->o, myid, 2, reply, sizeof(reply));

    if (err != 0 || strncmp(reply, "$40\r\n", 5) != 0) {
        return refuse("the target does not answer CLUSTER MYID on its client port",
                      err != 0 ? strerror(-err) : reply);
    }
    memcpy(b->target_id.hex, reply + 5, HS_ID_LEN);
    err = ask(b->o, info, 2, reply, sizeof(reply));
    if (err != 0) {
        return refuse("the target does not answer CLUSTER INFO", strerror(-err));
    }
    if (number_after(reply, "cluster_known_nodes:") != 1 ||
        number_after(reply, "cluster_slots_assigned:") != 0) {
        return refuse("the target is in a cluster already", "start a fresh node without slots");
    }
    return 0;
}

static void bad_end(struct bench *b, const char *what, uint64_t is, uint64_t expected)
{
    if (is != expected) {
        fault(&b->workers[0], BAD_END, "%s %llu where %llu is right", what, (unsigned long long)is,
              (unsigned long long)expected);
    }
}

static uint64_t lines_with(const char *text, const char *flags)
{
    uint64_t n = 0;

    for (const char *at = text; (at = strstr(at, flags)) != NULL; at++) {
        n++;
    }
    return n;
}

/* How many nodes the target has marked, by its own list. */
static void marked(const struct options *o, struct result *r)
{
    const char *const nodes[] = {"CLUSTER", "NODES"};
    size_t room = ((size_t)o->peers + 1) * NODE_LINE_MAX;
    char *reply = malloc(room);

    if (reply != NULL && ask(o, nodes, 2, reply, room) == 0) {
        r->failed_n = lines_with(reply, "master,fail ");
        r->suspected_n = lines_with(reply, "master,fail? ");
    }
    free(reply);
}

static void storm_end(struct bench *b, struct result *r)
{
    int64_t last = atomic_load(&b->last_fail_ns);

    r->killed_n = b->world.killed_n;
    r->told_n = count_sum(b, N_FAILS);
    r->last_fail_s = last == 0 ? 0 : (double)(last - atomic_load(&b->killed_at_ns)) / 1e9;
    marked(b->o, r);
    bad_end(b, "nodes marked FAIL", r->failed_n, b->o->silent ? 0 : r->killed_n);
    bad_end(b, "nodes suspected", r->suspected_n, b->o->silent ? r->killed_n : 0);
}

/* What the target itself says when all is over. */
void target_check_end(struct bench *b, struct result *r)
{
    const char *const info[] = {"CLUSTER", "INFO"};
    char reply[4096];

    if (b->o->mode == MODE_STORM) {
        storm_end(b, r);
    }
    if (ask(b->o, info, 2, reply, sizeof(reply)) != 0) {
        bad_end(b, "CLUSTER INFO is not answered at the end:", 0, 1);
        return;
    }
    bad_end(b, "cluster_known_nodes", number_after(reply, "cluster_known_nodes:"),
            (uint64_t)b->o->peers + 1);
    bad_end(b, "cluster_slots_assigned", number_after(reply, "cluster_slots_assigned:"), HS_SLOTS);
    if (b->o->mode != MODE_STORM) {
        bad_end(b, "cluster_slots_ok", number_after(reply, "cluster_slots_ok:"), HS_SLOTS);
    }
}
