#include "dht/record.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define VERSION 1
#define LABEL   "shoal record"

const char *record_verdict_text(enum record_verdict verdict)
{
    switch (verdict) {
    case RECORD_VALID:
        return "valid";
    case RECORD_MALFORMED:
        return "malformed";
    case RECORD_OTHER_POOL:
        return "of another pool";
    case RECORD_EXPIRED:
        return "expired";
    case RECORD_EXPIRY_TOO_FAR:
        return "expires too far ahead: its maker's clock or ours is wrong";
    case RECORD_PUZZLE_WRONG:
        return "its identity does not solve the puzzle";
    case RECORD_SIGNATURE_WRONG:
        return "the signature is wrong";
    }
    return "?";
}

void record_init(struct node_record *record, const struct identity *identity,
                 const struct membership *membership, uint64_t seq, struct wall_time wall)
{
    memset(record, 0, sizeof *record);
    memcpy(record->pool_prefix, membership->pool_id.bytes, sizeof record->pool_prefix);
    record->seq = seq;
    record->sign_key = identity->sign_key;
    record->pow_nonce = identity->pow_nonce;
    record->transport_key = identity->transport_key;
    record->dht_key = identity->dht_key;
    record->expiry = (uint32_t)(wall_seconds(wall) + RECORD_LIFETIME_SECONDS);
}

void record_set_endpoint(struct node_record *record, const struct endpoint *endpoint)
{
    switch (endpoint->address.family) {
    case ADDRESS_NONE:
        return;
    case ADDRESS_IPV4:
        record->ipv4 = *endpoint;
        record->flags |= RECORD_HAS_IPV4;
        break;
    case ADDRESS_IPV6:
        record->ipv6 = *endpoint;
        record->flags |= RECORD_HAS_IPV6;
        break;
    }
    assert(endpoint->port != 0);
}

void record_set_work(struct node_record *record, const struct hash256 *share_id,
                     const uint8_t salt[RECORD_SALT_SIZE])
{
    record->work_share = *share_id;
    memcpy(record->work_salt, salt, RECORD_SALT_SIZE);
    record->flags |= RECORD_HAS_WORK;
}

static void write_signed_part(const struct node_record *record, struct buffer *out)
{
    write_u8(out, VERSION);
    write_bytes(out, record->pool_prefix, sizeof record->pool_prefix);
    write_u64(out, record->seq);
    write_bytes(out, record->sign_key.bytes, sizeof record->sign_key.bytes);
    write_u64(out, record->pow_nonce);
    write_bytes(out, record->transport_key.bytes, sizeof record->transport_key.bytes);
    write_bytes(out, record->dht_key.bytes, sizeof record->dht_key.bytes);
    write_u8(out, record->flags);
    if (record->flags & RECORD_HAS_IPV4) {
        write_bytes(out, record->ipv4.address.bytes, 4);
        write_u16(out, record->ipv4.port);
    }
    if (record->flags & RECORD_HAS_IPV6) {
        write_bytes(out, record->ipv6.address.bytes, 16);
        write_u16(out, record->ipv6.port);
    }
    if (record->flags & RECORD_HAS_WORK) {
        write_bytes(out, record->work_share.bytes, sizeof record->work_share.bytes);
        write_bytes(out, record->work_salt, sizeof record->work_salt);
    }
    write_u32(out, record->expiry);
}

void record_sign(struct node_record *record, const struct identity *identity)
{
    uint8_t bytes[RECORD_SIZE_MAX];
    struct buffer out;
    buffer_init_fixed(&out, bytes, sizeof bytes);
    write_signed_part(record, &out);
    assert(!out.failed);
    identity_sign(identity, LABEL, bytes, out.size, record->signature);
}

void record_encode(const struct node_record *record, struct buffer *out)
{
    write_signed_part(record, out);
    write_bytes(out, record->signature, sizeof record->signature);
}

