#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>
#include "tests/support/network_world.h"

static struct network_stats stats_of(const struct net_node *node)
{
    struct network_stats stats;
    network_stats(node->network, &stats);
    return stats;
}

static bool is_found_at_home(const struct net_node *node)
{
    struct network_stats stats = stats_of(node);
    return endpoint_equal(&stats.own_ipv4, &node->endpoint);
}

static void two_nodes_meet_through_a_seed(void **state)
{
    (void)state;
    struct net_world *world = net_world_new(1);
    net_fill(world, 2);
    int64_t start_ms = world->now.mono.ms;
    net_run(world, 30000);
    struct net_node *a = &world->nodes[0];
    struct net_node *b = &world->nodes[1];
    // There are not three who could say where they live: that takes a while.
    assert_int_equal(stats_of(a).own_ipv4.port, 0);
    assert_int_equal(a->peers, 0);
    net_run(world, 90000);
    assert_int_equal(a->peers, 1);
    assert_int_equal(b->peers, 1);
    assert_int_equal(net_links_between(a, b), 1);
    assert_int_equal(net_links_between(b, a), 1);
    print_message("first peer after %u ms\n", (unsigned)(b->opened_ms - start_ms));
    net_world_free(world);
}

static void nodes_of_one_machine_need_no_more_than_a_seed(void **state)
{
    (void)state;
    struct net_world *world = net_world_new(2);
    world->is_crowded = true;
    int64_t start_ms = world->now.mono.ms;
    net_fill(world, 5);
    net_run(world, 30000);
    for (size_t i = 0; i < 5; i++) {
        struct net_node *node = &world->nodes[i];
        print_message("node %u: first peer after %u ms, address after %u ms, %u peers\n",
                      (unsigned)i, (unsigned)(node->opened_ms - start_ms),
                      (unsigned)(node->learned_ms - start_ms), node->peers);
        assert_true(is_found_at_home(node));
        assert_true(stats_of(node).is_reachable);
        assert_in_range(node->opened_ms - start_ms, 1, 10000);
        assert_int_equal(node->peers, 4);
    }
    net_world_free(world);
}

static void all_see_a_share(void **state)
{
    (void)state;
    struct net_world *world = net_world_new(3);
    world->is_crowded = true;
    net_fill(world, 5);
    net_run(world, 20000);
    for (size_t i = 0; i < 20; i++) {
        struct hash256 id = net_mine(&world->nodes[i % 5], i % 4 == 3);
        net_run(world, 400);
        assert_int_equal(net_count_having(world, &id), 5);
        net_run(world, 600);
    }
    for (size_t i = 1; i < 5; i++)
        assert_true(hash_equal(&world->nodes[i].chain.tip.id, &world->nodes[0].chain.tip.id));
    assert_int_equal(world->nodes[0].chain.tip.height, 5);
    net_world_free(world);
}

// What nodes say and hear, by type, all nodes together.
static void add_traffic(const struct net_world *world, size_t nodes,
                        struct network_traffic sums[NETWORK_TYPES_COUNT])
{
    for (size_t i = 0; i < nodes; i++) {
        struct network_stats stats = stats_of(&world->nodes[i]);
        for (size_t type = 0; type < NETWORK_TYPES_COUNT; type++) {
            sums[type].messages_received += stats.traffic[type].messages_received;
            sums[type].messages_sent += stats.traffic[type].messages_sent;
            sums[type].bytes_received += stats.traffic[type].bytes_received;
            sums[type].bytes_sent += stats.traffic[type].bytes_sent;
        }
    }
}

static void what_one_sends_another_receives_by_type(void **state)
{
    (void)state;
    struct network_traffic before[NETWORK_TYPES_COUNT] = {0};
    struct network_traffic after[NETWORK_TYPES_COUNT] = {0};
    struct net_world *world = net_world_new(3);
    world->is_crowded = true;
    net_fill(world, 4);
    net_run(world, 20000);
    add_traffic(world, 4, before);
    for (size_t i = 0; i < 8; i++) {
        net_mine(&world->nodes[i % 4], i % 4 == 3);
        net_run(world, 1000);
    }
    add_traffic(world, 4, after);
    for (size_t i = 0; i < NETWORK_TYPES_COUNT; i++) {
        assert_int_equal(after[i].messages_sent - before[i].messages_sent,
                         after[i].messages_received - before[i].messages_received);
        assert_int_equal(after[i].bytes_sent - before[i].bytes_sent,
                         after[i].bytes_received - before[i].bytes_received);
    }
    // Own shares go to all three others; some are passed on before they are known to be there.
    const size_t share = PEER_SHARE - PEER_HELLO;
    assert_in_range(after[share].messages_sent - before[share].messages_sent, 6 * 3, 6 * 3 * 3);
    assert_true(after[share].bytes_sent - before[share].bytes_sent >= 6 * 3 * CHAIN_HEADER_SIZE);
    net_world_free(world);
}

