/* check_wire_check.c - every verdict, at its boundary, and no verdict too many.
 *
 * A frame under test lives in memory of exactly its length, so a sanitizer
 * sees the first byte read past it; whatever passes is walked by every reader.
 */
#include "golden.h"
#include "hs_test.h"
#include "wire_walk.h"

static uint8_t base[GOLDEN_MAX]; /* redis-7.2-PING-ext: 2 gossip entries, 3 extensions */
static uint32_t base_len;
static struct hs_view v;

static void setup(void)
{
    base_len = golden_load("redis-7.2-PING-ext", base);
}

static void load(const char *name)
{
    base_len = golden_load(name, base);
}

/* The verdict on the first len bytes of base; v is left for the test to look at. */
static enum hs_wire_err verdict(uint32_t len)
{
    return wire_verdict(base, len, &v);
}

/* base with totlen set to len, and zeros where it grew. */
static enum hs_wire_err resized(uint32_t len)
{
    hs_put32(base + HS_OFF_TOTLEN, len);
    return verdict(len);
}

static uint32_t first_ext(void)
{
    return HS_HDR_LEN + (uint32_t)hs_get16(base + HS_OFF_COUNT) * HS_GOSSIP_LEN;
}

START_TEST(a_view_says_what_the_frame_holds)
{
    ck_assert_int_eq(verdict(base_len), HS_WIRE_OK);
    ck_assert_uint_eq(v.type, HS_MSG_PING);
    ck_assert_uint_eq(v.gossip_n, 2);
    ck_assert_uint_eq(v.ext_n, 3);
    ck_assert_uint_eq(v.ext_off, 2464);
    ck_assert_uint_eq(v.marks, 0);
    ck_assert_uint_ne(v.slots_hash, 0);
}
END_TEST

START_TEST(less_than_a_header_is_short)
{
    for (uint32_t len = 0; len < HS_HDR_LEN; len++)
        ck_assert_int_eq(verdict(len), HS_WIRE_SHORT);
}
END_TEST

START_TEST(only_version_one_is_read)
{
    hs_put16(base + HS_OFF_VER, 0);
    ck_assert_int_eq(verdict(base_len), HS_WIRE_VERSION);
    hs_put16(base + HS_OFF_VER, 2);
    ck_assert_int_eq(verdict(base_len), HS_WIRE_VERSION);
    load("valkey-8.0-PUBLISH-LIGHT");
    hs_put16(base + HS_OFF_VER, 2);
    ck_assert_int_eq(verdict(base_len), HS_WIRE_VERSION);
}
END_TEST

START_TEST(only_publishes_may_be_light)
{
    load("valkey-8.0-PUBLISH-LIGHT");
    for (uint16_t type = 0; type < 0x7fff; type++) {
        bool publish = type == HS_MSG_PUBLISH || type == HS_MSG_PUBLISHSHARD;

        hs_put16(base + HS_OFF_TYPE, (uint16_t)(type | 0x8000));
        ck_assert_int_eq(verdict(base_len), publish ? HS_WIRE_OK : HS_WIRE_LIGHT_TYPE);
        if (publish) {
            ck_assert_uint_eq(v.type, type);
            ck_assert_uint_eq(v.marks, HS_VIEW_LIGHT);
            ck_assert_uint_eq(v.slots_hash, 0);
        }
    }
}
END_TEST

START_TEST(a_light_frame_reads_as_no_header)
{
    struct hs_hdr hdr;
    struct hs_node_id slaveof;
    char ip[HS_IP_LEN];

    load("valkey-8.0-PUBLISH-LIGHT");
    ck_assert_int_eq(hs_wire_check(base, base_len, &v), HS_WIRE_OK);
    hs_wire_read_hdr(&v, &hdr, &slaveof, ip);
    ck_assert_ptr_null(hdr.slots);
    ck_assert_ptr_null(hdr.slaveof);
    ck_assert_str_eq(hdr.myip, "");
    ck_assert_uint_eq(hdr.flags, 0);
}
END_TEST

