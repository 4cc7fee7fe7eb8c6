/* nodes.conf text: what real servers wrote loads, what we write loads again
 * with the same content, and every way to be broken has its own words.
 * Length: the table of broken files is long, and belongs to the one test.
 */
#include "hs_test.h"
#include "store_int.h"

#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ID_C "cccccccccccccccccccccccccccccccccccccccc"
#define ID_D "dddddddddddddddddddddddddddddddddddddddd"
#define ADDR "127.0.0.1:7000@17000"
#define ME_TO(addr, slots) ID_A " " addr " myself,master - 0 0 7 connected" slots "\n"
#define ME ME_TO(ADDR, " 0-99")
#define VARS "vars currentEpoch 9 lastVoteEpoch 8\n"

enum { NOW_MS = 1000000 };

static struct hs_conf_error err;

static struct hs_topo *parse(const char *text)
{
    return hs_nodesconf_parse(text, strlen(text), NOW_MS, &err);
}

static struct hs_topo *must_parse(const char *text)
{
    struct hs_topo *t = parse(text);
    ck_assert_msg(t != NULL, "line %u: %s", err.line, err.text);
    return t;
}

static void assert_same_node(const struct hs_topo *a, const struct hs_topo *b, uint32_t i)
{
    const struct hs_topo_node *x = &a->nodes[i];
    uint16_t ix = hs_topo_find(b, &x->id);
    ck_assert_uint_ne(ix, HS_TOPO_NONE);
    const struct hs_topo_node *y = &b->nodes[ix];
    ck_assert_mem_eq(x->shard_id, y->shard_id, HS_ID_LEN);
    ck_assert_str_eq(x->ip, y->ip);
    ck_assert_uint_eq(x->port, y->port);
    ck_assert_uint_eq(x->tls_port, y->tls_port);
    ck_assert_uint_eq(x->cport, y->cport);
    ck_assert_uint_eq(x->flags, y->flags);
    ck_assert_uint_eq(x->slots_n, y->slots_n);
    ck_assert_uint_eq(x->config_epoch, y->config_epoch);
    ck_assert_int_eq(x->ping_sent_ms, y->ping_sent_ms);
    ck_assert_int_eq(x->pong_received_ms, y->pong_received_ms);
    ck_assert_str_eq(x->hostname, y->hostname);
    ck_assert_str_eq(x->nodename, y->nodename);
    ck_assert_str_eq(x->client_ipv4, y->client_ipv4);
    ck_assert_str_eq(x->client_ipv6, y->client_ipv6);
    ck_assert_int_eq(x->master == HS_TOPO_NONE, y->master == HS_TOPO_NONE);
    if (x->master != HS_TOPO_NONE)
        ck_assert_mem_eq(a->nodes[x->master].id.hex, b->nodes[y->master].id.hex, HS_ID_LEN);
}

static void assert_same(const struct hs_topo *a, const struct hs_topo *b)
{
    ck_assert_uint_eq(a->nodes_n, b->nodes_n);
    for (uint32_t i = 0; i < a->nodes_n; i++)
        assert_same_node(a, b, i);
    ck_assert_mem_eq(a->nodes[0].id.hex, b->nodes[0].id.hex, HS_ID_LEN);
    for (uint32_t slot = 0; slot < HS_SLOTS; slot++) {
        ck_assert_int_eq(a->owner[slot] == HS_TOPO_NONE, b->owner[slot] == HS_TOPO_NONE);
        if (a->owner[slot] != HS_TOPO_NONE)
            ck_assert_mem_eq(a->nodes[a->owner[slot]].id.hex, b->nodes[b->owner[slot]].id.hex,
                             HS_ID_LEN);
    }
    ck_assert_uint_eq(a->migrating_n, b->migrating_n);
    ck_assert_uint_eq(a->importing_n, b->importing_n);
    for (uint32_t i = 0; i < a->migrating_n; i++)
        ck_assert_uint_eq(a->migrating[i].slot, b->migrating[i].slot);
    for (uint32_t i = 0; i < a->importing_n; i++)
        ck_assert_uint_eq(a->importing[i].slot, b->importing[i].slot);
    ck_assert_uint_eq(a->current_epoch, b->current_epoch);
    ck_assert_uint_eq(a->last_vote_epoch, b->last_vote_epoch);
}

