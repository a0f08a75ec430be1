#include "node/bitcoin/tx.h"

#include "tests/unit/node/bitcoin/support.h"

#define TX_SIZE_MAX 1000

// Reads a literal that must be one transaction and nothing else.
static size_t read_whole(const char *hex, uint8_t *bytes, struct tx_summary *summary)
{
    size_t size = unhex(hex, bytes, TX_SIZE_MAX);
    struct reader reader = reader_init(bytes, size);
    assert_true(tx_read(&reader, summary));
    assert_true(reader_is_done(&reader));
    assert_int_equal(summary->size, size);
    return size;
}

static bool is_readable(const uint8_t *bytes, size_t size)
{
    struct reader reader = reader_init(bytes, size);
    struct tx_summary summary;
    bool is_read = tx_read(&reader, &summary);
    assert_int_equal(is_read, !reader.failed);
    return is_read;
}

static bool hex_is_readable(const char *hex)
{
    uint8_t bytes[TX_SIZE_MAX];
    size_t size = unhex(hex, bytes, sizeof bytes);
    return is_readable(bytes, size);
}

static void legacy_transaction_is_summed_up(void **state)
{
    (void)state;
    uint8_t bytes[TX_SIZE_MAX];
    struct tx_summary summary;
    read_whole(FIRST_PAYMENT, bytes, &summary);
    struct hash256 txid = shown_hash(FIRST_PAYMENT_TXID);
    assert_hash_equal(&summary.txid, &txid);
    assert_hash_equal(&summary.wtxid, &txid);
    assert_false(summary.has_witness);
    assert_false(summary.is_hogex);
    assert_int_equal(summary.base_size, 275);
    assert_int_equal(summary.inputs_count, 1);
    assert_int_equal(summary.outputs_count, 2);
    assert_int_equal(summary.locktime, 0);
    assert_int_equal(tx_weight(&summary), 1100);
}

static void witness_transaction_has_two_ids_and_two_sizes(void **state)
{
    (void)state;
    uint8_t bytes[TX_SIZE_MAX];
    struct tx_summary summary;
    read_whole(BIP143_TX, bytes, &summary);
    struct hash256 txid = shown_hash(BIP143_TXID);
    struct hash256 wtxid = shown_hash(BIP143_WTXID);
    assert_hash_equal(&summary.txid, &txid);
    assert_hash_equal(&summary.wtxid, &wtxid);
    assert_true(summary.has_witness);
    assert_int_equal(summary.size, 343);
    assert_int_equal(summary.base_size, 233);
    assert_int_equal(summary.inputs_count, 2);
    assert_int_equal(summary.locktime, 17);
    assert_int_equal(tx_weight(&summary), 3 * 233 + 343);
}

static void hogex_has_the_id_and_weight_that_litecoin_says(void **state)
{
    (void)state;
    uint8_t bytes[TX_SIZE_MAX];
    struct tx_summary summary;
    read_whole(HOGEX_TX, bytes, &summary);
    struct hash256 txid = shown_hash(HOGEX_TXID);
    assert_hash_equal(&summary.txid, &txid);
    assert_hash_equal(&summary.wtxid, &txid);
    assert_true(summary.is_hogex);
    assert_false(summary.has_witness);
    assert_int_equal(tx_weight(&summary), 376);
}

static void outputs_are_found_by_index(void **state)
{
    (void)state;
    uint8_t bytes[TX_SIZE_MAX];
    struct tx_summary summary;
    struct tx_output output;
    read_whole(BIP143_TX, bytes, &summary);
    uint8_t script[25];
    unhex("76a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac", script, sizeof script);
    assert_true(tx_output_at(bytes, &summary, 1, &output));
    assert_int_equal(output.amount, 0x0d519390);
    assert_int_equal(output.script_size, sizeof script);
    assert_memory_equal(output.script, script, sizeof script);
    assert_true(tx_output_at(bytes, &summary, 0, &output));
    assert_int_equal(output.amount, 112340000);
    assert_false(tx_output_at(bytes, &summary, 2, &output));

    read_whole(BLOCK_1_COINBASE, bytes, &summary);
    assert_true(tx_output_at(bytes, &summary, 0, &output));
    assert_int_equal(output.amount, 5000000000);
    assert_int_equal(output.script_size, 67);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    static const char *const all[] = {FIRST_PAYMENT, BIP143_TX, HOGEX_TX, BLOCK_1_COINBASE};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        uint8_t bytes[TX_SIZE_MAX];
        size_t size = unhex(all[i], bytes, sizeof bytes);
        for (size_t cut = 0; cut < size; cut++)
            assert_false(is_readable(bytes, cut));
        assert_true(is_readable(bytes, size));
    }
    assert_false(is_readable(NULL, 0));
}

