// Compact bits, work and difficulty against OpenSSL's big numbers and values known from Bitcoin.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <openssl/bn.h>
#include <string.h>
#include "node/pow/target.h"

static uint64_t next_random(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = (*state ^ *state >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

static struct u256 from_hex(const char *hex)
{
    struct u256 value;
    assert_true(u256_from_hex(&value, hex));
    return value;
}

static void assert_u256_hex(const struct u256 *value, const char *expected)
{
    char hex[65];
    u256_to_hex(value, hex);
    assert_string_equal(hex, expected);
}

static BIGNUM *to_bn(const struct u256 *value)
{
    uint8_t bytes[32];
    u256_to_bytes_le(value, bytes);
    BIGNUM *bn = BN_lebin2bn(bytes, sizeof bytes, NULL);
    assert_non_null(bn);
    return bn;
}

// value * 2^shift, shift of either sign (rounded down)
static BIGNUM *scaled_bn(uint64_t value, int shift)
{
    BIGNUM *bn = BN_new();
    assert_non_null(bn);
    assert_int_equal(BN_set_word(bn, value), 1);
    if (shift >= 0)
        assert_int_equal(BN_lshift(bn, bn, shift), 1);
    else
        assert_int_equal(BN_rshift(bn, bn, -shift), 1);
    return bn;
}

static BIGNUM *quotient_bn(const BIGNUM *a, const BIGNUM *b)
{
    BIGNUM *quotient = BN_new();
    BN_CTX *ctx = BN_CTX_new();
    assert_int_equal(BN_div(quotient, NULL, a, b, ctx), 1);
    BN_CTX_free(ctx);
    return quotient;
}

static void assert_equals_bn(const struct u256 *value, const BIGNUM *expected)
{
    BIGNUM *bn = to_bn(value);
    assert_int_equal(BN_cmp(bn, expected), 0);
    BN_free(bn);
}

static void known_bits_expand_and_compact(void **context)
{
    (void)context;
    static const struct {
        uint32_t bits;
        const char *target;
        uint32_t compact;
    } cases[] = {
        {0x1d00ffff, "00000000ffff0000000000000000000000000000000000000000000000000000",
         0x1d00ffff},
        {0x207fffff, "7fffff0000000000000000000000000000000000000000000000000000000000",
         0x207fffff},
        {0x1e0fffff, "00000fffff000000000000000000000000000000000000000000000000000000",
         0x1e0fffff},
        {0x1b0404cb, "00000000000404cb000000000000000000000000000000000000000000000000",
         0x1b0404cb},
        {0x2100ffff, "ffff000000000000000000000000000000000000000000000000000000000000",
         0x2100ffff},
        {0x220000ff, "ff00000000000000000000000000000000000000000000000000000000000000",
         0x2100ff00},
        {0x05009234, "0000000000000000000000000000000000000000000000000000000092340000",
         0x05009234},
        {0x04123456, "0000000000000000000000000000000000000000000000000000000012345600",
         0x04123456},
        {0x03123456, "0000000000000000000000000000000000000000000000000000000000123456",
         0x03123456},
        {0x02123456, "0000000000000000000000000000000000000000000000000000000000001234",
         0x02123400},
        {0x02008000, "0000000000000000000000000000000000000000000000000000000000000080",
         0x02008000},
        {0x01123456, "0000000000000000000000000000000000000000000000000000000000000012",
         0x01120000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct u256 target;
        assert_true(target_expand(cases[i].bits, &target));
        assert_u256_hex(&target, cases[i].target);
        assert_int_equal(target_compact(&target), cases[i].compact);
        assert_int_equal(target_bits_are_canonical(cases[i].bits),
                         cases[i].bits == cases[i].compact);
    }
}

static void negative_zero_and_overflowing_bits_are_refused(void **context)
{
    (void)context;
    static const uint32_t refused[] = {
        0x00000000, 0x00123456, 0x00923456, 0x01003456, 0x02000056, 0x03000000, 0x04000000, // zero
        0x01fedcba, 0x04923456, 0x1d80ffff, 0x20ffffff, 0x04800000, 0xffffffff, // negative
        0x21010000, 0x22000100, 0x23000001, 0x23010000, 0xff123456, 0xff000001, // too large
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct u256 target;
        assert_false(target_expand(refused[i], &target));
        assert_false(target_bits_are_canonical(refused[i]));
    }
}

static void any_bits_expand_to_mantissa_times_a_power_of_256(void **context)
{
    (void)context;
    uint64_t random = 1;
    size_t expanded = 0;
    for (size_t i = 0; i < 20000; i++) {
        uint32_t bits = (uint32_t)next_random(&random);
        bits = (bits & 0x00ffffff) | (bits >> 24) % 40 << 24;
        BIGNUM *expected = scaled_bn(bits & 0x7fffff, 8 * ((int)(bits >> 24) - 3));
        bool is_good = !(bits & 0x800000) && !BN_is_zero(expected) && BN_num_bits(expected) <= 256;
        struct u256 target;
        assert_int_equal(target_expand(bits, &target), is_good);
        if (is_good) {
            expanded++;
            assert_equals_bn(&target, expected);
        }
        BN_free(expected);
    }
    assert_true(expanded > 5000);
}

static void compacting_keeps_the_leading_bytes_and_rounds_down(void **context)
{
    (void)context;
    uint64_t random = 2;
    for (size_t i = 0; i < 5000; i++) {
        struct u256 target, back, error;
        for (size_t k = 0; k < 4; k++)
            target.limbs[k] = next_random(&random);
        target = u256_shift_right(&target, (unsigned)(next_random(&random) % 255));
        if (u256_is_zero(&target))
            continue;
        uint32_t bits = target_compact(&target);
        assert_true(target_expand(bits, &back));
        assert_true(u256_compare(&back, &target) <= 0);
        // At least 15 bits are kept: two bytes and a bit, the sign's place apart.
        error = u256_subtract(&target, &back);
        struct u256 share = u256_shift_right(&target, 15);
        assert_true(u256_compare(&error, &share) <= 0);
        assert_true(target_bits_are_canonical(bits));
    }
    struct u256 zero = u256_from_u64(0), all = u256_max();
    assert_int_equal(target_compact(&zero), 0);
    assert_int_equal(target_compact(&all), 0x2100ffff);
}

static void work_is_two_to_the_256_over_target_plus_one(void **context)
{
    (void)context;
    uint64_t random = 3;
    for (size_t i = 0; i < 3000; i++) {
        struct u256 target;
        for (size_t k = 0; k < 4; k++)
            target.limbs[k] = next_random(&random);
        target = u256_shift_right(&target, (unsigned)(next_random(&random) % 256));
        if (u256_is_zero(&target))
            continue;
        BIGNUM *divisor = to_bn(&target), *all = scaled_bn(1, 256);
        assert_int_equal(BN_add_word(divisor, 1), 1);
        BIGNUM *expected = quotient_bn(all, divisor);
        struct u256 work = target_work(&target);
        assert_equals_bn(&work, expected);
        BN_free(divisor);
        BN_free(all);
        BN_free(expected);
    }
}

static void work_at_the_ends_is_right(void **context)
{
    (void)context;
    struct u256 target = u256_max(), work = target_work(&target);
    assert_int_equal(u256_low_u64(&work), 1);
    assert_int_equal(u256_bit_length(&work), 1);
    target = u256_from_u64(1);
    work = target_work(&target);
    assert_u256_hex(&work, "8000000000000000000000000000000000000000000000000000000000000000");
    assert_true(target_expand(0x1d00ffff, &target));
    work = target_work(&target);
    assert_u256_hex(&work, "0000000000000000000000000000000000000000000000000000000100010001");
}

static void a_hash_is_a_little_endian_number_that_may_equal_the_target(void **context)
{
    (void)context;
    struct u256 target =
        from_hex("00000000000000000000000000000000000000000000000000000000000100ff");
    struct hash256 hash = {{0xff, 0x00, 0x01}};
    assert_true(target_is_met(&hash, &target));
    hash.bytes[1] = 1;
    assert_false(target_is_met(&hash, &target));
    hash = (struct hash256){{0xfe, 0x00, 0x01}};
    assert_true(target_is_met(&hash, &target));
    hash.bytes[31] = 1;
    assert_false(target_is_met(&hash, &target));
    struct u256 value = target_of_hash(&hash);
    assert_u256_hex(&value, "01000000000000000000000000000000000000000000000000000000000100fe");
}

static void known_difficulties_are_met(void **context)
{
    (void)context;
    const struct pow_algorithm *sha256d = pow_algorithm(POW_SHA256D);
    const struct pow_algorithm *scrypt = pow_algorithm(POW_SCRYPT);
    struct u256 target = target_from_difficulty(1, sha256d);
    assert_u256_hex(&target, "00000000ffff0000000000000000000000000000000000000000000000000000");
    assert_true(target_to_difficulty(&target, sha256d) == 1);
    target = target_from_difficulty(65536, scrypt);
    assert_u256_hex(&target, "00000000ffff0000000000000000000000000000000000000000000000000000");
    assert_true(target_to_difficulty(&target, scrypt) == 65536);
    target = target_from_difficulty(1, scrypt);
    assert_u256_hex(&target, "0000ffff00000000000000000000000000000000000000000000000000000000");
    target = target_from_difficulty(0.5, sha256d);
    assert_u256_hex(&target, "00000001fffe0000000000000000000000000000000000000000000000000000");
    target = target_from_difficulty(3, sha256d);
    assert_u256_hex(&target, "0000000055550000000000000000000000000000000000000000000000000000");
    target = target_from_difficulty(7, sha256d);
    assert_u256_hex(&target, "0000000024922492492492492492492492492492492492492492492492492492");
    // Block 100800 of Bitcoin.
    assert_true(target_expand(0x1b0404cb, &target));
    assert_true(fabs(target_to_difficulty(&target, sha256d) - 16307.420938523983) < 1e-9);
}

// The difficulty that a double's bits spell, positive and finite.
static double any_difficulty(uint64_t *random)
{
    for (;;) {
        uint64_t bits = next_random(random) >> 1;
        // Every other one of a size that occurs, 2^-40 to 2^216.
        if (next_random(random) & 1)
            bits = (bits & UINT64_C(0x000fffffffffffff)) | (1023 - 40 + next_random(random) % 256)
                                                               << 52;
        double difficulty;
        memcpy(&difficulty, &bits, sizeof difficulty);
        if (isfinite(difficulty) && difficulty > 0)
            return difficulty;
    }
}

static void any_difficulty_gives_the_exact_quotient_rounded_down_and_kept_in_range(void **context)
{
    (void)context;
    uint64_t random = 4;
    struct u256 max = u256_max();
    BIGNUM *max_bn = to_bn(&max), *one_bn = scaled_bn(1, 0);
    for (size_t i = 0; i < 5000; i++) {
        const struct pow_algorithm *algorithm = pow_algorithm(i % 2 ? POW_SCRYPT : POW_SHA256D);
        double difficulty = any_difficulty(&random);
        int exponent;
        uint64_t mantissa = (uint64_t)ldexp(frexp(difficulty, &exponent), 53);
        // 0xffff * scale * 2^208 / (mantissa * 2^(exponent - 53)), with 1200 bits to spare
        BIGNUM *dividend =
            scaled_bn(UINT64_C(0xffff) * algorithm->difficulty_scale, 208 + 53 + 1200);
        BIGNUM *divisor = scaled_bn(mantissa, exponent + 1200);
        BIGNUM *expected = quotient_bn(dividend, divisor);
        if (BN_cmp(expected, max_bn) > 0)
            assert_non_null(BN_copy(expected, max_bn));
        if (BN_is_zero(expected))
            assert_non_null(BN_copy(expected, one_bn));
        struct u256 target = target_from_difficulty(difficulty, algorithm);
        assert_equals_bn(&target, expected);
        BN_free(dividend);
        BN_free(divisor);
        BN_free(expected);
    }
    BN_free(max_bn);
    BN_free(one_bn);
}

static void extreme_difficulties_stay_in_range(void **context)
{
    (void)context;
    const struct pow_algorithm *sha256d = pow_algorithm(POW_SHA256D);
    struct u256 one = u256_from_u64(1), max = u256_max(), target;
    target = target_from_difficulty(DBL_MAX, sha256d);
    assert_int_equal(u256_compare(&target, &one), 0);
    target = target_from_difficulty(ldexp(0xffff, 208), sha256d);
    assert_int_equal(u256_compare(&target, &one), 0);
    target = target_from_difficulty(ldexp(0xffff, 207), sha256d);
    assert_int_equal(u256_low_u64(&target), 2);
    target = target_from_difficulty(DBL_TRUE_MIN, sha256d);
    assert_int_equal(u256_compare(&target, &max), 0);
    // 0xffff * 2^208 / 2^-32 is the last power of two that fits.
    target = target_from_difficulty(ldexp(1, -32), sha256d);
    assert_u256_hex(&target, "ffff000000000000000000000000000000000000000000000000000000000000");
    target = target_from_difficulty(ldexp(1, -33), sha256d);
    assert_int_equal(u256_compare(&target, &max), 0);
}

static void difficulty_survives_the_way_to_a_target_and_back(void **context)
{
    (void)context;
    uint64_t random = 5;
    for (size_t i = 0; i < 2000; i++) {
        const struct pow_algorithm *algorithm = pow_algorithm(i % 2 ? POW_SCRYPT : POW_SHA256D);
        double difficulty = ldexp(1 + (double)(next_random(&random) >> 11) / (1ull << 53),
                                  (int)(next_random(&random) % 112) - 16);
        struct u256 target = target_from_difficulty(difficulty, algorithm);
        assert_true(fabs(target_to_difficulty(&target, algorithm) / difficulty - 1) < 1e-14);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_bits_expand_and_compact),
        cmocka_unit_test(negative_zero_and_overflowing_bits_are_refused),
        cmocka_unit_test(any_bits_expand_to_mantissa_times_a_power_of_256),
        cmocka_unit_test(compacting_keeps_the_leading_bytes_and_rounds_down),
        cmocka_unit_test(work_is_two_to_the_256_over_target_plus_one),
        cmocka_unit_test(work_at_the_ends_is_right),
        cmocka_unit_test(a_hash_is_a_little_endian_number_that_may_equal_the_target),
        cmocka_unit_test(known_difficulties_are_met),
        cmocka_unit_test(any_difficulty_gives_the_exact_quotient_rounded_down_and_kept_in_range),
        cmocka_unit_test(extreme_difficulties_stay_in_range),
        cmocka_unit_test(difficulty_survives_the_way_to_a_target_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
