#include "testnet/devchain/chain.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/map.h"
#include "node/bitcoin/coinbase.h"
#include "node/pow/target.h"
#include "testnet/common/memory.h"
#include "testnet/devchain/genesis.h"

#define MEDIAN_BLOCKS    11
#define FUTURE_MAX       7200 // s
#define VERSION_MIN      4    // BIP 34, 66 and 65 are in force from block 1 on
#define GENESIS_SIZE_MAX (1u << 20)

struct chain {
    struct chain_options options;
    struct pow_memory *pow;
    struct u256 work;    // of one block
    struct map *entries; // by id
    struct coins *coins;
    struct block_entry **active; // by height
    size_t active_count;
    size_t active_capacity;
    uint64_t size;
};

// What is judged, and how.
struct attempt {
    struct wall_time now;
    bool is_stored;   // read from our own disk
    bool is_proposal; // without proof of work
};

static struct block_entry *tip(const struct chain *chain)
{
    return chain->active[chain->active_count - 1];
}

int64_t chain_median_time(const struct block_entry *entry)
{
    uint32_t times[MEDIAN_BLOCKS];
    size_t count = 0;
    for (; entry != NULL && count < MEDIAN_BLOCKS; entry = entry->parent) {
        // Insertion keeps the few times in order.
        size_t at = count++;
        for (; at > 0 && times[at - 1] > entry->block.header.time; at--)
            times[at] = times[at - 1];
        times[at] = entry->block.header.time;
    }
    return times[count / 2];
}

const struct block_entry *chain_fork(const struct block_entry *a, const struct block_entry *b)
{
    while (a != b) {
        if (a->height >= b->height)
            a = a->parent;
        else
            b = b->parent;
    }
    return a;
}

static void disconnect_txs(struct chain *chain, const struct block *block, size_t count)
{
    for (size_t i = count; i > 0; i--)
        coins_disconnect(chain->coins, &block->txs[i - 1]);
}

static uint64_t coinbase_amount(const struct block *block)
{
    uint64_t sum = 0; // tx_check has bounded it
    struct tx_outputs walk = tx_outputs_begin(&block->txs[0]);
    struct tx_output output;
    while (tx_outputs_next(&walk, &output))
        sum += output.amount;
    return sum;
}

// Connects all transactions of a block on the tip, or none.
static enum verdict connect_txs(struct chain *chain, const struct block *block, int64_t height)
{
    uint64_t allowed = chain_subsidy(chain->options.params, height);
    for (size_t i = 0; i < block->txs_count; i++) {
        uint64_t fee;
        enum verdict verdict = coins_connect(chain->coins, &block->txs[i], height, &fee);
        if (verdict == VERDICT_OK && tx_has_relative_lock(&block->txs[i]) && i > 0) {
            coins_disconnect(chain->coins, &block->txs[i]);
            verdict = VERDICT_NONFINAL;
        }
        if (verdict != VERDICT_OK) {
            disconnect_txs(chain, block, i);
            return verdict;
        }
        allowed += fee;
    }
    if (coinbase_amount(block) <= allowed)
        return VERDICT_OK;
    disconnect_txs(chain, block, block->txs_count);
    return VERDICT_COINBASE_AMOUNT;
}

static enum verdict connect_entry(struct chain *chain, struct block_entry *entry)
{
    enum verdict verdict = connect_txs(chain, &entry->block, entry->height);
    if (verdict != VERDICT_OK)
        return verdict;
    chain->active = memory_grow(chain->active, chain->active_count, &chain->active_capacity,
                                sizeof *chain->active);
    chain->active[chain->active_count++] = entry;
    entry->is_active = true;
    return VERDICT_OK;
}

static void disconnect_to(struct chain *chain, const struct block_entry *fork)
{
    while (tip(chain) != fork) {
        struct block_entry *entry = tip(chain);
        disconnect_txs(chain, &entry->block, entry->block.txs_count);
        entry->is_active = false;
        chain->active_count--;
    }
}

// Connects the blocks behind the tip up to `last`; where one fails, it and those behind it are
// invalid.
static enum verdict connect_up_to(struct chain *chain, struct block_entry *last)
{
    size_t count = (size_t)(last->height - tip(chain)->height);
    struct block_entry **path = memory_new(count, sizeof(struct block_entry *));
    for (size_t i = count; i > 0; i--, last = last->parent)
        path[i - 1] = last;
    enum verdict verdict = VERDICT_OK;
    for (size_t i = 0; i < count; i++) {
        if (verdict == VERDICT_OK)
            verdict = connect_entry(chain, path[i]);
        if (verdict != VERDICT_OK)
            path[i]->is_invalid = true;
    }
    free(path);
    return verdict;
}

