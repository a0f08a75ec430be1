// Sync among honest nodes: what is asked, of whom, in which order, and that it ends with the same
// chain everywhere.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "tests/unit/dht/sync_world.h"

#define REQUESTS(node, type) ((node)->requests[(type)-PEER_HELLO])

static const struct toy_growth plain = {.links = 300, .grains = 20, .work = 1000};

// Nodes 1.. have the same grown chain, node 0 has an engine and nothing else; all are its peers.
static struct world *world_of(size_t count, const struct toy_growth *growth)
{
    struct world *world = world_new(count);
    world_add_sync(world, 0);
    toy_grow(&world->nodes[1].toy, growth);
    for (size_t i = 2; i < count; i++)
        toy_copy(&world->nodes[1].toy, &world->nodes[i].toy);
    return world;
}

static void link_all(struct world *world)
{
    for (size_t i = 1; i < world->count; i++)
        world_link(world, 0, i);
}

static unsigned all_faults(const struct world_node *node)
{
    unsigned sum = 0;
    for (size_t i = 0; i < 4; i++)
        sum += node->faults[i];
    return sum;
}

static void new_node_catches_up_from_four_peers_at_once(void **state)
{
    (void)state;
    struct world *world = world_of(5, &plain);
    struct world_node *node = &world->nodes[0];
    assert_int_equal(sync_phase(node->sync), SYNC_ALONE);
    link_all(world);
    assert_int_equal(sync_phase(node->sync), SYNC_COMPARING);
    assert_true(world_run_until(world, 0, SYNC_FETCHING, 5000));
    assert_true(sync_is_far_behind(node->sync));
    assert_true(world_run_until(world, 0, SYNC_DONE, 20000));
    assert_false(sync_is_far_behind(node->sync));
    assert_true(world_same_tip(world, 0, 1));
    assert_true(toy_is_whole(&node->toy, 1));
    assert_int_equal(all_faults(node), 0);
    for (size_t i = 1; i < 5; i++)
        assert_true(node->requests_of[i] >= 4); // bodies and shares of two batches at least
    // Each link and grain came once, and each was judged once.
    assert_int_equal(node->toy.shares_judged, 300 * 21);
    world_free(world);
}

static void equal_tips_need_no_request(void **state)
{
    (void)state;
    struct world *world = world_of(4, &plain);
    struct world_node *node = &world->nodes[0];
    toy_copy(&world->nodes[1].toy, &node->toy);
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_DONE, SYNC_COMPARE_MS));
    world_run(world, 100000);
    for (size_t i = 1; i < 4; i++)
        assert_int_equal(node->requests_of[i], 0);
    world_free(world);
}

static void one_peer_is_waited_with_for_others(void **state)
{
    (void)state;
    struct world *world = world_of(2, &plain);
    link_all(world);
    world_run(world, SYNC_COMPARE_MS - 100);
    assert_int_equal(world->nodes[0].requests_of[1], 0);
    assert_true(world_run_until(world, 0, SYNC_DONE, 20000));
    assert_true(world_same_tip(world, 0, 1));
    world_free(world);
}

static void peer_that_mined_on_since_its_hello_is_asked_at_once(void **state)
{
    (void)state;
    static const struct toy_growth more = {.links = 3, .grains = 20, .work = 1000};
    static const struct toy_growth few = {.links = 12, .grains = 20, .work = 1000};
    struct world *world = world_of(2, &few);
    link_all(world);
    world_run(world, 1000);
    toy_grow(&world->nodes[1].toy, &more); // and says nothing of it
    assert_true(world_run_until(world, 0, SYNC_DONE, SYNC_COMPARE_MS + 1000));
    assert_true(world_same_tip(world, 0, 1));
    assert_int_equal(all_faults(&world->nodes[0]), 0);
    world_free(world);
}

