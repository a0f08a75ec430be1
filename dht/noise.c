#include "dht/noise.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>
#include "dht/hmac_blake2b.h"

_Static_assert(NOISE_HASH_SIZE == HMAC_BLAKE2B_SIZE, "one hash function");

// Section numbers are those of the Noise specification.

void noise_nonce(uint64_t counter, uint8_t nonce[12])
{
    memset(nonce, 0, 4);
    for (unsigned i = 0; i < 8; i++)
        nonce[4 + i] = (uint8_t)(counter >> (8 * i));
}

// 5.2 MixHash
static void mix_hash(struct noise_handshake *handshake, const void *data, size_t size)
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, NOISE_HASH_SIZE);
    crypto_generichash_update(&state, handshake->hash, NOISE_HASH_SIZE);
    crypto_generichash_update(&state, data, size);
    crypto_generichash_final(&state, handshake->hash, NOISE_HASH_SIZE);
}

static void set_key(struct noise_handshake *handshake, const uint8_t key[NOISE_HASH_SIZE])
{
    memcpy(handshake->cipher.key, key, NOISE_KEY_SIZE);
    handshake->cipher.nonce = 0;
}

// 5.2 MixKey
static void mix_key(struct noise_handshake *handshake, const uint8_t material[NOISE_KEY_SIZE])
{
    uint8_t outputs[2][NOISE_HASH_SIZE];
    const struct hkdf_input input = {handshake->chaining_key, material, NOISE_KEY_SIZE};
    hkdf_blake2b(&input, outputs, 2);
    memcpy(handshake->chaining_key, outputs[0], NOISE_HASH_SIZE);
    set_key(handshake, outputs[1]);
    sodium_memzero(outputs, sizeof outputs);
}

// 5.2 MixKeyAndHash
static void mix_key_and_hash(struct noise_handshake *handshake,
                             const uint8_t material[NOISE_KEY_SIZE])
{
    uint8_t outputs[3][NOISE_HASH_SIZE];
    const struct hkdf_input input = {handshake->chaining_key, material, NOISE_KEY_SIZE};
    hkdf_blake2b(&input, outputs, 3);
    memcpy(handshake->chaining_key, outputs[0], NOISE_HASH_SIZE);
    mix_hash(handshake, outputs[1], NOISE_HASH_SIZE);
    set_key(handshake, outputs[2]);
    sodium_memzero(outputs, sizeof outputs);
}

static bool mix_shared(struct noise_handshake *handshake, const uint8_t secret[NOISE_KEY_SIZE],
                       const uint8_t key[NOISE_KEY_SIZE])
{
    uint8_t shared[NOISE_KEY_SIZE];
    // Fails for the few public keys that make every shared secret zero (section 12.1 allows it).
    bool is_right = crypto_scalarmult(shared, secret, key) == 0;
    if (is_right)
        mix_key(handshake, shared);
    sodium_memzero(shared, sizeof shared);
    return is_right;
}

// 5.2 EncryptAndHash, with a key, as always in these two patterns.
static void seal_and_hash(struct noise_handshake *handshake, const void *plain, size_t size,
                          uint8_t *out)
{
    uint8_t nonce[12];
    noise_nonce(handshake->cipher.nonce++, nonce);
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain, size, handshake->hash,
                                              NOISE_HASH_SIZE, NULL, nonce, handshake->cipher.key);
    mix_hash(handshake, out, size + NOISE_TAG_SIZE);
}

// 5.2 DecryptAndHash; size includes the tag.
static bool open_and_hash(struct noise_handshake *handshake, const uint8_t *sealed, size_t size,
                          uint8_t *plain)
{
    uint8_t nonce[12];
    noise_nonce(handshake->cipher.nonce++, nonce);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed, size, handshake->hash,
                                                  NOISE_HASH_SIZE, nonce,
                                                  handshake->cipher.key) != 0)
        return false;
    mix_hash(handshake, sealed, size);
    return true;
}

