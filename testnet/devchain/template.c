#include "testnet/devchain/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/bitcoin/coinbase.h"
#include "node/bitcoin/merkle.h"
#include "node/pow/target.h"
#include "testnet/common/memory.h"

#define COINBASE_SIZE_MAX (1u << 16)

// True if all parents that wait in the pool are in the template already.
static bool has_parents(const struct mempool *mempool, const struct tx_view *tx,
                        const bool *is_taken)
{
    struct tx_inputs walk = tx_inputs_begin(tx);
    struct tx_input input;
    while (tx_inputs_next(&walk, &input)) {
        const struct pool_tx *parent = mempool_find(mempool, &input.txid);
        if (parent != NULL && !is_taken[parent->position])
            return false;
    }
    return true;
}

// In the pool's order, which has parents first; what does not fit is left out with its dependants.
static void pick_txs(const struct mempool *mempool, struct template *template)
{
    size_t count = mempool_count(mempool);
    // The header, a transaction count of up to 3 bytes and the coinbase, in weight.
    uint64_t weight = 4 * (HEADER_SIZE + 3) + TEMPLATE_COINBASE_WEIGHT;
    uint64_t sigop_cost = TEMPLATE_COINBASE_SIGOP_COST;
    bool *is_taken = memory_new(count, sizeof *is_taken);
    template->txs = memory_new(count, sizeof *template->txs);
    for (size_t i = 0; i < count; i++) {
        const struct pool_tx *pool_tx = mempool_at(mempool, i);
        uint64_t weight_with = weight + tx_weight(&pool_tx->tx.summary);
        uint64_t cost_with = sigop_cost + pool_tx->sigop_cost;
        bool fits = weight_with <= BLOCK_WEIGHT_MAX && cost_with <= BLOCK_SIGOP_COST_MAX;
        if (!fits || !has_parents(mempool, &pool_tx->tx, is_taken))
            continue;
        weight = weight_with;
        sigop_cost = cost_with;
        is_taken[i] = true;
        template->txs[template->txs_count++] = pool_tx;
        template->coinbase_value += pool_tx->fee;
    }
    free(is_taken);
}

static void commit(struct template *template)
{
    struct hash256 *wtxids = memory_new(template->txs_count, sizeof *wtxids);
    for (size_t i = 0; i < template->txs_count; i++)
        wtxids[i] = template->txs[i]->tx.summary.wtxid;
    block_witness_commitment(wtxids, template->txs_count, &template->commitment);
    free(wtxids);
}

static void begin(const struct chain *chain, const struct block_entry *parent, struct wall_time now,
                  struct template *template)
{
    int64_t min_time = chain_median_time(parent) + 1;
    int64_t time = wall_seconds(now) > min_time ? wall_seconds(now) : min_time;
    *template =
        (struct template){.parent = parent,
                          .height = parent->height + 1,
                          .bits = chain_bits(chain),
                          .min_time = (uint32_t)min_time,
                          .time = (uint32_t)time,
                          .coinbase_value = chain_subsidy(chain_params(chain), parent->height + 1)};
}

void template_build(const struct chain *chain, const struct mempool *mempool, struct wall_time now,
                    struct template *template)
{
    begin(chain, chain_tip(chain), now, template);
    pick_txs(mempool, template);
    commit(template);
}

void template_build_empty(const struct chain *chain, const struct block_entry *parent,
                          struct wall_time now, struct template *template)
{
    begin(chain, parent, now, template);
    commit(template);
}

void template_clear(struct template *template)
{
    free(template->txs);
    *template = (struct template){0};
}

void template_longpoll_id(const struct chain *chain, const struct mempool *mempool,
                          char out[TEMPLATE_LONGPOLL_SIZE])
{
    char tip[65];
    hash_to_display(&chain_tip(chain)->block.id, tip);
    snprintf(out, TEMPLATE_LONGPOLL_SIZE, "%s%llu", tip,
             (unsigned long long)mempool_changes(mempool));
}

