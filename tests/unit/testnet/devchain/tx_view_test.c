#include "testnet/devchain/tx_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/hex.h"

// The second transaction of the first example in BIP 143 (native P2WPKH), signed: two inputs, one
// with a witness.
static const char bip143[] =
    "01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f0000000049483045"
    "0221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99"
    "f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b30"
    "9fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a"
    "783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac00024730"
    "4402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561"
    "406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7acafcdb3566bb0a"
    "d253f62fc70f07aeee635711000000";

static struct tx_view read_tx(const char *hex, uint8_t *bytes, size_t capacity)
{
    struct tx_view tx;
    size_t size = strlen(hex) / 2;
    assert_true(size <= capacity && hex_decode(hex, strlen(hex), bytes, size));
    struct reader reader = reader_init(bytes, size);
    assert_true(tx_view_read(&reader, &tx) && reader_is_done(&reader));
    return tx;
}

static void inputs_come_with_their_witnesses(void **state)
{
    (void)state;
    uint8_t bytes[500];
    struct tx_view tx = read_tx(bip143, bytes, sizeof bytes);
    struct tx_inputs walk = tx_inputs_begin(&tx);
    struct tx_input input;
    assert_true(tx_inputs_next(&walk, &input));
    assert_int_equal(input.index, 0);
    assert_int_equal(input.script_size, 0x49);
    assert_int_equal(input.sequence, 0xffffffee);
    assert_int_equal(input.witness_count, 0);
    assert_true(tx_inputs_next(&walk, &input));
    assert_int_equal(input.index, 1);
    assert_int_equal(input.script_size, 0);
    assert_int_equal(input.sequence, 0xffffffff);
    assert_int_equal(input.witness_count, 2);
    assert_int_equal(input.witness_size, 71);
    assert_int_equal(input.witness[0], 0x30);
    assert_false(tx_inputs_next(&walk, &input));
    assert_true(reader_is_done(&walk.witnesses));
}

static void outputs_are_walked_in_order(void **state)
{
    (void)state;
    uint8_t bytes[500];
    struct tx_view tx = read_tx(bip143, bytes, sizeof bytes);
    struct tx_outputs walk = tx_outputs_begin(&tx);
    struct tx_output output;
    assert_true(tx_outputs_next(&walk, &output));
    assert_int_equal(output.amount, 112340000);
    assert_true(tx_outputs_next(&walk, &output));
    assert_int_equal(output.amount, 223450000);
    assert_int_equal(output.script_size, 25);
    assert_false(tx_outputs_next(&walk, &output));
    assert_int_equal(tx_sigop_cost(&tx),
                     2 * 4); // two P2PKH outputs; the witness counts nothing here
    assert_false(tx_is_coinbase(&tx));
}

static void locktime_binds_unless_all_sequences_are_final(void **state)
{
    (void)state;
    uint8_t bytes[500];
    struct tx_view tx =
        read_tx(bip143, bytes, sizeof bytes); // locktime 17, a sequence of 0xffffffee
    assert_false(tx_is_final(&tx, 17, 2000000000));
    assert_true(tx_is_final(&tx, 18, 0));
    tx.summary.locktime = 500000000; // from here on a time
    assert_false(tx_is_final(&tx, 600000000, 500000000));
    assert_true(tx_is_final(&tx, 0, 500000001));
    tx.summary.locktime = 0;
    assert_true(tx_is_final(&tx, 0, 0));
    memset(bytes + 6 + 1 + 36 + 1 + 0x49, 0xff, 4);
    tx.summary.locktime = 17;
    assert_true(tx_is_final(&tx, 0, 0));
}

// The sigop cost of a transaction with this one output script.
static uint64_t cost_of(const char *script_hex)
{
    uint8_t bytes[300];
    uint8_t script[100];
    size_t size = strlen(script_hex) / 2;
    struct buffer out;
    struct tx_view tx;
    assert_true(hex_decode(script_hex, strlen(script_hex), script, size));
    buffer_init_fixed(&out, bytes, sizeof bytes);
    write_u32(&out, 1);
    write_varint(&out, 1);
    for (int i = 0; i < 4; i++)
        write_u64(&out, 1);
    write_u32(&out, 0);
    write_varint(&out, 0);
    write_u32(&out, 0xffffffff);
    write_varint(&out, 1);
    write_u64(&out, 1000);
    write_varint(&out, size);
    write_bytes(&out, script, size);
    write_u32(&out, 0);
    struct reader reader = reader_init(out.data, out.size);
    assert_true(tx_view_read(&reader, &tx));
    return tx_sigop_cost(&tx);
}

