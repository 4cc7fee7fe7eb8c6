/* Log lines reach a syslog socket as syslog wants them, and a syslog daemon that
 * is gone or stuck costs nothing. */
#include "hs_test.h"

#include "base_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

static char dir[] = "/tmp/check_base_syslog.XXXXXX";
static char path[64];
static int fd = -1;

static void syslogd_start(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    memcpy(a.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
}

static void syslogd_stop(void)
{
    if (fd >= 0)
        close(fd);
    fd = -1;
    unlink(path);
}

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/log", dir);
    ck_assert_int_eq(hs_log_open("/dev/null"), 0);
}

static void teardown(void)
{
    syslogd_stop();
    rmdir(dir);
}

/* The next datagram, "" if there is none. */
static const char *received(void)
{
    static char text[4096];
    ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

/* A datagram with this priority and this text. */
static void expect(int priority, const char *text)
{
    char head[16], tail[128];
    const char *got = received();

    snprintf(head, sizeof(head), "<%d>", priority);
    ck_assert_msg(strncmp(got, head, strlen(head)) == 0, "'%s' does not begin with %s", got, head);
    /* "Nov 22 15:00:01 " is what follows. */
    snprintf(tail, sizeof(tail), " node-7[%d]: %s", (int)getpid(), text);
    ck_assert_str_eq(got + strlen(head) + 15, tail);
}

START_TEST(lines_have_facility_priority_name_and_text)
{
    syslogd_start();
    ck_assert_int_eq(base_syslog_open(path, "node-7", LOG_LOCAL3), 0);
    hs_log_set_level(HS_LOG_DEBUG);
    hs_log(HS_LOG_DEBUG, "a %d", 1);
    hs_log(HS_LOG_VERBOSE, "b");
    hs_log(HS_LOG_NOTICE, "c");
    hs_log(HS_LOG_WARNING, "d\ne");
    expect(LOG_LOCAL3 | LOG_DEBUG, "a 1");
    expect(LOG_LOCAL3 | LOG_INFO, "b");
    expect(LOG_LOCAL3 | LOG_NOTICE, "c");
    expect(LOG_LOCAL3 | LOG_WARNING, "d?e");
    hs_log_set_level(HS_LOG_WARNING);
    hs_log(HS_LOG_NOTICE, "below the level");
    ck_assert_str_eq(received(), "");
}
END_TEST

START_TEST(without_the_switch_nothing_is_sent)
{
    syslogd_start();
    hs_log(HS_LOG_WARNING, "x");
    ck_assert_str_eq(received(), "");
}
END_TEST

START_TEST(a_syslog_daemon_may_come_later_and_come_again)
{
    ck_assert_int_eq(base_syslog_open(path, "node-7", LOG_USER), -ENOENT);
    hs_log(HS_LOG_WARNING, "lost");
    syslogd_start();
    hs_log(HS_LOG_WARNING, "first");
    expect(LOG_USER | LOG_WARNING, "first");
    syslogd_stop();
    hs_log(HS_LOG_WARNING, "lost");
    syslogd_start();
    hs_log(HS_LOG_WARNING, "second");
    expect(LOG_USER | LOG_WARNING, "second");
}
END_TEST

START_TEST(a_syslog_daemon_that_reads_nothing_holds_nobody_up)
{
    syslogd_start();
    base_syslog_open(path, "node-7", LOG_USER);
    for (int i = 0; i < 10000; i++) /* many times what a socket queues */
        hs_log(HS_LOG_WARNING, "x");
}
END_TEST

START_TEST(the_longest_line_arrives)
{
    char text[2000];

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    syslogd_start();
    base_syslog_open(path, "node-7", LOG_USER);
    hs_log(HS_LOG_WARNING, "%s", text);
    size_t n = strlen(received());
    ck_assert_uint_gt(n, 950);
    ck_assert_uint_lt(n, 1280);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("base_syslog");
    TCase *tc = tcase_create("syslog");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, lines_have_facility_priority_name_and_text);
    tcase_add_test(tc, without_the_switch_nothing_is_sent);
    tcase_add_test(tc, a_syslog_daemon_may_come_later_and_come_again);
    tcase_add_test(tc, a_syslog_daemon_that_reads_nothing_holds_nobody_up);
    tcase_add_test(tc, the_longest_line_arrives);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
