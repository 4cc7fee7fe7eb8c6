/* The table of directives: complete, consistent with --help, and its values go
 * in and out in the stock server's words.
 */
#include "conf_int.h"
#include "hs_test.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct hs_conf conf;
static char why[256];

static void setup(void)
{
    hs_conf_defaults(&conf);
}

static uint32_t find(const char *name)
{
    uint32_t i = hs_conf_find(name, strlen(name));
    ck_assert_msg(i != HS_NIL, "%s", name);
    return i;
}

static int set(const char *name, const char *value)
{
    why[0] = '\0';
    return hs_conf_set(&conf, find(name), value, strlen(value), why, sizeof(why));
}

static const char *get(const char *name)
{
    static char buf[2048];
    ck_assert_uint_eq(hs_conf_get(&conf, find(name), buf, sizeof(buf)), strlen(buf));
    return buf;
}

START_TEST(every_row_is_found_by_its_names_and_has_a_sentence)
{
    for (uint32_t i = 0; i < hs_conf_count(); i++) {
        const struct conf_row *row = &conf_table[i];
        ck_assert_uint_eq(find(row->name), i);
        if (row->alias != NULL)
            ck_assert_uint_eq(find(row->alias), i);
        ck_assert_msg(!hs_conf_is_ignored(row->name, strlen(row->name)), "%s is ignored too",
                      row->name);
        ck_assert_int_gt((int)strlen(row->help), 10);
        ck_assert_int_eq(row->help[strlen(row->help) - 1], '.');
    }
    ck_assert_uint_eq(find("CLUSTER-Node-Timeout"), find("cluster-node-timeout"));
    ck_assert_uint_eq(hs_conf_find("cluster", 7), HS_NIL);
}
END_TEST

START_TEST(help_prints_every_directive)
{
    static char text[65536];
    FILE *f = tmpfile();
    int saved = dup(STDOUT_FILENO);
    dup2(fileno(f), STDOUT_FILENO);
    hs_conf_print_help();
    hs_conf_print_version();
    hs_conf_print_explain(&conf, 100);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    rewind(f);
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = '\0';
    fclose(f);
    for (uint32_t i = 0; i < hs_conf_count(); i++) {
        char name[100];
        snprintf(name, sizeof(name), "  --%s  [", conf_table[i].name);
        ck_assert_ptr_nonnull(strstr(text, name));
        ck_assert_ptr_nonnull(strstr(text, conf_table[i].help));
    }
    ck_assert_ptr_nonnull(strstr(text, "hearsayd 0."));
    ck_assert_ptr_nonnull(strstr(text, "gossip entries per message   10\n"));
    /* 15 s: 0.5 + 7.5 + 0.1 + 15 + 0.1 */
    ck_assert_ptr_nonnull(strstr(text, "at most 23.2 s\n"));
}
END_TEST

START_TEST(a_default_is_what_its_row_says_and_goes_around)
{
    for (uint32_t i = 0; i < hs_conf_count(); i++) {
        char first[2048], second[2048];
        hs_conf_get(&conf, i, first, sizeof(first));
        ck_assert_str_eq(first, conf_table[i].initial);
        ck_assert_int_eq(hs_conf_set(&conf, i, first, strlen(first), why, sizeof(why)),
                         conf_table[i].initial[0] == '\0' && conf_table[i].kind != CONF_TEXT ? -1
                                                                                             : 0);
        hs_conf_get(&conf, i, second, sizeof(second));
        ck_assert_str_eq(first, second);
    }
}
END_TEST

START_TEST(numbers_keep_to_their_ranges_at_both_ends)
{
    for (uint32_t i = 0; i < hs_conf_count(); i++) {
        const struct conf_row *row = &conf_table[i];
        char text[32];
        if (row->kind != CONF_INT)
            continue;
        for (int d = -1; d <= 1; d++) {
            snprintf(text, sizeof(text), "%lld", (long long)row->min + d);
            ck_assert_int_eq(set(row->name, text), d < 0 ? -1 : 0);
            snprintf(text, sizeof(text), "%lld", (long long)row->max + d);
            ck_assert_int_eq(set(row->name, text), d > 0 ? -1 : 0);
        }
        ck_assert_str_ne(why, "");
        snprintf(text, sizeof(text), "%lld", (long long)row->max);
        ck_assert_int_eq(set(row->name, text), 0);
        ck_assert_str_eq(get(row->name), text);
    }
}
END_TEST

