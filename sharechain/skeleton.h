// Skeletons: what is left of an old link, enough to prove its work, commitment, ancestry and tip
// (protocol section 9).
#ifndef SHOAL_SHARECHAIN_SKELETON_H
#define SHOAL_SHARECHAIN_SKELETON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"
#include "sharechain/header_chain.h"
#include "sharechain/pool.h"
#include "sharechain/share.h"

#define SKELETON_REST_MAX 126
#define SKELETON_SIZE_MAX 1024 // no skeleton is larger

struct skeleton {
    uint8_t header[HEADER_SIZE];
    struct merkle_branch branch;
    struct share_info info;
    struct sha256_midstate state;
    uint16_t blocks;
    uint8_t rest_size;
    uint8_t rest[SKELETON_REST_MAX];
};

// Made from a share, of which header, branch and info count, and its whole coinbase (no witness
// data), which has at least one block of 64 bytes before the last 63.
void skeleton_make(const struct share *share, const uint8_t *coinbase, size_t coinbase_size,
                   struct skeleton *skeleton);
void skeleton_encode(const struct skeleton *skeleton, struct buffer *out);
// Form, commitment and merkle root; false if one is wrong.
bool skeleton_decode(const uint8_t *bytes, size_t size, struct skeleton *skeleton);
// locktime + 1.
int64_t skeleton_height(const struct skeleton *skeleton);

// Following a chain of skeletons from link 1.
struct skeleton_walk {
    const struct pool *pool;
    struct header_chain *headers;
    struct hash256 id; // of the last link; pool_id at first
    uint32_t height;
    uint32_t link_bits;
    uint32_t time;
    uint32_t anchor_time; // of the last link's anchor
    const struct header_node *tip;
    struct u256 work;
};
void skeleton_walk_init(struct skeleton_walk *walk, const struct pool *pool,
                        struct header_chain *headers);
// Takes the next one; false if it does not follow (the walk is then unchanged). pow is pow(header).
bool skeleton_walk_step(struct skeleton_walk *walk, const struct skeleton *skeleton,
                        const struct hash256 *pow);

#endif
