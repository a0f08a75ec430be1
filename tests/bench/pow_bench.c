// What a proof-of-work hash costs, next to OpenSSL's low-level SHA-256 and libsodium's scrypt.
// Hashes are chained (each result goes into the next input) except where several are asked for at
// once: nobody checks the same header twice.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "node/pow/scrypt.h"
#include "node/pow/sha256.h"
#include "tests/bench/bench.h"

enum { ROUNDS = 31, BATCH = 16, LANES = 64 };

// What the measured functions work on.
struct hashing {
    uint8_t headers[LANES][80]; // also taken as one run of 64-byte blocks
    struct hash256 hashes[LANES];
    struct scrypt_memory *memory;
    const char *implementation;
};

static void chain(struct hashing *hashing)
{
    memcpy(hashing->headers[0], hashing->hashes[0].bytes, 32);
}

static void openssl_double(const uint8_t *data, size_t size, struct hash256 *out)
{
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, data, size);
    SHA256_Final(out->bytes, &context);
    SHA256_Init(&context);
    SHA256_Update(&context, out->bytes, 32);
    SHA256_Final(out->bytes, &context);
}

static bool openssl_80(void *context)
{
    struct hashing *hashing = context;
    for (size_t i = 0; i < BATCH; i++) {
        openssl_double(hashing->headers[0], 80, &hashing->hashes[0]);
        chain(hashing);
    }
    return true;
}

static bool openssl_64(void *context)
{
    struct hashing *hashing = context;
    for (size_t i = 0; i < BATCH; i++) {
        openssl_double(hashing->headers[0], 64, &hashing->hashes[0]);
        chain(hashing);
    }
    return true;
}

static bool openssl_80_many(void *context)
{
    struct hashing *hashing = context;
    for (size_t i = 0; i < BATCH; i++)
        openssl_double(hashing->headers[i], 80, &hashing->hashes[i]);
    return true;
}

static bool openssl_blocks(void *context)
{
    struct hashing *hashing = context;
    SHA256_CTX sha;
    SHA256_Init(&sha);
    for (size_t i = 0; i < BATCH; i++)
        SHA256_Transform(&sha, (const uint8_t *)hashing->headers + 64 * i);
    memcpy(hashing->hashes[0].bytes, sha.h, 32);
    return true;
}

static bool ours_80(void *context)
{
    struct hashing *hashing = context;
    for (size_t i = 0; i < BATCH; i++) {
        sha256d_80(hashing->headers[0], &hashing->hashes[0]);
        chain(hashing);
    }
    return true;
}

static bool ours_64(void *context)
{
    struct hashing *hashing = context;
    for (size_t i = 0; i < BATCH; i++) {
        sha256d_64(hashing->headers[0], &hashing->hashes[0]);
        chain(hashing);
    }
    return true;
}

static bool ours_80_many(void *context)
{
    struct hashing *hashing = context;
    sha256d_80_many((const uint8_t(*)[80])hashing->headers, BATCH, hashing->hashes);
    return true;
}

static bool ours_blocks(void *context)
{
    struct hashing *hashing = context;
    struct sha256_midstate state = {{0}};
    if (!sha256_blocks_with(hashing->implementation, &state, (const uint8_t *)hashing->headers,
                            BATCH))
        return false;
    memcpy(hashing->hashes[0].bytes, state.words, 32);
    return true;
}

static bool sodium_scrypt(void *context)
{
    struct hashing *hashing = context;
    const uint8_t *header = hashing->headers[0];
    if (crypto_pwhash_scryptsalsa208sha256_ll(header, 80, header, 80, 1024, 1, 1,
                                              hashing->hashes[0].bytes, 32) != 0)
        return false;
    chain(hashing);
    return true;
}

static bool ours_scrypt(void *context)
{
    struct hashing *hashing = context;
    scrypt_1024(hashing->memory, hashing->headers[0], &hashing->hashes[0]);
    chain(hashing);
    return true;
}

