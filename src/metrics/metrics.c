/* metrics.c - the HTTP side, on libmicrohttpd's own thread.
 *
 * Whoever reaches the port may ask, so everything it can cost is bounded, and it
 * can never hold up the owner or a reactor: a scrape reads one published view
 * and the reactors' counters. What libmicrohttpd has to say about malformed
 * requests is not logged; it answers them itself.
 */
#include "metrics_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 64,
    CONNECTIONS_PER_ADDRESS = 16,
    REQUEST_MAX = 8 * 1024, /* a connection's memory: request line, headers and our headers */
    IDLE_S = 10,
    BACKLOG = 64,
    SHARED_MS = 100, /* so old may a rendering be */
    ROWS_MAX = 512,
};

struct hs_metrics {
    struct hs_metrics_conf conf;
    int fd; /* -1 once the server has it */
    struct MHD_Daemon *server;
    /* The server's thread only. */
    uint16_t ix[ROWS_MAX];
    struct metrics_now now;
    struct MHD_Response *rendered;
    int64_t rendered_ms;
};

static int listen_on(const char *ip, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    bool is_v4 = inet_pton(AF_INET, ip, &v4.sin_addr) == 1;
    if (!is_v4 && inet_pton(AF_INET6, ip, &v6.sin6_addr) != 1)
        return -EINVAL;
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    const struct sockaddr *to = is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
    if (bind(fd, to, is_v4 ? sizeof(v4) : sizeof(v6)) != 0 || listen(fd, BACKLOG) != 0) {
        int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

struct hs_metrics *hs_metrics_create(const struct hs_metrics_conf *conf, const char *ip,
                                     uint16_t port, int *err)
{
    HS_ASSERT(metrics_table_n <= ROWS_MAX);
    struct hs_metrics *m = hs_alloc(sizeof(*m));
    *err = m == NULL ? -ENOMEM : listen_on(ip, port);
    if (*err < 0) {
        hs_free(m);
        return NULL;
    }
    m->conf = *conf;
    m->fd = *err;
    *err = 0;
    metrics_resolve(conf, m->ix);
    return m;
}

void hs_metrics_destroy(struct hs_metrics *m)
{
    if (m == NULL)
        return;
    hs_metrics_stop(m);
    if (m->fd >= 0)
        close(m->fd);
    hs_free(m);
}

/* ---- answers ---- */

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, struct MHD_Response *r)
{
    enum MHD_Result queued = r == NULL ? MHD_NO : MHD_queue_response(c, status, r);
    return queued; /* MHD_NO: no memory, the connection is closed */
}

static enum MHD_Result answer_text(struct MHD_Connection *c, unsigned status, const char *text,
                                   const char *allow)
{
    char line[512];
    int n = snprintf(line, sizeof(line), "%s\n", text);
    size_t len = (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1;
    struct MHD_Response *r = MHD_create_response_from_buffer(len, line, MHD_RESPMEM_MUST_COPY);
    if (r == NULL)
        return MHD_NO;
    MHD_add_response_header(r, "Content-Type", "text/plain; charset=utf-8");
    MHD_add_response_header(r, "Cache-Control", "no-store");
    if (allow != NULL)
        MHD_add_response_header(r, "Allow", allow);
    enum MHD_Result queued = answer(c, status, r);
    MHD_destroy_response(r);
    return queued;
}

static struct MHD_Response *render(struct hs_metrics *m)
{
    struct metrics_text t = {.p = hs_alloc(TEXT_MAX), .max = TEXT_MAX};
    if (t.p == NULL)
        return NULL;
    m->now.view = hs_snapshot_begin(m->conf.snapshot, m->conf.reader);
    m->now.now = hs_clock(); /* after the view's own times */
    metrics_gather(&m->conf, &m->now);
    metrics_put_all(&t, m->ix, &m->now);
    hs_snapshot_end(m->conf.snapshot, m->conf.reader);
    HS_ASSERT(!t.cut); /* every line's length is bounded, and so is their number */
    struct MHD_Response *r = MHD_create_response_from_buffer_with_free_callback(t.n, t.p, hs_free);
    if (r == NULL) {
        hs_free(t.p);
        return NULL;
    }
    MHD_add_response_header(r, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    return r;
}

/* A connection that is still being sent the old one keeps it alive. */
static enum MHD_Result answer_metrics(struct hs_metrics *m, struct MHD_Connection *c)
{
    int64_t now_ms = hs_clock().mono.ms;
    if (m->rendered == NULL || now_ms - m->rendered_ms >= SHARED_MS) {
        if (m->rendered != NULL)
            MHD_destroy_response(m->rendered);
        m->rendered = render(m);
        m->rendered_ms = now_ms;
    }
    return answer(c, MHD_HTTP_OK, m->rendered);
}

static enum MHD_Result answer_verdict(struct hs_metrics *m, struct MHD_Connection *c,
                                      bool (*judge)(const struct hs_published *, int64_t, char *,
                                                    size_t))
{
    char why[400];
    const struct hs_published *view = hs_snapshot_begin(m->conf.snapshot, m->conf.reader);
    bool good = judge(view, hs_clock().mono.ms, why, sizeof(why));
    hs_snapshot_end(m->conf.snapshot, m->conf.reader);
    return answer_text(c, good ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, why, NULL);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *body,
                                  size_t *body_n, void **request)
{
    struct hs_metrics *m = ctx;
    (void)version, (void)body;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return answer_text(c, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD", "GET, HEAD");
    /* The first call comes before a body: whoever answers then has the connection
     * closed. A body is thrown away piece by piece. */
    bool is_first = *request == NULL;
    *request = m;
    if (is_first || *body_n > 0) {
        *body_n = 0;
        return MHD_YES;
    }
    if (strcmp(url, "/metrics") == 0)
        return answer_metrics(m, c);
    if (strcmp(url, "/healthz") == 0)
        return answer_verdict(m, c, metrics_is_healthy);
    if (strcmp(url, "/readyz") == 0)
        return answer_verdict(m, c, metrics_is_ready);
    return answer_text(c, MHD_HTTP_NOT_FOUND, "there are /metrics, /healthz and /readyz", NULL);
}

/* ---- life ---- */

int hs_metrics_start(struct hs_metrics *m)
{
    m->server = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, m,
                                 MHD_OPTION_LISTEN_SOCKET, m->fd, MHD_OPTION_CONNECTION_LIMIT,
                                 (unsigned)CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                                 (unsigned)CONNECTIONS_PER_ADDRESS,
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_MAX,
                                 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_END);
    if (m->server == NULL)
        return errno != 0 ? -errno : -ENOMEM;
    m->fd = -1;
    return 0;
}

void hs_metrics_stop(struct hs_metrics *m)
{
    if (m->server == NULL)
        return;
    MHD_stop_daemon(m->server);
    m->server = NULL;
    if (m->rendered != NULL)
        MHD_destroy_response(m->rendered);
    m->rendered = NULL;
}
