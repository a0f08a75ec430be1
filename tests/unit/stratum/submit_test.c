// What becomes of a submit: what is accepted and what is told of it, every error code, duplicates.
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/hex.h"
#include "node/pow/target.h"
#include "stratum/duplicates.h"
#include "tests/unit/stratum/rig.h"

#define STALE        "[21,\"Stale share, the job is of an earlier block\",null]"
#define NO_JOB       "[21,\"Job not found\",null]"
#define MALFORMED    "[20,\"Malformed share\",null]"
#define BAD_TIME     "[20,\"ntime out of range\",null]"
#define BAD_VERSION  "[20,\"Version bits outside the negotiated mask\",null]"
#define DUPLICATE    "[22,\"Duplicate share\",null]"
#define LOW          "[23,\"Low difficulty share\",null]"
#define NO_USER      "[24,\"Unauthorized worker\",null]"
#define UNSUBSCRIBED "[25,\"Not subscribed\",null]"

static struct u256 target_of(double difficulty)
{
    return target_from_difficulty(difficulty, pow_algorithm(POW_SHA256D));
}

// Vardiff kept still, so that jobs change only when a test wants it.
static struct rig *calm_rig(void)
{
    struct rig *rig = rig_new("regtest");
    rig->config.difficulty_fixed = 1e-7;
    rig_start(rig);
    return rig;
}

static void assert_answer(const char *text, uint64_t id, const char *error)
{
    char wanted[256];
    snprintf(wanted, sizeof(wanted), "{\"id\":%llu,\"result\":%s,\"error\":%s}\n",
             (unsigned long long)id, strcmp(error, "null") == 0 ? "true" : "false", error);
    assert_string_equal(text, wanted);
}

static void submit_and_expect(struct rig_miner *miner, const struct rig_solution *solution,
                              const char *error)
{
    uint64_t id = miner->next_id;
    rig_miner_submit(miner, solution);
    assert_answer(rig_miner_read(miner), id, error);
}

static void good_share_is_accepted_and_counted(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    rig_pass_ms(rig, 5000);
    struct rig_solution solution = rig_miner_mine(&miner, miner.difficulty);
    submit_and_expect(&miner, &solution, "null");
    struct stratum_session_view view = rig_view(rig, miner.session);
    assert_int_equal(view.shares[STRATUM_ACCEPTED], 1);
    assert_int_equal(view.share_at.ms, rig->now.wall.ms);
    assert_true(view.work_accepted > 429 && view.work_accepted < 430);
    assert_true(view.hashrate_1m > 0);
    assert_int_equal(rig->judged.verdict, STRATUM_ACCEPTED);
    assert_true(rig->judged.difficulty == miner.difficulty);
    assert_int_equal(rig_totals(rig).shares[STRATUM_ACCEPTED], 1);
    rig_free(rig);
}

static void share_below_the_job_but_above_the_grain_target_is_only_counted(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_solution solution;
    uint8_t header[80];
    uint8_t hash[32];
    do {
        solution = rig_miner_mine(&miner, 1e-7);
        rig_header(&miner, &miner.job, &solution, header);
        rig_sha256d(header, 80, hash);
    } while (rig_hash_difficulty(hash) > 9e-7);
    submit_and_expect(&miner, &solution, "null");
    assert_int_equal(rig->shares_count, 0);
    assert_false(rig->judged.is_grain);
    rig_free(rig);
}

