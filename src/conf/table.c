/* Every directive that means something here, once: from these rows come the
 * parser, --help, CONFIG GET and SET, their ranges and their defaults.
 *
 * Names, units and defaults are redis.conf's; only cluster-enabled differs,
 * because a cluster bus is all that hearsay is.
 */
#include "conf_int.h"

#include <string.h>
#include <syslog.h>

static const struct conf_word loglevels[] = {
    {"debug", HS_LOG_DEBUG},     {"verbose", HS_LOG_VERBOSE}, {"notice", HS_LOG_NOTICE},
    {"warning", HS_LOG_WARNING}, {"nothing", HS_LOG_NOTHING}, {NULL, 0},
};

static const struct conf_word log_formats[] = {
    {"plain", HS_LOG_PLAIN},
    {"logfmt", HS_LOG_LOGFMT},
    {"json", HS_LOG_JSON},
    {"legacy", HS_LOG_PLAIN}, /* Valkey's word for it */
    {NULL, 0},
};

static const struct conf_word supervisors[] = {
    {"no", 0}, {"upstart", 1}, {"systemd", 2}, {"auto", 3}, {NULL, 0},
};

static const struct conf_word facilities[] = {
    {"user", LOG_USER},     {"local0", LOG_LOCAL0},
    {"local1", LOG_LOCAL1}, {"local2", LOG_LOCAL2},
    {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},
    {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6},
    {"local7", LOG_LOCAL7}, {NULL, 0},
};

static const struct conf_word endpoints[] = {
    {"ip", HS_ENDPOINT_IP},
    {"hostname", HS_ENDPOINT_HOSTNAME},
    {"unknown-endpoint", HS_ENDPOINT_UNKNOWN},
    {NULL, 0},
};

static const struct conf_word tls_auths[] = {
    {"no", HS_TLS_AUTH_NO},
    {"yes", HS_TLS_AUTH_YES},
    {"optional", HS_TLS_AUTH_OPTIONAL},
    {NULL, 0},
};

static bool made_of(const char *text, const char *others)
{
    for (; *text != '\0'; text++) {
        bool alnum = (*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'z') ||
                     (*text >= 'A' && *text <= 'Z');
        if (!alnum && strchr(others, *text) == NULL)
            return false;
    }
    return true;
}

static const char *hostname(const char *text)
{
    if (strlen(text) >= sizeof(((struct hs_conf *)0)->announce_hostname))
        return "Hostnames must be less than 256 characters";
    return made_of(text, "-.")
               ? NULL
               : "Hostnames may only contain alphanumeric characters, hyphens or dots";
}

/* Stricter than stock by blanks, quotes, commas and '=': with one of those in
 * the name, no stock server can read back its own nodes.conf. */
static const char *nodename(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((uint8_t)*text <= ' ' || strchr("!#$%&()*+:;<>?@[]^{|}~,='\"\\\x7f", *text) != NULL)
            return "Announced human node name contained invalid character";
    }
    return NULL;
}

static const char *address(const char *text)
{
    return made_of(text, "-.:_%") ? NULL : "argument must be an address";
}

static const char *numeric(const char *text)
{
    return text[0] == '\0' || hs_wire_ip_valid(text) ? NULL : "argument must be a numeric address";
}

static const char *numeric_address(const char *text)
{
    return text[0] != '\0' ? numeric(text) : "argument must not be empty";
}

static const char *ipv4(const char *text)
{
    bool ok = text[0] == '\0' || (hs_wire_ip_valid(text) && strchr(text, ':') == NULL);
    return ok ? NULL : "Invalid IPv4 address";
}

static const char *ipv6(const char *text)
{
    bool ok = text[0] == '\0' || (hs_wire_ip_valid(text) && strchr(text, ':') != NULL);
    return ok ? NULL : "Invalid IPv6 address";
}

static const char *not_empty(const char *text)
{
    return text[0] != '\0' ? NULL : "argument must not be empty";
}