static const struct {
    const char *name, *value, *got; /* NULL: refused, with words */
    const char *words;
} values[] = {
    {"protected-mode", "NO", "no", NULL},
    {"protected-mode", "1", NULL, "argument must be 'yes' or 'no'"},
    {"cluster-node-timeout", "5000", "5000", NULL},
    {"cluster-node-timeout", "5s", NULL, "argument couldn't be parsed into an integer"},
    {"cluster-node-timeout", "", NULL, "argument couldn't be parsed into an integer"},
    {"port", "65536", NULL, "argument must be between 0 and 65535 inclusive"},
    {"port", "-1", NULL, "argument must be between 0 and 65535 inclusive"},
    {"port", "99999999999999999999", NULL, "argument couldn't be parsed into an integer"},
    {"cluster-link-sendbuf-limit", "1k", "1000", NULL},
    {"cluster-link-sendbuf-limit", "1KB", "1024", NULL},
    {"cluster-link-sendbuf-limit", "2mb", "2097152", NULL},
    {"cluster-link-sendbuf-limit", "3g", "3000000000", NULL},
    {"cluster-link-sendbuf-limit", "1gb", "1073741824", NULL},
    {"cluster-link-sendbuf-limit", "1tb", NULL, "argument must be a memory value"},
    {"cluster-link-sendbuf-limit", "9999999999gb", NULL, "argument must be a memory value"},
    {"cluster-link-sendbuf-limit", "-1", NULL, "argument must be a memory value"},
    {"unixsocketperm", "0755", "755", NULL},
    {"unixsocketperm", "8", NULL, "argument couldn't be parsed as an octal number"},
    {"unixsocketperm", "1000", NULL, "argument must be between 0 and 777 inclusive"},
    {"loglevel", "Debug", "debug", NULL},
    {"loglevel", "loud", NULL,
     "argument(s) must be one of the following: debug, verbose, notice, warning, nothing"},
    {"cluster-preferred-endpoint-type", "hostname", "hostname", NULL},
    {"supervised", "systemd", "systemd", NULL},
    {"syslog-facility", "local7", "local7", NULL},
    {"enable-debug-command", "local", "local", NULL},
    {"enable-debug-command", "yes", "yes", NULL},
    {"enable-debug-command", "maybe", NULL, "argument(s) must be one of"},
    {"bind", "  127.0.0.1   -::1 ", "127.0.0.1 -::1", NULL},
    {"bind", "", "", NULL},
    {"bind", "localhost -no.such", "localhost -no.such", NULL},
    {"client-output-buffer-limit", "pubsub 1kb 2 3",
     "normal 0 0 0 slave 268435456 67108864 60 pubsub 1024 2 3", NULL},
    {"client-output-buffer-limit", "replica 1 1 1  normal 5mb 0 0",
     "normal 5242880 0 0 slave 1 1 1 pubsub 33554432 8388608 60", NULL},
    {"client-output-buffer-limit", "pubsub 1 2", NULL, "Wrong number of arguments"},
    {"client-output-buffer-limit", "", NULL, "Wrong number of arguments"},
    {"client-output-buffer-limit", "pubsub 1 2 3 normal", NULL, "Wrong number of arguments"},
    {"client-output-buffer-limit", "nosuch 1 2 3", NULL, "Invalid client class"},
    {"client-output-buffer-limit", "pubsub -1 2 3", NULL, "Error in hard, soft"},
    {"client-output-buffer-limit", "pubsub 1 2 -3", NULL, "Error in hard, soft"},
    {"client-output-buffer-limit", "pubsub 1 2 3s", NULL, "Error in hard, soft"},
    {"bind", "local/host", NULL, "host names"},
    {"bind", "1.1.1.1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", NULL, "Too many bind addresses"},
    {"cluster-announce-hostname", "a.example-1.com", "a.example-1.com", NULL},
    {"cluster-announce-hostname", "a_b", NULL, "Hostnames may only contain"},
    {"cluster-announce-human-nodename", "n_1", "n_1", NULL},
    {"cluster-announce-human-nodename", "a b", NULL, "contained invalid character"},
    {"cluster-announce-ip", "10.0.0.1", "10.0.0.1", NULL},
    {"cluster-announce-ip", "10.0.0.1 ", NULL, "must be an address"},
    {"cluster-announce-client-ipv4", "nonsense", NULL, "Invalid IPv4"},
    {"cluster-config-file", "a/b", NULL, "can't be a path"},
    {"dir", "", NULL, "must not be empty"},
    {"syslog-ident", "0123456789012345678901234567890123456789012345678901234567890123", NULL,
     "less than 64 characters"},
    {"cluster-slave-no-failover", "yes", "yes", NULL},
};

