/* info.c - INFO: sections of "name:value" lines under the stock names, as far
 * as they mean something here. */
#include "admin_int.h"

#include <inttypes.h>
#include <sys/utsname.h>
#include <unistd.h>

static void section_server(struct text *out, struct call *c)
{
    const struct hs_published *v = c->view;
    int64_t up_s = (admin_now_ms() - v->started_ms) / 1000;
    struct utsname os = {0};
    uname(&os);
    admin_text_printf(out,
                      "redis_version:%s\r\nredis_git_sha1:00000000\r\nredis_git_dirty:0\r\n"
                      "redis_build_id:0\r\nredis_mode:cluster\r\nserver_name:hearsay\r\n"
                      "hearsay_version:%s\r\nos:%s %s %s\r\narch_bits:%zu\r\n",
                      HS_ADMIN_REDIS_VERSION, HS_VERSION, os.sysname, os.release, os.machine,
                      sizeof(void *) * 8);
    admin_text_printf(out,
                      "multiplexing_api:io_uring\r\nprocess_id:%d\r\nprocess_supervised:%s\r\n"
                      "run_id:%s\r\ntcp_port:%u\r\nserver_time_usec:%" PRId64 "\r\n",
                      (int)getpid(), v->conf.supervised == 0 ? "no" : "yes", c->a->run_id,
                      v->conf.port != 0 ? v->conf.port : v->conf.tls_port, admin_now_ms() * 1000);
    admin_text_printf(out,
                      "uptime_in_seconds:%" PRId64 "\r\nuptime_in_days:%" PRId64
                      "\r\nhz:10\r\nconfigured_hz:10\r\nexecutable:%s\r\nconfig_file:%s\r\n"
                      "io_threads_active:%u\r\n",
                      up_s, up_s / 86400, c->a->conf.executable, c->a->conf.config_file,
                      c->a->conf.reactors);
}

static void section_clients(struct text *out, struct call *c)
{
    uint64_t counts[HS_ADMIN_COUNTERS];
    hs_admin_counters(c->a, counts);
    admin_text_printf(out,
                      "connected_clients:%" PRIu64 "\r\ncluster_connections:%u\r\nmaxclients:%u\r\n"
                      "blocked_clients:0\r\n",
                      counts[HS_ADMIN_CLIENTS], hs_topo_links(c->view->topo),
                      c->view->conf.maxclients);
}

enum { NET_COUNTERS_MAX = 128 }; /* more would be left out of INFO; there are some 40 */

uint64_t admin_net_counter(const struct call *c, const char *name)
{
    const char *const *names;
    uint64_t values[NET_COUNTERS_MAX];
    uint32_t i = 0, n = hs_net_counters(*c->a->conf.net, &names, values, NET_COUNTERS_MAX);
    while (i < n && strcmp(names[i], name) != 0)
        i++;
    return i < n ? values[i] : 0;
}

static void section_memory(struct text *out, struct call *c)
{
    uint64_t counts[HS_ADMIN_COUNTERS];
    hs_admin_counters(c->a, counts);
    admin_text_printf(out,
                      "used_memory:%" PRIu64 "\r\nused_memory_rss:%" PRIu64
                      "\r\nused_memory_peak:%" PRIu64 "\r\nmaxmemory:0\r\n"
                      "maxmemory_policy:noeviction\r\nmem_allocator:mimalloc\r\n"
                      "mem_cluster_links:%" PRIu64 "\r\n",
                      counts[HS_ADMIN_RSS], counts[HS_ADMIN_RSS], counts[HS_ADMIN_RSS_PEAK],
                      admin_net_counter(c, "frame_bytes_now") + admin_net_counter(c, "unsent_now"));
}

static void section_persistence(struct text *out, struct call *c)
{
    const struct hs_published *v = c->view;
    admin_text_printf(out,
                      "loading:0\r\nrdb_changes_since_last_save:0\r\nrdb_bgsave_in_progress:0\r\n"
                      "rdb_last_bgsave_status:ok\r\naof_enabled:0\r\naof_rewrite_in_progress:0\r\n"
                      "aof_last_write_status:ok\r\nhearsay_save_failures:%" PRIu64
                      "\r\nhearsay_save_error:%s\r\n",
                      v->save_failures, v->save_error);
}

static void section_stats(struct text *out, struct call *c)
{
    uint64_t counts[HS_ADMIN_COUNTERS];
    hs_admin_counters(c->a, counts);
    admin_text_printf(
        out,
        "total_connections_received:%" PRIu64 "\r\ntotal_commands_processed:%" PRIu64
        "\r\ntotal_net_input_bytes:%" PRIu64 "\r\nrejected_connections:%" PRIu64 "\r\n"
        "expired_keys:0\r\nevicted_keys:0\r\nkeyspace_hits:0\r\nkeyspace_misses:0\r\n",
        counts[HS_ADMIN_CONNECTIONS], counts[HS_ADMIN_COMMANDS], counts[HS_ADMIN_BYTES_IN],
        admin_net_counter(c, "clients_refused"));
    admin_text_printf(out,
                      "pubsub_channels:%" PRIu64 "\r\npubsub_patterns:%" PRIu64
                      "\r\npubsubshard_channels:%" PRIu64 "\r\ntotal_error_replies:%" PRIu64 "\r\n",
                      counts[HS_ADMIN_CHANNELS], counts[HS_ADMIN_PATTERNS],
                      counts[HS_ADMIN_SHARD_CHANNELS], counts[HS_ADMIN_ERRORS]);
}

