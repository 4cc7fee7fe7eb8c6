/* faults.c - bad days: what a step of a story does to nodes, disks, clocks and
 * the network, and how it is put right again.
 */
#include "sim_int.h"

#include <stdlib.h>

enum { PER_HOST = 3, ZONES = 3 }; /* node i is on host i / 3, in zone i % 3 */

/* A while after the last fault others have no excuse for holding it failed. One
 * fault may end while a pause lasts. */
static void sick_after(const struct hs_sim *s, struct node *n, int64_t end)
{
    int64_t until = end + 3 * (int64_t)s->opts.node_timeout_ms * MS + 2 * SECOND;

    n->sick_until = until > n->sick_until ? until : n->sick_until;
}

/* Something is wrong with a node (+1) or is no longer (-1). */
void faults_sick(struct hs_sim *s, uint32_t i, int add)
{
    struct node *n = &s->nodes[i];

    n->sick = n->sick + (uint64_t)(int64_t)add;
    if (n->sick == 0) {
        sick_after(s, n, s->now);
    }
}

/* ---- sets of nodes ---- */

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* "3", "0-4", "0-2,5" */
static bool parse_list(const struct hs_sim *s, const char *word, uint8_t *set)
{
    while (*word != '\0') {
        char *end;
        unsigned long first = strtoul(word, &end, 10), last = first;
        if (end == word) {
            return false;
        }
        if (*end == '-') {
            word = end + 1;
            last = strtoul(word, &end, 10);
            if (end == word) {
                return false;
            }
        }
        if (first > last || last >= s->n || (*end != ',' && *end != '\0') ||
            (*end == ',' && end[1] == '\0')) {
            return false;
        }
        memset(set + first, 1, last - first + 1);
        word = *end == ',' ? end + 1 : end;
    }
    return true;
}

static bool in_class(struct hs_sim *s, uint32_t i, const char *what)
{
    if (!s->nodes[i].running) {
        return false;
    }
    if (is(what, "nodes") || is(what, "node")) {
        return true;
    }
    return view_is_master(s, i) == (is(what, "masters") || is(what, "master"));
}

static bool is_class(const char *w)
{
    return is(w, "masters") || is(w, "master") || is(w, "replicas") || is(w, "replica") ||
           is(w, "nodes") || is(w, "node");
}

/* So many of a class, or per cent of it, drawn by lot. */
static void draw(struct hs_sim *s, const char *what, uint32_t n, bool per_cent, uint8_t *set)
{
    uint32_t *all = hs_alloc(s->n * sizeof(*all)), all_n = 0;

    HS_ASSERT(all != NULL);
    for (uint32_t i = 0; i < s->n; i++) {
        if (in_class(s, i, what)) {
            all[all_n++] = i;
        }
    }
    n = per_cent ? (uint32_t)((uint64_t)all_n * n / 100) : n;
    for (uint32_t k = 0; k < n && k < all_n; k++) {
        uint32_t pick = k + hs_prng_below(&s->prng, all_n - k);
        uint32_t i = all[pick];
        all[pick] = all[k];
        set[i] = 1;
    }
    hs_free(all);
}

static bool relatives(struct hs_sim *s, const char *what, int64_t of, uint8_t *set)
{
    if (of < 0 || of >= s->n) {
        return false;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        if (is(what, "host")) {
            set[i] = i / PER_HOST == of;
        } else if (is(what, "zone")) {
            set[i] = i % ZONES == of;
        } else if (is(what, "replicas")) {
            set[i] = s->nodes[i].running && view_master_of(s, i) == (uint32_t)of;
        }
    }
    if (is(what, "master") && s->nodes[of].running) {
        uint32_t m = view_master_of(s, (uint32_t)of);
        set[m == HS_NIL ? (uint32_t)of : m] = 1;
    }
    return true;
}

/* Reads all of w[0..n) as a set of nodes. */
bool faults_set(struct hs_sim *s, const char *const *w, uint32_t n, uint8_t *set)
{
    int64_t number;
    char digits[16];

    memset(set, 0, s->n);
    if (n == 1 && is(w[0], "all")) {
        memset(set, 1, s->n);
        return true;
    }
    if (n == 2 && (is(w[0], "host") || is(w[0], "zone")) && story_number(w[1], &number)) {
        return relatives(s, w[0], number, set);
    }
    if (n == 3 && is(w[1], "of") && story_number(w[2], &number)) {
        return relatives(s, w[0], number, set);
    }
    if (n >= 1 && w[0][0] != '\0' && w[0][strlen(w[0]) - 1] == '%') {
        snprintf(digits, sizeof(digits), "%.*s", (int)strlen(w[0]) - 1, w[0]);
        const char *what = n == 1 ? "nodes" : w[n - 1];
        if (n > 3 || !is_class(what) || !story_number(digits, &number) || number > 100) {
            return false;
        }
        draw(s, what, (uint32_t)number, true, set);
        return true;
    }
    if (n == 2 && is_class(w[1]) && story_number(w[0], &number)) {
        draw(s, w[1], (uint32_t)number, false, set);
        return true;
    }
    return n == 1 && parse_list(s, w[0], set);
}

/* ---- nodes ---- */

static void stop(struct hs_sim *s, uint32_t i, bool power)
{
    if (!s->nodes[i].running) {
        return;
    }
    s->killed[i] = 1;
    s->fail_cursor = 0;
    if (s->r.fault_ms < 0) {
        s->r.fault_ms = s->now / MS;
    }
    world_stop(s, i, power);
}

