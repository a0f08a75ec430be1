#include "node/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void assert_text(struct buffer *out, const char *text)
{
    write_u8(out, '\0');
    assert_false(out->failed);
    assert_string_equal((const char *)out->data, text);
    buffer_clear(out);
}

static void assert_safe(const char *text, const char *safe)
{
    struct buffer out;
    buffer_init(&out, 4096);
    text_write_safe(&out, text);
    assert_text(&out, safe);
}

static void foreign_text_cannot_steer_the_terminal(void **state)
{
    (void)state;
    assert_safe("\x1b[2Jx\n\t\x7f", "?[2Jx???");
    assert_safe("\xc2\x9b"
                "31m",
                "?31m"); // CSI in one character
    // Right-to-left override: in bytes, as it would mislead who reads it here, too.
    assert_safe((const char[]){'a', (char)0xe2, (char)0x80, (char)0xae, 'b', '\0'}, "a?b");
    assert_safe("a\xe2\x80\x8b"
                "b",
                "a?b"); // no width at all
    assert_safe("caf\xc3\xa9 \xe6\xb1\xa0", "caf\xc3\xa9 \xe6\xb1\xa0");
}

static void bytes_that_are_no_utf8_become_question_marks(void **state)
{
    (void)state;
    assert_safe("\xff\xfe", "??");
    assert_safe("a\xc3", "a?");    // cut off
    assert_safe("\xc0\xaf", "??"); // not the shortest form of /
    assert_safe("\xe0\x80\xaf", "???");
    assert_safe("\xed\xa0\x80", "???");      // half of a pair
    assert_safe("\xf4\x90\x80\x80", "????"); // beyond the last character
    assert_safe("\xf0\x9f\xa6\x91", "\xf0\x9f\xa6\x91");
}

static void accents_do_not_pile_up(void **state)
{
    (void)state;
    assert_safe("e\xcc\x81\xcc\x81\xcc\x81\xcc\x81", "e\xcc\x81\xcc\x81??");
    assert_safe("\xcc\x81", "?");
}

static void width_is_what_a_terminal_shows(void **state)
{
    (void)state;
    assert_int_equal(text_width("abc"), 3);
    assert_int_equal(text_width("\xc3\xa9"), 1);
    assert_int_equal(text_width("e\xcc\x81"), 1);
    assert_int_equal(text_width("\xe6\xb1\xa0x"), 3);
    assert_int_equal(text_fit("\xe6\xb1\xa0x", 1), 0);
    assert_int_equal(text_fit("\xe6\xb1\xa0x", 2), 3);
    assert_int_equal(text_fit("e\xcc\x81x", 1), 3);
}

static void assert_column(const char *text, size_t columns, const char *written)
{
    struct buffer out;
    buffer_init(&out, 4096);
    text_write_column(&out, text, columns);
    assert_text(&out, written);
}

static void column_is_filled_or_cut_to_its_width(void **state)
{
    (void)state;
    assert_column("abc", 5, "abc  ");
    assert_column("abc", 3, "abc");
    assert_column("abcd", 3, "ab\xe2\x80\xa6");
    assert_column("abcd", 1, "\xe2\x80\xa6");
    assert_column("abcd", 0, "");
    assert_column("\xe6\xb1\xa0\xe6\xb1\xa0", 3, "\xe6\xb1\xa0\xe2\x80\xa6");
    assert_column("a\xe6\xb1\xa0\xe6\xb1\xa0", 3, "a\xe2\x80\xa6 ");
}

static void paragraphs_are_wrapped_at_spaces(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 4096);
    text_wrap(&out, "one two three four\n\n as it  is, however long\nlast", 2, 10);
    assert_text(&out, "  one two\n  three\n  four\n\n   as it  is, however long\n  last\n");
}

static void distance_counts_edits(void **state)
{
    (void)state;
    assert_int_equal(text_distance("status", "status"), 0);
    assert_int_equal(text_distance("stats", "status"), 1);
    assert_int_equal(text_distance("", "abc"), 3);
    assert_int_equal(text_distance("kitten", "sitting"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_text_cannot_steer_the_terminal),
        cmocka_unit_test(bytes_that_are_no_utf8_become_question_marks),
        cmocka_unit_test(accents_do_not_pile_up),
        cmocka_unit_test(width_is_what_a_terminal_shows),
        cmocka_unit_test(column_is_filled_or_cut_to_its_width),
        cmocka_unit_test(paragraphs_are_wrapped_at_spaces),
        cmocka_unit_test(distance_counts_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
