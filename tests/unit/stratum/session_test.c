// Sessions over time: who is let in, who is thrown out and when, user names, resuming, pausing.
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

// ---- Who is let in

static void nobody_is_let_in_before_there_is_work(void **state)
{
    (void)state;
    struct rig *rig = rig_new("regtest");
    rig_start(rig);
    stratum_pause(rig->stratum, "daemon is gone", rig->now);
    uint64_t session;
    assert_int_equal(rig_try_connect(rig, "192.0.2.1", &session), STRATUM_REFUSED_PAUSED);
    assert_true(rig_totals(rig).is_paused);
    assert_string_equal(rig_totals(rig).pause_reason, "daemon is gone");
    rig_work(rig, 0x11, false);
    assert_int_equal(rig_try_connect(rig, "192.0.2.1", &session), STRATUM_CONNECTED);
    assert_false(rig_totals(rig).is_paused);
    assert_int_equal(rig_totals(rig).refused, 1);
    assert_int_equal(rig_totals(rig).refusals[STRATUM_REFUSED_PAUSED], 1);
    rig_free(rig);
}

static void sessions_are_bounded_in_all_and_by_address(void **state)
{
    (void)state;
    static const struct stratum_network lan = {4, {10}, 8};
    struct rig *rig = rig_new("regtest");
    rig->config.sessions_max = 6;
    rig->config.sessions_per_address_max = 2;
    rig->config.networks_trusted = &lan;
    rig->config.networks_trusted_count = 1;
    rig_start(rig);
    uint64_t session;
    uint64_t first = rig_connect(rig, "192.0.2.1");
    rig_connect(rig, "192.0.2.1");
    assert_int_equal(rig_try_connect(rig, "192.0.2.1", &session), STRATUM_REFUSED_ADDRESS);
    stratum_disconnected(rig->stratum, first, rig->now);
    rig_connect(rig, "192.0.2.1");
    for (size_t i = 0; i < 4; i++) {
        rig_connect(rig, "10.0.0.1"); // the operator's own farm
    }
    assert_int_equal(rig_try_connect(rig, "192.0.2.2", &session), STRATUM_REFUSED_FULL);
    assert_int_equal(rig_totals(rig).refusals[STRATUM_REFUSED_ADDRESS], 1);
    assert_int_equal(rig_totals(rig).refusals[STRATUM_REFUSED_FULL], 1);
    assert_int_equal(rig_totals(rig).refused, 2);
    rig_free(rig);
}

static void connections_are_admitted_at_a_rate(void **state)
{
    (void)state;
    struct rig *rig = rig_new("regtest");
    rig->config.connections_burst = 3;
    rig->config.connections_per_second = 10;
    rig_start(rig);
    uint64_t session;
    for (size_t i = 0; i < 3; i++) {
        rig_connect(rig, "192.0.2.1");
    }
    assert_int_equal(rig_try_connect(rig, "192.0.2.1", &session), STRATUM_REFUSED_RATE);
    rig_pass_ms(rig, 100);
    rig_connect(rig, "192.0.2.1");
    assert_int_equal(rig_try_connect(rig, "192.0.2.1", &session), STRATUM_REFUSED_RATE);
    rig_free(rig);
}

static void ids_are_never_used_again(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    uint64_t first = rig_connect(rig, "192.0.2.1");
    stratum_disconnected(rig->stratum, first, rig->now);
    uint64_t second = rig_connect(rig, "192.0.2.1");
    assert_true(first != second);
    // A late word about the first one does nothing to the second.
    stratum_disconnected(rig->stratum, first, rig->now);
    stratum_drained(rig->stratum, first, rig->now);
    stratum_receive(rig->stratum, first, "x\n", 2, rig->now);
    assert_int_equal(rig_totals(rig).sessions, 1);
    rig_free(rig);
}

static void extranonces_of_living_sessions_differ(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miners[20];
    for (size_t i = 0; i < 20; i++) {
        miners[i] = rig_miner_open(rig, "test/1");
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(miners[i].extranonce1, miners[j].extranonce1, 4);
        }
    }
    rig_free(rig);
}

// ---- Patience and its ends

static void silent_connection_is_closed_after_ten_seconds(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    uint64_t session = rig_connect(rig, "192.0.2.1");
    rig_run_ms(rig, 9999);
    rig_assert_open(rig, session);
    rig_run_ms(rig, 1);
    rig_assert_closed(rig, session, STRATUM_CLOSE_NO_FIRST_LINE);
    rig_free(rig);
}

