/* admin.c - the client port's door.
 *
 * Nothing here runs per command: it makes what the sessions share, and hands
 * net the functions that feed them. */
#include "admin_int.h"

#include <stdlib.h>
#include <sys/random.h>

/* Against chosen collisions of channel names. */
static uint64_t random_seed(void)
{
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
        seed = (uint64_t)hs_clock().mono.ms;
    return seed;
}

/* The id of this run in INFO. Only meant to differ between runs, so a failing
 * getrandom() leaves zeros. */
static void make_run_id(char id[HS_ID_LEN + 1])
{
    uint8_t bytes[HS_ID_LEN / 2] = {0};
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        memset(bytes, 0, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

static bool init_reactors(struct reactor *reactors, uint32_t n)
{
    bool ok = true;
    for (uint32_t r = 0; r < n; r++)
        ok = admin_cmdstats_init(&reactors[r]) && ok;
    return ok;
}

static void fini_reactors(struct reactor *reactors, uint32_t n)
{
    for (uint32_t r = 0; r < n; r++)
        admin_cmdstats_fini(&reactors[r]);
    hs_free(reactors);
}

struct hs_admin *hs_admin_create(const struct hs_admin_conf *conf)
{
    HS_ASSERT(conf->reactors >= 1);
    HS_ASSERT(conf->reactors <= HS_REACTORS_MAX);
    struct hs_admin *a = hs_alloc(sizeof(*a));
    struct reactor *reactors = hs_alloc(conf->reactors * sizeof(*reactors));
    struct hs_lock *lock = hs_lock_create();
    struct hs_lock *directory_lock = hs_lock_create();
    bool ok = reactors != NULL && init_reactors(reactors, conf->reactors);
    if (a == NULL || !ok || lock == NULL || directory_lock == NULL) {
        hs_lock_destroy(lock);
        hs_lock_destroy(directory_lock);
        fini_reactors(reactors, reactors != NULL ? conf->reactors : 0);
        hs_free(a);
        return NULL;
    }
    a->conf = *conf;
    a->reactors = reactors;
    a->clients_lock = lock;
    a->directory_lock = directory_lock;
    a->next_client_id = 1;
    channels_init(&a->directory, random_seed());
    for (uint32_t r = 0; r < conf->reactors; r++)
        channels_init(&reactors[r].channels, random_seed());
    make_run_id(a->run_id);
    return a;
}

void hs_admin_destroy(struct hs_admin *a)
{
    if (a == NULL)
        return;
    HS_ASSERT(a->clients_n == 0);
    for (uint32_t r = 0; r < a->conf.reactors; r++) {
        channels_fini(&a->reactors[r].channels);
        admin_rendered_fini(&a->reactors[r]);
    }
    channels_fini(&a->directory);
    hs_lock_destroy(a->directory_lock);
    hs_lock_destroy(a->clients_lock);
    fini_reactors(a->reactors, a->conf.reactors);
    hs_free(a);
}

struct hs_client_ops hs_admin_ops(struct hs_admin *a)
{
    return (struct hs_client_ops){
        .ctx = a,
        .open = admin_open,
        .feed = admin_feed,
        .reply = admin_reply,
        .close = admin_close,
        .drop = admin_drop,
        .deliver = admin_deliver,
        .changed = admin_changed,
        .turn = admin_turn,
    };
}
