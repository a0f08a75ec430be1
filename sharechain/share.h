// A share on the wire and in memory, its share_info, and bodies: protocol sections 2 and 7. Pure
// codec: context and proof of work are looked at in share_check and chain.
#ifndef SHOAL_SHARECHAIN_SHARE_H
#define SHOAL_SHARECHAIN_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"
#include "node/base/hash.h"
#include "node/bitcoin/coinbase.h"
#include "node/bitcoin/header.h"
#include "node/bitcoin/merkle.h"
#include "node/bitcoin/script.h"

#define SHARE_VERSION       1
#define SHARE_NODE_TAG_SIZE 16
#define SHARE_SIZE_MAX      1024 // no share that decodes is larger

struct share_info {
    struct hash256 anchor;
    uint32_t link_height;
    uint32_t time;
    uint32_t link_bits;
    uint8_t grain_shift;
    uint8_t node_tag[SHARE_NODE_TAG_SIZE];
    struct script payout_script;
    struct hash256 body_root;
    bool has_aux;
    uint8_t aux[COINBASE_AUX_SIZE];
};

struct share {
    uint8_t header[HEADER_SIZE];
    uint64_t coinbase_value;
    uint8_t extranonce[COINBASE_EXTRANONCE_SIZE];
    bool has_witness;
    struct hash256 witness_commitment;
    struct merkle_branch branch;
    struct share_info info;
};

// False if the bytes are not exactly one share in the one right form.
bool share_decode(const uint8_t *bytes, size_t size, struct share *share);
void share_encode(const struct share *share, struct buffer *out);
bool share_info_decode(struct reader *reader, struct share_info *info);
void share_info_encode(const struct share_info *info, struct buffer *out);
// "varint n<=16, n x bytes(32) merkle_branch", as shares and skeletons carry it.
bool share_branch_decode(struct reader *reader, struct merkle_branch *branch);
void share_branch_encode(const struct merkle_branch *branch, struct buffer *out);
// H("shoal/share", share_info).
void share_info_hash(const struct share_info *info, struct hash256 *hash);

// The ids of a body, a view into its bytes: ids[i] at ids + 32 * i, strictly ascending.
struct body {
    const uint8_t *ids;
    size_t count;
};
bool body_decode(const uint8_t *bytes, size_t size, size_t grains_max, struct body *body);
void body_id_at(const struct body *body, size_t i, struct hash256 *id);
// Binary search.
bool body_contains(const struct body *body, const struct hash256 *id);
// ids ascending without repeats.
void body_encode(const struct hash256 *ids, size_t count, struct buffer *out);
// H("shoal/body", body) over the encoded bytes.
void body_root(const uint8_t *bytes, size_t size, struct hash256 *root);

#endif