static void grain_is_told_with_all_that_rebuilds_it(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_solution solution = rig_miner_mine(&miner, 1.01e-6);
    submit_and_expect(&miner, &solution, "null");
    assert_int_equal(rig->shares_count, 1);
    const struct rig_share *record = &rig->shares[0];
    uint8_t header[80];
    uint8_t hash[32];
    rig_header(&miner, &miner.job, &solution, header);
    rig_sha256d(header, 80, hash);
    assert_memory_equal(record->share.header, header, 80);
    assert_memory_equal(record->share.hash.bytes, hash, 32);
    assert_memory_equal(record->share.extranonce, miner.extranonce1, 4);
    assert_memory_equal(record->share.extranonce + 4, solution.extranonce2, 8);
    assert_true(record->share.is_grain && !record->share.is_block);
    assert_int_equal(record->share.verdict, STRATUM_ACCEPTED);
    assert_ptr_equal(record->share.owner, (void *)0x11);
    assert_int_equal(record->commitment.tag, rig->commitments_count);
    assert_string_equal(record->user, RIG_ADDRESS ".rig");
    assert_int_equal(record->payout.size, 22);
    assert_int_equal(record->share.session, miner.session);
    // coinb1 is the prefix and then the commitment.
    assert_int_equal(record->share.prefix_size + 32, miner.job.coinbase1_size);
    assert_memory_equal(record->prefix, miner.job.coinbase1, record->share.prefix_size);
    assert_memory_equal(record->commitment.share_info_hash.bytes,
                        miner.job.coinbase1 + record->share.prefix_size, 32);
    assert_int_equal(rig_view(rig, miner.session).grains, 1);
    rig_free(rig);
}

static void link_is_told_as_such(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    rig->link_target = target_of(1.5e-6);
    rig_work(rig, 0x11, false);
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_solution solution = rig_miner_mine(&miner, 1.51e-6);
    submit_and_expect(&miner, &solution, "null");
    assert_true(rig->shares[0].share.is_link);
    rig_free(rig);
}

static void locktime_is_the_height_before_and_ends_the_coinbase(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    assert_int_equal(miner.job.coinbase2_size, 4);
    const uint8_t locktime[4] = {0xff, 0x34, 0x0c, 0x00}; // 799999
    assert_memory_equal(miner.job.coinbase2, locktime, 4);
    rig_free(rig);
}

static void prefix_of_the_miners_own_replaces_the_works(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    rig->own_prefix = "a coinbase that pays this miner only";
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    assert_int_equal(miner.job.coinbase1_size, strlen(rig->own_prefix) + 32);
    assert_memory_equal(miner.job.coinbase1, rig->own_prefix, strlen(rig->own_prefix));
    struct rig_solution solution = rig_miner_mine(&miner, 1.01e-6);
    submit_and_expect(&miner, &solution, "null");
    assert_true(rig->shares[0].share.has_own_prefix);
    assert_memory_equal(rig->shares[0].prefix, rig->own_prefix, strlen(rig->own_prefix));
    rig_free(rig);
}

static void answered_ids_come_back_untouched_in_refusals_too(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    rig_send(rig, miner.session,
             "{\"id\":\"s\\u00e4\",\"method\":\"mining.submit\",\"params\":[]}");
    rig_expect(rig, miner.session,
               "{\"id\":\"s\\u00e4\",\"result\":false,\"error\":" MALFORMED "}\n");
    rig_send(rig, miner.session, "{\"id\":null,\"method\":\"mining.submit\",\"params\":[]}");
    rig_send(rig, miner.session, "{\"method\":\"mining.submit\",\"params\":[]}");
    rig_expect(rig, miner.session, "");
    rig_free(rig);
}

static void submit_before_subscribe_is_25(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    uint64_t session = rig_connect(rig, "192.0.2.1");
    rig_send(rig, session,
             "{\"id\":1,\"method\":\"mining.submit\",\"params\":[\"a\",\"1\",\"0\",\"0\",\"0\"]}");
    rig_expect(rig, session, "{\"id\":1,\"result\":false,\"error\":" UNSUBSCRIBED "}\n");
    rig_free(rig);
}

static void submit_before_authorize_is_24(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    uint64_t session = rig_connect(rig, "192.0.2.1");
    rig_send(rig, session, "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}");
    rig_take(rig, session);
    rig_send(rig, session,
             "{\"id\":1,\"method\":\"mining.submit\",\"params\":[\"a\",\"1\",\"0\",\"0\",\"0\"]}");
    rig_expect(rig, session, "{\"id\":1,\"result\":false,\"error\":" NO_USER "}\n");
    rig_free(rig);
}

static void unknown_job_is_21(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_solution solution = rig_miner_mine(&miner, miner.difficulty);
    struct rig_job job = miner.job;
    const char *const ids[] = {"0", "ffffffff", "", "xyz", "0123456789abcdef", "job"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        snprintf(miner.job.id, sizeof(miner.job.id), "%s", ids[i]);
        submit_and_expect(&miner, &solution, NO_JOB);
    }
    miner.job = job;
    submit_and_expect(&miner, &solution, "null");
    rig_free(rig);
}