static void half_a_line_is_no_first_line(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    uint64_t session = rig_connect(rig, "192.0.2.1");
    for (size_t i = 0; i < 10; i++) {
        rig_send_bytes(rig, session, "{", 1);
        rig_run_ms(rig, 999);
    }
    rig_run_ms(rig, 10);
    rig_assert_closed(rig, session, STRATUM_CLOSE_NO_FIRST_LINE);
    rig_free(rig);
}

static void session_without_authorize_is_closed_after_fifteen_seconds(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    uint64_t session = rig_connect(rig, "192.0.2.1");
    rig_run_ms(rig, 5000);
    rig_send(rig, session, "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}");
    rig_run_ms(rig, 9999);
    rig_assert_open(rig, session);
    rig_run_ms(rig, 1);
    rig_assert_closed(rig, session, STRATUM_CLOSE_NOT_AUTHORIZED);
    rig_free(rig);
}

static void miner_that_says_nothing_for_two_hours_is_closed(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    rig_run_ms(rig, 7199000);
    rig_assert_open(rig, miner.session);
    rig_run_ms(rig, 1000);
    rig_assert_closed(rig, miner.session, STRATUM_CLOSE_IDLE);
    rig_free(rig);
}

static void line_that_never_ends_is_closed(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    rig_send_bytes(rig, miner.session, "{\"id\":1,", 8);
    rig_run_ms(rig, 29999);
    rig_assert_open(rig, miner.session);
    rig_run_ms(rig, 1);
    rig_assert_closed(rig, miner.session, STRATUM_CLOSE_IDLE);
    rig_free(rig);
}

// ---- User names

#define REFUSED_NAME(why)                                                                          \
    "{\"id\":1,\"result\":false,\"error\":[24,\"The user name must be a regtest address, perhaps " \
    "with .worker behind it: " why "\",null]}\n"

static uint64_t authorize(struct rig *rig, const char *user)
{
    char line[400];
    uint64_t session = rig_connect(rig, "192.0.2.1");
    rig_send(rig, session, "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"test/1\"]}");
    rig_take(rig, session);
    snprintf(line, sizeof(line), "{\"id\":1,\"method\":\"mining.authorize\",\"params\":[%s]}",
             user);
    rig_send(rig, session, line);
    return session;
}

static void user_name_that_is_no_address_is_refused_in_words(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    uint64_t session = authorize(rig, "\"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4.w\",\"x\"");
    rig_expect(rig, session,
               REFUSED_NAME("the address belongs to another chain: give one of the chain that "
                            "the pool mines"));
    session = authorize(rig, "\"\"");
    rig_expect(rig, session, REFUSED_NAME("it is empty"));
    session = authorize(rig, "");
    rig_expect(rig, session, REFUSED_NAME("it is empty"));
    session = authorize(rig, "7");
    rig_expect(rig, session, REFUSED_NAME("it is empty"));
    rig_free(rig);
}

static void refused_user_name_costs_a_wait_that_doubles(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    for (int64_t wait = 3000; wait <= 48000; wait *= 2) {
        uint64_t session = authorize(rig, "\"worker1\",\"x\"");
        rig_run_ms(rig, wait - 1);
        rig_assert_open(rig, session);
        rig_run_ms(rig, 1);
        rig_assert_closed(rig, session, STRATUM_CLOSE_NOT_AUTHORIZED);
    }
    rig_free(rig);
}

static void user_name_may_be_corrected_on_the_same_connection(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    uint64_t session = authorize(rig, "\"worker1\",\"x\"");
    rig_take(rig, session);
    rig_send(rig, session,
             "{\"id\":2,\"method\":\"mining.authorize\",\"params\":[\"" RIG_ADDRESS "\",\"x\"]}");
    assert_non_null(strstr(rig_take(rig, session), "{\"id\":2,\"result\":true"));
    rig_run_ms(rig, 60000);
    rig_assert_open(rig, session);
    rig_free(rig);
}

static void assert_worker(struct rig *rig, const char *user, const char *worker)
{
    uint64_t session = authorize(rig, user);
    assert_non_null(strstr(rig_take(rig, session), "\"result\":true"));
    assert_string_equal(rig_view(rig, session).worker, worker);
}

