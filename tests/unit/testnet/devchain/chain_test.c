#include "testnet/devchain/chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/hex.h"
#include "testnet/devchain/genesis.h"
#include "tests/unit/testnet/devchain/block_maker.h"

static void first_branch_seen_stays_until_another_has_more_work(void **state)
{
    (void)state;
    struct test_chain test;
    test_chain_open(&test);
    const struct block_entry *genesis = chain_genesis(test.chain);
    const struct block_entry *a1 = block_extend(&test, genesis, 1);
    assert_ptr_equal(chain_tip(test.chain), a1);
    const struct block_entry *b1 = block_extend(&test, genesis, 2);
    assert_ptr_equal(chain_tip(test.chain), a1);
    assert_false(b1->is_active);
    assert_int_equal(b1->height, 1);
    const struct block_entry *b2 = block_extend(&test, b1, 2);
    assert_ptr_equal(chain_tip(test.chain), b2);
    assert_true(b1->is_active && b2->is_active && !a1->is_active);
    assert_ptr_equal(chain_at(test.chain, 1), b1);
    assert_ptr_equal(chain_at(test.chain, 2), b2);
    assert_null(chain_at(test.chain, 3));
    assert_ptr_equal(chain_fork(a1, b2), genesis);
    const struct block_entry *a2 = block_extend(&test, a1, 1);
    const struct block_entry *a3 = block_extend(&test, a2, 1);
    assert_ptr_equal(chain_tip(test.chain), a3);
    assert_ptr_equal(chain_at(test.chain, 1), a1);
    test_chain_close(&test);
}

static void block_offered_again_is_a_duplicate_wherever_it_is(void **state)
{
    (void)state;
    struct test_chain test;
    struct block_spec spec;
    test_chain_open(&test);
    block_spec_init(&spec, &test, chain_genesis(test.chain));
    assert_int_equal(block_offer(&test, &spec), VERDICT_OK);
    assert_int_equal(block_offer(&test, &spec), VERDICT_DUPLICATE);
    spec.extra = 1;
    assert_int_equal(block_offer(&test, &spec), VERDICT_INCONCLUSIVE);
    assert_int_equal(block_offer(&test, &spec), VERDICT_DUPLICATE);
    test_chain_close(&test);
}

// What a coin is worth must follow the branch.
static bool is_spent(const struct test_chain *test, uint16_t purse)
{
    struct coin coin;
    assert_true(coins_find(chain_coins(test->chain),
                           &chain_genesis(test->chain)->block.txs[0].summary.txid, purse, &coin));
    return coin.is_spent;
}

static void reorganisation_gives_spent_coins_back(void **state)
{
    (void)state;
    struct test_chain test;
    struct block_spec spec;
    test_chain_open(&test);
    const struct block_entry *genesis = chain_genesis(test.chain);
    struct tx_spec tx = tx_spec_genesis(&test, 3);
    struct tx_spec child = {.txid = tx_spec_txid(&tx),
                            .purse = 3,
                            .to_purse = 5,
                            .amount = tx.amount - tx.fee,
                            .fee = 500,
                            .sequence = 0xffffffff};
    block_spec_init(&spec, &test, genesis);
    block_spec_add(&spec, &tx);
    block_spec_add(&spec, &child);
    assert_int_equal(block_offer(&test, &spec), VERDICT_OK);
    block_spec_clear(&spec);
    struct hash256 child_txid = tx_spec_txid(&child);
    assert_true(is_spent(&test, 3));
    assert_true(coins_has_tx(chain_coins(test.chain), &child_txid));

    const struct block_entry *b1 = block_extend(&test, genesis, 7);
    block_extend(&test, b1, 7);
    assert_false(is_spent(&test, 3));
    assert_false(coins_has_tx(chain_coins(test.chain), &tx.txid) &&
                 coins_has_tx(chain_coins(test.chain), &child_txid));
    // The same transactions are good on the new branch.
    block_spec_init(&spec, &test, chain_tip(test.chain));
    block_spec_add(&spec, &tx);
    block_spec_add(&spec, &child);
    assert_int_equal(block_offer(&test, &spec), VERDICT_OK);
    assert_true(is_spent(&test, 3));
    block_spec_clear(&spec);
    test_chain_close(&test);
}

static void branch_that_does_not_connect_leaves_the_old_tip(void **state)
{
    (void)state;
    struct test_chain test;
    struct block_spec spec;
    test_chain_open(&test);
    const struct block_entry *genesis = chain_genesis(test.chain);
    struct tx_spec tx = tx_spec_genesis(&test, 3);
    block_spec_init(&spec, &test, genesis);
    block_spec_add(&spec, &tx);
    assert_int_equal(block_offer(&test, &spec), VERDICT_OK);
    const struct block_entry *old_tip = chain_tip(test.chain);
    block_spec_clear(&spec);

    // A side block that pays too much is kept: whether it connects shows when its branch is the
    // heavier one.
    struct buffer bytes;
    struct hash256 bad_id;
    block_spec_init(&spec, &test, genesis);
    spec.value++;
    spec.extra = 9;
    block_make(&spec, &bytes);
    header_id(bytes.data, &bad_id);
    assert_int_equal(chain_accept(test.chain, bytes.data, bytes.size, test.now),
                     VERDICT_INCONCLUSIVE);
    const struct block_entry *bad = chain_find(test.chain, &bad_id);
    block_spec_init(&spec, &test, bad);
    assert_int_equal(block_offer(&test, &spec), VERDICT_COINBASE_AMOUNT);
    assert_ptr_equal(chain_tip(test.chain), old_tip);
    assert_true(old_tip->is_active && bad->is_invalid && !bad->is_active);
    assert_true(is_spent(&test, 3));
    assert_int_equal(chain_accept(test.chain, bytes.data, bytes.size, test.now),
                     VERDICT_DUPLICATE_INVALID);
    spec.extra = 10;
    assert_int_equal(block_offer(&test, &spec), VERDICT_PREV_INVALID);
    buffer_clear(&bytes);
    test_chain_close(&test);
}

