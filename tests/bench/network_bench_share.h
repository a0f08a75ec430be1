// Rows of network_bench: a share from its miner to all of five nodes, and the same while somebody
// misbehaves.
#ifndef SHOAL_TESTS_BENCH_NETWORK_BENCH_SHARE_H
#define SHOAL_TESTS_BENCH_NETWORK_BENCH_SHARE_H

#include "tests/bench/bench.h"

// `folder` is empty and stays behind full.
void network_bench_share(struct bench *bench, const char *folder);

#endif