// False where the fields are there but not as the layout allows.
static bool read_endpoints(struct reader *reader, struct node_record *record)
{
    uint8_t bytes[16];
    bool is_right = true;
    if (record->flags & RECORD_HAS_IPV4) {
        read_bytes(reader, bytes, 4);
        record->ipv4 = (struct endpoint){address_ipv4(bytes), read_u16(reader)};
        is_right = record->ipv4.port != 0;
    }
    if (record->flags & RECORD_HAS_IPV6) {
        read_bytes(reader, bytes, 16);
        record->ipv6 = (struct endpoint){address_ipv6(bytes), read_u16(reader)};
        is_right =
            is_right && record->ipv6.port != 0 && record->ipv6.address.family == ADDRESS_IPV6;
    }
    return is_right;
}

bool record_decode(const void *data, size_t size, struct node_record *record)
{
    struct reader reader = reader_init(data, size);
    memset(record, 0, sizeof *record);
    uint8_t version = read_u8(&reader);
    read_bytes(&reader, record->pool_prefix, sizeof record->pool_prefix);
    record->seq = read_u64(&reader);
    read_bytes(&reader, record->sign_key.bytes, sizeof record->sign_key.bytes);
    record->pow_nonce = read_u64(&reader);
    read_bytes(&reader, record->transport_key.bytes, sizeof record->transport_key.bytes);
    read_bytes(&reader, record->dht_key.bytes, sizeof record->dht_key.bytes);
    record->flags = read_u8(&reader);
    bool is_right = read_endpoints(&reader, record);
    if (record->flags & RECORD_HAS_WORK) {
        read_bytes(&reader, record->work_share.bytes, sizeof record->work_share.bytes);
        read_bytes(&reader, record->work_salt, sizeof record->work_salt);
    }
    record->expiry = read_u32(&reader);
    read_bytes(&reader, record->signature, sizeof record->signature);
    return reader_is_done(&reader) && is_right && version == VERSION;
}

bool record_has_expired(const struct node_record *record, struct wall_time wall)
{
    return (int64_t)record->expiry <= wall_seconds(wall);
}

enum record_verdict record_verify(const void *data, size_t size,
                                  const struct membership *membership, struct wall_time wall,
                                  struct node_record *record)
{
    const int64_t ahead_max = RECORD_LIFETIME_SECONDS + RECORD_SLACK_SECONDS;
    if (!record_decode(data, size, record))
        return RECORD_MALFORMED;
    if (memcmp(record->pool_prefix, membership->pool_id.bytes, sizeof record->pool_prefix) != 0)
        return RECORD_OTHER_POOL;
    if (record_has_expired(record, wall))
        return RECORD_EXPIRED;
    if ((int64_t)record->expiry - wall_seconds(wall) > ahead_max)
        return RECORD_EXPIRY_TOO_FAR;
    if (!node_puzzle_is_solved(&record->sign_key, record->pow_nonce, membership->puzzle_bits))
        return RECORD_PUZZLE_WRONG;
    if (!signature_is_valid(&record->sign_key, LABEL, data, size - SIGNATURE_SIZE,
                            record->signature))
        return RECORD_SIGNATURE_WRONG;
    return RECORD_VALID;
}

void record_node_id(const struct node_record *record, struct node_id *id)
{
    node_id_of(&record->sign_key, record->pow_nonce, id);
}

void record_node_tag(const struct sign_key *key, const uint8_t salt[RECORD_SALT_SIZE],
                     uint8_t node_tag[16])
{
    static const char tag[] = "shoal/worker";
    uint8_t tag_hash[crypto_hash_sha256_BYTES];
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    crypto_hash_sha256(tag_hash, (const uint8_t *)tag, sizeof tag - 1);
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, tag_hash, sizeof tag_hash);
    crypto_hash_sha256_update(&state, tag_hash, sizeof tag_hash);
    crypto_hash_sha256_update(&state, key->bytes, sizeof key->bytes);
    crypto_hash_sha256_update(&state, salt, RECORD_SALT_SIZE);
    crypto_hash_sha256_final(&state, hash);
    memcpy(node_tag, hash, 16);
}
