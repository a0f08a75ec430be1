// How many wrong attempts lock what for how long.
#include "node/api/lockout.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void fill(void *context, void *out, size_t size)
{
    (void)context;
    memset(out, 7, size);
}

static int set_up(void **state)
{
    static const struct env env = {.random = fill};
    *state = lockout_new(&env);
    return *state == NULL;
}

static int tear_down(void **state)
{
    lockout_free(*state);
    return 0;
}

static struct now at(int64_t seconds)
{
    return (struct now){.mono = {1000000 + seconds * 1000}, .wall = {0}};
}

// Wrong so often, each from an address of its own.
static void be_wrong_from_anywhere(struct lockout *lockout, const char *name, int count,
                                   struct now now)
{
    for (int i = 0; i < count; i++) {
        char address[64];
        snprintf(address, sizeof(address), "198.51.100.%d", i);
        lockout_wrong(lockout, name, address, now);
    }
}

static void be_wrong(struct lockout *lockout, const char *address, int count, struct now now)
{
    for (int i = 0; i < count; i++)
        lockout_wrong(lockout, NULL, address, now);
}

static void ten_wrong_attempts_lock_a_name_for_a_quarter_of_an_hour(void **state)
{
    struct lockout *lockout = *state;
    be_wrong_from_anywhere(lockout, "alice", 9, at(0));
    assert_int_equal(lockout_wait_s(lockout, "alice", "192.0.2.1", at(0)), 0);
    assert_true(lockout_wrong(lockout, "alice", "192.0.2.2", at(0)));
    assert_int_equal(lockout_wait_s(lockout, "alice", "192.0.2.1", at(0)), 900);
    assert_int_equal(lockout_wait_s(lockout, "alice", "192.0.2.1", at(899)), 1);
    assert_int_equal(lockout_wait_s(lockout, "alice", "192.0.2.1", at(900)), 0);
    assert_int_equal(lockout_wait_s(lockout, "bob", "192.0.2.1", at(0)), 0);
}

static void right_attempt_forgets_the_name_but_not_the_address(void **state)
{
    struct lockout *lockout = *state;
    for (int i = 0; i < 9; i++)
        assert_false(lockout_wrong(lockout, "alice", "192.0.2.1", at(0)));
    lockout_right(lockout, "alice");
    assert_true(lockout_wrong(lockout, "alice", "192.0.2.1", at(1))); // the address' tenth
    assert_int_equal(lockout_wait_s(lockout, "alice", "192.0.2.7", at(1)), 0);
    assert_int_equal(lockout_wait_s(lockout, "bob", "192.0.2.1", at(1)), 60);
}

static void wrong_attempts_are_forgotten_after_a_quarter_of_an_hour(void **state)
{
    struct lockout *lockout = *state;
    be_wrong(lockout, "192.0.2.1", 9, at(0));
    be_wrong(lockout, "192.0.2.1", 9, at(901));
    assert_int_equal(lockout_wait_s(lockout, NULL, "192.0.2.1", at(901)), 0);
    be_wrong(lockout, "192.0.2.1", 1, at(1801));
    assert_int_equal(lockout_wait_s(lockout, NULL, "192.0.2.1", at(1801)), 60);
}

static void address_is_locked_twice_as_long_each_time_up_to_an_hour(void **state)
{
    struct lockout *lockout = *state;
    static const int64_t waits[] = {60, 120, 240, 480, 960, 1920, 3600, 3600};
    int64_t time = 0;
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        be_wrong(lockout, "192.0.2.1", 10, at(time));
        assert_int_equal(lockout_wait_s(lockout, NULL, "192.0.2.1", at(time)), waits[i]);
        time += waits[i];
        assert_int_equal(lockout_wait_s(lockout, NULL, "192.0.2.1", at(time)), 0);
    }
    be_wrong(lockout, "192.0.2.1", 10, at(time + 90000)); // a day without a wrong one
    assert_int_equal(lockout_wait_s(lockout, NULL, "192.0.2.1", at(time + 90000)), 60);
}

static void addresses_of_one_customer_are_one(void **state)
{
    struct lockout *lockout = *state;
    be_wrong(lockout, "2001:db8:1:2::7", 10, at(0));
    assert_int_equal(lockout_wait_s(lockout, NULL, "2001:db8:1:2:ffff::9", at(0)), 60);
    assert_int_equal(lockout_wait_s(lockout, NULL, "2001:db8:1:3::7", at(0)), 0);
    be_wrong(lockout, "::ffff:192.0.2.1", 10, at(0));
    assert_int_equal(lockout_wait_s(lockout, NULL, "192.0.2.1", at(0)), 60);
    assert_int_equal(lockout_wait_s(lockout, NULL, "192.0.2.2", at(0)), 0);
}

static void full_table_forgets_the_oldest_address(void **state)
{
    struct lockout *lockout = *state;
    be_wrong(lockout, "192.0.2.1", 10, at(0));
    be_wrong(lockout, "192.0.2.2", 10, at(1));
    for (int i = 0; i < LOCKOUT_ADDRESSES_MAX - 1; i++) {
        char address[64];
        snprintf(address, sizeof(address), "10.0.%d.%d", i / 256, i % 256);
        be_wrong(lockout, address, 1, at(2));
    }
    assert_int_equal(lockout_wait_s(lockout, NULL, "192.0.2.1", at(2)), 0);
    assert_int_equal(lockout_wait_s(lockout, NULL, "192.0.2.2", at(2)), 59);
}

int main(void)
{
#define LOCKOUT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        LOCKOUT_TEST(ten_wrong_attempts_lock_a_name_for_a_quarter_of_an_hour),
        LOCKOUT_TEST(right_attempt_forgets_the_name_but_not_the_address),
        LOCKOUT_TEST(wrong_attempts_are_forgotten_after_a_quarter_of_an_hour),
        LOCKOUT_TEST(address_is_locked_twice_as_long_each_time_up_to_an_hour),
        LOCKOUT_TEST(addresses_of_one_customer_are_one),
        LOCKOUT_TEST(full_table_forgets_the_oldest_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
