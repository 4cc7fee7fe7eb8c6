/* stats.c - how long things took, and the curves.
 *
 * The cluster as a whole is looked at in fixed spans of virtual time; how long
 * something took is known to one span.
 */
#include "sim_int.h"

void stats_note(struct hs_sim *s, uint32_t i, const struct hs_action *a)
{
    struct hs_sim_result *r = &s->r;

    switch ((enum hs_note)a->note) {
    case HS_NOTE_PFAIL:
        r->suspicions++;
        break;
    case HS_NOTE_FAIL:
        r->verdicts++;
        if (r->fault_ms >= 0 && r->first_fail_ms < 0) {
            r->first_fail_ms = s->now / MS;
        }
        break;
    case HS_NOTE_STATE_OK:
        s->nodes[i].ok = true;
        break;
    case HS_NOTE_STATE_FAIL:
        s->nodes[i].ok = false;
        break;
    case HS_NOTE_ELECTION_WON:
        r->elections_won++;
        r->last_won_ms = s->now / MS;
        r->all_ok_ms = -1;
        break;
    default:
        break;
    }
}

static bool any_killed(const struct hs_sim *s)
{
    return memchr(s->killed, 1, s->n) != NULL;
}

static void milestones(struct hs_sim *s, const struct hs_sim_sample *p)
{
    struct hs_sim_result *r = &s->r;

    if (r->joined_ms < 0 && s->join == JOIN_DONE && p->agree && p->ok == p->running) {
        r->joined_ms = p->at_ms;
    }
    if (r->fault_ms < 0) {
        return;
    }
    if (r->all_fail_ms < 0 && any_killed(s) && view_all_fail(s, s->killed)) {
        r->all_fail_ms = p->at_ms;
    }
    if (r->all_ok_ms < 0 && r->all_fail_ms >= 0 && p->ok == p->running && p->agree) {
        r->all_ok_ms = p->at_ms;
    }
}

/* The curve is kept whole: when it is full, every second sample goes and the
 * spans double. */
static struct hs_sim_sample *next_sample(struct hs_sim *s)
{
    if (s->r.samples_n == s->samples_max) {
        for (uint32_t k = 0; k < s->samples_max / 2; k++) {
            struct hs_sim_sample a = s->samples[2 * k], b = s->samples[2 * k + 1];
            b.messages += a.messages;
            b.bytes += a.bytes;
            b.suspicions += a.suspicions;
            b.verdicts += a.verdicts;
            s->samples[k] = b;
        }
        s->r.samples_n = s->samples_max / 2;
        s->sample_us *= 2;
    }
    return &s->samples[s->r.samples_n++];
}

void stats_sample(struct hs_sim *s)
{
    struct hs_sim_sample *p = next_sample(s);

    *p = (struct hs_sim_sample){.at_ms = s->now / MS,
                                .messages = s->r.messages - s->seen.messages,
                                .bytes = s->r.bytes - s->seen.bytes,
                                .suspicions = s->r.suspicions - s->seen.suspicions,
                                .verdicts = s->r.verdicts - s->seen.verdicts};
    s->seen = s->r;
    for (uint32_t i = 0; i < s->n; i++) {
        p->running += s->nodes[i].running;
        p->ok += s->nodes[i].running && s->nodes[i].ok;
    }
    p->agree = view_agree(s);
    milestones(s, p);
}
