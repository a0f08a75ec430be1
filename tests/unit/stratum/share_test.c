// Blocks before everything else, held answers, full jobs, and hashes that are computed elsewhere.
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

#define STALE       "[21,\"Stale share, the job is of an earlier block\",null]"
#define BAD_TIME    "[20,\"ntime out of range\",null]"
#define BAD_VERSION "[20,\"Version bits outside the negotiated mask\",null]"
#define DUPLICATE   "[22,\"Duplicate share\",null]"
#define LOW         "[23,\"Low difficulty share\",null]"
#define NO_USER     "[24,\"Unauthorized worker\",null]"

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

static struct rig_solution mine_at_time(struct rig_miner *miner, uint32_t time)
{
    uint32_t before = miner->job.time;
    miner->job.time = time;
    struct rig_solution solution = rig_miner_mine(miner, miner->difficulty);
    miner->job.time = before;
    return solution;
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

// On a pool where every share is a block.
static struct rig *block_rig(void)
{
    struct rig *rig = rig_new("regtest");
    rig->network_target = target_of(1.01e-6);
    rig->config.difficulty_fixed = 1e-7;
    rig_start(rig);
    return rig;
}

static void block_is_told_before_the_miner_is_answered(void **state)
{
    (void)state;
    struct rig *rig = block_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_solution solution = rig_miner_mine(&miner, 1.02e-6);
    size_t sends = rig->sends;
    submit_and_expect(&miner, &solution, "null");
    assert_int_equal(rig->shares_count, 1);
    assert_true(rig->shares[0].share.is_block);
    assert_int_equal(rig->shares[0].sends_before, sends);
    assert_int_equal(rig_totals(rig).blocks, 1);
    rig_free(rig);
}

static void expect_block_in_spite_of(struct rig *rig, struct rig_miner *miner,
                                     const struct rig_solution *solution, const char *error,
                                     enum stratum_verdict verdict)
{
    size_t before = rig->shares_count;
    submit_and_expect(miner, solution, error);
    assert_int_equal(rig->shares_count, before + 1);
    assert_true(rig->shares[before].share.is_block);
    assert_int_equal(rig->shares[before].share.verdict, verdict);
    // The same again is nothing new.
    rig_miner_submit(miner, solution);
    rig_miner_read(miner);
    assert_int_equal(rig->shares_count, before + 1);
}

static void block_is_told_whatever_else_is_wrong_with_the_share(void **state)
{
    (void)state;
    struct rig *rig = block_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_job first = miner.job;
    struct rig_solution stale = rig_miner_mine(&miner, 1.02e-6);
    struct rig_solution bits = mine_with_bits(&miner, 0x2000, 0, 1.02e-6);
    expect_block_in_spite_of(rig, &miner, &bits, BAD_VERSION, STRATUM_VERSION_INVALID);
    double difficulty = miner.difficulty;
    miner.difficulty = 1.02e-6;
    struct rig_solution late = mine_at_time(&miner, (uint32_t)(rig->now.wall.ms / 1000) + 7201);
    miner.difficulty = difficulty;
    expect_block_in_spite_of(rig, &miner, &late, BAD_TIME, STRATUM_TIME_INVALID);
    struct rig_solution stranger = rig_miner_mine(&miner, 1.02e-6);
    snprintf(miner.user, sizeof(miner.user), "nobody");
    expect_block_in_spite_of(rig, &miner, &stranger, NO_USER, STRATUM_UNAUTHORIZED);
    snprintf(miner.user, sizeof(miner.user), "%s", RIG_ADDRESS ".rig");
    rig_work(rig, 0x22, true);
    rig_miner_read(&miner);
    miner.job = first;
    expect_block_in_spite_of(rig, &miner, &stale, STALE, STRATUM_STALE);
    rig_free(rig);
}

static void set_new_work(struct rig *rig)
{
    rig->on_share = NULL;
    rig_work(rig, 0x55, true);
}

static void owner_may_set_new_work_while_it_is_told_of_a_share(void **state)
{
    (void)state;
    struct rig *rig = block_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_solution solution = rig_miner_mine(&miner, 1.02e-6);
    rig->on_share = set_new_work;
    rig_miner_submit(&miner, &solution);
    const char *text = rig_miner_read(&miner);
    assert_non_null(strstr(text, "\"result\":true"));
    assert_true(miner.job.is_clean);
    assert_int_equal(miner.job.prev[0], 0x55);
    rig_free(rig);
}

static void pause_all(struct rig *rig)
{
    stratum_pause(rig->stratum, "test", rig->now);
}

static void owner_may_close_everything_while_it_is_told_of_a_share(void **state)
{
    (void)state;
    struct rig *rig = block_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_solution solution = rig_miner_mine(&miner, 1.02e-6);
    rig->on_share = pause_all;
    rig_miner_submit(&miner, &solution);
    rig_assert_closed(rig, miner.session, STRATUM_CLOSE_PAUSED);
    assert_int_equal(rig->shares_count, 1);
    assert_int_equal(rig->submits_arrived, 1);
    assert_int_equal(rig->submits_answered, 0);
    rig_free(rig);
}

static void answer_waits_until_the_share_is_durable(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    rig->next_sequence = 100;
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    uint64_t id = miner.next_id;
    struct rig_solution first = rig_miner_mine(&miner, 1.01e-6);
    struct rig_solution second = rig_miner_mine(&miner, 1.01e-6);
    rig_miner_submit(&miner, &first);
    rig_miner_submit(&miner, &second);
    rig_expect(rig, miner.session, "");
    assert_int_equal(rig_totals(rig).answers_held, 2);
    stratum_release(rig->stratum, 99, rig->now);
    rig_expect(rig, miner.session, "");
    stratum_release(rig->stratum, 100, rig->now);
    assert_answer(rig_take(rig, miner.session), id, "null");
    stratum_release(rig->stratum, 500, rig->now);
    assert_answer(rig_take(rig, miner.session), id + 1, "null");
    assert_int_equal(rig_totals(rig).answers_unsaved, 0);
    rig_free(rig);
}

static void answer_waits_a_second_at_most(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    rig->next_sequence = 100;
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    uint64_t id = miner.next_id;
    struct rig_solution solution = rig_miner_mine(&miner, 1.01e-6);
    rig_miner_submit(&miner, &solution);
    assert_int_equal(stratum_next_deadline(rig->stratum).ms, rig->now.mono.ms + 1000);
    rig_pass_ms(rig, 999);
    rig_expect(rig, miner.session, "");
    rig_pass_ms(rig, 1);
    assert_answer(rig_take(rig, miner.session), id, "null");
    assert_int_equal(rig_totals(rig).answers_unsaved, 1);
    rig_free(rig);
}

static void answers_held_for_one_session_are_bounded(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    rig->next_sequence = 1;
    for (size_t i = 0; i < 260; i++) {
        struct rig_solution solution = rig_miner_mine(&miner, 1.01e-6);
        rig->shares_count = 0;
        rig_miner_submit(&miner, &solution);
    }
    assert_int_equal(rig_totals(rig).answers_held, 256);
    assert_int_equal(rig_totals(rig).answers_unsaved, 4);
    stratum_disconnected(rig->stratum, miner.session, rig->now);
    stratum_release(rig->stratum, UINT64_MAX, rig->now);
    assert_int_equal(rig_totals(rig).answers_held, 0);
    rig_free(rig);
}

static void refusal_is_not_held(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    rig->next_sequence = 1;
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_solution solution = rig_miner_mine(&miner, 1.01e-6);
    rig_miner_submit(&miner, &solution);
    rig_expect(rig, miner.session, "");
    submit_and_expect(&miner, &solution, DUPLICATE);
    rig_free(rig);
}

static void job_full_of_shares_is_replaced_before_one_is_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_new("regtest");
    rig->config.difficulty_fixed = 1e-10; // every hash is a share
    rig->config.difficulty_min = 1e-10;
    rig->config.lines_per_second = 0;
    rig_start(rig);
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    size_t jobs = miner.jobs_count;
    struct rig_solution solution = {.time = miner.job.time};
    for (uint32_t i = 0; i < DUPLICATES_MAX + 100; i++) {
        solution.nonce = i;
        rig->shares_count = 0;
        rig_miner_submit(&miner, &solution);
        const char *text = rig_miner_read(&miner);
        assert_null(strstr(text, "[20,"));
    }
    assert_true(miner.jobs_count > jobs);
    rig_free(rig);
}

