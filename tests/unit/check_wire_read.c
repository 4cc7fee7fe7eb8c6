/* check_wire_read.c - ids, addresses and names: what may be stored. */
#include "hearsay/wire.h"
#include "hs_test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

START_TEST(an_id_is_forty_of_digits_and_small_letters)
{
    uint8_t id[HS_ID_LEN];

    memset(id, '0', sizeof(id));
    ck_assert(hs_wire_id_valid(id));
    for (size_t at = 0; at < HS_ID_LEN; at++) {
        for (unsigned c = 0; c < 256; c++) {
            bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');

            id[at] = (uint8_t)c;
            ck_assert_msg(hs_wire_id_valid(id) == good, "byte %u at %zu", c, at);
        }
        id[at] = 'z';
    }
    ck_assert(hs_wire_id_valid(id));
}
END_TEST

START_TEST(an_address_is_terminated_whatever_the_sender_did)
{
    uint8_t src[HS_IP_LEN];
    char dst[HS_IP_LEN];

    memset(src, '1', sizeof(src));
    memset(dst, 'x', sizeof(dst));
    hs_wire_ip(src, dst);
    ck_assert_uint_eq(strlen(dst), HS_IP_LEN - 1);
    src[9] = 0; /* what follows the NUL is junk */
    hs_wire_ip(src, dst);
    ck_assert_str_eq(dst, "111111111");
    for (size_t i = 9; i < HS_IP_LEN; i++)
        ck_assert_int_eq(dst[i], 0);
}
END_TEST

/* The C library's parser is the judge; this room may not call it, the test may. */
static void same_as_libc(const char *text)
{
    struct in6_addr any;
    bool good = inet_pton(AF_INET, text, &any) == 1 || inet_pton(AF_INET6, text, &any) == 1;

    ck_assert_msg(hs_wire_ip_valid(text) == good, "'%s' is %svalid", text, good ? "" : "in");
}

START_TEST(numeric_addresses_are_those_the_c_library_parses)
{
    static const char *const texts[] = {
        "",
        "0.0.0.0",
        "127.0.0.1",
        "255.255.255.255",
        "256.0.0.1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.",
        ".1.2.3",
        "1..2.3",
        "01.2.3.4",
        "1.2.3.00",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.4a",
        "0x1.2.3.4",
        "1234.1.1.1",
        "::",
        "::1",
        "1::",
        ":",
        ":::",
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7::",
        "::2:3:4:5:6:7:8",
        "1::8",
        "1::2::3",
        "fe80::1",
        "FE80::ABCD",
        "fe80::1%eth0",
        "12345::",
        "g::",
        "::1.2.3.4",
        "::ffff:10.0.0.1",
        "1:2.3.4.5",
        "1:2:3:4:5:6:1.2.3.4",
        "1:2:3:4:5:6:7:1.2.3.4",
        "::1.2.3",
        "::1.2.3.4:5",
        "::256.1.1.1",
        "1:",
        ":1",
        "1:2:3:4:5:6:7:",
        ":2:3:4:5:6:7:8",
        "::1:",
        "1.2.3.4::",
        "host",
        "::g",
        "1:::2",
        "not-an-ip",
        "::1234.1.1.1",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        same_as_libc(texts[i]);
}
END_TEST

START_TEST(random_texts_are_judged_as_the_c_library_does)
{
    static const char alphabet[] = "0125af:.::..";
    unsigned seed = 1;

    for (unsigned i = 0; i < 1000000; i++) {
        char text[24];
        unsigned n = (unsigned)rand_r(&seed) % (sizeof(text) - 1);

        for (unsigned k = 0; k < n; k++)
            text[k] = alphabet[(unsigned)rand_r(&seed) % (sizeof(alphabet) - 1)];
        text[n] = '\0';
        same_as_libc(text);
    }
}
END_TEST

START_TEST(an_address_longer_than_its_field_is_invalid)
{
    char text[64];

    memset(text, '0', sizeof(text)); /* not even terminated */
    ck_assert(!hs_wire_ip_valid(text));
}
END_TEST

START_TEST(a_host_name_has_letters_digits_dots_and_hyphens)
{
    char text[HS_HOSTNAME_MAX + 2] = "";

    ck_assert(!hs_wire_hostname_valid(""));
    ck_assert(hs_wire_hostname_valid("Host-3.Example.com"));
    for (int c = 1; c < 256; c++) {
        text[0] = (char)c;
        bool good = c < 128 && (strchr("-.", c) || (c >= '0' && c <= '9') ||
                                ((c | 32) >= 'a' && (c | 32) <= 'z'));

        ck_assert_msg(hs_wire_hostname_valid(text) == good, "character %d", c);
    }
    memset(text, 'a', HS_HOSTNAME_MAX);
    ck_assert(hs_wire_hostname_valid(text));
    text[HS_HOSTNAME_MAX] = 'a';
    ck_assert(!hs_wire_hostname_valid(text));
}
END_TEST

START_TEST(a_node_name_cannot_break_a_line_of_nodes_conf)
{
    static const char bad[] = " ,=\n\r\t\"'\\@:{}\x7f\x80\x01";
    char text[] = "a?c";

    ck_assert(!hs_wire_nodename_valid(""));
    ck_assert(hs_wire_nodename_valid("nick-3_x/y.z"));
    for (size_t i = 0; i < sizeof(bad) - 1; i++) {
        text[1] = bad[i];
        ck_assert_msg(!hs_wire_nodename_valid(text), "character %d", bad[i]);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wire read");
    TCase *tc = tcase_create("texts");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, an_id_is_forty_of_digits_and_small_letters);
    tcase_add_test(tc, an_address_is_terminated_whatever_the_sender_did);
    tcase_add_test(tc, numeric_addresses_are_those_the_c_library_parses);
    tcase_add_test(tc, random_texts_are_judged_as_the_c_library_does);
    tcase_add_test(tc, an_address_longer_than_its_field_is_invalid);
    tcase_add_test(tc, a_host_name_has_letters_digits_dots_and_hyphens);
    tcase_add_test(tc, a_node_name_cannot_break_a_line_of_nodes_conf);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
