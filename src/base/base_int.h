/* base_int.h - what the files of base share. */
#ifndef BASE_INT_H
#define BASE_INT_H

#include "hearsay/base.h"

#include <time.h>

/* Whether log lines go to a file, so that standard error would not repeat them. */
bool base_log_is_file(void);

extern const char BASE_MONTHS[12][4];

/* hs_log_syslog() with the socket's path; once in a process. */
int base_syslog_open(const char *path, const char *ident, int facility);
/* A log line's text, n bytes; nothing if syslog is not open. */
void base_syslog_put(enum hs_log_level level, const struct tm *local, const char *text, size_t n);

#endif
