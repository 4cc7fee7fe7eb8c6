/* Log lines are worded like the stock server's, and their number is bounded. */
#include "hs_test.h"

#include "owner_int.h"

#include <string.h>
#include <unistd.h>

static const struct hs_node_id id_a = {.hex = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
static const struct hs_node_id id_b = {.hex = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"};

static void ck_text(enum hs_note note, const struct owner_note_args *args, const char *expected)
{
    char line[512];
    owner_note_text(note, args, line, sizeof(line));
    ck_assert_str_eq(line, expected);
}

START_TEST(a_failure_found_here_is_worded_as_reached_quorum)
{
    struct owner_note_args args = {.node = &id_a, .node_name = "east-1", .other_name = ""};
    char line[512];
    ck_assert_int_eq(owner_note_text(HS_NOTE_FAIL, &args, line, sizeof(line)), HS_LOG_NOTICE);
    ck_assert_str_eq(line, "Marking node aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa (east-1) as "
                           "failing (quorum reached).");
}
END_TEST

START_TEST(a_failure_told_by_another_names_it)
{
    struct owner_note_args args = {
        .node = &id_a, .node_name = "", .other = &id_b, .other_name = "w"};
    ck_text(HS_NOTE_FAIL, &args,
            "FAIL message received from bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb (w) "
            "about aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ()");
}
END_TEST

START_TEST(a_planned_election_tells_delay_rank_and_offset_as_stock_servers)
{
    struct owner_note_args args = {.node = &id_a, .number = 713, .rank = 1, .offset = 42};
    ck_text(HS_NOTE_ELECTION_PLANNED, &args,
            "Start of election delayed for 713 milliseconds (rank #1, offset 42).");
}
END_TEST

START_TEST(a_refused_vote_tells_why_in_words)
{
    struct owner_note_args args = {.node = &id_a, .node_name = "w"};
    char line[512];
    args.number = HS_REFUSAL_MASTER_NOT_FAILED;
    ck_text(
        HS_NOTE_VOTE_REFUSED, &args,
        "Failover auth denied to aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa (w): its master is up");
    for (int why = HS_REFUSAL_NONE + 1; why < HS_REFUSALS; why++) {
        args.number = why;
        owner_note_text(HS_NOTE_VOTE_REFUSED, &args, line, sizeof(line));
        ck_assert_uint_gt(strlen(line), strlen("Failover auth denied to  (w): ") + HS_ID_LEN);
    }
}
END_TEST

START_TEST(a_manual_failover_tells_the_master_who_asked_for_it)
{
    struct owner_note_args args = {
        .node = &id_a, .node_name = "", .other = &id_b, .other_name = "w"};
    ck_text(HS_NOTE_MF_STARTED, &args,
            "Manual failover requested by replica bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb (w).");
    args.other = NULL;
    ck_text(HS_NOTE_MF_STARTED, &args, "Manual failover user request accepted.");
}
END_TEST

START_TEST(every_note_has_a_text_that_fits)
{
    char name[256];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    struct owner_note_args args = {
        .node = &id_a, .node_name = name, .other = &id_b, .other_name = name};
    for (int note = 0; note < HS_NOTES; note++) {
        char line[64];
        args.number = note == HS_NOTE_VOTE_REFUSED ? HS_REFUSAL_BUSY : INT64_MIN;
        owner_note_text((enum hs_note)note, &args, line, sizeof(line));
        ck_assert_uint_gt(strlen(line), 5);
        ck_assert_uint_lt(strlen(line), sizeof(line));
    }
}
END_TEST

START_TEST(lines_beyond_the_burst_are_dropped_counted_and_come_back_with_time)
{
    struct owner_bucket b = {0};
    uint32_t dropped = 0;
    int64_t now = 1000000;
    for (int i = 0; i < OWNER_NOTE_BURST; i++)
        ck_assert(owner_bucket_take(&b, now, &dropped));
    for (int i = 0; i < 7; i++)
        ck_assert(!owner_bucket_take(&b, now, &dropped));
    ck_assert(!owner_bucket_take(&b, now + 1000 / OWNER_NOTE_PER_S - 1, &dropped));
    ck_assert(owner_bucket_take(&b, now + 1000 / OWNER_NOTE_PER_S, &dropped));
    ck_assert_uint_eq(dropped, 8);
    int taken = 0;
    while (owner_bucket_take(&b, now + 3600000, &dropped)) {
        ck_assert_uint_eq(dropped, 0);
        taken++;
    }
    ck_assert_int_eq(taken, OWNER_NOTE_BURST);
}
END_TEST

START_TEST(a_kind_that_fell_silent_still_tells_what_was_left_out)
{
    static struct hs_owner o;
    char path[] = "/tmp/check_owner_notes.XXXXXX", text[512] = "";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(hs_log_open(path), 0);
    hs_log_set_level(HS_LOG_DEBUG);
    o.now.mono.ms = 1000;
    o.notes[HS_NOTE_PFAIL].dropped = 7;
    o.notes[HS_NOTE_PFAIL].filled_ms = 1000;
    owner_notes_flush(&o); /* no room yet */
    ck_assert_int_eq(read(fd, text, sizeof(text) - 1), 0);
    o.now.mono.ms += 1000;
    owner_notes_flush(&o);
    owner_notes_flush(&o);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    ck_assert_int_gt(n, 0);
    ck_assert_ptr_nonnull(strstr(text, "7 more lines like \"*** NODE %n possibly failing\""));
    ck_assert_ptr_eq(strchr(text, '\n'), text + n - 1);
    close(fd);
    unlink(path);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("owner_notes");
    TCase *t = tcase_create("notes");
    tcase_add_test(t, a_failure_found_here_is_worded_as_reached_quorum);
    tcase_add_test(t, a_failure_told_by_another_names_it);
    tcase_add_test(t, a_planned_election_tells_delay_rank_and_offset_as_stock_servers);
    tcase_add_test(t, a_refused_vote_tells_why_in_words);
    tcase_add_test(t, a_manual_failover_tells_the_master_who_asked_for_it);
    tcase_add_test(t, every_note_has_a_text_that_fits);
    tcase_add_test(t, lines_beyond_the_burst_are_dropped_counted_and_come_back_with_time);
    tcase_add_test(t, a_kind_that_fell_silent_still_tells_what_was_left_out);
    suite_add_tcase(s, t);
    return hs_test_main(s);
}
