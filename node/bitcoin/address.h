// Addresses to payout scripts and back: base58check, bech32 (BIP 173), bech32m (BIP 350). A taproot
// key must be on the curve (checked by libsecp256k1): coins sent elsewhere are lost.
#ifndef SHOAL_NODE_BITCOIN_ADDRESS_H
#define SHOAL_NODE_BITCOIN_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include "node/bitcoin/chain_params.h"
#include "node/bitcoin/script.h"

#define ADDRESS_SIZE_MAX 91 // characters with the terminating zero

enum address_result {
    ADDRESS_OK,
    ADDRESS_EMPTY,
    ADDRESS_BAD_CHARACTER,
    ADDRESS_MIXED_CASE,
    ADDRESS_BAD_CHECKSUM,
    ADDRESS_BAD_LENGTH,
    ADDRESS_OTHER_CHAIN,
    ADDRESS_BAD_WITNESS_VERSION, // beyond 1, or bech32 where bech32m is due
    ADDRESS_NOT_ON_CURVE,
};

// A sentence for people: what is wrong and what would be right.
const char *address_result_text(enum address_result result);
enum address_result address_decode(const struct chain_params *params, const char *text, size_t size,
                                   struct script *script);
// False if the script is none of the five kinds. out has room for ADDRESS_SIZE_MAX.
bool address_encode(const struct chain_params *params, const struct script *script, char *out);

#endif