// All blocks have the same work, so before `entry` came no block of its branch had more than the
// tip, and if the branch fails the old tip is the best there is.
static enum verdict activate(struct chain *chain, struct block_entry *entry)
{
    if (u256_compare(&entry->chainwork, &tip(chain)->chainwork) <= 0)
        return VERDICT_INCONCLUSIVE;
    struct block_entry *old_tip = tip(chain);
    const struct block_entry *fork = chain_fork(old_tip, entry);
    disconnect_to(chain, fork);
    enum verdict verdict = connect_up_to(chain, entry);
    if (verdict == VERDICT_OK)
        return VERDICT_OK;
    disconnect_to(chain, fork);
    enum verdict again = connect_up_to(chain, old_tip);
    assert(again == VERDICT_OK);
    return verdict;
}

// bitcoind's ContextualCheckBlockHeader.
static enum verdict check_header(const struct chain *chain, const struct block *block,
                                 const struct block_entry *parent, const struct attempt *attempt)
{
    const struct header *header = &block->header;
    if (header->bits != chain->options.bits)
        return VERDICT_BITS;
    if (header->time <= chain_median_time(parent))
        return VERDICT_TIME_TOO_OLD;
    if (!attempt->is_stored && header->time > wall_seconds(attempt->now) + FUTURE_MAX)
        return VERDICT_TIME_TOO_NEW;
    return (int32_t)header->version < VERSION_MIN ? VERDICT_VERSION : VERDICT_OK;
}

static bool has_height(const struct block *block, int64_t height)
{
    uint8_t push[9];
    size_t size = coinbase_height_push(height, push);
    struct tx_inputs walk = tx_inputs_begin(&block->txs[0]);
    struct tx_input input;
    return tx_inputs_next(&walk, &input) && input.script_size >= size &&
           memcmp(input.script, push, size) == 0;
}

// bitcoind's ContextualCheckBlock.
static enum verdict check_in_place(const struct block *block, const struct block_entry *parent)
{
    int64_t median_time = chain_median_time(parent);
    for (size_t i = 0; i < block->txs_count; i++) {
        if (!tx_is_final(&block->txs[i], parent->height + 1, median_time))
            return VERDICT_NONFINAL;
    }
    if (!has_height(block, parent->height + 1))
        return VERDICT_COINBASE_HEIGHT;
    return block_check_witness(block);
}

// In bitcoind's order, so that a block with several faults is refused for the same one.
static enum verdict check(const struct chain *chain, const struct block *block,
                          const struct attempt *attempt)
{
    if (!tx_is_coinbase(&block->txs[0]))
        return VERDICT_NO_COINBASE_FIRST;
    if (!attempt->is_proposal && !block_meets_bits(block, chain->pow))
        return VERDICT_HIGH_HASH;
    enum verdict verdict = block_check(block);
    if (verdict != VERDICT_OK)
        return verdict;
    const struct block_entry *parent = map_find(chain->entries, &block->header.prev);
    if (parent == NULL)
        return VERDICT_PREV_UNKNOWN;
    if (parent->is_invalid)
        return VERDICT_PREV_INVALID;
    verdict = check_header(chain, block, parent, attempt);
    return verdict != VERDICT_OK ? verdict : check_in_place(block, parent);
}

// A block of our own with its bytes, not yet anywhere.
static struct block_entry *entry_new(const uint8_t *bytes, size_t size)
{
    struct block_entry *entry = memory_new(1, sizeof *entry);
    bool is_sound = block_decode(&entry->block, memory_copy(bytes, size), size);
    assert(is_sound);
    return entry;
}

static struct block_entry *insert(struct chain *chain, const uint8_t *bytes, size_t size)
{
    struct block_entry *entry = entry_new(bytes, size);
    entry->parent = map_find(chain->entries, &entry->block.header.prev);
    entry->height = entry->parent == NULL ? 0 : entry->parent->height + 1;
    entry->chainwork = chain->work;
    if (entry->parent != NULL)
        entry->chainwork = u256_add(&entry->parent->chainwork, &chain->work);
    map_set(chain->entries, &entry->block.id, entry);
    chain->size += size;
    return entry;
}

static enum verdict accept(struct chain *chain, const struct block *block,
                           const struct attempt *attempt)
{
    const struct block_entry *known = map_find(chain->entries, &block->id);
    if (known != NULL)
        return known->is_invalid ? VERDICT_DUPLICATE_INVALID : VERDICT_DUPLICATE;
    enum verdict verdict = check(chain, block, attempt);
    if (verdict != VERDICT_OK)
        return verdict;
    const struct chain_options *options = &chain->options;
    bool is_kept = attempt->is_stored || options->store == NULL ||
                   options->store(options->store_context, block->bytes, block->size);
    if (!is_kept)
        return VERDICT_NOT_STORED;
    return activate(chain, insert(chain, block->bytes, block->size));
}

