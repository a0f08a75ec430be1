#include "testnet/devchain/mempool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/testnet/devchain/block_maker.h"

struct fixture {
    struct test_chain test;
    struct mempool *mempool;
};

static void set_up(struct fixture *f)
{
    test_chain_open(&f->test);
    f->mempool = mempool_new(&f->test.env);
}

static void tear_down(struct fixture *f)
{
    mempool_free(f->mempool);
    test_chain_close(&f->test);
}

static enum verdict offer(struct fixture *f, const struct tx_spec *spec)
{
    struct buffer bytes;
    buffer_init(&bytes, 4096);
    tx_write(spec, &bytes);
    enum verdict verdict = mempool_accept(f->mempool, f->test.chain, bytes.data, bytes.size);
    buffer_clear(&bytes);
    return verdict;
}

// Spends the only output of another transaction of the maker's.
static struct tx_spec child_of(const struct tx_spec *parent)
{
    return (struct tx_spec){.txid = tx_spec_txid(parent),
                            .purse = parent->to_purse,
                            .to_purse = parent->to_purse,
                            .amount = parent->amount - parent->fee,
                            .fee = 700,
                            .sequence = 0xffffffff};
}

// A block with these transactions on `parent`.
static const struct block_entry *mine(struct fixture *f, const struct block_entry *parent,
                                      const struct tx_spec *txs, size_t count)
{
    struct block_spec spec;
    struct buffer bytes;
    struct hash256 id;
    const struct block_entry *old_tip = chain_tip(f->test.chain);
    block_spec_init(&spec, &f->test, parent);
    spec.extra = (uint32_t)f->test.seed++;
    for (size_t i = 0; i < count; i++)
        block_spec_add(&spec, &txs[i]);
    block_make(&spec, &bytes);
    header_id(bytes.data, &id);
    enum verdict verdict = chain_accept(f->test.chain, bytes.data, bytes.size, f->test.now);
    assert_true(verdict == VERDICT_OK || verdict == VERDICT_INCONCLUSIVE);
    buffer_clear(&bytes);
    block_spec_clear(&spec);
    if (chain_tip(f->test.chain) != old_tip)
        mempool_follow(f->mempool, f->test.chain, old_tip);
    return chain_find(f->test.chain, &id);
}

static void transaction_waits_until_it_is_in_a_block(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    struct tx_spec tx = tx_spec_genesis(&f.test, 3);
    struct tx_spec child = child_of(&tx);
    struct hash256 txid = tx_spec_txid(&tx);
    assert_int_equal(offer(&f, &tx), VERDICT_OK);
    assert_int_equal(offer(&f, &child), VERDICT_OK);
    assert_int_equal(mempool_find(f.mempool, &txid)->fee, tx.fee);
    assert_true(mempool_spends(f.mempool, &tx.txid, 3));
    assert_false(mempool_spends(f.mempool, &tx.txid, 4));
    mine(&f, chain_tip(f.test.chain), &tx, 1);
    assert_int_equal(mempool_count(f.mempool), 1);
    assert_null(mempool_find(f.mempool, &txid));
    assert_int_equal(offer(&f, &tx), VERDICT_TX_CONFIRMED);
    mine(&f, chain_tip(f.test.chain), &child, 1);
    assert_int_equal(mempool_count(f.mempool), 0);
    assert_int_equal(mempool_size(f.mempool), 0);
    tear_down(&f);
}

