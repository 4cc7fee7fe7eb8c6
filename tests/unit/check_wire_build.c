/* check_wire_build.c - what writers promise beyond the captured frames: nothing
 * is left unwritten, too long a text is cut, and nothing goes out that a stock
 * server would read past.
 */
#include "hearsay/wire.h"
#include "hs_test.h"

#include <string.h>

enum { BUF_MAX = 64 * 1024, DIRT = 0xa5 };

static uint8_t buf[BUF_MAX];
static struct hs_hdr hdr;
static struct hs_node_id id;
static struct hs_view v;

static void setup(void)
{
    memset(buf, DIRT, sizeof(buf));
    memset(id.hex, 'b', HS_ID_LEN);
    hdr = (struct hs_hdr){.myip = "", .port = 7000, .cport = 17000, .flags = HS_NODE_MASTER};
    memset(hdr.sender.hex, 'a', HS_ID_LEN);
}

static void check_passes(uint32_t len)
{
    uint32_t framed = 0;

    ck_assert_int_eq(hs_wire_frame_len(buf, len, BUF_MAX, &framed), HS_WIRE_OK);
    ck_assert_uint_eq(framed, len);
    ck_assert_int_eq(hs_wire_check(buf, len, &v), HS_WIRE_OK);
    ck_assert_uint_eq(buf[len], DIRT);
}

START_TEST(a_header_reads_back_as_it_was_given)
{
    uint8_t slots[HS_SLOTS_BYTES] = {0};
    struct hs_hdr got;
    struct hs_node_id slaveof;
    char ip[HS_IP_LEN];

    hs_slot_set(slots, 0);
    hs_slot_set(slots, 16383);
    hdr.current_epoch = UINT64_MAX - 1;
    hdr.config_epoch = 0x0102030405060708;
    hdr.offset = 1u << 31;
    hdr.slots = slots;
    hdr.slaveof = &id;
    hdr.myip = "2001:db8::1";
    hdr.pport = 65535;
    hdr.flags = 0xffff;
    hdr.state = 1;
    hdr.mflags = HS_MFLAG_FORCEACK;
    hs_wire_build_hdr(buf, &hdr);
    check_passes(hs_wire_build_plain(buf, HS_MSG_AUTH_REQUEST));
    hs_wire_read_hdr(&v, &got, &slaveof, ip);
    ck_assert_uint_eq(got.current_epoch, hdr.current_epoch);
    ck_assert_uint_eq(got.config_epoch, hdr.config_epoch);
    ck_assert_uint_eq(got.offset, hdr.offset);
    ck_assert_mem_eq(got.sender.hex, hdr.sender.hex, HS_ID_LEN);
    ck_assert_mem_eq(got.slots, slots, HS_SLOTS_BYTES);
    ck_assert_uint_eq(v.slots_hash, hs_wire_slots_hash(slots));
    ck_assert_mem_eq(got.slaveof->hex, id.hex, HS_ID_LEN);
    ck_assert_str_eq(got.myip, hdr.myip);
    ck_assert_uint_eq(got.port, 7000);
    ck_assert_uint_eq(got.cport, 17000);
    ck_assert_uint_eq(got.pport, 65535);
    ck_assert_uint_eq(got.flags, 0xffff);
    ck_assert_uint_eq(got.state, 1);
    ck_assert_uint_eq(got.mflags, HS_MFLAG_FORCEACK);
}
END_TEST

START_TEST(no_byte_of_a_header_is_left_unwritten)
{
    static uint8_t other[HS_HDR_LEN];

    hs_wire_build_hdr(buf, &hdr);
    hs_wire_build_plain(buf, HS_MSG_MFSTART);
    memset(other, 0x5a, sizeof(other));
    hs_wire_build_hdr(other, &hdr);
    hs_wire_build_plain(other, HS_MSG_MFSTART);
    ck_assert_mem_eq(buf, other, HS_HDR_LEN);
}
END_TEST

START_TEST(an_address_is_cut_before_its_nul_is_lost)
{
    static const char longer[] = "0123456789012345678901234567890123456789012345678901234567890";
    struct hs_gossip g = {.id = id, .ip = longer};

    hdr.myip = longer;
    hs_wire_build_hdr(buf, &hdr);
    ck_assert_uint_eq(buf[HS_OFF_MYIP + HS_IP_LEN - 2], '4');
    ck_assert_uint_eq(buf[HS_OFF_MYIP + HS_IP_LEN - 1], 0);
    hs_wire_put_gossip(buf, &g);
    ck_assert_uint_eq(buf[HS_G_IP + HS_IP_LEN - 2], '4');
    ck_assert_uint_eq(buf[HS_G_IP + HS_IP_LEN - 1], 0);
}
END_TEST

START_TEST(a_string_extension_is_padded_to_eight_with_its_nul_inside)
{
    char text[HS_HOSTNAME_MAX + 10] = "";

    for (uint32_t n = 0; n <= HS_HOSTNAME_MAX; n++) {
        memset(buf, DIRT, 1024);
        uint32_t len = hs_wire_put_ext_string(buf, HS_EXT_HOSTNAME, text);

        ck_assert_uint_eq(len, 8 + (n + 1 + 7) / 8 * 8);
        ck_assert_uint_eq(len, hs_wire_ext_string_len(text));
        ck_assert_uint_eq(hs_get32(buf), len);
        ck_assert_str_eq((char *)buf + HS_X_DATA, text);
        for (uint32_t i = HS_X_DATA + n; i < len; i++)
            ck_assert_uint_eq(buf[i], 0);
        ck_assert_uint_eq(buf[len], DIRT);
        text[n] = 'h';
    }
    memset(text, 'h', sizeof(text) - 1);
    uint32_t len = hs_wire_put_ext_string(buf, HS_EXT_HOSTNAME, text);

    ck_assert_uint_eq(len, 8 + 256);
    ck_assert_uint_eq(strlen((char *)buf + HS_X_DATA), HS_HOSTNAME_MAX);
}
END_TEST