static void assert_survives_a_round_trip(const struct hs_topo *t)
{
    size_t n, again_n;
    char *text = hs_nodesconf_text(t, &n);
    ck_assert_uint_eq(strlen(text), n);
    struct hs_topo *copy = must_parse(text);
    assert_same(t, copy);
    char *again = hs_nodesconf_text(copy, &again_n);
    ck_assert_uint_eq(n, again_n);
    hs_free(again);
    hs_topo_destroy(copy);
    hs_free(text);
}

static size_t read_file(const char *path, char *buf, size_t max)
{
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    size_t n = fread(buf, 1, max - 1, f);
    buf[n] = '\0';
    fclose(f);
    return n;
}

START_TEST(what_every_stock_version_wrote_loads_and_survives_a_round_trip)
{
    static char text[65536];
    glob_t found;
    ck_assert_int_eq(glob(HS_SOURCE_DIR "/tests/golden/*-nodes.conf.*.txt", 0, NULL, &found), 0);
    ck_assert_uint_eq(found.gl_pathc, 14);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        size_t n = read_file(found.gl_pathv[i], text, sizeof(text));
        struct hs_topo *t = hs_nodesconf_parse(text, n, NOW_MS, &err);
        ck_assert_msg(t != NULL, "%s:%u: %s", found.gl_pathv[i], err.line, err.text);
        ck_assert_uint_ge(t->nodes_n, 3);
        ck_assert_uint_eq(t->current_epoch, 5);
        uint32_t covered = 0;
        for (uint32_t slot = 0; slot < HS_SLOTS; slot++)
            covered += t->owner[slot] != HS_TOPO_NONE;
        ck_assert_uint_eq(covered, HS_SLOTS);
        assert_survives_a_round_trip(t);
        hs_topo_destroy(t);
    }
    globfree(&found);
}
END_TEST

START_TEST(no_file_that_was_cut_short_anywhere_is_accepted)
{
    static char text[65536];
    size_t n =
        read_file(HS_SOURCE_DIR "/tests/golden/valkey-8.0-nodes.conf.0.txt", text, sizeof(text));
    for (size_t cut = 0; cut < n; cut++)
        ck_assert_msg(hs_nodesconf_parse(text, cut, NOW_MS, &err) == NULL, "cut at %zu", cut);
}
END_TEST

START_TEST(every_field_lands_where_it_belongs)
{
    struct hs_topo *t = must_parse(
        ID_B " ::1:7001@17001 slave,fail?,nofailover " ID_A " 5 6 7 disconnected\n" ID_A
             " 10.0.0.1:7000@17000,h.example,client-ipv6=2001:db8::1,client-ipv4=1.2.3.4,"
             "tls-port=7100,nodename=nick,shard-id=" ID_D " myself,master - 0 3 12 connected 0 5-7 "
             "[5->-" ID_B "] [9-<-" ID_C "]\n"
             "\n"
             "vars currentEpoch 9 lastVoteEpoch 8 laterVersion x\n");
    ck_assert_uint_eq(t->nodes_n, 3);
    const struct hs_topo_node *me = &t->nodes[0];
    ck_assert_mem_eq(me->id.hex, ID_A, HS_ID_LEN);
    ck_assert_str_eq(me->ip, "10.0.0.1");
    ck_assert_uint_eq(me->port, 7000);
    ck_assert_uint_eq(me->cport, 17000);
    ck_assert_uint_eq(me->tls_port, 7100);
    ck_assert_str_eq(me->hostname, "h.example");
    ck_assert_str_eq(me->nodename, "nick");
    ck_assert_str_eq(me->client_ipv4, "1.2.3.4");
    ck_assert_str_eq(me->client_ipv6, "2001:db8::1");
    ck_assert_mem_eq(me->shard_id, ID_D, HS_ID_LEN);
    ck_assert_uint_eq(me->flags, HS_NODE_MYSELF | HS_NODE_MASTER);
    ck_assert_int_eq(me->ping_sent_ms, 0);
    ck_assert_int_eq(me->pong_received_ms, NOW_MS);
    ck_assert_uint_eq(me->slots_n, 4);
    ck_assert_uint_eq(t->owner[6], 0);
    ck_assert_uint_eq(t->owner[4], HS_TOPO_NONE);

    struct hs_node_id id;
    memcpy(id.hex, ID_B, HS_ID_LEN);
    uint16_t b = hs_topo_find(t, &id);
    ck_assert_str_eq(t->nodes[b].ip, "::1");
    ck_assert_uint_eq(t->nodes[b].flags, HS_NODE_SLAVE | HS_NODE_PFAIL | HS_NODE_NOFAILOVER);
    ck_assert_uint_eq(t->nodes[b].master, 0);
    ck_assert_uint_eq(t->nodes[b].config_epoch, 0); /* a replica has none of its own */
    ck_assert_mem_eq(t->nodes[b].shard_id, ID_D, HS_ID_LEN);
    ck_assert_uint_eq(t->migrating_n, 1);
    ck_assert_uint_eq(t->migrating[0].node, b);
    ck_assert_uint_eq(t->importing[0].slot, 9);
    ck_assert_uint_eq(t->current_epoch, 12); /* never below an epoch in use */
    ck_assert_uint_eq(t->last_vote_epoch, 8);
    assert_survives_a_round_trip(t);
    hs_topo_destroy(t);
}
END_TEST

