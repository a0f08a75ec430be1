#include "sharechain/retarget.h"
#include <assert.h>
#include "node/pow/target.h"

static int64_t floor_divide(int64_t a, int64_t b)
{
    int64_t quotient = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

int64_t retarget_x(const struct pool *pool, uint32_t time, uint32_t anchor_time)
{
    // "dt = min(A.time - B.time, 4 * half_life), x = floor((dt - link_spacing) * 65536 /
    // half_life)"
    int64_t dt = (int64_t)time - (int64_t)anchor_time;
    int64_t dt_max = 4 * (int64_t)pool->half_life;
    if (dt > dt_max)
        dt = dt_max;
    return floor_divide((dt - (int64_t)pool->link_spacing) * 65536, (int64_t)pool->half_life);
}

// 65536 * 2^(f / 65536), as the protocol's polynomial has it.
static uint64_t power_of_two_fraction(uint64_t f)
{
    // "factor = 65536 + ((195766423245049*f + 971821376*f*f + 5127*f*f*f + 2^47) >> 48)"
    u128 sum = (u128)195766423245049u * f + (u128)971821376u * f * f + (u128)5127u * f * f * f +
               ((u128)1 << 47);
    return 65536 + (uint64_t)(sum >> 48);
}

// floor(target * factor / 2^shift), or `easiest` if that is less. The product needs up to 273 bits:
// it is kept as high * 2^64 + low.
static struct u256 scale_target(const struct u256 *target, uint64_t factor, uint64_t shift,
                                const struct u256 *easiest)
{
    struct u256 upper = u256_shift_right(target, 64);
    struct u256 high = u256_multiply_u64(&upper, factor, NULL);
    u128 low_product = (u128)target->limbs[0] * factor;
    struct u256 carry = u256_from_u64((uint64_t)(low_product >> 64));
    high = u256_add(&high, &carry);
    if (shift >= 64)
        return shift - 64 >= 256 ? u256_from_u64(0) : u256_shift_right(&high, (unsigned)shift - 64);
    if (u256_bit_length(&high) + 64 - shift > 256)
        return *easiest;
    struct u256 scaled = u256_shift_left(&high, 64 - (unsigned)shift);
    struct u256 rest = u256_from_u64((uint64_t)low_product >> shift);
    scaled = u256_add(&scaled, &rest);
    return u256_compare(&scaled, easiest) > 0 ? *easiest : scaled;
}

uint32_t retarget_link_bits(const struct pool *pool, uint32_t bits, uint32_t time,
                            uint32_t anchor_time)
{
    struct u256 target;
    struct u256 easiest;
    bool expands = target_expand(bits, &target) && target_expand(pool->easiest_bits, &easiest);
    assert(expands); // both were checked when their object was decoded
    int64_t x = retarget_x(pool, time, anchor_time);
    uint64_t f = (uint64_t)x & 65535;
    int64_t i = (x - (int64_t)f) / 65536;
    // "shifted left by i (right by -i) and then right by 16": dt is at most 4 half-lives, so i is
    // at most 4 and both are one shift to the right.
    assert(i <= 4);
    struct u256 scaled =
        scale_target(&target, power_of_two_fraction(f), (uint64_t)(16 - i), &easiest);
    if (u256_is_zero(&scaled))
        scaled = u256_from_u64(1);
    return target_compact(&scaled);
}

bool retarget_grain_target(const struct pool *pool, const struct u256 *link_target,
                           uint8_t grain_shift, struct u256 *grain_target)
{
    // "min(link_target * grains_per_link, 2^255) >> grain_shift, and not below link_target"
    bool overflowed = false;
    struct u256 one = u256_from_u64(1);
    struct u256 cap = u256_shift_left(&one, 255);
    struct u256 target = u256_multiply_u64(link_target, pool->grains_per_link, &overflowed);
    if (overflowed || u256_compare(&target, &cap) > 0)
        target = cap;
    *grain_target = u256_shift_right(&target, grain_shift);
    return u256_compare(grain_target, link_target) >= 0;
}
