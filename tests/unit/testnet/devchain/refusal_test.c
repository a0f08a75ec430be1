// Every way in which a miner can get a block wrong, one at a time.
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/testnet/devchain/block_maker.h"

// A block on genesis with one witness transaction and one without, right in everything.
struct fixture {
    struct test_chain test;
    struct block_spec spec;
};

static void set_up(struct fixture *f)
{
    test_chain_open(&f->test);
    block_spec_init(&f->spec, &f->test, chain_tip(f->test.chain));
    struct tx_spec plain = tx_spec_genesis(&f->test, 2);
    struct tx_spec witness = tx_spec_genesis(&f->test, 3);
    block_spec_add(&f->spec, &plain);
    block_spec_add(&f->spec, &witness);
}

// Offers the block, then the same one mended: whatever the refusal was about, it was the only
// fault.
static enum verdict tear_down(struct fixture *f)
{
    struct fixture right;
    enum verdict verdict = block_offer(&f->test, &f->spec);
    set_up(&right);
    assert_int_equal(block_offer(&right.test, &right.spec), VERDICT_OK);
    block_spec_clear(&right.spec);
    test_chain_close(&right.test);
    assert_ptr_equal(chain_tip(f->test.chain), chain_genesis(f->test.chain));
    block_spec_clear(&f->spec);
    test_chain_close(&f->test);
    return verdict;
}

#define REFUSED(name, fault, wanted)                                                               \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        struct fixture f;                                                                          \
        struct block_spec *spec = &f.spec;                                                         \
        set_up(&f);                                                                                \
        fault;                                                                                     \
        assert_string_equal(verdict_text(tear_down(&f)), wanted);                                  \
    }

REFUSED(hash_above_target_is_high_hash, spec->is_without_work = true, "high-hash")
REFUSED(bits_that_expand_to_nothing_are_high_hash, spec->bits = 0x20800000, "high-hash")
REFUSED(other_bits_are_bad_diffbits, spec->bits = 0x207ffffe, "bad-diffbits")
REFUSED(harder_bits_are_bad_diffbits, spec->bits = 0x2000ffff, "bad-diffbits")
REFUSED(unknown_parent_is_prev_blk_not_found, spec->prev.bytes[0] ^= 1, "prev-blk-not-found")
REFUSED(time_of_the_median_is_too_old, spec->time = TEST_GENESIS_TIME, "time-too-old")
REFUSED(time_two_hours_and_a_second_ahead_is_too_new,
        spec->time = (uint32_t)(wall_seconds(f.test.now) + 7201), "time-too-new")
REFUSED(version_three_is_bad_version, spec->version = 3, "bad-version")
REFUSED(negative_version_is_bad_version, spec->version = 0xa0000000, "bad-version")
REFUSED(wrong_merkle_root_is_refused, spec->is_root_wrong = true, "bad-txnmrklroot")
REFUSED(block_that_pays_a_satoshi_too_much_is_bad_cb_amount, spec->value++, "bad-cb-amount")
REFUSED(coinbase_without_its_height_is_bad_cb_height, spec->script_height = 2, "bad-cb-height")
REFUSED(coinbase_script_of_one_byte_is_bad_cb_length, spec->script_size = 1, "bad-cb-length")
REFUSED(coinbase_script_of_101_bytes_is_bad_cb_length, spec->script_size = 101, "bad-cb-length")
REFUSED(coinbase_locked_for_its_own_height_is_nonfinal, spec->locktime = 1, "bad-txns-nonfinal")
REFUSED(same_coinbase_twice_is_bad_txns_duplicate, spec->is_coinbase_twice = true,
        "bad-txns-duplicate")
REFUSED(missing_coinbase_is_refused, spec->is_coinbase_missing = true, "bad-cb-missing")
REFUSED(wrong_commitment_is_bad_witness_merkle_match, spec->is_commitment_wrong = true,
        "bad-witness-merkle-match")
REFUSED(witness_without_commitment_is_unexpected_witness,
        (spec->has_commitment = false, spec->has_nonce = false), "unexpected-witness")
REFUSED(nonce_without_commitment_is_unexpected_witness,
        (spec->has_commitment = false, block_spec_clear(spec), spec->txs_count = 0),
        "unexpected-witness")
REFUSED(commitment_without_nonce_is_bad_witness_nonce_size, spec->has_nonce = false,
        "bad-witness-nonce-size")
REFUSED(nonce_of_31_bytes_is_bad_witness_nonce_size, spec->nonce_size = 31,
        "bad-witness-nonce-size")
REFUSED(too_many_sigops_are_bad_blk_sigops, spec->p2pkh_outputs = 20001, "bad-blk-sigops")
REFUSED(repeated_end_with_the_same_root_is_bad_txns_duplicate, spec->repeat_last = 1,
        "bad-txns-duplicate")

