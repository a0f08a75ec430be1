// Shares found before the clock starts: whole lines of mining.submit, with hashes between two
// bounds, so that a bench chooses what the node will find in them.
#ifndef SHOAL_TESTS_BENCH_NODE_BENCH_WORK_H
#define SHOAL_TESTS_BENCH_NODE_BENCH_WORK_H

#include <stddef.h>
#include "node/base/u256.h"
#include "testnet/miner/job.h"
#include "testnet/miner/scan.h"

// Hashes h with above < h <= most.
struct work_band {
    struct u256 above;
    struct u256 most;
};

// Lines that one connection will send, each closed by a newline.
struct work_lines {
    char *text;
    size_t *ends; // of line i, behind its newline
    size_t count;
    size_t next; // to be sent
};

// Searches one job on behalf of one user; each nonce is looked at once.
struct work_search {
    struct scanner *scanner;      // borrowed
    const struct job *job;        // borrowed
    struct extranonce extranonce; // the pool's part; ours is zero
    const char *user;             // borrowed
    uint64_t nonce;               // the next one
};

// Finds `count` shares and appends their lines.
void work_find(struct work_search *search, const struct work_band *band, size_t count,
               struct work_lines *lines);
// Makes of two sets one in which every `every`-th line is one of `few`; both end empty. There are
// every - 1 of `many` for each of `few`.
void work_lines_mix(struct work_lines *many, struct work_lines *few, size_t every,
                    struct work_lines *mixed);
void work_lines_clear(struct work_lines *lines);

#endif
