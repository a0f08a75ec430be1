#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/dht/node_fixture.h"

// Made by another implementation, in Python over OpenSSL, from the same random bytes.
static const char id_hex[] = "dad60c5c2169ec288dc27e97632afe18c4e7b5c8d909c395fd0b420bcc2bca6f";
static const char sign_key_hex[] =
    "bcc3832fd5bcbe95b33d01b181a52ee4e3ba90a4d270bb4b75d59bffda44495f";
static const char transport_key_hex[] =
    "43f45b31c4d879911a74a855116a31f063004b4f9b72397ec878b29eb6202658";
static const char dht_key_hex[] =
    "29dc60779a5f094f647c4100ee74951042c336573388398d5d4374c9f6fce521";
static const char key_file_hex[] =
    "73686f616c6b657901c1675e0bb980a575a89661fec08aa83b63f1ee08469ccdac9ff735ab278a84bab091f2"
    "5101535b926d1c170cf5c1183c860763b281385e96737a74e5f8908fafafcc5252147fbc5b62acf36ba9bb61"
    "8775730e4353be559d39e1d7f209b1796e5c40a83ec24baef836ba3c9b91b1fc44";

static void must_equal_hex(const void *data, size_t size, const char *hex)
{
    uint8_t expected[512];
    assert_int_equal(strlen(hex), 2 * size);
    assert_true(hex_decode(hex, strlen(hex), expected, size));
    assert_memory_equal(data, expected, size);
}

static void keys_id_and_nonce_are_those_of_another_implementation(void **state)
{
    (void)state;
    struct identity identity;
    node_identity(&identity, 1);
    must_equal_hex(identity.id.hash.bytes, 32, id_hex);
    must_equal_hex(identity.sign_key.bytes, 32, sign_key_hex);
    must_equal_hex(identity.transport_key.bytes, 32, transport_key_hex);
    must_equal_hex(identity.dht_key.bytes, 32, dht_key_hex);
    assert_true(identity.pow_nonce == 10546114217553072560u);
}

static void key_file_is_that_of_another_implementation_and_reads_back(void **state)
{
    (void)state;
    struct identity identity;
    struct identity read;
    uint8_t file[IDENTITY_KEY_FILE_SIZE];
    node_identity(&identity, 1);
    identity_encode(&identity, file);
    must_equal_hex(file, sizeof file, key_file_hex);
    assert_int_equal(identity_decode(file, sizeof file, IDENTITY_PUZZLE_BITS_TEST, &read),
                     IDENTITY_OK);
    assert_memory_equal(&read, &identity, sizeof read);
}

static void altered_or_cut_key_file_is_refused(void **state)
{
    (void)state;
    struct identity identity;
    uint8_t file[IDENTITY_KEY_FILE_SIZE + 1];
    node_identity(&identity, 1);
    identity_encode(&identity, file);
    for (size_t i = 0; i < IDENTITY_KEY_FILE_SIZE; i++) {
        enum identity_result expected = i < 8    ? IDENTITY_NOT_A_KEY_FILE
                                        : i == 8 ? IDENTITY_VERSION_UNKNOWN
                                                 : IDENTITY_DAMAGED;
        file[i] ^= 0x10;
        assert_int_equal(identity_decode(file, IDENTITY_KEY_FILE_SIZE, 8, &identity), expected);
        assert_true(sodium_is_zero((const uint8_t *)&identity, sizeof identity));
        file[i] ^= 0x10;
    }
    for (size_t size = 0; size <= IDENTITY_KEY_FILE_SIZE + 1; size++) {
        if (size != IDENTITY_KEY_FILE_SIZE)
            assert_int_not_equal(identity_decode(file, size, 8, &identity), IDENTITY_OK);
    }
}

static void key_file_of_a_test_pool_is_refused_by_a_real_one(void **state)
{
    (void)state;
    struct identity identity;
    uint8_t file[IDENTITY_KEY_FILE_SIZE];
    node_identity(&identity, 1);
    identity_encode(&identity, file);
    assert_int_equal(identity_decode(file, sizeof file, IDENTITY_PUZZLE_BITS, &identity),
                     IDENTITY_PUZZLE_WRONG);
    assert_true(sodium_is_zero((const uint8_t *)&identity, sizeof identity));
}

static void search_in_slices_finds_what_one_search_finds(void **state)
{
    (void)state;
    struct seeded seeded = {1};
    struct env env = seeded_env(&seeded);
    struct identity whole;
    struct identity sliced;
    node_identity(&whole, 1);
    identity_begin(&sliced, &env);
    seeded_env_clear(&env);
    unsigned slices = 1;
    while (!identity_search(&sliced, IDENTITY_PUZZLE_BITS_TEST, 10))
        slices++;
    assert_true(slices > 1);
    assert_memory_equal(&sliced, &whole, sizeof sliced);
}

static void puzzle_counts_exactly_the_leading_zero_bits(void **state)
{
    (void)state;
    struct identity identity;
    node_identity(&identity, 1);
    uint64_t tested = 0;
    for (uint64_t nonce = 0; nonce < 2000; nonce++) {
        uint8_t bytes[48] = "shoal id";
        uint8_t hash[32];
        memcpy(bytes + 8, identity.sign_key.bytes, 32);
        for (unsigned i = 0; i < 8; i++)
            bytes[40 + i] = (uint8_t)(nonce >> 8 * i);
        crypto_generichash(hash, 32, bytes, sizeof bytes, NULL, 0);
        unsigned zeros = 0;
        while ((hash[zeros / 8] >> (7 - zeros % 8) & 1) == 0)
            zeros++;
        assert_true(node_puzzle_is_solved(&identity.sign_key, nonce, zeros));
        assert_false(node_puzzle_is_solved(&identity.sign_key, nonce, zeros + 1));
        tested += zeros >= 9;
    }
    assert_true(tested > 0);
}

static void signature_holds_for_its_label_message_and_key_only(void **state)
{
    (void)state;
    struct identity a;
    struct identity b;
    uint8_t signature[SIGNATURE_SIZE];
    node_identity(&a, 1);
    node_identity(&b, 2);
    identity_sign(&a, "label", "message", 7, signature);
    assert_true(signature_is_valid(&a.sign_key, "label", "message", 7, signature));
    assert_false(signature_is_valid(&b.sign_key, "label", "message", 7, signature));
    assert_false(signature_is_valid(&a.sign_key, "lebal", "message", 7, signature));
    assert_false(signature_is_valid(&a.sign_key, "label", "massage", 7, signature));
    signature[63] ^= 0x20;
    assert_false(signature_is_valid(&a.sign_key, "label", "message", 7, signature));
}

static void clearing_leaves_no_secret(void **state)
{
    (void)state;
    struct identity identity;
    struct membership membership = node_membership();
    node_identity(&identity, 1);
    identity_clear(&identity);
    membership_clear(&membership);
    assert_true(sodium_is_zero((const uint8_t *)&identity, sizeof identity));
    assert_true(sodium_is_zero((const uint8_t *)&membership, sizeof membership));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_id_and_nonce_are_those_of_another_implementation),
        cmocka_unit_test(key_file_is_that_of_another_implementation_and_reads_back),
        cmocka_unit_test(altered_or_cut_key_file_is_refused),
        cmocka_unit_test(key_file_of_a_test_pool_is_refused_by_a_real_one),
        cmocka_unit_test(search_in_slices_finds_what_one_search_finds),
        cmocka_unit_test(puzzle_counts_exactly_the_leading_zero_bits),
        cmocka_unit_test(signature_holds_for_its_label_message_and_key_only),
        cmocka_unit_test(clearing_leaves_no_secret),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