static void peers_are_told_the_tip_but_not_too_often(void **state)
{
    (void)state;
    struct net_world *world = net_world_new(4);
    world->is_crowded = true;
    net_fill(world, 2);
    net_run(world, 20000);
    struct net_attacker *peer = net_attack(&world->nodes[0], NULL, NULL);
    net_attacker_hello(peer, NULL);
    net_run(world, 11000);
    unsigned before = peer->messages[PEER_HELLO];
    assert_int_equal(before, 1);
    for (size_t i = 0; i < 40; i++) {
        net_mine(&world->nodes[0], true);
        net_run(world, 1000);
    }
    assert_in_range(peer->messages[PEER_HELLO] - before, 4, 5);
    net_world_free(world);
}

// Forty nodes in as many networks.
static struct net_world *large_world(uint64_t seed, size_t count)
{
    struct net_world *world = net_world_new(seed);
    struct net_node *first = net_add(world);
    first->config.public_ipv4 = first->endpoint;
    net_start(first);
    net_run(world, 100);
    net_fill(world, count - 1);
    return world;
}

static void address_is_learned_by_votes_and_a_call_back(void **state)
{
    (void)state;
    struct net_world *world = large_world(5, 12);
    struct net_node *hidden = net_add(world);
    hidden->is_closed_in = true;
    net_start(hidden);
    net_run(world, 120000);
    for (size_t i = 1; i < 12; i++) {
        struct net_node *node = &world->nodes[i];
        assert_true(node->was_reachable);
        assert_true(endpoint_equal(&node->learned, &node->endpoint));
        assert_true(is_found_at_home(node));
    }
    // What nobody can call is not in the record, though all agree on the address.
    assert_true(endpoint_equal(&hidden->learned, &hidden->endpoint));
    assert_false(hidden->was_reachable);
    assert_false(stats_of(hidden).is_reachable);
    assert_true(hidden->peers >= 3);
    assert_int_equal(stats_of(hidden).inbound, 0);
    net_world_free(world);
}

static void word_of_who_calls_back_is_not_enough(void **state)
{
    (void)state;
    struct net_world *world = large_world(22, 10);
    struct net_node *hidden = net_add(world);
    hidden->is_closed_in = true;
    hidden->is_said_open = true;
    net_start(hidden);
    net_run(world, 600000);
    assert_true(hidden->peers >= 3);
    assert_false(stats_of(hidden).is_reachable);
    net_world_free(world);
}

static void address_that_is_lost_leaves_the_record(void **state)
{
    (void)state;
    struct net_world *world = large_world(6, 10);
    net_run(world, 150000);
    struct net_node *node = &world->nodes[5];
    assert_true(stats_of(node).is_reachable);
    node->is_closed_in = true;
    net_run(world, 5400000);
    assert_false(stats_of(node).is_reachable);
    assert_false(node->was_reachable);
    node->is_closed_in = false;
    net_run(world, 7200000);
    assert_true(stats_of(node).is_reachable);
    assert_true(node->was_reachable);
    net_world_free(world);
}

static void node_without_a_port_announces_nothing(void **state)
{
    (void)state;
    struct net_world *world = large_world(7, 8);
    struct net_node *node = net_add(world);
    node->config.port = 0;
    net_start(node);
    net_run(world, 150000);
    assert_false(stats_of(node).is_reachable);
    assert_int_equal(node->learned_ms, 0);
    assert_true(node->peers >= 3);
    assert_int_equal(network_accepted(node->network, &world->nodes[1].endpoint, world->now), 0);
    net_world_free(world);
}

static void many_nodes_are_one_network(void **state)
{
    (void)state;
    struct net_world *world = large_world(8, 40);
    net_run(world, 180000);
    size_t peers = 0;
    for (size_t i = 0; i < 40; i++) {
        assert_in_range(world->nodes[i].peers, 4, 72);
        peers += world->nodes[i].peers;
    }
    print_message("%u.%u peers on average\n", (unsigned)(peers / 40), (unsigned)(peers % 40 / 4));
    struct hash256 id = net_mine(&world->nodes[17], true);
    net_run(world, 600);
    assert_int_equal(net_count_having(world, &id), 40);
    net_world_free(world);
}

