// HMAC (RFC 2104) over BLAKE2b-512, and Noise's HKDF on it (Noise revision 34, sections 4.3 and
// 5.1). BLAKE2b's own keyed mode is another function: libsodium has none of these two.
#ifndef SHOAL_DHT_HMAC_BLAKE2B_H
#define SHOAL_DHT_HMAC_BLAKE2B_H

#include <stddef.h>
#include <stdint.h>

#define HMAC_BLAKE2B_SIZE 64

// A key of any size; one longer than 128 bytes is hashed first, as the RFC has it.
void hmac_blake2b(const void *key, size_t key_size, const void *data, size_t size,
                  uint8_t out[HMAC_BLAKE2B_SIZE]);

struct hkdf_input {
    const uint8_t *chaining_key; // HMAC_BLAKE2B_SIZE bytes
    const void *material;
    size_t material_size;
};

// outputs_count is 2 or 3, each output HMAC_BLAKE2B_SIZE bytes. The chaining key may be
// overwritten by an output.
void hkdf_blake2b(const struct hkdf_input *input, uint8_t (*outputs)[HMAC_BLAKE2B_SIZE],
                  size_t outputs_count);

#endif
