#include "node/bitcoin/header.h"

#include "tests/unit/node/bitcoin/support.h"

static const char genesis[] =
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac7"
    "2c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c";
static const char genesis_id[] = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
static const char block_1[] =
    "010000006fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000982051fd1e4ba744bbbe"
    "680e1fee14677ba1a3c3540bf7b1cdb606e857233e0e61bc6649ffff001d01e36299";
static const char block_1_id[] = "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048";

static void genesis_and_block_1_have_their_known_ids(void **state)
{
    (void)state;
    uint8_t bytes[HEADER_SIZE];
    struct hash256 id;
    unhex(genesis, bytes, sizeof bytes);
    header_id(bytes, &id);
    struct hash256 expected = shown_hash(genesis_id);
    assert_hash_equal(&id, &expected);
    unhex(block_1, bytes, sizeof bytes);
    header_id(bytes, &id);
    expected = shown_hash(block_1_id);
    assert_hash_equal(&id, &expected);
}

static void fields_of_block_1_are_found(void **state)
{
    (void)state;
    uint8_t bytes[HEADER_SIZE];
    struct header header;
    unhex(block_1, bytes, sizeof bytes);
    header_decode(bytes, &header);
    struct hash256 prev = shown_hash(genesis_id);
    struct hash256 root = shown_hash(BLOCK_1_COINBASE_TXID);
    assert_int_equal(header.version, 1);
    assert_hash_equal(&header.prev, &prev);
    assert_hash_equal(&header.merkle_root, &root);
    assert_int_equal(header.time, 1231469665);
    assert_int_equal(header.bits, 0x1d00ffff);
    assert_int_equal(header.nonce, 2573394689);
}

static void encoding_gives_back_every_byte(void **state)
{
    (void)state;
    uint8_t bytes[HEADER_SIZE];
    uint8_t again[HEADER_SIZE];
    struct header header;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(255 - 3 * i);
    header_decode(bytes, &header);
    header_encode(&header, again);
    assert_memory_equal(bytes, again, sizeof bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(genesis_and_block_1_have_their_known_ids),
        cmocka_unit_test(fields_of_block_1_are_found),
        cmocka_unit_test(encoding_gives_back_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