static void duplicate_links_become_one(void **state)
{
    (void)state;
    struct net_world *world = net_world_new(9);
    world->is_crowded = true;
    for (size_t i = 0; i < 2; i++) {
        struct net_node *node = net_add(world);
        node->config.public_ipv4 = node->endpoint;
    }
    net_start(&world->nodes[0]);
    net_start(&world->nodes[1]);
    net_run(world, 30000);
    assert_int_equal(net_links_between(&world->nodes[0], &world->nodes[1]), 1);
    assert_int_equal(net_links_between(&world->nodes[1], &world->nodes[0]), 1);
    assert_int_equal(world->nodes[0].peers, 1);
    // Both had called.
    assert_true(stats_of(&world->nodes[0]).dialled >= 1);
    assert_true(stats_of(&world->nodes[1]).dialled >= 1);
    net_world_free(world);
}

static void restart_needs_no_seed(void **state)
{
    (void)state;
    struct net_world *world = large_world(10, 12);
    net_run(world, 120000);
    struct net_node *node = &world->nodes[7];
    net_stop(node);
    assert_int_equal(node->saves, 1);
    net_kill(&world->nodes[0]); // the seed
    net_run(world, 300000);
    node->config.saved = node->saved;
    node->config.saved_size = node->saved_size;
    int64_t start_ms = world->now.mono.ms;
    node->opened = 0;
    net_start(node);
    net_run(world, 5000);
    assert_true(node->peers >= 1);
    print_message("first peer %u ms after a restart\n", (unsigned)(node->opened_ms - start_ms));
    net_world_free(world);
}

static void who_is_stopped_calls_nobody(void **state)
{
    (void)state;
    struct net_world *world = net_world_new(23);
    world->is_crowded = true;
    net_fill(world, 4);
    net_run(world, 120000);
    for (size_t i = 0; i < 4; i++) {
        struct net_node *node = &world->nodes[i];
        uint64_t dialled = stats_of(node).dialled;
        assert_int_equal(node->peers, 3);
        network_stop(node->network, world->now);
        assert_int_equal(stats_of(node).dialled, dialled);
        assert_int_equal(node->peers, 0);
        net_kill(node);
    }
    net_world_free(world);
}

static void damaged_save_is_left_out(void **state)
{
    (void)state;
    struct net_world *world = large_world(11, 6);
    net_run(world, 150000);
    struct net_node *node = &world->nodes[3];
    net_stop(node);
    assert_true(node->saved_size > 1000);
    for (size_t at = 0; at < node->saved_size; at += node->saved_size / 7) {
        node->saved[at] ^= 1;
        node->config.saved = node->saved;
        node->config.saved_size = node->saved_size;
        net_start(node);
        assert_int_equal(stats_of(node).book, 0);
        node->saved[at] ^= 1;
        net_kill(node);
    }
    node->config.saved = node->saved;
    node->config.saved_size = node->saved_size;
    net_start(node);
    assert_true(stats_of(node).book >= 3);
    net_world_free(world);
}

static void saves_every_five_minutes(void **state)
{
    (void)state;
    struct net_world *world = large_world(12, 3);
    net_run(world, 1000000);
    assert_int_equal(world->nodes[1].saves, 3);
    net_world_free(world);
}

static void lonely_node_says_so_again_and_again(void **state)
{
    (void)state;
    struct net_world *world = net_world_new(13);
    struct net_node *node = net_add(world);
    net_start(node);
    net_run(world, 119000);
    assert_int_equal(node->alone, 0);
    net_run(world, 2000);
    assert_int_equal(node->alone, 1);
    net_run(world, 240000);
    assert_int_equal(node->alone, 3);
    net_world_free(world);
}