static void limits_themselves_are_fine(void **state)
{
    (void)state;
    struct test_chain test;
    struct block_spec spec;
    test_chain_open(&test);
    block_spec_init(&spec, &test, chain_tip(test.chain));
    spec.time = (uint32_t)(wall_seconds(test.now) + 7200);
    spec.p2pkh_outputs = 20000; // 80 000 in sigop cost
    spec.script_size = 100;
    assert_int_equal(block_offer(&test, &spec), VERDICT_OK);
    block_spec_init(&spec, &test, chain_tip(test.chain));
    spec.value--; // a miner may leave money lying
    spec.time = TEST_GENESIS_TIME + 1;
    spec.version = 0x7fffffff;
    spec.has_commitment = false;
    spec.has_nonce = false;
    // Genesis and the late block: the median is the later of the two.
    assert_string_equal(verdict_text(block_offer(&test, &spec)), "time-too-old");
    spec.time = (uint32_t)(wall_seconds(test.now) + 7200);
    assert_string_equal(verdict_text(block_offer(&test, &spec)), "time-too-old");
    test.now.ms += 1000;
    spec.time++;
    assert_int_equal(block_offer(&test, &spec), VERDICT_OK);
    test_chain_close(&test);
}

// One transaction of 4 000 000 weight units less what the rest weighs, and then one unit more: the
// padding is a witness-free output script, in steps of four.
static void block_of_more_than_four_million_is_bad_blk_weight(void **state)
{
    (void)state;
    for (int is_over = 0; is_over < 2; is_over++) {
        struct test_chain test;
        struct block_spec spec;
        struct buffer block;
        struct block decoded;
        test_chain_open(&test);
        block_spec_init(&spec, &test, chain_tip(test.chain));
        // A P2PKH output is 34 bytes: 136 units; the script is padded for the rest.
        spec.has_commitment = false;
        spec.has_nonce = false;
        struct tx_spec plain = tx_spec_genesis(&test, 2);
        block_spec_add(&spec, &plain);
        block_make(&spec, &block);
        assert_true(block_decode(&decoded, block.data, block.size));
        uint64_t left = 4000000 - block_weight(&decoded) - 4 * 4; // a longer script length
        block_clear(&decoded);
        buffer_clear(&block);

        // The transaction again with a larger output script.
        struct buffer *tx = &spec.txs[0];
        buffer_clear(tx);
        buffer_init(tx, 2000000);
        size_t script_size = 5 + left / 4 + (size_t)is_over;
        write_u32(tx, 2);
        write_varint(tx, 1);
        write_bytes(tx, plain.txid.bytes, 32);
        write_u32(tx, plain.index);
        write_varint(tx, 0);
        write_u32(tx, plain.sequence);
        write_varint(tx, 1);
        write_u64(tx, plain.amount - plain.fee);
        write_varint(tx, script_size);
        for (size_t i = 0; i < script_size; i++)
            write_u8(tx, 0x6a);
        write_u32(tx, 0);
        block_make(&spec, &block);
        assert_true(block_decode(&decoded, block.data, block.size));
        assert_int_equal(block_weight(&decoded), 4000000 + 4 * is_over);
        block_clear(&decoded);
        enum verdict verdict = chain_accept(test.chain, block.data, block.size, test.now);
        assert_string_equal(verdict_text(verdict), is_over ? "bad-blk-weight" : "");
        buffer_clear(&block);
        block_spec_clear(&spec);
        test_chain_close(&test);
    }
}

static void truncated_or_longer_bytes_are_undecodable(void **state)
{
    (void)state;
    struct fixture f;
    struct buffer block;
    set_up(&f);
    block_make(&f.spec, &block);
    for (size_t size = 0; size < block.size; size++)
        assert_int_equal(chain_accept(f.test.chain, block.data, size, f.test.now),
                         VERDICT_UNDECODABLE);
    write_u8(&block, 0);
    assert_int_equal(chain_accept(f.test.chain, block.data, block.size, f.test.now),
                     VERDICT_UNDECODABLE);
    buffer_clear(&block);
    block_spec_clear(&f.spec);
    test_chain_close(&f.test);
}

// The transactions' own faults. Each starts from a transaction that is right.
struct tx_fault {
    const char *reason;
    void (*spoil)(struct tx_spec *tx);
};

static void spend_missing(struct tx_spec *tx)
{
    tx->index = 256;
}

static void spend_unknown(struct tx_spec *tx)
{
    tx->txid.bytes[31] ^= 1;
}

static void spend_null(struct tx_spec *tx)
{
    memset(&tx->txid, 0, sizeof tx->txid);
    tx->index = 0xffffffff;
}

static void spend_too_much(struct tx_spec *tx)
{
    tx->fee = (uint64_t)-1;
}