START_TEST(a_node_only_mentioned_becomes_a_placeholder)
{
    struct hs_topo *t = must_parse(ID_A " " ADDR " myself,slave " ID_B " 0 0 0 connected\n" VARS);
    ck_assert_uint_eq(t->nodes_n, 2);
    ck_assert_uint_eq(t->nodes[0].master, 1);
    ck_assert_uint_eq(t->nodes[1].flags, 0);
    ck_assert_str_eq(t->nodes[1].ip, "");
    assert_survives_a_round_trip(t);
    hs_topo_destroy(t);
}
END_TEST

START_TEST(what_is_accepted_beyond_our_own_form)
{
    static const char *const texts[] = {
        ID_A " 127.0.0.1:7000 myself,master - 0 0 7 connected\n" VARS, /* no bus port */
        VARS ME,
        "\n\n" ME "\n" VARS "\n\n", /* 6.2 pads with newlines */
        ID_A " " ADDR " myself,primary - 0 0 7 connected\n" VARS,
        ID_A " " ADDR ",,tcp-port=7005,tls-port=0 myself,master - 0 0 7 connected\n" VARS,
        "\"" ID_A "\" " ADDR " 'myself,master' - 0 0 7 connected\r\n" VARS,
        ME ID_B " :0@0 master,noaddr,fail - 1 1 0 disconnected\n" VARS,
        ID_A " " ADDR ",Host.EXAMPLE myself,master - 0 0 7 connected\n" VARS,
        (ID_A " " ADDR ",,shard-id=" ID_C " myself,master - 0 0 7 connected\n" ID_B " " ADDR
              " slave " ID_A " 0 0 0 connected\n" VARS),
        ME ID_B " redis-1.local:7001@17001 noflags - 1 1 0 disconnected\n" VARS,
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct hs_topo *t = must_parse(texts[i]);
        ck_assert_uint_eq(t->nodes[0].cport, 17000);
        assert_survives_a_round_trip(t);
        hs_topo_destroy(t);
    }
}
END_TEST

START_TEST(of_two_claims_to_a_slot_the_first_line_wins)
{
    struct hs_topo *t = must_parse(ME ID_B " " ADDR " master - 0 0 8 connected 99-100\n" VARS);
    ck_assert_uint_eq(t->owner[99], 0);
    ck_assert_uint_eq(t->owner[100], 1);
    ck_assert_uint_eq(t->nodes[1].slots_n, 1);
    hs_topo_destroy(t);
}
END_TEST

