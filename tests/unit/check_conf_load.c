/* Configuration from files and arguments, and the rules between directives.
 * Each test writes its files into a directory of its own.
 */
#include "conf_int.h"
#include "hs_test.h"

#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct hs_conf conf;
static struct hs_conf_result result;
static char dir[] = "/tmp/check_conf_XXXXXX";
static char path[PATH_MAX];

static const char *file(const char *name, const char *text)
{
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
    return path;
}

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
    static const char *const names[] = {"main.conf", "other.conf"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

static int load(int argc, char **argv)
{
    return hs_conf_load(&conf, argc, argv, &result);
}

#define LOAD(...) \
    load((int)(sizeof((char *[]){"hearsayd", __VA_ARGS__}) / sizeof(char *)), \
         (char *[]){"hearsayd", __VA_ARGS__})

static void assert_why(const char *words)
{
    ck_assert_msg(strstr(result.why, words) != NULL, "'%s' does not say '%s'", result.why, words);
}

static const char redis_conf[] = "# Redis configuration file example.\n"
                                 "\n"
                                 "bind 127.0.0.1 -::1\n"
                                 "protected-mode no\n"
                                 "port 7005\r\n"
                                 "\ttcp-backlog 128\n"
                                 "requirepass \"two words\\x21\"\n"
                                 "save 3600 1 300 100\n"
                                 "save \"\"\n"
                                 "appendonly yes\n"
                                 "maxmemory 2gb\n"
                                 "client-output-buffer-limit replica 256mb 64mb 60\n"
                                 "cluster-enabled yes\n"
                                 "CLUSTER-CONFIG-FILE nodes-7005.conf\n"
                                 "cluster-slave-validity-factor 0\n"
                                 "cluster-link-sendbuf-limit 64mb\n"
                                 "logfile ''\n";

START_TEST(a_redis_conf_starts_us_unchanged)
{
    ck_assert_msg(LOAD((char *)file("main.conf", redis_conf)) == 0, "%s", result.why);
    ck_assert_uint_eq(conf.port, 7005);
    ck_assert_uint_eq(conf.bind_n, 2);
    ck_assert_str_eq(conf.bind[1], "-::1");
    ck_assert(!conf.protected_mode);
    ck_assert_uint_eq(conf.tcp_backlog, 128);
    ck_assert_str_eq(conf.requirepass, "two words!");
    ck_assert_str_eq(conf.cluster_config_file, "nodes-7005.conf");
    ck_assert_uint_eq(conf.replica_validity_factor, 0);
    ck_assert_uint_eq(conf.link_sendbuf_limit, 64 << 20);
    ck_assert_str_eq(result.ignored, "save appendonly maxmemory");
    ck_assert_int_eq(result.mode, HS_CONF_RUN);
    ck_assert_int_eq(result.file[0], '/');
}
END_TEST

START_TEST(the_command_line_wins_in_both_forms)
{
    char *main_conf = (char *)file("main.conf", redis_conf);
    ck_assert_int_eq(LOAD(main_conf, "--port", "7009", "--bind", "10.0.0.1", "::1",
                          "--loglevel=debug", "--requirepass", ""),
                     0);
    ck_assert_uint_eq(conf.port, 7009);
    ck_assert_uint_eq(conf.bind_n, 2);
    ck_assert_str_eq(conf.bind[0], "10.0.0.1");
    ck_assert_int_eq(conf.loglevel, HS_LOG_DEBUG);
    ck_assert_str_eq(conf.requirepass, "");
}
END_TEST

START_TEST(without_arguments_the_defaults_hold)
{
    char *argv[] = {"hearsayd"};
    char why[256];
    ck_assert_int_eq(load(1, argv), 0);
    ck_assert_uint_eq(conf.port, 6379);
    ck_assert_uint_eq(conf.node_timeout_ms, 15000);
    ck_assert_uint_eq(conf.nodes_max, 10000);
    ck_assert_str_eq(result.file, "");
    ck_assert_msg(chdir(dir) == 0 && hs_conf_check(&conf, why, sizeof(why)) == 0, "%s", why);
}
END_TEST

START_TEST(an_included_file_counts_from_where_it_stands)
{
    char text[PATH_MAX + 100];
    file("other.conf", "port 7001\ntimeout 5\n");
    snprintf(text, sizeof(text), "port 7000\ninclude %s/other.conf\ntimeout 6\n", dir);
    ck_assert_msg(LOAD((char *)file("main.conf", text)) == 0, "%s", result.why);
    ck_assert_uint_eq(conf.port, 7001);
    ck_assert_uint_eq(conf.timeout_s, 6);
    snprintf(text, sizeof(text), "include %s/*er.conf\ninclude %s/none*.conf\n", dir, dir);
    ck_assert_msg(LOAD((char *)file("main.conf", text)) == 0, "%s", result.why);
    ck_assert_uint_eq(conf.port, 7001);
}
END_TEST

START_TEST(files_that_include_each_other_are_refused)
{
    char text[PATH_MAX + 100];
    snprintf(text, sizeof(text), "\ninclude %s/main.conf\n", dir);
    ck_assert_int_eq(LOAD((char *)file("main.conf", text)), -1);
    assert_why("main.conf:2: include");
    assert_why("files deep");
}
END_TEST

static const struct {
    const char *text, *words;
} broken[] = {
    {"port 7000\nclustr-node-timeout 5000\n",
     "main.conf:2: unknown directive 'clustr-node-timeout' in 'clustr-node-timeout 5000'; the "
     "nearest known name is 'cluster-node-timeout'"},
    {"port\n", "main.conf:1: 'port ': port takes one value"},
    {"port 1 2\n", "'port 1 2': port takes one value"},
    {"bind\n", "bind takes at least one value"},
    {"port x\n", "'port x': argument couldn't be parsed into an integer"},
    {"requirepass \"open\n", "main.conf:1: unbalanced quotes"},
    {"requirepass my secret\n", "'requirepass ...': requirepass takes one value"},
    {"\ninclude /nonexistent/x.conf\n", "main.conf:2: cannot open '/nonexistent/x.conf'"},
    {"p\033[31m 1\n", "unknown directive 'p?[31m'"},
};

START_TEST(an_error_names_file_line_text_and_the_nearest_name)
{
    ck_assert_int_eq(LOAD((char *)file("main.conf", broken[_i].text)), -1);
    assert_why(broken[_i].words);
}
END_TEST

START_TEST(a_password_that_does_not_fit_is_not_shown)
{
    char text[700] = "requirepass ";
    memset(text + 12, 's', 600);
    text[612] = '\n';
    ck_assert_int_eq(LOAD((char *)file("main.conf", text)), -1);
    assert_why("'requirepass ...': argument must be less than 513 characters");
}
END_TEST

START_TEST(a_file_with_a_nul_byte_is_no_text_file)
{
    FILE *f = fopen(file("main.conf", ""), "w");
    fwrite("port 1\nport 2\0 3\n", 1, 17, f);
    fclose(f);
    ck_assert_int_eq(LOAD(path), -1);
    assert_why("main.conf:2: a NUL byte");
}
END_TEST

START_TEST(a_dash_reads_standard_input)
{
    ck_assert_ptr_nonnull(freopen(file("main.conf", "port 7003"), "r", stdin));
    ck_assert_int_eq(LOAD("-", "--timeout", "9"), 0);
    ck_assert_uint_eq(conf.port, 7003);
    ck_assert_uint_eq(conf.timeout_s, 9);
    ck_assert_str_eq(result.file, "");
}
END_TEST

START_TEST(an_endless_line_is_refused_and_a_long_ignored_one_is_not)
{
    static char text[20000];
    memset(text, 'a', 16000);
    memcpy(text, "save ", 5);
    ck_assert_msg(LOAD((char *)file("main.conf", text)) == 0, "%s", result.why);
    memset(text, 'a', sizeof(text) - 1);
    ck_assert_int_eq(LOAD((char *)file("main.conf", text)), -1);
    assert_why("a line of more than");
}
END_TEST

START_TEST(the_command_line_has_errors_of_its_own)
{
    ck_assert_int_eq(LOAD("--prot", "7000"), -1);
    assert_why("command line: unknown directive 'prot' in 'prot 7000'");
    ck_assert_int_eq(LOAD("/nonexistent.conf"), -1);
    assert_why("/nonexistent.conf: cannot open it: No such file or directory");
    ck_assert_int_eq(LOAD("-x"), -1);
    assert_why("'-x' is not an option");
    ck_assert_int_eq(LOAD("--explain"), -1);
    assert_why("--explain needs --nodes N");
    ck_assert_int_eq(LOAD("--explain", "--nodes", "1"), -1);
    assert_why("--nodes takes a number from 2");
    ck_assert_int_eq(LOAD("--nodes"), -1);
    ck_assert_int_eq(LOAD("--nodes", "1000"), -1); /* would start a server */
    assert_why("--nodes goes with --explain");
    ck_assert_int_eq(LOAD("--"), -1);
}
END_TEST

START_TEST(modes_are_told_apart)
{
    ck_assert_int_eq(LOAD("--help"), 0);
    ck_assert_int_eq(result.mode, HS_CONF_HELP);
    ck_assert_int_eq(LOAD("-v"), 0);
    ck_assert_int_eq(result.mode, HS_CONF_VERSION);
    ck_assert_int_eq(LOAD("--port", "1", "--check-config"), 0);
    ck_assert_int_eq(result.mode, HS_CONF_CHECK);
    ck_assert_int_eq(LOAD("--explain", "--nodes=1000"), 0);
    ck_assert_int_eq(result.mode, HS_CONF_EXPLAIN);
    ck_assert_uint_eq(result.explain_nodes, 1000);
}
END_TEST

static const struct {
    const char *option, *words; /* NULL: allowed */
} rules[] = {
    {"--port=55535", NULL},
    {"--port=55536", "the bus port would be 65536"},
    {"--port=0", "no client could connect"},
    {"--cluster-port=6379", "they must differ"},
    {"--cluster-enabled=no", "hearsay is a cluster bus"},
    {"--tls-port=6380", NULL},
    {"--tls-port=6379", "tls-port 6379 is the port too"},
    {"--tls-port=16379", "the bus port 16379 is the tls-port too"},
    {"--tls-cluster=yes", "tls-port 0: the bus port cannot be derived"},
    {"--cluster-node-timeout=100", NULL},
    {"--cluster-node-timeout=99", "below 100 ms"},
    {"--cluster-ping-interval=15000", "must be below cluster-node-timeout"},
    {"--bind=", "bind is empty"},
    {"--dir=/nonexistent", "dir '/nonexistent': No such file"},
    {"--dir=/dev/null", "is not a directory"},
    {"--notification-script=/bin/sh", NULL},
    {"--notification-script=sh", "give the whole path"},
    {"--notification-script=/nonexistent", "No such file"},
    {"--notification-script=/tmp", "is not a program"},
};

START_TEST(rules_between_directives_are_kept)
{
    char why[256] = "";
    ck_assert_int_eq(chdir(dir), 0);
    ck_assert_msg(LOAD((char *)rules[_i].option) == 0, "%s", result.why);
    int rc = hs_conf_check(&conf, why, sizeof(why));
    ck_assert_int_eq(rc, rules[_i].words == NULL ? 0 : -1);
    if (rules[_i].words != NULL)
        ck_assert_msg(strstr(why, rules[_i].words) != NULL, "'%s'", why);
}
END_TEST

START_TEST(without_a_client_port_a_socket_and_a_bus_port_do)
{
    char why[256];
    ck_assert_int_eq(chdir(dir), 0);
    ck_assert_int_eq(LOAD("--port", "0", "--unixsocket", "/tmp/x.sock"), 0);
    ck_assert_int_eq(hs_conf_check(&conf, why, sizeof(why)), -1);
    ck_assert_ptr_nonnull(strstr(why, "set cluster-port"));
    ck_assert_int_eq(LOAD("--port", "0", "--unixsocket", "/tmp/x.sock", "--cluster-port", "17000"),
                     0);
    ck_assert_int_eq(hs_conf_check(&conf, why, sizeof(why)), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("conf_load");
    TCase *tc = tcase_create("load");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_redis_conf_starts_us_unchanged);
    tcase_add_test(tc, the_command_line_wins_in_both_forms);
    tcase_add_test(tc, without_arguments_the_defaults_hold);
    tcase_add_test(tc, an_included_file_counts_from_where_it_stands);
    tcase_add_test(tc, files_that_include_each_other_are_refused);
    tcase_add_loop_test(tc, an_error_names_file_line_text_and_the_nearest_name, 0,
                        (int)(sizeof(broken) / sizeof(broken[0])));
    tcase_add_test(tc, a_password_that_does_not_fit_is_not_shown);
    tcase_add_test(tc, a_file_with_a_nul_byte_is_no_text_file);
    tcase_add_test(tc, a_dash_reads_standard_input);
    tcase_add_test(tc, an_endless_line_is_refused_and_a_long_ignored_one_is_not);
    tcase_add_test(tc, the_command_line_has_errors_of_its_own);
    tcase_add_test(tc, modes_are_told_apart);
    tcase_add_loop_test(tc, rules_between_directives_are_kept, 0,
                        (int)(sizeof(rules) / sizeof(rules[0])));
    tcase_add_test(tc, without_a_client_port_a_socket_and_a_bus_port_do);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
