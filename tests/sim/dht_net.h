// Hosts that run a DHT engine and nothing else: for look-ups, joins and records in networks of ten
// thousand nodes. Some may be liars: they prove who they are, name only each other, keep nothing
// and give nothing back.
#ifndef SHOAL_TESTS_SIM_DHT_NET_H
#define SHOAL_TESTS_SIM_DHT_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/dht.h"
#include "tests/sim/world.h"

#define DHT_NET_SEEDS 4

struct dht_net;

// The last search of a node that ended, or none: is_done is false.
struct dht_outcome {
    bool is_done;
    uint64_t search;
    int64_t ended_us;
    struct node_id nearest; // that answered
    size_t contacts_count;
    size_t records_count;
    struct node_record record; // the newest, or the first
    size_t kept;
    unsigned hops;
    uint32_t nearest_ms;
    size_t queries;
};

struct dht_node {
    struct dht_net *net;
    struct host *host;
    struct identity identity;
    struct dht *dht; // NULL: down, or a liar
    bool is_liar;
    bool is_asked; // takes part in what a scenario measures
    int64_t started_us;
    int64_t joined_us;  // -1: not yet
    uint64_t join_sent; // requests until then
    struct dht_outcome outcome;
};

struct dht_net {
    struct world *world;
    struct membership membership;
    struct dht_node **nodes;
    size_t count;
    size_t capacity;
    size_t *liars; // indexes
    size_t liars_count;
    unsigned liars_permille; // of those that dht_net_fill adds
    size_t joined;
};

void dht_net_init(struct dht_net *net, struct world *world);
void dht_net_clear(struct dht_net *net);

// A node with an identity of its own, down yet.
struct dht_node *dht_net_add(struct dht_net *net, const struct host_options *options);
// It joins through the first nodes, or from `saved` (dht_save).
void dht_node_start(struct dht_node *node, const struct buffer *saved);
void dht_node_stop(struct dht_node *node);
// From now on it lies.
void dht_node_lie(struct dht_node *node);

// Adds and starts nodes, `per_second` a second, until there are `count`, and waits for them to
// join and settle.
void dht_net_fill(struct dht_net *net, size_t count, unsigned per_second);
// Stops this many of the honest nodes at once, never the first ones.
void dht_net_kill(struct dht_net *net, unsigned permille);
// A node that is up and honest, chosen at random.
struct dht_node *dht_net_pick(struct dht_net *net);
// The nearest to a key that is up and honest.
const struct dht_node *dht_net_nearest(const struct dht_net *net, const struct hash256 *key);

// How full a node's table is: of the buckets for which there are nodes, how many hold 16, or all
// that there are; of the places for which there are nodes, how many are taken.
struct dht_fullness {
    size_t buckets;
    size_t buckets_full;
    size_t places;
    size_t places_full;
};
void dht_node_fullness(const struct dht_node *node, struct dht_fullness *fullness);

#endif
