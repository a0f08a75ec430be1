// Standings, kept link by link through reorganisations, restarts and pruning, are those of the
// whole chain computed anew.
#include "node/standings.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/node/chain_port_fixture.h"
#include "tests/unit/node/standings_naive.h"

#define SPACING 30 // of the pool

struct follower {
    struct port_node port;
    struct standings *standings;
};

struct world {
    struct pool pool;
    struct follower a, b;
    int64_t clock_s;
};

static void follower_start(struct follower *follower)
{
    follower->standings =
        standings_new(&follower->port.env, follower->port.chain, follower->port.store);
    assert_non_null(follower->standings);
    standings_follow(follower->standings);
}

static void follower_restart(struct follower *follower)
{
    standings_free(follower->standings);
    port_node_restart(&follower->port);
    follower_start(follower);
}

// Makes links harder than the easiest, so that there are grains which are none.
static void harden(struct world *world)
{
    struct port_growth fast = {.links = 12, .seconds = 1, .block_links = 6, .scripts = 3};
    port_node_grow(&world->a.port, &fast, &world->clock_s);
    standings_follow(world->a.standings);
}

static void world_open(struct world *world, uint64_t seed)
{
    memset(world, 0, sizeof(*world));
    port_pool(&world->pool);
    port_node_open(&world->a.port, &world->pool, seed);
    port_node_open(&world->b.port, &world->pool, seed + 1000);
    world->clock_s = world->pool.genesis_time + 100;
    follower_start(&world->a);
    follower_start(&world->b);
    harden(world);
}

static void world_close(struct world *world)
{
    struct follower *followers[2] = {&world->a, &world->b};
    for (size_t i = 0; i < 2; i++) {
        standings_free(followers[i]->standings);
        port_node_close(&followers[i]->port);
    }
}

static bool learn(struct world *world, struct follower *from, struct follower *to)
{
    struct port_sync sync = {
        .from = &from->port, .to = &to->port, .source = 5, .clock_s = world->clock_s};
    bool is_followed = port_sync_run(&sync);
    standings_follow(to->standings);
    return is_followed;
}

static void grow(struct world *world, struct follower *follower, uint32_t links, uint32_t seconds)
{
    struct port_growth growth = {
        .links = links,
        .grains = seconds > SPACING ? 0 : 3, // slow links are the easiest: grains are hard to find
        .seconds = seconds,
        .block_links = 9,
        .scripts = 6,
        .teams = 3,
    };
    port_node_grow(&follower->port, &growth, &world->clock_s);
    standings_follow(follower->standings);
}

// ---- Comparing

static void assert_entry(const struct standings_entry *told, const struct standings_entry *known)
{
    assert_true(script_equal(&told->script, &known->script));
    assert_string_equal(told->team.name, known->team.name);
    assert_int_equal(u256_compare(&told->work, &known->work), 0);
    assert_true(fabs(told->hashrate - known->hashrate) <= known->hashrate * 1e-12);
    assert_int_equal(told->shares, known->shares);
    assert_int_equal(told->blocks, known->blocks);
    if (known->shares > 0)
        assert_memory_equal(&told->best, &known->best, sizeof(told->best));
    assert_int_equal(told->streak_days, known->streak_days);
    assert_int_equal(told->streak_longest_days, known->streak_longest_days);
    assert_int_equal(told->first_at, known->first_at);
    assert_int_equal(told->last_at, known->last_at);
}

static void assert_list(const struct follower *follower, const struct naive *naive,
                        const struct standings_query *query)
{
    size_t told_count, known_count;
    struct standings_entry *told = standings_rank(follower->standings, query, &told_count);
    struct standings_entry *known = naive_rank(naive, query, &known_count);
    assert_int_equal(told_count, known_count);
    for (size_t i = 0; i < told_count; i++)
        assert_entry(&told[i], &known[i]);
    free(told);
    free(known);
}

static void assert_lists(const struct follower *follower, const struct naive *naive)
{
    for (unsigned i = 0; i < 4 * 3; i++) {
        struct standings_query query = {.kind = (enum standings_kind)(i / 3),
                                        .period = (enum standings_period)(i % 3)};
        query.subject = STANDINGS_ADDRESSES;
        assert_list(follower, naive, &query);
        query.subject = STANDINGS_TEAMS;
        assert_list(follower, naive, &query);
        query.subject = STANDINGS_MEMBERS;
        query.team = (struct team){.name = "ab"};
        assert_list(follower, naive, &query);
    }
}

