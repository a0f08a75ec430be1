// share_codec.json: shares, bodies and varints (protocol sections 0, 2 and 7).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/vectors/vectors.h"

#define BLOB_MAX 1000000u

static void check_branch(const struct vector_case *c, struct json_value fields,
                         const struct merkle_branch *branch)
{
    struct merkle_branch expected;
    if (!vector_read_branch(c, fields, "merkle_branch", &expected))
        return;
    bool is_equal = expected.count == branch->count;
    for (size_t i = 0; is_equal && i < branch->count; i++)
        is_equal = hash_equal(&expected.hashes[i], &branch->hashes[i]);
    if (!is_equal)
        vector_malformed(c, "merkle_branch", "another branch");
}

static void check_info(const struct vector_case *c, struct json_value fields,
                       const struct share_info *info)
{
    vector_check_hash(c, fields, "anchor", &info->anchor);
    vector_check_u64(c, fields, "link_height", info->link_height);
    vector_check_u64(c, fields, "time", info->time);
    vector_check_bits(c, fields, "link_bits", info->link_bits);
    vector_check_u64(c, fields, "grain_shift", info->grain_shift);
    vector_check_hex(c, fields, "node_tag", info->node_tag, sizeof(info->node_tag));
    vector_check_hex(c, fields, "payout_script", info->payout_script.bytes,
                     info->payout_script.size);
    vector_check_hash(c, fields, "body_root", &info->body_root);
    vector_check_hex(c, fields, "aux", info->aux, info->has_aux ? sizeof(info->aux) : 0);
}

static void check_fields(const struct vector_case *c, const struct share *share)
{
    struct json_value fields = json_get(c->expect, "fields");
    struct json_value witness = json_get(fields, "witness_commitment");
    if (!json_exists(fields))
        return;
    vector_known_keys(c, fields,
                      "header coinbase_value extranonce witness_commitment merkle_branch anchor "
                      "link_height time link_bits grain_shift node_tag payout_script body_root "
                      "aux");
    vector_check_hex(c, fields, "header", share->header, HEADER_SIZE);
    vector_check_u64(c, fields, "coinbase_value", share->coinbase_value);
    vector_check_hex(c, fields, "extranonce", share->extranonce, sizeof(share->extranonce));
    if (json_is_null(witness) == share->has_witness)
        vector_malformed(c, "witness_commitment", "there in one, not in the other");
    else if (share->has_witness)
        vector_check_hash(c, fields, "witness_commitment", &share->witness_commitment);
    check_branch(c, fields, &share->branch);
    check_info(c, fields, &share->info);
}

static void check_share(const struct vector_case *c, const struct share *share)
{
    struct header header;
    struct hash256 id;
    struct hash256 info_hash;
    struct buffer again;
    vector_known_keys(c, c->expect, "id prev header_time header_bits share_info_hash fields");
    header_decode(share->header, &header);
    header_id(share->header, &id);
    share_info_hash(&share->info, &info_hash);
    vector_check_hash(c, c->expect, "id", &id);
    vector_check_hash(c, c->expect, "prev", &header.prev);
    vector_check_u64(c, c->expect, "header_time", header.time);
    vector_check_bits(c, c->expect, "header_bits", header.bits);
    vector_check_hash(c, c->expect, "share_info_hash", &info_hash);
    check_fields(c, share);
    buffer_init(&again, BLOB_MAX);
    share_encode(share, &again);
    vector_check_hex(c, c->inputs, "hex", again.data, again.size);
    if (again.size > SHARE_SIZE_MAX)
        vector_malformed(c, "hex", "larger than SHARE_SIZE_MAX");
    buffer_clear(&again);
}

enum case_outcome vector_share_case(const struct vector_case *c)
{
    struct buffer bytes;
    struct share share;
    buffer_init(&bytes, BLOB_MAX);
    if (vector_read_blob(c, c->inputs, "hex", &bytes) &&
        vector_agrees_to_accept(c, share_decode(bytes.data, bytes.size, &share)))
        check_share(c, &share);
    buffer_clear(&bytes);
    return vector_outcome(c);
}

static void check_grains(const struct vector_case *c, const struct body *body)
{
    struct json_value grains = json_get(c->expect, "grains");
    if (!json_exists(grains))
        return;
    if (json_size(grains) != body->count)
        vector_malformed(c, "grains", "another number of grains");
    struct json_value v = json_first(grains);
    for (size_t i = 0; i < body->count && json_exists(v); i++, v = json_next(v)) {
        struct hash256 expected;
        struct hash256 got;
        body_id_at(body, i, &got);
        if (!json_to_hex(v, expected.bytes, sizeof(expected.bytes)) ||
            !hash_equal(&expected, &got) || !body_contains(body, &expected))
            vector_malformed(c, "grains", "another grain");
    }
}

static void check_body(const struct vector_case *c, const struct buffer *bytes,
                       const struct body *body)
{
    struct hash256 root;
    struct buffer again;
    vector_known_keys(c, c->expect, "grain_count grains body_root");
    body_root(bytes->data, bytes->size, &root);
    vector_check_u64(c, c->expect, "grain_count", body->count);
    vector_check_hash(c, c->expect, "body_root", &root);
    check_grains(c, body);
    struct hash256 *ids = calloc(body->count + 1, sizeof(*ids));
    if (ids == NULL)
        return;
    for (size_t i = 0; i < body->count; i++)
        body_id_at(body, i, &ids[i]);
    buffer_init(&again, BLOB_MAX);
    body_encode(ids, body->count, &again);
    vector_check_hex(c, c->inputs, "hex", again.data, again.size);
    buffer_clear(&again);
    free(ids);
}

enum case_outcome vector_body_case(const struct vector_case *c)
{
    struct buffer bytes;
    struct body body;
    uint32_t grains_max;
    buffer_init(&bytes, BLOB_MAX);
    if (vector_read_blob(c, c->inputs, "hex", &bytes) &&
        vector_read_u32(c, c->inputs, "body_grains_max", &grains_max) &&
        vector_agrees_to_accept(c, body_decode(bytes.data, bytes.size, grains_max, &body)))
        check_body(c, &bytes, &body);
    buffer_clear(&bytes);
    return vector_outcome(c);
}

static void check_varint(const struct vector_case *c, uint64_t value)
{
    uint8_t bytes[9];
    struct buffer again;
    vector_known_keys(c, c->expect, "value");
    vector_check_u64(c, c->expect, "value", value);
    buffer_init_fixed(&again, bytes, sizeof(bytes));
    write_varint(&again, value);
    vector_check_hex(c, c->inputs, "hex", again.data, again.size);
}

enum case_outcome vector_varint_case(const struct vector_case *c)
{
    struct buffer bytes;
    buffer_init(&bytes, BLOB_MAX);
    if (vector_read_blob(c, c->inputs, "hex", &bytes)) {
        struct reader reader = reader_init(bytes.data, bytes.size);
        uint64_t value = read_varint(&reader);
        if (vector_agrees_to_accept(c, reader_is_done(&reader)))
            check_varint(c, value);
    }
    buffer_clear(&bytes);
    return vector_outcome(c);
}
