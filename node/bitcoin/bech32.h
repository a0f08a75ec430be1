// Bech32 (BIP 173) and bech32m (BIP 350): a readable prefix, values of five bits, a checksum of six
// characters. Used by address.c; knows nothing of chains or witness versions.
#ifndef SHOAL_NODE_BITCOIN_BECH32_H
#define SHOAL_NODE_BITCOIN_BECH32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BECH32_SIZE_MAX   90 // characters without the terminating zero
#define BECH32_PREFIX_MAX 83
#define BECH32_VALUES_MAX 82 // without the checksum

enum bech32_variant { BECH32, BECH32M };

struct bech32 {
    enum bech32_variant variant;
    char prefix[BECH32_PREFIX_MAX + 1]; // lower case
    size_t values_count;
    uint8_t values[BECH32_VALUES_MAX];
};

enum bech32_result {
    BECH32_OK,
    BECH32_BAD_LENGTH,   // over 90 characters, no prefix, or too short for a checksum
    BECH32_NO_SEPARATOR, // no '1'
    BECH32_BAD_CHARACTER,
    BECH32_MIXED_CASE,
    BECH32_BAD_CHECKSUM, // under both variants
};

enum bech32_result bech32_decode(const char *text, size_t size, struct bech32 *out);
// Writes the text of a prefix (lower case, not empty) and values; out has room for BECH32_SIZE_MAX
// + 1. False if it would be longer.
bool bech32_encode(const struct bech32 *bech32, char *out);

// Regroups five-bit values into bytes; false if more than out_max bytes, or if what is left over is
// five bits or more, or not zero.
bool bech32_to_bytes(const uint8_t *values, size_t count, uint8_t *out, size_t out_max,
                     size_t *size);
// Regroups bytes into ceil(size * 8 / 5) values, the last one padded with zeros; returns their
// number.
size_t bech32_from_bytes(const uint8_t *bytes, size_t size, uint8_t *values);

#endif
