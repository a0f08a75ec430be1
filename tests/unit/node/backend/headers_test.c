// Fetching headers: short and long gaps, with and without batches, over reorganisations and failing
// daemons.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/node/backend/harness.h"

static bool is_finished(struct world *world)
{
    return world->headers_finished_count > 0;
}

// The receiver knows the first `known` + 1 headers of daemon 0's chain.
static void know_chain(struct world *world, int64_t known)
{
    for (int64_t height = 0; height <= known; height++) {
        struct hash256 id = fake_daemon_id(world->daemons[0], height);
        world_know_header(world, &id);
    }
}

static void start_fetching(struct world *world)
{
    struct hash256 tip = fake_daemon_tip(world->daemons[0]);
    world_start(world);
    world_run_until(world, has_work);
    world->headers_finished_count = 0;
    backend_fetch_headers(world->backend, &tip);
    assert_int_equal(world->headers_count, 0); // never from inside the call
}

static void assert_fetched(struct world *world, size_t count)
{
    struct hash256 tip = fake_daemon_tip(world->daemons[0]);
    assert_int_equal(world->headers_finished_count, 1);
    assert_int_equal(world->headers_result, HEADERS_DONE);
    assert_int_equal(world->headers_count, count);
    assert_false(world->headers_broke_order);
    if (count > 0) {
        assert_true(hash_equal(&world->headers_last, &tip));
    }
}

static void known_tip_is_finished_at_once(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    know_chain(&world, 10);
    start_fetching(&world);
    world_run_until(&world, is_finished);
    assert_fetched(&world, 0);
    assert_int_equal(fake_daemon_calls(world.daemons[0], "getblockheader"), 0);
    world_clear(&world);
}

static void short_gaps_cost_one_call_per_header(void **state)
{
    (void)state;
    for (int64_t gap = 1; gap <= 8; gap++) {
        struct world world;
        world_init(&world, 1);
        know_chain(&world, 10 - gap);
        start_fetching(&world);
        world_run_until(&world, is_finished);
        assert_fetched(&world, (size_t)gap);
        assert_int_equal(world.headers_calls, 1);
        assert_int_equal(fake_daemon_calls(world.daemons[0], "getblockheader"), gap);
        assert_int_equal(fake_daemon_calls(world.daemons[0], "getblockhash"), 0);
        world_clear(&world);
    }
}

static void gap_of_thousands_is_closed_in_batches(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    fake_daemon_mine(world.daemons[0], 4990, 1);
    know_chain(&world, 777);
    start_fetching(&world);
    size_t requests = fake_daemon_requests(world.daemons[0]);
    world_run_until(&world, is_finished);
    requests = fake_daemon_requests(world.daemons[0]) - requests;
    assert_fetched(&world, 5000 - 777);
    // 9 to find out that the gap is long, 3 to find its foot, 2 for each of 22 chunks; and other
    // business.
    assert_true(requests < 9 + 3 + 44 + 40);
    world_clear(&world);
}

static void every_foot_of_a_long_gap_is_found(void **state)
{
    (void)state;
    static const int64_t known[] = {0, 1, 2, 63, 64, 65, 299, 300, 301, 389, 390};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct world world;
        world_init(&world, 1);
        fake_daemon_mine(world.daemons[0], 390, 1);
        know_chain(&world, known[i]);
        start_fetching(&world);
        world_run_until(&world, is_finished);
        assert_fetched(&world, 400 - (size_t)known[i]);
        world_clear(&world);
    }
}

static void daemons_without_batches_are_asked_singly(void **state)
{
    (void)state;
    static const enum fake_batch kinds[] = {BATCH_REFUSED, BATCH_HTTP_400, BATCH_RESETS};
    for (size_t i = 0; i < 3; i++) {
        struct world world;
        world_init(&world, 1);
        fake_daemon_mine(world.daemons[0], 290, 1);
        fake_daemon_settings(world.daemons[0])->batch = kinds[i];
        know_chain(&world, 20);
        start_fetching(&world);
        world_run_until(&world, is_finished);
        assert_fetched(&world, 280);
        assert_int_equal(world_log_count(&world, "headers cannot be fetched"), 0);
        world_clear(&world);
    }
}

static void batch_that_lacks_a_reply_is_tried_again_later(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    fake_daemon_mine(world.daemons[0], 90, 1);
    fake_daemon_settings(world.daemons[0])->batch = BATCH_SHORT;
    know_chain(&world, 20);
    start_fetching(&world);
    world_run_for(&world, 200);
    assert_int_equal(world.headers_finished_count, 0);
    assert_int_equal(world_log_count(&world, "headers cannot be fetched"), 1);
    assert_int_equal(world_log_count(&world, "lacks replies"), 1);
    fake_daemon_settings(world.daemons[0])->batch = BATCH_TAKEN;
    world_run_until(&world, is_finished);
    assert_fetched(&world, 80);
    world_clear(&world);
}

static void fork_is_followed_down_to_where_it_left(void **state)
{
    (void)state;
    static const size_t depths[] = {1, 5, 9, 70};
    for (size_t i = 0; i < 4; i++) {
        struct world world;
        world_init(&world, 1);
        fake_daemon_mine(world.daemons[0], 90, 1);
        know_chain(&world, 100);
        fake_daemon_reorganise(world.daemons[0], depths[i], depths[i] + 1, 2);
        start_fetching(&world);
        world_run_until(&world, is_finished);
        assert_fetched(&world, depths[i] + 1);
        world_clear(&world);
    }
}

static void headers_below_the_floor_are_never_asked_for(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    fake_daemon_mine(world.daemons[0], 290, 1);
    world.config.header_floor = 200;
    struct hash256 anchor = fake_daemon_id(world.daemons[0], 200);
    world_know_header(&world, &anchor);
    start_fetching(&world);
    world_run_until(&world, is_finished);
    assert_fetched(&world, 100);
    world_clear(&world);
}

