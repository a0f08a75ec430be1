// What the limits leave of a template, and the block that is written from it.
#include "node/bitcoin/block_template.h"

#include "tests/unit/node/bitcoin/support.h"
#include "tests/unit/node/bitcoin/template_source.h"
#include "node/bitcoin/tx.h"

static void tight_weight_drops_the_last_transaction_and_its_fee(void **state)
{
    (void)state;
    struct source source = usual();
    source.coinbase.weight = 4000000 - FRAME_WEIGHT - FIRST_WEIGHT - SECOND_WEIGHT;
    struct block_template *made = parse_good(&source);
    assert_int_equal(made->txs_dropped, 0);
    block_template_release(made);

    source.coinbase.weight++;
    made = parse_good(&source);
    assert_int_equal(made->txs_dropped, 1);
    assert_int_equal(made->txs_count, 1);
    assert_int_equal(made->coinbase_value, 5000000700);
    // The daemon's commitment is over both; ours over what is left.
    struct hash256 commitment = wire_hash(COMMITMENT_ONE);
    assert_hash_equal(&made->witness_commitment, &commitment);
    assert_true(made->has_witness);
    struct hash256 txid = shown_hash(FIRST_PAYMENT_TXID);
    assert_int_equal(made->branch.count, 1);
    assert_hash_equal(&made->branch.hashes[0], &txid);
    block_template_release(made);
}

static void tight_sigops_drop_what_has_them_and_its_dependants(void **state)
{
    (void)state;
    struct source source = usual();
    source.transactions = LIST_2(FIRST("'depends':[],'fee':700,'sigops':8"),
                                 SECOND("'depends':[1],'fee':300,'sigops':0"));
    source.coinbase.sigops = 80000 - 8;
    struct block_template *made = parse_good(&source);
    assert_int_equal(made->txs_dropped, 0);
    block_template_release(made);
    source.coinbase.sigops++;
    made = parse_good(&source);
    assert_int_equal(made->txs_dropped, 2);
    assert_int_equal(made->coinbase_value, 5000000000);
    block_template_release(made);
    // Without the dependence only the one with sigops goes.
    source.transactions = LIST_2(FIRST("'depends':[],'fee':700,'sigops':8"),
                                 SECOND("'depends':[],'fee':300,'sigops':0"));
    made = parse_good(&source);
    assert_int_equal(made->txs_dropped, 1);
    struct hash256 txid = shown_hash(BIP143_TXID);
    assert_hash_equal(&made->txs[0].txid, &txid);
    assert_int_equal(made->coinbase_value, 5000000300);
    block_template_release(made);
}

static void limits_of_consensus_hold_where_none_are_named(void **state)
{
    (void)state;
    struct source source = usual();
    source.weightlimit = NULL;
    source.sigoplimit = "null";
    source.coinbase.weight = 4000000 - FRAME_WEIGHT - FIRST_WEIGHT - SECOND_WEIGHT;
    source.coinbase.sigops = 80000 - 13;
    struct block_template *made = parse_good(&source);
    assert_int_equal(made->txs_dropped, 0);
    block_template_release(made);
    source.coinbase.sigops++;
    made = parse_good(&source);
    assert_int_equal(made->txs_dropped, 1);
    block_template_release(made);
    source.coinbase.sigops--;
    source.coinbase.weight++;
    made = parse_good(&source);
    assert_int_equal(made->txs_dropped, 1);
    block_template_release(made);
}

static void coinbase_that_fits_no_block_is_refused(void **state)
{
    (void)state;
    struct source source = usual();
    source.coinbase.weight = 4000000 - FRAME_WEIGHT;
    struct block_template *made = parse_good(&source);
    assert_int_equal(made->txs_count, 0);
    assert_int_equal(made->coinbase_value, 5000000000);
    block_template_release(made);
    source.coinbase.weight++;
    assert_refused(&source, TEMPLATE_TOO_LARGE, "weightlimit");
    source = usual();
    source.coinbase.sigops = 80001;
    assert_refused(&source, TEMPLATE_TOO_LARGE, "sigoplimit");
}

