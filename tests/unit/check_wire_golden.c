/* check_wire_golden.c - every captured frame, field by field, both ways.
 *
 * The .txt beside a frame was written by another decoder. Each of its lines is
 * parsed and compared with what our readers say; then the frame is built again
 * from what was read and must come out byte for byte.
 */
#include "golden.h"
#include "hs_test.h"

#include <dirent.h>

enum { FRAMES_MIN = 140, FRAMES_MAX = 256, NAME_MAX_LEN = 128, LINE_MAX_LEN = 1024 };

static char names[FRAMES_MAX][NAME_MAX_LEN];
static int names_n;

struct frame {
    const char *name;
    uint8_t bytes[GOLDEN_MAX];
    uint32_t len;
    struct hs_view v;
    struct hs_hdr hdr;
    struct hs_node_id slaveof;
    char ip[HS_IP_LEN];
    unsigned gossip_seen, ext_seen;
};

static void load(struct frame *f, const char *name)
{
    memset(f, 0, sizeof(*f));
    f->name = name;
    f->len = golden_view(name, f->bytes, &f->v);
    hs_wire_read_hdr(&f->v, &f->hdr, &f->slaveof, f->ip);
}

/* What follows "name=" at the start of a line or after a space. */
static const char *value_of(const struct frame *f, const char *line, const char *name)
{
    size_t n = strlen(name);

    for (const char *p = line; (p = strstr(p, name)) != NULL; p += n)
        if ((p == line || p[-1] == ' ') && p[n] == '=')
            return p + n + 1;
    ck_abort_msg("%s: no %s in: %s", f->name, name, line);
    return NULL;
}

static void same_num(const struct frame *f, const char *line, const char *name, uint64_t got)
{
    uint64_t want = strtoull(value_of(f, line, name), NULL, 10);

    ck_assert_msg(want == got, "%s: %s is %llu, read as %llu", f->name, name,
                  (unsigned long long)want, (unsigned long long)got);
}

static void same_id(const struct frame *f, const char *line, const char *name, const void *got)
{
    const char *want = value_of(f, line, name);

    ck_assert_msg(memcmp(want, got, HS_ID_LEN) == 0, "%s: %s differs: %s", f->name, name, line);
}

/* A value in quotes: ip='127.0.0.1' or channel=b'news'. */
static void same_text(const struct frame *f, const char *line, const char *name, const void *got,
                      size_t len)
{
    const char *want = value_of(f, line, name);

    if (*want == 'b')
        want++;
    ck_assert_int_eq(*want, '\'');
    ck_assert_msg(strcspn(want + 1, "'") == len && memcmp(want + 1, got, len) == 0,
                  "%s: %s differs: %s", f->name, name, line);
}

static void same_slots(const struct frame *f, const char *ranges, const uint8_t *got)
{
    uint8_t want[HS_SLOTS_BYTES] = {0};

    while (isdigit((unsigned char)*ranges)) {
        char *end;
        unsigned long first = strtoul(ranges, &end, 10), last = first;

        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        for (unsigned long s = first; s <= last; s++)
            hs_slot_set(want, (uint32_t)s);
        ranges = *end == ',' ? end + 1 : end;
    }
    ck_assert_msg(memcmp(want, got, sizeof(want)) == 0, "%s: slots differ", f->name);
}

static void line_sig(struct frame *f, const char *line)
{
    bool light = strstr(line, " LIGHT") != NULL;
    uint16_t type = (uint16_t)(f->v.type | (light ? 0x8000 : 0));
    uint32_t len;

    same_text(f, line, "sig", f->bytes, 4);
    same_num(f, line, "totlen", f->len);
    same_num(f, line, "ver", hs_get16(f->bytes + HS_OFF_VER));
    same_num(f, line, "type", type);
    ck_assert_int_eq((f->v.marks & HS_VIEW_LIGHT) != 0, light);
    ck_assert_int_eq(hs_wire_frame_len(f->bytes, f->len, 1 << 20, &len), HS_WIRE_OK);
    ck_assert_uint_eq(len, f->len);
}

static void line_port(struct frame *f, const char *line)
{
    same_num(f, line, "port", f->hdr.port);
    same_num(f, line, "count", f->v.gossip_n);
    same_num(f, line, "currentEpoch", f->hdr.current_epoch);
    same_num(f, line, "configEpoch", f->hdr.config_epoch);
    same_num(f, line, "offset", f->hdr.offset);
}

static void line_sender(struct frame *f, const char *line)
{
    same_id(f, line, "sender", f->hdr.sender.hex);
    ck_assert(hs_wire_id_valid((const uint8_t *)f->hdr.sender.hex));
}

