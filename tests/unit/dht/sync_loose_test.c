// Grains that no link credits yet, told while a node was not there: whom it asks, how much at a
// time, and what it passes on.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/unit/dht/sync_world.h"

#define REQUESTS(node, type) ((node)->requests[(type)-PEER_HELLO])

static const struct toy_growth plain = {.links = 30, .grains = 2, .work = 1000};

// ---- A toy chain that has loose grains, and notes which of them would be told

static bool is_loose(const struct toy_chain *toy, const struct toy_share *share)
{
    return share->work == 0 && share->height == toy->best_count + 1;
}

static size_t loose_of(void *context, struct hash256 *ids, size_t count_max)
{
    const struct toy_chain *toy = context;
    size_t count = 0;
    for (const struct toy_share *at = toy->first; at != NULL && count < count_max; at = at->next) {
        if (is_loose(toy, at))
            ids[count++] = at->id;
    }
    return count;
}

static size_t count_loose(struct toy_chain *toy)
{
    struct hash256 ids[PEER_GET_IDS_MAX];
    return loose_of(toy, ids, PEER_GET_IDS_MAX);
}

// As many as fill one answer, none of which was ever heard of.
static size_t invented(void *context, struct hash256 *ids, size_t count_max)
{
    (void)context;
    for (size_t i = 0; i < count_max; i++)
        ids[i] = (struct hash256){{1, (uint8_t)i, (uint8_t)(i >> 8)}};
    return count_max;
}

static void add_grains(struct world_node *node, uint64_t first, uint64_t count)
{
    struct chain_tip tip = toy_tip(&node->toy);
    for (uint64_t i = first; i < first + count; i++) {
        uint8_t bytes[TOY_SHARE_SIZE];
        struct toy_spec spec = {
            .anchor = tip.id, .coin = toy_anchor_header(), .height = tip.height + 1, .nonce = i};
        struct chain_arrival arrival = {.share = bytes, .share_size = sizeof bytes};
        toy_make(&spec, bytes);
        assert_int_equal(toy_add_share(&node->toy, &arrival, (struct now){.mono = {0}}),
                         CHAIN_VALID);
    }
    node->toy.shares_judged = 0;
}

static enum chain_verdict add_and_note(void *context, const struct chain_arrival *arrival,
                                       struct now now)
{
    struct world_node *node =
        (struct world_node *)(void *)((uint8_t *)context - offsetof(struct world_node, toy));
    node->passed_on += !sync_is_catching_up(node->sync);
    return toy_add_share(context, arrival, now);
}

// Node 0 has an engine; all have the same chain.
static struct world *world_of(size_t count)
{
    struct world *world = world_new(count);
    toy_grow(&world->nodes[1].toy, &plain);
    for (size_t i = 0; i < count; i++) {
        if (i != 1)
            toy_copy(&world->nodes[1].toy, &world->nodes[i].toy);
        world->nodes[i].served.loose = loose_of;
        world->nodes[i].toy.shares_judged = 0;
    }
    world->nodes[0].served.add_share = add_and_note;
    world_add_sync(world, 0);
    return world;
}

static void who_has_just_come_fetches_all_once_and_passes_nothing_on(void **state)
{
    (void)state;
    struct world *world = world_of(4);
    struct world_node *node = &world->nodes[0];
    for (size_t i = 1; i < 4; i++)
        add_grains(&world->nodes[i], 0, 1500);
    add_grains(&world->nodes[3], 5000, 1);
    for (size_t i = 1; i < 4; i++)
        world_link(world, 0, i);
    world_run(world, 5000);
    assert_int_equal(count_loose(&node->toy), 1501);
    assert_int_equal(node->toy.shares_judged, 1501);
    assert_int_equal(node->passed_on, 0);
    assert_int_equal(REQUESTS(node, PEER_GET_LOOSE), 3);
    assert_int_equal(REQUESTS(node, PEER_GET_SHARES), 3); // 1024, 476 and 1
    world_run(world, 600000);
    assert_int_equal(REQUESTS(node, PEER_GET_LOOSE), 3);
    world_free(world);
}