static void pay_too_much(struct tx_spec *tx)
{
    tx->fee = tx->amount - (TX_MONEY_MAX + 1);
}

static void show_wrong_script(struct tx_spec *tx)
{
    tx->is_witness_wrong = true;
}

static void spend_with_wrong_purse(struct tx_spec *tx)
{
    tx->index = 4; // a bare script, with the witness of purse 3
}

static void lock_for_later(struct tx_spec *tx)
{
    tx->locktime = 1;
    tx->sequence = 0xfffffffe;
}

static void lock_relative(struct tx_spec *tx)
{
    tx->sequence = 1;
}

static void wrong_transactions_spoil_their_block(void **state)
{
    (void)state;
    static const struct tx_fault faults[] = {
        {"bad-txns-inputs-missingorspent", spend_missing},
        {"bad-txns-inputs-missingorspent", spend_unknown},
        {"bad-cb-multiple", spend_null},
        {"bad-txns-in-belowout", spend_too_much},
        {"bad-txns-vout-toolarge", pay_too_much},
        {"mandatory-script-verify-flag-failed", show_wrong_script},
        {"mandatory-script-verify-flag-failed", spend_with_wrong_purse},
        {"bad-txns-nonfinal", lock_for_later},
        {"bad-txns-nonfinal", lock_relative},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct test_chain test;
        struct block_spec spec;
        test_chain_open(&test);
        block_spec_init(&spec, &test, chain_tip(test.chain));
        struct tx_spec tx = tx_spec_genesis(&test, 3);
        uint64_t fee = tx.fee;
        faults[i].spoil(&tx);
        block_spec_add(&spec, &tx);
        spec.value -= tx.fee - fee;
        assert_string_equal(verdict_text(block_offer(&test, &spec)), faults[i].reason);
        block_spec_clear(&spec);
        test_chain_close(&test);
    }
}

static void double_spends_are_refused_within_a_block_and_across_blocks(void **state)
{
    (void)state;
    struct test_chain test;
    struct block_spec spec;
    test_chain_open(&test);
    struct tx_spec first = tx_spec_genesis(&test, 3);
    struct tx_spec second = first;
    second.fee = 2000;
    block_spec_init(&spec, &test, chain_tip(test.chain));
    block_spec_add(&spec, &first);
    block_spec_add(&spec, &second);
    assert_string_equal(verdict_text(block_offer(&test, &spec)), "bad-txns-inputs-missingorspent");
    block_spec_clear(&spec);
    block_spec_init(&spec, &test, chain_tip(test.chain));
    block_spec_add(&spec, &first);
    assert_int_equal(block_offer(&test, &spec), VERDICT_OK);
    block_spec_clear(&spec);
    block_spec_init(&spec, &test, chain_tip(test.chain));
    block_spec_add(&spec, &second);
    assert_string_equal(verdict_text(block_offer(&test, &spec)), "bad-txns-inputs-missingorspent");
    block_spec_clear(&spec);
    test_chain_close(&test);
}

static void child_must_come_after_its_parent(void **state)
{
    (void)state;
    struct test_chain test;
    struct block_spec spec;
    test_chain_open(&test);
    struct tx_spec parent = tx_spec_genesis(&test, 3);
    struct tx_spec child = tx_spec_genesis(&test, 3);
    child.txid = tx_spec_txid(&parent);
    child.index = 0;
    child.amount = parent.amount - parent.fee;
    block_spec_init(&spec, &test, chain_tip(test.chain));
    block_spec_add(&spec, &child);
    block_spec_add(&spec, &parent);
    assert_string_equal(verdict_text(block_offer(&test, &spec)), "bad-txns-inputs-missingorspent");
    block_spec_clear(&spec);
    block_spec_init(&spec, &test, chain_tip(test.chain));
    block_spec_add(&spec, &parent);
    block_spec_add(&spec, &child);
    assert_int_equal(block_offer(&test, &spec), VERDICT_OK);
    block_spec_clear(&spec);
    test_chain_close(&test);
}

// A coinbase that pays a bare open script may be spent a hundred blocks later.
static void coinbase_ripens_for_a_hundred_blocks(void **state)
{
    (void)state;
    struct test_chain test;
    test_chain_open(&test);
    struct buffer block;
    struct block_spec spec;
    struct hash256 id;
    block_spec_init(&spec, &test, chain_tip(test.chain));
    struct tx_spec to_purse = tx_spec_genesis(&test, 2);
    block_spec_add(&spec, &to_purse);
    block_make(&spec, &block);
    header_id(block.data, &id);
    assert_int_equal(chain_accept(test.chain, block.data, block.size, test.now), VERDICT_OK);
    buffer_clear(&block);
    block_spec_clear(&spec);
    // The maker's coinbases pay OP_TRUE alone, which is no open script: such a spend is refused for
    // the script once it is ripe, and for its age before.
    struct tx_spec spend = {.txid = chain_find(test.chain, &id)->block.txs[0].summary.txid,
                            .purse = 2,
                            .to_purse = 2,
                            .amount = 5000000000,
                            .fee = 1000,
                            .sequence = 0xffffffff};
    for (int64_t height = 2; height <= 101; height++) {
        if (height >= 100) {
            block_spec_init(&spec, &test, chain_tip(test.chain));
            block_spec_add(&spec, &spend);
            assert_string_equal(verdict_text(block_offer(&test, &spec)),
                                height == 100 ? "bad-txns-premature-spend-of-coinbase"
                                              : "mandatory-script-verify-flag-failed");
            block_spec_clear(&spec);
        }
        block_extend(&test, chain_tip(test.chain), 0);
    }
    test_chain_close(&test);
}

