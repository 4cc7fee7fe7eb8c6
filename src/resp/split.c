/* split.c - words of a line, quoted or not.
 *
 * A word is written over the place it was read from: unquoting only ever makes
 * it shorter, so no memory is needed and the reader stays ahead of the writer. */
#include "hearsay/resp.h"

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool ends_word(char c)
{
    return c == '\0' || is_space(c);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* What a backslash and c stand for between double quotes. */
static char unescape(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'b':
        return '\b';
    case 'a':
        return '\a';
    default:
        return c;
    }
}

/* Both quote readers start after the opening quote and return the place after
 * the closing one, or NULL if there is none or a word goes on after it. */
static char *read_double(char *in, char **out)
{
    while (*in != '"') {
        if (*in == '\0')
            return NULL;
        if (in[0] == '\\' && in[1] == 'x' && hex_value(in[2]) >= 0 && hex_value(in[3]) >= 0) {
            *(*out)++ = (char)(hex_value(in[2]) * 16 + hex_value(in[3]));
            in += 4;
        } else if (in[0] == '\\' && in[1] != '\0') {
            *(*out)++ = unescape(in[1]);
            in += 2;
        } else {
            *(*out)++ = *in++;
        }
    }
    return ends_word(in[1]) ? in + 1 : NULL;
}

static char *read_single(char *in, char **out)
{
    while (*in != '\'') {
        if (*in == '\0')
            return NULL;
        if (in[0] == '\\' && in[1] == '\'')
            in++;
        *(*out)++ = *in++;
    }
    return ends_word(in[1]) ? in + 1 : NULL;
}

/* One word from in, written to *out, which is left at its end. */
static char *read_word(char *in, char **out)
{
    while (in != NULL && !ends_word(*in)) {
        if (*in == '"')
            in = read_double(in + 1, out);
        else if (*in == '\'')
            in = read_single(in + 1, out);
        else
            *(*out)++ = *in++;
    }
    return in;
}

int hs_resp_split(char *line, struct hs_arg *args, int max)
{
    int n = 0;
    char *in = line;
    for (;;) {
        while (is_space(*in))
            in++;
        if (*in == '\0')
            return n;
        if (n == max)
            return -1;
        char *word = in;
        char *out = in;
        in = read_word(in, &out);
        if (in == NULL)
            return -1;
        bool last = *in == '\0';
        *out = '\0';
        args[n++] = (struct hs_arg){.p = word, .n = (size_t)(out - word)};
        if (last)
            return n;
        in++;
    }
}
