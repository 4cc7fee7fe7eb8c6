/* options.c - the command line, and what a mode means where it says nothing. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static const char usage[] =
    "usage: hearsay-bench --target 127.0.0.1:PORT [options]\n"
    "       hearsay-bench --compare 'COMMAND A' 'COMMAND B' [options]\n"
    "\n"
    "Plays all peers of a cluster to one fresh node (hearsayd, redis-server or\n"
    "valkey-server) on loopback, checks every answer and measures.\n"
    "\n"
    "  --target HOST:PORT   the node's client port; its bus is at port + 10000\n"
    "  --bus-port PORT      where its bus is instead\n"
    "  --target-pid PID     its process; found through the port otherwise\n"
    "  --peers N            virtual peers, 2 to 16000 (1000)\n"
    "  --mode MODE          steady    each link sends a PING every half node timeout\n"
    "                       flood     as many PINGs as --links and --window allow\n"
    "                       storm     --kill percent of the peers die at once\n"
    "                       publish   clients PUBLISH, the peers count what reaches them\n"
    "                       topology  clients read CLUSTER SLOTS, SHARDS or NODES\n"
    "                       join      only from nothing to all peers connected\n"
    "                       echo      a flood's bytes to an --echo server: the floor\n"
    "  --links L            peers with a connection of their own to the target\n"
    "                       (flood 64, topology 0, else all)\n"
    "  --window W           PINGs or commands in flight on each, 1 to 64 (flood 4,\n"
    "                       publish 32, topology 1)\n"
    "  --clients C          client connections (topology 16, publish 4)\n"
    "  --threads N          threads of this tool (1)\n"
    "  --warmup TIME        before measuring (2s; --full-rate: half a node timeout and 1s,\n"
    "                       when the target's own PINGs are due)\n"
    "  --duration TIME      of measuring (10s; storm: until all is over, at most five node\n"
    "                       timeouts and 10s)\n"
    "  --node-timeout MS    what the target is configured with (15000)\n"
    "  --form-timeout TIME  for all peers to be connected (120s)\n"
    "  --full-rate          the peers do not tell when they heard of each other, so\n"
    "                       the target must PING each every half node timeout\n"
    "  --kill PERCENT       storm: how many die (33%)\n"
    "  --silent             storm: no peer reports the dead, so the target suspects them\n"
    "                       all, and may not call one failed\n"
    "  --fragmented         the peers' slots lie in turn, so that each is a range of its own\n"
    "  --light              the peers read light headers, as Valkey 8 does (publish)\n"
    "  --command WORD       topology: SLOTS, SHARDS or NODES (SLOTS)\n"
    "  --payload BYTES      publish: size of a message, 1 to 4000 (64)\n"
    "  --seed N             of identities, windows and victims (1)\n"
    "  --json FILE          the figures, for machines\n"
    "  --plot FILE.svg      rate and latency over time\n"
    "  --compare A B        start each command in turn and print ratios; {port} and\n"
    "                       {dir} in it are replaced\n"
    "  --rounds N           of --compare (3)\n"
    "  --echo PORT          be a server that sends back what it gets, for mode echo\n"
    "  --help  --version\n"
    "\n"
    "TIME is a number with ms, s or m. Exit status: 0 all answers were right, 1 some\n"
    "were wrong, 2 it could not be run.\n";

static const char *const modes[MODES] = {
    [MODE_STEADY] = "steady",   [MODE_FLOOD] = "flood",       [MODE_STORM] = "storm",
    [MODE_PUBLISH] = "publish", [MODE_TOPOLOGY] = "topology", [MODE_JOIN] = "join",
    [MODE_ECHO] = "echo",
};

const char *mode_name(enum mode m)
{
    return modes[m];
}

static bool number(const char *text, uint64_t min, uint64_t max, uint64_t *to)
{
    char *end;
    unsigned long long v = strtoull(text, &end, 10);

    *to = v;
    return end != text && (*end == '\0' || (*end == '%' && end[1] == '\0')) && v >= min && v <= max;
}

static bool number32(const char *text, uint32_t min, uint32_t max, uint32_t *to)
{
    uint64_t v;

    if (!number(text, min, max, &v)) {
        return false;
    }
    *to = (uint32_t)v;
    return true;
}

static bool duration(const char *text, uint32_t *to)
{
    char *end;
    double v = strtod(text, &end);
    double unit = strcmp(end, "ms") == 0  ? 1
                  : strcmp(end, "s") == 0 ? 1000
                  : strcmp(end, "m") == 0 ? 60000
                                          : -1;

    if (end == text || unit < 0 || v < 0 || v * unit > 86400000) {
        return false;
    }
    *to = (uint32_t)(v * unit);
    return true;
}

static bool target(const char *text, struct options *o)
{
    const char *colon = strchr(text, ':');
    struct in_addr address;
    uint32_t port;

    if (colon == NULL || (size_t)(colon - text) >= sizeof(o->host)) {
        return false;
    }
    memcpy(o->host, text, (size_t)(colon - text));
    o->host[colon - text] = '\0';
    if (inet_pton(AF_INET, o->host, &address) != 1 || ntohl(address.s_addr) >> 24 != 127 ||
        !number32(colon + 1, 1, 65535, &port)) {
        return false;
    }
    o->port = (uint16_t)port;
    return true;
}

static bool one_of(const char *text, const char *const *words, uint32_t n, uint32_t *which)
{
    for (*which = 0; *which < n; (*which)++) {
        if (strcasecmp(text, words[*which]) == 0) {
            return true;
        }
    }
    return false;
}

static bool topology_command(const char *text, struct options *o)
{
    static const char *const words[] = {"SLOTS", "SHARDS", "NODES"};
    uint32_t which;

    if (!one_of(text, words, 3, &which)) {
        return false;
    }
    o->command = words[which];
    return true;
}

/* Options that say how much. */
static bool set_number(struct options *o, const char *name, const char *value)
{
    static const struct {
        const char *name;
        uint32_t min, max;
        size_t off;
    } rows[] = {
        {"--peers", 2, PEERS_MAX, offsetof(struct options, peers)},
        {"--links", 0, PEERS_MAX, offsetof(struct options, links)},
        {"--window", 1, WINDOW_MAX, offsetof(struct options, window)},
        {"--clients", 1, 10000, offsetof(struct options, clients)},
        {"--threads", 1, THREADS_MAX, offsetof(struct options, threads)},
        {"--node-timeout", 1, 86400000, offsetof(struct options, node_timeout_ms)},
        {"--kill", 0, 100, offsetof(struct options, kill_percent)},
        {"--payload", 1, 4000, offsetof(struct options, payload_len)},
        {"--rounds", 1, 100, offsetof(struct options, rounds)},
        {"--echo", 1, 65535, offsetof(struct options, echo_port)},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(name, rows[i].name) == 0) {
            uint32_t *to = (uint32_t *)(void *)((char *)o + rows[i].off);
            return number32(value, rows[i].min, rows[i].max, to);
        }
    }
    return false;
}

