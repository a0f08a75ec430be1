// The compression function of SHA-256 in the forms that sha256.c builds on: one engine per way to
// compute it, each in a file of its own because each is compiled for its own instruction set. Only
// sha256.c calls these, and only an engine whose needs the processor meets.
#ifndef SHOAL_NODE_POW_SHA256_ENGINE_H
#define SHOAL_NODE_POW_SHA256_ENGINE_H

#include <stddef.h>
#include <stdint.h>
#include "node/base/hash.h"

struct sha256_engine {
    const char *name;
    unsigned cpu_needs; // enum cpu_feature, or-ed
    // Absorbs `count` blocks of 64 bytes.
    void (*blocks)(uint32_t state[8], const uint8_t *data, size_t count);
    // SHA-256 of the 32-byte digest that `state` stands for: the second half of SHA256d.
    void (*hash_digest)(const uint32_t state[8], struct hash256 *out);
    // SHA256d of two headers side by side; NULL if that is not faster than one after the other.
    void (*hash_two_headers)(const uint8_t headers[2][80], struct hash256 out[2]);
};

extern const struct sha256_engine sha256_engine_portable;
extern const struct sha256_engine sha256_engine_sha_ni; // x86-64 only

// The fractional parts of the square and cube roots of the first primes: initial state, round
// constants.
extern const uint32_t sha256_initial[8];
extern const uint32_t sha256_constants[64];

#endif