static void assert_milestones(const struct follower *follower, const struct naive *naive)
{
    size_t count;
    struct milestone *known = naive_milestones(naive, &count);
    struct milestone told;
    for (size_t i = 0; i < count; i++) {
        assert_true(standings_milestone(follower->standings, i, &told));
        const struct milestone *expected = &known[count - 1 - i];
        assert_int_equal(told.number, expected->number);
        assert_int_equal(told.kind, expected->kind);
        assert_int_equal(told.value, expected->value);
        assert_int_equal(told.height, expected->height);
        assert_int_equal(told.time, expected->time);
        assert_true(script_equal(&told.script, &expected->script));
        assert_memory_equal(&told.share, &expected->share, sizeof(told.share));
        assert_memory_equal(&told.pow, &expected->pow, sizeof(told.pow));
    }
    assert_false(standings_milestone(follower->standings, count, &told));
    free(known);
}

// `whole` has all links of the same best chain.
static void assert_as_of_chain(const struct follower *follower, const struct follower *whole)
{
    struct standings_view view;
    struct link_view tip;
    struct naive naive;
    standings_view(follower->standings, &view);
    sharechain_tip(whole->port.chain, &tip);
    assert_true(view.is_known);
    assert_memory_equal(&view.id, &tip.id, sizeof(tip.id));
    assert_int_equal(view.height, tip.height);
    assert_int_equal(view.time, tip.time);
    naive_read(&naive, whole->port.chain, view.since);
    assert_int_equal(view.since_time, naive.since_time);
    assert_lists(follower, &naive);
    assert_milestones(follower, &naive);
    naive_clear(&naive);
}

// ---- Chains by chance

// Both mine at once for a while, then the one with less work follows the other.
static void race(struct world *world)
{
    struct env *env = &world->a.port.env;
    static const uint32_t spacings[] = {SPACING, SPACING, SPACING, 5000, 70000};
    uint32_t seconds = spacings[env_random_below(env, 5)];
    int64_t clock_s = world->clock_s;
    grow(world, &world->a, 1 + (uint32_t)env_random_below(env, 5), seconds);
    int64_t later = world->clock_s;
    world->clock_s = clock_s;
    grow(world, &world->b, 1 + (uint32_t)env_random_below(env, 5), seconds);
    world->clock_s = world->clock_s > later ? world->clock_s : later;
    while (learn(world, &world->a, &world->b) || learn(world, &world->b, &world->a)) {
    }
    if (seconds == SPACING)
        return;
    harden(world);
    learn(world, &world->a, &world->b);
}

static void incremental_standings_are_those_of_the_whole_chain(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct world world;
        struct standings_stats a, b;
        world_open(&world, seed);
        assert_true(learn(&world, &world.a, &world.b));
        for (size_t i = 0; i < 40; i++) {
            race(&world);
            if (i % 10 != 9)
                continue;
            assert_as_of_chain(&world.a, &world.a);
            assert_as_of_chain(&world.b, &world.b);
        }
        standings_stats(world.a.standings, &a);
        standings_stats(world.b.standings, &b);
        assert_true(a.rebuilds > 3 && b.rebuilds > 3); // there were reorganisations
        world_close(&world);
    }
}

static void restart_comes_to_the_same_state(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 21);
    learn(&world, &world.a, &world.b);
    for (size_t i = 0; i < 30; i++) {
        race(&world);
        if (i % 5 != 4)
            continue;
        follower_restart(&world.b);
        assert_as_of_chain(&world.b, &world.b);
    }
    // As well where no state was kept, or none that can be read.
    for (size_t slot = 0; slot < 4; slot++) {
        char key[] = "standings0";
        key[9] = (char)('0' + slot);
        if (slot % 2 == 0)
            store_put(world.b.port.store, STORE_META, key, 10, "\1junk", 5);
        else
            store_remove(world.b.port.store, STORE_META, key, 10);
    }
    follower_restart(&world.b);
    assert_as_of_chain(&world.b, &world.b);
    world_close(&world);
}

static void kept_state_of_another_version_is_not_read(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 22);
    grow(&world, &world.a, 200, SPACING);
    struct buffer bytes;
    buffer_init(&bytes, 1 << 24);
    assert_true(store_get(world.a.port.store, STORE_META, "standings3", 10, &bytes));
    bytes.data[0]++;
    store_put(world.a.port.store, STORE_META, "standings3", 10, bytes.data, bytes.size);
    bytes.data[0]--;
    store_put(world.a.port.store, STORE_META, "standings2", 10, bytes.data, bytes.size - 1);
    buffer_clear(&bytes);
    follower_restart(&world.a);
    assert_as_of_chain(&world.a, &world.a);
    world_close(&world);
}

// ---- Old links that are gone

static void pruned_links_stay_counted(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 31);
    learn(&world, &world.a, &world.b);
    for (size_t i = 0; i < 60; i++) {
        grow(&world, &world.a, 8, SPACING);
        learn(&world, &world.a, &world.b);
        while (sharechain_prune(world.b.port.chain, 16) > 0) {
        }
        if (i % 10 == 5)
            follower_restart(&world.b);
    }
    assert_true(sharechain_root_height(world.b.port.chain) > 60);
    struct standings_view view;
    standings_view(world.b.standings, &view);
    assert_int_equal(view.since, 1);
    assert_as_of_chain(&world.b, &world.a);
    world_close(&world);
}

