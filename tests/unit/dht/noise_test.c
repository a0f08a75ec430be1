#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>
#include "dht/hmac_blake2b.h"
#include "dht/noise.h"
#include "node/base/hex.h"

#define MESSAGES_MAX 6

// Hex throughout; what a vector does not give is NULL.
struct vector {
    const char *prologue;
    const char *psk;
    const char *init_static;
    const char *init_ephemeral;
    const char *resp_static;
    const char *resp_public;
    const char *resp_ephemeral;
    const char *hash;
    const char *messages[MESSAGES_MAX][2]; // payload, what stands on the wire
};

// Published by cacophony (vectors/cacophony.txt).
static const struct vector xk = {
    .prologue = "4a6f686e2047616c74",
    .init_static = "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1",
    .init_ephemeral = "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a",
    .resp_static = "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893",
    .resp_public = "31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62",
    .resp_ephemeral = "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b",
    .hash =
        "d34784be40e90f33c524e69a3d1dc4155e159d86bf42f01c615d40beb0816b880f0a3e20825fec22de1d6072"
        "31a315d90d355cd9e5ba7205a17b6e0e9f4b490d",
    .messages =
        {
            {"4c756477696720766f6e204d69736573", "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f8"
                                                 "79f8e3afa4c79442806e28405ac4325fcf83607"
                                                 "489496d6d326ab3fe084dbb1634f801405a69297"},
            {"4d757272617920526f746862617264", "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34"
                                               "069f1448088430ea4de2eff2cd3b1e7be5f7e"
                                               "792d87395f0863722ab04ec030529d6c5820de"},
            {"462e20412e20486179656b",
             "ec9136de99472b49eda3ba9fe84882d48f131b27386784b3f45e9f103ad1b6efa2f2e95f0afce5d0d4c80"
             "52a"
             "ed81438500be54a8fd8dd4f5ba04f7907b312701d0d687716a30b23c22f568"},
            {"4361726c204d656e676572", "d6ea0c3364ed480b415d44c3235fdb311dfa8d6e1dc1e6f3a76ee3"},
            {"4a65616e2d426170746973746520536179",
             "59f41ca9ea14a8305bae379bbdd8b4d5cf9bd308d2d7e042e2bf03c48dd910b37b"},
            {"457567656e2042f6686d20766f6e2042617765726b",
             "fa23ba8af343a3934c64219d3d0206d66894f7cdb180b738324608e15b0102095ed2f44d4b"},
        },
};

// Published by flynn/noise (vectors.txt), which gives no hash.
static const struct vector xkpsk0 = {
    .prologue = "6e6f74736563726574",
    .psk = "2176657279736563726574766572797365637265747665727973656372657421",
    .init_static = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    .init_ephemeral = "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
    .resp_static = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
    .resp_ephemeral = "4142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f60",
    .messages =
        {
            {"746573745f6d73675f30", "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166"
                                     "2546b45ff089253cdcc224b4eb9"
                                     "1d5554d75cc6efe1975d9068377a"},
            {"746573745f6d73675f31", "64b101b1d0be5a8704bd078f9895001fc03e8e9f9522f188dd128d9846d48"
                                     "4667d787668fb251e9de3b7940a"
                                     "90cd22958f5cbf27ca154b6b22de"},
            {"746573745f6d73675f32",
             "10fd75cdb4d7a71ef3d8713d7d3ee0fe77eefaac88a1cc0e8fb1c8598830a26ceb2af92575fa2c196715c"
             "dff"
             "6e5a2bd2dd5ea9a3086edd169426bb9c6f9f3ef69ab1bca891788d793838"},
            {"79656c6c6f777375626d6172696e65",
             "6c00201f24d7406b7a41e346011509fc9726bf3cd3fcb0099f893241f292a5"},
            {"7375626d6172696e6579656c6c6f77",
             "4385be501f1af8ec43aeb67163036606dba4b666f59e77f89ce03b86efaf3a"},
        },
};

struct bytes {
    uint8_t data[512];
    size_t size;
};

static struct bytes from_hex(const char *hex)
{
    struct bytes bytes = {.size = strlen(hex) / 2};
    assert_true(hex_decode(hex, strlen(hex), bytes.data, bytes.size));
    return bytes;
}

struct pair {
    struct noise_handshake sides[2]; // by enum noise_role
};