static bool set(struct options *o, const char *name, const char *value)
{
    uint32_t n = 0;
    bool ok = true;

    if (strcmp(name, "--target") == 0) {
        ok = target(value, o);
    } else if (strcmp(name, "--bus-port") == 0) {
        ok = number32(value, 1, 65535, &n);
        o->bus_port = (uint16_t)n;
    } else if (strcmp(name, "--target-pid") == 0) {
        ok = number32(value, 1, INT32_MAX, &n);
        o->target_pid = (pid_t)n;
    } else if (strcmp(name, "--mode") == 0) {
        ok = one_of(value, modes, MODES, &n);
        o->mode = (enum mode)n;
    } else if (strcmp(name, "--warmup") == 0) {
        ok = duration(value, &o->warmup_ms);
    } else if (strcmp(name, "--duration") == 0) {
        ok = duration(value, &o->duration_ms);
    } else if (strcmp(name, "--form-timeout") == 0) {
        ok = duration(value, &o->form_ms);
    } else if (strcmp(name, "--seed") == 0) {
        ok = number(value, 0, UINT64_MAX, &o->seed);
    } else if (strcmp(name, "--command") == 0) {
        ok = topology_command(value, o);
    } else if (strcmp(name, "--json") == 0) {
        o->json = value;
    } else if (strcmp(name, "--plot") == 0) {
        o->plot = value;
    } else {
        ok = set_number(o, name, value);
    }
    return ok;
}

