// SHA-256 as shoal needs it: double hashes of short messages, tagged hashes, and mid-states. SHA-NI
// is chosen once at run time where the processor has it; a portable path does the rest and is
// tested against it. Thread-safe; keeps no state of its own.
#ifndef SHOAL_NODE_POW_SHA256_H
#define SHOAL_NODE_POW_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/hash.h"

// The state after a whole number of 64-byte blocks.
struct sha256_midstate {
    uint32_t words[8];
};

// A hash being computed. Copy it to fork a computation: this is how a template's prefix is hashed
// once.
struct sha256 {
    struct sha256_midstate state;
    uint64_t size; // bytes absorbed
    uint8_t block[64];
};

void sha256_init(struct sha256 *sha);
// Continue from the state after `blocks` blocks of 64 bytes.
void sha256_init_from_midstate(struct sha256 *sha, const struct sha256_midstate *state,
                               uint64_t blocks);
void sha256_update(struct sha256 *sha, const void *data, size_t size);
void sha256_final(struct sha256 *sha, struct hash256 *out);
// The second SHA-256 over the first one's digest.
void sha256d_final(struct sha256 *sha, struct hash256 *out);

void sha256_once(const void *data, size_t size, struct hash256 *out);
void sha256d(const void *data, size_t size, struct hash256 *out);
// SHA256d of exactly 64 bytes (a merkle node) and of exactly 80 (a header): the two fast paths.
void sha256d_64(const uint8_t data[64], struct hash256 *out);
void sha256d_80(const uint8_t data[80], struct hash256 *out);
// The same for many headers, two side by side where that is faster.
void sha256d_80_many(const uint8_t (*headers)[80], size_t count, struct hash256 *out);

// Starts H(tag, m) of protocol section 0: absorb m, then sha256_final.
void sha256_init_tagged(struct sha256 *sha, const char *tag);
void sha256_tagged(const char *tag, const void *data, size_t size, struct hash256 *out);

// "sha-ni" or "portable".
const char *sha256_implementation(void);
// Blocks through a named implementation, for tests and benches; false if this machine has it not.
bool sha256_blocks_with(const char *implementation, struct sha256_midstate *state,
                        const uint8_t *data, size_t blocks);

#endif
