// Simulated miners: shares come as a Poisson process of their hashrate, a difficulty change reaches
// them after a while, and shares of the old job still come in. Scored by rate error, changes an
// hour and seconds off the mark.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "stratum/vardiff.h"

#define HASHES_PER_DIFFICULTY 4295032833.0
#define RATE_WANTED           0.25
#define STEP_MS               5
#define REACTION_MS           200 // until a new difficulty is in the miner's hands

struct world {
    struct vardiff vardiff;
    uint64_t seed;
    struct mono_time now;
    double hashrate;
    double job_difficulty; // what the miner works at
    double next_difficulty;
    struct mono_time switch_at;
    double hashes_left; // until the next share, at difficulty 1
    // Scores.
    size_t changes;
    size_t cleans;
    size_t shares;
    double off_seconds; // with an expected rate more than four times too high or low
    size_t shares_per_second_most;
    size_t shares_this_second;
};

static double uniform(struct world *world)
{
    world->seed = world->seed * 6364136223846793005u + 1442695040888963407u;
    return ((double)(world->seed >> 11) + 0.5) / 9007199254740992.0;
}

static void world_init(struct world *world, const struct vardiff_start *start, double hashrate,
                       uint64_t seed)
{
    memset(world, 0, sizeof(*world));
    world->seed = seed * 2654435761u + 1;
    world->now.ms = 5000;
    world->hashrate = hashrate;
    vardiff_init(&world->vardiff, start, world->now);
    double difficulty = vardiff_round(start->difficulty, INFINITY, start->wants_powers_of_two);
    vardiff_sent(&world->vardiff, difficulty, INFINITY, world->now);
    world->job_difficulty = difficulty;
    world->switch_at = MONO_NEVER;
    world->hashes_left = -log(uniform(world));
}

static void check(struct world *world)
{
    double wanted;
    enum vardiff_change change = vardiff_check(&world->vardiff, world->now, &wanted);
    if (change == VARDIFF_KEEP) {
        return;
    }
    world->changes++;
    world->cleans += change == VARDIFF_CHANGE_CLEAN ? 1 : 0;
    vardiff_sent(&world->vardiff, wanted, INFINITY, world->now);
    world->next_difficulty = wanted;
    world->switch_at.ms = world->now.ms + REACTION_MS;
}

static void mine(struct world *world)
{
    double done = world->hashrate * STEP_MS / 1000 / HASHES_PER_DIFFICULTY / world->job_difficulty;
    while (world->hashes_left <= done) {
        done -= world->hashes_left;
        world->hashes_left = -log(uniform(world));
        world->shares++;
        world->shares_this_second++;
        vardiff_add_share(&world->vardiff, world->job_difficulty, world->now);
        check(world);
    }
    world->hashes_left -= done;
}

static void count_second(struct world *world)
{
    if (world->shares_this_second > world->shares_per_second_most) {
        world->shares_per_second_most = world->shares_this_second;
    }
    world->shares_this_second = 0;
    double rate = world->hashrate / HASHES_PER_DIFFICULTY / world->job_difficulty;
    world->off_seconds += rate > 4 * RATE_WANTED || rate < RATE_WANTED / 4 ? 1 : 0;
}

static void run(struct world *world, double seconds)
{
    int64_t end = world->now.ms + (int64_t)(seconds * 1000);
    while (world->now.ms < end) {
        world->now.ms += STEP_MS;
        if (world->switch_at.ms <= world->now.ms) {
            world->job_difficulty = world->next_difficulty;
            world->switch_at = MONO_NEVER;
        }
        mine(world);
        if (vardiff_deadline(&world->vardiff).ms <= world->now.ms) {
            check(world);
        }
        if (world->now.ms % 1000 < STEP_MS) {
            count_second(world);
        }
    }
}

static void reset_scores(struct world *world)
{
    world->changes = 0;
    world->cleans = 0;
    world->shares = 0;
    world->off_seconds = 0;
    world->shares_per_second_most = 0;
}

// Shares a second at the miner's present difficulty, over the wanted rate.
static double rate_error(const struct world *world)
{
    return world->hashrate / HASHES_PER_DIFFICULTY / world->job_difficulty / RATE_WANTED;
}

static void assert_between(double value, double low, double high)
{
    if (!(value >= low && value <= high)) {
        fail_msg("%g is not between %g and %g", value, low, high);
    }
}

static struct vardiff_start start_at(double difficulty, double confidence)
{
    return (struct vardiff_start){.difficulty = difficulty,
                                  .floor = 1e-9,
                                  .rate_wanted = RATE_WANTED,
                                  .confidence = confidence};
}

#define RUNS 20

static void constant_miner_is_left_alone(void **state)
{
    (void)state;
    size_t changes = 0;
    double shares = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct world world;
        struct vardiff_start start = start_at(1000, VARDIFF_GUESS);
        world_init(&world, &start, 1e12, seed);
        run(&world, 600);
        reset_scores(&world);
        run(&world, 3600);
        changes += world.changes;
        shares += (double)world.shares;
        assert_between(rate_error(&world), 0.6, 1.67);
        assert_between(world.off_seconds, 0, 60);
    }
    assert_between((double)changes / RUNS, 0, 1.5); // an hour
    assert_between(shares / RUNS / 900, 0.85, 1.15);
}

