// The threads that hash.
#ifndef SHOAL_TESTNET_MINER_WORKERS_H
#define SHOAL_TESTNET_MINER_WORKERS_H

#include "testnet/miner/miner.h"

struct workers;

// NULL if a thread or its memory cannot be had.
struct workers *workers_start(struct miner *miner);
// Ends and joins them: sets miner->is_stopping.
void workers_stop(struct workers *workers);

#endif
