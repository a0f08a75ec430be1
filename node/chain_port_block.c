// Whether bytes are the whole block of a share: asked before megabytes go on to others and to a
// daemon, which judges the rest.
#include <stdlib.h>
#include <string.h>
#include "node/bitcoin/merkle.h"
#include "node/bitcoin/tx.h"
#include "node/chain_port_state.h"
#include "node/pow/sha256.h"
#include "node/pow/target.h"

#define TX_SIZE_MIN 60 // no transaction is smaller

struct block_parts {
    struct hash256 *txids;
    struct hash256 *wtxids; // of the coinbase zero, as its commitment wants it
    size_t count;
    bool has_witness;
    bool has_nonce; // the coinbase's witness is the nonce of protocol section 3
    bool is_read_whole;
};

static void parts_clear(struct block_parts *parts)
{
    free(parts->txids);
    free(parts->wtxids);
}

// "If has_witness, the submitted block carries the 32-zero-byte witness nonce."
static bool carries_nonce(const uint8_t *tx, const struct tx_summary *summary)
{
    static const uint8_t nonce[1 + 1 + 32] = {1, 32};
    return summary->has_witness && summary->size == summary->base_size + 2 + sizeof(nonce) &&
           memcmp(tx + summary->size - 4 - sizeof(nonce), nonce, sizeof(nonce)) == 0;
}

// The transactions after the header; false if they are malformed or there are none.
static bool parts_read(const uint8_t *block, size_t size, struct block_parts *parts)
{
    *parts = (struct block_parts){0};
    struct reader reader = reader_init(block, size);
    read_view(&reader, HEADER_SIZE);
    uint64_t count = read_varint(&reader);
    if (reader.failed || count == 0 || count > reader.left / TX_SIZE_MIN)
        return false;
    parts->count = (size_t)count;
    parts->txids = calloc(parts->count, sizeof(*parts->txids));
    parts->wtxids = calloc(parts->count, sizeof(*parts->wtxids));
    if (parts->txids == NULL || parts->wtxids == NULL)
        return false;
    for (size_t i = 0; i < parts->count; i++) {
        struct tx_summary tx;
        const uint8_t *bytes = reader.at;
        if (!tx_read(&reader, &tx))
            return false;
        parts->has_nonce = parts->has_nonce || (i == 0 && carries_nonce(bytes, &tx));
        parts->txids[i] = tx.txid;
        if (i > 0)
            parts->wtxids[i] = tx.wtxid;
        parts->has_witness = parts->has_witness || tx.has_witness;
    }
    parts->is_read_whole = reader_is_done(&reader);
    return true;
}

static int compare_hashes(const void *a, const void *b)
{
    return hash_compare(a, b);
}

// A list of transactions and one that repeats its end can have the same root. Sorts them.
static bool are_distinct(struct hash256 *txids, size_t count)
{
    qsort(txids, count, sizeof(*txids), compare_hashes);
    for (size_t i = 1; i < count; i++) {
        if (hash_equal(&txids[i - 1], &txids[i]))
            return false;
    }
    return true;
}

// BIP 141: SHA256d(root of the wtxids || nonce), the nonce of 32 zero bytes (protocol section 3).
static bool witnesses_match(const struct share *share, const struct block_parts *parts)
{
    if (!share->has_witness || !parts->has_nonce)
        return !share->has_witness && !parts->has_witness;
    uint8_t bytes[64] = {0};
    struct hash256 root, commitment;
    merkle_root(parts->wtxids, parts->count, &root);
    memcpy(bytes, root.bytes, sizeof(root.bytes));
    sha256d_64(bytes, &commitment);
    return hash_equal(&commitment, &share->witness_commitment);
}

static bool commits_to(const struct chain_port *port, const struct share *share,
                       struct block_parts *parts)
{
    struct header header;
    struct hash256 root;
    header_decode(share->header, &header);
    merkle_root(parts->txids, parts->count, &root);
    if (!hash_equal(&root, &header.merkle_root) || !are_distinct(parts->txids, parts->count))
        return false;
    // Behind Litecoin's transactions stands the MWEB part, and its HogEx has rules of its own.
    return port->pool->chain->has_mweb || (parts->is_read_whole && witnesses_match(share, parts));
}

static bool has_work_of_block(struct chain_port *port, const struct share *share)
{
    struct header header;
    struct u256 target;
    struct hash256 pow;
    header_decode(share->header, &header);
    pow_hash(port->pow_memory, share->header, &pow);
    return target_expand(header.bits, &target) && target_is_met(&pow, &target);
}

bool port_is_block(void *context, const struct hash256 *share_id, const uint8_t *block, size_t size)
{
    struct chain_port *port = context;
    uint8_t bytes[CHAIN_SHARE_MAX];
    struct buffer buffer;
    buffer_init_fixed(&buffer, bytes, sizeof(bytes));
    struct share share;
    if (!sharechain_share_bytes(port->chain, share_id, &buffer) ||
        !share_decode(bytes, buffer.size, &share) || size < HEADER_SIZE ||
        memcmp(block, share.header, HEADER_SIZE) != 0 || !has_work_of_block(port, &share))
        return false;
    struct block_parts parts;
    bool is_block = parts_read(block, size, &parts) && commits_to(port, &share, &parts);
    parts_clear(&parts);
    return is_block;
}
