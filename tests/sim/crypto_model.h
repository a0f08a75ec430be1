// Stands in for libsodium's slow functions, by the linker's --wrap, so that ten thousand nodes fit
// on one core: keys, shared secrets, signatures and tags are quick mixes of the same sizes, which
// fail where the real ones fail when a byte is another. They protect nothing. Hashes stay real.
// With --crypto real the real functions are called, and only then are they tested, too.
#ifndef SHOAL_TESTS_SIM_CRYPTO_MODEL_H
#define SHOAL_TESTS_SIM_CRYPTO_MODEL_H

#include <stdbool.h>

// What it was before.
bool crypto_model_use(bool is_model);

#endif
