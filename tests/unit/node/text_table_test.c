#include "node/text_table.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void assert_written_in(struct text_table *table, size_t width, const char *text)
{
    struct buffer out;
    buffer_init(&out, 65536);
    text_table_write(table, &(struct text_table_look){width, false, "none\n"}, &out);
    write_u8(&out, '\0');
    assert_false(out.failed);
    assert_string_equal((const char *)out.data, text);
    buffer_clear(&out);
    text_table_free(table);
}

static void assert_written(struct text_table *table, const char *text)
{
    assert_written_in(table, 0, text);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
    (void)state;
    struct text_table *table = text_table_new("name|>count|note");
    text_table_add(table, "ana");
    text_table_add_format(table, "%d", 12345678);
    text_table_add(table, "x");
    text_table_add(table, "benedict");
    text_table_add(table, "1");
    text_table_add(table, "");
    assert_written(table, "name         count  note\n"
                          "ana       12345678  x\n"
                          "benedict         1  \n");
}

static void table_without_rows_is_a_sentence(void **state)
{
    (void)state;
    assert_written(text_table_new("a|b"), "none\n");
}

static void cells_cannot_steer_the_terminal(void **state)
{
    (void)state;
    struct text_table *table = text_table_new("a|b");
    text_table_add(table, "\x1b[2Jx\n\t\x7f");
    text_table_add(table, "\xc2\x9b"
                          "31m caf\xc3\xa9");
    assert_written(table, "a         b\n"
                          "?[2Jx???  ?31m caf\xc3\xa9\n");
}

static void width_is_counted_in_characters(void **state)
{
    (void)state;
    struct text_table *table = text_table_new("a|b");
    text_table_add(table, "\xc3\xa9\xc3\xa9");
    text_table_add(table, "1");
    text_table_add(table, "abc");
    text_table_add(table, "2");
    assert_written(table, "a    b\n\xc3\xa9\xc3\xa9   1\nabc  2\n");
}

static struct text_table *three_rows(void)
{
    struct text_table *table = text_table_new("name|~device|>rate|~>count");
    static const struct {
        const char *name, *rate;
        double key;
    } rows[] = {{"ana", "9 H/s", 9}, {"cy", "2 kH/s", 2000}, {"ben", "9 H/s", 9}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        text_table_add(table, rows[i].name);
        text_table_add(table, "a long device name");
        text_table_add(table, rows[i].rate);
        text_table_set_key(table, rows[i].key);
        text_table_add(table, "1");
    }
    return table;
}

static void rows_are_sorted_by_what_a_cell_stands_for(void **state)
{
    (void)state;
    struct text_table *table = three_rows();
    text_table_sort(table, 2, false);
    assert_written_in(table, 14, "name   rate*\ncy    2 kH/s\nana    9 H/s\nben    9 H/s\n");
    table = three_rows();
    text_table_sort(table, 2, true);
    assert_written_in(table, 14, "name   rate*\nana    9 H/s\nben    9 H/s\ncy    2 kH/s\n");
    table = three_rows();
    text_table_sort(table, 0, false);
    assert_written_in(table, 14, "name*    rate\nana     9 H/s\nben     9 H/s\ncy     2 kH/s\n");
}

static void narrow_terminal_gets_fewer_columns_and_shorter_texts(void **state)
{
    (void)state;
    assert_written_in(three_rows(), 80,
                      "name  device                rate  count\n"
                      "ana   a long device name   9 H/s      1\n"
                      "cy    a long device name  2 kH/s      1\n"
                      "ben   a long device name   9 H/s      1\n");
    assert_written_in(three_rows(), 30,
                      "name  device              rate\n"
                      "ana   a long device n…   9 H/s\n"
                      "cy    a long device n…  2 kH/s\n"
                      "ben   a long device n…   9 H/s\n");
}

static void numbers_are_never_cut(void **state)
{
    (void)state;
    struct text_table *table = text_table_new("name|>count");
    text_table_add(table, "benedict");
    text_table_add(table, "1234567890");
    assert_written_in(table, 12, "name         count\nbened…  1234567890\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
        cmocka_unit_test(table_without_rows_is_a_sentence),
        cmocka_unit_test(cells_cannot_steer_the_terminal),
        cmocka_unit_test(width_is_counted_in_characters),
        cmocka_unit_test(rows_are_sorted_by_what_a_cell_stands_for),
        cmocka_unit_test(narrow_terminal_gets_fewer_columns_and_shorter_texts),
        cmocka_unit_test(numbers_are_never_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
