#include "tests/sim/crypto_model.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "node/base/u256.h"

// The linker's names for what is replaced and what stands in, with libsodium's parameters.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-function-size)

#define TAG_SIZE 16

typedef unsigned long long length;

static bool *is_model(void)
{
    static bool is_used;
    return &is_used;
}

bool crypto_model_use(bool is_used)
{
    bool was_used = *is_model();
    *is_model() = is_used;
    return was_used;
}

// ---- The mix

static uint64_t fold(uint64_t hash, uint64_t value)
{
    u128 product = (u128)(hash ^ value) * 0x9fb21c651e98df25u;
    return (uint64_t)product ^ (uint64_t)(product >> 64) ^ 0xd6e8feb86659fd93u;
}

static uint64_t absorb(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t other = hash;
    size_t i = 0;
    hash = fold(hash, size);
    for (; i + 16 <= size; i += 16) {
        uint64_t words[2];
        memcpy(words, bytes + i, sizeof words);
        hash = fold(hash, words[0]);
        other = fold(other, words[1] + 1);
    }
    uint64_t last[2] = {0, 0};
    if (i < size)
        memcpy(last, bytes + i, size - i);
    return fold(fold(hash, last[0]) ^ other, last[1]);
}

static void squeeze(uint64_t hash, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = fold(hash, i + 1);
        memcpy(out + i, &word, size - i < 8 ? size - i : 8);
    }
}

// ---- X25519

int __real_crypto_scalarmult_base(uint8_t *public_key, const uint8_t *secret);
int __wrap_crypto_scalarmult_base(uint8_t *public_key, const uint8_t *secret);
int __wrap_crypto_scalarmult_base(uint8_t *public_key, const uint8_t *secret)
{
    if (!*is_model())
        return __real_crypto_scalarmult_base(public_key, secret);
    squeeze(absorb(1, secret, 32), public_key, 32);
    return 0;
}

int __real_crypto_scalarmult(uint8_t *shared, const uint8_t *secret, const uint8_t *peer);
int __wrap_crypto_scalarmult(uint8_t *shared, const uint8_t *secret, const uint8_t *peer);
int __wrap_crypto_scalarmult(uint8_t *shared, const uint8_t *secret, const uint8_t *peer)
{
    uint8_t own[32];
    if (!*is_model())
        return __real_crypto_scalarmult(shared, secret, peer);
    __wrap_crypto_scalarmult_base(own, secret);
    bool is_lower = memcmp(own, peer, sizeof own) < 0;
    uint64_t hash = absorb(2, is_lower ? own : peer, 32);
    squeeze(absorb(hash, is_lower ? peer : own, 32), shared, 32);
    return 0;
}

// ---- Ed25519: a secret key is the seed, then the public key

int __real_crypto_sign_seed_keypair(uint8_t *public_key, uint8_t *secret, const uint8_t *seed);
int __wrap_crypto_sign_seed_keypair(uint8_t *public_key, uint8_t *secret, const uint8_t *seed);
int __wrap_crypto_sign_seed_keypair(uint8_t *public_key, uint8_t *secret, const uint8_t *seed)
{
    if (!*is_model())
        return __real_crypto_sign_seed_keypair(public_key, secret, seed);
    memmove(secret, seed, 32);
    squeeze(absorb(3, secret, 32), public_key, 32);
    memcpy(secret + 32, public_key, 32);
    return 0;
}

static void make_signature(const uint8_t *public_key, const void *message, size_t size,
                           uint8_t signature[64])
{
    squeeze(absorb(absorb(4, public_key, 32), message, size), signature, 64);
}

int __real_crypto_sign_detached(uint8_t *signature, length *signature_size, const uint8_t *message,
                                length size, const uint8_t *secret);
int __wrap_crypto_sign_detached(uint8_t *signature, length *signature_size, const uint8_t *message,
                                length size, const uint8_t *secret);
int __wrap_crypto_sign_detached(uint8_t *signature, length *signature_size, const uint8_t *message,
                                length size, const uint8_t *secret)
{
    if (!*is_model())
        return __real_crypto_sign_detached(signature, signature_size, message, size, secret);
    make_signature(secret + 32, message, (size_t)size, signature);
    if (signature_size != NULL)
        *signature_size = 64;
    return 0;
}

int __real_crypto_sign_verify_detached(const uint8_t *signature, const uint8_t *message,
                                       length size, const uint8_t *public_key);
int __wrap_crypto_sign_verify_detached(const uint8_t *signature, const uint8_t *message,
                                       length size, const uint8_t *public_key);
int __wrap_crypto_sign_verify_detached(const uint8_t *signature, const uint8_t *message,
                                       length size, const uint8_t *public_key)
{
    uint8_t right[64];
    if (!*is_model())
        return __real_crypto_sign_verify_detached(signature, message, size, public_key);
    make_signature(public_key, message, (size_t)size, right);
    return memcmp(right, signature, sizeof right) == 0 ? 0 : -1;
}

// ---- Sealing: the bytes in clear, then a tag

static void make_tag(uint64_t hash, const uint8_t *data, size_t size, uint8_t tag[TAG_SIZE])
{
    squeeze(absorb(hash, data, size), tag, TAG_SIZE);
}

