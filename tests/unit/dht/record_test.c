#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/dht/node_fixture.h"

// Made by another implementation, in Python over OpenSSL.
static const char full_hex[] =
    "0100010203040506070700000000000000bcc3832fd5bcbe95b33d01b181a52ee4e3ba90a4d270bb4b75d59b"
    "ffda44495fb091f25101535b9243f45b31c4d879911a74a855116a31f063004b4f9b72397ec878b29eb62026"
    "5829dc60779a5f094f647c4100ee74951042c336573388398d5d4374c9f6fce5210fc0000201d02020010db8"
    "000000000000000000000001d120aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaabbbbbbbbbbbbbbbb200d5465e39d2a569241880a44dc62cdac7d7d09b6895fc5703a2c04fa914f8cbf56"
    "5c92d10222ac591624492e41e210eea94c931adc4e9e4db83fa8a11ffd0a6cb72501";
static const char bare_hex[] =
    "0100010203040506070700000000000000bcc3832fd5bcbe95b33d01b181a52ee4e3ba90a4d270bb4b75d59b"
    "ffda44495fb091f25101535b9243f45b31c4d879911a74a855116a31f063004b4f9b72397ec878b29eb62026"
    "5829dc60779a5f094f647c4100ee74951042c336573388398d5d4374c9f6fce52100200d5465f983fdaa5cb6"
    "6fe2d26bebdbccb4ad226aa5f6293231491791429d8f460c81ac5ee95eb764a4d271719f7a972b22f9ef3b96"
    "acb263dec1fc86ae732e089d3906";
static const char node_tag_hex[] = "dd826863b543019b5da0215a646f0aa3";

static void must_equal_hex(const void *data, size_t size, const char *hex)
{
    uint8_t expected[512];
    assert_int_equal(strlen(hex), 2 * size);
    assert_true(hex_decode(hex, strlen(hex), expected, size));
    assert_memory_equal(data, expected, size);
}

static size_t encode(const struct node_record *record, uint8_t out[RECORD_SIZE_MAX])
{
    struct buffer buffer;
    buffer_init_fixed(&buffer, out, RECORD_SIZE_MAX);
    record_encode(record, &buffer);
    assert_false(buffer.failed);
    return buffer.size;
}

static void fill(struct node_record *record, const struct identity *identity)
{
    static const uint8_t ipv4[4] = {192, 0, 2, 1};
    static const uint8_t ipv6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    struct membership membership = node_membership();
    struct endpoint endpoint = {address_ipv4(ipv4), 8400};
    struct hash256 share;
    uint8_t salt[RECORD_SALT_SIZE];
    memset(share.bytes, 0xaa, 32);
    memset(salt, 0xbb, sizeof salt);
    record_init(record, identity, &membership, 7, node_wall(0));
    record_set_endpoint(record, &endpoint);
    endpoint = (struct endpoint){address_ipv6(ipv6), 8401};
    record_set_endpoint(record, &endpoint);
    record_set_work(record, &share, salt);
    record->flags |= RECORD_ENTRY_POINT;
    record_sign(record, identity);
}

static void records_are_those_of_another_implementation(void **state)
{
    (void)state;
    struct identity identity;
    struct membership membership = node_membership();
    struct node_record record;
    uint8_t bytes[RECORD_SIZE_MAX];
    node_identity(&identity, 1);
    fill(&record, &identity);
    must_equal_hex(bytes, encode(&record, bytes), full_hex);
    must_equal_hex(bytes, node_record_bytes(&identity, &membership, 7, bytes), bare_hex);
}

static void node_tag_is_that_of_another_implementation(void **state)
{
    (void)state;
    struct identity identity;
    uint8_t salt[RECORD_SALT_SIZE];
    uint8_t tag[16];
    node_identity(&identity, 1);
    memset(salt, 0xbb, sizeof salt);
    record_node_tag(&identity.sign_key, salt, tag);
    must_equal_hex(tag, sizeof tag, node_tag_hex);
}

static void record_reads_back_as_it_was_written(void **state)
{
    (void)state;
    struct identity identity;
    struct membership membership = node_membership();
    struct node_record record;
    struct node_record read;
    struct node_id id;
    uint8_t bytes[RECORD_SIZE_MAX];
    node_identity(&identity, 1);
    fill(&record, &identity);
    size_t size = encode(&record, bytes);
    assert_int_equal(record_verify(bytes, size, &membership, node_wall(1), &read), RECORD_VALID);
    uint8_t again[RECORD_SIZE_MAX];
    assert_int_equal(encode(&read, again), size);
    assert_memory_equal(bytes, again, size);
    assert_true(endpoint_equal(&read.ipv4, &record.ipv4));
    assert_true(endpoint_equal(&read.ipv6, &record.ipv6));
    assert_true(hash_equal(&read.work_share, &record.work_share));
    record_node_id(&read, &id);
    assert_true(hash_equal(&id.hash, &identity.id.hash));
}

