#include "node/base/u256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/node/base/seeded.h"
#include "tests/unit/node/base/u256_vectors.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct u256 from_hex(const char *hex)
{
    struct u256 value;
    assert_true(u256_from_hex(&value, hex));
    return value;
}

static void assert_hex(const struct u256 *value, const char *hex)
{
    char text[65];
    u256_to_hex(value, text);
    assert_string_equal(text, hex);
}

static void assert_same(const struct u256 *a, const struct u256 *b)
{
    assert_memory_equal(a->limbs, b->limbs, sizeof a->limbs);
}

// Limbs of all zeros, all ones and single bits are where carries go wrong.
static struct u256 awkward(uint64_t *seed)
{
    struct u256 value;
    for (int i = 0; i < 4; i++) {
        uint64_t any = seeded_next(seed);
        uint64_t kinds[] = {
            0,  1, UINT64_MAX, UINT64_MAX - 1, UINT64_C(1) << 63, any & 0xff, any, any >> any % 64,
            any};
        value.limbs[i] = kinds[seeded_next(seed) % COUNT_OF(kinds)];
    }
    return value;
}

static u128 random_u128(uint64_t *seed)
{
    u128 value = (u128)seeded_next(seed) << 64 | seeded_next(seed);
    return value >> seeded_next(seed) % 128;
}

static void sums_and_differences_agree_with_the_compilers_128_bits(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 20000; i++) {
        u128 x = random_u128(&seed);
        u128 y = random_u128(&seed);
        struct u256 a = u256_from_u128(x);
        struct u256 b = u256_from_u128(y);
        struct u256 sum = u256_add(&a, &b);
        assert_true(u256_low_u128(&sum) == (u128)(x + y));
        assert_int_equal(sum.limbs[2], x + y < x); // the carry out of 128 bits
        assert_int_equal(sum.limbs[3], 0);
        struct u256 difference = u256_subtract(&a, &b);
        assert_true(u256_low_u128(&difference) == (u128)(x - y));
        assert_true(difference.limbs[3] == (x < y ? UINT64_MAX : 0)); // borrows run to the top
        assert_int_equal(u256_compare(&a, &b), x < y ? -1 : x > y);
    }
}

static void products_and_quotients_agree_with_the_compilers_128_bits(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (int i = 0; i < 20000; i++) {
        u128 x = random_u128(&seed);
        u128 y = random_u128(&seed) | 1;
        struct u256 a = u256_from_u128(x);
        struct u256 b = u256_from_u128(y);
        struct u256 rest;
        struct u256 quotient = u256_divide(&a, &b, &rest);
        assert_true(u256_low_u128(&quotient) == x / y && u256_low_u128(&rest) == x % y);
        assert_true((quotient.limbs[2] | quotient.limbs[3] | rest.limbs[2] | rest.limbs[3]) == 0);
        uint64_t small = (uint64_t)y;
        quotient = u256_divide_u64(&a, small);
        assert_true(u256_low_u128(&quotient) == x / small);
        bool overflowed;
        struct u256 product = u256_multiply(&a, &b, &overflowed);
        assert_true(u256_low_u128(&product) == (u128)(x * y));
        assert_false(overflowed); // 128 by 128 bits always fit
    }
}

static void divisions_agree_with_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(division_vectors); i++) {
        const struct division_vector *vector = &division_vectors[i];
        struct u256 a = from_hex(vector->a);
        struct u256 b = from_hex(vector->b);
        struct u256 remainder;
        struct u256 quotient = u256_divide(&a, &b, &remainder);
        assert_hex(&quotient, vector->quotient);
        assert_hex(&remainder, vector->remainder);
        quotient = u256_divide(&a, &b, NULL);
        assert_hex(&quotient, vector->quotient);
        if (u256_bit_length(&b) <= 64) {
            quotient = u256_divide_u64(&a, u256_low_u64(&b));
            assert_hex(&quotient, vector->quotient);
        }
    }
}