static void proposal_is_judged_without_work_and_changes_nothing(void **state)
{
    (void)state;
    struct fixture f;
    struct buffer block;
    set_up(&f);
    f.spec.is_without_work = true;
    block_make(&f.spec, &block);
    assert_int_equal(chain_propose(f.test.chain, block.data, block.size, f.test.now), VERDICT_OK);
    assert_int_equal(chain_propose(f.test.chain, block.data, block.size, f.test.now), VERDICT_OK);
    assert_ptr_equal(chain_tip(f.test.chain), chain_genesis(f.test.chain));
    buffer_clear(&block);
    f.spec.value++;
    block_make(&f.spec, &block);
    assert_int_equal(chain_propose(f.test.chain, block.data, block.size, f.test.now),
                     VERDICT_COINBASE_AMOUNT);
    buffer_clear(&block);
    f.spec.value--;
    f.spec.is_without_work = false;
    assert_int_equal(block_offer(&f.test, &f.spec), VERDICT_OK);
    block_make(&f.spec, &block);
    assert_int_equal(chain_propose(f.test.chain, block.data, block.size, f.test.now),
                     VERDICT_DUPLICATE);
    buffer_clear(&block);
    f.spec.extra++;
    block_make(&f.spec, &block);
    assert_int_equal(chain_propose(f.test.chain, block.data, block.size, f.test.now),
                     VERDICT_NOT_ON_TIP);
    buffer_clear(&block);
    block_spec_clear(&f.spec);
    test_chain_close(&f.test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_above_target_is_high_hash),
        cmocka_unit_test(bits_that_expand_to_nothing_are_high_hash),
        cmocka_unit_test(other_bits_are_bad_diffbits),
        cmocka_unit_test(harder_bits_are_bad_diffbits),
        cmocka_unit_test(unknown_parent_is_prev_blk_not_found),
        cmocka_unit_test(time_of_the_median_is_too_old),
        cmocka_unit_test(time_two_hours_and_a_second_ahead_is_too_new),
        cmocka_unit_test(version_three_is_bad_version),
        cmocka_unit_test(negative_version_is_bad_version),
        cmocka_unit_test(wrong_merkle_root_is_refused),
        cmocka_unit_test(block_that_pays_a_satoshi_too_much_is_bad_cb_amount),
        cmocka_unit_test(coinbase_without_its_height_is_bad_cb_height),
        cmocka_unit_test(coinbase_script_of_one_byte_is_bad_cb_length),
        cmocka_unit_test(coinbase_script_of_101_bytes_is_bad_cb_length),
        cmocka_unit_test(coinbase_locked_for_its_own_height_is_nonfinal),
        cmocka_unit_test(same_coinbase_twice_is_bad_txns_duplicate),
        cmocka_unit_test(missing_coinbase_is_refused),
        cmocka_unit_test(wrong_commitment_is_bad_witness_merkle_match),
        cmocka_unit_test(witness_without_commitment_is_unexpected_witness),
        cmocka_unit_test(nonce_without_commitment_is_unexpected_witness),
        cmocka_unit_test(commitment_without_nonce_is_bad_witness_nonce_size),
        cmocka_unit_test(nonce_of_31_bytes_is_bad_witness_nonce_size),
        cmocka_unit_test(too_many_sigops_are_bad_blk_sigops),
        cmocka_unit_test(repeated_end_with_the_same_root_is_bad_txns_duplicate),
        cmocka_unit_test(limits_themselves_are_fine),
        cmocka_unit_test(block_of_more_than_four_million_is_bad_blk_weight),
        cmocka_unit_test(truncated_or_longer_bytes_are_undecodable),
        cmocka_unit_test(wrong_transactions_spoil_their_block),
        cmocka_unit_test(double_spends_are_refused_within_a_block_and_across_blocks),
        cmocka_unit_test(child_must_come_after_its_parent),
        cmocka_unit_test(coinbase_ripens_for_a_hundred_blocks),
        cmocka_unit_test(proposal_is_judged_without_work_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
