/* decode_tcp.c - the bytes of each direction of each connection, in order.
 *
 * A segment that starts where the stream stands is passed on, what is before
 * that was seen already, and what is after waits in a list sorted by sequence
 * number. When the list is full, or the capture ends, the missing bytes are
 * given up as a gap. Sequence numbers wrap: only differences are compared.
 */
#include "hearsay-decode.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUCKETS = 4096,
    FLOWS_MAX = 64 * 1024,         /* directions; more are counted and ignored */
    WAITING_MAX = 4 * 1024 * 1024, /* bytes out of order per direction */
    WAITING_SEGMENTS_MAX = 4096,
};

struct segment {
    struct segment *next;
    uint32_t seq, len;
    uint8_t data[];
};

struct flow {
    struct flow *in_bucket, *in_order;
    struct decode_packet key; /* addresses and ports only */
    uint32_t seq_next, seq_first;
    struct segment *waiting;
    uint32_t waiting_bytes, waiting_n;
    struct decode_stream stream;
};

struct decode_flows {
    struct decode *run;
    struct flow *bucket[BUCKETS];
    struct flow *first, **last;
    uint32_t n;
    uint64_t ignored;
};

static bool same_key(const struct decode_packet *a, const struct decode_packet *b)
{
    return a->ipv6 == b->ipv6 && a->sport == b->sport && a->dport == b->dport &&
           memcmp(a->src, b->src, sizeof(a->src)) == 0 &&
           memcmp(a->dst, b->dst, sizeof(a->dst)) == 0;
}

static uint32_t bucket_of(const struct decode_packet *p)
{
    uint32_t h = (uint32_t)p->sport << 16 ^ (uint32_t)p->dport * 40503U;

    for (size_t i = 0; i < sizeof(p->src); i++)
        h = (h ^ (uint32_t)p->src[i] ^ (uint32_t)p->dst[i] << 8) * 16777619U;
    return h % BUCKETS;
}

static void write_address(char *dst, size_t n, const struct decode_packet *p, bool src)
{
    char ip[INET6_ADDRSTRLEN] = "";

    inet_ntop(p->ipv6 ? AF_INET6 : AF_INET, src ? p->src : p->dst, ip, sizeof(ip));
    snprintf(dst, n, p->ipv6 ? "[%s]:%u" : "%s:%u", ip, src ? p->sport : p->dport);
}

static void stream_start(struct flow *f, struct decode *run)
{
    char src[INET6_ADDRSTRLEN + 8], dst[INET6_ADDRSTRLEN + 8];

    f->stream = (struct decode_stream){.run = run, .searching = true};
    write_address(src, sizeof(src), &f->key, true);
    write_address(dst, sizeof(dst), &f->key, false);
    snprintf(f->stream.where, sizeof(f->stream.where), "%s > %s", src, dst);
}

static struct flow *find(struct decode_flows *flows, const struct decode_packet *p)
{
    struct flow **bucket = &flows->bucket[bucket_of(p)];

    for (struct flow *f = *bucket; f; f = f->in_bucket) {
        if (same_key(&f->key, p))
            return f;
    }
    if (flows->n == FLOWS_MAX) {
        flows->ignored++;
        return NULL;
    }
    struct flow *f = decode_realloc(NULL, sizeof(*f));

    memset(f, 0, sizeof(*f));
    f->key = *p;
    f->seq_next = f->seq_first = p->syn ? p->seq + 1 : p->seq;
    stream_start(f, flows->run);
    f->in_bucket = *bucket;
    *bucket = f;
    *flows->last = f;
    flows->last = &f->in_order;
    flows->n++;
    return f;
}

/* Passes on what of a segment is new. The segment starts at or before seq_next. */
static void deliver(struct flow *f, uint32_t seq, const uint8_t *data, uint32_t len)
{
    uint32_t seen = f->seq_next - seq;

    if (seen >= len)
        return;
    decode_stream_feed(&f->stream, data + seen, len - seen);
    f->seq_next = seq + len;
}

static bool is_after(uint32_t seq, uint32_t than)
{
    return (int32_t)(seq - than) > 0;
}

static void deliver_waiting(struct flow *f)
{
    while (f->waiting && !is_after(f->waiting->seq, f->seq_next)) {
        struct segment *s = f->waiting;

        f->waiting = s->next;
        f->waiting_bytes -= s->len;
        f->waiting_n--;
        deliver(f, s->seq, s->data, s->len);
        free(s);
    }
}

/* Gives up what is missing before the first waiting segment. */
static void give_up(struct flow *f)
{
    uint32_t missing = f->waiting->seq - f->seq_next;

    decode_stream_gap(&f->stream, missing);
    f->seq_next += missing;
    deliver_waiting(f);
}

static void wait_for_turn(struct flow *f, const struct decode_packet *p)
{
    struct segment *s = decode_realloc(NULL, sizeof(*s) + p->len);
    struct segment **at = &f->waiting;

    while (*at && is_after(p->seq, (*at)->seq))
        at = &(*at)->next;
    *s = (struct segment){.next = *at, .seq = p->seq, .len = p->len};
    memcpy(s->data, p->data, p->len);
    *at = s;
    f->waiting_bytes += p->len;
    f->waiting_n++;
    if (f->waiting_bytes > WAITING_MAX || f->waiting_n > WAITING_SEGMENTS_MAX)
        give_up(f);
}

static void flow_finish(struct flow *f)
{
    while (f->waiting)
        give_up(f);
    decode_stream_end(&f->stream);
}

void decode_flows_packet(struct decode_flows *flows, const struct decode_packet *p)
{
    struct flow *f = find(flows, p);

    if (!f)
        return;
    snprintf(f->stream.when, sizeof(f->stream.when), "%s", p->when);
    uint32_t seq = p->syn ? p->seq + 1 : p->seq;

    /* The same ports again: a new connection, unless the SYN was only repeated. */
    if (p->syn && seq != f->seq_first) {
        flow_finish(f);
        stream_start(f, flows->run);
        f->seq_next = f->seq_first = seq;
        snprintf(f->stream.when, sizeof(f->stream.when), "%s", p->when);
    }
    if (p->len == 0)
        return;
    if (is_after(seq, f->seq_next)) {
        wait_for_turn(f, p);
        return;
    }
    deliver(f, seq, p->data, p->len);
    deliver_waiting(f);
}

struct decode_flows *decode_flows_create(struct decode *run)
{
    struct decode_flows *flows = decode_realloc(NULL, sizeof(*flows));

    memset(flows, 0, sizeof(*flows));
    flows->run = run;
    flows->last = &flows->first;
    return flows;
}

void decode_flows_destroy(struct decode_flows *flows)
{
    struct flow *f = flows->first;

    while (f) {
        struct flow *next = f->in_order;

        flow_finish(f);
        free(f);
        f = next;
    }
    if (flows->ignored > 0) {
        fprintf(stderr,
                "hearsay-decode: more than %d directions; %" PRIu64 " packets of others ignored\n",
                FLOWS_MAX, flows->ignored);
    }
    free(flows);
}
