/* ways.c - where nodes live, and what happens to what they send each other.
 *
 * A rule holds for one direction between two sets of nodes, until it is
 * healed. Without rules a frame only takes its time.
 */
#include "sim_int.h"

enum {
    DELAY_US = 150,  /* one way in a data centre: at least this, */
    JITTER_US = 350, /* and up to that much more; */
    TAIL_PART = 64,  /* one in so many waits for */
    TAIL_US = 4000,  /* something in its way */
};

/* 10.x.y.z, from 1 up. */
void addr_text(uint32_t addr, char ip[HS_IP_LEN])
{
    uint32_t a = addr + 1;

    snprintf(ip, HS_IP_LEN, "10.%u.%u.%u", a >> 16 & 255, a >> 8 & 255, a & 255);
}

uint32_t addr_of_text(const char *ip)
{
    uint32_t part[4] = {0}, k = 0;

    for (; *ip != '\0' && k < 4; ip++) {
        if (*ip == '.') {
            k++;
        } else if (*ip >= '0' && *ip <= '9') {
            part[k] = part[k] * 10 + (uint32_t)(*ip - '0');
        } else {
            return HS_NIL;
        }
    }
    return part[0] != 10 || k != 3 ? HS_NIL : (part[1] << 16 | part[2] << 8 | part[3]) - 1;
}

uint32_t addr_new(struct hs_sim *s, uint32_t node)
{
    HS_ASSERT(s->addrs_n < s->addrs_max);
    s->addr_node[s->addrs_n] = node;
    return s->addrs_n++;
}

/* ---- rules ---- */

static bool applies(const struct rule *r, uint32_t from, uint32_t to)
{
    return r->used && r->from[from] != 0 && r->to[to] != 0;
}

bool net_blocked(const struct hs_sim *s, uint32_t from, uint32_t to)
{
    for (uint32_t k = 0; k < s->rules_n; k++) {
        if (s->rules[k].kind == RULE_BLOCK && applies(&s->rules[k], from, to)) {
            return true;
        }
    }
    return s->nodes[from].unplugged || s->nodes[to].unplugged;
}

/* Sums what rules of one kind add to this direction. */
int64_t net_amount(const struct hs_sim *s, enum rule_kind kind, uint32_t from, uint32_t to)
{
    int64_t sum = 0;

    for (uint32_t k = 0; k < s->rules_n; k++) {
        if (s->rules[k].kind == kind && applies(&s->rules[k], from, to)) {
            sum += s->rules[k].amount;
        }
    }
    return sum;
}

struct rule *net_rule(struct hs_sim *s, enum rule_kind kind, int64_t amount, const uint8_t *from,
                      const uint8_t *to)
{
    if (s->rules_n == RULES_MAX) {
        return NULL;
    }
    struct rule *r = &s->rules[s->rules_n];
    r->from = hs_alloc(s->n);
    r->to = hs_alloc(s->n);
    HS_ASSERT(r->from != NULL && r->to != NULL);
    memcpy(r->from, from, s->n);
    memcpy(r->to, to, s->n);
    r->kind = kind;
    r->amount = amount;
    r->used = true;
    s->rules_n++;
    for (uint32_t i = 0; i < s->n; i++) {
        if (from[i] != 0 || to[i] != 0) {
            faults_sick(s, i, 1);
        }
    }
    return r;
}

void net_heal(struct hs_sim *s)
{
    for (uint32_t k = 0; k < s->rules_n; k++) {
        struct rule *r = &s->rules[k];
        for (uint32_t i = 0; i < s->n; i++) {
            if (r->from[i] != 0 || r->to[i] != 0) {
                faults_sick(s, i, -1);
            }
        }
        hs_free(r->from);
        hs_free(r->to);
        *r = (struct rule){.used = false};
    }
    s->rules_n = 0;
    net_release(s);
}

int64_t net_delay(struct hs_sim *s, uint32_t from, uint32_t to)
{
    int64_t us = DELAY_US + (int64_t)hs_prng_below(&s->prng, JITTER_US);

    if (hs_prng_below(&s->prng, TAIL_PART) == 0) {
        us += hs_prng_below(&s->prng, TAIL_US);
    }
    return s->rules_n == 0 ? us : us + net_amount(s, RULE_SLOW, from, to);
}
