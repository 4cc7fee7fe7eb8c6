/* net_toy.h - a protocol of lines, in the place where the admin room would be.
 *
 * "echo X" answers X; "ask X" makes a request that the owner answers; "quit"
 * says bye and closes; "big N" answers N bytes; "kill" ends itself; "tell" says
 * hello to the client that connected first. "ask +X" is answered by X and by X again.
 * "hold" keeps the reactor until the test lets it go, so that what is sent meanwhile
 * comes to it at once.
 */
#ifndef NET_TOY_H
#define NET_TOY_H

#include "net_fixture.h"

#include <stdio.h>
#include <stdlib.h>

struct request {
    char text[64];
};

enum { BLOCK_LEN = 300000 }; /* more than goes in one send */

struct block {
    struct hs_shared shared;
    uint8_t bytes[BLOCK_LEN];
};

struct session {
    struct hs_conn_id id;
    char line[256];
    size_t n;
    char rest[65536]; /* what came while a request was out, or in the same piece */
    size_t rest_n;
    struct request *again; /* to be asked, before anything else */
};

static _Atomic int open_n, closed_n, dropped_n;
static struct hs_conn_id first_id;
static struct hs_in asked[16]; /* requests the owner holds */
static uint32_t asked_n;
static bool answer_at_once;
static uint16_t client_port;

static struct block *block, *block_before; /* the reactor's */
static _Atomic int blocks_n, cut_n;
static _Atomic bool holding;

static void block_gone(struct hs_shared *s)
{
    atomic_fetch_sub(&blocks_n, 1);
    hs_free(s);
}

/* The first one is made before the reactor runs. */
static void block_renew(void)
{
    block_before = block;
    block = hs_alloc(sizeof(*block));
    block->shared = (struct hs_shared){
        .bytes = block->bytes, .len = sizeof(block->bytes), .refs = 1, .last = block_gone};
    for (uint32_t i = 0; i < BLOCK_LEN; i++)
        block->bytes[i] = (uint8_t)('a' + i % 23);
    atomic_fetch_add(&blocks_n, 1);
    if (block_before != NULL)
        hs_shared_release(&block_before->shared);
}

static void put_text(struct hs_outbuf *out, const char *text)
{
    hs_outbuf_put(out, text, strlen(text));
}

static void *session_open(void *ctx, const struct hs_client_info *info, struct hs_outbuf *out)
{
    (void)ctx;
    const char *peer = info->ipv6 ? "[::1]:" : "127.0.0.1:";
    if (strncmp(info->peer, peer, strlen(peer)) != 0 || !info->loopback || info->unix_socket) {
        put_text(out, "who are you\n");
        return NULL;
    }
    struct session *s = hs_alloc(sizeof(*s));
    s->id = info->conn;
    if (atomic_fetch_add(&open_n, 1) == 0)
        first_id = info->conn;
    return s;
}

static enum hs_client_verdict run_line(struct session *s, struct hs_outbuf *out, void **request)
{
    static const char FILLER[1000];

    if (strncmp(s->line, "echo ", 5) == 0) {
        put_text(out, s->line + 5);
        put_text(out, "\n");
    } else if (strncmp(s->line, "ask ", 4) == 0) {
        struct request *r = hs_alloc(sizeof(*r));
        snprintf(r->text, sizeof(r->text), "%.60s", s->line + 4);
        *request = r;
        return HS_CLIENT_WAIT;
    } else if (strcmp(s->line, "quit") == 0) {
        put_text(out, "bye\n");
        return HS_CLIENT_CLOSE;
    } else if (strncmp(s->line, "big ", 4) == 0) {
        for (long left = strtol(s->line + 4, NULL, 10); left > 0; left -= 1000)
            hs_outbuf_put(out, FILLER, left < 1000 ? (size_t)left : 1000);
    } else if (strcmp(s->line, "same") == 0) {
        hs_outbuf_share(out, &block->shared);
    } else if (strcmp(s->line, "renew") == 0) {
        block_renew();
        put_text(out, "renewed\n");
    } else if (strcmp(s->line, "cut") == 0) {
        atomic_fetch_add(&cut_n, (int)hs_client_cut(net, 0, &block_before->shared));
        put_text(out, "cut\n");
    } else if (strcmp(s->line, "hold") == 0) {
        for (atomic_store(&holding, true); atomic_load(&holding);)
            poll(NULL, 0, 1);
    } else if (strcmp(s->line, "kill") == 0) {
        ck_assert(hs_client_kill(net, s->id));
    } else if (strcmp(s->line, "tell") == 0) {
        ck_assert(hs_client_push(net, first_id, "hello\n", 6));
    }
    return HS_CLIENT_OK;
}