static const struct {
    const char *text;
    uint32_t line;
    const char *words;
} broken[] = {
    {"", 0, "empty"},
    {ME "vars currentEpoch 9 lastVoteEpoch 8", 2, "middle of a line"},
    {"d3aea4ae", 1, "middle of a line"},
    {ME, 1, "no vars line"},
    {VARS, 1, "no line has the flag 'myself'"},
    {ME VARS VARS, 3, "second vars line"},
    {ME "vars currentEpoch 9 lastVoteEpoch\n", 2, "name without a value"},
    {ME "vars currentEpoch nine\n", 2, "'nine' is not an epoch"},
    {ME "vars currentEpoch 18446744073709551616\n", 2, "is not an epoch"},
    {ID_A " " ADDR " myself,master - 0 0 7\n" VARS, 1, "7 fields"},
    {"zz " ADDR " myself,master - 0 0 7 connected\n" VARS, 1, "'zz' is not a node id"},
    {ME ME VARS, 2, "has a line already"},
    {ME ID_B " " ADDR " myself,master - 0 0 7 connected\n" VARS, 2, "second line has the flag"},
    {ME ID_B " " ADDR " leader - 0 0 7 connected\n" VARS, 2, "unknown flag 'leader'"},
    {ME ID_B " " ADDR " master, - 0 0 7 connected\n" VARS, 2, "unknown flag ''"},
    {ME ID_B " " ADDR " handshake - 0 0 7 connected\n" VARS, 2, "unknown flag 'handshake'"},
    {ME ID_B " " ADDR " master,slave - 0 0 7 connected\n" VARS, 2, "master and slave"},
    {ID_A " " ADDR " myself - 0 0 7 connected\n" VARS, 1, "neither master nor slave"},
    {ME ID_B " " ADDR " slave xx 0 0 7 connected\n" VARS, 2, "master 'xx' is not a node id"},
    {ME ID_B " " ADDR " slave " ID_B " 0 0 7 connected\n" VARS, 2, "its own master"},
    {ME ID_B " " ADDR " master " ID_A " 0 0 7 connected\n" VARS, 2, "must have the flag 'slave'"},
    {ME ID_B " " ADDR " master - x 0 7 connected\n" VARS, 2, "ping-sent 'x'"},
    {ME ID_B " " ADDR " master - 0 -1 7 connected\n" VARS, 2, "pong-received '-1'"},
    {ME ID_B " " ADDR " master - 0 0 7x connected\n" VARS, 2, "'7x' is not an epoch"},
    {ME ID_B " " ADDR " master - 0 0 7 conn\n" VARS, 2, "neither connected nor"},
    {ME_TO(ADDR, " 16384") VARS, 1, "'16384' is not a slot"},
    {ME_TO(ADDR, " 5-16384") VARS, 1, "'16384' is not a slot"},
    {ME_TO(ADDR, " -5") VARS, 1, "'' is not a slot"},
    {ME_TO(ADDR, " 7-5") VARS, 1, "runs backwards"},
    {ME_TO(ADDR, " [5->-" ID_B) VARS, 1, "neither [slot->-id]"},
    {ME_TO(ADDR, " [5-" ID_B "]") VARS, 1, "neither [slot->-id]"},
    {ME_TO(ADDR, " [") VARS, 1, "neither [slot->-id]"},
    {ME_TO(ADDR, " [x->-" ID_B "]") VARS, 1, "'x' is not a slot"},
    {ME_TO(ADDR, " [5>-" ID_B "]") VARS, 1, "neither [slot->-id]"},
    {ME_TO(ADDR, " [5-=-" ID_B "]") VARS, 1, "neither [slot->-id]"},
    {ME_TO(ADDR, " [5->=" ID_B "]") VARS, 1, "neither [slot->-id]"},
    {ME_TO(ADDR, " [5->-" ID_B ">") VARS, 1, "neither [slot->-id]"},
    {ME_TO(ADDR, " [5->-" ID_B "x]") VARS, 1, "neither [slot->-id]"},
    {ME_TO(ADDR, " [5->-ABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCD]") VARS, 1, "not a node id"},
    {ME_TO(ADDR, " \"\"") VARS, 1, "'' is not a slot"},
    {ME_TO(ADDR ",h,shard-id=ABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCD", "") VARS, 1,
     "bad value for shard-id"},
    {ME_TO(ADDR ",h,nodename=a\x7f", "") VARS, 1, "bad value for nodename"},
    {ME_TO(ADDR ",h,client-ipv4=1.2.3.4/8", "") VARS, 1, "bad value for client-ipv4"},
    {ME_TO(ADDR ",h,client-ipv6=::1/64", "") VARS, 1, "bad value for client-ipv6"},
    {ME_TO("10.0.0.1{:7000@17000", "") VARS, 1, "is not an address"},
    {"ABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCD " ADDR " myself,master - 0 0 7 connected\n" VARS, 1,
     "is not a node id"},
    {ME ID_B " " ADDR " master x 0 0 7 connected\n" VARS, 2, "is not a node id"},
    {ME ID_B " " ADDR " master - 0 0 7 disconnect__\n" VARS, 2, "neither connected nor"},
    {ME ID_B " " ADDR " master - 0 0 7 connecteD\n" VARS, 2, "neither connected nor"},
    {ME_TO("127.0.0.1", "") VARS, 1, "is not an address"},
    {ME_TO("127.0.0.1:70000@1", "") VARS, 1, "is not an address"},
    {ME_TO("127.0.0.1:60000", "") VARS, 1, "is not an address"},
    {ME_TO("127.0.0.1:7000@", "") VARS, 1, "is not an address"},
    {ME_TO(ADDR ",under_score", "") VARS, 1, "is not a host name"},
    {ME_TO(ADDR ",h,", "") VARS, 1, "is not name=value"},
    {ME_TO(ADDR ",h,zone=a", "") VARS, 1, "unknown name 'zone'"},
    {ME_TO(ADDR ",h,tls-port=65536", "") VARS, 1, "bad value for tls-port: '65536'"},
    {ME_TO(ADDR ",h,shard-id=12", "") VARS, 1, "bad value for shard-id: '12'"},
    {ME_TO(ADDR ",h,nodename=a=b", "") VARS, 1, "bad value for nodename"},
    {ME_TO("\"127.0.0.1:7000@17000", "") VARS, 1, "unbalanced quotes"},
    {ME_TO(ADDR ",,shard-id=" ID_C, "") ID_B " " ADDR ",,shard-id=" ID_D " slave " ID_A
                                             " 0 0 0 connected\n" VARS,
     2, "differs from its master's"},
};

