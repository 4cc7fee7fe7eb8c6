/* golden.h - loads captured frames (tests/golden) for the tests of wire. */
#ifndef HS_TEST_GOLDEN_H
#define HS_TEST_GOLDEN_H

#include "hearsay/wire.h"

#include <check.h>
#include <ctype.h>
#include <dirent.h>
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

enum { GOLDEN_FRAMES_MIN = 140, GOLDEN_FRAMES_MAX = 256, GOLDEN_NAME_MAX = 128 };

/* All captured frames; filled before the tests fork. */
struct golden_names {
    char name[GOLDEN_FRAMES_MAX][GOLDEN_NAME_MAX];
    int n;
};

static inline void golden_find(struct golden_names *names)
{
    DIR *dir = opendir(GOLDEN_DIR);

    names->n = 0;
    for (struct dirent *e; dir && names->n < GOLDEN_FRAMES_MAX && (e = readdir(dir));) {
        size_t n = strlen(e->d_name);

        if (n < 4 || n >= GOLDEN_NAME_MAX || strcmp(e->d_name + n - 4, ".hex") != 0)
            continue;
        memset(names->name[names->n], 0, GOLDEN_NAME_MAX);
        memcpy(names->name[names->n++], e->d_name, n - 4);
    }
    if (dir)
        closedir(dir);
}

/* A captured frame and all that our readers say about its header. */
struct golden_frame {
    const char *name;
    uint8_t bytes[GOLDEN_MAX];
    uint32_t len;
    struct hs_view v;
    struct hs_hdr hdr;
    struct hs_node_id slaveof;
    char ip[HS_IP_LEN];
};

static inline void golden_read(struct golden_frame *f, const char *name)
{
    memset(f, 0, sizeof(*f));
    f->name = name;
    f->len = golden_view(name, f->bytes, &f->v);
    hs_wire_read_hdr(&f->v, &f->hdr, &f->slaveof, f->ip);
}

#endif
