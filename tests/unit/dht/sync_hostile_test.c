// Sync among liars: each costs at most some time and is found out; the honest chain is reached.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "tests/unit/dht/sync_world.h"

#define REQUESTS(node, type) ((node)->requests[(type)-PEER_HELLO])

static const struct toy_growth plain = {.links = 200, .grains = 10, .work = 1000};

// As in sync_test: nodes 1.. have the same chain, node 0 an engine. Node 1 is the liar.
static struct world *world_of(size_t count)
{
    struct world *world = world_new(count);
    world_add_sync(world, 0);
    toy_grow(&world->nodes[1].toy, &plain);
    for (size_t i = 2; i < count; i++)
        toy_copy(&world->nodes[1].toy, &world->nodes[i].toy);
    return world;
}

static void link_all(struct world *world)
{
    for (size_t i = 1; i < world->count; i++)
        world_link(world, 0, i);
}

static void claim(struct world *world, size_t number, uint64_t work)
{
    struct world_node *node = &world->nodes[number];
    node->claim = toy_tip(&node->toy);
    node->claim.work = u256_from_u64(work);
    node->claim.id.bytes[0] ^= 1;
    node->claim.height += 1000;
}

// Node 0 gets the chain of the last node, which is honest; so many faults, all of node 1.
static void expect_synced(struct world *world, enum sync_fault fault, unsigned faults)
{
    struct world_node *node = &world->nodes[0];
    size_t honest = world->count - 1;
    assert_true(world_run_until(world, 0, SYNC_DONE, 120000));
    assert_true(world_same_tip(world, 0, honest));
    assert_true(toy_is_whole(&node->toy, 1));
    assert_int_equal(node->faults[fault], faults);
    for (size_t i = 2; i < world->count; i++)
        assert_int_equal(node->faults_of[i], 0);
}

// ---- Claims and proofs

static void liar_with_a_high_claim_is_found_out(void **state)
{
    (void)state;
    struct world *world = world_of(4);
    claim(world, 1, 1000000000);
    link_all(world);
    expect_synced(world, SYNC_FAULT_BAD_PROOF, 1);
    world_free(world);
}

static void claims_alone_do_not_end_the_state_of_being_synced(void **state)
{
    (void)state;
    struct world *world = world_of(4);
    toy_copy(&world->nodes[1].toy, &world->nodes[0].toy);
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_DONE, 10000));
    unsigned changes = world->nodes[0].phase_changes;
    for (uint64_t i = 1; i <= 20; i++) {
        claim(world, 1, 1000000000 * i);
        world_hello(world, 1);
        world_run(world, 3000);
    }
    assert_int_equal(world->nodes[0].phase_changes, changes);
    // After each lie it is looked at later: 10 s, 20 s, 40 s.
    unsigned faults = world->nodes[0].faults[SYNC_FAULT_BAD_PROOF];
    assert_true(faults >= 2 && faults <= 3);
    world_free(world);
}

// 600 light links are less than 200 heavy ones.
static void flood_of_light_links_is_followed_to_its_end_and_never_fetched(void **state)
{
    (void)state;
    struct world *world = world_of(4);
    struct world_node *node = &world->nodes[0];
    struct world_node *liar = &world->nodes[1];
    toy_copy(&liar->toy, &node->toy);
    toy_clear(&liar->toy);
    toy_init(&liar->toy, 55);
    liar->served = toy_table(&liar->toy);
    toy_grow(&liar->toy, &(struct toy_growth){.links = 600, .grains = 2, .work = 1, .salt = 9});
    claim(world, 1, 1000000000);
    link_all(world);
    expect_synced(world, SYNC_FAULT_BAD_PROOF, 1);
    assert_int_equal(REQUESTS(node, PEER_GET_BODIES), 0);
    assert_int_equal(REQUESTS(node, PEER_GET_SHARES), 0);
    assert_int_equal(node->toy.proofs, 0);
    world_free(world);
}