void noise_init(struct noise_handshake *handshake, const struct noise_config *config)
{
    const char *name = config->psk == NULL ? "Noise_XK_25519_ChaChaPoly_BLAKE2b"
                                           : "Noise_XKpsk0_25519_ChaChaPoly_BLAKE2b";
    memset(handshake, 0, sizeof *handshake);
    handshake->role = config->role;
    handshake->has_psk = config->psk != NULL;
    if (config->psk != NULL)
        memcpy(handshake->psk, config->psk, NOISE_KEY_SIZE);
    memcpy(handshake->static_secret, config->static_secret, NOISE_KEY_SIZE);
    memcpy(handshake->ephemeral_secret, config->ephemeral_secret, NOISE_KEY_SIZE);
    memcpy(handshake->static_key, config->static_key, NOISE_KEY_SIZE);
    // 5.2: a name shorter than a hash is padded with zeros, and is the first h and ck.
    memcpy(handshake->hash, name, strlen(name));
    memcpy(handshake->chaining_key, handshake->hash, NOISE_HASH_SIZE);
    mix_hash(handshake, config->prologue, config->prologue_size);
    // The pre-message: the responder's static key.
    if (config->role == NOISE_INITIATOR)
        memcpy(handshake->remote_static, config->remote_static, NOISE_KEY_SIZE);
    mix_hash(handshake,
             config->role == NOISE_INITIATOR ? handshake->remote_static : handshake->static_key,
             NOISE_KEY_SIZE);
}

void noise_clear(struct noise_handshake *handshake)
{
    sodium_memzero(handshake, sizeof *handshake);
    handshake->has_failed = true;
}

bool noise_is_done(const struct noise_handshake *handshake)
{
    return !handshake->has_failed && handshake->messages_done == NOISE_MESSAGES;
}

bool noise_is_our_turn(const struct noise_handshake *handshake)
{
    bool is_initiators = handshake->messages_done % 2 == 0;
    return !handshake->has_failed && handshake->messages_done < NOISE_MESSAGES &&
           is_initiators == (handshake->role == NOISE_INITIATOR);
}

static bool is_peers_turn(const struct noise_handshake *handshake)
{
    return !handshake->has_failed && handshake->messages_done < NOISE_MESSAGES &&
           !noise_is_our_turn(handshake);
}

static size_t overhead(const struct noise_handshake *handshake)
{
    return handshake->messages_done == 2 ? NOISE_OVERHEAD_3 : NOISE_OVERHEAD_1;
}

// Token e, for either direction: 9.2 has it mixed into the key too where there is a psk.
static void mix_ephemeral(struct noise_handshake *handshake, const uint8_t key[NOISE_KEY_SIZE])
{
    mix_hash(handshake, key, NOISE_KEY_SIZE);
    if (handshake->has_psk)
        mix_key(handshake, key);
}

// Messages 1 and 2, `-> [psk,] e, es` and `<- e, ee`: the tokens after which payload follows.
static void begin_message(struct noise_handshake *handshake)
{
    if (handshake->messages_done == 0 && handshake->has_psk)
        mix_key_and_hash(handshake, handshake->psk);
}

// es: the initiator's ephemeral with the responder's static key.
static bool mix_es(struct noise_handshake *handshake)
{
    return handshake->role == NOISE_INITIATOR
               ? mix_shared(handshake, handshake->ephemeral_secret, handshake->remote_static)
               : mix_shared(handshake, handshake->static_secret, handshake->remote_ephemeral);
}

static bool mix_ee(struct noise_handshake *handshake)
{
    return mix_shared(handshake, handshake->ephemeral_secret, handshake->remote_ephemeral);
}

// se: the initiator's static with the responder's ephemeral key.
static bool mix_se(struct noise_handshake *handshake)
{
    return handshake->role == NOISE_INITIATOR
               ? mix_shared(handshake, handshake->static_secret, handshake->remote_ephemeral)
               : mix_shared(handshake, handshake->ephemeral_secret, handshake->remote_static);
}

// The shared secret of each message comes after its key: es, ee, se.
static bool mix_message_secret(struct noise_handshake *handshake)
{
    if (handshake->messages_done == 0)
        return mix_es(handshake);
    return handshake->messages_done == 1 ? mix_ee(handshake) : mix_se(handshake);
}

