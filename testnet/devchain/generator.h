// Makes the chain's own traffic: fee-paying transactions that move the genesis funds around, some
// with witnesses, some with signature operations, some spending each other's outputs while they
// wait for a block.
#ifndef SHOAL_TESTNET_DEVCHAIN_GENERATOR_H
#define SHOAL_TESTNET_DEVCHAIN_GENERATOR_H

#include <stddef.h>
#include "node/base/env.h"
#include "testnet/devchain/chain.h"
#include "testnet/devchain/mempool.h"

struct generator;

struct generator *generator_new(const struct env *env);
void generator_free(struct generator *generator);
// Looks for the funds anew: at the start and after a reorganisation.
void generator_find_funds(struct generator *generator, const struct chain *chain,
                          const struct mempool *mempool);
// Adds up to `count` transactions to the pool; fewer if all funds wait at the end of long chains.
// Returns how many were added.
size_t generator_add(struct generator *generator, const struct chain *chain,
                     struct mempool *mempool, size_t count);

#endif
