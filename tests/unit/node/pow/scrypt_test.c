// scrypt against libsodium and a header of Litecoin, in every implementation that this machine has.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sodium.h>
#include <string.h>
#include "node/base/hex.h"
#include "node/pow/cpu.h"
#include "node/pow/scrypt.h"

enum { HEADERS = 35 }; // two groups of the widest path and three more

struct fixture {
    uint8_t headers[HEADERS][80];
    struct hash256 expected[HEADERS];
    struct scrypt_memory *memory;
};

static const char *const implementations[] = {"avx512 x16", "avx2 x8", "sse2 x4", "portable"};

static int set_up(void **context)
{
    static struct fixture fixture;
    uint64_t seed = 1;
    for (size_t i = 0; i < HEADERS * 80; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        fixture.headers[i / 80][i % 80] = (uint8_t)(seed >> 56);
    }
    for (size_t i = 0; i < HEADERS; i++) {
        const uint8_t *header = fixture.headers[i];
        if (crypto_pwhash_scryptsalsa208sha256_ll(header, 80, header, 80, 1024, 1, 1,
                                                  fixture.expected[i].bytes, 32) != 0)
            return -1;
    }
    fixture.memory = scrypt_memory_new();
    *context = &fixture;
    return fixture.memory ? 0 : -1;
}

static int tear_down(void **context)
{
    struct fixture *fixture = *context;
    scrypt_memory_free(fixture->memory);
    return 0;
}

static void assert_first_hashes(const struct fixture *fixture, const struct hash256 *hashes,
                                size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_memory_equal(hashes[i].bytes, fixture->expected[i].bytes, 32);
    // The one after the last was not touched.
    struct hash256 untouched;
    memset(&untouched, 0xee, sizeof untouched);
    assert_memory_equal(hashes[count].bytes, untouched.bytes, 32);
}

static void litecoins_test_header_has_its_known_hash(void **context)
{
    struct fixture *fixture = *context;
    uint8_t header[80];
    assert_true(
        hex_decode("020000004c1271c211717198227392b029a64a7971931d351b387bb80db027f270411e39"
                   "8a07046f7d4a08dd815412a8712f874a7ebf0507e3878bd24e20a3b73fd750a667d2f451"
                   "eac7471b00de6659",
                   160, header, sizeof header));
    struct hash256 hash;
    char text[65];
    scrypt_1024(fixture->memory, header, &hash);
    hash_to_display(&hash, text);
    assert_string_equal(text, "00000000002bef4107f882f6115e0b01f348d21195dacd3582aa2dabd7985806");
}

static void one_header_hashes_as_libsodium_does(void **context)
{
    struct fixture *fixture = *context;
    for (size_t i = 0; i < HEADERS; i++) {
        struct hash256 hash;
        scrypt_1024(fixture->memory, fixture->headers[i], &hash);
        assert_memory_equal(hash.bytes, fixture->expected[i].bytes, 32);
    }
}

static void any_count_of_headers_hashes_as_libsodium_does(void **context)
{
    struct fixture *fixture = *context;
    for (size_t count = 0; count <= HEADERS; count++) {
        struct hash256 hashes[HEADERS + 1];
        memset(hashes, 0xee, sizeof hashes);
        scrypt_1024_many(fixture->memory, (const uint8_t(*)[80])fixture->headers, count, hashes);
        assert_first_hashes(fixture, hashes, count);
    }
}

static void every_implementation_hashes_as_libsodium_does(void **context)
{
    struct fixture *fixture = *context;
    static const size_t counts[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, HEADERS};
    for (size_t k = 0; k < sizeof implementations / sizeof implementations[0]; k++) {
        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
            struct hash256 hashes[HEADERS + 1];
            memset(hashes, 0xee, sizeof hashes);
            if (!scrypt_1024_many_with(implementations[k], fixture->memory,
                                       (const uint8_t(*)[80])fixture->headers, counts[i], hashes)) {
                assert_string_not_equal(implementations[k], "portable");
                print_message("%s: not on this machine\n", implementations[k]);
                break;
            }
            assert_first_hashes(fixture, hashes, counts[i]);
        }
    }
}

static void a_memory_full_of_other_work_changes_nothing(void **context)
{
    struct fixture *fixture = *context;
    struct hash256 hashes[HEADERS];
    scrypt_1024_many(fixture->memory, (const uint8_t(*)[80])fixture->headers, HEADERS, hashes);
    struct scrypt_memory *fresh = scrypt_memory_new();
    assert_non_null(fresh);
    struct hash256 from_used, from_fresh;
    scrypt_1024(fixture->memory, fixture->headers[3], &from_used);
    scrypt_1024(fresh, fixture->headers[3], &from_fresh);
    scrypt_memory_free(fresh);
    assert_true(hash_equal(&from_used, &from_fresh));
    assert_true(hash_equal(&from_used, &hashes[3]));
}

static void the_widest_implementation_is_used_and_unknown_ones_are_refused(void **context)
{
    struct fixture *fixture = *context;
    struct hash256 hash = {{1}}, before = hash;
    assert_false(scrypt_1024_many_with("avx2", fixture->memory,
                                       (const uint8_t(*)[80])fixture->headers, 1, &hash));
    assert_true(hash_equal(&hash, &before));
    const char *expected = "portable";
    size_t lanes = 1;
#ifdef __x86_64__
    unsigned features = cpu_features();
    expected = features & CPU_AVX512F ? "avx512 x16" : features & CPU_AVX2 ? "avx2 x8" : "sse2 x4";
    lanes = features & CPU_AVX512F ? 16 : features & CPU_AVX2 ? 8 : 4;
#endif
    assert_string_equal(scrypt_implementation(), expected);
    assert_int_equal(scrypt_lanes(), lanes);
}

static void freeing_no_memory_is_fine(void **context)
{
    (void)context;
    scrypt_memory_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(litecoins_test_header_has_its_known_hash),
        cmocka_unit_test(one_header_hashes_as_libsodium_does),
        cmocka_unit_test(any_count_of_headers_hashes_as_libsodium_does),
        cmocka_unit_test(every_implementation_hashes_as_libsodium_does),
        cmocka_unit_test(a_memory_full_of_other_work_changes_nothing),
        cmocka_unit_test(the_widest_implementation_is_used_and_unknown_ones_are_refused),
        cmocka_unit_test(freeing_no_memory_is_fine),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