static void wrong_transactions_are_refused(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    struct tx_spec tx = tx_spec_genesis(&f.test, 3);
    struct tx_spec other = tx;
    assert_int_equal(offer(&f, &tx), VERDICT_OK);
    assert_int_equal(offer(&f, &tx), VERDICT_TX_KNOWN);
    other.fee++;
    assert_int_equal(offer(&f, &other), VERDICT_TX_CONFLICT);
    other = tx_spec_genesis(&f.test, 5);
    other.index = 256;
    assert_int_equal(offer(&f, &other), VERDICT_INPUT_MISSING);
    other = tx_spec_genesis(&f.test, 5);
    other.is_witness_wrong = true;
    assert_int_equal(offer(&f, &other), VERDICT_SCRIPT);
    other = tx_spec_genesis(&f.test, 5);
    other.fee = (uint64_t)-1;
    assert_int_equal(offer(&f, &other), VERDICT_SPENDS_TOO_MUCH);
    other = tx_spec_genesis(&f.test, 5);
    other.sequence = 1;
    assert_int_equal(offer(&f, &other), VERDICT_NONFINAL);
    other = tx_spec_genesis(&f.test, 5);
    memset(&other.txid, 0, sizeof other.txid);
    other.index = 0xffffffff;
    assert_int_equal(offer(&f, &other), VERDICT_TX_COINBASE);
    assert_int_equal(mempool_accept(f.mempool, f.test.chain, (const uint8_t *)"\x01", 1),
                     VERDICT_UNDECODABLE);
    assert_int_equal(mempool_count(f.mempool), 1);
    tear_down(&f);
}

static void chains_end_at_their_limit(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    struct tx_spec tx = tx_spec_genesis(&f.test, 3);
    for (size_t i = 0; i < MEMPOOL_ANCESTORS_MAX; i++) {
        assert_int_equal(offer(&f, &tx), VERDICT_OK);
        tx = child_of(&tx);
    }
    assert_int_equal(offer(&f, &tx), VERDICT_TX_CHAIN_TOO_LONG);
    tear_down(&f);
}

static void what_a_block_spends_otherwise_leaves_with_its_children(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    struct tx_spec tx = tx_spec_genesis(&f.test, 3);
    struct tx_spec child = child_of(&tx);
    struct tx_spec stranger = tx_spec_genesis(&f.test, 7);
    offer(&f, &tx);
    offer(&f, &child);
    offer(&f, &stranger);
    struct tx_spec rival = tx;
    rival.fee = 5000;
    mine(&f, chain_tip(f.test.chain), &rival, 1);
    struct hash256 left = tx_spec_txid(&stranger);
    assert_int_equal(mempool_count(f.mempool), 1);
    assert_non_null(mempool_find(f.mempool, &left));
    tear_down(&f);
}

static void reorganisation_brings_transactions_back_in_order(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    const struct block_entry *genesis = chain_genesis(f.test.chain);
    struct tx_spec tx[4];
    tx[0] = tx_spec_genesis(&f.test, 3);
    for (size_t i = 1; i < 4; i++)
        tx[i] = child_of(&tx[i - 1]);
    // Two in the first block, one in the second, the last one waits.
    const struct block_entry *a1 = mine(&f, genesis, tx, 2);
    mine(&f, a1, tx + 2, 1);
    assert_int_equal(offer(&f, &tx[3]), VERDICT_OK);
    const struct block_entry *b1 = mine(&f, genesis, NULL, 0);
    const struct block_entry *b2 = mine(&f, b1, NULL, 0);
    assert_int_equal(mempool_count(f.mempool), 1);
    mine(&f, b2, NULL, 0);
    assert_int_equal(mempool_count(f.mempool), 4);
    for (size_t i = 0; i < 4; i++) {
        struct hash256 txid = tx_spec_txid(&tx[i]);
        assert_ptr_equal(mempool_find(f.mempool, &txid), mempool_at(f.mempool, i));
        assert_int_equal(mempool_at(f.mempool, i)->ancestors, i + 1);
    }
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transaction_waits_until_it_is_in_a_block),
        cmocka_unit_test(wrong_transactions_are_refused),
        cmocka_unit_test(chains_end_at_their_limit),
        cmocka_unit_test(what_a_block_spends_otherwise_leaves_with_its_children),
        cmocka_unit_test(reorganisation_brings_transactions_back_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
