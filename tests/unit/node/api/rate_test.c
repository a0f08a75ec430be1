#include "node/api/rate.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void no_random(void *context, void *out, size_t size)
{
    (void)context;
    memset(out, 7, size);
}

static const struct env env = {.random = no_random};

static unsigned take_all(struct api_rate *rate, const char *address, int64_t ms)
{
    unsigned taken = 0;
    while (taken < 10000 && api_rate_take(rate, address, (struct mono_time){ms}))
        taken++;
    return taken;
}

static void burst_is_200_and_then_50_a_second(void **state)
{
    (void)state;
    struct api_rate *rate = api_rate_new(&env);
    assert_int_equal(take_all(rate, "192.0.2.1", 1000), 200);
    assert_int_equal(take_all(rate, "192.0.2.1", 1019), 0);
    assert_int_equal(take_all(rate, "192.0.2.1", 1020), 1);
    assert_int_equal(take_all(rate, "192.0.2.1", 2020), 50);
    assert_int_equal(take_all(rate, "192.0.2.1", 100000), 200);
    api_rate_free(rate);
}

static void addresses_have_limits_of_their_own(void **state)
{
    (void)state;
    struct api_rate *rate = api_rate_new(&env);
    assert_int_equal(take_all(rate, "192.0.2.1", 0), 200);
    assert_int_equal(take_all(rate, "2001:db8::1", 0), 200);
    assert_int_equal(take_all(rate, "192.0.2.1", 0), 0);
    api_rate_free(rate);
}

// A flood of others can make an address be forgotten, which gives it a fresh burst, but not take
// the requests of those who come now.
static void many_addresses_lock_nobody_out(void **state)
{
    (void)state;
    struct api_rate *rate = api_rate_new(&env);
    char address[32];
    for (unsigned i = 0; i < 100000; i++) {
        snprintf(address, sizeof(address), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        assert_true(api_rate_take(rate, address, (struct mono_time){i / 100}));
    }
    assert_int_equal(take_all(rate, "192.0.2.1", 1000), 200);
    api_rate_free(rate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(burst_is_200_and_then_50_a_second),
        cmocka_unit_test(addresses_have_limits_of_their_own),
        cmocka_unit_test(many_addresses_lock_nobody_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