// A miner that goes on with the full job is told so, and its job is not replaced again and again.
static void shares_beyond_a_full_job_are_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_new("regtest");
    rig->config.difficulty_fixed = 1e-10;
    rig->config.difficulty_min = 1e-10;
    rig->config.lines_per_second = 0;
    rig_start(rig);
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_job first = miner.job;
    struct rig_solution solution = {.time = miner.job.time};
    for (uint32_t i = 0; i < DUPLICATES_MAX; i++) {
        solution.nonce = i;
        rig->shares_count = 0;
        miner.job = first;
        rig_miner_submit(&miner, &solution);
        rig_miner_read(&miner);
    }
    size_t jobs = miner.jobs_count;
    assert_int_equal(jobs, 2);
    for (uint32_t i = 0; i < 10; i++) {
        solution.nonce = DUPLICATES_MAX + i;
        miner.job = first;
        submit_and_expect(&miner, &solution, "[20,\"Too many shares at once, please wait\",null]");
    }
    assert_int_equal(miner.jobs_count, jobs);
    rig_free(rig);
}

// ---- Marks

static void mark_of_a_held_answer_comes_back_when_it_goes_out(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    rig->next_sequence = 100;
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    for (size_t i = 0; i < 2; i++) {
        struct rig_solution solution = rig_miner_mine(&miner, 1.01e-6);
        rig_miner_submit(&miner, &solution);
    }
    assert_int_equal(rig->submits_arrived, 2);
    assert_int_equal(rig->submits_answered, 0);
    size_t sends = rig->sends;
    stratum_release(rig->stratum, 100, rig->now);
    assert_int_equal(rig->submits_answered, 1);
    assert_int_equal(rig->mark_answered, 1);
    // Told before the transport got it, which it then did.
    assert_int_equal(rig->sends_before_answer, sends);
    assert_int_equal(rig->sends, sends + 1);
    stratum_release(rig->stratum, 101, rig->now);
    assert_int_equal(rig->mark_answered, 2);
    rig_free(rig);
}