// A liar that never comes to an end is not listened to for ever.
static void endless_flood_of_light_links_is_cut_off(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    struct world_node *liar = &world->nodes[1];
    toy_copy(&liar->toy, &world->nodes[0].toy);
    toy_clear(&liar->toy);
    toy_init(&liar->toy, 55);
    liar->served = toy_table(&liar->toy);
    toy_grow(&liar->toy, &(struct toy_growth){.links = 130000, .work = 1, .salt = 9});
    claim(world, 1, 1000000000);
    link_all(world);
    expect_synced(world, SYNC_FAULT_BAD_PROOF, 1);
    assert_true(REQUESTS(&world->nodes[0], PEER_GET_LINKS) < 200); // of 254
    assert_int_equal(REQUESTS(&world->nodes[0], PEER_GET_BODIES), 0);
    world_free(world);
}

// Six parameters: the shape is that of the table.
static size_t links_that_do_not_follow( // NOLINT(readability-function-size)
    void *context, const struct hash256 *locator, size_t locator_count, size_t count_max,
    struct hash256 *from, struct buffer *out)
{
    struct network_chain honest = toy_table(context);
    size_t start = out->size;
    size_t count = honest.links_after(context, locator, locator_count, count_max, from, out);
    if (count > 100)
        out->data[start + 100 * (2 + CHAIN_HEADER_SIZE) + 2] ^= 1; // the anchor of the 101st
    return count;
}

static void skeletons_that_do_not_follow_are_a_fault(void **state)
{
    (void)state;
    struct world *world = world_of(4);
    world->nodes[1].served.links_after = links_that_do_not_follow;
    claim(world, 1, 1000000000);
    link_all(world);
    expect_synced(world, SYNC_FAULT_BAD_PROOF, 1);
    world_free(world);
}

// Six parameters: the shape is that of the table.
static size_t links_in_drops( // NOLINT(readability-function-size)
    void *context, const struct hash256 *locator, size_t locator_count, size_t count_max,
    struct hash256 *from, struct buffer *out)
{
    struct network_chain honest = toy_table(context);
    (void)count_max;
    return honest.links_after(context, locator, locator_count, 2, from, out);
}

static void skeletons_in_drops_are_a_fault(void **state)
{
    (void)state;
    struct world *world = world_of(4);
    world->nodes[1].served.links_after = links_in_drops;
    claim(world, 1, 1000000000);
    link_all(world);
    expect_synced(world, SYNC_FAULT_BAD_PROOF, 1);
    assert_true(REQUESTS(&world->nodes[0], PEER_GET_LINKS) < 10);
    world_free(world);
}

// Six parameters: the shape is that of the table.
static size_t links_from_nowhere( // NOLINT(readability-function-size)
    void *context, const struct hash256 *locator, size_t locator_count, size_t count_max,
    struct hash256 *from, struct buffer *out)
{
    struct network_chain honest = toy_table(context);
    size_t count = honest.links_after(context, locator, locator_count, count_max, from, out);
    memset(from->bytes, 0x77, sizeof from->bytes);
    return count;
}

static void chain_that_begins_after_no_link_of_ours_is_a_fault(void **state)
{
    (void)state;
    struct world *world = world_of(4);
    world->nodes[1].served.links_after = links_from_nowhere;
    claim(world, 1, 1000000000);
    link_all(world);
    expect_synced(world, SYNC_FAULT_BAD_PROOF, 1);
    world_free(world);
}

static size_t bad_headers(void *context, const struct hash256 *locator, size_t locator_count,
                          size_t count_max, struct buffer *out)
{
    struct network_chain honest = toy_table(context);
    size_t count = honest.headers_after(context, locator, locator_count, count_max, out);
    if (count > 0)
        out->data[out->size - 1] = 1;
    return count;
}

static void headers_that_break_the_rules_are_a_fault(void **state)
{
    (void)state;
    struct world *world = world_of(4);
    world->nodes[1].served.headers_after = bad_headers;
    claim(world, 1, 1000000000);
    link_all(world);
    expect_synced(world, SYNC_FAULT_BAD_HEADERS, 1);
    world_free(world);
}

static size_t no_headers(void *context, const struct hash256 *locator, size_t locator_count,
                         size_t count_max, struct buffer *out)
{
    (void)context;
    (void)locator;
    (void)locator_count;
    (void)count_max;
    (void)out;
    return 0;
}

static size_t no_headers_to(void *context, const struct hash256 *wanted,
                            const struct hash256 *locator, size_t locator_count, struct buffer *out)
{
    (void)wanted;
    return no_headers(context, locator, locator_count, 0, out);
}

