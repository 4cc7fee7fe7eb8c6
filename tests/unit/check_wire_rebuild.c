/* check_wire_rebuild.c - every captured frame, built again from what was read.
 *
 * The bytes must be those of the real server, to the last zero of padding:
 * what we send cannot be told from what it sends.
 */
#include "golden.h"
#include "hs_test.h"

static struct golden_names names;

static uint32_t rebuild_gossip(const struct golden_frame *f, uint8_t *dst)
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

static uint32_t rebuild_ping(const struct golden_frame *f, uint8_t *dst)
{
    uint32_t len = HS_HDR_LEN + rebuild_gossip(f, dst + HS_HDR_LEN);
    uint32_t off = f->v.ext_off;
    struct hs_ext ext;

    while (hs_wire_ext_next(&f->v, &off, &ext))
        len += rebuild_ext(&ext, dst + len);
    hs_wire_finish(dst, f->v.type, f->v.gossip_n, f->v.ext_n, len);
    return len;
}

static uint32_t rebuild_publish(const struct golden_frame *f, uint8_t *dst)
{
    struct hs_publish pub;
    bool light = (f->v.marks & HS_VIEW_LIGHT) != 0;

    hs_wire_publish(&f->v, &pub);
    ck_assert_uint_eq(hs_wire_publish_len(&pub, light), f->len);
    return hs_wire_build_publish(dst, f->v.type, &pub, light);
}

static uint32_t rebuild(const struct golden_frame *f, uint8_t *dst)
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
    static struct golden_frame f;
    static uint8_t built[GOLDEN_MAX];

    golden_read(&f, names.name[_i]);
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
    ck_assert_int_ge(names.n, GOLDEN_FRAMES_MIN);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wire rebuild");
    TCase *tc = tcase_create("frames");

    golden_find(&names);
    tcase_add_test(tc, all_captured_frames_were_found);
    tcase_add_loop_test(tc, each_frame_is_built_again_byte_for_byte, 0, names.n);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
