/* conf_int.h - the one table of directives, and what the files share. */
#ifndef HEARSAY_CONF_INT_H
#define HEARSAY_CONF_INT_H

#include "hearsay/conf.h"

enum conf_kind {
    CONF_BOOL,
    CONF_INT,    /* of `size` bytes, min..max */
    CONF_MEMORY, /* bytes, with 1k 1kb 1m 1mb 1g 1gb */
    CONF_OCTAL,
    CONF_ENUM,   /* a word of `words`, stored as an int */
    CONF_TEXT,   /* char[size], what `valid` allows */
    CONF_BIND,   /* addresses, several to a line */
    CONF_LIMITS, /* client-output-buffer-limit: groups of four words */
    CONF_RANGES, /* networks, several to a line */
    CONF_DEBUG   /* no, yes, local: two flags */
};

enum conf_group {
    CONF_LISTEN,
    CONF_CLIENTS,
    CONF_PROCESS,
    CONF_CLUSTER,
    CONF_TLS,
    CONF_OURS,
    CONF_GROUPS
};

struct conf_word {
    const char *word; /* NULL ends the list */
    int value;
};

struct conf_row {
    const char *name, *alias; /* alias: an older spelling, or NULL */
    enum conf_group group;
    enum conf_kind kind;
    size_t off, size; /* of the field in struct hs_conf */
    int64_t min, max; /* numbers only */
    const struct conf_word *words;
    /* Why a text is no good, or NULL if it is. */
    const char *(*valid)(const char *text);
    const char *initial, *unit;
    bool live;
    const char *help;
};

extern const struct conf_row conf_table[];
extern const uint32_t conf_table_n;

/* Data-store directives, accepted and ignored; ends with NULL. */
extern const char *const conf_ignored[];

/* The known name, ignored ones included, with the fewest typing mistakes. */
const char *conf_nearest(const char *name);

/* Sets one field from text; false with why as the stock server words it. */
bool conf_value_set(struct hs_conf *c, const struct conf_row *row, const char *text, char *why,
                    size_t why_n);
/* limits.c: the same for CONF_LIMITS. */
bool conf_limits_set(struct hs_conf *c, const char *text, char *why, size_t why_n);
void conf_limits_get(const struct hs_conf *c, char *buf, size_t n);
/* A number of bytes, with or without a unit. */
bool conf_memory(const char *text, int64_t *out);
size_t conf_value_get(const struct hs_conf *c, const struct conf_row *row, char *buf, size_t n);
/* ranges.c: bus-allow between its text and its field. */
bool conf_ranges_parse(struct hs_ranges *out, const char *text, char *why, size_t why_n);
void conf_ranges_text(const struct hs_ranges *r, char *buf, size_t n);

/* "1024-2048", "yes|no", ...: what a value may be, for people. */
void conf_value_range(const struct conf_row *row, char *buf, size_t n);

#endif
