/* resp.c - where does a reply end? Values are only counted: an array adds its
 * elements to what is still to come, a string is skipped by its length.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "bench.h"

static void head_line(struct reply_scan *s)
{
    long long n = 0;

    s->line[s->line_n] = '\0';
    if (s->line_n > 1) {
        n = strtoll(s->line + 1, NULL, 10);
    }
    s->left--;
    switch (s->line[0]) {
    case '*':
    case '~':
    case '>':
        s->left += n > 0 ? (uint64_t)n : 0;
        break;
    case '%':
        s->left += n > 0 ? (uint64_t)n * 2 : 0;
        break;
    case '$':
    case '=':
        s->skip = n >= 0 ? (uint64_t)n + 2 : 0;
        break;
    case '-':
    case '!':
        s->error = true;
        break;
    default:
        break;
    }
}

size_t reply_feed(struct reply_scan *s, const char *p, size_t n, bool *done)
{
    size_t used = 0;

    if (!s->started) {
        *s = (struct reply_scan){.started = true, .left = 1};
    }
    while (used < n && (s->left > 0 || s->skip > 0)) {
        if (s->skip > 0) {
            size_t take = s->skip < n - used ? (size_t)s->skip : n - used;
            s->skip -= take;
            used += take;
        } else if (p[used] == '\n') {
            head_line(s);
            s->line_n = 0;
            used++;
        } else {
            if (p[used] != '\r' && s->line_n + 1 < sizeof(s->line)) {
                s->line[s->line_n++] = p[used];
            }
            used++;
        }
    }
    s->len += used;
    *done = s->left == 0 && s->skip == 0;
    return used;
}

static int open_client(const struct options *o)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(o->port)};
    struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -errno;
    }
    (void)inet_pton(AF_INET, o->host, &to.sin_addr);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

int ask(const struct options *o, const char *const *words, uint32_t words_n, char *reply, size_t n)
{
    struct reply_scan scan = {0};
    char buf[4096];
    size_t kept = 0;
    bool done = false;
    int fd = open_client(o);
    int len = snprintf(buf, sizeof(buf), "*%u\r\n", words_n);

    if (fd < 0) {
        return fd;
    }
    for (uint32_t i = 0; i < words_n; i++) {
        len += snprintf(buf + len, sizeof(buf) - (size_t)len, "$%zu\r\n%s\r\n", strlen(words[i]),
                        words[i]);
    }
    if (send(fd, buf, (size_t)len, MSG_NOSIGNAL) != len) {
        close(fd);
        return -EIO;
    }
    while (!done) {
        ssize_t got = recv(fd, buf, sizeof(buf), 0);
        if (got <= 0) {
            close(fd);
            return got == 0 ? -ECONNRESET : -errno;
        }
        size_t used = reply_feed(&scan, buf, (size_t)got, &done);
        size_t fits = used < n - 1 - kept ? used : n - 1 - kept;
        memcpy(reply + kept, buf, fits);
        kept += fits;
    }
    reply[kept] = '\0';
    close(fd);
    return scan.error ? -EPROTO : 0;
}