START_TEST(every_extension_we_write_passes_our_check)
{
    uint32_t len = HS_HDR_LEN;

    hs_wire_build_hdr(buf, &hdr);
    len += hs_wire_put_ext_string(buf + len, HS_EXT_HOSTNAME, "host-1.example.com");
    len += hs_wire_put_ext_string(buf + len, HS_EXT_HUMAN_NODENAME, "");
    len += hs_wire_put_ext_string(buf + len, HS_EXT_CLIENT_IPV4, "10.0.0.1");
    len += hs_wire_put_ext_forgotten(buf + len, &id, 60);
    len += hs_wire_put_ext_shardid(buf + len, id.hex);
    hs_wire_finish(buf, HS_MSG_PONG, 0, 5, len);
    check_passes(len);
    ck_assert_uint_eq(v.ext_n, 5);
}
END_TEST

START_TEST(extensions_never_go_out_without_their_flag)
{
    hs_wire_build_hdr(buf, &hdr);
    uint32_t len = HS_HDR_LEN + hs_wire_put_ext_shardid(buf + HS_HDR_LEN, id.hex);

    hs_wire_finish(buf, HS_MSG_PING, 0, 1, len);
    ck_assert_uint_eq(buf[HS_OFF_MFLAGS], HS_MFLAG_EXT_DATA);
    hdr.mflags = HS_MFLAG_PAUSED;
    hs_wire_build_hdr(buf, &hdr);
    hs_wire_finish(buf, HS_MSG_PING, 0, 1, len);
    ck_assert_uint_eq(buf[HS_OFF_MFLAGS], HS_MFLAG_PAUSED | HS_MFLAG_EXT_DATA);
    hs_wire_build_hdr(buf, &hdr);
    hs_wire_finish(buf, HS_MSG_PING, 0, 0, HS_HDR_LEN);
    ck_assert_uint_eq(buf[HS_OFF_MFLAGS], HS_MFLAG_PAUSED);
}
END_TEST

START_TEST(a_light_publish_needs_no_header)
{
    static const struct hs_publish want = {.channel = (const uint8_t *)"c\0h",
                                           .message = (const uint8_t *)"hello",
                                           .channel_len = 3,
                                           .message_len = 5};
    struct hs_publish got;
    uint32_t len = hs_wire_build_publish(buf, HS_MSG_PUBLISHSHARD, &want, true);

    ck_assert_uint_eq(len, 24 + 8);
    check_passes(len);
    ck_assert_uint_eq(v.marks, HS_VIEW_LIGHT);
    hs_wire_publish(&v, &got);
    ck_assert_uint_eq(got.channel_len, 3);
    ck_assert_mem_eq(got.channel, "c\0h", 3);
    ck_assert_uint_eq(got.message_len, 5);
    ck_assert_mem_eq(got.message, "hello", 5);
}
END_TEST

START_TEST(empty_payloads_may_be_null)
{
    static const struct hs_publish none;
    static const uint8_t module_id[8] = {1, 2, 3, 4, 5, 6, 7, 8};

    hs_wire_build_hdr(buf, &hdr);
    check_passes(hs_wire_build_publish(buf, HS_MSG_PUBLISH, &none, false));
    setup();
    hs_wire_build_hdr(buf, &hdr);
    check_passes(hs_wire_build_module(buf, module_id, 7, NULL, 0));
    ck_assert_mem_eq(buf + HS_OFF_MODULE_ID, module_id, 8);
}
END_TEST

START_TEST(a_ping_with_all_its_gossip_fits_the_bound)
{
    enum { NODES = 500 };
    struct hs_gossip g = {.id = id, .ip = "10.1.2.3", .port = 6379, .cport = 16379};
    uint32_t len = HS_HDR_LEN, framed;
    static uint8_t big[HS_HDR_LEN + NODES * (HS_GOSSIP_LEN + 56)];

    hs_wire_build_hdr(big, &hdr);
    for (uint32_t i = 0; i < NODES; i++, len += HS_GOSSIP_LEN)
        hs_wire_put_gossip(big + len, &g);
    for (uint32_t i = 0; i < NODES; i++)
        len += hs_wire_put_ext_forgotten(big + len, &id, 60);
    hs_wire_finish(big, HS_MSG_PING, NODES, NODES, len);
    ck_assert_uint_eq(len, sizeof(big));
    ck_assert_int_eq(hs_wire_frame_len(big, len, hs_wire_frame_max(NODES), &framed), HS_WIRE_OK);
    ck_assert_int_eq(hs_wire_check(big, len, &v), HS_WIRE_OK);
    ck_assert_uint_eq(v.gossip_n, NODES);
    ck_assert_uint_eq(v.ext_n, NODES);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wire build");
    TCase *tc = tcase_create("writers");

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, a_header_reads_back_as_it_was_given);
    tcase_add_test(tc, no_byte_of_a_header_is_left_unwritten);
    tcase_add_test(tc, an_address_is_cut_before_its_nul_is_lost);
    tcase_add_test(tc, a_string_extension_is_padded_to_eight_with_its_nul_inside);
    tcase_add_test(tc, every_extension_we_write_passes_our_check);
    tcase_add_test(tc, extensions_never_go_out_without_their_flag);
    tcase_add_test(tc, a_light_publish_needs_no_header);
    tcase_add_test(tc, empty_payloads_may_be_null);
    tcase_add_test(tc, a_ping_with_all_its_gossip_fits_the_bound);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