static void transactions_in_a_row_are_read_one_by_one(void **state)
{
    (void)state;
    uint8_t bytes[2 * TX_SIZE_MAX];
    size_t first = unhex(BIP143_TX, bytes, TX_SIZE_MAX);
    size_t second = unhex(FIRST_PAYMENT, bytes + first, TX_SIZE_MAX);
    struct reader reader = reader_init(bytes, first + second);
    struct tx_summary summary;
    assert_true(tx_read(&reader, &summary));
    assert_int_equal(summary.size, first);
    assert_false(reader_is_done(&reader));
    assert_true(tx_read(&reader, &summary));
    assert_int_equal(summary.size, second);
    assert_true(reader_is_done(&reader));
}

// Small transactions part by part: flags of the extended form, inputs, outputs, what follows them.
#define TX(flags, inputs, outputs, rest) "01000000" flags inputs outputs rest "00000000"

#define ZEROS_32   "0000000000000000000000000000000000000000000000000000000000000000"
#define INPUT      ZEROS_32 "ffffffff00ffffffff"
#define OUTPUT     "000000000000000000"
#define HUGE_COUNT "ffffffffffffffffff"

static void forms_that_no_daemon_writes_are_refused(void **state)
{
    (void)state;
    assert_true(hex_is_readable(TX("", "01" INPUT, "01" OUTPUT, "")));
    assert_true(hex_is_readable(TX("0001", "01" INPUT, "01" OUTPUT, "0100")));
    // No inputs, no outputs, neither.
    assert_false(hex_is_readable(TX("", "00", "01" OUTPUT, "")));
    assert_false(hex_is_readable(TX("", "01" INPUT, "00", "")));
    assert_false(hex_is_readable(TX("", "00", "00", "")));
    assert_false(hex_is_readable(TX("0001", "00", "01" OUTPUT, "")));
    assert_false(hex_is_readable(TX("0008", "00", "01" OUTPUT, "00")));
    // The extended form with flags 0, with unknown ones, around empty witnesses.
    assert_false(hex_is_readable(TX("0000", "01" INPUT, "01" OUTPUT, "")));
    assert_false(hex_is_readable(TX("0002", "01" INPUT, "01" OUTPUT, "")));
    assert_false(hex_is_readable(TX("0003", "01" INPUT, "01" OUTPUT, "0100")));
    assert_false(hex_is_readable(TX("0001", "01" INPUT, "01" OUTPUT, "00")));
    // MWEB data of its own.
    assert_true(hex_is_readable(TX("0008", "01" INPUT, "01" OUTPUT, "00")));
    assert_false(hex_is_readable(TX("0008", "01" INPUT, "01" OUTPUT, "01")));
    // A count in more bytes than it needs.
    assert_false(hex_is_readable(TX("", "fd0100" INPUT, "01" OUTPUT, "")));
}

static void witness_and_mweb_together_are_weighed_without_mweb(void **state)
{
    (void)state;
    uint8_t bytes[TX_SIZE_MAX];
    struct tx_summary with_both;
    struct tx_summary with_witness;
    read_whole(TX("0009", "01" INPUT, "01" OUTPUT, "010000"), bytes, &with_both);
    read_whole(TX("0001", "01" INPUT, "01" OUTPUT, "0100"), bytes, &with_witness);
    assert_hash_equal(&with_both.txid, &with_witness.txid);
    assert_hash_equal(&with_both.wtxid, &with_witness.wtxid);
    assert_int_equal(tx_weight(&with_both), tx_weight(&with_witness));
    assert_int_equal(with_both.size, with_witness.size + 1);
}

static void counts_beyond_the_bytes_are_refused(void **state)
{
    (void)state;
    assert_false(hex_is_readable(TX("", HUGE_COUNT INPUT, "01" OUTPUT, "")));
    assert_false(hex_is_readable(TX("", "feffffffff" INPUT, "01" OUTPUT, "")));
    assert_false(hex_is_readable(TX("", "02" INPUT, "01" OUTPUT, "")));
    assert_false(hex_is_readable(TX("", "01" INPUT, HUGE_COUNT OUTPUT, "")));
    assert_false(hex_is_readable(TX("", "01" INPUT, "010000000000000000" HUGE_COUNT, "")));
    assert_false(hex_is_readable(TX("0001", "01" INPUT, "01" OUTPUT, HUGE_COUNT "00")));
    assert_false(hex_is_readable(TX("0001", "01" INPUT, "01" OUTPUT, "01" HUGE_COUNT)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(legacy_transaction_is_summed_up),
        cmocka_unit_test(witness_transaction_has_two_ids_and_two_sizes),
        cmocka_unit_test(hogex_has_the_id_and_weight_that_litecoin_says),
        cmocka_unit_test(outputs_are_found_by_index),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(transactions_in_a_row_are_read_one_by_one),
        cmocka_unit_test(forms_that_no_daemon_writes_are_refused),
        cmocka_unit_test(witness_and_mweb_together_are_weighed_without_mweb),
        cmocka_unit_test(counts_beyond_the_bytes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
