#include "testnet/miner/limiter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define SECOND INT64_C(1000000000)

static void limited_rate_is_met_and_smooth(void **state)
{
    (void)state;
    struct limiter limiter;
    int64_t now = 5 * SECOND;
    limiter_init(&limiter, 1000000, now);
    // A thread that hashes at once when it may: 200 slices of 5 ms each.
    for (int i = 0; i < 200; i++) {
        int64_t begin = limiter_reserve(&limiter, 5000, now);
        assert_true(begin >= now);
        assert_true(begin <= now + SECOND / 200);
        now = begin;
    }
    assert_true(now >= 5 * SECOND + 199 * SECOND / 200 - 1000);
    assert_true(now <= 5 * SECOND + SECOND);
}

static void pause_makes_no_burst(void **state)
{
    (void)state;
    struct limiter limiter;
    limiter_init(&limiter, 1000, 0);
    int64_t now = 3600 * SECOND;
    uint64_t at_once = 0;
    while (limiter_reserve(&limiter, 10, now) == now)
        at_once += 10;
    assert_true(at_once >= 90 && at_once <= 110); // a tenth of a second's worth
}

static void no_limit_never_waits(void **state)
{
    (void)state;
    struct limiter limiter;
    limiter_init(&limiter, 0, 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(limiter_reserve(&limiter, UINT64_MAX / 2, 7), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limited_rate_is_met_and_smooth),
        cmocka_unit_test(pause_makes_no_burst),
        cmocka_unit_test(no_limit_never_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
