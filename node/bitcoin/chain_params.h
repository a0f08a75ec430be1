// Every coin is one row of this table: protocol section 1 (codes, proof of work, halving, required
// bits) and what its addresses and its daemon's RPC look like.
#ifndef SHOAL_NODE_BITCOIN_CHAIN_PARAMS_H
#define SHOAL_NODE_BITCOIN_CHAIN_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/pow/pow.h"

enum chain_code {
    CHAIN_BITCOIN = 1,
    CHAIN_TESTNET4 = 2,
    CHAIN_REGTEST = 4,
    CHAIN_LITECOIN = 17,
    CHAIN_LITECOIN_REGTEST = 20,
    CHAIN_DEVCHAIN = 64,
    CHAIN_DEVCHAIN_SCRYPT = 80,
};

enum bits_rule {
    BITS_RETARGET,          // every 2016 blocks
    BITS_RETARGET_TESTNET4, // BIP 94 with the 20-minute exception
    BITS_CONSTANT,          // bits_limit always
    BITS_OF_ANCHOR,         // those of the anchor header
};

struct chain_params {
    enum chain_code code;
    const char *name; // as in a pool file
    enum pow_kind pow;
    uint32_t halving_interval;
    enum bits_rule bits_rule;
    uint32_t bits_limit; // easiest bits of the coin; 0 with BITS_OF_ANCHOR
    uint32_t spacing;    // s, wanted time between blocks (retargets: 2016 of them are the timespan)
    bool retarget_reaches_before; // Litecoin: the retarget's first time is one block earlier
    bool retarget_halves_first;   // Litecoin: near the limit the product would need 257 bits
    uint8_t p2pkh_version;
    uint8_t p2sh_versions[2]; // both are accepted, the first is written; equal where there is one
    const char *bech32_prefix;
    bool has_mweb; // getblocktemplate wants the rule "mweb" and the block carries its extension
    const char *daemon_name; // for messages: "bitcoind"
    uint16_t rpc_port;       // usual port of the daemon's RPC
    // getblockchaininfo's "chain" must be one of these (NULL-terminated).
    const char *rpc_chain_names[4];
};

// NULL if there is no such chain.
const struct chain_params *chain_params_by_name(const char *name);
const struct chain_params *chain_params_by_code(unsigned code);
// Row i, or NULL past the end.
const struct chain_params *chain_params_row(size_t i);
// Whether its blocks are found by a processor: a chain to develop on (regtest and the like).
bool chain_is_toy(const struct chain_params *params);
// subsidy(height) of protocol section 0, in satoshi.
uint64_t chain_subsidy(const struct chain_params *params, int64_t height);
// The bits after a retarget of the coin: `scaled_bits` scaled by the time from first_time to
// last_time, clamped to a quarter and four times, not easier than the limit (protocol section 1;
// vectors of kind "retarget").
uint32_t chain_retarget_bits(const struct chain_params *params, uint32_t scaled_bits,
                             int64_t first_time, int64_t last_time);

#endif
