// Targets, compact bits, work and difficulty: protocol section 0.
#ifndef SHOAL_NODE_POW_TARGET_H
#define SHOAL_NODE_POW_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include "node/base/hash.h"
#include "node/base/u256.h"
#include "node/pow/pow.h"

// expand(bits): false for negative, zero and overflowing values.
bool target_expand(uint32_t bits, struct u256 *target);
// compact(target): truncates as Bitcoin does.
uint32_t target_compact(const struct u256 *target);
// True if the bits are a field's canonical form: they expand, and compact to themselves.
bool target_bits_are_canonical(uint32_t bits);
// floor(2^256 / (target + 1)).
struct u256 target_work(const struct u256 *target);
// The hash as a 256-bit little-endian integer is at most the target.
bool target_is_met(const struct hash256 *hash, const struct u256 *target);
struct u256 target_of_hash(const struct hash256 *hash);
// Stratum difficulty <-> target: difficulty 1 is 00000000FFFF0000... times the algorithm's scale.
double target_to_difficulty(const struct u256 *target, const struct pow_algorithm *algorithm);
// Difficulty must be finite and > 0; the result is at least 1 and at most 2^256 - 1.
struct u256 target_from_difficulty(double difficulty, const struct pow_algorithm *algorithm);

#endif
