// The 80-byte block header.
#ifndef SHOAL_NODE_BITCOIN_HEADER_H
#define SHOAL_NODE_BITCOIN_HEADER_H

#include <stdint.h>
#include "node/base/hash.h"

#define HEADER_SIZE 80

struct header {
    uint32_t version; // as written; miners roll bits of it
    struct hash256 prev;
    struct hash256 merkle_root;
    uint32_t time;
    uint32_t bits;
    uint32_t nonce;
};

void header_decode(const uint8_t bytes[HEADER_SIZE], struct header *header);
void header_encode(const struct header *header, uint8_t bytes[HEADER_SIZE]);
// id(header) = SHA256d, on every chain.
void header_id(const uint8_t bytes[HEADER_SIZE], struct hash256 *id);

#endif
