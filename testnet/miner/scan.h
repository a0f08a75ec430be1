// Searching nonces: the miner's inner loop. One scanner per thread. SHA-256d starts from the
// mid-state of the header's first 64 bytes, two nonces side by side where the processor has SHA-NI;
// scrypt uses all of node/pow's lanes. Every hit has been hashed once more by node/pow before it is
// reported.
#ifndef SHOAL_TESTNET_MINER_SCAN_H
#define SHOAL_TESTNET_MINER_SCAN_H

#include <stddef.h>
#include <stdint.h>
#include "node/base/hash.h"
#include "node/base/u256.h"
#include "node/bitcoin/header.h"
#include "node/pow/pow.h"
#include "node/pow/sha256.h"

#define SCAN_HITS_MAX 64

struct scan_work {
    uint8_t header[HEADER_SIZE]; // the nonce in it does not matter
    struct u256 target;
    struct sha256_midstate midstate; // of the header's first 64 bytes: scan_work_prepare
};

struct scan_hit {
    uint32_t nonce;
    struct hash256 hash;
};

struct scan_hits {
    size_t count;
    struct scan_hit hits[SCAN_HITS_MAX];
};

struct scanner;

struct scanner *scanner_new(enum pow_kind kind); // NULL if out of memory
void scanner_free(struct scanner *scanner);
// Nonces that are best looked at in one go.
uint32_t scanner_lanes(const struct scanner *scanner);
// "sha-ni x2", "portable" or scrypt's implementation.
const char *scanner_implementation(const struct scanner *scanner);

// Computes the mid-state after the header was filled in.
void scan_work_prepare(struct scan_work *work);
// Looks at nonces first .. first + count - 1 (no wrap: first + count <= 2^32) in order and stops
// early when the list of hits is full. Returns how many nonces it looked at.
uint64_t scanner_scan(struct scanner *scanner, const struct scan_work *work, uint32_t first,
                      uint64_t count, struct scan_hits *hits);

#endif
