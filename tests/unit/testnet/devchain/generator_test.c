#include "testnet/devchain/generator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "testnet/devchain/template.h"
#include "tests/unit/testnet/devchain/block_maker.h"

struct fixture {
    struct test_chain test;
    struct mempool *mempool;
    struct generator *generator;
};

static void set_up(struct fixture *f)
{
    test_chain_open(&f->test);
    f->mempool = mempool_new(&f->test.env);
    f->generator = generator_new(&f->test.env);
    generator_find_funds(f->generator, f->test.chain, f->mempool);
}

static void tear_down(struct fixture *f)
{
    generator_free(f->generator);
    mempool_free(f->mempool);
    test_chain_close(&f->test);
}

static void traffic_has_witnesses_sigops_and_chains(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    assert_int_equal(generator_add(f.generator, f.test.chain, f.mempool, 500), 500);
    size_t witnesses = 0, sigops = 0, children = 0;
    for (size_t i = 0; i < 500; i++) {
        const struct pool_tx *tx = mempool_at(f.mempool, i);
        witnesses += tx->tx.summary.has_witness;
        sigops += tx->sigop_cost > 0;
        children += tx->ancestors > 1;
        assert_true(tx->fee >= tx->tx.summary.size); // at least a satoshi per byte
    }
    assert_in_range(witnesses, 100, 450);
    assert_in_range(sigops, 100, 400);
    assert_in_range(children, 100, 499);
    tear_down(&f);
}

static void traffic_stops_where_all_chains_are_full_and_goes_on_after_a_block(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    size_t added = generator_add(f.generator, f.test.chain, f.mempool, 100000);
    assert_in_range(added, 1000, 256 * MEMPOOL_ANCESTORS_MAX);
    struct template template;
    struct buffer block;
    struct mine_options mine = {(const uint8_t *)"\x51", 1, 10000};
    buffer_init(&block, 8 << 20);
    template_build(f.test.chain, f.mempool, f.test.now, &template);
    assert_int_equal(template.txs_count, added);
    assert_true(template_mine(f.test.chain, &template, &f.test.env, &mine, &block));
    template_clear(&template);
    const struct block_entry *old_tip = chain_tip(f.test.chain);
    assert_int_equal(chain_accept(f.test.chain, block.data, block.size, f.test.now), VERDICT_OK);
    mempool_follow(f.mempool, f.test.chain, old_tip);
    assert_int_equal(mempool_count(f.mempool), 0);
    assert_int_equal(generator_add(f.generator, f.test.chain, f.mempool, 300), 300);
    buffer_clear(&block);
    tear_down(&f);
}

static void funds_are_found_again_in_blocks_and_pool(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    // Takes a purse away from the generator, as anybody may.
    for (uint16_t purse = 0; purse < 256; purse++) {
        struct tx_spec tx = tx_spec_genesis(&f.test, purse);
        struct buffer bytes;
        buffer_init(&bytes, 4096);
        tx_write(&tx, &bytes);
        assert_int_equal(mempool_accept(f.mempool, f.test.chain, bytes.data, bytes.size),
                         VERDICT_OK);
        buffer_clear(&bytes);
    }
    while (generator_add(f.generator, f.test.chain, f.mempool, 10) > 0)
        ;
    assert_int_equal(mempool_count(f.mempool), 256);
    generator_find_funds(f.generator, f.test.chain, f.mempool);
    assert_int_equal(generator_add(f.generator, f.test.chain, f.mempool, 50), 50);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traffic_has_witnesses_sigops_and_chains),
        cmocka_unit_test(traffic_stops_where_all_chains_are_full_and_goes_on_after_a_block),
        cmocka_unit_test(funds_are_found_again_in_blocks_and_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
