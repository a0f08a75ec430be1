// Who a node is (p2p.md, Identity): an Ed25519 key pair whose public half, with the nonce that
// solves a puzzle, is the node id; and two X25519 key pairs that are kept apart from it and from
// each other, one for links (Noise's static key) and one for DHT datagrams. Made once at first
// start; the caller keeps the encoded form in a file of mode 0600. Holds secrets: identity_clear.
// Call sodium_init before any function of dht/.
#ifndef SHOAL_DHT_IDENTITY_H
#define SHOAL_DHT_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/env.h"
#include "node/base/hash.h"

#define IDENTITY_PUZZLE_BITS      24 // about four seconds of one core
#define IDENTITY_PUZZLE_BITS_TEST 8  // devchain and regtest pools
#define IDENTITY_KEY_FILE_SIZE    121
#define SIGNATURE_SIZE            64

// BLAKE2b-256("shoal node" || sign_key || pow_nonce). Distance in the DHT is XOR of these.
struct node_id {
    struct hash256 hash;
};

// Public keys.
struct sign_key {
    uint8_t bytes[32]; // Ed25519
};
struct transport_key {
    uint8_t bytes[32]; // X25519, links only
};
struct dht_key {
    uint8_t bytes[32]; // X25519, datagrams only
};

struct identity {
    struct node_id id;
    uint64_t pow_nonce;
    struct sign_key sign_key;
    struct transport_key transport_key;
    struct dht_key dht_key;
    uint8_t sign_secret[64]; // libsodium's form: seed, then public key
    uint8_t transport_secret[32];
    uint8_t dht_secret[32];
};

enum identity_result {
    IDENTITY_OK,
    IDENTITY_NOT_A_KEY_FILE, // wrong size or beginning
    IDENTITY_VERSION_UNKNOWN,
    IDENTITY_DAMAGED,      // the checksum is wrong
    IDENTITY_PUZZLE_WRONG, // made for a pool with an easier puzzle
};
const char *identity_result_text(enum identity_result result);

// Draws new keys and a nonce to start the search from. The id is not valid until identity_search
// says so.
void identity_begin(struct identity *identity, const struct env *env);
// Tries the next `tries` nonces; true as soon as one solves the puzzle, the identity is then whole.
// Touches nothing but *identity, so it may run anywhere; 2^bits tries are expected in all.
bool identity_search(struct identity *identity, unsigned puzzle_bits, uint64_t tries);
void identity_clear(struct identity *identity);

// The content of the key file, secrets in clear: the caller wipes `out`.
void identity_encode(const struct identity *identity, uint8_t out[IDENTITY_KEY_FILE_SIZE]);
// On failure *identity is zeros.
enum identity_result identity_decode(const void *data, size_t size, unsigned puzzle_bits,
                                     struct identity *identity);

void node_id_of(const struct sign_key *key, uint64_t pow_nonce, struct node_id *id);
// One hash: cheap enough to be checked before anything else about a node. puzzle_bits <= 64.
bool node_puzzle_is_solved(const struct sign_key *key, uint64_t pow_nonce, unsigned puzzle_bits);

// Ed25519 over `label` (ASCII, says what is signed, so that no signature means two things), then
// the message. At most IDENTITY_SIGNED_MAX bytes together.
#define IDENTITY_SIGNED_MAX 512
void identity_sign(const struct identity *identity, const char *label, const void *message,
                   size_t size, uint8_t signature[SIGNATURE_SIZE]);
bool signature_is_valid(const struct sign_key *key, const char *label, const void *message,
                        size_t size, const uint8_t signature[SIGNATURE_SIZE]);

#endif
