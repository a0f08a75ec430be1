// A small network of DHT engines in memory, under a virtual clock: seeded, so that every run is the
// same. Datagrams take 10 to 110 ms, each pair of nodes its own time; nodes can die, be deaf to
// those they did not ask, or lie. For unit tests: no regions, no bandwidth.
#ifndef SHOAL_TESTS_SUPPORT_DHT_WORLD_H
#define SHOAL_TESTS_SUPPORT_DHT_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/dht.h"
#include "tests/unit/sharechain/seeded.h"

#define WORLD_NODES_MAX 400

struct dht_world;

struct world_node {
    struct dht_world *world;
    size_t index;
    struct identity identity;
    struct endpoint endpoint;
    struct dht *dht;         // NULL: dead, or a liar
    bool is_liar;            // answers, and names only liars
    struct world_node *robs; // a liar that shows the record of this node as its own
    bool is_deaf;            // behind a NAT: hears only whom it has asked
    int64_t deadline_ms;
    int64_t joined_ms; // 0: not yet
    uint64_t sent;
    uint64_t sent_bytes;
    uint64_t received;
    // The last search that ended:
    uint64_t search;
    struct contact contacts[16];
    size_t contacts_count;
    struct node_record records[DHT_RECORDS_MAX];
    size_t records_count;
    size_t kept;
    int64_t searched_ms;
    struct endpoint told; // our endpoint as others see it
    uint64_t dial_ticket; // asked of us
    struct endpoint dial_to;
    bool is_dialled_back;
    bool was_reachable;
    uint8_t asked[WORLD_NODES_MAX / 8]; // whom it sent something to
};

struct datagram_in_flight;

struct dht_world {
    struct seeded seeded;
    struct env env;
    struct membership membership;
    struct now now;
    unsigned loss_percent;
    size_t records_max;
    struct world_node nodes[WORLD_NODES_MAX];
    size_t nodes_count;
    struct datagram_in_flight *flights; // a heap, the next first
    size_t flights_count;
    size_t flights_capacity;
    uint64_t flights_made;
    uint64_t trace; // changes with every datagram that arrives
    size_t liars[WORLD_NODES_MAX];
    size_t liars_count;
    // What left a node for an address outside the world:
    uint8_t stray[1200];
    size_t stray_size;
    size_t stray_count;
};

struct dht_world *world_new(uint64_t seed);
void world_free(struct dht_world *world);
// A node that can be reached, with an engine that knows node 0 as its seed and is started.
struct world_node *world_add(struct dht_world *world);
// The same, not started, and knowing no seed.
struct world_node *world_add_idle(struct dht_world *world);
// Another engine in place of the node's, with the same identity; not started, knows no seed.
void world_restart(struct world_node *node);
struct world_node *world_add_liar(struct dht_world *world);
void world_kill(struct world_node *node);
void world_run(struct dht_world *world, int64_t ms);
// Adds nodes, one every 100 ms, and runs until all have joined.
void world_fill(struct dht_world *world, size_t count);
// A datagram from any endpoint arrives at a node now.
void world_inject(struct world_node *node, const struct endpoint *from, const void *data,
                  size_t size);
// Runs until the search ended, at most a minute; whether it did.
bool world_wait(struct world_node *node, uint64_t search);
// The living node, liars aside, nearest to a key.
const struct world_node *world_nearest(const struct dht_world *world, const struct hash256 *key);

#endif