// With the witness nonce; the txid is over the form without it.
static void write_coinbase(const struct template *template, const struct env *env,
                           const struct mine_options *options, struct buffer *out)
{
    static const uint8_t zeros[32];
    uint8_t push[9];
    uint8_t extranonce[8]; // two blocks of ours on one parent are never the same
    size_t push_size = coinbase_height_push(template->height, push);
    env_random_bytes(env, extranonce, sizeof extranonce);

    write_u32(out, 2);
    write_bytes(out, "\x00\x01\x01", 3);
    write_bytes(out, zeros, sizeof zeros);
    write_u32(out, 0xffffffff);
    write_varint(out, push_size + 1 + sizeof extranonce);
    write_bytes(out, push, push_size);
    write_u8(out, sizeof extranonce);
    write_bytes(out, extranonce, sizeof extranonce);
    write_u32(out, 0xffffffff);
    write_varint(out, 2);
    write_u64(out, template->coinbase_value);
    write_varint(out, options->script_size);
    write_bytes(out, options->script, options->script_size);
    write_u64(out, 0);
    write_varint(out, 38);
    write_bytes(out, "\x6a\x24\xaa\x21\xa9\xed", 6);
    write_bytes(out, template->commitment.bytes, sizeof template->commitment.bytes);
    write_bytes(out, "\x01\x20", 2);
    write_bytes(out, zeros, sizeof zeros);
    write_u32(out, 0);
}

static void template_root(const struct template *template, const struct hash256 *coinbase_txid,
                          struct hash256 *root)
{
    struct hash256 *txids = memory_new(template->txs_count + 1, sizeof *txids);
    txids[0] = *coinbase_txid;
    for (size_t i = 0; i < template->txs_count; i++)
        txids[i + 1] = template->txs[i]->tx.summary.txid;
    merkle_root(txids, template->txs_count + 1, root);
    free(txids);
}

// Tries nonces, and later times when they are used up.
static bool find_nonce(const struct chain *chain, struct header *header, uint64_t hashes_max)
{
    struct pow_memory *memory = pow_memory_new(chain_params(chain)->pow);
    struct u256 target;
    bool is_found = false;
    target_expand(header->bits, &target);
    for (uint64_t i = 0; i < hashes_max && !is_found; i++) {
        uint8_t bytes[HEADER_SIZE];
        struct hash256 hash;
        header->nonce = (uint32_t)i;
        header->time += i > 0 && header->nonce == 0;
        header_encode(header, bytes);
        pow_hash(memory, bytes, &hash);
        is_found = target_is_met(&hash, &target);
    }
    pow_memory_free(memory);
    return is_found;
}

bool template_mine(const struct chain *chain, const struct template *template,
                   const struct env *env, const struct mine_options *options, struct buffer *out)
{
    struct buffer coinbase;
    buffer_init(&coinbase, COINBASE_SIZE_MAX);
    write_coinbase(template, env, options, &coinbase);
    struct reader reader = reader_init(coinbase.data, coinbase.size);
    struct tx_view tx;
    struct header header = {.version = TEMPLATE_VERSION,
                            .prev = template->parent->block.id,
                            .time = template->time,
                            .bits = template->bits};
    bool is_found = tx_view_read(&reader, &tx);
    if (is_found) {
        template_root(template, &tx.summary.txid, &header.merkle_root);
        is_found = find_nonce(chain, &header, options->hashes_max);
    }
    if (is_found) {
        uint8_t bytes[HEADER_SIZE];
        header_encode(&header, bytes);
        write_bytes(out, bytes, sizeof bytes);
        write_varint(out, template->txs_count + 1);
        write_bytes(out, coinbase.data, coinbase.size);
        for (size_t i = 0; i < template->txs_count; i++)
            write_bytes(out, template->txs[i]->tx.bytes, template->txs[i]->tx.summary.size);
    }
    buffer_clear(&coinbase);
    return is_found && !out->failed;
}
