// The handshakes Noise_XK_25519_ChaChaPoly_BLAKE2b and, with a secret, Noise_XKpsk0_... (Noise
// revision 34). The initiator knows the responder's static key beforehand and hides its own from
// everybody else. Three messages, alternating, the initiator's first; then both sides hold the same
// keys. Randomness (the ephemeral key) comes from the caller, so published vectors can be replayed.
// After any failure the handshake is dead and every further call fails.
#ifndef SHOAL_DHT_NOISE_H
#define SHOAL_DHT_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"

#define NOISE_KEY_SIZE    32
#define NOISE_HASH_SIZE   64
#define NOISE_TAG_SIZE    16
#define NOISE_MESSAGE_MAX 65535
#define NOISE_MESSAGES    3

// What each message adds to its payload: e and a tag; e and a tag; s, its tag and a tag.
#define NOISE_OVERHEAD_1 (NOISE_KEY_SIZE + NOISE_TAG_SIZE)
#define NOISE_OVERHEAD_2 (NOISE_KEY_SIZE + NOISE_TAG_SIZE)
#define NOISE_OVERHEAD_3 (NOISE_KEY_SIZE + 2 * NOISE_TAG_SIZE)

enum noise_role { NOISE_INITIATOR, NOISE_RESPONDER };

// All borrowed for the call of noise_init only.
struct noise_config {
    enum noise_role role;
    const void *prologue;
    size_t prologue_size;
    const uint8_t *psk;              // NOISE_KEY_SIZE bytes, or NULL for plain XK
    const uint8_t *static_secret;    // ours
    const uint8_t *static_key;       // and its public half
    const uint8_t *ephemeral_secret; // ours, drawn for this handshake alone
    const uint8_t *remote_static;    // the responder's public key; of the initiator only
};

struct noise_cipher {
    uint8_t key[NOISE_KEY_SIZE];
    uint64_t nonce;
};

// State of one handshake. Fields are noise.c's; holds secrets: noise_clear.
struct noise_handshake {
    enum noise_role role;
    bool has_psk;
    bool has_failed;
    unsigned messages_done; // 0..NOISE_MESSAGES
    uint8_t chaining_key[NOISE_HASH_SIZE];
    uint8_t hash[NOISE_HASH_SIZE];
    struct noise_cipher cipher;
    uint8_t psk[NOISE_KEY_SIZE];
    uint8_t static_secret[NOISE_KEY_SIZE];
    uint8_t static_key[NOISE_KEY_SIZE];
    uint8_t ephemeral_secret[NOISE_KEY_SIZE];
    uint8_t ephemeral_key[NOISE_KEY_SIZE];
    uint8_t remote_static[NOISE_KEY_SIZE]; // at the responder: known after message 3
    uint8_t remote_ephemeral[NOISE_KEY_SIZE];
};

// What a finished handshake leaves, as seen from one side.
struct noise_keys {
    uint8_t send[NOISE_KEY_SIZE];
    uint8_t receive[NOISE_KEY_SIZE];
    uint8_t hash[NOISE_HASH_SIZE]; // the same on both sides, unique to this handshake
};

void noise_init(struct noise_handshake *handshake, const struct noise_config *config);
void noise_clear(struct noise_handshake *handshake);

// Whether the next message is ours to write.
bool noise_is_our_turn(const struct noise_handshake *handshake);
bool noise_is_done(const struct noise_handshake *handshake);

// Appends the next message with this payload. False if it is not our turn, the handshake is dead,
// the buffer or NOISE_MESSAGE_MAX has no room, or the peer's key is one of those that make every
// shared secret zero.
bool noise_write(struct noise_handshake *handshake, const void *payload, size_t size,
                 struct buffer *out);
// Reads the peer's next message; payload has room for size - overhead bytes of that message, which
// is what *payload_size becomes. False if it is not the peer's turn or a tag is wrong.
bool noise_read(struct noise_handshake *handshake, const uint8_t *message, size_t size,
                uint8_t *payload, size_t *payload_size);

// Of a finished handshake: the transport keys (Split).
void noise_split(const struct noise_handshake *handshake, struct noise_keys *keys);
// Of a finished handshake: two further keys for another purpose, independent of Split's. The first
// is for what the initiator sends. label is ASCII and not empty.
void noise_derive(const struct noise_handshake *handshake, const char *label,
                  uint8_t initiator[NOISE_KEY_SIZE], uint8_t responder[NOISE_KEY_SIZE]);

// Noise's REKEY: the key becomes the first 32 bytes of zeros sealed under nonce 2^64 - 1.
void noise_rekey(uint8_t key[NOISE_KEY_SIZE]);
// The 12-byte nonce of ChaChaPoly: four zeros, then the counter.
void noise_nonce(uint64_t counter, uint8_t nonce[12]);

#endif
