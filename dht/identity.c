#include "dht/identity.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>
#include "node/base/bytes.h"

// key file = "shoalkey", u8 version=1, bytes(32) Ed25519 seed, u64 pow_nonce,
//            bytes(32) transport secret, bytes(32) dht secret, bytes(8) BLAKE2b of all before it
#define MAGIC         "shoalkey"
#define MAGIC_SIZE    8
#define VERSION       1
#define CHECKSUM_SIZE 8
#define SUMMED_SIZE   (IDENTITY_KEY_FILE_SIZE - CHECKSUM_SIZE)

const char *identity_result_text(enum identity_result result)
{
    switch (result) {
    case IDENTITY_OK:
        return "ok";
    case IDENTITY_NOT_A_KEY_FILE:
        return "it is no key file of a shoal node";
    case IDENTITY_VERSION_UNKNOWN:
        return "it was written by a newer version";
    case IDENTITY_DAMAGED:
        return "its checksum is wrong: the file is damaged";
    case IDENTITY_PUZZLE_WRONG:
        return "it was made for a test pool, whose puzzle is easier";
    }
    return "?";
}

// BLAKE2b-256(label || key || nonce)
static void hash_labelled(const char *label, const struct sign_key *key, uint64_t pow_nonce,
                          struct hash256 *out)
{
    uint8_t bytes[64];
    struct buffer buffer;
    buffer_init_fixed(&buffer, bytes, sizeof bytes);
    write_text(&buffer, label);
    write_bytes(&buffer, key->bytes, sizeof key->bytes);
    write_u64(&buffer, pow_nonce);
    assert(!buffer.failed);
    crypto_generichash(out->bytes, sizeof out->bytes, bytes, buffer.size, NULL, 0);
}

void node_id_of(const struct sign_key *key, uint64_t pow_nonce, struct node_id *id)
{
    hash_labelled("shoal node", key, pow_nonce, &id->hash);
}

bool node_puzzle_is_solved(const struct sign_key *key, uint64_t pow_nonce, unsigned puzzle_bits)
{
    assert(puzzle_bits <= 64);
    struct hash256 hash;
    uint64_t first = 0;
    hash_labelled("shoal id", key, pow_nonce, &hash);
    for (unsigned i = 0; i < 8; i++)
        first = first << 8 | hash.bytes[i];
    return puzzle_bits == 0 || first >> (64 - puzzle_bits) == 0;
}

// Public keys and secrets from the three seeds.
static void derive_keys(struct identity *identity, const uint8_t seed[32])
{
    crypto_sign_seed_keypair(identity->sign_key.bytes, identity->sign_secret, seed);
    crypto_scalarmult_base(identity->transport_key.bytes, identity->transport_secret);
    crypto_scalarmult_base(identity->dht_key.bytes, identity->dht_secret);
}

void identity_begin(struct identity *identity, const struct env *env)
{
    uint8_t seed[32];
    memset(identity, 0, sizeof *identity);
    env_random_bytes(env, seed, sizeof seed);
    env_random_bytes(env, identity->transport_secret, sizeof identity->transport_secret);
    env_random_bytes(env, identity->dht_secret, sizeof identity->dht_secret);
    identity->pow_nonce = env_random_u64(env);
    derive_keys(identity, seed);
    sodium_memzero(seed, sizeof seed);
}

bool identity_search(struct identity *identity, unsigned puzzle_bits, uint64_t tries)
{
    for (uint64_t i = 0; i < tries; i++) {
        if (node_puzzle_is_solved(&identity->sign_key, identity->pow_nonce, puzzle_bits)) {
            node_id_of(&identity->sign_key, identity->pow_nonce, &identity->id);
            return true;
        }
        identity->pow_nonce++;
    }
    return false;
}

void identity_clear(struct identity *identity)
{
    sodium_memzero(identity, sizeof *identity);
}