static void section_cpu(struct text *out, struct call *c)
{
    const uint64_t second = 1000000;
    uint64_t counts[HS_ADMIN_COUNTERS];
    hs_admin_counters(c->a, counts);
    uint64_t sys = counts[HS_ADMIN_CPU_SYS_US], user = counts[HS_ADMIN_CPU_USER_US];
    admin_text_printf(out,
                      "used_cpu_sys:%" PRIu64 ".%06" PRIu64 "\r\nused_cpu_user:%" PRIu64
                      ".%06" PRIu64
                      "\r\nused_cpu_sys_children:0.000000\r\nused_cpu_user_children:0.000000\r\n",
                      sys / second, sys % second, user / second, user % second);
}

static void section_empty(struct text *out, struct call *c)
{
    (void)out;
    (void)c;
}

static void section_errorstats(struct text *out, struct call *c)
{
    for (uint32_t e = 0; e < HS_ADMIN_ERROR_CODES; e++) {
        uint64_t n = hs_admin_errors(c->a, e);
        if (n > 0)
            admin_text_printf(out, "errorstat_%s:count=%" PRIu64 "\r\n", hs_admin_error_code(e), n);
    }
}

static void section_cluster(struct text *out, struct call *c)
{
    (void)c;
    admin_text_printf(out, "cluster_enabled:1\r\n");
}

/* What every room counts, each under its room's name. "_now" and "_max" values
 * are gauges, the others only grow. */
static void section_hearsay(struct text *out, struct call *c)
{
    const struct hs_published *v = c->view;
    const char *const *names;
    uint64_t values[NET_COUNTERS_MAX];
    uint32_t n = hs_net_counters(*c->a->conf.net, &names, values, NET_COUNTERS_MAX);
    for (uint32_t i = 0; i < n; i++)
        admin_text_printf(out, "net_%s:%" PRIu64 "\r\n", names[i], values[i]);
    for (uint32_t i = 0; i < HS_OWNER_COUNTERS; i++)
        admin_text_printf(out, "owner_%s:%" PRIu64 "\r\n", hs_owner_counter_name(i),
                          v->owner_counters[i]);
    for (uint32_t i = 0; i < v->core_counters_n; i++)
        admin_text_printf(out, "core_%s:%" PRIu64 "\r\n", hs_core_counter_name(i),
                          v->core_counters[i]);
    for (uint32_t i = 0; i < hs_watch_counters_n(); i++)
        admin_text_printf(out, "watch_%s:%" PRIu64 "\r\n", hs_watch_counter_name(i),
                          hs_watch_counter(c->a->conf.watch, i));
    uint64_t counts[HS_ADMIN_COUNTERS];
    hs_admin_counters(c->a, counts);
    for (int i = HS_ADMIN_RENDERS; i <= HS_ADMIN_EVENTS_FORGED; i++)
        admin_text_printf(out, "%s:%" PRIu64 "\r\n",
                          hs_admin_counter_name((enum hs_admin_counter)i), counts[i]);
}

static const struct {
    const char *name, *title;
    void (*put)(struct text *out, struct call *c);
    bool on_demand; /* not part of a plain INFO */
} sections[] = {
    {"server", "Server", section_server, false},
    {"clients", "Clients", section_clients, false},
    {"memory", "Memory", section_memory, false},
    {"persistence", "Persistence", section_persistence, false},
    {"stats", "Stats", section_stats, false},
    {"replication", "Replication", admin_info_replication, false},
    {"cpu", "CPU", section_cpu, false},
    {"modules", "Modules", section_empty, false},
    {"commandstats", "Commandstats", admin_info_commandstats, true},
    {"errorstats", "Errorstats", section_errorstats, false},
    {"cluster", "Cluster", section_cluster, false},
    {"keyspace", "Keyspace", section_empty, false},
    {"hearsay", "Hearsay", section_hearsay, true},
};

static bool is_wanted(const struct call *c, size_t section)
{
    bool by_default = !sections[section].on_demand;
    for (size_t i = 1; i < c->argc; i++)
        if (admin_arg_is(&c->argv[i], sections[section].name) || admin_arg_is(&c->argv[i], "all") ||
            admin_arg_is(&c->argv[i], "everything") ||
            (by_default && admin_arg_is(&c->argv[i], "default")))
            return true;
    return c->argc == 1 && by_default;
}

void admin_info_text(struct text *out, struct call *c)
{
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        if (!is_wanted(c, i))
            continue;
        admin_text_printf(out, "%s# %s\r\n", out->n > 0 ? "\r\n" : "", sections[i].title);
        sections[i].put(out, c);
    }
}

void admin_cmd_info(struct call *c)
{
    struct text out = {0};
    admin_info_text(&out, c);
    if (out.failed)
        admin_error(c->s, "ERR out of memory");
    else
        hs_resp_verbatim(c->out, out.p, out.n);
    admin_text_free(&out);
}
