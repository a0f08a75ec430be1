// Base58check, the text form of the older addresses: a payload of known size (version byte and
// hash) and four bytes of its double SHA-256. Used by address.c; knows nothing of chains.
#ifndef SHOAL_NODE_BITCOIN_BASE58_H
#define SHOAL_NODE_BITCOIN_BASE58_H

#include <stddef.h>
#include <stdint.h>

#define BASE58_PAYLOAD_MAX 64
#define BASE58_TEXT_MAX    96 // characters of the longest payload with the terminating zero

enum base58_result {
    BASE58_OK,
    BASE58_BAD_CHARACTER,
    BASE58_BAD_LENGTH, // decodes to another number of bytes
    BASE58_BAD_CHECKSUM,
};

// Decodes into exactly payload_size (at most BASE58_PAYLOAD_MAX) bytes. On a bad checksum they are
// filled, too.
enum base58_result base58check_decode(const char *text, size_t text_size, uint8_t *payload,
                                      size_t payload_size);
// out has room for BASE58_TEXT_MAX; payload_size is at most BASE58_PAYLOAD_MAX.
void base58check_encode(const uint8_t *payload, size_t payload_size, char *out);

#endif