static void mark_of_a_refusal_comes_back_at_once(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_solution solution = rig_miner_mine(&miner, 1.01e-6);
    rig_miner_submit(&miner, &solution);
    assert_int_equal(rig->mark_answered, 1);
    rig_miner_submit(&miner, &solution); // a duplicate
    assert_int_equal(rig->submits_answered, 2);
    assert_int_equal(rig->mark_answered, 2);
    rig_free(rig);
}

static void held_answers_of_a_miner_that_left_give_no_mark_back(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    rig->next_sequence = 100;
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    struct rig_solution solution = rig_miner_mine(&miner, 1.01e-6);
    rig_miner_submit(&miner, &solution);
    stratum_disconnected(rig->stratum, miner.session, rig->now);
    stratum_release(rig->stratum, 100, rig->now);
    assert_int_equal(rig->submits_arrived, 1);
    assert_int_equal(rig->submits_answered, 0);
    rig_free(rig);
}

// ---- Slow algorithms: the rig answers for scrypt with hashes of its own choice.

static struct rig *slow_rig(void)
{
    struct rig *rig = rig_new("litecoin-regtest");
    const struct pow_algorithm *scrypt = pow_algorithm(POW_SCRYPT);
    rig->config.difficulty_fixed = 16;
    rig->config.difficulty_min = 1;
    rig->grain_target = target_from_difficulty(32, scrypt);
    rig->link_target = target_from_difficulty(64, scrypt);
    rig->network_target = target_from_difficulty(1e6, scrypt);
    rig_start(rig);
    return rig;
}

#define SLOW_USER "rltc1qw508d6qejxtdg4y5r3zarvary0c5xw7k693xs3.w"

static struct rig_miner slow_miner(struct rig *rig)
{
    struct rig_miner miner = {.rig = rig};
    miner.session = rig_connect(rig, "192.0.2.8");
    rig_miner_begin(&miner, "test/1", SLOW_USER, NULL);
    assert_true(miner.difficulty == 16);
    return miner;
}

// The largest hash of this difficulty.
static struct hash256 hash_of(double difficulty)
{
    struct u256 target = target_from_difficulty(difficulty, pow_algorithm(POW_SCRYPT));
    struct hash256 hash;
    u256_to_bytes_le(&target, hash.bytes);
    return hash;
}

static void slow_submit(struct rig_miner *miner, uint32_t nonce)
{
    struct rig_solution solution = {.time = miner->job.time, .nonce = nonce};
    rig_miner_submit(miner, &solution);
}

static void slow_hash_is_asked_for_and_answered_when_it_comes(void **state)
{
    (void)state;
    struct rig *rig = slow_rig();
    struct rig_miner miner = slow_miner(rig);
    uint64_t id = miner.next_id;
    slow_submit(&miner, 1);
    rig_expect(rig, miner.session, "");
    assert_int_equal(rig->hashes_wanted, 1);
    uint8_t header[80];
    struct rig_solution solution = {.time = miner.job.time, .nonce = 1};
    rig_header(&miner, &miner.job, &solution, header);
    assert_memory_equal(rig->hash_header, header, 80);
    assert_int_equal(rig_totals(rig).hashes_pending, 1);
    struct hash256 hash = hash_of(40);
    assert_int_equal(rig->submits_answered, 0);
    stratum_hashed(rig->stratum, rig->hash_token, &hash, rig->now);
    assert_int_equal(rig->mark_answered, rig->submits_arrived);
    assert_answer(rig_take(rig, miner.session), id, "null");
    assert_int_equal(rig->shares_count, 1);
    assert_true(rig->shares[0].share.is_grain && !rig->shares[0].share.is_link);
    assert_string_equal(rig->shares[0].user, SLOW_USER);
    assert_int_equal(rig_totals(rig).hashes_pending, 0);
    // The same token means nothing a second time.
    stratum_hashed(rig->stratum, rig->hash_token, &hash, rig->now);
    rig_expect(rig, miner.session, "");
    assert_int_equal(rig->shares_count, 1);
    rig_free(rig);
}