static void open_pair(struct pair *pair, const struct vector *vector)
{
    struct bytes prologue = from_hex(vector->prologue);
    struct bytes psk = from_hex(vector->psk == NULL ? "" : vector->psk);
    struct bytes resp_static = from_hex(vector->resp_static);
    uint8_t resp_public[32];
    crypto_scalarmult_base(resp_public, resp_static.data);
    if (vector->resp_public != NULL)
        assert_memory_equal(resp_public, from_hex(vector->resp_public).data, 32);
    for (unsigned i = 0; i < 2; i++) {
        bool is_initiator = i == NOISE_INITIATOR;
        struct bytes secret = from_hex(is_initiator ? vector->init_static : vector->resp_static);
        struct bytes ephemeral =
            from_hex(is_initiator ? vector->init_ephemeral : vector->resp_ephemeral);
        uint8_t public_key[32];
        crypto_scalarmult_base(public_key, secret.data);
        const struct noise_config config = {
            .role = (enum noise_role)i,
            .prologue = prologue.data,
            .prologue_size = prologue.size,
            .psk = vector->psk == NULL ? NULL : psk.data,
            .static_secret = secret.data,
            .static_key = public_key,
            .ephemeral_secret = ephemeral.data,
            .remote_static = is_initiator ? resp_public : NULL,
        };
        noise_init(&pair->sides[i], &config);
    }
}

static void write_message(struct noise_handshake *from, const struct bytes *payload,
                          struct bytes *wire)
{
    struct buffer out;
    buffer_init_fixed(&out, wire->data, sizeof wire->data);
    assert_true(noise_is_our_turn(from));
    assert_true(noise_write(from, payload->data, payload->size, &out));
    wire->size = out.size;
}

static void replay_handshake(struct pair *pair, const struct vector *vector)
{
    for (unsigned i = 0; i < NOISE_MESSAGES; i++) {
        struct bytes payload = from_hex(vector->messages[i][0]);
        struct bytes expected = from_hex(vector->messages[i][1]);
        struct bytes wire;
        struct bytes read;
        write_message(&pair->sides[i % 2], &payload, &wire);
        assert_int_equal(wire.size, expected.size);
        assert_memory_equal(wire.data, expected.data, expected.size);
        assert_true(
            noise_read(&pair->sides[1 - i % 2], wire.data, wire.size, read.data, &read.size));
        assert_int_equal(read.size, payload.size);
        assert_memory_equal(read.data, payload.data, payload.size);
    }
}

static void seal(const uint8_t key[32], uint64_t number, const struct bytes *plain,
                 struct bytes *out)
{
    uint8_t nonce[12];
    unsigned long long size;
    noise_nonce(number, nonce);
    crypto_aead_chacha20poly1305_ietf_encrypt(out->data, &size, plain->data, plain->size, NULL, 0,
                                              NULL, nonce, key);
    out->size = (size_t)size;
}

// Transport messages of the vector; `first` is the side that sends the one after the handshake.
static void replay_transport(const struct pair *pair, const struct vector *vector,
                             enum noise_role first)
{
    struct noise_keys keys[2];
    noise_split(&pair->sides[0], &keys[0]);
    noise_split(&pair->sides[1], &keys[1]);
    assert_memory_equal(keys[0].send, keys[1].receive, 32);
    assert_memory_equal(keys[0].receive, keys[1].send, 32);
    assert_memory_equal(keys[0].hash, keys[1].hash, NOISE_HASH_SIZE);
    if (vector->hash != NULL)
        assert_memory_equal(keys[0].hash, from_hex(vector->hash).data, NOISE_HASH_SIZE);
    for (unsigned i = 0; i < MESSAGES_MAX - NOISE_MESSAGES; i++) {
        const char *const *message = vector->messages[NOISE_MESSAGES + i];
        if (message[0] == NULL)
            break;
        struct bytes plain = from_hex(message[0]);
        struct bytes expected = from_hex(message[1]);
        struct bytes sealed;
        seal(keys[(first + i) % 2].send, i / 2, &plain, &sealed);
        assert_int_equal(sealed.size, expected.size);
        assert_memory_equal(sealed.data, expected.data, expected.size);
    }
}

static void published_vector_of_xk_passes(void **state)
{
    (void)state;
    struct pair pair;
    open_pair(&pair, &xk);
    replay_handshake(&pair, &xk);
    replay_transport(&pair, &xk, NOISE_RESPONDER);
}