START_TEST(types_of_fixed_size_have_that_size)
{
    static const struct {
        const char *name;
        uint32_t len;
    } fixed[] = {
        {"redis-7.0-FAIL", HS_FAIL_LEN},        {"redis-7.0-UPDATE", HS_UPDATE_LEN},
        {"redis-7.0-AUTH_REQUEST", HS_HDR_LEN}, {"redis-7.0-AUTH_ACK", HS_HDR_LEN},
        {"valkey-8.0-MFSTART", HS_HDR_LEN},
    };

    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        load(fixed[i].name);
        ck_assert_uint_eq(base_len, fixed[i].len);
        ck_assert_int_eq(verdict(base_len), HS_WIRE_OK);
        ck_assert_int_eq(resized(base_len + 1), HS_WIRE_LENGTH);
        if (base_len > HS_HDR_LEN)
            ck_assert_int_eq(resized(base_len - 1), HS_WIRE_LENGTH);
    }
}
END_TEST

START_TEST(gossip_must_fit_the_frame)
{
    uint32_t room = (base_len - HS_HDR_LEN) / HS_GOSSIP_LEN;

    hs_put16(base + HS_OFF_COUNT, (uint16_t)(room + 1));
    ck_assert_int_eq(verdict(base_len), HS_WIRE_COUNT);
    hs_put16(base + HS_OFF_COUNT, UINT16_MAX);
    ck_assert_int_eq(verdict(base_len), HS_WIRE_COUNT);
    load("redis-6.2-PING");
    ck_assert_int_eq(verdict(base_len), HS_WIRE_OK);
    ck_assert_int_eq(resized(base_len - 1), HS_WIRE_COUNT);
}
END_TEST

START_TEST(bytes_after_the_gossip_need_the_flag)
{
    load("redis-6.2-PING");
    ck_assert_int_eq(resized(base_len + 8), HS_WIRE_EXTENSION);
    setup();
    base[HS_OFF_MFLAGS] = 0;
    ck_assert_int_eq(verdict(base_len), HS_WIRE_EXTENSION);
}
END_TEST

START_TEST(without_the_flag_the_extension_count_is_not_believed)
{
    load("redis-6.2-PING");
    hs_put16(base + HS_OFF_EXTENSIONS, 7);
    ck_assert_int_eq(verdict(base_len), HS_WIRE_OK);
    ck_assert_uint_eq(v.ext_n, 0);
    ck_assert_uint_eq(v.ext_off, v.len);
}
END_TEST

START_TEST(the_flag_without_extensions_is_fine)
{
    load("redis-6.2-PING");
    base[HS_OFF_MFLAGS] = HS_MFLAG_EXT_DATA;
    ck_assert_int_eq(verdict(base_len), HS_WIRE_OK);
    ck_assert_uint_eq(v.ext_n, 0);
}
END_TEST

START_TEST(the_extension_count_must_be_exact)
{
    hs_put16(base + HS_OFF_EXTENSIONS, 2);
    ck_assert_int_eq(verdict(base_len), HS_WIRE_EXTENSION);
    hs_put16(base + HS_OFF_EXTENSIONS, 4);
    ck_assert_int_eq(verdict(base_len), HS_WIRE_EXTENSION);
    hs_put16(base + HS_OFF_EXTENSIONS, UINT16_MAX);
    ck_assert_int_eq(verdict(base_len), HS_WIRE_EXTENSION);
}
END_TEST

START_TEST(an_extension_length_is_a_multiple_of_eight_within_the_frame)
{
    uint32_t off = first_ext();

    for (uint32_t len = 0; len < 1024; len++) {
        hs_put32(base + off, len);
        enum hs_wire_err e = verdict(base_len);

        if (len < 8 || len % 8 != 0 || len > base_len - off)
            ck_assert_int_eq(e, HS_WIRE_EXTENSION);
        else
            ck_assert_int_eq(e == HS_WIRE_OK, len == 32);
    }
    hs_put32(base + off, UINT32_MAX - 7);
    ck_assert_int_eq(verdict(base_len), HS_WIRE_EXTENSION);
    hs_put32(base + off, 0x10000 + 32); /* stock servers look at 16 bits of it only */
    ck_assert_int_eq(verdict(base_len), HS_WIRE_EXTENSION);
}
END_TEST

START_TEST(an_unknown_extension_is_skipped_by_its_length)
{
    uint32_t off = first_ext();

    hs_put16(base + off + HS_X_TYPE, 77);
    memset(base + off + HS_X_DATA, 0xff, 24);
    ck_assert_int_eq(verdict(base_len), HS_WIRE_OK);
    ck_assert_uint_eq(v.ext_n, 3);
}
END_TEST

