// Jobs and difficulty on the wire, and readers that are slow.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/pow/target.h"
#include "tests/unit/stratum/rig.h"

static struct u256 target_of(double difficulty)
{
    return target_from_difficulty(difficulty, pow_algorithm(POW_SHA256D));
}

static struct rig *calm_rig(void)
{
    struct rig *rig = rig_new("regtest");
    rig->config.difficulty_fixed = 1e-7;
    rig_start(rig);
    return rig;
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what)) {
        count++;
    }
    return count;
}

// ---- Jobs and difficulty on the wire

static void job_is_refreshed_within_thirty_seconds(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    char id[16];
    uint32_t time = miner.job.time;
    memcpy(id, miner.job.id, sizeof(id));
    rig_run_ms(rig, 30000);
    const char *text = rig_miner_read(&miner);
    assert_int_equal(count_of(text, "\n"), 1);
    assert_int_equal(miner.jobs_count, 2);
    assert_string_not_equal(miner.job.id, id);
    assert_int_equal(miner.job.time, time + 30);
    assert_false(miner.job.is_clean);
    rig_free(rig);
}

static void new_work_postpones_the_refresh(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    rig_run_ms(rig, 29000);
    rig_work(rig, 0x11, false);
    rig_miner_read(&miner);
    assert_int_equal(miner.jobs_count, 2);
    rig_run_ms(rig, 29999);
    rig_expect(rig, miner.session, "");
    rig_run_ms(rig, 1);
    rig_miner_read(&miner);
    assert_int_equal(miner.jobs_count, 3);
    rig_free(rig);
}

static void difficulty_is_sent_once_directly_before_the_notify_it_is_for(void **state)
{
    (void)state;
    struct rig *rig = rig_new("regtest");
    rig->grain_target = target_of(1000);
    rig->config.difficulty_start = 300.4;
    rig_start(rig);
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    assert_true(miner.difficulty == 300);
    rig_work(rig, 0x11, false);
    assert_int_equal(count_of(rig_take(rig, miner.session), "set_difficulty"), 0);
    rig_send(rig, miner.session,
             "{\"id\":5,\"method\":\"mining.suggest_difficulty\",\"params\":[64]}");
    const char *text = rig_take(rig, miner.session);
    static const char wanted[] =
        "{\"id\":5,\"result\":true,\"error\":null}\n"
        "{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[64]}\n"
        "{\"id\":null,\"method\":\"mining.notify\"";
    assert_memory_equal(text, wanted, sizeof(wanted) - 1);
    assert_int_equal(count_of(text, "\n"), 3);
    rig_free(rig);
}

static double difficulty_with(const char *user_and_password, double grain, const char *suggest)
{
    struct rig *rig = rig_new("regtest");
    rig->grain_target = target_of(grain);
    rig->config.difficulty_start = 512;
    rig_start(rig);
    struct rig_miner miner = {.rig = rig};
    miner.session = rig_connect(rig, "192.0.2.1");
    rig_send(rig, miner.session, "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}");
    if (suggest != NULL) {
        rig_send(rig, miner.session, suggest);
    }
    rig_take(rig, miner.session);
    char line[400];
    snprintf(line, sizeof(line), "{\"id\":1,\"method\":\"mining.authorize\",\"params\":[%s]}",
             user_and_password);
    rig_send(rig, miner.session, line);
    rig_miner_read(&miner);
    rig_free(rig);
    return miner.difficulty;
}

static void miners_wishes_about_difficulty_are_honoured(void **state)
{
    (void)state;
    static const char suggest[] =
        "{\"id\":null,\"method\":\"mining.suggest_difficulty\",\"params\":[1e+02]}";
    static const char target[] = "{\"id\":null,\"method\":\"mining.suggest_target\",\"params\":["
                                 "\"7fff80000000000000000000000"
                                 "0000000000000000000000000\"]}";
    assert_true(difficulty_with("\"" RIG_ADDRESS "\",\"x\"", 1e6, NULL) == 512);
    assert_true(difficulty_with("\"" RIG_ADDRESS "\",\"d=77\"", 1e6, suggest) == 77);
    assert_true(difficulty_with("\"" RIG_ADDRESS ".w+33\",\"x\"", 1e6, suggest) == 33);
    assert_true(difficulty_with("\"" RIG_ADDRESS "\",\"sd=20\"", 1e6, suggest) == 20);
    assert_true(difficulty_with("\"" RIG_ADDRESS "\",\"md=2000\"", 1e6, suggest) == 2000);
    assert_true(difficulty_with("\"" RIG_ADDRESS "\",\"x\"", 1e6, suggest) == 100);
    assert_true(difficulty_with("\"" RIG_ADDRESS "\",\"x\"", 1e6, target) == 131072);
    assert_true(difficulty_with("\"" RIG_ADDRESS "\",\"d=0.001\"", 1e6, NULL) == 0.001);
    // Nothing above what a grain takes: it would be lost.
    assert_true(difficulty_with("\"" RIG_ADDRESS "\",\"d=77\"", 50.5, NULL) == 50);
}

