#include "node/bitcoin/merkle.h"

#include <assert.h>
#include "node/pow/sha256.h"

// Both children of a node, laid out as they are hashed.
struct merkle_pair {
    struct hash256 left;
    struct hash256 right;
};

static void hash_pair(const struct merkle_pair *pair, struct hash256 *node)
{
    static_assert(sizeof *pair == 64, "a merkle node hashes 64 bytes");
    sha256d_64((const uint8_t *)pair, node);
}

// The node `level` levels above the first 2^level of `count` leaves (at least 1), or above as many
// as there are: where the last node of a level has no sibling, it is its own.
static void node_above(const struct hash256 *leaves, size_t count, unsigned level,
                       struct hash256 *node)
{
    if (level == 0) {
        *node = leaves[0];
        return;
    }
    size_t half = (size_t)1 << (level - 1);
    struct merkle_pair pair;
    node_above(leaves, count, level - 1, &pair.left);
    pair.right = pair.left;
    if (count > half)
        node_above(leaves + half, count - half, level - 1, &pair.right);
    hash_pair(&pair, node);
}

// Element k of the branch is the node above leaves 2^k .. 2^(k+1) - 1, of which leaves[i] is leaf i
// + 1.
bool merkle_branch_build(const struct hash256 *leaves, size_t count, struct merkle_branch *branch)
{
    branch->count = 0;
    for (unsigned level = 0; (size_t)1 << level <= count; level++) {
        if (level == MERKLE_BRANCH_MAX)
            return false;
        size_t first = ((size_t)1 << level) - 1;
        node_above(leaves + first, count - first, level, &branch->hashes[level]);
        branch->count++;
    }
    return true;
}

void merkle_branch_root(const struct merkle_branch *branch, const struct hash256 *leaf,
                        struct hash256 *root)
{
    struct merkle_pair pair = {.left = *leaf};
    for (size_t i = 0; i < branch->count; i++) {
        struct hash256 node;
        pair.right = branch->hashes[i];
        hash_pair(&pair, &node);
        pair.left = node;
    }
    *root = pair.left;
}

void merkle_root(const struct hash256 *leaves, size_t count, struct hash256 *root)
{
    assert(count >= 1);
    unsigned level = 0;
    while ((size_t)1 << level < count)
        level++;
    node_above(leaves, count, level, root);
}
