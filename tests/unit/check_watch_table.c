/* The table of events is whole, and docs/events.md has it as it is. To write it
 * there after a change: HS_UPDATE_DOCS=1 build/check_watch_table. */
#include "hs_test.h"
#include "watch_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE HS_SOURCE_DIR "/docs/events.md"
#define BEGIN "<!-- events -->\n"
#define END "<!-- end -->\n"

enum { PAGE_MAX = 65536 };

static char page[PAGE_MAX], table[PAGE_MAX];

static void render(void)
{
    size_t n = (size_t)snprintf(table, sizeof(table),
                                "| event | keys | script | what happened |\n"
                                "|---|---|---|---|\n");
    for (uint32_t i = 0; i < HS_TOLD_KINDS; i++) {
        const struct hs_told_row *r = hs_told_row((enum hs_told_kind)i);
        n += (size_t)snprintf(table + n, sizeof(table) - n, "| `%s` | `%s` | %s | %s |\n", r->name,
                              r->fields, r->urgent ? "yes" : "", r->help);
        ck_assert_uint_lt(n, sizeof(table));
    }
}

static void load(void)
{
    FILE *f = fopen(PAGE, "r");
    ck_assert_ptr_nonnull(f);
    size_t n = fread(page, 1, sizeof(page) - 1, f);
    fclose(f);
    page[n] = '\0';
}

static void write_page(const char *from, const char *to)
{
    FILE *f = fopen(PAGE, "w");
    ck_assert_ptr_nonnull(f);
    fwrite(page, 1, (size_t)(from - page), f);
    fputs(table, f);
    fputs(to, f);
    fclose(f);
}

START_TEST(the_page_has_the_table_as_it_is)
{
    render();
    load();
    char *from = strstr(page, BEGIN), *to = strstr(page, END);
    ck_assert_ptr_nonnull(from);
    ck_assert_ptr_nonnull(to);
    from += strlen(BEGIN);
    if (getenv("HS_UPDATE_DOCS") != NULL) {
        write_page(from, to);
        return;
    }
    ck_assert_msg(strlen(table) == (size_t)(to - from) && memcmp(table, from, strlen(table)) == 0,
                  PAGE " is not as the table is; write it with HS_UPDATE_DOCS=1");
}
END_TEST

START_TEST(every_event_has_a_name_of_its_own_and_a_sentence)
{
    for (uint32_t i = 0; i < HS_TOLD_KINDS; i++) {
        const struct hs_told_row *r = hs_told_row((enum hs_told_kind)i);
        ck_assert_ptr_nonnull(r->name);
        ck_assert(r->name[0] == '+' || r->name[0] == '-');
        ck_assert_uint_lt(strlen(r->name), 32);
        ck_assert_ptr_null(strchr(r->name, ' '));
        ck_assert(r->help[strlen(r->help) - 1] == '.');
        for (uint32_t j = 0; j < i; j++)
            ck_assert_str_ne(r->name, hs_told_row((enum hs_told_kind)j)->name);
    }
}
END_TEST

START_TEST(the_end_of_a_condition_stands_after_it_and_has_its_keys)
{
    for (uint32_t i = HS_TOLD_SPLIT; i < HS_TOLD_KINDS; i += 2) {
        const struct hs_told_row *r = hs_told_row((enum hs_told_kind)i);
        const struct hs_told_row *end = hs_told_row((enum hs_told_kind)(i + 1));
        ck_assert_str_eq(r->name + 1, end->name + 1);
        ck_assert(r->name[0] == '+' && end->name[0] == '-');
        ck_assert_uint_eq(strlen(end->fields), strlen(r->fields) + strlen(" lasted_ms"));
        ck_assert(strncmp(r->fields, end->fields, strlen(r->fields)) == 0);
    }
}
END_TEST

START_TEST(counters_are_named_after_conditions)
{
    uint32_t n = hs_watch_counters_n();
    ck_assert_str_eq(hs_watch_counter_name(n - 2), "certificate_expired");
    ck_assert_str_eq(hs_watch_counter_name(n - 1), "certificate_expired_now");
    ck_assert_str_eq(
        hs_watch_counter_name(n - 2 * (HS_TOLD_CERTIFICATE_EXPIRED - HS_TOLD_SPLIT) / 2 - 2),
        "split");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("watch_table");
    TCase *tc = tcase_create("table");
    tcase_add_test(tc, the_page_has_the_table_as_it_is);
    tcase_add_test(tc, every_event_has_a_name_of_its_own_and_a_sentence);
    tcase_add_test(tc, the_end_of_a_condition_stands_after_it_and_has_its_keys);
    tcase_add_test(tc, counters_are_named_after_conditions);
    suite_add_tcase(s, tc);
    return hs_test_main(s);
}