START_TEST(every_way_to_be_broken_names_its_line_and_its_reason)
{
    ck_assert_msg(parse(broken[_i].text) == NULL, "accepted: %s", broken[_i].text);
    ck_assert_msg(strstr(err.text, broken[_i].words) != NULL, "'%s' does not say '%s'", err.text,
                  broken[_i].words);
    ck_assert_uint_eq(err.line, broken[_i].line);
}
END_TEST

START_TEST(a_file_of_zeroes_is_called_unwritten)
{
    char text[512] = {0};
    ck_assert_ptr_null(hs_nodesconf_parse(text, sizeof(text), NOW_MS, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "NUL bytes"));
    ck_assert_uint_eq(err.line, 1);
    text[0] = text[7] = '\n';
    ck_assert_ptr_null(hs_nodesconf_parse(text, sizeof(text), NOW_MS, &err));
    ck_assert_uint_eq(err.line, 2);
}
END_TEST

START_TEST(a_message_has_no_control_characters)
{
    ck_assert_ptr_null(parse(ME_TO(ADDR, " \033[31m") VARS));
    ck_assert_ptr_nonnull(strstr(err.text, "'?[31m'"));
}
END_TEST

START_TEST(what_no_file_of_ours_can_hold_is_refused_before_it_is_read)
{
    static char text[2600];

    ck_assert_ptr_null(hs_nodesconf_parse(text, NODESCONF_MAX + 1, NOW_MS, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "larger than any"));
    memset(text, 'x', sizeof(text) - 1);
    memcpy(text, ID_A " ", HS_ID_LEN + 1);
    strcpy(text + sizeof(text) - 40, " myself,master - 0 0 7 connected\n");
    ck_assert_ptr_null(parse(text));
    ck_assert_ptr_nonnull(strstr(err.text, "address field is too long"));
    ck_assert_ptr_null(parse(ME_TO("\"10.0.0.1\\x00:7000@17000\"", "") VARS));
    ck_assert_ptr_nonnull(strstr(err.text, "address field is too long"));
}
END_TEST

START_TEST(each_name_after_the_address_survives_alone)
{
    static const char *const fields[] = {"client-ipv4=1.2.3.4", "client-ipv6=::1", "tls-port=7005",
                                         "nodename=Zoe", ("shard-id=" ID_C)};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        char wanted[256];
        size_t n;
        snprintf(wanted, sizeof(wanted), ID_A " " ADDR ",,%s myself,master - 0 0 7 connected\n%s",
                 fields[i], VARS);
        struct hs_topo *t = must_parse(wanted);
        char *text = hs_nodesconf_text(t, &n);
        ck_assert_str_eq(text, wanted);
        hs_free(text);
        hs_topo_destroy(t);
    }
}
END_TEST

START_TEST(a_field_with_nothing_to_say_is_left_out)
{
    struct hs_topo *t = must_parse(ME_TO(ADDR ",,tls-port=0", " 0-99") VARS);
    size_t n;
    char *text = hs_nodesconf_text(t, &n);
    ck_assert_str_eq(text, ME VARS); /* so 7.0 takes nothing for a host name */
    hs_free(text);
    hs_topo_destroy(t);
}
END_TEST

