// SHA-256 against OpenSSL and the NIST examples, in every implementation that this machine has.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/hex.h"
#include "node/pow/cpu.h"
#include "node/pow/sha256.h"
#include "node/pow/sha256_engine.h"

enum { SIZE_MAX_TESTED = 300 };

static const char *const implementations[] = {"portable", "sha-ni"};

// The same bytes in every run (splitmix64).
static void fill(uint8_t *out, size_t size, uint64_t seed)
{
    for (size_t i = 0; i < size; i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t mixed = (seed ^ seed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        out[i] = (uint8_t)((mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb) >> 56);
    }
}

static struct hash256 openssl_once(const void *data, size_t size)
{
    struct hash256 hash;
    assert_non_null(SHA256(data, size, hash.bytes));
    return hash;
}

static struct hash256 openssl_double(const void *data, size_t size)
{
    struct hash256 hash = openssl_once(data, size);
    return openssl_once(hash.bytes, sizeof hash.bytes);
}

static void assert_hash_equal(const struct hash256 *hash, const struct hash256 *expected)
{
    assert_memory_equal(hash->bytes, expected->bytes, sizeof hash->bytes);
}

static void assert_hash_hex(const struct hash256 *hash, const char *expected)
{
    char hex[65];
    hash_to_hex(hash, hex);
    assert_string_equal(hex, expected);
}

static struct hash256 digest_of(const uint32_t words[8])
{
    struct hash256 digest;
    for (size_t i = 0; i < 32; i++)
        digest.bytes[i] = (uint8_t)(words[i / 4] >> (24 - i % 4 * 8));
    return digest;
}

// Hashes with the bare compression function of one implementation, padding by hand.
static bool hash_with(const char *implementation, const uint8_t *data, size_t size,
                      struct hash256 *out)
{
    uint8_t padded[SIZE_MAX_TESTED + 128] = {0};
    size_t blocks = (size + 9 + 63) / 64;
    memcpy(padded, data, size);
    padded[size] = 0x80;
    padded[blocks * 64 - 2] = (uint8_t)(size * 8 >> 8);
    padded[blocks * 64 - 1] = (uint8_t)(size * 8);
    struct sha256_midstate state;
    memcpy(state.words, sha256_initial, sizeof state.words);
    if (!sha256_blocks_with(implementation, &state, padded, blocks))
        return false;
    *out = digest_of(state.words);
    return true;
}

static void nist_examples_hash_to_their_digests(void **context)
{
    (void)context;
    static const struct {
        const char *text, *digest;
    } examples[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrl"
         "mnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        struct hash256 hash;
        sha256_once(examples[i].text, strlen(examples[i].text), &hash);
        assert_hash_hex(&hash, examples[i].digest);
    }
}

static void a_million_letters_in_uneven_pieces_hash_to_nists_digest(void **context)
{
    (void)context;
    uint8_t letters[997];
    memset(letters, 'a', sizeof letters);
    struct sha256 sha;
    sha256_init(&sha);
    for (size_t left = 1000000; left > 0;) {
        size_t size = left < sizeof letters ? left : sizeof letters;
        sha256_update(&sha, letters, size);
        left -= size;
    }
    struct hash256 hash;
    sha256_final(&sha, &hash);
    assert_hash_hex(&hash, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void every_size_hashes_as_openssl_does(void **context)
{
    (void)context;
    uint8_t data[SIZE_MAX_TESTED];
    for (size_t size = 0; size <= SIZE_MAX_TESTED; size++) {
        fill(data, size, size);
        struct hash256 hash, expected = openssl_once(data, size);
        sha256_once(data, size, &hash);
        assert_hash_equal(&hash, &expected);
        expected = openssl_double(data, size);
        sha256d(data, size, &hash);
        assert_hash_equal(&hash, &expected);
    }
}

static void every_implementation_hashes_as_openssl_does(void **context)
{
    (void)context;
    uint8_t data[SIZE_MAX_TESTED];
    for (size_t i = 0; i < sizeof implementations / sizeof implementations[0]; i++) {
        for (size_t size = 0; size <= SIZE_MAX_TESTED; size++) {
            fill(data, size, 1000 + size);
            struct hash256 hash, expected = openssl_once(data, size);
            if (!hash_with(implementations[i], data, size, &hash)) {
                assert_string_not_equal(implementations[i], "portable");
                print_message("%s: not on this machine\n", implementations[i]);
                break;
            }
            assert_hash_equal(&hash, &expected);
        }
    }
}

static void every_engine_hashes_digests_as_openssl_does(void **context)
{
    (void)context;
    const struct sha256_engine *const engines[] = {
#ifdef __x86_64__
        &sha256_engine_sha_ni,
#endif
        &sha256_engine_portable,
    };
    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++) {
        if (engines[i]->cpu_needs & ~cpu_features())
            continue;
        for (uint64_t seed = 0; seed < 50; seed++) {
            uint32_t words[8];
            fill((uint8_t *)words, sizeof words, seed);
            struct hash256 hash, digest = digest_of(words);
            struct hash256 expected = openssl_once(digest.bytes, sizeof digest.bytes);
            engines[i]->hash_digest(words, &hash);
            assert_hash_equal(&hash, &expected);
        }
    }
}

static void the_implementation_in_use_can_be_asked_for_and_unknown_ones_are_refused(void **context)
{
    (void)context;
    uint8_t block[64] = {1};
    struct sha256_midstate state = {{2}}, before = state;
    assert_false(sha256_blocks_with("sha-nix", &state, block, 1));
    assert_false(sha256_blocks_with("", &state, block, 1));
    assert_memory_equal(&state, &before, sizeof state);
    assert_true(sha256_blocks_with(sha256_implementation(), &state, block, 1));
    assert_memory_not_equal(&state, &before, sizeof state);
    // SHA-NI is used wherever it is there.
    assert_int_equal(strcmp(sha256_implementation(), "sha-ni") == 0,
                     (cpu_features() & CPU_SHA_NI) != 0);
}

static void a_message_cut_anywhere_has_the_same_hash(void **context)
{
    (void)context;
    uint8_t data[200];
    fill(data, sizeof data, 7);
    struct hash256 expected = openssl_once(data, sizeof data);
    for (size_t first = 0; first <= sizeof data; first++) {
        for (size_t second = first; second <= sizeof data; second += 13) {
            struct sha256 sha;
            struct hash256 hash;
            sha256_init(&sha);
            sha256_update(&sha, data, first);
            sha256_update(&sha, data + first, second - first);
            sha256_update(&sha, data + second, sizeof data - second);
            sha256_final(&sha, &hash);
            assert_hash_equal(&hash, &expected);
        }
    }
}

static void nothing_may_be_absorbed_from_nowhere(void **context)
{
    (void)context;
    struct hash256 hash, expected = openssl_once("", 0);
    sha256_once(NULL, 0, &hash);
    assert_hash_equal(&hash, &expected);
}

static void a_midstate_continues_where_it_was_taken(void **context)
{
    (void)context;
    uint8_t data[SIZE_MAX_TESTED];
    fill(data, sizeof data, 8);
    for (size_t blocks = 0; blocks <= SIZE_MAX_TESTED / 64; blocks++) {
        for (size_t size = blocks * 64; size <= SIZE_MAX_TESTED; size++) {
            struct sha256 prefix, rest;
            struct hash256 hash, expected = openssl_double(data, size);
            sha256_init(&prefix);
            sha256_update(&prefix, data, blocks * 64);
            sha256_init_from_midstate(&rest, &prefix.state, blocks);
            sha256_update(&rest, data + blocks * 64, size - blocks * 64);
            sha256d_final(&rest, &hash);
            assert_hash_equal(&hash, &expected);
        }
    }
}

static void a_copied_computation_goes_its_own_way(void **context)
{
    (void)context;
    struct sha256 sha, copy;
    struct hash256 hash, expected;
    sha256_init(&sha);
    sha256_update(&sha, "prefix ", 7);
    copy = sha;
    sha256_update(&sha, "one", 3);
    sha256_update(&copy, "two", 3);
    sha256_final(&sha, &hash);
    expected = openssl_once("prefix one", 10);
    assert_hash_equal(&hash, &expected);
    sha256_final(&copy, &hash);
    expected = openssl_once("prefix two", 10);
    assert_hash_equal(&hash, &expected);
}

static void the_fast_paths_hash_as_openssl_does(void **context)
{
    (void)context;
    for (uint64_t seed = 0; seed < 500; seed++) {
        uint8_t data[80];
        fill(data, sizeof data, seed);
        struct hash256 hash, expected = openssl_double(data, 64);
        sha256d_64(data, &hash);
        assert_hash_equal(&hash, &expected);
        expected = openssl_double(data, 80);
        sha256d_80(data, &hash);
        assert_hash_equal(&hash, &expected);
    }
}

static void the_fast_path_may_write_over_its_input(void **context)
{
    (void)context;
    struct hash256 nodes[2];
    uint8_t *both = (uint8_t *)nodes;
    fill(both, sizeof nodes, 9);
    struct hash256 expected = openssl_double(both, sizeof nodes);
    sha256d_64(both, &nodes[0]);
    assert_hash_equal(&nodes[0], &expected);
}

static void many_headers_hash_as_each_one_does(void **context)
{
    (void)context;
    uint8_t headers[9][80];
    fill(headers[0], sizeof headers, 10);
    for (size_t count = 0; count <= 9; count++) {
        struct hash256 hashes[10];
        memset(hashes, 0xee, sizeof hashes);
        sha256d_80_many((const uint8_t(*)[80])headers, count, hashes);
        for (size_t i = 0; i < count; i++) {
            struct hash256 expected = openssl_double(headers[i], 80);
            assert_hash_equal(&hashes[i], &expected);
        }
        assert_int_equal(hashes[count].bytes[0], 0xee);
    }
}

static void bitcoins_first_header_has_its_known_id(void **context)
{
    (void)context;
    uint8_t header[80];
    assert_true(hex_decode("0100000000000000000000000000000000000000000000000000000000000000000000"
                           "003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29"
                           "ab5f49ffff001d1dac2b7c",
                           160, header, sizeof header));
    struct hash256 hash;
    char id[65];
    sha256d_80(header, &hash);
    hash_to_display(&hash, id);
    assert_string_equal(id, "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f");
}

static void a_tagged_hash_is_prefixed_with_its_tag_hashed_twice_over(void **context)
{
    (void)context;
    uint8_t message[64 + 150];
    struct hash256 tag = openssl_once("shoal/pool", 10);
    memcpy(message, tag.bytes, 32);
    memcpy(message + 32, tag.bytes, 32);
    fill(message + 64, 150, 11);
    for (size_t size = 0; size <= 150; size++) {
        struct hash256 hash, expected = openssl_once(message, 64 + size);
        sha256_tagged("shoal/pool", message + 64, size, &hash);
        assert_hash_equal(&hash, &expected);
        sha256_tagged("shoal/pooL", message + 64, size, &hash);
        assert_false(hash_equal(&hash, &expected));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nist_examples_hash_to_their_digests),
        cmocka_unit_test(a_million_letters_in_uneven_pieces_hash_to_nists_digest),
        cmocka_unit_test(every_size_hashes_as_openssl_does),
        cmocka_unit_test(every_implementation_hashes_as_openssl_does),
        cmocka_unit_test(every_engine_hashes_digests_as_openssl_does),
        cmocka_unit_test(the_implementation_in_use_can_be_asked_for_and_unknown_ones_are_refused),
        cmocka_unit_test(a_message_cut_anywhere_has_the_same_hash),
        cmocka_unit_test(nothing_may_be_absorbed_from_nowhere),
        cmocka_unit_test(a_midstate_continues_where_it_was_taken),
        cmocka_unit_test(a_copied_computation_goes_its_own_way),
        cmocka_unit_test(the_fast_paths_hash_as_openssl_does),
        cmocka_unit_test(the_fast_path_may_write_over_its_input),
        cmocka_unit_test(many_headers_hash_as_each_one_does),
        cmocka_unit_test(bitcoins_first_header_has_its_known_id),
        cmocka_unit_test(a_tagged_hash_is_prefixed_with_its_tag_hashed_twice_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