static void published_vector_of_xkpsk0_passes(void **state)
{
    (void)state;
    struct pair pair;
    open_pair(&pair, &xkpsk0);
    replay_handshake(&pair, &xkpsk0);
    replay_transport(&pair, &xkpsk0, NOISE_INITIATOR);
}

// Literals: Python's hmac over hashlib.blake2b.
static void hmac_is_that_of_rfc_2104(void **state)
{
    (void)state;
    uint8_t key[129];
    uint8_t data[200];
    uint8_t out[HMAC_BLAKE2B_SIZE];
    static const char *const expected[] = {
        "198cd2006f66ff83fbbd913f78aca2251caf4f19fe9475aade8cf2091b99a68466775177424f58286886cbae"
        "8229644cec747237d4b721735485e17372fdf59c",
        "92294f92c0dfb9b00ec9ae8bd94d7e7d8a036b885a499f149dfe2fd2199394aaaf6b8894a1730cccb2cd050f"
        "9bcf5062a38b51b0dab33207f8ef35ae2c9df51b",
        "1b5c7b97400aeeb948133693d58ac533cf33df2d324121f554a80de97ea18cd449dcf75e6dbbe45a447c0db1"
        "8327c1ab3b443fdb4605804d6718b1cf5d78b3b2",
        "6bcd2dacda734920dc5755457630e418c8111ae5aee637e0f84be181b37116714cc903e7291b97516568721b"
        "6c97a630937566680b08abd26d3a8e339a744e3c",
    };
    memset(key, 'k', sizeof key);
    memset(data, 'x', sizeof data);
    hmac_blake2b("", 0, "", 0, out);
    assert_memory_equal(out, from_hex(expected[0]).data, sizeof out);
    hmac_blake2b("key", 3, "The quick brown fox jumps over the lazy dog", 43, out);
    assert_memory_equal(out, from_hex(expected[1]).data, sizeof out);
    hmac_blake2b(key, 128, data, sizeof data, out);
    assert_memory_equal(out, from_hex(expected[2]).data, sizeof out);
    hmac_blake2b(key, 129, data, sizeof data, out);
    assert_memory_equal(out, from_hex(expected[3]).data, sizeof out);
}

// Runs the handshake with one bit of one message altered; how many messages were taken.
static unsigned taken_with_altered_bit(const struct vector *vector, unsigned message, size_t bit)
{
    struct pair pair;
    open_pair(&pair, vector);
    for (unsigned i = 0; i < NOISE_MESSAGES; i++) {
        struct bytes payload = from_hex(vector->messages[i][0]);
        struct bytes wire;
        struct bytes read;
        struct noise_handshake *reader = &pair.sides[1 - i % 2];
        write_message(&pair.sides[i % 2], &payload, &wire);
        if (i == message)
            wire.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (!noise_read(reader, wire.data, wire.size, read.data, &read.size)) {
            assert_false(noise_is_our_turn(reader));
            assert_false(noise_write(reader, NULL, 0, &(struct buffer){.is_fixed = true}));
            return i;
        }
    }
    return NOISE_MESSAGES;
}

static void one_altered_bit_ends_the_handshake_at_that_message(void **state)
{
    (void)state;
    const struct vector *vectors[] = {&xk, &xkpsk0};
    for (unsigned v = 0; v < 2; v++) {
        for (unsigned i = 0; i < NOISE_MESSAGES; i++) {
            size_t bits = strlen(vectors[v]->messages[i][1]) * 4;
            for (size_t bit = v; bit < bits; bit += 3)
                assert_int_equal(taken_with_altered_bit(vectors[v], i, bit), i);
        }
    }
}

// The size that message `message` is cut or lengthened to; whether it was taken.
static bool is_taken_with_size(unsigned message, size_t size)
{
    struct pair pair;
    struct bytes read;
    open_pair(&pair, &xk);
    for (unsigned i = 0;; i++) {
        struct bytes payload = from_hex(xk.messages[i][0]);
        struct bytes wire = {.size = 0};
        write_message(&pair.sides[i % 2], &payload, &wire);
        bool is_it = i == message;
        bool is_taken = noise_read(&pair.sides[1 - i % 2], wire.data, is_it ? size : wire.size,
                                   read.data, &read.size);
        if (is_it)
            return is_taken;
        assert_true(is_taken);
    }
}

static void cut_or_longer_message_is_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < NOISE_MESSAGES; i++) {
        size_t whole = strlen(xk.messages[i][1]) / 2;
        for (size_t size = 0; size <= whole + 1; size++)
            assert_int_equal(is_taken_with_size(i, size), size == whole);
    }
}