static void skeletons_on_headers_that_nobody_shows_are_a_fault(void **state)
{
    (void)state;
    struct world *world = world_of(4);
    world->nodes[1].served.headers_after = no_headers;
    world->nodes[1].served.headers_to = no_headers_to;
    claim(world, 1, 1000000000);
    link_all(world);
    expect_synced(world, SYNC_FAULT_BAD_PROOF, 1);
    world_free(world);
}

static void peer_whose_chain_moves_while_it_is_followed_is_not_at_fault(void **state)
{
    (void)state;
    struct world *world = world_new(2);
    struct world_node *node = &world->nodes[0];
    struct world_node *peer = &world->nodes[1];
    struct toy_chain other;
    world_add_sync(world, 0);
    toy_grow(&peer->toy, &(struct toy_growth){.links = 1200, .work = 1});
    toy_init(&other, 5);
    toy_grow(&other, &(struct toy_growth){.links = 1300, .work = 1, .salt = 3});
    world_link(world, 0, 1);
    assert_true(world_run_until(world, 0, SYNC_PROVING, 10000));
    struct sync_stats stats = {.proven_height = 0};
    while (stats.proven_height == 0) {
        world_run(world, 5);
        sync_stats(node->sync, &stats);
    }
    toy_copy(&other, &peer->toy);
    world_tell(world, 1);
    assert_true(world_run_until(world, 0, SYNC_DONE, 60000));
    assert_true(world_same_tip(world, 0, 1));
    assert_int_equal(toy_tip(&node->toy).height, 1300);
    assert_int_equal(node->faults_of[1], 0);
    toy_clear(&other);
    world_free(world);
}

// ---- Fetching

static void peer_that_stalls_in_the_middle_is_replaced(void **state)
{
    (void)state;
    struct world *world = world_of(4);
    // Enough to prove its chain, and one batch's bodies.
    world->nodes[1].answers_left = 4;
    link_all(world);
    expect_synced(world, SYNC_FAULT_NO_ANSWER, 0); // others were asked before it was too late
    world_run(world, 60000);
    assert_int_equal(world->nodes[0].faults[SYNC_FAULT_NO_ANSWER], 1); // for all it left open
    assert_true(world->nodes[0].done_ms < WORLD_START_MS + 8000);
    world_free(world);
}

static struct hash256 id_of_a_grain(const struct toy_chain *toy)
{
    struct hash256 id;
    memcpy(id.bytes, toy_link_at(toy, 10)->body + 1, sizeof id.bytes);
    return id;
}

static bool all_but_one_share(void *context, const struct hash256 *id, struct buffer *out)
{
    struct network_chain honest = toy_table(context);
    struct hash256 kept_back = id_of_a_grain(context);
    return !hash_equal(id, &kept_back) && honest.share_bytes(context, id, out);
}

static void grain_that_one_leaves_out_comes_from_another(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    world->nodes[1].served.share_bytes = all_but_one_share;
    link_all(world);
    expect_synced(world, SYNC_FAULT_BAD_ANSWER, 0);
    world_free(world);
}

static bool altered_share(void *context, const struct hash256 *id, struct buffer *out)
{
    struct network_chain honest = toy_table(context);
    struct hash256 altered = id_of_a_grain(context);
    bool is_here = honest.share_bytes(context, id, out);
    if (hash_equal(id, &altered))
        out->data[out->size - 1] ^= 1;
    return is_here;
}

static void altered_share_costs_its_sender_and_comes_from_another(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    world->nodes[1].served.share_bytes = altered_share;
    world->nodes[1].latency_ms = 1; // it is first
    link_all(world);
    expect_synced(world, SYNC_FAULT_BAD_ANSWER, 1);
    world_free(world);
}

static void altered_share_of_the_only_peer_is_never_taken(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    world->nodes[1].served.share_bytes = altered_share;
    link_all(world);
    world_run(world, 100000);
    assert_true(world->nodes[0].faults[SYNC_FAULT_BAD_ANSWER] >= 1);
    assert_true(world->nodes[0].requests_of[1] < 60);
    // The chain cannot be had: what is here of it stays, and the node goes on.
    assert_int_equal(toy_tip(&world->nodes[0].toy).height, 9);
    world_free(world);
}