START_TEST(a_string_extension_holds_its_nul)
{
    static const uint16_t strings[] = {HS_EXT_HOSTNAME, HS_EXT_HUMAN_NODENAME, HS_EXT_CLIENT_IPV4,
                                       HS_EXT_CLIENT_IPV6};
    uint32_t off = first_ext();

    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        hs_put16(base + off + HS_X_TYPE, strings[i]);
        memset(base + off + HS_X_DATA, 'x', 24);
        ck_assert_int_eq(verdict(base_len), HS_WIRE_EXT_DATA);
        base[off + 31] = '\0';
        ck_assert_int_eq(verdict(base_len), HS_WIRE_OK);
    }
}
END_TEST

START_TEST(a_string_extension_without_data_is_malformed)
{
    load("redis-6.2-PING");
    base[HS_OFF_MFLAGS] = HS_MFLAG_EXT_DATA;
    hs_put16(base + HS_OFF_EXTENSIONS, 1);
    hs_put32(base + base_len, 8);
    ck_assert_int_eq(resized(base_len + 8), HS_WIRE_EXT_DATA);
}
END_TEST

START_TEST(a_string_extension_is_at_most_255_characters)
{
    load("redis-6.2-PING");
    base[HS_OFF_MFLAGS] = HS_MFLAG_EXT_DATA;
    hs_put16(base + HS_OFF_EXTENSIONS, 1);
    hs_put32(base + base_len, 8 + 264);
    memset(base + base_len + 8, 'x', HS_HOSTNAME_MAX);
    ck_assert_int_eq(resized(base_len + 8 + 264), HS_WIRE_OK);
    base[base_len + 8 + HS_HOSTNAME_MAX] = 'x';
    ck_assert_int_eq(verdict(base_len + 8 + 264), HS_WIRE_EXT_DATA);
}
END_TEST

START_TEST(ids_in_extensions_are_whole_and_valid)
{
    uint32_t shard = first_ext() + 32 + 16, forgotten;

    base[shard + 8 + 39] = 'A';
    ck_assert_int_eq(verdict(base_len), HS_WIRE_EXT_DATA);
    hs_put16(base + shard + HS_X_TYPE, HS_EXT_FORGOTTEN_NODE); /* 40 bytes, not 48 */
    base[shard + 8 + 39] = 'a';
    ck_assert_int_eq(verdict(base_len), HS_WIRE_EXT_DATA);

    load("redis-7.2-PING-forget");
    forgotten = 2408;
    ck_assert_uint_eq(hs_get16(base + forgotten + HS_X_TYPE), HS_EXT_FORGOTTEN_NODE);
    base[forgotten + 8] = '_';
    ck_assert_int_eq(verdict(base_len), HS_WIRE_EXT_DATA);
    base[forgotten + 8] = '0';
    ck_assert_int_eq(verdict(base_len), HS_WIRE_OK);
    hs_put16(base + forgotten + HS_X_TYPE, HS_EXT_SHARDID); /* 48 bytes, not 40 */
    ck_assert_int_eq(verdict(base_len), HS_WIRE_EXT_DATA);
}
END_TEST

START_TEST(an_invalid_gossip_id_keeps_the_frame_and_is_told_when_asked)
{
    for (uint32_t i = 0; i < 2; i++) {
        for (uint32_t k = 0; k < HS_ID_LEN; k++) {
            setup();
            base[HS_HDR_LEN + i * HS_GOSSIP_LEN + k] = 'G';
            ck_assert_int_eq(verdict(base_len), HS_WIRE_OK);
            ck_assert_uint_eq(v.marks, 0);
            v.frame = base; /* what was checked was a copy, gone by now */
            ck_assert(!hs_wire_gossip_valid(&v));
            ck_assert_uint_eq(v.gossip_n, 2);
        }
    }
}
END_TEST

START_TEST(the_lengths_of_a_publish_add_up)
{
    static const char *const frames[] = {"redis-7.0-PUBLISH", "redis-7.0-PUBLISHSHARD",
                                         "valkey-8.0-PUBLISH-LIGHT",
                                         "valkey-8.0-PUBLISHSHARD-LIGHT"};

    for (size_t i = 0; i < 4; i++) {
        load(frames[i]);
        uint32_t body = i < 2 ? HS_HDR_LEN : HS_LIGHT_HDR_LEN;

        ck_assert_int_eq(verdict(base_len), HS_WIRE_OK);
        ck_assert_int_eq(resized(base_len + 1), HS_WIRE_PAYLOAD);
        ck_assert_int_eq(resized(base_len - 1), HS_WIRE_PAYLOAD);
        ck_assert_int_eq(resized(body + 7), HS_WIRE_PAYLOAD);
        /* Sums that only match in 32 bits. */
        hs_put32(base + body, UINT32_MAX);
        hs_put32(base + body + 4, base_len - body - 8 + 1);
        ck_assert_int_eq(resized(base_len), HS_WIRE_PAYLOAD);
    }
}
END_TEST