static void job_of_another_session_is_21(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner first = rig_miner_open(rig, "test/1");
    struct rig_miner second = rig_miner_open(rig, "test/1");
    assert_memory_not_equal(first.extranonce1, second.extranonce1, 4);
    assert_string_not_equal(first.job.id, second.job.id);
    struct rig_solution solution = rig_miner_mine(&first, first.difficulty);
    second.job = first.job;
    submit_and_expect(&second, &solution, NO_JOB);
    rig_free(rig);
}

static void expect_raw(struct rig_miner *miner, const char *params, const char *error)
{
    char line[600];
    snprintf(line, sizeof(line), "{\"id\":1,\"method\":\"mining.submit\",\"params\":[%s]}", params);
    rig_send(miner->rig, miner->session, line);
    snprintf(line, sizeof(line), "{\"id\":1,\"result\":false,\"error\":%s}\n", error);
    rig_expect(miner->rig, miner->session, line);
}

static void malformed_submits_are_20(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    static const char *const forms[] = {
        "",
        "\"%u\"",
        "\"%u\",\"%j\",\"0000000000000001\",\"5000\"",
        "5,\"%j\",\"0000000000000001\",\"50000000\",\"00000000\"",
        "\"%u\",7,\"0000000000000001\",\"50000000\",\"00000000\"",
        "\"%u\",\"%j\",\"000000000000001\",\"50000000\",\"00000000\"",
        "\"%u\",\"%j\",\"00000000000000001\",\"50000000\",\"00000000\"",
        "\"%u\",\"%j\",\"00000000\",\"50000000\",\"00000000\"",
        "\"%u\",\"%j\",\"000000000000000g\",\"50000000\",\"00000000\"",
        "\"%u\",\"%j\",null,\"50000000\",\"00000000\"",
        "\"%u\",\"%j\",\"0000000000000001\",\"\",\"00000000\"",
        "\"%u\",\"%j\",\"0000000000000001\",\"500000000\",\"00000000\"",
        "\"%u\",\"%j\",\"0000000000000001\",\"50000000\",\"0x1\"",
        "\"%u\",\"%j\",\"0000000000000001\",\"50000000\",-1",
        "\"%u\",\"%j\",\"0000000000000001\",\"50000000\",\"00000000\",\"zz\"",
        "\"%u\",\"%j\",\"0000000000000001\",\"50000000\",\"00000000\",[]",
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        char params[400];
        size_t size = 0;
        for (const char *at = forms[i]; *at != '\0'; at++) {
            const char *text = *at != '%' ? NULL : at[1] == 'u' ? miner.user : miner.job.id;
            if (text != NULL) {
                size += (size_t)snprintf(params + size, sizeof(params) - size, "%s", text);
                at++;
            } else {
                params[size++] = *at;
            }
        }
        params[size] = '\0';
        expect_raw(&miner, params, MALFORMED);
    }
    assert_int_equal(rig_view(rig, miner.session).shares[STRATUM_MALFORMED],
                     sizeof(forms) / sizeof(forms[0]));
    rig_free(rig);
}

static struct rig_solution mine_at_time(struct rig_miner *miner, uint32_t time)
{
    uint32_t before = miner->job.time;
    miner->job.time = time;
    struct rig_solution solution = rig_miner_mine(miner, miner->difficulty);
    miner->job.time = before;
    return solution;
}

static void header_time_is_taken_from_min_time_to_two_hours_ahead(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    uint32_t now = (uint32_t)(rig->now.wall.ms / 1000);
    struct rig_solution early = mine_at_time(&miner, now - 3601);
    struct rig_solution first = mine_at_time(&miner, now - 3600);
    struct rig_solution last = mine_at_time(&miner, now + 7200);
    struct rig_solution late = mine_at_time(&miner, now + 7201);
    submit_and_expect(&miner, &early, BAD_TIME);
    submit_and_expect(&miner, &first, "null");
    submit_and_expect(&miner, &last, "null");
    submit_and_expect(&miner, &late, BAD_TIME);
    rig_free(rig);
}

