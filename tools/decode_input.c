/* decode_input.c - buffered reading with a look ahead, so that the form of the
 * input can be guessed from stdin as well as from a file.
 */
#include "hearsay-decode.h"

#include <stdlib.h>
#include <string.h>

void *decode_realloc(void *p, size_t n)
{
    void *grown = realloc(p, n);

    if (!grown) {
        fprintf(stderr, "hearsay-decode: out of memory (%zu bytes)\n", n);
        exit(DECODE_USAGE);
    }
    return grown;
}

size_t decode_peek(struct decode_input *in, size_t n, const uint8_t **p)
{
    if (in->n - in->at < n) {
        memmove(in->buf, in->buf + in->at, in->n - in->at);
        in->n -= in->at;
        in->at = 0;
        in->n += fread(in->buf + in->n, 1, DECODE_INPUT_MAX - in->n, in->f);
    }
    *p = in->buf + in->at;
    return in->n - in->at < n ? in->n - in->at : n;
}

size_t decode_read(struct decode_input *in, uint8_t *dst, size_t n)
{
    size_t got = 0;

    while (got < n) {
        const uint8_t *p;
        size_t want = n - got < DECODE_INPUT_MAX ? n - got : DECODE_INPUT_MAX;
        size_t there = decode_peek(in, want, &p);

        if (there == 0)
            break;
        memcpy(dst + got, p, there);
        in->at += there;
        got += there;
    }
    return got;
}
