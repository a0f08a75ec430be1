// A whole block as submitblock brings it: decoding, and the checks that need nothing but the block
// itself (bitcoind's CheckBlock). What depends on its place in the chain is judged in chain.c.
#ifndef SHOAL_TESTNET_DEVCHAIN_BLOCK_H
#define SHOAL_TESTNET_DEVCHAIN_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/bitcoin/header.h"
#include "node/pow/pow.h"
#include "testnet/devchain/tx_view.h"

#define BLOCK_WEIGHT_MAX     4000000
#define BLOCK_SIZE_MAX       4000000
#define BLOCK_SIGOP_COST_MAX 80000

struct block {
    const uint8_t *bytes; // borrowed
    size_t size;
    struct header header;
    struct hash256 id;
    struct tx_view *txs;
    size_t txs_count;
};

// False if the bytes are no block, with anything left over included; then there is nothing to
// clear.
bool block_decode(struct block *block, const uint8_t *bytes, size_t size);
void block_clear(struct block *block);

uint64_t block_weight(const struct block *block);
// Proof of work for the bits the header claims.
bool block_meets_bits(const struct block *block, struct pow_memory *memory);
// Merkle root, one coinbase in front, weight, sigops, every transaction alone.
enum verdict block_check(const struct block *block);
// BIP 141: the commitment, and no witness without one.
enum verdict block_check_witness(const struct block *block);
// The commitment of BIP 141 over the coinbase (whose wtxid counts as zero) and `count` wtxids, with
// the 32-zero-byte nonce.
void block_witness_commitment(const struct hash256 *wtxids, size_t count,
                              struct hash256 *commitment);

#endif
