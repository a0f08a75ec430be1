// What a proof-of-work hash costs, next to OpenSSL's low-level SHA-256 and libsodium's scrypt,
// measured in the same run. Ours and the baseline take turns for many short rounds, and medians are
// compared, so that a noisy machine is noisy for both. Hashes are chained (each result goes into
// the next input) except where several are asked for at once: nobody checks the same header twice.
// Run: pow_bench [ROUNDS]
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "node/pow/scrypt.h"
#include "node/pow/sha256.h"

enum { ROUNDS_MAX = 1000, BATCH = 16, LANES = 64 };

// What the measured functions work on.
struct bench {
    uint8_t headers[LANES][80];
    struct hash256 hashes[LANES];
    struct scrypt_memory *memory;
    const char *implementation;
    size_t rounds;
};

struct contest {
    const char *name;
    const char *implementation; // NULL: the one in use
    const char *baseline_name;
    size_t ours_count; // hashes in one call
    size_t baseline_count;
    bool (*ours)(struct bench *bench); // false: not on this machine
    bool (*baseline)(struct bench *bench);
};

static void chain(struct bench *bench)
{
    memcpy(bench->headers[0], bench->hashes[0].bytes, 32);
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

static bool openssl_80(struct bench *bench)
{
    for (size_t i = 0; i < BATCH; i++) {
        openssl_double(bench->headers[0], 80, &bench->hashes[0]);
        chain(bench);
    }
    return true;
}

static bool openssl_64(struct bench *bench)
{
    for (size_t i = 0; i < BATCH; i++) {
        openssl_double(bench->headers[0], 64, &bench->hashes[0]);
        chain(bench);
    }
    return true;
}

static bool openssl_80_many(struct bench *bench)
{
    for (size_t i = 0; i < BATCH; i++)
        openssl_double(bench->headers[i], 80, &bench->hashes[i]);
    return true;
}

static bool openssl_block(struct bench *bench)
{
    SHA256_CTX context;
    SHA256_Init(&context);
    for (size_t i = 0; i < BATCH; i++)
        SHA256_Transform(&context, bench->headers[i]);
    memcpy(bench->hashes[0].bytes, context.h, 32);
    return true;
}

static bool ours_80(struct bench *bench)
{
    for (size_t i = 0; i < BATCH; i++) {
        sha256d_80(bench->headers[0], &bench->hashes[0]);
        chain(bench);
    }
    return true;
}

static bool ours_64(struct bench *bench)
{
    for (size_t i = 0; i < BATCH; i++) {
        sha256d_64(bench->headers[0], &bench->hashes[0]);
        chain(bench);
    }
    return true;
}

static bool ours_80_many(struct bench *bench)
{
    sha256d_80_many((const uint8_t(*)[80])bench->headers, BATCH, bench->hashes);
    return true;
}

static bool ours_block(struct bench *bench)
{
    struct sha256_midstate state = {{0}};
    for (size_t i = 0; i < BATCH; i++) {
        if (!sha256_blocks_with(bench->implementation, &state, bench->headers[i], 1))
            return false;
    }
    memcpy(bench->hashes[0].bytes, state.words, 32);
    return true;
}

static bool sodium_scrypt(struct bench *bench)
{
    const uint8_t *header = bench->headers[0];
    if (crypto_pwhash_scryptsalsa208sha256_ll(header, 80, header, 80, 1024, 1, 1,
                                              bench->hashes[0].bytes, 32) != 0)
        return false;
    chain(bench);
    return true;
}

static bool ours_scrypt(struct bench *bench)
{
    scrypt_1024(bench->memory, bench->headers[0], &bench->hashes[0]);
    chain(bench);
    return true;
}

static bool ours_scrypt_many(struct bench *bench)
{
    scrypt_1024_many(bench->memory, (const uint8_t(*)[80])bench->headers, LANES, bench->hashes);
    return true;
}

static bool ours_scrypt_with(struct bench *bench)
{
    return scrypt_1024_many_with(bench->implementation, bench->memory,
                                 (const uint8_t(*)[80])bench->headers, BATCH, bench->hashes);
}

static const struct contest sha256_contests[] = {
    {"sha256d_80", NULL, "OpenSSL", BATCH, BATCH, ours_80, openssl_80},
    {"sha256d_64", NULL, "OpenSSL", BATCH, BATCH, ours_64, openssl_64},
    {"sha256d_80_many", NULL, "OpenSSL", BATCH, BATCH, ours_80_many, openssl_80_many},
    {"block, sha-ni", "sha-ni", "OpenSSL", BATCH, BATCH, ours_block, openssl_block},
    {"block, portable", "portable", "OpenSSL", BATCH, BATCH, ours_block, openssl_block},
};

static const struct contest scrypt_contests[] = {
    {"scrypt_1024", NULL, "libsodium", 1, 1, ours_scrypt, sodium_scrypt},
    {"scrypt_1024_many", NULL, "libsodium", LANES, 1, ours_scrypt_many, sodium_scrypt},
    {"scrypt, avx512 x16", "avx512 x16", "libsodium", BATCH, 1, ours_scrypt_with, sodium_scrypt},
    {"scrypt, avx2 x8", "avx2 x8", "libsodium", BATCH, 1, ours_scrypt_with, sodium_scrypt},
    {"scrypt, sse2 x4", "sse2 x4", "libsodium", BATCH, 1, ours_scrypt_with, sodium_scrypt},
    {"scrypt, portable", "portable", "libsodium", BATCH, 1, ours_scrypt_with, sodium_scrypt},
};

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

// Nanoseconds for each of `count` hashes that a call makes; a round lasts about 2 ms, the first
// call apart: it finds the other side's data in the caches.
static double measure(bool (*run)(struct bench *), struct bench *bench, size_t count)
{
    if (!run(bench))
        return -1;
    size_t calls = 0;
    double start = now_ns(), end = start;
    for (; end - start < 2e6; calls++) {
        if (!run(bench))
            return -1;
        end = now_ns();
    }
    return (end - start) / (double)(calls * count);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_doubles);
    return values[count / 2];
}

