/* Directives of a data store (Redis 4.0 to 7.4, Valkey 8), so that an existing
 * redis.conf starts hearsay unchanged. They are read over and named in one log
 * line; CONFIG SET accepts them, as tools set them without looking back.
 * tls-dh-params-file is among them because key exchange is by elliptic curves,
 * and tls-auth-clients-user because the one user needs its password.
 */
#include "conf_int.h"

#include <string.h>
#include <strings.h>

// clang-format off
const char *const conf_ignored[] = {
    "acl-pubsub-default", "aclfile", "acllog-max-len", "active-defrag-cycle-max",
    "active-defrag-cycle-min", "active-defrag-cycle-us", "active-defrag-ignore-bytes",
    "active-defrag-max-scan-fields", "active-defrag-threshold-lower",
    "active-defrag-threshold-upper", "active-expire-effort", "activedefrag", "activerehashing",
    "always-show-logo", "aof-disable-auto-gc", "aof-load-truncated", "aof-rewrite-cpulist",
    "aof-rewrite-incremental-fsync", "aof-timestamp-enabled", "aof-use-rdb-preamble",
    "aof_rewrite_cpulist", "appenddirname", "appendfilename", "appendfsync", "appendonly",
    "auto-aof-rewrite-min-size", "auto-aof-rewrite-percentage", "availability-zone",
    "bgsave-cpulist", "bgsave_cpulist", "bio-cpulist", "bio_cpulist", "busy-reply-threshold",
    "client-default-resp", "client-query-buffer-limit",
    "cluster-compatibility-sample-ratio", "cluster-databases", "cluster-manual-failover-timeout",
    "cluster-message-gossip-perc", "cluster-slot-migration-log-max-len",
    "cluster-slot-stats-enabled", "commandlog-execution-slower-than",
    "commandlog-large-reply-max-len", "commandlog-large-request-max-len",
    "commandlog-reply-larger-than", "commandlog-request-larger-than",
    "commandlog-slow-execution-max-len", "crash-log-enabled", "crash-memcheck-enabled",
    "databases", "dbfilename", "debug-context", "disable-thp", "dual-channel-replication-enabled",
    "dynamic-hz", "enable-debug-assert", "enable-module-command", "enable-protected-configs",
    "events-per-io-thread", "extended-redis-compatibility", "gopher-enabled",
    "hash-max-listpack-entries", "hash-max-listpack-value", "hash-max-ziplist-entries",
    "hash-max-ziplist-value", "hash-seed", "hide-user-data-from-log", "hll-sparse-max-bytes", "hz",
    "ignore-warnings", "import-mode", "io-threads-always-active",
    "io-threads-do-commands-offloading-with-modules",
    "io-threads-do-commands-offloading-with-modules-min-threads", "io-threads-do-reads",
    "jemalloc-bg-thread", "key-load-delay", "latency-monitor-threshold", "latency-tracking",
    "latency-tracking-info-percentiles", "lazyfree-lazy-eviction", "lazyfree-lazy-expire",
    "lazyfree-lazy-server-del", "lazyfree-lazy-user-del", "lazyfree-lazy-user-flush",
    "lfu-decay-time", "lfu-log-factor", "list-compress-depth", "list-max-listpack-size",
    "list-max-ziplist-entries", "list-max-ziplist-size", "list-max-ziplist-value",
    "loading-process-events-interval-bytes", "loadmodule", "locale-collate",
    "log-timestamp-format", "lua-enable-deprecated-api", "lua-enable-insecure-api",
    "lua-replicate-commands", "lua-time-limit", "masterauth", "masteruser",
    "max-new-connections-per-cycle", "max-new-tls-connections-per-cycle", "maxmemory",
    "maxmemory-clients", "maxmemory-eviction-tenacity", "maxmemory-policy", "maxmemory-samples",
    "min-io-threads-avoid-copy-reply", "min-replicas-max-lag", "min-replicas-to-write",
    "min-slaves-max-lag", "min-slaves-to-write", "mptcp", "no-appendfsync-on-rewrite",
    "notify-keyspace-events", "oom-score-adj", "oom-score-adj-values", "prefetch-batch-max-size",
    "primaryauth", "primaryuser", "proc-title-template", "propagation-error-behavior",
    "proto-max-bulk-len", "rdb-del-sync-files", "rdb-key-save-delay", "rdb-save-incremental-fsync",
    "rdb-version-check", "rdbchecksum", "rdbcompression", "rdma-bind", "rdma-completion-vector",
    "rdma-port", "rdma-rx-size", "redis-compatible-version", "rename-command", "repl-backlog-size",
    "repl-backlog-ttl", "repl-disable-tcp-nodelay", "repl-diskless-load", "repl-diskless-sync",
    "repl-diskless-sync-delay", "repl-diskless-sync-max-replicas", "repl-mptcp",
    "repl-ping-replica-period", "repl-ping-slave-period", "repl-rdb-channel", "repl-timeout",
    "replica-announce-ip", "replica-announce-port", "replica-announced",
    "replica-ignore-disk-write-errors", "replica-ignore-maxmemory", "replica-lazy-flush",
    "replica-priority", "replica-read-only", "replica-serve-stale-data", "replicaof",
    "req-res-logfile", "sanitize-dump-payload", "save", "server-cpulist", "server_cpulist",
    "set-max-intset-entries", "set-max-listpack-entries", "set-max-listpack-value",
    "set-proc-title", "shutdown-on-sigint", "shutdown-on-sigterm", "shutdown-timeout",
    "slave-announce-ip", "slave-announce-port", "slave-ignore-maxmemory", "slave-lazy-flush",
    "slave-priority", "slave-read-only", "slave-serve-stale-data", "slaveof",
    "slot-migration-max-failover-repl-bytes", "slowlog-log-slower-than", "slowlog-max-len",
    "socket-mark-id", "stop-writes-on-bgsave-error", "stream-node-max-bytes",
    "stream-node-max-entries", "tls-auth-clients-user", "tls-dh-params-file", "tls-replication",
    "tracking-table-max-keys", "unixsocketgroup", "use-exit-on-panic", "user", "watchdog-period",
    "zset-max-listpack-entries", "zset-max-listpack-value", "zset-max-ziplist-entries",
    "zset-max-ziplist-value",
    NULL,
};
// clang-format on

bool hs_conf_is_ignored(const char *name, size_t n)
{
    for (uint32_t i = 0; conf_ignored[i] != NULL; i++) {
        if (strlen(conf_ignored[i]) == n && strncasecmp(conf_ignored[i], name, n) == 0)
            return true;
    }
    return false;
}