static void who_was_there_passes_on_the_grains_of_who_comes_slowly(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    struct world_node *node = &world->nodes[0];
    world_link(world, 0, 2);
    world_run(world, 100000);
    add_grains(&world->nodes[1], 0, 250);
    world_link(world, 0, 1);
    world_run(world, 900);
    assert_int_equal(node->toy.shares_judged, 100);
    world_run(world, 1000);
    assert_int_equal(node->toy.shares_judged, 200);
    world_run(world, 1000);
    assert_int_equal(node->toy.shares_judged, 250);
    assert_int_equal(node->passed_on, 250);
    world_free(world);
}

static void who_is_ahead_is_asked_when_we_have_its_links(void **state)
{
    (void)state;
    static const struct toy_growth more = {.links = 40, .grains = 2, .work = 1000};
    struct world *world = world_of(2);
    struct world_node *node = &world->nodes[0];
    toy_grow(&world->nodes[1].toy, &more);
    add_grains(&world->nodes[1], 0, 7);
    world_link(world, 0, 1);
    assert_true(world_run_until(world, 0, SYNC_FETCHING, 10000));
    assert_int_equal(REQUESTS(node, PEER_GET_LOOSE), 0);
    world_run(world, 30000);
    assert_true(world_same_tip(world, 0, 1));
    assert_int_equal(count_loose(&node->toy), 7);
    world_free(world);
}

static void who_does_not_answer_is_passed_over(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    struct world_node *node = &world->nodes[0];
    world->nodes[1].answers_left = 0;
    add_grains(&world->nodes[2], 0, 5);
    world_link(world, 0, 1);
    world_link(world, 0, 2);
    world_run(world, 30000);
    assert_int_equal(node->faults[SYNC_FAULT_NO_ANSWER], 1);
    assert_int_equal(count_loose(&node->toy), 5);
    world_free(world);
}

static void who_announces_what_nobody_has_costs_a_few_requests(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    struct world_node *node = &world->nodes[0];
    world->nodes[1].served.loose = invented;
    add_grains(&world->nodes[2], 0, 5);
    world_link(world, 0, 1);
    world_link(world, 0, 2);
    world_run(world, 30000);
    assert_int_equal(count_loose(&node->toy), 5);
    assert_true(node->requests_of[1] <= 1 + PEER_GET_IDS_MAX / 1024);
    world_free(world);
}

static enum chain_verdict refuse(void *context, const struct chain_arrival *arrival, struct now now)
{
    (void)context;
    (void)arrival;
    (void)now;
    return CHAIN_INVALID;
}

static void who_sends_an_invalid_grain_is_at_fault(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    struct world_node *node = &world->nodes[0];
    node->served.add_share = refuse;
    add_grains(&world->nodes[1], 0, 5);
    world_link(world, 0, 1);
    world_run(world, 30000);
    assert_int_equal(node->faults[SYNC_FAULT_BAD_ANSWER], 1);
    assert_int_equal(REQUESTS(node, PEER_GET_SHARES), 1);
    world_free(world);
}

static void peer_that_leaves_in_its_turn_is_forgotten(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    struct world_node *node = &world->nodes[0];
    for (size_t i = 1; i < 3; i++)
        add_grains(&world->nodes[i], 0, 3000);
    world_link(world, 0, 1);
    world_link(world, 0, 2);
    while (REQUESTS(node, PEER_GET_SHARES) == 0)
        world_run(world, 1);
    world_unlink(world, 0, 1);
    world_run(world, 30000);
    assert_int_equal(count_loose(&node->toy), 3000);
    assert_int_equal(node->faults[SYNC_FAULT_BAD_ANSWER], 0);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_just_come_fetches_all_once_and_passes_nothing_on),
        cmocka_unit_test(who_was_there_passes_on_the_grains_of_who_comes_slowly),
        cmocka_unit_test(who_is_ahead_is_asked_when_we_have_its_links),
        cmocka_unit_test(who_does_not_answer_is_passed_over),
        cmocka_unit_test(who_announces_what_nobody_has_costs_a_few_requests),
        cmocka_unit_test(who_sends_an_invalid_grain_is_at_fault),
        cmocka_unit_test(peer_that_leaves_in_its_turn_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
