// The table of algorithms: each row hashes what its name says.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <string.h>
#include "node/pow/pow.h"

enum { HEADERS = 5 };

static void make_headers(uint8_t headers[HEADERS][80])
{
    for (size_t i = 0; i < HEADERS * 80; i++)
        headers[i / 80][i % 80] = (uint8_t)(i * i + 3 * i);
}

static void expect_sha256d(const uint8_t header[80], struct hash256 *out)
{
    SHA256(header, 80, out->bytes);
    SHA256(out->bytes, 32, out->bytes);
}

static void expect_scrypt(const uint8_t header[80], struct hash256 *out)
{
    assert_int_equal(
        crypto_pwhash_scryptsalsa208sha256_ll(header, 80, header, 80, 1024, 1, 1, out->bytes, 32),
        0);
}

static void assert_hashes_as(enum pow_kind kind,
                             void (*expect)(const uint8_t[80], struct hash256 *))
{
    uint8_t headers[HEADERS][80];
    struct hash256 hash, expected, hashes[HEADERS];
    make_headers(headers);
    struct pow_memory *memory = pow_memory_new(kind);
    assert_non_null(memory);
    pow_hash_many(memory, (const uint8_t(*)[80])headers, HEADERS, hashes);
    for (size_t i = 0; i < HEADERS; i++) {
        expect(headers[i], &expected);
        assert_true(hash_equal(&hashes[i], &expected));
        pow_hash(memory, headers[i], &hash);
        assert_true(hash_equal(&hash, &expected));
    }
    pow_memory_free(memory);
}

static void the_sha256d_row_hashes_as_openssl_does(void **context)
{
    (void)context;
    assert_hashes_as(POW_SHA256D, expect_sha256d);
}

static void the_scrypt_row_hashes_as_libsodium_does(void **context)
{
    (void)context;
    assert_hashes_as(POW_SCRYPT, expect_scrypt);
}

static void rows_describe_their_algorithms(void **context)
{
    (void)context;
    const struct pow_algorithm *sha256d = pow_algorithm(POW_SHA256D);
    assert_int_equal(sha256d->kind, POW_SHA256D);
    assert_string_equal(sha256d->name, "sha256d");
    assert_false(sha256d->is_slow);
    assert_int_equal(sha256d->difficulty_scale, 1);
    const struct pow_algorithm *scrypt = pow_algorithm(POW_SCRYPT);
    assert_int_equal(scrypt->kind, POW_SCRYPT);
    assert_string_equal(scrypt->name, "scrypt");
    assert_true(scrypt->is_slow);
    assert_int_equal(scrypt->difficulty_scale, 65536);
}

static void freeing_no_memory_is_fine(void **context)
{
    (void)context;
    pow_memory_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sha256d_row_hashes_as_openssl_does),
        cmocka_unit_test(the_scrypt_row_hashes_as_libsodium_does),
        cmocka_unit_test(rows_describe_their_algorithms),
        cmocka_unit_test(freeing_no_memory_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
