#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dht/rtt.h"

static void first_contact_is_late_after_250_ms(void **state)
{
    (void)state;
    struct rtt rtt = {0};
    assert_int_equal(rtt_timeout_ms(&rtt), 250);
    assert_int_equal(rtt_ms(&rtt), 0);
}

// RFC 6298, 2.2: srtt = R, rttvar = R / 2, time-out srtt + 4 rttvar.
static void first_sample_sets_smoothed_and_half_as_variation(void **state)
{
    (void)state;
    struct rtt rtt = {0};
    rtt_add(&rtt, 100);
    assert_int_equal(rtt_ms(&rtt), 100);
    assert_int_equal(rtt_timeout_ms(&rtt), 300);
}

// RFC 6298, 2.3, by hand: var = 3/4 * 50 + 1/4 * 80 = 57.5; srtt = 7/8 * 100 + 1/8 * 180 = 110.
static void second_sample_moves_by_a_quarter_and_an_eighth(void **state)
{
    (void)state;
    struct rtt rtt = {0};
    rtt_add(&rtt, 100);
    rtt_add(&rtt, 180);
    assert_int_equal(rtt_ms(&rtt), 110);
    assert_int_equal(rtt_timeout_ms(&rtt), 110 + 230);
}

static void steady_node_is_late_soon_but_never_before_80_ms(void **state)
{
    (void)state;
    struct rtt near = {0};
    struct rtt far = {0};
    for (unsigned i = 0; i < 100; i++) {
        rtt_add(&near, 5);
        rtt_add(&far, 200);
    }
    assert_int_equal(rtt_timeout_ms(&near), 80);
    assert_in_range(rtt_timeout_ms(&far), 200, 220);
}

static void time_out_never_passes_the_time_to_give_up(void **state)
{
    (void)state;
    struct rtt rtt = {0};
    for (unsigned i = 0; i < 50; i++)
        rtt_add(&rtt, i % 2 == 0 ? 1 : INT64_MAX);
    assert_int_equal(rtt_timeout_ms(&rtt), RTT_GIVE_UP_MS);
    rtt_add(&rtt, -5);
    assert_int_equal(rtt_timeout_ms(&rtt), RTT_GIVE_UP_MS);
}

static void answer_within_the_same_millisecond_is_a_sample(void **state)
{
    (void)state;
    struct rtt rtt = {0};
    rtt_add(&rtt, 0);
    assert_int_equal(rtt_ms(&rtt), 1);
    assert_int_equal(rtt_timeout_ms(&rtt), 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_contact_is_late_after_250_ms),
        cmocka_unit_test(first_sample_sets_smoothed_and_half_as_variation),
        cmocka_unit_test(second_sample_moves_by_a_quarter_and_an_eighth),
        cmocka_unit_test(steady_node_is_late_soon_but_never_before_80_ms),
        cmocka_unit_test(time_out_never_passes_the_time_to_give_up),
        cmocka_unit_test(answer_within_the_same_millisecond_is_a_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