static void header_time_is_bounded_by_the_commitment(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    rig->time_max = (uint32_t)(rig->now.wall.ms / 1000) + 100;
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_solution last = mine_at_time(&miner, rig->time_max);
    struct rig_solution late = mine_at_time(&miner, rig->time_max + 1);
    submit_and_expect(&miner, &last, "null");
    submit_and_expect(&miner, &late, BAD_TIME);
    rig_free(rig);
}

static struct rig_solution mine_with_bits(struct rig_miner *miner, uint32_t bits, uint32_t mask,
                                          double difficulty)
{
    struct rig_solution solution = rig_miner_mine(miner, difficulty);
    uint8_t header[80];
    uint8_t hash[32];
    solution.has_version_bits = true;
    solution.version_bits = bits;
    solution.version_mask = mask;
    do {
        solution.nonce++;
        rig_header(miner, &miner->job, &solution, header);
        rig_sha256d(header, 80, hash);
    } while (rig_hash_difficulty(hash) < difficulty);
    return solution;
}

static void version_bits_outside_the_negotiated_mask_are_20(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_solution solution = mine_with_bits(&miner, 0x2000, 0x1fffe000, miner.difficulty);
    submit_and_expect(&miner, &solution, BAD_VERSION);
    rig_send(rig, miner.session,
             "{\"id\":1,\"method\":\"mining.configure\",\"params\":[[\"version-rolling\"],"
             "{\"version-rolling.mask\":\"0000e000\"}]}");
    rig_take(rig, miner.session);
    solution.nonce = 0;
    solution = mine_with_bits(&miner, 0x2000, 0xe000, miner.difficulty);
    submit_and_expect(&miner, &solution, "null");
    solution = mine_with_bits(&miner, 0x10000, 0xe000, miner.difficulty);
    submit_and_expect(&miner, &solution, BAD_VERSION);
    assert_int_equal(rig_view(rig, miner.session).version_mask, 0xe000);
    rig_free(rig);
}

static void version_rolled_shares_that_differ_in_bits_only_are_no_duplicates(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    rig_send(rig, miner.session,
             "{\"id\":1,\"method\":\"mining.configure\",\"params\":[[\"version-rolling\"],{}]}");
    rig_take(rig, miner.session);
    struct rig_solution solution = {.time = miner.job.time, .has_version_bits = true};
    size_t duplicates = 0;
    for (uint32_t bits = 0; bits < 16; bits++) {
        solution.version_bits = bits << 13;
        rig_miner_submit(&miner, &solution);
        duplicates += strstr(rig_miner_read(&miner), "[22,") != NULL ? 1 : 0;
    }
    assert_int_equal(duplicates, 0);
    rig_miner_submit(&miner, &solution);
    assert_non_null(strstr(rig_miner_read(&miner), "[22,"));
    rig_free(rig);
}

static void to_upper(char *text)
{
    for (; *text != '\0'; text++) {
        *text = (char)toupper((unsigned char)*text);
    }
}

static void share_written_in_another_way_is_a_duplicate(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_solution solution;
    do {
        solution = rig_miner_mine(&miner, miner.difficulty);
    } while (solution.nonce < 10 || solution.nonce >= 0x1000000);
    submit_and_expect(&miner, &solution, "null");
    submit_and_expect(&miner, &solution, DUPLICATE);
    char extranonce2[17];
    char extranonce2_upper[17];
    char params[400];
    char job_upper[16];
    hex_encode(solution.extranonce2, 8, extranonce2);
    memcpy(extranonce2_upper, extranonce2, 17);
    to_upper(extranonce2_upper);
    snprintf(job_upper, sizeof(job_upper), "%s", miner.job.id);
    to_upper(job_upper);
    snprintf(params, sizeof(params), "\"%s\",\"%s\",\"%s\",\"%08X\",\"%08X\"", miner.user,
             job_upper, extranonce2_upper, solution.time, solution.nonce);
    expect_raw(&miner, params, DUPLICATE);
    snprintf(params, sizeof(params), "\"%s\",\"%s\",\"%s\",\"%x\",\"%x\"", miner.user, miner.job.id,
             extranonce2, solution.time, solution.nonce);
    expect_raw(&miner, params, DUPLICATE);
    snprintf(params, sizeof(params), "\"%s\",\"%s\",\"%s\",\"%08x\",\"%08x\",\"%s\"", miner.user,
             miner.job.id, extranonce2, solution.time, solution.nonce, "20000000");
    expect_raw(&miner, params, DUPLICATE);
    snprintf(params, sizeof(params), "\"%s+5\",\"%s\",\"%s\",\"%08x\",\"%08x\",null", miner.user,
             miner.job.id, extranonce2, solution.time, solution.nonce);
    expect_raw(&miner, params, DUPLICATE);
    rig_free(rig);
}

