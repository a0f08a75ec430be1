#include "tests/unit/testnet/devchain/block_maker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "node/bitcoin/coinbase.h"
#include "node/bitcoin/merkle.h"
#include "node/pow/sha256.h"
#include "node/pow/target.h"
#include "testnet/devchain/genesis.h"
#include "testnet/devchain/open_script.h"

#define BLOCK_MAX (16u << 20)

// xorshift: the tests need variety, not quality.
static void fill(void *context, void *out, size_t size)
{
    uint64_t *seed = context;
    for (size_t i = 0; i < size; i++) {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        ((uint8_t *)out)[i] = (uint8_t)(*seed >> 32);
    }
}

void test_chain_open(struct test_chain *test)
{
    struct chain_options options = {.params = chain_params_by_name("devchain"),
                                    .bits = TEST_BITS,
                                    .genesis_time = TEST_GENESIS_TIME};
    test->seed = 42;
    test->env = (struct env){.random = fill, .context = &test->seed};
    test->now.ms = (TEST_GENESIS_TIME + INT64_C(1000000)) * 1000;
    test->chain = chain_new(&test->env, &options);
}

void test_chain_close(struct test_chain *test)
{
    chain_free(test->chain);
}

void block_spec_init(struct block_spec *spec, const struct test_chain *test,
                     const struct block_entry *parent)
{
    *spec = (struct block_spec){
        .parent = parent,
        .version = 0x20000000,
        .prev = parent->block.id,
        .time = parent->block.header.time + 60,
        .bits = chain_bits(test->chain),
        .value = chain_subsidy(chain_params(test->chain), parent->height + 1),
        .script_height = parent->height + 1,
        .locktime = (uint32_t)parent->height,
        .has_commitment = true,
        .has_nonce = true,
        .nonce_size = 32,
    };
}

void block_spec_clear(struct block_spec *spec)
{
    for (size_t i = 0; i < spec->txs_count; i++)
        buffer_clear(&spec->txs[i]);
}

struct tx_spec tx_spec_genesis(const struct test_chain *test, uint16_t purse)
{
    return (struct tx_spec){
        .txid = chain_genesis(test->chain)->block.txs[0].summary.txid,
        .index = purse,
        .purse = purse,
        .amount = GENESIS_PURSE_AMOUNT,
        .fee = 1000,
        .to_purse = purse,
        .sequence = 0xffffffff,
    };
}

void tx_write(const struct tx_spec *spec, struct buffer *out)
{
    struct script script;
    uint8_t open[OPEN_SCRIPT_SIZE];
    bool has_witness = genesis_purse_is_witness(spec->purse);
    genesis_purse_script(spec->to_purse, &script);
    write_u32(out, 2);
    if (has_witness)
        write_bytes(out, "\x00\x01", 2);
    write_varint(out, 1);
    write_bytes(out, spec->txid.bytes, 32);
    write_u32(out, spec->index);
    write_varint(out, 0);
    write_u32(out, spec->sequence);
    write_varint(out, 1);
    write_u64(out, spec->amount - spec->fee);
    write_varint(out, script.size);
    write_bytes(out, script.bytes, script.size);
    if (has_witness) {
        open_script((uint16_t)(spec->purse + spec->is_witness_wrong), open);
        write_varint(out, 1);
        write_varint(out, sizeof open);
        write_bytes(out, open, sizeof open);
    }
    write_u32(out, spec->locktime);
}

struct hash256 tx_spec_txid(const struct tx_spec *spec)
{
    struct buffer bytes;
    struct tx_view tx;
    buffer_init(&bytes, 4096);
    tx_write(spec, &bytes);
    struct reader reader = reader_init(bytes.data, bytes.size);
    bool is_read = tx_view_read(&reader, &tx);
    assert(is_read);
    buffer_clear(&bytes);
    return tx.summary.txid;
}

void block_spec_add(struct block_spec *spec, const struct tx_spec *tx)
{
    assert(spec->txs_count < TEST_TXS_MAX);
    struct buffer *out = &spec->txs[spec->txs_count++];
    buffer_init(out, 4096);
    tx_write(tx, out);
    spec->value += tx->fee;
}

static struct tx_view view(const struct buffer *bytes)
{
    struct tx_view tx;
    struct reader reader = reader_init(bytes->data, bytes->size);
    bool is_read = tx_view_read(&reader, &tx);
    assert(is_read);
    return tx;
}

static void commitment_of(const struct block_spec *spec, struct hash256 *commitment)
{
    struct hash256 wtxids[TEST_TXS_MAX];
    for (size_t i = 0; i < spec->txs_count; i++)
        wtxids[i] = view(&spec->txs[i]).summary.wtxid;
    block_witness_commitment(wtxids, spec->txs_count, commitment);
    commitment->bytes[0] ^= spec->is_commitment_wrong;
}