START_TEST(a_value_is_taken_or_refused_in_stock_words)
{
    char before[2048];
    snprintf(before, sizeof(before), "%s", get(values[_i].name));
    int rc = set(values[_i].name, values[_i].value);
    ck_assert_msg((rc == 0) == (values[_i].got != NULL), "%s %s: %s", values[_i].name,
                  values[_i].value, why);
    if (values[_i].got == NULL) {
        ck_assert_msg(strstr(why, values[_i].words) != NULL, "'%s'", why);
        ck_assert_str_eq(get(values[_i].name), before);
    } else {
        ck_assert_str_eq(get(values[_i].name), values[_i].got);
    }
}
END_TEST

START_TEST(a_value_with_a_nul_or_without_end_is_refused)
{
    static char huge[5000];
    memset(huge, 'a', sizeof(huge));
    ck_assert_int_eq(hs_conf_set(&conf, find("requirepass"), "a\0b", 3, why, sizeof(why)), -1);
    ck_assert_int_eq(hs_conf_set(&conf, find("requirepass"), huge, sizeof(huge), why, sizeof(why)),
                     -1);
    ck_assert_int_eq(hs_conf_set(&conf, find("requirepass"), huge, 512, why, sizeof(why)), 0);
    ck_assert_int_eq(hs_conf_set(&conf, find("requirepass"), huge, 513, why, sizeof(why)), -1);
}
END_TEST

START_TEST(what_decides_the_sockets_is_not_live_and_what_decides_failover_is)
{
    ck_assert(!hs_conf_is_live(find("port")));
    ck_assert(!hs_conf_is_live(find("cluster-nodes-max")));
    ck_assert(hs_conf_is_live(find("cluster-node-timeout")));
    ck_assert(hs_conf_is_live(find("cluster-replica-no-failover")));
}
END_TEST

START_TEST(a_typing_mistake_leads_to_the_name_that_was_meant)
{
    ck_assert_str_eq(conf_nearest("clustr-node-timeout"), "cluster-node-timeout");
    ck_assert_str_eq(conf_nearest("prot"), "port");
    ck_assert_str_eq(conf_nearest("apendonly"), "appendonly");
    ck_assert_str_eq(conf_nearest("cluster-slave-no-failovr"), "cluster-slave-no-failover");
    ck_assert_ptr_nonnull(conf_nearest(""));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("conf_table");
    TCase *tc = tcase_create("table");
    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, every_row_is_found_by_its_names_and_has_a_sentence);
    tcase_add_test(tc, help_prints_every_directive);
    tcase_add_test(tc, a_default_is_what_its_row_says_and_goes_around);
    tcase_add_test(tc, numbers_keep_to_their_ranges_at_both_ends);
    tcase_add_loop_test(tc, a_value_is_taken_or_refused_in_stock_words, 0,
                        (int)(sizeof(values) / sizeof(values[0])));
    tcase_add_test(tc, a_value_with_a_nul_or_without_end_is_refused);
    tcase_add_test(tc, what_decides_the_sockets_is_not_live_and_what_decides_failover_is);
    tcase_add_test(tc, a_typing_mistake_leads_to_the_name_that_was_meant);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
