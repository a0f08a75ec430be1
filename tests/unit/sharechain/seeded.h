// Numbers for tests that look random and are the same in every run, and an env made of them.
#ifndef SHOAL_TESTS_UNIT_SHARECHAIN_SEEDED_H
#define SHOAL_TESTS_UNIT_SHARECHAIN_SEEDED_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include "node/base/env.h"
#include "node/base/hash.h"
#include "node/base/log.h"

struct seeded {
    uint64_t state;
};

static inline uint64_t seeded_u64(struct seeded *seeded)
{
    seeded->state += 0x9e3779b97f4a7c15u;
    uint64_t z = seeded->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline uint64_t seeded_below(struct seeded *seeded, uint64_t bound)
{
    return seeded_u64(seeded) % bound;
}

static inline void seeded_bytes(struct seeded *seeded, void *out, size_t size)
{
    uint8_t *bytes = out;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)seeded_u64(seeded);
}

static inline struct hash256 seeded_hash(struct seeded *seeded)
{
    struct hash256 hash;
    seeded_bytes(seeded, hash.bytes, sizeof(hash.bytes));
    return hash;
}

static inline void seeded_random(void *context, void *out, size_t size)
{
    seeded_bytes(context, out, size);
}

// The log is silent; seeded_env_clear frees it.
static inline struct env seeded_env(struct seeded *seeded)
{
    return (struct env){.random = seeded_random, .context = seeded, .log = log_new_silent()};
}

static inline void seeded_env_clear(struct env *env)
{
    log_free(env->log);
}

#endif