static bool altered_body(void *context, const struct hash256 *id, struct buffer *out)
{
    struct network_chain honest = toy_table(context);
    bool is_here = honest.body_bytes(context, id, out);
    if (hash_equal(id, &toy_link_at(context, 10)->id))
        out->data[out->size - 32] ^= 1; // of the last grain's id
    return is_here;
}

static void altered_body_costs_its_sender_and_comes_from_another(void **state)
{
    (void)state;
    struct world *world = world_of(4);
    for (size_t i = 1; i < 3; i++) {
        world->nodes[i].served.body_bytes = altered_body;
        world->nodes[i].latency_ms = 1;
    }
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_DONE, 60000));
    assert_true(world_same_tip(world, 0, 3));
    // Who sent it is known once the true body has led to a link.
    assert_int_equal(world->nodes[0].faults[SYNC_FAULT_BAD_ANSWER], 2);
    assert_int_equal(world->nodes[0].faults_of[1], 1);
    assert_int_equal(world->nodes[0].faults_of[2], 1);
    world_free(world);
}

static void body_that_names_a_share_of_nobody_ends_in_giving_up(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    struct world_node *node = &world->nodes[0];
    world->nodes[1].served.body_bytes = altered_body;
    world_link(world, 0, 1);
    assert_true(world_run_until(world, 0, SYNC_FETCHING, 10000));
    assert_true(world_run_until(world, 0, SYNC_DONE, 60000));
    assert_int_equal(toy_tip(&node->toy).height, 0);
    assert_int_equal(node->toy.proofs, 0);
    assert_true(node->requests_of[1] < 40);
    // Later, with somebody honest.
    world_link(world, 0, 2);
    world_run(world, 120000);
    assert_true(world_same_tip(world, 0, 2));
    assert_int_equal(node->faults_of[2], 0);
    world_free(world);
}

static bool body_of_the_next_link(void *context, const struct hash256 *id, struct buffer *out)
{
    struct network_chain honest = toy_table(context);
    const struct hash256 *served = id;
    if (hash_equal(id, &toy_link_at(context, 10)->id))
        served = &toy_link_at(context, 11)->id;
    return honest.body_bytes(context, served, out);
}

static void true_body_in_the_wrong_place_is_a_fault(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    world->nodes[1].served.body_bytes = body_of_the_next_link;
    world->nodes[1].latency_ms = 1;
    link_all(world);
    expect_synced(world, SYNC_FAULT_BAD_ANSWER, 1);
    world_free(world);
}

static bool unasked_share(void *context, const struct hash256 *id, struct buffer *out)
{
    struct network_chain honest = toy_table(context);
    (void)id;
    return honest.share_bytes(context, &toy_link_at(context, 1)->id, out);
}

static void shares_that_were_not_asked_for_are_a_fault(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    world->nodes[1].served.share_bytes = unasked_share;
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_DONE, 60000));
    assert_true(world_same_tip(world, 0, 2));
    assert_true(world->nodes[0].faults_of[1] >= 1);
    assert_int_equal(world->nodes[0].faults_of[2], 0);
    world_free(world);
}

static void answers_without_a_question_are_a_fault(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_DONE, 60000));
    struct peer_message message = {.type = PEER_SHARES, .request = 12345};
    world_send(world, 1, 0, &message);
    world_run(world, 1000);
    assert_int_equal(world->nodes[0].faults[SYNC_FAULT_BAD_ANSWER], 1);
    // One that was asked of somebody else is none of ours either.
    message.request = 1;
    world_send(world, 1, 0, &message);
    world_run(world, 1000);
    assert_int_equal(world->nodes[0].faults[SYNC_FAULT_BAD_ANSWER], 2);
    world_free(world);
}

// ---- Chains that are none

static bool no_body(void *context, const struct hash256 *id, struct buffer *out)
{
    (void)context;
    (void)id;
    (void)out;
    return false;
}

static void proven_chain_that_nobody_shows_does_not_stop_the_pool(void **state)
{
    (void)state;
    struct world *world = world_of(4);
    toy_copy(&world->nodes[1].toy, &world->nodes[0].toy);
    toy_grow(&world->nodes[1].toy, &(struct toy_growth){.links = 100, .work = 1000, .salt = 4});
    world->nodes[1].served.body_bytes = no_body;
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_FETCHING, 10000));
    assert_true(world_run_until(world, 0, SYNC_DONE, 30000));
    assert_int_equal(toy_tip(&world->nodes[0].toy).height, 200);
    world_run(world, 20000);
    assert_int_equal(world->nodes[0].toy.proofs_begun, 1); // for a while
    assert_int_equal(world->nodes[0].toy.proofs, 0);
    world_free(world);
}

