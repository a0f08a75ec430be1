// Nodes for the tests of sync: each has a toy chain, a sync engine and answers requests out of its
// table, which a test may falsify. Messages go encoded from one to the other and take their time on
// a virtual clock. Peers are numbered 1 + the node's number.
#ifndef SHOAL_TESTS_UNIT_DHT_SYNC_WORLD_H
#define SHOAL_TESTS_UNIT_DHT_SYNC_WORLD_H

#include "dht/serve.h"
#include "dht/sync.h"
#include "tests/unit/dht/sync_toy.h"

#define WORLD_NODES_MAX 12
#define WORLD_START_MS  5000

struct world_message {
    struct world_message *next;
    int64_t at_ms;
    size_t from, to;
    uint8_t type;
    size_t size;
    uint8_t bytes[];
};

struct world;

struct world_node {
    struct world *world;
    size_t number;
    struct toy_chain toy;
    struct network_chain served; // what it answers from
    struct sync *sync;           // NULL: it only answers
    bool is_linked[WORLD_NODES_MAX];
    struct chain_tip claim; // what it says in HELLO; its tip, at first
    int64_t latency_ms;
    uint32_t bytes_ms;     // of its up-link; 0: no limit
    int64_t busy_until_ms; // its up-link is
    int answers_left;      // then it is silent; -1: no end
    bool is_full;          // its link to others takes nothing
    unsigned requests[PEER_TYPES_END - PEER_HELLO];
    unsigned requests_of[WORLD_NODES_MAX]; // of other nodes
    // What its engine said
    unsigned faults[4];
    unsigned faults_of[WORLD_NODES_MAX];
    enum sync_fault last_fault;
    enum sync_phase phase;
    unsigned phase_changes;
    bool was_fetching;
    size_t memory_max;
    int64_t done_ms;
    size_t passed_on; // for tests that count it
};

struct world {
    struct world_node nodes[WORLD_NODES_MAX];
    size_t count;
    int64_t ms;
    struct world_message *messages; // in the order in which they arrive
    uint64_t steps;
};

struct world *world_new(size_t count);
void world_free(struct world *world);
// Gives a node its engine.
void world_add_sync(struct world *world, size_t number);
// Both become peers, and greet each other.
void world_link(struct world *world, size_t a, size_t b);
void world_unlink(struct world *world, size_t a, size_t b);
// Says its claim to all peers; world_tell after setting the claim to its tip.
void world_hello(struct world *world, size_t number);
void world_tell(struct world *world, size_t number);
// A message by hand.
void world_send(struct world *world, size_t from, size_t to, const struct peer_message *message);
struct now world_now(const struct world *world);
// Until nothing is under way and no deadline comes within ms, or ms are over.
void world_run(struct world *world, int64_t ms);
// Until the node is in this phase; false if it is not within ms.
bool world_run_until(struct world *world, size_t number, enum sync_phase phase, int64_t ms);
bool world_same_tip(const struct world *world, size_t a, size_t b);

#endif