static void every_altered_bit_is_refused(void **state)
{
    (void)state;
    struct identity identity;
    struct membership membership = node_membership();
    struct node_record record;
    uint8_t bytes[RECORD_SIZE_MAX];
    node_identity(&identity, 1);
    fill(&record, &identity);
    size_t size = encode(&record, bytes);
    for (size_t i = 0; i < 8 * size; i++) {
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_int_not_equal(record_verify(bytes, size, &membership, node_wall(0), &record),
                             RECORD_VALID);
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
    }
}

static void every_other_length_is_malformed(void **state)
{
    (void)state;
    struct identity identity;
    struct membership membership = node_membership();
    struct node_record record;
    uint8_t bytes[RECORD_SIZE_MAX + 1] = {0};
    node_identity(&identity, 1);
    fill(&record, &identity);
    size_t size = encode(&record, bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i != size)
            assert_int_equal(record_verify(bytes, i, &membership, node_wall(0), &record),
                             RECORD_MALFORMED);
    }
}

// Signed as it is, so that nothing but the field is wrong.
static enum record_verdict judge(struct node_record *record, const struct identity *identity,
                                 int64_t seconds)
{
    struct membership membership = node_membership();
    uint8_t bytes[RECORD_SIZE_MAX];
    record_sign(record, identity);
    size_t size = encode(record, bytes);
    return record_verify(bytes, size, &membership, node_wall(seconds), record);
}

static void each_wrong_field_has_its_verdict(void **state)
{
    (void)state;
    struct identity identity;
    struct node_record record;
    node_identity(&identity, 1);
    fill(&record, &identity);
    assert_int_equal(judge(&record, &identity, 0), RECORD_VALID);
    record.pool_prefix[7] ^= 1;
    assert_int_equal(judge(&record, &identity, 0), RECORD_OTHER_POOL);
    fill(&record, &identity);
    record.ipv4.port = 0;
    assert_int_equal(judge(&record, &identity, 0), RECORD_MALFORMED);
    fill(&record, &identity);
    record.ipv6.port = 0;
    assert_int_equal(judge(&record, &identity, 0), RECORD_MALFORMED);
    fill(&record, &identity);
    memset(record.ipv6.address.bytes, 0, 16);
    record.ipv6.address.bytes[10] = record.ipv6.address.bytes[11] = 0xff;
    assert_int_equal(judge(&record, &identity, 0), RECORD_MALFORMED);
    fill(&record, &identity);
    do
        record.pow_nonce++;
    while (node_puzzle_is_solved(&record.sign_key, record.pow_nonce, IDENTITY_PUZZLE_BITS_TEST));
    assert_int_equal(judge(&record, &identity, 0), RECORD_PUZZLE_WRONG);
}

static void record_lives_from_a_slack_before_it_was_made_to_its_expiry(void **state)
{
    (void)state;
    struct identity identity;
    struct node_record record;
    node_identity(&identity, 1);
    fill(&record, &identity);
    assert_int_equal(judge(&record, &identity, RECORD_LIFETIME_SECONDS - 1), RECORD_VALID);
    assert_int_equal(judge(&record, &identity, RECORD_LIFETIME_SECONDS), RECORD_EXPIRED);
    assert_int_equal(judge(&record, &identity, -RECORD_SLACK_SECONDS), RECORD_VALID);
    assert_int_equal(judge(&record, &identity, -RECORD_SLACK_SECONDS - 1), RECORD_EXPIRY_TOO_FAR);
}

static void unknown_flags_are_kept_and_do_no_harm(void **state)
{
    (void)state;
    struct identity identity;
    struct node_record record;
    node_identity(&identity, 1);
    fill(&record, &identity);
    record.flags |= 0xf0;
    assert_int_equal(judge(&record, &identity, 0), RECORD_VALID);
    assert_int_equal(record.flags, 0xff);
}

static void somebody_else_cannot_sign(void **state)
{
    (void)state;
    struct identity identity;
    struct identity other;
    struct node_record record;
    node_identity(&identity, 1);
    node_identity(&other, 2);
    fill(&record, &identity);
    assert_int_equal(judge(&record, &other, 0), RECORD_SIGNATURE_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_those_of_another_implementation),
        cmocka_unit_test(node_tag_is_that_of_another_implementation),
        cmocka_unit_test(record_reads_back_as_it_was_written),
        cmocka_unit_test(every_altered_bit_is_refused),
        cmocka_unit_test(every_other_length_is_malformed),
        cmocka_unit_test(each_wrong_field_has_its_verdict),
        cmocka_unit_test(record_lives_from_a_slack_before_it_was_made_to_its_expiry),
        cmocka_unit_test(unknown_flags_are_kept_and_do_no_harm),
        cmocka_unit_test(somebody_else_cannot_sign),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
