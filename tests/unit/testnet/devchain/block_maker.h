// Blocks for tests, right unless told otherwise: each field of the spec is one way to be wrong.
#ifndef SHOAL_TESTS_UNIT_TESTNET_DEVCHAIN_BLOCK_MAKER_H
#define SHOAL_TESTS_UNIT_TESTNET_DEVCHAIN_BLOCK_MAKER_H

#include "node/base/bytes.h"
#include "testnet/devchain/chain.h"

#define TEST_BITS         0x207fffffu
#define TEST_GENESIS_TIME 1700000000u
#define TEST_TXS_MAX      8

struct test_chain {
    uint64_t seed;
    struct env env;
    struct chain *chain;
    struct wall_time now; // far behind genesis
};

void test_chain_open(struct test_chain *test);
void test_chain_close(struct test_chain *test);

struct block_spec {
    const struct block_entry *parent;
    uint32_t extra; // makes blocks of the same spec differ
    struct buffer txs[TEST_TXS_MAX];
    size_t txs_count;
    // Set by block_spec_init to what is right, then to what the test wants.
    uint32_t version;
    struct hash256 prev;
    uint32_t time;
    uint32_t bits;
    uint64_t value;        // of the coinbase
    int64_t script_height; // in the coinbase
    size_t script_padding; // zero bytes behind the height and `extra`
    size_t script_size;    // 0: as long as it gets
    uint32_t locktime;     // of the coinbase, whose sequence is 0xfffffffe
    bool has_commitment;
    bool has_nonce;
    size_t nonce_size;
    bool is_commitment_wrong;
    bool is_root_wrong;
    bool is_without_work;
    bool is_coinbase_missing;
    bool is_coinbase_twice;
    uint32_t p2pkh_outputs; // extra outputs of 0, each one sigop
    uint32_t repeat_last;   // times the last transaction is appended again, root as without
};

void block_spec_init(struct block_spec *spec, const struct test_chain *test,
                     const struct block_entry *parent);
void block_spec_clear(struct block_spec *spec);
// Adds a transaction that moves output `index` of `txid` (purse `purse`, `amount` satoshi) to
// `script`, less `fee`. Returns its txid.
struct tx_spec {
    struct hash256 txid;
    uint32_t index;
    uint16_t purse;
    uint64_t amount;
    uint64_t fee;
    uint16_t to_purse;
    uint32_t locktime;
    uint32_t sequence;
    bool is_witness_wrong;
};
struct tx_spec tx_spec_genesis(const struct test_chain *test, uint16_t purse);
void tx_write(const struct tx_spec *spec, struct buffer *out);
struct hash256 tx_spec_txid(const struct tx_spec *spec);
void block_spec_add(struct block_spec *spec, const struct tx_spec *tx);
// The whole block with its proof of work; the caller clears it.
void block_make(const struct block_spec *spec, struct buffer *out);
// Makes it and offers it to the chain.
enum verdict block_offer(struct test_chain *test, const struct block_spec *spec);
// A good block without transactions on this parent; it must be taken.
const struct block_entry *block_extend(struct test_chain *test, const struct block_entry *parent,
                                       uint32_t extra);

#endif
