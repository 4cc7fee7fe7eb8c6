/* lock.c - a mutex behind a door, so that the rooms above need not know threads.
 *
 * Taking one that is held by the same thread is our bug, and the error-checking
 * kind says so instead of hanging. */
#include "hearsay/ring.h"

#include <pthread.h>

struct hs_lock {
    pthread_mutex_t mutex;
};

struct hs_lock *hs_lock_create(void)
{
    struct hs_lock *l = hs_alloc(sizeof(*l));
    pthread_mutexattr_t kind;
    if (l == NULL)
        return NULL;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
    int e = pthread_mutex_init(&l->mutex, &kind);
    pthread_mutexattr_destroy(&kind);
    if (e == 0)
        return l;
    hs_free(l);
    return NULL;
}

void hs_lock_destroy(struct hs_lock *l)
{
    if (l == NULL)
        return;
    pthread_mutex_destroy(&l->mutex);
    hs_free(l);
}

void hs_lock_take(struct hs_lock *l)
{
    int e = pthread_mutex_lock(&l->mutex);
    HS_ASSERT(e == 0);
}

void hs_lock_release(struct hs_lock *l)
{
    int e = pthread_mutex_unlock(&l->mutex);
    HS_ASSERT(e == 0);
}
