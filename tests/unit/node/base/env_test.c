#include "node/base/env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/node/base/seeded.h"

static void same_seed_gives_the_same_numbers(void **state)
{
    (void)state;
    uint64_t seeds[3] = {7, 7, 8};
    struct env envs[3];
    for (int i = 0; i < 3; i++)
        envs[i] = (struct env){.random = seeded_fill, .context = &seeds[i]};
    uint64_t first = env_random_u64(&envs[0]);
    assert_true(env_random_u64(&envs[1]) == first);
    assert_true(env_random_u64(&envs[2]) != first);
}

static void numbers_below_a_bound_reach_every_value_equally(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct env env = {.random = seeded_fill, .context = &seed};
    unsigned counts[7] = {0};
    for (int i = 0; i < 70000; i++) {
        uint64_t value = env_random_below(&env, 7);
        assert_true(value < 7);
        counts[value]++;
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(counts[i], 9500, 10500); // five standard deviations
    assert_int_equal(env_random_below(&env, 1), 0);
}

// Gives the scripted numbers one after the other.
static void scripted_fill(void *context, void *out, size_t size)
{
    const uint64_t **next = context;
    assert_int_equal(size, 8);
    memcpy(out, (*next)++, 8);
}

static void draws_that_would_favour_small_results_are_drawn_again(void **state)
{
    (void)state;
    // With this bound the numbers 0..2^62-1 are the surplus: 2^64 = 1 * bound + 2^62.
    const uint64_t bound = UINT64_C(3) << 62;
    const uint64_t script[] = {0, (UINT64_C(1) << 62) - 1, UINT64_C(1) << 62, UINT64_MAX};
    const uint64_t *next = script;
    struct env env = {.random = scripted_fill, .context = &next};
    assert_true(env_random_below(&env, bound) == UINT64_C(1) << 62);
    assert_ptr_equal(next, script + 3);
    assert_true(env_random_below(&env, bound) == UINT64_MAX - bound);
}

static void powers_of_two_never_draw_again(void **state)
{
    (void)state;
    const uint64_t script[] = {0, 255, 256, UINT64_MAX};
    const uint64_t *next = script;
    struct env env = {.random = scripted_fill, .context = &next};
    assert_int_equal(env_random_below(&env, 256), 0);
    assert_int_equal(env_random_below(&env, 256), 255);
    assert_int_equal(env_random_below(&env, 256), 0);
    assert_int_equal(env_random_below(&env, 256), 255);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_gives_the_same_numbers),
        cmocka_unit_test(numbers_below_a_bound_reach_every_value_equally),
        cmocka_unit_test(draws_that_would_favour_small_results_are_drawn_again),
        cmocka_unit_test(powers_of_two_never_draw_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