static void hash_above_the_jobs_target_is_23(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_solution solution = {.time = miner.job.time};
    uint8_t header[80];
    uint8_t hash[32];
    do {
        solution.nonce++;
        rig_header(&miner, &miner.job, &solution, header);
        rig_sha256d(header, 80, hash);
    } while (rig_hash_difficulty(hash) >= miner.difficulty);
    submit_and_expect(&miner, &solution, LOW);
    rig_free(rig);
}

static void share_of_an_unknown_worker_is_24(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_solution solution = rig_miner_mine(&miner, 1.01e-6);
    snprintf(miner.user, sizeof(miner.user), "%s", RIG_ADDRESS ".other");
    submit_and_expect(&miner, &solution, NO_USER);
    assert_int_equal(rig->shares_count, 0);
    rig_free(rig);
}

static void share_of_an_earlier_block_is_21_and_not_credited(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_job old = miner.job;
    struct rig_solution solution = rig_miner_mine(&miner, 1.01e-6);
    rig_work(rig, 0x22, true);
    rig_miner_read(&miner);
    assert_true(miner.job.is_clean);
    miner.job = old;
    submit_and_expect(&miner, &solution, STALE);
    assert_int_equal(rig->shares_count, 0);
    rig_free(rig);
}

static void share_of_an_earlier_link_is_still_good(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_job old = miner.job;
    struct rig_solution solution = rig_miner_mine(&miner, 1.01e-6);
    rig_work(rig, 0x11, false);
    rig_miner_read(&miner);
    assert_false(miner.job.is_clean);
    assert_string_not_equal(miner.job.id, old.id);
    miner.job = old;
    submit_and_expect(&miner, &solution, "null");
    assert_int_equal(rig->shares_count, 1);
    rig_free(rig);
}

static void new_prev_counts_as_a_new_block_whatever_the_owner_says(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    rig_work(rig, 0x33, false);
    rig_miner_read(&miner);
    assert_true(miner.job.is_clean);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_share_is_accepted_and_counted),
        cmocka_unit_test(share_below_the_job_but_above_the_grain_target_is_only_counted),
        cmocka_unit_test(grain_is_told_with_all_that_rebuilds_it),
        cmocka_unit_test(link_is_told_as_such),
        cmocka_unit_test(locktime_is_the_height_before_and_ends_the_coinbase),
        cmocka_unit_test(prefix_of_the_miners_own_replaces_the_works),
        cmocka_unit_test(answered_ids_come_back_untouched_in_refusals_too),
        cmocka_unit_test(submit_before_subscribe_is_25),
        cmocka_unit_test(submit_before_authorize_is_24),
        cmocka_unit_test(unknown_job_is_21),
        cmocka_unit_test(job_of_another_session_is_21),
        cmocka_unit_test(malformed_submits_are_20),
        cmocka_unit_test(header_time_is_taken_from_min_time_to_two_hours_ahead),
        cmocka_unit_test(header_time_is_bounded_by_the_commitment),
        cmocka_unit_test(version_bits_outside_the_negotiated_mask_are_20),
        cmocka_unit_test(version_rolled_shares_that_differ_in_bits_only_are_no_duplicates),
        cmocka_unit_test(share_written_in_another_way_is_a_duplicate),
        cmocka_unit_test(hash_above_the_jobs_target_is_23),
        cmocka_unit_test(share_of_an_unknown_worker_is_24),
        cmocka_unit_test(share_of_an_earlier_block_is_21_and_not_credited),
        cmocka_unit_test(share_of_an_earlier_link_is_still_good),
        cmocka_unit_test(new_prev_counts_as_a_new_block_whatever_the_owner_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
