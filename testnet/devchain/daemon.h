// The daemon without its network: chain, pool, traffic and disk joined. The RPC calls it, main
// ticks it. `now` is always a parameter.
#ifndef SHOAL_TESTNET_DEVCHAIN_DAEMON_H
#define SHOAL_TESTNET_DEVCHAIN_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/env.h"
#include "node/base/time.h"
#include "testnet/devchain/chain.h"
#include "testnet/devchain/fault.h"
#include "testnet/devchain/generator.h"
#include "testnet/devchain/mempool.h"
#include "testnet/devchain/store.h"
#include "testnet/devchain/template.h"

struct daemon_options {
    const struct chain_params *params;
    uint32_t bits;
    uint32_t genesis_time;
    double spacing;        // wanted seconds between blocks, for the rate of transactions
    uint64_t transactions; // wanted per block
    const char *directory; // of the blocks; NULL: in memory
};

struct daemon {
    struct daemon_options options;
    const struct env *env;
    struct chain *chain;
    struct mempool *mempool;
    struct generator *generator;
    struct store *store;
    struct fault fault;
    struct now started;
    struct mono_time generated_until; // traffic is due from here on
    bool is_stopping;
};

// NULL if the stored chain cannot be used: `error` says why. env is borrowed and outlives the
// daemon.
struct daemon *daemon_new(const struct env *env, const struct daemon_options *options,
                          struct now now, char error[STORE_ERROR_SIZE]);
void daemon_free(struct daemon *daemon);

// Takes a block and, if the tip changed, brings the pool along. Logs what happened.
enum verdict daemon_submit(struct daemon *daemon, const uint8_t *bytes, size_t size,
                           struct wall_time now);
// Makes the transactions that are due.
void daemon_tick(struct daemon *daemon, struct mono_time now);
// Mines one block on the tip, with a block's worth of traffic first. False: hashes_max did not
// suffice, or the disk is full.
bool daemon_generate(struct daemon *daemon, const struct mine_options *mine, struct wall_time now,
                     struct hash256 *id);
// Mines count + 1 blocks without transactions next to the last `count` ones (count <= height),
// which so lose their place. False as above.
bool daemon_reorganise(struct daemon *daemon, uint64_t count, uint64_t hashes_max,
                       struct wall_time now);
// The hashes that one block takes on average.
double daemon_hashes_per_block(const struct daemon *daemon);

#endif
