/* hearsay-decode.h - the pieces of hearsay-decode: bytes in, lines out.
 *
 * input (a file or stdin) -> hex, raw, or pcap -> tcp flows -> streams -> lines.
 * Output is on stdout, what went wrong with the files themselves on stderr.
 */
#ifndef HS_DECODE_H
#define HS_DECODE_H

#include "hearsay/wire.h"

#include <stdio.h>

enum { DECODE_WHEN_LEN = 48, DECODE_WHERE_LEN = 128 };

enum { DECODE_OK, DECODE_MALFORMED, DECODE_USAGE }; /* exit statuses */

/* One run. */
struct decode {
    bool gossip;    /* show gossip entries and extensions too */
    bool malformed; /* something was; the exit status says so */
};

/* Memory or a message and exit status 2: a tool has nobody else to tell. */
void *decode_realloc(void *p, size_t n);

/* ---- decode_input.c: a file with a look ahead ---- */

enum { DECODE_INPUT_MAX = 64 * 1024 };

struct decode_input {
    FILE *f;
    const char *name;
    size_t at, n;
    uint8_t buf[DECODE_INPUT_MAX];
};

/* Up to n bytes (at most DECODE_INPUT_MAX) without taking them. */
size_t decode_peek(struct decode_input *in, size_t n, const uint8_t **p);
/* Takes bytes; fewer than n only at the end. */
size_t decode_read(struct decode_input *in, uint8_t *dst, size_t n);

/* ---- decode_stream.c: a sequence of bytes, cut into frames and printed ---- */

struct decode_stream {
    struct decode *run;
    char when[DECODE_WHEN_LEN];   /* of the newest bytes; "" outside a capture */
    char where[DECODE_WHERE_LEN]; /* "source > destination", or "" */
    uint8_t *buf;
    size_t at, n, cap;
    uint64_t off;     /* in the stream, of buf[0] */
    uint64_t skipped; /* while searching */
    bool searching;   /* for a signature: at the start of a capture, after an error */
    bool found;       /* a frame was seen: this is the bus */
};

void decode_stream_feed(struct decode_stream *s, const uint8_t *p, size_t n);
/* n bytes of the stream are not in the capture. */
void decode_stream_gap(struct decode_stream *s, uint64_t n);
/* No more bytes: reports an unfinished frame. Frees the buffer. */
void decode_stream_end(struct decode_stream *s);

/* ---- decode_tcp.c: segments of a capture, put in order per direction ---- */

struct decode_packet {
    uint8_t src[16], dst[16]; /* IPv4 addresses take the first four bytes */
    bool ipv6, syn;
    uint16_t sport, dport;
    uint32_t seq, len; /* of data */
    const uint8_t *data;
    const char *when;
};

struct decode_flows;

struct decode_flows *decode_flows_create(struct decode *run);
void decode_flows_packet(struct decode_flows *flows, const struct decode_packet *p);
/* Reports what is unfinished, and frees. */
void decode_flows_destroy(struct decode_flows *flows);

/* ---- decode_ip.c: from the link layer of a captured packet to TCP ---- */

/* False if it is not a whole TCP segment over IP. */
bool decode_ip(uint32_t link_type, const uint8_t *p, size_t n, struct decode_packet *out);
bool decode_link_known(uint32_t link_type);

/* ---- decode_pcap.c ---- */

bool decode_is_pcap(const uint8_t *p, size_t n);
/* False with a message if the file itself cannot be read. */
bool decode_pcap(struct decode *run, struct decode_input *in);

#endif
