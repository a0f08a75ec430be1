// The next block as this daemon would build it: what getblocktemplate shows and what generate
// mines.
#ifndef SHOAL_TESTNET_DEVCHAIN_TEMPLATE_H
#define SHOAL_TESTNET_DEVCHAIN_TEMPLATE_H

#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"
#include "node/base/env.h"
#include "node/base/time.h"
#include "node/bitcoin/script.h"
#include "testnet/devchain/chain.h"
#include "testnet/devchain/mempool.h"

// Kept free for the miner's coinbase, as bitcoind does.
#define TEMPLATE_COINBASE_WEIGHT     4000
#define TEMPLATE_COINBASE_SIGOP_COST 400
#define TEMPLATE_VERSION             0x20000000u
#define TEMPLATE_LONGPOLL_SIZE       96

struct template
{
    const struct block_entry *parent;
    int64_t height;
    uint32_t bits;
    uint32_t min_time;
    uint32_t time;
    uint64_t coinbase_value;
    struct hash256 commitment;  // BIP 141, over the transactions below
    const struct pool_tx **txs; // parents before children
    size_t txs_count;
};

// Borrows from chain and pool: good until either changes.
void template_build(const struct chain *chain, const struct mempool *mempool, struct wall_time now,
                    struct template *template);
// The same without transactions and on any block; has nothing to clear.
void template_build_empty(const struct chain *chain, const struct block_entry *parent,
                          struct wall_time now, struct template *template);
void template_clear(struct template *template);
// Changes whenever a new template would have another parent or other transactions.
void template_longpoll_id(const struct chain *chain, const struct mempool *mempool,
                          char out[TEMPLATE_LONGPOLL_SIZE]);

struct mine_options {
    const uint8_t *script; // output of the whole coinbase value
    size_t script_size;
    uint64_t hashes_max;
};
// Appends a block for the template with proof of work; false if hashes_max hashes did not find it.
bool template_mine(const struct chain *chain, const struct template *template,
                   const struct env *env, const struct mine_options *options, struct buffer *out);

#endif
