// A block template from getblocktemplate (BIP 22, 23, 145): parsed once, checked, trimmed, then
// immutable and shared by reference count. Made by node/backend; read by the composition root to
// build jobs and blocks.
#ifndef SHOAL_NODE_BITCOIN_BLOCK_TEMPLATE_H
#define SHOAL_NODE_BITCOIN_BLOCK_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"
#include "node/base/hash.h"
#include "node/base/json.h"
#include "node/bitcoin/chain_params.h"
#include "node/bitcoin/header.h"
#include "node/bitcoin/merkle.h"

struct template_tx {
    const uint8_t *data; // view into the template's memory
    uint32_t size;
    struct hash256 txid;
    struct hash256 wtxid;
    uint64_t fee;
    uint32_t weight;
    uint32_t sigops; // in units of cost, BIP 141
};

struct block_template {
    int64_t height;
    struct hash256 prev;
    uint32_t version;
    uint32_t bits;
    uint32_t time;                     // curtime
    uint32_t min_time;                 // mintime: median time of prev plus one
    uint64_t coinbase_value;           // satoshi, fees of the kept transactions included
    bool has_witness;                  // the coinbase must commit to the witnesses
    struct hash256 witness_commitment; // over the kept transactions, with the 32-zero-byte nonce
    struct merkle_branch branch;
    struct template_tx *txs; // parents before children, as the daemon sent them
    size_t txs_count;
    size_t txs_dropped;    // to keep the coinbase within the limits
    char longpoll_id[256]; // empty if the daemon has none (or one that is longer)
    const uint8_t *mweb;   // extension block of Litecoin, NULL if none
    size_t mweb_size;
    // Private: memory and references.
    struct template_memory *memory;
};

enum template_result {
    TEMPLATE_OK,
    TEMPLATE_MALFORMED,     // a field is missing or of the wrong type; see *field
    TEMPLATE_TOO_LARGE,     // over limits.h, or the coinbase does not fit whatever is dropped
    TEMPLATE_RULES_UNKNOWN, // a rule with "!" that we do not know
    TEMPLATE_COINBASE_LOW,  // coinbasevalue, less the fees of what is dropped, is below the subsidy
    TEMPLATE_TX_BAD,        // a transaction does not decode or its txid is another
    TEMPLATE_OUT_OF_MEMORY,
};
const char *template_result_text(enum template_result result);

// What our coinbase takes of the block at most, in weight units and in sigop cost; see
// coinbase_weight_max.
struct coinbase_needs {
    uint32_t weight;
    uint32_t sigops;
};

// `result` is the RPC's result object, of which nothing is needed afterwards. Transactions are
// dropped from the end, with their dependants, until block weight and sigops stay within the
// template's limits (the consensus ones where it names none), and their fees are taken from
// coinbase_value. Branch and commitment are ours, over what is kept; where nothing was dropped,
// default_witness_commitment must be the same. has_witness is set if the segwit rule is active and
// the daemon sent a commitment, or if any transaction has a witness. Litecoin's last transaction
// and what it depends on are never dropped. On a failure *field (static text) names the offending
// field.
enum template_result block_template_parse(const struct chain_params *params,
                                          struct json_value result,
                                          const struct coinbase_needs *needs,
                                          struct block_template **block_template,
                                          const char **field);
// Takes one more reference; every one needs its release.
struct block_template *block_template_hold(struct block_template *block_template);
void block_template_release(struct block_template *block_template); // NULL is fine

// Appends the whole block as submitblock wants it: header, count, the coinbase (given without
// witness; the 32-zero-byte nonce is added if has_witness), the transactions and, if there is one,
// 01 and the MWEB part.
bool block_template_write_block(const struct block_template *block_template,
                                const uint8_t header[HEADER_SIZE], const uint8_t *coinbase,
                                size_t coinbase_size, struct buffer *out);

#endif