static uint64_t start_tag(const uint8_t *key, const uint8_t *nonce, size_t nonce_size,
                          const uint8_t *extra, size_t extra_size)
{
    uint64_t hash = absorb(absorb(5, key, 32), nonce, nonce_size);
    return extra_size == 0 ? hash : absorb(hash, extra, extra_size);
}

static void seal(uint64_t hash, uint8_t *out, length *out_size, const uint8_t *data, size_t size)
{
    if (size > 0)
        memmove(out, data, size);
    make_tag(hash, out, size, out + size);
    if (out_size != NULL)
        *out_size = size + TAG_SIZE;
}

static int unseal(uint64_t hash, uint8_t *out, length *out_size, const uint8_t *data, size_t size)
{
    uint8_t tag[TAG_SIZE];
    if (size < TAG_SIZE)
        return -1;
    make_tag(hash, data, size - TAG_SIZE, tag);
    if (memcmp(tag, data + size - TAG_SIZE, TAG_SIZE) != 0)
        return -1;
    if (size > TAG_SIZE)
        memmove(out, data, size - TAG_SIZE);
    if (out_size != NULL)
        *out_size = size - TAG_SIZE;
    return 0;
}

// clang-format off
#define AEAD(name, nonce_size)                                                                     \
    int __real_crypto_aead_##name##_encrypt(uint8_t *out, length *out_size, const uint8_t *data,   \
                                            length size, const uint8_t *extra, length extra_size,  \
                                            const uint8_t *none, const uint8_t *nonce,             \
                                            const uint8_t *key);                                   \
    int __wrap_crypto_aead_##name##_encrypt(uint8_t *out, length *out_size, const uint8_t *data,   \
                                            length size, const uint8_t *extra, length extra_size,  \
                                            const uint8_t *none, const uint8_t *nonce,             \
                                            const uint8_t *key);                                   \
    int __wrap_crypto_aead_##name##_encrypt(uint8_t *out, length *out_size, const uint8_t *data,   \
                                            length size, const uint8_t *extra, length extra_size,  \
                                            const uint8_t *none, const uint8_t *nonce,             \
                                            const uint8_t *key)                                    \
    {                                                                                              \
        if (!*is_model())                                                                          \
            return __real_crypto_aead_##name##_encrypt(out, out_size, data, size, extra,           \
                                                       extra_size, none, nonce, key);              \
        seal(start_tag(key, nonce, nonce_size, extra, (size_t)extra_size), out, out_size, data,    \
             (size_t)size);                                                                        \
        return 0;                                                                                  \
    }                                                                                              \
    int __real_crypto_aead_##name##_decrypt(uint8_t *out, length *out_size, uint8_t *none,         \
                                            const uint8_t *data, length size,                      \
                                            const uint8_t *extra, length extra_size,               \
                                            const uint8_t *nonce, const uint8_t *key);             \
    int __wrap_crypto_aead_##name##_decrypt(uint8_t *out, length *out_size, uint8_t *none,         \
                                            const uint8_t *data, length size,                      \
                                            const uint8_t *extra, length extra_size,               \
                                            const uint8_t *nonce, const uint8_t *key);             \
    int __wrap_crypto_aead_##name##_decrypt(uint8_t *out, length *out_size, uint8_t *none,         \
                                            const uint8_t *data, length size,                      \
                                            const uint8_t *extra, length extra_size,               \
                                            const uint8_t *nonce, const uint8_t *key)              \
    {                                                                                              \
        if (!*is_model())                                                                          \
            return __real_crypto_aead_##name##_decrypt(out, out_size, none, data, size, extra,     \
                                                       extra_size, nonce, key);                    \
        return unseal(start_tag(key, nonce, nonce_size, extra, (size_t)extra_size), out, out_size, \
                      data, (size_t)size);                                                         \
    }
// clang-format on

AEAD(xchacha20poly1305_ietf, 24)
AEAD(chacha20poly1305_ietf, 12)

int __real_crypto_stream_chacha20_ietf_xor_ic(uint8_t *out, const uint8_t *data, length size,
                                              const uint8_t *nonce, uint32_t counter,
                                              const uint8_t *key);
int __wrap_crypto_stream_chacha20_ietf_xor_ic(uint8_t *out, const uint8_t *data, length size,
                                              const uint8_t *nonce, uint32_t counter,
                                              const uint8_t *key);
int __wrap_crypto_stream_chacha20_ietf_xor_ic(uint8_t *out, const uint8_t *data, length size,
                                              const uint8_t *nonce, uint32_t counter,
                                              const uint8_t *key)
{
    if (!*is_model())
        return __real_crypto_stream_chacha20_ietf_xor_ic(out, data, size, nonce, counter, key);
    uint64_t hash = absorb(absorb(6 + (uint64_t)counter, key, 32), nonce, 12);
    for (size_t i = 0; i < (size_t)size; i++)
        out[i] = (uint8_t)(data[i] ^ (uint8_t)(fold(hash, 1 + i / 8) >> (8 * (i % 8))));
    return 0;
}
// NOLINTEND(bugprone-reserved-identifier,readability-function-size)