static const char *file_name(const char *text)
{
    if (text[0] == '\0')
        return "argument must not be empty";
    return strchr(text, '/') == NULL ? NULL : "argument can't be a path, just a filename";
}

#define FIELD(f) offsetof(struct hs_conf, f), sizeof(((struct hs_conf *)0)->f)
#define YES_NO(g, name, alias, f, initial, live, help) \
    { \
        name, alias, g, CONF_BOOL, FIELD(f), 0, 0, NULL, NULL, initial, "", live, help \
    }
#define NUMBER(g, name, alias, f, min, max, initial, unit, live, help) \
    { \
        name, alias, g, CONF_INT, FIELD(f), min, max, NULL, NULL, initial, unit, live, help \
    }
#define TEXT(g, name, f, valid, initial, live, help) \
    { \
        name, NULL, g, CONF_TEXT, FIELD(f), 0, 0, NULL, valid, initial, "", live, help \
    }
#define WORD(g, name, f, words, initial, live, help) \
    { \
        name, NULL, g, CONF_ENUM, FIELD(f), 0, 0, words, NULL, initial, "", live, help \
    }
#define OTHER(g, kind, name, f, min, max, initial, unit, live, help) \
    { \
        name, NULL, g, kind, FIELD(f), min, max, NULL, NULL, initial, unit, live, help \
    }

#define ONCE false /* read at start only */
#define LIVE true  /* CONFIG SET may change it */

