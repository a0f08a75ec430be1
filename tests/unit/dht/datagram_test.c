#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>
#include "dht/datagram.h"
#include "node/base/hex.h"
#include "tests/unit/sharechain/seeded.h"

static struct identity make_identity(uint8_t byte)
{
    struct identity identity = {0};
    memset(identity.dht_secret, byte, 32);
    crypto_scalarmult_base(identity.dht_key.bytes, identity.dht_secret);
    return identity;
}

static struct membership make_membership(bool is_private)
{
    struct membership membership = {.is_private = is_private};
    for (unsigned i = 0; i < 32; i++)
        membership.pool_id.bytes[i] = (uint8_t)i;
    if (is_private)
        memset(membership.secret, 7, sizeof membership.secret);
    return membership;
}

// Made by another implementation, in Python: secrets 01.. and 02.., pool id 00 01 .., secret 07...
static void pair_keys_are_those_of_another_implementation(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "896623ae775db6ff6631931ccca30de92dbe7320037ca1eb98675728762b024b",
        "34b5dbb6b04b41f09b145f686004a3151d6431f4805d1f5f9bbe6383cfa1d159"};
    struct identity a = make_identity(1);
    struct identity b = make_identity(2);
    for (unsigned i = 0; i < 2; i++) {
        struct membership membership = make_membership(i == 1);
        struct pair_key key;
        char hex[65];
        assert_true(pair_key_derive(&a, &membership, &b.dht_key, &key));
        hash_to_hex((const struct hash256 *)&key, hex);
        assert_string_equal(hex, expected[i]);
        assert_true(pair_key_derive(&b, &membership, &a.dht_key, &key));
        hash_to_hex((const struct hash256 *)&key, hex);
        assert_string_equal(hex, expected[i]);
    }
}

static void key_of_low_order_makes_no_pair(void **state)
{
    (void)state;
    struct identity own = make_identity(1);
    struct membership membership = make_membership(false);
    struct dht_key zeros = {{0}};
    struct pair_key key;
    assert_false(pair_key_derive(&own, &membership, &zeros, &key));
}

static void cache_gives_what_deriving_gives_and_forgets_the_unused(void **state)
{
    (void)state;
    struct seeded seeded = {1};
    struct env env = seeded_env(&seeded);
    struct identity own = make_identity(1);
    struct membership membership = make_membership(false);
    struct pair_keys *keys = pair_keys_new(&own, &membership, &env);
    struct identity kept = make_identity(2);
    struct pair_key derived;
    struct pair_key key;
    assert_true(pair_key_derive(&own, &membership, &kept.dht_key, &derived));
    assert_false(pair_keys_find(keys, &kept.dht_key, &key));
    for (unsigned i = 0; i < 1000; i++) {
        struct dht_key other;
        seeded_bytes(&seeded, other.bytes, sizeof other.bytes);
        assert_true(pair_keys_get(keys, &kept.dht_key, &key));
        assert_memory_equal(key.bytes, derived.bytes, 32);
        assert_true(pair_keys_get(keys, &other, &key));
        assert_true(pair_keys_find(keys, &other, &key));
    }
    struct seeded again = {1};
    struct dht_key first;
    uint8_t skipped[16];
    seeded_bytes(&again, skipped, sizeof skipped);
    seeded_bytes(&again, first.bytes, sizeof first.bytes);
    assert_false(pair_keys_find(keys, &first, &key));
    pair_keys_free(keys);
    seeded_env_clear(&env);
}

struct rig {
    struct seeded seeded;
    struct env env;
    struct pair_key key;
    struct datagram_head head;
    uint8_t bytes[DATAGRAM_SIZE_MAX];
    size_t size;
};

static const char text[] = "message";

static void seal(struct rig *rig, enum datagram_kind kind, size_t size_min)
{
    struct buffer out;
    rig->head = (struct datagram_head){.kind = kind, .token = 5, .pow_nonce = 6};
    memset(rig->head.transaction.bytes, 1, 8);
    memset(rig->head.sign_key.bytes, 2, 32);
    memset(rig->head.dht_key.bytes, 3, 32);
    memset(rig->key.bytes, 4, 32);
    rig->seeded = (struct seeded){1};
    rig->env = (struct env){.random = seeded_random, .context = &rig->seeded};
    struct datagram_sealing sealing = {&rig->key, &rig->env, size_min};
    buffer_init_fixed(&out, rig->bytes, sizeof rig->bytes);
    assert_true(datagram_seal(&rig->head, &sealing, text, sizeof text, &out));
    rig->size = out.size;
}

static void request_opens_to_what_was_sealed_and_head_is_in_clear(void **state)
{
    (void)state;
    struct rig rig;
    struct datagram_head head;
    uint8_t message[DATAGRAM_SIZE_MAX];
    size_t size;
    seal(&rig, DATAGRAM_REQUEST, 0);
    assert_int_equal(rig.size, DATAGRAM_REQUEST_OVERHEAD + sizeof text);
    assert_true(datagram_head_decode(rig.bytes, rig.size, &head));
    assert_int_equal(head.kind, DATAGRAM_REQUEST);
    assert_int_equal(head.token, 5);
    assert_int_equal(head.pow_nonce, 6);
    assert_true(transaction_equal(&head.transaction, &rig.head.transaction));
    assert_memory_equal(head.sign_key.bytes, rig.head.sign_key.bytes, 32);
    assert_memory_equal(head.dht_key.bytes, rig.head.dht_key.bytes, 32);
    assert_true(datagram_open(rig.bytes, rig.size, &rig.key, message, &size));
    assert_int_equal(size, sizeof text);
    assert_memory_equal(message, text, size);
}

