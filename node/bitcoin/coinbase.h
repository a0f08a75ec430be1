// The coinbase of protocol section 3. It splits in two: the prefix, everything up to and including
// "SHL1", is the same for all miners of a template and is hashed once; the tail is H(share_info),
// the extranonce and the locktime.
#ifndef SHOAL_NODE_BITCOIN_COINBASE_H
#define SHOAL_NODE_BITCOIN_COINBASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"
#include "node/base/hash.h"
#include "node/bitcoin/script.h"
#include "node/pow/sha256.h"

#define COINBASE_EXTRANONCE_SIZE 12
#define COINBASE_AUX_SIZE        44
#define COINBASE_TAIL_SIZE       (32 + COINBASE_EXTRANONCE_SIZE + 4)
#define COINBASE_OUTPUTS_MAX     1000

struct coinbase_output {
    uint64_t amount; // satoshi
    struct script script;
};

struct coinbase_spec {
    int64_t height;                        // of the block, at least 1
    const uint8_t *aux;                    // COINBASE_AUX_SIZE bytes or NULL
    const struct coinbase_output *outputs; // the payout list, in list order
    size_t outputs_count;
    const struct hash256 *witness_commitment; // NULL if the block has none
};

// Appends the prefix (no witness data) to out. Its size is at most
// coinbase_prefix_size_max(outputs_count).
void coinbase_write_prefix(const struct coinbase_spec *spec, struct buffer *out);
size_t coinbase_prefix_size_max(size_t outputs_count);
// Size in bytes of the coinbase without witness data that a prefix of this size makes.
size_t coinbase_size(size_t prefix_size);
// Appends the tail; the whole coinbase is prefix then tail.
void coinbase_write_tail(const struct hash256 *share_info_hash,
                         const uint8_t extranonce[COINBASE_EXTRANONCE_SIZE], int64_t height,
                         struct buffer *out);
// The txid, from a hash state that has absorbed the prefix.
void coinbase_txid(const struct sha256 *prefix_state, const struct hash256 *share_info_hash,
                   const uint8_t extranonce[COINBASE_EXTRANONCE_SIZE], int64_t height,
                   struct hash256 *txid);
// What a block must leave free for a coinbase of at most this many payouts, witness and all: its
// weight, and its sigop cost when every payout is P2PKH.
uint32_t coinbase_weight_max(size_t outputs_count);
uint32_t coinbase_sigops_max(size_t outputs_count);
// BIP 34: the push of the height (OP_1..OP_16 up to 16); out has room for 9 bytes, returns the
// size.
size_t coinbase_height_push(int64_t height, uint8_t out[9]);

#endif