static void median_time_is_of_eleven_blocks(void **state)
{
    (void)state;
    static const uint32_t offsets[] = {100, 50, 300, 200, 250, 260, 400, 500, 270, 280, 290, 600};
    struct test_chain test;
    test_chain_open(&test);
    uint32_t times[13] = {TEST_GENESIS_TIME};
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        struct block_spec spec;
        block_spec_init(&spec, &test, chain_tip(test.chain));
        spec.time = times[i + 1] = TEST_GENESIS_TIME + 600 + offsets[i];
        int64_t median = chain_median_time(chain_tip(test.chain));
        enum verdict wanted = spec.time > median ? VERDICT_OK : VERDICT_TIME_TOO_OLD;
        if (wanted == VERDICT_TIME_TOO_OLD)
            spec.time = times[i + 1] = (uint32_t)median + 1;
        assert_int_equal(block_offer(&test, &spec), VERDICT_OK);
        // The median by counting: as many below as above.
        size_t first = i + 2 > 11 ? i + 2 - 11 : 0;
        size_t below = 0, above = 0, count = i + 2 - first;
        int64_t now = chain_median_time(chain_tip(test.chain));
        for (size_t j = first; j < i + 2; j++) {
            below += times[j] < now;
            above += times[j] > now;
        }
        assert_true(below <= count / 2 && above <= (count - 1) / 2);
    }
    test_chain_close(&test);
}

static void genesis_is_the_same_for_the_same_options(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t bits;
        uint32_t time;
    } options[] = {{"devchain", 0x207fffff, 1},
                   {"devchain", 0x207fffff, 2},
                   {"devchain", 0x1e0fffff, 1},
                   {"devchain-scrypt", 0x207fffff, 1}};
    struct hash256 ids[4];
    for (size_t i = 0; i < 4; i++) {
        struct buffer a, b;
        buffer_init(&a, 1 << 20);
        buffer_init(&b, 1 << 20);
        genesis_write(options[i].text, options[i].bits, options[i].time, &a);
        genesis_write(options[i].text, options[i].bits, options[i].time, &b);
        assert_int_equal(a.size, b.size);
        assert_memory_equal(a.data, b.data, a.size);
        struct header header;
        header_decode(a.data, &header);
        assert_int_equal(header.bits, options[i].bits);
        assert_int_equal(header.time, options[i].time);
        header_id(a.data, &ids[i]);
        for (size_t j = 0; j < i; j++)
            assert_false(hash_equal(&ids[i], &ids[j]));
        buffer_clear(&a);
        buffer_clear(&b);
    }
}

static void subsidy_halves_and_fees_come_on_top(void **state)
{
    (void)state;
    struct test_chain test;
    struct block_spec spec;
    test_chain_open(&test);
    struct tx_spec tx = tx_spec_genesis(&test, 3);
    tx.fee = 123456;
    block_spec_init(&spec, &test, chain_tip(test.chain));
    block_spec_add(&spec, &tx);
    assert_int_equal(spec.value, 5000000000 + 123456);
    assert_int_equal(block_offer(&test, &spec), VERDICT_OK);
    block_spec_clear(&spec);
    test_chain_close(&test);
}

static bool refuse_to_store(void *context, const uint8_t *bytes, size_t size)
{
    (void)bytes;
    (void)size;
    ++*(int *)context;
    return false;
}

static void block_that_cannot_be_stored_does_not_count(void **state)
{
    (void)state;
    struct test_chain test;
    test_chain_open(&test);
    chain_free(test.chain);
    int calls = 0;
    struct chain_options options = {.params = chain_params_by_name("devchain"),
                                    .bits = TEST_BITS,
                                    .genesis_time = TEST_GENESIS_TIME,
                                    .store = refuse_to_store,
                                    .store_context = &calls};
    test.chain = chain_new(&test.env, &options);
    struct block_spec spec;
    block_spec_init(&spec, &test, chain_tip(test.chain));
    assert_int_equal(block_offer(&test, &spec), VERDICT_NOT_STORED);
    assert_int_equal(block_offer(&test, &spec), VERDICT_NOT_STORED);
    assert_int_equal(calls, 2);
    assert_ptr_equal(chain_tip(test.chain), chain_genesis(test.chain));
    spec.value++;
    spec.is_root_wrong = true;
    assert_int_equal(block_offer(&test, &spec), VERDICT_MERKLE_ROOT);
    assert_int_equal(calls, 2); // what is plainly wrong does not reach the disk
    test_chain_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_branch_seen_stays_until_another_has_more_work),
        cmocka_unit_test(block_offered_again_is_a_duplicate_wherever_it_is),
        cmocka_unit_test(reorganisation_gives_spent_coins_back),
        cmocka_unit_test(branch_that_does_not_connect_leaves_the_old_tip),
        cmocka_unit_test(median_time_is_of_eleven_blocks),
        cmocka_unit_test(genesis_is_the_same_for_the_same_options),
        cmocka_unit_test(subsidy_halves_and_fees_come_on_top),
        cmocka_unit_test(block_that_cannot_be_stored_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