static void line_slots(struct frame *f, const char *line)
{
    same_slots(f, value_of(f, line, "slots"), f->hdr.slots);
    ck_assert_uint_eq(f->v.slots_hash, hs_wire_slots_hash(f->hdr.slots));
}

static void line_slaveof(struct frame *f, const char *line)
{
    if (strstr(line, "(zero)"))
        ck_assert_ptr_null(f->hdr.slaveof);
    else
        same_id(f, line, "slaveof", f->hdr.slaveof->hex);
}

static void line_myip(struct frame *f, const char *line)
{
    same_text(f, line, "myip", f->hdr.myip, strlen(f->hdr.myip));
}

static void line_extensions(struct frame *f, const char *line)
{
    same_num(f, line, "extensions", f->v.ext_n);
    same_num(f, line, "pport", f->hdr.pport);
    same_num(f, line, "cport", f->hdr.cport);
}

static void line_flags(struct frame *f, const char *line)
{
    same_num(f, line, "flags", f->hdr.flags);
    same_num(f, line, "state", f->hdr.state);
    ck_assert_uint_eq(strtoul(value_of(f, line, "mflags"), NULL, 16) >> 16, f->hdr.mflags);
}

static void line_gossip(struct frame *f, const char *line)
{
    const uint8_t *g = hs_view_gossip(&f->v, f->gossip_seen);
    char ip[HS_IP_LEN];

    ck_assert_uint_lt(f->gossip_seen, f->v.gossip_n);
    ck_assert_uint_eq(strtoul(strchr(line, '[') + 1, NULL, 10), f->gossip_seen);
    ck_assert_uint_eq(strtoul(strchr(line, '@') + 1, NULL, 10), (size_t)(g - f->bytes));
    same_id(f, line, "id", g + HS_G_ID);
    same_num(f, line, "ping_sent", hs_get32(g + HS_G_PING_SENT));
    same_num(f, line, "pong_received", hs_get32(g + HS_G_PONG_RECEIVED));
    hs_wire_ip(g + HS_G_IP, ip);
    same_text(f, line, "ip", ip, strlen(ip));
    ck_assert(hs_wire_ip_valid(ip));
    same_num(f, line, "port", hs_get16(g + HS_G_PORT));
    same_num(f, line, "cport", hs_get16(g + HS_G_CPORT));
    same_num(f, line, "flags", hs_get16(g + HS_G_FLAGS));
    same_num(f, line, "pport", hs_get16(g + HS_G_PPORT));
    f->gossip_seen++;
}

static void same_ext_data(const struct frame *f, const char *line, const struct hs_ext *ext)
{
    switch (ext->type) {
    case HS_EXT_SHARDID:
        ck_assert_ptr_nonnull(strstr(line, "data=shard="));
        ck_assert_mem_eq(strstr(line, "shard=") + 6, ext->data, HS_ID_LEN);
        break;
    case HS_EXT_FORGOTTEN_NODE:
        ck_assert_mem_eq(strstr(line, "id=") + 3, ext->data, HS_ID_LEN);
        same_num(f, line, "ttl", hs_get64(ext->data + HS_X_FORGOTTEN_TTL));
        break;
    default:
        same_text(f, line, "data", ext->data, strlen((const char *)ext->data));
    }
}

static void line_ext(struct frame *f, const char *line)
{
    uint32_t off = f->v.ext_off;
    struct hs_ext ext = {0};

    for (unsigned i = 0; i <= f->ext_seen; i++)
        ck_assert_msg(hs_wire_ext_next(&f->v, &off, &ext), "%s: too few: %s", f->name, line);
    ck_assert_uint_eq(strtoul(strchr(line, '[') + 1, NULL, 10), f->ext_seen);
    ck_assert_uint_eq(strtoul(strchr(line, '@') + 1, NULL, 10),
                      (size_t)(ext.data - HS_X_DATA - f->bytes));
    same_num(f, line, "length", ext.len + HS_X_DATA);
    same_num(f, line, "type", ext.type);
    same_ext_data(f, line, &ext);
    f->ext_seen++;
}

static void line_fail(struct frame *f, const char *line)
{
    same_id(f, line, "fail.about", f->bytes + HS_OFF_FAIL_ID);
}

static void line_update(struct frame *f, const char *line)
{
    same_num(f, line, "update.configEpoch", hs_get64(f->bytes + HS_OFF_UPDATE_EPOCH));
    same_id(f, line, "node", f->bytes + HS_OFF_UPDATE_ID);
    same_slots(f, value_of(f, line, "slots"), f->bytes + HS_OFF_UPDATE_SLOTS);
}