static void user_name_is_address_and_worker(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    assert_worker(rig, "\"" RIG_ADDRESS "\"", "");
    assert_worker(rig, "\"" RIG_ADDRESS ".rig\"", "rig");
    assert_worker(rig, "\"" RIG_ADDRESS "_rig.x\"", "rig.x");
    assert_worker(rig, "\"" RIG_ADDRESS "_rig\"", "rig");
    assert_worker(rig, "\"" RIG_ADDRESS ".rig_1+0.5\"", "rig_1");
    assert_worker(rig, "\"" RIG_OTHER_ADDRESS "\"", "");
    rig_free(rig);
}

static void users_of_one_connection_are_bounded(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    size_t accepted = 1;
    for (size_t i = 0; i < 30; i++) {
        char line[300];
        snprintf(line, sizeof(line),
                 "{\"id\":1,\"method\":\"mining.authorize\",\"params\":[\"" RIG_ADDRESS ".w%zu\"]}",
                 i);
        rig_send(rig, miner.session, line);
        accepted += count_of(rig_take(rig, miner.session), "true");
    }
    assert_int_equal(accepted, 16);
    assert_int_equal(rig_view(rig, miner.session).users_count, 16);
    rig_free(rig);
}

// ---- Resuming

static void lost_session_is_taken_up_with_its_jobs(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_miner old = miner;
    struct rig_solution solution = rig_miner_mine(&miner, 1.01e-6);
    stratum_disconnected(rig->stratum, miner.session, rig->now);
    assert_int_equal(rig_totals(rig).sessions_parked, 1);
    rig_run_ms(rig, 100000);
    miner.session = rig_connect(rig, "192.0.2.7");
    rig_miner_begin(&miner, "test/1", old.user, old.name);
    assert_memory_equal(miner.extranonce1, old.extranonce1, 4);
    assert_string_equal(miner.name, old.name);
    assert_true(rig_view(rig, miner.session).is_resumed);
    assert_int_equal(rig_totals(rig).sessions_parked, 0);
    miner.job = old.job;
    rig_miner_submit(&miner, &solution);
    assert_non_null(strstr(rig_take(rig, miner.session), "\"result\":true"));
    assert_int_equal(rig->shares_count, 1);
    // And again: the shares seen came along too.
    rig_miner_submit(&miner, &solution);
    assert_non_null(strstr(rig_take(rig, miner.session), "[22,"));
    rig_free(rig);
}

static void session_is_taken_up_while_we_think_it_alive(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_miner old = miner;
    miner.session = rig_connect(rig, "192.0.2.7");
    rig_miner_begin(&miner, "test/1", old.user, old.name);
    assert_memory_equal(miner.extranonce1, old.extranonce1, 4);
    rig_assert_closed(rig, old.session, STRATUM_CLOSE_RESUMED);
    rig_assert_open(rig, miner.session);
    rig_free(rig);
}

static void session_is_not_taken_up_late_or_by_a_wrong_name(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_miner old = miner;
    stratum_disconnected(rig->stratum, miner.session, rig->now);
    const char *const names[] = {
        "", "0", "deadbeef", "00000000000000000000000", "zz", "000000000000000000000000"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        miner.session = rig_connect(rig, "192.0.2.7");
        rig_miner_begin(&miner, "test/1", old.user, names[i]);
        assert_memory_not_equal(miner.extranonce1, old.extranonce1, 4);
        stratum_disconnected(rig->stratum, miner.session, rig->now);
    }
    rig_run_ms(rig, 130000);
    assert_int_equal(rig_totals(rig).sessions_parked, 0);
    miner.session = rig_connect(rig, "192.0.2.7");
    rig_miner_begin(&miner, "test/1", old.user, old.name);
    assert_memory_not_equal(miner.extranonce1, old.extranonce1, 4);
    rig_free(rig);
}

static void session_taken_up_for_another_address_begins_anew_and_keeps_its_jobs(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_miner old = miner;
    struct rig_solution solution = rig_miner_mine(&miner, 1.01e-6);
    stratum_disconnected(rig->stratum, miner.session, rig->now);
    miner.session = rig_connect(rig, "192.0.2.7");
    rig_miner_begin(&miner, "test/1", RIG_OTHER_ADDRESS ".x", old.name);
    assert_false(rig_view(rig, miner.session).is_resumed);
    // What the old job committed to stays what it was, whoever sends the share.
    miner.job = old.job;
    rig_miner_submit(&miner, &solution);
    assert_non_null(strstr(rig_take(rig, miner.session), "\"result\":true"));
    assert_int_equal(rig->shares_count, 1);
    assert_int_equal(rig->shares[0].payout.size, 22);
    assert_string_equal(rig->shares[0].user, RIG_OTHER_ADDRESS ".x");
    rig_free(rig);
}