static void run_contest(const struct contest *contest, struct bench *bench)
{
    size_t rounds = bench->rounds;
    static double ours[ROUNDS_MAX], baseline[ROUNDS_MAX];
    bench->implementation = contest->implementation;
    for (size_t i = 0; i < rounds; i++) {
        baseline[i] = measure(contest->baseline, bench, contest->baseline_count);
        ours[i] = measure(contest->ours, bench, contest->ours_count);
    }
    double ours_ns = median(ours, rounds), baseline_ns = median(baseline, rounds);
    if (ours_ns < 0) {
        printf("%-20s not on this machine\n", contest->name);
        return;
    }
    printf("%-20s %10.1f ns   %-9s %10.1f ns   %6.2f times as fast\n", contest->name, ours_ns,
           contest->baseline_name, baseline_ns, baseline_ns / ours_ns);
}

static void run_contests(const struct contest *contests, size_t count, struct bench *bench)
{
    for (size_t i = 0; i < count; i++)
        run_contest(&contests[i], bench);
}

int main(int argc, char **argv)
{
    struct bench bench = {.memory = scrypt_memory_new(),
                          .rounds = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 31};
    if (bench.rounds == 0 || bench.rounds > ROUNDS_MAX || !bench.memory) {
        fprintf(stderr, "usage: pow_bench [ROUNDS], 1 to %d rounds\n", ROUNDS_MAX);
        return 2;
    }
    for (size_t i = 0; i < LANES; i++)
        memset(bench.headers[i], (int)i + 1, sizeof bench.headers[i]);
    printf("SHA-256: %s; scrypt: %s; %zu rounds, medians per hash\n", sha256_implementation(),
           scrypt_implementation(), bench.rounds);
    enum { SHA256_COUNT = sizeof sha256_contests / sizeof sha256_contests[0] };
    enum { SCRYPT_COUNT = sizeof scrypt_contests / sizeof scrypt_contests[0] };
    run_contests(sha256_contests, SHA256_COUNT, &bench);
    // Until it is initialised libsodium takes its portable path, which on some machines is its
    // faster one.
    printf("libsodium's portable path:\n");
    run_contests(scrypt_contests, SCRYPT_COUNT, &bench);
    if (sodium_init() < 0)
        return 1;
    printf("libsodium's path for this machine:\n");
    run_contests(scrypt_contests, SCRYPT_COUNT, &bench);
    scrypt_memory_free(bench.memory);
    return 0;
}
