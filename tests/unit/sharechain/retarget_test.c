#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "node/pow/target.h"
#include "sharechain/retarget.h"
#include "tests/unit/sharechain/seeded.h"

#define START 1700000000u

static struct pool pool_of(uint32_t spacing, uint32_t half_life, uint32_t easiest_bits)
{
    struct pool pool;
    pool_defaults(&pool);
    pool.link_spacing = spacing;
    pool.half_life = half_life;
    pool.easiest_bits = easiest_bits;
    return pool;
}

static struct u256 target_after(const struct pool *pool, uint32_t bits, uint32_t dt)
{
    struct u256 target;
    assert_true(target_expand(retarget_link_bits(pool, bits, START + dt, START), &target));
    return target;
}

static void link_on_time_keeps_its_bits(void **state)
{
    (void)state;
    struct pool pool = pool_of(30, 600, 0x207fffff);
    assert_int_equal(retarget_x(&pool, START + 30, START), 0);
    assert_int_equal(retarget_link_bits(&pool, 0x1b0404cb, START + 30, START), 0x1b0404cb);
    assert_int_equal(retarget_link_bits(&pool, 0x207fffff, START + 30, START), 0x207fffff);
}

static void one_half_life_late_doubles_the_target_and_early_halves_it(void **state)
{
    (void)state;
    struct pool pool = pool_of(3600, 1200, 0x207fffff);
    assert_int_equal(retarget_link_bits(&pool, 0x1b040000, START + 4800, START), 0x1b080000);
    assert_int_equal(retarget_link_bits(&pool, 0x1b040000, START + 2400, START), 0x1b020000);
    assert_int_equal(retarget_link_bits(&pool, 0x1b040000, START + 1200, START), 0x1b010000);
}

static void more_than_four_half_lives_count_as_four(void **state)
{
    (void)state;
    struct pool pool = pool_of(30, 600, 0x207fffff);
    uint32_t at_four = retarget_link_bits(&pool, 0x1b0404cb, START + 2400, START);
    assert_int_equal(retarget_link_bits(&pool, 0x1b0404cb, START + 2401, START), at_four);
    assert_int_equal(retarget_link_bits(&pool, 0x1b0404cb, UINT32_MAX, START), at_four);
    assert_int_not_equal(retarget_link_bits(&pool, 0x1b0404cb, START + 2399, START), at_four);
}

static void target_never_gets_easier_than_the_pool_allows(void **state)
{
    (void)state;
    struct pool pool = pool_of(30, 60, 0x1b0404cb);
    assert_int_equal(retarget_link_bits(&pool, 0x1b0404cb, START + 31, START), 0x1b0404cb);
    assert_int_equal(retarget_link_bits(&pool, 0x1b0404cb, START + 240, START), 0x1b0404cb);
    // Without 256 bits to spare: 2^255 times 12.
    pool.easiest_bits = 0x21008000;
    assert_int_equal(retarget_link_bits(&pool, 0x21008000, START + 240, START), 0x21008000);
}

static void target_never_falls_under_one(void **state)
{
    (void)state;
    struct pool pool = pool_of(3600, 60, 0x207fffff);
    assert_int_equal(retarget_link_bits(&pool, 0x01010000, START + 1, START), 0x01010000);
    assert_int_equal(retarget_link_bits(&pool, 0x207fffff, START + 1, START), 0x190817df);
    // The shift is over 76 bits when times run backwards, which no chain allows: still a target.
    assert_int_equal(retarget_link_bits(&pool, 0x207fffff, 0, UINT32_MAX), 0x01010000);
}

static void x_is_floored_for_early_links(void **state)
{
    (void)state;
    struct pool pool = pool_of(30, 600, 0x207fffff);
    assert_int_equal(retarget_x(&pool, START + 1, START), -3168); // -3167.57
    assert_int_equal(retarget_x(&pool, START + 31, START), 109);  // 109.2
}

