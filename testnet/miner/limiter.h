// Keeps the hashrate of all threads together at what was asked for. A reservation says when its
// hashes may begin; time that was not used is given back for a tenth of a second, not more, so that
// a pause makes no burst.
#ifndef SHOAL_TESTNET_MINER_LIMITER_H
#define SHOAL_TESTNET_MINER_LIMITER_H

#include <stdint.h>

struct limiter {
    uint64_t rate;   // hashes per second; 0: no limit
    int64_t next_ns; // when the hashes reserved so far are done at that rate
};

void limiter_init(struct limiter *limiter, uint64_t rate, int64_t now_ns);
// The time at which `hashes` more may begin; now_ns if there is no limit.
int64_t limiter_reserve(struct limiter *limiter, uint64_t hashes, int64_t now_ns);

#endif
