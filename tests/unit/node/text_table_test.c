#include "node/text_table.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void assert_written(struct text_table *table, const char *text)
{
    struct buffer out;
    buffer_init(&out, 65536);
    text_table_write(table, "none\n", &out);
    write_u8(&out, '\0');
    assert_false(out.failed);
    assert_string_equal((const char *)out.data, text);
    buffer_clear(&out);
    text_table_free(table);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
        cmocka_unit_test(table_without_rows_is_a_sentence),
        cmocka_unit_test(cells_cannot_steer_the_terminal),
        cmocka_unit_test(width_is_counted_in_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
