/* check_wire_text.c - the one-line dumps, word for word, and their bounds. */
#include "golden.h"
#include "hs_test.h"

enum { TEXT_MAX = 2048 };

static uint8_t frame[GOLDEN_MAX];
static char text[TEXT_MAX];
static struct hs_view v;

static const char *line(const char *name)
{
    golden_view(name, frame, &v);
    size_t n = hs_wire_text(&v, text, sizeof(text));

    ck_assert_uint_eq(n, strlen(text));
    return text;
}

START_TEST(a_ping_shows_its_fields_in_wire_order)
{
    ck_assert_str_eq(
        line("redis-7.2-PING-ext"),
        "type=ping len=2560 port=22033 count=2 current_epoch=3 config_epoch=1 offset=0 "
        "sender=0c01ffcbee6265e9db1e40e38ada5886c263ac39 slots=0-5460 "
        "slaveof=f3f626f608da080ac30d7425abae532daa21dfbc myip=- extensions=3 pport=0 "
        "cport=42033 flags=slave,myself state=0 mflags=ext-data");
}
END_TEST

START_TEST(a_gossip_entry_shows_its_fields_in_wire_order)
{
    line("redis-7.2-PING-ext");
    hs_wire_gossip_text(&v, 0, text, sizeof(text));
    ck_assert_str_eq(text, "gossip=0 id=f3f626f608da080ac30d7425abae532daa21dfbc "
                           "ping_sent=1795334818 pong_received=1795334817 ip=127.0.0.1 port=22030 "
                           "cport=42030 flags=master,migrate-to pport=0");
}
END_TEST

START_TEST(each_known_extension_shows_its_data)
{
    static const char *const want[] = {
        "ext=hostname len=24 value=\"host-1.example.com\"",
        "ext=nodename len=8 value=\"nick-1\"",
        "ext=forgotten len=48 id=0c01ffcbee6265e9db1e40e38ada5886c263ac39 ttl=60",
        "ext=shardid len=40 id=fa4b6b31950a66484d010dc0b8e04a426a17ef2a",
    };
    struct hs_ext ext;

    line("redis-7.2-PING-forget");
    uint32_t off = v.ext_off;

    for (size_t i = 0; i < 4; i++) {
        ck_assert(hs_wire_ext_next(&v, &off, &ext));
        hs_wire_ext_text(&ext, text, sizeof(text));
        ck_assert_str_eq(text, want[i]);
    }
    ck_assert(!hs_wire_ext_next(&v, &off, &ext));
    ext.type = 77;
    hs_wire_ext_text(&ext, text, sizeof(text));
    ck_assert_str_eq(text, "ext=77 len=40");
}
END_TEST

START_TEST(a_light_frame_has_no_header_to_show)
{
    ck_assert_str_eq(line("valkey-8.0-PUBLISH-LIGHT"),
                     "type=publish light len=39 channel_len=4 message_len=11 "
                     "channel=\"news\" message=\"hello world\"");
}
END_TEST

START_TEST(bodies_follow_the_header)
{
    ck_assert_ptr_nonnull(strstr(line("redis-7.0-MODULE"),
                                 " module=00946e879a2debb5 payload_len=14 module_type=7 "
                                 "payload=\"module payload\""));
    ck_assert_ptr_nonnull(
        strstr(line("redis-4.0-UPDATE"),
               " update_epoch=5 update_id=fd1a119803d00427e17a980bc1be4d170b857547 "
               "update_slots=0-5460"));
    ck_assert_ptr_nonnull(strstr(line("redis-7.0-FAIL"), " mflags=- about="));
    ck_assert_ptr_nonnull(strstr(line("redis-6.2-MEET"), " slaveof=- "));
}
END_TEST

START_TEST(unknown_types_and_bits_are_numbers)
{
    golden_load("redis-6.2-PONG-first", frame);
    hs_put16(frame + HS_OFF_TYPE, 300);
    hs_put16(frame + HS_OFF_FLAGS, 0x8000 | HS_NODE_MASTER);
    frame[HS_OFF_MFLAGS] = 0x80;
    ck_assert_int_eq(hs_wire_check(frame, HS_HDR_LEN, &v), HS_WIRE_OK);
    hs_wire_text(&v, text, sizeof(text));
    ck_assert_ptr_nonnull(strstr(text, "type=300 "));
    ck_assert_ptr_nonnull(strstr(text, " flags=master,32768 "));
    ck_assert_ptr_nonnull(strstr(text, " mflags=128"));
}
END_TEST

