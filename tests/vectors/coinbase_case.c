// coinbase.json: the coinbase, its ids and its merkle root (protocol section 3).
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/bitcoin/header.h"
#include "node/pow/sha256.h"
#include "tests/vectors/vectors.h"

#define SIZE_MAX_OF_COINBASE 1000000u

// What a coinbase is made of; the outputs are ours.
struct parts {
    int64_t height;
    uint8_t extranonce[COINBASE_EXTRANONCE_SIZE];
    bool has_witness;
    struct hash256 witness_commitment;
    struct coinbase_output *outputs;
    size_t outputs_count;
};

void vector_recipe_script(const char *salt, uint64_t i, struct script *script)
{
    uint8_t bytes[22] = {0x00, 0x14};
    char text[320];
    struct hash256 hash;
    snprintf(text, sizeof(text), "%s%" PRIu64, salt, i);
    sha256_once(text, strlen(text), &hash);
    memcpy(bytes + 2, hash.bytes, 20);
    if (!script_from_bytes(script, bytes, sizeof(bytes)))
        abort();
}

static bool room_for_outputs(const struct vector_case *c, struct parts *parts, uint64_t count)
{
    if (count <= COINBASE_OUTPUTS_MAX)
        parts->outputs = calloc((size_t)count + 1, sizeof(parts->outputs[0]));
    if (parts->outputs == NULL)
        vector_malformed(c, "outputs", "too many");
    return parts->outputs != NULL;
}

static bool read_recipe(const struct vector_case *c, struct json_value recipe, struct parts *parts)
{
    uint64_t count;
    char salt[256];
    if (!vector_read_u64(c, recipe, "n", &count) || !room_for_outputs(c, parts, count))
        return false;
    if (!json_to_text(json_get(recipe, "salt"), salt, sizeof(salt)) ||
        !json_text_equals(json_get(recipe, "amount"), "1000 + i")) {
        vector_malformed(c, "outputs_recipe", "no salt, or another rule for the amounts");
        return false;
    }
    parts->outputs_count = (size_t)count;
    for (size_t i = 0; i < parts->outputs_count; i++) {
        parts->outputs[i].amount = 1000 + i;
        vector_recipe_script(salt, i, &parts->outputs[i].script);
    }
    return true;
}

// An object with script and amount, or "script:amount".
static bool read_output(const struct vector_case *c, struct json_value value,
                        struct coinbase_output *output)
{
    struct u256 amount;
    if (json_is_object(value))
        return vector_read_script(c, value, "script", &output->script) &&
               vector_read_u64(c, value, "amount", &output->amount);
    if (!vector_value_pair(value, &output->script, &amount) || u256_bit_length(&amount) > 64) {
        vector_malformed(c, "outputs", "not script:amount");
        return false;
    }
    output->amount = u256_low_u64(&amount);
    return true;
}

static bool read_list(const struct vector_case *c, struct json_value list, struct parts *parts)
{
    if (!json_is_array(list)) {
        vector_malformed(c, "outputs", "no list");
        return false;
    }
    if (!room_for_outputs(c, parts, json_size(list)))
        return false;
    for (struct json_value v = json_first(list); json_exists(v); v = json_next(v)) {
        if (!read_output(c, v, &parts->outputs[parts->outputs_count++]))
            return false;
    }
    return true;
}

static bool read_parts(const struct vector_case *c, struct json_value inputs, struct parts *parts)
{
    struct json_value witness = json_get(inputs, "witness_commitment");
    struct json_value recipe = json_get(inputs, "outputs_recipe");
    parts->has_witness = !json_is_null(witness);
    if (parts->has_witness &&
        !vector_read_hash(c, inputs, "witness_commitment", &parts->witness_commitment))
        return false;
    if (!vector_read_i64(c, inputs, "height", &parts->height) ||
        !vector_read_hex(c, inputs, "extranonce", parts->extranonce, sizeof(parts->extranonce)))
        return false;
    return json_exists(recipe) ? read_recipe(c, recipe, parts)
                               : read_list(c, json_get(inputs, "outputs"), parts);
}