START_TEST(an_empty_publish_is_good)
{
    struct hs_publish pub;

    load("valkey-8.0-PUBLISH-LIGHT");
    memset(base + HS_LIGHT_HDR_LEN, 0, 8);
    hs_put32(base + HS_OFF_TOTLEN, HS_LIGHT_HDR_LEN + 8);
    ck_assert_int_eq(hs_wire_check(base, HS_LIGHT_HDR_LEN + 8, &v), HS_WIRE_OK);
    hs_wire_publish(&v, &pub);
    ck_assert_uint_eq(pub.channel_len + pub.message_len, 0);
}
END_TEST

START_TEST(the_length_of_a_module_message_adds_up)
{
    load("redis-7.0-MODULE");
    ck_assert_int_eq(verdict(base_len), HS_WIRE_OK);
    ck_assert_int_eq(resized(base_len + 1), HS_WIRE_PAYLOAD);
    ck_assert_int_eq(resized(base_len - 1), HS_WIRE_PAYLOAD);
    ck_assert_int_eq(resized(HS_OFF_MODULE_DATA - 1), HS_WIRE_PAYLOAD);
    hs_put32(base + HS_OFF_MODULE_LEN, UINT32_MAX);
    ck_assert_int_eq(resized(base_len), HS_WIRE_PAYLOAD);
}
END_TEST

START_TEST(an_unknown_type_passes_with_its_header_only)
{
    static const uint16_t types[] = {HS_MSG_TYPES, 100, 0x7fff};

    for (size_t i = 0; i < 3; i++) {
        hs_put16(base + HS_OFF_TYPE, types[i]);
        ck_assert_int_eq(verdict(base_len), HS_WIRE_OK);
        ck_assert_uint_eq(v.marks, HS_VIEW_UNKNOWN);
        ck_assert_uint_eq(v.type, types[i]);
        ck_assert_uint_eq(v.gossip_n, 0);
        ck_assert_uint_eq(v.ext_n, 0);
        ck_assert_uint_ne(v.slots_hash, 0);
    }
}
END_TEST

static void add_verdicts(TCase *tc)
{
    tcase_add_test(tc, a_view_says_what_the_frame_holds);
    tcase_add_test(tc, less_than_a_header_is_short);
    tcase_add_test(tc, only_version_one_is_read);
    tcase_add_test(tc, only_publishes_may_be_light);
    tcase_add_test(tc, a_light_frame_reads_as_no_header);
    tcase_add_test(tc, types_of_fixed_size_have_that_size);
    tcase_add_test(tc, gossip_must_fit_the_frame);
    tcase_add_test(tc, bytes_after_the_gossip_need_the_flag);
    tcase_add_test(tc, without_the_flag_the_extension_count_is_not_believed);
    tcase_add_test(tc, the_flag_without_extensions_is_fine);
    tcase_add_test(tc, the_extension_count_must_be_exact);
    tcase_add_test(tc, an_extension_length_is_a_multiple_of_eight_within_the_frame);
    tcase_add_test(tc, an_unknown_extension_is_skipped_by_its_length);
    tcase_add_test(tc, a_string_extension_holds_its_nul);
    tcase_add_test(tc, a_string_extension_without_data_is_malformed);
    tcase_add_test(tc, a_string_extension_is_at_most_255_characters);
    tcase_add_test(tc, ids_in_extensions_are_whole_and_valid);
    tcase_add_test(tc, an_invalid_gossip_id_keeps_the_frame_and_is_told_when_asked);
    tcase_add_test(tc, the_lengths_of_a_publish_add_up);
    tcase_add_test(tc, an_empty_publish_is_good);
    tcase_add_test(tc, the_length_of_a_module_message_adds_up);
    tcase_add_test(tc, an_unknown_type_passes_with_its_header_only);
}

int main(void)
{
    Suite *s = suite_create("wire check");
    TCase *tc = tcase_create("verdicts");

    tcase_add_checked_fixture(tc, setup, NULL);
    add_verdicts(tc);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
