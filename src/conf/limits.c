/* limits.c - client-output-buffer-limit: groups of a class, two numbers of bytes
 * and one of seconds. A class that is not named keeps its limits. The error texts
 * are the stock server's. */
#include "conf_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WORD_MAX = 32, WORDS = 4 };

static const struct {
    const char *name;
    int limit;
} classes[] = {{"normal", HS_LIMIT_NORMAL},
               {"slave", HS_LIMIT_REPLICA},
               {"replica", HS_LIMIT_REPLICA},
               {"pubsub", HS_LIMIT_PUBSUB}};

static int class_of(const char *word)
{
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (strcasecmp(classes[i].name, word) == 0)
            return classes[i].limit;
    return -1;
}

/* The next group; how many of its words there are. */
static int group(const char **text, char words[WORDS][WORD_MAX])
{
    int n = 0;
    for (*text += strspn(*text, " \t"); **text != '\0' && n < WORDS;
         *text += strspn(*text, " \t")) {
        size_t len = strcspn(*text, " \t");
        snprintf(words[n++], WORD_MAX, "%.*s", len < WORD_MAX ? (int)len : WORD_MAX - 1, *text);
        *text += len;
    }
    return n;
}

static const char *set_group(struct hs_conf_limit *limits, char words[WORDS][WORD_MAX])
{
    char *end;
    int64_t hard = 0;
    int64_t soft = 0;
    int class = class_of(words[0]);
    if (class < 0)
        return "Invalid client class specified in buffer limit configuration.";
    unsigned long seconds = strtoul(words[3], &end, 10);
    if (!conf_memory(words[1], &hard) || !conf_memory(words[2], &soft) || *end != '\0' ||
        end == words[3] || words[3][0] == '-' || seconds > INT32_MAX)
        return "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
    limits[class] = (struct hs_conf_limit){
        .hard = (uint64_t)hard, .soft = (uint64_t)soft, .soft_s = (uint32_t)seconds};
    return NULL;
}

bool conf_limits_set(struct hs_conf *c, const char *text, char *why, size_t why_n)
{
    struct hs_conf_limit limits[HS_LIMITS];
    char words[WORDS][WORD_MAX];
    const char *wrong = NULL;
    int n = 0;
    memcpy(limits, c->outbuf, sizeof(limits));
    do {
        n = group(&text, words);
        wrong = n != WORDS ? "Wrong number of arguments in buffer limit configuration."
                           : set_group(limits, words);
    } while (wrong == NULL && *text != '\0');
    if (wrong != NULL) {
        snprintf(why, why_n, "%s", wrong);
        return false;
    }
    memcpy(c->outbuf, limits, sizeof(limits));
    return true;
}

void conf_limits_get(const struct hs_conf *c, char *buf, size_t n)
{
    static const char *const names[HS_LIMITS] = {"normal", "slave", "pubsub"};
    size_t used = 0;
    for (int i = 0; i < HS_LIMITS && used < n; i++)
        used += (size_t)snprintf(buf + used, n - used, "%s%s %" PRIu64 " %" PRIu64 " %" PRIu32,
                                 i == 0 ? "" : " ", names[i], c->outbuf[i].hard, c->outbuf[i].soft,
                                 c->outbuf[i].soft_s);
}