static void write_coinbase(const struct parts *parts, const struct share_info *info,
                           struct buffer *out, size_t *prefix_size)
{
    struct hash256 hash;
    struct coinbase_spec spec = {
        .height = parts->height,
        .aux = info->has_aux ? info->aux : NULL,
        .outputs = parts->outputs,
        .outputs_count = parts->outputs_count,
        .witness_commitment = parts->has_witness ? &parts->witness_commitment : NULL,
    };
    size_t begin = out->size;
    coinbase_write_prefix(&spec, out);
    *prefix_size = out->size - begin;
    share_info_hash(info, &hash);
    coinbase_write_tail(&hash, parts->extranonce, parts->height, out);
}

bool vector_build_coinbase(const struct vector_case *c, struct json_value inputs,
                           const struct share_info *info, struct buffer *coinbase)
{
    struct parts parts = {.height = 0};
    size_t prefix_size;
    bool is_read = read_parts(c, inputs, &parts);
    if (is_read)
        write_coinbase(&parts, info, coinbase, &prefix_size);
    free(parts.outputs);
    return is_read;
}

// The txid by way of the prefix's hash state, as it is done for every share, must be that of the
// whole.
static void check_txid(const struct vector_case *c, const struct parts *parts,
                       const struct share_info *info, const struct buffer *coinbase,
                       size_t prefix_size)
{
    struct sha256 prefix;
    struct hash256 info_hash;
    struct hash256 txid;
    struct hash256 root;
    struct merkle_branch branch;
    share_info_hash(info, &info_hash);
    sha256_init(&prefix);
    sha256_update(&prefix, coinbase->data, prefix_size);
    coinbase_txid(&prefix, &info_hash, parts->extranonce, parts->height, &txid);
    vector_check_hash(c, c->expect, "share_info_hash", &info_hash);
    vector_check_hash(c, c->expect, "txid", &txid);
    sha256d(coinbase->data, coinbase->size, &txid);
    vector_check_hash(c, c->expect, "txid", &txid);
    if (!vector_read_branch(c, c->inputs, "merkle_branch", &branch))
        return;
    merkle_branch_root(&branch, &txid, &root);
    vector_check_hash(c, c->expect, "merkle_root", &root);
}

static bool read_info(const struct vector_case *c, struct share_info *info)
{
    uint8_t bytes[SHARE_SIZE_MAX];
    struct buffer buffer;
    buffer_init_fixed(&buffer, bytes, sizeof(bytes));
    if (!vector_read_blob(c, c->inputs, "share_info", &buffer))
        return false;
    struct reader reader = reader_init(buffer.data, buffer.size);
    if (!share_info_decode(&reader, info) || !reader_is_done(&reader))
        vector_malformed(c, "share_info", "it does not decode");
    vector_check_hex(c, c->inputs, "aux", info->aux, info->has_aux ? sizeof(info->aux) : 0);
    return vector_is_clean(c);
}

enum case_outcome vector_coinbase_case(const struct vector_case *c)
{
    struct parts parts = {.height = 0};
    struct share_info info;
    struct buffer coinbase;
    struct hash256 hash;
    size_t prefix_size;
    buffer_init(&coinbase, SIZE_MAX_OF_COINBASE);
    if (read_info(c, &info) && read_parts(c, c->inputs, &parts)) {
        write_coinbase(&parts, &info, &coinbase, &prefix_size);
        sha256_once(coinbase.data, coinbase.size, &hash);
        vector_known_keys(c, c->expect,
                          "coinbase coinbase_sha256 size txid merkle_root share_info_hash");
        vector_check_hex(c, c->expect, "coinbase", coinbase.data, coinbase.size);
        vector_check_hash(c, c->expect, "coinbase_sha256", &hash);
        vector_check_u64(c, c->expect, "size", coinbase.size);
        vector_check_u64(c, c->expect, "size", coinbase_size(prefix_size));
        check_txid(c, &parts, &info, &coinbase, prefix_size);
        if (prefix_size > coinbase_prefix_size_max(parts.outputs_count))
            vector_malformed(c, "size", "over coinbase_prefix_size_max");
    }
    buffer_clear(&coinbase);
    free(parts.outputs);
    return vector_outcome(c);
}
