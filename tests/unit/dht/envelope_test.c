#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "dht/envelope.h"

#define CHECK(...) check((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

// The size of the envelope, or 0 if it is refused.
static size_t check(const uint8_t *data, size_t size)
{
    size_t used = 0;
    uint8_t *copy = malloc(size); // so that AddressSanitizer sees a read beyond
    memcpy(copy, data, size);
    bool is_right = envelope_check(copy, size, &used);
    free(copy);
    return is_right ? used : 0;
}

static void every_allowed_type_is_measured(void **state)
{
    (void)state;
    assert_int_equal(CHECK(0x90), 1);
    assert_int_equal(CHECK(0x95, 0x00, 0x7f, 0xe0, 0xc0, 0xc3), 6);
    assert_int_equal(CHECK(0x91, 0xcc, 1), 3);
    assert_int_equal(CHECK(0x91, 0xcd, 1, 2), 4);
    assert_int_equal(CHECK(0x91, 0xce, 1, 2, 3, 4), 6);
    assert_int_equal(CHECK(0x91, 0xcf, 1, 2, 3, 4, 5, 6, 7, 8), 10);
    assert_int_equal(CHECK(0x91, 0xd3, 1, 2, 3, 4, 5, 6, 7, 8), 10);
    assert_int_equal(CHECK(0x91, 0xa2, 'a', 'b'), 4);
    assert_int_equal(CHECK(0x91, 0xd9, 1, 'a'), 4);
    assert_int_equal(CHECK(0x91, 0xda, 0, 1, 'a'), 5);
    assert_int_equal(CHECK(0x91, 0xc4, 2, 9, 9), 5);
    assert_int_equal(CHECK(0x91, 0xc5, 0, 1, 9), 5);
    assert_int_equal(CHECK(0x91, 0xc6, 0, 0, 0, 1, 9), 7);
    assert_int_equal(CHECK(0xdc, 0, 1, 0x01), 4);
    assert_int_equal(CHECK(0xdd, 0, 0, 0, 1, 0x01), 6);
    assert_int_equal(CHECK(0x91, 0x01, 0xff, 0xff), 2);
}

static void maps_floats_extensions_and_bare_values_are_refused(void **state)
{
    (void)state;
    static const uint8_t types[] = {0x80, 0xc1, 0xc7, 0xc8, 0xc9, 0xca,
                                    0xcb, 0xd4, 0xd5, 0xd8, 0xde, 0xdf};
    for (size_t i = 0; i < sizeof types; i++)
        assert_int_equal(
            CHECK(0x91, types[i], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0);
    assert_int_equal(CHECK(0x01), 0);
    assert_int_equal(CHECK(0xc4, 0), 0);
    assert_false(envelope_check("", 0, &(size_t){0}));
}

static void depth_of_four_is_the_most(void **state)
{
    (void)state;
    assert_int_equal(CHECK(0x91, 0x91, 0x91, 0x91, 0x01), 5);
    assert_int_equal(CHECK(0x91, 0x91, 0x91, 0x91, 0x90), 0);
}

static void announcing_more_than_is_there_is_refused(void **state)
{
    (void)state;
    assert_int_equal(CHECK(0x92, 0x01), 0);
    assert_int_equal(CHECK(0x91, 0xc4, 3, 1, 2), 0);
    assert_int_equal(CHECK(0x91, 0xc6, 0xff, 0xff, 0xff, 0xff, 0), 0);
    assert_int_equal(CHECK(0xdd, 0xff, 0xff, 0xff, 0xff), 0);
    assert_int_equal(CHECK(0x91, 0xdd, 0xff, 0xff, 0xff, 0xff, 0), 0);
    assert_int_equal(CHECK(0xdc, 0), 0);
    assert_int_equal(CHECK(0x91, 0xcd, 1), 0);
}

static void elements_of_all_arrays_together_are_bounded(void **state)
{
    (void)state;
    uint8_t data[8 + ENVELOPE_ELEMENTS_MAX] = {0x92, 0x90, 0xdc};
    size_t used;
    data[3] = (ENVELOPE_ELEMENTS_MAX - 2) >> 8;
    data[4] = (ENVELOPE_ELEMENTS_MAX - 2) & 0xff;
    assert_true(envelope_check(data, sizeof data, &used));
    data[4]++;
    assert_false(envelope_check(data, sizeof data, &used));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allowed_type_is_measured),
        cmocka_unit_test(maps_floats_extensions_and_bare_values_are_refused),
        cmocka_unit_test(depth_of_four_is_the_most),
        cmocka_unit_test(announcing_more_than_is_there_is_refused),
        cmocka_unit_test(elements_of_all_arrays_together_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