START_TEST(slots_are_ranges)
{
    static const uint32_t slots[] = {0, 1, 2, 7, 100, 101, 16383};

    golden_load("redis-6.2-MEET", frame);
    memset(frame + HS_OFF_SLOTS, 0, HS_SLOTS_BYTES);
    ck_assert_int_eq(hs_wire_check(frame, HS_HDR_LEN, &v), HS_WIRE_OK);
    hs_wire_text(&v, text, sizeof(text));
    ck_assert_ptr_nonnull(strstr(text, " slots=- "));
    for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
        hs_slot_set(frame + HS_OFF_SLOTS, slots[i]);
    hs_wire_text(&v, text, sizeof(text));
    ck_assert_ptr_nonnull(strstr(text, " slots=0-2,7,100-101,16383 "));
}
END_TEST

START_TEST(what_a_peer_wrote_is_escaped_and_cut)
{
    struct hs_publish pub = {.channel = (const uint8_t *)"a\"\\\n\x1b\xff", .channel_len = 6};
    uint8_t message[100];

    memset(message, 'm', sizeof(message));
    pub.message = message;
    pub.message_len = sizeof(message);
    uint32_t len = hs_wire_build_publish(frame, HS_MSG_PUBLISH, &pub, true);

    ck_assert_int_eq(hs_wire_check(frame, len, &v), HS_WIRE_OK);
    hs_wire_text(&v, text, sizeof(text));
    ck_assert_ptr_nonnull(strstr(text, "channel=\"a\\x22\\x5c\\x0a\\x1b\\xff\" "));
    ck_assert_uint_eq(strlen(strstr(text, "message=\"")), strlen("message=\"\"...") + 64);
}
END_TEST

START_TEST(an_id_or_address_with_control_characters_is_escaped)
{
    golden_load("redis-6.2-PING", frame);
    frame[HS_OFF_SENDER] = '\n';
    memset(frame + HS_HDR_LEN + HS_G_IP, '\r', HS_IP_LEN);
    ck_assert_int_eq(hs_wire_check(frame, hs_get32(frame + 4), &v), HS_WIRE_OK);
    hs_wire_text(&v, text, sizeof(text));
    ck_assert_ptr_nonnull(strstr(text, "sender=\\x0a"));
    hs_wire_gossip_text(&v, 0, text, sizeof(text));
    ck_assert_ptr_null(strchr(text, '\r'));
}
END_TEST

START_TEST(bad_gossip_is_said)
{
    golden_load("redis-6.2-PING", frame);
    frame[HS_HDR_LEN] = 'X';
    ck_assert_int_eq(hs_wire_check(frame, hs_get32(frame + 4), &v), HS_WIRE_OK);
    hs_wire_text(&v, text, sizeof(text));
    ck_assert_str_eq(text + strlen(text) - strlen(" bad-gossip"), " bad-gossip");
}
END_TEST

START_TEST(a_line_is_cut_to_its_buffer_and_terminated)
{
    char whole[TEXT_MAX];

    line("redis-7.2-PING-ext");
    size_t full = strlen(text);

    memcpy(whole, text, full + 1);
    for (size_t n = 1; n <= full + 1; n++) {
        memset(text, '#', sizeof(text));
        ck_assert_uint_eq(hs_wire_text(&v, text, n), n - 1);
        ck_assert_int_eq(text[n - 1], '\0');
        ck_assert_int_eq(text[n], '#');
        ck_assert_mem_eq(text, whole, n - 1);
    }
    ck_assert_uint_eq(hs_wire_text(&v, NULL, 0), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wire text");
    TCase *tc = tcase_create("lines");

    tcase_add_test(tc, a_ping_shows_its_fields_in_wire_order);
    tcase_add_test(tc, a_gossip_entry_shows_its_fields_in_wire_order);
    tcase_add_test(tc, each_known_extension_shows_its_data);
    tcase_add_test(tc, a_light_frame_has_no_header_to_show);
    tcase_add_test(tc, bodies_follow_the_header);
    tcase_add_test(tc, unknown_types_and_bits_are_numbers);
    tcase_add_test(tc, slots_are_ranges);
    tcase_add_test(tc, what_a_peer_wrote_is_escaped_and_cut);
    tcase_add_test(tc, an_id_or_address_with_control_characters_is_escaped);
    tcase_add_test(tc, bad_gossip_is_said);
    tcase_add_test(tc, a_line_is_cut_to_its_buffer_and_terminated);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
