#include "node/base/u256.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "node/base/hex.h"

// The largest power of ten in a limb: decimal text is made and read in groups of 19 digits.
#define TEN_TO_19 UINT64_C(10000000000000000000)

struct u256 u256_from_u64(uint64_t value)
{
    return (struct u256){{value, 0, 0, 0}};
}

struct u256 u256_from_u128(u128 value)
{
    return (struct u256){{(uint64_t)value, (uint64_t)(value >> 64), 0, 0}};
}

struct u256 u256_from_bytes_le(const uint8_t bytes[32])
{
    struct u256 value = {{0}};
    for (unsigned i = 0; i < 32; i++)
        value.limbs[i / 8] |= (uint64_t)bytes[i] << (i % 8 * 8);
    return value;
}

void u256_to_bytes_le(const struct u256 *value, uint8_t bytes[32])
{
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (uint8_t)(value->limbs[i / 8] >> (i % 8 * 8));
}

struct u256 u256_max(void)
{
    return (struct u256){{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
}

int u256_compare(const struct u256 *a, const struct u256 *b)
{
    for (int i = 3; i >= 0; i--) {
        if (a->limbs[i] != b->limbs[i])
            return a->limbs[i] < b->limbs[i] ? -1 : 1;
    }
    return 0;
}

bool u256_is_zero(const struct u256 *value)
{
    return (value->limbs[0] | value->limbs[1] | value->limbs[2] | value->limbs[3]) == 0;
}

// How many limbs are in use: 0 to 4.
static unsigned limbs_used(const struct u256 *value)
{
    unsigned used = 4;
    while (used > 0 && value->limbs[used - 1] == 0)
        used--;
    return used;
}

unsigned u256_bit_length(const struct u256 *value)
{
    unsigned used = limbs_used(value);
    if (used == 0)
        return 0;
    return used * 64 - (unsigned)__builtin_clzll(value->limbs[used - 1]);
}

struct u256 u256_add(const struct u256 *a, const struct u256 *b)
{
    struct u256 sum;
    u128 carry = 0;
    for (int i = 0; i < 4; i++) {
        carry += (u128)a->limbs[i] + b->limbs[i];
        sum.limbs[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return sum;
}

struct u256 u256_subtract(const struct u256 *a, const struct u256 *b)
{
    struct u256 difference;
    uint64_t borrow = 0;
    for (int i = 0; i < 4; i++) {
        u128 limb = (u128)a->limbs[i] - b->limbs[i] - borrow;
        difference.limbs[i] = (uint64_t)limb;
        borrow = (uint64_t)(limb >> 64) & 1;
    }
    return difference;
}

struct u256 u256_shift_left(const struct u256 *value, unsigned bits)
{
    struct u256 result = {{0}};
    if (bits >= 256)
        return result;
    unsigned limbs = bits / 64;
    unsigned rest = bits % 64;
    for (unsigned i = limbs; i < 4; i++) {
        result.limbs[i] = value->limbs[i - limbs] << rest;
        if (rest > 0 && i > limbs)
            result.limbs[i] |= value->limbs[i - limbs - 1] >> (64 - rest);
    }
    return result;
}

struct u256 u256_shift_right(const struct u256 *value, unsigned bits)
{
    struct u256 result = {{0}};
    if (bits >= 256)
        return result;
    unsigned limbs = bits / 64;
    unsigned rest = bits % 64;
    for (unsigned i = 0; i + limbs < 4; i++) {
        result.limbs[i] = value->limbs[i + limbs] >> rest;
        if (rest > 0 && i + limbs < 3)
            result.limbs[i] |= value->limbs[i + limbs + 1] << (64 - rest);
    }
    return result;
}

struct u256 u256_not(const struct u256 *value)
{
    struct u256 result;
    for (int i = 0; i < 4; i++)
        result.limbs[i] = ~value->limbs[i];
    return result;
}

struct u256 u256_multiply(const struct u256 *a, const struct u256 *b, bool *overflowed)
{
    uint64_t product[8] = {0};
    for (int i = 0; i < 4; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < 4; j++) {
            // (2^64-1)^2 + 2 * (2^64-1) is just below 2^128.
            u128 limb = (u128)a->limbs[i] * b->limbs[j] + product[i + j] + carry;
            product[i + j] = (uint64_t)limb;
            carry = (uint64_t)(limb >> 64);
        }
        product[i + 4] = carry;
    }
    if (overflowed != NULL)
        *overflowed = (product[4] | product[5] | product[6] | product[7]) != 0;
    return (struct u256){{product[0], product[1], product[2], product[3]}};
}

struct u256 u256_multiply_u64(const struct u256 *a, uint64_t b, bool *overflowed)
{
    struct u256 product;
    uint64_t carry = 0;
    for (int i = 0; i < 4; i++) {
        u128 limb = (u128)a->limbs[i] * b + carry;
        product.limbs[i] = (uint64_t)limb;
        carry = (uint64_t)(limb >> 64);
    }
    if (overflowed != NULL)
        *overflowed = carry != 0;
    return product;
}

static struct u256 divide_by_limb(const struct u256 *a, uint64_t b, uint64_t *remainder)
{
    struct u256 quotient;
    uint64_t rest = 0;
    for (int i = 3; i >= 0; i--) {
        u128 part = (u128)rest << 64 | a->limbs[i];
        quotient.limbs[i] = (uint64_t)(part / b);
        rest = (uint64_t)(part % b);
    }
    *remainder = rest;
    return quotient;
}

// One digit of the quotient, from the top limbs only: right, or one too large (Knuth 4.3.1, D3).
// `top` points at the highest of the three limbs of the dividend that are looked at.
static uint64_t estimate_digit(const uint64_t *top, uint64_t divisor_high, uint64_t divisor_next)
{
    u128 part = (u128)top[0] << 64 | top[-1];
    // Capped at the largest digit; the remainder then says whether the next limb can still correct.
    uint64_t digit = top[0] >= divisor_high ? UINT64_MAX : (uint64_t)(part / divisor_high);
    u128 rest = part - (u128)digit * divisor_high;
    while (rest >> 64 == 0 && (u128)digit * divisor_next > (rest << 64 | top[-2])) {
        digit--;
        rest += divisor_high;
    }
    return digit;
}

// dividend[0..used] -= digit * divisor; true if it went below zero (D4).
static bool subtract_multiple(uint64_t *dividend, const struct u256 *divisor, unsigned used,
                              uint64_t digit)
{
    uint64_t carry = 0;
    uint64_t borrow = 0;
    for (unsigned i = 0; i <= used; i++) {
        u128 product = (i < used ? (u128)digit * divisor->limbs[i] : 0) + carry;
        carry = (uint64_t)(product >> 64);
        u128 limb = (u128)dividend[i] - (uint64_t)product - borrow;
        dividend[i] = (uint64_t)limb;
        borrow = (uint64_t)(limb >> 64) & 1;
    }
    return borrow != 0;
}

// dividend[0..used] += divisor, the carry out of the top cancels the borrow of before (D6).
static void add_back(uint64_t *dividend, const struct u256 *divisor, unsigned used)
{
    u128 carry = 0;
    for (unsigned i = 0; i <= used; i++) {
        carry += (u128)dividend[i] + (i < used ? divisor->limbs[i] : 0);
        dividend[i] = (uint64_t)carry;
        carry >>= 64;
    }
}

// Knuth's algorithm D with digits of 64 bits, for divisors of two limbs and more.
static struct u256 divide_long(const struct u256 *a, const struct u256 *b, struct u256 *remainder)
{
    unsigned used = limbs_used(b);
    unsigned shift = (unsigned)__builtin_clzll(b->limbs[used - 1]);
    struct u256 divisor = u256_shift_left(b, shift); // top bit set: estimates are at most 2 off
    struct u256 low = u256_shift_left(a, shift);
    uint64_t dividend[5] = {low.limbs[0], low.limbs[1], low.limbs[2], low.limbs[3],
                            shift > 0 ? a->limbs[3] >> (64 - shift) : 0};
    struct u256 quotient = {{0}};
    for (unsigned i = 4 - used + 1; i-- > 0;) {
        uint64_t digit =
            estimate_digit(dividend + i + used, divisor.limbs[used - 1], divisor.limbs[used - 2]);
        if (subtract_multiple(dividend + i, &divisor, used, digit)) {
            digit--;
            add_back(dividend + i, &divisor, used);
        }
        quotient.limbs[i] = digit;
    }
    struct u256 rest = {{dividend[0], dividend[1], dividend[2], dividend[3]}};
    *remainder = u256_shift_right(&rest, shift);
    return quotient;
}

struct u256 u256_divide(const struct u256 *a, const struct u256 *b, struct u256 *remainder)
{
    assert(!u256_is_zero(b));
    struct u256 rest = *a;
    struct u256 quotient = {{0}};
    if (limbs_used(b) == 1) {
        uint64_t small;
        quotient = divide_by_limb(a, b->limbs[0], &small);
        rest = u256_from_u64(small);
    } else if (u256_compare(a, b) >= 0) {
        quotient = divide_long(a, b, &rest);
    }
    if (remainder != NULL)
        *remainder = rest;
    return quotient;
}

struct u256 u256_divide_u64(const struct u256 *a, uint64_t b)
{
    assert(b != 0);
    uint64_t remainder;
    return divide_by_limb(a, b, &remainder);
}

uint64_t u256_low_u64(const struct u256 *value)
{
    return value->limbs[0];
}

u128 u256_low_u128(const struct u256 *value)
{
    return (u128)value->limbs[1] << 64 | value->limbs[0];
}

double u256_to_double(const struct u256 *value)
{
    unsigned length = u256_bit_length(value);
    if (length <= 64)
        return (double)value->limbs[0];
    // The top 64 bits round as the whole number does if the last one also stands for all below.
    struct u256 top = u256_shift_right(value, length - 64);
    struct u256 back = u256_shift_left(&top, length - 64);
    uint64_t sticky = u256_compare(&back, value) != 0;
    return ldexp((double)(top.limbs[0] | sticky), (int)length - 64);
}

void u256_to_decimal(const struct u256 *value, char out[80])
{
    uint64_t groups[5]; // 2^256 has 78 digits
    unsigned count = 0;
    struct u256 rest = *value;
    do {
        rest = divide_by_limb(&rest, TEN_TO_19, &groups[count++]);
    } while (!u256_is_zero(&rest));
    int size = snprintf(out, 80, "%llu", (unsigned long long)groups[--count]);
    while (count > 0)
        size +=
            snprintf(out + size, 80 - (size_t)size, "%019llu", (unsigned long long)groups[--count]);
}

bool u256_from_decimal(struct u256 *out, const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size > 78 || (size > 1 && text[0] == '0'))
        return false;
    struct u256 value = {{0}};
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        bool overflowed;
        struct u256 digit = u256_from_u64((uint64_t)(text[i] - '0'));
        value = u256_multiply_u64(&value, 10, &overflowed);
        value = u256_add(&value, &digit);
        if (overflowed || u256_compare(&value, &digit) < 0)
            return false;
    }
    *out = value;
    return true;
}

void u256_to_hex(const struct u256 *value, char out[65])
{
    uint8_t bytes[32];
    for (unsigned i = 0; i < 32; i++)
        bytes[31 - i] = (uint8_t)(value->limbs[i / 8] >> (i % 8 * 8));
    hex_encode(bytes, 32, out);
}

bool u256_from_hex(struct u256 *out, const char *hex)
{
    uint8_t bytes[32];
    if (!hex_decode(hex, strlen(hex), bytes, 32))
        return false;
    struct u256 value = {{0}};
    for (unsigned i = 0; i < 32; i++)
        value.limbs[i / 8] |= (uint64_t)bytes[31 - i] << (i % 8 * 8);
    *out = value;
    return true;
}
