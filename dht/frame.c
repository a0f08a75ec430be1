#include "dht/frame.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>
#include "dht/noise.h"

// 64 lengths are three blocks of ChaCha20, an epoch is four times that; block 12 makes the next
// key.
#define LENGTHS_KEPT   64
#define BLOCKS_KEPT    3
#define NEXT_KEY_BLOCK (BLOCKS_KEPT * FRAME_REKEY / LENGTHS_KEPT)

static void stream(const struct frame_cipher *cipher, uint32_t block, uint8_t *out, size_t size)
{
    uint8_t nonce[12];
    noise_nonce(cipher->count / FRAME_REKEY, nonce);
    memset(out, 0, size);
    crypto_stream_chacha20_ietf_xor_ic(out, out, size, nonce, block, cipher->length_key);
}

static void refill_lengths(struct frame_cipher *cipher)
{
    uint32_t part = (uint32_t)(cipher->count % FRAME_REKEY / LENGTHS_KEPT);
    stream(cipher, part * BLOCKS_KEPT, cipher->lengths, sizeof cipher->lengths);
}

void frame_cipher_init(struct frame_cipher *cipher, const uint8_t key[32],
                       const uint8_t length_key[32])
{
    memcpy(cipher->key, key, sizeof cipher->key);
    memcpy(cipher->length_key, length_key, sizeof cipher->length_key);
    cipher->count = 0;
    refill_lengths(cipher);
}

void frame_cipher_clear(struct frame_cipher *cipher)
{
    sodium_memzero(cipher, sizeof *cipher);
}

bool frame_cipher_is_used_up(const struct frame_cipher *cipher)
{
    return cipher->count >= FRAME_COUNT_MAX;
}

// One frame is done: on to the next length, and to new keys after the last of an epoch.
static void advance(struct frame_cipher *cipher)
{
    uint8_t next_key[32];
    if (cipher->count % FRAME_REKEY == FRAME_REKEY - 1) {
        stream(cipher, NEXT_KEY_BLOCK, next_key, sizeof next_key);
        memcpy(cipher->length_key, next_key, sizeof next_key);
        sodium_memzero(next_key, sizeof next_key);
        noise_rekey(cipher->key);
    }
    cipher->count++;
    if (cipher->count % LENGTHS_KEPT == 0)
        refill_lengths(cipher);
}

static const uint8_t *length_mask(const struct frame_cipher *cipher)
{
    return cipher->lengths + FRAME_LENGTH_SIZE * (cipher->count % LENGTHS_KEPT);
}

bool frame_seal(struct frame_cipher *cipher, uint8_t type, const struct frame_payload *payload,
                struct buffer *out)
{
    uint8_t nonce[12];
    size_t size = payload->head_size + payload->body_size;
    assert(size <= FRAME_PAYLOAD_MAX && !frame_cipher_is_used_up(cipher));
    if (!buffer_reserve(out, size + FRAME_OVERHEAD))
        return false;
    uint8_t *at = out->data + out->size;
    const uint8_t *mask = length_mask(cipher);
    for (unsigned i = 0; i < FRAME_LENGTH_SIZE; i++)
        at[i] = (uint8_t)(size >> (8 * i)) ^ mask[i];
    uint8_t *plain = at + FRAME_LENGTH_SIZE;
    plain[0] = type;
    if (payload->head_size > 0)
        memcpy(plain + 1, payload->head, payload->head_size);
    if (payload->body_size > 0)
        memcpy(plain + 1 + payload->head_size, payload->body, payload->body_size);
    noise_nonce(cipher->count, nonce);
    crypto_aead_chacha20poly1305_ietf_encrypt(plain, NULL, plain, size + 1, NULL, 0, NULL, nonce,
                                              cipher->key);
    out->size += size + FRAME_OVERHEAD;
    advance(cipher);
    return true;
}

size_t frame_peek_length(const struct frame_cipher *cipher, const uint8_t bytes[FRAME_LENGTH_SIZE])
{
    const uint8_t *mask = length_mask(cipher);
    size_t length = 0;
    for (unsigned i = 0; i < FRAME_LENGTH_SIZE; i++)
        length |= (size_t)(bytes[i] ^ mask[i]) << (8 * i);
    return length;
}

bool frame_open(struct frame_cipher *cipher, const uint8_t *sealed, size_t payload_size,
                uint8_t *plain)
{
    uint8_t nonce[12];
    assert(payload_size <= FRAME_PAYLOAD_MAX && !frame_cipher_is_used_up(cipher));
    noise_nonce(cipher->count, nonce);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed,
                                                  payload_size + 1 + FRAME_TAG_SIZE, NULL, 0, nonce,
                                                  cipher->key) != 0)
        return false;
    advance(cipher);
    return true;
}
