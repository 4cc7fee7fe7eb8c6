/* channels.h - who listens to what.
 *
 * A topic is a channel or a pattern that somebody listens to; a subscription
 * joins it to a session. Each reactor has its own set with the sessions it
 * holds, so a delivery touches nothing shared. One more set, of counts only
 * and behind a lock, is the directory that PUBSUB reads.
 */
#ifndef ADMIN_CHANNELS_H
#define ADMIN_CHANNELS_H

#include "hearsay/base.h"

enum topic_kind { TOPIC_CHANNEL, TOPIC_PATTERN, TOPIC_SHARD, TOPIC_EVENTS, TOPIC_KINDS };

struct session;
struct subscription;

/* Something in a hash table, found by what its user compares. */
struct entry {
    struct entry *next;
    uint64_t hash;
};

struct table {
    struct entry **buckets;
    uint32_t buckets_n, n;
};

struct topic {
    struct entry entry;
    struct topic *prev, *next;         /* of its kind, oldest first */
    struct subscription *first, *last; /* of this reactor; none in the directory */
    uint32_t listeners_n;
    uint32_t n;
    enum topic_kind kind;
    char name[];
};

struct topics {
    struct table by_name;
    struct topic *first, *last;
};

struct subscription {
    struct entry entry;
    struct topic *topic;
    struct session *session;
    struct subscription *prev, *next;           /* of the topic */
    struct subscription *mine_prev, *mine_next; /* of the session and kind */
};

/* What one session listens to, oldest first. */
struct listening {
    struct {
        struct subscription *first, *last;
        uint32_t n;
    } kinds[TOPIC_KINDS];
};

struct channels {
    uint64_t seed; /* so that nobody can choose names that collide */
    struct topics kinds[TOPIC_KINDS];
    struct table subscriptions; /* by topic and session */
    uint32_t n;
};

void channels_init(struct channels *c, uint64_t seed);
/* Nobody listens any more: only the tables are left. */
void channels_fini(struct channels *c);

struct topic *channels_find(const struct channels *c, enum topic_kind kind, const char *name,
                            size_t n);
/* One more or less listener, without a session: for the directory. False: no memory. */
bool channels_count_up(struct channels *c, enum topic_kind kind, const char *name, size_t n);
void channels_count_down(struct channels *c, enum topic_kind kind, const char *name, size_t n);

struct subscription *channels_subscription(const struct channels *c, enum topic_kind kind,
                                           const struct session *s, const char *name, size_t n);
/* NULL: no memory. Not subscribed yet. */
struct subscription *channels_subscribe(struct channels *c, enum topic_kind kind, struct session *s,
                                        struct listening *mine, const char *name, size_t n);
void channels_unsubscribe(struct channels *c, struct listening *mine, struct subscription *sub);

#endif
