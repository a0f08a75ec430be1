// Every kind of parameter: what is taken, what is refused, and what the refusal says.
#include "node/api/parameter.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const struct api_parameter table[] = {
    {"limit", API_NUMBER, 1, 500, 50, NULL, "How many."},
    {"id", API_HASH, 0, 0, 0, NULL, "Of a block."},
    {"period", API_WORD, 0, 0, 0, "hour day week", "How long."},
    {"label", API_NAME, 2, 10, 0, NULL, "For people."},
    {"any", API_NUMBER, 0, UINT64_MAX, 7, NULL, "Any number."},
};

static const struct api_parameter *row(const char *name)
{
    return api_parameter_find(table, sizeof(table) / sizeof(table[0]), name);
}

static bool takes(const char *name, const char *text, size_t size, struct api_value *value)
{
    char detail[API_DETAIL_SIZE] = "";
    bool is_taken = api_parameter_read(row(name), text, size, value, detail);
    if (is_taken) {
        assert_true(value->is_given);
        assert_int_equal(strlen(value->text), size);
        assert_memory_equal(value->text, text, size);
    } else {
        assert_non_null(strstr(detail, name));
        assert_non_null(strstr(detail, "must be"));
        for (size_t i = 0; detail[i] != '\0'; i++)
            assert_true(detail[i] >= 0x20 && detail[i] < 0x7f);
    }
    return is_taken;
}

#define TAKES(name, text, value) takes(name, text, sizeof(text) - 1, value)

static void numbers_are_digits_within_their_range(void **state)
{
    (void)state;
    struct api_value value;
    assert_true(TAKES("limit", "1", &value));
    assert_int_equal(value.number, 1);
    assert_true(TAKES("limit", "500", &value));
    assert_int_equal(value.number, 500);
    assert_true(TAKES("limit", "007", &value));
    assert_int_equal(value.number, 7);
    assert_true(TAKES("any", "18446744073709551615", &value));
    assert_true(value.number == UINT64_MAX);
    static const char *const bad[] = {"",    "0",  "501", "-1",  "+1",
                                      "1.5", "1 ", " 1",  "1e2", "18446744073709551617"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(takes("limit", bad[i], strlen(bad[i]), &value));
    assert_false(TAKES("any", "18446744073709551616", &value));
    assert_false(TAKES("any", "99999999999999999999999", &value));
}

static void hashes_are_64_hex_digits(void **state)
{
    (void)state;
    struct api_value value;
    char text[65];
    snprintf(text, sizeof(text), "%064d", 5);
    assert_true(takes("id", text, 64, &value));
    assert_false(takes("id", text, 63, &value));
    text[10] = 'F';
    assert_true(takes("id", text, 64, &value));
    text[10] = 'g';
    assert_false(takes("id", text, 64, &value));
    assert_false(TAKES("id", "", &value));
}

static void words_are_whole_words_of_the_list(void **state)
{
    (void)state;
    struct api_value value;
    assert_true(TAKES("period", "hour", &value));
    assert_true(TAKES("period", "week", &value));
    assert_false(TAKES("period", "wee", &value));
    assert_false(TAKES("period", "weeks", &value));
    assert_false(TAKES("period", "hour day", &value));
    assert_false(TAKES("period", " ", &value));
    assert_false(TAKES("period", "", &value));
}

static void names_are_short_plain_text(void **state)
{
    (void)state;
    struct api_value value;
    assert_true(TAKES("label", "ab", &value));
    assert_true(TAKES("label", "0123456789", &value));
    assert_true(TAKES("label", "<b>\"'&", &value));
    assert_true(TAKES("label", "\xc3\xa4\xf0\x9f\x90\x9f", &value));
    assert_false(TAKES("label", "a", &value));
    assert_false(TAKES("label", "0123456789a", &value));
    assert_false(TAKES("label", "a\nb", &value));
    assert_false(TAKES("label", "a\0b", &value));
    assert_false(TAKES("label", "a\x7f", &value));
    assert_false(TAKES("label", "a\xc2\x85", &value)); // a control character of two bytes
    assert_false(TAKES("label", "a\xc3", &value));     // half of one
    assert_false(TAKES("label", "\xc0\xaf", &value));  // not the shortest form
    assert_false(TAKES("label", "\xed\xa0\x80", &value));
}

static void longest_text_of_all_is_refused_without_being_shown_whole(void **state)
{
    (void)state;
    struct api_value value;
    static char text[5000];
    memset(text, 'a', sizeof(text));
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_false(takes(table[i].name, text, sizeof(text), &value));
        assert_false(takes(table[i].name, text, API_TEXT_SIZE, &value));
    }
}

static void where_nothing_is_given_the_table_says_what_counts(void **state)
{
    (void)state;
    struct api_value value;
    api_parameter_default(row("limit"), &value);
    assert_false(value.is_given);
    assert_int_equal(value.number, 50);
    api_parameter_default(row("period"), &value);
    assert_string_equal(value.text, "hour");
    api_parameter_default(row("label"), &value);
    assert_string_equal(value.text, "");
    assert_null(row("limi"));
    assert_null(row("limits"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_digits_within_their_range),
        cmocka_unit_test(hashes_are_64_hex_digits),
        cmocka_unit_test(words_are_whole_words_of_the_list),
        cmocka_unit_test(names_are_short_plain_text),
        cmocka_unit_test(longest_text_of_all_is_refused_without_being_shown_whole),
        cmocka_unit_test(where_nothing_is_given_the_table_says_what_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
