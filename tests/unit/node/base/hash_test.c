#include "node/base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

// The genesis block of Bitcoin, as explorers show it and as it stands in the next header.
static const char genesis_display[] =
    "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
static const char genesis_wire[] =
    "6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000";

static void display_is_the_wire_order_reversed(void **state)
{
    (void)state;
    struct hash256 from_display;
    struct hash256 from_wire;
    assert_true(hash_from_display(&from_display, genesis_display));
    assert_true(hash_from_hex(&from_wire, genesis_wire));
    assert_true(hash_equal(&from_display, &from_wire));
    assert_int_equal(from_wire.bytes[0], 0x6f);
    char text[65];
    hash_to_display(&from_wire, text);
    assert_string_equal(text, genesis_display);
    hash_to_hex(&from_wire, text);
    assert_string_equal(text, genesis_wire);
}

static void text_of_another_length_or_alphabet_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    char text[66];
    struct hash256 hash = {{1}};
    memset(text, 'a', sizeof text);
    text[65] = '\0';
    assert_false(hash_from_hex(&hash, text));
    assert_false(hash_from_display(&hash, text));
    text[63] = '\0';
    assert_false(hash_from_hex(&hash, text));
    assert_false(hash_from_display(&hash, text));
    text[63] = 'x';
    text[64] = '\0';
    assert_false(hash_from_hex(&hash, text));
    assert_false(hash_from_display(&hash, text));
    assert_int_equal(hash.bytes[0], 1);
    assert_int_equal(hash.bytes[1], 0);
}

static void order_is_by_the_first_differing_byte_unsigned(void **state)
{
    (void)state;
    struct hash256 a = {{0}};
    struct hash256 b = {{0}};
    assert_int_equal(hash_compare(&a, &b), 0);
    a.bytes[0] = 0x80;
    b.bytes[0] = 0x7f;
    b.bytes[31] = 0xff;
    assert_true(hash_compare(&a, &b) > 0);
    assert_true(hash_compare(&b, &a) < 0);
    assert_false(hash_equal(&a, &b));
}

static void any_set_byte_makes_a_hash_not_zero(void **state)
{
    (void)state;
    struct hash256 hash = {{0}};
    assert_true(hash_is_zero(&hash));
    for (int i = 0; i < 32; i++) {
        hash.bytes[i] = 1;
        assert_false(hash_is_zero(&hash));
        hash.bytes[i] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(display_is_the_wire_order_reversed),
        cmocka_unit_test(text_of_another_length_or_alphabet_is_refused_and_changes_nothing),
        cmocka_unit_test(order_is_by_the_first_differing_byte_unsigned),
        cmocka_unit_test(any_set_byte_makes_a_hash_not_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
