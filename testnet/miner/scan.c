#include "testnet/miner/scan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "node/pow/cpu.h"
#include "node/pow/scrypt.h"
#include "node/pow/target.h"
#include "testnet/miner/scan_kernel.h"

#define MIDSTATE_SIZE 64
#define NONCE_OFFSET  76
#define BATCH_MAX     64 // headers hashed in one call where there is no kernel

struct scanner {
    enum pow_kind kind;
    struct pow_memory *pow;
    bool has_kernel;
    uint32_t batch;
    uint8_t headers[BATCH_MAX][HEADER_SIZE];
    struct hash256 hashes[BATCH_MAX];
};

static bool has_sha_ni(void)
{
#ifdef __x86_64__
    return (cpu_features() & CPU_SHA_NI) != 0;
#else
    return false;
#endif
}

struct scanner *scanner_new(enum pow_kind kind)
{
    struct scanner *scanner = calloc(1, sizeof *scanner);
    if (scanner == NULL)
        return NULL;
    scanner->kind = kind;
    scanner->pow = pow_memory_new(kind);
    scanner->has_kernel = kind == POW_SHA256D && has_sha_ni();
    size_t lanes = kind == POW_SCRYPT ? scrypt_lanes() : 1;
    scanner->batch = lanes < BATCH_MAX ? (uint32_t)(BATCH_MAX / lanes * lanes) : BATCH_MAX;
    if (scanner->pow != NULL)
        return scanner;
    free(scanner);
    return NULL;
}

void scanner_free(struct scanner *scanner)
{
    if (scanner == NULL)
        return;
    pow_memory_free(scanner->pow);
    free(scanner);
}

uint32_t scanner_lanes(const struct scanner *scanner)
{
    if (scanner->has_kernel)
        return 2;
    return scanner->kind == POW_SCRYPT ? (uint32_t)scrypt_lanes() : 1;
}

const char *scanner_implementation(const struct scanner *scanner)
{
    if (scanner->has_kernel)
        return "sha-ni x2";
    return scanner->kind == POW_SCRYPT ? scrypt_implementation() : sha256_implementation();
}

static uint32_t word_be(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

void scan_work_prepare(struct scan_work *work)
{
    struct sha256 sha;
    sha256_init(&sha);
    sha256_update(&sha, work->header, MIDSTATE_SIZE);
    work->midstate = sha.state;
}

static void write_nonce(uint8_t header[HEADER_SIZE], uint32_t nonce)
{
    for (size_t i = 0; i < 4; i++)
        header[NONCE_OFFSET + i] = (uint8_t)(nonce >> (8 * i));
}

// Keeps the nonce if node/pow agrees.
static void check(struct scanner *scanner, const struct scan_work *work, uint32_t nonce,
                  struct scan_hits *hits)
{
    uint8_t header[HEADER_SIZE];
    struct hash256 hash;
    memcpy(header, work->header, sizeof header);
    write_nonce(header, nonce);
    pow_hash(scanner->pow, header, &hash);
    if (target_is_met(&hash, &work->target))
        hits->hits[hits->count++] = (struct scan_hit){.nonce = nonce, .hash = hash};
}

#ifdef __x86_64__
static uint64_t scan_with_kernel(struct scanner *scanner, const struct scan_work *work,
                                 uint32_t first, uint64_t count, struct scan_hits *hits)
{
    struct scan_kernel kernel;
    memcpy(kernel.midstate, work->midstate.words, sizeof kernel.midstate);
    for (size_t i = 0; i < 3; i++)
        kernel.tail[i] = word_be(work->header + MIDSTATE_SIZE + 4 * i);
    struct u256 high = u256_shift_right(&work->target, 224);
    kernel.high_max = (uint32_t)u256_low_u64(&high);
    uint64_t done = 0;
    while (done < count && hits->count < SCAN_HITS_MAX) {
        done += scan_kernel_sha_ni(&kernel, first + (uint32_t)done, count - done);
        if (done < count)
            check(scanner, work, first + (uint32_t)done++, hits);
    }
    return done;
}
#endif

static uint64_t scan_in_batches(struct scanner *scanner, const struct scan_work *work,
                                uint32_t first, uint64_t count, struct scan_hits *hits)
{
    for (size_t i = 0; i < scanner->batch; i++)
        memcpy(scanner->headers[i], work->header, HEADER_SIZE);
    for (uint64_t done = 0; done < count;) {
        uint32_t batch = count - done < scanner->batch ? (uint32_t)(count - done) : scanner->batch;
        for (uint32_t i = 0; i < batch; i++)
            write_nonce(scanner->headers[i], first + (uint32_t)done + i);
        pow_hash_many(scanner->pow, (const uint8_t(*)[HEADER_SIZE])scanner->headers, batch,
                      scanner->hashes);
        for (uint32_t i = 0; i < batch; i++) {
            done++;
            if (!target_is_met(&scanner->hashes[i], &work->target))
                continue;
            hits->hits[hits->count++] =
                (struct scan_hit){.nonce = first + (uint32_t)done - 1, .hash = scanner->hashes[i]};
            if (hits->count == SCAN_HITS_MAX)
                return done;
        }
    }
    return count;
}

uint64_t scanner_scan(struct scanner *scanner, const struct scan_work *work, uint32_t first,
                      uint64_t count, struct scan_hits *hits)
{
    assert(first + count <= UINT64_C(0x100000000));
    hits->count = 0;
#ifdef __x86_64__
    if (scanner->has_kernel)
        return scan_with_kernel(scanner, work, first, count, hits);
#endif
    return scan_in_batches(scanner, work, first, count, hits);
}
