// Nodes without a network: a share-chain with its port each, one fed from another through the table
// of dht/chain.h alone, as sync would.
#ifndef SHOAL_TESTS_UNIT_NODE_CHAIN_PORT_FIXTURE_H
#define SHOAL_TESTS_UNIT_NODE_CHAIN_PORT_FIXTURE_H

#include "node/chain_port.h"
#include "tests/support/share_maker.h"

struct port_node {
    struct maker_random random;
    struct env env;
    const struct pool *pool;
    struct store *store;
    struct sharechain *chain;
    struct chain_port *port;
    struct network_chain table;
    size_t told_shares; // without a body
    size_t told_links;  // with one
    size_t told_own;
    size_t tip_changes;
};

// A devchain pool where a link a second makes links twice as hard in two of them. Windows hold some
// 1500 of the easiest links, or 30 of those after 12 that came so fast.
void port_pool(struct pool *pool);
void port_node_open(struct port_node *node, const struct pool *pool, uint64_t seed);
void port_node_close(struct port_node *node);
// Ends it and starts it again on its store.
void port_node_restart(struct port_node *node);

// What a node's miners do.
struct port_growth {
    uint32_t links;
    uint32_t grains;      // before each link
    uint32_t seconds;     // between two links
    uint32_t block_links; // a block every so many links; 0: none
    uint32_t scripts;     // miners
    uint32_t teams;       // that they mine for, now this one, now that one, now none
};
// Mines at *clock_s, which goes on.
void port_node_grow(struct port_node *node, const struct port_growth *growth, int64_t *clock_s);
// The clocks at this second.
struct now port_now(int64_t seconds);

struct port_sync {
    struct port_node *from;
    struct port_node *to;
    uint32_t source; // the number that `to` knows `from` by
    int64_t clock_s;
    uint32_t links_max; // ends after so many links; 0: all
    // Told each share before it is given; may alter it. NULL: none.
    void (*meddle)(void *context, uint8_t *share, size_t size);
    void *context;
};
void port_sync_headers(const struct port_sync *sync);
// Follows skeletons to the end; the proof, to be freed with proof_free.
struct chain_proof *port_sync_prove(const struct port_sync *sync, struct chain_proof_state *state);
// The whole of it. False if the proven chain was not to be followed.
bool port_sync_run(const struct port_sync *sync);

// Tip, its window, the credits of each link in it, their weights, payout of the tip's share: equal.
void port_assert_equal(struct port_node *a, struct port_node *b);

#endif
