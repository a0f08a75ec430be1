#include "node/base/env.h"

#include <assert.h>

void env_random_bytes(const struct env *env, void *out, size_t size)
{
    env->random(env->context, out, size);
}

uint64_t env_random_u64(const struct env *env)
{
    uint64_t value;
    env_random_bytes(env, &value, sizeof value);
    return value;
}

uint64_t env_random_below(const struct env *env, uint64_t bound)
{
    assert(bound > 0);
    // 2^64 mod bound values at the low end would make small results likelier: draw again.
    uint64_t surplus = (UINT64_MAX - bound + 1) % bound;
    uint64_t value = env_random_u64(env);
    while (value < surplus)
        value = env_random_u64(env);
    return value % bound;
}
