#include "testnet/devchain/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "testnet/devchain/generator.h"
#include "testnet/devchain/genesis.h"
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

static void parents_come_first_and_fees_add_up(void **state)
{
    (void)state;
    struct fixture f;
    struct template template;
    set_up(&f);
    generator_add(f.generator, f.test.chain, f.mempool, 300);
    template_build(f.test.chain, f.mempool, f.test.now, &template);
    assert_int_equal(template.txs_count, 300);
    uint64_t fees = 0;
    size_t depending = 0;
    for (size_t i = 0; i < template.txs_count; i++) {
        struct tx_inputs walk = tx_inputs_begin(&template.txs[i]->tx);
        struct tx_input input;
        fees += template.txs[i]->fee;
        while (tx_inputs_next(&walk, &input)) {
            const struct pool_tx *parent = mempool_find(f.mempool, &input.txid);
            if (parent == NULL)
                continue;
            depending++;
            bool is_before = false;
            for (size_t j = 0; j < i; j++)
                is_before = is_before || template.txs[j] == parent;
            assert_true(is_before);
        }
    }
    assert_true(depending > 50);
    assert_int_equal(template.coinbase_value, 5000000000 + fees);
    assert_int_equal(template.height, 1);
    assert_int_equal(template.min_time, TEST_GENESIS_TIME + 1);
    template_clear(&template);
    tear_down(&f);
}

static void template_mined_as_it_is_makes_a_good_block(void **state)
{
    (void)state;
    struct fixture f;
    struct template template;
    struct buffer block;
    struct mine_options mine = {(const uint8_t *)"\x51", 1, 10000};
    set_up(&f);
    for (int i = 0; i < 20; i++) {
        const struct block_entry *old_tip = chain_tip(f.test.chain);
        generator_add(f.generator, f.test.chain, f.mempool, 30);
        template_build(f.test.chain, f.mempool, f.test.now, &template);
        buffer_init(&block, 1 << 20);
        assert_true(template_mine(f.test.chain, &template, &f.test.env, &mine, &block));
        assert_int_equal(chain_accept(f.test.chain, block.data, block.size, f.test.now),
                         VERDICT_OK);
        mempool_follow(f.mempool, f.test.chain, old_tip);
        assert_int_equal(mempool_count(f.mempool), 0);
        buffer_clear(&block);
        template_clear(&template);
    }
    tear_down(&f);
}

// A transaction with one large output, paid by a bare purse.
static void offer_large(struct fixture *f, uint16_t purse, size_t script_size)
{
    struct buffer out;
    struct tx_spec spec = tx_spec_genesis(&f->test, purse);
    buffer_init(&out, 2000000);
    write_u32(&out, 2);
    write_varint(&out, 1);
    write_bytes(&out, spec.txid.bytes, 32);
    write_u32(&out, spec.index);
    write_varint(&out, 0);
    write_u32(&out, 0xffffffff);
    write_varint(&out, 2);
    write_u64(&out, 0);
    write_varint(&out, script_size);
    for (size_t i = 0; i < script_size; i++)
        write_u8(&out, 0x6a);
    struct script script;
    genesis_purse_script(purse, &script);
    write_u64(&out, spec.amount - 5000);
    write_varint(&out, script.size);
    write_bytes(&out, script.bytes, script.size);
    write_u32(&out, 0);
    assert_int_equal(mempool_accept(f->mempool, f->test.chain, out.data, out.size), VERDICT_OK);
    buffer_clear(&out);
}

static void what_does_not_fit_stays_out_with_its_children(void **state)
{
    (void)state;
    struct fixture f;
    struct template template;
    set_up(&f);
    // Two of these fill a block; the third one is left out, and so is its child, but not what comes
    // after.
    for (uint16_t purse = 0; purse < 6; purse += 2)
        offer_large(&f, purse, 450000);
    const struct pool_tx *left_out = mempool_at(f.mempool, 2);
    struct tx_spec child = {.txid = left_out->tx.summary.txid,
                            .index = 1,
                            .purse = 4,
                            .to_purse = 4,
                            .amount = GENESIS_PURSE_AMOUNT - 5000,
                            .fee = 1000,
                            .sequence = 0xffffffff};
    struct tx_spec small = tx_spec_genesis(&f.test, 9);
    const struct tx_spec *both[] = {&child, &small};
    for (size_t i = 0; i < 2; i++) {
        struct buffer bytes;
        buffer_init(&bytes, 4096);
        tx_write(both[i], &bytes);
        assert_int_equal(mempool_accept(f.mempool, f.test.chain, bytes.data, bytes.size),
                         VERDICT_OK);
        buffer_clear(&bytes);
    }
    template_build(f.test.chain, f.mempool, f.test.now, &template);
    assert_int_equal(template.txs_count, 3);
    assert_ptr_equal(template.txs[0], mempool_at(f.mempool, 0));
    assert_ptr_equal(template.txs[1], mempool_at(f.mempool, 1));
    assert_ptr_equal(template.txs[2], mempool_at(f.mempool, 4));
    assert_int_equal(template.coinbase_value, 5000000000 + 2 * 5000 + small.fee);
    template_clear(&template);
    tear_down(&f);
}

static void longpoll_id_changes_with_tip_and_with_transactions(void **state)
{
    (void)state;
    struct fixture f;
    char first[TEMPLATE_LONGPOLL_SIZE], again[TEMPLATE_LONGPOLL_SIZE];
    set_up(&f);
    template_longpoll_id(f.test.chain, f.mempool, first);
    template_longpoll_id(f.test.chain, f.mempool, again);
    assert_string_equal(first, again);
    generator_add(f.generator, f.test.chain, f.mempool, 1);
    template_longpoll_id(f.test.chain, f.mempool, again);
    assert_string_not_equal(first, again);
    assert_memory_equal(first, again, 64);
    block_extend(&f.test, chain_tip(f.test.chain), 0);
    template_longpoll_id(f.test.chain, f.mempool, again);
    assert_memory_not_equal(first, again, 64);
    tear_down(&f);
}

static void time_is_never_before_the_median(void **state)
{
    (void)state;
    struct fixture f;
    struct template template;
    set_up(&f);
    struct wall_time early = {INT64_C(1000) * (TEST_GENESIS_TIME - 500)};
    template_build(f.test.chain, f.mempool, early, &template);
    assert_int_equal(template.time, TEST_GENESIS_TIME + 1);
    template_clear(&template);
    template_build(f.test.chain, f.mempool, f.test.now, &template);
    assert_int_equal(template.time, wall_seconds(f.test.now));
    template_clear(&template);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parents_come_first_and_fees_add_up),
        cmocka_unit_test(template_mined_as_it_is_makes_a_good_block),
        cmocka_unit_test(what_does_not_fit_stays_out_with_its_children),
        cmocka_unit_test(longpoll_id_changes_with_tip_and_with_transactions),
        cmocka_unit_test(time_is_never_before_the_median),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
