// Transactions waiting for a block, parents before children. Judges them against the tip's coins
// and its own outputs; takes no replacement. When the tip changes it is rebuilt by its owner.
#ifndef SHOAL_TESTNET_DEVCHAIN_MEMPOOL_H
#define SHOAL_TESTNET_DEVCHAIN_MEMPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/env.h"
#include "testnet/devchain/chain.h"

#define MEMPOOL_TXS_MAX   20000
#define MEMPOOL_BYTES_MAX (64u << 20)
#define MEMPOOL_ANCESTORS_MAX                                                                      \
    25 // the transaction itself counts; common ancestors count several times

struct pool_tx {
    struct tx_view tx; // with its own copy of the bytes
    uint64_t fee;
    uint64_t sigop_cost;
    uint64_t ancestors;
    size_t position; // in the pool
};

struct mempool;

struct mempool *mempool_new(const struct env *env);
void mempool_free(struct mempool *mempool);

size_t mempool_count(const struct mempool *mempool);
uint64_t mempool_size(const struct mempool *mempool); // bytes
const struct pool_tx *mempool_at(const struct mempool *mempool, size_t position);
const struct pool_tx *mempool_find(const struct mempool *mempool, const struct hash256 *txid);
// True if a transaction here spends the output.
bool mempool_spends(const struct mempool *mempool, const struct hash256 *txid, uint32_t index);
// Counts every change of content.
uint64_t mempool_changes(const struct mempool *mempool);

// Takes a copy of the transaction if it could be in the next block.
enum verdict mempool_accept(struct mempool *mempool, const struct chain *chain,
                            const uint8_t *bytes, size_t size);
// The tip is another one now: what is in a block leaves, what no longer fits is dropped, and
// transactions of blocks from `old_tip` back to the fork return.
void mempool_follow(struct mempool *mempool, const struct chain *chain,
                    const struct block_entry *old_tip);

#endif