// From a difficulty far off on either side, without any hint.
static void assert_settles(double hashrate, double difficulty, double seconds, double off_max)
{
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct world world;
        struct vardiff_start start = start_at(difficulty, VARDIFF_GUESS);
        world_init(&world, &start, hashrate, seed);
        run(&world, seconds);
        assert_between(rate_error(&world), 0.35, 2.9);
        assert_between(world.off_seconds, 0, off_max);
        run(&world, 600);
        assert_between(rate_error(&world), 0.5, 2);
    }
}

static void esp32_of_10_kilohash_settles_from_the_default(void **state)
{
    (void)state;
    assert_settles(10e3, 1024, 240, 180);
}

static void rig_of_500_terahash_settles_from_the_default(void **state)
{
    (void)state;
    assert_settles(500e12, 1024, 60, 20);
}

static void large_miner_on_tiny_difficulty_is_stopped_before_it_floods(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct world world;
        struct vardiff_start start = start_at(1, VARDIFF_GUESS);
        world_init(&world, &start, 1e12, seed); // 233 shares a second at first
        run(&world, 30);
        assert_between((double)world.shares_per_second_most, 0, 150);
        assert_between(world.off_seconds, 0, 4);
        assert_true(world.cleans >= 1);
    }
}

static void hundredfold_step_up_is_followed_within_seconds(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct world world;
        struct vardiff_start start = start_at(1000, VARDIFF_GUESS);
        world_init(&world, &start, 1e12, seed);
        run(&world, 900);
        reset_scores(&world);
        world.hashrate *= 100;
        run(&world, 60);
        assert_between(world.off_seconds, 0, 10);
        assert_between(rate_error(&world), 0.4, 2.5);
    }
}

static void hundredfold_step_down_is_followed_within_minutes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct world world;
        struct vardiff_start start = start_at(1000, VARDIFF_GUESS);
        world_init(&world, &start, 1e12, seed);
        run(&world, 900);
        reset_scores(&world);
        world.hashrate /= 100;
        run(&world, 1200);
        assert_between(world.off_seconds, 0, 700);
        assert_between(rate_error(&world), 0.35, 2.9);
    }
}

static void throttling_to_half_is_followed_calmly(void **state)
{
    (void)state;
    size_t changes = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct world world;
        struct vardiff_start start = start_at(1000, VARDIFF_GUESS);
        world_init(&world, &start, 1e12, seed);
        run(&world, 900);
        reset_scores(&world);
        world.hashrate /= 2;
        run(&world, 900);
        changes += world.changes;
        assert_between(rate_error(&world), 0.55, 1.8);
    }
    assert_between((double)changes / RUNS, 1, 4);
}

static void dead_miner_is_not_hammered_with_jobs_and_welcomed_back(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct world world;
        struct vardiff_start start = start_at(1000, VARDIFF_GUESS);
        world_init(&world, &start, 1e12, seed);
        run(&world, 900);
        reset_scores(&world);
        world.hashrate = 0;
        run(&world, 3600);
        assert_between((double)world.changes, 1, 9);
        world.hashrate = 1e12;
        run(&world, 120);
        assert_between(rate_error(&world), 0.35, 2.9);
    }
}

static void known_worker_begins_where_it_left_off(void **state)
{
    (void)state;
    size_t changes = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct world world;
        struct vardiff_start start =
            start_at(1e12 / HASHES_PER_DIFFICULTY / RATE_WANTED, VARDIFF_KNOWN);
        world_init(&world, &start, 1e12, seed);
        run(&world, 300);
        changes += world.changes;
        assert_between(world.off_seconds, 0, 0);
    }
    assert_between((double)changes / RUNS, 0, 0.5);
}

static void estimate_is_the_hashrate(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct world world;
        struct vardiff_start start = start_at(50, VARDIFF_GUESS);
        world_init(&world, &start, 3e12, seed);
        run(&world, 1200);
        double estimate = vardiff_estimate(&world.vardiff, world.now) * HASHES_PER_DIFFICULTY;
        assert_between(estimate / 3e12, 0.65, 1.5);
    }
}

static void fixed_difficulty_never_moves(void **state)
{
    (void)state;
    struct world world;
    struct vardiff_start start = start_at(1, VARDIFF_GUESS);
    start.is_fixed = true;
    world_init(&world, &start, 1e11, 1);
    run(&world, 120);
    assert_int_equal(world.changes, 0);
    assert_true(vardiff_deadline(&world.vardiff).ms == MONO_NEVER.ms);
    assert_between(vardiff_estimate(&world.vardiff, world.now) * HASHES_PER_DIFFICULTY / 1e11, 0.9,
                   1.1);
}

static void floor_is_kept_and_silence_at_it_costs_nothing(void **state)
{
    (void)state;
    struct world world;
    struct vardiff_start start = start_at(524288, VARDIFF_GUESS);
    start.floor = 524288;
    world_init(&world, &start, 1e9, 1);
    run(&world, 600);
    assert_int_equal(world.changes, 0);
    assert_true(vardiff_deadline(&world.vardiff).ms == MONO_NEVER.ms ||
                vardiff_deadline(&world.vardiff).ms > world.now.ms);
}