// The definition: one bit at a time, with nothing of the tested division in it.
static struct u256 divide_by_bits(const struct u256 *a, const struct u256 *b,
                                  struct u256 *remainder)
{
    struct u256 quotient = {{0}};
    struct u256 rest = {{0}};
    for (unsigned i = 256; i-- > 0;) {
        bool carry = rest.limbs[3] >> 63;
        rest = u256_shift_left(&rest, 1);
        rest.limbs[0] |= a->limbs[i / 64] >> (i % 64) & 1;
        if (carry || u256_compare(&rest, b) >= 0) {
            rest = u256_subtract(&rest, b);
            quotient.limbs[i / 64] |= UINT64_C(1) << (i % 64);
        }
    }
    *remainder = rest;
    return quotient;
}

static void divisions_agree_with_division_bit_by_bit(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < 20000; i++) {
        struct u256 a = awkward(&seed);
        struct u256 b = awkward(&seed);
        b = u256_shift_right(&b, (unsigned)(seeded_next(&seed) % 4 * 64));
        if (u256_is_zero(&b))
            continue;
        struct u256 rest;
        struct u256 expected_rest;
        struct u256 quotient = u256_divide(&a, &b, &rest);
        struct u256 expected = divide_by_bits(&a, &b, &expected_rest);
        assert_same(&quotient, &expected);
        assert_same(&rest, &expected_rest);
    }
}

static void products_and_their_overflow_agree_with_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(product_vectors); i++) {
        const struct product_vector *vector = &product_vectors[i];
        struct u256 a = from_hex(vector->a);
        struct u256 b = from_hex(vector->b);
        bool overflowed;
        struct u256 product = u256_multiply(&a, &b, &overflowed);
        assert_hex(&product, vector->low);
        assert_int_equal(overflowed, vector->overflowed);
        product = u256_multiply(&b, &a, NULL);
        assert_hex(&product, vector->low);
        if (u256_bit_length(&b) > 64)
            continue;
        product = u256_multiply_u64(&a, u256_low_u64(&b), &overflowed);
        assert_hex(&product, vector->low);
        assert_int_equal(overflowed, vector->overflowed);
    }
}

static void decimal_text_and_doubles_agree_with_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(decimal_vectors); i++) {
        const struct decimal_vector *vector = &decimal_vectors[i];
        struct u256 value = from_hex(vector->hex);
        char text[80];
        u256_to_decimal(&value, text);
        assert_string_equal(text, vector->decimal);
        struct u256 again;
        assert_true(u256_from_decimal(&again, vector->decimal));
        assert_same(&again, &value);
        double number = u256_to_double(&value);
        assert_memory_equal(&number, &vector->number, sizeof number);
    }
}

static void decimal_text_out_of_range_or_shape_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "-1",
        "+1",
        " 1",
        "1 ",
        "00",
        "01",
        "1a",
        "0x1",
        "1.0",
        // 2^256, then far beyond it, then one more digit than 2^256 has
        "115792089237316195423570985008687907853269984665640564039457584007913129639936",
        "999999999999999999999999999999999999999999999999999999999999999999999999999999",
        "1000000000000000000000000000000000000000000000000000000000000000000000000000000",
    };
    struct u256 value = u256_from_u64(7);
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(u256_from_decimal(&value, wrong[i]));
    struct u256 seven = u256_from_u64(7);
    assert_same(&value, &seven);
}

static void hex_text_has_exactly_64_digits(void **state)
{
    (void)state;
    char text[67];
    memset(text, 'f', sizeof text);
    text[66] = '\0';
    struct u256 value;
    assert_false(u256_from_hex(&value, text));
    text[65] = '\0';
    assert_false(u256_from_hex(&value, text));
    text[63] = '\0';
    assert_false(u256_from_hex(&value, text));
    text[63] = 'g';
    text[64] = '\0';
    assert_false(u256_from_hex(&value, text));
    text[63] = 'E';
    assert_true(u256_from_hex(&value, text));
    assert_true(value.limbs[0] == UINT64_MAX - 1 && value.limbs[3] == UINT64_MAX);
}

