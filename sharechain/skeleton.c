#include "sharechain/skeleton.h"
#include <assert.h>
#include <string.h>
#include "node/pow/sha256.h"
#include "node/pow/target.h"
#include "sharechain/retarget.h"

#define SKELETON_VERSION 1
// The last 63 bytes of every coinbase: value 0, length 0x30 + 2, 6a30 "SHL1", H(share_info),
// extranonce, locktime.
#define TAIL_SIZE        63
#define TAIL_HASH_OFFSET 15
#define TAIL_LOCKTIME    59

static const uint8_t tail_begin[TAIL_HASH_OFFSET] = {0,    0,    0,    0,   0,   0,   0,  0,
                                                     0x32, 0x6a, 0x30, 'S', 'H', 'L', '1'};

// A whole number of blocks as a mid-state.
static struct sha256_midstate midstate_of(const uint8_t *bytes, size_t blocks)
{
    struct sha256 sha;
    sha256_init(&sha);
    sha256_update(&sha, bytes, blocks * 64);
    return sha.state;
}

void skeleton_make(const struct share *share, const uint8_t *coinbase, size_t coinbase_size,
                   struct skeleton *skeleton)
{
    // "up to the block in which the SHL1 output begins, and the rest of it, 63..126 bytes"
    assert(coinbase_size >= TAIL_SIZE + 64 && coinbase_size <= TAIL_SIZE + 64 * UINT16_MAX);
    size_t blocks = (coinbase_size - TAIL_SIZE) / 64;
    memset(skeleton, 0, sizeof(*skeleton));
    memcpy(skeleton->header, share->header, HEADER_SIZE);
    skeleton->branch = share->branch;
    skeleton->info = share->info;
    skeleton->state = midstate_of(coinbase, blocks);
    skeleton->blocks = (uint16_t)blocks;
    skeleton->rest_size = (uint8_t)(coinbase_size - blocks * 64);
    memcpy(skeleton->rest, coinbase + blocks * 64, skeleton->rest_size);
}

void skeleton_encode(const struct skeleton *skeleton, struct buffer *out)
{
    write_u8(out, SKELETON_VERSION);
    write_bytes(out, skeleton->header, HEADER_SIZE);
    share_branch_encode(&skeleton->branch, out);
    share_info_encode(&skeleton->info, out);
    for (size_t i = 0; i < 8; i++)
        write_u32_be(out, skeleton->state.words[i]);
    write_u16(out, skeleton->blocks);
    write_varint(out, skeleton->rest_size);
    write_bytes(out, skeleton->rest, skeleton->rest_size);
}

static bool read_rest(struct reader *reader, struct skeleton *skeleton)
{
    for (size_t i = 0; i < 8; i++)
        skeleton->state.words[i] = read_u32_be(reader);
    skeleton->blocks = read_u16(reader);
    uint64_t size = read_varint(reader);
    if (reader->failed || skeleton->blocks < 1 || size < TAIL_SIZE || size > SKELETON_REST_MAX)
        return false;
    skeleton->rest_size = (uint8_t)size;
    read_bytes(reader, skeleton->rest, skeleton->rest_size);
    return reader_is_done(reader);
}

static const uint8_t *tail_of(const struct skeleton *skeleton)
{
    return skeleton->rest + skeleton->rest_size - TAIL_SIZE;
}

static bool commits_to_info(const struct skeleton *skeleton)
{
    const uint8_t *tail = tail_of(skeleton);
    struct hash256 hash;
    share_info_hash(&skeleton->info, &hash);
    return memcmp(tail, tail_begin, sizeof(tail_begin)) == 0 &&
           memcmp(tail + TAIL_HASH_OFFSET, hash.bytes, sizeof(hash.bytes)) == 0;
}

