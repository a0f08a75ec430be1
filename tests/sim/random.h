// Numbers that follow from a seed: xoshiro256**, one stream for each host, so that what one host
// draws changes nothing for another. Doubles are for models of the network only.
#ifndef SHOAL_TESTS_SIM_RANDOM_H
#define SHOAL_TESTS_SIM_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/hash.h"

struct random {
    uint64_t state[4];
};

void random_init(struct random *random, uint64_t seed, uint64_t stream);
uint64_t random_u64(struct random *random);
// 0..bound-1; bound is not 0.
uint64_t random_below(struct random *random, uint64_t bound);
// True `permille` times in a thousand.
bool random_chance(struct random *random, unsigned permille);
// 0..1, 1 excluded.
double random_unit(struct random *random);
// Mean 0, standard deviation 1.
double random_normal(struct random *random);
void random_bytes(struct random *random, void *out, size_t size);
struct hash256 random_hash(struct random *random);
// As `struct env` wants it; the context is the struct random.
void random_fill(void *context, void *out, size_t size);

#endif