static void shifts_by_any_count_move_each_bit_to_its_place(void **state)
{
    (void)state;
    uint64_t seed = 4;
    for (unsigned bits = 0; bits < 260; bits++) {
        struct u256 value = awkward(&seed);
        struct u256 left = u256_shift_left(&value, bits);
        struct u256 right = u256_shift_right(&value, bits);
        for (unsigned i = 0; i < 256; i++) {
            uint64_t below = i >= bits ? value.limbs[(i - bits) / 64] >> ((i - bits) % 64) & 1 : 0;
            uint64_t above =
                i + bits < 256 ? value.limbs[(i + bits) / 64] >> ((i + bits) % 64) & 1 : 0;
            assert_int_equal(left.limbs[i / 64] >> (i % 64) & 1, below);
            assert_int_equal(right.limbs[i / 64] >> (i % 64) & 1, above);
        }
    }
    struct u256 all = u256_max();
    all = u256_shift_left(&all, UINT32_MAX);
    assert_true(u256_is_zero(&all));
}

static void bit_length_counts_up_to_the_highest_bit(void **state)
{
    (void)state;
    struct u256 value = {{0}};
    assert_int_equal(u256_bit_length(&value), 0);
    for (unsigned i = 0; i < 256; i++) {
        value = u256_from_u64(1);
        value = u256_shift_left(&value, i);
        assert_int_equal(u256_bit_length(&value), i + 1);
        struct u256 one = u256_from_u64(1);
        value = u256_subtract(&value, &one);
        assert_int_equal(u256_bit_length(&value), i);
    }
}

static void bytes_are_little_endian(void **state)
{
    (void)state;
    uint8_t bytes[32];
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (uint8_t)(i + 1);
    struct u256 value = u256_from_bytes_le(bytes);
    assert_hex(&value, "201f1e1d1c1b1a191817161514131211100f0e0d0c0b0a090807060504030201");
    uint8_t again[32];
    u256_to_bytes_le(&value, again);
    assert_memory_equal(again, bytes, 32);
}

static void numbers_wrap_around_at_both_ends(void **state)
{
    (void)state;
    struct u256 zero = {{0}};
    struct u256 one = u256_from_u64(1);
    struct u256 max = u256_max();
    struct u256 result = u256_add(&max, &one);
    assert_same(&result, &zero);
    result = u256_subtract(&zero, &one);
    assert_same(&result, &max);
    result = u256_not(&zero);
    assert_same(&result, &max);
    uint64_t seed = 5;
    for (int i = 0; i < 1000; i++) {
        struct u256 a = awkward(&seed);
        struct u256 b = awkward(&seed);
        result = u256_add(&a, &b);
        result = u256_subtract(&result, &b);
        assert_same(&result, &a);
        result = u256_not(&a); // -a - 1
        result = u256_add(&result, &a);
        assert_same(&result, &max);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_differences_agree_with_the_compilers_128_bits),
        cmocka_unit_test(products_and_quotients_agree_with_the_compilers_128_bits),
        cmocka_unit_test(divisions_agree_with_vectors),
        cmocka_unit_test(divisions_agree_with_division_bit_by_bit),
        cmocka_unit_test(products_and_their_overflow_agree_with_vectors),
        cmocka_unit_test(decimal_text_and_doubles_agree_with_vectors),
        cmocka_unit_test(decimal_text_out_of_range_or_shape_is_refused),
        cmocka_unit_test(hex_text_has_exactly_64_digits),
        cmocka_unit_test(shifts_by_any_count_move_each_bit_to_its_place),
        cmocka_unit_test(bit_length_counts_up_to_the_highest_bit),
        cmocka_unit_test(bytes_are_little_endian),
        cmocka_unit_test(numbers_wrap_around_at_both_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