static void later_link_never_has_a_harder_child(void **state)
{
    (void)state;
    struct seeded seeded = {1};
    for (int round = 0; round < 200; round++) {
        uint32_t spacing = 1 + (uint32_t)seeded_below(&seeded, 3600);
        uint32_t half_life = 60 + (uint32_t)seeded_below(&seeded, 2000);
        struct pool pool = pool_of(spacing, half_life, 0x207fffff);
        uint32_t bits = 0x1b000000 + 0x8000 + (uint32_t)seeded_below(&seeded, 0x7f0000);
        struct u256 before = u256_from_u64(0);
        for (uint32_t dt = 1; dt < 5 * pool.half_life; dt += 1 + pool.half_life / 40) {
            struct u256 target = target_after(&pool, bits, dt);
            assert_true(u256_compare(&before, &target) <= 0);
            before = target;
        }
    }
}

// 2^(x / 65536) by the C library; the polynomial is within 2^-13 of it, and compact keeps 15 bits
// at least.
static void target_follows_the_exponential(void **state)
{
    (void)state;
    struct seeded seeded = {2};
    for (int round = 0; round < 2000; round++) {
        uint32_t spacing = 1 + (uint32_t)seeded_below(&seeded, 3600);
        uint32_t half_life = 60 + (uint32_t)seeded_below(&seeded, 86000);
        struct pool pool = pool_of(spacing, half_life, 0x207fffff);
        uint32_t bits = 0x17000000 + 0x400000 + (uint32_t)seeded_below(&seeded, 0x3f0000);
        uint32_t dt = 1 + (uint32_t)seeded_below(&seeded, 4 * (uint64_t)pool.half_life);
        struct u256 base;
        struct u256 target = target_after(&pool, bits, dt);
        assert_true(target_expand(bits, &base));
        double x = ((double)dt - pool.link_spacing) / pool.half_life;
        double ratio = u256_to_double(&target) / (u256_to_double(&base) * exp2(x));
        assert_true(ratio > 0.9998 && ratio < 1.0002);
    }
}

static void grain_target_is_the_link_target_times_grains_per_link(void **state)
{
    (void)state;
    struct pool pool = pool_of(30, 600, 0x207fffff);
    struct u256 link = u256_from_u64(1000);
    struct u256 grain;
    assert_true(retarget_grain_target(&pool, &link, 0, &grain));
    assert_int_equal(u256_low_u64(&grain), 120000);
    assert_true(retarget_grain_target(&pool, &link, 6, &grain));
    assert_int_equal(u256_low_u64(&grain), 1875);
    assert_false(retarget_grain_target(&pool, &link, 7, &grain)); // 937, under the link target
    assert_false(retarget_grain_target(&pool, &link, 255, &grain));
}

static void grain_target_is_at_most_two_to_the_255(void **state)
{
    (void)state;
    struct pool pool = pool_of(30, 600, 0x207fffff);
    struct u256 one = u256_from_u64(1);
    struct u256 cap = u256_shift_left(&one, 255);
    struct u256 grain;
    pool.grains_per_link = 500; // under 2^9
    struct u256 link = u256_shift_left(&one, 246);
    assert_true(retarget_grain_target(&pool, &link, 0, &grain));
    assert_int_equal(u256_compare(&grain, &cap), -1);
    link = u256_shift_left(&one, 247);
    assert_true(retarget_grain_target(&pool, &link, 0, &grain));
    assert_int_equal(u256_compare(&grain, &cap), 0);
    // Where the product does not fit 256 bits the cap holds too.
    assert_true(retarget_grain_target(&pool, &cap, 0, &grain));
    assert_int_equal(u256_compare(&grain, &cap), 0);
    assert_false(retarget_grain_target(&pool, &cap, 1, &grain));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(link_on_time_keeps_its_bits),
        cmocka_unit_test(one_half_life_late_doubles_the_target_and_early_halves_it),
        cmocka_unit_test(more_than_four_half_lives_count_as_four),
        cmocka_unit_test(target_never_gets_easier_than_the_pool_allows),
        cmocka_unit_test(target_never_falls_under_one),
        cmocka_unit_test(x_is_floored_for_early_links),
        cmocka_unit_test(later_link_never_has_a_harder_child),
        cmocka_unit_test(target_follows_the_exponential),
        cmocka_unit_test(grain_target_is_the_link_target_times_grains_per_link),
        cmocka_unit_test(grain_target_is_at_most_two_to_the_255),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
