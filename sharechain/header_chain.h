// The coin's headers from the pool's anchor header up, on all branches: protocol section 6. Headers
// prove themselves; those whose parent is missing wait, bounded: past HEADER_CHAIN_WAITING_MAX the
// oldest is dropped and has to come again. Ids of invalid headers are remembered likewise; one
// forgotten is judged again when it comes. Good headers are never forgotten. Running out of memory
// for one ends the program, as it does in struct map.
#ifndef SHOAL_SHARECHAIN_HEADER_CHAIN_H
#define SHOAL_SHARECHAIN_HEADER_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/env.h"
#include "node/base/hash.h"
#include "node/base/u256.h"
#include "node/bitcoin/header.h"
#include "sharechain/pool.h"
#include "sharechain/verdict.h"

#define HEADER_CHAIN_WAITING_MAX 4096
#define HEADER_CHAIN_INVALID_MAX 8192

struct header_chain;

// A good header. Owned by the chain, lives as long as it; read-only to others.
struct header_node {
    struct hash256 id;
    const struct header_node *parent; // NULL for the anchor header
    const struct header_node *skip;   // some ancestor, for logarithmic walks
    struct u256 chainwork;            // counted from the anchor header, which has 0
    int64_t height;                   // of the block, absolute
    uint32_t time;
    uint32_t median_time; // that a child's time must pass (section 6)
    uint32_t bits;
    uint8_t bytes[HEADER_SIZE];
};

// Called from inside header_chain_add, once for each header that became good (parents first) or
// invalid. It must not add headers.
struct header_chain_events {
    void *context;
    void (*header_became_good)(void *context, const struct header_node *node);
    void (*header_became_invalid)(void *context, const struct hash256 *id);
};

// NULL if out of memory. `env` and `pool` are borrowed and outlive the chain; events is copied,
// NULL means none.
struct header_chain *header_chain_new(const struct env *env, const struct pool *pool,
                                      const struct header_chain_events *events);
void header_chain_free(struct header_chain *chain);
// The verdict on this header as it is known afterwards; those that waited for it are settled with
// it. pow: the header's proof-of-work hash if the caller knows it, else NULL and it is computed
// here.
enum verdict header_chain_add(struct header_chain *chain, const uint8_t bytes[HEADER_SIZE],
                              const struct hash256 *pow);
enum verdict header_chain_verdict(const struct header_chain *chain, const struct hash256 *id);
// The good header with this id, or NULL.
const struct header_node *header_chain_find(const struct header_chain *chain,
                                            const struct hash256 *id);
const struct header_node *header_chain_anchor(const struct header_chain *chain);
// The good header with most work; first seen wins a tie.
const struct header_node *header_chain_best(const struct header_chain *chain);
size_t header_chain_count(const struct header_chain *chain); // good ones
size_t header_chain_waiting_count(const struct header_chain *chain);

// The ancestor of node (or node itself) at a height between the anchor's and its own.
const struct header_node *header_node_ancestor(const struct header_node *node, int64_t height);
// Bits that a child of parent must have if its time is `time` (the chain's rule, section 1).
uint32_t header_chain_required_bits(const struct header_chain *chain,
                                    const struct header_node *parent, uint32_t time);
// The b of section 8 if node is tip(E): bits at its height rounded down to a multiple of 2016.
uint32_t header_chain_plain_bits(const struct header_chain *chain, const struct header_node *node);

#endif
