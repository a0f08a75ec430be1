// Transactions as far as a pool looks into them: where they end, their two ids, weight, and what a
// coinbase pays. Reads the legacy form, BIP 144, and Litecoin's HogEx (flag 8 and an empty MWEB
// part). No counts are believed before the bytes are there; trailing bytes are the caller's to
// refuse (reader_is_done). Scripts are not run.
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
    size_t size;      // all bytes, with witness
    size_t base_size; // as hashed for the txid
    size_t mweb_size; // bytes of size that MWEB adds and that have no weight; 0 but for a HogEx
    bool has_witness;
    bool is_hogex; // Litecoin's last transaction of a block, which stands for its extension block
    uint32_t inputs_count;
    uint32_t outputs_count;
    struct hash256 txid;
    struct hash256 wtxid;
    size_t outputs_offset; // of the first output in the bytes
    uint32_t locktime;
};

// Reads one transaction from the cursor; false (and the cursor failed) if malformed, without inputs
// or outputs, or in the extended form for nothing.
bool tx_read(struct reader *reader, struct tx_summary *summary);
// 3 * base size + size (BIP 141).
uint64_t tx_weight(const struct tx_summary *summary);
// Output i < outputs_count of a transaction that tx_read accepted.
bool tx_output_at(const uint8_t *bytes, const struct tx_summary *summary, uint32_t i,
                  struct tx_output *output);

#endif