static enum verdict decode_and_accept(struct chain *chain, const uint8_t *bytes, size_t size,
                                      const struct attempt *attempt)
{
    struct block block;
    if (!block_decode(&block, bytes, size))
        return VERDICT_UNDECODABLE;
    enum verdict verdict = accept(chain, &block, attempt);
    block_clear(&block);
    return verdict;
}

enum verdict chain_accept(struct chain *chain, const uint8_t *bytes, size_t size,
                          struct wall_time now)
{
    struct attempt attempt = {.now = now};
    return decode_and_accept(chain, bytes, size, &attempt);
}

enum verdict chain_accept_stored(struct chain *chain, const uint8_t *bytes, size_t size)
{
    struct attempt attempt = {.is_stored = true};
    return decode_and_accept(chain, bytes, size, &attempt);
}

static enum verdict propose(struct chain *chain, const struct block *block, struct wall_time now)
{
    struct attempt attempt = {.now = now, .is_proposal = true};
    const struct block_entry *known = map_find(chain->entries, &block->id);
    if (known != NULL)
        return known->is_invalid ? VERDICT_DUPLICATE_INVALID : VERDICT_DUPLICATE;
    if (!hash_equal(&block->header.prev, &tip(chain)->block.id))
        return VERDICT_NOT_ON_TIP;
    enum verdict verdict = check(chain, block, &attempt);
    if (verdict == VERDICT_OK)
        verdict = connect_txs(chain, block, tip(chain)->height + 1);
    if (verdict == VERDICT_OK)
        disconnect_txs(chain, block, block->txs_count);
    return verdict;
}

enum verdict chain_propose(struct chain *chain, const uint8_t *bytes, size_t size,
                           struct wall_time now)
{
    struct block block;
    if (!block_decode(&block, bytes, size))
        return VERDICT_UNDECODABLE;
    enum verdict verdict = propose(chain, &block, now);
    block_clear(&block);
    return verdict;
}

static void insert_genesis(struct chain *chain)
{
    struct buffer bytes;
    buffer_init(&bytes, GENESIS_SIZE_MAX);
    genesis_write(chain->options.params->name, chain->options.bits, chain->options.genesis_time,
                  &bytes);
    assert(!bytes.failed);
    struct block_entry *genesis = insert(chain, bytes.data, bytes.size);
    buffer_clear(&bytes);
    // Its coinbase pays the funds, which no subsidy covers: connected by hand.
    uint64_t fee;
    enum verdict verdict = coins_connect(chain->coins, &genesis->block.txs[0], 0, &fee);
    assert(verdict == VERDICT_OK);
    chain->active = memory_grow(NULL, 0, &chain->active_capacity, sizeof *chain->active);
    chain->active[chain->active_count++] = genesis;
    genesis->is_active = true;
}

struct chain *chain_new(const struct env *env, const struct chain_options *options)
{
    struct chain *chain = memory_new(1, sizeof *chain);
    struct u256 target;
    bool is_target = target_expand(options->bits, &target);
    assert(is_target);
    chain->options = *options;
    chain->work = target_work(&target);
    chain->pow = pow_memory_new(options->params->pow);
    chain->entries = map_new(env);
    chain->coins = coins_new(env);
    insert_genesis(chain);
    return chain;
}

void chain_free(struct chain *chain)
{
    if (chain == NULL)
        return;
    coins_free(chain->coins);
    size_t cursor = 0;
    struct hash256 id;
    void *value;
    while (map_next(chain->entries, &cursor, &id, &value)) {
        struct block_entry *entry = value;
        // The bytes are ours: block.bytes is const for those who only look at it.
        uint8_t *bytes;
        memcpy(&bytes, &entry->block.bytes, sizeof bytes);
        free(bytes);
        block_clear(&entry->block);
        free(entry);
    }
    map_free(chain->entries);
    pow_memory_free(chain->pow);
    free(chain->active);
    free(chain);
}

const struct chain_params *chain_params(const struct chain *chain)
{
    return chain->options.params;
}

uint32_t chain_bits(const struct chain *chain)
{
    return chain->options.bits;
}

const struct coins *chain_coins(const struct chain *chain)
{
    return chain->coins;
}

const struct block_entry *chain_tip(const struct chain *chain)
{
    return tip(chain);
}

const struct block_entry *chain_genesis(const struct chain *chain)
{
    return chain->active[0];
}

const struct block_entry *chain_at(const struct chain *chain, int64_t height)
{
    bool is_there = height >= 0 && (uint64_t)height < chain->active_count;
    return is_there ? chain->active[height] : NULL;
}

const struct block_entry *chain_find(const struct chain *chain, const struct hash256 *id)
{
    return map_find(chain->entries, id);
}

uint64_t chain_size(const struct chain *chain)
{
    return chain->size;
}