static void checksum(const void *data, uint8_t out[CHECKSUM_SIZE])
{
    uint8_t hash[32];
    crypto_generichash(hash, sizeof hash, data, SUMMED_SIZE, NULL, 0);
    memcpy(out, hash, CHECKSUM_SIZE);
    sodium_memzero(hash, sizeof hash);
}

void identity_encode(const struct identity *identity, uint8_t out[IDENTITY_KEY_FILE_SIZE])
{
    struct buffer buffer;
    buffer_init_fixed(&buffer, out, SUMMED_SIZE);
    write_bytes(&buffer, MAGIC, MAGIC_SIZE);
    write_u8(&buffer, VERSION);
    write_bytes(&buffer, identity->sign_secret, 32);
    write_u64(&buffer, identity->pow_nonce);
    write_bytes(&buffer, identity->transport_secret, sizeof identity->transport_secret);
    write_bytes(&buffer, identity->dht_secret, sizeof identity->dht_secret);
    assert(!buffer.failed && buffer.size == SUMMED_SIZE);
    checksum(out, out + SUMMED_SIZE);
}

static enum identity_result judge_file(const uint8_t *data, size_t size)
{
    uint8_t sum[CHECKSUM_SIZE];
    if (size <= MAGIC_SIZE || memcmp(data, MAGIC, MAGIC_SIZE) != 0)
        return IDENTITY_NOT_A_KEY_FILE;
    if (data[MAGIC_SIZE] != VERSION)
        return IDENTITY_VERSION_UNKNOWN;
    if (size != IDENTITY_KEY_FILE_SIZE)
        return IDENTITY_DAMAGED;
    checksum(data, sum);
    return memcmp(sum, data + SUMMED_SIZE, sizeof sum) == 0 ? IDENTITY_OK : IDENTITY_DAMAGED;
}

enum identity_result identity_decode(const void *data, size_t size, unsigned puzzle_bits,
                                     struct identity *identity)
{
    uint8_t seed[32];
    memset(identity, 0, sizeof *identity);
    enum identity_result result = judge_file(data, size);
    if (result != IDENTITY_OK)
        return result;
    struct reader reader = reader_init(data, SUMMED_SIZE);
    read_view(&reader, MAGIC_SIZE + 1);
    read_bytes(&reader, seed, sizeof seed);
    identity->pow_nonce = read_u64(&reader);
    read_bytes(&reader, identity->transport_secret, sizeof identity->transport_secret);
    read_bytes(&reader, identity->dht_secret, sizeof identity->dht_secret);
    assert(reader_is_done(&reader));
    derive_keys(identity, seed);
    sodium_memzero(seed, sizeof seed);
    // The file keeps the nonce that was found: the first try must solve it.
    if (!identity_search(identity, puzzle_bits, 1)) {
        identity_clear(identity);
        return IDENTITY_PUZZLE_WRONG;
    }
    return IDENTITY_OK;
}

// label || message
static size_t join(const char *label, const void *message, size_t size,
                   uint8_t out[IDENTITY_SIGNED_MAX])
{
    struct buffer buffer;
    buffer_init_fixed(&buffer, out, IDENTITY_SIGNED_MAX);
    write_text(&buffer, label);
    write_bytes(&buffer, message, size);
    assert(!buffer.failed);
    return buffer.size;
}

void identity_sign(const struct identity *identity, const char *label, const void *message,
                   size_t size, uint8_t signature[SIGNATURE_SIZE])
{
    uint8_t joined[IDENTITY_SIGNED_MAX];
    size_t joined_size = join(label, message, size, joined);
    crypto_sign_detached(signature, NULL, joined, joined_size, identity->sign_secret);
}

bool signature_is_valid(const struct sign_key *key, const char *label, const void *message,
                        size_t size, const uint8_t signature[SIGNATURE_SIZE])
{
    uint8_t joined[IDENTITY_SIGNED_MAX];
    size_t joined_size = join(label, message, size, joined);
    return crypto_sign_verify_detached(signature, joined, joined_size, key->bytes) == 0;
}