static bool hashes_to_merkle_root(const struct skeleton *skeleton)
{
    struct sha256 sha;
    struct hash256 txid;
    struct hash256 root;
    struct header header;
    sha256_init_from_midstate(&sha, &skeleton->state, skeleton->blocks);
    sha256_update(&sha, skeleton->rest, skeleton->rest_size);
    sha256d_final(&sha, &txid);
    merkle_branch_root(&skeleton->branch, &txid, &root);
    header_decode(skeleton->header, &header);
    return hash_equal(&root, &header.merkle_root);
}

bool skeleton_decode(const uint8_t *bytes, size_t size, struct skeleton *skeleton)
{
    struct reader reader = reader_init(bytes, size);
    memset(skeleton, 0, sizeof(*skeleton));
    uint8_t version = read_u8(&reader);
    read_bytes(&reader, skeleton->header, HEADER_SIZE);
    if (reader.failed || version != SKELETON_VERSION)
        return false;
    if (!share_branch_decode(&reader, &skeleton->branch) ||
        !share_info_decode(&reader, &skeleton->info) || !read_rest(&reader, skeleton))
        return false;
    return commits_to_info(skeleton) && hashes_to_merkle_root(skeleton);
}

int64_t skeleton_height(const struct skeleton *skeleton)
{
    struct reader reader = reader_init(tail_of(skeleton) + TAIL_LOCKTIME, 4);
    return (int64_t)read_u32(&reader) + 1;
}

void skeleton_walk_init(struct skeleton_walk *walk, const struct pool *pool,
                        struct header_chain *headers)
{
    *walk = (struct skeleton_walk){
        .pool = pool,
        .headers = headers,
        .id = pool->id,
        .link_bits = pool->easiest_bits,
        .time = pool->genesis_time,
        .tip = header_chain_anchor(headers),
    };
}

static uint32_t bits_due(const struct skeleton_walk *walk)
{
    if (walk->height == 0)
        return walk->pool->easiest_bits;
    return retarget_link_bits(walk->pool, walk->link_bits, walk->time, walk->anchor_time);
}

// What section 5 asks of a share's place on its anchor, as far as a skeleton shows it.
static bool info_follows(const struct skeleton_walk *walk, const struct share_info *info)
{
    return hash_equal(&info->anchor, &walk->id) &&
           (uint64_t)info->link_height == (uint64_t)walk->height + 1 && info->time > walk->time &&
           info->link_bits == bits_due(walk);
}

// What sections 5 and 6 ask of its header; prev is good.
static bool header_follows(const struct skeleton_walk *walk, const struct skeleton *skeleton,
                           const struct header *header, const struct header_node *prev)
{
    return u256_compare(&prev->chainwork, &walk->tip->chainwork) >= 0 &&
           skeleton_height(skeleton) == prev->height + 1 &&
           header->bits == header_chain_required_bits(walk->headers, prev, header->time) &&
           header->time > prev->median_time &&
           (uint64_t)header->time <= (uint64_t)skeleton->info.time + 7200;
}

bool skeleton_walk_step(struct skeleton_walk *walk, const struct skeleton *skeleton,
                        const struct hash256 *pow)
{
    const struct share_info *info = &skeleton->info;
    struct header header;
    header_decode(skeleton->header, &header);
    if (!info_follows(walk, info))
        return false;
    const struct header_node *prev = header_chain_find(walk->headers, &header.prev);
    if (prev == NULL || !header_follows(walk, skeleton, &header, prev))
        return false;
    struct u256 target;
    struct u256 grain_target;
    if (!target_expand(info->link_bits, &target) || !target_is_met(pow, &target) ||
        !retarget_grain_target(walk->pool, &target, info->grain_shift, &grain_target))
        return false;
    struct u256 work = target_work(&target);
    walk->work = u256_add(&walk->work, &work);
    header_id(skeleton->header, &walk->id);
    walk->height++;
    walk->link_bits = info->link_bits;
    walk->anchor_time = walk->time;
    walk->time = info->time;
    if (u256_compare(&prev->chainwork, &walk->tip->chainwork) > 0)
        walk->tip = prev;
    return true;
}