static void partition_heals(void **state)
{
    (void)state;
    struct net_world *world = net_world_new(14);
    world->is_crowded = true;
    net_fill(world, 5);
    net_run(world, 20000);
    for (size_t i = 0; i < 5; i++)
        world->nodes[i].side = i < 2;
    net_run(world, 120000);
    struct hash256 small = net_mine(&world->nodes[0], true);
    struct hash256 large = net_mine(&world->nodes[4], true);
    net_run(world, 200);
    net_mine(&world->nodes[3], true);
    net_run(world, 2000);
    assert_int_equal(net_count_having(world, &small), 2);
    assert_int_equal(net_count_having(world, &large), 3);
    for (size_t i = 0; i < 5; i++)
        world->nodes[i].side = 0;
    net_run(world, 60000);
    struct hash256 late = net_mine(&world->nodes[1], false);
    net_run(world, 2000);
    assert_int_equal(net_count_having(world, &late), 5);
    for (size_t i = 0; i < 5; i++) {
        assert_true(hash_equal(&world->nodes[i].chain.tip.id, &world->nodes[4].chain.tip.id));
        assert_int_equal(world->nodes[i].peers, 4);
        // The DHT is one again, too: links mend it.
        assert_int_equal(stats_of(&world->nodes[i]).dht.nodes_ipv4, 4);
    }
    net_world_free(world);
}

static void who_is_synced(void **state)
{
    (void)state;
    struct net_world *world = net_world_new(15);
    world->is_crowded = true;
    struct net_node *found = net_add(world);
    struct net_node *other = net_add(world);
    found->config.is_found = true;
    net_start(found);
    net_run(world, 1000);
    assert_true(network_is_synced(found->network));
    for (size_t i = 0; i < 100; i++)
        net_mine(found, true);
    // Without anybody it cannot know.
    other->side = 1;
    net_start(other);
    net_run(world, 300000);
    assert_int_equal(other->alone, 2);
    assert_false(network_is_synced(other->network));
    other->side = 0;
    net_run(world, 60000);
    assert_int_equal(other->chain.tip.height, 100);
    assert_int_equal(other->phase, SYNC_DONE);
    assert_true(network_is_synced(other->network));
    // To lose all peers afterwards stops nobody.
    net_stop(found);
    net_run(world, 300000);
    assert_int_equal(other->peers, 0);
    assert_true(other->alone >= 3);
    assert_true(network_is_synced(other->network));
    net_world_free(world);
}

static void far_behind_is_not_synced(void **state)
{
    (void)state;
    struct net_world *world = net_world_new(16);
    world->is_crowded = true;
    net_fill(world, 2);
    net_run(world, 20000);
    struct net_node *node = &world->nodes[1];
    assert_true(network_is_synced(node->network));
    // Cut off, the other goes on by far more than 20 links.
    node->side = 1;
    net_run(world, 120000);
    for (size_t i = 0; i < 3000; i++)
        net_mine(&world->nodes[0], true);
    bool was_behind = false;
    node->side = 0;
    for (unsigned i = 0; i < 6000 && node->chain.tip.height < 3000; i++) {
        net_run(world, 10);
        was_behind = was_behind || !network_is_synced(node->network);
    }
    assert_true(was_behind);
    assert_int_equal(node->chain.tip.height, 3000);
    net_run(world, 1000);
    assert_true(network_is_synced(node->network));
    net_world_free(world);
}

static void idle_peer_is_cheap(void **state)
{
    (void)state;
    struct net_world *world = large_world(17, 2);
    struct net_node *node = &world->nodes[0];
    net_run(world, 20000);
    size_t before = stats_of(node).memory;
    for (size_t i = 0; i < 40; i++) {
        struct net_attacker *peer = net_attack(node, NULL, NULL);
        net_attacker_hello(peer, NULL);
        assert_true(peer->is_open);
        net_run(world, 1000);
    }
    assert_int_equal(stats_of(node).inbound, 41);
    size_t each = (stats_of(node).memory - before) / 40;
    print_message("idle peer: %u bytes\n", (unsigned)each);
    assert_in_range(each, 500, 24 << 10);
    net_world_free(world);
}

static void proven_work_is_seen(void **state)
{
    (void)state;
    struct net_world *world = large_world(18, 2);
    struct net_node *a = &world->nodes[0];
    struct net_node *b = &world->nodes[1];
    struct network_peer_view view;
    uint32_t cursor = 0;
    uint8_t salt[RECORD_SALT_SIZE] = {1};
    net_run(world, 20000);
    assert_true(network_next_peer(a->network, &cursor, &view));
    assert_false(view.peer.has_work);
    net_stop(b);
    memset(a->chain.working.bytes, 7, sizeof a->chain.working.bytes);
    b->config.saved = b->saved;
    b->config.saved_size = b->saved_size;
    net_start(b);
    network_set_work(b->network, &a->chain.working, salt, world->now);
    net_run(world, 60000);
    cursor = 0;
    assert_true(network_next_peer(a->network, &cursor, &view));
    assert_true(view.is_open);
    assert_true(view.peer.has_work);
    net_world_free(world);
}