static void transactions_with_unknown_or_false_fees_cannot_be_dropped(void **state)
{
    (void)state;
    struct source source = usual();
    source.transactions =
        LIST_2(FIRST("'depends':[],'sigops':8"), SECOND("'depends':[],'fee':1001,'sigops':0"));
    struct block_template *made = parse_good(&source);
    assert_int_equal(made->txs_count, 2);
    block_template_release(made);
    // The second one's fee alone is more than all fees together.
    source.weightlimit = "3000";
    assert_refused(&source, TEMPLATE_COINBASE_LOW, "transactions[].fee");
    source.weightlimit = "1400";
    assert_refused(&source, TEMPLATE_MALFORMED, "transactions[].fee");
}

static struct source litecoin(void)
{
    struct source source = usual();
    source.chain = "litecoin";
    source.bits = "'1e0fffff'";
    source.rules = "['csv','!segwit','taproot','mweb']";
    source.default_witness_commitment = NULL;
    source.transactions = LIST_3(FIRST("'depends':[],'fee':700,'sigops':8"),
                                 SECOND("'depends':[],'fee':300,'sigops':5"),
                                 HOGEX("'depends':[],'fee':0,'sigops':0"));
    source.mweb = "'c0ffee'";
    return source;
}

static void extension_block_keeps_its_hogex_and_what_that_spends(void **state)
{
    (void)state;
    struct source source = litecoin();
    struct block_template *made = parse_good(&source);
    assert_int_equal(made->txs_count, 3);
    assert_int_equal(made->mweb_size, 3);
    assert_memory_equal(made->mweb, "\xc0\xff\xee", 3);
    block_template_release(made);

    struct hash256 hogex = shown_hash(HOGEX_TXID);
    struct hash256 second = shown_hash(BIP143_TXID);
    source.weightlimit = "3000";
    made = parse_good(&source);
    assert_int_equal(made->txs_count, 2);
    assert_hash_equal(&made->txs[1].txid, &hogex);
    block_template_release(made);
    // A transaction that pegs in, which the HogEx spends, stays, too.
    source.transactions = LIST_3(FIRST("'depends':[],'fee':700,'sigops':8"),
                                 SECOND("'depends':[],'fee':300,'sigops':5"),
                                 HOGEX("'depends':[2],'fee':0,'sigops':0"));
    made = parse_good(&source);
    assert_int_equal(made->txs_count, 2);
    assert_hash_equal(&made->txs[0].txid, &second);
    assert_hash_equal(&made->txs[1].txid, &hogex);
    assert_int_equal(made->coinbase_value, 5000000300);
    block_template_release(made);
    source.weightlimit = "2700";
    assert_refused(&source, TEMPLATE_TOO_LARGE, "weightlimit");
}

static void extension_block_must_be_there_when_its_rule_is(void **state)
{
    (void)state;
    struct source source = litecoin();
    source.mweb = NULL;
    assert_refused(&source, TEMPLATE_MALFORMED, "mweb");
    source.mweb = "''";
    assert_refused(&source, TEMPLATE_MALFORMED, "mweb");
    source.mweb = "'c0ffe'";
    assert_refused(&source, TEMPLATE_MALFORMED, "mweb");
    source.mweb = "7";
    assert_refused(&source, TEMPLATE_MALFORMED, "mweb");
    source = litecoin();
    source.transactions = "[]";
    source.default_witness_commitment = NULL;
    assert_refused(&source, TEMPLATE_MALFORMED, "mweb");
    // Before the rule is active, and with daemons that do not know it, there is none.
    source = litecoin();
    source.rules = "['!segwit']";
    source.mweb = NULL;
    struct block_template *made = parse_good(&source);
    assert_null(made->mweb);
    block_template_release(made);
}

static void chains_without_extension_blocks_ignore_one(void **state)
{
    (void)state;
    struct source source = usual();
    source.mweb = "'c0ffee'";
    struct block_template *made = parse_good(&source);
    assert_null(made->mweb);
    block_template_release(made);
    source.transactions = LIST_1(HOGEX("'depends':[],'fee':0,'sigops':0"));
    assert_refused(&source, TEMPLATE_TX_BAD, "transactions[].data");
}