static bool ours_scrypt_many(void *context)
{
    struct hashing *hashing = context;
    scrypt_1024_many(hashing->memory, (const uint8_t(*)[80])hashing->headers, LANES,
                     hashing->hashes);
    return true;
}

static bool ours_scrypt_with(void *context)
{
    struct hashing *hashing = context;
    return scrypt_1024_many_with(hashing->implementation, hashing->memory,
                                 (const uint8_t(*)[80])hashing->headers, BATCH, hashing->hashes);
}

struct row {
    const char *what;
    const char *implementation; // NULL: the one in use
    bool (*ours)(void *context);
    size_t ours_count; // hashes in one call
    bool (*baseline)(void *context);
    size_t baseline_count;
    double least_speed; // 0: shown for comparison only
};

static const struct row sha256_rows[] = {
    {"sha256d, 80 bytes", NULL, ours_80, BATCH, openssl_80, BATCH, 1},
    {"sha256d, 64 bytes", NULL, ours_64, BATCH, openssl_64, BATCH, 1},
    {"sha256d, many of 80 bytes", NULL, ours_80_many, BATCH, openssl_80_many, BATCH, 1},
    {"sha256 block, sha-ni", "sha-ni", ours_blocks, BATCH, openssl_blocks, BATCH, 0},
    {"sha256 block, portable", "portable", ours_blocks, BATCH, openssl_blocks, BATCH, 0},
};

static const struct row scrypt_rows[] = {
    {"scrypt, one", NULL, ours_scrypt, 1, sodium_scrypt, 1, 1},
    {"scrypt, many", NULL, ours_scrypt_many, LANES, sodium_scrypt, 1, 1},
    {"scrypt, avx512 x16", "avx512 x16", ours_scrypt_with, BATCH, sodium_scrypt, 1, 0},
    {"scrypt, avx2 x8", "avx2 x8", ours_scrypt_with, BATCH, sodium_scrypt, 1, 0},
    {"scrypt, sse2 x4", "sse2 x4", ours_scrypt_with, BATCH, sodium_scrypt, 1, 0},
    {"scrypt, portable", "portable", ours_scrypt_with, BATCH, sodium_scrypt, 1, 0},
};

static void run_rows(struct bench *bench, const struct row *rows, size_t count,
                     const char *baseline_name, struct hashing *hashing)
{
    for (size_t i = 0; i < count; i++) {
        struct bench_contest contest = {
            .what = rows[i].what,
            .ours = {"ours", rows[i].ours_count, rows[i].ours},
            .baseline = {baseline_name, rows[i].baseline_count, rows[i].baseline},
            .least_speed = rows[i].least_speed,
        };
        hashing->implementation = rows[i].implementation;
        bench_contest_run(bench, &contest, hashing);
    }
}

int main(int argc, char **argv)
{
    struct bench bench;
    if (!bench_init(&bench, ROUNDS, argc, argv))
        return 2;
    struct hashing hashing = {.memory = scrypt_memory_new()};
    if (hashing.memory == NULL)
        return 2;
    for (size_t i = 0; i < LANES; i++)
        memset(hashing.headers[i], (int)i + 1, sizeof hashing.headers[i]);
    printf("SHA-256: %s; scrypt: %s\n", sha256_implementation(), scrypt_implementation());
    enum { SHA256_COUNT = sizeof sha256_rows / sizeof sha256_rows[0] };
    enum { SCRYPT_COUNT = sizeof scrypt_rows / sizeof scrypt_rows[0] };
    run_rows(&bench, sha256_rows, SHA256_COUNT, "OpenSSL", &hashing);
    // Until it is initialised libsodium takes its portable path, which on some machines is its
    // faster one.
    run_rows(&bench, scrypt_rows, SCRYPT_COUNT, "libsodium (portable)", &hashing);
    if (sodium_init() < 0)
        return 2;
    run_rows(&bench, scrypt_rows, SCRYPT_COUNT, "libsodium", &hashing);
    scrypt_memory_free(hashing.memory);
    return bench_finish(&bench);
}