// Records that all keep for each other.
static size_t records_kept(bool are_entry_points)
{
    struct net_world *world = net_world_new(19);
    struct hash256 block = seeded_hash(&world->seeded);
    size_t kept = 0;
    for (size_t i = 0; i < 8; i++) {
        struct net_node *node = net_add(world);
        node->config.public_ipv4 = node->endpoint;
        node->config.is_entry_point = are_entry_points;
        net_start(node);
        network_set_topic_block(node->network, &block);
        net_run(world, 100);
    }
    net_run(world, 60000);
    for (size_t i = 0; i < 8; i++)
        kept += stats_of(&world->nodes[i]).dht.records;
    net_world_free(world);
    return kept;
}

static void entry_points_publish_under_topic_keys(void **state)
{
    (void)state;
    size_t own = records_kept(false);
    size_t all = records_kept(true);
    print_message("%u records, %u of entry points\n", (unsigned)own, (unsigned)all);
    assert_in_range(own, 8, 8 * 8);
    assert_in_range(all, 4 * own, 5 * 8 * 8);
}

static uint64_t trace_of(uint64_t seed)
{
    struct net_world *world = net_world_new(seed);
    world->is_crowded = true;
    net_fill(world, 4);
    net_run(world, 20000);
    net_mine(&world->nodes[1], true);
    net_run(world, 5000);
    net_kill(&world->nodes[2]);
    net_run(world, 60000);
    uint64_t trace = world->trace;
    net_world_free(world);
    return trace;
}

static void same_seed_gives_the_same_trace(void **state)
{
    (void)state;
    assert_true(trace_of(20) == trace_of(20));
    assert_true(trace_of(20) != trace_of(21));
}

static void ban_by_the_operator_ends_the_link_until_it_is_taken_away(void **state)
{
    (void)state;
    struct net_world *world = net_world_new(2);
    net_fill(world, 2);
    net_run(world, 120000);
    struct net_node *a = &world->nodes[0];
    struct net_node *b = &world->nodes[1];
    assert_int_equal(a->peers, 1);
    assert_int_equal(network_ban(a->network, &b->endpoint.address, 3600000, world->now), 1);
    assert_int_equal(network_ban(a->network, &b->endpoint.address, 3600000, world->now), 0);
    net_run(world, 60000);
    assert_int_equal(a->peers + b->peers, 0);
    assert_true(peers_unban(network_peers(a->network), &b->endpoint.address));
    assert_false(peers_is_banned(network_peers(a->network), &b->endpoint.address, world->now));
    net_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_nodes_meet_through_a_seed),
        cmocka_unit_test(nodes_of_one_machine_need_no_more_than_a_seed),
        cmocka_unit_test(all_see_a_share),
        cmocka_unit_test(what_one_sends_another_receives_by_type),
        cmocka_unit_test(peers_are_told_the_tip_but_not_too_often),
        cmocka_unit_test(address_is_learned_by_votes_and_a_call_back),
        cmocka_unit_test(word_of_who_calls_back_is_not_enough),
        cmocka_unit_test(address_that_is_lost_leaves_the_record),
        cmocka_unit_test(node_without_a_port_announces_nothing),
        cmocka_unit_test(many_nodes_are_one_network),
        cmocka_unit_test(duplicate_links_become_one),
        cmocka_unit_test(restart_needs_no_seed),
        cmocka_unit_test(who_is_stopped_calls_nobody),
        cmocka_unit_test(damaged_save_is_left_out),
        cmocka_unit_test(saves_every_five_minutes),
        cmocka_unit_test(lonely_node_says_so_again_and_again),
        cmocka_unit_test(partition_heals),
        cmocka_unit_test(who_is_synced),
        cmocka_unit_test(far_behind_is_not_synced),
        cmocka_unit_test(idle_peer_is_cheap),
        cmocka_unit_test(proven_work_is_seen),
        cmocka_unit_test(entry_points_publish_under_topic_keys),
        cmocka_unit_test(ban_by_the_operator_ends_the_link_until_it_is_taken_away),
        cmocka_unit_test(same_seed_gives_the_same_trace),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