bool noise_write(struct noise_handshake *handshake, const void *payload, size_t size,
                 struct buffer *out)
{
    size_t added = overhead(handshake);
    if (!noise_is_our_turn(handshake) || size > NOISE_MESSAGE_MAX - added ||
        !buffer_reserve(out, size + added)) {
        handshake->has_failed = true;
        return false;
    }
    uint8_t *at = out->data + out->size;
    if (handshake->messages_done == 2) {
        seal_and_hash(handshake, handshake->static_key, NOISE_KEY_SIZE, at);
        at += NOISE_KEY_SIZE + NOISE_TAG_SIZE;
    } else {
        begin_message(handshake);
        crypto_scalarmult_base(handshake->ephemeral_key, handshake->ephemeral_secret);
        memcpy(at, handshake->ephemeral_key, NOISE_KEY_SIZE);
        mix_ephemeral(handshake, handshake->ephemeral_key);
        at += NOISE_KEY_SIZE;
    }
    if (!mix_message_secret(handshake)) {
        handshake->has_failed = true;
        return false;
    }
    seal_and_hash(handshake, payload, size, at);
    out->size += size + added;
    handshake->messages_done++;
    return true;
}

// e or s of the peer's message; how many bytes it took is *taken.
static bool read_key(struct noise_handshake *handshake, const uint8_t *message, size_t *taken)
{
    if (handshake->messages_done == 2) {
        *taken = NOISE_KEY_SIZE + NOISE_TAG_SIZE;
        return open_and_hash(handshake, message, *taken, handshake->remote_static);
    }
    begin_message(handshake);
    memcpy(handshake->remote_ephemeral, message, NOISE_KEY_SIZE);
    mix_ephemeral(handshake, handshake->remote_ephemeral);
    *taken = NOISE_KEY_SIZE;
    return true;
}

bool noise_read(struct noise_handshake *handshake, const uint8_t *message, size_t size,
                uint8_t *payload, size_t *payload_size)
{
    size_t taken;
    if (is_peers_turn(handshake) && size >= overhead(handshake) && size <= NOISE_MESSAGE_MAX &&
        read_key(handshake, message, &taken) && mix_message_secret(handshake) &&
        open_and_hash(handshake, message + taken, size - taken, payload)) {
        *payload_size = size - taken - NOISE_TAG_SIZE;
        handshake->messages_done++;
        return true;
    }
    handshake->has_failed = true;
    return false;
}

static void derive(const struct noise_handshake *handshake, const char *material,
                   uint8_t initiator[NOISE_KEY_SIZE], uint8_t responder[NOISE_KEY_SIZE])
{
    assert(noise_is_done(handshake));
    uint8_t outputs[2][NOISE_HASH_SIZE];
    const struct hkdf_input input = {handshake->chaining_key, material, strlen(material)};
    hkdf_blake2b(&input, outputs, 2);
    memcpy(initiator, outputs[0], NOISE_KEY_SIZE);
    memcpy(responder, outputs[1], NOISE_KEY_SIZE);
    sodium_memzero(outputs, sizeof outputs);
}

void noise_split(const struct noise_handshake *handshake, struct noise_keys *keys)
{
    // 5.2 Split: HKDF of the chaining key with no material.
    if (handshake->role == NOISE_INITIATOR)
        derive(handshake, "", keys->send, keys->receive);
    else
        derive(handshake, "", keys->receive, keys->send);
    memcpy(keys->hash, handshake->hash, NOISE_HASH_SIZE);
}

void noise_derive(const struct noise_handshake *handshake, const char *label,
                  uint8_t initiator[NOISE_KEY_SIZE], uint8_t responder[NOISE_KEY_SIZE])
{
    assert(label[0] != '\0');
    derive(handshake, label, initiator, responder);
}

void noise_rekey(uint8_t key[NOISE_KEY_SIZE])
{
    static const uint8_t zeros[NOISE_KEY_SIZE] = {0};
    uint8_t nonce[12];
    uint8_t sealed[NOISE_KEY_SIZE + NOISE_TAG_SIZE];
    noise_nonce(UINT64_MAX, nonce);
    crypto_aead_chacha20poly1305_ietf_encrypt(sealed, NULL, zeros, sizeof zeros, NULL, 0, NULL,
                                              nonce, key);
    memcpy(key, sealed, NOISE_KEY_SIZE);
    sodium_memzero(sealed, sizeof sealed);
}
