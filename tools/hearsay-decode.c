/* hearsay-decode.c - turns cluster bus bytes into readable lines.
 *
 * One line a frame, from hex text, raw bytes or a capture file. What it says
 * about a frame is what the server's own checks say: it is the same code.
 */
#include "hearsay-decode.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum format { FORMAT_AUTO, FORMAT_HEX, FORMAT_RAW, FORMAT_PCAP, FORMATS };

enum { GUESS_BYTES = 256, CHUNK = 16 * 1024 };

static const char *const format_names[FORMATS] = {"auto", "hex", "raw", "pcap"};

static const char usage[] =
    "usage: hearsay-decode [--format hex|raw|pcap|auto] [--gossip] [FILE...]\n"
    "\n"
    "Prints the cluster bus frames of each FILE (or of standard input), one a line.\n"
    "\n"
    "  --format F   hex: digits, white space ignored; raw: frames back to back;\n"
    "               pcap: a capture file, TCP over IPv4 or IPv6; auto: guess (default)\n"
    "  --gossip     also print gossip entries and extensions, indented\n"
    "  --help       print this and exit\n"
    "  --version    print the version and exit\n"
    "\n"
    "Exit status: 0 all frames are well-formed, 1 something was malformed,\n"
    "2 wrong usage or a file that cannot be read.\n";

static bool is_pcapng(const uint8_t *p, size_t n)
{
    return n >= 4 && hs_get32(p) == 0x0a0d0d0a;
}

static enum format guess(struct decode_input *in)
{
    const uint8_t *p;
    size_t n = decode_peek(in, GUESS_BYTES, &p);

    if (decode_is_pcap(p, n))
        return FORMAT_PCAP;
    for (size_t i = 0; i < n; i++) {
        if (!isxdigit(p[i]) && !isspace(p[i]))
            return FORMAT_RAW;
    }
    return FORMAT_HEX;
}

static void decode_raw(struct decode *run, struct decode_input *in)
{
    static uint8_t bytes[CHUNK];
    struct decode_stream s = {.run = run};
    size_t n;

    while ((n = decode_read(in, bytes, sizeof(bytes))) > 0)
        decode_stream_feed(&s, bytes, n);
    decode_stream_end(&s);
}

static uint8_t nibble(uint8_t c)
{
    return (uint8_t)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
}

/* What is not hex ends the file: the digits after it belong to nobody knows what. */
static void decode_hex(struct decode *run, struct decode_input *in)
{
    static uint8_t text[CHUNK], bytes[CHUNK];
    struct decode_stream s = {.run = run};
    unsigned long digits = 0, line = 1;
    bool good = true;
    uint8_t high = 0;
    size_t n;

    while (good && (n = decode_read(in, text, sizeof(text))) > 0) {
        size_t out = 0;

        for (size_t i = 0; i < n && good; i++) {
            good = isxdigit(text[i]) || isspace(text[i]);
            line += text[i] == '\n';
            if (!isxdigit(text[i]))
                continue;
            if (digits++ % 2 == 0) {
                high = nibble(text[i]);
            } else {
                bytes[out++] = (uint8_t)(high << 4 | nibble(text[i]));
            }
        }
        decode_stream_feed(&s, bytes, out);
    }
    decode_stream_end(&s);
    if (!good || digits % 2 != 0) {
        fprintf(stderr, "hearsay-decode: %s: line %lu: %s\n", in->name, line,
                good ? "an odd number of hex digits" : "not a hex digit");
        run->malformed = true;
    }
}

static bool decode_input(struct decode *run, struct decode_input *in, enum format format)
{
    const uint8_t *p;
    size_t n = decode_peek(in, GUESS_BYTES, &p);

    if (is_pcapng(p, n)) {
        fprintf(stderr,
                "hearsay-decode: %s: pcapng is not supported; convert it: "
                "editcap -F pcap IN OUT\n",
                in->name);
        return false;
    }
    if (format == FORMAT_AUTO)
        format = guess(in);
    if (format == FORMAT_PCAP)
        return decode_pcap(run, in);
    if (format == FORMAT_HEX) {
        decode_hex(run, in);
    } else {
        decode_raw(run, in);
    }
    return true;
}

static bool decode_file(struct decode *run, const char *name, enum format format)
{
    static struct decode_input in;
    bool is_stdin = strcmp(name, "-") == 0;

    in.at = in.n = 0;
    in.name = is_stdin ? "standard input" : name;
    in.f = is_stdin ? stdin : fopen(name, "rb");
    if (!in.f) {
        fprintf(stderr, "hearsay-decode: cannot open %s: %s\n", name, strerror(errno));
        return false;
    }
    bool good = decode_input(run, &in, format);

    if (ferror(in.f)) {
        fprintf(stderr, "hearsay-decode: cannot read %s\n", in.name);
        good = false;
    }
    if (!is_stdin)
        fclose(in.f);
    return good;
}

static bool parse_format(const char *text, enum format *format)
{
    for (int i = 0; i < FORMATS; i++) {
        if (strcmp(text, format_names[i]) == 0) {
            *format = (enum format)i;
            return true;
        }
    }
    fprintf(stderr, "hearsay-decode: unknown format '%s': hex, raw, pcap or auto\n", text);
    return false;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"format", required_argument, NULL, 'f'},
        {"gossip", no_argument, NULL, 'g'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    struct decode run = {0};
    enum format format = FORMAT_AUTO;
    bool good = true;
    int c;

    while ((c = getopt_long(argc, argv, "f:gh", options, NULL)) != -1) {
        if (c == 'f' && parse_format(optarg, &format))
            continue;
        if (c == 'g') {
            run.gossip = true;
        } else if (c == 'h' || c == 'v') {
            fputs(c == 'h' ? usage : "hearsay-decode " HS_VERSION "\n", stdout);
            return DECODE_OK;
        } else {
            fputs("Try 'hearsay-decode --help'.\n", stderr);
            return DECODE_USAGE;
        }
    }
    if (optind == argc)
        good = decode_file(&run, "-", format);
    for (int i = optind; i < argc; i++)
        good = decode_file(&run, argv[i], format) && good;
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("hearsay-decode: cannot write the output\n", stderr);
        good = false;
    }
    if (!good)
        return DECODE_USAGE;
    return run.malformed ? DECODE_MALFORMED : DECODE_OK;
}
