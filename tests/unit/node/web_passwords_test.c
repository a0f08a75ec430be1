// Passwords that wait for their turn. The clock is that of the loop: nothing is timed.
#include "node/web_passwords.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct waiter {
    struct test *test;
    struct password_job job;
    int done, run; // how often
    int place;     // in the order of the ends
};

struct test {
    struct net_loop *loop;
    struct web_passwords *passwords;
    struct waiter waiters[WEB_PASSWORDS_MAX + 1];
    int ended;
};

static int set_up(void **state)
{
    struct test *test = calloc(1, sizeof(*test));
    test->loop = net_loop_new();
    test->passwords = web_passwords_new(test->loop);
    assert_non_null(test->passwords);
    for (size_t i = 0; i <= WEB_PASSWORDS_MAX; i++)
        test->waiters[i].test = test;
    *state = test;
    return 0;
}

static int tear_down(void **state)
{
    struct test *test = *state;
    web_passwords_free(test->passwords);
    net_loop_free(test->loop);
    free(test);
    return 0;
}

static void on_done(void *context, bool was_run)
{
    struct waiter *waiter = context;
    waiter->done++;
    waiter->run += was_run ? 1 : 0;
    waiter->place = waiter->test->ended;
    waiter->test->ended++;
    if (waiter->test->ended == WEB_PASSWORDS_MAX)
        net_loop_stop(waiter->test->loop);
}

static bool add(struct test *test, size_t i)
{
    struct waiter *waiter = &test->waiters[i];
    snprintf(waiter->job.fresh, sizeof(waiter->job.fresh), "correct horse battery");
    return web_passwords_add(test->passwords, &waiter->job, on_done, waiter);
}

static void jobs_are_done_in_their_order_and_one_too_many_is_refused(void **state)
{
    struct test *test = *state;
    for (size_t i = 0; i < WEB_PASSWORDS_MAX; i++)
        assert_true(add(test, i));
    assert_false(add(test, WEB_PASSWORDS_MAX));
    net_loop_run(test->loop);
    for (int i = 0; i < WEB_PASSWORDS_MAX; i++) {
        assert_int_equal(test->waiters[i].run, 1);
        assert_int_equal(test->waiters[i].done, 1);
        assert_int_equal(test->waiters[i].place, i);
        assert_true(password_hash_is_ours(test->waiters[i].job.hash));
    }
    assert_int_equal(test->waiters[WEB_PASSWORDS_MAX].done, 0);
    assert_true(add(test, WEB_PASSWORDS_MAX)); // there is room again
}

static void freed_queue_tells_everybody_once(void **state)
{
    struct test *test = *state;
    for (size_t i = 0; i < WEB_PASSWORDS_MAX; i++)
        assert_true(add(test, i));
    web_passwords_free(test->passwords);
    test->passwords = NULL;
    for (size_t i = 1; i < WEB_PASSWORDS_MAX; i++)
        assert_int_equal(test->waiters[i].done, 1);
    net_loop_free(test->loop); // the one under way, at the latest here
    test->loop = NULL;
    for (size_t i = 0; i < WEB_PASSWORDS_MAX; i++) {
        assert_int_equal(test->waiters[i].done, 1);
        assert_int_equal(test->waiters[i].run, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(jobs_are_done_in_their_order_and_one_too_many_is_refused,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(freed_queue_tells_everybody_once, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