static void restart(struct hs_sim *s, uint32_t i)
{
    struct node *n = &s->nodes[i];

    if (!n->running && s->addr_node[n->addr] != i) {
        n->addr = addr_new(s, i); /* somebody else lives there now */
        n->moved = true;
    }
    s->killed[i] = 0;
    world_restart(s, i);
}

static void resume(struct hs_sim *s, uint32_t i, int64_t us)
{
    struct node *n = &s->nodes[i];
    int64_t until = s->now + us;

    if (n->running && until > n->paused_until) {
        n->paused_until = until;
        sick_after(s, n, until);
    }
}

/* "kill|unplug|restart SET", "pause SET for TIME", "break SET" */
static bool on_nodes(struct hs_sim *s, struct words *w, uint8_t *set)
{
    const char *verb = w->w[0];
    int64_t us = 0;
    uint32_t n = w->n - 1;

    if (is(verb, "pause")) {
        if (n < 3 || !is(w->w[w->n - 2], "for") || !story_time(w->w[w->n - 1], &us)) {
            return false;
        }
        n -= 2;
    }
    if (!faults_set(s, w->w + 1, n, set)) {
        return false;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        if (set[i] == 0) {
            continue;
        }
        if (is(verb, "kill") || is(verb, "unplug")) {
            stop(s, i, is(verb, "unplug"));
        } else if (is(verb, "restart")) {
            restart(s, i);
        } else if (is(verb, "pause")) {
            resume(s, i, us);
        } else {
            faults_sick(s, i, 1);
            net_break_all(s, i);
            faults_sick(s, i, -1);
        }
    }
    return true;
}

/* "move A" to a new address, "move A to B": to the one B had. */
static bool move(struct hs_sim *s, struct words *w)
{
    int64_t a, b = -1;

    if (!story_number(w->w[1], &a) || a < 0 || a >= s->n || s->addrs_n == s->addrs_max ||
        (w->n == 4 && (!story_number(w->w[3], &b) || b < 0 || b >= s->n || s->nodes[b].running))) {
        return false;
    }
    struct node *n = &s->nodes[a];
    if (n->running) {
        stop(s, (uint32_t)a, false);
    }
    if (s->addr_node[n->addr] == (uint32_t)a) {
        s->addr_node[n->addr] = HS_NIL;
    }
    if (b >= 0) {
        n->addr = s->nodes[b].addr;
        s->addr_node[n->addr] = (uint32_t)a;
    } else {
        n->addr = addr_new(s, (uint32_t)a);
    }
    n->moved = true;
    restart(s, (uint32_t)a);
    return true;
}

/* ---- disks and clocks ---- */

/* "stick disk SET", "slow disk SET TIME", "fix disk SET" */
static bool on_disks(struct hs_sim *s, struct words *w, uint8_t *set)
{
    int64_t us = 0;
    bool slow = is(w->w[0], "slow");

    if ((slow && (w->n < 4 || !story_time(w->w[w->n - 1], &us))) || w->n < 3 ||
        !faults_set(s, w->w + 2, w->n - 2 - slow, set)) {
        return false;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        if (set[i] != 0 && slow) {
            s->nodes[i].disk.delay_us = us;
        } else if (set[i] != 0 && is(w->w[0], "stick")) {
            s->nodes[i].disk.stuck = true;
        } else if (set[i] != 0) {
            disk_fix(s, i);
        }
    }
    return true;
}

/* "clock SET jumps TIME [back]", "clock SET runs N ppm [slow]" */
static bool on_clocks(struct hs_sim *s, struct words *w, uint8_t *set)
{
    bool back = is(w->w[w->n - 1], "back") || is(w->w[w->n - 1], "slow");
    uint32_t n = w->n - back;
    int64_t amount;
    bool jumps = n >= 4 && is(w->w[n - 2], "jumps") && story_time(w->w[n - 1], &amount);
    bool runs = n >= 5 && is(w->w[n - 3], "runs") && is(w->w[n - 1], "ppm") &&
                story_number(w->w[n - 2], &amount) && amount >= 0 && amount < 500000;

    if ((!jumps && !runs) || !faults_set(s, w->w + 1, n - (jumps ? 3 : 4), set)) {
        return false;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        if (set[i] != 0 && jumps) {
            s->nodes[i].skew_ms += (back ? -amount : amount) / MS;
        } else if (set[i] != 0) {
            world_clock(s, i, back ? -amount : amount);
        }
    }
    return true;
}

/* ---- everything is well again ---- */

static void heal_all(struct hs_sim *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        disk_fix(s, i);
        if (!s->nodes[i].running) {
            restart(s, i);
        }
    }
    net_heal(s);
}

bool faults_apply(struct hs_sim *s, struct words *w)
{
    uint8_t *set = hs_alloc(2 * (size_t)s->n);
    const char *verb = w->w[0];
    bool known;

    HS_ASSERT(set != NULL);
    if (is(w->w[1], "disk")) {
        known = on_disks(s, w, set);
    } else if (is(verb, "kill") || is(verb, "unplug") || is(verb, "restart") || is(verb, "pause") ||
               is(verb, "break")) {
        known = on_nodes(s, w, set);
    } else if (is(verb, "clock")) {
        known = on_clocks(s, w, set);
    } else if (is(verb, "move")) {
        known = move(s, w);
    } else if (is(verb, "command")) {
        known = faults_command(s, w);
    } else if (is(verb, "heal") && w->n == 1) {
        heal_all(s);
        known = true;
    } else {
        known = faults_network(s, w, set, set + s->n);
    }
    hs_free(set);
    return known;
}