static void many_lost_sessions_are_bounded(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    rig_pass_ms(rig, 1);
    for (size_t i = 0; i < 1100; i++) {
        struct rig_miner miner = rig_miner_open(rig, "test/1");
        stratum_disconnected(rig->stratum, miner.session, rig->now);
    }
    assert_int_equal(rig_totals(rig).sessions_parked, 1024);
    rig_free(rig);
}

// ---- Pausing, draining, releasing works

static void pause_closes_everybody(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner first = rig_miner_open(rig, "test/1");
    uint64_t second = rig_connect(rig, "192.0.2.3");
    stratum_pause(rig->stratum, "not synced", rig->now);
    rig_assert_closed(rig, first.session, STRATUM_CLOSE_PAUSED);
    rig_assert_closed(rig, second, STRATUM_CLOSE_PAUSED);
    assert_int_equal(rig->closed_count, 2);
    assert_int_equal(rig_totals(rig).sessions, 0);
    rig_free(rig);
}

static void drain_asks_miners_to_reconnect_and_closes(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    stratum_drain(rig->stratum, rig->now);
    rig_expect(rig, miner.session, "{\"id\":null,\"method\":\"client.reconnect\",\"params\":[]}\n");
    rig_assert_closed(rig, miner.session, STRATUM_CLOSE_DRAINED);
    rig_work(rig, 0x22, true); // a template that came too late does not open the door again
    uint64_t session;
    assert_int_equal(rig_try_connect(rig, "192.0.2.1", &session), STRATUM_REFUSED_PAUSED);
    rig_free(rig);
}

static void work_is_released_when_no_job_refers_to_it(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    rig->config.resume_ms = 0;
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    rig_work(rig, 0x22, true);
    assert_int_equal(rig->released_count, 0);
    for (size_t i = 0; i < 7; i++) {
        rig_work(rig, 0x22, false);
    }
    // Eight jobs are kept: the first work's has just been pushed out.
    assert_int_equal(rig->released_count, 1);
    assert_ptr_equal(rig->released_owner, (void *)0x11);
    stratum_disconnected(rig->stratum, miner.session, rig->now);
    assert_int_equal(rig_totals(rig).works, 8);
    rig_run_ms(rig, 140000);
    assert_int_equal(rig_totals(rig).works, 1);
    rig_free(rig);
}

static void jobs_of_an_earlier_block_are_kept_for_a_minute(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    rig_work(rig, 0x22, true);
    rig_run_ms(rig, 59000);
    assert_int_equal(rig->released_count, 0);
    rig_run_ms(rig, 31000);
    assert_int_equal(rig->released_count, 1);
    rig_assert_open(rig, miner.session);
    rig_free(rig);
}

static void miner_for_whom_there_is_no_job_is_disconnected(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    rig->has_no_commitment = true;
    rig_work(rig, 0x22, true);
    rig_assert_closed(rig, miner.session, STRATUM_CLOSE_NO_JOB);
    rig_free(rig);
}

static void largest_miner_gets_new_work_first(void **state)
{
    (void)state;
    struct rig *rig = rig_new("regtest");
    rig->grain_target = target_of(1e9);
    rig_start(rig);
    rig->worker_rate = 1e12;
    struct rig_miner small = rig_miner_open(rig, "test/1");
    rig->worker_rate = 1e15;
    struct rig_miner large = rig_miner_open(rig, "test/1");
    rig->worker_rate = 1e13;
    struct rig_miner medium = rig_miner_open(rig, "test/1");
    rig_work(rig, 0x22, true);
    // Job ids are given out in the order of sending.
    rig_miner_read(&small);
    rig_miner_read(&large);
    rig_miner_read(&medium);
    assert_true(strcmp(large.job.id, medium.job.id) < 0);
    assert_true(strcmp(medium.job.id, small.job.id) < 0);
    rig_free(rig);
}

// ---- The whole node