static void nothing_is_fetched_before_it_is_proven(void **state)
{
    (void)state;
    struct toy_growth growth = {.links = 1400, .work = 5};
    struct world *world = world_of(2, &growth);
    struct world_node *node = &world->nodes[0];
    // Skeletons twice and headers once; the chain takes three answers.
    world->nodes[1].answers_left = 3;
    link_all(world);
    world_run(world, SYNC_COMPARE_MS + 5000);
    assert_int_equal(sync_phase(node->sync), SYNC_PROVING);
    struct sync_stats stats;
    sync_stats(node->sync, &stats);
    assert_true(stats.proven_height >= 512);
    assert_int_equal(stats.target_height, 1400);
    world_run(world, 60000);
    assert_int_equal(REQUESTS(node, PEER_GET_BODIES), 0);
    assert_int_equal(REQUESTS(node, PEER_GET_SHARES), 0);
    assert_int_equal(node->toy.shares_judged, 0);
    assert_int_equal(node->last_fault, SYNC_FAULT_NO_ANSWER);
    // Nobody's claim was judged: it is not known to be synced.
    assert_int_equal(sync_phase(node->sync), SYNC_COMPARING);
    world_free(world);
}

static void headers_are_asked_for_when_a_skeleton_needs_them(void **state)
{
    (void)state;
    struct world *world = world_of(2, &plain);
    struct world_node *node = &world->nodes[0];
    assert_int_equal(node->toy.best_header->height, 0);
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_DONE, 30000));
    assert_true(REQUESTS(node, PEER_GET_HEADERS) >= 1);
    assert_int_equal(node->toy.best_header->height, world->nodes[1].toy.best_header->height);
    world_free(world);
}

static void more_headers_than_one_answer_holds_are_fetched(void **state)
{
    (void)state;
    struct world *world = world_of(2, &(struct toy_growth){.links = 3, .work = 1});
    struct toy_chain *toy = &world->nodes[1].toy;
    struct network_chain table = toy_table(toy);
    for (uint64_t i = 0; i < 5000; i++) {
        uint8_t header[CHAIN_HEADER_SIZE];
        toy_make_header(&toy->best_header->id, 900000 + i, header);
        assert_int_equal(table.add_headers(toy, 0, header, 1), CHAIN_VALID);
    }
    toy_grow(toy, &(struct toy_growth){.links = 3, .work = 1, .salt = 1});
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_DONE, 30000));
    assert_true(world_same_tip(world, 0, 1));
    assert_true(REQUESTS(&world->nodes[0], PEER_GET_HEADERS) >= 3);
    assert_int_equal(all_faults(&world->nodes[0]), 0);
    world_free(world);
}

static void grains_on_blocks_that_lost_are_fetched_with_their_headers(void **state)
{
    (void)state;
    struct toy_growth growth = {.links = 60, .grains = 4, .work = 9, .has_stale_headers = true};
    struct world *world = world_of(3, &growth);
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_DONE, 60000));
    assert_true(world_same_tip(world, 0, 1));
    assert_true(toy_is_whole(&world->nodes[0].toy, 1));
    assert_int_equal(all_faults(&world->nodes[0]), 0);
    world_free(world);
}

static void links_that_lost_bring_their_bodies(void **state)
{
    (void)state;
    struct toy_growth growth = {.links = 100, .grains = 6, .work = 9, .lost_every = 7};
    struct world *world = world_of(4, &growth);
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_DONE, 60000));
    assert_true(world_same_tip(world, 0, 1));
    assert_true(toy_is_whole(&world->nodes[0].toy, 1));
    assert_int_equal(all_faults(&world->nodes[0]), 0);
    world_free(world);
}

static void heavier_fork_is_switched_to_though_it_is_shorter(void **state)
{
    (void)state;
    struct world *world = world_of(3, &plain);
    struct world_node *node = &world->nodes[0];
    toy_copy(&world->nodes[1].toy, &node->toy);
    toy_grow(&node->toy, &(struct toy_growth){.links = 40, .grains = 3, .work = 1000, .salt = 5});
    toy_grow(&world->nodes[1].toy,
             &(struct toy_growth){.links = 30, .grains = 3, .work = 2000, .salt = 6});
    toy_copy(&world->nodes[1].toy, &world->nodes[2].toy);
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_DONE, 30000));
    assert_true(world_same_tip(world, 0, 1));
    assert_int_equal(toy_tip(&node->toy).height, 330);
    assert_true(toy_is_whole(&node->toy, 1));
    // From the fork on, not from the beginning.
    assert_int_equal(node->toy.shares_judged, 40 * 4 + 30 * 4);
    world_free(world);
}

