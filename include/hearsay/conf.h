/* conf.h - directives: one table, from which come parsing, --help, CONFIG GET
 * and SET, their checks and their documentation.
 *
 * Threads: a struct hs_conf is filled at start; after that the live ones
 *          change only through the owner. Errors: one sentence in `why`.
 */
#ifndef HEARSAY_CONF_H
#define HEARSAY_CONF_H

#include "hearsay/base.h"
#include "hearsay/wire.h"

enum { HS_BIND_MAX = 16, HS_PATH_MAX = 1024, HS_RANGES_MAX = 64, HS_RANGE_LEN = 64 };

enum hs_endpoint_type { HS_ENDPOINT_IP, HS_ENDPOINT_HOSTNAME, HS_ENDPOINT_UNKNOWN };

enum hs_tls_auth { HS_TLS_AUTH_NO, HS_TLS_AUTH_YES, HS_TLS_AUTH_OPTIONAL };

/* Networks, IPv4 as ::ffff:a.b.c.d: the leading bits count, the others are 0. */
struct hs_range {
    uint8_t ip[16], bits;
};

struct hs_ranges {
    struct hs_range v[HS_RANGES_MAX];
    uint32_t n;
    bool automatic;    /* nothing was said: what is prudent */
    bool with_private; /* networks the internet does not route */
};

/* What a client may leave unread: never more than hard bytes, and more than soft
 * for less than soft_s seconds. 0 for no limit. */
struct hs_conf_limit {
    uint64_t hard, soft;
    uint32_t soft_s;
};

/* Classes of client-output-buffer-limit. There are no replica connections here. */
enum { HS_LIMIT_NORMAL, HS_LIMIT_REPLICA, HS_LIMIT_PUBSUB, HS_LIMITS };

struct hs_conf {
    /* listening */
    uint16_t port, tls_port;
    char bind[HS_BIND_MAX][256]; /* addresses or names; one with a leading '-' may fail quietly */
    uint32_t bind_n;
    char bind_source_addr[HS_IP_LEN];
    char unixsocket[HS_PATH_MAX];
    uint32_t unixsocketperm;
    bool protected_mode;
    char requirepass[513];
    struct hs_conf_limit outbuf[HS_LIMITS];
    uint32_t maxclients, clients_per_address; /* 0: half of maxclients */
    uint32_t timeout_s, tcp_keepalive_s, tcp_backlog;
    /* process */
    char dir[HS_PATH_MAX], pidfile[HS_PATH_MAX], logfile[HS_PATH_MAX];
    enum hs_log_level loglevel;
    enum hs_log_format log_format;
    bool syslog_enabled, daemonize;
    char syslog_ident[64];
    int syslog_facility;
    int supervised; /* 0 no, 1 upstart, 2 systemd, 3 auto */
    bool enable_debug_command, enable_debug_local;
    /* cluster */
    bool cluster_enabled;
    char cluster_config_file[HS_PATH_MAX];
    uint32_t node_timeout_ms, ping_interval_ms, blacklist_ttl_s;
    uint16_t cluster_port;
    char announce_ip[HS_IP_LEN], announce_hostname[256], announce_nodename[256];
    char announce_client_ipv4[16], announce_client_ipv6[HS_IP_LEN];
    uint16_t announce_port, announce_tls_port, announce_bus_port;
    enum hs_endpoint_type endpoint_type;
    bool require_full_coverage, allow_reads_when_down, allow_pubsubshard_when_down;
    uint32_t replica_validity_factor, migration_barrier;
    bool replica_no_failover, allow_replica_migration;
    uint64_t link_sendbuf_limit;
    /* TLS, for whoever has tls_port or tls_cluster; "" for a file that is not set */
    bool tls_cluster, tls_prefer_server_ciphers, tls_session_caching;
    enum hs_tls_auth tls_auth_clients;
    char tls_cert_file[HS_PATH_MAX], tls_key_file[HS_PATH_MAX], tls_key_file_pass[513];
    char tls_client_cert_file[HS_PATH_MAX], tls_client_key_file[HS_PATH_MAX];
    char tls_client_key_file_pass[513];
    char tls_ca_cert_file[HS_PATH_MAX], tls_ca_cert_dir[HS_PATH_MAX];
    char tls_protocols[128], tls_ciphers[1024], tls_ciphersuites[1024];
    uint32_t tls_session_cache_size, tls_session_cache_timeout;
    /* ours */
    uint32_t nodes_max;  /* cluster-nodes-max: the largest cluster to prepare for */
    uint32_t reactors;   /* 0: one per core less the owner's */
    uint32_t io_threads; /* a hint: stock's thread count, for where reactors is 0 */
    bool cpu_pinning, sandbox;
    char notification_script[HS_PATH_MAX]; /* "" for none */
    struct hs_ranges bus_allow;
    uint32_t links_per_address; /* that peers dialed; 0: nodes_max */
    bool verify_node_id;        /* tls-cluster-verify-node-id */
    uint16_t metrics_port;      /* 0: no metrics over HTTP */
    char metrics_bind[HS_IP_LEN];
};

