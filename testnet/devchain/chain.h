// The tree of blocks and its best chain. Takes blocks from anywhere, keeps side branches, and
// reorganises to the branch with more work, the one seen first where two are equal. Bits are
// constant: those of genesis. Blocks stay in memory for as long as the daemon runs. Reads no clock
// and no file: `now` is a parameter, the disk a callback.
#ifndef SHOAL_TESTNET_DEVCHAIN_CHAIN_H
#define SHOAL_TESTNET_DEVCHAIN_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/env.h"
#include "node/base/time.h"
#include "node/base/u256.h"
#include "node/bitcoin/chain_params.h"
#include "testnet/devchain/block.h"
#include "testnet/devchain/coins.h"

struct block_entry {
    struct block block;         // with its own copy of the bytes
    struct block_entry *parent; // NULL of genesis
    int64_t height;
    struct u256 chainwork; // with its own, from genesis on
    bool is_active;        // in the best chain
    bool is_invalid;       // it or a block before it does not connect
};

struct chain_options {
    const struct chain_params *params;
    uint32_t bits;         // canonical
    uint32_t genesis_time; // s
    // Keeps a good block, before it counts; false if it could not. NULL: nothing is kept.
    bool (*store)(void *context, const uint8_t *bytes, size_t size);
    void *store_context;
};

struct chain;

struct chain *chain_new(const struct env *env, const struct chain_options *options);
void chain_free(struct chain *chain);

// Judges a block and takes it if it is good. VERDICT_OK: it is in the best chain now;
// VERDICT_INCONCLUSIVE: it is kept on a side branch. On all other verdicts it is not kept (but for
// blocks that turned out not to connect).
enum verdict chain_accept(struct chain *chain, const uint8_t *bytes, size_t size,
                          struct wall_time now);
// A block that was accepted in an earlier life: not stored again, and not in the future by any
// clock.
enum verdict chain_accept_stored(struct chain *chain, const uint8_t *bytes, size_t size);
// What chain_accept would say to a block on the tip, its proof of work aside (BIP 23). Changes
// nothing.
enum verdict chain_propose(struct chain *chain, const uint8_t *bytes, size_t size,
                           struct wall_time now);

const struct chain_params *chain_params(const struct chain *chain);
uint32_t chain_bits(const struct chain *chain);
const struct coins *chain_coins(const struct chain *chain);
const struct block_entry *chain_tip(const struct chain *chain);
const struct block_entry *chain_genesis(const struct chain *chain);
// The block of the best chain at a height; NULL if there is none.
const struct block_entry *chain_at(const struct chain *chain, int64_t height);
// NULL if unknown.
const struct block_entry *chain_find(const struct chain *chain, const struct hash256 *id);
// Bytes of all blocks.
uint64_t chain_size(const struct chain *chain);
// The median of the times of this block and the ten before it: a child's time must be later.
int64_t chain_median_time(const struct block_entry *entry);
// Where the branches of two blocks part.
const struct block_entry *chain_fork(const struct block_entry *a, const struct block_entry *b);

#endif