static void other_prologue_or_secret_fails_at_the_first_tag(void **state)
{
    (void)state;
    struct vector other = xk;
    struct pair pair;
    struct pair strangers;
    struct bytes wire;
    struct bytes read;
    struct bytes none = {.size = 0};
    open_pair(&pair, &xk);
    write_message(&pair.sides[0], &none, &wire);
    other.prologue = "4a6f686e2047616c75";
    open_pair(&strangers, &other);
    assert_false(noise_read(&strangers.sides[1], wire.data, wire.size, read.data, &read.size));
    other = xk;
    other.psk = xkpsk0.psk;
    open_pair(&strangers, &other);
    assert_false(noise_read(&strangers.sides[1], wire.data, wire.size, read.data, &read.size));
    write_message(&strangers.sides[0], &none, &wire);
    assert_false(noise_read(&pair.sides[1], wire.data, wire.size, read.data, &read.size));
    other.psk = "2176657279736563726574766572797365637265747665727973656372657422";
    struct pair others;
    open_pair(&others, &other);
    assert_false(noise_read(&others.sides[1], wire.data, wire.size, read.data, &read.size));
}

static void keys_that_make_every_secret_zero_are_refused(void **state)
{
    (void)state;
    static const uint8_t zero[32] = {0};
    static const uint8_t secret[32] = {1, 2, 3};
    uint8_t room[NOISE_OVERHEAD_1];
    struct buffer out;
    struct noise_handshake handshake;
    const struct noise_config config = {
        .role = NOISE_INITIATOR,
        .static_secret = secret,
        .static_key = secret,
        .ephemeral_secret = secret,
        .remote_static = zero,
    };
    buffer_init_fixed(&out, room, sizeof room);
    noise_init(&handshake, &config);
    assert_false(noise_write(&handshake, NULL, 0, &out));
    assert_int_equal(out.size, 0);
}

static void nobody_speaks_out_of_turn(void **state)
{
    (void)state;
    struct pair pair;
    uint8_t room[512];
    size_t size;
    struct buffer out;
    buffer_init_fixed(&out, room, sizeof room);
    open_pair(&pair, &xk);
    assert_false(noise_write(&pair.sides[NOISE_RESPONDER], NULL, 0, &out));
    open_pair(&pair, &xk);
    assert_false(noise_read(&pair.sides[NOISE_INITIATOR], room, 48, room, &size));
    open_pair(&pair, &xk);
    replay_handshake(&pair, &xk);
    assert_true(noise_is_done(&pair.sides[0]) && noise_is_done(&pair.sides[1]));
    assert_memory_equal(pair.sides[1].remote_static, pair.sides[0].static_key, 32);
    assert_false(noise_write(&pair.sides[NOISE_RESPONDER], NULL, 0, &out));
    assert_false(noise_is_done(&pair.sides[NOISE_RESPONDER]));
}

static void further_keys_are_shared_and_differ_by_label(void **state)
{
    (void)state;
    struct pair pair;
    struct noise_keys split;
    uint8_t keys[2][2][32];
    uint8_t other[2][32];
    open_pair(&pair, &xk);
    replay_handshake(&pair, &xk);
    noise_derive(&pair.sides[0], "one", keys[0][0], keys[0][1]);
    noise_derive(&pair.sides[1], "one", keys[1][0], keys[1][1]);
    noise_derive(&pair.sides[0], "two", other[0], other[1]);
    noise_split(&pair.sides[0], &split);
    assert_memory_equal(keys[0], keys[1], sizeof keys[0]);
    assert_memory_not_equal(keys[0][0], keys[0][1], 32);
    assert_memory_not_equal(keys[0][0], other[0], 32);
    assert_memory_not_equal(keys[0][0], split.send, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vector_of_xk_passes),
        cmocka_unit_test(published_vector_of_xkpsk0_passes),
        cmocka_unit_test(hmac_is_that_of_rfc_2104),
        cmocka_unit_test(one_altered_bit_ends_the_handshake_at_that_message),
        cmocka_unit_test(cut_or_longer_message_is_refused),
        cmocka_unit_test(other_prologue_or_secret_fails_at_the_first_tag),
        cmocka_unit_test(keys_that_make_every_secret_zero_are_refused),
        cmocka_unit_test(nobody_speaks_out_of_turn),
        cmocka_unit_test(further_keys_are_shared_and_differ_by_label),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