// Skeletons prove it; what its link 40 credits is none of the shares there are.
static void chain_that_three_peers_show_to_be_invalid_is_not_followed(void **state)
{
    (void)state;
    struct world *world = world_of(5);
    for (size_t i = 1; i < 4; i++) {
        world->nodes[i].served.share_bytes = altered_share;
        world->nodes[i].served.body_bytes = toy_table(&world->nodes[i].toy).body_bytes;
    }
    struct world_node *honest = &world->nodes[4];
    toy_clear(&honest->toy);
    toy_init(&honest->toy, 77);
    honest->served = toy_table(&honest->toy);
    toy_grow(&honest->toy, &(struct toy_growth){.links = 150, .grains = 2, .work = 900, .salt = 8});
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_DONE, 120000));
    assert_true(world_same_tip(world, 0, 4));
    assert_int_equal(world->nodes[0].faults[SYNC_FAULT_BAD_ANSWER], 3);
    assert_int_equal(world->nodes[0].faults_of[4], 0);
    for (size_t i = 1; i < 4; i++)
        assert_int_equal(world->nodes[0].faults_of[i], 1);
    world_free(world);
}

static void altered_answers_to_lacks_are_a_fault(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    struct world_node *node = &world->nodes[0];
    toy_copy(&world->nodes[1].toy, &node->toy);
    link_all(world);
    assert_true(world_run_until(world, 0, SYNC_DONE, 10000));
    world->nodes[1].served.share_bytes = unasked_share;
    struct toy_spec spec = {
        .anchor = {{9}}, .coin = node->toy.best_header->id, .height = 3, .nonce = 4};
    uint8_t bytes[TOY_SHARE_SIZE];
    toy_make(&spec, bytes);
    struct chain_arrival arrival = {.source = 2, .share = bytes, .share_size = sizeof bytes};
    node->served.add_share(&node->toy, &arrival, world_now(world));
    sync_poke(node->sync, world_now(world));
    world_run(world, 500);
    assert_int_equal(node->faults[SYNC_FAULT_BAD_ANSWER], 1);
    assert_int_equal(node->faults_of[1], 1);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(liar_with_a_high_claim_is_found_out),
        cmocka_unit_test(claims_alone_do_not_end_the_state_of_being_synced),
        cmocka_unit_test(flood_of_light_links_is_followed_to_its_end_and_never_fetched),
        cmocka_unit_test(endless_flood_of_light_links_is_cut_off),
        cmocka_unit_test(skeletons_that_do_not_follow_are_a_fault),
        cmocka_unit_test(skeletons_in_drops_are_a_fault),
        cmocka_unit_test(chain_that_begins_after_no_link_of_ours_is_a_fault),
        cmocka_unit_test(headers_that_break_the_rules_are_a_fault),
        cmocka_unit_test(skeletons_on_headers_that_nobody_shows_are_a_fault),
        cmocka_unit_test(peer_whose_chain_moves_while_it_is_followed_is_not_at_fault),
        cmocka_unit_test(peer_that_stalls_in_the_middle_is_replaced),
        cmocka_unit_test(grain_that_one_leaves_out_comes_from_another),
        cmocka_unit_test(altered_share_costs_its_sender_and_comes_from_another),
        cmocka_unit_test(altered_share_of_the_only_peer_is_never_taken),
        cmocka_unit_test(altered_body_costs_its_sender_and_comes_from_another),
        cmocka_unit_test(body_that_names_a_share_of_nobody_ends_in_giving_up),
        cmocka_unit_test(true_body_in_the_wrong_place_is_a_fault),
        cmocka_unit_test(shares_that_were_not_asked_for_are_a_fault),
        cmocka_unit_test(answers_without_a_question_are_a_fault),
        cmocka_unit_test(proven_chain_that_nobody_shows_does_not_stop_the_pool),
        cmocka_unit_test(chain_that_three_peers_show_to_be_invalid_is_not_followed),
        cmocka_unit_test(altered_answers_to_lacks_are_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
