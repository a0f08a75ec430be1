// Which pool to mine at: the first one of the list that works. A pool that failed is left alone for
// a while that doubles each time; when a better one than the current may be back, a single
// connection goes and looks, and the others follow it once it mines there.
#ifndef SHOAL_TESTNET_MINER_POOLS_H
#define SHOAL_TESTNET_MINER_POOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POOLS_MAX           16
#define POOLS_NONE          ((size_t)-1)
#define POOL_HOST_MAX       253
#define POOL_BACKOFF_MIN_MS 1000
#define POOL_BACKOFF_MAX_MS 30000

struct pool {
    char host[POOL_HOST_MAX + 1];
    char port[6];
    unsigned failures;   // in a row
    int64_t retry_at_ms; // not before
    bool is_good;        // somebody mines there
    bool is_probed;      // somebody went to look
};

struct pools {
    struct pool list[POOLS_MAX]; // most preferred first
    size_t count;
};

// Adds "host:port", "[v6]:port", with or without "stratum+tcp://" in front. False if it is no such
// thing.
bool pools_add(struct pools *pools, const char *url);
// The pool to connect to now, POOLS_NONE if all are to be left alone yet.
size_t pools_pick(const struct pools *pools, int64_t now_ms);
// A better pool than `current` to go to, POOLS_NONE to stay. Marks it as probed if nobody mines
// there yet. `lot` is random: of those who follow, one in eight goes at each call.
size_t pools_return(struct pools *pools, size_t current, int64_t now_ms, uint32_t lot);
// It gives work.
void pools_succeed(struct pools *pools, size_t i);
// It cannot be reached, said no, or hung up. `lot` is random and spreads the next tries.
void pools_fail(struct pools *pools, size_t i, int64_t now_ms, uint32_t lot);

#endif
