/* errors.c - how start-up says no. */
#include "daemon_int.h"

#include <stdarg.h>
#include <stdio.h>

int daemon_fail(const struct daemon *d, int code, const char *fmt, ...)
{
    char text[2048];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    fprintf(stderr, "hearsayd: %s\n", text);
    if (d->has_logfile)
        hs_log(HS_LOG_WARNING, "%s", text);
    return code;
}
