#include "testnet/miner/pools.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct pools three(void)
{
    struct pools pools = {0};
    assert_true(pools_add(&pools, "a:1"));
    assert_true(pools_add(&pools, "b:2"));
    assert_true(pools_add(&pools, "c:3"));
    return pools;
}

static void urls_are_host_and_port(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *host;
        const char *port;
    } good[] = {{"127.0.0.1:3333", "127.0.0.1", "3333"},
                {"stratum+tcp://pool.example:65535", "pool.example", "65535"},
                {"[::1]:1", "::1", "1"},
                {"stratum+tcp://[fe80::1%lo]:3333", "fe80::1%lo", "3333"}};
    static const char *const bad[] = {"",         "host",       "host:",        ":3333",
                                      "host:0",   "host:65536", "host:3333x",   "host:-1",
                                      "::1:3333", "[::1]",      "http://h:80/", "ho st:1",
                                      "u@h:1",    "[]:1",       "host: 1",      "host:999999"};
    struct pools pools = {0};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(pools_add(&pools, good[i].url));
        assert_string_equal(pools.list[i].host, good[i].host);
        assert_string_equal(pools.list[i].port, good[i].port);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(pools_add(&pools, bad[i]));
    char longest[POOL_HOST_MAX + 10];
    memset(longest, 'a', sizeof longest);
    memcpy(longest + POOL_HOST_MAX, ":1", 3);
    assert_true(pools_add(&pools, longest));
    memset(longest, 'a', sizeof longest);
    memcpy(longest + POOL_HOST_MAX + 1, ":1", 3);
    assert_false(pools_add(&pools, longest));
    while (pools.count < POOLS_MAX)
        assert_true(pools_add(&pools, "a:1"));
    assert_false(pools_add(&pools, "a:1"));
}

static void first_pool_that_works_is_taken(void **state)
{
    (void)state;
    struct pools pools = three();
    assert_int_equal(pools_pick(&pools, 0), 0);
    pools_fail(&pools, 0, 0, 0);
    assert_int_equal(pools_pick(&pools, 1), 1);
    pools_fail(&pools, 1, 1, 0);
    pools_fail(&pools, 2, 2, 0);
    assert_int_equal(pools_pick(&pools, 3), POOLS_NONE);
    assert_int_equal(pools_pick(&pools, POOL_BACKOFF_MIN_MS), 0);
    assert_int_equal(pools_pick(&pools, POOL_BACKOFF_MIN_MS - 1), POOLS_NONE);
}

static void waits_double_up_to_their_limit(void **state)
{
    (void)state;
    struct pools pools = three();
    int64_t now = 0, last = 0;
    for (int i = 0; i < 12; i++) {
        pools_fail(&pools, 0, now, 0);
        int64_t wait = pools.list[0].retry_at_ms - now;
        assert_true(wait >= last && wait <= POOL_BACKOFF_MAX_MS);
        assert_true(i == 0 || i > 4 || wait == 2 * last);
        last = wait;
        now += wait;
    }
    assert_int_equal(last, POOL_BACKOFF_MAX_MS);
    pools_succeed(&pools, 0);
    pools_fail(&pools, 0, now, 0);
    assert_int_equal(pools.list[0].retry_at_ms - now, POOL_BACKOFF_MIN_MS);
}

static void many_connections_lost_at_once_are_one_failure(void **state)
{
    (void)state;
    struct pools pools = three();
    for (int i = 0; i < 1000; i++)
        pools_fail(&pools, 0, i / 10, 7);
    assert_int_equal(pools.list[0].failures, 1);
}

static void one_connection_looks_and_the_others_follow(void **state)
{
    (void)state;
    struct pools pools = three();
    pools_succeed(&pools, 0);
    pools_fail(&pools, 0, 0, 0);
    pools_succeed(&pools, 1);
    assert_int_equal(pools_return(&pools, 1, 10, 1), POOLS_NONE); // too early
    assert_int_equal(pools_return(&pools, 1, 1000, 1), 0);        // this one looks
    assert_int_equal(pools_return(&pools, 1, 1001, 0), POOLS_NONE);
    pools_fail(&pools, 0, 1002, 0); // it is still down
    assert_int_equal(pools_return(&pools, 1, 1003, 0), POOLS_NONE);
    assert_int_equal(pools_return(&pools, 1, 5000, 1), 0);
    pools_succeed(&pools, 0);
    size_t followed = 0;
    for (uint32_t lot = 0; lot < 80; lot++)
        followed += pools_return(&pools, 1, 5001, lot) == 0;
    assert_int_equal(followed, 10);
    assert_int_equal(pools_return(&pools, 0, 5001, 0), POOLS_NONE); // there is nothing better
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_host_and_port),
        cmocka_unit_test(first_pool_that_works_is_taken),
        cmocka_unit_test(waits_double_up_to_their_limit),
        cmocka_unit_test(many_connections_lost_at_once_are_one_failure),
        cmocka_unit_test(one_connection_looks_and_the_others_follow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
