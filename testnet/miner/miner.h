// What the miner's threads share: the connections' clients, the limit and the counters, all under
// one lock. The network thread holds it for one line or one send, a hashing thread for taking a
// range and for telling its hits.
#ifndef SHOAL_TESTNET_MINER_MINER_H
#define SHOAL_TESTNET_MINER_MINER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "testnet/miner/client.h"
#include "testnet/miner/limiter.h"
#include "testnet/miner/settings.h"
#include "testnet/miner/stats.h"

struct miner {
    const struct settings *settings;
    pthread_mutex_t lock;
    pthread_cond_t
        changed; // there may be work now, or the end has come; waits on the monotonic clock
    // Everything below is under the lock.
    struct client **clients; // one per connection
    size_t next_client;      // whose turn it is
    struct limiter limiter;
    struct stats stats;
    int64_t said_second; // what clients have to say is shown up to a number of times a second
    unsigned said;
    bool is_paused; // no new work is taken
    bool is_stopping;
    // Clients whose output grew outside of the network thread.
    size_t *dirty;
    size_t dirty_count;
    bool *is_dirty;
    int wake_fd; // an eventfd: written when dirty_count leaves 0
};

#endif
