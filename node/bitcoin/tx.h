// Transactions as far as a pool looks into them: where they end, their two ids, weight, and what a coinbase
// pays. Bounded; refuses trailing bytes. Scripts are not run.
#ifndef SHOAL_NODE_BITCOIN_TX_H
#define SHOAL_NODE_BITCOIN_TX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"
#include "node/base/hash.h"

struct tx_output {
    uint64_t amount;
    const uint8_t *script; // view into the transaction's bytes
    size_t script_size;
};

struct tx_summary {
    size_t size;       // with witness
    size_t base_size;  // without
    bool has_witness;
    uint32_t inputs_count;
    uint32_t outputs_count;
    struct hash256 txid;
    struct hash256 wtxid;
    size_t outputs_offset; // of the first output in the bytes
    uint32_t locktime;
};

// Reads one transaction (BIP 144 or legacy form) from the cursor; false (and the cursor failed) if malformed.
bool tx_read(struct reader *reader, struct tx_summary *summary);
// weight = 3 * base_size + size (BIP 141).
uint64_t tx_weight(const struct tx_summary *summary);
// Output i < outputs_count of a transaction that tx_read accepted.
bool tx_output_at(const uint8_t *bytes, const struct tx_summary *summary, uint32_t i,
                  struct tx_output *output);

#endif
