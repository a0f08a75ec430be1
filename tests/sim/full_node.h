// Hosts that run all that a node runs but its miners and daemon: the network engine, the real
// share-chain over a store in memory, and what joins the two (node/chain_port.h). Scenarios mine on
// them; block headers reach each as from a daemon of its own.
#ifndef SHOAL_TESTS_SIM_FULL_NODE_H
#define SHOAL_TESTS_SIM_FULL_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/chain_port.h"
#include "sharechain/sharechain.h"
#include "tests/sim/swarm.h"
#include "tests/support/share_maker.h"

#define FULL_HEADERS_MAX 1024
#define FULL_MADE_MAX    16384
#define FULL_WARM_LINKS  40 // links that come fast, until they are harder than grains

struct full_net;

struct full_node {
    struct full_net *net;
    struct swarm_node *swarm_node;
    struct store *store;
    struct sharechain *chain; // NULL: down
    struct chain_port *port;
    struct network_chain table;
    // Of a hostile one, after the table was filled in; NULL: honest.
    void (*twist)(struct full_node *node, struct network_chain *table);
    struct network_chain honest; // what `twist` has put something else in place of
};

// A share that was mined in this world.
struct made {
    struct hash256 id;
    bool is_link;
    unsigned side; // the partition it was made in
};

struct full_net {
    struct swarm swarm;
    struct pool pool;
    struct full_node **nodes;
    size_t count;
    size_t capacity;
    uint8_t headers[FULL_HEADERS_MAX][HEADER_SIZE];
    size_t headers_count;
    struct made *made;
    size_t made_count;
};

// A pool with this spacing of links, where windows and horizon are short.
void full_net_init(struct full_net *net, struct world *world, uint32_t link_spacing);
void full_net_clear(struct full_net *net);

struct full_node *full_net_add(struct full_net *net, const struct host_options *options);
// Its chain alone, for nodes that are fed by the scenario.
void full_node_open(struct full_node *node);
void full_node_start(struct full_node *node);
// Its store and what the network saved stay.
void full_node_stop(struct full_node *node);
// Adds and starts honest nodes until there are `count`.
void full_net_fill(struct full_net *net, size_t count);

// A share of a miner of this node; false if none could be made.
bool full_node_mine(struct full_node *node, enum maker_want want);
// A block is found on the best header of this node; all hear of it from their daemons.
void full_net_block(struct full_net *net, struct full_node *node);
// For so long links come at the pool's spacing, by chance, with grains between them, each at a node
// chosen at random that is up and synced.
void full_net_run(struct full_net *net, int64_t ms, unsigned grains_per_link);
// The same, twenty times as fast, to begin with.
void full_net_warm_up(struct full_net *net);

// Honest nodes that are up and have this node's tip.
size_t full_net_agreeing(const struct full_net *net, const struct full_node *with);
// Of links, credits, window and uncredited shares.
struct hash256 full_chain_state(struct sharechain *chain);
// Of the weights of the window that the next shares are paid by.
struct hash256 full_window_state(struct sharechain *chain);

#endif
