// Proof of work as a table: one row of functions per algorithm. A new algorithm is one new file and
// one row.
#ifndef SHOAL_NODE_POW_POW_H
#define SHOAL_NODE_POW_POW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/hash.h"
#include "node/base/u256.h"

enum pow_kind { POW_SHA256D, POW_SCRYPT };

struct pow_algorithm {
    enum pow_kind kind;
    const char *name; // "sha256d", "scrypt"
    // Worth a worker thread: takes tens of microseconds, not hundreds of nanoseconds.
    bool is_slow;
    // What miners mean by difficulty 1, as a multiple of Bitcoin's 00000000FFFF0000...: 1 for
    // sha256d, 65536 for scrypt.
    uint32_t difficulty_scale;
};

const struct pow_algorithm *pow_algorithm(enum pow_kind kind);

// Working memory for hashing on one thread; NULL if out of memory.
struct pow_memory;
struct pow_memory *pow_memory_new(enum pow_kind kind);
void pow_memory_free(struct pow_memory *memory);
// pow(header) of protocol section 0.
void pow_hash(struct pow_memory *memory, const uint8_t header[80], struct hash256 *out);
void pow_hash_many(struct pow_memory *memory, const uint8_t (*headers)[80], size_t count,
                   struct hash256 *out);

#endif
