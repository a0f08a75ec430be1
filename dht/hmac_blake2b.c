#include "dht/hmac_blake2b.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define BLOCK_SIZE 128

// BLAKE2b-512(pad || data), pad = key XOR a byte repeated: the inner and the outer hash of an HMAC.
static void hash_padded(const uint8_t key[BLOCK_SIZE], uint8_t pad, const void *data, size_t size,
                        uint8_t out[HMAC_BLAKE2B_SIZE])
{
    uint8_t block[BLOCK_SIZE];
    crypto_generichash_state state;
    for (size_t i = 0; i < BLOCK_SIZE; i++)
        block[i] = key[i] ^ pad;
    crypto_generichash_init(&state, NULL, 0, HMAC_BLAKE2B_SIZE);
    crypto_generichash_update(&state, block, sizeof block);
    crypto_generichash_update(&state, data, size);
    crypto_generichash_final(&state, out, HMAC_BLAKE2B_SIZE);
    sodium_memzero(block, sizeof block);
    sodium_memzero(&state, sizeof state);
}

void hmac_blake2b(const void *key, size_t key_size, const void *data, size_t size,
                  uint8_t out[HMAC_BLAKE2B_SIZE])
{
    uint8_t block[BLOCK_SIZE] = {0};
    uint8_t inner[HMAC_BLAKE2B_SIZE];
    if (key_size > BLOCK_SIZE)
        crypto_generichash(block, HMAC_BLAKE2B_SIZE, key, key_size, NULL, 0);
    else if (key_size > 0)
        memcpy(block, key, key_size);
    hash_padded(block, 0x36, data, size, inner);
    hash_padded(block, 0x5c, inner, sizeof inner, out);
    sodium_memzero(block, sizeof block);
    sodium_memzero(inner, sizeof inner);
}

// Noise 4.3: temp_key = HMAC(chaining_key, material), output1 = HMAC(temp_key, 0x01),
// output_n = HMAC(temp_key, output_(n-1) || n).
void hkdf_blake2b(const struct hkdf_input *input, uint8_t (*outputs)[HMAC_BLAKE2B_SIZE],
                  size_t outputs_count)
{
    assert(outputs_count == 2 || outputs_count == 3);
    uint8_t temp_key[HMAC_BLAKE2B_SIZE];
    uint8_t block[HMAC_BLAKE2B_SIZE + 1];
    size_t size = 0;
    hmac_blake2b(input->chaining_key, HMAC_BLAKE2B_SIZE, input->material, input->material_size,
                 temp_key);
    for (size_t i = 0; i < outputs_count; i++) {
        block[size] = (uint8_t)(i + 1);
        hmac_blake2b(temp_key, sizeof temp_key, block, size + 1, outputs[i]);
        memcpy(block, outputs[i], HMAC_BLAKE2B_SIZE);
        size = HMAC_BLAKE2B_SIZE;
    }
    sodium_memzero(temp_key, sizeof temp_key);
    sodium_memzero(block, sizeof block);
}