static void line_publish(struct frame *f, const char *line)
{
    struct hs_publish pub;

    hs_wire_publish(&f->v, &pub);
    same_num(f, line, "channel_len", pub.channel_len);
    same_num(f, line, "message_len", pub.message_len);
    same_text(f, line, "channel", pub.channel, pub.channel_len);
    same_text(f, line, "message", pub.message, pub.message_len);
}

static void line_module(struct frame *f, const char *line)
{
    const char *id = value_of(f, line, "module_id(raw)");

    for (unsigned i = 0; i < 8; i++)
        ck_assert_int_eq(golden_nibble(id[2 * i]) << 4 | golden_nibble(id[2 * i + 1]),
                         f->bytes[HS_OFF_MODULE_ID + i]);
    uint32_t len = hs_get32(f->bytes + HS_OFF_MODULE_LEN);

    same_num(f, line, "len", len);
    same_num(f, line, "type", f->bytes[HS_OFF_MODULE_TYPE]);
    same_text(f, line, "payload", f->bytes + HS_OFF_MODULE_DATA, len);
}

static void line_light(struct frame *f, const char *line)
{
    same_num(f, line, "notused1(10)", hs_get16(f->bytes + 10));
    same_num(f, line, "notused2(14)", hs_get16(f->bytes + 14));
}

static void compare_line(struct frame *f, const char *line)
{
    static const struct {
        const char *start;
        void (*compare)(struct frame *f, const char *line);
    } kinds[] = {
        {"sig=", line_sig},
        {"port=", line_port},
        {"sender=", line_sender},
        {"slots=", line_slots},
        {"slaveof=", line_slaveof},
        {"myip=", line_myip},
        {"extensions=", line_extensions},
        {"flags=", line_flags},
        {"gossip[", line_gossip},
        {"ext[", line_ext},
        {"fail.about=", line_fail},
        {"update.configEpoch=", line_update},
        {"channel_len=", line_publish},
        {"module_id(raw)=", line_module},
        {"notused1(10)=", line_light},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strncmp(line, kinds[i].start, strlen(kinds[i].start)) == 0) {
            kinds[i].compare(f, line);
            return;
        }
    }
    ck_abort_msg("%s: a line nobody compares: %s", f->name, line);
}

START_TEST(each_frame_reads_as_its_description_says)
{
    static struct frame f;
    char path[GOLDEN_PATH_MAX], line[LINE_MAX_LEN];
    bool in_fields = false;

    load(&f, names[_i]);
    snprintf(path, sizeof(path), GOLDEN_DIR "%s.txt", f.name);
    FILE *txt = fopen(path, "r");

    ck_assert_msg(txt != NULL, "cannot open %s", path);
    while (fgets(line, sizeof(line), txt)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "length: ", 8) == 0)
            ck_assert_uint_eq(strtoul(line + 8, NULL, 10), f.len);
        if (strncmp(line, "sig=", 4) == 0) /* what stands before is about the capture */
            in_fields = true;
        if (in_fields && line[0] != '\0')
            compare_line(&f, line);
    }
    fclose(txt);
    ck_assert(in_fields);
    ck_assert_uint_eq(f.gossip_seen, f.v.gossip_n);
    ck_assert_uint_eq(f.ext_seen, f.v.ext_n);
    ck_assert_uint_eq(f.v.marks & (HS_VIEW_BAD_GOSSIP | HS_VIEW_UNKNOWN), 0);
}
END_TEST

/* ---- writing ---- */

static uint32_t rebuild_gossip(const struct frame *f, uint8_t *dst)
{
    for (uint32_t i = 0; i < f->v.gossip_n; i++) {
        const uint8_t *p = hs_view_gossip(&f->v, i);
        char ip[HS_IP_LEN];
        struct hs_gossip g = {
            .ping_sent = hs_get32(p + HS_G_PING_SENT),
            .pong_received = hs_get32(p + HS_G_PONG_RECEIVED),
            .ip = ip,
            .port = hs_get16(p + HS_G_PORT),
            .cport = hs_get16(p + HS_G_CPORT),
            .pport = hs_get16(p + HS_G_PPORT),
            .flags = hs_get16(p + HS_G_FLAGS),
        };

        memcpy(g.id.hex, p + HS_G_ID, HS_ID_LEN);
        hs_wire_ip(p + HS_G_IP, ip);
        hs_wire_put_gossip(dst + (size_t)i * HS_GOSSIP_LEN, &g);
    }
    return (uint32_t)f->v.gossip_n * HS_GOSSIP_LEN;
}

