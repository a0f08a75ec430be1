#include "testnet/devchain/mempool.h"

#include <stdlib.h>
#include <string.h>
#include "node/base/map.h"
#include "node/pow/sha256.h"
#include "testnet/common/memory.h"

struct mempool {
    const struct env *env;
    struct map *by_txid;
    struct map *spenders; // by outpoint_key
    struct pool_tx **txs;
    size_t count;
    size_t capacity;
    uint64_t size;
    uint64_t changes;
};

// Where a newcomer finds its inputs.
struct pool_lookup {
    const struct mempool *mempool;
    const struct coins *coins;
    int64_t height; // of the next block
};

static struct hash256 outpoint_key(const struct hash256 *txid, uint32_t index)
{
    struct sha256 sha;
    struct hash256 key;
    sha256_init(&sha);
    sha256_update(&sha, txid->bytes, sizeof txid->bytes);
    sha256_update(&sha, &index, sizeof index);
    sha256_final(&sha, &key);
    return key;
}

struct mempool *mempool_new(const struct env *env)
{
    struct mempool *mempool = memory_new(1, sizeof *mempool);
    mempool->env = env;
    mempool->by_txid = map_new(env);
    mempool->spenders = map_new(env);
    return mempool;
}

static void pool_tx_free(struct pool_tx *pool_tx)
{
    uint8_t *bytes; // ours: tx.bytes is const for those who only look at it
    memcpy(&bytes, &pool_tx->tx.bytes, sizeof bytes);
    free(bytes);
    free(pool_tx);
}

void mempool_free(struct mempool *mempool)
{
    if (mempool == NULL)
        return;
    for (size_t i = 0; i < mempool->count; i++)
        pool_tx_free(mempool->txs[i]);
    map_free(mempool->by_txid);
    map_free(mempool->spenders);
    free(mempool->txs);
    free(mempool);
}

size_t mempool_count(const struct mempool *mempool)
{
    return mempool->count;
}

uint64_t mempool_size(const struct mempool *mempool)
{
    return mempool->size;
}

uint64_t mempool_changes(const struct mempool *mempool)
{
    return mempool->changes;
}

const struct pool_tx *mempool_at(const struct mempool *mempool, size_t position)
{
    return position < mempool->count ? mempool->txs[position] : NULL;
}

const struct pool_tx *mempool_find(const struct mempool *mempool, const struct hash256 *txid)
{
    return map_find(mempool->by_txid, txid);
}

bool mempool_spends(const struct mempool *mempool, const struct hash256 *txid, uint32_t index)
{
    struct hash256 key = outpoint_key(txid, index);
    return map_find(mempool->spenders, &key) != NULL;
}

static bool lookup(const void *context, const struct hash256 *txid, uint32_t index,
                   struct coin *coin)
{
    const struct pool_lookup *where = context;
    const struct pool_tx *parent = mempool_find(where->mempool, txid);
    if (parent == NULL)
        return coins_find(where->coins, txid, index, coin);
    struct tx_output output;
    if (!tx_output_at(parent->tx.bytes, &parent->tx.summary, index, &output))
        return false;
    *coin = (struct coin){.amount = output.amount,
                          .script = output.script,
                          .script_size = output.script_size,
                          .height = where->height};
    return true;
}

static bool conflicts(const struct mempool *mempool, const struct tx_view *tx)
{
    struct tx_inputs walk = tx_inputs_begin(tx);
    struct tx_input input;
    while (tx_inputs_next(&walk, &input)) {
        if (mempool_spends(mempool, &input.txid, input.index))
            return true;
    }
    return false;
}

static uint64_t count_ancestors(const struct mempool *mempool, const struct tx_view *tx)
{
    uint64_t count = 1;
    struct tx_inputs walk = tx_inputs_begin(tx);
    struct tx_input input;
    while (tx_inputs_next(&walk, &input)) {
        const struct pool_tx *parent = mempool_find(mempool, &input.txid);
        count += parent != NULL ? parent->ancestors : 0;
    }
    return count;
}

