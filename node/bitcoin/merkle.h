// Merkle branches of the coinbase, which is always leaf 0.
#ifndef SHOAL_NODE_BITCOIN_MERKLE_H
#define SHOAL_NODE_BITCOIN_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include "node/base/hash.h"

#define MERKLE_BRANCH_MAX 16

struct merkle_branch {
    size_t count;
    struct hash256 hashes[MERKLE_BRANCH_MAX];
};

// The branch of leaf 0, whose own hash is not needed, over leaves 1..count (count may be 0). False
// if deeper than MERKLE_BRANCH_MAX.
bool merkle_branch_build(const struct hash256 *leaves, size_t count, struct merkle_branch *branch);
// The root that a leaf 0 gives with its branch.
void merkle_branch_root(const struct merkle_branch *branch, const struct hash256 *leaf,
                        struct hash256 *root);
// The root over all leaves (count >= 1), for whole blocks and witness commitments.
void merkle_root(const struct hash256 *leaves, size_t count, struct hash256 *root);

#endif
