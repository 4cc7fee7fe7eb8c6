/* check_wire_golden.c - every captured frame, field by field.
 *
 * The .txt beside a frame was written by another decoder. Each of its lines is
 * parsed and compared with what our readers say; a line that nobody compares
 * is a failure. check_wire_rebuild.c goes the other way.
 */
#include "golden.h"
#include "hs_test.h"

enum { LINE_MAX_LEN = 1024 };

static struct golden_names names;
static unsigned gossip_seen, ext_seen;

/* What follows "name=" at the start of a line or after a space. */
static const char *value_of(const struct golden_frame *f, const char *line, const char *name)
{
    size_t n = strlen(name);

    for (const char *p = line; (p = strstr(p, name)) != NULL; p += n)
        if ((p == line || p[-1] == ' ') && p[n] == '=')
            return p + n + 1;
    ck_abort_msg("%s: no %s in: %s", f->name, name, line);
    return NULL;
}

static void same_num(const struct golden_frame *f, const char *line, const char *name, uint64_t got)
{
    uint64_t want = strtoull(value_of(f, line, name), NULL, 10);

    ck_assert_msg(want == got, "%s: %s is %llu, read as %llu", f->name, name,
                  (unsigned long long)want, (unsigned long long)got);
}

static void same_id(const struct golden_frame *f, const char *line, const char *name,
                    const void *got)
{
    const char *want = value_of(f, line, name);

    ck_assert_msg(memcmp(want, got, HS_ID_LEN) == 0, "%s: %s differs: %s", f->name, name, line);
}

/* A value in quotes: ip='127.0.0.1' or channel=b'news'. */
static void same_text(const struct golden_frame *f, const char *line, const char *name,
                      const void *got, size_t len)
{
    const char *want = value_of(f, line, name);

    if (*want == 'b')
        want++;
    ck_assert_int_eq(*want, '\'');
    ck_assert_msg(strcspn(want + 1, "'") == len && memcmp(want + 1, got, len) == 0,
                  "%s: %s differs: %s", f->name, name, line);
}

static void same_slots(const struct golden_frame *f, const char *ranges, const uint8_t *got)
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

static void line_sig(struct golden_frame *f, const char *line)
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

static void line_port(struct golden_frame *f, const char *line)
{
    same_num(f, line, "port", f->hdr.port);
    same_num(f, line, "count", f->v.gossip_n);
    same_num(f, line, "currentEpoch", f->hdr.current_epoch);
    same_num(f, line, "configEpoch", f->hdr.config_epoch);
    same_num(f, line, "offset", f->hdr.offset);
}

static void line_sender(struct golden_frame *f, const char *line)
{
    same_id(f, line, "sender", f->hdr.sender.hex);
    ck_assert(hs_wire_id_valid((const uint8_t *)f->hdr.sender.hex));
}

static void line_slots(struct golden_frame *f, const char *line)
{
    same_slots(f, value_of(f, line, "slots"), f->hdr.slots);
    ck_assert_uint_eq(f->v.slots_hash, hs_wire_slots_hash(f->hdr.slots));
}

static void line_slaveof(struct golden_frame *f, const char *line)
{
    if (strstr(line, "(zero)"))
        ck_assert_ptr_null(f->hdr.slaveof);
    else
        same_id(f, line, "slaveof", f->hdr.slaveof->hex);
}

static void line_myip(struct golden_frame *f, const char *line)
{
    same_text(f, line, "myip", f->hdr.myip, strlen(f->hdr.myip));
}

static void line_extensions(struct golden_frame *f, const char *line)
{
    same_num(f, line, "extensions", f->v.ext_n);
    same_num(f, line, "pport", f->hdr.pport);
    same_num(f, line, "cport", f->hdr.cport);
}

static void line_flags(struct golden_frame *f, const char *line)
{
    same_num(f, line, "flags", f->hdr.flags);
    same_num(f, line, "state", f->hdr.state);
    ck_assert_uint_eq(strtoul(value_of(f, line, "mflags"), NULL, 16) >> 16, f->hdr.mflags);
}

static void line_gossip(struct golden_frame *f, const char *line)
{
    const uint8_t *g = hs_view_gossip(&f->v, gossip_seen);
    char ip[HS_IP_LEN];

    ck_assert_uint_lt(gossip_seen, f->v.gossip_n);
    ck_assert_uint_eq(strtoul(strchr(line, '[') + 1, NULL, 10), gossip_seen);
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
    gossip_seen++;
}

static void same_ext_data(const struct golden_frame *f, const char *line, const struct hs_ext *ext)
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

static void line_ext(struct golden_frame *f, const char *line)
{
    uint32_t off = f->v.ext_off;
    struct hs_ext ext = {0};

    for (unsigned i = 0; i <= ext_seen; i++)
        ck_assert_msg(hs_wire_ext_next(&f->v, &off, &ext), "%s: too few: %s", f->name, line);
    ck_assert_uint_eq(strtoul(strchr(line, '[') + 1, NULL, 10), ext_seen);
    ck_assert_uint_eq(strtoul(strchr(line, '@') + 1, NULL, 10),
                      (size_t)(ext.data - HS_X_DATA - f->bytes));
    same_num(f, line, "length", ext.len + HS_X_DATA);
    same_num(f, line, "type", ext.type);
    same_ext_data(f, line, &ext);
    ext_seen++;
}

static void line_fail(struct golden_frame *f, const char *line)
{
    same_id(f, line, "fail.about", f->bytes + HS_OFF_FAIL_ID);
}

static void line_update(struct golden_frame *f, const char *line)
{
    same_num(f, line, "update.configEpoch", hs_get64(f->bytes + HS_OFF_UPDATE_EPOCH));
    same_id(f, line, "node", f->bytes + HS_OFF_UPDATE_ID);
    same_slots(f, value_of(f, line, "slots"), f->bytes + HS_OFF_UPDATE_SLOTS);
}

static void line_publish(struct golden_frame *f, const char *line)
{
    struct hs_publish pub;

    hs_wire_publish(&f->v, &pub);
    same_num(f, line, "channel_len", pub.channel_len);
    same_num(f, line, "message_len", pub.message_len);
    same_text(f, line, "channel", pub.channel, pub.channel_len);
    same_text(f, line, "message", pub.message, pub.message_len);
}

static void line_module(struct golden_frame *f, const char *line)
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

static void line_light(struct golden_frame *f, const char *line)
{
    same_num(f, line, "notused1(10)", hs_get16(f->bytes + 10));
    same_num(f, line, "notused2(14)", hs_get16(f->bytes + 14));
}

static void compare_line(struct golden_frame *f, const char *line)
{
    static const struct {
        const char *start;
        void (*compare)(struct golden_frame *f, const char *line);
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
    static struct golden_frame f;
    char path[GOLDEN_PATH_MAX], line[LINE_MAX_LEN];
    bool in_fields = false;

    golden_read(&f, names.name[_i]);
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
    ck_assert_uint_eq(gossip_seen, f.v.gossip_n);
    ck_assert_uint_eq(ext_seen, f.v.ext_n);
    ck_assert_uint_eq(f.v.marks & HS_VIEW_UNKNOWN, 0);
    ck_assert(hs_wire_gossip_valid(&f.v));
}
END_TEST

START_TEST(all_captured_frames_were_found)
{
    ck_assert_int_ge(names.n, GOLDEN_FRAMES_MIN);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wire golden");
    TCase *tc = tcase_create("frames");

    golden_find(&names);
    tcase_add_test(tc, all_captured_frames_were_found);
    tcase_add_loop_test(tc, each_frame_reads_as_its_description_says, 0, names.n);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