static uint32_t rebuild_ext(const struct hs_ext *ext, uint8_t *dst)
{
    struct hs_node_id id;

    switch (ext->type) {
    case HS_EXT_SHARDID:
        return hs_wire_put_ext_shardid(dst, (const char *)ext->data);
    case HS_EXT_FORGOTTEN_NODE:
        memcpy(id.hex, ext->data, HS_ID_LEN);
        return hs_wire_put_ext_forgotten(dst, &id, hs_get64(ext->data + HS_X_FORGOTTEN_TTL));
    default:
        return hs_wire_put_ext_string(dst, ext->type, (const char *)ext->data);
    }
}

static uint32_t rebuild_ping(const struct frame *f, uint8_t *dst)
{
    uint32_t len = HS_HDR_LEN + rebuild_gossip(f, dst + HS_HDR_LEN);
    uint32_t off = f->v.ext_off;
    struct hs_ext ext;

    while (hs_wire_ext_next(&f->v, &off, &ext))
        len += rebuild_ext(&ext, dst + len);
    hs_wire_finish(dst, f->v.type, f->v.gossip_n, f->v.ext_n, len);
    return len;
}

static uint32_t rebuild_publish(const struct frame *f, uint8_t *dst)
{
    struct hs_publish pub;
    bool light = (f->v.marks & HS_VIEW_LIGHT) != 0;

    hs_wire_publish(&f->v, &pub);
    ck_assert_uint_eq(hs_wire_publish_len(&pub, light), f->len);
    return hs_wire_build_publish(dst, f->v.type, &pub, light);
}

static uint32_t rebuild(const struct frame *f, uint8_t *dst)
{
    const uint8_t *p = f->bytes;
    struct hs_node_id id;

    switch (f->v.type) {
    case HS_MSG_PING:
    case HS_MSG_PONG:
    case HS_MSG_MEET:
        return rebuild_ping(f, dst);
    case HS_MSG_FAIL:
        memcpy(id.hex, p + HS_OFF_FAIL_ID, HS_ID_LEN);
        return hs_wire_build_fail(dst, &id);
    case HS_MSG_UPDATE:
        memcpy(id.hex, p + HS_OFF_UPDATE_ID, HS_ID_LEN);
        return hs_wire_build_update(dst, hs_get64(p + HS_OFF_UPDATE_EPOCH), &id,
                                    p + HS_OFF_UPDATE_SLOTS);
    case HS_MSG_PUBLISH:
    case HS_MSG_PUBLISHSHARD:
        return rebuild_publish(f, dst);
    case HS_MSG_MODULE:
        return hs_wire_build_module(dst, p + HS_OFF_MODULE_ID, p[HS_OFF_MODULE_TYPE],
                                    p + HS_OFF_MODULE_DATA, hs_get32(p + HS_OFF_MODULE_LEN));
    default:
        return hs_wire_build_plain(dst, f->v.type);
    }
}

START_TEST(each_frame_is_built_again_byte_for_byte)
{
    static struct frame f;
    static uint8_t built[GOLDEN_MAX];

    load(&f, names[_i]);
    memset(built, 0xa5, sizeof(built));
    if (!(f.v.marks & HS_VIEW_LIGHT))
        hs_wire_build_hdr(built, &f.hdr);
    ck_assert_uint_eq(rebuild(&f, built), f.len);
    for (uint32_t i = 0; i < f.len; i++)
        ck_assert_msg(built[i] == f.bytes[i], "%s: byte %u is %02x, built as %02x", f.name, i,
                      f.bytes[i], built[i]);
    ck_assert_uint_eq(built[f.len], 0xa5);
}
END_TEST

START_TEST(all_captured_frames_were_found)
{
    ck_assert_int_ge(names_n, FRAMES_MIN);
}
END_TEST

static void find_frames(void)
{
    DIR *dir = opendir(GOLDEN_DIR);

    for (struct dirent *e; dir && names_n < FRAMES_MAX && (e = readdir(dir));) {
        size_t n = strlen(e->d_name);

        if (n < 4 || n >= NAME_MAX_LEN || strcmp(e->d_name + n - 4, ".hex") != 0)
            continue;
        memcpy(names[names_n], e->d_name, n - 4);
        names_n++;
    }
    if (dir)
        closedir(dir);
}

int main(void)
{
    Suite *s = suite_create("wire golden");
    TCase *tc = tcase_create("frames");

    find_frames();
    tcase_add_test(tc, all_captured_frames_were_found);
    tcase_add_loop_test(tc, each_frame_reads_as_its_description_says, 0, names_n);
    tcase_add_loop_test(tc, each_frame_is_built_again_byte_for_byte, 0, names_n);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
