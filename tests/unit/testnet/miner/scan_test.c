#include "testnet/miner/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/hex.h"
#include "node/pow/target.h"

// Bitcoin's genesis header.
static const char genesis[] = "01000000000000000000000000000000000000000000000000000000000000000000"
                              "00003ba3edfd7a7b12b27ac72c3e"
                              "67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c";
// Litecoin's.
static const char genesis_scrypt[] =
    "010000000000000000000000000000000000000000000000000000000000000000000000d9ced4ed1130f7b7faad9b"
    "e2"
    "5323ffafa33232a17c3edf6cfd97bee6bafbdd97b9aa8e4ef0ff0f1ecd513f7c";

static struct scan_work work_of(const char *hex, uint32_t bits)
{
    struct scan_work work = {0};
    assert_true(hex_decode(hex, strlen(hex), work.header, HEADER_SIZE));
    assert_true(target_expand(bits, &work.target));
    memset(work.header + 76, 0xee, 4); // the nonce is not ours to know
    scan_work_prepare(&work);
    return work;
}

static void nonce_of_bitcoins_genesis_is_found(void **state)
{
    (void)state;
    struct scanner *scanner = scanner_new(POW_SHA256D);
    struct scan_work work = work_of(genesis, 0x1d00ffff);
    struct scan_hits hits;
    assert_int_equal(scanner_scan(scanner, &work, 2083236893 - 50001, 100000, &hits), 100000);
    assert_int_equal(hits.count, 1);
    assert_int_equal(hits.hits[0].nonce, 2083236893);
    char hash[65];
    hash_to_display(&hits.hits[0].hash, hash);
    assert_string_equal(hash, "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f");
    // Not beside its range, by one nonce on either side.
    scanner_scan(scanner, &work, 2083236893 - 1001, 1001, &hits);
    assert_int_equal(hits.count, 0);
    scanner_scan(scanner, &work, 2083236893 - 1000, 1001, &hits);
    assert_int_equal(hits.count, 1);
    scanner_scan(scanner, &work, 2083236893, 1, &hits);
    assert_int_equal(hits.count, 1);
    scanner_scan(scanner, &work, 2083236893 + 1, 1000, &hits);
    assert_int_equal(hits.count, 0);
    scanner_free(scanner);
}

static void nonce_of_litecoins_genesis_is_found(void **state)
{
    (void)state;
    struct scanner *scanner = scanner_new(POW_SCRYPT);
    struct scan_work work = work_of(genesis_scrypt, 0x1e0ffff0);
    struct scan_hits hits;
    assert_int_equal(scanner_scan(scanner, &work, 2084524493 - 37, 100, &hits), 100);
    assert_int_equal(hits.count, 1);
    assert_int_equal(hits.hits[0].nonce, 2084524493);
    scanner_free(scanner);
}

// All hits of a range, by hashing one header after the other.
static size_t brute_force(const struct scan_work *work, uint32_t first, uint64_t count,
                          uint32_t *nonces)
{
    size_t found = 0;
    for (uint64_t i = 0; i < count; i++) {
        struct header header;
        struct hash256 hash;
        uint8_t bytes[HEADER_SIZE];
        header_decode(work->header, &header);
        header.nonce = first + (uint32_t)i;
        header_encode(&header, bytes);
        sha256d_80(bytes, &hash);
        if (target_is_met(&hash, &work->target))
            nonces[found++] = header.nonce;
    }
    return found;
}

static void hits_are_those_of_brute_force(void **state)
{
    (void)state;
    static const uint32_t bits[] = {0x207fffff, 0x2000ffff, 0x1f00ffff, 0x1e7fffff, 0x1f008000};
    static const struct {
        uint32_t first;
        uint64_t count;
    } ranges[] = {{0, 40}, {1, 39}, {7, 1}, {1000000, 4001}, {4294965000u, 2296}, {123, 0}};
    struct scanner *scanner = scanner_new(POW_SHA256D);
    uint32_t *nonces = malloc(5000 * sizeof *nonces);
    size_t hits_seen = 0;
    for (size_t b = 0; b < sizeof bits / sizeof bits[0]; b++) {
        struct scan_work work = work_of(genesis, bits[b]);
        for (size_t r = 0; r < sizeof ranges / sizeof ranges[0]; r++) {
            size_t expected = brute_force(&work, ranges[r].first, ranges[r].count, nonces);
            size_t seen = 0;
            // The list is short: a scan that stops early goes on where it stopped.
            for (uint64_t done = 0; done < ranges[r].count;) {
                struct scan_hits hits;
                uint64_t looked_at = scanner_scan(scanner, &work, ranges[r].first + (uint32_t)done,
                                                  ranges[r].count - done, &hits);
                assert_true(looked_at > 0);
                done += looked_at;
                assert_true(done == ranges[r].count || hits.count == SCAN_HITS_MAX);
                for (size_t i = 0; i < hits.count; i++)
                    assert_int_equal(hits.hits[i].nonce, nonces[seen++]);
            }
            assert_int_equal(seen, expected);
            hits_seen += seen;
        }
    }
    assert_true(hits_seen > 3000);
    free(nonces);
    scanner_free(scanner);
}

static void scan_ends_at_the_last_nonce(void **state)
{
    (void)state;
    struct scanner *scanner = scanner_new(POW_SHA256D);
    struct scan_work work = work_of(genesis, 0x207fffff);
    struct scan_hits hits;
    assert_int_equal(scanner_scan(scanner, &work, UINT32_MAX - 4, 5, &hits), 5);
    for (size_t i = 0; i < hits.count; i++)
        assert_true(hits.hits[i].nonce >= UINT32_MAX - 4);
    scanner_free(scanner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nonce_of_bitcoins_genesis_is_found),
        cmocka_unit_test(nonce_of_litecoins_genesis_is_found),
        cmocka_unit_test(hits_are_those_of_brute_force),
        cmocka_unit_test(scan_ends_at_the_last_nonce),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
