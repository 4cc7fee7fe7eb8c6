/* bus-allow: what its text means, what it refuses, and whom it lets in. */
#include "conf_int.h"
#include "hs_test.h"

#include <check.h>
#include <string.h>

static struct hs_conf conf;
static char why[256];

static int set(const char *value)
{
    why[0] = '\0';
    return hs_conf_set(&conf, hs_conf_find("bus-allow", 9), value, strlen(value), why, sizeof(why));
}

static void setup(void)
{
    hs_conf_defaults(&conf);
}

static const struct {
    const char *text, *shown;
} good[] = {
    {"auto", "auto"},
    {"PRIVATE", "private"},
    {"", ""},
    {"10.0.0.0/8", "10.0.0.0/8"},
    {"  10.0.0.0/8\t fd00::/8 ", "10.0.0.0/8 fd00::/8"},
    {"private 203.0.113.7", "private 203.0.113.7/32"},
    {"0.0.0.0/0 ::/0", "0.0.0.0/0 ::/0"},
    {"2001:DB8:0:0::/32 ::1", "2001:db8::/32 ::1/128"},
};

START_TEST(a_list_of_networks_goes_in_and_out)
{
    char shown[256];
    ck_assert_msg(set(good[_i].text) == 0, "%s: %s", good[_i].text, why);
    hs_conf_get(&conf, hs_conf_find("bus-allow", 9), shown, sizeof(shown));
    ck_assert_str_eq(shown, good[_i].shown);
}
END_TEST

static const struct {
    const char *text, *why;
} bad[] = {
    {"10.0.0.0/33", "'10.0.0.0/33' needs a prefix length from 0 to 32"},
    {"::/129", "'::/129' needs a prefix length from 0 to 128"},
    {"10.0.0.0/", "'10.0.0.0/' needs a prefix length from 0 to 32"},
    {"10.0.0.0/-1", "'10.0.0.0/-1' needs a prefix length from 0 to 32"},
    {"10.0.0.0/8x", "'10.0.0.0/8x' needs a prefix length from 0 to 32"},
    {"10.0.0.5/8", "'10.0.0.5/8' has bits set behind its prefix; do you mean '10.0.0.0/8'?"},
    {"db8::1/16", "'db8::1/16' has bits set behind its prefix; do you mean 'db8::/16'?"},
    {"host.example", "'host.example' is no network: an address with a prefix length (10.0.0.0/8, "
                     "fd00::/8), or 'private', or 'auto' alone"},
    {"auto 10.0.0.0/8", "'auto' stands alone: with networks it would mean nothing"},
};

START_TEST(what_is_no_network_is_refused_with_the_reason_and_changes_nothing)
{
    char shown[64];
    ck_assert_int_eq(set("10.0.0.0/8"), 0);
    ck_assert_int_eq(set(bad[_i].text), -1);
    ck_assert_str_eq(why, bad[_i].why);
    hs_conf_get(&conf, hs_conf_find("bus-allow", 9), shown, sizeof(shown));
    ck_assert_str_eq(shown, "10.0.0.0/8");
}
END_TEST

START_TEST(there_is_a_bound_on_networks)
{
    char text[2048] = "";
    for (int i = 0; i < HS_RANGES_MAX; i++)
        strcat(text, " 1.2.3.4");
    ck_assert_int_eq(set(text), 0);
    strcat(text, " 1.2.3.4");
    ck_assert_int_eq(set(text), -1);
    ck_assert_str_eq(why, "more than 64 networks; name larger ones");
}
END_TEST

static const struct {
    const char *list, *ip;
    bool allowed;
} cases[] = {
    {"10.0.0.0/8", "10.255.255.255", true},
    {"10.0.0.0/8", "11.0.0.0", false},
    {"10.0.0.0/9", "10.127.0.1", true},
    {"10.0.0.0/9", "10.128.0.1", false},
    {"10.1.2.3/32", "10.1.2.3", true},
    {"10.1.2.3/32", "10.1.2.2", false},
    {"0.0.0.0/0", "8.8.8.8", true},
    {"0.0.0.0/0", "2001:db8::1", false},
    {"::/0", "2001:db8::1", true},
    {"2001:db8::/33", "2001:db8:7fff::1", true},
    {"2001:db8::/33", "2001:db8:8000::1", false},
    {"", "10.0.0.1", false},
    {"", "127.8.9.1", true},
    {"", "::1", true},
    {"private", "192.168.9.9", true},
    {"private", "192.169.0.1", false},
    {"private", "172.15.255.255", false},
    {"private", "fe7f::1", false},
    {"auto", "172.16.0.1", true},
    {"auto", "8.8.8.8", false},
    {"auto", "not an address", false},
};

START_TEST(an_address_is_let_in_by_the_leading_bits)
{
    ck_assert_msg(set(cases[_i].list) == 0, "%s", why);
    ck_assert_msg(hs_conf_bus_allows(&conf, cases[_i].ip) == cases[_i].allowed, "'%s' and %s",
                  cases[_i].list, cases[_i].ip);
}
END_TEST

START_TEST(with_tls_auto_leaves_it_to_the_certificate_and_a_list_still_counts)
{
    conf.tls_cluster = true;
    ck_assert(hs_conf_bus_allows(&conf, "8.8.8.8"));
    ck_assert_int_eq(set("private"), 0);
    ck_assert(!hs_conf_bus_allows(&conf, "8.8.8.8"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("conf_ranges");
    TCase *t = tcase_create("ranges");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_loop_test(t, a_list_of_networks_goes_in_and_out, 0, sizeof(good) / sizeof(good[0]));
    tcase_add_loop_test(t, what_is_no_network_is_refused_with_the_reason_and_changes_nothing, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(t, there_is_a_bound_on_networks);
    tcase_add_loop_test(t, an_address_is_let_in_by_the_leading_bits, 0,
                        sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(t, with_tls_auto_leaves_it_to_the_certificate_and_a_list_still_counts);
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
