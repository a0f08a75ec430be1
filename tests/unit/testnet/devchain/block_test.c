#include "testnet/devchain/block.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/hex.h"

// Bitcoin's block 170, the first one with a payment.
static const char block_170[] =
    "0100000055bd840a78798ad0da853f68974f3d183e2bd1db6a842c1feecf222a00000000ff104ccb05421ab93e63f8"
    "c3ce5c2c2e9dbb37de2764b3a3175c8166562cac7d51b96a49ffff001d283e9e700201000000010000000000000000"
    "000000000000000000000000000000000000000000000000ffffffff0704ffff001d0102ffffffff0100f2052a0100"
    "0000434104d46c4968bde02899d2aa0963367c7a6ce34eec332b32e42e5f3407e052d64ac625da6f0718e7b3021404"
    "34bd725706957c092db53805b821a85b23a7ac61725bac000000000100000001c997a5e56e104102fa209c6a852dd9"
    "0660a20b2d9c352423edce25857fcd3704000000004847304402204e45e16932b8af514961a1d3a1a25fdf3f4f7732"
    "e9d624c6c61548ab5fb8cd410220181522ec8eca07de4860a4acdd12909d831cc56cbbac4622082221a8768d1d0901"
    "ffffffff0200ca9a3b00000000434104ae1a62fe09c5f51b13905f07f06b99a2f7159b2225f374cd378d71302fa284"
    "14e7aab37397f554a7df5f142c21c1b7303b8a0626f1baded5c72a704f7e6cd84cac00286bee000000004341041"
    "1db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5cb2e0eaddfb84ccf9744464f82e160bf"
    "a9b8b64f9d4c03f999b8643f656b412a3ac00000000";

static size_t decode_170(uint8_t *bytes, size_t capacity)
{
    size_t size = (sizeof block_170 - 1) / 2;
    assert_true(size <= capacity);
    assert_true(hex_decode(block_170, sizeof block_170 - 1, bytes, size));
    return size;
}

static void first_block_with_a_payment_is_good(void **state)
{
    (void)state;
    uint8_t bytes[600];
    struct block block;
    struct pow_memory *memory = pow_memory_new(POW_SHA256D);
    size_t size = decode_170(bytes, sizeof bytes);
    assert_true(block_decode(&block, bytes, size));
    char id[65];
    hash_to_display(&block.id, id);
    assert_string_equal(id, "00000000d1145790a8694403d4063f323d499e655c83426834d4ce2f8dd4a2ee");
    assert_int_equal(block.txs_count, 2);
    assert_int_equal(block_weight(&block), 4 * 490);
    assert_true(block_meets_bits(&block, memory));
    assert_int_equal(block_check(&block), VERDICT_OK);
    assert_int_equal(block_check_witness(&block), VERDICT_OK);
    assert_int_equal(tx_sigop_cost(&block.txs[1]), 2 * 4);
    block_clear(&block);
    bytes[76] ^= 1; // another nonce
    assert_true(block_decode(&block, bytes, size));
    assert_false(block_meets_bits(&block, memory));
    block_clear(&block);
    pow_memory_free(memory);
}

static void empty_commitment_is_of_two_zero_hashes(void **state)
{
    (void)state;
    // Every template without transactions in the field has this commitment.
    char hex[65];
    struct hash256 commitment;
    block_witness_commitment(NULL, 0, &commitment);
    hash_to_hex(&commitment, hex);
    assert_string_equal(hex, "e2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_block_with_a_payment_is_good),
        cmocka_unit_test(empty_commitment_is_of_two_zero_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
