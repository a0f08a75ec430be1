// The chains of network_bench's first row: a coin of a week with a block every ten minutes, and on
// it a share-chain of 20 000 links, 30 s apart, with 30 grains of 200 miners in each and the merkle
// branches of full blocks. Its window holds all of it. Made in this process, straight into the
// store that a node opens; nothing of it is kept from run to run.
#ifndef SHOAL_TESTS_BENCH_NETWORK_BENCH_CHAIN_H
#define SHOAL_TESTS_BENCH_NETWORK_BENCH_CHAIN_H

#include <stdint.h>
#include "node/base/hash.h"

#define LONG_LINKS           20000
#define LONG_GRAINS_PER_LINK 30
#define LONG_BLOCK_BITS      "1f7fffff"

struct long_chain {
    uint32_t genesis_time; // of coin and pool
    struct hash256 tip;
    uint32_t height;
    uint64_t grains;
    double made_s;
};

// Fills folder/coin (for `devchain --data`), folder/pool (the pool file) and `store`.
void long_chain_make(struct long_chain *made, const char *folder, const char *store);

#endif