static void heavy_links_take_several_requests(void **state)
{
    (void)state;
    struct toy_growth growth = {.links = 8, .grains = 3000, .work = 9};
    struct world *world = world_of(3, &growth);
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_DONE, 60000));
    assert_true(world_same_tip(world, 0, 1));
    assert_true(toy_is_whole(&world->nodes[0].toy, 1));
    assert_int_equal(all_faults(&world->nodes[0]), 0);
    world_free(world);
}

static void old_links_stay_skeletons(void **state)
{
    (void)state;
    struct world *world = world_of(3, &plain);
    world->nodes[0].toy.window = 50;
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_DONE, 30000));
    assert_true(world_same_tip(world, 0, 1));
    assert_true(toy_is_whole(&world->nodes[0].toy, 251));
    assert_int_equal(world->nodes[0].toy.shares_judged, 50 * 21);
    world_free(world);
}

static void chain_that_policy_refuses_is_left_alone(void **state)
{
    (void)state;
    struct world *world = world_of(4, &plain);
    world->nodes[0].toy.refuses_proofs = true;
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_DONE, 10000));
    world_run(world, 40000);
    assert_int_equal(world->nodes[0].toy.proofs_begun, 1);
    assert_int_equal(REQUESTS(&world->nodes[0], PEER_GET_BODIES), 0);
    assert_int_equal(all_faults(&world->nodes[0]), 0);
    world_free(world);
}

static void peers_that_vanish_are_replaced(void **state)
{
    (void)state;
    struct world *world = world_of(5, &plain);
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_FETCHING, 10000));
    world_run(world, 30);
    for (size_t i = 1; i < 4; i++)
        world_unlink(world, 0, i);
    assert_true(world_run_until(world, 0, SYNC_DONE, 30000));
    assert_true(world_same_tip(world, 0, 4));
    assert_int_equal(all_faults(&world->nodes[0]), 0);
    world_free(world);
}

static void the_last_peer_takes_everything_with_it(void **state)
{
    (void)state;
    struct world *world = world_of(2, &plain);
    struct world_node *node = &world->nodes[0];
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_FETCHING, 10000));
    world_unlink(world, 0, 1);
    assert_int_equal(sync_phase(node->sync), SYNC_ALONE);
    assert_false(sync_is_far_behind(node->sync));
    assert_int_equal(node->toy.proofs, 0);
    assert_int_equal(sync_next_deadline(node->sync).ms, MONO_NEVER.ms);
    world_run(world, 10000);
    world_link(world, 0, 1);
    assert_true(world_run_until(world, 0, SYNC_DONE, 30000));
    assert_true(world_same_tip(world, 0, 1));
    world_free(world);
}

static void synced_node_follows_a_growing_chain_without_a_break(void **state)
{
    (void)state;
    struct world *world = world_of(4, &plain);
    struct world_node *node = &world->nodes[0];
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_DONE, 20000));
    unsigned changes = node->phase_changes;
    for (uint64_t i = 1; i <= 5; i++) {
        toy_grow(&world->nodes[1].toy,
                 &(struct toy_growth){.links = 4, .grains = 2, .work = 1000, .salt = 10 + i});
        world_tell(world, 1);
        world_run(world, 10000);
        assert_true(world_same_tip(world, 0, 1));
    }
    assert_int_equal(node->phase_changes, changes); // never more than 20 links behind
    toy_grow(&world->nodes[1].toy, &(struct toy_growth){.links = 40, .work = 1000, .salt = 99});
    node->was_fetching = false;
    world_tell(world, 1);
    world_run(world, 20000);
    assert_true(node->was_fetching);
    assert_int_equal(sync_phase(node->sync), SYNC_DONE);
    assert_true(world_same_tip(world, 0, 1));
    world_free(world);
}

static void full_link_is_tried_again(void **state)
{
    (void)state;
    struct world *world = world_of(2, &plain);
    world->nodes[0].is_full = true;
    link_all(world);
    world_run(world, 10000);
    world->nodes[0].is_full = false;
    assert_true(world_run_until(world, 0, SYNC_DONE, 20000));
    assert_true(world_same_tip(world, 0, 1));
    assert_int_equal(all_faults(&world->nodes[0]), 0);
    world_free(world);
}