static void slow_hash_above_the_target_is_23(void **state)
{
    (void)state;
    struct rig *rig = slow_rig();
    struct rig_miner miner = slow_miner(rig);
    uint64_t id = miner.next_id;
    slow_submit(&miner, 1);
    struct hash256 hash = hash_of(15);
    stratum_hashed(rig->stratum, rig->hash_token, &hash, rig->now);
    assert_answer(rig_take(rig, miner.session), id, LOW);
    rig_free(rig);
}

static void slow_duplicate_is_refused_while_the_first_is_under_way(void **state)
{
    (void)state;
    struct rig *rig = slow_rig();
    struct rig_miner miner = slow_miner(rig);
    slow_submit(&miner, 1);
    uint64_t id = miner.next_id;
    slow_submit(&miner, 1);
    assert_answer(rig_take(rig, miner.session), id, DUPLICATE);
    assert_int_equal(rig->hashes_wanted, 1);
    rig_free(rig);
}

static void slow_share_of_a_miner_that_left_is_credited(void **state)
{
    (void)state;
    struct rig *rig = slow_rig();
    struct rig_miner miner = slow_miner(rig);
    slow_submit(&miner, 1);
    stratum_disconnected(rig->stratum, miner.session, rig->now);
    struct hash256 hash = hash_of(2e6);
    stratum_hashed(rig->stratum, rig->hash_token, &hash, rig->now);
    assert_int_equal(rig->shares_count, 1);
    assert_true(rig->shares[0].share.is_block);
    assert_int_equal(rig->shares[0].share.session, 0);
    assert_string_equal(rig->shares[0].user, "");
    rig_free(rig);
}

static void slow_hashes_of_one_session_are_bounded(void **state)
{
    (void)state;
    struct rig *rig = slow_rig();
    struct rig_miner miner = slow_miner(rig);
    for (uint32_t i = 0; i < 32; i++) {
        slow_submit(&miner, i);
    }
    uint64_t id = miner.next_id;
    slow_submit(&miner, 32);
    assert_answer(rig_take(rig, miner.session), id,
                  "[20,\"Too many shares at once, please wait\",null]");
    assert_int_equal(rig->hashes_wanted, 32);
    rig_free(rig); // with all of them under way
}

static void slow_hashes_of_all_sessions_are_bounded_and_leave_room_for_the_next(void **state)
{
    (void)state;
    struct rig *rig = rig_new("litecoin-regtest");
    rig->config.hashes_pending_max = 64;
    rig->config.difficulty_fixed = 16;
    rig_start(rig);
    size_t before = 0;
    for (size_t m = 0; m < 8; m++) {
        struct rig_miner miner = {.rig = rig};
        miner.session = rig_connect(rig, "192.0.2.8");
        rig_miner_begin(&miner, "test/1", SLOW_USER, NULL);
        for (uint32_t i = 0; i < 33; i++) {
            slow_submit(&miner, i);
        }
        assert_non_null(strstr(rig_take(rig, miner.session), "[20,"));
        assert_true(rig->hashes_wanted > before);
        before = rig->hashes_wanted;
    }
    assert_true(rig->hashes_wanted <= 64);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_is_told_before_the_miner_is_answered),
        cmocka_unit_test(block_is_told_whatever_else_is_wrong_with_the_share),
        cmocka_unit_test(owner_may_set_new_work_while_it_is_told_of_a_share),
        cmocka_unit_test(owner_may_close_everything_while_it_is_told_of_a_share),
        cmocka_unit_test(answer_waits_until_the_share_is_durable),
        cmocka_unit_test(answer_waits_a_second_at_most),
        cmocka_unit_test(answers_held_for_one_session_are_bounded),
        cmocka_unit_test(refusal_is_not_held),
        cmocka_unit_test(mark_of_a_held_answer_comes_back_when_it_goes_out),
        cmocka_unit_test(mark_of_a_refusal_comes_back_at_once),
        cmocka_unit_test(held_answers_of_a_miner_that_left_give_no_mark_back),
        cmocka_unit_test(job_full_of_shares_is_replaced_before_one_is_refused),
        cmocka_unit_test(shares_beyond_a_full_job_are_refused),
        cmocka_unit_test(slow_hash_is_asked_for_and_answered_when_it_comes),
        cmocka_unit_test(slow_hash_above_the_target_is_23),
        cmocka_unit_test(slow_duplicate_is_refused_while_the_first_is_under_way),
        cmocka_unit_test(slow_share_of_a_miner_that_left_is_credited),
        cmocka_unit_test(slow_hashes_of_one_session_are_bounded),
        cmocka_unit_test(slow_hashes_of_all_sessions_are_bounded_and_leave_room_for_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