static void assert_tx_at(struct reader *reader, const char *hex)
{
    uint8_t expected[400];
    size_t size = unhex(hex, expected, sizeof expected);
    const uint8_t *found = read_view(reader, size);
    assert_non_null(found);
    assert_memory_equal(found, expected, size);
}

static void block_is_written_as_submitblock_wants_it(void **state)
{
    (void)state;
    struct source source = litecoin();
    struct block_template *made = parse_good(&source);
    uint8_t header[HEADER_SIZE];
    uint8_t coinbase[200];
    memset(header, 0xab, sizeof header);
    size_t coinbase_size = unhex(BLOCK_1_COINBASE, coinbase, sizeof coinbase);
    struct buffer out;
    buffer_init(&out, 10000);
    write_text(&out, "before");
    assert_true(block_template_write_block(made, header, coinbase, coinbase_size, &out));

    struct reader reader = reader_init(out.data, out.size);
    assert_memory_equal(read_view(&reader, 6), "before", 6);
    assert_memory_equal(read_view(&reader, HEADER_SIZE), header, HEADER_SIZE);
    assert_int_equal(read_varint(&reader), 4);
    const uint8_t *written = reader.at;
    struct tx_summary summary;
    assert_true(tx_read(&reader, &summary));
    struct hash256 txid = shown_hash(BLOCK_1_COINBASE_TXID);
    assert_hash_equal(&summary.txid, &txid);
    assert_true(summary.has_witness);
    assert_int_equal(summary.size, coinbase_size + 36);
    // One item of 32 zero bytes, before the locktime.
    uint8_t witness[34] = {1, 32};
    assert_memory_equal(written + summary.size - 38, witness, sizeof witness);
    assert_tx_at(&reader, FIRST_PAYMENT);
    assert_tx_at(&reader, BIP143_TX);
    assert_tx_at(&reader, HOGEX_TX);
    assert_tx_at(&reader, "01c0ffee");
    assert_true(reader_is_done(&reader));
    buffer_clear(&out);
    block_template_release(made);
}

static void block_without_witnesses_has_the_coinbase_as_it_is(void **state)
{
    (void)state;
    struct source source = usual();
    source.rules = "[]";
    source.transactions = LIST_1(FIRST("'depends':[],'fee':1000,'sigops':8"));
    struct block_template *made = parse_good(&source);
    uint8_t header[HEADER_SIZE] = {0};
    uint8_t coinbase[200];
    size_t coinbase_size = unhex(BLOCK_1_COINBASE, coinbase, sizeof coinbase);
    struct buffer out;
    buffer_init(&out, 10000);
    assert_true(block_template_write_block(made, header, coinbase, coinbase_size, &out));
    struct reader reader = reader_init(out.data, out.size);
    read_view(&reader, HEADER_SIZE);
    assert_int_equal(read_varint(&reader), 2);
    assert_tx_at(&reader, BLOCK_1_COINBASE);
    assert_tx_at(&reader, FIRST_PAYMENT);
    assert_true(reader_is_done(&reader));
    size_t size = out.size;
    buffer_clear(&out);

    // One byte too few is no block.
    buffer_init(&out, size - 1);
    assert_false(block_template_write_block(made, header, coinbase, coinbase_size, &out));
    buffer_clear(&out);
    block_template_release(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tight_weight_drops_the_last_transaction_and_its_fee),
        cmocka_unit_test(tight_sigops_drop_what_has_them_and_its_dependants),
        cmocka_unit_test(limits_of_consensus_hold_where_none_are_named),
        cmocka_unit_test(coinbase_that_fits_no_block_is_refused),
        cmocka_unit_test(transactions_with_unknown_or_false_fees_cannot_be_dropped),
        cmocka_unit_test(extension_block_keeps_its_hogex_and_what_that_spends),
        cmocka_unit_test(extension_block_must_be_there_when_its_rule_is),
        cmocka_unit_test(chains_without_extension_blocks_ignore_one),
        cmocka_unit_test(block_is_written_as_submitblock_wants_it),
        cmocka_unit_test(block_without_witnesses_has_the_coinbase_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