static void by_mode(struct options *o)
{
    bool clients = o->mode == MODE_TOPOLOGY || o->mode == MODE_PUBLISH;

    if (o->links == UNSET) {
        o->links = o->mode == MODE_FLOOD || o->mode == MODE_ECHO ? 64
                   : o->mode == MODE_TOPOLOGY                    ? 0
                                                                 : o->peers;
    }
    if (o->links > o->peers) {
        o->links = o->peers;
    }
    if (o->window == UNSET) {
        o->window = o->mode == MODE_FLOOD || o->mode == MODE_ECHO ? 4
                    : o->mode == MODE_PUBLISH                     ? 32
                                                                  : 1;
    }
    if (o->clients == UNSET || !clients) {
        o->clients = o->mode == MODE_TOPOLOGY ? 16 : clients ? 4 : 0;
    }
    if (o->duration_ms == UNSET) { /* twice what a storm should take; a silent one has no end */
        o->duration_ms = o->mode != MODE_STORM ? 10000
                         : o->silent           ? 3 * o->node_timeout_ms + 1000
                                               : 5 * o->node_timeout_ms + 10000;
    }
    if (o->warmup_ms == UNSET) {
        o->warmup_ms = o->full_rate ? o->node_timeout_ms / 2 + 1000 : 2000;
    }
    if (o->bus_port == 0) {
        o->bus_port = (uint16_t)(o->port + 10000);
    }
}

static bool stop(int *status, int code)
{
    *status = code;
    return false;
}

static bool complain(int *status, const char *what, const char *about)
{
    fprintf(stderr, "hearsay-bench: %s '%s'; --help lists the options\n", what, about);
    return stop(status, 2);
}

bool options_parse(struct options *o, int argc, char **argv, int *status)
{
    static char payload[4001];

    *o = (struct options){.peers = 1000,
                          .threads = 1,
                          .links = UNSET,
                          .window = UNSET,
                          .clients = UNSET,
                          .warmup_ms = UNSET,
                          .duration_ms = UNSET,
                          .node_timeout_ms = 15000,
                          .form_ms = 120000,
                          .kill_percent = 33,
                          .seed = 1,
                          .command = "SLOTS",
                          .payload_len = 64,
                          .rounds = 3,
                          .mode = MODE_STEADY,
                          .progress = isatty(2) != 0,
                          .payload = payload};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return stop(status, 0);
        }
        if (strcmp(argv[i], "--version") == 0) {
            puts("hearsay-bench " HS_VERSION);
            return stop(status, 0);
        }
        if (strcmp(argv[i], "--full-rate") == 0) {
            o->full_rate = true;
        } else if (strcmp(argv[i], "--silent") == 0) {
            o->silent = true;
        } else if (strcmp(argv[i], "--fragmented") == 0) {
            o->fragmented = true;
        } else if (strcmp(argv[i], "--light") == 0) {
            o->light = true;
        } else if (strcmp(argv[i], "--compare") == 0 && i + 2 < argc) {
            o->compare[0] = argv[++i];
            o->compare[1] = argv[++i];
        } else if (i + 1 == argc) {
            return complain(status, "an unknown option, or one without its value:", argv[i]);
        } else if (!set(o, argv[i], argv[i + 1])) {
            return complain(status, "an unknown option, or a value it cannot have:", argv[i]);
        } else {
            i++;
        }
    }
    if (o->port == 0 && o->compare[0] == NULL && o->echo_port == 0) {
        return complain(status, "nothing to measure: it needs", "--target 127.0.0.1:PORT");
    }
    memset(payload, 'x', o->payload_len);
    by_mode(o);
    return true;
}
