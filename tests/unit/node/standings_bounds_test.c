// What standings cost however many addresses and teams there are, and what of a kept state is
// believed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/pow/sha256.h"
#include "node/standings_state.h"
#include "tests/support/share_maker.h"

#define FIRST_TIME 1700000000u
#define PER_LINK   100u

struct test {
    struct env env;
    struct maker_random random;
    struct standings_state state;
    uint32_t height;
};

static void test_open(struct test *test, uint64_t seed)
{
    memset(test, 0, sizeof(*test));
    maker_env_init(&test->env, &test->random, seed);
    assert_true(state_init(&test->state, &test->env));
    test->state.at = (struct standings_view){
        .is_known = true, .time = FIRST_TIME, .since = 1, .since_time = FIRST_TIME};
}

static void test_close(struct test *test)
{
    state_clear(&test->state);
    maker_env_clear(&test->env);
}

static struct team team_number(uint32_t number)
{
    struct team team = {.name = "t"};
    for (size_t i = 1; number > 0; number /= 10, i++)
        team.name[i] = (char)('0' + number % 10);
    return team;
}

// Miner i's work grows with i; every one has a team of its own number.
static struct counted_share share_of(struct test *test, uint32_t miner)
{
    struct counted_share share = {
        .script = maker_script(miner),
        .team = team_number(miner),
        .weight = u256_from_u64(1000 + miner),
        .is_credited = true,
    };
    env_random_bytes(&test->env, share.id.bytes, sizeof(share.id.bytes));
    share.pow = share.id;
    return share;
}

// One share of each of the miners first..first + PER_LINK - 1.
static void count_link(struct test *test, uint32_t first)
{
    struct counted_share shares[PER_LINK];
    for (uint32_t i = 0; i < PER_LINK; i++)
        shares[i] = share_of(test, first + i);
    test->height++;
    struct counted_link link = {
        .height = test->height,
        .time = FIRST_TIME + 30 * test->height,
        .shares = shares,
        .shares_count = PER_LINK,
    };
    memcpy(link.id.bytes, &test->height, sizeof(test->height));
    assert_true(state_count(&test->state, &link));
}

static void addresses_and_teams_stay_bounded_and_the_largest_stay(void **state)
{
    (void)state;
    struct test test;
    test_open(&test, 1);
    const uint32_t miners = 5 * STANDINGS_ADDRESSES_MAX / PER_LINK * PER_LINK;
    for (uint32_t first = 0; first < miners; first += PER_LINK) {
        count_link(&test, first);
        assert_true(test.state.counts[STANDINGS_ADDRESSES] <= 2 * STANDINGS_ADDRESSES_MAX);
        assert_true(test.state.counts[STANDINGS_MEMBERS] <= 2 * STANDINGS_ADDRESSES_MAX);
        assert_true(test.state.counts[STANDINGS_TEAMS] <= 2 * STANDINGS_TEAMS_MAX);
    }
    assert_true(test.state.counts[STANDINGS_ADDRESSES] >= STANDINGS_ADDRESSES_MAX);
    assert_true(test.state.rows_count * sizeof(struct row) <= 60u << 20);
    assert_true(test.state.milestones_count < 2 * STANDINGS_MILESTONES_MAX);
    // The newest were the largest: the last 4096 are all there, the first one is not.
    for (uint32_t miner = miners - STANDINGS_ADDRESSES_MAX; miner < miners; miner++) {
        struct script script = maker_script(miner);
        assert_non_null(state_find(&test.state, STANDINGS_ADDRESSES, &script, NULL));
    }
    struct script smallest = maker_script(0);
    assert_null(state_find(&test.state, STANDINGS_ADDRESSES, &smallest, NULL));
    test_close(&test);
}

static void who_was_forgotten_begins_anew(void **state)
{
    (void)state;
    struct test test;
    test_open(&test, 2);
    count_link(&test, 0);
    for (uint32_t first = PER_LINK; first <= 2 * STANDINGS_ADDRESSES_MAX + PER_LINK;
         first += PER_LINK)
        count_link(&test, first);
    struct script smallest = maker_script(0);
    assert_null(state_find(&test.state, STANDINGS_ADDRESSES, &smallest, NULL));
    assert_true(test.state.counts[STANDINGS_ADDRESSES] < STANDINGS_ADDRESSES_MAX + 3 * PER_LINK);
    count_link(&test, 0);
    const struct row *row = state_find(&test.state, STANDINGS_ADDRESSES, &smallest, NULL);
    assert_non_null(row);
    assert_int_equal(row->all.shares, 1);
    assert_int_equal(row->first_at, FIRST_TIME + 30 * test.height);
    test_close(&test);
}

