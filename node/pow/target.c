#include "node/pow/target.h"

#include <assert.h>
#include <float.h>
#include <math.h>

enum { SIGN_BIT = 0x00800000, MANTISSA_MASK = 0x007fffff };

bool target_expand(uint32_t bits, struct u256 *target)
{
    unsigned size = bits >> 24;
    uint32_t mantissa = bits & MANTISSA_MASK;
    if (size < 3)
        mantissa >>= 8 * (3 - size);
    if (mantissa == 0 || (bits & SIGN_BIT))
        return false;
    struct u256 value = u256_from_u64(mantissa);
    if (size <= 3) {
        *target = value;
        return true;
    }
    unsigned shift = 8 * (size - 3);
    if (u256_bit_length(&value) + shift > 256)
        return false;
    *target = u256_shift_left(&value, shift);
    return true;
}

uint32_t target_compact(const struct u256 *target)
{
    unsigned size = (u256_bit_length(target) + 7) / 8;
    uint32_t mantissa;
    if (size <= 3) {
        mantissa = (uint32_t)u256_low_u64(target) << 8 * (3 - size);
    } else {
        struct u256 top = u256_shift_right(target, 8 * (size - 3));
        mantissa = (uint32_t)u256_low_u64(&top);
    }
    // The mantissa's highest bit is its sign, so a number that would set it takes one more byte.
    if (mantissa & SIGN_BIT) {
        mantissa >>= 8;
        size++;
    }
    return (uint32_t)size << 24 | mantissa;
}

bool target_bits_are_canonical(uint32_t bits)
{
    struct u256 target;
    return target_expand(bits, &target) && target_compact(&target) == bits;
}

// "work(target) = floor(2^256 / (target + 1))"
struct u256 target_work(const struct u256 *target)
{
    struct u256 one = u256_from_u64(1);
    struct u256 divisor = u256_add(target, &one);
    if (u256_is_zero(&divisor))
        return one;
    // 2^256 does not fit, but 2^256 = (2^256 - 1 - target) + (target + 1), and the first of them
    // does.
    struct u256 rest = u256_not(target);
    struct u256 quotient = u256_divide(&rest, &divisor, NULL);
    return u256_add(&quotient, &one);
}

bool target_is_met(const struct hash256 *hash, const struct u256 *target)
{
    struct u256 value = target_of_hash(hash);
    return u256_compare(&value, target) <= 0;
}

struct u256 target_of_hash(const struct hash256 *hash)
{
    return u256_from_bytes_le(hash->bytes);
}

// Difficulty 1 as mantissa * 2^DIFFICULTY_SHIFT: 00000000FFFF0000... times the algorithm's scale.
enum { DIFFICULTY_SHIFT = 208 };

static uint64_t mantissa_of_one(const struct pow_algorithm *algorithm)
{
    return UINT64_C(0xffff) * algorithm->difficulty_scale;
}

double target_to_difficulty(const struct u256 *target, const struct pow_algorithm *algorithm)
{
    return ldexp((double)mantissa_of_one(algorithm), DIFFICULTY_SHIFT) / u256_to_double(target);
}

// floor(value * 2^shift / divisor), or 2^256 - 1 if that is less; value under 2^48, divisor 2^52 to
// 2^53.
static struct u256 scaled_quotient(uint64_t value, unsigned shift, uint64_t divisor)
{
    // The dividend may not fit. So divide as much of it as does, and the rest together with the
    // remainder.
    unsigned first_shift = shift < 200 ? shift : 200;
    unsigned last_shift = shift - first_shift;
    struct u256 dividend = u256_from_u64(value);
    struct u256 wide_divisor = u256_from_u64(divisor);
    struct u256 remainder;
    dividend = u256_shift_left(&dividend, first_shift);
    struct u256 quotient = u256_divide(&dividend, &wide_divisor, &remainder);
    if (u256_bit_length(&quotient) + last_shift > 256)
        return u256_max();
    // A quotient of 148 bits or more leaves a last_shift of at most 108: the remainder has room.
    quotient = u256_shift_left(&quotient, last_shift);
    remainder = u256_shift_left(&remainder, last_shift);
    struct u256 rest = u256_divide_u64(&remainder, divisor);
    return u256_add(&quotient, &rest);
}

struct u256 target_from_difficulty(double difficulty, const struct pow_algorithm *algorithm)
{
    assert(isfinite(difficulty) && difficulty > 0);
    int exponent;
    double fraction = frexp(difficulty, &exponent); // 1/2 <= fraction < 1
    uint64_t mantissa = (uint64_t)ldexp(fraction, DBL_MANT_DIG);
    // difficulty = mantissa * 2^(exponent - 53), all exact, and so is the target: rounded down.
    int shift = DIFFICULTY_SHIFT + DBL_MANT_DIG - exponent;
    struct u256 one = u256_from_u64(1);
    if (shift < 0)
        return one; // under 2^48 / 2^52
    struct u256 target = scaled_quotient(mantissa_of_one(algorithm), (unsigned)shift, mantissa);
    return u256_is_zero(&target) ? one : target;
}