static enum hs_client_verdict session_feed(void *session, const uint8_t *p, size_t n,
                                           struct hs_outbuf *out, void **request)
{
    struct session *s = session;
    enum hs_client_verdict verdict = HS_CLIENT_OK;
    size_t i = 0;

    ck_assert_uint_le(s->rest_n + n, sizeof(s->rest));
    if (n > 0)
        memcpy(s->rest + s->rest_n, p, n);
    s->rest_n += n;
    if (s->again != NULL) {
        *request = s->again;
        s->again = NULL;
        return HS_CLIENT_WAIT;
    }
    while (i < s->rest_n && verdict == HS_CLIENT_OK) {
        char c = s->rest[i++];
        if (c != '\n') {
            s->line[s->n++ % 255] = c;
            continue;
        }
        s->line[s->n] = '\0';
        s->n = 0;
        verdict = run_line(s, out, request);
    }
    memmove(s->rest, s->rest + i, s->rest_n - i);
    s->rest_n -= i;
    return verdict;
}

static bool session_reply(void *session, void *request, struct hs_outbuf *out)
{
    struct session *s = session;
    struct request *r = request;
    bool is_whole = r->text[0] != '+';

    put_text(out, is_whole ? r->text : r->text + 1);
    put_text(out, "\n");
    if (!is_whole) {
        memmove(r->text, r->text + 1, sizeof(r->text) - 1);
        s->again = r;
        return false;
    }
    hs_free(r);
    return true;
}

static void session_close(void *session)
{
    atomic_fetch_add(&closed_n, 1);
    hs_free(session);
}

static void session_drop(void *ctx, void *request)
{
    (void)ctx;
    atomic_fetch_add(&dropped_n, 1);
    hs_free(request);
}

static void answer(const struct hs_in *in)
{
    struct hs_out out = {.kind = HS_OUT_REPLY, .conn = in->conn, .ptr = in->ptr};

    fix_push(hs_net_reactor_of(net, in->conn), &out);
}

static void take_request(struct hs_in *in)
{
    if (answer_at_once)
        answer(in);
    else
        asked[asked_n++] = *in;
}

/* Clients are these sessions. */
static void toy_clients(void)
{
    net_ops = (struct hs_client_ops){.open = session_open,
                                     .feed = session_feed,
                                     .reply = session_reply,
                                     .close = session_close,
                                     .drop = session_drop};
    on_request = take_request;
}

static void say(int fd, const char *text)
{
    peer_write(fd, text, strlen(text));
}

/* Reads exactly text while the owner goes on. */
static void expect(int fd, const char *text)
{
    char got[256];
    size_t n = 0;

    for (int64_t until = hs_clock().mono.ms + FIX_WAIT_MS; n < strlen(text);) {
        ssize_t k = recv(fd, got + n, strlen(text) - n, MSG_DONTWAIT);
        ck_assert(k != 0 && hs_clock().mono.ms < until);
        n += k > 0 ? (size_t)k : 0;
        fix_poll(k > 0 ? 0 : 5);
    }
    ck_assert_mem_eq(got, text, n);
}

#endif
