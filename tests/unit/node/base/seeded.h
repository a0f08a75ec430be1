// Repeatable random numbers for the tests of this folder (splitmix64).
#ifndef SHOAL_TESTS_UNIT_NODE_BASE_SEEDED_H
#define SHOAL_TESTS_UNIT_NODE_BASE_SEEDED_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t seeded_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

// As env.random wants it; context is the uint64_t state.
static inline void seeded_fill(void *context, void *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)out)[i] = (uint8_t)seeded_next(context);
}

#endif
