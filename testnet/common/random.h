// The system's randomness in the form that node/base/env.h wants.
#ifndef SHOAL_TESTNET_COMMON_RANDOM_H
#define SHOAL_TESTNET_COMMON_RANDOM_H

#include <stddef.h>

// Fills out; context is not used.
void random_system(void *context, void *out, size_t size);

#endif
