#include "tests/sim/random.h"

#include <math.h>
#include <string.h>
#include "node/base/u256.h"

static uint64_t rotate(uint64_t value, unsigned by)
{
    return (value << by) | (value >> (64 - by));
}

static uint64_t split_mix(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t mixed = *state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
}

void random_init(struct random *random, uint64_t seed, uint64_t stream)
{
    uint64_t state = seed;
    state = split_mix(&state) ^ (stream * 0xd1342543de82ef95u);
    for (unsigned i = 0; i < 4; i++)
        random->state[i] = split_mix(&state);
}

uint64_t random_u64(struct random *random)
{
    uint64_t *state = random->state;
    uint64_t result = rotate(state[1] * 5, 7) * 9;
    uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate(state[3], 45);
    return result;
}

uint64_t random_below(struct random *random, uint64_t bound)
{
    return (uint64_t)(((u128)random_u64(random) * bound) >> 64);
}

bool random_chance(struct random *random, unsigned permille)
{
    return permille != 0 && random_below(random, 1000) < permille;
}

double random_unit(struct random *random)
{
    return (double)(random_u64(random) >> 11) / 9007199254740992.0;
}

double random_normal(struct random *random)
{
    const double turn = 6.283185307179586;
    double radius = sqrt(-2 * log(1 - random_unit(random)));
    return radius * cos(turn * random_unit(random));
}

void random_bytes(struct random *random, void *out, size_t size)
{
    uint8_t *bytes = out;
    for (size_t i = 0; i < size; i += 8) {
        uint64_t value = random_u64(random);
        memcpy(bytes + i, &value, size - i < 8 ? size - i : 8);
    }
}

struct hash256 random_hash(struct random *random)
{
    struct hash256 hash;
    random_bytes(random, hash.bytes, sizeof hash.bytes);
    return hash;
}

void random_fill(void *context, void *out, size_t size)
{
    random_bytes(context, out, size);
}
