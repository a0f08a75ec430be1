// Any bytes as a node record. Few inputs are signed, so an input is also read as a record, given a
// right key, nonce and signature, and must then be valid; what was accepted encodes to the same
// bytes.
#include <assert.h>
#include <sodium.h>
#include <string.h>
#include "dht/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_write_back(const struct node_record *record, const uint8_t *data, size_t size)
{
    uint8_t bytes[RECORD_SIZE_MAX];
    struct buffer out;
    buffer_init_fixed(&out, bytes, sizeof bytes);
    record_encode(record, &out);
    assert(!out.failed && out.size == size && memcmp(bytes, data, size) == 0);
}

static struct identity make_identity(void)
{
    static const uint8_t seed[crypto_sign_SEEDBYTES] = {1};
    struct identity identity = {0};
    crypto_sign_seed_keypair(identity.sign_key.bytes, identity.sign_secret, seed);
    bool is_found = identity_search(&identity, IDENTITY_PUZZLE_BITS_TEST, 1u << 20);
    assert(is_found);
    return identity;
}

static void try_signed(struct node_record *record)
{
    struct membership membership = {.puzzle_bits = IDENTITY_PUZZLE_BITS_TEST};
    const struct identity identity = make_identity();
    uint8_t bytes[RECORD_SIZE_MAX];
    struct buffer out;
    memcpy(membership.pool_id.bytes, record->pool_prefix, sizeof record->pool_prefix);
    record->sign_key = identity.sign_key;
    record->pow_nonce = identity.pow_nonce;
    record_sign(record, &identity);
    buffer_init_fixed(&out, bytes, sizeof bytes);
    record_encode(record, &out);
    const struct wall_time wall = {((int64_t)record->expiry - 1) * 1000};
    struct node_record read;
    enum record_verdict verdict = record_verify(bytes, out.size, &membership, wall, &read);
    assert(verdict == RECORD_VALID);
    must_write_back(&read, bytes, out.size);
    // The last byte that is signed.
    bytes[out.size - SIGNATURE_SIZE - 5] ^= 1;
    assert(record_verify(bytes, out.size, &membership, wall, &read) != RECORD_VALID);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct node_record record;
    if (!record_decode(data, size, &record))
        return 0;
    must_write_back(&record, data, size);
    try_signed(&record);
    return 0;
}
