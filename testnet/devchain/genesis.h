// Block 0 of a devchain: the same for the same options, so that a pool file can name it as its
// anchor. It carries the bits that all blocks have, and its coinbase holds the funds that
// generator.c moves. It needs no proof of work.
#ifndef SHOAL_TESTNET_DEVCHAIN_GENESIS_H
#define SHOAL_TESTNET_DEVCHAIN_GENESIS_H

#include <stdint.h>
#include "node/base/bytes.h"
#include "node/bitcoin/script.h"
#include "testnet/devchain/block.h"

#define GENESIS_PURSES       256
#define GENESIS_PURSE_AMOUNT (1000 * UINT64_C(100000000)) // satoshi

// Appends the block. `text` (at most 60 bytes) makes chains of the same bits and time differ.
void genesis_write(const char *text, uint32_t bits, uint32_t time, struct buffer *out);
// The output script of purse i: bare open scripts and P2WSH ones take turns.
void genesis_purse_script(uint16_t i, struct script *script);
static inline bool genesis_purse_is_witness(uint16_t i)
{
    return i % 2 == 1;
}

#endif
