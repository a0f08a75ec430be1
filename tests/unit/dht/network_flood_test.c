#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>
#include "dht/half_open.h"
#include "dht/peer_message.h"
#include "tests/unit/dht/network_fixture.h"

static void flood_of_messages_is_bounded(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(7);
    struct net_node *node = &world->nodes[0];
    struct net_attacker *attacker = greeted(node);
    unsigned sent = 0;
    while (!attacker->is_closed && sent < 100000) {
        net_attacker_send(attacker, UNKNOWN_TYPE, "", 0);
        if (++sent % 100 == 0)
            net_run(world, 1); // 100 000 a second
    }
    print_message("banned after %u messages\n", sent);
    assert_in_range(sent, 400, 5000);
    assert_int_equal(node->banned, 1);
    assert_string_equal(node->reason, "it sends too much");
    net_world_free(world);
}

static void busy_peer_is_no_flood(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(8);
    struct net_attacker *attacker = greeted(&world->nodes[0]);
    for (unsigned i = 0; i < 10000; i++) {
        net_attacker_send(attacker, UNKNOWN_TYPE, "", 0);
        net_run(world, 5); // 200 a second
    }
    assert_false(attacker->is_closed);
    net_world_free(world);
}

static void flood_of_shares_is_judged_in_part(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(9);
    struct net_node *node = &world->nodes[0];
    struct net_attacker *attacker = greeted(node);
    uint8_t bytes[PLAIN_SHARE_SIZE];
    const struct peer_message share = {.type = PEER_SHARE, .share = {bytes, sizeof bytes}};
    for (uint32_t i = 0; i < 3000 && !attacker->is_closed; i++) {
        plain_share_make(bytes, false, 1, &node->chain.pool_id, i);
        net_attacker_say(attacker, &share);
    }
    print_message("%u shares judged\n", (unsigned)node->chain.judged);
    assert_in_range(node->chain.judged, 900, 1100);
    assert_true(attacker->is_closed);
    assert_int_equal(node->banned, 1);
    net_world_free(world);
}

static void flood_of_records_is_bounded(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(17);
    struct net_node *node = &world->nodes[0];
    static const struct peer_message peers = {.type = PEER_PEERS};
    struct net_attacker *attacker = greeted(node);
    unsigned sent = 0;
    for (; !attacker->is_closed && sent < 100; sent++)
        net_attacker_say(attacker, &peers);
    assert_in_range(sent, 3, 14);
    net_world_free(world);
}

static void silent_connections_cost_little_and_end(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(11);
    struct net_node *node = &world->nodes[0];
    unsigned accepted = 0;
    size_t before = stats_of(node).memory;
    for (unsigned i = 0; i < 600; i++) {
        uint8_t ipv4[4] = {40, (uint8_t)(i / 100), (uint8_t)(i % 20), (uint8_t)(i % 100)};
        struct endpoint from = {address_ipv4(ipv4), (uint16_t)(1000 + i)};
        accepted += network_accepted(node->network, &from, world->now) != 0;
        net_run(world, 5);
    }
    assert_in_range(accepted, 100, HALF_OPEN_MAX);
    assert_int_equal(stats_of(node).half_open, accepted);
    print_message("%u silent connections: %u bytes each\n", accepted,
                  (unsigned)((stats_of(node).memory - before) / accepted));
    assert_true(stats_of(node).memory - before < accepted * (size_t)4096);
    net_run(world, 7000);
    assert_int_equal(stats_of(node).half_open, 0);
    assert_true(stats_of(node).memory <= before);
    net_world_free(world);
}

static void strangers_at_one_address_are_few_but_in_crowded_pools(void **state)
{
    (void)state;
    for (unsigned is_crowded = 0; is_crowded < 2; is_crowded++) {
        struct net_world *world = net_world_new(23);
        unsigned accepted = 0;
        world->is_crowded = is_crowded;
        struct net_node *node = net_add(world);
        net_start(node);
        for (unsigned i = 0; i < 30; i++) {
            struct endpoint from = {node->endpoint.address, (uint16_t)(2000 + i)};
            accepted += network_accepted(node->network, &from, world->now) != 0;
        }
        assert_int_equal(accepted, is_crowded ? 30 : HALF_OPEN_GROUP_MAX);
        net_run(world, 7000);
        assert_int_equal(stats_of(node).half_open, 0);
        net_world_free(world);
    }
}

static void byte_a_second_ends_in_silence(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(13);
    struct net_node *node = &world->nodes[0];
    struct net_attacker *attacker = greeted(node);
    static uint8_t large[FRAME_PAYLOAD_MAX];
    struct buffer frame;
    buffer_init(&frame, 1u << 16);
    link_send(attacker->link, LINK_LANE_URGENT, UNKNOWN_TYPE, large, sizeof large);
    link_pull(attacker->link, &frame, 1, world->now);
    size_t before = stats_of(node).memory;
    unsigned seconds = 0;
    for (; !attacker->is_closed && seconds < 200; seconds++) {
        net_attacker_write(attacker, frame.data + seconds, 1);
        net_run(world, 1000);
        assert_true(stats_of(node).memory < before + (40u << 10));
    }
    buffer_clear(&frame);
    assert_in_range(seconds, 60, 125);
    assert_string_equal(node->reason, link_close_text(LINK_CLOSE_SILENT));
    net_world_free(world);
}

// While one peer does its worst, shares of the others take no longer.
static void attack_does_not_delay_others(void **state)
{
    (void)state;
    struct net_world *world = net_world_new(22);
    world->is_crowded = true;
    net_fill(world, 4);
    net_run(world, 20000);
    struct net_node *victim = &world->nodes[1];
    struct net_attacker *attacker = greeted(victim);
    static uint8_t garbage[3000];
    for (unsigned i = 0; i < 20; i++) {
        for (unsigned k = 0; k < 100 && !attacker->is_closed; k++)
            net_attacker_send(attacker, UNKNOWN_TYPE, garbage, sizeof garbage);
        if (attacker->is_closed)
            attacker = net_attack(victim, NULL, NULL);
        struct hash256 id = net_mine(&world->nodes[i % 4], false);
        net_run(world, 200);
        assert_int_equal(net_count_having(world, &id), 4);
    }
    assert_true(victim->peers >= 3);
    net_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flood_of_messages_is_bounded),
        cmocka_unit_test(busy_peer_is_no_flood),
        cmocka_unit_test(flood_of_shares_is_judged_in_part),
        cmocka_unit_test(flood_of_records_is_bounded),
        cmocka_unit_test(silent_connections_cost_little_and_end),
        cmocka_unit_test(strangers_at_one_address_are_few_but_in_crowded_pools),
        cmocka_unit_test(byte_a_second_ends_in_silence),
        cmocka_unit_test(attack_does_not_delay_others),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