static void standings_without_kept_states_say_from_where_they_are_known(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 32);
    grow(&world, &world.a, 480, SPACING);
    learn(&world, &world.a, &world.b);
    struct follower *pruner = &world.b;
    while (sharechain_prune(pruner->port.chain, 16) > 0) {
    }
    assert_true(sharechain_root_height(pruner->port.chain) > 60);
    for (size_t slot = 0; slot < 4; slot++) {
        char key[] = "standings0";
        key[9] = (char)('0' + slot);
        store_remove(pruner->port.store, STORE_META, key, 10);
    }
    follower_restart(pruner);
    struct standings_view view;
    standings_view(pruner->standings, &view);
    assert_int_equal(view.since, sharechain_whole_from(pruner->port.chain) + 1);
    assert_true(view.since > sharechain_root_height(pruner->port.chain));
    assert_as_of_chain(pruner, &world.a);
    grow(&world, &world.a, 10, SPACING);
    learn(&world, &world.a, pruner);
    assert_as_of_chain(pruner, &world.a);
    world_close(&world);
}

static void pruned_start_counts_from_where_credits_are_known(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 33);
    grow(&world, &world.a, 700, SPACING);
    assert_true(learn(&world, &world.a, &world.b));
    assert_true(sharechain_root_height(world.b.port.chain) > 0);
    struct standings_view view;
    standings_view(world.b.standings, &view);
    assert_int_equal(view.since, sharechain_whole_from(world.b.port.chain) + 1);
    assert_as_of_chain(&world.b, &world.a);
    world_close(&world);
}

// ---- The small print

static void nothing_is_known_of_an_empty_chain(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 41);
    struct standings_view view;
    struct milestone milestone;
    size_t count;
    struct standings_query query = {.kind = STANDINGS_HASHRATE, .period = STANDINGS_ALL};
    standings_view(world.b.standings, &view);
    assert_int_equal(view.height, 0);
    assert_int_equal(view.since, 1);
    struct standings_entry *list = standings_rank(world.b.standings, &query, &count);
    assert_int_equal(count, 0);
    free(list);
    assert_false(standings_milestone(world.b.standings, 0, &milestone));
    world_close(&world);
}

static void credited_work_is_that_of_the_links_credits(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 42);
    grow(&world, &world.a, 40, SPACING);
    struct standings_query query = {.kind = STANDINGS_HASHRATE, .period = STANDINGS_ALL};
    size_t count;
    struct standings_entry *list = standings_rank(world.a.standings, &query, &count);
    struct u256 told = u256_from_u64(0), known = u256_from_u64(0);
    for (size_t i = 0; i < count; i++)
        told = u256_add(&told, &list[i].work);
    free(list);
    struct link_view link;
    for (uint32_t height = 1; sharechain_link_at(world.a.port.chain, height, &link); height++)
        known = u256_add(&known, &link.credits);
    assert_int_equal(u256_compare(&told, &known), 0);
    world_close(&world);
}

static void one_is_found_by_itself(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 43);
    grow(&world, &world.a, 40, SPACING);
    struct standings_query query = {
        .subject = STANDINGS_TEAMS, .kind = STANDINGS_HASHRATE, .period = STANDINGS_DAY};
    size_t count, members;
    struct standings_entry *teams = standings_rank(world.a.standings, &query, &count);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        struct standings_entry found;
        assert_true(standings_find(world.a.standings, &teams[i], STANDINGS_DAY, &found));
        assert_entry(&found, &teams[i]);
        query.subject = STANDINGS_MEMBERS;
        query.team = teams[i].team;
        free(standings_rank(world.a.standings, &query, &members));
        assert_int_equal(standings_members(world.a.standings, &teams[i].team), members);
        assert_true(members > 0);
    }
    struct standings_entry nobody = {.subject = STANDINGS_TEAMS, .team = {.name = "nobody"}};
    assert_false(standings_find(world.a.standings, &nobody, STANDINGS_DAY, &nobody));
    free(teams);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(incremental_standings_are_those_of_the_whole_chain),
        cmocka_unit_test(restart_comes_to_the_same_state),
        cmocka_unit_test(kept_state_of_another_version_is_not_read),
        cmocka_unit_test(pruned_links_stay_counted),
        cmocka_unit_test(standings_without_kept_states_say_from_where_they_are_known),
        cmocka_unit_test(pruned_start_counts_from_where_credits_are_known),
        cmocka_unit_test(nothing_is_known_of_an_empty_chain),
        cmocka_unit_test(credited_work_is_that_of_the_links_credits),
        cmocka_unit_test(one_is_found_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