static void encode(const struct test *test, struct buffer *out)
{
    buffer_init(out, 1u << 28);
    state_encode(&test->state, out);
    assert_false(out->failed);
}

static void state_comes_back_as_it_was(void **state)
{
    (void)state;
    struct test one, other;
    struct buffer bytes, again;
    test_open(&one, 3);
    test_open(&other, 4);
    for (uint32_t i = 0; i < 300; i++)
        count_link(&one, i % 7 * PER_LINK);
    encode(&one, &bytes);
    assert_true(state_decode(&other.state, bytes.data, bytes.size));
    encode(&other, &again);
    assert_int_equal(again.size, bytes.size);
    assert_memory_equal(again.data, bytes.data, bytes.size);
    buffer_clear(&again);
    // And goes on as the first one does.
    other.random = one.random;
    other.height = one.height;
    buffer_clear(&bytes);
    count_link(&one, 0);
    count_link(&other, 0);
    encode(&one, &bytes);
    encode(&other, &again);
    assert_int_equal(again.size, bytes.size);
    assert_memory_equal(again.data, bytes.data, bytes.size);
    buffer_clear(&bytes);
    buffer_clear(&again);
    test_close(&one);
    test_close(&other);
}

static void cut_or_spoiled_state_is_not_believed(void **state)
{
    (void)state;
    struct test one, other;
    struct buffer bytes;
    test_open(&one, 5);
    test_open(&other, 6);
    count_link(&one, 0);
    encode(&one, &bytes);
    for (size_t size = 0; size < bytes.size; size += 1 + size / 50)
        assert_false(state_decode(&other.state, bytes.data, size));
    assert_false(state_decode(&other.state, bytes.data, bytes.size - 1));
    for (size_t at = 0; at < bytes.size; at += 1 + at / 50) {
        bytes.data[at] ^= 1;
        assert_false(state_decode(&other.state, bytes.data, bytes.size));
        bytes.data[at] ^= 1;
    }
    assert_true(state_decode(&other.state, bytes.data, bytes.size));
    buffer_clear(&bytes);
    test_close(&one);
    test_close(&other);
}

// With a sum that is right, the reading itself has to hold.
static void state_that_breaks_its_form_is_not_read(void **state)
{
    (void)state;
    struct test one, other;
    struct buffer bytes;
    test_open(&one, 8);
    test_open(&other, 9);
    count_link(&one, 0);
    encode(&one, &bytes);
    size_t size = bytes.size - 32, good = 0;
    for (size_t i = 0; i < 3000; i++) {
        struct hash256 sum;
        size_t at = i == 0 ? 0 : (size_t)env_random_below(&one.env, size);
        uint8_t was = bytes.data[at];
        bytes.data[at] = i == 0 ? 2 : (uint8_t)env_random_below(&one.env, 256);
        sha256_once(bytes.data, size, &sum);
        memcpy(bytes.data + size, sum.bytes, sizeof(sum.bytes));
        good += state_decode(&other.state, bytes.data, bytes.size) ? 1 : 0;
        assert_true(i > 0 || good == 0); // another version
        bytes.data[at] = was;
    }
    assert_true(good < 3000);
    buffer_clear(&bytes);
    test_close(&one);
    test_close(&other);
}

static void only_the_newest_milestones_are_kept(void **state)
{
    (void)state;
    struct test test;
    test_open(&test, 7);
    struct milestone milestone = {.kind = MILESTONE_BLOCK};
    for (uint64_t i = 1; i <= 3 * STANDINGS_MILESTONES_MAX; i++) {
        assert_true(state_add_milestone(&test.state, &milestone));
        assert_true(test.state.milestones_count < 2 * STANDINGS_MILESTONES_MAX);
        assert_int_equal(test.state.milestones[test.state.milestones_count - 1].number, i);
    }
    assert_true(test.state.milestones_count >= STANDINGS_MILESTONES_MAX);
    test_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_and_teams_stay_bounded_and_the_largest_stay),
        cmocka_unit_test(who_was_forgotten_begins_anew),
        cmocka_unit_test(state_comes_back_as_it_was),
        cmocka_unit_test(cut_or_spoiled_state_is_not_believed),
        cmocka_unit_test(state_that_breaks_its_form_is_not_read),
        cmocka_unit_test(only_the_newest_milestones_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
