// A node with nobody near it, for what attackers do to it.
#ifndef SHOAL_TESTS_UNIT_DHT_NETWORK_FIXTURE_H
#define SHOAL_TESTS_UNIT_DHT_NETWORK_FIXTURE_H

#include "tests/support/network_world.h"

#define UNKNOWN_TYPE 200

static inline struct network_stats stats_of(const struct net_node *node)
{
    struct network_stats stats;
    network_stats(node->network, &stats);
    return stats;
}

// Node 0, with nobody near it.
static inline struct net_world *lonely_world(uint64_t seed)
{
    struct net_world *world = net_world_new(seed);
    struct net_node *node = net_add(world);
    node->config.public_ipv4 = node->endpoint;
    net_start(node);
    net_run(world, 1000);
    return world;
}

static inline struct net_attacker *greeted(struct net_node *victim)
{
    struct net_attacker *attacker = net_attack(victim, NULL, NULL);
    net_attacker_hello(attacker, NULL);
    assert_true(attacker->is_open);
    assert_false(attacker->is_closed);
    return attacker;
}

#endif
