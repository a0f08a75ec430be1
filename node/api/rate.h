// How many requests an address may make: 50 a second, 200 at once. A bounded table: where more
// addresses come than it holds, the one that asked longest ago gives way. No I/O.
#ifndef SHOAL_NODE_API_RATE_H
#define SHOAL_NODE_API_RATE_H

#include <stdbool.h>
#include <stdint.h>
#include "node/base/env.h"
#include "node/base/time.h"

#define API_RATE_PER_SECOND 50
#define API_RATE_BURST      200

struct api_rate;

// NULL if out of memory.
struct api_rate *api_rate_new(const struct env *env);
void api_rate_free(struct api_rate *rate);
// Counts one request; false if it is one too many. `address` without port.
bool api_rate_take(struct api_rate *rate, const char *address, struct mono_time now);

#endif
