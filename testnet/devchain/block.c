#include "testnet/devchain/block.h"

#include <stdlib.h>
#include <string.h>
#include "node/bitcoin/merkle.h"
#include "node/pow/sha256.h"
#include "node/pow/target.h"
#include "testnet/common/memory.h"

#define TX_SIZE_MIN         60 // 4 + 1 + 41 + 1 + 9 + 4
#define WITNESS_SCALE       4
#define COMMITMENT_SIZE_MIN 38

static const uint8_t commitment_head[] = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};

bool block_decode(struct block *block, const uint8_t *bytes, size_t size)
{
    struct reader reader = reader_init(bytes, size);
    *block = (struct block){.bytes = bytes, .size = size};
    const uint8_t *header = read_view(&reader, HEADER_SIZE);
    uint64_t count = read_varint(&reader);
    if (reader.failed || count == 0 || count > size / TX_SIZE_MIN)
        return false;
    header_decode(header, &block->header);
    header_id(header, &block->id);
    block->txs = memory_new(count, sizeof *block->txs);
    while (block->txs_count < count && tx_view_read(&reader, &block->txs[block->txs_count]))
        block->txs_count++;
    if (block->txs_count == count && reader_is_done(&reader))
        return true;
    block_clear(block);
    return false;
}

void block_clear(struct block *block)
{
    free(block->txs);
    *block = (struct block){0};
}

uint64_t block_weight(const struct block *block)
{
    const uint8_t *first_tx = block->txs[0].bytes;
    uint64_t weight = WITNESS_SCALE * (uint64_t)(first_tx - block->bytes);
    for (size_t i = 0; i < block->txs_count; i++)
        weight += tx_weight(&block->txs[i].summary);
    return weight;
}

bool block_meets_bits(const struct block *block, struct pow_memory *memory)
{
    struct u256 target;
    struct hash256 hash;
    if (!target_expand(block->header.bits, &target))
        return false;
    pow_hash(memory, block->bytes, &hash);
    return target_is_met(&hash, &target);
}

static int compare_hashes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct hash256));
}

// A list whose end is repeated can have the root of the shorter one (CVE-2012-2459); as no two
// transactions of a block may be the same, looking for any repetition is enough.
static enum verdict check_merkle_root(const struct block *block)
{
    struct hash256 *txids = memory_new(block->txs_count, sizeof *txids);
    for (size_t i = 0; i < block->txs_count; i++)
        txids[i] = block->txs[i].summary.txid;
    struct hash256 root;
    merkle_root(txids, block->txs_count, &root);
    enum verdict verdict = VERDICT_OK;
    if (!hash_equal(&root, &block->header.merkle_root))
        verdict = VERDICT_MERKLE_ROOT;
    qsort(txids, block->txs_count, sizeof *txids, compare_hashes);
    for (size_t i = 1; i < block->txs_count && verdict == VERDICT_OK; i++) {
        if (hash_equal(&txids[i - 1], &txids[i]))
            verdict = VERDICT_DUPLICATE_TXS;
    }
    free(txids);
    return verdict;
}

enum verdict block_check(const struct block *block)
{
    enum verdict verdict = check_merkle_root(block);
    if (verdict != VERDICT_OK)
        return verdict;
    if (!tx_is_coinbase(&block->txs[0]))
        return VERDICT_NO_COINBASE_FIRST;
    uint64_t sigop_cost = 0;
    for (size_t i = 0; i < block->txs_count; i++) {
        if (i > 0 && tx_is_coinbase(&block->txs[i]))
            return VERDICT_COINBASE_MULTIPLE;
        verdict = tx_check(&block->txs[i]);
        if (verdict != VERDICT_OK)
            return verdict;
        sigop_cost += tx_sigop_cost(&block->txs[i]);
    }
    if (sigop_cost > BLOCK_SIGOP_COST_MAX)
        return VERDICT_SIGOPS;
    return block_weight(block) > BLOCK_WEIGHT_MAX ? VERDICT_WEIGHT : VERDICT_OK;
}

static void hash_commitment(struct hash256 *wtxids, size_t count, const uint8_t nonce[32],
                            struct hash256 *commitment)
{
    uint8_t pair[64];
    struct hash256 root;
    wtxids[0] = (struct hash256){0};
    merkle_root(wtxids, count, &root);
    memcpy(pair, root.bytes, 32);
    memcpy(pair + 32, nonce, 32);
    sha256d_64(pair, commitment);
}

void block_witness_commitment(const struct hash256 *wtxids, size_t count,
                              struct hash256 *commitment)
{
    static const uint8_t nonce[32];
    struct hash256 *leaves = memory_new(count + 1, sizeof *leaves);
    if (count > 0)
        memcpy(leaves + 1, wtxids, count * sizeof *wtxids);
    hash_commitment(leaves, count + 1, nonce, commitment);
    free(leaves);
}

// The last output that looks like a commitment is the one that counts.
static const uint8_t *find_commitment(const struct tx_view *coinbase)
{
    const uint8_t *commitment = NULL;
    struct tx_outputs walk = tx_outputs_begin(coinbase);
    struct tx_output output;
    while (tx_outputs_next(&walk, &output)) {
        if (output.script_size >= COMMITMENT_SIZE_MIN &&
            memcmp(output.script, commitment_head, sizeof commitment_head) == 0)
            commitment = output.script + sizeof commitment_head;
    }
    return commitment;
}

enum verdict block_check_witness(const struct block *block)
{
    const uint8_t *claimed = find_commitment(&block->txs[0]);
    if (claimed == NULL) {
        for (size_t i = 0; i < block->txs_count; i++) {
            if (block->txs[i].summary.has_witness)
                return VERDICT_WITNESS_UNEXPECTED;
        }
        return VERDICT_OK;
    }
    struct tx_inputs walk = tx_inputs_begin(&block->txs[0]);
    struct tx_input input;
    tx_inputs_next(&walk, &input);
    if (input.witness_count != 1 || input.witness_size != 32)
        return VERDICT_WITNESS_NONCE;
    struct hash256 *wtxids = memory_new(block->txs_count, sizeof *wtxids);
    for (size_t i = 0; i < block->txs_count; i++)
        wtxids[i] = block->txs[i].summary.wtxid;
    struct hash256 commitment;
    hash_commitment(wtxids, block->txs_count, input.witness, &commitment);
    free(wtxids);
    bool is_right = memcmp(commitment.bytes, claimed, sizeof commitment.bytes) == 0;
    return is_right ? VERDICT_OK : VERDICT_WITNESS_COMMITMENT;
}