static void sigops_are_counted_as_before_bip_16(void **state)
{
    (void)state;
    assert_int_equal(cost_of("ac"), 4);
    assert_int_equal(cost_of("ad"), 4);
    assert_int_equal(cost_of("ae"), 80);
    assert_int_equal(cost_of("5152ae"), 80); // without regard to the number before it
    assert_int_equal(cost_of("af"), 80);
    assert_int_equal(cost_of("76a914000000000000000000000000000000000000000088ac"), 4);
    assert_int_equal(cost_of("01acac"), 4);     // pushed bytes are no operations
    assert_int_equal(cost_of("4c02acacac"), 4); // nor are those of OP_PUSHDATA1
    assert_int_equal(cost_of("4d0100acac"), 4);
    assert_int_equal(cost_of("4e01000000acac"), 4);
    assert_int_equal(cost_of("ac05ac"), 4);   // a push over the end ends the count
    assert_int_equal(cost_of("ac4d01ac"), 4); // so does half a length
    assert_int_equal(cost_of("6a"), 0);
}

static void input_twice_is_found_among_many(void **state)
{
    (void)state;
    struct buffer out;
    struct tx_view tx;
    for (uint32_t repeated = 0; repeated < 3; repeated++) {
        buffer_init(&out, 100000);
        write_u32(&out, 1);
        write_varint(&out, 300);
        for (uint32_t i = 0; i < 300; i++) {
            struct hash256 txid = {{(uint8_t)(i % 7)}};
            uint32_t index = i;
            if (repeated > 0 && i == 299) { // the same as one before; or in all but the index
                index = repeated == 1 ? 5 : 298;
                txid.bytes[0] = 5;
            }
            write_bytes(&out, txid.bytes, 32);
            write_u32(&out, index);
            write_varint(&out, 0);
            write_u32(&out, 0xffffffff);
        }
        write_varint(&out, 1);
        write_u64(&out, 0);
        write_varint(&out, 0);
        write_u32(&out, 0);
        struct reader reader = reader_init(out.data, out.size);
        assert_true(tx_view_read(&reader, &tx));
        assert_int_equal(tx_check(&tx), repeated == 1 ? VERDICT_INPUT_TWICE : VERDICT_OK);
        buffer_clear(&out);
    }
}

static void outputs_over_all_money_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint64_t amounts[2];
        enum verdict verdict;
    } cases[] = {{{TX_MONEY_MAX, 0}, VERDICT_OK},
                 {{TX_MONEY_MAX + 1, 0}, VERDICT_OUTPUT_TOO_LARGE},
                 {{TX_MONEY_MAX, 1}, VERDICT_OUTPUTS_TOO_LARGE},
                 {{UINT64_MAX, 2}, VERDICT_OUTPUT_TOO_LARGE}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[200];
        struct buffer out;
        struct tx_view tx;
        buffer_init_fixed(&out, bytes, sizeof bytes);
        write_u32(&out, 1);
        write_varint(&out, 1);
        for (int j = 0; j < 4; j++)
            write_u64(&out, 1);
        write_u32(&out, 0);
        write_varint(&out, 0);
        write_u32(&out, 0xffffffff);
        write_varint(&out, 2);
        for (int j = 0; j < 2; j++) {
            write_u64(&out, cases[i].amounts[j]);
            write_varint(&out, 0);
        }
        write_u32(&out, 0);
        struct reader reader = reader_init(out.data, out.size);
        assert_true(tx_view_read(&reader, &tx));
        assert_int_equal(tx_check(&tx), cases[i].verdict);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_come_with_their_witnesses),
        cmocka_unit_test(outputs_are_walked_in_order),
        cmocka_unit_test(locktime_binds_unless_all_sequences_are_final),
        cmocka_unit_test(sigops_are_counted_as_before_bip_16),
        cmocka_unit_test(input_twice_is_found_among_many),
        cmocka_unit_test(outputs_over_all_money_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