static void slow_links_are_not_taken_for_silent_ones(void **state)
{
    (void)state;
    struct world *world = world_of(3, &(struct toy_growth){.links = 600, .grains = 40, .work = 7});
    world->nodes[1].bytes_ms = 30; // 240 kbit/s: half a batch takes ten seconds
    world->nodes[2].bytes_ms = 30;
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_DONE, 400000));
    assert_true(world_same_tip(world, 0, 1));
    assert_int_equal(all_faults(&world->nodes[0]), 0);
    world_free(world);
}

static void what_is_downloaded_ahead_is_bounded(void **state)
{
    (void)state;
    struct toy_growth growth = {.links = 2400, .grains = 70, .work = 3};
    struct world *world = world_of(3, &growth);
    struct world_node *node = &world->nodes[0];
    // Node 1 is asked for the first batch as for others, and brings next to nothing.
    world->nodes[1].bytes_ms = 2;
    world->nodes[2].latency_ms = 1;
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_DONE, 600000));
    assert_true(world_same_tip(world, 0, 1));
    assert_true(node->memory_max < SYNC_AHEAD_BYTES_MAX + (1u << 20));
    world_free(world);
}

// ---- Lacks

struct lacking_share {
    uint8_t bytes[TOY_SHARE_SIZE];
    struct hash256 anchor;
    struct hash256 id;
};

// A grain of a link that only `maker` has, given to node 0 as if peer `source` had sent it.
static void give_orphan(struct world *world, size_t maker, uint32_t source)
{
    struct toy_chain *toy = &world->nodes[maker].toy;
    struct chain_tip tip = toy_tip(toy);
    struct toy_spec spec = {
        .anchor = tip.id, .coin = toy->best_header->id, .height = tip.height + 1, .nonce = 77};
    uint8_t bytes[TOY_SHARE_SIZE];
    toy_make(&spec, bytes);
    struct network_chain *chain = &world->nodes[0].served;
    struct chain_arrival arrival = {.source = source, .share = bytes, .share_size = sizeof bytes};
    assert_int_equal(chain->add_share(chain->context, &arrival, world_now(world)), CHAIN_UNKNOWN);
    sync_poke(world->nodes[0].sync, world_now(world));
}

static struct world *world_of_equals(size_t count)
{
    struct world *world = world_of(count, &plain);
    toy_copy(&world->nodes[1].toy, &world->nodes[0].toy);
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_DONE, 10000));
    return world;
}

static void what_a_waiting_share_lacks_is_asked_of_its_source(void **state)
{
    (void)state;
    struct world *world = world_of_equals(4);
    struct world_node *node = &world->nodes[0];
    // Two links and their grains, on the headers that all have.
    toy_grow(&world->nodes[3].toy, &(struct toy_growth){.links = 2, .grains = 3, .work = 5});
    struct network_chain table = node->served;
    struct toy_chain *toy = &world->nodes[3].toy;
    assert_int_equal(table.add_headers(&node->toy, 0, toy->best_header->bytes, 1), CHAIN_VALID);
    give_orphan(world, 3, 4);
    world_run(world, 5000);
    assert_true(world_same_tip(world, 0, 3));
    assert_int_equal(node->requests_of[1] + node->requests_of[2], 0);
    struct sync_stats stats;
    sync_stats(node->sync, &stats);
    assert_int_equal(stats.lacking, 0);
    world_free(world);
}

static void what_nobody_has_is_asked_for_ever_more_rarely(void **state)
{
    (void)state;
    struct world *world = world_of_equals(4);
    struct world_node *node = &world->nodes[0];
    struct toy_chain *away = &world->nodes[3].toy;
    world_unlink(world, 0, 3);
    toy_grow(away, &(struct toy_growth){.links = 1, .grains = 0, .work = 5});
    struct network_chain table = node->served;
    assert_int_equal(table.add_headers(&node->toy, 0, away->best_header->bytes, 1), CHAIN_VALID);
    give_orphan(world, 3, 2);
    world_run(world, 500);
    assert_int_equal(node->requests_of[1], 1); // its source
    assert_int_equal(node->requests_of[2], 0);
    world_run(world, 1000);
    assert_int_equal(node->requests_of[2], 1); // then the next
    world_run(world, 3600000);
    unsigned requests = node->requests_of[1] + node->requests_of[2];
    assert_true(requests >= 12 && requests <= 18); // 1, 2, 4 .. 512, then every 600 seconds
    // It comes at last.
    world_link(world, 0, 3);
    world_run(world, 2000000);
    assert_true(world_same_tip(world, 0, 3));
    struct sync_stats stats;
    sync_stats(node->sync, &stats);
    assert_int_equal(stats.lacking, 0);
    assert_int_equal(all_faults(node), 0);
    world_free(world);
}

