// What an engine may use of the outside world: randomness and the log. The node gives the system's,
// the simulator a seeded one. Borrowed by the engines, outlives them.
#ifndef SHOAL_NODE_BASE_ENV_H
#define SHOAL_NODE_BASE_ENV_H

#include <stddef.h>
#include <stdint.h>

struct log;

struct env {
    void (*random)(void *context, void *out, size_t size);
    void *context;
    struct log *log; // never NULL; log_new_silent() for tests
};

void env_random_bytes(const struct env *env, void *out, size_t size);
uint64_t env_random_u64(const struct env *env);
// Uniform in 0..bound-1; bound is not 0.
uint64_t env_random_below(const struct env *env, uint64_t bound);

#endif
