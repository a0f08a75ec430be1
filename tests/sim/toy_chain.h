// A chain for networks of thousands where only the spreading of messages is measured: shares of 400
// bytes that are valid two milliseconds after they came, and no links. All nodes share one list of
// what was ever made; each keeps two bits of every share. Fills in struct network_chain.
#ifndef SHOAL_TESTS_SIM_TOY_CHAIN_H
#define SHOAL_TESTS_SIM_TOY_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/chain.h"
#include "dht/gossip.h"
#include "tests/sim/world.h"

#define TOY_SHARE_SIZE 400
#define TOY_SHARES_MAX 1024
#define TOY_CHECK_US   2000

struct toy_share {
    struct hash256 id;
    uint8_t bytes[TOY_SHARE_SIZE];
    int64_t made_us;
};

struct toy_pool {
    struct hash256 pool_id;
    struct toy_share shares[TOY_SHARES_MAX];
    size_t count;
    uint16_t by_id[4 * TOY_SHARES_MAX]; // a hash table of indexes + 1
};

void toy_pool_init(struct toy_pool *pool, const struct hash256 *pool_id);
// A new share, valid; its index. What nobody made here is invalid.
size_t toy_pool_make(struct toy_pool *pool, struct random *random, int64_t now_us);

struct toy_chain {
    struct toy_pool *pool;
    struct host *host;
    bool is_hole; // takes shares, keeps them to itself
    uint8_t here[TOY_SHARES_MAX / 8];
    uint8_t coming[TOY_SHARES_MAX / 8]; // being checked
    size_t checked;
    struct network_chain table;
    // A share became valid here.
    void (*became_valid)(void *context, size_t share, bool is_own);
    void *context;
};

void toy_chain_init(struct toy_chain *chain, struct toy_pool *pool, struct host *host);
bool toy_chain_has(const struct toy_chain *chain, size_t share);
// Made here: valid at once, and told.
void toy_chain_add_own(struct toy_chain *chain, size_t share);
// As network_share_became_valid wants it; borrowed from the pool.
struct gossip_share toy_gossip_share(const struct toy_pool *pool, size_t share, bool is_own);

#endif
