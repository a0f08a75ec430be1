// Hosts that run the whole network engine. What chain they follow is the scenario's: a toy of
// toy_chain.h in networks of thousands, or the real one (full_node.h).
#ifndef SHOAL_TESTS_SIM_SWARM_H
#define SHOAL_TESTS_SIM_SWARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/network.h"
#include "tests/sim/world.h"

#define SWARM_SEEDS 4

struct swarm;

struct swarm_node {
    struct swarm *swarm;
    struct host *host;
    struct identity identity;
    const struct network_chain *chain; // given before swarm_node_start
    void *owner;                       // of the scenario
    struct network *network;           // NULL: down
    struct buffer saved;               // the last save
    int64_t started_us;
    int64_t met_us; // when the first peer was there; -1: not yet
    size_t peers;   // open now
    uint64_t closed;
    uint64_t banned; // peers that it banned
    bool is_hostile;
    const struct swarm_node *seed; // the only one it knows, or NULL
    bool is_learning;              // its address is not given, it must be learned
};

struct swarm {
    struct world *world;
    struct membership membership;
    struct swarm_node **nodes;
    size_t count;
    size_t capacity;
    // Drives what else a node has to do, and when; NULL: nothing. After each tick.
    void (*tick)(struct swarm_node *node, struct now now);
    struct mono_time (*next_deadline)(const struct swarm_node *node);
};

void swarm_init(struct swarm *swarm, struct world *world, const struct hash256 *pool_id);
void swarm_clear(struct swarm *swarm);

// Down yet, without a chain.
struct swarm_node *swarm_add(struct swarm *swarm, const struct host_options *options);
// Knows the first nodes as seeds, and what it saved.
void swarm_node_start(struct swarm_node *node);
void swarm_node_stop(struct swarm_node *node, enum host_stop how);
// An honest one that is up, chosen at random.
struct swarm_node *swarm_pick(struct swarm *swarm);
// Nodes that are up, honest, and have at least so many peers.
size_t swarm_count(const struct swarm *swarm, size_t peers);

#endif
