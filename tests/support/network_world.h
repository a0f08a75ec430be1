// A few whole networks in memory, under a virtual clock: seeded, so that every run is the same.
// Datagrams and bytes of streams take 5 to 55 ms, each pair of nodes its own time; nodes can be
// cut off from each other, take no connections, die and come back. And an attacker: a bare link
// that says to a node whatever a test wants. For unit tests: no bandwidth, no loss.
#ifndef SHOAL_TESTS_SUPPORT_NETWORK_WORLD_H
#define SHOAL_TESTS_SUPPORT_NETWORK_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/link.h"
#include "dht/network.h"
#include "tests/support/plain_chain.h"
#include "tests/unit/sharechain/seeded.h"

#define NET_NODES_MAX   64
#define NET_REASON_SIZE 96

struct net_world;

struct net_node {
    struct net_world *world;
    size_t index;
    struct identity identity;
    struct membership membership;
    struct plain_chain chain;
    struct endpoint endpoint;
    struct network *network;      // NULL: dead
    struct network_config config; // for the next start; filled in by net_add
    bool is_said_open;            // those who call it say that they have come through
    bool is_closed_in;            // behind a router: takes no connections from outside
    unsigned side;                // nodes of different sides do not hear each other
    uint8_t *saved;               // of the last save
    size_t saved_size;
    // What happened:
    unsigned peers; // open now
    unsigned opened, closed, banned, strangers, alone, saves, blocks;
    char reason[NET_REASON_SIZE]; // of the last that closed or was banned
    struct endpoint learned;      // the last address that was
    bool was_reachable;
    int64_t learned_ms;
    int64_t opened_ms; // the first peer
    enum sync_phase phase;
};

struct net_flight;
struct net_pipe;

// Somebody who speaks the protocol as far as a link goes, at the end of one connection.
struct net_attacker {
    struct net_world *world;
    struct net_node *victim;
    struct identity identity;
    struct membership membership;
    struct endpoint endpoint;
    struct link *link;
    uint32_t stream; // the victim's number; 0: refused
    bool is_open;    // the handshake is done
    bool is_closed;  // by the victim
    bool reads;      // takes what the victim writes
    size_t unread;
    unsigned bytes_to_us;
    unsigned messages[256]; // by type
};

struct net_world {
    struct seeded seeded;
    struct env env;
    struct membership membership;
    struct now now;
    bool is_crowded; // nodes share one address, with ports of their own
    struct net_node nodes[NET_NODES_MAX];
    size_t nodes_count;
    struct net_flight *flights; // a heap, the next first
    size_t flights_count;
    size_t flights_capacity;
    uint64_t flights_made;
    struct net_pipe *pipes;
    size_t pipes_count;
    size_t pipes_capacity;
    struct net_attacker *attackers[NET_NODES_MAX];
    size_t attackers_count;
    uint64_t trace; // changes with everything that arrives
};

struct net_world *net_world_new(uint64_t seed);
void net_world_free(struct net_world *world);
// A node that knows node 0 as its seed; not started.
struct net_node *net_add(struct net_world *world);
void net_start(struct net_node *node);
// Adds `count` nodes and starts one every 100 ms.
void net_fill(struct net_world *world, size_t count);
// Gone without a word.
void net_kill(struct net_node *node);
// Says goodbye, keeps what was saved.
void net_stop(struct net_node *node);
void net_run(struct net_world *world, int64_t ms);
// A share is mined at a node and told.
struct hash256 net_mine(struct net_node *node, bool is_link);
// How many nodes have a share.
size_t net_count_having(const struct net_world *world, const struct hash256 *id);
// How many links are open between two nodes, as the first sees it.
size_t net_links_between(const struct net_node *a, const struct net_node *b);

// Connects from an address of its own; `from` may be given. The handshake is done if it can be.
struct net_attacker *net_attack(struct net_node *victim, const struct membership *membership,
                                const struct endpoint *from);
// A message of any type and content.
void net_attacker_send(struct net_attacker *attacker, uint8_t type, const void *data, size_t size);
void net_attacker_say(struct net_attacker *attacker, const struct peer_message *message);
void net_attacker_hello(struct net_attacker *attacker, const struct chain_tip *tip);
// Bytes as they are.
void net_attacker_write(struct net_attacker *attacker, const void *data, size_t size);
void net_attacker_leave(struct net_attacker *attacker);

#endif