static void minimum_difficulty_may_be_negotiated_while_mining(void **state)
{
    (void)state;
    struct rig *rig = rig_new("regtest");
    rig->grain_target = target_of(1000);
    rig->config.difficulty_start = 4;
    rig_start(rig);
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    assert_true(miner.difficulty == 4);
    rig_send(rig, miner.session,
             "{\"id\":1,\"method\":\"mining.configure\",\"params\":[[\"minimum-difficulty\"],"
             "{\"minimum-difficulty.value\":16}]}");
    rig_work(rig, 0x11, false);
    rig_miner_read(&miner);
    assert_true(miner.difficulty == 16);
    rig_free(rig);
}

static void refreshed_job_stays_below_the_latest_time_of_its_commitment(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    rig->time_max = (uint32_t)(rig->now.wall.ms / 1000) + 10;
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    rig_run_ms(rig, 30000);
    rig_miner_read(&miner);
    assert_int_equal(miner.jobs_count, 2);
    assert_int_equal(miner.job.time, rig->time_max);
    rig_free(rig);
}

static void worker_begins_at_its_last_known_rate(void **state)
{
    (void)state;
    struct rig *rig = rig_new("regtest");
    rig->grain_target = target_of(1e9);
    rig->worker_rate = 4294967296.0 * 1000 / 4; // difficulty 1000 every four seconds
    rig_start(rig);
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    assert_true(miner.difficulty > 999 && miner.difficulty < 1001);
    assert_true(rig->asked_hashrate > 0.99 * rig->worker_rate &&
                rig->asked_hashrate < 1.01 * rig->worker_rate);
    rig_free(rig);
}

static void rate_of_a_worker_is_told_when_it_leaves(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    for (size_t i = 0; i < 20; i++) {
        rig_pass_ms(rig, 1000);
        rig_miner_share(&miner);
    }
    stratum_disconnected(rig->stratum, miner.session, rig->now);
    assert_string_equal(rig->told_rate_user, RIG_ADDRESS ".rig");
    assert_true(rig->told_rate > 300 && rig->told_rate < 600); // 429.5 hashes a second
    rig_free(rig);
}

static void flood_of_easy_shares_makes_the_job_harder_and_clean(void **state)
{
    (void)state;
    struct rig *rig = rig_new("regtest");
    rig->grain_target = target_of(1);
    rig->config.difficulty_start = 1e-7;
    rig_start(rig);
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    for (size_t i = 0; i < 4; i++) {
        rig_pass_ms(rig, 20);
        rig_miner_share(&miner);
    }
    assert_int_equal(miner.jobs_count, 2);
    assert_true(miner.difficulty > 2e-6);
    assert_true(miner.job.is_clean);
    rig_free(rig);
}

static void share_of_the_easier_job_before_is_judged_by_its_own_target(void **state)
{
    (void)state;
    struct rig *rig = rig_new("regtest");
    rig->grain_target = target_of(1);
    rig->config.difficulty_start = 1e-7;
    rig_start(rig);
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_job easy = miner.job;
    struct rig_solution solution;
    uint8_t header[80];
    uint8_t hash[32];
    do {
        solution = rig_miner_mine(&miner, 1e-7);
        rig_header(&miner, &easy, &solution, header);
        rig_sha256d(header, 80, hash);
    } while (rig_hash_difficulty(hash) > 1e-6);
    for (size_t i = 0; i < 4; i++) {
        rig_pass_ms(rig, 20);
        rig_miner_share(&miner);
    }
    assert_true(miner.difficulty > 2e-6);
    miner.job = easy;
    rig_miner_submit(&miner, &solution);
    assert_non_null(strstr(rig_take(rig, miner.session), "\"result\":true"));
    rig_free(rig);
}

