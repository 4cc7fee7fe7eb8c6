/* decode_pcap.c - the classic capture file: one header, then packets.
 *
 * Written in the byte order of the machine that captured, with micro- or
 * nanoseconds: the magic number says which of the four.
 */
#include "hearsay-decode.h"

#include <stdlib.h>
#include <time.h>

enum {
    FILE_HEADER = 24,
    PACKET_HEADER = 16,
    PACKET_MAX = 256 * 1024, /* the longest that capture programs write */
};

#define MAGIC_US 0xa1b2c3d4U
#define MAGIC_NS 0xa1b23c4dU

struct pcap {
    bool swapped, nano; /* little endian; fractions are nanoseconds */
    uint32_t link_type;
};

static uint32_t swap32(uint32_t v)
{
    return v << 24 | (v & 0xff00) << 8 | (v >> 8 & 0xff00) | v >> 24;
}

static uint32_t pcap32(const struct pcap *file, const uint8_t *p)
{
    return file->swapped ? swap32(hs_get32(p)) : hs_get32(p);
}

bool decode_is_pcap(const uint8_t *p, size_t n)
{
    if (n < 4)
        return false;
    uint32_t magic = hs_get32(p), swapped = swap32(magic);

    return magic == MAGIC_US || magic == MAGIC_NS || swapped == MAGIC_US || swapped == MAGIC_NS;
}

static bool read_file_header(struct pcap *file, struct decode_input *in)
{
    uint8_t h[FILE_HEADER];

    if (decode_read(in, h, sizeof(h)) < sizeof(h) || !decode_is_pcap(h, sizeof(h))) {
        fprintf(stderr, "hearsay-decode: %s: not a pcap file\n", in->name);
        return false;
    }
    file->swapped = swap32(hs_get32(h)) == MAGIC_US || swap32(hs_get32(h)) == MAGIC_NS;
    file->nano = pcap32(file, h) == MAGIC_NS;
    file->link_type = pcap32(file, h + 20) & 0xffff; /* the rest is about checksums */
    if (!decode_link_known(file->link_type)) {
        fprintf(stderr,
                "hearsay-decode: %s: link type %u is not supported; capture with "
                "'tcpdump -y EN10MB' or on one interface\n",
                in->name, file->link_type);
        return false;
    }
    return true;
}

static void write_when(const struct pcap *file, const uint8_t *h, char when[DECODE_WHEN_LEN])
{
    time_t seconds = (time_t)pcap32(file, h);
    struct tm tm;
    char day[32] = "";

    if (gmtime_r(&seconds, &tm))
        strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(when, DECODE_WHEN_LEN, "%s.%0*uZ", day, file->nano ? 9 : 6, pcap32(file, h + 4));
}

bool decode_pcap(struct decode *run, struct decode_input *in)
{
    struct pcap file = {0};
    uint8_t h[PACKET_HEADER];
    char when[DECODE_WHEN_LEN];
    bool good = true;
    size_t got;

    if (!read_file_header(&file, in))
        return false;
    struct decode_flows *flows = decode_flows_create(run);
    uint8_t *bytes = decode_realloc(NULL, PACKET_MAX);

    while (good && (got = decode_read(in, h, sizeof(h))) > 0) {
        uint32_t len = got == sizeof(h) ? pcap32(&file, h + 8) : 0;
        struct decode_packet packet;

        good = got == sizeof(h) && len <= PACKET_MAX && decode_read(in, bytes, len) == len;
        if (!good) {
            fprintf(stderr, "hearsay-decode: %s: the file is cut or damaged\n", in->name);
        } else if (decode_ip(file.link_type, bytes, len, &packet)) {
            write_when(&file, h, when);
            packet.when = when;
            decode_flows_packet(flows, &packet);
        }
    }
    decode_flows_destroy(flows);
    free(bytes);
    return good;
}
