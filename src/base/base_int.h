/* base_int.h - what the files of base share. */
#ifndef BASE_INT_H
#define BASE_INT_H

#include <stdbool.h>

/* Whether log lines go to a file, so that standard error would not repeat them. */
bool base_log_is_file(void);

#endif