static void node_wide_cap_asks_the_largest_first_for_fewer_shares(void **state)
{
    (void)state;
    struct rig *rig = rig_new("regtest");
    rig->config.shares_per_second_max = 0.6; // three at 0.25 a second are more
    rig->grain_target = target_of(1e12);
    rig_start(rig);
    struct rig_miner miners[3];
    double before[3];
    for (size_t i = 0; i < 3; i++) {
        rig->worker_rate = 100 * (double)(i + 1);
        miners[i] = rig_miner_open(rig, "test/1");
        before[i] = miners[i].difficulty;
    }
    // Each goes on at its hashrate; the last is the largest.
    for (int64_t ms = 0; ms < 400000; ms += 1000) {
        rig_pass_ms(rig, 1000);
        for (size_t i = 0; i < 3; i++) {
            rig_miner_read(&miners[i]);
            if (ms % (int64_t)(4000 * miners[i].difficulty / before[i]) < 1000) {
                rig_miner_share(&miners[i]);
            }
        }
    }
    assert_true(miners[0].difficulty < before[0] * 1.5);
    assert_true(miners[1].difficulty < before[1] * 1.5);
    assert_true(miners[2].difficulty > before[2] * 4);
    rig_free(rig);
}

static void deadline_is_never_behind_once_ticked(void **state)
{
    (void)state;
    struct rig *rig = rig_started();
    for (size_t i = 0; i < 10; i++) {
        rig_miner_open(rig, "test/1");
        rig_connect(rig, "192.0.2.1");
    }
    size_t ticks = 0;
    for (;; ticks++) {
        struct mono_time next = stratum_next_deadline(rig->stratum);
        if (next.ms == MONO_NEVER.ms) {
            break; // all have been silent for too long
        }
        rig_pass_ms(rig, next.ms - rig->now.mono.ms);
        assert_true(stratum_next_deadline(rig->stratum).ms > rig->now.mono.ms);
    }
    assert_true(ticks > 500 && ticks < 20000);
    rig_free(rig);
}

static void nothing_is_due_without_sessions(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    assert_true(stratum_next_deadline(rig->stratum).ms == MONO_NEVER.ms);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_let_in_before_there_is_work),
        cmocka_unit_test(sessions_are_bounded_in_all_and_by_address),
        cmocka_unit_test(connections_are_admitted_at_a_rate),
        cmocka_unit_test(ids_are_never_used_again),
        cmocka_unit_test(extranonces_of_living_sessions_differ),
        cmocka_unit_test(silent_connection_is_closed_after_ten_seconds),
        cmocka_unit_test(half_a_line_is_no_first_line),
        cmocka_unit_test(session_without_authorize_is_closed_after_fifteen_seconds),
        cmocka_unit_test(miner_that_says_nothing_for_two_hours_is_closed),
        cmocka_unit_test(line_that_never_ends_is_closed),
        cmocka_unit_test(user_name_that_is_no_address_is_refused_in_words),
        cmocka_unit_test(refused_user_name_costs_a_wait_that_doubles),
        cmocka_unit_test(user_name_may_be_corrected_on_the_same_connection),
        cmocka_unit_test(user_name_is_address_and_worker),
        cmocka_unit_test(users_of_one_connection_are_bounded),
        cmocka_unit_test(lost_session_is_taken_up_with_its_jobs),
        cmocka_unit_test(session_is_taken_up_while_we_think_it_alive),
        cmocka_unit_test(session_is_not_taken_up_late_or_by_a_wrong_name),
        cmocka_unit_test(session_taken_up_for_another_address_begins_anew_and_keeps_its_jobs),
        cmocka_unit_test(many_lost_sessions_are_bounded),
        cmocka_unit_test(pause_closes_everybody),
        cmocka_unit_test(drain_asks_miners_to_reconnect_and_closes),
        cmocka_unit_test(work_is_released_when_no_job_refers_to_it),
        cmocka_unit_test(jobs_of_an_earlier_block_are_kept_for_a_minute),
        cmocka_unit_test(miner_for_whom_there_is_no_job_is_disconnected),
        cmocka_unit_test(largest_miner_gets_new_work_first),
        cmocka_unit_test(node_wide_cap_asks_the_largest_first_for_fewer_shares),
        cmocka_unit_test(deadline_is_never_behind_once_ticked),
        cmocka_unit_test(nothing_is_due_without_sessions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
