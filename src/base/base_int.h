/* base_int.h - what the files of base share. */
#ifndef BASE_INT_H
#define BASE_INT_H

#include "hearsay/base.h"

#include <time.h>

/* Whether log lines go to a file, so that standard error would not repeat them. */
bool base_log_is_file(void);

extern const char BASE_MONTHS[12][4];

/* One line and where its parts come from. */
struct base_line {
    enum hs_log_level level;
    char role;
    struct tm local;
    int ms;
    int64_t east_s; /* of Greenwich */
    const struct hs_log_field *fields;
    uint32_t fields_n;
    const char *text;
    size_t text_n;
};

/* Into buf, cut to n - 1 bytes, without a newline. Returns its length; *text_at
 * is where what syslog wants begins, which has a time of its own. */
size_t base_line(const struct base_line *l, enum hs_log_format format, char *buf, size_t n,
                 size_t *text_at);

/* syslog's number for a level. */
int base_priority(enum hs_log_level level);

/* hs_log_syslog() with the socket's path; once in a process. */
int base_syslog_open(const char *path, const char *ident, int facility);
/* A log line's text, n bytes; nothing if syslog is not open. */
void base_syslog_put(enum hs_log_level level, const struct tm *local, const char *text, size_t n);

#endif
