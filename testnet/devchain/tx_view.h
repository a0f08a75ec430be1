// A transaction with its summary, and walks over what it spends and pays. Views borrow the bytes,
// which tx_read has accepted. What a transaction alone can have wrong is judged here: tx_check.
#ifndef SHOAL_TESTNET_DEVCHAIN_TX_VIEW_H
#define SHOAL_TESTNET_DEVCHAIN_TX_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/bitcoin/tx.h"
#include "testnet/devchain/verdict.h"

#define TX_MONEY_MAX    (21000000 * UINT64_C(100000000))
#define TX_SIGOP_WEIGHT 4 // BIP 141: a sigop outside of witnesses costs four

struct tx_view {
    const uint8_t *bytes;
    struct tx_summary summary;
};

struct tx_input {
    struct hash256 txid;
    uint32_t index;
    const uint8_t *script;
    size_t script_size;
    uint32_t sequence;
    uint64_t witness_count; // items
    const uint8_t *witness; // the first item
    size_t witness_size;
};

struct tx_inputs {
    struct reader inputs;
    struct reader witnesses;
    uint32_t left;
    bool has_witness;
};

struct tx_outputs {
    struct reader reader;
    uint32_t left;
};

// Reads one transaction from the cursor; false if it is none, or a HogEx, which this chain does not
// know.
bool tx_view_read(struct reader *reader, struct tx_view *tx);

// while (tx_inputs_next(&walk, &input)) ...
struct tx_inputs tx_inputs_begin(const struct tx_view *tx);
bool tx_inputs_next(struct tx_inputs *walk, struct tx_input *input);
struct tx_outputs tx_outputs_begin(const struct tx_view *tx);
bool tx_outputs_next(struct tx_outputs *walk, struct tx_output *output);

int32_t tx_version(const struct tx_view *tx);
// One input, whose outpoint is null.
bool tx_is_coinbase(const struct tx_view *tx);
// Locktime is reached at this height and median time, or switched off by all sequences.
bool tx_is_final(const struct tx_view *tx, int64_t height, int64_t median_time);
// Asks for a relative lock (BIP 68), which this daemon does not keep and so does not take.
bool tx_has_relative_lock(const struct tx_view *tx);
// Signature operations in input and output scripts as counted before BIP 16, times TX_SIGOP_WEIGHT.
// This is the whole cost on this chain: it verifies no script that holds one.
uint64_t tx_sigop_cost(const struct tx_view *tx);
// What holds of any transaction: amounts, no input twice, null outpoints in a coinbase only, its
// script's size.
enum verdict tx_check(const struct tx_view *tx);

#endif