const struct conf_row conf_table[] = {
    NUMBER(CONF_LISTEN, "port", NULL, port, 0, 65535, "6379", "port", ONCE,
           "Where clients connect; 0 for no TCP client port."),
    OTHER(CONF_LISTEN, CONF_BIND, "bind", bind, 0, 0, "* -::*", "addresses", ONCE,
          "Addresses or host names to listen on; one with a leading '-' may be missing."),
    TEXT(CONF_LISTEN, "bind-source-addr", bind_source_addr, numeric, "", ONCE,
         "The address that connections to other nodes come from."),
    TEXT(CONF_LISTEN, "unixsocket", unixsocket, NULL, "", ONCE,
         "A unix socket for clients, beside or instead of the port."),
    OTHER(CONF_LISTEN, CONF_OCTAL, "unixsocketperm", unixsocketperm, 0, 0777, "0", "octal", ONCE,
          "The unix socket's permissions; 0 leaves them to the umask."),
    NUMBER(CONF_LISTEN, "tcp-backlog", NULL, tcp_backlog, 0, 65535, "511", "connections", ONCE,
           "How many connections may wait to be accepted."),
    NUMBER(CONF_LISTEN, "tls-port", NULL, tls_port, 0, 65535, "0", "port", ONCE,
           "Where clients connect with TLS; 0 for no such port. 'port' may be 0 then."),

    YES_NO(CONF_CLIENTS, "protected-mode", NULL, protected_mode, "yes", LIVE,
           "Without a password, answer clients of this host only."),
    TEXT(CONF_CLIENTS, "requirepass", requirepass, NULL, "", LIVE,
         "The password clients must send with AUTH."),
    NUMBER(CONF_CLIENTS, "maxclients", NULL, maxclients, 1, 1000000, "10000", "connections", LIVE,
           "The most client connections at once; more are refused."),
    NUMBER(CONF_CLIENTS, "timeout", NULL, timeout_s, 0, INT32_MAX, "0", "s", LIVE,
           "Close a client that was silent for so long; 0 for never."),
    NUMBER(CONF_CLIENTS, "tcp-keepalive", NULL, tcp_keepalive_s, 0, INT32_MAX, "300", "s", LIVE,
           "How often TCP checks that a silent client is still there; 0 for never."),
    OTHER(CONF_CLIENTS, CONF_LIMITS, "client-output-buffer-limit", outbuf, 0, 0,
          "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60", "bytes, s", LIVE,
          "Close a client that leaves more unread: at once, or after some seconds."),
    OTHER(CONF_CLIENTS, CONF_DEBUG, "enable-debug-command", enable_debug_command, 0, 0, "no", "",
          ONCE, "Whether clients may use DEBUG; 'local': those of this host."),

    TEXT(CONF_PROCESS, "dir", dir, not_empty, ".", ONCE,
         "The working directory, where the cluster-config-file lives."),
    TEXT(CONF_PROCESS, "pidfile", pidfile, NULL, "", ONCE,
         "A file that holds the process id while the server runs."),
    TEXT(CONF_PROCESS, "logfile", logfile, NULL, "", ONCE,
         "Where the log goes; empty for standard output."),
    WORD(CONF_PROCESS, "loglevel", loglevel, loglevels, "notice", LIVE,
         "The least important messages that are logged."),
    WORD(CONF_PROCESS, "log-format", log_format, log_formats, "plain", LIVE,
         "How a line is written: as a stock server does, as key=value, or as JSON."),
    YES_NO(CONF_PROCESS, "syslog-enabled", NULL, syslog_enabled, "no", ONCE,
           "Log to syslog as well."),
    TEXT(CONF_PROCESS, "syslog-ident", syslog_ident, NULL, "hearsay", ONCE,
         "The name syslog shows."),
    WORD(CONF_PROCESS, "syslog-facility", syslog_facility, facilities, "local0", ONCE,
         "The syslog facility."),
    YES_NO(CONF_PROCESS, "daemonize", NULL, daemonize, "no", ONCE, "Run in the background."),
    WORD(CONF_PROCESS, "supervised", supervised, supervisors, "no", ONCE,
         "Who to tell that the server is up: systemd (NOTIFY_SOCKET), upstart, auto."),

    YES_NO(CONF_CLUSTER, "cluster-enabled", NULL, cluster_enabled, "yes", ONCE,
           "Must be yes: a cluster node is all that hearsay is."),
    TEXT(CONF_CLUSTER, "cluster-config-file", cluster_config_file, file_name, "nodes.conf", ONCE,
         "The file in dir where the node keeps what it knows; never edited by hand."),
    NUMBER(CONF_CLUSTER, "cluster-node-timeout", NULL, node_timeout_ms, 1, INT32_MAX, "15000", "ms",
           LIVE, "How long a node may be silent before it is suspected."),
    NUMBER(CONF_CLUSTER, "cluster-ping-interval", NULL, ping_interval_ms, 0, INT32_MAX, "0", "ms",
           LIVE, "How old a node's last pong may get; 0 for half the node timeout."),
    NUMBER(CONF_CLUSTER, "cluster-blacklist-ttl", NULL, blacklist_ttl_s, 0, INT32_MAX, "60", "s",
           LIVE, "How long a forgotten node may not come back."),
    NUMBER(CONF_CLUSTER, "cluster-port", NULL, cluster_port, 0, 65535, "0", "port", ONCE,
           "Where other nodes connect; 0 for port + 10000."),
    TEXT(CONF_CLUSTER, "cluster-announce-ip", announce_ip, address, "", LIVE,
         "The address to tell others; empty for the one they see."),
    NUMBER(CONF_CLUSTER, "cluster-announce-port", NULL, announce_port, 0, 65535, "0", "port", LIVE,
           "The client port to tell others; 0 for port."),
    NUMBER(CONF_CLUSTER, "cluster-announce-tls-port", NULL, announce_tls_port, 0, 65535, "0",
           "port", LIVE, "The TLS client port to tell others; 0 for tls-port."),
    NUMBER(CONF_CLUSTER, "cluster-announce-bus-port", NULL, announce_bus_port, 0, 65535, "0",
           "port", LIVE, "The bus port to tell others; 0 for cluster-port."),
    TEXT(CONF_CLUSTER, "cluster-announce-hostname", announce_hostname, hostname, "", LIVE,
         "The host name to tell others and their clients."),
    TEXT(CONF_CLUSTER, "cluster-announce-human-nodename", announce_nodename, nodename, "", LIVE,
         "A name for logs, told to others."),
    TEXT(CONF_CLUSTER, "cluster-announce-client-ipv4", announce_client_ipv4, ipv4, "", LIVE,
         "The IPv4 address clients are shown (Valkey 8)."),
    TEXT(CONF_CLUSTER, "cluster-announce-client-ipv6", announce_client_ipv6, ipv6, "", LIVE,
         "The IPv6 address clients are shown (Valkey 8)."),
    WORD(CONF_CLUSTER, "cluster-preferred-endpoint-type", endpoint_type, endpoints, "ip", LIVE,
         "What clients are told to connect to."),
    YES_NO(CONF_CLUSTER, "cluster-require-full-coverage", NULL, require_full_coverage, "yes", LIVE,
           "Whether one uncovered slot makes the cluster down."),
    YES_NO(CONF_CLUSTER, "cluster-allow-reads-when-down", NULL, allow_reads_when_down, "no", LIVE,
           "Whether reads are redirected while the cluster is down."),
    YES_NO(CONF_CLUSTER, "cluster-allow-pubsubshard-when-down", NULL, allow_pubsubshard_when_down,
           "yes", LIVE, "Whether sharded pub/sub works while the cluster is down."),
    NUMBER(CONF_CLUSTER, "cluster-replica-validity-factor", "cluster-slave-validity-factor",
           replica_validity_factor, 0, INT32_MAX, "10", "timeouts", LIVE,
           "How old a replica's data may be for an election; 0 for any age."),
    YES_NO(CONF_CLUSTER, "cluster-replica-no-failover", "cluster-slave-no-failover",
           replica_no_failover, "no", LIVE, "Never start an election on our own."),
    NUMBER(CONF_CLUSTER, "cluster-migration-barrier", NULL, migration_barrier, 0, INT32_MAX, "1",
           "replicas", LIVE, "How many replicas a master keeps when one moves away."),
    YES_NO(CONF_CLUSTER, "cluster-allow-replica-migration", NULL, allow_replica_migration, "yes",
           LIVE, "Whether this replica may move to a master that has none."),
    OTHER(CONF_CLUSTER, CONF_MEMORY, "cluster-link-sendbuf-limit", link_sendbuf_limit, 0, INT64_MAX,
          "0", "bytes", LIVE, "Close a link with more than this unsent; 0 for no limit."),

    YES_NO(CONF_TLS, "tls-cluster", NULL, tls_cluster, "no", ONCE,
           "TLS on the cluster bus, with certificates on both ends; the same on all nodes."),
    TEXT(CONF_TLS, "tls-cert-file", tls_cert_file, NULL, "", LIVE,
         "Our certificate, PEM, with what leads to the authority behind it."),
    TEXT(CONF_TLS, "tls-key-file", tls_key_file, NULL, "", LIVE, "Its private key, PEM."),
    TEXT(CONF_TLS, "tls-key-file-pass", tls_key_file_pass, NULL, "", LIVE,
         "The key's password, if it has one."),
    TEXT(CONF_TLS, "tls-client-cert-file", tls_client_cert_file, NULL, "", LIVE,
         "The certificate for links that we dial; empty for tls-cert-file."),
    TEXT(CONF_TLS, "tls-client-key-file", tls_client_key_file, NULL, "", LIVE,
         "Its private key, PEM."),
    TEXT(CONF_TLS, "tls-client-key-file-pass", tls_client_key_file_pass, NULL, "", LIVE,
         "That key's password, if it has one."),
    TEXT(CONF_TLS, "tls-ca-cert-file", tls_ca_cert_file, NULL, "", LIVE,
         "The authorities whose certificates peers and clients may have, PEM."),
    TEXT(CONF_TLS, "tls-ca-cert-dir", tls_ca_cert_dir, NULL, "", LIVE,
         "A directory of them, as openssl rehash leaves it."),
    WORD(CONF_TLS, "tls-auth-clients", tls_auth_clients, tls_auths, "yes", LIVE,
         "Whether clients must have a certificate; nodes always must."),
    TEXT(CONF_TLS, "tls-protocols", tls_protocols, NULL, "", LIVE,
         "TLSv1 to TLSv1.3, several to a value; empty for TLSv1.2 and TLSv1.3."),
    TEXT(CONF_TLS, "tls-ciphers", tls_ciphers, NULL, "", LIVE,
         "OpenSSL's cipher list up to TLSv1.2; empty for its default."),
    TEXT(CONF_TLS, "tls-ciphersuites", tls_ciphersuites, NULL, "", LIVE,
         "OpenSSL's cipher suites of TLSv1.3; empty for its default."),
    YES_NO(CONF_TLS, "tls-prefer-server-ciphers", NULL, tls_prefer_server_ciphers, "no", LIVE,
           "Choose the cipher by our order, not by the client's."),
    YES_NO(CONF_TLS, "tls-session-caching", NULL, tls_session_caching, "yes", LIVE,
           "Let clients resume sessions; nodes never do."),
    NUMBER(CONF_TLS, "tls-session-cache-size", NULL, tls_session_cache_size, 0, INT32_MAX, "20480",
           "sessions", LIVE, "The most sessions kept to be resumed; 0 for no limit."),
    NUMBER(CONF_TLS, "tls-session-cache-timeout", NULL, tls_session_cache_timeout, 0, INT32_MAX,
           "300", "s", LIVE, "How long a session can be resumed."),

    OTHER(CONF_OURS, CONF_RANGES, "bus-allow", bus_allow, 0, 0, "auto", "networks", LIVE,
          "Who may connect to the bus port: CIDRs, 'private'; auto is private without TLS."),
    YES_NO(CONF_OURS, "tls-cluster-verify-node-id", NULL, verify_node_id, "no", LIVE,
           "Whether a peer's certificate must hold its node id, as CN or DNS name."),
    NUMBER(CONF_OURS, "cluster-links-per-address", NULL, links_per_address, 0, INT32_MAX, "0",
           "connections", LIVE,
           "The most bus connections from one address; 0: cluster-nodes-max, but for loopback."),
    NUMBER(CONF_OURS, "maxclients-per-address", NULL, clients_per_address, 0, INT32_MAX, "0",
           "connections", LIVE,
           "The most clients of one address; 0: half of maxclients, but for loopback."),
    NUMBER(CONF_OURS, "cluster-nodes-max", NULL, nodes_max, 2, 16384, "10000", "nodes", ONCE,
           "The largest cluster to prepare for: tables and bounds come from it."),
    NUMBER(CONF_OURS, "reactors", NULL, reactors, 0, 64, "0", "threads", ONCE,
           "Threads for the network; 0 for one per core less the owner's."),
    NUMBER(CONF_OURS, "io-threads", NULL, io_threads, 1, 128, "1", "threads", ONCE,
           "A hint only, kept for redis.conf's sake: 'reactors' decides."),
    YES_NO(CONF_OURS, "cpu-pinning", NULL, cpu_pinning, "no", ONCE,
           "Tie each reactor and the owner to a core of its own."),
    YES_NO(CONF_OURS, "sandbox", NULL, sandbox, "yes", ONCE,
           "Once up, run no programs, and write only in directories of files named here."),
    TEXT(CONF_OURS, "notification-script", notification_script, NULL, "", ONCE,
         "A program to call with each urgent event's name and line; empty for none."),
    NUMBER(CONF_OURS, "metrics-port", NULL, metrics_port, 0, 65535, "0", "port", ONCE,
           "Where /metrics, /healthz and /readyz are served over HTTP; 0 for nowhere."),
    TEXT(CONF_OURS, "metrics-bind", metrics_bind, numeric_address, "127.0.0.1", ONCE,
         "The numeric address of metrics-port; 0.0.0.0 or :: for all of this host's."),
};

const uint32_t conf_table_n = sizeof(conf_table) / sizeof(conf_table[0]);