/* Where a value came from, for messages and CONFIG REWRITE. */
struct hs_conf_origin {
    char file[HS_PATH_MAX]; /* "" if no file was given */
};

enum hs_conf_mode { HS_CONF_RUN, HS_CONF_HELP, HS_CONF_VERSION, HS_CONF_CHECK, HS_CONF_EXPLAIN };

/* What start-up found. */
struct hs_conf_result {
    enum hs_conf_mode mode;
    uint32_t explain_nodes;
    char file[HS_PATH_MAX]; /* absolute, "" if none */
    char ignored[4096];     /* names of ignored data-store directives, once each */
    char why[1024];         /* the error: file, line, offending text, nearest name */
};

void hs_conf_defaults(struct hs_conf *c);

/* argv as main() got it: [CONFIG_FILE] [--directive value ...]; "-" reads
 * standard input; `include` is followed. 0, or -1 with r->why. */
int hs_conf_load(struct hs_conf *c, int argc, char **argv, struct hs_conf_result *r);

/* Rules that span directives (ports that collide or overflow, an unreachable
 * dir, ...). 0, or -1 with why. */
int hs_conf_check(const struct hs_conf *c, char *why, size_t why_n);

/* Those of them that are about values alone, and ask no disk: CONFIG SET's. */
int hs_conf_check_values(const struct hs_conf *c, char *why, size_t why_n);

static inline bool hs_conf_has_tls(const struct hs_conf *c)
{
    return c->tls_port != 0 || c->tls_cluster;
}

/* Where the cluster bus listens: cluster-port, or 10000 above the client port. */
static inline uint16_t hs_conf_bus_port(const struct hs_conf *c)
{
    uint16_t base = c->tls_cluster ? c->tls_port : c->port;
    return c->cluster_port != 0 ? c->cluster_port : (uint16_t)(base + 10000);
}

/* Whether a bus link from this address is welcome by bus-allow. This host's
 * loopback always is. */
bool hs_conf_bus_allows(const struct hs_conf *c, const char *ip);

/* ---- CONFIG GET and SET ---- */

uint32_t hs_conf_count(void);
const char *hs_conf_name(uint32_t i);
/* The value as CONFIG GET prints it. Returns its length, cut to n - 1. */
size_t hs_conf_get(const struct hs_conf *c, uint32_t i, char *buf, size_t n);
/* The directive of that name (any case, old spellings too), or HS_NIL. */
uint32_t hs_conf_find(const char *name, size_t n);
bool hs_conf_is_live(uint32_t i); /* CONFIG SET may change it */
bool hs_conf_is_tls(uint32_t i);  /* setting it, to the same value too, loads keys anew */
/* Whether it is a data store's directive: accepted anywhere, and without effect. */
bool hs_conf_is_ignored(const char *name, size_t n);
/* 0, or -1 with why as the stock server words it. */
int hs_conf_set(struct hs_conf *c, uint32_t i, const char *value, size_t n, char *why,
                size_t why_n);

/* ---- CONFIG REWRITE ---- */

/* The text of a configuration file with the values of c; hs_free() it. NULL: no memory. */
char *hs_conf_rewrite_text(const struct hs_conf *c, const char *text, size_t n, size_t *out_n);
/* The same for the file, which is replaced at once or not at all. 0, or -1 with why. */
int hs_conf_rewrite(const struct hs_conf *c, const char *path, char *why, size_t why_n);

/* --help, --version, and --explain --nodes N, to standard output. */
void hs_conf_print_help(void);
void hs_conf_print_version(void);
void hs_conf_print_explain(const struct hs_conf *c, uint32_t nodes);

#endif
