/* count.c - what the client port counts, in one place for INFO and the metrics. */
#include "admin_int.h"

#include <sys/resource.h>
#include <unistd.h>

/* Under INFO's names, where it has one. */
static const char *const names[HS_ADMIN_COUNTERS] = {
    [HS_ADMIN_CLIENTS] = "connected_clients",
    [HS_ADMIN_CONNECTIONS] = "total_connections_received",
    [HS_ADMIN_COMMANDS] = "total_commands_processed",
    [HS_ADMIN_BYTES_IN] = "total_net_input_bytes",
    [HS_ADMIN_ERRORS] = "total_error_replies",
    [HS_ADMIN_CHANNELS] = "pubsub_channels",
    [HS_ADMIN_PATTERNS] = "pubsub_patterns",
    [HS_ADMIN_SHARD_CHANNELS] = "pubsubshard_channels",
    [HS_ADMIN_RENDERS] = "admin_renders",
    [HS_ADMIN_PINNED_BYTES] = "admin_pinned_bytes",
    [HS_ADMIN_READERS_CUT] = "admin_readers_cut",
    [HS_ADMIN_EVENTS_LOST] = "admin_events_lost",
    [HS_ADMIN_EVENTS_FORGED] = "admin_events_forged",
    [HS_ADMIN_RSS] = "used_memory_rss",
    [HS_ADMIN_RSS_PEAK] = "used_memory_peak",
    [HS_ADMIN_CPU_SYS_US] = "used_cpu_sys",
    [HS_ADMIN_CPU_USER_US] = "used_cpu_user",
};

const char *hs_admin_counter_name(enum hs_admin_counter i)
{
    HS_ASSERT(i < HS_ADMIN_COUNTERS);
    return names[i];
}

uint64_t hs_admin_errors(const struct hs_admin *a, uint32_t code)
{
    uint64_t n = 0;
    HS_ASSERT(code < HS_ADMIN_ERROR_CODES);
    for (uint32_t i = 0; i < a->conf.reactors; i++)
        n += atomic_load_explicit(&a->reactors[i].errors[code], memory_order_relaxed);
    return n;
}

/* Resident bytes; 0 where the kernel does not say. */
static uint64_t resident_bytes(void)
{
    unsigned long long total = 0;
    unsigned long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f == NULL)
        return 0;
    if (fscanf(f, "%llu %llu", &total, &pages) != 2)
        pages = 0;
    fclose(f);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t micros(const struct timeval *t)
{
    return (uint64_t)t->tv_sec * 1000000 + (uint64_t)t->tv_usec;
}

static void count_process(uint64_t values[HS_ADMIN_COUNTERS])
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    values[HS_ADMIN_RSS] = resident_bytes();
    values[HS_ADMIN_RSS_PEAK] = (uint64_t)use.ru_maxrss * 1024;
    values[HS_ADMIN_CPU_SYS_US] = micros(&use.ru_stime);
    values[HS_ADMIN_CPU_USER_US] = micros(&use.ru_utime);
}

void hs_admin_counters(struct hs_admin *a, uint64_t values[HS_ADMIN_COUNTERS])
{
    memset(values, 0, HS_ADMIN_COUNTERS * sizeof(values[0]));
    for (uint32_t i = 0; i < a->conf.reactors; i++) {
        const struct reactor *r = &a->reactors[i];
        values[HS_ADMIN_COMMANDS] += atomic_load_explicit(&r->commands, memory_order_relaxed);
        values[HS_ADMIN_BYTES_IN] += atomic_load_explicit(&r->bytes_in, memory_order_relaxed);
        values[HS_ADMIN_CONNECTIONS] += atomic_load_explicit(&r->connections, memory_order_relaxed);
        values[HS_ADMIN_EVENTS_LOST] += atomic_load_explicit(&r->events_lost, memory_order_relaxed);
        values[HS_ADMIN_EVENTS_FORGED] +=
            atomic_load_explicit(&r->events_forged, memory_order_relaxed);
        values[HS_ADMIN_PINNED_BYTES] +=
            atomic_load_explicit(&r->pinned_bytes, memory_order_relaxed);
        values[HS_ADMIN_READERS_CUT] += atomic_load_explicit(&r->readers_cut, memory_order_relaxed);
        values[HS_ADMIN_RENDERS] += atomic_load_explicit(&r->renders, memory_order_relaxed);
    }
    for (uint32_t e = 0; e < HS_ADMIN_ERROR_CODES; e++)
        values[HS_ADMIN_ERRORS] += hs_admin_errors(a, e);
    hs_lock_take(a->clients_lock);
    values[HS_ADMIN_CLIENTS] = a->clients_n;
    hs_lock_release(a->clients_lock);
    hs_lock_take(a->directory_lock);
    values[HS_ADMIN_CHANNELS] = a->directory.kinds[TOPIC_CHANNEL].by_name.n;
    values[HS_ADMIN_PATTERNS] = a->directory.kinds[TOPIC_PATTERN].by_name.n;
    values[HS_ADMIN_SHARD_CHANNELS] = a->directory.kinds[TOPIC_SHARD].by_name.n;
    hs_lock_release(a->directory_lock);
    count_process(values);
}