static void ceiling_wins_over_floor_and_wish(void **state)
{
    (void)state;
    assert_true(vardiff_round(1000, 70.5, false) == 70);
    assert_true(vardiff_round(1000, 70.5, true) == 64);
    assert_true(vardiff_round(1000, 0.1239, false) <= 0.1239);
    assert_true(vardiff_round(1000, 0.1239, false) > 0.12);
    assert_true(vardiff_round(4.656612e-10, 4.656612e-10, false) <= 4.656612e-10);
}

static void ceiling_of_a_job_stops_the_climb(void **state)
{
    (void)state;
    struct vardiff vardiff;
    struct vardiff_start start = start_at(8, VARDIFF_GUESS);
    struct mono_time now = {0};
    double wanted;
    vardiff_init(&vardiff, &start, now);
    vardiff_sent(&vardiff, 8, 8, now);
    for (size_t i = 0; i < 1000; i++) {
        now.ms += 20;
        vardiff_add_share(&vardiff, 8, now);
        assert_int_equal(vardiff_check(&vardiff, now, &wanted), VARDIFF_KEEP);
    }
    // It knows all the same how fast the miner is.
    assert_between(vardiff_estimate(&vardiff, now), 8 * 40, 8 * 60);
}

static void shares_of_an_easier_job_do_not_overshoot(void **state)
{
    (void)state;
    struct vardiff vardiff;
    struct vardiff_start start = start_at(1, VARDIFF_GUESS);
    struct mono_time now = {0};
    double wanted = 0;
    vardiff_init(&vardiff, &start, now);
    for (size_t i = 0; i < 4; i++) {
        now.ms += 10;
        vardiff_add_share(&vardiff, 1, now);
    }
    assert_int_equal(vardiff_check(&vardiff, now, &wanted), VARDIFF_CHANGE_CLEAN);
    vardiff_sent(&vardiff, wanted, INFINITY, now);
    double first = wanted;
    // Thirty shares of the old job were on their way.
    for (size_t i = 0; i < 30; i++) {
        now.ms += 10;
        vardiff_add_share(&vardiff, 1, now);
        assert_int_equal(vardiff_check(&vardiff, now, &wanted), VARDIFF_KEEP);
    }
    assert_true(vardiff.difficulty == first);
}

static void late_share_of_a_harder_job_is_no_burst(void **state)
{
    (void)state;
    struct vardiff vardiff;
    struct vardiff_start start = start_at(1024, VARDIFF_GUESS);
    struct mono_time now = {0};
    double wanted = 0;
    vardiff_init(&vardiff, &start, now);
    now.ms = 8000;
    assert_int_equal(vardiff_check(&vardiff, now, &wanted), VARDIFF_CHANGE);
    assert_true(wanted < 300);
    vardiff_sent(&vardiff, wanted, INFINITY, now);
    now.ms += 100;
    vardiff_add_share(&vardiff, 1024, now);
    assert_int_equal(vardiff_check(&vardiff, now, &wanted), VARDIFF_KEEP);
}

static void difficulties_are_integers_from_one_on_and_powers_of_two_if_wanted(void **state)
{
    (void)state;
    assert_true(vardiff_round(1234.56, INFINITY, false) == 1235);
    assert_true(vardiff_round(1.2, INFINITY, false) == 1);
    assert_true(vardiff_round(0.000151234, INFINITY, false) == 0.000151);
    assert_true(vardiff_round(1000, INFINITY, true) == 1024);
    assert_true(vardiff_round(0.3, INFINITY, true) == 0.25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_miner_is_left_alone),
        cmocka_unit_test(esp32_of_10_kilohash_settles_from_the_default),
        cmocka_unit_test(rig_of_500_terahash_settles_from_the_default),
        cmocka_unit_test(large_miner_on_tiny_difficulty_is_stopped_before_it_floods),
        cmocka_unit_test(hundredfold_step_up_is_followed_within_seconds),
        cmocka_unit_test(hundredfold_step_down_is_followed_within_minutes),
        cmocka_unit_test(throttling_to_half_is_followed_calmly),
        cmocka_unit_test(dead_miner_is_not_hammered_with_jobs_and_welcomed_back),
        cmocka_unit_test(known_worker_begins_where_it_left_off),
        cmocka_unit_test(estimate_is_the_hashrate),
        cmocka_unit_test(fixed_difficulty_never_moves),
        cmocka_unit_test(floor_is_kept_and_silence_at_it_costs_nothing),
        cmocka_unit_test(ceiling_wins_over_floor_and_wish),
        cmocka_unit_test(ceiling_of_a_job_stops_the_climb),
        cmocka_unit_test(shares_of_an_easier_job_do_not_overshoot),
        cmocka_unit_test(late_share_of_a_harder_job_is_no_burst),
        cmocka_unit_test(difficulties_are_integers_from_one_on_and_powers_of_two_if_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