static void fixed_difficulty_gives_way_before_it_becomes_a_flood(void **state)
{
    (void)state;
    struct rig *rig = rig_new("regtest");
    rig->grain_target = target_of(1);
    rig->config.difficulty_start = 1;
    rig_start(rig);
    struct rig_miner miner = {.rig = rig};
    miner.session = rig_connect(rig, "192.0.2.7");
    rig_miner_begin(&miner, "test/1", RIG_ADDRESS ".w+0.0000001", NULL);
    assert_true(miner.difficulty == 1e-7);
    // A hundred shares a second, until it is asked for more.
    size_t shares = 0;
    bool is_told = false;
    while (miner.difficulty < 2e-7 && shares < 1000) {
        rig_pass_ms(rig, 10);
        is_told = strstr(rig_miner_share(&miner), "client.show_message") != NULL || is_told;
        shares++;
    }
    assert_true(shares >= 64 && shares < 200);
    assert_true(is_told);
    assert_true(miner.difficulty > 1e-6);
    rig_assert_open(rig, miner.session);
    rig_free(rig);
}

// ---- Slow readers

static void slow_reader_gets_only_the_newest_job(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    rig->queued = 1000;
    rig_work(rig, 0x22, true);
    rig_miner_read(&miner);
    assert_int_equal(miner.jobs_count, 2); // that one fills its window
    rig_work(rig, 0x33, true);
    rig_work(rig, 0x33, false);
    rig_work(rig, 0x44, true);
    rig_work(rig, 0x44, false);
    rig_expect(rig, miner.session, "");
    assert_int_equal(rig_totals(rig).jobs_replaced, 3);
    rig->queued = 0;
    stratum_drained(rig->stratum, miner.session, rig->now);
    rig_miner_read(&miner);
    assert_int_equal(miner.jobs_count, 3);
    assert_int_equal(miner.job.prev[0], 0x44);
    assert_true(miner.job.is_clean); // new blocks were among those it missed
    rig_free(rig);
}

static void slow_reader_is_closed_after_thirty_seconds(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    rig->queued = 10;
    rig_work(rig, 0x22, true);
    rig_run_ms(rig, 29999);
    rig_assert_open(rig, miner.session);
    rig_run_ms(rig, 1);
    rig_assert_closed(rig, miner.session, STRATUM_CLOSE_SLOW_READER);
    rig_free(rig);
}

static void reader_that_keeps_up_now_and_then_is_not_closed(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    rig->queued = 10;
    for (size_t i = 0; i < 5; i++) {
        rig_work(rig, 0x22, false);
        rig_run_ms(rig, 20000);
        stratum_drained(rig->stratum, miner.session, rig->now);
    }
    rig_assert_open(rig, miner.session);
    rig_free(rig);
}

static void transport_that_queues_too_much_is_closed(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    rig->queued = 65537;
    rig_send(rig, miner.session, "{\"id\":1,\"method\":\"mining.ping\",\"params\":[]}");
    rig_assert_closed(rig, miner.session, STRATUM_CLOSE_SLOW_READER);
    rig_free(rig);
}

static void coinbase_of_a_thousand_outputs_fits_a_transport(void **state)
{
    (void)state;
    struct rig *rig = rig_new("regtest");
    rig->config.coinbase_size_max = 43200;
    rig_start(rig);
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    rig->queued = 90000;
    rig_work_sized(rig, 0x22, true, 43000, 16);
    rig_miner_read(&miner);
    assert_int_equal(miner.job.coinbase1_size, 43032);
    assert_int_equal(miner.job.branches_count, 16);
    rig_assert_open(rig, miner.session);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_is_refreshed_within_thirty_seconds),
        cmocka_unit_test(new_work_postpones_the_refresh),
        cmocka_unit_test(difficulty_is_sent_once_directly_before_the_notify_it_is_for),
        cmocka_unit_test(miners_wishes_about_difficulty_are_honoured),
        cmocka_unit_test(minimum_difficulty_may_be_negotiated_while_mining),
        cmocka_unit_test(refreshed_job_stays_below_the_latest_time_of_its_commitment),
        cmocka_unit_test(worker_begins_at_its_last_known_rate),
        cmocka_unit_test(rate_of_a_worker_is_told_when_it_leaves),
        cmocka_unit_test(flood_of_easy_shares_makes_the_job_harder_and_clean),
        cmocka_unit_test(share_of_the_easier_job_before_is_judged_by_its_own_target),
        cmocka_unit_test(fixed_difficulty_gives_way_before_it_becomes_a_flood),
        cmocka_unit_test(slow_reader_gets_only_the_newest_job),
        cmocka_unit_test(slow_reader_is_closed_after_thirty_seconds),
        cmocka_unit_test(reader_that_keeps_up_now_and_then_is_not_closed),
        cmocka_unit_test(transport_that_queues_too_much_is_closed),
        cmocka_unit_test(coinbase_of_a_thousand_outputs_fits_a_transport),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