START_TEST(a_name_no_loader_could_read_is_left_out)
{
    struct hs_topo *t = must_parse(ME VARS);
    t->nodes[0].nodename = "my node";
    t->nodes[0].hostname = "a,b";
    t->nodes[0].client_ipv4 = "1.2.3.4 5";
    t->nodes[0].client_ipv6 = "::1 5";
    size_t n;
    char *text = hs_nodesconf_text(t, &n);
    ck_assert_str_eq(text, ME VARS);
    hs_free(text);
    strcpy(t->nodes[0].ip, "10.0.0.1 x");
    text = hs_nodesconf_text(t, &n);
    ck_assert_ptr_eq(strstr(text, " :7000@17000 "), text + HS_ID_LEN);
    hs_free(text);
    hs_topo_destroy(t);
}
END_TEST

START_TEST(a_node_in_handshake_is_not_written)
{
    struct hs_topo *t = must_parse(ME ID_B " " ADDR " master - 0 0 0 connected\n" VARS);
    t->nodes[1].flags |= HS_NODE_HANDSHAKE;
    size_t n;
    char *text = hs_nodesconf_text(t, &n);
    ck_assert_str_eq(text, ME VARS);
    hs_free(text);
    hs_topo_destroy(t);
}
END_TEST

START_TEST(the_largest_file_fits_its_bounds)
{
    enum { NODES = 3000 };
    static char name[HS_HOSTNAME_MAX + 1];
    memset(name, 'n', HS_HOSTNAME_MAX);
    struct hs_topo *t = hs_topo_create(NODES, HS_SLOTS, 0);
    for (uint32_t i = 0; i < NODES; i++) {
        struct hs_topo_node *node = &t->nodes[i];
        memset(node->id.hex, 'a', HS_ID_LEN);
        char digits[9];
        snprintf(digits, sizeof(digits), "%08u", i);
        memcpy(node->id.hex, digits, 8);
        memcpy(node->shard_id, node->id.hex, HS_ID_LEN);
        snprintf(node->ip, sizeof(node->ip), "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255");
        node->port = node->tls_port = node->cport = UINT16_MAX;
        node->flags =
            HS_NODE_MASTER | HS_NODE_PFAIL | HS_NODE_FAIL | HS_NODE_NOADDR | HS_NODE_NOFAILOVER;
        node->master = HS_TOPO_NONE;
        node->config_epoch = UINT64_MAX;
        node->ping_sent_ms = node->pong_received_ms = INT64_MAX;
        node->hostname = node->nodename = name;
        node->client_ipv4 = node->client_ipv6 = "2001:db8::1";
    }
    t->nodes[0].flags |= HS_NODE_MYSELF;
    t->nodes_n = NODES;
    t->current_epoch = t->last_vote_epoch = UINT64_MAX;
    for (uint32_t slot = 0; slot < HS_SLOTS; slot++) {
        t->owner[slot] = (uint16_t)(slot % NODES);
        t->nodes[slot % NODES].slots_n++;
        t->migrating[slot] = t->importing[slot] =
            (struct hs_topo_open){(uint16_t)slot, (uint16_t)(slot % NODES)};
    }
    t->migrating_n = t->importing_n = HS_SLOTS;
    for (uint32_t i = 0; i < NODES; i++) /* as the loader will have them */
        t->nodes[i].ping_sent_ms = t->nodes[i].pong_received_ms = NOW_MS;
    assert_survives_a_round_trip(t);
    hs_topo_destroy(t);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("store_text");
    TCase *tc = tcase_create("text");
    tcase_add_test(tc, what_every_stock_version_wrote_loads_and_survives_a_round_trip);
    tcase_add_test(tc, no_file_that_was_cut_short_anywhere_is_accepted);
    tcase_add_test(tc, every_field_lands_where_it_belongs);
    tcase_add_test(tc, a_node_only_mentioned_becomes_a_placeholder);
    tcase_add_test(tc, what_is_accepted_beyond_our_own_form);
    tcase_add_test(tc, of_two_claims_to_a_slot_the_first_line_wins);
    tcase_add_loop_test(tc, every_way_to_be_broken_names_its_line_and_its_reason, 0,
                        (int)(sizeof(broken) / sizeof(broken[0])));
    tcase_add_test(tc, a_file_of_zeroes_is_called_unwritten);
    tcase_add_test(tc, a_message_has_no_control_characters);
    tcase_add_test(tc, what_no_file_of_ours_can_hold_is_refused_before_it_is_read);
    tcase_add_test(tc, each_name_after_the_address_survives_alone);
    tcase_add_test(tc, a_field_with_nothing_to_say_is_left_out);
    tcase_add_test(tc, a_name_no_loader_could_read_is_left_out);
    tcase_add_test(tc, a_node_in_handshake_is_not_written);
    tcase_add_test(tc, the_largest_file_fits_its_bounds);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