static void padding_fills_to_the_size_asked_for_with_zeros(void **state)
{
    (void)state;
    struct rig rig;
    uint8_t message[DATAGRAM_SIZE_MAX];
    size_t size;
    seal(&rig, DATAGRAM_REQUEST, DATAGRAM_SIZE_MAX);
    assert_int_equal(rig.size, DATAGRAM_SIZE_MAX);
    assert_true(datagram_open(rig.bytes, rig.size, &rig.key, message, &size));
    assert_int_equal(size, DATAGRAM_SIZE_MAX - DATAGRAM_REQUEST_OVERHEAD);
    for (size_t i = sizeof text; i < size; i++)
        assert_int_equal(message[i], 0);
}

static void any_changed_bit_closes_a_datagram(void **state)
{
    (void)state;
    static const enum datagram_kind kinds[] = {DATAGRAM_REQUEST, DATAGRAM_ANSWER};
    struct rig rig;
    uint8_t message[DATAGRAM_SIZE_MAX];
    size_t size;
    for (unsigned k = 0; k < 2; k++) {
        seal(&rig, kinds[k], 0);
        for (size_t i = 0; i < 8 * rig.size; i++) {
            rig.bytes[i / 8] ^= (uint8_t)(1u << (i % 8));
            assert_false(datagram_open(rig.bytes, rig.size, &rig.key, message, &size));
            rig.bytes[i / 8] ^= (uint8_t)(1u << (i % 8));
        }
        assert_true(datagram_open(rig.bytes, rig.size, &rig.key, message, &size));
        for (size_t i = 0; i < rig.size; i++)
            assert_false(datagram_open(rig.bytes, i, &rig.key, message, &size));
        rig.key.bytes[0] ^= 1;
        assert_false(datagram_open(rig.bytes, rig.size, &rig.key, message, &size));
    }
}

static void heads_that_are_none_are_refused(void **state)
{
    (void)state;
    struct rig rig;
    struct datagram_head head;
    uint8_t larger[DATAGRAM_SIZE_MAX + 1] = {DATAGRAM_ANSWER};
    seal(&rig, DATAGRAM_REQUEST, 0);
    for (size_t i = 0; i <= DATAGRAM_REQUEST_OVERHEAD; i++)
        assert_false(datagram_head_decode(rig.bytes, i, &head));
    rig.bytes[0] = 0;
    assert_false(datagram_head_decode(rig.bytes, rig.size, &head));
    rig.bytes[0] = 4;
    assert_false(datagram_head_decode(rig.bytes, rig.size, &head));
    assert_true(datagram_head_decode(larger, sizeof larger - 1, &head));
    assert_false(datagram_head_decode(larger, sizeof larger, &head));
}

static void retry_is_17_bytes_and_no_more(void **state)
{
    (void)state;
    uint8_t bytes[32] = {0};
    struct transaction transaction = {{1, 2, 3, 4, 5, 6, 7, 8}};
    struct datagram_head head;
    struct buffer out;
    buffer_init_fixed(&out, bytes, sizeof bytes);
    datagram_retry(&transaction, 9, &out);
    assert_int_equal(out.size, DATAGRAM_RETRY_SIZE);
    assert_true(datagram_head_decode(bytes, out.size, &head));
    assert_int_equal(head.kind, DATAGRAM_RETRY);
    assert_int_equal(head.token, 9);
    assert_true(transaction_equal(&head.transaction, &transaction));
    assert_false(datagram_head_decode(bytes, out.size - 1, &head));
    assert_false(datagram_head_decode(bytes, out.size + 1, &head));
}

static void message_that_makes_a_datagram_too_large_is_not_sealed(void **state)
{
    (void)state;
    struct rig rig;
    uint8_t message[DATAGRAM_SIZE_MAX] = {0};
    struct buffer out;
    seal(&rig, DATAGRAM_ANSWER, 0);
    struct datagram_sealing sealing = {&rig.key, &rig.env, 0};
    size_t most = DATAGRAM_SIZE_MAX - DATAGRAM_ANSWER_OVERHEAD;
    buffer_init_fixed(&out, rig.bytes, sizeof rig.bytes);
    assert_false(datagram_seal(&rig.head, &sealing, message, most + 1, &out));
    assert_int_equal(out.size, 0);
    assert_true(datagram_seal(&rig.head, &sealing, message, most, &out));
    assert_int_equal(out.size, DATAGRAM_SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pair_keys_are_those_of_another_implementation),
        cmocka_unit_test(key_of_low_order_makes_no_pair),
        cmocka_unit_test(cache_gives_what_deriving_gives_and_forgets_the_unused),
        cmocka_unit_test(request_opens_to_what_was_sealed_and_head_is_in_clear),
        cmocka_unit_test(padding_fills_to_the_size_asked_for_with_zeros),
        cmocka_unit_test(any_changed_bit_closes_a_datagram),
        cmocka_unit_test(heads_that_are_none_are_refused),
        cmocka_unit_test(retry_is_17_bytes_and_no_more),
        cmocka_unit_test(message_that_makes_a_datagram_too_large_is_not_sealed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
