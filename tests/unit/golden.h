/* golden.h - loads captured frames (tests/golden) for the tests of wire. */
#ifndef HS_TEST_GOLDEN_H
#define HS_TEST_GOLDEN_H

#include "hearsay/wire.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN_DIR HS_SOURCE_DIR "/tests/golden/"

enum { GOLDEN_MAX = 8192, GOLDEN_PATH_MAX = 512 };

static inline int golden_nibble(int c)
{
    return isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
}

/* Decodes GOLDEN_DIR/name.hex into buf; returns how many bytes. */
static inline uint32_t golden_load(const char *name, uint8_t buf[GOLDEN_MAX])
{
    char path[GOLDEN_PATH_MAX];
    uint32_t nibbles = 0;
    int c;

    snprintf(path, sizeof(path), GOLDEN_DIR "%s.hex", name);
    FILE *f = fopen(path, "r");

    ck_assert_msg(f != NULL, "cannot open %s", path);
    memset(buf, 0, GOLDEN_MAX);
    while ((c = fgetc(f)) != EOF) {
        if (!isxdigit(c))
            continue;
        ck_assert_uint_lt(nibbles / 2, GOLDEN_MAX);
        buf[nibbles / 2] = (uint8_t)(buf[nibbles / 2] << 4 | golden_nibble(c));
        nibbles++;
    }
    fclose(f);
    ck_assert_uint_eq(nibbles % 2, 0);
    return nibbles / 2;
}

/* The same, checked: the tests of readers and writers start from here. */
static inline uint32_t golden_view(const char *name, uint8_t buf[GOLDEN_MAX], struct hs_view *v)
{
    uint32_t len = golden_load(name, buf);
    enum hs_wire_err e = hs_wire_check(buf, len, v);

    ck_assert_msg(e == HS_WIRE_OK, "%s: %s", name, hs_wire_err_str(e));
    return len;
}

#endif
