// What an operator asks of the running engine.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "tests/unit/stratum/rig.h"

static struct rig *working_rig(void)
{
    struct rig *rig = rig_started();
    rig_work(rig, 0x11, true);
    return rig;
}

static void disconnect_closes_one_miner_and_leaves_the_others(void **state)
{
    (void)state;
    struct rig *rig = working_rig();
    struct rig_miner first = rig_miner_open(rig, "test/1");
    struct rig_miner second = rig_miner_open(rig, "test/1");
    assert_true(stratum_disconnect(rig->stratum, first.session, rig->now));
    rig_assert_closed(rig, first.session, STRATUM_CLOSE_OPERATOR);
    rig_assert_open(rig, second.session);
    assert_false(stratum_disconnect(rig->stratum, first.session, rig->now));
    assert_false(stratum_disconnect(rig->stratum, 12345678, rig->now));
    rig_miner_open(rig, "test/1"); // it is no ban
    rig_free(rig);
}

static void miners_that_are_sent_away_may_come_back_when_there_is_work_again(void **state)
{
    (void)state;
    struct rig *rig = working_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    uint64_t silent = rig_connect(rig, "192.0.2.3"), session;
    stratum_send_away(rig->stratum, "drained", rig->now);
    rig_expect(rig, miner.session, "{\"id\":null,\"method\":\"client.reconnect\",\"params\":[]}\n");
    rig_assert_closed(rig, miner.session, STRATUM_CLOSE_DRAINED);
    rig_assert_closed(rig, silent, STRATUM_CLOSE_DRAINED);
    assert_string_equal(rig_totals(rig).pause_reason, "drained");
    assert_int_equal(rig_try_connect(rig, "192.0.2.1", &session), STRATUM_REFUSED_PAUSED);
    rig_work(rig, 0x22, true);
    miner = rig_miner_open(rig, "test/1");
    rig_assert_open(rig, miner.session);
    rig_free(rig);
}

static void limits_count_for_whoever_comes_next(void **state)
{
    (void)state;
    struct rig *rig = working_rig();
    struct rig_miner before = rig_miner_open(rig, "test/1");
    struct stratum_limits limits = {
        .sessions_max = 2,
        .sessions_per_address_max = 10,
        .difficulty_start = 5e-7,
        .difficulty_min = 4e-7,
        .shares_per_minute = 30,
    };
    double difficulty = rig_view(rig, before.session).difficulty;
    stratum_set_limits(rig->stratum, &limits);
    struct rig_miner after = rig_miner_open(rig, "test/1");
    assert_true(rig_view(rig, after.session).difficulty >= 4e-7);
    assert_true(difficulty < 4e-7 && rig_view(rig, before.session).difficulty == difficulty);
    uint64_t session;
    assert_int_equal(rig_try_connect(rig, "192.0.2.9", &session), STRATUM_REFUSED_FULL);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disconnect_closes_one_miner_and_leaves_the_others),
        cmocka_unit_test(miners_that_are_sent_away_may_come_back_when_there_is_work_again),
        cmocka_unit_test(limits_count_for_whoever_comes_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
