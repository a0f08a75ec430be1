// skeleton.json: skeletons and following a chain of them (protocol section 9).
#include "sharechain/skeleton.h"
#include <string.h>
#include "node/pow/pow.h"
#include "tests/vectors/vectors.h"

#define BLOB_MAX 1000000u

static bool read_share_info(const struct vector_case *c, struct share_info *info)
{
    uint8_t bytes[SHARE_SIZE_MAX];
    struct buffer buffer;
    buffer_init_fixed(&buffer, bytes, sizeof(bytes));
    if (!vector_read_blob(c, c->inputs, "share_info", &buffer))
        return false;
    struct reader reader = reader_init(buffer.data, buffer.size);
    if (!share_info_decode(&reader, info) || !reader_is_done(&reader))
        vector_malformed(c, "share_info", "it does not decode");
    return vector_is_clean(c);
}

// Given whole, or to be made from its parts.
static bool read_coinbase(const struct vector_case *c, const struct share_info *info,
                          struct buffer *coinbase)
{
    struct json_value parts = json_get(c->inputs, "coinbase_parts");
    if (json_is_present(parts))
        return vector_build_coinbase(c, parts, info, coinbase);
    return vector_read_blob(c, c->inputs, "coinbase", coinbase);
}

static void check_parts(const struct vector_case *c, const struct skeleton *skeleton)
{
    struct hash256 id;
    header_id(skeleton->header, &id);
    vector_check_u64(c, c->expect, "blocks", skeleton->blocks);
    vector_check_hex(c, c->expect, "rest", skeleton->rest, skeleton->rest_size);
    vector_check_i64(c, c->expect, "height", skeleton_height(skeleton));
    vector_check_hash(c, c->expect, "id", &id);
}

static void check_encoding(const struct vector_case *c, const struct skeleton *skeleton)
{
    struct skeleton again;
    struct buffer bytes;
    buffer_init(&bytes, BLOB_MAX);
    skeleton_encode(skeleton, &bytes);
    vector_known_keys(c, c->expect, "skeleton blocks rest height id");
    vector_check_hex(c, c->expect, "skeleton", bytes.data, bytes.size);
    check_parts(c, skeleton);
    if (!skeleton_decode(bytes.data, bytes.size, &again))
        vector_malformed(c, "skeleton", "it does not read back");
    else
        check_parts(c, &again);
    buffer_clear(&bytes);
}

enum case_outcome vector_skeleton_encode_case(const struct vector_case *c)
{
    struct share share = {.coinbase_value = 0};
    struct skeleton skeleton;
    struct buffer coinbase;
    buffer_init(&coinbase, BLOB_MAX);
    if (vector_read_hex(c, c->inputs, "header", share.header, sizeof(share.header)) &&
        vector_read_branch(c, c->inputs, "merkle_branch", &share.branch) &&
        read_share_info(c, &share.info) && read_coinbase(c, &share.info, &coinbase)) {
        if (coinbase.size < 127) {
            vector_malformed(c, "coinbase", "too short for one block before the rest");
        } else {
            skeleton_make(&share, coinbase.data, coinbase.size, &skeleton);
            check_encoding(c, &skeleton);
        }
    }
    buffer_clear(&coinbase);
    return vector_outcome(c);
}

enum case_outcome vector_skeleton_read_case(const struct vector_case *c)
{
    struct skeleton skeleton;
    struct buffer bytes;
    buffer_init(&bytes, BLOB_MAX);
    if (vector_read_blob(c, c->inputs, "hex", &bytes) &&
        vector_agrees_to_accept(c, skeleton_decode(bytes.data, bytes.size, &skeleton))) {
        vector_known_keys(c, c->expect, "blocks rest height id");
        check_parts(c, &skeleton);
    }
    buffer_clear(&bytes);
    return vector_outcome(c);
}

static bool add_headers(const struct vector_case *c, struct header_chain *headers)
{
    struct json_value list = json_get(c->inputs, "headers");
    for (struct json_value v = json_first(list); json_exists(v); v = json_next(v)) {
        uint8_t bytes[HEADER_SIZE];
        if (!json_to_hex(v, bytes, sizeof(bytes))) {
            vector_malformed(c, "headers", "not 80 bytes");
            return false;
        }
        header_chain_add(headers, bytes, NULL);
    }
    return true;
}

static bool take_skeleton(struct skeleton_walk *walk, struct pow_memory *memory,
                          struct json_value value)
{
    struct skeleton skeleton;
    struct hash256 pow;
    struct buffer bytes;
    buffer_init(&bytes, BLOB_MAX);
    bool follows =
        vector_value_blob(value, &bytes) && skeleton_decode(bytes.data, bytes.size, &skeleton);
    if (follows) {
        pow_hash(memory, skeleton.header, &pow);
        follows = skeleton_walk_step(walk, &skeleton, &pow);
    }
    buffer_clear(&bytes);
    return follows;
}

static void follow(const struct vector_case *c, const struct pool *pool,
                   struct header_chain *headers, struct pow_memory *memory)
{
    struct skeleton_walk walk;
    struct json_value list = json_get(c->inputs, "skeletons");
    bool follows = true;
    if (!add_headers(c, headers))
        return;
    skeleton_walk_init(&walk, pool, headers);
    for (struct json_value v = json_first(list); follows && json_exists(v); v = json_next(v))
        follows = take_skeleton(&walk, memory, v);
    if (!vector_agrees_to_accept(c, follows))
        return;
    vector_known_keys(c, c->expect, "id height cum_work");
    vector_check_hash(c, c->expect, "id", &walk.id);
    vector_check_u64(c, c->expect, "height", walk.height);
    vector_check_u256(c, c->expect, "cum_work", &walk.work);
}

enum case_outcome vector_skeleton_follow_case(const struct vector_case *c)
{
    struct pool pool;
    if (!vector_read_pool(c, &pool))
        return CASE_FAILED;
    struct header_chain *headers = header_chain_new(c->env, &pool, NULL);
    struct pow_memory *memory = pow_memory_new(pool.chain->pow);
    if (headers != NULL && memory != NULL)
        follow(c, &pool, headers, memory);
    else
        vector_malformed(c, "case", "out of memory");
    pow_memory_free(memory);
    header_chain_free(headers);
    return vector_outcome(c);
}