static void write_script_sig(const struct block_spec *spec, struct buffer *out)
{
    uint8_t script[300] = {0};
    size_t size = coinbase_height_push(spec->script_height, script);
    memcpy(script + size, &spec->extra, sizeof spec->extra);
    size += sizeof spec->extra + spec->script_padding;
    if (spec->script_size > 0)
        size = spec->script_size;
    write_varint(out, size);
    write_bytes(out, script, size);
}

static void write_coinbase(const struct block_spec *spec, struct buffer *out)
{
    static const uint8_t zeros[64];
    bool has_witness = spec->has_nonce;
    write_u32(out, 2);
    if (has_witness)
        write_bytes(out, "\x00\x01", 2);
    write_varint(out, 1);
    write_bytes(out, zeros, 32);
    write_u32(out, 0xffffffff);
    write_script_sig(spec, out);
    write_u32(out, 0xfffffffe);
    write_varint(out, 1 + spec->has_commitment + spec->p2pkh_outputs);
    write_u64(out, spec->value);
    write_varint(out, 1);
    write_u8(out, 0x51);
    for (uint32_t i = 0; i < spec->p2pkh_outputs; i++) {
        write_u64(out, 0);
        write_varint(out, 25);
        write_bytes(out, "\x76\xa9\x14", 3);
        write_bytes(out, zeros, 20);
        write_bytes(out, "\x88\xac", 2);
    }
    if (spec->has_commitment) {
        struct hash256 commitment;
        commitment_of(spec, &commitment);
        write_u64(out, 0);
        write_varint(out, 38);
        write_bytes(out, "\x6a\x24\xaa\x21\xa9\xed", 6);
        write_bytes(out, commitment.bytes, 32);
    }
    if (has_witness) {
        write_varint(out, 1);
        write_varint(out, spec->nonce_size);
        write_bytes(out, zeros, spec->nonce_size);
    }
    write_u32(out, spec->locktime);
}

// The header's work, or the lack of it that the spec asks for.
static void do_work(const struct block_spec *spec, struct header *header,
                    uint8_t bytes[HEADER_SIZE])
{
    struct u256 target;
    struct hash256 hash;
    bool is_met = spec->is_without_work;
    bool is_target = target_expand(header->bits, &target);
    for (header->nonce = 0; is_met == spec->is_without_work; header->nonce++) {
        header_encode(header, bytes);
        sha256d_80(bytes, &hash);
        is_met = is_target && target_is_met(&hash, &target);
        if (!is_target)
            break;
    }
}

void block_make(const struct block_spec *spec, struct buffer *out)
{
    struct buffer coinbase;
    struct hash256 txids[TEST_TXS_MAX + 2];
    size_t count = 0;
    buffer_init(out, BLOCK_MAX);
    buffer_init(&coinbase, BLOCK_MAX);
    write_coinbase(spec, &coinbase);
    size_t coinbases = spec->is_coinbase_missing ? 0 : 1 + (size_t)spec->is_coinbase_twice;
    for (size_t i = 0; i < coinbases; i++)
        txids[count++] = view(&coinbase).summary.txid;
    for (size_t i = 0; i < spec->txs_count; i++)
        txids[count++] = view(&spec->txs[i]).summary.txid;
    struct header header = {
        .version = spec->version, .prev = spec->prev, .time = spec->time, .bits = spec->bits};
    merkle_root(txids, count, &header.merkle_root);
    header.merkle_root.bytes[7] ^= spec->is_root_wrong;
    uint8_t bytes[HEADER_SIZE];
    do_work(spec, &header, bytes);
    write_bytes(out, bytes, sizeof bytes);
    write_varint(out, count + spec->repeat_last);
    for (size_t i = 0; i < coinbases; i++)
        write_bytes(out, coinbase.data, coinbase.size);
    for (size_t i = 0; i < spec->txs_count; i++)
        write_bytes(out, spec->txs[i].data, spec->txs[i].size);
    for (uint32_t i = 0; i < spec->repeat_last; i++) {
        const struct buffer *last = &spec->txs[spec->txs_count - spec->repeat_last + i];
        write_bytes(out, last->data, last->size);
    }
    buffer_clear(&coinbase);
    assert(!out->failed);
}

enum verdict block_offer(struct test_chain *test, const struct block_spec *spec)
{
    struct buffer bytes;
    block_make(spec, &bytes);
    enum verdict verdict = chain_accept(test->chain, bytes.data, bytes.size, test->now);
    buffer_clear(&bytes);
    return verdict;
}

const struct block_entry *block_extend(struct test_chain *test, const struct block_entry *parent,
                                       uint32_t extra)
{
    struct block_spec spec;
    struct buffer bytes;
    struct hash256 id;
    block_spec_init(&spec, test, parent);
    spec.extra = extra;
    block_make(&spec, &bytes);
    enum verdict verdict = chain_accept(test->chain, bytes.data, bytes.size, test->now);
    assert(verdict == VERDICT_OK || verdict == VERDICT_INCONCLUSIVE);
    header_id(bytes.data, &id);
    buffer_clear(&bytes);
    return chain_find(test->chain, &id);
}