static void chain_without_the_anchor_is_told(void **state)
{
    (void)state;
    static const int64_t floors[] = {5, 200, 400}; // reached step by step, by height, above the tip
    for (size_t i = 0; i < 3; i++) {
        struct world world;
        world_init(&world, 1);
        fake_daemon_mine(world.daemons[0], 290, 1);
        world.config.header_floor = floors[i];
        start_fetching(&world); // the receiver knows no header of this chain
        world_run_until(&world, is_finished);
        assert_int_equal(world.headers_result, HEADERS_NO_ANCHOR);
        assert_int_equal(world.headers_count, 0);
        world_clear(&world);
    }
}

static void tip_that_the_daemon_does_not_know_is_told(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    know_chain(&world, 10);
    world_start(&world);
    world_run_until(&world, has_work);
    const struct hash256 tip = {.bytes = {1, 2, 3}};
    backend_fetch_headers(world.backend, &tip);
    world_run_until(&world, is_finished);
    assert_int_equal(world.headers_result, HEADERS_NO_TIP);
    assert_int_equal(world.headers_count, 0);
    world_clear(&world);
}

static void tip_off_the_best_chain_with_a_long_gap_is_told(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    fake_daemon_mine(world.daemons[0], 90, 1);
    know_chain(&world, 20);
    struct hash256 lost = fake_daemon_tip(world.daemons[0]);
    fake_daemon_reorganise(world.daemons[0], 50, 60, 2);
    world_start(&world);
    world_run_until(&world, has_work);
    backend_fetch_headers(world.backend, &lost);
    world_run_until(&world, is_finished);
    assert_int_equal(world.headers_result, HEADERS_NO_TIP);
    assert_false(world.headers_broke_order);
    world_clear(&world);
}

static bool has_some_headers(struct world *world)
{
    return world->headers_count >= 200;
}

static void daemon_that_dies_meanwhile_is_replaced(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 2);
    fake_daemon_mine(world.daemons[0], 1990, 1);
    fake_daemon_mine(world.daemons[1], 1990, 1);
    struct hash256 tip = fake_daemon_tip(world.daemons[1]);
    know_chain(&world, 20);
    start_fetching(&world);
    world_run_until(&world, has_some_headers);
    world_kill(&world, 0);
    world_run_until(&world, is_finished);
    assert_int_equal(world.headers_result, HEADERS_DONE);
    assert_int_equal(world.headers_count, 1980); // none twice
    assert_false(world.headers_broke_order);
    assert_true(hash_equal(&world.headers_last, &tip));
    world_clear(&world);
}

static void reorganisation_meanwhile_is_followed_by_the_next_wish(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    fake_daemon_mine(world.daemons[0], 1990, 1);
    know_chain(&world, 20);
    start_fetching(&world);
    world_run_until(&world, has_some_headers);
    fake_daemon_reorganise(world.daemons[0], 1800, 1801, 2);
    struct hash256 tip = fake_daemon_tip(world.daemons[0]);
    world_run_until(&world, is_finished);
    assert_int_equal(world.headers_result, HEADERS_NO_TIP); // the old tip cannot be had by height
    assert_false(world.headers_broke_order);
    world.headers_finished_count = 0;
    backend_fetch_headers(world.backend, &tip);
    world_run_until(&world, is_finished);
    assert_int_equal(world.headers_result, HEADERS_DONE);
    assert_true(hash_equal(&world.headers_last, &tip));
    world_clear(&world);
}

static void later_wish_takes_the_place_of_an_earlier_one(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    fake_daemon_mine(world.daemons[0], 1990, 1);
    know_chain(&world, 20);
    start_fetching(&world);
    world_run_until(&world, has_some_headers);
    struct hash256 near = fake_daemon_id(world.daemons[0], 400);
    backend_fetch_headers(world.backend, &near);
    world_run_until(&world, is_finished);
    assert_int_equal(world.headers_result, HEADERS_DONE);
    world_run_for(&world, 50);
    assert_int_equal(world.headers_finished_count, 1);
    assert_true(world.headers_count < 1980);
    assert_false(world.headers_broke_order);
    world_clear(&world);
}

static void backend_may_be_freed_in_the_middle(void **state)
{
    (void)state;
    for (int64_t ms = 0; ms < 30; ms++) {
        struct world world;
        world_init(&world, 1);
        fake_daemon_mine(world.daemons[0], 990, 1);
        know_chain(&world, 20);
        start_fetching(&world);
        world_run_for(&world, ms);
        world_clear(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_tip_is_finished_at_once),
        cmocka_unit_test(short_gaps_cost_one_call_per_header),
        cmocka_unit_test(gap_of_thousands_is_closed_in_batches),
        cmocka_unit_test(every_foot_of_a_long_gap_is_found),
        cmocka_unit_test(daemons_without_batches_are_asked_singly),
        cmocka_unit_test(batch_that_lacks_a_reply_is_tried_again_later),
        cmocka_unit_test(fork_is_followed_down_to_where_it_left),
        cmocka_unit_test(headers_below_the_floor_are_never_asked_for),
        cmocka_unit_test(chain_without_the_anchor_is_told),
        cmocka_unit_test(tip_that_the_daemon_does_not_know_is_told),
        cmocka_unit_test(tip_off_the_best_chain_with_a_long_gap_is_told),
        cmocka_unit_test(daemon_that_dies_meanwhile_is_replaced),
        cmocka_unit_test(reorganisation_meanwhile_is_followed_by_the_next_wish),
        cmocka_unit_test(later_wish_takes_the_place_of_an_earlier_one),
        cmocka_unit_test(backend_may_be_freed_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
