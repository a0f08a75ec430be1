#include "sharechain/share.h"
#include <string.h>
#include "node/pow/sha256.h"
#include "node/pow/target.h"

static const uint8_t aux_magic[4] = {0xfa, 0xbe, 0x6d, 0x6d};

bool share_branch_decode(struct reader *reader, struct merkle_branch *branch)
{
    uint64_t count = read_varint(reader);
    if (reader->failed || count > MERKLE_BRANCH_MAX)
        return false;
    branch->count = (size_t)count;
    for (size_t i = 0; i < branch->count; i++)
        read_bytes(reader, branch->hashes[i].bytes, sizeof(branch->hashes[i].bytes));
    return !reader->failed;
}

void share_branch_encode(const struct merkle_branch *branch, struct buffer *out)
{
    write_varint(out, branch->count);
    for (size_t i = 0; i < branch->count; i++)
        write_bytes(out, branch->hashes[i].bytes, sizeof(branch->hashes[i].bytes));
}

static bool read_payout_script(struct reader *reader, struct script *script)
{
    uint64_t size = read_varint(reader);
    if (reader->failed || size > SCRIPT_SIZE_MAX)
        return false;
    const uint8_t *bytes = read_view(reader, (size_t)size);
    return !reader->failed && script_from_bytes(script, bytes, (size_t)size);
}

// "aux: empty, or 44 bytes that begin fabe6d6d, else the share does not decode"
static bool read_aux(struct reader *reader, struct share_info *info)
{
    uint64_t size = read_varint(reader);
    if (reader->failed || (size != 0 && size != COINBASE_AUX_SIZE))
        return false;
    info->has_aux = size != 0;
    if (!info->has_aux)
        return true;
    read_bytes(reader, info->aux, sizeof(info->aux));
    return !reader->failed && memcmp(info->aux, aux_magic, sizeof(aux_magic)) == 0;
}

bool share_info_decode(struct reader *reader, struct share_info *info)
{
    memset(info, 0, sizeof(*info));
    read_bytes(reader, info->anchor.bytes, sizeof(info->anchor.bytes));
    info->link_height = read_u32(reader);
    info->time = read_u32(reader);
    info->link_bits = read_u32(reader);
    info->grain_shift = read_u8(reader);
    read_bytes(reader, info->node_tag, sizeof(info->node_tag));
    if (reader->failed || !target_bits_are_canonical(info->link_bits))
        return false;
    if (!read_payout_script(reader, &info->payout_script))
        return false;
    read_bytes(reader, info->body_root.bytes, sizeof(info->body_root.bytes));
    return read_aux(reader, info);
}

void share_info_encode(const struct share_info *info, struct buffer *out)
{
    write_bytes(out, info->anchor.bytes, sizeof(info->anchor.bytes));
    write_u32(out, info->link_height);
    write_u32(out, info->time);
    write_u32(out, info->link_bits);
    write_u8(out, info->grain_shift);
    write_bytes(out, info->node_tag, sizeof(info->node_tag));
    write_varint(out, info->payout_script.size);
    write_bytes(out, info->payout_script.bytes, info->payout_script.size);
    write_bytes(out, info->body_root.bytes, sizeof(info->body_root.bytes));
    write_varint(out, info->has_aux ? sizeof(info->aux) : 0);
    if (info->has_aux)
        write_bytes(out, info->aux, sizeof(info->aux));
}

void share_info_hash(const struct share_info *info, struct hash256 *hash)
{
    uint8_t bytes[SHARE_SIZE_MAX];
    struct buffer out;
    buffer_init_fixed(&out, bytes, sizeof(bytes));
    share_info_encode(info, &out);
    sha256_tagged("shoal/share", out.data, out.size, hash);
}

bool share_decode(const uint8_t *bytes, size_t size, struct share *share)
{
    struct reader reader = reader_init(bytes, size);
    memset(share, 0, sizeof(*share));
    uint8_t version = read_u8(&reader);
    read_bytes(&reader, share->header, sizeof(share->header));
    share->coinbase_value = read_u64(&reader);
    read_bytes(&reader, share->extranonce, sizeof(share->extranonce));
    uint8_t has_witness = read_u8(&reader);
    if (reader.failed || version != SHARE_VERSION || has_witness > 1)
        return false;
    share->has_witness = has_witness == 1;
    if (share->has_witness)
        read_bytes(&reader, share->witness_commitment.bytes,
                   sizeof(share->witness_commitment.bytes));
    if (!share_branch_decode(&reader, &share->branch))
        return false;
    return share_info_decode(&reader, &share->info) && reader_is_done(&reader);
}

void share_encode(const struct share *share, struct buffer *out)
{
    write_u8(out, SHARE_VERSION);
    write_bytes(out, share->header, sizeof(share->header));
    write_u64(out, share->coinbase_value);
    write_bytes(out, share->extranonce, sizeof(share->extranonce));
    write_u8(out, share->has_witness ? 1 : 0);
    if (share->has_witness)
        write_bytes(out, share->witness_commitment.bytes, sizeof(share->witness_commitment.bytes));
    share_branch_encode(&share->branch, out);
    share_info_encode(&share->info, out);
}

bool body_decode(const uint8_t *bytes, size_t size, size_t grains_max, struct body *body)
{
    struct reader reader = reader_init(bytes, size);
    uint64_t count = read_varint(&reader);
    if (reader.failed || count > grains_max)
        return false;
    body->count = (size_t)count;
    body->ids = read_view(&reader, body->count * sizeof(struct hash256));
    if (!reader_is_done(&reader))
        return false;
    for (size_t i = 1; i < body->count; i++) {
        const uint8_t *id = body->ids + i * sizeof(struct hash256);
        if (memcmp(id - sizeof(struct hash256), id, sizeof(struct hash256)) >= 0)
            return false;
    }
    return true;
}

void body_id_at(const struct body *body, size_t i, struct hash256 *id)
{
    memcpy(id->bytes, body->ids + i * sizeof(id->bytes), sizeof(id->bytes));
}

bool body_contains(const struct body *body, const struct hash256 *id)
{
    size_t low = 0;
    size_t high = body->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(body->ids + middle * sizeof(id->bytes), id->bytes, sizeof(id->bytes));
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

void body_encode(const struct hash256 *ids, size_t count, struct buffer *out)
{
    write_varint(out, count);
    for (size_t i = 0; i < count; i++)
        write_bytes(out, ids[i].bytes, sizeof(ids[i].bytes));
}

void body_root(const uint8_t *bytes, size_t size, struct hash256 *root)
{
    sha256_tagged("shoal/body", bytes, size, root);
}