static void what_is_lacking_no_more_is_forgotten(void **state)
{
    (void)state;
    struct world *world = world_of_equals(3);
    struct world_node *node = &world->nodes[0];
    struct toy_chain other;
    struct sync_stats stats;
    toy_init(&other, 9);
    struct toy_spec spec = {.anchor = {{9}}, .coin = node->toy.best_header->id, .height = 3};
    uint8_t bytes[TOY_SHARE_SIZE];
    toy_make(&spec, bytes);
    struct chain_arrival arrival = {.source = 2, .share = bytes, .share_size = sizeof bytes};
    node->served.add_share(&node->toy, &arrival, world_now(world));
    sync_poke(node->sync, world_now(world));
    world_run(world, 300);
    sync_stats(node->sync, &stats);
    assert_int_equal(stats.lacking, 1);
    node->served.forget_source(&node->toy, 2);
    sync_poke(node->sync, world_now(world));
    world_run(world, 300);
    sync_stats(node->sync, &stats);
    assert_int_equal(stats.lacking, 0);
    toy_clear(&other);
    world_free(world);
}

static void the_same_events_give_the_same_requests(void **state)
{
    (void)state;
    struct world *worlds[2];
    struct toy_growth growth = {.links = 200, .grains = 9, .work = 9, .lost_every = 9};
    for (size_t i = 0; i < 2; i++) {
        worlds[i] = world_of(5, &growth);
        worlds[i]->nodes[2].answers_left = 4;
        link_all(worlds[i]);
        world_run(worlds[i], 60000);
        assert_int_equal(sync_phase(worlds[i]->nodes[0].sync), SYNC_DONE);
    }
    const struct world_node *a = &worlds[0]->nodes[0];
    const struct world_node *b = &worlds[1]->nodes[0];
    assert_int_equal(worlds[0]->steps, worlds[1]->steps);
    assert_int_equal(a->done_ms, b->done_ms);
    assert_memory_equal(a->requests_of, b->requests_of, sizeof a->requests_of);
    assert_memory_equal(a->requests, b->requests, sizeof a->requests);
    world_free(worlds[0]);
    world_free(worlds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_node_catches_up_from_four_peers_at_once),
        cmocka_unit_test(equal_tips_need_no_request),
        cmocka_unit_test(one_peer_is_waited_with_for_others),
        cmocka_unit_test(peer_that_mined_on_since_its_hello_is_asked_at_once),
        cmocka_unit_test(nothing_is_fetched_before_it_is_proven),
        cmocka_unit_test(headers_are_asked_for_when_a_skeleton_needs_them),
        cmocka_unit_test(more_headers_than_one_answer_holds_are_fetched),
        cmocka_unit_test(grains_on_blocks_that_lost_are_fetched_with_their_headers),
        cmocka_unit_test(links_that_lost_bring_their_bodies),
        cmocka_unit_test(heavier_fork_is_switched_to_though_it_is_shorter),
        cmocka_unit_test(heavy_links_take_several_requests),
        cmocka_unit_test(old_links_stay_skeletons),
        cmocka_unit_test(chain_that_policy_refuses_is_left_alone),
        cmocka_unit_test(peers_that_vanish_are_replaced),
        cmocka_unit_test(the_last_peer_takes_everything_with_it),
        cmocka_unit_test(synced_node_follows_a_growing_chain_without_a_break),
        cmocka_unit_test(full_link_is_tried_again),
        cmocka_unit_test(slow_links_are_not_taken_for_silent_ones),
        cmocka_unit_test(what_is_downloaded_ahead_is_bounded),
        cmocka_unit_test(what_a_waiting_share_lacks_is_asked_of_its_source),
        cmocka_unit_test(what_nobody_has_is_asked_for_ever_more_rarely),
        cmocka_unit_test(what_is_lacking_no_more_is_forgotten),
        cmocka_unit_test(the_same_events_give_the_same_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
