#include "node/base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void bytes_become_lower_case_pairs(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x09, 0xaf, 0xF0, 0xff};
    char text[11];
    hex_encode(bytes, sizeof bytes, text);
    assert_string_equal(text, "0009aff0ff");
    hex_encode(NULL, 0, text);
    assert_string_equal(text, "");
}

static void both_cases_are_decoded(void **state)
{
    (void)state;
    uint8_t bytes[4];
    assert_true(hex_decode("0aBcDEf9", 8, bytes, 4));
    assert_memory_equal(bytes, "\x0a\xbc\xde\xf9", 4);
    assert_true(hex_decode("", 0, bytes, 0));
}

static void wrong_sizes_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[4];
    assert_false(hex_decode("00112", 5, bytes, 2));
    assert_false(hex_decode("001122", 6, bytes, 2));
    assert_false(hex_decode("0011", 4, bytes, 3));
    assert_false(hex_decode("0", 1, bytes, 0));
}

// All 256 characters, in both places of a pair.
static void exactly_the_22_digits_are_digits(void **state)
{
    (void)state;
    static const char digits[] = "0123456789abcdefABCDEF";
    for (int c = 0; c < 256; c++) {
        const char *found = memchr(digits, c, 22);
        int expected = found == NULL         ? -1
                       : found - digits < 16 ? (int)(found - digits)
                                             : (int)(found - digits) - 6;
        assert_int_equal(hex_digit((char)c), expected);
        char text[2] = {(char)c, '1'};
        uint8_t byte;
        assert_int_equal(hex_decode(text, 2, &byte, 1), expected >= 0);
        char other[2] = {'1', (char)c};
        assert_int_equal(hex_decode(other, 2, &byte, 1), expected >= 0);
        if (expected >= 0)
            assert_int_equal(byte, 16 + expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_become_lower_case_pairs),
        cmocka_unit_test(both_cases_are_decoded),
        cmocka_unit_test(wrong_sizes_are_refused),
        cmocka_unit_test(exactly_the_22_digits_are_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