static enum verdict check(const struct mempool *mempool, const struct chain *chain,
                          const struct tx_view *tx, uint64_t *fee)
{
    const struct block_entry *tip = chain_tip(chain);
    if (tx_is_coinbase(tx))
        return VERDICT_TX_COINBASE;
    enum verdict verdict = tx_check(tx);
    if (verdict != VERDICT_OK)
        return verdict;
    if (coins_has_tx(chain_coins(chain), &tx->summary.txid))
        return VERDICT_TX_CONFIRMED;
    if (mempool_find(mempool, &tx->summary.txid) != NULL)
        return VERDICT_TX_KNOWN;
    if (!tx_is_final(tx, tip->height + 1, chain_median_time(tip)) || tx_has_relative_lock(tx))
        return VERDICT_NONFINAL;
    if (conflicts(mempool, tx))
        return VERDICT_TX_CONFLICT;
    struct pool_lookup where = {mempool, chain_coins(chain), tip->height + 1};
    verdict = coins_check_tx(tx, tip->height + 1, lookup, &where, fee);
    if (verdict != VERDICT_OK)
        return verdict;
    if (count_ancestors(mempool, tx) > MEMPOOL_ANCESTORS_MAX)
        return VERDICT_TX_CHAIN_TOO_LONG;
    bool is_full =
        mempool->count >= MEMPOOL_TXS_MAX || mempool->size + tx->summary.size > MEMPOOL_BYTES_MAX;
    return is_full ? VERDICT_POOL_FULL : VERDICT_OK;
}

static void add(struct mempool *mempool, const struct tx_view *tx, uint64_t fee)
{
    struct pool_tx *pool_tx = memory_new(1, sizeof *pool_tx);
    *pool_tx = (struct pool_tx){.tx = *tx,
                                .fee = fee,
                                .sigop_cost = tx_sigop_cost(tx),
                                .ancestors = count_ancestors(mempool, tx),
                                .position = mempool->count};
    pool_tx->tx.bytes = memory_copy(tx->bytes, tx->summary.size);
    struct tx_inputs walk = tx_inputs_begin(tx);
    struct tx_input input;
    while (tx_inputs_next(&walk, &input)) {
        struct hash256 key = outpoint_key(&input.txid, input.index);
        map_set(mempool->spenders, &key, pool_tx);
    }
    map_set(mempool->by_txid, &pool_tx->tx.summary.txid, pool_tx);
    mempool->txs =
        memory_grow(mempool->txs, mempool->count, &mempool->capacity, sizeof *mempool->txs);
    mempool->txs[mempool->count++] = pool_tx;
    mempool->size += tx->summary.size;
    mempool->changes++;
}

enum verdict mempool_accept(struct mempool *mempool, const struct chain *chain,
                            const uint8_t *bytes, size_t size)
{
    struct reader reader = reader_init(bytes, size);
    struct tx_view tx;
    if (!tx_view_read(&reader, &tx) || !reader_is_done(&reader))
        return VERDICT_UNDECODABLE;
    uint64_t fee = 0;
    enum verdict verdict = check(mempool, chain, &tx, &fee);
    if (verdict == VERDICT_OK)
        add(mempool, &tx, fee);
    return verdict;
}

// Oldest block first, so that parents come before children.
static void return_disconnected(struct mempool *mempool, const struct chain *chain,
                                const struct block_entry *old_tip)
{
    const struct block_entry *fork = chain_fork(old_tip, chain_tip(chain));
    for (int64_t height = fork->height + 1; height <= old_tip->height; height++) {
        const struct block_entry *entry = old_tip;
        while (entry->height > height)
            entry = entry->parent;
        for (size_t i = 1; i < entry->block.txs_count; i++) {
            const struct tx_view *tx = &entry->block.txs[i];
            mempool_accept(mempool, chain, tx->bytes, tx->summary.size);
        }
    }
}

void mempool_follow(struct mempool *mempool, const struct chain *chain,
                    const struct block_entry *old_tip)
{
    struct mempool before = *mempool;
    mempool->by_txid = map_new(mempool->env);
    mempool->spenders = map_new(mempool->env);
    mempool->txs = NULL;
    mempool->count = 0;
    mempool->capacity = 0;
    mempool->size = 0;
    mempool->changes++;
    return_disconnected(mempool, chain, old_tip);
    for (size_t i = 0; i < before.count; i++) {
        const struct tx_view *tx = &before.txs[i]->tx;
        mempool_accept(mempool, chain, tx->bytes, tx->summary.size);
        pool_tx_free(before.txs[i]);
    }
    map_free(before.by_txid);
    map_free(before.spenders);
    free(before.txs);
}
